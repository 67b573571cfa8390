"""A table as a float32 matrix: what the columns need is learnt by fitting, then applied to any table."""

import warnings
from collections.abc import Collection
from typing import TYPE_CHECKING, Any, NamedTuple, TypeAlias

import numpy as np
import numpy.typing as npt

from chainrule.errors import ArgumentError, TableError
from chainrule.tables.category_columns import (
    FEW_LEVELS,
    CategoryColumn,
    fit_text,
    levels_of_numbers,
    levels_of_text,
    text_of_numbers,
)
from chainrule.tables.date_columns import (
    DateColumn,
    cycles_of,
    days_of,
    fit_dates,
    parse_dates,
    spelling_of,
)
from chainrule.tables.numeric_columns import (
    NumericColumn,
    Scaling,
    fit_numbers,
    in_bins,
    numbers_of_text,
    standardize,
)
from chainrule.tables.schema import Numbers, Table, as_table, as_text, is_category, is_text, read_column

if TYPE_CHECKING:
    import polars as pl

__all__ = ["CategoryColumn", "DateColumn", "NumericColumn", "TableEncoder", "encode", "fit_encoder"]

Column: TypeAlias = NumericColumn | CategoryColumn | DateColumn
Matrix = npt.NDArray[np.float32]

_ROWS_AT_ONCE = 16384  # the temporary arrays of a large table then stay in the processor's cache


class TableEncoder(NamedTuple):
    """What turns a table into a matrix; see `fit_encoder` and `encode`.

    Columns of one sort are adjacent: scaled numbers; zeros, ones and waves; numbers in bins; codes.
    """

    columns: tuple[Column, ...]
    named: bool
    """Whether columns are found by name (fitted on a frame) or by position (fitted on an array)."""

    @property
    def number_names(self) -> tuple[str, ...]:
        """Names of the scaled numbers, the first columns of the matrix."""
        return tuple(name for column in self.columns for name in column.number_names)

    @property
    def plain_names(self) -> tuple[str, ...]:
        """Names of the columns that follow: zeros, ones, sines and cosines."""
        return tuple(name for column in self.columns for name in column.plain_names)

    @property
    def binned(self) -> tuple[NumericColumn, ...]:
        """The numbers that are also told in bins, a column each."""
        numbers = (_number(c) for c in self.columns if not isinstance(c, CategoryColumn))
        return tuple(number for number in numbers if number.edges)

    @property
    def coded(self) -> tuple[CategoryColumn, ...]:
        """The categories that are codes, a column each, the last of the matrix."""
        return tuple(c for c in self.columns if isinstance(c, CategoryColumn) and c.coded)

    @property
    def width(self) -> int:
        """Number of encoded columns."""
        return len(self.number_names) + len(self.plain_names) + len(self.binned) + len(self.coded)

    @property
    def feature_names(self) -> tuple[str, ...]:
        """One name for each encoded column: "age", "age is missing", "city = Rome"."""
        bins = (f"{column.name} in bins" for column in self.binned)
        codes = (f"{column.name} as a code" for column in self.coded)
        return (*self.number_names, *self.plain_names, *bins, *codes)


def fit_encoder(
    X: Any,
    *,
    sample_weight: npt.ArrayLike | None = None,
    categorical: Collection[int] = (),
    scaling: Scaling = "robust",
    bins: int = 0,
    few_levels: int = FEW_LEVELS,
) -> TableEncoder:
    """Learn from a table how to encode it: centres, spreads, levels and spellings of dates.

    Parameters
    ----------
    X
        A two-dimensional array, or a frame of any library that narwhals knows. Numbers, booleans and
        durations are numeric; dates, and texts that spell dates, are dates; other texts are categories.
    sample_weight
        One weight for each row. A row of weight 0 counts as if it were not there.
    categorical
        Positions of columns that are categories, whatever they hold; so are those that a frame says are.
    scaling
        "robust": by median and quartiles, far values drawn in; "standard": mean 0 and spread 1;
        "quantile": as a standard normal.
    bins
        Tell each number also by its place among this many bins of equally many rows; 0: do not.
    few_levels
        More levels than this become codes, for an embedding.

    Raises
    ------
    TableError
        If a column is none of these, or holds an infinity; or if the table has no rows or no columns.
    ArgumentError
        If the weights are not one finite number ≥ 0 for each row, some of them > 0.

    Examples
    --------
    >>> encoder = fit_encoder([[20, "Rome"], [40, "Oslo"]])
    >>> encoder.feature_names
    ('x0', 'x1 = Oslo', 'x1 = Rome')
    >>> encode(encoder, [[30, "Paris"]]).tolist()
    [[0.0, 0.0, 0.0]]
    """
    table = as_table(X)
    if not table.rows or not table.names:
        raise TableError(
            f"a table to learn from must have rows and columns; got {table.rows} rows and "
            f"{len(table.names)} columns. Check where it comes from."
        )
    weight = None if sample_weight is None else _checked_weight(sample_weight, table.rows)
    columns: list[Column] = []
    for position, name in enumerate(table.names):
        chosen = position in categorical or is_category(table, position)
        values = read_column(table, position, as_text=chosen)
        if chosen:
            text = values if not isinstance(values, np.ndarray) else text_of_numbers(values, name)
            columns.append(_fit_category(name, text, weight, few_levels))
        elif isinstance(values, np.ndarray):
            columns.append(fit_numbers(name, values, weight, scaling, bins))
        else:
            columns.append(_fit_series(name, values, weight, scaling, bins, few_levels))
    return TableEncoder(tuple(columns), table.named)


def encode(encoder: TableEncoder, X: Any) -> Matrix:
    """Encode a table as a C-contiguous float32 matrix, (rows, encoder.width).

    Columns are found by name, whatever their order, and further ones are ignored; where either table had
    no names (an array), by position.

    Raises
    ------
    TableError
        If a column is not there, is not of its kind in training, or holds an infinity.
    """
    table = as_table(X)
    positions = _positions(encoder, table)
    matrix = np.zeros((table.rows, encoder.width), np.float32)
    numbers: list[NumericColumn] = []
    direct = table.is_numeric_array and all(isinstance(c, NumericColumn) for c in encoder.columns)
    plain = len(encoder.number_names)
    code = encoder.width - len(encoder.coded)
    read: list[Numbers] = []
    marks: list[tuple[int, int]] = []  # which number's absence is told in which column of the matrix
    for column, position in zip(encoder.columns, positions, strict=True):
        first, plain = plain, plain + len(column.plain_names)
        if isinstance(column, CategoryColumn):
            _write_levels(matrix, first, code, column, *_read_levels(column, table, position))
            code += column.coded
            continue
        number = _number(column)
        if number.missing == "sometimes":
            marks.append((len(numbers), plain - 1))
        numbers.append(number)
        if not direct:
            read.append(_read_numbers(column, table, position))
        if isinstance(column, DateColumn):
            matrix[:, first : first + 2 * len(column.cycles)] = cycles_of(column, read[-1])
    if numbers:
        _write_numbers(matrix, plain, numbers, marks, table.data if direct else read)
    return matrix


def _write_numbers(
    matrix: Matrix,
    bins: int,
    columns: list[NumericColumn],
    marks: list[tuple[int, int]],
    values: npt.NDArray[Any] | list[Numbers],
) -> None:
    """Write scaled numbers, marks of missing ones, and, from column ``bins`` on, numbers in bins."""
    absent, told = [mark for mark, _ in marks], [place for _, place in marks]
    for first in range(0, len(matrix), _ROWS_AT_ONCE):
        rows = slice(first, first + _ROWS_AT_ONCE)
        if isinstance(values, np.ndarray):
            with np.errstate(over="ignore"):  # long doubles: an infinity is refused below
                block = values[rows].astype(np.float64)
        else:
            block = np.stack([column[rows] for column in values], axis=1)
        matrix[rows, : len(columns)], missing = standardize(block, columns, first)
        if marks:
            matrix[rows, told] = missing[:, absent]
        place = bins
        for position, column in enumerate(columns):
            if column.edges:
                matrix[rows, place] = in_bins(block[:, position], column.edges)
                place += 1


def _write_levels(
    matrix: Matrix,
    first: int,
    code: int,
    column: CategoryColumn,
    levels: npt.NDArray[np.intp],
    missing: npt.NDArray[np.bool_],
) -> None:
    if column.coded:
        matrix[:, code] = column.coded_levels(levels, missing)
        return
    for start in range(0, len(matrix), _ROWS_AT_ONCE):
        some = levels[start : start + _ROWS_AT_ONCE]
        seen = np.flatnonzero(some >= 0)
        matrix[start + seen, first + some[seen]] = 1
    if column.missing:
        matrix[:, first + len(column.levels)] = missing


def _read_numbers(column: NumericColumn | DateColumn, table: Table, position: int) -> Numbers:
    """The numbers of a column, or its days; nothing but missing ones where training had none."""
    if _number(column).missing == "always":
        return np.full(table.rows, np.nan)
    values = read_column(table, position)
    if isinstance(column, DateColumn):
        return _days(column, values)
    if isinstance(values, np.ndarray):
        return values
    if not is_text(values):
        raise TableError(f"column {column.name!r} must be numeric, as in training; got dates. Convert it.")
    return numbers_of_text(column, values)


def _days(column: DateColumn, values: "Numbers | pl.Series") -> Numbers:
    if isinstance(values, np.ndarray):
        if np.isnan(values).all():
            return values
        raise TableError(f"column {column.name!r} must hold dates, as in training; got numbers. Convert it.")
    if is_text(values):
        values = values.alias(column.name)
        spelling = column.spelling or spelling_of(values)
        lenient = spelling is not None and column.elapsed.missing == "sometimes"
        values = parse_dates(values, spelling or "%Y-%m-%d", lenient=lenient)
    return days_of(values)


def _read_levels(
    column: CategoryColumn, table: Table, position: int
) -> tuple[npt.NDArray[np.intp], npt.NDArray[np.bool_]]:
    """The position of each row's level, −1 for none, and whether it is missing."""
    values = read_column(table, position, as_text=True)
    if isinstance(values, np.ndarray):
        return levels_of_numbers(column, values), np.isnan(values)
    text = values if is_text(values) else as_text(values)
    return levels_of_text(column, text), text.is_null().to_numpy()


def _fit_series(
    name: str,
    values: "pl.Series",
    weight: Numbers | None,
    scaling: Scaling,
    bins: int,
    few_levels: int,
) -> Column:
    """A column of dates or texts."""
    import polars as pl

    if not is_text(values):
        return fit_dates(name, values, weight, "", scaling, bins)
    counted = values.alias(name)
    if weight is not None:
        counted = counted.set(pl.Series(weight == 0), None)
    spelling = spelling_of(counted)
    if spelling is None:
        return _fit_category(name, values, weight, few_levels)
    dates = parse_dates(counted, spelling, lenient=True)
    return fit_dates(name, dates, weight, spelling, scaling, bins)


def _fit_category(name: str, text: "pl.Series", weight: Numbers | None, few_levels: int) -> Column:
    text = text if is_text(text) else as_text(text)
    if weight is not None:
        text = text.filter(weight > 0)
    column = fit_text(name, text, few_levels)
    if column is not None:
        return column
    different = text.drop_nulls().n_unique()
    if different > 1:
        warnings.warn(
            f"column {name!r} holds {different:,} different texts in {len(text):,} rows, like an identifier "
            "or free text: nothing can be learnt from it. Drop it, or derive categories from it.",
            UserWarning,
            stacklevel=5,
        )
    return NumericColumn(name, 0.0, 0.0, "always")


def _number(column: NumericColumn | DateColumn) -> NumericColumn:
    """The scaled number that a column gives."""
    return column.elapsed if isinstance(column, DateColumn) else column


def _positions(encoder: TableEncoder, table: Table) -> list[int]:
    """Where each column of the encoder is in the table."""
    if encoder.named and table.named:
        places = {name: position for position, name in enumerate(table.names)}
        absent = [column.name for column in encoder.columns if column.name not in places]
        if absent:
            raise TableError(
                f"a table must have the columns of training; missing {', '.join(map(repr, absent))}. "
                f"It has {', '.join(map(repr, table.names))}. Add or rename columns."
            )
        return [places[column.name] for column in encoder.columns]
    if len(table.names) != len(encoder.columns):
        raise TableError(
            f"X must have {len(encoder.columns)} columns, as in training; got {len(table.names)}. "
            "Give the same columns in the same order."
        )
    return list(range(len(encoder.columns)))


def _checked_weight(sample_weight: npt.ArrayLike, rows: int) -> Numbers:
    try:
        weight = np.asarray(sample_weight, np.float64)
    except (TypeError, ValueError):
        raise ArgumentError("sample_weight must be numbers; got something else. Convert it.") from None
    if weight.shape != (rows,):
        raise ArgumentError(
            f"sample_weight must have shape ({rows},), a weight for each row; got {weight.shape}. Correct it."
        )
    wrong = ~(np.isfinite(weight) & (weight >= 0))
    if wrong.any():
        row = int(wrong.argmax())
        raise ArgumentError(
            f"each sample_weight must be finite and not negative; got {weight[row]:.6g} in row {row + 1}. "
            "Give 0 to leave a row out."
        )
    if not weight.any():
        raise ArgumentError(
            "some sample_weight must be above 0; got only zeros. Leave it out, or correct it."
        )
    return weight

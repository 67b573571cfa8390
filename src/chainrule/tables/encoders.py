"""What a table needs to become a matrix, learnt from one: a record for each column."""

import warnings
from collections.abc import Collection
from typing import TYPE_CHECKING, Any, NamedTuple, TypeAlias

import numpy as np
import numpy.typing as npt

from chainrule.errors import ArgumentError, TableError
from chainrule.tables.category_columns import (
    FEW_LEVELS,
    ROWS_TO_LEARN_FROM,
    CategoryColumn,
    fit_text,
    text_of_numbers,
)
from chainrule.tables.date_columns import (
    DateColumn,
    fit_dates,
    parse_dates,
    spelling_of,
)
from chainrule.tables.nearly_numbers import nearly_numbers
from chainrule.tables.numeric_columns import (
    NumericColumn,
    Scaling,
    fit_numbers,
    in_order_of_bins,
)
from chainrule.tables.schema import Numbers, as_table, as_text, is_category, is_text, read_column

if TYPE_CHECKING:
    import polars as pl

__all__ = ["CategoryColumn", "DateColumn", "NumericColumn", "TableEncoder", "fit_encoder", "number_of"]

Column: TypeAlias = NumericColumn | CategoryColumn | DateColumn


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
        """The numbers that are also told in bins, a column each, those with the least room first."""
        numbers = [number_of(c) for c in self.columns if not isinstance(c, CategoryColumn)]
        return tuple(numbers[position] for position in in_order_of_bins(numbers))

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

    @property
    def origins(self) -> tuple[int, ...]:
        """For each encoded column, the position of the column that it comes from."""
        numbers = [k for k, c in enumerate(self.columns) if not isinstance(c, CategoryColumn)]
        order = in_order_of_bins([number_of(self.columns[k]) for k in numbers])  # type: ignore[arg-type]
        return (
            *(k for k, column in enumerate(self.columns) for _ in column.number_names),
            *(k for k, column in enumerate(self.columns) for _ in column.plain_names),
            *(numbers[position] for position in order),
            *(k for k, c in enumerate(self.columns) if isinstance(c, CategoryColumn) and c.coded),
        )


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
        Tell each number also by its place among this many bins, half of them of equally many rows, half of
        equally many different values; up to 128 different values, at most two in a bin, are an edge each.
        0: do not.
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
    >>> from chainrule.tables.matrix import encode
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
            columns.append(_fit_category(name, text, weight, few_levels, said=True))
        elif isinstance(values, np.ndarray):
            columns.append(fit_numbers(name, values, weight, scaling, bins))
        else:
            columns.append(_fit_series(name, values, weight, scaling, bins, few_levels))
    return TableEncoder(tuple(columns), table.named)


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


def _fit_category(
    name: str, text: "pl.Series", weight: Numbers | None, few_levels: int, *, said: bool = False
) -> Column:
    text = text if is_text(text) else as_text(text)
    if weight is not None:
        text = text.filter(weight > 0)
    column = fit_text(name, text, few_levels, said=said)
    numbers = None if said else nearly_numbers(text)
    if numbers is not None:
        what = "is left out" if column is None else "is learnt from as a category"
        warnings.warn(f"column {name!r} {what}: it holds {numbers}", UserWarning, stacklevel=5)
    if column is not None:
        return column
    different = text.drop_nulls().n_unique()
    if different > 1 and numbers is None:
        warnings.warn(
            f"column {name!r} is left out: it holds {different:,} different texts in {len(text):,} rows, as "
            f"an identifier or free text does, none of them in {ROWS_TO_LEARN_FROM} rows, as each of more "
            f"than {few_levels} levels must be. Drop it, or derive categories from it; or "
            "name it in categorical_features to learn from it all the same.",
            UserWarning,
            stacklevel=5,
        )
    return NumericColumn(name, 0.0, 0.0, "always")


def number_of(column: NumericColumn | DateColumn) -> NumericColumn:
    """The scaled number that a column gives."""
    return column.elapsed if isinstance(column, DateColumn) else column


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

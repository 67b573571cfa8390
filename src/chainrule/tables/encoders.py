"""A table as a float32 matrix: what the columns need is learnt by fitting, then applied to any table."""

import math
from collections.abc import Mapping
from typing import Any, NamedTuple, Self

import numpy as np
import numpy.typing as npt

from chainrule.errors import ArgumentError, TableError
from chainrule.tables.category_columns import CategoryColumn, fit_text, levels_of_numbers, levels_of_text
from chainrule.tables.numeric_columns import NumericColumn, fit_numbers, numbers_of_text, standardize
from chainrule.tables.schema import Numbers, Table, as_table, read_column

__all__ = ["CategoryColumn", "NumericColumn", "TableEncoder", "encode", "fit_encoder"]

Matrix = npt.NDArray[np.float32]

_ROWS_AT_ONCE = 16384  # the temporary arrays of a large table then stay in the processor's cache


class TableEncoder(NamedTuple):
    """What turns a table into a matrix; see `fit_encoder` and `encode`."""

    columns: tuple[NumericColumn | CategoryColumn, ...]
    named: bool
    """Whether columns are found by name (fitted on a frame) or by position (fitted on an array)."""

    @property
    def width(self) -> int:
        """Number of encoded columns."""
        return sum(map(_width, self.columns))

    @property
    def feature_names(self) -> tuple[str, ...]:
        """One name for each encoded column: "age", "age is missing", "city = Rome"."""
        return tuple(name for column in self.columns for name in column.feature_names)

    def to_dict(self) -> dict[str, Any]:
        """Plain lists, texts and numbers, for JSON; `from_dict` gives the same encoder back, bit for bit."""
        columns = [
            {"kind": "numeric", **column._asdict()}
            if isinstance(column, NumericColumn)
            else {"kind": "category", "name": column.name, "levels": list(column.levels)}
            for column in self.columns
        ]
        return {"named": self.named, "columns": columns}

    @classmethod
    def from_dict(cls, description: Mapping[str, Any]) -> Self:
        """Rebuild an encoder from what `to_dict` gave; TableError if it is something else."""
        try:
            return cls(tuple(map(_column_from_dict, description["columns"])), bool(description["named"]))
        except (KeyError, TypeError, ValueError) as error:
            raise TableError(
                f"an encoder must be described as to_dict() does; got something else ({error!r}). "
                "Write the description again."
            ) from None


def fit_encoder(X: Any, *, sample_weight: npt.ArrayLike | None = None) -> TableEncoder:
    """Learn from a table how to encode it: means, standard deviations and levels.

    Parameters
    ----------
    X
        A two-dimensional array, or a frame of any library that narwhals knows. Numbers and booleans are
        numeric; texts and categories are categories.
    sample_weight
        One weight for each row. A row of weight 0 counts as if it were not there.

    Raises
    ------
    TableError
        If a column is neither numeric, nor boolean, nor a category of at most 1000 levels, or holds an
        infinity; or if the table has no rows or no columns.
    ArgumentError
        If the weights are not one finite number ≥ 0 for each row, some of them > 0.

    Examples
    --------
    >>> encoder = fit_encoder([[20, "Rome"], [40, "Oslo"]])
    >>> encoder.feature_names
    ('x0', 'x1 = Oslo', 'x1 = Rome')
    >>> encode(encoder, [[50, "Paris"]]).tolist()
    [[2.0, 0.0, 0.0]]
    """
    table = as_table(X)
    if not table.rows or not table.names:
        raise TableError(
            f"a table to learn from must have rows and columns; got {table.rows} rows and "
            f"{len(table.names)} columns. Check where it comes from."
        )
    weight = None if sample_weight is None else _checked_weight(sample_weight, table.rows)
    columns: list[NumericColumn | CategoryColumn] = []
    for position, name in enumerate(table.names):
        values = read_column(table, position)
        if isinstance(values, np.ndarray):
            columns.append(fit_numbers(name, values, weight))
        else:
            columns.append(fit_text(name, values, weight) or NumericColumn(name, 0.0, 0.0, "always"))
    return TableEncoder(tuple(columns), table.named)


def encode(encoder: TableEncoder, X: Any) -> Matrix:
    """Encode a table as a C-contiguous float32 matrix, (rows, encoder.width).

    Columns are found by name, whatever their order, and further ones are ignored; where either table had
    no names (an array), by position.

    Raises
    ------
    TableError
        If a column is not there, is not of its kind in training, or holds a number that is not finite or too
        far from those in training.
    """
    table = as_table(X)
    positions = _positions(encoder, table)
    matrix = np.zeros((table.rows, encoder.width), np.float32)
    numeric = [column for column in encoder.columns if isinstance(column, NumericColumn)]
    starts = np.cumsum([0, *map(_width, encoder.columns)])[:-1]
    if table.is_numeric_array and len(numeric) == len(encoder.columns):
        marked = [index for index, column in enumerate(numeric) if _width(column) == 2]
        for first in range(0, table.rows, _ROWS_AT_ONCE):
            rows = slice(first, first + _ROWS_AT_ONCE)
            values = table.data[rows].astype(np.float64)
            matrix[rows, starts], missing = standardize(values, numeric, first)
            if marked:
                matrix[rows, starts[marked] + 1] = missing[:, marked]
        return matrix
    for column, position, start in zip(encoder.columns, positions, starts.tolist(), strict=True):
        part = matrix[:, start : start + _width(column)]
        if isinstance(column, NumericColumn):
            _write_numbers(part, column, table, position)
        else:
            _write_levels(part, column, table, position)
    return matrix


def _write_numbers(part: Matrix, column: NumericColumn, table: Table, position: int) -> None:
    if column.missing == "always":
        return
    values = read_column(table, position)
    if not isinstance(values, np.ndarray):
        values = numbers_of_text(column, values)
    standardized, missing = standardize(values[:, None], [column])
    part[:, :1] = standardized
    part[:, 1:] = missing[:, : part.shape[1] - 1]


def _write_levels(part: Matrix, column: CategoryColumn, table: Table, position: int) -> None:
    values = read_column(table, position, as_text=True)
    if isinstance(values, np.ndarray):
        levels = levels_of_numbers(column, values)
    else:
        levels = levels_of_text(column, values)
    seen = np.flatnonzero(levels >= 0)
    part[seen, levels[seen]] = 1


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


def _width(column: NumericColumn | CategoryColumn) -> int:
    if isinstance(column, CategoryColumn):
        return len(column.levels)
    return 2 if column.missing == "sometimes" else 1


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


def _column_from_dict(fields: Mapping[str, Any]) -> NumericColumn | CategoryColumn:
    if fields["kind"] == "category":
        return CategoryColumn(str(fields["name"]), tuple(map(str, fields["levels"])))
    mean, scale, missing = float(fields["mean"]), float(fields["scale"]), fields["missing"]
    if fields["kind"] != "numeric" or missing not in ("never", "sometimes", "always"):
        raise ValueError(f"kind {fields['kind']!r}, missing {missing!r}")
    if not (math.isfinite(mean) and 0 <= scale < math.inf):
        raise ValueError(f"mean {mean}, scale {scale}")
    return NumericColumn(str(fields["name"]), mean, scale, missing)

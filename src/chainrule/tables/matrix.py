"""A table as a float32 matrix, by an encoder that was fitted on another."""

import warnings
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

import numpy as np
import numpy.typing as npt

from chainrule.errors import TableError
from chainrule.tables.category_columns import (
    CategoryColumn,
    levels_of_numbers,
    levels_of_text,
    text_of_numbers,
)
from chainrule.tables.date_columns import DateColumn, cycles_of, days_of, parse_dates, spelling_of
from chainrule.tables.encoders import TableEncoder, number_of
from chainrule.tables.notice import shortly
from chainrule.tables.numeric_columns import (
    NumericColumn,
    in_bins,
    in_order_of_bins,
    numbers_of_text,
    standardize,
)
from chainrule.tables.schema import Numbers, Table, as_table, as_text, is_text, read_column

if TYPE_CHECKING:
    import polars as pl

__all__ = ["encode", "positions_of", "typical_row"]

Matrix = npt.NDArray[np.float32]

_ROWS_AT_ONCE = 16384  # the temporary arrays of a large table then stay in the processor's cache


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
    positions = positions_of(encoder, table)
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
        number = number_of(column)
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


def typical_row(encoder: TableEncoder) -> Matrix:
    """A made-up row, (1, encoder.width): numbers and dates at their centres, categories never seen."""
    row = np.zeros((1, encoder.width), np.float32)
    first = len(encoder.number_names)
    for column in encoder.columns:
        if isinstance(column, DateColumn):
            waves = cycles_of(column, np.array([column.elapsed.center]))
            row[:, first : first + waves.shape[1]] = waves
        first += len(column.plain_names)
    for place, number in enumerate(encoder.binned, first):
        middle = np.array([number.center])
        row[:, place] = in_bins(middle, number.edges, beyond=0 if number.room else 1)
    return row


def _write_numbers(
    matrix: Matrix,
    bins: int,
    columns: list[NumericColumn],
    marks: list[tuple[int, int]],
    values: npt.NDArray[Any] | list[Numbers],
) -> None:
    """Write scaled numbers, marks of missing ones, and, from column ``bins`` on, numbers in bins."""
    absent, told = [mark for mark, _ in marks], [place for _, place in marks]
    places = list(enumerate(in_order_of_bins(columns), bins))
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
        for place, position in places:
            column = columns[position]
            # Columns without a room are of models whose embedding went on beyond the edges.
            matrix[rows, place] = in_bins(block[:, position], column.edges, beyond=0 if column.room else 1)


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
    if number_of(column).missing == "always":
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
        levels, missing = levels_of_numbers(column, values), np.isnan(values)
    else:
        values = values if is_text(values) else as_text(values)
        levels, missing = levels_of_text(column, values), values.is_null().to_numpy()
    if (levels < 0).all() and (~missing).sum() > 1:  # a single row may well be new
        _tell_none_known(column, values)
    return levels, missing


def _tell_none_known(column: CategoryColumn, values: "Numbers | pl.Series") -> None:
    text = text_of_numbers(values, column.name) if isinstance(values, np.ndarray) else values
    new = text.drop_nulls().unique(maintain_order=True)
    warnings.warn(
        f"column {column.name!r} holds no level that was learnt, so that it tells nothing: got {_some(new)}; "
        f"training had {_some(column.levels)}. Check how they are written.",
        UserWarning,
        stacklevel=6,
    )


def _some(levels: "Sequence[str] | pl.Series") -> str:
    return ", ".join(map(shortly, levels[:3])) + (", …" if len(levels) > 3 else "")


def positions_of(encoder: TableEncoder, table: Table) -> list[int]:
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

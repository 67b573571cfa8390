"""What a column is, where the user says so."""

from collections.abc import Mapping
from typing import TYPE_CHECKING, Literal, TypeAlias

from chainrule.errors import TableError
from chainrule.tables.category_columns import text_of_numbers
from chainrule.tables.date_columns import parse_dates, spelling_of

if TYPE_CHECKING:
    import polars as pl

__all__ = ["Kind", "recast"]

Kind: TypeAlias = Literal["category", "number", "date"]


def recast(frame: "pl.DataFrame", kinds: Mapping[str, Kind]) -> "pl.DataFrame":
    """The table with some columns as texts, numbers or dates; those that are not there are passed over.

    Raises
    ------
    TableError
        With the first value that cannot be what its column shall be, and its row.
    """
    for name in kinds.keys() & set(frame.columns):
        frame = frame.with_columns(_CASTS[kinds[name]](frame[name]).alias(name))
    return frame


def _as_category(column: "pl.Series") -> "pl.Series":
    import polars as pl

    return _as_text(column).cast(pl.Categorical)  # said to be one: that is more than text


def _as_text(column: "pl.Series") -> "pl.Series":
    """Texts; whole numbers without a point, however they came."""
    import polars as pl

    if column.dtype.is_float():
        return text_of_numbers(column.cast(pl.Float64).to_numpy(), column.name)
    return column.cast(pl.String, strict=False)


def _as_number(column: "pl.Series") -> "pl.Series":
    import polars as pl

    if column.dtype.is_numeric() or column.dtype == pl.Boolean:
        return column.cast(pl.Float64)
    text = column.cast(pl.String, strict=False).str.strip_chars()
    numbers = text.cast(pl.Float64, strict=False)
    wrong = numbers.is_null() & column.is_not_null()
    if wrong.any():
        row = int(wrong.arg_max() or 0)
        raise TableError(
            f"column {column.name!r} must be numeric, as asked for; got {column[row]!r} in row {row + 1}. "
            f"If that means missing, add --missing; else leave --numeric {column.name} out."
        )
    return numbers


def _as_date(column: "pl.Series") -> "pl.Series":

    if column.dtype.is_temporal():
        return column
    text = _as_text(column)
    spelling = "%Y%m%d" if text.str.contains(r"^\d{8}$").all() else spelling_of(text)
    if spelling is None:
        raise TableError(
            f"column {column.name!r} must hold dates, as asked for; got {text.drop_nulls().first()!r}. "
            f"Write dates as 2024-12-31, or leave --date {column.name} out."
        )
    return parse_dates(text, spelling, lenient=False)


_CASTS = {"category": _as_category, "number": _as_number, "date": _as_date}

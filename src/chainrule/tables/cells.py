"""What the cells of a text file are: numbers however they are written, truth values, or text."""

import re
from collections.abc import Collection, Iterable
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import polars as pl

__all__ = ["pick", "stripped", "typed", "without_marks"]

# Whole numbers, maybe in groups of three, and a fraction: 1,234.5 with a point, 1.234,5 with a comma.
_POINT = r"^[+-]?(?:(?:[1-9]\d{0,2}(?:,\d{3})+|\d+)(?:\.\d*)?|\.\d+)$"
_COMMA = r"^[+-]?(?:(?:[1-9]\d{0,2}(?:\.\d{3})+|\d+)(?:,\d+)?|,\d+)(?:[eE][+-]?\d+)?$"
_MAY_BE_NUMBER = re.compile(r"[+-]?[.,]?\d|[+-]?(inf|nan)", re.IGNORECASE)
_TRUTH = "^(?i:true|false)$"


def without_missing(frame: "pl.DataFrame", missing: Collection[str]) -> "pl.DataFrame":
    """Texts that are in `missing` are missing."""
    import polars as pl

    text = pl.col(pl.String)
    return frame.with_columns(pl.when(~text.is_in(list(missing))).then(text))


def without_marks(
    frame: "pl.DataFrame", missing: Collection[str], as_text: Collection[str] = ()
) -> "pl.DataFrame":
    """The same; columns that held such texts are then what all their other cells are, such as numbers."""
    marked = without_missing(frame, missing)
    held = [name for name in frame.columns if marked[name].null_count() > frame[name].null_count()]
    return marked.with_columns(typed(pick(marked, held), "\t", as_text).get_columns())


def stripped(frame: "pl.DataFrame", missing: Collection[str]) -> "pl.DataFrame":
    """Texts without the spaces around them, and those that are in `missing` only then are missing, too."""
    import polars as pl

    text = frame.select(pl.col(pl.String))
    # Most files have no such spaces; to look for them first takes no memory.
    found = text.select((pl.all().str.strip_chars() != pl.all()).any()).row(0) if text.width else ()
    spaced = pick(text, [name for name, yes in zip(text.columns, found, strict=True) if yes])
    return frame.with_columns(
        without_missing(spaced.select(pl.all().str.strip_chars()), missing).get_columns()
    )


def typed(frame: "pl.DataFrame", separator: str, as_text: Collection[str] = ()) -> "pl.DataFrame":
    """Each column of text as what all of its cells are, except those in `as_text`.

    Whole numbers with zeros in front are codes, such as postal codes, and stay text. Which of comma and point
    is the decimal mark follows from all columns, as long as the comma is not the separator.
    """
    import polars as pl

    text = frame.select(pl.col(pl.String))
    text = pick(text, [name for name in text.columns if name not in as_text])
    firsts = text.select(pl.all().drop_nulls().first()).row(0) if text.width else ()
    first = {name: cell for name, cell in zip(text.columns, firsts, strict=True) if cell is not None}
    truths = _all(pick(text, [name for name in first if first[name].lower() in ("true", "false")]), _TRUTH)
    likely = pick(text, [name for name in first if _MAY_BE_NUMBER.match(first[name])])
    columns = _numbers(likely)
    for code in _all(_some(pick(likely, columns), r"^[+-]?0\d"), r"^[+-]?\d+$"):
        del columns[code]
    unclear = [name for name in likely.columns if name not in columns or columns[name].dtype == pl.Float64]
    columns |= _with_marks(_some(pick(likely, unclear), "[.,]"), columns, separator)
    columns |= {
        column.name: column for column in pick(text, truths).select(pl.all().str.to_lowercase() == "true")
    }
    return frame.with_columns(columns.values())


def _with_marks(text: "pl.DataFrame", plain: Collection[str], separator: str) -> "dict[str, pl.Series]":
    """Numbers with groups of digits or a decimal comma; those in `plain` are numbers as they are too."""
    import polars as pl

    points, commas = set(_all(text, _POINT)), set(_all(text, _COMMA))
    # A column that can only be the one shows how the others, such as 1,234, are meant.
    comma = bool(commas - points) or (separator == ";" and commas - set(plain) != set() and points <= commas)
    if separator == "," or not comma:
        chosen, group, mark = points.difference(plain), ",", "."
    else:
        chosen, group, mark = commas, ".", ","
    digits = pl.all().str.replace_all(group, "", literal=True).str.replace_all(mark, ".", literal=True)
    return _numbers(pick(text, sorted(chosen)).select(digits))


def _numbers(text: "pl.DataFrame") -> "dict[str, pl.Series]":
    """The columns that polars takes for numbers, as such."""
    import polars as pl

    columns = {}
    for column in text:
        for dtype in (pl.Int64, pl.Float64):
            numbers = column.cast(dtype, strict=False)
            if numbers.null_count() == column.null_count():
                columns[column.name] = numbers
                break
    return columns


def _all(text: "pl.DataFrame", pattern: str) -> list[str]:
    """Names of the columns of which all cells have the pattern."""
    import polars as pl

    found = text.select(pl.all().str.contains(pattern).all()).row(0) if text.width else ()
    return [name for name, yes in zip(text.columns, found, strict=True) if yes]


def _some(text: "pl.DataFrame", pattern: str) -> "pl.DataFrame":
    """The columns of which some cells have the pattern."""
    import polars as pl

    found = text.select(pl.all().str.contains(pattern).any()).row(0) if text.width else ()
    return pick(text, [name for name, yes in zip(text.columns, found, strict=True) if yes])


def pick(frame: "pl.DataFrame", names: Iterable[str]) -> "pl.DataFrame":
    """These columns, by names that polars would take for patterns too, such as "*" and "^a$"; maybe none."""
    import polars as pl

    return pl.DataFrame([frame.get_column(name) for name in names])

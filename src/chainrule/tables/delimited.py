"""Delimited text (CSV, TSV, …): read by polars where that can be, row by row where it cannot."""

import csv
import io
import re
from collections.abc import Collection
from typing import TYPE_CHECKING

from chainrule.errors import FileError, TableError
from chainrule.tables.cells import stripped, typed
from chainrule.tables.dialects import Dialect, long_cells, rows_of, sniff
from chainrule.tables.notice import counted, shortly
from chainrule.tables.sources import Source

if TYPE_CHECKING:
    import polars as pl

__all__ = ["MISSING", "read_delimited"]

MISSING = ("", "NA", "<NA>", "#N/A", "NaN", "nan", "null", "NULL")
"""Cells of a text file that are missing values without being told."""

_MARK = b"\xef\xbb\xbf"  # with which some programs begin UTF-8
_NO_ROWS = re.compile(rb"\A(sep=[,;\t|]\r?\n)?( *[\r\n])*")


def read_delimited(source: Source, missing: Collection[str], as_text: Collection[str] = ()) -> "pl.DataFrame":
    """Read UTF-8 text whose rows are lines; the columns in `as_text` stay text.

    Raises
    ------
    FileError
        If a quote is never closed, or text follows one that closes.
    TableError
        If a column name comes twice, or a row is longer or shorter than the first.
    """
    missing = [*MISSING, *missing]
    source = _with_newlines(source)
    dialect = sniff(source, missing)
    frame = None if dialect.irregular else _by_polars(source, dialect, missing, as_text)
    if frame is None:
        rows = Source(source.name, None, _row_by_row(source, dialect))
        frame = _parse(rows, dialect._replace(separator=",", quote='"'), missing, ())
        frame = stripped(frame, missing)
    return typed(frame, dialect.separator, as_text)


def _with_newlines(source: Source) -> Source:
    """`source` itself, or a copy without what polars does not expect.

    Lines may end with a lone carriage return; blank lines at the beginning and the end are no rows, nor is
    the line "sep=;" on top, by which Excel is told the separator.
    """
    head, tail = source.head(1 << 18).removeprefix(_MARK), source.tail(64)
    lone = b"\r" in head and b"\n" not in head
    on_top, below = _NO_ROWS.match(head), re.search(rb"\n[\r ]*\n\Z", tail)
    if not lone and not (on_top and on_top[0]) and not below:
        return source
    data = _NO_ROWS.sub(b"", source.whole().removeprefix(_MARK)).strip(b"\r\n")
    if b"\n" not in data:
        data = data.replace(b"\r", b"\n")
    return Source(source.name, None, data)


def _by_polars(
    source: Source, dialect: Dialect, missing: list[str], as_text: Collection[str]
) -> "pl.DataFrame | None":
    """All rows, or None if polars cannot read them or may have filled up short ones."""
    import polars as pl

    likely = dialect.fractions.difference(as_text)
    for fractions in [likely, ()] if likely else [()]:
        try:
            frame = _parse(source, dialect, missing, fractions)
        except pl.exceptions.PolarsError:
            continue  # a number is none, or a row too long, or a quote not closed
        # Polars fills short rows and blank lines with missing cells, of which the last is always one.
        short = frame.width > 1 and frame.to_series(-1).has_nulls()
        frame = stripped(frame, missing)
        return None if short and not _all_separators(source, dialect, frame) else frame
    return None


def _parse(
    source: Source, dialect: Dialect, missing: list[str], fractions: Collection[str]
) -> "pl.DataFrame":
    import polars as pl

    types = {name: pl.Float64 if name in fractions else pl.String for name in dialect.names}
    return pl.read_csv(
        source.place(),
        separator=dialect.separator,
        quote_char=dialect.quote,
        has_header=False,
        skip_rows=int(dialect.header),
        schema=types,
        null_values=missing,
    )


def _all_separators(source: Source, dialect: Dialect, frame: "pl.DataFrame") -> bool:
    """Whether the file has as many separators as full rows have, not counting those within cells."""
    import polars as pl

    if frame.select(pl.all_horizontal(pl.all().is_null()).any()).item():
        return False  # a blank line, maybe
    mark = dialect.separator
    found = sum(piece.count(mark.encode()) for piece in source.pieces())
    counts = frame.select(pl.col(pl.String).str.count_matches(mark, literal=True).sum())
    inside = sum(counts.row(0)) if counts.width else 0
    if dialect.header:
        inside += sum(name.count(mark) for name in dialect.names)
    return found == inside + (frame.width - 1) * (frame.height + dialect.header)


def _row_by_row(source: Source, dialect: Dialect) -> bytes:
    """The same rows written plainly: commas, double quotes, no blank lines; refuse what is no row."""
    written = io.StringIO()
    writer = csv.writer(written, lineterminator="\n")
    width, line = len(dialect.names), 0
    text = io.TextIOWrapper(source.open(), "utf-8-sig", newline="")
    try:
        with long_cells(), text:
            rows = rows_of(text, dialect.separator, dialect.quote, strict=True)
            for row, (line, cells) in enumerate(rows, start=0 if dialect.header else 1):
                if len(cells) == width or (width == 1 and not cells):
                    writer.writerow(cells or [""])  # a blank line of a single column is a missing value
                elif len(cells) > 1 or any(cell.strip() for cell in cells):
                    raise _ragged(source.name, dialect, len(cells), row, line)
    except csv.Error as error:
        where = f"in line {line + 1}"
        if "unexpected end" in str(error):
            raise FileError(
                f"{source.name} must be a whole CSV file; a quote that opens {where} or below is never "
                "closed. Check its quotes."
            ) from None
        raise FileError(
            f"{source.name} must be a whole CSV file; reading the row {where} failed: {error}. "
            "Check its quotes."
        ) from None
    return written.getvalue().encode()


def _ragged(name: str, dialect: Dialect, cells: int, row: int, line: int) -> TableError:
    model = "its header" if dialect.header else "its first row"
    above = dialect.header and len(dialect.names) == 1 and row <= 2
    return TableError(
        f"{name} must have {counted(len(dialect.names), 'cell')} in each row, as in {model}; "
        f"got {cells} in row {row} (line {line}). "
        + (
            f"If {shortly(dialect.names[0])} is a title or a remark, take out all above the names."
            if above
            else "Correct that line."
        )
    )

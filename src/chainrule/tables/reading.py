"""CSV and Parquet files, in and out."""

import csv
import io
import os
import sys
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

from chainrule.errors import FileError, TableError
from chainrule.tables.writing import atomically

if TYPE_CHECKING:
    import polars as pl

__all__ = ["MISSING", "read_table", "write_table"]

MISSING = ("", "NA", "<NA>", "#N/A", "NaN", "nan", "null", "NULL")
"""Cells of a CSV file that are missing values without being told."""

_TEXT = (".csv", ".tsv", ".txt")
_PARQUET = (".parquet", ".pq")
_MAGIC = b"PAR1"
_SUFFIXES = "Use one of " + ", ".join(_TEXT + _PARQUET) + "."


def read_table(source: str | os.PathLike[str], *, missing: Sequence[str] = ()) -> "pl.DataFrame":
    """Read a CSV or Parquet file.

    CSV is UTF-8 text with a header. A ``.tsv`` file is separated by tabs, any other by whichever of comma,
    semicolon and tab the header has. The type of a column follows from all of its cells; spaces around a
    cell do not count, and blank lines are skipped.

    Parameters
    ----------
    source
        A path that ends in .csv, .tsv, .txt, .parquet or .pq, or "-" for standard input, where Parquet is
        told from CSV by its first bytes.
    missing
        Further texts that mean "missing". In CSV, an empty cell, NA, <NA>, #N/A, NaN, nan, null and NULL
        are always missing.

    Raises
    ------
    FileError
        If the file is not there, cannot be read, or is not of the kind that its suffix says.
    TableError
        If it is empty, has a header only, a column name twice, or a row of another length than the header.
    """
    import polars as pl

    missing = [missing] if isinstance(missing, str) else list(missing)
    name = "standard input" if str(source) == "-" else repr(str(source))
    data, suffix = _read_bytes(source, name)
    if not data or data.isspace():
        raise TableError(f"{name} must hold a table; it is empty. Check what wrote it.")
    try:
        if suffix in _PARQUET:
            frame = _parse_parquet(data, name, missing)
        else:
            frame = _parse_csv(data, name, suffix, missing)
    except (pl.exceptions.PolarsError, pl.exceptions.PanicException, csv.Error) as error:
        kind, help_ = ("Parquet", "Write it again") if suffix in _PARQUET else ("CSV", "Check its quotes")
        raise FileError(
            f"{name} must be a whole {kind} file; reading it failed: {_first_line(error)}. {help_}."
        ) from None
    if frame.height == 0:
        raise TableError(f"{name} must have rows; it has only a header. Check what wrote it.")
    return frame


@contextmanager
def clear_errors(name: str) -> Iterator[None]:
    """Turn what the system says of a file that cannot be read into a FileError; ``name`` is the file's."""
    try:
        yield
    except FileNotFoundError:
        raise FileError(f"{name} must be a file that exists; there is none. Check the path.") from None
    except IsADirectoryError:
        raise FileError(f"{name} must be a file; it is a folder. Add a file name to it.") from None
    except FileError:
        raise
    except (OSError, ValueError) as error:  # ValueError: a zero byte in the path
        reason = getattr(error, "strerror", None) or error
        raise FileError(f"{name} must be readable; the system says: {reason}. Check the path.") from None


def _read_bytes(source: str | os.PathLike[str], name: str) -> tuple[bytes, str]:
    """All bytes of `source`, and the suffix that says how to read them."""
    if str(source) == "-":
        data = sys.stdin.buffer.read()
        return data, ".parquet" if data.startswith(_MAGIC) else ".csv"
    path = Path(source)
    suffix = path.suffix.lower()
    with clear_errors(name):
        if path.is_file() and suffix not in _TEXT + _PARQUET:
            raise FileError(f"{name} must be a CSV or Parquet file; got the suffix {suffix!r}. {_SUFFIXES}")
        data = path.read_bytes()
    if suffix not in _TEXT + _PARQUET:  # a pipe has no suffix
        suffix = ".parquet" if data.startswith(_MAGIC) else ".csv"
    return data, suffix


def _parse_parquet(data: bytes, name: str, missing: list[str]) -> "pl.DataFrame":
    import polars as pl

    if not data.startswith(_MAGIC):
        raise FileError(f"{name} must be a Parquet file; it does not begin like one. {_SUFFIXES}")
    if not data.endswith(_MAGIC) or len(data) < 12:
        raise FileError(f"{name} must be a whole Parquet file; its end is cut off. Write or copy it again.")
    text = pl.col(pl.String)
    return pl.read_parquet(io.BytesIO(data)).with_columns(pl.when(~text.is_in(missing)).then(text))


def _parse_csv(data: bytes, name: str, suffix: str, missing: list[str]) -> "pl.DataFrame":
    import polars as pl

    data = data.removeprefix(b"\xef\xbb\xbf").strip(b"\r\n")
    if b"\n" not in data:  # lines may end with a lone carriage return, which polars does not know
        data = data.replace(b"\r", b"\n")
    missing = [*MISSING, *missing]
    try:
        header, separator = _header(data, name, suffix)
        frame = _read_cells(data, name, header, separator, missing)
    except (UnicodeDecodeError, pl.exceptions.ComputeError):
        _refuse_undecodable(data, name)
        raise
    frame.columns = header
    text = pl.col(pl.String).str.strip_chars()
    frame = frame.with_columns(pl.when(~text.is_in(missing)).then(text))
    return frame.with_columns(_as_numbers(column) for column in frame if column.dtype == pl.String)


def _header(data: bytes, name: str, suffix: str) -> tuple[list[str], str]:
    """Column names, and the character that separates them."""
    first = data.partition(b"\n")[0].decode()
    separator = "\t" if suffix == ".tsv" else next((mark for mark in ",;\t" if mark in first), ",")
    header = [cell.strip() for cell in next(_cells(data, separator))[1]]
    twice = sorted({column for column in header if header.count(column) > 1})
    if twice:
        raise TableError(
            f"{name} must have each column name once; got {', '.join(map(repr, twice))} more than once. "
            "Rename or drop the others."
        )
    return header, separator


def _read_cells(
    data: bytes, name: str, header: list[str], separator: str, missing: list[str]
) -> "pl.DataFrame":
    """What polars makes of the rows, less blank lines; refuse rows longer or shorter than the header."""
    import polars as pl

    try:
        frame = pl.read_csv(data, separator=separator, null_values=missing, infer_schema_length=None)
    except pl.exceptions.ComputeError:
        _blank_rows(data, name, header, separator)
        raise
    # polars fills short rows and blank lines with missing cells: then some of the last column are missing.
    if frame.width == 1 or not frame[:, -1].has_nulls():
        return frame
    blank = _blank_rows(data, name, header, separator)
    return frame.filter(~pl.int_range(pl.len()).is_in(blank)) if blank else frame


def _blank_rows(data: bytes, name: str, header: list[str], separator: str) -> list[int]:
    """Rows without any text; refuse a row that has not as many cells as the header."""
    blank = []
    for row, (line, cells) in enumerate(_cells(data, separator)):
        if row and len(cells) != len(header):
            if any(cell.strip() for cell in cells) or len(cells) > 1:
                raise TableError(
                    f"{name} must have {len(header)} cells in each row, as in its header; "
                    f"got {len(cells)} in row {row} (line {line}). Correct that line."
                )
            blank.append(row - 1)
    return blank


def _cells(data: bytes, separator: str) -> Iterator[tuple[int, list[str]]]:
    """The rows of CSV text one by one, slowly: the line on which each ends, and its cells."""
    reader = csv.reader(io.TextIOWrapper(io.BytesIO(data), "utf-8", newline=""), delimiter=separator)
    for cells in reader:
        yield reader.line_num, cells


def _as_numbers(text: "pl.Series") -> "pl.Series":
    """Numbers that polars takes for text (" 2", "+2", ".5"), if all of a column are."""
    import polars as pl

    for dtype in (pl.Int64, pl.Float64):
        numbers = text.cast(dtype, strict=False)
        if numbers.null_count() == text.null_count() < len(text):
            return numbers
    return text


def _refuse_undecodable(data: bytes, name: str) -> None:
    try:
        data.decode()
    except UnicodeDecodeError as error:
        line = data.count(b"\n", 0, error.start) + 1
        raise FileError(
            f"{name} must be UTF-8 text; got byte {data[error.start]:#04x} in line {line}. "
            "Save it as UTF-8, for example: iconv -f WINDOWS-1252 -t UTF-8."
        ) from None


def write_table(frame: "pl.DataFrame", target: str | os.PathLike[str]) -> None:
    """Write a CSV or Parquet file, whole or not at all; "-" is CSV on standard output.

    Raises
    ------
    FileError
        If the suffix is none of .csv, .tsv, .txt, .parquet and .pq, or the file cannot be written.
    TableError
        If a column cannot be written as CSV.
    """
    import polars as pl

    suffix = ".csv" if str(target) == "-" else Path(target).suffix.lower()
    data = io.BytesIO()
    try:
        if suffix in _PARQUET:
            frame.write_parquet(data)
        elif suffix in _TEXT:
            frame.write_csv(data, separator="\t" if suffix == ".tsv" else ",")
        else:
            raise FileError(
                f"{str(target)!r} must be a CSV or Parquet file; got the suffix {suffix!r}. {_SUFFIXES}"
            )
    except pl.exceptions.PolarsError as error:
        raise TableError(
            f"{str(target)!r} must be a table that such a file can hold; writing it failed: "
            f"{_first_line(error)}. Convert or drop the column."
        ) from None
    if str(target) == "-":
        sys.stdout.flush()
        sys.stdout.buffer.write(data.getbuffer())
        sys.stdout.buffer.flush()
        return
    with atomically(target) as temporary:
        temporary.write_bytes(data.getbuffer())


def _first_line(error: BaseException) -> str:
    return str(error).partition("\n")[0].rstrip(".")

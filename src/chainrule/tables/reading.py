"""Tables in and out: any file that is one, or several that are one together."""

import io
import os
import sys
import zipfile
from collections.abc import Collection, Iterator, Sequence
from pathlib import Path
from typing import IO, TYPE_CHECKING, Any

from chainrule.errors import ChainruleError, FileError, TableError
from chainrule.tables.cells import without_marks
from chainrule.tables.delimited import MISSING
from chainrule.tables.formats import Reader, reader_of
from chainrule.tables.sources import Source, clear_errors, find_sources, other_columns, unpacked
from chainrule.tables.stream import find_stream
from chainrule.tables.writing import atomically

if TYPE_CHECKING:
    import polars as pl

__all__ = ["MISSING", "clear_errors", "read_bytes", "read_table", "write_parts", "write_table"]

_TEXT = (".csv", ".tsv", ".txt")
_PARQUET = (".parquet", ".pq")
WRITTEN = _TEXT + _PARQUET
"""Suffixes of the tables that can be written."""
_SUFFIXES = "Use one of " + ", ".join(WRITTEN) + "."


def read_table(source: str | os.PathLike[str], *, missing: Sequence[str] = ()) -> "pl.DataFrame":
    """Read a table from a file of any format: CSV and its relatives, Parquet, Arrow, JSON, Excel.

    The first bytes tell the format, also within gzip, bzip2, xz and zstd; the name of the file does not
    count. In delimited text the separator (comma, semicolon, tab, pipe, spaces), the quotes, the encoding,
    the decimal mark and whether there is a header are found from the text; a warning says so where there is
    no header or the text is not UTF-8. The type of a column follows from all of its cells; spaces around a
    cell do not count, blank lines are skipped, and codes with zeros in front, such as 00501, stay text.

    Parameters
    ----------
    source
        A path; a pattern such as "data/*.csv", whose files are read one below the other in the order of their
        names; a folder of Parquet or Arrow files; or "-" for standard input.
    missing
        Further texts that mean "missing". In delimited text, an empty cell, NA, <NA>, #N/A, NaN, nan, null
        and NULL are always missing.

    Raises
    ------
    FileError
        If the file is not there, cannot be read, is not whole, or is no table.
    TableError
        If it is empty, has a header only, a column name twice, or a row of another length than the header, or
        if files have other columns than the first.
    """
    missing = [missing] if isinstance(missing, str) else list(missing)
    stream = find_stream(source) if Path(source).is_dir() else None
    if stream is not None:
        return without_marks(stream.read(range(len(stream.pieces))), missing)
    sources = find_sources(source)
    if len(sources) == 1:
        return _read(sources[0], missing)
    return _one_below_the_other(sources, missing)


def read_bytes(data: bytes, name: str) -> "pl.DataFrame":
    """Read a table from the bytes of a file: see :func:`read_table`. Errors call it by its name."""
    return _read(Source(repr(name), None, data), [])


def _read(source: Source, missing: Sequence[str], as_text: Collection[str] = ()) -> "pl.DataFrame":
    """One file; columns in `as_text` become text."""
    import polars as pl

    with clear_errors(source.name):
        source = unpacked(source)
        if not source.head(4096).strip() and not source.whole().strip():
            raise TableError(f"{source.name} must hold a table; it is empty. Check what wrote it.")
        source, reader = reader_of(source, missing, as_text)
        try:
            frame = reader.read(source)
        except (pl.exceptions.PolarsError, zipfile.BadZipFile, OSError) as error:
            if isinstance(error, ChainruleError) or getattr(error, "errno", None) is not None:
                raise  # ours, or the system's; what polars says of bytes that are cut off has no number
            raise _not_whole(source, reader, _first_line(error)) from None
        except pl.exceptions.PanicException:  # says where in polars, not what is wrong
            raise _not_whole(source, reader, "its parts do not fit together") from None
    if frame.width == 0:
        raise TableError(f"{source.name} must have columns; it has none. Check what wrote it.")
    if frame.height == 0:
        raise TableError(f"{source.name} must have rows; it has only a header. Check what wrote it.")
    # One type for each kind of values: the steps above know neither decimals, nor categories of one file,
    # nor integers that numpy has not.
    frame = frame.with_columns(
        pl.col(pl.Categorical, pl.Enum).cast(pl.String),
        (pl.selectors.decimal() | pl.selectors.by_dtype(pl.Int128, pl.UInt128)).cast(pl.Float64),
    )
    frame = without_marks(frame, missing, as_text) if missing and reader.kind != "CSV" else frame
    return frame.with_columns(
        frame[name].cast(pl.String) for name in as_text if frame.schema[name] != pl.String
    )


def _not_whole(source: Source, reader: Reader, reason: str) -> FileError:
    return FileError(
        f"{source.name} must be a whole {reader.kind} file; reading it failed: {reason}. {reader.help}."
    )


def _one_below_the_other(sources: Sequence[Source], missing: Sequence[str]) -> "pl.DataFrame":
    """The rows of several files, which must have the same columns; a column has one type in all of them."""
    import polars as pl

    first, *_ = frames = [_read(source, missing) for source in sources]
    for source, frame in zip(sources, frames, strict=True):
        if set(frame.columns) != set(first.columns):
            raise other_columns(source.name, frame.columns, sources[0].name, first.columns)
    types = {name: _common_type([frame[name] for frame in frames]) for name in first.columns}
    for position, frame in enumerate(frames):
        texts = [name for name, dtype in types.items() if dtype == pl.String != frame.schema[name]]
        if any(frame[name].null_count() < frame.height for name in texts):
            # Read again, so that a number is the text that the file has.
            frames[position] = _read(sources[position], missing, texts)
    try:
        return pl.concat([frame[first.columns].cast(pl.Schema(types)) for frame in frames])
    except pl.exceptions.PolarsError as error:
        raise TableError(
            f"{sources[0].name} and the files after it must have values of the same types; joining them "
            f"failed: {_first_line(error)}. Convert or drop the column."
        ) from None


def _common_type(columns: Sequence["pl.Series"]) -> "pl.DataType":
    """A type for the values of all, whatever that of columns without any."""
    import polars as pl

    found = {column.dtype for column in columns if column.null_count() < len(column)} or {columns[0].dtype}
    if len(found) == 1:
        return found.pop()
    if all(dtype.is_numeric() for dtype in found):
        return pl.Float64() if any(dtype.is_float() for dtype in found) else pl.Int64()
    if any(dtype.is_nested() for dtype in found):
        raise TableError(
            f"column {columns[0].name!r} must be of one type in all files; got "
            f"{' and '.join(sorted(map(str, found)))}. Convert or drop it."
        )
    return pl.String()


def write_table(frame: "pl.DataFrame", target: str | os.PathLike[str]) -> None:
    """Write a CSV or Parquet file, whole or not at all; "-" is CSV on standard output.

    Raises
    ------
    FileError
        If the suffix is none of .csv, .tsv, .txt, .parquet and .pq, or the file cannot be written.
    TableError
        If a column cannot be written as CSV.
    """
    write_parts(iter([frame]), target)


def write_parts(frames: "Iterator[pl.DataFrame]", target: str | os.PathLike[str]) -> None:
    """The same, for a table that comes in parts, of which one is in memory at a time."""
    suffix = ".csv" if str(target) == "-" else Path(target).suffix.lower()
    if suffix not in WRITTEN:
        raise FileError(
            f"{str(target)!r} must be a CSV or Parquet file; got the suffix {suffix!r}. {_SUFFIXES}"
        )
    separator = "\t" if suffix == ".tsv" else ","
    if str(target) == "-":
        sys.stdout.flush()
        _write_text(frames, sys.stdout.buffer, separator, str(target))
        sys.stdout.buffer.flush()
        return
    with atomically(target) as temporary:
        if suffix in _PARQUET:
            _write_parquet(frames, temporary)
        else:
            with temporary.open("wb") as file:
                _write_text(frames, file, separator, str(target))


def _write_text(frames: "Iterator[pl.DataFrame]", file: IO[bytes], separator: str, target: str) -> None:
    import polars as pl

    for number, frame in enumerate(frames):
        data = io.BytesIO()
        try:
            frame.write_csv(data, separator=separator, include_header=number == 0)
        except pl.exceptions.PolarsError as error:
            raise TableError(
                f"{target!r} must be a table that such a file can hold; writing it failed: "
                f"{_first_line(error)}. Convert or drop the column."
            ) from None
        file.write(data.getbuffer())


def _write_parquet(frames: "Iterator[pl.DataFrame]", place: Path) -> None:
    """Polars asks for part after part; what is raised meanwhile is raised here as it was."""
    from polars.io.plugins import register_io_source

    first = next(frames)
    raised: list[BaseException] = []

    def parts(*_: Any) -> "Iterator[pl.DataFrame]":
        try:
            yield first
            yield from frames
        except BaseException as error:
            raised.append(error)
            raise

    try:
        register_io_source(parts, schema=first.schema).sink_parquet(place)
    except Exception:
        if raised:
            raise raised[0] from None
        raise


def _first_line(error: BaseException) -> str:
    return str(error).partition("\n")[0].rstrip(".")

"""The formats of tables, told by their first bytes, whatever the file is called."""

import importlib.util
import io
import re
import warnings
import zipfile
from collections.abc import Callable, Collection
from typing import TYPE_CHECKING, Literal, NamedTuple

from chainrule.errors import FileError
from chainrule.tables.cells import without_marks
from chainrule.tables.delimited import read_delimited
from chainrule.tables.encodings import as_utf8
from chainrule.tables.parquet_pages import impossible_page
from chainrule.tables.sources import Source

if TYPE_CHECKING:
    import polars as pl

__all__ = ["Reader", "reader_of"]


class Reader(NamedTuple):
    """How a format is read."""

    kind: str
    """What errors call it."""
    read: Callable[[Source], "pl.DataFrame"]
    help: str = "Write it again"
    """What to do if it cannot be read."""


_REFUSED = (
    (b"\xd0\xcf\x11\xe0", "an old Office file, such as .xls", "Save it as .xlsx or CSV"),
    (b"%PDF", "a PDF document", "Get the table itself, as CSV for example"),
    (b"SQLite format 3\0", "an SQLite database", "Export one of its tables as CSV"),
    (b"FEA1", "the first version of Feather", "Write it again as Parquet or Feather 2"),
    (b"\x89HDF", "an HDF5 file", "Export the table as Parquet or CSV"),
    (b"\x93NUMPY", "a NumPy array", "Write it as CSV, with a name for each column"),
    (b"\x80\x03", "a Python pickle, which can run code", "Write the table as Parquet"),
    (b"\x80\x04", "a Python pickle, which can run code", "Write the table as Parquet"),
    (b"\x80\x05", "a Python pickle, which can run code", "Write the table as Parquet"),
    (b"Obj\x01", "an Avro file", "Write it as Parquet"),
    (b"ORC", "an ORC file", "Write it as Parquet"),
)
_FORMATS = "CSV, Parquet, Arrow (Feather), JSON and Excel (.xlsx)"
_PAGE = re.compile(rb"\s*<(!doctype|html|\?xml)", re.IGNORECASE)
_RECORDS = re.compile(rb"\s*\[\s*(\{|\])")
_LINES = re.compile(rb"\s*\{\s*(\}|\"(\\.|[^\"\\])*\"\s*:)")


def reader_of(source: Source, missing: Collection[str], as_text: Collection[str]) -> tuple[Source, Reader]:
    """The format of `source`, and `source` as that format needs it: text in UTF-8.

    Raises
    ------
    FileError
        If it is none that can be read.
    """
    head = source.head(4096)
    for magic, reader in _READERS:
        if head.startswith(magic):
            return source, reader
    for magic, kind, help_ in _REFUSED:
        if head.startswith(magic) and (len(magic) > 3 or 0 in head or not head.isascii()):
            raise FileError(f"{source.name} must be a table, as {_FORMATS} are; it is {kind}. {help_}.")
    if head[257:262] == b"ustar":
        raise FileError(f"{source.name} must be a table; it is an archive of files (tar). Unpack it first.")
    if _is_binary(head):
        raise FileError(
            f"{source.name} must be a table, as {_FORMATS} are; its first bytes are of no such format. "
            "Check what it is, and export it as one of them."
        )
    source = as_utf8(source)
    head = source.head(4096).removeprefix(b"\xef\xbb\xbf")
    if _PAGE.match(head):
        raise FileError(
            f"{source.name} must be a table; it is a web page or XML. Check where it was downloaded from."
        )
    if _RECORDS.match(head):
        return source, Reader("JSON", _read_records, "It must be a list of records")
    if _LINES.match(head):
        return source, Reader(
            "JSON", _read_lines, "Each line must be one record, or all of it a list of records"
        )
    return source, Reader("CSV", lambda text: read_delimited(text, missing, as_text), "Check its quotes")


def _is_binary(head: bytes) -> bool:
    """Whether there are control characters as no text has them; zero bytes may be halves of UTF-16."""
    odd = len(re.findall(rb"[\x01-\x08\x0e-\x1a\x1c-\x1f]", head))
    return odd > 0.02 * len(head)


def refuse_cut_off(source: Source) -> None:
    """Refuse a Parquet file without its end, which says where its columns are."""
    if source.tail(4) != b"PAR1" or len(source.tail(12)) < 12:
        raise FileError(
            f"{source.name} must be a whole Parquet file; its end is cut off. Write or copy it again."
        )


def _read_parquet(source: Source) -> "pl.DataFrame":
    import polars as pl

    refuse_cut_off(source)
    with source.open() as file:
        impossible = impossible_page(file)
    if impossible is not None:
        raise FileError(f"{source.name} must be a whole Parquet file; {impossible}. Write or copy it again.")
    return pl.read_parquet(source.place(), hive_partitioning=False)


def _read_arrow(source: Source) -> "pl.DataFrame":
    import polars as pl

    return pl.read_ipc(source.place())


def _read_stream(source: Source) -> "pl.DataFrame":
    import polars as pl

    return pl.read_ipc_stream(source.place())


def _read_records(source: Source) -> "pl.DataFrame":
    import polars as pl

    return pl.read_json(io.BytesIO(source.whole().removeprefix(b"\xef\xbb\xbf")), infer_schema_length=None)


def _read_lines(source: Source) -> "pl.DataFrame":
    import polars as pl

    return pl.read_ndjson(io.BytesIO(source.whole().removeprefix(b"\xef\xbb\xbf")), infer_schema_length=None)


def _read_excel(source: Source) -> "pl.DataFrame":
    """The first sheet of a workbook."""
    import polars as pl

    with source.open() as stream, zipfile.ZipFile(stream) as archive:
        names = archive.namelist()
    if not any(name.startswith("xl/workbook.") for name in names):
        raise FileError(
            f"{source.name} must be a table; it is a ZIP archive ({', '.join(names[:3])} …). Unpack it first."
        )
    sheets = sum(name.startswith("xl/worksheets/sheet") for name in names)
    if sheets > 1:
        warnings.warn(
            f"{source.name} has {sheets} sheets, of which the first is read. Save another as CSV to read it.",
            UserWarning,
            stacklevel=4,
        )
    engine: Literal["calamine", "openpyxl"]
    if importlib.util.find_spec("fastexcel"):
        engine = "calamine"
    elif importlib.util.find_spec("openpyxl"):
        engine = "openpyxl"
    else:
        raise FileError(
            f"{source.name} must be a file that can be read here; Excel files need a further package. "
            "Run pip install fastexcel, or save the sheet as CSV."
        )
    # By all rows: what is of another type than the first ones would be missing, and nobody told.
    frame = pl.read_excel(
        io.BytesIO(source.whole()), engine=engine, raise_if_empty=False, infer_schema_length=None
    )
    return without_marks(frame, ("",))


_READERS = (
    (b"PAR1", Reader("Parquet", _read_parquet)),
    (b"ARROW1", Reader("Arrow", _read_arrow)),
    (b"\xff\xff\xff\xff", Reader("Arrow", _read_stream)),
    (b"PK\x03\x04", Reader("Excel", _read_excel)),
)

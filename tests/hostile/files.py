"""Files of all formats that are odd, cut off or foreign, and places that cannot be read or written."""

import bz2
import gzip
import io
import json
import lzma
import os
import threading
import zipfile
from pathlib import Path

import polars as pl
import pyarrow as pa
from tests.hostile.cases import FIT, Case, base, binary, text

PARQUET, ARROW, STREAM = (binary(f"write_{kind}") for kind in ("parquet", "ipc", "ipc_stream"))
JSON, LINES = binary("write_json"), binary("write_ndjson")
GZIP, BZIP2, XZ = (pack(text().encode()) for pack in (gzip.compress, bz2.compress, lzma.compress))
ZSTD = pa.compress(text().encode(), "zstd", asbytes=True)
DEEP = "[" * 100_000


def zipped(*names: str) -> bytes:
    data = io.BytesIO()
    with zipfile.ZipFile(data, "w") as archive:
        for name in names:
            archive.writestr(name, "a,y\n1,2\n")
    return data.getvalue()


def tar(folder: Path) -> None:
    import tarfile

    (folder / "a.csv").write_text(text())
    with tarfile.open(folder / "t.csv", "w:gz") as archive:
        archive.add(folder / "a.csv", "a.csv")


def two(first: str, second: str) -> object:
    def write(folder: Path) -> None:
        (folder / "part-1.csv").write_text(first)
        (folder / "part-2.csv").write_text(second)

    return write


def pipe(folder: Path) -> None:
    os.mkfifo(folder / "t.csv")
    threading.Thread(target=lambda: (folder / "t.csv").write_text(text()), daemon=True).start()


def among_models(folder: Path) -> None:
    (folder / "t.csv").write_text(text())
    (folder / "there").mkdir()


ALL = "fit part-*.csv --target y"
HALVES = text(base()[:12]), text(base()[12:])
CUT = {
    "Parquet": (PARQUET, "whole Parquet file; its end is cut off"),
    "Arrow": (ARROW, "whole Arrow file"),
    "Arrow stream": (STREAM, "whole Arrow file"),
    "JSON": (JSON, "whole JSON file"),
    "JSON lines": (LINES, "whole JSON file"),
    "gzip": (GZIP, "whole gzip file"),
    "bzip2": (BZIP2, "whole bzip2 file"),
    "xz": (XZ, "whole xz file"),
    "zstd": (ZSTD, "whole zstd file"),
    "Excel": (zipped("xl/workbook.xml", "xl/worksheets/sheet1.xml"), "whole Excel file"),
}
WHOLE = {
    "gzip": GZIP,
    "bzip2": BZIP2,
    "xz": XZ,
    "zstd": ZSTD,
    "Parquet": PARQUET,
    "Arrow": ARROW,
    "Arrow stream": STREAM,
    "JSON": JSON,
    "JSON lines": LINES,
    "gzip in two parts": GZIP + gzip.compress(b"5,x,2.5\n"),
    "Parquet within gzip": gzip.compress(PARQUET),
    "JSON, a name twice": '[{"y": 1, "y": 2, "a": 3}]',
}
FOREIGN = {
    "PNG": (b"\x89PNG\r\n\x1a\n" + bytes(range(256)), "no such format"),
    "ELF": (b"\x7fELF\x02\x01\x01" + bytes(64) + bytes(range(64)), "no such format"),
    "SQLite": (b"SQLite format 3\0" + bytes(100), "SQLite"),
    "PDF": (b"%PDF-1.7\n%\xe2\xe3\n", "PDF"),
    "pickle": (b"\x80\x04\x95\x10\0\0\0cposix\nsystem\n", "pickle"),
    "ZIP": (zipped("a.csv"), "ZIP archive"),
    "empty ZIP": (zipped(), "no such format"),
    "HTML": ("<!DOCTYPE html><html><table><tr><td>a</td></tr></table>", "web page"),
    "XML": ("<?xml version='1.0'?><a/>", "web page or XML"),
    "old Excel": (b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1" + bytes(512), "old Office file"),
    "our own model file": (b"\x10\0\0\0\0\0\0\0" + b'{"chainrule": 1}', "no such format"),
    "random bytes": (bytes(k * k % 251 for k in range(4000)), "no such format"),
    "gzip of gzip": (gzip.compress(GZIP), "no such format"),
    "gzip of nothing": (gzip.compress(b""), "it is empty"),
    "gzip and rubbish": (GZIP + b"rubbish", "whole gzip file"),
    "zstd of a damaged frame": (ZSTD[:9] + b"\xff" * 9 + ZSTD[18:], "whole zstd file"),
    "magic of Parquet alone": (b"PAR1", "whole Parquet file"),
    "Parquet of two magics": (b"PAR1PAR1", "whole Parquet file"),
    "Parquet with a huge footer": (PARQUET[:-8] + b"\xff\xff\xff\x7fPAR1", "whole Parquet file"),
    "Parquet, encrypted": (b"PARE" + PARQUET[4:-4] + b"PARE", "no such format"),
    "magic of Arrow alone": (b"ARROW1", "whole Arrow file"),
    "Arrow stream with a huge message": (
        b"\xff\xff\xff\xff\xff\xff\xff\x7f" + STREAM[8:],
        "must have rows",
    ),
    "Feather 1": (b"FEA1" + bytes(50), "first version of Feather"),
    "Parquet without rows": (binary("write_parquet", base()[:0]), "must have rows"),
    "Parquet without columns": (binary("write_parquet", pl.DataFrame()), "must have"),
    "Arrow without rows": (binary("write_ipc", base()[:0]), "must have rows"),
    "JSON of no records": ("[]", "must have columns"),
    "JSON of empty records": ("[{},{}]", "must have columns"),
    "one JSON object": (json.dumps({"a": [1, 2], "y": [1, 2]}), "target 'y' must be"),
    "JSON, very deep": (DEEP, "must have rows"),
    "JSON records, very deep": ('[{"a":' + DEEP, "whole JSON file"),
    "JSON lines, one broken": (LINES + b'{"a": 1, "c"\n', "whole JSON file"),
    "JSON lists": ("[[1, 2], [3, 4]]", "must have rows"),
    "JSON with huge numbers": ('[{"y": 1e999, "a": 1}]', "whole JSON file"),
}


def bomb() -> bytes:
    """300 MB of spaces in 300 kB."""
    packer = __import__("zlib").compressobj(9, wbits=31)
    return b"".join(packer.compress(b" " * 3_000_000) for _ in range(100)) + packer.flush()


CASES = [
    *(Case(f"whole: {kind}", content) for kind, content in WHOLE.items()),
    *(
        Case(f"cut off: {kind}", content[: len(content) * 2 // 3], says=says)
        for kind, (content, says) in CUT.items()
    ),
    *(Case(f"foreign: {kind}", content, says=says) for kind, (content, says) in FOREIGN.items()),
    Case("foreign: tar in gzip", tar, says="archive of files"),
    Case("foreign: a bomb of spaces", bomb(), says="it is empty"),
    Case("no such file", None, says="there is none"),
    Case("a folder", lambda folder: (folder / "t.csv").mkdir(), says="it is a folder"),
    Case("a folder of tables", two(*HALVES), "fit . --target y", says=r"2 \.csv.*pattern"),
    Case(
        "a link to nothing",
        lambda folder: (folder / "t.csv").symlink_to("gone"),
        says="there is none",
    ),
    Case("a link to itself", lambda folder: (folder / "t.csv").symlink_to("t.csv"), says="symbolic links"),
    Case(
        "a link to a file",
        lambda folder: ((folder / "b").write_text(text()), (folder / "t.csv").symlink_to("b")),
    ),
    Case("a pipe", pipe, FIT + " -o m"),
    Case("/dev/null", None, "fit /dev/null --target y", says="it is empty"),
    Case("a name of 300 letters", None, f"fit {'n' * 300} --target y", says="File name too long"),
    Case("an empty name", None, "fit '' --target y", says="must be a file"),
    Case(
        "a name with a pattern in it",
        lambda folder: (folder / "[t].csv").write_text(text()),
        "fit [t].csv --target y",
    ),
    Case("a file within a file", text(), "fit t.csv/t.csv --target y", says="Not a directory"),
    Case("standard input", None, "fit - --target y", stdin=text().encode()),
    Case("standard input in Parquet", None, "fit - --target y", stdin=PARQUET),
    Case("standard input without bytes", None, "fit - --target y", says="it is empty", stdin=b""),
    Case(
        "standard input twice", None, "fit - --validation - --target y", says="only one of", code=2, stdin=b""
    ),
    Case("pattern without match", None, ALL, says="matches none"),
    Case("pattern of two files", two(*HALVES), ALL),
    Case("pattern of other columns", two(HALVES[0], "a,b,y\n1,2,3\n"), ALL, says="lacks 'c'.*has also 'b'"),
    Case("pattern of other order", two(HALVES[0], text(base()[12:].select("y", "c", "a"))), ALL),
    Case("pattern of other types", two(HALVES[0], "a,c,y\nx,x,1\n"), ALL),
    Case(
        "pattern with an empty file",
        two(HALVES[0], ""),
        ALL,
        says="'part-2.csv' must hold a table; it is empty",
    ),
    Case(
        "pattern with a damaged file",
        two(HALVES[0], 'a,c,y\n"1,2,3\n'),
        ALL,
        says="'part-2.csv'.*never closed",
    ),
    Case("a full disk", text(), FIT + " -o /dev/full", says="No space left"),
    Case("output in no folder", text(), FIT + " -o gone/m.model", says="folder that exists"),
    Case("output is a folder", among_models, FIT + " -o there", says="it is a folder"),
    Case("output within a file", text(), FIT + " -o t.csv/m.model", says="part of that path is a file"),
    Case("output is the input", text(), FIT + " -o t.csv", says="another file", code=2),
    Case(
        "output is the input by a link",
        lambda folder: ((folder / "t.csv").write_text(text()), (folder / "m").symlink_to("t.csv")),
        FIT + " -o m",
        says="another file",
        code=2,
    ),
    Case("output of an odd name", text(), FIT + " -o 'm\nodel 🏠'"),
    Case("output of 300 letters", text(), FIT + f" -o {'m' * 300}", says="File name too long"),
    Case("validation by itself", text(), FIT + " --validation t.csv"),
    Case(
        "validation lacks a column",
        two(text(), "a,y\n1,2\n"),
        "fit part-1.csv --target y --validation part-2.csv",
        says="missing 'c'",
    ),
    Case(
        "validation without a target",
        two(text(), "a,c\n1,x\n"),
        "fit part-1.csv --target y --validation part-2.csv",
        says="missing 'y'",
    ),
    Case("report in no folder", text(), FIT + " --report gone/r.html", says="folder that exists"),
]

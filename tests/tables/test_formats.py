import importlib.util
import io
import json
import sys
import zipfile

import polars as pl
import pytest

from chainrule.errors import FileError
from chainrule.tables.reading import read_table

FRAME = pl.DataFrame({"n": [1, None], "x": [0.5, 2.0], "b": [True, None], "t": ["a", None]})


def written(method, frame=FRAME):
    data = io.BytesIO()
    getattr(frame, method)(data)
    return data.getvalue()


def zipped(*names):
    data = io.BytesIO()
    with zipfile.ZipFile(data, "w") as archive:
        for name in names:
            archive.writestr(name, "x")
    return data.getvalue()


FORMATS = {
    "csv": written("write_csv"),
    "parquet": written("write_parquet"),
    "feather": written("write_ipc"),
    "ipc": written("write_ipc_stream"),
    "jsonl": written("write_ndjson"),
    "json": json.dumps(FRAME.to_dicts(), indent=2).encode(),
}


@pytest.fixture
def file(tmp_path):
    def write(content, name="t.csv"):
        content = content.encode() if isinstance(content, str) else content
        (tmp_path / name).write_bytes(content)
        return tmp_path / name

    return write


@pytest.mark.parametrize("kind", FORMATS)
@pytest.mark.parametrize("name", ["table", "t.csv", "t.parquet", "t.xlsx", "[t].json"])
def test_the_name_of_a_file_does_not_count(file, kind, name):
    assert read_table(file(FORMATS[kind], name)).equals(FRAME)


@pytest.mark.parametrize("kind", FORMATS)
def test_standard_input_may_have_any_format(monkeypatch, kind):
    class Stream:
        buffer = io.BytesIO(FORMATS[kind])

    monkeypatch.setattr(sys, "stdin", Stream())
    assert read_table("-").equals(FRAME)


@pytest.mark.parametrize(
    ("text", "rows"),
    [
        ('[{"a": 1}, {"a": 2.5}]', [(1.0,), (2.5,)]),
        ('[{"a": 1}, {"b": "x"}]', [(1, None), (None, "x")]),
        ('\ufeff {"a": 1}\n{"a": 2}\n', [(1,), (2,)]),
        ('{"a": {"b": [1]}}\n', [({"b": [1]},)]),
        ('{"a": 1}\n' * 500 + '{"a": "late"}\n', [("1",)] * 500 + [("late",)]),
    ],
)
def test_json(file, text, rows):
    assert read_table(file(text)).rows() == rows


def test_json_in_utf16(file):
    with pytest.warns(UserWarning, match="is read as UTF-16"):
        assert read_table(file('[{"a": "é"}]'.encode("utf-16"))).rows() == [("é",)]


def test_missing_texts_in_all_formats(file):
    frame = pl.DataFrame({"a": ["?", "x", ""], "n": [1, 2, 3]})
    for method in ("write_parquet", "write_ipc", "write_ipc_stream", "write_ndjson"):
        assert read_table(file(written(method, frame)), missing=["?"])["a"].to_list() == [None, "x", ""]


def test_text_may_begin_with_a_bracket(file):
    assert read_table(file("[a],{b}\n1,2\n")).columns == ["[a]", "{b}"]


@pytest.mark.parametrize(
    ("content", "words"),
    [
        (FORMATS["parquet"][:-9], "whole Parquet file; its end is cut off"),
        (FORMATS["feather"][:-9], "whole Arrow file; reading it failed"),
        (FORMATS["ipc"][: len(FORMATS["ipc"]) // 2], "whole Arrow file; reading it failed"),
        (FORMATS["json"][:-9], "whole JSON file; reading it failed.*It must be a list of records"),
        (FORMATS["jsonl"][:-9], "whole JSON file; reading it failed.*Each line must be one record"),
        (b'{"a": 1,\n "b": 2}', "whole JSON file.*Each line must be one record"),
        (zipped("a.txt", "b.txt"), r"it is a ZIP archive \(a.txt, b.txt …\). Unpack it first"),
        (b"PK\x03\x04" + b"x" * 50, "whole Excel file; reading it failed"),
        (b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1" + b"\0" * 50, "old Office file, such as .xls. Save it as .xlsx"),
        (b"%PDF-1.7\n1 0 obj", "it is a PDF document"),
        (b"SQLite format 3\0" + b"\0" * 50, "it is an SQLite database. Export"),
        (b"FEA1\0\0\0\0", "first version of Feather"),
        (b"\x80\x04\x95\x0b\0\0\0", "Python pickle, which can run code"),
        (b"t.csv" + b"\0" * 252 + b"ustar\x0000" + b"\0" * 248, "archive of files"),
        (b"\x7fELF\x02\x01\x01" + bytes(range(64)), "first bytes are of no such format"),
        (b"<!DOCTYPE html>\n<html>", "web page or XML"),
        (b"\n <?xml version='1.0'?>", "web page or XML"),
    ],
)
def test_what_is_no_table(file, content, words):
    with pytest.raises(FileError, match=rf"t.csv.*{words}") as caught:
        read_table(file(content))
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize("text", ["ORC,b\n1,2\n", "PAR,b\n1,2\n", "Obj,b\n1,2\n"])
def test_text_that_begins_like_something_else(file, text):
    assert read_table(file(text)).rows() == [(1, 2)]


def test_excel_needs_a_package(file, monkeypatch):
    monkeypatch.setattr(importlib.util, "find_spec", lambda name: None)
    with pytest.raises(
        FileError, match=r"need a further package. Run pip install fastexcel, or save.*as CSV"
    ):
        read_table(file(zipped("xl/workbook.xml"), "t.xlsx"))


@pytest.mark.parametrize(("package", "engine"), [("fastexcel", "calamine"), ("openpyxl", "openpyxl")])
def test_excel_is_read_by_the_package_that_is_there(file, monkeypatch, package, engine):
    content = zipped("[Content_Types].xml", "xl/workbook.xml")

    def read_excel(source, **options):
        assert source.read() == content
        assert options["engine"] == engine
        assert options["infer_schema_length"] is None  # else, a text below numbers would be missing
        return pl.DataFrame({"a": ["", "?", "x"], "n": ["", "2", "3"]})

    monkeypatch.setattr(importlib.util, "find_spec", lambda name: True if name == package else None)
    monkeypatch.setattr(pl, "read_excel", read_excel)
    frame = read_table(file(content, "t.xlsx"), missing=["?"])
    assert frame.rows() == [(None, None), (None, 2), ("x", 3)]


def test_of_several_sheets_it_is_told_which_is_read(file, monkeypatch):
    sheets = [f"xl/worksheets/sheet{number}.xml" for number in (1, 2, 3)]
    monkeypatch.setattr(importlib.util, "find_spec", lambda name: True)
    monkeypatch.setattr(pl, "read_excel", lambda source, **options: pl.DataFrame({"a": [1]}))
    with pytest.warns(UserWarning, match=r"t\.xlsx' has 3 sheets, of which the first is read"):
        read_table(file(zipped("xl/workbook.xml", *sheets), "t.xlsx"))
    read_table(file(zipped("xl/workbook.xml", sheets[0]), "t.xlsx"))

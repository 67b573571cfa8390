import io
import os
import sys

import polars as pl
import pytest
from hypothesis import given
from hypothesis import strategies as st

from chainrule.errors import FileError, TableError
from chainrule.tables.reading import read_table, write_table

FRAME = pl.DataFrame(
    {"n": [1, None, 3], "x": [0.1, -2e300, None], "b": [True, None, False], "t": ["a", "é,", None]}
)


@pytest.fixture
def table(tmp_path):
    def write(content, name="t.csv"):
        content = content.encode() if isinstance(content, str) else content
        (tmp_path / name).write_bytes(content)
        return tmp_path / name

    return write


class Stream:
    """A standard stream: chainrule reads and writes bytes."""

    def __init__(self, content=b""):
        self.buffer = io.BytesIO(content)

    def flush(self):
        pass


def parquet(frame=FRAME):
    data = io.BytesIO()
    frame.write_parquet(data)
    return data.getvalue()


@pytest.mark.parametrize("name", ["t.csv", "t.tsv", "t.txt", "t.parquet", "t.pq", "T.CSV"])
def test_what_is_written_is_read(tmp_path, name):
    write_table(FRAME, tmp_path / name)
    assert read_table(str(tmp_path / name)).equals(FRAME)
    assert [path.name for path in tmp_path.iterdir()] == [name]


@given(st.lists(st.floats(allow_nan=False, allow_infinity=False), min_size=1))
def test_numbers_come_back_exactly(tmp_path_factory, numbers):
    target = tmp_path_factory.mktemp("exact") / "t.csv"
    write_table(pl.DataFrame({"x": numbers}), target)
    assert read_table(target)["x"].cast(pl.Float64).to_list() == numbers


@pytest.mark.parametrize("content", [b"a,b\n1,x\n", parquet(pl.DataFrame({"a": [1], "b": ["x"]}))])
def test_standard_input_is_csv_or_parquet(monkeypatch, content):
    monkeypatch.setattr(sys, "stdin", Stream(content))
    assert read_table("-").rows() == [(1, "x")]


def test_standard_output_is_csv(monkeypatch):
    monkeypatch.setattr(sys, "stdout", Stream())
    write_table(FRAME[:1], "-")
    assert sys.stdout.buffer.getvalue() == b"n,x,b,t\n1,0.1,true,a\n"


def test_a_pipe_needs_no_suffix():
    reader, writer = os.pipe()
    os.write(writer, b"a\n1\n")
    os.close(writer)
    try:
        assert read_table(f"/dev/fd/{reader}").rows() == [(1,)]
    finally:
        os.close(reader)


def test_missing_values_by_default(table):
    path = table("a,b\n,x\nNA,NA\n<NA>,null\n#N/A,NULL\nNaN,nan\nnan,n/a\n1.5,None\n")
    assert read_table(path)["a"].to_list() == [None] * 6 + [1.5]
    assert read_table(path)["b"].to_list() == ["x", None, None, None, None, "n/a", "None"]


@pytest.mark.parametrize("missing", [["n/a", "-999"], ("n/a", "-999")])
def test_missing_values_on_demand(table, missing):
    assert read_table(table("a,b\n1,-999\nn/a,2\n"), missing=missing).rows() == [(1, None), (None, 2)]


def test_one_text_as_missing_is_not_its_letters(table):
    assert read_table(table("a\nn/a\nn\n"), missing="n/a")["a"].to_list() == [None, "n"]


def test_missing_texts_in_parquet(table):
    path = table(parquet(pl.DataFrame({"a": ["?", None, "x"]})), "t.parquet")
    assert read_table(path, missing=["?"])["a"].to_list() == [None, None, "x"]


def test_types_follow_from_the_whole_file(table):
    assert read_table(table("a\n" + "1\n" * 5000 + "late\n")).schema == {"a": pl.String}


@pytest.mark.parametrize(
    ("cells", "values"),
    [
        ([" 1", "2 "], [1, 2]),
        (["+1", "2"], [1, 2]),
        ([".5", "-.5"], [0.5, -0.5]),
        (["1e3", "2"], [1000.0, 2.0]),
        (["True", "false"], [True, False]),
        ([" NA", "2"], [None, 2]),
        (["1", "99999999999999999999"], [1, 99999999999999999999]),
        ([" a ", "b"], ["a", "b"]),
        (['"a,\nb"', '"say ""hi"""'], ["a,\nb", 'say "hi"']),
    ],
)
def test_cells(table, cells, values):
    content = "k,v\n" + "".join(f"0,{cell}\n" for cell in cells)
    assert read_table(table(content))["v"].to_list() == values


@pytest.mark.parametrize("separator", [",", ";", "\t"])
def test_separators_and_header(table, separator):
    path = table("\ufeff" + f"a{separator} b c \r\n1{separator}x\r\n")
    assert read_table(path).to_dicts() == [{"a": 1, "b c": "x"}]


def test_tsv_may_have_commas_in_its_header(table):
    assert read_table(table("a, b\tc\n1\t2\n", "t.tsv")).columns == ["a, b", "c"]


def test_lines_may_end_with_carriage_returns(table):
    assert read_table(table("a,b\r1,2\r3,4\r")).rows() == [(1, 2), (3, 4)]


def test_blank_lines_are_skipped(table):
    path = table('\na,b\n1,\n\n  \n"x\n\ny",2\n\n\n')
    assert read_table(path).rows() == [("1", None), ("x\n\ny", 2)]


def test_a_column_may_have_no_name(table):
    assert read_table(table(",b\n0,1\n\n1,\n")).to_dict(as_series=False) == {"": [0, 1], "b": [1, None]}


def test_a_blank_line_of_a_single_column_is_a_missing_value(table):
    assert read_table(table("a\n1\n\n3\n"))["a"].to_list() == [1, None, 3]


@pytest.mark.parametrize(
    ("content", "name", "error", "words"),
    [
        ("", "t.csv", TableError, "must hold a table; it is empty"),
        (" \n\n", "t.csv", TableError, "is empty"),
        ("", "t.parquet", TableError, "is empty"),
        ("a,b\n", "t.csv", TableError, "must have rows; it has only a header"),
        (parquet(FRAME[:0]), "t.parquet", TableError, "must have rows"),
        ("a,b,a,c,c\n1,2,3,4,5\n", "t.csv", TableError, "each column name once; got 'a', 'c' more than once"),
        ("a, a\n1,2\n", "t.csv", TableError, "got 'a' more than once"),
        ("a,b\n1,2\n1\n", "t.csv", TableError, r"2 cells in each row.*got 1 in row 2 \(line 3\)"),
        ("a,b\n1,2\n\n1,2,3\n", "t.csv", TableError, r"2 cells.*got 3 in row 3 \(line 4\)"),
        ('a,b\n1,"2\n3,4\n', "t.csv", FileError, "whole CSV file.*Check its quotes"),
        (b"a,b\n1,x\n2,caf\xe9\n", "t.csv", FileError, r"UTF-8.*byte 0xe9 in line 3.*iconv"),
        (b"a,\xe9\n1,2\n", "t.csv", FileError, r"UTF-8.*byte 0xe9 in line 1"),
        ("a,b\n1,2\n".encode("utf-16"), "t.csv", FileError, r"UTF-8.*byte 0xff in line 1"),
        ("a,b\n1,2\n", "t.parquet", FileError, "must be a Parquet file; it does not begin like one"),
        (parquet()[:-20], "t.parquet", FileError, "whole Parquet file; its end is cut off"),
        (b"PAR1", "t.pq", FileError, "its end is cut off"),
        (b"PAR1" + b"x" * 50 + b"PAR1", "t.pq", FileError, "whole Parquet file.*Write it again"),
        ("a,b\n1,2\n", "t.xlsx", FileError, r"suffix '.xlsx'.*Use one of .csv, .tsv, .txt, .parquet, .pq"),
        ("a,b\n1,2\n", "table", FileError, "suffix ''"),
    ],
)
def test_bad_contents(table, content, name, error, words):
    with pytest.raises(error, match=rf"{name}.*{words}") as caught:
        read_table(table(content, name))
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize(
    ("path", "words"),
    [
        ("absent.csv", "must be a file that exists; there is none"),
        ("", "it is a folder"),
        ("file.csv/t.csv", "must be readable.*Not a directory"),
        ("a\0.csv", "must be readable.*null byte"),
    ],
)
def test_bad_paths(tmp_path, path, words):
    (tmp_path / "file.csv").write_text("")
    with pytest.raises(FileError, match=words):
        read_table(tmp_path / path)


def test_the_errors_of_standard_input_name_it(monkeypatch):
    monkeypatch.setattr(sys, "stdin", Stream(b""))
    with pytest.raises(TableError, match="standard input must hold a table"):
        read_table("-")


def test_bad_targets(tmp_path):
    with pytest.raises(FileError, match=r"suffix '.xls'.*Use one of"):
        write_table(FRAME, tmp_path / "t.xls")
    with pytest.raises(FileError, match="must be in a folder that exists"):
        write_table(FRAME, tmp_path / "no" / "t.csv")
    with pytest.raises(TableError, match=r"t.csv.*nested.*Convert or drop"):
        write_table(pl.DataFrame({"a": [[1]]}), tmp_path / "t.csv")
    assert list(tmp_path.iterdir()) == []

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


def test_texts_of_numbers_are_numbers_once_their_marks_are_missing(table):
    frame = pl.DataFrame({"a": ["?", None, "1.5"], "b": ["1", "2", "3"], "code": ["?", "007", "008"]})
    read = read_table(table(parquet(frame), "t.parquet"), missing=["?"])
    assert read.rows() == [(None, "1", None), (None, "2", "007"), (1.5, "3", "008")]


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
        (["1", "99999999999999999999"], [1.0, 1e20]),
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


def test_a_column_without_a_name_gets_one(table):
    frame = read_table(table(",b\n0,1\n\n1,\n"))
    assert frame.to_dict(as_series=False) == {"column_1": [0, 1], "b": [1, None]}


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
        ('a,b\n1,"2\n3,4\n', "t.csv", FileError, "whole CSV file.*line 2.*never closed. Check its quotes"),
        ('a,b\n1,"2" x\n3,4\n', "t.csv", FileError, "whole CSV file.*line 2 failed.*Check its quotes"),
        (parquet()[:-20], "t.parquet", FileError, "whole Parquet file; its end is cut off"),
        (b"PAR1", "t.pq", FileError, "its end is cut off"),
        (b"PAR1" + b"x" * 50 + b"PAR1", "t.pq", FileError, "whole Parquet file.*Write it again"),
        ("[]", "t.json", TableError, "must have columns; it has none"),
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


@pytest.fixture
def folder(tmp_path):
    def write(**files):
        for name, content in files.items():
            (tmp_path / f"{name}.csv").write_text(content)
        return str(tmp_path / "*.csv")

    return write


def test_files_of_a_pattern_are_read_in_the_order_of_their_names(folder):
    pattern = folder(b="y,x\n3,4\n", a="x,y\n1,2\n", c="x,y\n5,6\n")
    assert read_table(pattern).to_dict(as_series=False) == {"x": [1, 4, 5], "y": [2, 3, 6]}


@pytest.mark.parametrize(
    ("first", "second", "values"),
    [
        ("1", "2.5", [1.0, 2.5]),
        ("", "2", [None, 2]),
        ("", "yes", [None, "yes"]),
        ("1.50", "yes", ["1.50", "yes"]),
        ("0", "true", ["0", "true"]),
        ("007", "8", ["007", "8"]),
        ("1.0", "", [1.0, None]),
    ],
)
def test_a_column_has_one_type_in_all_files(folder, first, second, values):
    frame = read_table(folder(a=f"k,v\n0,{first}\n", b=f"k,v\n0,{second}\n"))
    assert frame["v"].to_list() == values
    assert all(type(left) is type(right) for left, right in zip(frame["v"], values, strict=True))


def test_files_may_have_several_formats(tmp_path):
    (tmp_path / "a.csv").write_text("k,v\nx,00\n")
    pl.DataFrame({"v": [1], "k": ["y"]}).write_parquet(tmp_path / "b.parquet")
    assert read_table(tmp_path / "[ab].*").rows() == [("x", "00"), ("y", "1")]


def test_files_must_have_the_same_columns(folder):
    pattern = folder(a="x,y\n1,2\n", b="x,z\n1,2\n")
    with pytest.raises(
        TableError, match=r"b.csv' must have the same.* as .*a.csv'; it lacks 'y' and it has also 'z'"
    ):
        read_table(pattern)


def test_what_cannot_be_joined(tmp_path):
    (tmp_path / "a.json").write_text('{"x": [1]}\n')
    (tmp_path / "b.json").write_text('{"x": "y"}\n')
    with pytest.raises(
        TableError, match=r"column 'x' must be of one type in all files; got List.* and String"
    ):
        read_table(tmp_path / "*.json")
    pl.DataFrame({"x": [2**64 - 1]}).cast(pl.UInt64).write_parquet(tmp_path / "c.parquet")
    pl.DataFrame({"x": [-1]}).write_parquet(tmp_path / "d.parquet")
    with pytest.raises(
        TableError, match=r"c.parquet' and the files after it must have values of the same types"
    ):
        read_table(tmp_path / "*.parquet")


def test_lists_of_several_files_are_kept(tmp_path):
    for name, rows in {"a": "[1]", "b": "null", "c": "[2, 3]"}.items():
        (tmp_path / f"{name}.json").write_text(f'{{"k": 0, "x": {rows}}}\n')
    assert read_table(tmp_path / "*.json")["x"].to_list() == [[1], None, [2, 3]]


def test_a_failing_file_of_several_is_named(folder):
    with pytest.raises(TableError, match=r"b.csv' must have rows"):
        read_table(folder(a="x\n1\n", b="x\n"))


def test_a_name_may_look_like_a_pattern(folder):
    pattern = folder(**{"[ab]*": "x\n1\n", "a": "x\n2\n"})
    assert read_table(pattern.replace("*.csv", "[[]ab]*.csv"))["x"].to_list() == [1]
    assert read_table(pattern.replace("*.csv", "[ab]*.csv"))["x"].to_list() == [1]


def test_decimals_and_categories_become_numbers_and_texts(tmp_path):
    frame = pl.DataFrame({"d": ["1.50", None], "c": ["?", "x"]})
    frame = frame.with_columns(pl.col("d").cast(pl.Decimal(9, 2)), pl.col("c").cast(pl.Categorical))
    frame.write_ipc(tmp_path / "t.feather")
    read = read_table(tmp_path / "t.feather", missing=["?"])
    assert read.to_dict(as_series=False) == {"d": [1.5, None], "c": [None, "x"]}
    assert read.schema == {"d": pl.Float64, "c": pl.String}


def test_spaces_in_formats_with_types_are_kept(tmp_path):
    pl.DataFrame({"a": [" x "]}).write_parquet(tmp_path / "t.parquet")
    assert read_table(tmp_path / "t.parquet", missing=["x"])["a"].to_list() == [" x "]


def test_bad_targets(tmp_path):
    with pytest.raises(FileError, match=r"suffix '.xls'.*Use one of"):
        write_table(FRAME, tmp_path / "t.xls")
    with pytest.raises(FileError, match="must be in a folder that exists"):
        write_table(FRAME, tmp_path / "no" / "t.csv")
    with pytest.raises(TableError, match=r"t.csv.*nested.*Convert or drop"):
        write_table(pl.DataFrame({"a": [[1]]}), tmp_path / "t.csv")
    assert list(tmp_path.iterdir()) == []

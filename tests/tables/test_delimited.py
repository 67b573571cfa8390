import csv
import warnings

import pytest
from hypothesis import given
from hypothesis import strategies as st

from chainrule.errors import FileError, TableError
from chainrule.tables import delimited
from chainrule.tables.reading import read_table


@pytest.fixture
def read(tmp_path):
    def read_text(text, **options):
        (tmp_path / "t.csv").write_bytes(text.encode() if isinstance(text, str) else text)
        return read_table(tmp_path / "t.csv", **options)

    return read_text


@pytest.fixture
def no_slow_path(monkeypatch):
    def refuse(source, dialect):
        raise AssertionError("read row by row")

    monkeypatch.setattr(delimited, "_row_by_row", refuse)


CELL = st.text("ab ,;|\t\"'\n\\é1.", max_size=8).map(lambda text: f"x{text}x")


@given(
    rows=st.lists(st.tuples(CELL, CELL, st.one_of(CELL, st.just(""))), min_size=1, max_size=6),
    separator=st.sampled_from(",;\t|"),
    quoting=st.sampled_from([csv.QUOTE_MINIMAL, csv.QUOTE_ALL]),
    end=st.sampled_from(["\n", "\r\n"]),
)
def test_what_csv_writes_is_read(tmp_path_factory, rows, separator, quoting, end):
    target = tmp_path_factory.mktemp("csv") / "t.csv"
    with target.open("w", newline="", encoding="utf-8") as stream:
        writer = csv.writer(stream, delimiter=separator, quoting=quoting, lineterminator=end)
        writer.writerows([("k", "l", "m"), *rows])
    assert read_table(target).rows() == [(k, m, n or None) for k, m, n in rows]


@pytest.mark.parametrize(
    "text",
    [
        "a,b\n1,x\n2,\n",
        'a,b\n"1,5",\n2,y\n"3,,",\n',
        '"a,b",c\n1,\n2,x\n',
        "a;b\n1,5;\n2;x\n",
        "a,b\r\n1,\r\n2,x",
        "\n \na,b\n1,\n2,x\n\n\n",
        "\ufeffa,b\n1,\n",
        "a,b\n1.5,\n2,x\n" + "0.5,y\n" * 2000 + "1,x\n",
    ],
)
def test_what_polars_reads_fast(read, no_slow_path, text):
    frame = read(text)
    assert frame.width == 2
    assert frame.to_series(-1).has_nulls()


@pytest.mark.parametrize(
    ("text", "rows"),
    [
        ("a,b\n1,\n\n2,x\n", [(1, None), (2, "x")]),
        ("a,b\n1,\n,\n2,x\n", [(1, None), (None, None), (2, "x")]),
        ('a,b\n1,5" pipe\n2,3" pipe\n3,x\n', [(1, '5" pipe'), (2, '3" pipe'), (3, "x")]),
        ('"a", "b"\n"x,y", "z"\n"u", "v"\n', [("x,y", "z"), ("u", "v")]),
        ("a  b\n1    2\n\n 3 4 \n", [(1, 2), (3, 4)]),
        ('a "b c"\n1 "x y"\n2 z\n', [(1, "x y"), (2, "z")]),
        ("a,b\n'x,y','z'\n'it''s',''\n", [("x,y", "z"), ("it's", None)]),
        ('a,b\n1,"x\n\ny"\n2,\n', [(1, "x\n\ny"), (2, None)]),
        ("a\n1\n\n3\n", [(1,), (None,), (3,)]),
    ],
)
def test_what_is_read_slowly_or_fast(read, text, rows):
    assert read(text).rows() == rows


def test_a_late_text_makes_a_column_text(read):
    assert read("v\n" + "1.50\n" * 3000 + "x\n")["v"].to_list() == ["1.50"] * 3000 + ["x"]


def test_late_codes_make_a_column_text(read):
    assert read("v\n" + "10\n" * 3000 + "007\n")["v"].to_list() == ["10"] * 3000 + ["007"]


def test_a_late_group_of_digits(read):
    assert read("k,v\n" + "0,1.5\n" * 3000 + '0,"1,234.5"\n')["v"].to_list() == [1.5] * 3000 + [1234.5]


def test_a_file_without_a_header_keeps_its_first_row(read):
    with pytest.warns(UserWarning, match="t.csv' has no header") as told:
        frame = read("1.5,x\n2.5,y\n")
    assert frame.to_dict(as_series=False) == {"column_1": [1.5, 2.5], "column_2": ["x", "y"]}
    assert [warning.filename for warning in told] == [__file__]


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("a,b\n1,2\n3\n", r"2 cells in each row, as in its header; got 1 in row 2 \(line 3\)"),
        ("a,b\n1,\n3\n", r"got 1 in row 2 \(line 3\)"),
        ("a,b,c\n1,,\n3,4\n\n", r"3 cells.*got 2 in row 2 \(line 3\)"),
        ("a,b\n" + "1,\n" * 5000 + "3\n", r"got 1 in row 5001 \(line 5002\)"),
        ("a,b\n" + "1,2\n" * 5000 + "3,4,5\n", r"got 3 in row 5001 \(line 5002\)"),
        ('a,b\n"x\ny",\n3\n', r"got 1 in row 2 \(line 4\)"),
        ("a,b\r1,\r3\r", r"got 1 in row 2 \(line 3\)"),
        ("a\n1\n2,3\n", r"1 cell in each row.*got 2 in row 2 \(line 3\)"),
        ("# by us\na,b\n1,2\n", r"got 2 in row 1.*If '# by us' is a title or a remark, take out all above"),
        ("a  b\n" + "1 2\n" * 1499 + "5\n", r"got 1 in row 1500 \(line 1501\)"),
    ],
)
def test_ragged_rows(read, text, words):
    with pytest.raises(TableError, match=words):
        read(text)


def test_fractions_alone_may_be_missing_at_the_end_of_a_row(read):
    assert read("a,b\n1.5,2.5\n3.5,\n4.5,NA\n").rows() == [(1.5, 2.5), (3.5, None), (4.5, None)]


def test_ragged_rows_without_a_header(read):
    with (
        pytest.warns(UserWarning, match="no header"),
        pytest.raises(TableError, match="first row; got 3 in row 3"),
    ):
        read("1,2\n3,4\n5,6,7\n")


def test_an_open_quote_is_found(read):
    with pytest.raises(FileError, match=r"a quote that opens in line 4001 or below is never closed"):
        read("a,b\n" + "1,2\n" * 3999 + '3,"4\n' + "5,6\n" * 100)


def test_many_columns(read):
    names = [f"c{column}" for column in range(10_000)]
    rows = [",".join(names), ",".join(["1.5"] * 10_000), ",".join(["x"] * 10_000)]
    frame = read("\n".join([rows[0], rows[1], rows[1]]))
    assert frame.columns == names
    assert set(frame.row(0)) == {1.5}
    assert set(read("\n".join([rows[0], rows[2], rows[1]])).row(1)) == {"1.5"}


@pytest.mark.parametrize("cell", ["x" * 5_000_000, '"' + "x,\n" * 1_700_000 + '"'])
def test_a_long_cell(read, cell):
    frame = read(f"a,b\n{cell},1\ny,\n")
    assert frame.rows() == [(cell.strip('"\n'), 1), ("y", None)]
    assert read(f"a,b\n{cell},1\n").height == 1


def test_a_long_cell_may_be_ragged(read):
    with pytest.raises(TableError, match=r"got 1 in row 2 \(line 3\)"):
        read("a,b\n" + "x" * 5_000_000 + ",1\ny\n")


@pytest.mark.parametrize("end", ["\n", "\r\n", "\r", ""])
def test_one_row_of_one_column(read, end):
    assert read(f"a\n1{end}" if end != "\r" else "a\r1\r").rows() == [(1,)]


def test_the_same_bytes_give_the_same_table(read):
    text = "a;b;c\n" + "".join(f"{n},5;00{n};x{n % 3}\n" for n in range(2000))
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        assert read(text).equals(read(text))

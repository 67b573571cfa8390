"""Files that are read piece by piece are the table that they are together."""

import numpy as np
import polars as pl
import pytest
from polars.testing import assert_frame_equal

from chainrule import ArgumentError, FileError, TableError, open_stream, read_table
from chainrule.tables import stream
from chainrule.tables.stream import ahead, bytes_of, find_stream

ROWS = 1_000


@pytest.fixture(autouse=True)
def _small_pieces(monkeypatch):
    monkeypatch.setattr(stream, "PIECE", 90)


@pytest.fixture
def frame():
    numbers = np.random.default_rng(0)
    return pl.DataFrame(
        {
            "x": numbers.normal(size=ROWS),
            "n": numbers.integers(0, 9, ROWS).astype(np.int32),
            "city": pl.Series(numbers.choice(["Rome", "Oslo"], ROWS)).cast(pl.Categorical),
        }
    )


@pytest.fixture
def folder(frame, tmp_path):
    frame[:400].write_parquet(tmp_path / "a.parquet", row_group_size=130)
    frame[400:401].write_parquet(tmp_path / "b.parquet")
    frame[401:].write_ipc(tmp_path / "c.arrow")
    return tmp_path


def test_pieces_together_are_the_table(frame, folder):
    table = open_stream(folder)
    expected = frame.with_columns(pl.col("city").cast(pl.String))
    assert table.rows == ROWS
    assert table.names == ("x", "n", "city")
    assert max(piece.rows for piece in table.pieces) == 90
    assert_frame_equal(pl.concat(table.in_order()), expected)
    assert_frame_equal(pl.concat(table.in_order(4)), expected)
    assert_frame_equal(table.lazy().collect(), expected)
    assert_frame_equal(read_table(folder), expected)


def test_any_piece_can_be_read(frame, folder):
    table = open_stream(folder)
    expected = frame.with_columns(pl.col("city").cast(pl.String))
    numbers = [7, 0, 5]
    assert_frame_equal(table.read(numbers), expected[table.places(numbers)])


def test_a_pattern_and_a_file(folder):
    assert open_stream(folder / "*.parquet").rows == 401
    assert open_stream(folder / "a.parquet").rows == 400


def test_folders_say_columns(frame, tmp_path):
    for year, zone in ((2023, "a"), (2024, "b")):
        place = tmp_path / f"year={year}" / f"zone={zone}"
        place.mkdir(parents=True)
        frame[:100].write_parquet(place / "part.parquet")
    (tmp_path / "_temporary").mkdir()
    (tmp_path / "_temporary" / "left.parquet").write_bytes(b"half")
    table = open_stream(tmp_path)
    read = table.read(range(len(table.pieces)))
    assert read.columns == ["x", "n", "city", "year", "zone"]
    assert read["year"].to_list() == [2023] * 100 + [2024] * 100
    assert read["zone"].to_list() == ["a"] * 100 + ["b"] * 100


def test_files_of_other_columns_are_refused(frame, tmp_path):
    frame.write_parquet(tmp_path / "a.parquet")
    frame.drop("n").write_parquet(tmp_path / "b.parquet")
    with pytest.raises(TableError, match="it lacks 'n'"):
        open_stream(tmp_path)


def test_a_column_has_one_type(frame, tmp_path):
    frame.write_parquet(tmp_path / "a.parquet")
    frame.with_columns(n=pl.lit(0.5)).write_parquet(tmp_path / "b.parquet")
    assert open_stream(tmp_path).schema["n"] == pl.Float64
    frame.with_columns(n=pl.lit("text")).write_parquet(tmp_path / "b.parquet")
    with pytest.raises(TableError, match="'n' must be of one type in all files; got Int32 and String"):
        open_stream(tmp_path)


def test_what_cannot_be_read_in_parts(frame, tmp_path):
    frame.write_csv(tmp_path / "a.csv")
    assert find_stream(tmp_path / "a.csv") is None
    assert find_stream("-") is None
    with pytest.raises(FileError, match="must be Parquet or Arrow files, to be read in parts"):
        open_stream(tmp_path / "a.csv")
    with pytest.raises(FileError, match="must be a file that exists"):
        open_stream(tmp_path / "none.parquet")
    frame.clear().write_parquet(tmp_path / "empty.parquet")
    with pytest.raises(TableError, match="must have rows"):
        open_stream(tmp_path / "empty.parquet")


def test_a_damaged_file_is_named(frame, tmp_path):
    frame.write_parquet(tmp_path / "a.parquet")
    whole = (tmp_path / "a.parquet").read_bytes()
    (tmp_path / "a.parquet").write_bytes(whole[:-200])
    with pytest.raises(FileError, match=r"a.parquet' must be a whole Parquet file; its end is cut off"):
        open_stream(tmp_path / "a.parquet")


def test_a_file_that_changes_is_noticed(frame, tmp_path):
    frame.write_parquet(tmp_path / "a.parquet")
    table = open_stream(tmp_path / "a.parquet")
    frame[:300].write_parquet(tmp_path / "a.parquet")
    with pytest.raises(FileError, match="must stay as it is while it is read"):
        table.read([11])


@pytest.mark.parametrize(
    ("text", "bytes_"),
    [("2GB", 2 * 10**9), ("1.5 GiB", 3 * 2**29), ("3g", 3 * 10**9), (4 * 10**9, 4 * 10**9), ("1tb", 10**12)],
)
def test_sizes(text, bytes_):
    assert bytes_of(text) == bytes_


@pytest.mark.parametrize("text", ["much", "-1GB", "", "2 apples"])
def test_what_is_no_size(text):
    with pytest.raises(ArgumentError, match="memory must be a size, such as '2GB'"):
        bytes_of(text)


def test_too_little_memory():
    with pytest.raises(ArgumentError, match="at least 1 GB"):
        bytes_of("10MB")


def test_ahead_keeps_the_order_and_tells_errors():
    assert list(ahead(lambda n: n * n, range(7), 3)) == [0, 1, 4, 9, 16, 25, 36]
    assert list(ahead(str, [], 2)) == []

    def work(n):
        if n == 3:
            raise ValueError("three")
        return n

    found = ahead(work, range(7), 2)
    assert [next(found) for _ in range(3)] == [0, 1, 2]
    with pytest.raises(ValueError, match="three"):
        next(found)

import io
import subprocess
import sys
from pathlib import Path

import polars as pl
import pyarrow.parquet as pq
import pytest

from chainrule.errors import FileError
from chainrule.tables.parquet_pages import impossible_page
from chainrule.tables.reading import read_table

EXAMPLES = Path(__file__).parents[2] / "examples"
FRAME = pl.DataFrame(
    {
        "numbers": [k * 7 % 24 + 0.25 for k in range(24)],
        "texts": ["x" if k % 3 else "z" for k in range(24)],
        "truths": [None if k % 5 else True for k in range(24)],
        "lists": [[k] * (k % 3) for k in range(24)],
        "records": [{"a": k, "b": [None, "x"]} for k in range(24)],
        "nothing": [None] * 24,
    }
)


def written(**options) -> bytes:
    data = io.BytesIO()
    FRAME.write_parquet(data, **options)
    return data.getvalue()


@pytest.mark.parametrize(
    "options",
    [
        {},
        {"data_page_version": "2.0"},
        {"use_dictionary": False, "compression": "none"},
        {"row_group_size": 5, "write_page_index": True, "write_page_checksum": True},
        {"data_page_size": 1, "column_encoding": "PLAIN", "use_dictionary": False},
    ],
)
def test_what_other_programs_write_is_possible(options):
    data = io.BytesIO()
    pq.write_table(FRAME.drop("nothing").to_arrow(), data, **options)
    assert impossible_page(data) is None


@pytest.mark.parametrize("compression", ["zstd", "snappy", "gzip", "lz4", "uncompressed"])
def test_what_polars_writes_is_possible(compression):
    assert impossible_page(io.BytesIO(written(compression=compression))) is None
    assert impossible_page(io.BytesIO((EXAMPLES / "diamonds.parquet").read_bytes())) is None


def test_a_count_below_zero_is_refused_before_it_ends_the_process(tmp_path):
    data = bytearray(written())
    assert data[4:6] == b"\x15\x00"  # a data page, whose header begins with its kind
    place = data.index(b"\x2c\x15\x30", 4) + 2  # 24 values, as a zigzag
    data[place] ^= 1
    said = "a page of its column chunk 1 has a count of -25, where its column has 24 values"
    assert impossible_page(io.BytesIO(bytes(data))) == said
    path = tmp_path / "t.parquet"
    path.write_bytes(data)
    with pytest.raises(FileError, match=f"whole Parquet file; {said}. Write or copy it again"):
        read_table(path)
    command = [sys.executable, "-c", f"import polars; polars.read_parquet({str(path)!r})"]
    assert subprocess.run(command, capture_output=True).returncode != 0, "else this look is needed no more"


def test_a_size_beyond_the_column_is_refused():
    data = bytearray(written(compression="uncompressed"))
    assert data[6] == 0x15
    data[7] |= 1  # its size, an odd zigzag, is below zero
    assert "a size of -" in impossible_page(io.BytesIO(bytes(data)))


def test_what_cannot_be_followed_is_left_to_polars():
    data = written()
    footer = len(data) - 8 - int.from_bytes(data[-8:-4], "little")
    for damaged in (
        b"",
        b"PAR1PAR1",
        data[:-8] + b"\xff\xff\xff\x7fPAR1",
        data[:footer] + bytes(len(data) - footer - 8) + data[-8:],
        data[:footer] + b"\x1c" * (len(data) - footer - 8) + data[-8:],
        data[:footer] + b"\xff" * (len(data) - footer - 8) + data[-8:],
        data[footer:],
    ):
        assert impossible_page(io.BytesIO(damaged)) is None

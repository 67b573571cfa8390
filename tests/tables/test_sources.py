import bz2
import gzip
import io
import lzma
import os
import tracemalloc

import pyarrow
import pytest

from chainrule.errors import FileError
from chainrule.tables import sources
from chainrule.tables.reading import read_table

TEXT = b"a,b\n" + "".join(f"{row},é{row}\n" for row in range(500)).encode()
ZSTD = pyarrow.compress(TEXT, codec="zstd", asbytes=True)
PACKED = {"gzip": gzip.compress(TEXT), "bzip2": bz2.compress(TEXT), "xz": lzma.compress(TEXT), "zstd": ZSTD}


@pytest.fixture
def file(tmp_path):
    def write(content, name="t.csv"):
        (tmp_path / name).write_bytes(content)
        return tmp_path / name

    return write


@pytest.fixture
def only_polars(monkeypatch):
    """Neither Python 3.14's zstd nor pyarrow."""

    def absent(name):
        raise ImportError(name)

    monkeypatch.setattr(sources, "import_module", absent)


@pytest.mark.parametrize("name", ["t.csv", "t.gz", "table"])
@pytest.mark.parametrize("kind", PACKED)
def test_packed_files_are_known_by_their_bytes(file, kind, name):
    frame = read_table(file(PACKED[kind], name))
    assert frame.shape == (500, 2)
    assert frame.row(7) == (7, "é7")


def test_what_is_packed_may_be_of_any_format(file):
    data = io.BytesIO()
    read_table(file(TEXT)).write_parquet(data)
    assert read_table(file(gzip.compress(data.getvalue()), "t.csv.gz")).shape == (500, 2)


@pytest.mark.parametrize("kept", [5, 30, -3])
@pytest.mark.parametrize("kind", PACKED)
def test_half_an_archive(file, kind, kept):
    with pytest.raises(
        FileError, match=rf"t.csv' must be a whole {kind} file; unpacking it failed: .*\w\. Copy"
    ):
        read_table(file(PACKED[kind][:kept]))


def test_a_damaged_archive(file):
    damaged = bytearray(PACKED["gzip"])
    damaged[len(damaged) // 2] ^= 255
    with pytest.raises(FileError, match="must be a whole gzip file"):
        read_table(file(bytes(damaged)))


def test_zstd_by_polars(file, only_polars):
    text = b'a,b\r\n1,x\r\n\r\n2,"y\n\n"\r\n'
    packed = pyarrow.compress(text, codec="zstd", asbytes=True)
    assert read_table(file(packed)).rows() == [(1, "x"), (2, "y")]
    with pytest.raises(FileError, match="must be a whole zstd file"):
        read_table(file(packed[:-4]))


def test_text_may_begin_like_an_archive(file):
    assert read_table(file(b"BZh9,b\n1,2\n")).columns == ["BZh9", "b"]


@pytest.mark.parametrize("kind", PACKED)
def test_an_archive_that_would_fill_the_memory_is_refused(file, monkeypatch, kind):
    monkeypatch.setattr(sources, "memory", lambda: 8 << 20)
    pack = {"gzip": gzip.compress, "bzip2": bz2.compress, "xz": lzma.compress}
    zeros = b"0" * (40 << 20)
    packed = pack[kind](zeros) if kind in pack else pyarrow.compress(zeros, codec="zstd", asbytes=True)
    del zeros
    path = file(packed)
    tracemalloc.start()
    with pytest.raises(FileError, match=r"must fit into memory; unpacked it has more than 0.00391 GiB"):
        read_table(path)
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert peak < 20 << 20


def test_memory_is_what_a_machine_can_have():
    assert 1 << 28 < sources.memory() < 1 << 50


def test_a_folder_says_what_is_in_it(tmp_path):
    with pytest.raises(FileError, match=r"it is a folder\. Add a file name to it"):
        read_table(tmp_path)
    for name in ("a.csv", "b.CSV", "c.parquet", "notes.md"):
        (tmp_path / name).write_text("x")
    with pytest.raises(
        FileError, match=r"it is a folder \(in it: 2 .csv, 1 .parquet\).*pattern: '.*/\*.csv'"
    ):
        read_table(tmp_path)


def test_a_pattern_without_a_match(tmp_path):
    (tmp_path / "a.csv").mkdir()
    with pytest.raises(FileError, match=r"\*.csv' must match a file; it matches none. Check the pattern."):
        read_table(tmp_path / "*.csv")


def test_a_pattern_may_go_through_folders(tmp_path):
    (tmp_path / "x" / "y").mkdir(parents=True)
    (tmp_path / "x" / "y" / "t.csv").write_text("a\n1\n")
    assert read_table(tmp_path / "**" / "*.csv")["a"].to_list() == [1]


def test_a_broken_link_of_a_pattern_is_named(tmp_path):
    (tmp_path / "a.csv").symlink_to(tmp_path / "gone")
    with pytest.raises(FileError, match=r"a.csv' must be a file that exists"):
        read_table(tmp_path / "*.csv")


def test_an_address_is_a_path(tmp_path, monkeypatch):
    (tmp_path / "s3:").mkdir()
    (tmp_path / "s3:" / "t.csv").write_text("a\n1\n")
    monkeypatch.chdir(tmp_path)
    assert read_table("s3://t.csv")["a"].to_list() == [1]


def test_a_pipe_is_read_once():
    reader, writer = os.pipe()
    os.write(writer, PACKED["gzip"])
    os.close(writer)
    try:
        assert read_table(f"/dev/fd/{reader}").shape == (500, 2)
    finally:
        os.close(reader)

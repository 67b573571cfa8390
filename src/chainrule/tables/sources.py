"""Where a table comes from: a file, several by a pattern, a pipe or standard input, packed or not."""

import bz2
import glob
import gzip
import io
import lzma
import os
import sys
import zlib
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager, suppress
from importlib import import_module
from pathlib import Path
from typing import IO, Any, NamedTuple

from chainrule.errors import ChainruleError, FileError, TableError

__all__ = ["Source", "clear_errors", "find_paths", "find_sources", "other_columns", "unpacked"]

_PIECE = 1 << 20  # bytes that are looked at together
_TEXTS = (".csv", ".tsv", ".txt", ".jsonl", ".ndjson", ".json")
_TABLES = (*_TEXTS, ".parquet", ".pq", ".feather", ".arrow", ".ipc", ".xlsx")


class Source(NamedTuple):
    """The bytes of a file: by its path where others may open it too, else all of them."""

    name: str
    """What errors call it."""
    path: Path | None
    data: bytes = b""
    """All bytes, if there is no path."""

    def head(self, size: int) -> bytes:
        """The first bytes, `size` of them if there are as many."""
        return next(self.pieces(size), b"")

    def tail(self, size: int) -> bytes:
        """The last bytes, `size` of them if there are as many."""
        with self.open() as stream:
            stream.seek(max(0, stream.seek(0, io.SEEK_END) - size))
            return stream.read()

    def whole(self) -> bytes:
        """All bytes."""
        return self.data if self.path is None else self.path.read_bytes()

    def pieces(self, size: int = _PIECE) -> Iterator[bytes]:
        """All bytes in their order, without holding all of them."""
        with self.open() as stream:
            while piece := stream.read(size):
                yield piece

    def open(self) -> IO[bytes]:
        """A stream from the beginning on."""
        return io.BytesIO(self.data) if self.path is None else self.path.open("rb")

    def place(self) -> str | bytes:
        """What polars shall read: the path, unless polars would take it for a pattern or an address."""
        if self.path is None or set("*?[]") & set(str(self.path)):
            return self.whole()
        return str(self.path.absolute())


@contextmanager
def clear_errors(name: str) -> Iterator[None]:
    """Turn what the system says of a file that cannot be read into a FileError; ``name`` is the file's."""
    try:
        yield
    except FileNotFoundError:
        raise FileError(f"{name} must be a file that exists; there is none. Check the path.") from None
    except IsADirectoryError:
        raise FileError(f"{name} must be a file; it is a folder. Add a file name to it.") from None
    except ChainruleError:
        raise
    except (OSError, ValueError) as error:  # ValueError: a zero byte in the path
        reason = getattr(error, "strerror", None) or error
        raise FileError(f"{name} must be readable; the system says: {reason}. Check the path.") from None


def find_sources(source: str | os.PathLike[str]) -> list[Source]:
    """The file at a path, or those that match a pattern such as "data/*.csv", in the order of their names.

    Raises
    ------
    FileError
        If there is none, it is a folder, or it cannot be read.
    """
    if str(source) == "-":
        return [Source("standard input", None, sys.stdin.buffer.read())]
    sources = []
    for path in find_paths(source):
        with clear_errors(repr(str(path))):
            sources.append(_file(path))
    return sources


def find_paths(source: str | os.PathLike[str]) -> list[Path]:
    """The same as paths, of which one by its name is not looked at and may be anything.

    Raises
    ------
    FileError
        If a pattern matches no file.
    """
    text = os.fspath(source)
    with clear_errors(repr(str(source))):
        if os.path.lexists(text) or not glob.has_magic(text):
            return [Path(source)]
        matches = sorted(glob.glob(text, recursive=True))  # noqa: PTH207  pathlib takes no absolute pattern
        found = [path for path in map(Path, matches) if not path.is_dir()]
    if not found:
        raise FileError(f"{text!r} must match a file; it matches none. Check the pattern.")
    return found


def _file(path: Path) -> Source:
    name = repr(str(path))
    if path.is_dir():
        raise FileError(f"{name} must be a file; it is a folder{_what_is_in(path)}.")
    if path.is_file():
        path.open("rb").close()  # what cannot be opened is refused here, under its name
        return Source(name, path)
    return Source(name, None, path.read_bytes())  # a pipe can be read only once


def _what_is_in(folder: Path) -> str:
    """The kinds of tables in a folder, and how to read them."""
    suffixes = Counter(path.suffix.lower() for path in folder.iterdir() if path.is_file())
    tables = [(suffix, suffixes[suffix]) for suffix in _TABLES if suffixes[suffix]]
    if not tables:
        return ". Add a file name to it"
    listed = ", ".join(f"{count} {suffix}" for suffix, count in tables)
    most = max(tables, key=lambda table: table[1])[0]
    pattern = str(folder / f"*{most}")
    return f" (in it: {listed}). Name one of its files, or all of a kind by a pattern: {pattern!r}"


def unpacked(source: Source) -> Source:
    """What is packed by gzip, bzip2, xz or zstd, as its first bytes say, is unpacked in memory.

    Raises
    ------
    FileError
        If it is not whole, or would take more than half of the machine's memory.
    """
    head = source.head(10)
    found = next(((kind, opener) for kind, begins, opener in _PACKERS if begins(head)), None)
    if found is None:
        return source
    kind, opener = found
    most = memory() // 2
    data = io.BytesIO()
    try:
        with source.open() as packed, opener(packed) as stream:
            while piece := stream.read(_PIECE):
                data.write(piece)
                if data.tell() > most:
                    raise _too_large(source.name, most)
    except FileError:
        raise
    except (OSError, EOFError, zlib.error, lzma.LZMAError) as error:
        raise FileError(
            f"{source.name} must be a whole {kind} file; unpacking it failed: "
            f"{str(error).partition(chr(10))[0].rstrip('.')}. Copy or write it again."
        ) from None
    return Source(source.name, None, data.getvalue())


def _too_large(name: str, most: int) -> FileError:
    return FileError(
        f"{name} must fit into memory; unpacked it has more than {most / 2**30:.3g} GiB, half of what this "
        "machine has. Unpack it elsewhere, and keep the rows that you need."
    )


def memory() -> int:
    """Bytes of memory that this process may use at most."""
    try:
        bounds = [os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES")]
    except (AttributeError, ValueError, OSError):  # not every system tells
        bounds = [16 << 30]
    for file in ("/sys/fs/cgroup/memory.max", "/sys/fs/cgroup/memory/memory.limit_in_bytes"):
        try:
            bounds.append(int(Path(file).read_text()))
        except (OSError, ValueError):  # no container, or "max"
            continue
    return min(bounds)


def _open_zstd(packed: IO[bytes]) -> IO[bytes]:
    with suppress(ImportError):  # from Python 3.14 on
        return import_module("compression.zstd").open(packed)
    with suppress(ImportError):
        return import_module("pyarrow").CompressedInputStream(packed, "zstd")
    return _open_zstd_by_polars(packed)


def _open_zstd_by_polars(packed: IO[bytes]) -> IO[bytes]:
    """Polars unpacks zstd only where it reads text, so have it read lines."""
    import polars as pl

    try:
        lines = pl.read_csv(
            packed.read(), has_header=False, separator="\x01", quote_char=None, schema={"line": pl.String}
        ).to_series()
    except (pl.exceptions.PolarsError, pl.exceptions.PanicException) as error:
        raise OSError(f"{error}") from None
    return io.BytesIO("\n".join(lines.fill_null("").to_list()).encode())


def _begins_bzip2(head: bytes) -> bool:
    # "BZh" alone may be text; a block or the end of the stream must follow.
    return head[:3] == b"BZh" and head[4:10] in (b"1AY&SY"[: len(head) - 4], b"\x17rE8P\x90")


_PACKERS: tuple[tuple[str, Callable[[bytes], bool], Callable[[IO[bytes]], Any]], ...] = (
    ("gzip", lambda head: head.startswith(b"\x1f\x8b"), gzip.open),
    ("bzip2", _begins_bzip2, bz2.open),
    ("xz", lambda head: head.startswith(b"\xfd7zXZ"), lzma.open),
    ("zstd", lambda head: head.startswith(b"\x28\xb5\x2f\xfd"), _open_zstd),
)


def other_columns(name: str, columns: Sequence[str], model: str, expected: Sequence[str]) -> TableError:
    """What to say of a file whose columns are not those of the first."""
    further = [repr(column) for column in columns if column not in set(expected)]
    absent = [repr(column) for column in expected if column not in set(columns)]
    differences = [
        f"{word} {', '.join(listed[:5])}{' …' if len(listed) > 5 else ''}"
        for word, listed in (("it lacks", absent), ("it has also", further))
        if listed
    ]
    return TableError(
        f"{name} must have the same columns as {model}; {' and '.join(differences)}. "
        "Rename or drop columns, or narrow the pattern."
    )

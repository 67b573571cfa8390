"""Tables too large for memory: Parquet and Arrow files, read in pieces of neighbouring rows."""

import os
import re
from collections import deque
from collections.abc import Callable, Iterable, Iterator, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple, TypeVar, final

import numpy as np

from chainrule.errors import ArgumentError, FileError, TableError
from chainrule.tables.formats import refuse_cut_off
from chainrule.tables.sources import Source, clear_errors, find_paths, other_columns
from chainrule.tables.sources import memory as machine_memory

if TYPE_CHECKING:
    import polars as pl

__all__ = ["PIECE", "Piece", "Stream", "ahead", "bytes_of", "find_stream", "open_stream"]

PIECE = 65_536
"""Neighbouring rows that are read together."""

_LEAST = 10**9  # bytes of memory

_SUFFIXES = (".parquet", ".pq", ".arrow", ".feather", ".ipc")
_BEGINS = {b"PAR1": "Parquet", b"ARROW1": "Arrow"}
_PARTITION = re.compile(r"([^=]+)=(.*)")


class _File(NamedTuple):
    name: str
    """What errors call it."""
    path: str
    kind: str
    rows: int
    said: dict[str, Any]
    """Columns that its folders say, such as year=2024, and their value."""


class Piece(NamedTuple):
    """Neighbouring rows of a file."""

    file: int
    offset: int
    rows: int
    first: int
    """The number of the first of them in the whole table, from 0."""


@final
class Stream:
    """A table in files that can be read from any row on; its rows are counted, but not in memory.

    Parameters
    ----------
    files
        Whose rows are one below the other; all have the same columns.
    memory
        How many bytes a program that reads it may take.
    """

    def __init__(self, files: Sequence[_File], memory: int) -> None:
        import polars as pl

        self._files, self.memory = tuple(files), memory
        first = _scan(files[0]).collect_schema()
        partitions = files[0].said
        for file in files[1:]:
            own = _scan(file).collect_schema()
            if set(own) | set(file.said) != set(first) | set(partitions):
                known = [*first, *partitions]
                raise other_columns(file.name, [*own, *file.said], files[0].name, known)
        self.schema: dict[str, Any] = {
            name: _common(name, [_scan(file).collect_schema()[name] for file in files]) for name in first
        }
        for name in partitions:
            whole = all(isinstance(file.said[name], int) for file in files)
            self.schema[name] = pl.Int64() if whole else pl.String()
        pieces, start = [], 0
        for number, file in enumerate(files):
            for offset in range(0, file.rows, PIECE):
                rows = min(PIECE, file.rows - offset)
                pieces.append(Piece(number, offset, rows, start))
                start += rows
        self.pieces: tuple[Piece, ...] = tuple(pieces)
        """All of the table, in its order."""
        self.rows = start
        """How many rows there are."""

    @property
    def names(self) -> tuple[str, ...]:
        """The columns."""
        return tuple(self.schema)

    @property
    def files(self) -> tuple[tuple[str, int, int], ...]:
        """The name of each file without its folders, its bytes and its rows."""
        return tuple((Path(f.path).name, Path(f.path).stat().st_size, f.rows) for f in self._files)

    def read(self, numbers: Sequence[int]) -> "pl.DataFrame":
        """The rows of some pieces, one below the other in this order.

        Raises
        ------
        FileError
            If a file is no longer there, or no longer what it was.
        """
        import polars as pl

        asked = [self.pieces[number] for number in numbers]
        with _told(self._files[asked[0].file]):
            frames = pl.collect_all([self._of(piece) for piece in asked])
        for piece, frame in zip(asked, frames, strict=True):
            if frame.height != piece.rows:
                raise FileError(
                    f"{self._files[piece.file].name} must stay as it is while it is read; it now has other "
                    "rows. Begin again."
                )
        return pl.concat(frames)

    def places(self, numbers: Sequence[int]) -> np.ndarray:
        """The numbers of these rows in the whole table, from 0."""
        asked = [self.pieces[number] for number in numbers]
        return np.concatenate([np.arange(piece.first, piece.first + piece.rows) for piece in asked])

    def in_order(self, pieces: int = 1) -> "Iterator[pl.DataFrame]":
        """All rows, so many pieces at once; while one part is worked on, a thread reads the next."""
        starts = range(0, len(self.pieces), pieces)
        parts = [range(start, min(start + pieces, len(self.pieces))) for start in starts]
        return ahead(self.read, parts, 1)

    def lazy(self) -> "pl.LazyFrame":
        """All rows as a query of polars."""
        import polars as pl

        return pl.concat([self._typed(_scan(file), file) for file in self._files])

    def _of(self, piece: Piece) -> "pl.LazyFrame":
        file = self._files[piece.file]
        return self._typed(_scan(file).slice(piece.offset, piece.rows), file)

    def _typed(self, query: "pl.LazyFrame", file: _File) -> "pl.LazyFrame":
        """With one type for each column in all files; those that folders say are the last."""
        import polars as pl

        own = {name: dtype for name, dtype in self.schema.items() if name not in file.said}
        said = [pl.lit(value).cast(self.schema[name]).alias(name) for name, value in file.said.items()]
        return query.select(*(pl.col(name).cast(dtype) for name, dtype in own.items()), *said)


def open_stream(source: str | os.PathLike[str], *, memory: str | int | None = None) -> Stream:
    """Open a table that is too large for memory, for ``fit`` and ``predict_table`` to read in parts.

    Parameters
    ----------
    source
        A path, a pattern such as "data/*.parquet", or a folder. What stands in the names of folders in it, as
        in ``year=2024/month=1``, are columns too.
    memory
        How much memory the program may take, in bytes or such as "2GB" or "500 MiB"; by default half of what
        the machine has.

    Raises
    ------
    FileError
        If there is no such file, one is damaged, or they are not all Parquet or Arrow.
    TableError
        If files have other columns than the first.
    ArgumentError
        If ``memory`` is none, or less than a GB.
    """
    stream = find_stream(source, memory=memory)
    if stream is None:
        raise FileError(
            f"{str(source)!r} must be Parquet or Arrow files, to be read in parts; it is something else. "
            "Read it whole by read_table, or convert it, as polars.scan_csv(…).sink_parquet(…) does."
        )
    return stream


def find_stream(source: str | os.PathLike[str], *, memory: str | int | None = None) -> Stream | None:
    """The same, but None where the files are not all Parquet or Arrow."""
    allowed = bytes_of(memory)
    if str(source) == "-":
        return None
    folder = Path(source)
    if folder.is_dir():
        paths = sorted(path for path in folder.rglob("*") if path.suffix in _SUFFIXES and path.is_file())
        hidden = [path for path in paths if any(part[0] in "._" for part in path.relative_to(folder).parts)]
        paths = [path for path in paths if path not in hidden]
        if not paths:
            return None
    else:
        paths = find_paths(source)
        if any(os.path.exists(path) and not path.is_file() for path in paths):  # noqa: PTH110  any name
            return None  # a pipe can be read only once
    kinds = [_kind(path) for path in paths]
    if None in kinds:
        return None
    root = folder if folder.is_dir() else None
    files = [_file(path, str(kind), root) for path, kind in zip(paths, kinds, strict=True)]
    filled = [file for file in files if file.rows]
    if not filled:
        raise TableError(f"{str(source)!r} must have rows; it has none. Check what wrote it.")
    return Stream(filled, allowed)


def bytes_of(memory: str | int | None) -> int:
    """How many bytes are meant, such as "2GB"; by default half of what the machine has.

    Raises
    ------
    ArgumentError
        If it is no size, or less than a GB.
    """
    if memory is None:
        return machine_memory() // 2
    found = re.fullmatch(r"\s*(\d+(?:\.\d+)?)\s*([kmgt]?)(i?)b?\s*", str(memory), re.IGNORECASE)
    if found is None:
        raise ArgumentError(f"memory must be a size, such as '2GB'; got {memory!r}.")
    number, prefix, binary = found.groups()
    size = int(float(number) * (1024 if binary else 1000) ** " kmgt".index(prefix.lower() or " "))
    if size < _LEAST:
        raise ArgumentError(
            f"memory must be at least 1 GB, of which the program itself takes most; got {memory!r}."
        )
    return size


def _kind(path: Path) -> str | None:
    with clear_errors(repr(str(path))), path.open("rb") as file:
        head = file.read(6)
    return next((kind for magic, kind in _BEGINS.items() if head.startswith(magic)), None)


def _file(path: Path, kind: str, root: Path | None) -> _File:
    import polars as pl

    said: dict[str, Any] = {}
    for part in path.relative_to(root).parts[:-1] if root else ():
        partition = _PARTITION.fullmatch(part)
        if partition:
            name, value = partition.groups()
            said[name] = int(value) if re.fullmatch(r"0|-?[1-9]\d{0,17}", value) else value
    file = _File(repr(str(path)), str(path.absolute()), kind, 0, said)
    if kind == "Parquet":
        refuse_cut_off(Source(file.name, path))
    with _told(file):
        rows = _scan(file).select(pl.len()).collect().item()
    return file._replace(rows=int(rows))


class _told:  # noqa: N801  a context manager, as functions of contextlib are
    """Say of a file what polars says of it."""

    def __init__(self, file: _File) -> None:
        self._file = file

    def __enter__(self) -> None:
        pass

    def __exit__(self, kind: Any, error: BaseException | None, trace: object) -> None:
        import polars as pl

        wrong = (pl.exceptions.PolarsError, pl.exceptions.PanicException, OSError)
        if isinstance(error, wrong) and not isinstance(error, FileError | TableError):
            reason = str(error).partition("\n")[0].rstrip(".")
            raise FileError(
                f"{self._file.name} must be a whole {self._file.kind} file; reading it failed: {reason}. "
                "Write or copy it again."
            ) from None


def _scan(file: _File) -> "pl.LazyFrame":
    import polars as pl

    if file.kind == "Parquet":
        return pl.scan_parquet(file.path, hive_partitioning=False, glob=False)
    return pl.scan_ipc(file.path, hive_partitioning=False, glob=False)


def _common(name: str, found: Sequence[Any]) -> Any:
    """One type for a column in all files, as a table in memory has it."""
    import polars as pl

    kinds = set(map(_plain, found))
    if len(kinds) == 1:
        return kinds.pop()
    if all(dtype.is_numeric() for dtype in kinds):
        return pl.Float64() if any(dtype.is_float() for dtype in kinds) else pl.Int64()
    some = " and ".join(sorted(map(str, kinds)))
    raise TableError(f"column {name!r} must be of one type in all files; got {some}. Convert or drop it.")


def _plain(dtype: Any) -> Any:
    import polars as pl

    if isinstance(dtype, pl.Categorical | pl.Enum):
        return pl.String()
    if isinstance(dtype, pl.Decimal) or dtype in (pl.Int128, pl.UInt128):
        return pl.Float64()
    return dtype


_In = TypeVar("_In")
_Out = TypeVar("_Out")


def ahead(work: Callable[[_In], _Out], items: Iterable[_In], threads: int) -> Iterator[_Out]:
    """Like ``map``, but with so many threads, each of which works on one item ahead of what is asked for."""
    under_way: deque[Future[_Out]] = deque()
    with ThreadPoolExecutor(threads, "chainrule-reader") as workers:
        for item in items:
            under_way.append(workers.submit(work, item))
            if len(under_way) > threads:
                yield under_way.popleft().result()
        while under_way:
            yield under_way.popleft().result()

"""What a hostile case is: files, commands, and how the last of these must end."""

import io
import shlex
from collections.abc import Callable
from pathlib import Path
from typing import NamedTuple

import polars as pl

ROWS = 24
FIT = "fit t.csv --target y"
PREDICT = "predict m.model t.csv"


class Case(NamedTuple):
    """Files in a folder, and a command that works there; `says` and `tells` are patterns."""

    name: str
    files: Callable[[Path], object] | bytes | str | None
    """What writes the files, or what is in t.csv."""
    command: str = FIT
    says: str | None = None
    """The error in one line on standard error; None if all must go well."""
    tells: str = ""
    """What a warning says, if all goes well."""
    code: int = 1
    stdin: bytes | None = None
    long: bool = False

    @property
    def words(self) -> list[str]:
        return shlex.split(self.command)

    def write(self, folder: Path) -> None:
        if callable(self.files):
            self.files(folder)
        elif self.files is not None:
            (folder / "t.csv").write_bytes(encoded(self.files))


def encoded(content: bytes | str) -> bytes:
    return content.encode() if isinstance(content, str) else content


def base(rows: int = ROWS) -> pl.DataFrame:
    """A number, a category and a target; tables that are encoded like it share its compiled program."""
    return pl.DataFrame(
        {
            "a": [k * 7 % rows + 0.25 for k in range(rows)],
            "c": ["x" if k % 3 else "z" for k in range(rows)],
            "y": [k * 7 % rows - 3.5 * (k % 3) for k in range(rows)],
        }
    )


def with_column(name: str, values: object, dtype: object = None) -> pl.DataFrame:
    """The base with a column more, or another in its place."""
    return base().with_columns(pl.Series(name, values, dtype, strict=False))


def text(frame: pl.DataFrame | None = None, **options: object) -> str:
    return (base() if frame is None else frame).write_csv(**options)


def lines(**changed: str) -> str:
    """The base as text with some lines replaced: l0 is the header, l1 the first row."""
    every = text().splitlines()
    for place, line in changed.items():
        every[int(place[1:])] = line
    return "\n".join(every) + "\n"


def cells(name: str, *values: object) -> str:
    """The base as text, with these cells one after the other, again and again, in a column."""
    frame = base().with_columns(pl.Series(name, [str(values[k % len(values)]) for k in range(ROWS)]))
    return frame.write_csv(quote_style="necessary").replace('""', "")


def binary(method: str, frame: pl.DataFrame | None = None, **options: object) -> bytes:
    data = io.BytesIO()
    getattr(base() if frame is None else frame, method)(data, **options)
    return data.getvalue()

"""What is worth telling about a table, and the words for it."""

from collections.abc import Sequence
from typing import TYPE_CHECKING, Literal, NamedTuple

if TYPE_CHECKING:
    import polars as pl

__all__ = ["SAMPLE", "Kind", "Notice", "Target", "counted", "marked", "share_of", "shortly"]

Kind = Literal[
    "leak",
    "rows in both parts",
    "repeated rows",
    "equal columns",
    "constant",
    "missing",
    "mostly missing",
    "identifier",
    "free text",
    "dates as numbers",
    "far values",
    "constant target",
    "skewed target",
    "imbalance",
    "warning",
]

SAMPLE = 100_000
"""Above this many rows, what needs no exact answer is looked at in a sample."""

_LONGEST = 60


class Notice(NamedTuple):
    """One thing that a person should know before trusting what was learnt."""

    kind: Kind
    column: str | None
    """The column that it is about; None if it is about rows or the target."""
    text: str
    """A sentence."""


class Target(NamedTuple):
    """One target: numbers, or classes as texts."""

    values: "pl.Series"
    classes: bool
    name: str
    """How sentences call it, such as "the target"."""


def counted(number: int, what: str) -> str:
    """A number of things: "1 row", "2,000 rows"."""
    return f"{number:,} {what}" if number == 1 else f"{number:,} {what}s"


def share_of(number: int, of: int) -> str:
    """A share in per cent that is "0 %" and "100 %" only where it is."""
    share = 100 * number / of
    if 0 < share < 0.1:
        return "less than 0.1 %"
    if 99.9 < share < 100:
        return "more than 99.9 %"
    return f"{share:.0f} %" if 10 <= share <= 90 or share in (0, 100) else f"{share:.1f} %"


def shortly(value: object) -> str:
    """A value in quotes, cut where it is long."""
    text = str(value)
    return repr(text if len(text) <= _LONGEST else f"{text[: _LONGEST - 1]}…")


def marked(texts: Sequence[str], *, more: bool = False) -> str:
    """How to mark texts that mean missing, in Python; the command line says it by its option."""
    return f"read_table(…, missing=[{', '.join(map(repr, texts))}{', …' * more}]), or as None"

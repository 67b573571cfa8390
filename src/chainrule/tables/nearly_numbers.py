"""Columns of texts that were meant as numbers: some cells, or signs such as %, stand in the way."""

from typing import TYPE_CHECKING

from chainrule.tables.notice import counted, marked, shortly

if TYPE_CHECKING:
    import polars as pl

__all__ = ["nearly_numbers"]

_FEW = 10  # so many numbers may be levels, and so many other texts ways to say "missing"
_SAMPLE = 10_000
_PLAIN = r"^\s*[+-]?(?:\d+(?:[.,]\d*)?|[.,]\d+)(?:[eE][+-]?\d+)?\s*$"
_DIGITS = r"(?:\d{1,3}(?:[.,'’\x{a0}\x{202f}]\d{3})+|\d+)(?:[.,]\d+)?|[.,]\d+"
_SIGNED = rf"^\s*[+−-]?\s*[$€£¥]?\s*[+−-]?(?:{_DIGITS})\s*[%$€£¥]?\s*$"
_CODE = r"^\s*0\d+\s*$"


def nearly_numbers(texts: "pl.Series") -> str | None:
    """How a column holds numbers though it is text, and what to do; None where it is no such column.

    Half or more of the cells are numbers, of more than 10 values, and the others have at most 10. Codes, such
    as 00501, are none.
    """
    present = texts.drop_nulls()
    if not _looks_so(present.head(_SAMPLE)) or not _looks_so(present):
        return None
    others = _others(present)
    if not len(others):
        signed = present.filter(~present.str.contains(_PLAIN))
        if not len(signed):
            return None  # texts all the same, in a frame that says so
        return (
            f"numbers with signs, such as {shortly(signed[0])}. Write them without, to learn from them as "
            "numbers."
        )
    different = others.unique(maintain_order=True)
    some, more = different.head(3).to_list(), len(different) > 3
    return (
        f"numbers, but for {counted(len(others), 'row')} with {', '.join(map(shortly, some))}{' …' * more}. "
        f"If that means missing, mark it so ({marked(some, more=more)}), to learn from the others as numbers."
    )


def _looks_so(present: "pl.Series") -> bool:
    others = _others(present)
    numbers = len(present) - len(others)
    return (
        numbers > _FEW
        and numbers >= len(others)
        and others.n_unique() <= _FEW
        and present.n_unique() - others.n_unique() > _FEW
        and not present.str.contains(_CODE).any()
    )


def _others(present: "pl.Series") -> "pl.Series":
    """The texts that are no numbers, however numbers are written."""
    return present.filter(~(present.str.contains(_PLAIN) | present.str.contains(_SIGNED)))

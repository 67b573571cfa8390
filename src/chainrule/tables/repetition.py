"""What a table holds twice: rows, rows of another table, columns.

Rows are compared by hashes of 64 bits: among a million rows, one of 10 million tables has two by chance.
"""

from collections.abc import Iterator
from typing import TYPE_CHECKING

import numpy as np

from chainrule.tables.notice import Notice, counted, share_of, shortly

if TYPE_CHECKING:
    import polars as pl

__all__ = ["equal_columns", "repeated_rows", "rows_in_both", "rows_in_parts"]

_NAMED = 5


def repeated_rows(X: "pl.DataFrame", targets: "pl.DataFrame") -> Iterator[Notice]:
    """Rows that agree in all columns with an earlier one."""
    rows, different = X.height, X.hash_rows().n_unique()
    if different == rows:
        return
    apart = X.hstack(targets).hash_rows().n_unique() - different
    if 2 * different < rows:
        text = f"only {different:,} of {counted(rows, 'row')} differ in the columns"
    else:
        again = counted(rows - different, "row")
        verb = "repeats" if rows - different == 1 else "repeat"
        text = (
            f"{again} of {rows:,} ({share_of(rows - different, rows)}) {verb} an earlier row in all columns"
        )
    if apart:
        text += f"; the target of {apart:,} of these is another, which no model can foresee"
    yield Notice("repeated rows", None, f"{text}.")


def rows_in_both(
    X: "pl.DataFrame", targets: "pl.DataFrame", other: "pl.DataFrame", other_targets: "pl.DataFrame | None"
) -> Iterator[Notice]:
    """Rows of the validation part that are also in the training part."""
    again = int(other.hash_rows().is_in(X.hash_rows().implode()).sum())
    known = None
    if other_targets is not None:
        whole = other.hstack(other_targets).hash_rows()
        known = int(whole.is_in(X.hstack(targets).hash_rows().implode()).sum())
    yield from _in_both(again, other.height, known)


def rows_in_parts(X: "pl.DataFrame", targets: "pl.DataFrame", parts: np.ndarray) -> Iterator[Notice]:
    """Rows of one part that are also in another: each validates what has learnt from the others."""
    again, known = (_also_elsewhere(frame, parts) for frame in (X, X.hstack(targets)))
    yield from _in_both(again, X.height, known)


def _also_elsewhere(rows: "pl.DataFrame", parts: np.ndarray) -> int:
    import polars as pl

    hashes = pl.DataFrame({"row": rows.hash_rows(), "part": parts})
    return int(hashes.select((pl.col("part").n_unique().over("row") > 1).sum()).item())


def _in_both(again: int, rows: int, known: int | None) -> Iterator[Notice]:
    if not again:
        return
    text = (
        f"{counted(again, 'validation row')} of {rows:,} ({share_of(again, rows)}) "
        f"{'is' if again == 1 else 'are'} among the training rows too"
    )
    if known is not None:
        text += f", {_how_many(known, again)} with the same target"
    yield Notice("rows in both parts", None, f"{text}: scores on them say nothing about new rows.")


def equal_columns(X: "pl.DataFrame") -> Iterator[Notice]:
    """Columns with the same values in all rows."""
    alike: dict[int, list[str]] = {}
    # The same numbers are equal whether whole or not; a signature depends on the order of the rows.
    numbers = X.select(_as_floats(X))
    order = _order(X.height)
    for column in numbers:
        alike.setdefault(int((column.hash() * order).sum() or 0), []).append(column.name)
    for names in alike.values():
        first, *others = names
        equal = [name for name in others if numbers[name].equals(numbers[first], null_equal=True)]
        if not equal:
            continue
        shown = ", ".join(map(shortly, equal[:_NAMED]))
        more = f" and {len(equal) - _NAMED:,} more" if len(equal) > _NAMED else ""
        verb, noun = ("repeats", "column") if len(equal) == 1 else ("repeat", "columns")
        text = f"{noun} {shown}{more} {verb} column {shortly(first)} in all rows. One of them is enough."
        yield Notice("equal columns", equal[0], text)


def _as_floats(X: "pl.DataFrame") -> "list[pl.Expr | pl.Series]":
    import polars as pl

    return [column.cast(pl.Float64) if column.dtype.is_integer() else column for column in X]


def _order(rows: int) -> "pl.Series":
    """A large odd number for each row."""
    import polars as pl

    return pl.Series(range(rows), dtype=pl.UInt64).hash(seed=1) | 1


def _how_many(number: int, of: int) -> str:
    return ("one" if of == 1 else "all") if number == of else f"{number:,}" if number else "none"

"""Which task a target asks for: numbers, classes, or labels that each hold or not."""

import warnings
from collections.abc import Sequence
from typing import TYPE_CHECKING

from chainrule.errors import TableError
from chainrule.estimators.target_columns import Task, kind_of
from chainrule.tables.date_columns import spelling_of

if TYPE_CHECKING:
    import polars as pl

__all__ = ["FEW", "ZERO_AND_ONE", "task_of"]

FEW = 10
"""Whole numbers with at most this many different values may well be classes."""

ZERO_AND_ONE = "0 and 1; use --task regression if they are amounts"
"""What the targets are where 0 and 1 are taken for classes."""

_SIGNED_NUMBER = r"^\s*-?([$€£¥]\s*-?\d[\d.,' ]*|\d[\d.,' ]*[%$€£¥])\s*$"


def task_of(frame: "pl.DataFrame", targets: Sequence[str]) -> tuple[Task, str]:
    """The task that targets ask for, and what in them says so, in words.

    Raises
    ------
    TableError
        For a target of dates, or of numbers and texts.
    """
    import polars as pl

    columns = [frame[name] for name in dict.fromkeys(targets)]
    if len(columns) > 1:
        if all(column.dtype == pl.Boolean for column in columns):
            return Task.LABELS, "booleans"
        if all(column.dtype == pl.Boolean or _zero_and_one(column) for column in columns):
            return Task.LABELS, f"each {ZERO_AND_ONE}"
        for column in columns:
            if not (column.dtype.is_numeric() or column.dtype == pl.Boolean):
                raise TableError(
                    f"each of several targets must be numeric; {column.name!r} is {kind_of(column)}. Convert "
                    "it, or fit one model for each."
                )
        return Task.REGRESSION, f"{len(columns)} columns of numbers"
    target = columns[0]
    values = target.drop_nulls()
    different = values.n_unique()
    if not target.dtype.is_numeric():
        kind = "booleans" if target.dtype == pl.Boolean else _different(different, "text")
        _refuse_dates(target)
        _refuse_misspelt_numbers(target)
        return Task.CLASSIFICATION, kind
    if _zero_and_one(target):
        return Task.CLASSIFICATION, ZERO_AND_ONE
    if 1 < different <= FEW and (values == values.floor()).all():
        return (
            Task.REGRESSION,
            f"{_different(different, 'whole number')}; use --task classification if they are classes",
        )
    return Task.REGRESSION, "numbers"


def _zero_and_one(target: "pl.Series") -> bool:
    """Whether a column holds the numbers 0 and 1, both of them, and no other."""
    if not target.dtype.is_numeric():
        return False
    values = target.drop_nulls()
    return values.n_unique() == 2 and values.min() == 0 and values.max() == 1


def _refuse_dates(target: "pl.Series") -> None:
    """Refuse dates and times, each of which would be a class of its own."""
    import polars as pl

    present = target.drop_nulls()
    if target.dtype == pl.String:
        with warnings.catch_warnings():  # of days and months that may be the other way round
            warnings.simplefilter("ignore", UserWarning)
            dates = spelling_of(present) is not None
    else:
        dates = target.dtype.is_temporal()
    if dates:
        raise TableError(
            f"the target {target.name!r} must be numbers or classes; got dates or times, such as "
            f"{str(present[0])!r}. Make a column of numbers of it, such as the days since some day, or "
            f"add --task classification if its {present.n_unique():,} different values are classes."
        )


def _refuse_misspelt_numbers(target: "pl.Series") -> None:
    """Refuse text of which half or more are numbers, some mark then means missing; and amounts in text."""
    import polars as pl

    if target.dtype != pl.String:
        return
    present = target.drop_nulls()
    strange = present.filter(present.cast(pl.Float64, strict=False).is_null())
    signed = len(strange) == len(present) and present.str.contains(_SIGNED_NUMBER).all()
    if signed and present.n_unique() > FEW:
        raise TableError(
            f"the target {target.name!r} must be numbers or classes; got numbers with signs, such as "
            f"{present[0]!r}. Take the signs out of the column, or add --task classification if its "
            f"{present.n_unique():,} different values are classes."
        )
    if 0 < 2 * len(strange) <= len(present):
        raise TableError(
            f"column {target.name!r} must be all numbers or all classes; got both (first text "
            f"{strange[0]!r}). If that means missing, add --missing, which leaves these rows out; if all "
            "are classes, add --task classification."
        )


def _different(number: int, what: str) -> str:
    return f"a single {what}" if number == 1 else f"{number} different {what}s"

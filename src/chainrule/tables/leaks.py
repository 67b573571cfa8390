"""Columns that give the target away: alone, they tell it almost perfectly.

A column and a target are known here by dense ranks: 0 where missing, else 1, 2, … in the order of the values.
"""

from typing import TypeAlias

import numpy as np
import numpy.typing as npt

__all__ = ["tells_class", "tells_number"]

Ranks: TypeAlias = npt.NDArray[np.integer]

_ALMOST = 0.9995
"""A correlation of ranks above this is no relationship between measures, it is one thing written twice."""
_FEWEST_NUMBERS = 50
# One honest measure may well part two classes of a small table (petals of irises), but not order numbers.
_FEWEST_CLASSIFIED = 200
_FEWEST_OTHERS = 20
_SLIPS = 0.02


def tells_number(column: Ranks, target: Ranks, *, ordered: bool) -> str | None:
    """Say how a column tells a number; None if it does not.

    Where all rows differ in the column, it does only if its order is that of the target. No row should be
    there twice, since a row that is tells its own target.
    """
    present = column > 0
    if present.sum() < max(_FEWEST_NUMBERS, len(column) / 2):
        return None
    x, y = _average(column[present]), _average(target[present])
    if not (np.ptp(x) and np.ptp(y)):
        return None
    if ordered:
        correlation = float(np.corrcoef(x, y)[0, 1])
        if abs(correlation) > _ALMOST:
            return f"the order of its values is that of the target (rank correlation {correlation:.5f})"
    return "rows that agree in it agree in the target" if _within(column[present], y) else None


def tells_class(column: Ranks, target: Ranks, *, ordered: bool) -> str | None:
    """Say how a column tells a class, with an exception in 50 rows of the rarer classes at most."""
    classes = np.bincount(target)
    usual = int(classes.argmax())
    others = len(target) - int(classes[usual])
    if len(target) < _FEWEST_CLASSIFIED or others < _FEWEST_OTHERS:
        return None
    level, rows, most, errors = _levels(column, target)
    again = rows > 1
    of_others = int((rows - _rows_of(usual, column, target)[level])[again].sum())
    if rows[again].sum() >= len(target) / 2 and of_others >= _FEWEST_OTHERS and errors <= _SLIPS * of_others:
        return "rows that agree in it are of one class" + _exceptions(errors)
    # One measure with a threshold between any two classes; a missing value counts as the least.
    told = len(np.unique(most))
    switches = int((most[1:] != most[:-1]).sum()) - (told - 1)
    if ordered and told == np.count_nonzero(classes) and errors + switches <= _SLIPS * others:
        return "sorted by it, the classes come one after the other" + _exceptions(errors)
    return None


def _average(dense: Ranks) -> npt.NDArray[np.float64]:
    """Ranks in which equal values share the mean of their places."""
    counts = np.bincount(dense)
    return (np.cumsum(counts) - (counts - 1) / 2)[dense]


def _within(column: Ranks, y: npt.NDArray[np.float64]) -> bool:
    """Whether rows with the same value have the same target, by an analysis of variance of its ranks."""
    counts = np.bincount(column)
    again = counts[column] > 1
    column, y = column[again], y[again]
    levels = int((counts > 1).sum())
    inner = len(y) - levels  # degrees of freedom: that many rows confirm another one
    if len(y) < len(again) / 2 or inner < _FEWEST_NUMBERS or levels < 3:
        return False
    means = np.bincount(column, y, len(counts)) / counts.clip(1)
    within = np.square(y - means[column]).sum() / inner
    return bool(within <= (1 - _ALMOST**2) * y.var(ddof=1))


def _levels(column: Ranks, target: Ranks) -> tuple[Ranks, Ranks, Ranks, int]:
    """Each value of a column in order, its rows, its commonest class, and how many rows are of others."""
    classes = int(target.max()) + 1
    pairs, counts = np.unique(column.astype(np.int64) * classes + target, return_counts=True)
    level, of = np.divmod(pairs, classes)
    order = np.lexsort((-counts, level))  # the commonest class of each value first
    values, first, inverse = np.unique(level, return_index=True, return_inverse=True)
    rows = np.bincount(inverse, counts).astype(np.int64)
    return values, rows, of[order][first], int((rows - counts[order][first]).sum())


def _rows_of(one: int, column: Ranks, target: Ranks) -> Ranks:
    return np.bincount(column[target == one], minlength=int(column.max()) + 1)


def _exceptions(errors: int) -> str:
    return f", but for {errors:,}" if errors else ""

"""Scores of rows drawn again and again with replacement, many rounds at once: the engine of the bootstrap."""

from collections.abc import Callable, Iterator
from typing import NamedTuple, TypeAlias

import numpy as np

from chainrule.estimators.checked_arrays import Numbers

_FEWEST = 10  # rows; fewer say too little of how far apart rows are
_UNITS = 2**14  # rows drawn one by one; more are drawn in random groups, in which means spread as they do
_BLOCK = 2**20  # draws at a time

Statistic: TypeAlias = Callable[[Numbers], Numbers]
"""How often each unit was drawn, shape (rounds, units), to the score of each round."""


class Interval(NamedTuple):
    """From where to where a score may be."""

    low: float
    high: float


Intervals: TypeAlias = dict[str, Interval | None]
"""Name to interval; None where a score has no meaning, such as R² of a constant target."""


def percentiles(values: Numbers, confidence: float) -> Interval | None:
    """The middle of the values, those that are none left out; None where fewer than half are left."""
    meant = values[np.isfinite(values)]
    if 2 * len(meant) < len(values):
        return None
    low, high = np.quantile(meant, [(1 - confidence) / 2, (1 + confidence) / 2])
    return Interval(float(low), float(high))


def bootstrapped(
    statistics: dict[str, Statistic], rows: int, confidence: float, rounds: int, seed: int
) -> Intervals:
    """The interval of each statistic, all from the same draws; none for fewer than ten rows."""
    if rows < _FEWEST:
        return {}
    found: dict[str, list[Numbers]] = {name: [] for name in statistics}
    for drawn in _draws(min(rows, _UNITS), rounds if statistics else 0, seed):
        for name, statistic in statistics.items():
            with np.errstate(divide="ignore", invalid="ignore"):  # a round may draw one class only
                found[name].append(statistic(drawn))
    return {name: percentiles(np.concatenate(values), confidence) for name, values in found.items()}


def _draws(units: int, rounds: int, seed: int) -> Iterator[Numbers]:
    """How often each unit is drawn in each round of a block, shape (rounds of the block, units)."""
    generator = np.random.default_rng(seed)
    block = max(1, _BLOCK // units)
    for begin in range(0, rounds, block):
        turns = min(block, rounds - begin)
        drawn = generator.integers(units, size=(turns, units))
        drawn += np.arange(turns)[:, None] * units
        yield np.bincount(drawn.ravel(), minlength=turns * units).reshape(turns, units).astype(np.float64)


def of_means(score: Callable[..., Numbers], weight: Numbers, seed: int, *columns: Numbers) -> Statistic:
    """A score that is a function of the weighted means of columns, each of shape (rows,)."""
    sums = np.stack([weight, *(weight * column for column in columns)], axis=1)
    if len(sums) > _UNITS:
        unit = np.random.default_rng(seed).permutation(len(sums)) % _UNITS
        sums = np.stack([np.bincount(unit, column, _UNITS) for column in sums.T], axis=1)

    def statistic(drawn: Numbers) -> Numbers:
        total, *others = (drawn @ sums).T
        return score(*(other / total for other in others))

    return statistic


def roc_auc(second: np.ndarray, score: Numbers, weight: Numbers, seed: int) -> Statistic:
    """Area under the ROC curve: the share of pairs of a row of each class in order, ties as halves."""
    if len(score) > _UNITS:
        return _linear_roc_auc(second, score, weight, seed)
    order = np.argsort(score, kind="stable")
    ties = np.flatnonzero(np.diff(score[order], prepend=np.nan) != 0)  # where a new value begins
    above, below = (weight * second)[order], (weight * ~second)[order]

    def statistic(drawn: Numbers) -> Numbers:
        positive = np.add.reduceat(drawn * above, ties, axis=1)
        negative = np.add.reduceat(drawn * below, ties, axis=1)
        under = np.cumsum(negative, axis=1)
        pairs = positive.sum(axis=1) * under[:, -1]
        return np.einsum("ru,ru->r", positive, under - negative / 2) / pairs

    return statistic


def _linear_roc_auc(second: np.ndarray, score: Numbers, weight: Numbers, seed: int) -> Statistic:
    """To first order, each row shifts the area by the share of the other class that it is in order with.

    Of many rows the rest vanishes. Source: DeLong et al. 1988, Comparing the areas, section 2.
    """
    positive, negative = score[second], score[~second]
    place = np.empty(len(score))
    place[second] = _share_below(negative, weight[~second], positive)
    place[~second] = 1 - _share_below(positive, weight[second], negative)
    area = np.average(place[second], weights=weight[second])
    return of_means(
        lambda p, n, p_place, n_place: np.clip(p_place / p + n_place / n - area, 0, 1),
        *(weight, seed, second, ~second, second * place, ~second * place),
    )


def _share_below(values: Numbers, weight: Numbers, at: Numbers) -> Numbers:
    """The share of the weight of values below each of ``at``, ties as halves."""
    order = np.argsort(values)
    under = np.concatenate([[0.0], np.cumsum(weight[order])])
    ends = [under[np.searchsorted(values[order], at, side)] for side in ("left", "right")]
    return (ends[0] + ends[1]) / (2 * under[-1])

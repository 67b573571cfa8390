"""Intervals that hold the truth as often as they say, whatever the model: split conformal prediction.

Scores say how far off predictions were on rows that the model has not seen, and a quantile of them how wide
the answers for new rows must be. If those rows and a new one are exchangeable, the answer for the new row
holds the truth with a probability of at least the coverage, and of at most coverage + 1 / (rows + 1) where no
scores are equal. That is *marginal*: over all rows, not for each kind of row. Sources: Vovk et al. 2005,
Algorithmic Learning in a Random World, chapter 4; Lei et al. 2018, arXiv:1604.04173, theorem 2.2.
"""

from collections.abc import Mapping
from itertools import pairwise
from math import inf
from typing import Any, NamedTuple, Self

import numpy as np

from chainrule.errors import ArgumentError
from chainrule.estimators.checked_arrays import Numbers, count, effective_rows, numbers, share, weights

_MOST = 2048  # scores kept: enough for a coverage within 0.05 points, too few to tell the rows of training
_ROUNDING = 1e-12  # must not make a share end just before the score that it ends at
_FEWEST = 50  # rows in a group, below which its quantile would be all chance


class Nonconformity(NamedTuple):
    """How far off predictions were on rows that the model has not seen."""

    scores: tuple[float, ...]
    """In order, at most 2,048."""
    rows: float
    """How many there were; of unequal weights, how many of equal weight say as much."""
    shares: tuple[float, ...] = ()
    """Which share of the rows each score is not exceeded by: the j-th of m by j/m where this is empty."""

    @classmethod
    def of(cls, scores: Any, weight: Any = None, most: int = _MOST) -> Self:
        """Keep the order statistics of scores, shape (rows,), at most ``most`` of them.

        Raises
        ------
        ArgumentError
            If a score is NaN or −∞, or a weight is no number of 0 or more.
        """
        scores = numbers("scores", scores, "rows", infinite=True)
        if weight is None:
            n, m = len(scores), min(len(scores), most)
            ranks = -(-np.arange(1, m + 1) * n // max(m, 1))  # upwards: never too low a score
            return cls(tuple(np.sort(scores)[ranks - 1].tolist()), float(n))
        each = weights(weight, len(scores))
        order = np.argsort(scores, kind="stable")
        order = order[each[order] > 0]
        reached = np.cumsum(each[order]) / max(each.sum(), np.finfo(float).tiny)
        if len(order) > most:
            kept = np.unique(np.searchsorted(reached, np.arange(1, most + 1) / most - _ROUNDING))
            order, reached = order[kept], reached[kept]
        return cls(tuple(scores[order].tolist()), effective_rows(each), tuple(reached.tolist()))

    def quantile(self, coverage: float) -> float:
        """The ⌈(rows + 1) · coverage⌉-th smallest score; ∞ where there are too few rows for it.

        Kept scores stand in for those below them that are not. A new row itself counts as one of the rows,
        at ∞. Of unequal weights (Tibshirani et al. 2019, arXiv:1904.06019) it counts as much as a row drawn
        by them does on average, Σw² / Σw; the guarantee is then for rows that come as often as they weigh,
        and not exact, for the weight of the very row is not asked.

        Raises
        ------
        ArgumentError
            If the coverage is not between 0 and 1.
        """
        coverage = share("coverage", coverage)
        if not self.scores:
            return inf
        m = len(self.scores)
        needed = coverage * (self.rows + 1) / self.rows - _ROUNDING
        place = int(np.searchsorted(self.shares or np.arange(1, m + 1) / m, needed))
        return self.scores[place] if place < m else inf

    def to_dict(self) -> dict[str, Any]:
        """What JSON can say, ∞ as text."""
        scores = [score if score < inf else "inf" for score in self.scores]
        return {"scores": scores, "rows": self.rows, "shares": list(self.shares)}

    @classmethod
    def from_dict(cls, plain: Mapping[str, Any]) -> Self:
        """What :meth:`to_dict` said; ArgumentError for what it never says."""
        try:
            scores, shares = (tuple(map(float, plain[name])) for name in ("scores", "shares"))
            found = cls(scores, float(plain["rows"]), shares)
        except (KeyError, TypeError, ValueError):
            found = cls((), -1.0)
        ordered = _ordered((-np.finfo(float).max, *found.scores)) and _ordered((0.0, *found.shares))
        sized = len(found.shares) in (0, len(found.scores)) and bool(found.scores) == (found.rows > 0)
        if not (ordered and sized and 0 <= found.rows < inf):
            raise ArgumentError(
                "a record of nonconformity must have scores in order and the number of their rows; got "
                f"{plain!r:.60}. Write it by to_dict."
            )
        return found


class MondrianNonconformity(NamedTuple):
    """Nonconformity group by group, so that the coverage holds in each and widths follow the prediction.

    A group is a range of what the rows are grouped by: for point predictions with no model of their spread,
    the prediction itself. Source: Vovk et al. 2005, chapter 4; Boström and Johansson 2020, Mondrian
    conformal regressors.
    """

    edges: tuple[float, ...]
    """Between the groups; a row at an edge belongs below it."""
    groups: tuple[Nonconformity, ...]
    together: Nonconformity
    """Of all rows, for a coverage that a group has too few rows for."""

    @classmethod
    def of(cls, scores: Any, by: Any, weight: Any = None, groups: int = 5) -> Self:
        """Make as many groups of equally many rows as ``groups`` says, or fewer: each must have 50 rows.

        The row that sets an edge is left out of the groups: given the edges, those left in a group are
        then drawn like a new row in it, and the guarantee holds in each group, not only in their mean.
        The scores are not looked at. At most twice 2,048 scores are kept.

        Raises
        ------
        ArgumentError
            As :meth:`Nonconformity.of`, or if ``by``, shape (rows,), is not finite.
        """
        scores = numbers("scores", scores, "rows", infinite=True)
        by = numbers("by", by, len(scores))
        each = weights(weight, len(scores))
        together = Nonconformity.of(scores, weight)
        scores, by, each = scores[each > 0], by[each > 0], each[each > 0]
        for wanted in range(min(count("groups", groups), len(scores) // _FEWEST), 1, -1):
            edges, group = _grouped(by, wanted)
            members = [np.flatnonzero(group == k) for k in range(wanted)]
            if min(effective_rows(each[of]) for of in members) >= _FEWEST:
                kept = [
                    Nonconformity.of(scores[of], None if weight is None else each[of], _MOST // wanted)
                    for of in members
                ]
                return cls(tuple(edges.tolist()), tuple(kept), together)
        return cls((), (together,), together)

    def quantiles(self, by: Any, coverage: float) -> Numbers:
        """The quantile that holds for each row, shape (rows,), by the group that ``by`` puts it in.

        If one group has too few rows for this coverage, all rows get that of all groups together: an
        infinite width for some helps nobody.

        Raises
        ------
        ArgumentError
            If the coverage is not between 0 and 1, or ``by`` is not finite.
        """
        by = numbers("by", by, "rows")
        found = np.array([group.quantile(coverage) for group in self.groups])
        if np.isinf(found).any():
            return np.full(len(by), self.together.quantile(coverage))
        return found[np.searchsorted(self.edges, by)]

    def to_dict(self) -> dict[str, Any]:
        """What JSON can say."""
        return {
            "edges": list(self.edges),
            "groups": [group.to_dict() for group in self.groups],
            "together": self.together.to_dict(),
        }

    @classmethod
    def from_dict(cls, plain: Mapping[str, Any]) -> Self:
        """What :meth:`to_dict` said; ArgumentError for what it never says."""
        try:
            edges = tuple(map(float, plain["edges"]))
            groups = tuple(map(Nonconformity.from_dict, plain["groups"]))
            found = cls(edges, groups, Nonconformity.from_dict(plain["together"]))
        except (KeyError, TypeError, ValueError):
            found = cls((), (), Nonconformity((), 0.0))
        finite = bool(np.isfinite(found.edges).all())
        if not (finite and _ordered(found.edges) and len(found.groups) == len(found.edges) + 1):
            raise ArgumentError(
                "a record of groups must have edges in order, one group more, and all together; got "
                f"{plain!r:.60}. Write it by to_dict."
            )
        return found


def _ordered(values: tuple[float, ...]) -> bool:
    return all(a <= b for a, b in pairwise(values))


def _grouped(by: Numbers, groups: int) -> tuple[Numbers, np.ndarray]:
    """Edges at rows in order, and the group of each row, −1 for those that set an edge."""
    setters = np.argsort(by, kind="stable")[np.arange(1, groups) * len(by) // groups]
    edges = by[setters]
    group = np.searchsorted(edges, by)
    group[setters] = -1
    return edges, group


def absolute(y: Any, prediction: Any) -> Numbers:
    """|y − ŷ|, (rows,): intervals of one width. Source: Lei et al. 2018, arXiv:1604.04173, algorithm 2."""
    y = numbers("y", y, "rows")
    return np.abs(y - numbers("prediction", prediction, len(y)))


def absolute_interval(prediction: Any, threshold: Any) -> Numbers:
    """The y whose absolute score is at most the threshold, one or (rows,): [low, high], shape (rows, 2)."""
    prediction = numbers("prediction", prediction, "rows")
    return np.stack([prediction - threshold, prediction + threshold], axis=1)


def scaled(y: Any, prediction: Any, spread: Any) -> Numbers:
    """|y − ŷ| / spread, for a model of the spread. Source: Lei et al. 2018, arXiv:1604.04173, section 5.2."""
    error = absolute(y, prediction)
    return error / _positive(spread, len(error))


def scaled_interval(prediction: Any, spread: Any, threshold: Any) -> Numbers:
    """The y whose scaled score is at most the threshold: [low, high], shape (rows, 2)."""
    prediction = numbers("prediction", prediction, "rows")
    return absolute_interval(prediction, _positive(spread, len(prediction)) * threshold)


def quantile_pair(y: Any, low: Any, high: Any) -> Numbers:
    """max(low − y, y − high), below 0 inside. Source: Romano et al. 2019, arXiv:1905.03222, equation 6."""
    y = numbers("y", y, "rows")
    return np.maximum(numbers("low", low, len(y)) - y, y - numbers("high", high, len(y)))


def quantile_pair_interval(low: Any, high: Any, threshold: Any) -> Numbers:
    """The y whose quantile_pair score is at most the threshold: [low, high], shape (rows, 2).

    Where there is none, as between quantiles that cross, it is the point halfway.
    """
    low = numbers("low", low, "rows")
    high = numbers("high", high, len(low))
    ends = np.stack([low - threshold, high + threshold], axis=1)
    crossed = ends[:, 0] > ends[:, 1]
    ends[crossed] = ((low + high) / 2)[crossed, None]
    return ends


def _positive(spread: Any, rows: int) -> Numbers:
    spread = numbers("spread", spread, rows)
    if (spread <= 0).any():
        row = int((spread <= 0).argmax())
        raise ArgumentError(
            f"spread must be above 0; got {spread[row]:g} in row {row + 1}. Give it a least value."
        )
    return spread

"""Sets of classes that hold the true one as often as they say; see :mod:`chainrule.estimators.conformal`.

Scores of *all* classes of a row come first, so that a set is read off as a score is made: ``least_likely``
or ``adaptive``, then ``true_class`` to calibrate, ``sets`` to answer.
"""

from typing import Any

import numpy as np
import numpy.typing as npt

from chainrule.errors import ArgumentError
from chainrule.estimators.checked_arrays import Numbers, checked_probabilities, class_numbers, numbers


def least_likely(probabilities: Any) -> Numbers:
    """1 − p of each class, shape (rows, classes): the smallest sets on average, for true probabilities.

    The coverage is marginal: rows that are hard get small sets that miss more often, easy rows make up
    for it. Source: Sadinle et al. 2019 (LAC), arXiv:1609.00451, section 2.
    """
    return 1 - checked_probabilities(probabilities, "rows", "classes")


def adaptive(probabilities: Any, penalty: float = 0.0, free: int = 0) -> Numbers:
    """What the classes more probable than it, and a part u of itself, add up to: shape (rows, classes).

    Sets are larger than those of ``least_likely``, and grow with how hard a row is, so that its coverage
    nears the nominal one; guaranteed is the marginal one. Source: Romano et al. 2020 (APS),
    arXiv:2006.02544, section 2.

    Without u the coverage would be too high, by about half the probability of the last class in the set. It
    is no random number: it is hashed from the row's probabilities, bit by bit. So the same row has the same
    set each time, and since a score is then a function of the row and its class alone, the guarantee is
    exact whatever the hash does.

    The most probable class scores 0, so that it is in every set, and unlike one that is put in afterwards it
    is known to the calibration: the coverage is the nominal one, or the accuracy where that is higher. Put in
    afterwards, it would add to it wherever a sure row has no class at all for its u.

    Parameters
    ----------
    penalty, free
        What each class beyond the ``free`` most probable adds to its score: keeps many improbable classes
        out. Source: Angelopoulos et al. 2021 (RAPS), arXiv:2009.14193, algorithm 2.

    Raises
    ------
    ArgumentError
        If a probability is none, or penalty or free is below 0.
    """
    p = checked_probabilities(probabilities, "rows", "classes")
    for name, value in (("penalty", penalty), ("free", free)):
        if not value >= 0:
            raise ArgumentError(f"{name} must be a number of 0 or more; got {value!r}.")
    order = np.argsort(-p, axis=1, kind="stable")
    ordered = np.take_along_axis(p, order, axis=1)
    before = np.cumsum(ordered, axis=1) - ordered
    late = penalty * np.maximum(0, np.arange(1, p.shape[1] + 1) - free)
    scores = np.empty_like(p)
    np.put_along_axis(scores, order, before + _uniform(p)[:, None] * ordered + late, axis=1)
    np.put_along_axis(scores, order[:, :1], 0.0, axis=1)
    return scores


def true_class(scores: Any, codes: Any) -> Numbers:
    """The score of each row's true class, numbered from 0: what ``Nonconformity.of`` takes, shape (rows,)."""
    scores = numbers("scores", scores, "rows", "classes")
    own = class_numbers("codes", codes, *scores.shape)
    return np.take_along_axis(scores, own[:, None], axis=1)[:, 0]


def sets(scores: Any, threshold: float, *, empty: bool = False) -> npt.NDArray[np.bool_]:
    """Which classes score at most the threshold, shape (rows, classes); that with the least score always.

    So no set is empty: the coverage only rises by it, and is never below the accuracy. It is above the
    nominal one where a model is right more often than was asked for; with ``empty`` the sets of rows that
    are like none before may be empty, and the coverage is the nominal one.
    """
    scores = numbers("scores", scores, "rows", "classes")
    inside = scores <= threshold
    if inside.size and not empty:
        np.put_along_axis(inside, scores.argmin(axis=1)[:, None], True, axis=1)
    return inside


def _uniform(p: Numbers) -> Numbers:
    """A number from 0 to 1 for each row, (rows,), by its bits. Source: Steele et al. 2014 (splitmix64)."""
    state = np.zeros(len(p), np.uint64)
    for bits in np.ascontiguousarray((p + 0.0).T).view(np.uint64):  # + 0.0: −0 is 0
        state = (state ^ bits) + np.uint64(0x9E3779B97F4A7C15)
        state = (state ^ (state >> np.uint64(30))) * np.uint64(0xBF58476D1CE4E5B9)
        state = (state ^ (state >> np.uint64(27))) * np.uint64(0x94D049BB133111EB)
        state ^= state >> np.uint64(31)
    return (state >> np.uint64(11)).astype(np.float64) * 2.0**-53

"""Probabilities that mean what they say: one temperature for all logits, and how far off the shares are."""

from collections.abc import Callable
from math import exp, log
from typing import Any, NamedTuple

import numpy as np
from scipy.optimize import brentq
from scipy.special import softmax

from chainrule.estimators.checked_arrays import (
    Numbers,
    checked_probabilities,
    class_numbers,
    count,
    effective_rows,
    numbers,
    weights,
)

_COLDEST, _HOTTEST = 0.05, 20.0


def fit_temperature(logits: Any, codes: Any, weight: Any = None) -> float:
    """The T for which softmax(logits / T) has the least log-loss: above 1 where the model is too sure.

    The order of the classes stays, and with it the accuracy. Source: Guo et al. 2017, arXiv:1706.04599,
    equation 9. The rows must be unseen by the model: on those of training it is always too sure.

    Parameters
    ----------
    logits
        Of shape (rows, classes); or, for two classes, the logit of the second: (rows, 1) or (rows,).
    codes
        The true class of each row, numbered from 0, shape (rows,).
    weight
        What each row counts, shape (rows,).

    Returns
    -------
    float
        From 0.05 to 20; 1 where the rows say nothing of it: none, of a single class, or of logits that
        do not differ. Where every row is right, the log-loss falls as long as T does; T then goes down
        only until the mean probability of the true class is (rows + 1) / (rows + 2), which is what so
        many rows without a miss can vouch for (Laplace's rule of succession), and never above 1.

    Raises
    ------
    ArgumentError
        For shapes that do not fit, and for values that are not finite or number no class.

    Examples
    --------
    Logits of ±4 say 98 %; right three times in four, they should have been ±log 3:

    >>> round(fit_temperature([4.0, 4.0, 4.0, -4.0], [1, 1, 0, 0]), 3)  # 4 / log 3
    3.641
    """
    z = np.asarray(logits)
    if z.ndim < 2 or z.shape[1] == 1:
        z = numbers("logits", z.reshape(-1) if z.ndim == 2 else z, "rows")
        z = np.stack([np.zeros_like(z), z], axis=1)
    z = numbers("logits", z, "rows", "classes")
    own = class_numbers("codes", codes, len(z), z.shape[1])
    return _fit(z, own, weights(weight, len(z)))


def fit_label_temperature(logits: Any, indicators: Any, weight: Any = None) -> float:
    """One T for several labels, of which each holds or not: the least log-loss of σ(logits / T).

    Parameters
    ----------
    logits, indicators
        Of shape (rows, labels); indicators are 1 where the label holds, else 0. For a temperature of its
        own, call it with one label.
    weight
        What each row counts, shape (rows,).

    Returns
    -------
    float
        As in :func:`fit_temperature`, with each row and label as a row.

    Raises
    ------
    ArgumentError
        For shapes that do not fit, and for values that are not finite, or neither 0 nor 1.
    """
    z = numbers("logits", logits, "rows", "labels")
    holds = numbers("indicators", indicators, *z.shape)
    own = class_numbers("indicators", holds.ravel(), holds.size, 2)
    each = np.repeat(weights(weight, len(z)), z.shape[1])
    return _fit(np.stack([np.zeros(z.size), z.ravel()], axis=1), own, each)


def _fit(z: Numbers, own: np.ndarray, weight: Numbers) -> float:
    z, own, weight = z[weight > 0], own[weight > 0], weight[weight > 0]
    margin = z - np.take_along_axis(z, own[:, None], axis=1)  # of each class over the true one
    if not margin.any() or len(np.unique(own)) < 2:
        return 1.0

    def slope(T: float) -> float:  # of the log-loss in 1/T, in which it is convex: it rises with 1/T
        return float(np.average((softmax(z / T, axis=1) * margin).sum(axis=1), weights=weight))

    def confidence(T: float) -> float:
        own_share = np.take_along_axis(softmax(z / T, axis=1), own[:, None], axis=1)[:, 0]
        return float(np.average(own_share, weights=weight))

    if (margin <= 0).all():
        vouched = (effective_rows(weight) + 1) / (effective_rows(weight) + 2)
        return _falling_root(lambda T: confidence(T) - vouched, _COLDEST, 1.0)
    return _falling_root(slope, _COLDEST, _HOTTEST)


def _falling_root(f: Callable[[float], float], low: float, high: float) -> float:
    """Where f, which falls, crosses 0 between two temperatures; the nearer one if it does not."""
    if f(low) <= 0:
        return low
    if f(high) >= 0:
        return high
    return exp(brentq(lambda t: f(exp(t)), log(low), log(high), xtol=1e-12))


class Reliability(NamedTuple):
    """What was predicted and what happened, bin by bin, for a diagram; from the least sure bin on."""

    predicted: Numbers
    """The mean probability in each bin."""
    observed: Numbers
    """The share of the rows in which it came true."""
    rows: Numbers
    """The rows in each bin; with weights, their sum."""


def reliability(probabilities: Any, codes: Any, weight: Any = None, bins: int = 15) -> Reliability:
    """Group rows of like probability, and compare it with how often it came true.

    For two classes it is the probability of the second, else that of the most probable class (Guo et al.
    2017, arXiv:1706.04599, section 2). Bins hold equally many rows (Nguyen and O'Connor 2015,
    arXiv:1508.05154); rows of the same probability share a bin, so that there may be fewer.

    Parameters
    ----------
    probabilities
        Of shape (rows, classes); or, for two classes, that of the second, shape (rows,).
    codes
        The true class of each row, numbered from 0, shape (rows,).

    Raises
    ------
    ArgumentError
        For shapes that do not fit, and for values that are no probability or number no class.
    """
    p = np.asarray(probabilities)
    p = checked_probabilities(p, "rows", "classes") if p.ndim == 2 else checked_probabilities(p, "rows")
    own = class_numbers("codes", codes, len(p), p.shape[1] if p.ndim == 2 else 2)
    if p.ndim == 1 or p.shape[1] == 2:
        claimed, true = (p if p.ndim == 1 else p[:, 1]), own == 1
    else:
        claimed, true = p.max(axis=1), own == p.argmax(axis=1)
    weight, bins = weights(weight, len(p)), count("bins", bins)
    values, position = np.unique(claimed, return_inverse=True)
    mass = np.bincount(position, weight, len(values))
    middle = (np.cumsum(mass) - mass / 2) / max(mass.sum(), np.finfo(float).tiny)
    group = (bins * middle).astype(int).clip(0, bins - 1)[position]
    inside = np.bincount(group, weight, bins).astype(np.float64)
    filled = inside > 0
    sums = [np.bincount(group, weight * what, bins)[filled] for what in (claimed, true)]
    return Reliability(sums[0] / inside[filled], sums[1] / inside[filled], inside[filled])


def calibration_error(probabilities: Any, codes: Any, weight: Any = None, bins: int = 15) -> float:
    """Expected calibration error, Σ (share of the bin) · |observed − predicted|, from 0 to 1.

    Chance alone makes it up to 0.4 √(bins / rows), however good the probabilities. Source: Guo et al. 2017,
    arXiv:1706.04599, equation 3; the arguments are those of :func:`reliability`. NaN for no rows.

    Raises
    ------
    ArgumentError
        As :func:`reliability`.
    """
    found = reliability(probabilities, codes, weight, bins)
    if not found.rows.size:
        return float("nan")
    return float(np.average(np.abs(found.observed - found.predicted), weights=found.rows))

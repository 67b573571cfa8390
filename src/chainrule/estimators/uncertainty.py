"""How far scores may be off, for the rows they were measured on are a sample: bootstrap intervals.

They tell of chance in the rows that a model is scored on, not of chance in its training. A score of another
model on the same rows moves with it: two intervals may overlap and one model still be better on each row.
"""

from statistics import NormalDist
from typing import Any

import numpy as np

from chainrule.estimators.checked_arrays import (
    Numbers,
    checked_probabilities,
    class_numbers,
    count,
    effective_rows,
    numbers,
    share,
    weights,
)
from chainrule.estimators.resampling import (
    Interval,
    Intervals,
    Statistic,
    bootstrapped,
    of_means,
    roc_auc,
)
from chainrule.tables.quantiles import near_one


def regression_intervals(
    y: Any,
    predictions: Any,
    weight: Any = None,
    *,
    confidence: float = 0.95,
    rounds: int = 1000,
    seed: int = 0,
) -> Intervals:
    """Percentile bootstrap intervals of what ``regression_scores`` gives: rmse, mae, r2; None for no meaning.

    There are none for fewer than ten rows. Beyond 16,384, it is random groups of rows that are drawn, so that
    a million rows take a second. Source: Efron and Tibshirani 1993, An Introduction to the Bootstrap, section
    13.3.

    Raises
    ------
    ArgumentError
        If values are not finite, shapes are not (rows,), or an option is outside what it may be.
    """
    y = numbers("y", y, "rows")
    error = y - numbers("predictions", predictions, len(y))
    w = weights(weight, len(y))
    y, error, w = y[w > 0], error[w > 0], w[w > 0]
    centred, unit = y - (np.average(y, weights=w) if len(y) else 0.0), 0
    if len(y):  # squares of tiny numbers would vanish
        (error, centred), unit = near_one(np.stack([error, centred]))

    def r2(square: Numbers, mean: Numbers, power: Numbers) -> Numbers:
        spread = power - np.square(mean)
        return np.where(spread > 1e-12 * power, 1 - square / spread, np.nan)  # of one value drawn again

    statistics: dict[str, Statistic] = {
        "rmse": of_means(lambda square: np.ldexp(np.sqrt(square), unit), w, seed, np.square(error)),
        "mae": of_means(lambda size: np.ldexp(size, unit), w, seed, np.abs(error)),
    }
    if len(np.unique(y)) > 1:
        statistics["r2"] = of_means(r2, w, seed, np.square(error), centred, np.square(centred))
    found = bootstrapped(statistics, len(y), share("confidence", confidence), count("rounds", rounds), seed)
    return {name: found.get(name) for name in ("rmse", "mae", "r2")}


def classification_intervals(
    codes: Any,
    chosen: Any,
    probabilities: Any = None,
    score: Any = None,
    weight: Any = None,
    *,
    confidence: float = 0.95,
    rounds: int = 1000,
    seed: int = 0,
) -> Intervals:
    """Intervals of the scores that ``classification_scores`` gives: accuracy, log_loss, roc_auc.

    As :func:`regression_intervals`; but that of accuracy is Wilson's, since a bootstrap of rows that are all
    right would say [1, 1]. So does that of an area under the curve that is 1: it needs a mistake to see.

    Raises
    ------
    ArgumentError
        If values are not finite, shapes do not fit, or an option is outside what it may be.
    """
    codes, level = class_numbers("codes", codes, "rows"), share("confidence", confidence)
    right = codes == class_numbers("chosen", chosen, len(codes))
    w = weights(weight, len(codes))
    counts = w > 0
    statistics: dict[str, Statistic] = {}
    names = ["accuracy"]
    if probabilities is not None:
        p = checked_probabilities(probabilities, len(codes), "classes")
        own = np.take_along_axis(p, class_numbers("codes", codes, *p.shape)[:, None], axis=1)[counts, 0]
        surprise = -np.log(own.clip(np.finfo(np.float64).eps, 1))
        statistics["log_loss"] = of_means(lambda mean: mean, w[counts], seed, surprise)
        names.append("log_loss")
        score = p[:, 1] if p.shape[1] == 2 else score
    if score is not None:
        second = (class_numbers("codes", codes, len(codes), 2) == 1)[counts]
        names.append("roc_auc")
        if len(np.unique(second)) == 2:
            order = numbers("score", score, len(codes))[counts]
            statistics["roc_auc"] = roc_auc(second, order, w[counts], seed)
    found = bootstrapped(statistics, int(counts.sum()), level, count("rounds", rounds), seed)
    found["accuracy"] = _wilson(right, w, level)
    return {name: found.get(name) for name in names}


def _wilson(right: np.ndarray, weight: Numbers, confidence: float) -> Interval | None:
    """The interval of a share. Source: Wilson 1927, J. Amer. Statist. Assoc. 22, p. 209."""
    if not len(right):
        return None
    p, n = float(np.average(right, weights=weight)), effective_rows(weight)
    z = NormalDist().inv_cdf((1 + confidence) / 2)
    middle = (p + z**2 / (2 * n)) / (1 + z**2 / n)
    half = z / (1 + z**2 / n) * np.sqrt(p * (1 - p) / n + z**2 / (4 * n**2))
    return Interval(min(p, float(middle - half)), max(p, float(middle + half)))

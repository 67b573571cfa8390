"""From predictions of any number of rows to what a page can show of them."""

from collections.abc import Sequence

import numpy as np
import numpy.typing as npt

from chainrule.report.findings import ClassAnswers, NumberAnswers, Numbers

__all__ = ["MOST_CLASSES", "class_answers", "number_answers"]

MOST_POINTS = 2_000
MOST_CLASSES = 20
"""Above this many classes, a page lists confusions instead of all pairs."""

_BINS = 30
_CONFUSIONS = 12
_CORNERS = 200


def number_answers(y: npt.ArrayLike, predictions: npt.ArrayLike, seed: int = 0) -> NumberAnswers:
    """Points to show, at most 2,000, and a histogram of the middle 98 per cent of the residuals y − ŷ.

    What is not finite is left out.
    """
    true, predicted = np.asarray(y, np.float64).ravel(), np.asarray(predictions, np.float64).ravel()
    finite = np.isfinite(true) & np.isfinite(predicted)
    true, predicted = true[finite], predicted[finite]
    shown = np.arange(len(true))
    if len(true) > MOST_POINTS:
        shown = np.sort(np.random.default_rng(seed).choice(len(true), MOST_POINTS, replace=False))
    with np.errstate(over="ignore"):  # of the greatest floats: outside of all bins
        residuals = true - predicted
    edges = _edges(residuals)
    counts, _ = np.histogram(residuals, edges)
    both = np.concatenate([true[shown], predicted[shown]])
    return NumberAnswers(
        true[shown],
        predicted[shown],
        float(both.min(initial=np.inf)) if len(both) else 0.0,
        float(both.max(initial=-np.inf)) if len(both) else 0.0,
        edges,
        counts,
        len(residuals) - int(counts.sum()),
        len(residuals),
    )


def class_answers(
    codes: npt.ArrayLike, chosen: npt.ArrayLike, classes: Sequence[object], score: npt.ArrayLike | None = None
) -> ClassAnswers:
    """Count what was taken for what; `codes` and `chosen` number the true and the predicted classes.

    `score` orders the rows of two classes: greater means the second. It gives the ROC curve.
    """
    true, said = np.asarray(codes, np.int64), np.asarray(chosen, np.int64)
    number = len(classes)
    rows = np.bincount(true, minlength=number)
    right = np.bincount(true[true == said], minlength=number)
    pairs, counts = np.unique(true[true != said] * number + said[true != said], return_counts=True)
    commonest = np.lexsort((pairs, -counts))[:_CONFUSIONS]
    matrix = None
    if number <= MOST_CLASSES:
        matrix = np.bincount(true * number + said, minlength=number**2).reshape(number, number)
    return ClassAnswers(
        tuple(map(str, classes)),
        matrix,
        rows,
        right,
        tuple((*divmod(int(pairs[k]), number), int(counts[k])) for k in commonest),
        None if score is None or number != 2 else _roc(true, np.asarray(score, np.float64)),
    )


def _edges(residuals: Numbers) -> Numbers:
    """Bins that show the middle 98 per cent, with zero on an edge so that signs stay apart."""
    if not len(residuals):
        return np.array([-1.0, 1.0])
    with np.errstate(invalid="ignore", over="ignore"):
        low, high = np.quantile(residuals, [0.01, 0.99])
        width = (max(high, 0) - min(low, 0)) / _BINS
    if not (np.isfinite(width) and width > np.abs([low, high]).max() * 1e-12):
        return np.array([-1.0, 0.0, 1.0])
    bins = np.arange(np.floor(low / width), np.ceil(high / width) + 1)
    return np.asarray(bins * width, np.float64)


def _roc(codes: npt.NDArray[np.int64], score: Numbers) -> tuple[Numbers, Numbers] | None:
    """Rates at each threshold, at most 200 of them; None if a class has no rows."""
    if not 0 < codes.sum() < len(codes):
        return None
    order = np.argsort(-score, kind="stable")
    last = np.append(np.diff(score[order]) != 0, True)  # rows of one score are called positive together
    positive, called = np.cumsum(codes[order])[last], np.flatnonzero(last) + 1
    true = np.append(0, positive / codes.sum())
    false = np.append(0, (called - positive) / (len(codes) - codes.sum()))
    some = np.unique(np.linspace(0, len(true) - 1, _CORNERS).round().astype(int))
    return false[some], true[some]

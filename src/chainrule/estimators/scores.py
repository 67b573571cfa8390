"""How good predictions are, beside those of a baseline that knows no columns: the mean, or the majority."""

import re
from typing import TYPE_CHECKING, NamedTuple, TypeAlias

import numpy as np

from chainrule.estimators.classifier import DeepClassifier
from chainrule.estimators.regressor import DeepRegressor
from chainrule.estimators.resampling import Intervals
from chainrule.estimators.target_columns import class_codes
from chainrule.estimators.uncertainty import classification_intervals, regression_intervals
from chainrule.tables.quantiles import near_one

if TYPE_CHECKING:
    import polars as pl

    from chainrule.mathematics.loss import Loss

Scores: TypeAlias = dict[str, float | None]
"""Name to value; None where a score has no meaning, such as R² of a constant target."""


class Comparison(NamedTuple):
    """The scores of one target, those of its baseline, and how far the model's may be off by chance."""

    model: Scores
    baseline: Scores
    intervals: Intervals
    """95 % bootstrap intervals of the model's scores."""


def regression_scores(y: np.ndarray, predictions: np.ndarray) -> Scores:
    """Root mean squared error, mean absolute error, and R² = 1 − Σ(y−ŷ)² / Σ(y−ȳ)², for shape (rows,)."""
    (error, centred), unit = near_one(np.stack([y - predictions, y - y.mean()]))  # squares may vanish
    spread = np.square(centred).sum() if np.ptp(y) > 0 else 0.0
    return {
        "rmse": float(np.ldexp(np.sqrt(np.square(error).mean()), unit)),
        "mae": float(np.ldexp(np.abs(error).mean(), unit)),
        "r2": float(1 - np.square(error).sum() / spread) if spread > 0 else None,
    }


def classification_scores(
    codes: np.ndarray, chosen: np.ndarray, probabilities: np.ndarray | None, score: np.ndarray | None = None
) -> Scores:
    """Accuracy; log-loss, from probabilities (rows, classes); for two classes the area under the ROC curve.

    ``codes`` and ``chosen`` number the true and the predicted classes, shape (rows,). ``score`` orders the
    rows where there are no probabilities: greater means the second of two classes.
    """
    scores: Scores = {"accuracy": float((codes == chosen).mean())}
    if probabilities is not None:
        certain = np.finfo(np.float64).eps
        own = np.take_along_axis(probabilities, codes[:, None], axis=1)[:, 0]
        scores["log_loss"] = float(abs(np.log(own.clip(certain, 1)).mean()))  # never −0
        if probabilities.shape[1] == 2:
            score = probabilities[:, 1]
    if score is not None:
        scores["roc_auc"] = _roc_auc(codes, score)
    return scores


def baseline_of(model: DeepRegressor | DeepClassifier, y: np.ndarray) -> list[float]:
    """What a baseline learns: the mean of each target, or the share of each class or label."""
    if isinstance(model, DeepClassifier) and y.ndim == 1:
        codes = class_codes(y, model.classes_, "target")
        return (np.bincount(codes, minlength=len(model.classes_)) / len(y)).tolist()
    return np.atleast_1d(y.mean(axis=0, dtype=np.float64)).tolist()


def compare(
    model: DeepRegressor | DeepClassifier,
    X: "pl.DataFrame | np.ndarray",
    y: np.ndarray,
    baseline: list[float] | None = None,
    names: tuple[str, ...] = (),
    *,
    intervals: bool = True,
) -> list[Comparison]:
    """Score a model and its baseline on a table, target by target.

    Parameters
    ----------
    y
        Numbers, classes, or zeros and ones, as ``problems.target_values`` gives them.
    baseline
        From ``baseline_of`` the training targets; by default of these.
    names
        What to call the targets in errors.
    intervals
        Whether to say how far the scores may be off, which takes longer than the scores.

    Raises
    ------
    TableError
        If the table does not fit the model, or holds another class.
    """
    if isinstance(model, DeepClassifier):
        return _compare_classes(model, X, y, baseline, names[0] if names else "target", intervals)
    constants = baseline_of(model, y) if baseline is None else baseline
    points = point_predictions(model, np.asarray(model.predict(X)))
    return [
        Comparison(
            regression_scores(truth, points[:, k]),
            regression_scores(truth, np.full(len(truth), constants[k])),
            regression_intervals(truth, points[:, k]) if intervals else {},
        )
        for k, truth in enumerate(y.reshape(len(y), -1).T)
    ]


def point_predictions(model: DeepRegressor, predictions: np.ndarray) -> np.ndarray:
    """One prediction for each target, shape (rows, targets): of several quantiles that nearest to ½."""
    targets = model.network_.targets
    predictions = predictions.reshape(len(predictions), -1)
    levels = quantile_levels(model.network_.loss)
    if len(levels) <= 1:
        return predictions
    nearest = int(np.abs(np.array(levels) - 0.5).argmin())
    return predictions[:, nearest * targets : (nearest + 1) * targets]


def quantile_levels(loss: "Loss") -> tuple[float, ...]:
    """The levels of a quantile loss, () for another one."""
    inside = re.fullmatch(r"quantile\((.*)\)", loss.name)
    return tuple(float(level) for level in inside[1].split(",")) if inside else ()


def _compare_classes(
    model: DeepClassifier,
    X: "pl.DataFrame | np.ndarray",
    y: np.ndarray,
    baseline: list[float] | None,
    name: str,
    intervals: bool,
) -> list[Comparison]:
    p = model.predict_proba(X) if hasattr(model, "predict_proba") else None
    if y.ndim == 2:
        shares = np.array(baseline_of(model, y) if baseline is None else baseline)
        decision = model.decision_function(X) if p is None else p - 0.5
        columns = range(y.shape[1])
        return [
            _two_ways(y[:, k], decision[:, k], None if p is None else p[:, k], shares[k], intervals)
            for k in columns
        ]
    codes = class_codes(y, model.classes_, name)
    shares = np.array(baseline_of(model, y) if baseline is None else baseline)
    chosen = class_codes(model.predict(X), model.classes_, name)
    score = model.decision_function(X) if p is None and len(model.classes_) == 2 else None
    constant = np.full(len(codes), shares.argmax())
    return [
        Comparison(
            classification_scores(codes, chosen, p, score),
            classification_scores(codes, constant, np.tile(shares, (len(codes), 1))),
            classification_intervals(codes, chosen, p, score) if intervals else {},
        )
    ]


def _two_ways(
    y: np.ndarray, decision: np.ndarray, p: np.ndarray | None, share: float, intervals: bool
) -> Comparison:
    both = None if p is None else np.stack([1 - p, p], axis=1)
    constant = np.full(len(y), int(share > 0.5))
    return Comparison(
        classification_scores(y, (decision > 0).astype(int), both, decision),
        classification_scores(y, constant, np.tile([1 - share, share], (len(y), 1))),
        classification_intervals(y, (decision > 0).astype(int), both, decision) if intervals else {},
    )


def _roc_auc(codes: np.ndarray, score: np.ndarray) -> float | None:
    from sklearn.metrics import roc_auc_score

    return float(roc_auc_score(codes, score)) if len(np.unique(codes)) == 2 else None

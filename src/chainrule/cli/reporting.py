"""What ``chainrule fit --report`` says: findings of a fit, for a page."""

import datetime
from typing import TYPE_CHECKING, Any

import numpy as np

import chainrule
from chainrule.cli.request import asked
from chainrule.estimators.calibration import reliability
from chainrule.estimators.classifier import DeepClassifier
from chainrule.estimators.problems import Problem
from chainrule.estimators.regressor import DeepRegressor
from chainrule.estimators.scores import Comparison, compare, point_predictions
from chainrule.estimators.target_columns import Task, class_codes
from chainrule.files.description import Model
from chainrule.network import drawing
from chainrule.report.findings import (
    Answers,
    Calibration,
    Column,
    Coverage,
    Curves,
    Findings,
    Importances,
    LayerRow,
    Network,
    Score,
)
from chainrule.report.importance import permutation_importance
from chainrule.report.summaries import class_answers, number_answers
from chainrule.tables.date_columns import CLOCKS, DateColumn, parse_dates
from chainrule.tables.noticing import Notice

if TYPE_CHECKING:
    import polars as pl


def findings_of(
    model: Model,
    *,
    training: Problem,
    held_out: Problem | None,
    comparisons: list[Comparison],
    targets: tuple[str, ...],
    kinds: list[tuple[str, str]],
    source: str,
    output: str,
    scored: str,
    seconds: float,
    options: dict[str, Any],
    missing: tuple[str, ...],
    noticed: list[Notice],
) -> Findings:
    """All that the page says of a fitted model and its table; ``kinds`` has a text for each column."""
    rows = held_out or training
    network = model.network_
    layers, parameters = drawing.table(network)
    return Findings(
        task=training.task.value,
        model=output,
        table=source,
        date=datetime.datetime.now().astimezone().strftime("%Y-%m-%d %H:%M %Z"),
        version=chainrule.__version__,
        rows=len(training.y),
        scored=scored,
        scored_rows=len(rows.y),
        unseen=held_out is not None,
        answers=tuple(_answers(model, rows, comparisons, targets)),
        network=Network(
            drawing.title(network),
            tuple(LayerRow(*row) for row in layers),
            parameters,
        ),
        columns=tuple(_columns(model, training.X, kinds)),
        baseline="the mean" if training.task is Task.REGRESSION else "the majority",
        options=tuple((name, repr(value)) for name, value in options.items() if name != "random_state"),
        seed=options.get("random_state"),
        seconds=seconds,
        missing=missing,
        curves=Curves(
            np.array(model.loss_curve_),
            np.array([-score for score in model.validation_scores_])
            if model.validation_scores_ and model.scoring in (None, "loss")
            else None,
            model.best_iteration_,
            model.interrupted_,
            ran_out=model.n_iter_ == model.max_iter and not model.interrupted_,
        ),
        importance=_importance(model, rows, targets),
        noticed=tuple(noticed),
    )


def _answers(
    model: Model, rows: Problem, comparisons: list[Comparison], targets: tuple[str, ...]
) -> list[Answers]:
    scores = [_scores(comparison) for comparison in comparisons]
    if isinstance(model, DeepRegressor):
        return _of_numbers(model, rows, targets, scores)
    if model._multilabel:
        return _of_labels(model, rows, targets, scores)
    codes = class_codes(rows.y, model.classes_, targets[0])
    chosen = class_codes(model.predict(asked(model, rows.X)), model.classes_, targets[0])
    calibration = score = None
    if hasattr(model, "predict_proba"):
        p = model.predict_proba(asked(model, rows.X))
        score = p[:, 1] if len(model.classes_) == 2 else None
        of = repr(str(model.classes_[1])) if len(model.classes_) == 2 else "the most likely class"
        before, after = model.calibration_error_ or (None, None)
        calibration = Calibration(*reliability(p, codes), after, before, model.temperature_, of)
    classes = class_answers(codes, chosen, model.classes_.tolist(), score)
    return [Answers(targets[0], scores[0], classes=classes, calibration=calibration)]


def _of_numbers(
    model: DeepRegressor,
    rows: Problem,
    targets: tuple[str, ...],
    scores: list[tuple[Score, ...]],
) -> list[Answers]:
    points = point_predictions(model, np.asarray(model.predict(asked(model, rows.X))))
    truth = rows.y.reshape(len(rows.y), -1)
    return [
        Answers(
            target,
            scores[k],
            numbers=number_answers(truth[:, k], points[:, k]),
            coverages=tuple(
                Coverage(level, shares[k], len(truth), widths[k])
                for level, (shares, widths) in model.interval_coverage_.items()
            ),
        )
        for k, target in enumerate(targets)
    ]


def _of_labels(
    model: DeepClassifier, rows: Problem, targets: tuple[str, ...], scores: list[tuple[Score, ...]]
) -> list[Answers]:
    chosen = model.predict(asked(model, rows.X))
    p = model.predict_proba(asked(model, rows.X)) if hasattr(model, "predict_proba") else None
    answers = []
    for k, target in enumerate(targets):
        calibration = (
            None if p is None else Calibration(*reliability(p[:, k], rows.y[:, k]), None, of=repr(target))
        )
        classes = class_answers(rows.y[:, k], chosen[:, k], ["no", "yes"], None if p is None else p[:, k])
        answers.append(Answers(target, scores[k], classes=classes, calibration=calibration))
    return answers


def _scores(comparison: Comparison) -> tuple[Score, ...]:
    found = []
    for name, value in comparison.model.items():
        low, high = comparison.intervals.get(name) or (None, None)
        found.append(Score(name, value, comparison.baseline.get(name), low, high))
    return tuple(found)


def _importance(model: Model, rows: Problem, targets: tuple[str, ...]) -> Importances | None:
    """By R² for numbers, the log-likelihood for classes, or the accuracy where that is not known."""
    if len(rows.y) < 2:
        return None
    if isinstance(model, DeepRegressor):
        name, sign, words = "r2", 1, "R²"
    elif hasattr(model, "predict_proba"):
        name, sign, words = "log_loss", -1, "the log-likelihood per row"
    else:
        name, sign, words = "accuracy", 1, "the accuracy"

    def score(X: "pl.DataFrame", places: np.ndarray) -> float | None:
        given = asked(model, X, places)
        found = [c.model[name] for c in compare(model, given, rows.y[places], names=targets, intervals=False)]
        known = [value for value in found if value is not None]
        return sign * float(np.mean(known)) if known else None

    return permutation_importance(score, rows.X, words)


def _columns(model: Model, X: "pl.DataFrame", kinds: list[tuple[str, str]]) -> list[Column]:
    found = []
    for (name, kind), learnt in zip(kinds, model.encoder_.columns, strict=True):
        column = X[name]
        present = column.drop_nulls()
        example = "" if not len(present) else str(present[0])
        what, _, values = kind.partition(": ")
        if what.startswith(("number", "date")) and len(present):
            if isinstance(learnt, DateColumn) and learnt.spelling:  # texts have another order
                present = parse_dates(present, learnt.spelling, lenient=True)
                present = present.dt.time() if learnt.spelling in CLOCKS else present
            values = f"{_short(present.min())} to {_short(present.max())}; {values}"
        found.append(Column(name, what, column.null_count() / max(len(column), 1), values, example))
    return found


def _short(value: object) -> str:
    return f"{value:.6g}" if isinstance(value, float) else str(value).removesuffix(" 00:00:00")

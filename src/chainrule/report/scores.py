"""Scores in words: what they mean, which way is better, and whether the baseline is beaten."""

import math
from collections.abc import Callable
from functools import partial
from typing import NamedTuple

from chainrule.report.findings import Answers, Findings, Score
from chainrule.report.texts import brief, decimals, esc, number, percent, table

__all__ = ["better_than_baseline", "headline", "meaning_of", "score_table", "shown"]


class Meaning(NamedTuple):
    """What a score says."""

    name: str
    greater_is_better: bool
    written: Callable[[float | None], str]
    text: str


_MEANINGS = {
    "rmse": Meaning("RMSE", False, number, "typical error in the target's unit; large errors count most"),
    "mae": Meaning("MAE", False, number, "mean error in the target's unit, whichever its direction"),
    "r2": Meaning(
        "R²", True, partial(decimals, places=3), "share of the target's differences explained; 1 is perfect"
    ),
    "accuracy": Meaning("accuracy", True, percent, "share of rows whose class is right"),
    "log_loss": Meaning(
        "log-loss",
        False,
        partial(decimals, places=3),
        "how surprised the probabilities are by the truth; 0 is perfect",
    ),
    "roc_auc": Meaning(
        "ROC AUC",
        True,
        partial(decimals, places=3),
        "how often a row of the second class is ranked above one of the first; ½ is guessing",
    ),
}


def meaning_of(name: str) -> Meaning | None:
    """None for a score that is not one of ours."""
    return _MEANINGS.get(name)


def better_than_baseline(score: Score) -> bool:
    """Whether even the worse end of the interval is better."""
    meaning = meaning_of(score.name)
    if meaning is None or score.baseline is None or score.value is None:
        return False
    worst = score.low if meaning.greater_is_better else score.high
    worst = score.value if worst is None else worst
    return worst > score.baseline if meaning.greater_is_better else worst < score.baseline


def headline(answers: Answers) -> Score | None:
    """The score to name first: accuracy or root mean squared error, else the first that has a value."""
    known = [s for s in answers.scores if s.value is not None and math.isfinite(s.value)]
    return next(
        (s for name in ("accuracy", "rmse") for s in known if s.name == name), next(iter(known), None)
    )


def score_table(answers: Answers, findings: Findings) -> str:
    """Each score with its interval, beside the baseline's."""
    rows = []
    for score in answers.scores:
        meaning = meaning_of(score.name)
        name = esc(meaning.name if meaning else score.name)
        said = f"<small>{esc(meaning.text)}</small>" if meaning else ""
        between = "–"
        if score.low is not None and score.high is not None:
            between = f"{shown(score, score.low)} to {shown(score, score.high)}"
        best = f"<strong>{shown(score, score.value)}</strong>"
        rows.append((f"{name}{said}", best, between, shown(score, score.baseline)))
    head = ("score", "model", "95 % interval", esc(findings.baseline))
    return table(f"Scores of {esc(brief(answers.target))}", head, rows, numeric=(1, 2, 3))


def shown(score: Score, value: float | None) -> str:
    """A value of this score, as it is usually written."""
    meaning = meaning_of(score.name)
    return number(value) if meaning is None else meaning.written(value)

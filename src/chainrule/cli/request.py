"""What ``chainrule fit`` is asked for, and what came of it."""

from dataclasses import dataclass
from typing import Any

import numpy as np

from chainrule.estimators.problems import Problem
from chainrule.estimators.scores import Comparison
from chainrule.files.description import Model
from chainrule.tables.casting import Kind
from chainrule.tables.noticing import Notice


@dataclass(frozen=True)
class Request:
    """What was asked for; ``options`` are the estimator's."""

    table: str
    targets: tuple[str, ...]
    output: str | None
    validation: str | None
    task: str
    options: dict[str, Any]
    missing: tuple[str, ...]
    drop: tuple[str, ...]
    kinds: dict[str, Kind]
    weight: str | None
    group: str | None
    time: str | None
    report: str | None
    memory: str | None
    checkpoints: str | None
    resume: bool
    checkpoint_every: float | None
    json: bool
    quiet: bool
    hosts: str | None = None
    """Who learns together: see :func:`chainrule.cli.hosting.together`."""

    @property
    def left_out(self) -> tuple[str, ...]:
        """Columns that are not learnt from, as asked for."""
        return (*self.drop, *(name for name in (self.weight, self.group) if name is not None))


@dataclass(frozen=True)
class Outcome:
    """A model and what it scored."""

    model: Model
    seconds: float
    learnt: int
    """How many rows were learnt from."""
    held_out: Problem | None
    """The rows that validated; each is judged by networks that did not learn from it."""
    rows: int
    """How many rows were scored: those that validated, or all where none did."""
    comparisons: list[Comparison]
    """The scores of each target on them."""
    noticed: list[Notice]
    """What a person should know of the table, and what was warned of."""


def training_of(problem: Problem, model: Model) -> Problem:
    """The rows that networks learnt from: where members are folds, all but those of weight 0."""
    kept = np.arange(len(problem.y)) if problem.weight is None else np.flatnonzero(problem.weight)
    learnt = kept[np.sort(model.folds_.learnt)]
    return problem if len(learnt) == len(problem.y) else problem.take(learnt)


def parts_of(model: Model) -> np.ndarray | None:
    """The number of the part that each row is in, where each network leaves out another; else None."""
    folds = model.folds_
    if model.validation_rows_ is None or len(folds.judge[0]) == len(folds.judged):
        return None
    parts = np.empty(len(folds.judged), np.intp)
    for number, rows in reversed([*enumerate(folds.judge)]):  # of several rounds, the first
        parts[rows] = number
    return parts


def asked(model: Model, X: Any, places: np.ndarray | None = None) -> Any:
    """What to hand to a model for its answers to rows that it validated with: see ``model.unseen``.

    Other rows, or those of a model that validated with none of them, are handed over as they are.
    """
    return X if model.validation_rows_ is None else model.unseen(X, places)

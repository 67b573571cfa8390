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
    json: bool
    quiet: bool

    @property
    def left_out(self) -> tuple[str, ...]:
        """Columns that are not learnt from, as asked for."""
        return (*self.drop, *(name for name in (self.weight, self.group) if name is not None))


@dataclass(frozen=True)
class Outcome:
    """A model and what it scored."""

    model: Model
    seconds: float
    held_out: Problem | None
    """The rows that validated; each is judged by networks that did not learn from it."""
    rows: int
    """How many rows were scored: those that validated, or all where none did."""
    comparisons: list[Comparison]
    """The scores of each target on them."""
    noticed: list[Notice]
    """What a person should know of the table, and what was warned of."""


def training_of(problem: Problem, model: Model) -> Problem:
    """The rows that networks learnt from: all of them where members are folds."""
    if model.validation_rows_ is None:
        return problem
    learnt = np.setdiff1d(np.arange(len(problem.y)), model.validation_rows_)
    return problem.take(learnt) if learnt.size else problem


def parts_of(problem: Problem, model: Model) -> tuple[Problem, Problem | None]:
    """The rows that the first network learnt from, and those that judged it."""
    judged = model.validation_rows_
    if judged is None:
        return problem, None
    first, others = model.folds_.judge[0], model.folds_.learn[0]
    if len(first) == len(judged):  # the same rows judged every network
        return training_of(problem, model), problem.take(judged)
    return problem.take(judged[others]), problem.take(judged[first])


def asked(model: Model, X: Any, places: np.ndarray | None = None) -> Any:
    """What to hand to a model for its answers to rows that it validated with: see ``model.unseen``.

    Other rows, or those of a model that validated with none of them, are handed over as they are.
    """
    return X if model.validation_rows_ is None else model.unseen(X, places)

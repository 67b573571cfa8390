"""One set of findings, from which tests change what they are about."""

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

from chainrule.report.findings import (
    Answers,
    Calibration,
    Column,
    Coverage,
    Curves,
    Findings,
    Importance,
    Importances,
    LayerRow,
    Network,
    Score,
)
from chainrule.report.summaries import class_answers, number_answers
from chainrule.tables.notice import Notice

GENERATOR = np.random.default_rng(0)
TRUE = GENERATOR.normal(10, 3, 300)
CODES = GENERATOR.integers(0, 3, 300)
CHOSEN = np.where(GENERATOR.random(300) < 0.8, CODES, GENERATOR.integers(0, 3, 300))

NUMBER = Answers(
    "price",
    (Score("rmse", 1.5, 3.0, 1.2, 1.9), Score("r2", 0.8, -0.001, 0.7, 0.9), Score("own", 5.0)),
    numbers=number_answers(TRUE, TRUE + GENERATOR.normal(size=300)),
    coverages=(Coverage(0.9, 0.91, 300, 4.5),),
)
CLASS = Answers(
    "species",
    (Score("accuracy", 0.86, 0.35, 0.8, 0.9), Score("log_loss", 0.4, 1.1, 0.3, 0.5)),
    classes=class_answers(CODES, CHOSEN, ["a", "b", "c"]),
    calibration=Calibration(
        np.array([0.2, 0.5, 0.9]), np.array([0.1, 0.5, 0.95]), np.array([10.0, 20, 70]), 0.02, 0.05, 1.3
    ),
)
BASIS = Findings(
    task="regression",
    model="prices.chainrule",
    table="prices.csv",
    date="2026-01-31",
    version="0.1.0",
    rows=2700,
    scored="kept to validate, drawn at random by seed 0",
    scored_rows=300,
    unseen=True,
    answers=(NUMBER,),
    network=Network("2-16-1, relu", (LayerRow("x", "2", "", 0), LayerRow("affine", "16", "W 16×2", 32)), 65),
    columns=(
        Column("size", "number", 0.0, "1 to 9", "3"),
        Column("town", "category", 0.25, "4 levels", "Rome"),
    ),
    options=(("dropout", "0.1"),),
    seed=0,
    seconds=1.5,
    curves=Curves(np.array([3.0, 2, 1, 0.9]), np.array([3.0, 2, 1.5, 1.6]), 3),
    importance=Importances(
        "R²", 0.8, 300, 5, (Importance(("size",), 0.5, 0.05), Importance(("town",), -0.01, 0.02))
    ),
    noticed=(Notice("constant", "same", "column 'same' is '1' in all rows."),),
)


@pytest.fixture
def findings() -> Callable[..., Findings]:
    """Findings of a regression, but for what is given."""
    return BASIS._replace


@pytest.fixture
def number() -> Answers:
    return NUMBER


@pytest.fixture
def classified(findings: Callable[..., Findings]) -> Callable[..., Findings]:
    """Findings of a classification, but for what is given."""

    def change(**changes: Any) -> Findings:
        basis = findings(task="classification", answers=(CLASS,), baseline="the commonest class")
        return basis._replace(**changes)

    return change

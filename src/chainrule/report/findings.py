"""What a report is made of: plain numbers, texts and small arrays, whoever found them."""

from typing import Literal, NamedTuple

import numpy as np
import numpy.typing as npt

from chainrule.tables.notice import Notice

__all__ = [
    "Answers",
    "Calibration",
    "ClassAnswers",
    "Column",
    "Coverage",
    "Curves",
    "Findings",
    "Importance",
    "Importances",
    "LayerRow",
    "Network",
    "NumberAnswers",
    "Numbers",
    "Score",
]

Numbers = npt.NDArray[np.float64]


class Score(NamedTuple):
    """A score on rows of which `Findings.scored` says which they are, beside that of a baseline."""

    name: str
    """As `estimators.scores` calls it, such as "rmse"."""
    value: float | None
    """None, like NaN, where the score has no meaning."""
    baseline: float | None = None
    low: float | None = None
    """Lower end of the 95 % interval."""
    high: float | None = None


class Curves(NamedTuple):
    """Losses by epoch, from epoch 1."""

    training: Numbers
    validation: Numbers | None
    kept: int
    """The epoch whose parameters were kept, from 1."""
    interrupted: bool = False
    ran_out: bool = False
    """Whether training ended because no more epochs were allowed."""


class Coverage(NamedTuple):
    """How many held-out values an interval of predictions held."""

    level: float
    """The share that was promised."""
    share: float
    """The share that was found."""
    rows: int
    width: float
    """The median width."""


class NumberAnswers(NamedTuple):
    """Predictions of a number, from `summaries.number_answers`."""

    true: Numbers
    """True values of some rows, shape (points,)."""
    predicted: Numbers
    low: float
    """The least and the greatest value that the picture shows."""
    high: float
    edges: Numbers
    """Of the bins of the residuals, shape (bins + 1,)."""
    counts: npt.NDArray[np.int64]
    outside: int
    """How many residuals lie outside of all bins."""
    rows: int


class Calibration(NamedTuple):
    """Predicted probabilities beside the shares that came true, bin by bin."""

    predicted: Numbers
    observed: Numbers
    rows: Numbers
    """Rows in each bin, or their weight."""
    error: float | None
    """The expected calibration error of what the model says now."""
    error_before: float | None = None
    """What it was before the temperature."""
    temperature: float | None = None
    of: str = "the most likely class"
    """Whose probability it is, in words."""


class ClassAnswers(NamedTuple):
    """Predictions of a class, from `summaries.class_answers`."""

    classes: tuple[str, ...]
    matrix: npt.NDArray[np.int64] | None
    """Rows by true class, columns by predicted class; None where there are too many classes."""
    rows: npt.NDArray[np.int64]
    """How many rows are of each class."""
    right: npt.NDArray[np.int64]
    """How many of these were recognised."""
    confused: tuple[tuple[int, int, int], ...]
    """The commonest confusions: true class, predicted class, number of rows."""
    roc: tuple[Numbers, Numbers] | None = None
    """False and true positive rates, for two classes."""


class Answers(NamedTuple):
    """How good the predictions of one target are."""

    target: str
    scores: tuple[Score, ...]
    numbers: NumberAnswers | None = None
    classes: ClassAnswers | None = None
    calibration: Calibration | None = None
    coverages: tuple[Coverage, ...] = ()


class Importance(NamedTuple):
    """By how much a score falls when columns are shuffled."""

    columns: tuple[str, ...]
    """One column, or several that were shuffled together."""
    fall: float
    spread: float
    """Standard deviation over the repetitions."""


class Importances(NamedTuple):
    """Permutation importance, from `importance.permutation_importance`."""

    score: str
    """What fell, such as "R²"."""
    before: float
    rows: int
    repeats: int
    single: tuple[Importance, ...]
    """Column by column, the most important first."""
    together: Importance | None = None
    """The columns that were only looked at in groups, shuffled all at once."""


class LayerRow(NamedTuple):
    """A line of the table of layers."""

    name: str
    output: str
    parameters: str
    size: int
    """How many parameters."""


class Network(NamedTuple):
    """The network in words and as a table."""

    text: str
    """Such as "15-128-128-3, silu, loss softmax_cross_entropy"."""
    layers: tuple[LayerRow, ...]
    parameters: int


class Column(NamedTuple):
    """A column of the table that was learnt from."""

    name: str
    kind: str
    """Such as "number", "category", "date"."""
    missing: float
    """Share of the rows, from 0 to 1."""
    values: str
    """Its range, or its number of levels, in words."""
    example: str


class Findings(NamedTuple):
    """All that the page says."""

    task: Literal["regression", "classification", "labels"]
    model: str
    """Path of the model file, as a shell would find it; "" if it was not saved."""
    table: str
    """Where the rows came from."""
    date: str
    version: str
    rows: int
    """How many rows it learnt from."""
    scored: str
    """Which rows the scores are of, such as "validation rows, drawn at random by seed 0"."""
    scored_rows: int
    unseen: bool
    """Whether the network had not learnt from those."""
    answers: tuple[Answers, ...]
    """One for each target."""
    network: Network
    columns: tuple[Column, ...]
    baseline: str = "the mean"
    """What the baseline says, in words."""
    options: tuple[tuple[str, str], ...] = ()
    seed: int | None = None
    seconds: float | None = None
    missing: tuple[str, ...] = ()
    """Texts that meant missing in the table."""
    curves: Curves | None = None
    importance: Importances | None = None
    noticed: tuple[Notice, ...] = ()

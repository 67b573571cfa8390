"""What the estimators do where the user says nothing, and why."""

from math import ceil, inf
from typing import Any, NamedTuple

from chainrule.training.optimizers import Optimizer, find_optimizer
from chainrule.training.schedules import Schedule

# Small batches take more steps where rows are few; large ones use the processor better where they are many.
_BATCHES = ((2_000, 32), (20_000, 128))
_LARGEST_BATCH = 256
_LARGEST_STREAM_BATCH = 4_096

_MOST_EPOCHS = 500
_MOST_STEPS = 40_000  # by then, a network of this size has learnt what it can from rows that are all new
_FEWEST_EPOCHS = 5

CYCLES = 3
"""How many cycles there may be, each of twice as many epochs, while there is more to learn."""

_MEMBERS = {"fast": 3, "balanced": 5, "best": 10}
_SHARE_OF_EPOCHS = {"fast": 0.5, "balanced": 1.0, "best": 1.5}

PERIODIC = (16, 4, 0.1)
"""Frequencies, outputs and spread of the frequencies of a periodic embedding. Source: arXiv:2407.04491."""

CODE_SIZE = 8
"""The width of a category's embedding vector. Source: arXiv:2407.04491."""

# A part of fewer rows says more about luck than about the network; of folds, all rows say it together.
_ROWS_TO_VALIDATE = 200
_ROWS_FOR_FOLDS = 20

# Of these, twice as many networks learn in seconds; of more, those with bins were always the better ones.
_FEW_ROWS = 1_500

_WIDE = 32

_FEWEST_BINS = 12

# Beyond, the embedded table is large, and the tables at hand (pixels) were better off without.
_MOST_COLUMNS_TO_EMBED = 100


class Recipe(NamedTuple):
    """What suits a kind of target; docs/recipe.md says what each piece is worth."""

    learning_rate: float
    """Its peak, with rates by kind."""
    dropout: float
    weight_decay: float
    bins: int
    """Of a piecewise-linear embedding. Source: arXiv:2203.05556, arXiv:2410.24210."""
    most_bins: int
    """Of all columns together: bins are most of the first layer's inputs, cost much, and learn noise."""
    epochs: int
    steps: int
    """A network needs about this many steps to learn anything, however few the rows."""


REGRESSION = Recipe(
    learning_rate=0.04, dropout=0.0, weight_decay=0.1, bins=64, most_bins=3_000, epochs=20, steps=800
)
# Classes are learnt from less: longer plans, or greater steps, learn the noise of the labels.
CLASSIFICATION = Recipe(
    learning_rate=0.015, dropout=0.2, weight_decay=0.1, bins=48, most_bins=1_000, epochs=12, steps=600
)


def optimizer(wish: object) -> Optimizer:
    """Resolve "auto": Adam with a short memory of squares, β₂ = 0.95. Source: arXiv:2407.04491."""
    return find_optimizer("adam(0.9, 0.95, 1e-08)" if isinstance(wish, str) and wish == "auto" else wish)


def dropout(wish: float | str, recipe: Recipe, optimizer: Optimizer, hidden: tuple[int, ...]) -> float:
    """Resolve "auto": the recipe's; none in narrow layers, of which little would be left, nor for L-BFGS.

    Its line search needs a loss that does not change between steps.
    """
    if wish != "auto":
        return float(wish)
    return 0.0 if optimizer.full_batch or min(hidden, default=0) < _WIDE else recipe.dropout


def numeric_embedding(wish: str | None, hidden_layers: int, columns: int) -> str | None:
    """Resolve "auto": piecewise-linear, which helps jagged targets most; none in a linear model."""
    if wish != "auto":
        return wish
    return "piecewise_linear" if hidden_layers and columns <= _MOST_COLUMNS_TO_EMBED else None


def bins(recipe: Recipe, effort: str, columns: int) -> int:
    """Those of the recipe, half of them for "fast"; halved while many columns have too many together."""
    wished = recipe.bins // 2 if effort == "fast" else recipe.bins
    while wished * columns > recipe.most_bins and wished // 2 >= _FEWEST_BINS:
        wished //= 2
    return wished


def batch_size(rows: int) -> int:
    """Rows per step: 32 below 2,000 rows, 128 below 20,000, else 256."""
    return next((size for bound, size in _BATCHES if rows < bound), _LARGEST_BATCH)


def batch_size_of_stream(rows: int) -> int:
    """Rows per step: 256, doubled up to 4,096 where a pass has 40,000 steps all the same."""
    size = _LARGEST_BATCH
    while rows >= 2 * size * _MOST_STEPS and size < _LARGEST_STREAM_BATCH:
        size *= 2
    return size


def passes(rows: int, batch: int) -> int:
    """How often a stream is gone through: as often as makes 40,000 steps, once where it is as long."""
    return max(1, ceil(_MOST_STEPS * batch / rows))


def epochs(recipe: Recipe, rows: int, batch: int, effort: str = "balanced") -> int:
    """Those of the recipe; of few rows as many as make its steps, at most 500, of many as make 40,000."""
    steps, share = ceil(rows / batch), _SHARE_OF_EPOCHS[effort]
    wished = max(recipe.epochs, min(_MOST_EPOCHS, ceil(recipe.steps / steps)))
    return max(_FEWEST_EPOCHS, ceil(share * min(wished, ceil(_MOST_STEPS / steps))))


def cycles(epochs: int, rows: int, batch: int) -> int:
    """How many cycles there may be: 3 of them, or as many as end within 40,000 steps."""
    planned = epochs * ceil(rows / batch)
    return next((n for n in range(CYCLES, 1, -1) if planned * (2**n - 1) <= _MOST_STEPS), 1)


def patience(wish: float | str, schedule: Schedule) -> int | None:
    """Resolve "auto": none under a schedule, whose best epochs come when it ends; else 20 epochs."""
    if wish == "auto":
        return 20 if schedule.name == "constant" else None
    return None if wish == inf else int(wish)


def members(effort: str) -> int:
    """How many networks learn side by side: 3, 5 or 10, by the effort."""
    return _MEMBERS[effort]


def both_kinds(wish: float | str, effort: str, members: int, rows: int) -> bool:
    """Whether each network has a smooth twin: below 1,500 rows, where the recipe says how many learn."""
    return wish == "auto" and effort != "fast" and members > 1 and rows < _FEW_ROWS


def rounds(members: int) -> list[int]:
    """How many parts the rows are dealt out to, round by round: up to seven members are one round."""
    turns = max(1, round(members / 5))
    return [members // turns + (turn < members % turns) for turn in range(turns)]


def steps(
    recipe: Recipe,
    solver: object,
    optimizer: Optimizer,
    schedule: Schedule,
    rate: float | str,
    decay: float | str,
) -> dict[str, Any]:
    """Resolve how long a step is: learning_rate, rates and weight_decay, as ``train`` takes them.

    Where the user leaves solver and rate to the recipe, each kind of parameter has a rate of its own.
    """
    left_open = isinstance(solver, str) and solver == rate == "auto" and schedule.name != "constant"
    usual = recipe.weight_decay if left_open else None
    return {
        "learning_rate": recipe.learning_rate if left_open else learning_rate(rate, optimizer, schedule),
        "rates": "by_kind" if left_open else "equal",
        "weight_decay": usual if decay == "auto" else decay,
    }


def learning_rate(wish: float | str, optimizer: Optimizer, schedule: Schedule) -> float | None:
    """Resolve "auto" for a solver that the user chose: 0.004 for Adam's kind where the schedule ends low.

    Else the solver's own.

    L-BFGS has none: its line search sets the length of each step.
    """
    if optimizer.full_batch:
        return None
    if wish != "auto":
        return float(wish)
    kind, _, _ = optimizer.name.partition("(")
    return 4e-3 if kind in ("adam", "adamw", "nadam") and schedule.name != "constant" else None


def l2(alpha: float, batch: int, rows: int, mean_weight: float = 1.0) -> float:
    """scikit-learn's alpha as the strength of ½ Σ w²: divided by what the rows of a batch weigh."""
    return float(alpha) / (min(batch, rows) * mean_weight)


def validates(rows: int, members: int) -> bool:
    """Whether rows are kept back to find the best epoch: from 200 rows on, by folds of them from 20 on.

    A network that learns from all of few rows, to the end of its plan, is far too sure of its answers.
    """
    return rows >= (_ROWS_FOR_FOLDS if members > 1 else _ROWS_TO_VALIDATE)

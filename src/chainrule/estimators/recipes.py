"""What the estimators do where the user says nothing, and why."""

from math import ceil

from chainrule.training.optimizers import Optimizer
from chainrule.training.schedules import Schedule

# Small batches take more steps where rows are few; large ones use the processor better where they are many.
_BATCHES = ((2_000, 32), (20_000, 128))
_LARGEST_BATCH = 256

_EPOCHS = 60
_STEPS = 1_500  # a network needs about this many steps to learn anything, however few the rows
_MOST_EPOCHS = 500
_MOST_STEPS = 40_000  # by then, a network of this size has learnt what it can from rows that are all new
_FEWEST_EPOCHS = 10

_MEMBERS = {"fast": 3, "balanced": 5, "best": 10}
_SHARE_OF_EPOCHS = {"fast": 0.5, "balanced": 1.0, "best": 1.5}

PERIODIC = (16, 4, 0.1)
"""Frequencies, outputs and spread of the frequencies of a periodic embedding. Source: arXiv:2407.04491."""

BINS = 24
PIECEWISE_LINEAR = (BINS, 8)
"""Bins and outputs of a piecewise-linear embedding. Source: arXiv:2203.05556, arXiv:2410.24210."""

CODE_SIZE = 8
"""The width of a category's embedding vector. Source: arXiv:2407.04491."""

# With fewer rows a validation part says more about luck than about the network.
_ROWS_TO_VALIDATE = 200


# Beyond, the embedded table is large, and the tables at hand (pixels) were better off without.
_MOST_COLUMNS_TO_EMBED = 100


def numeric_embedding(wish: str | None, hidden_layers: int, columns: int) -> str | None:
    """Resolve "auto": piecewise-linear, which lowered errors by 3 % over 15 tables; none in a linear model.

    Measured by ``benchmarks/embeddings.py``: 20 % and 5–7 % better on jagged targets, ±2 % elsewhere.
    """
    if wish != "auto":
        return wish
    return "piecewise_linear" if hidden_layers and columns <= _MOST_COLUMNS_TO_EMBED else None


def batch_size(rows: int) -> int:
    """Rows per step: 32 below 2,000 rows, 128 below 20,000, else 256."""
    return next((size for bound, size in _BATCHES if rows < bound), _LARGEST_BATCH)


def epochs(rows: int, batch: int, effort: str = "balanced") -> int:
    """60 epochs; of few rows as many as make 1,500 steps, at most 500, of many as few as make 40,000."""
    steps, share = ceil(rows / batch), _SHARE_OF_EPOCHS[effort]
    wished = max(_EPOCHS, min(_MOST_EPOCHS, ceil(_STEPS / steps)))
    return max(_FEWEST_EPOCHS, ceil(share * min(wished, ceil(_MOST_STEPS / steps))))


def members(effort: str) -> int:
    """How many networks learn side by side: 3, 5 or 10, by the effort."""
    return _MEMBERS[effort]


def rounds(members: int) -> list[int]:
    """How many parts the rows are dealt out to, round by round: up to seven members are one round."""
    turns = max(1, round(members / 5))
    return [members // turns + (turn < members % turns) for turn in range(turns)]


def learning_rate(wish: float | str, optimizer: Optimizer, schedule: Schedule) -> float | None:
    """Resolve "auto": 0.004 for Adam's kind where the schedule ends low, else the solver's own.

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


def validates(rows: int) -> bool:
    """Whether a part of the rows is kept back to find the best epoch: from 200 rows on."""
    return rows >= _ROWS_TO_VALIDATE

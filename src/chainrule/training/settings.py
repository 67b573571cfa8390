"""What a training is told besides network and rows: checked once, before anything is compiled."""

from math import inf
from numbers import Integral, Real
from typing import NamedTuple

from chainrule.errors import ArgumentError
from chainrule.mathematics.product import PRECISIONS
from chainrule.training.early_stopping import Patience
from chainrule.training.optimizers import Optimizer, find_optimizer
from chainrule.training.schedules import Schedule, find_schedule


class Settings(NamedTuple):
    """See :func:`chainrule.train`."""

    optimizer: Optimizer
    schedule: Schedule
    learning_rate: float
    weight_decay: float
    max_norm: float | None
    batch_size: int
    epochs: int
    patience: Patience
    shuffle: bool
    seed: int
    by_kind: bool
    cycles: int
    precision: str

    def batch(self, rows: int) -> int:
        """Rows per step, where there are so many."""
        return rows if self.optimizer.full_batch else self.batch_size


def settings(
    *,
    optimizer: object = "adam",
    learning_rate: float | None = None,
    schedule: object = "constant",
    weight_decay: float | None = None,
    max_norm: float | None = None,
    batch_size: int = 128,
    epochs: int = 100,
    patience: int | None = None,
    tol: float = 0.0,
    shuffle: bool = True,
    seed: int = 0,
    rates: str = "equal",
    cycles: int = 1,
    precision: str = "float32",
) -> Settings:
    """Check the options of :func:`chainrule.train`; ArgumentError for the first that is wrong."""
    rule, planned = find_optimizer(optimizer), find_schedule(schedule)
    _refuse(
        rule.own_rate and not (learning_rate is weight_decay is None),
        "learning_rate and weight_decay must be left to an optax transformation, which has its own",
        "one of them",
    )
    rate = rule.learning_rate if learning_rate is None else learning_rate
    decay = rule.weight_decay if weight_decay is None else weight_decay
    _refuse(not (_number(rate) and 0 < rate < inf), "learning_rate must be a number above 0", rate)
    _refuse(not (_number(decay) and 0 <= decay < inf), "weight_decay must be a number of 0 or more", decay)
    _refuse(not (_number(tol) and 0 <= tol < inf), "tol must be a number of 0 or more", tol)
    _refuse(
        rule.full_batch and decay > 0,
        f"weight_decay must be 0 for {rule.name}, whose line search minimises the loss itself (use l2)",
        decay,
    )
    norm_fits = max_norm is None or (_number(max_norm) and max_norm > 0)
    _refuse(not norm_fits, "max_norm must be a number above 0, or None", max_norm)
    _refuse(rule.full_batch and max_norm is not None, f"max_norm must be None for {rule.name}", max_norm)
    _refuse(
        rule.full_batch and planned.name != "constant",
        f"schedule must be constant for {rule.name}, whose line search sets the length of each step",
        planned.name,
    )
    counts = {"batch_size": batch_size, "epochs": epochs, "cycles": cycles, "patience": patience}
    for name, count in counts.items():
        fits = (isinstance(count, Integral) and count >= 1) or (name == "patience" and count is None)
        _refuse(not fits, f"{name} must be a whole number of at least 1", count)
    fits = isinstance(seed, Integral) and 0 <= seed < 2**32
    _refuse(not fits, "seed must be a whole number from 0 to 2³² − 1", seed)
    _refuse(rates not in ("equal", "by_kind"), "rates must be 'equal' or 'by_kind'", rates)
    names = ", ".join(map(repr, PRECISIONS))
    _refuse(precision not in PRECISIONS, f"precision must be one of {names}", precision)
    return Settings(
        rule,
        planned,
        rate,
        decay,
        max_norm,
        int(batch_size),
        int(epochs),
        Patience(patience, tol),
        shuffle,
        int(seed),
        rates == "by_kind",
        int(cycles),
        precision,
    )


def _number(value: object) -> bool:
    return isinstance(value, Real) and not isinstance(value, bool)


def _refuse(wrong: bool, must: str, got: object) -> None:
    if wrong:
        raise ArgumentError(f"{must}; got {got!r}.")

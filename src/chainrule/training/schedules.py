"""Schedules: how the learning rate moves over the training, as a factor of the share t that is done.

t runs from 0 before the first step to 1 after the last planned one. A factor of t, rather than of step
numbers, lets one compiled program serve every number of steps.
"""

from collections.abc import Callable
from typing import Any, NamedTuple

import jax.numpy as jnp
from jax import Array
from jaxtyping import Float

from chainrule.mathematics.named import find, reduce_by_name

Share = Float[Array, ""]


class Schedule(NamedTuple):
    """A factor on the learning rate, from the share of the training that is done."""

    name: str
    factor: Callable[[Share], Share]
    formula: str
    source: str

    def __reduce__(self) -> tuple[Any, ...]:
        return reduce_by_name(self, find_schedule)


def constant(t: Share) -> Share:
    """1."""
    return jnp.ones_like(t)


def cosine(t: Share) -> Share:
    """½ (1 + cos πt)."""
    return (1 + jnp.cos(jnp.pi * t)) / 2


def one_cycle(t: Share) -> Share:
    """Up from 1/25 to 1 over the first 3/10, then down to 1/10⁴, both along a cosine."""
    up, rise, start, end = 0.3, t / 0.3, 1 / 25, 1e-4
    fall = (t - up) / (1 - up)
    rising = start + (1 - start) * (1 - jnp.cos(jnp.pi * rise)) / 2
    falling = end + (1 - end) * (1 + jnp.cos(jnp.pi * fall)) / 2
    return jnp.where(t < up, rising, falling)


def exponential(t: Share) -> Share:
    """0.01ᵗ: the same percentage less at every step, down to a hundredth."""
    return jnp.exp(jnp.log(0.01) * t)


def four_cycles(t: Share) -> Share:
    """½ (1 − cos(2π log₂(1 + 15 t))): four cycles, each twice as long as the one before."""
    return (1 - jnp.cos(2 * jnp.pi * jnp.log2(1 + 15 * t))) / 2


SCHEDULES: dict[str, Schedule] = {
    schedule.name: schedule
    for schedule in (
        Schedule("constant", constant, "1", "Robbins and Monro 1951 ask for more; often enough"),
        Schedule("cosine", cosine, "(1 + cos(pi*t))/2", "arXiv:1608.03983"),
        Schedule(
            "one_cycle",
            one_cycle,
            "where(t < 0.3, 0.04 + 0.48*(1 - cos(pi*t/0.3)), 0.0001 + 0.49995*(1 + cos(pi*(t - 0.3)/0.7)))",
            "arXiv:1708.07120",
        ),
        Schedule("exponential", exponential, "0.01**t", "a constant decay rate"),
        Schedule("four_cycles", four_cycles, "(1 - cos(2*pi*log(1 + 15*t)/log(2)))/2", "arXiv:2407.04491"),
    )
}


def find_schedule(schedule: object) -> Schedule:
    """Return the record for a name, or the record itself."""
    return find("the learning-rate schedule", schedule, SCHEDULES, Schedule)

"""Classic sets of points to learn: two columns to predict a class, or a number, from."""

from collections.abc import Callable
from typing import TYPE_CHECKING, NamedTuple

import numpy as np

from chainrule.errors import ArgumentError
from chainrule.mathematics.named import did_you_mean

if TYPE_CHECKING:
    import polars as pl

_Draw = Callable[[np.random.Generator, int], tuple[np.ndarray, np.ndarray]]
"""Points of shape (rows, 2) within about ±5, and what each is: 0 or 1, or a number."""


class Classic(NamedTuple):
    """A set by its name."""

    name: str
    title: str
    task: str
    draw: _Draw


def _circles(numbers: np.random.Generator, rows: int) -> tuple[np.ndarray, np.ndarray]:
    """A disc within a ring."""
    outer = np.arange(rows) % 2
    radius = np.where(outer, numbers.uniform(3.5, 5, rows), numbers.uniform(0, 2.5, rows))
    return _polar(radius, numbers.uniform(0, 2 * np.pi, rows)), outer


def _spirals(numbers: np.random.Generator, rows: int) -> tuple[np.ndarray, np.ndarray]:
    """Two arms of one and three quarters of a turn."""
    arm = np.arange(rows) % 2
    along = np.sqrt(numbers.uniform(0.01, 1, rows))  # as many points where an arm is long
    return _polar(5 * along, 3.5 * np.pi * along + np.pi * arm), arm


def _xor(numbers: np.random.Generator, rows: int) -> tuple[np.ndarray, np.ndarray]:
    """Opposite quarters are of one class."""
    x = numbers.uniform(0.3, 5, (rows, 2)) * numbers.choice([-1, 1], (rows, 2))
    return x, (x[:, 0] * x[:, 1] > 0).astype(int)


def _gaussians(numbers: np.random.Generator, rows: int) -> tuple[np.ndarray, np.ndarray]:
    """Two clouds."""
    cloud = np.arange(rows) % 2
    return numbers.normal(size=(rows, 2)) + np.where(cloud, 2.0, -2.0)[:, None], cloud


def _plane(numbers: np.random.Generator, rows: int) -> tuple[np.ndarray, np.ndarray]:
    """The sum of both columns."""
    x = numbers.uniform(-5, 5, (rows, 2))
    return x, x.sum(axis=1) / 10


def _hills(numbers: np.random.Generator, rows: int) -> tuple[np.ndarray, np.ndarray]:
    """Hills and hollows in turn."""
    x = numbers.uniform(-5, 5, (rows, 2))
    return x, np.sin(x[:, 0] * 0.8) * np.cos(x[:, 1] * 0.8)


def _polar(radius: np.ndarray, angle: np.ndarray) -> np.ndarray:
    return np.stack([radius * np.sin(angle), radius * np.cos(angle)], axis=1)


CLASSIC = {
    classic.name: classic
    for classic in (
        Classic("spirals", "Two spirals", "classification", _spirals),
        Classic("circles", "A disc in a ring", "classification", _circles),
        Classic("xor", "Exclusive or", "classification", _xor),
        Classic("gaussians", "Two clouds", "classification", _gaussians),
        Classic("plane", "A plane", "regression", _plane),
        Classic("hills", "Hills and hollows", "regression", _hills),
    )
}
TARGET = "y"


def classic_table(name: str, rows: int = 400, noise: float = 0.0, seed: int = 0) -> "pl.DataFrame":
    """A table with the columns x1, x2 and y; a class is "a" or "b".

    ``noise`` is the standard deviation of what is added to both columns, in their unit: sets are ten wide.
    """
    import polars as pl

    if name not in CLASSIC:
        raise ArgumentError(
            f"set must be one of {', '.join(CLASSIC)}; got {name!r}.{did_you_mean(name, CLASSIC)}"
        )
    classic, numbers = CLASSIC[name], np.random.default_rng(seed)
    x, y = classic.draw(numbers, rows)
    x = x + noise * numbers.normal(size=x.shape)
    told = np.array(["a", "b"])[y] if classic.task == "classification" else y
    return pl.DataFrame({"x1": x[:, 0], "x2": x[:, 1], TARGET: told})

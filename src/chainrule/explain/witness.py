"""The compiled passes and finite differences: two witnesses for what a derivation says, in float64."""

from functools import partial
from typing import Any, NamedTuple

import jax
import jax.numpy as jnp
import numpy as np
from jax import Array

from chainrule.network import propagation
from chainrule.network.network import Network
from chainrule.network.parameters import Parameters
from chainrule.training import compilation_cache

_STEP, _LONG_STEP = 1e-5, 1e-3
"""Of first and of second differences: where rounding and curvature spoil about the same."""


class Subject(NamedTuple):
    """What is derived, in float64: a network's loss on rows, or one of its outputs."""

    network: Network
    parameters: Parameters
    x: np.ndarray
    y: np.ndarray
    weight: np.ndarray
    output: int | None = None
    """Which output, counted from 0, of which row; None for the loss."""
    row: int = 0
    seed: Array | None = None
    """Of the training step whose dropout there is; None for none."""


class Direction(NamedTuple):
    """How parameters and inputs move; arrays of their shapes."""

    parameters: Parameters
    x: np.ndarray


class Witnesses(NamedTuple):
    """What the compiled passes say."""

    value: float
    losses: np.ndarray
    """ℓ of each row."""
    y_hat: np.ndarray
    gradients: Parameters
    dx: np.ndarray
    compiled: float
    """The derivative along the direction, from the compiled backward pass."""
    difference: float
    """The same from differences of the value."""
    compiled_second: float
    """The second derivative along the direction, from differences of the compiled derivative."""
    second_difference: float
    """The same from differences of the value."""


def witnesses(subject: Subject, direction: Direction) -> Witnesses:
    """Run the passes at the parameters and a little to both sides of them along the direction."""
    size = (
        max((float(np.abs(leaf).max(initial=0)) for leaf in jax.tree.leaves(direction)), default=0.0) or 1.0
    )
    h, H = _STEP / size, _LONG_STEP / size
    compilation_cache.switch_on()
    with jax.enable_x64(True):
        given = jax.tree.map(jnp.asarray, (subject.parameters, subject.x, subject.y, subject.weight))
        steps = jnp.asarray([-h, h, -H, H, 0])
        value, along, *rest = _passes(
            subject.network, subject.output, *given, subject.row, subject.seed, direction, steps
        )
        losses, y_hat, gradients, dx = jax.tree.map(np.asarray, rest)
        v, d = np.asarray(value), np.asarray(along)
    return Witnesses(
        float(v[4]),
        losses,
        y_hat,
        gradients,
        dx,
        float(d[4]),
        float((v[1] - v[0]) / (2 * h)),
        float((d[1] - d[0]) / (2 * h)),
        float((v[3] - 2 * v[4] + v[2]) / H**2),
    )


def along_line(subject: Subject, direction: Direction, steps: np.ndarray) -> np.ndarray:
    """The value at parameters + step · direction, for each step."""
    with jax.enable_x64(True):
        given = jax.tree.map(jnp.asarray, (subject.parameters, subject.x, subject.y, subject.weight))
        value, *_ = _passes(
            subject.network, subject.output, *given, subject.row, subject.seed, direction, jnp.asarray(steps)
        )
        return np.asarray(value)


@partial(jax.jit, static_argnums=(0, 1))
def _passes(
    network: Network,
    output: int | None,
    parameters: Parameters,
    x: Array,
    y: Array,
    weight: Array,
    row: Array,
    seed: Array | None,
    direction: Direction,
    steps: Array,
) -> tuple[Any, ...]:
    """Value and derivative at each step along the direction; losses, ŷ and gradients at the last."""

    def at(_: Any, step: Array) -> tuple[Any, ...]:
        p = jax.tree.map(lambda leaf, move: leaf + step * move, parameters, direction.parameters)
        moved = x + step * direction.x
        if output is None:
            value, gradients, values, deltas = network.objective(p, moved, y, weight, weight.sum(), seed)
        else:
            values = propagation.forward(network.layers, p, moved, seed)
            delta = jnp.zeros_like(values[-1]).at[row, output].set(1)
            gradients, deltas = propagation.backward(network.layers, p, values, delta, seed)
            value = values[-1][row, output]
        along = jax.tree.map(jnp.vdot, (gradients, deltas[0]), (direction.parameters, direction.x))
        return (values[-1], gradients, deltas[0]), (value, jax.tree.reduce(jnp.add, along))

    nothing = (
        jnp.zeros((len(x), network.sizes[-1])),
        jax.tree.map(jnp.zeros_like, parameters),
        jnp.zeros_like(x),
    )
    values: tuple[Array, Array]
    last, values = jax.lax.scan(at, nothing, steps)
    y_hat, gradients, dx = last
    if network.label_smoothing and network.loss.smooth is not None:
        y = network.loss.smooth(y, network.label_smoothing)
    return *values, network.loss.value(y_hat, y), y_hat, gradients, dx

"""One compiled look at a network: what its units say of some rows and of a plane, and how δ runs back."""

from functools import partial
from typing import Any, NamedTuple

import jax
import jax.numpy as jnp
from jax import Array

from chainrule.network.network import Network
from chainrule.network.parameters import Parameters
from chainrule.network.trace import named_passes
from chainrule.training.epoch import restored

FINE, COARSE = 40, 12  # points along an edge of the decision surface, and of a unit's picture


class Seen(NamedTuple):
    """What a frame looks at; tuples have an entry for each column of units, from the inputs on."""

    parameters: Parameters
    values: tuple[Any, ...]
    """What units say, (rows, units)."""
    z: tuple[Any, ...]
    """Of each affine map, (rows, units)."""
    deltas: tuple[Any, ...]
    """∂L/∂z of each affine map, (rows, units)."""
    sizes: Any
    """The root mean square of each of these, (affine maps,)."""
    means: tuple[Any, ...]
    """Of the values, (units,)."""
    deviations: tuple[Any, ...]
    pictures: tuple[Any, ...]
    """What each unit says of the coarse grid, (units, points) in bytes, 128 for 0; none without a grid."""
    surface: Any
    """The raw output on the fine grid, (points, outputs); None without a grid."""
    answers: Any
    """The same through the inverse link."""


@partial(jax.jit, static_argnums=(0, 1))
def look(
    network: Network, names: tuple[str, ...], kept: Parameters, x: Array, y: Array, grid: Array | None
) -> Seen:
    """Look at some rows and at a grid, fine points first; ``names`` are those of each column in a trace."""
    parameters = restored(network, kept)
    seen = named_passes(network, parameters, x, y, jnp.ones(len(x)))
    values = tuple(seen.values[name] for name in names)
    deltas = tuple(seen.deltas[f"delta{layer}"] for layer in range(1, len(names)))
    pictures: tuple[Array, ...] = ()
    surface = answers = None
    if grid is not None:
        any_targets = jnp.broadcast_to(y[:1], (len(grid), y.shape[1]))
        on_grid = named_passes(network, parameters, grid, any_targets, jnp.ones(len(grid))).values
        pictures = tuple(_picture(on_grid[name][FINE * FINE :].T) for name in names)
        surface = on_grid["y_hat"][: FINE * FINE]
        answers = network.loss.inverse_link(surface)
    return Seen(
        parameters,
        values,
        tuple(seen.values[f"z{layer}"] for layer in range(1, len(names))),
        deltas,
        jnp.stack([jnp.sqrt(jnp.square(delta).mean()) for delta in deltas]),
        tuple(value.mean(axis=0) for value in values),
        tuple(value.std(axis=0) for value in values),
        pictures,
        surface,
        answers,
    )


def _picture(says: Array) -> Array:
    """What units say, (units, points), each in proportion to its largest."""
    most = jnp.abs(says).max(axis=1, keepdims=True)
    return (128 + 127 * says / jnp.where(most > 0, most, 1)).clip(0, 255).astype(jnp.uint8)

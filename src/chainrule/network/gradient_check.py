"""Is the gradient by hand the gradient? Against automatic differentiation and finite differences.

The only place in the product where automatic differentiation runs: as a witness.
"""

from collections.abc import Callable
from typing import TYPE_CHECKING, NamedTuple

import jax
import jax.numpy as jnp
import numpy as np
from jax import Array
from jax.flatten_util import ravel_pytree

from chainrule.network import propagation
from chainrule.network.parameters import Parameters, matrices

if TYPE_CHECKING:
    from chainrule.network.network import Network

TOLERANCE_AUTOMATIC = 1e-9
TOLERANCE_DIFFERENCES = 1e-5
SAMPLE = 64
_STEP = 1e-5


class ArrayReport(NamedTuple):
    """One array of parameters: the largest differences, relative to the largest entry of the gradient."""

    name: str
    shape: tuple[int, ...]
    from_automatic: float
    from_differences: float
    compared: int
    """How many entries were compared with finite differences, drawn at random where there are many."""


class GradientReport(NamedTuple):
    """How far the gradient by hand is from both witnesses, array by array, in float64."""

    arrays: tuple[ArrayReport, ...]

    @property
    def ok(self) -> bool:
        """Within 1e-9 of automatic differentiation and 1e-5 of central differences."""
        return all(
            a.from_automatic <= TOLERANCE_AUTOMATIC and a.from_differences <= TOLERANCE_DIFFERENCES
            for a in self.arrays
        )

    def __str__(self) -> str:
        head = f"{'gradient of':<28}{'automatic':>12}{'differences':>13}   compared\n"
        lines = (
            f"{a.name + ' ' + '×'.join(map(str, a.shape)):<28}{a.from_automatic:>12.1e}"
            f"{a.from_differences:>13.1e}   {a.compared} of {np.prod(a.shape, dtype=int)}\n"
            for a in self.arrays
        )
        verdict = "agree" if self.ok else "DO NOT AGREE"
        return (
            f"{head}{''.join(lines)}by hand, automatic and finite differences {verdict} (relative, float64)"
        )


def check_gradients(
    network: "Network",
    parameters: Parameters,
    x: Array,
    y: Array,
    weight: Array,
    seed: Array | None = None,
) -> GradientReport:
    """Compare, for each array of parameters, three ways to the same gradient.

    By hand: ``network.objective``. Automatic: ``jax.grad`` of the forward pass and the loss. Central
    differences of the same, entry by entry, at most 64 entries of each array. At a kink that a row hits
    exactly the three differ by convention.
    """
    with jax.enable_x64(True):
        parameters, x, y, weight = jax.tree.map(
            lambda leaf: jnp.asarray(np.asarray(leaf), jnp.float64), (parameters, x, y, weight)
        )

        def objective(p: Parameters) -> Array:
            return _forward_only(network, p, x, y, weight, seed)

        by_hand = jax.jit(lambda p: network.objective(p, x, y, weight, weight.sum(), seed)[1])(parameters)
        automatic = jax.jit(jax.grad(objective))(parameters)
        differences = _central_differences(objective, parameters)
        scale = max(float(jnp.abs(leaf).max()) for leaf in jax.tree.leaves(automatic)) or 1.0
        rows = zip(
            jax.tree_util.tree_leaves_with_path(by_hand),
            jax.tree.leaves(automatic),
            differences,
            strict=True,
        )
        return GradientReport(
            tuple(
                ArrayReport(
                    jax.tree_util.keystr(path),
                    hand.shape,
                    float(jnp.abs(hand - auto).max()) / scale,
                    float(np.abs(np.asarray(hand).ravel()[entries] - measured).max()) / scale,
                    len(entries),
                )
                for (path, hand), auto, (entries, measured) in rows
            )
        )


def _forward_only(
    network: "Network", p: Parameters, x: Array, y: Array, weight: Array, seed: Array | None
) -> Array:
    """The objective from its definition, without a backward rule."""
    if network.label_smoothing and network.loss.smooth is not None:
        y = network.loss.smooth(y, network.label_smoothing)
    y_hat = propagation.forward(network.layers, p, x, seed)[-1]
    L = (weight * network.loss.value(y_hat, y)).sum() / weight.sum()
    return L + sum(network.l1 * jnp.abs(W).sum() + network.l2 * (W * W).sum() / 2 for W in matrices(p))


def _central_differences(
    objective: Callable[[Parameters], Array], parameters: Parameters
) -> list[tuple[np.ndarray, np.ndarray]]:
    """For each array, which of its entries were drawn and the differences there; one program for all."""
    flat, unravel = ravel_pytree(parameters)
    numbers = np.random.default_rng(0)
    sizes = [leaf.size for leaf in jax.tree.leaves(parameters)]
    drawn = [numbers.permutation(size)[:SAMPLE] for size in sizes]
    starts = np.cumsum([0, *sizes[:-1]])
    everywhere = np.concatenate([start + entries for start, entries in zip(starts, drawn, strict=True)])

    def along(entry: Array) -> Array:
        above, below = (objective(unravel(flat.at[entry].add(step))) for step in (_STEP, -_STEP))
        return (above - below) / (2 * _STEP)

    measured = np.asarray(jax.jit(lambda entries: jax.lax.map(along, entries))(everywhere))
    ends = np.cumsum([len(entries) for entries in drawn])
    return list(zip(drawn, np.split(measured, ends[:-1]), strict=True))

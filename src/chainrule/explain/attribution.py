"""What each input adds to an output: integrated gradients, and the plain gradient by the inputs.

::

    x ──embedding──▶ e ──W¹e + b¹──▶ z¹ ──the other maps──▶ ŷ of each member ──mean──▶ r ──direction · r──▶ f

An embedding is discrete in x (a vector for each code) or has kinks (bins). So the straight way from a
baseline to a row is gone in the space of e, where each column of x has places of its own; each member goes
its own way, all at the same time. Source: Sundararajan, Taly, Yan 2017, arXiv:1703.01365, equation 1; with
several baselines Erion et al. 2021, arXiv:1906.10670.
"""

from functools import lru_cache, partial
from itertools import pairwise
from typing import NamedTuple

import jax
import jax.numpy as jnp
import numpy as np
from jax import Array

from chainrule.errors import ArgumentError
from chainrule.mathematics.averaging import mean_raw_gradient
from chainrule.network import propagation
from chainrule.network.embedding_layers import Lookup, Parallel, Periodic, PiecewiseLinear, Rescale
from chainrule.network.layer import Layer
from chainrule.network.layers import Activate, Affine, Dropout
from chainrule.network.network import Network
from chainrule.network.parameters import Parameters
from chainrule.network.prediction import mean_output

TOLERANCE = 1e-3
"""The remainder may be this share of the sizes of a row's attributions before more points are taken."""

FEWEST_POINTS, MOST_POINTS = 8, 256

_PAIRS = 16  # of a row and a baseline that are looked at together, each at
_AT_ONCE = 4  # points: the products then have 64 rows, as in predictions
_BLOCKS = 64  # of pairs that one call of the compiled program takes, where there are so many
_NOISE = 8  # units in the last place of an output: a remainder below is no fault of the points
_BY_COLUMN = (Lookup, Periodic, PiecewiseLinear, Rescale, Activate, Dropout)  # none mixes columns


class Attribution(NamedTuple):
    """What groups of inputs add to f, row by row, in float64: Σ values = output − baseline."""

    values: np.ndarray
    """(rows, groups)."""
    output: np.ndarray
    """f of each row, (rows,)."""
    baseline: np.ndarray
    """The mean of f over the baselines, (rows,)."""
    remainder: np.ndarray
    """What the integral at so many points missed of output − baseline, (rows,). It is shared among the
    values, in proportion to their sizes."""
    points: np.ndarray
    """How many points each way was looked at, (rows,)."""


def integrated_gradients(
    network: Network,
    members: Parameters,
    x: np.ndarray,
    baselines: np.ndarray,
    direction: np.ndarray,
    groups: np.ndarray | None = None,
) -> Attribution:
    """Attribute f = direction · r to the inputs, where r is the raw output of the members together.

    φⱼ = Σ (eₖ − e⁰ₖ) ∫₀¹ ∂f/∂eₖ(e⁰ + t (e − e⁰)) dt over the places k that the embedding has for input j, in
    the mean over the baselines, by Gauss and Legendre's points: twice as many for the rows whose remainder is
    above ``TOLERANCE``, until there are ``MOST_POINTS``.

    Parameters
    ----------
    members
        Parameters with a leading axis.
    x, baselines
        Shapes (rows, m) and (baselines, m), of one dtype, in which all is computed.
    direction
        Of shape (rows, n): a one for the output that is asked for, and what it is multiplied by.
    groups
        For each of the m inputs, the number of the group that it counts for, all of them from 0 on; by
        default each is one.

    Raises
    ------
    ArgumentError
        If the embedding has a layer that mixes columns.
    """
    groups = np.arange(network.sizes[0]) if groups is None else np.asarray(groups)
    owner = groups[_inputs_of_places(network)]
    r, r_0 = (mean_output(network, members, rows).astype(np.float64) for rows in (x, baselines))
    output, baseline = (r * direction).sum(axis=1), direction @ r_0.mean(axis=0)
    difference = output - baseline
    values = np.zeros((len(x), int(groups.max(initial=-1)) + 1))
    remainder, points = np.zeros(len(x)), np.zeros(len(x), int)
    noise = _NOISE * np.finfo(x.dtype).eps * (np.abs(output) + np.abs(baseline))
    rough, number = np.arange(len(x)), FEWEST_POINTS
    while len(rough) and number <= MOST_POINTS:
        values[rough] = _mean_over_baselines(
            network, members, x[rough], baselines, direction[rough], owner, values.shape[1], number
        )
        remainder[rough], points[rough] = difference[rough] - values[rough].sum(axis=1), number
        within = TOLERANCE * np.abs(values).sum(axis=1) + noise
        rough, number = rough[np.abs(remainder[rough]) > within[rough]], 2 * number
    return Attribution(_closed(values, remainder), output, baseline, remainder, points)


def input_gradients(
    network: Network, members: Parameters, x: np.ndarray, direction: np.ndarray
) -> np.ndarray:
    """∂f/∂x of shape (rows, m), where f = direction · r as in :func:`integrated_gradients`.

    By a code it is 0, since a code has no neighbours; at a kink it is the slope to the right.
    """
    rows = _PAIRS * _AT_ONCE
    found = [
        _gradients_of_rows(
            network, members, _filled(x[k : k + rows], rows), _filled(direction[k : k + rows], rows)
        )
        for k in range(0, len(x), rows)
    ]
    return np.concatenate([np.zeros((0, x.shape[1]), x.dtype), *found])[: len(x)]


def _mean_over_baselines(
    network: Network,
    members: Parameters,
    x: np.ndarray,
    baselines: np.ndarray,
    direction: np.ndarray,
    owner: np.ndarray,
    groups: int,
    number: int,
) -> np.ndarray:
    """The integrals of each row, (rows, groups), in the mean over the baselines."""
    t, weight = _gauss_legendre(number)
    sums, pairs = np.zeros((len(x), groups)), len(x) * len(baselines)
    size = _PAIRS * (_BLOCKS if pairs > _PAIRS else 1)
    for start in range(0, pairs, size):
        row, baseline = np.divmod(np.arange(start, min(start + size, pairs)), len(baselines))
        blocks = (
            _filled(part, size).reshape(-1, _PAIRS, part.shape[1])
            for part in (baselines[baseline], x[row], direction[row].astype(x.dtype))
        )
        full = -(-len(row) // _PAIRS)
        found = _integrals(
            network, groups, members, owner, t.astype(x.dtype), weight.astype(x.dtype), full, number, *blocks
        )
        np.add.at(sums, row, np.asarray(found).reshape(size, groups)[: len(row)])
    return sums / len(baselines)


@partial(jax.jit, static_argnums=(0, 1))
def _integrals(
    network: Network,
    groups: int,
    members: Parameters,
    owner: Array,
    t: Array,
    weight: Array,
    full: Array | int,
    number: Array | int,
    start: Array,
    end: Array,
    direction: Array,
) -> Array:
    """The integrals of the first ``full`` blocks of pairs, at the first ``number`` points."""
    embedding, first, others = _parts(network)

    def forward(part: "_Part", a: Array) -> Array:
        return _forward(part, members, a)

    def block(k: Array, out: Array) -> Array:
        e_0, e = (forward(embedding, _for_each(members, ends[k])) for ends in (start, end))
        z_0, z = forward(first, e_0), forward(first, e)
        d = jnp.tile(direction[k], (_AT_ONCE, 1))

        def at_points(turn: Array, integral: Array) -> Array:
            now = jax.lax.dynamic_slice_in_dim(t, turn * _AT_ONCE, _AT_ONCE)[None, :, None, None]
            counts = jax.lax.dynamic_slice_in_dim(weight, turn * _AT_ONCE, _AT_ONCE)[None, :, None, None]
            way = z_0[:, None] + now * (z - z_0)[:, None]
            gradient = _gradient(network, others, members, way.reshape(z.shape[0], -1, z.shape[2]), d)
            return integral + (counts * gradient.reshape(way.shape)).sum(axis=1)

        # A way that is straight in e is so in z¹, and the integral goes back through W¹ once for all points.
        integral = jax.lax.fori_loop(0, number // _AT_ONCE, at_points, jnp.zeros_like(z))
        by_place = (_backward(first, members, e, integral) * (e - e_0)).sum(axis=0)
        return out.at[k].set(jax.ops.segment_sum(by_place.T, owner, groups).T)

    return jax.lax.fori_loop(0, full, block, jnp.zeros((*start.shape[:2], groups), start.dtype))


@partial(jax.jit, static_argnums=0)
def _gradients_of_rows(network: Network, members: Parameters, x: Array, direction: Array) -> Array:
    every = network.layers, 0, len(members)
    return _gradient(network, every, members, _for_each(members, x), direction.astype(x.dtype)).sum(axis=0)


_Part = tuple[tuple[Layer, ...], int, int]
"""Some maps of the chain, and from where to where their parameters are."""


def _parts(network: Network) -> tuple[_Part, _Part, _Part]:
    """The embedding, the affine map behind it, if one is there, and the other maps."""
    layers = network.layers
    first = int(isinstance(layers[0], Parallel))
    other = first + isinstance(layers[first], Affine)
    learn = np.cumsum([0, *(layer.learns for layer in layers)]).tolist()
    cuts = (0, first, other, len(layers))
    embedding, affine, others = ((layers[a:b], learn[a], learn[b]) for a, b in pairwise(cuts))
    return embedding, affine, others


def _forward(part: _Part, members: Parameters, a: Array) -> Array:
    """What some maps make of rows, (members, rows, inputs), those of each member of its own."""
    layers, start, end = part
    return jax.vmap(lambda p, own: propagation.forward(layers, p, own)[-1])(members[start:end], a)


def _backward(part: _Part, members: Parameters, a: Array, delta: Array) -> Array:
    """Carry delta = ∂f/∂output back through some maps to their input, both (members, rows, …)."""
    layers, start, end = part

    def back(p: Parameters, own: Array, d: Array) -> Array:
        return propagation.backward(layers, p, propagation.forward(layers, p, own), d)[1][0]

    return jax.vmap(back)(members[start:end], a, delta)


def _gradient(network: Network, part: _Part, members: Parameters, a: Array, direction: Array) -> Array:
    """∂f/∂a where a, (members, rows, inputs), is what the last maps of the chain receive."""
    link = network.loss.link
    delta = mean_raw_gradient(link, _forward(part, members, a), direction)
    return _backward(part, members, a, delta)


def _for_each(members: Parameters, a: Array) -> Array:
    return jnp.broadcast_to(a[None], (jax.tree.leaves(members)[0].shape[0], *a.shape))


def _inputs_of_places(network: Network) -> np.ndarray:
    """For each place of e, the column of x that it belongs to."""
    first = network.layers[0]
    if not isinstance(first, Parallel):
        return np.arange(network.sizes[0])
    repeats: list[int] = []
    for columns, layers in first.parts:
        for layer in layers:
            if not isinstance(layer, _BY_COLUMN):
                raise ArgumentError(
                    "an embedding must keep columns apart to be explained; got a layer that mixes them, "
                    f"{type(layer).__name__}. Put it behind the embedding."
                )
        repeats += [propagation.width(layers, columns) // columns] * columns
    return np.repeat(np.arange(network.sizes[0]), repeats)


@lru_cache
def _gauss_legendre(number: int) -> tuple[np.ndarray, np.ndarray]:
    """Points in (0, 1) and their weights, exact for polynomials of degree 2 · number − 1; then zeros."""
    t, weight = np.polynomial.legendre.leggauss(number)
    room = (0, MOST_POINTS - number)
    return np.pad((t + 1) / 2, room), np.pad(weight / 2, room)


def _filled(part: np.ndarray, rows: int) -> np.ndarray:
    return np.concatenate([part, np.zeros((rows - len(part), part.shape[1]), part.dtype)])


def _closed(values: np.ndarray, remainder: np.ndarray) -> np.ndarray:
    """The values with the remainder shared among them, by their sizes: what adds nothing still does."""
    sizes = np.abs(values)
    total = sizes.sum(axis=1, keepdims=True)
    return values + remainder[:, None] * np.divide(sizes, total, out=np.zeros_like(sizes), where=total > 0)

"""What each input adds to an output: integrated gradients, and the plain gradient by the inputs.

::

    x ──embedding──▶ e ──W¹e + b¹──▶ z¹ ──the other maps──▶ ŷ of each member ──mean──▶ r ──direction · r──▶ f

An embedding is discrete in x (a vector for each code) or has kinks (bins). So the straight way from a
baseline to a row is gone in the space of e, where each column of x has places of its own; each member goes
its own way, all at the same time. Source: Sundararajan, Taly, Yan 2017, arXiv:1703.01365, equation 1; with
several baselines Erion et al. 2021, arXiv:1906.10670.
"""

from collections.abc import Callable
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
"""What the integral from a baseline may miss, as a share of the sizes of the row's attributions."""

FEWEST_POINTS, MOST_POINTS = 4, 256

_PAIRS = 32  # of a row and a baseline that are looked at together, each at
_AT_ONCE = 4  # points
_BLOCKS = 32  # of pairs that one call of the compiled program takes, where there are so many
_ROWS = 256  # with all their baselines
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
    """At how many points the way was looked at, from the baseline that needed most, (rows,)."""


def integrated_gradients(
    network: Network,
    members: Parameters,
    x: np.ndarray,
    baselines: np.ndarray,
    direction: np.ndarray,
    *,
    offset: np.ndarray | float = 0.0,
    groups: np.ndarray | None = None,
    r: np.ndarray | None = None,
) -> Attribution:
    """Attribute f = offset + direction · r to the inputs; r is the raw output of the members together.

    φⱼ = Σ (eₖ − e⁰ₖ) ∫₀¹ ∂f/∂eₖ(e⁰ + t (e − e⁰)) dt over the places k that the embedding has for input j, in
    the mean over the baselines, by Gauss and Legendre's points: twice as many for the ways whose remainder is
    above ``TOLERANCE``, until there are ``MOST_POINTS``.

    Parameters
    ----------
    members
        Parameters with a leading axis.
    x, baselines
        Shapes (rows, m) and (baselines, m), of one dtype, in which all is computed.
    direction
        Of shape (rows, n): a one for the output that is asked for, and what it is multiplied by.
    offset
        Of shape (rows,), or one for all.
    groups
        For each of the m inputs, the number of the group that it counts for, all of them from 0 on; by
        default each is one.
    r
        The raw outputs of x, (rows, n), where they are known.

    Raises
    ------
    ArgumentError
        If the embedding has a layer that mixes columns.
    """
    groups = np.arange(network.sizes[0]) if groups is None else np.asarray(groups)
    owner, number = groups[_inputs_of_places(network)], int(groups.max()) + 1
    r = (mean_output(network, members, x) if r is None else r).astype(np.float64)
    r_0 = mean_output(network, members, baselines).astype(np.float64)
    offset = np.broadcast_to(np.asarray(offset, np.float64), len(x))
    f = (r * direction).sum(axis=1) + offset
    parts = [(np.zeros((0, number)), np.zeros(0), np.zeros(0, int), np.zeros(0))]
    for start in range(0, len(x), _ROWS):
        some = slice(start, start + _ROWS)
        f_0 = direction[some] @ r_0.T + offset[some, None]
        along = partial(
            _integrals_of_pairs, network, members, x[some], baselines, direction[some], owner, number
        )
        mean = f_0.mean(axis=1)
        noise = _NOISE * np.finfo(x.dtype).eps * (np.abs(f[some]) + np.abs(f_0).mean(axis=1))
        values, points = _refined(along, f[some, None] - f_0, noise)
        values = values.mean(axis=1)
        remainder = f[some] - mean - values.sum(axis=1)
        parts.append((_closed(values, remainder), remainder, points.max(axis=1), mean))
    values, remainder, points, mean = (np.concatenate(part) for part in zip(*parts, strict=True))
    return Attribution(values, f, mean, remainder, points)


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


def _refined(
    along: Callable[[np.ndarray, int], np.ndarray], difference: np.ndarray, noise: np.ndarray
) -> tuple[np.ndarray, np.ndarray]:
    """The integrals of all pairs, (rows, baselines, groups), and at how many points, (rows, baselines).

    ``along`` gives those of some pairs, counted row by row, at so many points; ``difference`` is what they
    must sum up to, (rows, baselines), and ``noise`` what may be missing of it in a row, (rows,).
    """
    number = FEWEST_POINTS
    points = np.full(difference.shape, number)
    values = along(np.arange(difference.size), number).reshape(*difference.shape, -1)
    while True:
        missed = difference - values.sum(axis=2)
        within = TOLERANCE * np.abs(values.mean(axis=1)).sum(axis=1) + noise
        # A way's remainder is worth more points only where it shows in the row's.
        rough = (np.abs(missed.mean(axis=1)) > within)[:, None] & (np.abs(missed) > within[:, None])
        rough &= points == number
        number *= 2
        if not rough.any() or number > MOST_POINTS:
            return values, points
        values[rough], points[rough] = along(np.flatnonzero(rough), number), number


def _integrals_of_pairs(
    network: Network,
    members: Parameters,
    x: np.ndarray,
    baselines: np.ndarray,
    direction: np.ndarray,
    owner: np.ndarray,
    groups: int,
    pairs: np.ndarray,
    number: int,
) -> np.ndarray:
    """The integrals of some pairs, counted row by row, at so many points; (pairs, groups) in float64."""
    t, weight = (part.astype(x.dtype) for part in _gauss_legendre(number))
    size = _PAIRS * (_BLOCKS if len(pairs) > 4 * _PAIRS else 4 if len(pairs) > _PAIRS else 1)
    found = np.empty((len(pairs), groups))
    for start in range(0, len(pairs), size):
        row, baseline = np.divmod(pairs[start : start + size], len(baselines))
        blocks = (
            _filled(part, size).reshape(-1, _PAIRS, part.shape[1])
            for part in (baselines[baseline], x[row], direction[row].astype(x.dtype))
        )
        full = -(-len(row) // _PAIRS)
        sums = _integrals(network, groups, members, owner, t, weight, full, number, *blocks)
        found[start : start + size] = np.asarray(sums).reshape(size, groups)[: len(row)]
    return found


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

    def block(k: Array, out: Array) -> Array:
        e_0, e = (_forward(embedding, members, _for_each(members, ends[k]))[-1] for ends in (start, end))
        z_0, way = _forward(first, members, e_0)[-1], _forward(first, members, e)
        z, d = way[-1], jnp.tile(direction[k], (_AT_ONCE, 1))

        def at_points(turn: Array, integral: Array) -> Array:
            now = jax.lax.dynamic_slice_in_dim(t, turn * _AT_ONCE, _AT_ONCE)[None, :, None, None]
            counts = jax.lax.dynamic_slice_in_dim(weight, turn * _AT_ONCE, _AT_ONCE)[None, :, None, None]
            between = z_0[:, None] + now * (z - z_0)[:, None]
            gradient = _gradient(network, others, members, between.reshape(z.shape[0], -1, z.shape[2]), d)
            return integral + (counts * gradient.reshape(between.shape)).sum(axis=1)

        # A way that is straight in e is so in z¹, and the integral goes back through W¹ once for all points.
        integral = jax.lax.fori_loop(0, number // _AT_ONCE, at_points, jnp.zeros_like(z))
        by_place = (_backward(first, members, way, integral) * (e - e_0)).sum(axis=0)
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


def _forward(part: _Part, members: Parameters, a: Array) -> tuple[Array, ...]:
    """Every value on the way through some maps, from rows of each member, (members, rows, …)."""
    layers, start, end = part
    return jax.vmap(partial(propagation.forward, layers))(members[start:end], a)


def _backward(part: _Part, members: Parameters, values: tuple[Array, ...], delta: Array) -> Array:
    """Carry delta = ∂f/∂output back through these maps to their input, (members, rows, …)."""
    layers, start, end = part

    def back(p: Parameters, own: tuple[Array, ...], d: Array) -> Array:
        return propagation.backward(layers, p, own, d)[1][0]

    return jax.vmap(back)(members[start:end], values, delta)


def _gradient(network: Network, part: _Part, members: Parameters, a: Array, direction: Array) -> Array:
    """∂f/∂a where a, (members, rows, inputs), is what the last maps of the chain receive."""
    values = _forward(part, members, a)
    return _backward(part, members, values, mean_raw_gradient(network.loss.link, values[-1], direction))


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

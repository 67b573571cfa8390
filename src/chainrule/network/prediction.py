"""Forward passes over many rows, in chunks of one shape: no row's answer depends on its neighbours."""

from collections.abc import Callable
from functools import partial
from typing import TypeAlias

import jax
import jax.numpy as jnp
import numpy as np
from jax import Array

from chainrule.mathematics.averaging import mean_raw
from chainrule.mathematics.loss import identity_link
from chainrule.network import devices, programs, propagation
from chainrule.network.network import Network
from chainrule.network.parameters import Parameters

CHUNK = 64  # rows that are multiplied together: few enough for one row's answer to be quick
_CHUNK_OF_GPU = 4096  # where so many take no longer than one
_BLOCK = 1024  # rows that a function of rows sees together
_ROWS = 16_384  # rows that one call of the compiled program takes, where there are so many


def raw_output(network: Network, parameters: Parameters, x: np.ndarray) -> np.ndarray:
    """ŷ of shape (rows, n) for x of shape (rows, m), float32 or float64.

    The same row gives the same bits in any table: every product has the same shape.
    """
    return _by_chunks(network, parameters, x, _one)


def mean_output(network: Network, members: Parameters, x: np.ndarray) -> np.ndarray:
    """What members say together, as one raw output (rows, n); their parameters have a leading axis."""
    return _by_chunks(network, members, x, _together)


def outputs_of_each(network: Network, members: Parameters, x: np.ndarray) -> np.ndarray:
    """What each member says, (members, rows, n)."""
    each = _by_chunks(network, members, x, _each, jax.tree.leaves(members)[0].shape[0])
    return np.moveaxis(each.reshape(len(x), -1, network.sizes[-1]), 1, 0)


_Rule: TypeAlias = Callable[[Network, Parameters, Array], Array]


def _by_chunks(
    network: Network, parameters: Parameters, x: np.ndarray, rule: _Rule, answers: int = 1
) -> np.ndarray:
    """What a rule makes of rows, in chunks of one shape; (rows, answers · n)."""
    programs.hold(rule, network, answers)
    rows, columns = x.shape
    size = CHUNK if devices.platform() == "cpu" else _CHUNK_OF_GPU
    out = np.empty((rows, answers * network.sizes[-1]), x.dtype)
    start = 0
    while start < rows:
        chunks = _ROWS // size if rows - start > size else 1
        part = x[start : start + chunks * size]
        block = np.zeros((chunks * size, columns), x.dtype)
        block[: len(part)] = part
        full = -(-len(part) // size)
        raw = _chunks(rule, network, parameters, block.reshape(chunks, size, columns), answers, full)
        out[start : start + len(part)] = np.asarray(raw).reshape(-1, out.shape[1])[: len(part)]
        start += len(part)
    return out


def _one(network: Network, parameters: Parameters, x: Array) -> Array:
    return propagation.forward(network.layers, parameters, x)[-1]


def _of_members(network: Network, members: Parameters, x: Array) -> Array:
    return jax.vmap(lambda parameters: _one(network, parameters, x))(members)


def _together(network: Network, members: Parameters, x: Array) -> Array:
    return mean_raw(network.loss.link, _of_members(network, members, x))


def _each(network: Network, members: Parameters, x: Array) -> Array:
    return jnp.moveaxis(_of_members(network, members, x), 0, 1).reshape(x.shape[0], -1)


def in_blocks(function: Callable[[Array], Array], raw: np.ndarray) -> np.ndarray:
    """What a function of rows makes of them, in blocks of one shape, so that no row sees how many there are.

    Compiled code treats what is left over of an array's length differently, down to the last bit.
    """
    if function is identity_link:  # the usual one costs a sixth of a row's prediction
        return raw
    parts = []
    for start in range(0, max(len(raw), 1), _BLOCK):
        block = np.zeros((_BLOCK, *raw.shape[1:]), raw.dtype)
        part = raw[start : start + _BLOCK]
        block[: len(part)] = part
        parts.append(np.asarray(function(jnp.asarray(block)))[: len(part)])
    return np.concatenate(parts)


@partial(jax.jit, static_argnums=(0, 1, 4))
def _chunks(
    rule: _Rule, network: Network, parameters: Parameters, x: Array, answers: int, full: Array | int
) -> Array:
    """What a rule makes of the first ``full`` chunks; of the others, which hold no rows, zeros."""

    def chunk(k: Array, out: Array) -> Array:
        return out.at[k].set(rule(network, parameters, x[k]))

    # A loop also around a single chunk: the compiler then sees the same products in both programs.
    out = jnp.zeros((*x.shape[:2], answers * network.sizes[-1]), x.dtype)
    return jax.lax.fori_loop(0, full, chunk, out)

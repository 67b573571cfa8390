"""Rows in batches: padded to sizes that recur, so that tables of almost the same size share a program."""

from typing import NamedTuple

import jax.numpy as jnp
import numpy as np
from jax import Array

BLOCK = 8  # steps whose rows are gathered at once


class Table(NamedTuple):
    """Rows on the device. Beyond ``rows`` stand copies of the first one, of weight 0."""

    x: Array
    y: Array
    weight: Array
    """Of mean 1 over the real rows."""
    rows: int


def padded(rows: int, least: int = 1) -> int:
    """A multiple of ``least``, at most an eighth more than ``rows`` where there are many; one of few sizes.

    There is always room for one row of weight 0.
    """
    grain = max(least, 8, 1 << max(0, rows.bit_length() - 4))
    return -(-(rows + 1) // grain) * grain


def put(x: np.ndarray, y: np.ndarray, weight: np.ndarray | None, least: int = 1) -> Table:
    """Lay rows on the device, padded; x is (rows, inputs), y (rows, targets), weight (rows,)."""
    rows = x.shape[0]
    extra = padded(rows, least) - rows

    def fill(array: np.ndarray) -> Array:
        return jnp.asarray(np.concatenate([array, np.repeat(array[:1], extra, axis=0)]))

    w = np.ones(rows, x.dtype) if weight is None else (weight / weight.mean()).astype(x.dtype)
    return Table(fill(x), fill(y), jnp.asarray(np.concatenate([w, np.zeros(extra, x.dtype)])), rows)


def order(table: Table, batch_size: int, numbers: np.random.Generator | None) -> np.ndarray:
    """Which rows each step sees, shape (blocks, steps of a block, batch_size); unused places are padding.

    Without a generator the rows keep their order. NumPy shuffles: its permutation is 50 times as fast as
    one inside the compiled program.
    """
    room = -(-table.x.shape[0] // batch_size)
    block = min(BLOCK, room)
    blocks = -(-room // block)
    places = np.full(blocks * block * batch_size, table.rows, np.int32)
    places[: table.rows] = np.arange(table.rows) if numbers is None else numbers.permutation(table.rows)
    return places.reshape(blocks, block, batch_size)

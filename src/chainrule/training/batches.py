"""Rows in batches: padded to sizes that recur, so that tables of almost the same size share a program."""

from collections.abc import Sequence
from typing import NamedTuple

import jax.numpy as jnp
import numpy as np
from jax import Array

from chainrule.network import devices

_BLOCK = 8  # steps whose rows are gathered at once, at most
_BLOCK_OF_GPU = 32  # after each, the host is asked whether there is another, which takes as long as a step
_ROWS_OF_BLOCK = 65_536  # of a GPU: where a step has many rows, it takes long itself
_CHUNK = 256  # rows that validation looks at together


class Table(NamedTuple):
    """Rows on the device. Beyond ``rows`` stand copies of the first one, of weight 0."""

    x: Array
    y: Array
    weight: Array
    """What each row counts in training."""
    rows: int


class Judged(NamedTuple):
    """The rows that say how good a network is, (…, chunks, rows of a chunk); unused places weigh 0."""

    rows: Array
    weight: Array


def padded(rows: int, least: int = 1) -> int:
    """A multiple of ``least``, at most an eighth more than ``rows`` where there are many; one of few sizes.

    There is always room for one row of weight 0.
    """
    grain = max(least, 8, 1 << max(0, rows.bit_length() - 4))
    return -(-(rows + 1) // grain) * grain


def put(x: np.ndarray, y: np.ndarray, weight: np.ndarray) -> Table:
    """Lay rows on the device, padded; x is (rows, inputs), y (rows, targets), weight (rows,)."""
    rows = x.shape[0]
    extra = padded(rows) - rows

    def fill(array: np.ndarray) -> Array:
        return jnp.asarray(np.concatenate([array, np.repeat(array[:1], extra, axis=0)]))

    return Table(
        fill(x), fill(y), jnp.asarray(np.concatenate([weight, np.zeros(extra)]).astype(x.dtype)), rows
    )


def judged(parts: Sequence[np.ndarray], weight: np.ndarray, members: int | None) -> Judged:
    """Lay out which rows judge each network, padded; ``weight`` has the weights of all rows."""
    size = padded(max(map(len, parts)), _CHUNK)
    places, weights = np.zeros((len(parts), size), np.int32), np.zeros((len(parts), size))
    for k, part in enumerate(parts):
        places[k, : len(part)] = part
        weights[k, : len(part)] = weight[part] / weight[part].mean()
    shape = (size // _CHUNK, _CHUNK) if members is None else (members, size // _CHUNK, _CHUNK)
    return Judged(
        jnp.asarray(places.reshape(shape)), jnp.asarray(weights.reshape(shape).astype(jnp.result_type(float)))
    )


def shuffling(seed: int, number: int, member: int = 0, share: int = 0) -> np.random.Generator:
    """What shuffles the rows of a member in an epoch: one for each, so that training can be taken up."""
    if share:
        return np.random.default_rng((seed, number, member, share))
    return np.random.default_rng((seed, number, member) if member else (seed, number))


def blocks_of(room: int, batch_size: int) -> tuple[int, int]:
    """In how many blocks the steps of an epoch are, and how many steps each has; ``room`` as for `order`."""
    steps, most = -(-room // batch_size), _BLOCK
    if devices.platform() != "cpu":
        most = min(_BLOCK_OF_GPU, max(1, _ROWS_OF_BLOCK // batch_size))
    blocks = -(-steps // most)
    return blocks, -(-steps // blocks)


def order(rows: np.ndarray, room: int, batch_size: int, numbers: np.random.Generator | None) -> np.ndarray:
    """Which of these rows each step sees, shape (blocks, steps of a block, batch_size).

    Without a generator the rows keep their order. NumPy shuffles: its permutation is 50 times as fast as
    one inside the compiled program. ``room`` is how many rows the table has place for, and the last of them
    is one of weight 0: it stands in unused places.
    """
    blocks, block = blocks_of(room, batch_size)
    places = np.full(blocks * block * batch_size, room - 1, np.int32)
    places[: len(rows)] = rows if numbers is None else numbers.permutation(rows)
    return places.reshape(blocks, block, batch_size)

"""Where an epoch's rows come from: a table in memory, or parts of a larger one."""

from typing import NamedTuple, Protocol

import numpy as np

from chainrule.training import batches
from chainrule.training.folds import Folds
from chainrule.training.settings import Settings


class Part(NamedTuple):
    """What one epoch works on."""

    table: batches.Table
    judged: batches.Judged | None
    order: np.ndarray
    """Which rows each step sees, (blocks, steps of a block, batch_size); with members, along a first axis."""
    rows: np.ndarray
    """How many rows each member learns from, (members,), or one number."""
    steps: int


class Feed(Protocol):
    """What an epoch learns from, by the number of the epoch; the same number, the same bits."""

    batch_size: int
    steps: int
    """Of an epoch; the last may have fewer."""

    def part(self, number: int) -> Part:
        """For the epoch of this number, from 1."""


class Held:
    """A table in memory, the same in every epoch, in another order.

    Parameters
    ----------
    x, y, weight
        All rows, those that only judge too.
    members
        None for a single network without an axis of members.
    """

    def __init__(
        self,
        x: np.ndarray,
        y: np.ndarray,
        weight: np.ndarray,
        folds: Folds,
        told: Settings,
        members: int | None,
    ) -> None:
        most = max(map(len, folds.learn))
        self.batch_size = told.batch(batches.padded(most))
        self.steps = -(-most // self.batch_size)
        self._folds, self._told, self._members = folds, told, members
        self._table = batches.put(x, y, weight / weight[folds.learnt].mean())
        self._judged = batches.judged(folds.judge, weight, members) if folds.judge else None
        rows = np.array([len(part) for part in folds.learn], np.int32)
        self._rows = rows[0] if members is None else rows

    def part(self, number: int) -> Part:
        """All rows, as each member sees them in this epoch."""
        told = self._told
        shuffled = told.shuffle and not told.optimizer.full_batch
        room, orders = self._table.x.shape[0], []
        for member, part in enumerate(self._folds.learn):
            numbers = batches.shuffling(told.seed, number, member) if shuffled else None
            orders.append(batches.order(part, room, self.batch_size, numbers))
        order = orders[0] if self._members is None else np.stack(orders)
        return Part(self._table, self._judged, order, self._rows, self.steps)


def seeds_of(seed: int, members: int | None) -> np.ndarray:
    """What each member's dropout is drawn from: as many seeds, or one."""
    seeds = ((seed + 0x85EBCA6B * np.arange(members or 1)) & 0x7FFFFFFF).astype(np.int32)
    return np.asarray(seeds[0] if members is None else seeds)

"""What a run keeps of its past: the losses of every epoch, and the network as it was at many of them."""

from array import array
from bisect import bisect_right
from collections.abc import Iterator
from typing import NamedTuple

import jax
import numpy as np

from chainrule.training.epoch import State

_ROOM = 100_000_000  # bytes that the moments of a run may take
_MOST = 2_000  # moments, more than one can scrub through


class Moment(NamedTuple):
    """A network at the end of an epoch, or within one."""

    epoch: int
    """Epochs that are done."""
    state: State
    loss: float | None
    """Of the epoch, while the parameters moved; of epoch 0, as ``network.evaluate`` has it. None where nobody
    knows the truth of a row."""
    validation_loss: float | None
    step: int = 0
    """Batches of the next epoch that are done."""
    diverged: bool = False


class History:
    """Moments in the order of their epochs, from the initialisation on.

    Parameters are shared with the training, never copied. Where they would take too much room every other
    one is given up, so that those that are left stay evenly spread.
    """

    def __init__(self, begin: Moment) -> None:
        size = sum(leaf.nbytes for leaf in jax.tree.leaves(begin.state))
        self._most = int(np.clip(_ROOM // max(1, size), 2, _MOST))
        self._moments: dict[int, Moment] = {0: begin}
        self._newest = begin
        self._apart = 1
        self._losses, self._validated = array("d"), array("d")
        self._note(begin)

    @property
    def newest(self) -> Moment:
        """The last moment, which is always kept."""
        return self._newest

    @property
    def first(self) -> float:
        """The loss of the initialisation; not a number where nobody knows a truth."""
        return self._losses[0]

    @property
    def epochs(self) -> list[int]:
        """Those whose moment is kept."""
        return sorted({*self._moments, self._newest.epoch})

    def add(self, moment: Moment) -> None:
        """The moment at the end of the next epoch."""
        self._newest = moment
        self._note(moment)
        if moment.epoch % self._apart == 0:
            self._moments[moment.epoch] = moment
        while len(self._moments) > self._most:
            self._apart *= 2
            self._moments = {epoch: old for epoch, old in self._moments.items() if epoch % self._apart == 0}

    def before(self, epoch: int) -> Moment:
        """The last moment that is kept up to an epoch."""
        epochs = self.epochs
        found = epochs[max(0, bisect_right(epochs, epoch) - 1)]
        return self._newest if found == self._newest.epoch else self._moments[found]

    def cut(self, moment: Moment) -> None:
        """Forget what came after a moment."""
        self._moments = {epoch: old for epoch, old in self._moments.items() if epoch < moment.epoch}
        del self._losses[moment.epoch :], self._validated[moment.epoch :]
        self._note(moment)
        self._newest = moment._replace(step=0)
        if moment.epoch % self._apart == 0:
            self._moments[moment.epoch] = self._newest

    def _note(self, moment: Moment) -> None:
        self._losses.append(np.nan if moment.loss is None else moment.loss)
        if moment.validation_loss is not None:
            self._validated.append(moment.validation_loss)

    def losses(self) -> tuple[np.ndarray, np.ndarray]:
        """Of each epoch from 1 on: the loss, and, where rows validate, theirs."""
        return np.array(self._losses[1:]), np.array(self._validated[1:])

    def curve(self, most: int) -> Iterator[tuple[int, float, float | None]]:
        """Epoch, loss and validation loss of at most so many epochs, evenly spread, the last among them."""
        there = len(self._losses)
        for epoch in np.unique(np.linspace(0, there - 1, min(there, most)).astype(int)).tolist():
            yield epoch, self._losses[epoch], self._validated[epoch] if self._validated else None

    def moments(self) -> list[Moment]:
        """Those that are kept, in their order."""
        return [self.before(epoch) for epoch in self.epochs]

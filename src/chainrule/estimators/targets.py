"""Targets on their way into the loss and back: numbers on one scale, classes as zeros and ones."""

from typing import NamedTuple

import numpy as np

from chainrule.errors import TableError
from chainrule.mathematics.checked import ours
from chainrule.mathematics.loss import REAL, Loss


class Scale(NamedTuple):
    """y = offset + scale · (what the network learns), one of each for every target."""

    offset: tuple[float, ...]
    scale: tuple[float, ...]

    def learned(self, y: np.ndarray) -> np.ndarray:
        """Targets as the loss sees them."""
        return (y - np.array(self.offset)) / np.array(self.scale)

    def restored(self, predictions: np.ndarray) -> np.ndarray:
        """Predictions, shape (rows, k · targets), in the units of y."""
        repeats = predictions.shape[1] // len(self.scale)
        return predictions * np.tile(self.scale, repeats) + np.tile(self.offset, repeats)


def fit_scale(y: np.ndarray, weight: np.ndarray | None, loss: Loss) -> Scale:
    """Mean 0 and spread 1 where any real number will do, mean 1 under a log link; otherwise as they are."""
    as_they_are = Scale((0.0,) * y.shape[1], (1.0,) * y.shape[1])
    if loss.use == "one's own" or not ours(loss.gradient):
        return as_they_are
    mean = np.average(y, axis=0, weights=weight)
    if loss.link == "log":
        return Scale((0.0,) * y.shape[1], tuple(np.where(mean > 0, mean, 1.0).tolist()))
    if loss.domain is not REAL:
        return as_they_are
    spread = np.sqrt(np.average(np.square(y - mean), axis=0, weights=weight))
    constant = spread <= 1e-12 * np.abs(mean)
    return Scale(tuple(mean.tolist()), tuple(np.where(constant, 1.0, spread).tolist()))


def refuse_outside(y: np.ndarray, loss: Loss) -> None:
    """Refuse targets, shape (rows, targets), that the loss does not admit.

    Raises
    ------
    TableError
        With the first such value and its row, from 1.
    """
    row, column = np.nonzero(~loss.domain.contains(y))
    if row.size:
        where = f" in row {row[0] + 1}" + (f", target {column[0] + 1}" if y.shape[1] > 1 else "")
        raise TableError(
            f"the loss {loss.name!r} needs {loss.domain.text}; got {y[row[0], column[0]]:g}{where}. "
            "Choose another loss, or correct the targets."
        )


def as_indicators(codes: np.ndarray, classes: int) -> np.ndarray:
    """Class numbers, shape (rows,), as zeros and ones: one column for two classes, else one for each."""
    if classes <= 2:
        return (codes == 1).astype(np.float32)[:, None]
    return np.eye(classes, dtype=np.float32)[codes]

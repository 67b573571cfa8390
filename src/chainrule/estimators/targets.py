"""Targets on their way into the loss and back: numbers on one scale, classes as zeros and ones."""

from typing import NamedTuple

import numpy as np

from chainrule.errors import ArgumentError, TableError
from chainrule.mathematics.checked import ours
from chainrule.mathematics.loss import REAL, Loss
from chainrule.tables.numeric_columns import moments

_LARGEST = 1e150
_SAME = 1e-12  # values that differ by less, relative to their mean, are one value, rounded


class Scale(NamedTuple):
    """y = offset + scale · (what the network learns), one of each for every target; or log y is."""

    offset: tuple[float, ...]
    scale: tuple[float, ...]
    """0 where the target is always the same: the answer is then the offset, whatever the network says."""
    log: bool = False
    """Whether the network learns log y."""
    factor: tuple[float, ...] = ()
    """With ``log``: what exp(prediction) is multiplied by to be the mean of y, not its median."""

    def learned(self, y: np.ndarray) -> np.ndarray:
        """Targets as the loss sees them."""
        scale = np.array(self.scale)
        return ((np.log(y) if self.log else y) - np.array(self.offset)) / np.where(scale == 0, 1.0, scale)

    def widened(self, y: np.ndarray) -> "Scale":
        """The scale for these further targets too: 1 where one that was always the same is so no more."""
        off = np.abs((np.log(y) if self.log else y) - np.array(self.offset))
        varies = (off > _SAME * np.abs(self.offset)).any(axis=0)
        scale = np.where(varies & (np.array(self.scale) == 0), 1.0, self.scale)
        return self._replace(scale=tuple(scale.tolist()))

    def restored(self, predictions: np.ndarray) -> np.ndarray:
        """Predictions, shape (rows, k · targets), in the units of y."""
        repeats = predictions.shape[1] // len(self.scale)
        y = predictions * np.tile(self.scale, repeats) + np.tile(self.offset, repeats)
        if not self.log:
            return y
        with np.errstate(over="ignore"):  # an infinite prediction says more than an error would
            return np.exp(y) * (np.tile(self.factor, repeats) if self.factor else 1.0)

    def smeared(self, predictions: np.ndarray, y: np.ndarray, weight: np.ndarray | None) -> "Scale":
        """The scale whose predictions are means: with the mean of exp(log y − log ŷ) as factor.

        exp of a mean of logarithms is a median, below the mean of a skewed target; the mean of
        exp(residual) makes up for it, whatever the residuals' distribution. Source: Duan 1983, Smearing
        estimate, equation 3.1.
        """
        ratios = y / self._replace(factor=()).restored(predictions)
        return self._replace(factor=tuple(np.average(ratios, axis=0, weights=weight).tolist()))


def fit_scale(y: np.ndarray, weight: np.ndarray | None, loss: Loss, log: bool = False) -> Scale:
    """Mean 0 and spread 1 where any real number will do, mean 1 under a log link; otherwise as they are."""
    as_they_are = Scale((0.0,) * y.shape[1], (1.0,) * y.shape[1])
    if log:
        refuse_log(y, loss)
        y = np.log(y)
    if not log and (loss.use == "one's own" or not ours(loss.gradient)):
        return as_they_are
    mean = np.average(y, axis=0, weights=weight)
    if loss.link == "log":
        return Scale((0.0,) * y.shape[1], tuple(np.where(mean > 0, mean, 1.0).tolist()))
    if loss.domain is not REAL:
        return as_they_are
    offset = mean.clip(y.min(axis=0), y.max(axis=0))  # of one value the mean may be another, by rounding
    spread = np.array([moments(target, weight)[1] for target in y.T])
    constant = np.ptp(y, axis=0) <= _SAME * np.abs(offset)
    return Scale(tuple(offset.tolist()), tuple(np.where(constant, 0.0, spread).tolist()), log)


def refuse_log(y: np.ndarray, loss: Loss) -> None:
    """Refuse what has no logarithm, and losses that take the logarithm themselves."""
    if loss.domain is not REAL or loss.link != "identity":
        why = "takes a logarithm itself" if loss.link == "log" else f"needs {loss.domain.text}"
        raise ArgumentError(
            f"target_transform must be left out with the loss {loss.name!r}, which {why}; got both."
        )
    row, column = np.nonzero(~(y > 0))
    if row.size:
        raise TableError(
            f"targets must be above 0 for target_transform='log'; got {y[row[0], column[0]]:g} in row "
            f"{row[0] + 1}. Leave the transform out, or choose the loss 'poisson' or 'tweedie'."
        )


def refuse_enormous(y: np.ndarray) -> None:
    """Refuse targets whose squares are no numbers any more, with the first one's row."""
    enormous = np.argwhere(abs(y) > _LARGEST)
    if enormous.size:
        raise TableError(
            f"targets must be within ±{_LARGEST:g}, so that their squares are numbers; got "
            f"{y[tuple(enormous[0])]:g} in row {enormous[0][0] + 1}. Use a larger unit."
        )


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

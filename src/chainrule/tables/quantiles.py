"""Quantiles of weighted values: a weight of 2 is the value twice."""

from collections.abc import Sequence
from typing import NamedTuple, Self

import numpy as np
import numpy.typing as npt

__all__ = ["Distribution", "near_one"]

Numbers = npt.NDArray[np.float64]


def near_one(values: Numbers) -> tuple[Numbers, int]:
    """Divide by 2ᵏ so that the largest is below 1, and give k: exact, and no sum or square overflows."""
    exponent = int(np.frexp(np.abs(values).max())[1])
    return np.ldexp(values, -exponent), exponent


class Distribution(NamedTuple):
    """Values in order, and the running sum of their weights."""

    values: Numbers
    cumulated: Numbers | None
    """None where each value counts once."""

    @classmethod
    def of(cls, values: Numbers, weight: Numbers | None) -> Self:
        """Sort finite values, shape (rows,), of weights above 0."""
        if weight is None:
            return cls(np.sort(values), None)
        order = np.argsort(values, kind="stable")
        return cls(values[order], np.cumsum(near_one(weight[order])[0]))

    def different(self) -> Self:
        """Each value once."""
        return type(self)(np.unique(self.values), None)

    def quantiles(self, shares: Sequence[float] | Numbers) -> Numbers:
        """The value below which a share of the weight lies; halfway where a share ends between two values.

        Source: Hyndman and Fan 1996, definition 2, with weights.
        """
        values, cumulated, last = self.values, self.cumulated, len(self.values) - 1
        total = len(values) if cumulated is None else cumulated[-1]
        # Rounding must not make a share end just before or after the value that it ends at.
        reached, slack = np.asarray(shares) * total, 1e-12 * total
        if cumulated is None:
            low = (np.ceil(reached - slack).astype(int) - 1).clip(0, last)
            between = np.abs(low + 1 - reached) <= slack
        else:
            low = np.searchsorted(cumulated, reached - slack).clip(0, last)
            between = np.abs(cumulated[low] - reached) <= slack
        high = (low + between).clip(0, last)
        # Halved first: the largest and the smallest float64 are too far apart.
        return values[low] + (values[high] / 2 - values[low] / 2)

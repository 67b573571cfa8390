"""Arrays with their first and second derivative along a direction: what moves when a weight moves.

A rule that is written for arrays works on jets as it is, and then says how its output moves: the chain
rule run forward, where back-propagation runs it in reverse. Source: Griewank and Walther 2008, chapter 13.
"""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, final

import numpy as np


@final
@dataclass(frozen=True)
class Jet:
    """An array with d/dt and d²/dt² of each entry, of the same shape."""

    value: np.ndarray
    first: np.ndarray
    second: np.ndarray

    __array_ufunc__ = None  # so that NumPy leaves array + jet to the jet

    @classmethod
    def of(cls, value: Any, first: Any = 0.0) -> "Jet":
        """An array that moves along ``first``, or rests."""
        if isinstance(value, Jet):
            return value
        value = np.asarray(value, np.float64)
        return cls(value, np.broadcast_to(first, value.shape), np.zeros(value.shape))

    @property
    def T(self) -> "Jet":  # noqa: N802 (as NumPy calls it)
        """Transposed."""
        return self._each(np.transpose)

    @property
    def shape(self) -> tuple[int, ...]:
        """That of the array."""
        return self.value.shape

    def __getitem__(self, key: Any) -> "Jet":
        return self._each(lambda part: part[key])

    def __neg__(self) -> "Jet":
        return self._each(np.negative)

    def __add__(self, other: Any) -> "Jet":
        other = Jet.of(other)
        return Jet(self.value + other.value, self.first + other.first, self.second + other.second)

    __radd__ = __add__

    def __sub__(self, other: Any) -> "Jet":
        return self + -Jet.of(other)

    def __mul__(self, other: Any) -> "Jet":
        return _bilinear(np.multiply, self, Jet.of(other))

    __rmul__ = __mul__

    def __matmul__(self, other: Any) -> "Jet":
        return _bilinear(np.matmul, self, Jet.of(other))

    def __rmatmul__(self, other: Any) -> "Jet":
        return _bilinear(np.matmul, Jet.of(other), self)

    def sum(self, axis: int, keepdims: bool = False) -> "Jet":
        """The sum of values and the sum of what they move by."""
        return self._each(lambda part: part.sum(axis=axis, keepdims=keepdims))

    def mapped(
        self, f: Callable[[Any], Any], slope: Callable[[Any], Any], bend: Callable[[Any], Any]
    ) -> "Jet":
        """F of each entry: (f ∘ u)″ = f″(u) u′² + f′(u) u″."""
        steep = slope(self.value)
        return Jet(f(self.value), steep * self.first, bend(self.value) * self.first**2 + steep * self.second)

    def _each(self, function: Callable[[np.ndarray], np.ndarray]) -> "Jet":
        return Jet(function(self.value), function(self.first), function(self.second))


def _bilinear(times: Callable[[Any, Any], Any], u: Jet, v: Jet) -> Jet:
    """(u v)″ = u″ v + 2 u′ v′ + u v″."""
    return Jet(
        times(u.value, v.value),
        times(u.first, v.value) + times(u.value, v.first),
        times(u.second, v.value) + 2 * times(u.first, v.first) + times(u.value, v.second),
    )


def beside(parts: list[Any]) -> Any:
    """Columns side by side, of arrays or of jets."""
    if not any(isinstance(part, Jet) for part in parts):
        return np.concatenate(parts, axis=1)
    jets = [Jet.of(part) for part in parts]
    sides = ([jet.value for jet in jets], [jet.first for jet in jets], [jet.second for jet in jets])
    return Jet(*(np.concatenate(side, axis=1) for side in sides))

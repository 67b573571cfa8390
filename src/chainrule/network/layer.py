"""What every layer of the chain can do.

A layer says two things of its input ``a`` (shape (rows, inputs)) and its parameters ``p``:

- ``forward(p, a, seed)``: its output;
- ``backward(p, a, delta, seed)``: from delta = ∂L/∂output, the gradient of its parameters and ∂L/∂a.

``seed`` is None when predicting; in training it draws what is random, so that both passes see the same.
A backward rule may compute again what its forward rule had: compiled together, XLA computes it once.
"""

from abc import ABC, abstractmethod
from dataclasses import dataclass
from typing import Any

from jax import Array
from jaxtyping import Float, Key, UInt32

Rows = Float[Array, "rows inputs"]
Delta = Float[Array, "rows outputs"]
Seed = UInt32[Array, ""] | None


@dataclass(frozen=True)
class Layer(ABC):
    """One map of the chain."""

    @property
    def learns(self) -> bool:
        """Whether the map has parameters of its own."""
        return False

    @property
    def adapts(self) -> bool:
        """Whether the parameters begin by the rows that the map receives: see :meth:`begun`."""
        return False

    @abstractmethod
    def width(self, inputs: int) -> int:
        """How many outputs there are for this many inputs."""

    def initialize(self, key: Key[Array, ""], inputs: int) -> Any:
        """Draw the parameters of a map that learns."""
        raise NotImplementedError

    def begun(self, p: Any, a: Rows) -> Any:
        """The parameters as they begin where ``a`` are typical rows; of most maps, as they were drawn."""
        return p

    @abstractmethod
    def forward(self, p: Any, a: Rows, seed: Seed = None) -> Delta:
        """Map the input to the output."""

    @abstractmethod
    def backward(self, p: Any, a: Rows, delta: Delta, seed: Seed = None) -> tuple[Any, Rows]:
        """Carry delta = ∂L/∂output back: the gradient of the parameters, and ∂L/∂a."""

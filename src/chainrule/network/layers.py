"""Layers: how each map begins, its forward rule and its backward rule, side by side."""

from dataclasses import dataclass
from typing import final

import jax.numpy as jnp
from jax import Array
from jaxtyping import Key, UInt32

from chainrule.mathematics import affine, dropout, normalization
from chainrule.mathematics.activation import Activation
from chainrule.mathematics.initializers import Initializer
from chainrule.network import propagation
from chainrule.network.layer import Delta, Layer, Rows, Seed
from chainrule.network.parameters import Norm, Parameters, Weights


@final
@dataclass(frozen=True)
class Affine(Layer):
    """z = a Wᵀ + b."""

    outputs: int
    initializer: Initializer
    bias: bool = True

    @property
    def learns(self) -> bool:
        """W and b."""
        return True

    def width(self, inputs: int) -> int:
        """As given."""
        return self.outputs

    def initialize(self, key: Key[Array, ""], inputs: int) -> Weights:
        """W from the initialiser, b at zero."""
        W = self.initializer.draw(key, self.outputs, inputs)
        return Weights(W, jnp.zeros(self.outputs, W.dtype) if self.bias else None)

    def forward(self, p: Weights, a: Rows, seed: Seed = None) -> Delta:
        """z = a Wᵀ + b."""
        return affine.forward(p.W, p.b, a)

    def backward(self, p: Weights, a: Rows, delta: Delta, seed: Seed = None) -> tuple[Weights, Rows]:
        """∂L/∂W, ∂L/∂b and ∂L/∂a."""
        dW, db, da = affine.backward(p.W, a, delta)
        return Weights(dW, db if self.bias else None), da


@final
@dataclass(frozen=True)
class Activate(Layer):
    """h = σ(z), elementwise."""

    activation: Activation

    def width(self, inputs: int) -> int:
        """Unchanged."""
        return inputs

    def forward(self, p: None, a: Rows, seed: Seed = None) -> Rows:
        """h = σ(z)."""
        return self.activation.value(a)

    def backward(self, p: None, a: Rows, delta: Rows, seed: Seed = None) -> tuple[None, Rows]:
        """∂L/∂z = ∂L/∂h · σ′(z)."""
        return None, delta * self.activation.derivative(a)


@final
@dataclass(frozen=True)
class Normalize(Layer):
    """Layer normalisation: each row to mean 0 and spread 1, then gain and shift."""

    @property
    def learns(self) -> bool:
        """Gain and shift."""
        return True

    def width(self, inputs: int) -> int:
        """Unchanged."""
        return inputs

    def initialize(self, key: Key[Array, ""], inputs: int) -> Norm:
        """Gain 1 and shift 0."""
        return Norm(jnp.ones(inputs), jnp.zeros(inputs))

    def forward(self, p: Norm, a: Rows, seed: Seed = None) -> Rows:
        """See :mod:`chainrule.mathematics.normalization`."""
        return normalization.forward(p.gain, p.shift, a)

    def backward(self, p: Norm, a: Rows, delta: Rows, seed: Seed = None) -> tuple[Norm, Rows]:
        """∂L/∂gain, ∂L/∂shift and ∂L/∂a."""
        dgain, dshift, da = normalization.backward(p.gain, a, delta)
        return Norm(dgain, dshift), da


@final
@dataclass(frozen=True)
class Dropout(Layer):
    """In training, each unit is silent with probability ``rate``; ``place`` tells the maps apart."""

    rate: float
    place: int

    def width(self, inputs: int) -> int:
        """Unchanged."""
        return inputs

    def forward(self, p: None, a: Rows, seed: Seed = None) -> Rows:
        """a / (1 − rate) where a unit stays, else 0; predicting, a."""
        return a if seed is None else dropout.forward(a, self.kept(a.shape, seed), self.rate)

    def backward(self, p: None, a: Rows, delta: Rows, seed: Seed = None) -> tuple[None, Rows]:
        """∂L/∂a is delta / (1 − rate) where a unit stayed, else 0; predicting, delta."""
        return None, delta if seed is None else dropout.backward(delta, self.kept(a.shape, seed), self.rate)

    def kept(self, shape: tuple[int, ...], seed: UInt32[Array, ""]) -> Array:
        """1 for each unit that stays in the step of this seed, else 0; (rows, width)."""
        rows, width = shape
        return dropout.kept(dropout.mix(seed) + jnp.uint32(self.place), (rows, width), self.rate)


@final
@dataclass(frozen=True)
class Residual(Layer):
    """a + f(a), where f is a chain of maps that ends as wide as it begins. Source: arXiv:1512.03385."""

    layers: tuple[Layer, ...]

    @property
    def learns(self) -> bool:
        """What the maps inside learn."""
        return any(layer.learns for layer in self.layers)

    @property
    def adapts(self) -> bool:
        """Whether one of the maps inside does."""
        return any(layer.adapts for layer in self.layers)

    def width(self, inputs: int) -> int:
        """Unchanged."""
        return inputs

    def initialize(self, key: Key[Array, ""], inputs: int) -> Parameters:
        """As the maps inside."""
        return propagation.initialize(self.layers, key, inputs)

    def begun(self, p: Parameters | None, a: Rows) -> Parameters:
        """As the maps inside."""
        return propagation.begun(self.layers, p or (), a)

    def forward(self, p: Parameters | None, a: Rows, seed: Seed = None) -> Rows:
        """a + f(a)."""
        return a + propagation.forward(self.layers, p or (), a, seed)[-1]

    def backward(
        self, p: Parameters | None, a: Rows, delta: Rows, seed: Seed = None
    ) -> tuple[Parameters, Rows]:
        """∂L/∂a = delta + what f carries back: delta also takes the short way."""
        values = propagation.forward(self.layers, p or (), a, seed)
        gradients, deltas = propagation.backward(self.layers, p or (), values, delta, seed)
        return gradients, delta + deltas[0]

"""All of back-propagation: run the maps forward, then carry delta back through the same maps in reverse.

::

    x ──T₁──▶ · ──T₂──▶ … ──T_L──▶ ŷ ──▶ L
      ◀─∂T₁──   ◀─∂T₂──   ◀─∂T_L──   ◀─ ∂L/∂ŷ
"""

from collections.abc import Iterator
from typing import Any

import jax
from jax import Array
from jaxtyping import Float, Key

from chainrule.network.layer import Layer, Seed
from chainrule.network.parameters import Parameters


def initialize(layers: tuple[Layer, ...], key: Key[Array, ""], inputs: int) -> Parameters:
    """Draw the parameters of every map that learns, each from a key of its own."""
    parameters = []
    for layer, own in zip(layers, jax.random.split(key, len(layers)), strict=True):
        if layer.learns:
            parameters.append(layer.initialize(own, inputs))
        inputs = layer.width(inputs)
    return tuple(parameters)


def begun(layers: tuple[Layer, ...], parameters: Parameters, x: Float[Array, "rows inputs"]) -> Parameters:
    """The parameters as they begin where ``x`` are typical rows, each by what those before make of them."""
    last = max((place for place, layer in enumerate(layers) if layer.adapts), default=-1)
    begun = []
    for place, (layer, p) in enumerate(_with_parameters(layers, parameters)):
        own = layer.begun(p, x) if place <= last else p
        if layer.learns:
            begun.append(own)
        if place < last:
            x = layer.forward(own, x)
    return tuple(begun)


def width(layers: tuple[Layer, ...], inputs: int) -> int:
    """How many outputs the last map has."""
    for layer in layers:
        inputs = layer.width(inputs)
    return inputs


def forward(
    layers: tuple[Layer, ...], parameters: Parameters, x: Float[Array, "rows inputs"], seed: Seed = None
) -> tuple[Array, ...]:
    """Every value on the way: x first, then the output of each map, ŷ last."""
    values = [x]
    for layer, p in _with_parameters(layers, parameters):
        values.append(layer.forward(p, values[-1], seed))
    return tuple(values)


def backward(
    layers: tuple[Layer, ...],
    parameters: Parameters,
    values: tuple[Array, ...],
    delta: Float[Array, "rows outputs"],
    seed: Seed = None,
) -> tuple[Parameters, tuple[Array, ...]]:
    """The gradient of every parameter, and ∂L/∂value for every value of the forward pass.

    The chain rule, one map at a time: what a map receives is ∂L/∂output, what it hands on is ∂L/∂input.
    """
    gradients, deltas = [], [delta]
    for (layer, p), a in reversed([*zip(_with_parameters(layers, parameters), values[:-1], strict=True)]):
        gradient, delta = layer.backward(p, a, delta, seed)
        if layer.learns:
            gradients.append(gradient)
        deltas.append(delta)
    return tuple(reversed(gradients)), tuple(reversed(deltas))


def _with_parameters(layers: tuple[Layer, ...], parameters: Parameters) -> Iterator[tuple[Layer, Any]]:
    """Each layer with its parameters; None for a map that does not learn."""
    own = iter(parameters)
    for layer in layers:
        yield layer, next(own) if layer.learns else None

"""Every number of both passes, by name."""

from collections.abc import Iterator
from functools import partial
from typing import TYPE_CHECKING, Any

import jax
from jax import Array

from chainrule.network import propagation
from chainrule.network.layer import Layer
from chainrule.network.layers import Activate, Affine, Dropout, Normalize, Residual
from chainrule.network.parameters import Norm, Parameters, Weights

if TYPE_CHECKING:
    from chainrule.network.network import Network

Trace = dict[str, Array]


def trace(network: "Network", parameters: Parameters, x: Array, y: Array, weight: Array) -> Trace:
    """Name what both passes compute; ℓ counts the affine maps, 1 is the first.

    ``x``; ``zℓ`` = Wℓ a + bℓ; ``nℓ``, z normalised; ``hℓ``, what the next affine map receives, after
    activation, dropout and residual sum; ``y_hat``; ``L``; ``deltaℓ`` = ∂L/∂zℓ, the last first; and the
    gradients ``dWℓ``, ``dbℓ``, ``dgainℓ``, ``dshiftℓ``. Values and deltas have shape (rows, width of the
    layer).
    """
    names: list[str] = []

    def note(*arguments: Any) -> Trace:
        named = _named(network, *arguments)
        names.extend(named)
        return named

    jax.eval_shape(note, parameters, x, y, weight)  # a compiled program returns its names sorted
    found = _compiled(network, parameters, x, y, weight)
    forward = [name for name in names if not name.startswith("d")]
    deltas = [name for name in names if name.startswith("delta")]
    gradients = [name for name in names if name.startswith("d") and name not in deltas]
    return {name: found[name] for name in (*forward, *reversed(deltas), *gradients)}


def _named(network: "Network", parameters: Parameters, x: Array, y: Array, weight: Array) -> Trace:
    L, gradients, values, deltas = network.objective(parameters, x, y, weight, weight.sum())
    named: Trace = {"x": x}
    for name, value in _walk(network.layers, parameters, values, deltas):
        named[name] = value
    named["y_hat"], named["L"] = values[-1], L
    number = 0
    for gradient in _flat(gradients):
        if isinstance(gradient, Weights):
            number += 1
            named[f"dW{number}"] = gradient.W
            if gradient.b is not None:
                named[f"db{number}"] = gradient.b
        else:
            named[f"dgain{number}"], named[f"dshift{number}"] = gradient.gain, gradient.shift
    return named


_compiled = partial(jax.jit, static_argnums=0)(_named)


def _walk(
    layers: tuple[Layer, ...],
    parameters: Parameters,
    values: tuple[Array, ...],
    deltas: tuple[Array, ...],
    number: int = 0,
) -> Iterator[tuple[str, Array]]:
    """Name the output of each map: z after an affine map, h after the last map of its layer."""
    own = iter(parameters)
    for layer, value, a, delta in zip(layers, values[1:], values[:-1], deltas[1:], strict=True):
        p: Any = next(own) if layer.learns else None
        match layer:
            case Affine():
                number += 1
                yield f"z{number}", value
                yield f"delta{number}", delta
            case Normalize():
                yield f"n{number}", value
            case Activate() | Dropout():
                yield f"h{number}", value
            case Residual(inside):
                inner = propagation.forward(inside, p, a)
                _, inner_deltas = propagation.backward(inside, p, inner, delta)
                yield from _walk(inside, p, inner, inner_deltas, number)
                number += sum(isinstance(map_, Affine) for map_ in inside)
                yield f"h{number}", value


def _flat(gradients: Parameters) -> Iterator[Weights | Norm]:
    for gradient in gradients:
        if isinstance(gradient, Weights | Norm):
            yield gradient
        else:
            yield from _flat(gradient)

"""Every number of both passes, by name."""

from collections import Counter
from functools import partial
from typing import TYPE_CHECKING, Any, NamedTuple

import jax
from jax import Array

from chainrule.network import propagation
from chainrule.network.embedding_layers import Parallel
from chainrule.network.layer import Layer
from chainrule.network.layers import Activate, Affine, Dropout, Normalize, Residual
from chainrule.network.parameters import Norm, Parameters, Weights, entries, named

if TYPE_CHECKING:
    from chainrule.network.network import Network

Trace = dict[str, Array]


class Named(NamedTuple):
    """Values on the way forward, ∂L/∂value on the way back, gradients of the parameters."""

    values: Trace
    deltas: Trace
    gradients: Trace


def trace(network: "Network", parameters: Parameters, x: Array, y: Array, weight: Array) -> Trace:
    """Name what both passes compute; ℓ counts the affine maps, 1 is the first.

    ``x``; ``e``, what the embedding makes of it; ``zℓ`` = Wℓ a + bℓ; ``nℓ``, z normalised; ``aℓ``, in a
    residual block what is added to the input; ``hℓ``, what the next affine map receives, after activation,
    dropout and residual sum; ``y_hat``; ``L``. Then, the last first, ``deltaℓ`` = ∂L/∂zℓ, ``dnℓ`` = ∂L/∂nℓ
    and ``de`` = ∂L/∂e; and the gradients ``dWℓ``, ``dbℓ``, ``dgainℓ``, ``dshiftℓ``, and of the k-th
    embedding ``dEk``, ``dfrequencyk``, ``dphasek``, ``dVk``, ``dck``, ``dstretchk``, ``doffsetk``. Values and
    deltas have shape (rows, width of the layer).
    """
    names = Named({}, {}, {})

    def note(*arguments: Any) -> Named:
        found = named_passes(network, *arguments)
        for seen, group in zip(names, found, strict=True):
            seen.update(group)
        return found

    jax.eval_shape(note, parameters, x, y, weight)  # a compiled program returns its names sorted
    values, deltas, gradients = _compiled(network, parameters, x, y, weight)
    return {
        **{name: values[name] for name in names.values},
        **{name: deltas[name] for name in reversed(names.deltas)},
        **{name: gradients[name] for name in names.gradients},
    }


def named_passes(network: "Network", parameters: Parameters, x: Array, y: Array, weight: Array) -> Named:
    """Both passes by name, within compiled programs: see :func:`trace`."""
    L, gradients, values, deltas = network.objective(parameters, x, y, weight, weight.sum())
    found = Named({"x": x}, {}, {f"d{name}": gradient for name, gradient in named(gradients)})
    _name(found, network.layers, parameters, values, deltas, Counter())
    found.values.update(y_hat=values[-1], L=L)
    return found


_compiled = partial(jax.jit, static_argnums=0)(named_passes)


def _name(
    found: Named,
    layers: tuple[Layer, ...],
    parameters: Parameters,
    values: tuple[Array, ...],
    deltas: tuple[Array, ...],
    numbers: Counter[type],
    activated: str = "h",
) -> None:
    """Name the output of each map: z after an affine map, h after the last map of its layer."""
    own = iter(parameters)
    for layer, value, a, delta in zip(layers, values[1:], values[:-1], deltas[1:], strict=True):
        p: Any = next(own) if layer.learns else None
        match layer:
            case Affine():
                numbers[Weights] += 1
                found.values[f"z{numbers[Weights]}"] = value
                found.deltas[f"delta{numbers[Weights]}"] = delta
            case Normalize():
                numbers[Norm] += 1
                found.values[f"n{numbers[Norm]}"] = value
                found.deltas[f"dn{numbers[Norm]}"] = delta
            case Activate() | Dropout():
                found.values[f"{activated}{numbers[Weights]}"] = value
            case Residual(inside):
                inner = propagation.forward(inside, p, a)
                _, inner_deltas = propagation.backward(inside, p, inner, delta)
                _name(found, inside, p, inner, inner_deltas, numbers, activated="a")
                found.values[f"h{numbers[Weights]}"] = value
            case Parallel():
                numbers.update(type(entry) for entry in entries(p or ()))  # as the gradients count them
                found.values["e"], found.deltas["de"] = value, delta

"""How far each kind of parameter goes in a step, where the learning rate is not the same for all.

Adam's direction is near ±1 for every parameter, whatever a change of it does. These factors give a change
of each kind about the same effect, so that one learning rate suits networks of every width. Source:
arXiv:2407.04491, where W / √inputs (arXiv:1806.07572) and the factors of bias and scaling layer do the same.
"""

from typing import Any

import jax
import jax.numpy as jnp

from chainrule.network.network import Network, shapes
from chainrule.network.parameters import Parameters, Stretches, Table, Weights

_BIAS = 0.1
_STRETCH = 3.0
_VECTOR = 0.1


def by_kind(network: Network, direction: Parameters, parameters: Parameters) -> Parameters:
    """Directions times the factor of each kind of parameter.

    1 / √inputs for W, whose inputs all move its output; 1/10 for biases and offsets, 3 · |stretch| for
    stretches, so that all of them grow or shrink by the same share; 1/10 for the vectors of levels.
    """

    def scaled(public: Any, d: Any, p: Any) -> Any:
        match public:
            case Weights(W, b):
                return Weights(d.W / W.shape[1] ** 0.5, None if b is None else _BIAS * d.b)
            case Stretches():
                return Stretches(_STRETCH * jnp.abs(p.stretch) * d.stretch, _BIAS * d.offset)
            case Table():
                return Table(_VECTOR * d.E)
        return d

    kinds = (Weights, Stretches, Table)
    return jax.tree.map(
        scaled, shapes(network), direction, parameters, is_leaf=lambda part: isinstance(part, kinds)
    )

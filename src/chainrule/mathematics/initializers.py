"""How weights begin: drawn so that signals keep their size on the way through the network."""

from collections.abc import Callable
from typing import Any, NamedTuple

import jax
from jax import Array
from jaxtyping import Float, Key

from chainrule.mathematics.named import find, reduce_by_name


class Initializer(NamedTuple):
    """A way to draw W of shape (outputs, inputs); biases begin at zero."""

    name: str
    draw: Callable[[Key[Array, ""], int, int], Array]
    formula: str
    source: str

    def __reduce__(self) -> tuple[Any, ...]:
        return reduce_by_name(self, find_initializer)


def _scaled(name: str, variance: str, scale: float, fan: str, source: str) -> tuple[Initializer, Initializer]:
    """A normal and a uniform initialiser with Var(w) = scale / fan, fan being inputs or the average."""

    def deviation(outputs: int, inputs: int) -> float:
        size = inputs if fan == "inputs" else (inputs + outputs) / 2
        return float((scale / size) ** 0.5)

    def normal(key: Key[Array, ""], outputs: int, inputs: int) -> Float[Array, "outputs inputs"]:
        return deviation(outputs, inputs) * jax.random.normal(key, (outputs, inputs))

    def uniform(key: Key[Array, ""], outputs: int, inputs: int) -> Float[Array, "outputs inputs"]:
        bound = 3**0.5 * deviation(outputs, inputs)
        return jax.random.uniform(key, (outputs, inputs), minval=-bound, maxval=bound)

    return (
        Initializer(f"{name}_normal", normal, f"w ~ N(0, {variance})", source),
        Initializer(f"{name}_uniform", uniform, f"w ~ U(±√(3 · {variance}))", source),
    )


def _orthogonal(key: Key[Array, ""], outputs: int, inputs: int) -> Float[Array, "outputs inputs"]:
    return jax.random.orthogonal(key, max(outputs, inputs))[:outputs, :inputs]


he_normal, he_uniform = _scaled("he", "2 / inputs", 2.0, "inputs", "arXiv:1502.01852, equation 10")
glorot_normal, glorot_uniform = _scaled(
    "glorot", "2 / (inputs + outputs)", 1.0, "average", "Glorot and Bengio 2010, equation 12"
)
lecun_normal, lecun_uniform = _scaled(
    "lecun", "1 / inputs", 1.0, "inputs", "LeCun et al. 1998, Efficient BackProp, section 4.6"
)
orthogonal = Initializer(
    "orthogonal",
    _orthogonal,
    "W Wᵀ = 1 where outputs ≤ inputs, else Wᵀ W = 1, uniformly over such W",
    "arXiv:1312.6120",
)

INITIALIZERS = {
    initializer.name: initializer
    for initializer in (
        he_normal,
        he_uniform,
        glorot_normal,
        glorot_uniform,
        lecun_normal,
        lecun_uniform,
        orthogonal,
    )
}


def find_initializer(initializer: object) -> Initializer:
    """Return the record for a name, or the record itself."""
    return find("initializer", initializer, INITIALIZERS, Initializer)

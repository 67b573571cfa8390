"""Activations: each value with its derivative beside it, and the formula as text.

Every derivative takes z alone: under XLA, f′ computed from z costs nothing next to f, and only so can
SiLU or GELU be said. At a kink the derivative is the field's convention: that of the left side, so that
ReLU′(0) = 0. The formula is in the language of :mod:`chainrule.mathematics.formulas`.
"""

from functools import lru_cache
from math import pi, sqrt

import jax
import jax.numpy as jnp
import numpy as np
from jax import Array
from jaxtyping import Float

from chainrule.mathematics.activation import Activation, activation_from_formula
from chainrule.mathematics.checked import ours, refuse_wrong_derivative
from chainrule.mathematics.named import advising, find

Z = Float[Array, "*shape"]

SELU_SCALE = 1.0507009873554805
SELU_ALPHA = 1.6732632423543772
LEAK = 0.01


def identity(z: Z) -> Z:
    """a = z."""
    return z


def identity_derivative(z: Z) -> Z:
    """∂a/∂z = 1."""
    return jnp.ones_like(z)


def relu(z: Z) -> Z:
    """a = max(z, 0)."""
    return jnp.maximum(z, 0)


def relu_derivative(z: Z) -> Z:
    """∂a/∂z = 1 where z > 0, else 0."""
    return (z > 0).astype(z.dtype)


def leaky_relu(z: Z) -> Z:
    """a = z where z > 0, else 0.01 z."""
    return jnp.where(z > 0, z, LEAK * z)


def leaky_relu_derivative(z: Z) -> Z:
    """∂a/∂z = 1 where z > 0, else 0.01."""
    return jnp.where(z > 0, jnp.ones_like(z), LEAK)


def relu_squared(z: Z) -> Z:
    """a = max(z, 0)²."""
    return jnp.square(jnp.maximum(z, 0))


def relu_squared_derivative(z: Z) -> Z:
    """∂a/∂z = 2 max(z, 0)."""
    return 2 * jnp.maximum(z, 0)


def relu6(z: Z) -> Z:
    """a = min(max(z, 0), 6)."""
    return jnp.clip(z, 0, 6)


def relu6_derivative(z: Z) -> Z:
    """∂a/∂z = 1 between 0 and 6, else 0."""
    return ((z > 0) & (z <= 6)).astype(z.dtype)


def elu(z: Z) -> Z:
    """a = z where z > 0, else e^z − 1."""
    return jnp.where(z > 0, z, jnp.expm1(jnp.minimum(z, 0)))


def elu_derivative(z: Z) -> Z:
    """∂a/∂z = 1 where z > 0, else e^z."""
    return jnp.exp(jnp.minimum(z, 0))


def selu(z: Z) -> Z:
    """a = λ z where z > 0, else λ α (e^z − 1): the λ and α for which mean 0 and variance 1 persist."""
    return SELU_SCALE * jnp.where(z > 0, z, SELU_ALPHA * jnp.expm1(jnp.minimum(z, 0)))


def selu_derivative(z: Z) -> Z:
    """∂a/∂z = λ where z > 0, else λ α e^z."""
    return SELU_SCALE * jnp.where(z > 0, jnp.ones_like(z), SELU_ALPHA * jnp.exp(jnp.minimum(z, 0)))


def softplus(z: Z) -> Z:
    """a = log(1 + e^z)."""
    return jnp.logaddexp(z, 0)


def softplus_derivative(z: Z) -> Z:
    """∂a/∂z = σ(z)."""
    return jax.nn.sigmoid(z)


def squareplus(z: Z) -> Z:
    """a = (z + √(z² + 4)) / 2."""
    return (z + jnp.sqrt(z * z + 4)) / 2


def squareplus_derivative(z: Z) -> Z:
    """∂a/∂z = (1 + z / √(z² + 4)) / 2."""
    return (1 + z * jax.lax.rsqrt(z * z + 4)) / 2


def sigmoid(z: Z) -> Z:
    """a = σ(z) = 1 / (1 + e^−z)."""
    return jax.nn.sigmoid(z)


def sigmoid_derivative(z: Z) -> Z:
    """∂a/∂z = σ(z) (1 − σ(z)), written σ(z) σ(−z) so that it does not cancel for large z."""
    return jax.nn.sigmoid(z) * jax.nn.sigmoid(-z)


def log_sigmoid(z: Z) -> Z:
    """a = log σ(z)."""
    return -jnp.logaddexp(-z, 0)


def log_sigmoid_derivative(z: Z) -> Z:
    """∂a/∂z = σ(−z)."""
    return jax.nn.sigmoid(-z)


def hard_sigmoid(z: Z) -> Z:
    """a = min(max(z + 3, 0), 6) / 6."""
    return jnp.clip(z + 3, 0, 6) / 6


def hard_sigmoid_derivative(z: Z) -> Z:
    """∂a/∂z = 1/6 between −3 and 3, else 0."""
    return ((z > -3) & (z <= 3)).astype(z.dtype) / 6


def tanh(z: Z) -> Z:
    """a = tanh(z)."""
    return jnp.tanh(z)


def tanh_derivative(z: Z) -> Z:
    """∂a/∂z = 1 − tanh²(z)."""
    return 1 - jnp.square(jnp.tanh(z))


def hard_tanh(z: Z) -> Z:
    """a = min(max(z, −1), 1)."""
    return jnp.clip(z, -1, 1)


def hard_tanh_derivative(z: Z) -> Z:
    """∂a/∂z = 1 between −1 and 1, else 0."""
    return ((z > -1) & (z <= 1)).astype(z.dtype)


def softsign(z: Z) -> Z:
    """a = z / (1 + |z|)."""
    return z / (1 + jnp.abs(z))


def softsign_derivative(z: Z) -> Z:
    """∂a/∂z = 1 / (1 + |z|)²."""
    return 1 / jnp.square(1 + jnp.abs(z))


def silu(z: Z) -> Z:
    """a = z σ(z), least value −0.278 at z = −1.278."""
    return z * jax.nn.sigmoid(z)


def silu_derivative(z: Z) -> Z:
    """∂a/∂z = σ(z) (1 + z (1 − σ(z)))."""
    sigma = jax.nn.sigmoid(z)
    return sigma * (1 + z * (1 - sigma))


def hard_silu(z: Z) -> Z:
    """a = z min(max(z + 3, 0), 6) / 6."""
    return z * jnp.clip(z + 3, 0, 6) / 6


def hard_silu_derivative(z: Z) -> Z:
    """∂a/∂z = 0 up to −3, (2 z + 3) / 6 up to 3, then 1."""
    return jnp.where(z > 3, jnp.ones_like(z), jnp.where(z > -3, (2 * z + 3) / 6, 0))


def mish(z: Z) -> Z:
    """a = z tanh(log(1 + e^z)), least value −0.309 at z = −1.192."""
    return z * jnp.tanh(softplus(z))


def mish_derivative(z: Z) -> Z:
    """∂a/∂z = t + z σ(z) (1 − t²) with t = tanh(log(1 + e^z))."""
    t = jnp.tanh(softplus(z))
    return t + z * jax.nn.sigmoid(z) * (1 - t * t)


def gelu(z: Z) -> Z:
    """a = z Φ(z), with Φ the normal distribution function, by erf."""
    return z * (1 + jax.lax.erf(z / sqrt(2))) / 2


def gelu_derivative(z: Z) -> Z:
    """∂a/∂z = Φ(z) + z φ(z)."""
    return (1 + jax.lax.erf(z / sqrt(2))) / 2 + z * jnp.exp(-z * z / 2) / sqrt(2 * pi)


def gelu_tanh(z: Z) -> Z:
    """a = z (1 + tanh u) / 2 with u = √(2/π) (z + 0.044715 z³): GELU within 0.0005."""
    return z * (1 + jnp.tanh(sqrt(2 / pi) * (z + 0.044715 * z**3))) / 2


def gelu_tanh_derivative(z: Z) -> Z:
    """∂a/∂z = (1 + t) / 2 + z (1 − t²) u′ / 2 with t = tanh u and u′ = √(2/π) (1 + 0.134145 z²)."""
    t = jnp.tanh(sqrt(2 / pi) * (z + 0.044715 * z**3))
    return (1 + t) / 2 + z * (1 - t * t) * sqrt(2 / pi) * (1 + 3 * 0.044715 * z * z) / 2


def gaussian(z: Z) -> Z:
    """a = e^(−z²)."""
    return jnp.exp(-z * z)


def gaussian_derivative(z: Z) -> Z:
    """∂a/∂z = −2 z e^(−z²)."""
    return -2 * z * jnp.exp(-z * z)


def sine(z: Z) -> Z:
    """a = sin z."""
    return jnp.sin(z)


def sine_derivative(z: Z) -> Z:
    """∂a/∂z = cos z."""
    return jnp.cos(z)


HE, LECUN = "he_normal", "lecun_normal"

ACTIVATIONS: dict[str, Activation] = {
    a.name: a
    for a in (
        Activation("identity", identity, identity_derivative, "z", "the linear map"),
        Activation(
            "relu", relu, relu_derivative, "where(z > 0, z, 0)", "Nair and Hinton 2010", HE, kinks=(0.0,)
        ),
        Activation(
            "leaky_relu",
            leaky_relu,
            leaky_relu_derivative,
            f"where(z > 0, z, {LEAK}*z)",
            "Maas et al. 2013",
            HE,
            kinks=(0.0,),
        ),
        Activation(
            "relu_squared",
            relu_squared,
            relu_squared_derivative,
            "where(z > 0, z**2, 0)",
            "arXiv:2109.08668",
            HE,
        ),
        Activation(
            "relu6",
            relu6,
            relu6_derivative,
            "min(max(z, 0), 6)",
            "Krizhevsky 2010, Convolutional Deep Belief Networks on CIFAR-10",
            HE,
            kinks=(0.0, 6.0),
        ),
        Activation("elu", elu, elu_derivative, "where(z > 0, z, exp(z) - 1)", "arXiv:1511.07289", HE),
        Activation(
            "selu",
            selu,
            selu_derivative,
            f"{SELU_SCALE}*where(z > 0, z, {SELU_ALPHA}*(exp(z) - 1))",
            "arXiv:1706.02515",
            LECUN,
            kinks=(0.0,),
        ),
        # CELU(z) = max(z, 0) + min(α (e^(z/α) − 1), 0); at α = 1, the field's default, it is ELU.
        Activation("celu", elu, elu_derivative, "max(z, 0) + min(exp(z) - 1, 0)", "arXiv:1704.07483", HE),
        Activation("softplus", softplus, softplus_derivative, "log(1 + exp(z))", "Dugas et al. 2001"),
        Activation(
            "squareplus", squareplus, squareplus_derivative, "(z + sqrt(z**2 + 4))/2", "arXiv:2112.11687"
        ),
        Activation(
            "sigmoid", sigmoid, sigmoid_derivative, "1/(1 + exp(-z))", "Rumelhart, Hinton and Williams 1986"
        ),
        Activation(
            "log_sigmoid", log_sigmoid, log_sigmoid_derivative, "-log(1 + exp(-z))", "the log of sigmoid"
        ),
        Activation(
            "hard_sigmoid",
            hard_sigmoid,
            hard_sigmoid_derivative,
            "min(max(z + 3, 0), 6)/6",
            "arXiv:1511.00363, with the slope of arXiv:1905.02244",
            kinks=(-3.0, 3.0),
        ),
        Activation("tanh", tanh, tanh_derivative, "tanh(z)", "LeCun et al. 1998, Efficient BackProp"),
        Activation(
            "hard_tanh",
            hard_tanh,
            hard_tanh_derivative,
            "min(max(z, -1), 1)",
            "Collobert 2004",
            kinks=(-1.0, 1.0),
        ),
        Activation(
            "softsign", softsign, softsign_derivative, "z/(1 + abs(z))", "Glorot and Bengio 2010, section 3"
        ),
        Activation("silu", silu, silu_derivative, "z/(1 + exp(-z))", "arXiv:1702.03118", HE),
        Activation(
            "hard_silu",
            hard_silu,
            hard_silu_derivative,
            "z*min(max(z + 3, 0), 6)/6",
            "arXiv:1905.02244",
            HE,
            kinks=(-3.0, 3.0),
        ),
        Activation("mish", mish, mish_derivative, "z*tanh(log(1 + exp(z)))", "arXiv:1908.08681", HE),
        Activation("gelu", gelu, gelu_derivative, "z*(1 + erf(z/sqrt(2)))/2", "arXiv:1606.08415", HE),
        Activation(
            "gelu_tanh",
            gelu_tanh,
            gelu_tanh_derivative,
            "z*(1 + tanh(sqrt(2/pi)*(z + 0.044715*z**3)))/2",
            "arXiv:1606.08415",
            HE,
        ),
        Activation("gaussian", gaussian, gaussian_derivative, "exp(-z**2)", "Broomhead and Lowe 1988"),
        Activation("sine", sine, sine_derivative, "sin(z)", "arXiv:2006.09661"),
    )
}


def find_activation(activation: object) -> Activation:
    """Return the activation for a name, a formula in ``z``, a pair (value, derivative), or itself.

    Raises
    ------
    ArgumentError
        For another thing; its FormulaError for a text that is no formula, and its DerivativeError for a
        derivative that is not the derivative.
    """
    match activation:
        case str() if activation not in ACTIVATIONS and (not activation.isidentifier() or activation == "z"):
            with advising("Give a name such as 'relu', or a formula in z such as 'z * sigmoid(z)'."):
                return activation_from_formula(activation)
        case (value, derivative) if callable(value) and callable(derivative):
            name = getattr(value, "__name__", "own activation")
            activation = Activation(name, value, derivative, "", "a pair of functions")
            _refuse_wrong(activation)
    otherwise = ", a formula in z, a pair (value, derivative)"
    found = find("activation", activation, ACTIVATIONS, Activation, otherwise=otherwise)
    if not ours(found.derivative):
        _refuse_wrong(found)
    return found


@lru_cache(maxsize=256)
def _refuse_wrong(activation: Activation) -> None:
    # Uneven points, so that no kink at a round number falls between the two sides of a difference.
    points = np.linspace(-8.1234567, 8.3456789, 400)
    what = f"activation {activation.name!r}"
    refuse_wrong_derivative(what, activation.value, activation.derivative, points)

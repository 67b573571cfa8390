import jax
import jax.numpy as jnp
import numpy as np
import pytest

from chainrule.errors import FormulaError
from chainrule.mathematics.activation import activation_from_formula
from chainrule.mathematics.activations import ACTIVATIONS

pytestmark = pytest.mark.usefixtures("quick_compiler")


@pytest.mark.parametrize("name", ACTIVATIONS)
def test_derived_equals_built_in(name, float64):
    built_in = ACTIVATIONS[name]
    derived = activation_from_formula(built_in.formula)
    z = np.linspace(-25.013, 25.031, 1500)
    np.testing.assert_allclose(
        derived.value(jnp.asarray(z)), built_in.value(jnp.asarray(z)), rtol=1e-11, atol=1e-12
    )
    slopes = derived.derivative(jnp.asarray(z)), built_in.derivative(jnp.asarray(z))
    np.testing.assert_allclose(*slopes, rtol=1e-11, atol=1e-12)


@pytest.mark.parametrize("name", ["softplus", "sigmoid", "log_sigmoid", "silu", "mish", "tanh", "squareplus"])
def test_derived_is_finite_in_float32_as_far_as_built_in(name):
    derived = activation_from_formula(ACTIVATIONS[name].formula)
    z = jnp.linspace(-100, 100, 2001)
    assert np.isfinite(derived.value(z)).all()
    assert np.isfinite(derived.derivative(z)).all()


@pytest.mark.parametrize(
    "text",
    [
        "max(z, 0)",
        "where(z > 0, z, 0)",
        "min(max(z, -1), 1)",
        "abs(sigmoid(z) - 0.75)",
        "max(softplus(z), 2)",
        "sign(z)",
        "where(z >= 1, z**2, where(z < -1, -z, 1))",
        "abs(max(z, 0) - 1)",
        "sign(sin(z))*z",
        "cosh(z/9)*erf(z)",
        "2**z",
    ],
)
def test_derivative_of_a_formula_is_its_derivative(text, float64):
    a = activation_from_formula(text)
    z = jnp.linspace(-5.0123, 5.0321, 400)
    automatic = jax.vmap(jax.grad(lambda t: a.value(t)))(z)
    np.testing.assert_allclose(a.derivative(z), automatic, rtol=1e-10, atol=1e-12)


def test_the_record_says_where_it_comes_from():
    a = activation_from_formula("z*exp(-abs(z))")
    assert a.name == a.formula == "z*exp(-abs(z))"
    assert a.kinks == ()
    assert activation_from_formula("z*exp(-abs(z))") is a


@pytest.mark.parametrize("text", ["1", "pi + 2", "z - z", "0*z", "z**0", "where(1 > 2, z, 3)"])
def test_without_z_it_is_refused(text):
    with pytest.raises(FormulaError, match="must be a formula in z"):
        activation_from_formula(text)


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("log(z)", r"the value of 'log\(z\)' is nan at z = -30"),
        ("sqrt(z)", "the value .* is nan at z = -30"),
        ("1/z", "the value .* is inf at z = 0"),
        ("log(abs(z))", "the value .* is -inf at z = 0"),
        ("sqrt(max(z, 0))", "the derivative of"),
        ("exp(exp(z))", "the value .* is inf at z = 4"),
        ("z**0.5", "the value .* is nan"),
        ("sin(z)/z", "the value .* is nan at z = 0"),
    ],
)
def test_not_finite_is_refused_with_the_place(text, words):
    with pytest.raises(FormulaError, match="an activation must be finite for every z; " + words):
        activation_from_formula(text)


@pytest.mark.parametrize("name", ["mish", "gelu", "selu"])
def test_a_formula_compiles_to_one_program_of_its_inputs_shape(name):
    a = activation_from_formula(ACTIVATIONS[name].formula)
    for shape in ((), (3,), (2, 5)):
        z = jnp.full(shape, 0.5)
        assert jax.jit(a.value)(z).shape == jax.jit(a.derivative)(z).shape == shape


def test_a_constant_derivative_has_the_inputs_shape():
    assert activation_from_formula("2*z").derivative(jnp.zeros((2, 3))).shape == (2, 3)

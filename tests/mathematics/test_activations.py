"""Every activation against three witnesses: automatic differentiation, central differences, SymPy."""

from functools import lru_cache

import jax
import jax.numpy as jnp
import numpy as np
import pytest
import sympy
from hypothesis import given, settings
from hypothesis import strategies as st

from chainrule.errors import ArgumentError, DerivativeError, FormulaError
from chainrule.mathematics import formulas
from chainrule.mathematics.activations import ACTIVATIONS, Activation, find_activation
from chainrule.mathematics.activations import SELU_ALPHA as ALPHA
from chainrule.mathematics.activations import SELU_SCALE as SCALE
from chainrule.mathematics.initializers import INITIALIZERS

pytestmark = pytest.mark.usefixtures("quick_compiler")

EVERY = pytest.mark.parametrize("name", ACTIVATIONS)
WIDTH = 16

# Subnormal numbers are zero to XLA, so they are left out.
numbers = st.floats(-30, 30, allow_subnormal=False)
points = st.lists(numbers, min_size=WIDTH, max_size=WIDTH).map(np.array)


@lru_cache
def witnesses(name):
    """z to (derivative, automatic, central differences), compiled once."""
    a = ACTIVATIONS[name]

    @jax.jit
    def compare(z):
        step = 1e-6 * (1 + jnp.abs(z))
        central = (a.value(z + step) - a.value(z - step)) / (2 * step)
        return a.derivative(z), jax.vmap(jax.grad(a.value))(z), central

    return compare


@EVERY
@settings(max_examples=60)
@given(z=points)
def test_derivative_against_automatic_and_central_differences(name, z):
    for kink in (0.0, *ACTIVATIONS[name].kinks):  # at 0, jax.grad halves between the sides of minimum(z, 0)
        z = z[np.abs(z - kink) > 1e-3]
    z = np.resize(z, WIDTH) if z.size else np.full(WIDTH, 1.5)
    with jax.enable_x64(True):
        by_hand, automatic, central = (np.asarray(d) for d in witnesses(name)(jnp.asarray(z)))
    np.testing.assert_allclose(by_hand, automatic, rtol=1e-11, atol=1e-12)
    np.testing.assert_allclose(by_hand, central, rtol=1e-6, atol=1e-7)


@EVERY
def test_formula_says_what_the_code_does(name, float64):
    a = ACTIVATIONS[name]
    z = sympy.Symbol("z", real=True)
    expression = formulas.parse(a.formula, {"z": z})
    slope = sympy.diff(expression, z)
    grid = np.array(
        [-20.3, -7.1, -3.2, -2.9, -1.3, -0.7, -0.01, 0.02, 0.4, 0.9, 1.1, 2.7, 3.3, 5.9, 6.2, 19.4]
    )
    for what, ours, formula in (("value", a.value, expression), ("derivative", a.derivative, slope)):
        exact = [float(formula.subs(z, sympy.Float(float(at), 40)).evalf(30)) for at in grid]
        np.testing.assert_allclose(ours(jnp.asarray(grid)), exact, rtol=1e-12, atol=1e-12, err_msg=what)


@EVERY
def test_finite_and_float32_far_out(name):
    a = ACTIVATIONS[name]
    z = jnp.concatenate([jnp.linspace(-100, 100, 4001), jnp.array([0.0, -0.0, 1e-30, -1e-30, *a.kinks])])
    for function in (a.value, a.derivative):
        result = function(z)
        assert result.dtype == jnp.float32
        assert np.isfinite(result).all()


@EVERY
def test_float32_is_close_to_float64(name):
    a = ACTIVATIONS[name]
    z = np.linspace(-90, 90, 2000)  # even in number: no kink among them
    in_float32 = [np.asarray(f(jnp.asarray(z, jnp.float32))) for f in (a.value, a.derivative)]
    with jax.enable_x64(True):
        in_float64 = [
            np.asarray(f(jnp.asarray(z.astype(np.float32), jnp.float64))) for f in (a.value, a.derivative)
        ]
    for single, double in zip(in_float32, in_float64, strict=True):
        np.testing.assert_allclose(single, double, rtol=1e-5, atol=2e-5)


@EVERY
def test_at_a_kink_the_derivative_is_that_of_the_left(name, float64):
    a = ACTIVATIONS[name]
    for kink in a.kinks:
        at, left, right = (float(a.derivative(jnp.asarray(kink + d))) for d in (0.0, -1e-9, 1e-9))
        assert at == pytest.approx(left, abs=1e-8)
        assert abs(right - left) > 0.1, "listed as a kink, but the derivative does not jump there"


@EVERY
def test_the_derivative_jumps_nowhere_else(name, float64):
    a = ACTIVATIONS[name]
    z = np.linspace(-8, 8, 1601)
    for kink in a.kinks:
        z = z[np.abs(z - kink) > 1e-6]
    jump = np.asarray(a.derivative(jnp.asarray(z + 1e-9)) - a.derivative(jnp.asarray(z - 1e-9)))
    assert np.abs(jump).max() < 1e-7


def test_relu_at_zero_is_flat():
    for zero in (0.0, -0.0):
        assert float(ACTIVATIONS["relu"].derivative(jnp.asarray(zero))) == 0


@pytest.mark.parametrize(
    ("name", "z", "value"),
    [
        ("identity", -3.5, -3.5),
        ("relu", -1.0, 0.0),
        ("relu", 2.5, 2.5),
        ("leaky_relu", -2.0, -0.02),
        ("relu_squared", 3.0, 9.0),
        ("relu_squared", -3.0, 0.0),
        ("relu6", 8.0, 6.0),
        ("elu", -1.0, np.exp(-1) - 1),
        ("celu", -2.0, np.exp(-2) - 1),
        ("selu", 1.0, 1.0507009873554805),
        ("selu", -40.0, -1.7580993408473766),  # −λα, arXiv:1706.02515
        ("softplus", 0.0, np.log(2)),
        ("squareplus", 0.0, 1.0),
        ("squareplus", 1.5, 2.0),
        ("sigmoid", 0.0, 0.5),
        ("sigmoid", np.log(3), 0.75),
        ("log_sigmoid", 0.0, -np.log(2)),
        ("hard_sigmoid", 0.0, 0.5),
        ("hard_sigmoid", 1.5, 0.75),
        ("hard_sigmoid", -4.0, 0.0),
        ("tanh", np.log(2), 0.6),
        ("hard_tanh", 1.5, 1.0),
        ("hard_tanh", -0.25, -0.25),
        ("softsign", -3.0, -0.75),
        ("silu", -1.278464543, -0.278464543),  # its least value, arXiv:1702.03118
        ("hard_silu", 1.0, 4 / 6),
        ("hard_silu", 5.0, 5.0),
        ("mish", -1.1924312, -0.3088434),  # its least value, arXiv:1908.08681
        ("mish", 1.0, 0.8650983883),
        ("gelu", 1.0, 0.8413447461),  # Φ(1)
        ("gelu", -1.0, -0.1586552539),
        ("gelu_tanh", 1.0, 0.8411919906),
        ("gaussian", 1.0, np.exp(-1)),
        ("sine", np.pi / 6, 0.5),
    ],
)
def test_known_values(name, z, value, float64):
    assert float(ACTIVATIONS[name].value(jnp.asarray(z))) == pytest.approx(value, abs=2e-8)


def test_every_activation_has_a_known_value():
    known = next(m for m in test_known_values.pytestmark if m.name == "parametrize").args[1]
    assert {name for name, *_ in known} == ACTIVATIONS.keys()


@pytest.mark.parametrize(("name", "at", "least"), [("silu", -1.2785, -0.2785), ("mish", -1.1924, -0.3088)])
def test_least_values_stand_where_the_papers_put_them(name, at, least, float64):
    a = ACTIVATIONS[name]
    z = jnp.linspace(-10, 10, 200_001)
    values = np.asarray(a.value(z))
    assert float(z[values.argmin()]) == pytest.approx(at, abs=1e-4)
    assert values.min() == pytest.approx(least, abs=1e-4)
    assert abs(float(a.derivative(z[values.argmin()]))) < 1e-4


def test_selu_keeps_mean_0_and_variance_1(float64):
    z = jnp.linspace(-12, 12, 240_001)
    density = jnp.exp(-z * z / 2) / jnp.sqrt(2 * jnp.pi) * (z[1] - z[0])
    h = ACTIVATIONS["selu"].value(z)
    assert float((density * h).sum()) == pytest.approx(0, abs=1e-7)
    assert float((density * h * h).sum()) == pytest.approx(1, abs=1e-7)
    assert pytest.approx(1.05070098, abs=1e-8) == SCALE
    assert pytest.approx(1.67326324, abs=1e-8) == ALPHA


def test_gelu_by_tanh_is_within_its_bound_of_gelu(float64):
    z = jnp.linspace(-20, 20, 40_001)
    gap = float(jnp.abs(ACTIVATIONS["gelu"].value(z) - ACTIVATIONS["gelu_tanh"].value(z)).max())
    assert 1e-4 < gap < 5e-4


@pytest.mark.parametrize(
    ("name", "library"),
    [
        ("relu", jax.nn.relu),
        ("leaky_relu", jax.nn.leaky_relu),
        ("relu6", jax.nn.relu6),
        ("elu", jax.nn.elu),
        ("celu", jax.nn.celu),
        ("selu", jax.nn.selu),
        ("softplus", jax.nn.softplus),
        ("squareplus", jax.nn.squareplus),
        ("sigmoid", jax.nn.sigmoid),
        ("log_sigmoid", jax.nn.log_sigmoid),
        ("hard_sigmoid", jax.nn.hard_sigmoid),
        ("hard_tanh", jax.nn.hard_tanh),
        ("softsign", jax.nn.soft_sign),
        ("silu", jax.nn.silu),
        ("hard_silu", jax.nn.hard_silu),
        ("mish", jax.nn.mish),
        ("gelu", lambda z: jax.nn.gelu(z, approximate=False)),
        ("gelu_tanh", jax.nn.gelu),
    ],
)
def test_values_agree_with_jax(name, library, float64):
    z = jnp.linspace(-12, 12, 2401)
    np.testing.assert_allclose(ACTIVATIONS[name].value(z), library(z), rtol=1e-10, atol=1e-13)


@EVERY
def test_records_are_whole(name):
    a = ACTIVATIONS[name]
    assert a.name == name
    assert a.source
    assert a.initializer in INITIALIZERS
    assert a.value.__name__.removesuffix("_derivative") + "_derivative" == a.derivative.__name__


def test_those_asked_for_are_there():
    asked = """identity relu leaky_relu elu selu celu softplus sigmoid hard_sigmoid tanh hard_tanh softsign
    silu mish gelu gelu_tanh relu6 squareplus gaussian"""
    assert set(asked.split()) <= ACTIVATIONS.keys()


@EVERY
def test_find_by_name_or_record(name):
    assert find_activation(name) is ACTIVATIONS[name]
    assert find_activation(ACTIVATIONS[name]) is ACTIVATIONS[name]


@pytest.mark.parametrize(
    "given", ["rellu", "Relu", "", "swish", None, 3, ("relu", "relu"), (jnp.sin,), jnp.sin]
)
def test_other_things_are_refused(given):
    with pytest.raises(ArgumentError):
        find_activation(given)


def test_the_refusal_names_what_is_near():
    with pytest.raises(
        ArgumentError, match=r"activation must be one of identity, .*'rellu'.*Did you mean 're?l"
    ):
        find_activation("rellu")


def test_a_formula_is_found():
    made = find_activation("z*tanh(log(1 + exp(z)))")
    assert made.formula == "z*tanh(log(1 + exp(z)))"
    assert find_activation("z").value(jnp.array([2.0])) == 2
    with pytest.raises(FormulaError, match="Give a name such as 'relu', or a formula in z such as"):
        find_activation("z +")


def cube(z):
    return z**3


def cube_derivative(z):
    return 3 * z**2


def test_a_right_pair_is_taken_in_any_container():
    for pair in ((cube, cube_derivative), [cube, cube_derivative]):
        made = find_activation(pair)
        assert (made.name, made.value, made.derivative) == ("cube", cube, cube_derivative)


def test_a_wrong_pair_is_refused_with_numbers():
    with pytest.raises(DerivativeError, match=r"activation 'cube'.*at -?\d.*says -?\d.*differences.*give \d"):
        find_activation((cube, lambda z: 2 * z**2))


def test_a_wrong_record_is_refused():
    with pytest.raises(DerivativeError, match="activation 'mine'"):
        find_activation(Activation("mine", cube, cube, "z**3", "me"))


def test_our_own_functions_wrongly_paired_are_refused():
    relu, tanh = ACTIVATIONS["relu"], ACTIVATIONS["tanh"]
    with pytest.raises(DerivativeError):
        find_activation((relu.value, tanh.derivative))
    assert find_activation((relu.value, relu.derivative)).value is relu.value


def test_a_kink_at_a_round_number_is_no_mistake():
    step = find_activation((lambda z: jnp.maximum(z, 2), lambda z: (z > 2) * 1.0))
    assert step.value(jnp.array([1.0])) == 2


def test_functions_that_are_not_of_jax_are_refused():
    with pytest.raises(ArgumentError, match=r"jax\.numpy"):
        find_activation((lambda z: np.sin(np.asarray(z)), jnp.cos))

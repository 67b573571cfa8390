import re

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from chainrule.errors import ArgumentError, DerivativeError
from chainrule.mathematics.activations import relu_derivative
from chainrule.mathematics.checked import ours, refuse_wrong_derivative

POINTS = np.linspace(-8.123, 8.345, 200)


@pytest.mark.parametrize(
    ("value", "derivative"),
    [
        (jnp.sin, jnp.cos),
        (lambda z: z**3, lambda z: 3 * z**2),
        (jnp.abs, jnp.sign),
        (lambda z: 1e6 * z, lambda z: jnp.full_like(z, 1e6)),
        (lambda z: 0 * z + 3, jnp.zeros_like),
        (jnp.exp, jnp.exp),
        (jax.jit(jnp.tanh), jax.jit(lambda z: 1 - jnp.tanh(z) ** 2)),
    ],
)
def test_right_pairs_pass(value, derivative):
    refuse_wrong_derivative("f", value, derivative, POINTS)


@pytest.mark.parametrize(
    ("value", "derivative"),
    [
        (jnp.sin, lambda z: -jnp.cos(z)),
        (jnp.sin, lambda z: 2 * jnp.cos(z)),
        (jnp.sin, lambda z: jnp.cos(z) + 1e-3),
        (jnp.sin, lambda z: jnp.where(z > 8.2, 0, jnp.cos(z))),
        (jnp.sin, lambda z: jnp.cos(z) * jnp.nan),
        (jnp.sin, lambda z: jnp.where(z > 8.2, jnp.inf, jnp.cos(z))),
        (lambda z: 1e6 * z, lambda z: jnp.full_like(z, 1.001e6)),
    ],
)
def test_wrong_derivatives_are_refused(value, derivative):
    with pytest.raises(DerivativeError, match="derivative of f must be its derivative"):
        refuse_wrong_derivative("f", value, derivative, POINTS)


def test_the_message_has_the_worst_point_and_both_numbers():
    with pytest.raises(DerivativeError) as raised:
        refuse_wrong_derivative("f", lambda z: z**2, lambda z: z, POINTS)
    numbers = re.search(r"at (\S+) it says (\S+), while .* give (\S+)\. ", str(raised.value))
    at, stated, measured = (float(number) for number in numbers.groups())
    assert stated == pytest.approx(at, rel=1e-4)
    assert measured == pytest.approx(2 * at, rel=1e-4)


def needs_numpy(z):
    return jnp.asarray(np.sin(np.asarray(z)))


def branches(z):
    return z if z[0] > 0 else -z


def fails(z):
    raise RuntimeError("on purpose\nsecond line")


@pytest.mark.parametrize("function", [needs_numpy, branches, fails])
def test_functions_that_jax_cannot_trace_are_refused(function):
    for value, derivative in [(function, jnp.cos), (jnp.sin, function)]:
        with pytest.raises(ArgumentError, match=r"f must be made of jax\.numpy operations.*raised \w+Error"):
            refuse_wrong_derivative("f", value, derivative, POINTS)


def test_only_the_first_line_of_an_error_is_repeated():
    with pytest.raises(ArgumentError) as raised:
        refuse_wrong_derivative("f", fails, jnp.cos, POINTS)
    assert "RuntimeError: on purpose" in str(raised.value)
    assert "second line" not in str(raised.value)


@pytest.mark.parametrize("function", [jnp.sum, lambda z: z[:-1], lambda z: z[:, None]])
def test_functions_that_change_the_shape_are_refused(function):
    for value, derivative in [(function, jnp.cos), (jnp.sin, function)]:
        with pytest.raises(ArgumentError, match=r"must return an array of its argument's shape \(200,\)"):
            refuse_wrong_derivative("f", value, derivative, POINTS)


def test_ours_are_known_by_their_home():
    assert ours(relu_derivative)
    assert not ours(needs_numpy)
    assert not ours(jnp.cos)
    assert not ours(lambda z: z)

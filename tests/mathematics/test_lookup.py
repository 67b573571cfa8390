import jax
import jax.numpy as jnp
import numpy as np
import pytest
from jaxtyping import TypeCheckError

from chainrule.mathematics import lookup

pytestmark = pytest.mark.usefixtures("quick_compiler")

CODES = jnp.array([[0.0, 2.0, 4.0], [2.0, 2.0, 2.0], [4.0, 0.0, 1.0], [2.0, 4.0, 0.0]])  # 3 is never named


def draw(size=3, levels=5):
    numbers = np.random.default_rng(size)
    return jnp.asarray(numbers.normal(size=(levels, size))), jnp.asarray(numbers.normal(size=(4, 3 * size)))


@pytest.mark.parametrize("size", [1, 3])
def test_forward_puts_rows_of_the_table_side_by_side(size, float64):
    E, _ = draw(size)
    expected = [np.concatenate([np.asarray(E)[int(code)] for code in row]) for row in CODES]
    np.testing.assert_array_equal(lookup.forward(E, CODES), expected)


@pytest.mark.parametrize("size", [1, 3])
@pytest.mark.parametrize("compiled", [False, True])
def test_backward_is_the_derivative(size, compiled, float64):
    E, delta = draw(size)
    _, pull = jax.vjp(lambda E: lookup.forward(E, CODES), E)
    backward = jax.jit(lookup.backward) if compiled else lookup.backward
    dE, dcodes = backward(E, CODES, delta)
    np.testing.assert_allclose(dE, pull(delta)[0], rtol=1e-12, atol=1e-12)
    np.testing.assert_array_equal(dcodes, np.zeros_like(CODES))


@pytest.mark.parametrize("size", [1, 3])
def test_backward_is_the_product_with_codes_in_one_hot_form(size, float64):
    E, delta = draw(size)
    one_hot = np.asarray(CODES).reshape(-1, 1) == np.arange(5)
    dE, _ = lookup.backward(E, CODES, delta)
    np.testing.assert_allclose(dE, one_hot.T @ np.asarray(delta).reshape(-1, size), rtol=1e-12, atol=1e-12)


def test_a_row_that_no_code_names_has_no_gradient():
    E, delta = draw()
    dE, _ = lookup.backward(E, CODES, delta)
    assert [bool(row.any()) for row in dE] == [True, True, True, False, True]


def test_what_lies_outside_takes_the_nearest_and_nothing_is_lost():
    E, delta = draw()
    wild = jnp.array([[-7.0, 5.0, 1e9], [-jnp.inf, jnp.inf, 4.0], [2.0, 1.0, 0.0], [1.0, 1.0, 1.0]])
    tame = jnp.array([[0.0, 4.0, 4.0], [0.0, 4.0, 4.0], [2.0, 1.0, 0.0], [1.0, 1.0, 1.0]])
    np.testing.assert_array_equal(lookup.forward(E, wild), lookup.forward(E, tame))
    np.testing.assert_array_equal(lookup.backward(E, wild, delta)[0], lookup.backward(E, tame, delta)[0])
    assert np.isfinite(lookup.forward(E, jnp.full((4, 3), jnp.nan))).all()


def test_codes_up_to_two_to_the_24_are_themselves():
    E = jnp.arange(2.0**24, dtype=jnp.float32)[:, None]
    codes = jnp.array([[2.0**24 - 1, 2.0**24 - 2, 2.0**23 + 1]], jnp.float32)
    np.testing.assert_array_equal(lookup.forward(E, codes), codes)


def test_no_rows_are_no_rows():
    assert lookup.forward(draw()[0], CODES[:0]).shape == (0, 9)


def test_shapes_are_checked_while_testing():
    E, delta = draw()
    with pytest.raises(TypeCheckError):
        lookup.backward(E, CODES, delta[:, :6])

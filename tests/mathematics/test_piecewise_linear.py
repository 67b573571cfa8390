import jax
import jax.numpy as jnp
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from jaxtyping import TypeCheckError

from chainrule.mathematics import piecewise_linear

pytestmark = pytest.mark.usefixtures("quick_compiler")


def draw(bins, rows=7, columns=3):
    numbers = np.random.default_rng(bins)
    u = numbers.uniform(-2, bins + 2, (rows, columns))
    return jnp.asarray(u), jnp.asarray(numbers.normal(size=(columns, bins, rows)))


def test_forward_by_hand():
    u = jnp.array([[-0.5], [0.0], [0.25], [1.0], [1.75], [2.5], [3.0], [4.5]])
    expected = [
        [-0.5, 0, 0],
        [0, 0, 0],
        [0.25, 0, 0],
        [1, 0, 0],
        [1, 0.75, 0],
        [1, 1, 0.5],
        [1, 1, 1],
        [1, 1, 2.5],
    ]
    np.testing.assert_array_equal(piecewise_linear.forward(3, u)[0].T, expected)


def test_a_single_bin_is_the_number_itself():
    u, delta = draw(1)
    np.testing.assert_array_equal(piecewise_linear.forward(1, u)[:, 0].T, u)
    np.testing.assert_array_equal(piecewise_linear.backward(1, u, delta), delta[:, 0].T)


@given(u=st.floats(-1e3, 1e3, width=32), bins=st.integers(1, 9))
def test_the_parts_sum_to_the_whole(u, bins):
    v = np.asarray(piecewise_linear.forward(bins, jnp.array([[u]])))
    assert v.sum(dtype=np.float64) == pytest.approx(u, rel=1e-6, abs=1e-6)


@pytest.mark.parametrize("bins", [1, 2, 5])
def test_backward_is_the_derivative_away_from_kinks(bins, float64):
    u, delta = draw(bins)
    _, pull = jax.vjp(lambda u: piecewise_linear.forward(bins, u), u)
    np.testing.assert_allclose(piecewise_linear.backward(bins, u, delta), pull(delta)[0], rtol=1e-14)
    step = 1e-6
    above, below = (piecewise_linear.forward(bins, u + sign * step) for sign in (1, -1))
    measured = (delta * (above - below)).sum(axis=1).T / (2 * step)
    np.testing.assert_allclose(piecewise_linear.backward(bins, u, delta), measured, rtol=1e-8)


def test_on_an_edge_it_is_the_bin_that_begins_there():
    u = jnp.array([[0.0], [1.0], [2.0], [3.0]])
    delta = jnp.broadcast_to(jnp.array([10.0, 20.0, 30.0])[None, :, None], (1, 3, 4))
    slopes = piecewise_linear.backward(3, u, delta)
    np.testing.assert_array_equal(slopes, [[10], [20], [30], [30]])  # behind the last the last runs on
    step = 2.0**-12
    above = piecewise_linear.forward(3, u + step) - piecewise_linear.forward(3, u)
    np.testing.assert_array_equal((delta * above).sum(axis=1).T / step, slopes)


def test_shapes_are_checked_while_testing():
    u, delta = draw(4)
    with pytest.raises(TypeCheckError):
        piecewise_linear.backward(5, u, delta)

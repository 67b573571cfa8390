import jax
import jax.numpy as jnp
import numpy as np
import pytest

from chainrule.mathematics import penalties

W = np.array([[1.5, -2.0, 0.25], [-0.5, 3.0, -1.0]])


@pytest.mark.parametrize(
    ("value", "gradient", "expected"),
    [
        (penalties.l1, penalties.l1_gradient, 8.25),
        (penalties.l2, penalties.l2_gradient, 8.28125),
    ],
)
def test_value_and_gradient(value, gradient, expected, float64):
    w = jnp.asarray(W)
    assert float(value(w)) == expected
    np.testing.assert_allclose(gradient(w), jax.grad(value)(w), rtol=1e-14)


def test_l1_leaves_zeros_alone():
    np.testing.assert_array_equal(penalties.l1_gradient(jnp.array([[0.0, -0.0, 2.0]])), [[0, 0, 1]])

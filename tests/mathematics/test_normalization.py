import jax
import jax.numpy as jnp
import numpy as np
import pytest

from chainrule.mathematics import normalization

pytestmark = pytest.mark.usefixtures("quick_compiler")


def draw(rows, width, spread=1.0):
    numbers = np.random.default_rng(width)
    shapes = (width,), (width,), (rows, width), (rows, width)
    gain, shift, a, delta = (jnp.asarray(numbers.normal(size=shape)) for shape in shapes)
    return gain, shift, a * spread + 3, delta


@pytest.mark.parametrize("width", [1, 2, 3, 7])
@pytest.mark.parametrize("spread", [1e-3, 1.0, 50.0])
def test_backward_is_the_derivative(width, spread, float64):
    gain, shift, a, delta = draw(5, width, spread)
    _, pull = jax.vjp(normalization.forward, gain, shift, a)
    ours = normalization.backward(gain, a, delta)
    for by_hand, automatic in zip(ours, pull(delta), strict=True):
        np.testing.assert_allclose(by_hand, automatic, rtol=1e-9, atol=1e-10)


def test_rows_get_mean_0_and_spread_1(float64):
    _, _, a, _ = draw(6, 9, 4.0)
    n = np.asarray(normalization.forward(jnp.ones(9), jnp.zeros(9), a))
    np.testing.assert_allclose(n.mean(axis=1), 0, atol=1e-12)
    np.testing.assert_allclose(n.var(axis=1), 1, rtol=1e-4)


def test_gain_and_shift_act_by_column(float64):
    gain, shift, a, _ = draw(6, 4)
    n = np.asarray(normalization.forward(jnp.ones(4), jnp.zeros(4), a))
    expected = np.asarray(gain) * n + np.asarray(shift)
    np.testing.assert_allclose(normalization.forward(gain, shift, a), expected, rtol=1e-12)


def test_scale_and_offset_of_a_row_do_not_matter(float64):
    gain, shift, a, _ = draw(6, 5, 100.0)
    z = normalization.forward(gain, shift, a)
    np.testing.assert_allclose(normalization.forward(gain, shift, 3 * a - 7), z, rtol=1e-5, atol=1e-7)


def test_what_is_passed_on_is_orthogonal_to_what_the_map_forgets(float64):
    gain, _, a, delta = draw(6, 5, 100.0)
    _, _, da = normalization.backward(gain, a, delta)
    centred = a - a.mean(axis=1, keepdims=True)
    size = np.linalg.norm(da, axis=1) * np.linalg.norm(centred, axis=1)
    assert np.all(np.abs(da.sum(axis=1)) < 1e-12)
    assert np.all(np.abs((da * centred).sum(axis=1)) < 1e-6 * size)


def test_equal_values_in_a_row_stay_finite():
    gain, shift, a = jnp.ones(3), jnp.array([1.0, 2.0, 3.0]), jnp.full((2, 3), 5.0)
    np.testing.assert_array_equal(normalization.forward(gain, shift, a), [[1, 2, 3]] * 2)
    for gradient in normalization.backward(gain, a, jnp.ones((2, 3))):
        assert np.isfinite(gradient).all()

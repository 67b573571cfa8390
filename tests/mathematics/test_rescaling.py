import jax
import jax.numpy as jnp
import numpy as np
import pytest

from chainrule.mathematics import rescaling

pytestmark = pytest.mark.usefixtures("quick_compiler")


def draw(rows, width, spread=1.0):
    numbers = np.random.default_rng(width)
    shapes = (width,), (width,), (rows, width), (rows, width)
    stretch, offset, a, delta = (jnp.asarray(numbers.normal(size=shape)) for shape in shapes)
    return stretch, offset, a * spread + 3, delta


@pytest.mark.parametrize("width", [1, 2, 7])
@pytest.mark.parametrize("spread", [1e-3, 1.0, 50.0])
def test_backward_is_the_derivative(width, spread, float64):
    stretch, offset, a, delta = draw(5, width, spread)
    _, pull = jax.vjp(rescaling.forward, stretch, offset, a)
    ours = rescaling.backward(stretch, a, delta)
    for by_hand, automatic in zip(ours, pull(delta), strict=True):
        np.testing.assert_allclose(by_hand, automatic, rtol=1e-12, atol=1e-13)


def test_backward_is_the_slope(float64):
    *arguments, delta = draw(5, 4)
    along = [jnp.asarray(np.random.default_rng(8).normal(size=leaf.shape)) for leaf in arguments]
    step = 1e-6
    ends = [
        rescaling.forward(*(leaf + sign * step * d for leaf, d in zip(arguments, along, strict=True)))
        for sign in (1, -1)
    ]
    measured = float((delta * (ends[0] - ends[1])).sum()) / (2 * step)
    slopes = zip(rescaling.backward(arguments[0], arguments[2], delta), along, strict=True)
    assert sum(float((g * d).sum()) for g, d in slopes) == pytest.approx(measured, rel=1e-8)


def test_columns_do_not_touch_each_other(float64):
    a = jnp.array([[1.0, 10.0], [2.0, 20.0]])
    z = rescaling.forward(jnp.array([3.0, -0.5]), jnp.array([0.25, 1.0]), a)
    np.testing.assert_array_equal(z, [[3.25, -4], [6.25, -9]])


def standardized(a):
    return np.asarray(rescaling.forward(*rescaling.standardizing(a), a))


def test_columns_get_mean_0_and_spread_1(float64):
    a = draw(50, 3)[2] * jnp.array([[0.1, 1.0, 1e4]]) - 7
    z = standardized(a)
    np.testing.assert_allclose(z.mean(axis=0), 0, atol=1e-10)
    np.testing.assert_allclose(z.std(axis=0), 1, rtol=1e-10)


def test_a_spread_below_a_twentieth_counts_as_one(float64):
    a = jnp.zeros((10_000, 2)).at[0, 0].set(1.0).at[:30, 1].set(1.0)
    stretch, _ = rescaling.standardizing(a)
    assert float(a[:, 0].std()) < 0.05 < float(a[:, 1].std())  # 1 in 10,000 and 3 in 1,000
    assert stretch.tolist() == pytest.approx([20, 1 / float(a[:, 1].std())])
    np.testing.assert_allclose(standardized(a).mean(axis=0), 0, atol=1e-12)


@pytest.mark.parametrize("value", [0.0, 1.0, 0.1, 0.7, -300.0])
@pytest.mark.parametrize("rows", [6, 1000, 4096])
def test_a_constant_column_is_only_moved_to_0(value, rows):
    """In float32, where the mean of equal numbers is rounded."""
    a = jnp.full((rows, 1), value, jnp.float32)
    stretch, offset = rescaling.standardizing(a)
    assert stretch.tolist() == [1]
    assert offset.tolist() == pytest.approx([-value])
    np.testing.assert_allclose(standardized(a), 0, atol=1e-5 * abs(value))


def test_one_row_is_constant():
    stretch, offset = rescaling.standardizing(jnp.array([[2.0, -3.0]]))
    assert (stretch.tolist(), offset.tolist()) == ([1, 1], [-2, 3])

import jax
import jax.numpy as jnp
import numpy as np
import pytest
from jaxtyping import TypeCheckError

from chainrule.mathematics import periodic

pytestmark = pytest.mark.usefixtures("quick_compiler")

SHAPES = [(1, 1, 1), (5, 3, 4), (2, 1, 7), (6, 4, 1)]  # rows, columns, frequencies


def draw(rows, columns, frequencies):
    numbers = np.random.default_rng(rows + columns)
    shapes = (columns, frequencies), (columns, frequencies), (rows, columns), (columns, frequencies, rows)
    return tuple(jnp.asarray(numbers.normal(size=shape) * 2) for shape in shapes)


@pytest.mark.parametrize("shape", SHAPES)
def test_forward_is_the_cosine(shape, float64):
    frequency, phase, a, _ = draw(*shape)
    angle = 2 * np.pi * np.einsum("cf,rc->cfr", frequency, a) + np.asarray(phase)[:, :, None]
    np.testing.assert_allclose(periodic.forward(frequency, phase, a), np.cos(angle), rtol=0, atol=1e-14)


@pytest.mark.parametrize("shape", SHAPES)
@pytest.mark.parametrize("compiled", [False, True])
def test_backward_is_the_derivative(shape, compiled, float64):
    frequency, phase, a, delta = draw(*shape)
    _, pull = jax.vjp(
        lambda f, p, a: jnp.cos(2 * jnp.pi * f[:, :, None] * a.T[:, None, :] + p[:, :, None]),
        frequency,
        phase,
        a,
    )
    backward = jax.jit(periodic.backward) if compiled else periodic.backward
    for ours, automatic in zip(backward(frequency, phase, a, delta), pull(delta), strict=True):
        np.testing.assert_allclose(ours, automatic, rtol=1e-12, atol=1e-12)


def test_backward_is_the_slope_of_forward(float64):
    """Central differences, along one random direction of all arguments at once."""
    *point, delta = draw(5, 3, 4)
    numbers, step = np.random.default_rng(1), 1e-6
    along = [jnp.asarray(numbers.normal(size=part.shape)) for part in point]
    above, below = (
        periodic.forward(*(p + sign * step * d for p, d in zip(point, along, strict=True)))
        for sign in (1, -1)
    )
    measured = float((delta * (above - below)).sum()) / (2 * step)
    gradients = periodic.backward(*point, delta)
    by_hand = sum(float((g * d).sum()) for g, d in zip(gradients, along, strict=True))
    assert by_hand == pytest.approx(measured, rel=1e-7)


TURNS = np.concatenate(
    [np.linspace(-3, 3, 10_001), np.arange(-8, 9) / 4, np.random.default_rng(0).uniform(-100, 100, 10_000)]
)


def test_cosine_is_exact_to_rounding(float64):
    np.testing.assert_allclose(periodic.cosine(jnp.asarray(TURNS)), np.cos(2 * np.pi * TURNS), atol=3e-13)
    small = TURNS[np.abs(TURNS) <= 0.5]
    np.testing.assert_allclose(periodic.cosine(jnp.asarray(small)), np.cos(2 * np.pi * small), atol=5e-16)


def test_cosine_is_exact_to_rounding_in_float32_too():
    t = TURNS.astype(np.float32)
    exact = np.cos(2 * np.pi * t.astype(np.float64))
    np.testing.assert_allclose(periodic.cosine(jnp.asarray(t)), exact, rtol=0, atol=2.5e-7)


def test_cosine_of_whole_half_and_quarter_turns():
    t = jnp.array([0.0, 0.25, 0.5, 0.75, 1.0, -0.5, -0.25, 1e6, 1e6 + 0.5])
    np.testing.assert_allclose(periodic.cosine(t), [1, 0, -1, 0, 1, -1, 0, 1, -1], atol=1.2e-7)


def test_shapes_are_checked_while_testing():
    frequency, phase, a, delta = draw(5, 3, 4)
    with pytest.raises(TypeCheckError):
        periodic.backward(frequency, phase, a, delta.transpose(2, 0, 1))

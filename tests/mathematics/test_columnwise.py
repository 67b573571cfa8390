import jax
import jax.numpy as jnp
import numpy as np
import pytest
from jaxtyping import TypeCheckError

from chainrule.mathematics import columnwise

pytestmark = pytest.mark.usefixtures("quick_compiler")

SHAPES = [(1, 1, 1, 1), (3, 2, 5, 4), (4, 7, 2, 3), (2, 1, 6, 1)]  # columns, size, features, rows


def draw(columns, size, features, rows):
    numbers = np.random.default_rng(columns + size)
    shapes = (columns, size, features), (columns, size), (columns, features, rows), (columns, size, rows)
    return tuple(jnp.asarray(numbers.normal(size=shape)) for shape in shapes)


@pytest.mark.parametrize("shape", SHAPES)
def test_each_column_is_an_affine_map_of_its_own(shape, float64):
    V, c, v, _ = draw(*shape)
    z = columnwise.forward(V, c, v)
    for column in range(shape[0]):
        expected = np.asarray(V)[column] @ np.asarray(v)[column] + np.asarray(c)[column][:, None]
        np.testing.assert_allclose(z[column], expected, rtol=1e-12, atol=1e-12)


@pytest.mark.parametrize("shape", SHAPES)
def test_backward_is_the_derivative(shape, float64):
    V, c, v, delta = draw(*shape)
    _, pull = jax.vjp(columnwise.forward, V, c, v)
    for ours, automatic in zip(columnwise.backward(V, v, delta), pull(delta), strict=True):
        np.testing.assert_allclose(ours, automatic, rtol=1e-12, atol=1e-12)


def test_columns_do_not_mix(float64):
    V, c, v, delta = draw(3, 2, 5, 4)
    other = columnwise.forward(V, c, v.at[1].add(1))
    moved = np.abs(np.asarray(other - columnwise.forward(V, c, v))).max(axis=(1, 2)) > 0
    assert moved.tolist() == [False, True, False]
    for gradient in columnwise.backward(V, v, delta.at[0].set(0).at[2].set(0)):
        assert not gradient[0].any()
        assert gradient[1].any()


def test_shapes_are_checked_while_testing():
    V, c, v, _ = draw(3, 2, 5, 4)
    with pytest.raises(TypeCheckError):
        columnwise.forward(V, c, v.transpose(2, 0, 1))

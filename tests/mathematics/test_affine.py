import jax
import jax.numpy as jnp
import numpy as np
import pytest
from jaxtyping import TypeCheckError

from chainrule.mathematics import affine

# Widths on both sides of the tile, so that both ways of computing dW are taken.
SHAPES = [(1, 1, 1), (5, 3, 2), (5, 2, 3), (4, 64, 5), (4, 5, 64), (3, 64, 128), (3, 130, 64), (2, 7, 7)]


def draw(rows, outputs, inputs):
    numbers = np.random.default_rng(rows + outputs + inputs)
    shapes = (outputs, inputs), (outputs,), (rows, inputs), (rows, outputs)
    return tuple(jnp.asarray(numbers.normal(size=shape)) for shape in shapes)


@pytest.mark.parametrize(("rows", "outputs", "inputs"), SHAPES)
def test_forward_is_the_sum_over_inputs(rows, outputs, inputs, float64):
    W, b, a, _ = draw(rows, outputs, inputs)
    expected = np.einsum("ij,rj->ri", W, a) + np.asarray(b)
    np.testing.assert_allclose(affine.forward(W, b, a), expected, rtol=1e-12, atol=1e-12)
    np.testing.assert_allclose(affine.forward(W, None, a), expected - np.asarray(b), rtol=1e-12, atol=1e-12)


def test_w_i_j_carries_input_j_to_output_i():
    W = jnp.zeros((2, 3)).at[1, 2].set(5.0)
    z = affine.forward(W, None, jnp.array([[1.0, 2.0, 3.0]]))
    np.testing.assert_array_equal(z, [[0, 15]])


@pytest.mark.parametrize(("rows", "outputs", "inputs"), SHAPES)
@pytest.mark.parametrize("compiled", [False, True])
def test_backward_is_the_derivative(rows, outputs, inputs, compiled, float64):
    W, b, a, delta = draw(rows, outputs, inputs)
    _, pull = jax.vjp(affine.forward, W, b, a)
    backward = jax.jit(affine.backward) if compiled else affine.backward
    for ours, automatic in zip(backward(W, a, delta), pull(delta), strict=True):
        np.testing.assert_allclose(ours, automatic, rtol=1e-12, atol=1e-12)


@pytest.mark.parametrize(
    ("outputs", "inputs", "expected"),
    [
        (64, 10, True),  # whole tiles before part of one
        (10, 64, False),
        (128, 64, True),  # the longer side where both fill theirs
        (64, 128, False),
        (1, 64, False),
        (16, 16, False),
    ],
)
def test_inputs_first_wants_whole_tiles_then_length(outputs, inputs, expected):
    assert affine.inputs_first(outputs, inputs) is expected


def test_both_orders_of_dw_are_among_the_shapes():
    assert {affine.inputs_first(outputs, inputs) for _, outputs, inputs in SHAPES} == {True, False}


def test_shapes_are_checked_while_testing():
    with pytest.raises(TypeCheckError):
        affine.forward(jnp.ones((2, 3)), None, jnp.ones((4, 2)))

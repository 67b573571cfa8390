import jax
import jax.numpy as jnp
import numpy as np
import pytest

from chainrule.network.network import Network
from chainrule.network.parameters import Norm, Weights, count, map_matrices, matrices


@pytest.fixture
def network():
    return Network((4, 5, 5, 2), "tanh", layer_norm=True, residual=True)


def test_the_structure_follows_the_maps(network):
    first, norm, block, last = network.initialize(0)
    assert (type(first), type(norm), type(last)) == (Weights, Norm, Weights)
    assert [type(p) for p in block] == [Weights, Norm]
    assert (first.W.shape, first.b.shape) == ((5, 4), (5,))
    assert (norm.gain.shape, norm.shift.shape) == ((5,), (5,))
    assert (block[0].W.shape, last.W.shape, last.b.shape) == ((5, 5), (2, 5), (2,))


def test_count_is_the_number_of_numbers(network):
    assert count(network.initialize(0)) == (4 * 5 + 5) + 2 * 5 + (5 * 5 + 5) + 2 * 5 + (5 * 2 + 2)
    assert count(Network((4, 5, 2), bias=False).initialize(0)) == 4 * 5 + 5 * 2


def test_matrices_are_every_w_in_order(network):
    parameters = network.initialize(0)
    found = matrices(parameters)
    assert all(
        a is b for a, b in zip(found, [parameters[0].W, parameters[2][0].W, parameters[3].W], strict=True)
    )


def test_map_matrices_spares_the_rest(network):
    parameters = network.initialize(0)
    doubled = map_matrices(lambda W: 2 * W, parameters)
    assert jax.tree.structure(doubled) == jax.tree.structure(parameters)
    for before, after in zip(jax.tree.leaves(parameters), jax.tree.leaves(doubled), strict=True):
        np.testing.assert_array_equal(after, before * (2 if before.ndim == 2 else 1))


def test_without_bias_b_is_none():
    parameters = Network((3, 2, 1), bias=False).initialize(0)
    assert all(p.b is None for p in parameters)
    assert len(jax.tree.leaves(parameters)) == 2


def test_gradients_add_to_parameters(network):
    parameters = network.initialize(0)
    _, gradients = network.backward(parameters, jnp.ones((3, 4)), jnp.ones((3, 2)))
    moved = jax.tree.map(lambda p, g: p - 0.1 * g, parameters, gradients)
    assert [type(p) for p in moved] == [type(p) for p in parameters]
    assert [g.shape for g in jax.tree.leaves(gradients)] == [p.shape for p in jax.tree.leaves(parameters)]

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from chainrule.mathematics.initializers import INITIALIZERS
from chainrule.network.embedding_layers import Lookup, Periodic, PiecewiseLinear, Rescale
from chainrule.network.layers import Affine
from chainrule.network.network import Network, shapes
from chainrule.network.parameters import (
    Norm,
    Pieces,
    Stretches,
    Table,
    Waves,
    Weights,
    count,
    entries,
    map_matrices,
    matrices,
    named,
    weights,
)


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


@pytest.fixture
def embedded():
    """With arrays of two dimensions that are no W: tables, frequencies, the c of columns."""
    own = Affine(5, INITIALIZERS["he_normal"])
    pieces = (PiecewiseLinear(3, 2), Rescale())
    parts = [(1, ()), (2, (Periodic(3, 4, 1.0), own)), (1, pieces), (2, Lookup((3, 4), 3))]
    return Network((6, 11, 11, 2), "tanh", layer_norm=True, residual=True, embedding=parts)


@pytest.mark.parametrize("which", ["network", "embedded"])
def test_map_matrices_spares_the_rest(which, request):
    parameters = request.getfixturevalue(which).initialize(0)
    doubled = map_matrices(lambda W: 2 * W, parameters)
    assert jax.tree.structure(doubled) == jax.tree.structure(parameters)
    for (name, before), (_, after) in zip(named(parameters), named(doubled), strict=True):
        np.testing.assert_array_equal(after, before * (2 if name.startswith("W") else 1))


def test_map_matrices_goes_through_several_trees_at_once(embedded):
    one, other = embedded.initialize(0), embedded.initialize(1)
    mixed = map_matrices(lambda W, V: W + 3 * V, one, other)
    for (name, a), (_, b), (_, c) in zip(named(one), named(other), named(mixed), strict=True):
        np.testing.assert_array_equal(c, a + 3 * b if name.startswith("W") else a)


def test_map_matrices_may_take_shapes_for_arrays(embedded):
    turned = map_matrices(lambda W, shape: W.T, embedded.initialize(0), shapes(embedded))
    assert [p.W.shape for p in weights(turned)] == [p.W.shape[::-1] for p in weights(shapes(embedded))]


def test_an_embeddings_parameters_stand_first_and_in_order(embedded):
    parameters = embedded.initialize(0)
    assert [type(p) for p in parameters[0]] == [Waves, Weights, Pieces, Stretches, Table]
    kinds = [Waves, Weights, Pieces, Stretches, Table, Weights, Norm, Weights, Norm, Weights]
    assert [type(p) for p in entries(parameters)] == kinds
    assert [p.W.shape for p in weights(parameters)] == [(5, 8), (11, 14), (11, 11), (2, 11)]


def test_every_array_has_a_name_of_its_own_in_the_order_of_the_leaves(embedded):
    parameters = embedded.initialize(0)
    names = [name for name, _ in named(parameters)]
    assert names == [
        *("frequency1", "phase1", "V1", "c1", "W1", "b1", "V2", "c2", "stretch3", "offset3", "E4"),
        *("W2", "b2", "gain1", "shift1", "W3", "b3", "gain2", "shift2", "W4", "b4"),
    ]
    leaves = [leaf for _, leaf in named(parameters)]
    assert all(a is b for a, b in zip(leaves, jax.tree.leaves(parameters), strict=True))


def test_without_embeddings_names_count_the_affine_maps(network):
    names = ["W1", "b1", "gain1", "shift1", "W2", "b2", "gain2", "shift2", "W3", "b3"]
    assert [name for name, _ in named(network.initialize(0))] == names


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

"""Attributions add up, and are exact of linear networks; gradients are those of finite differences."""

import jax
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from chainrule.errors import ArgumentError
from chainrule.network import attribution
from chainrule.network.attribution import (
    FEWEST_POINTS,
    MOST_POINTS,
    TOLERANCE,
    input_gradients,
    integrated_gradients,
)
from chainrule.network.embedding_layers import Lookup, Periodic, PiecewiseLinear, Rescale
from chainrule.network.layers import Affine
from chainrule.network.network import Network
from chainrule.network.prediction import mean_output

ALL = [
    (2, ()),
    (2, Rescale()),
    (2, (PiecewiseLinear(5), Rescale())),
    (1, PiecewiseLinear(5, 3)),
    (1, Periodic()),
    (2, Lookup((4, 7))),
]
NUMBER_OF_INPUTS = 10
LOSSES = ("squared_error", "binary_cross_entropy", "softmax_cross_entropy", "poisson")


def members_of(network, number=3):
    drawn = [network.initialize(seed) for seed in range(number)]
    return jax.tree.map(lambda *leaves: np.stack(leaves), *drawn)


def inputs(rows, seed=0, dtype=np.float32):
    generator = np.random.default_rng(seed)
    x = generator.normal(size=(rows, NUMBER_OF_INPUTS))
    x[:, 4:7] = generator.uniform(-0.5, 5.5, (rows, 3))
    x[:, 8] = generator.integers(0, 4, rows)
    x[:, 9] = generator.integers(0, 7, rows)
    return x.astype(dtype)


def of_output(rows, outputs, place=0):
    return np.eye(outputs)[np.full(rows, place)]


@settings(max_examples=15)
@given(
    loss=st.sampled_from(LOSSES),
    members=st.integers(1, 3),
    hidden=st.sampled_from([(), (6,), (6, 6)]),
    activation=st.sampled_from(["silu", "relu", "tanh"]),
    further=st.sampled_from([{}, {"residual": True}, {"layer_norm": True}, {"dropout": 0.5}]),
    embedded=st.booleans(),
    baselines=st.integers(1, 20),
)
def test_attributions_add_up(loss, members, hidden, activation, further, embedded, baselines):
    network = Network(
        (NUMBER_OF_INPUTS, *hidden, 3), activation, loss, embedding=ALL if embedded else None, **further
    )
    x, others = inputs(4), inputs(baselines, 1)
    found = integrated_gradients(network, members_of(network, members), x, others, of_output(4, 3, 1))
    r, r_0 = (mean_output(network, members_of(network, members), rows)[:, 1] for rows in (x, others))
    np.testing.assert_allclose(found.output, r, rtol=1e-6)
    np.testing.assert_allclose(found.baseline, r_0.mean(dtype=np.float64), rtol=1e-6)
    np.testing.assert_allclose(found.values.sum(axis=1), found.output - found.baseline, atol=1e-12)
    sizes = np.abs(found.values).sum(axis=1)
    assert (
        np.abs(found.remainder) <= 2 * TOLERANCE * sizes + 1e-5
    ).all() or found.points.max() == MOST_POINTS


def test_with_enough_points_there_is_no_remainder(monkeypatch):
    monkeypatch.setattr(attribution, "TOLERANCE", 1e-9)
    with jax.enable_x64(True):
        network = Network((NUMBER_OF_INPUTS, 8, 8, 2), "silu", embedding=ALL)
        members = jax.tree.map(lambda leaf: np.asarray(leaf, np.float64), members_of(network))
        x, others = inputs(5, dtype=np.float64), inputs(3, 1, np.float64)
        found = integrated_gradients(network, members, x, others, of_output(5, 2))
        assert np.abs(found.remainder).max() < 1e-8 * np.abs(found.values).sum(axis=1).min()
        assert found.points.max() > FEWEST_POINTS


def test_a_linear_network_is_its_weights_times_the_way():
    with jax.enable_x64(True):
        network = Network((4, 2))
        members = jax.tree.map(lambda leaf: np.asarray(leaf, np.float64), members_of(network))
        x, baseline = np.random.default_rng(0).normal(size=(2, 5, 4))
        found = integrated_gradients(network, members, x, baseline[:1], 2.5 * of_output(5, 2, 1))
        W = np.asarray(members[0].W).mean(axis=0)
        np.testing.assert_allclose(found.values, 2.5 * W[1] * (x - baseline[:1]), rtol=1e-12)
        assert (found.points == FEWEST_POINTS).all()
        gradient = input_gradients(network, members, x, 2.5 * of_output(5, 2, 1))
        np.testing.assert_allclose(gradient, np.tile(2.5 * W[1], (5, 1)), rtol=1e-12)


def test_the_mean_over_baselines_is_that_of_the_single_ones():
    network = Network((NUMBER_OF_INPUTS, 6, 1), "tanh", embedding=ALL)
    members, x, others = members_of(network), inputs(3), inputs(20, 1)
    together = integrated_gradients(network, members, x, others, of_output(3, 1))
    each = [
        integrated_gradients(network, members, x, other[None], of_output(3, 1)).values for other in others
    ]
    np.testing.assert_allclose(together.values, np.mean(each, axis=0), atol=1e-3)


def test_the_path_of_a_category_leads_through_its_vectors():
    """Which numbers the codes have does not matter, and a code that stays adds nothing."""
    network = Network((2, 8, 1), "tanh", embedding=[(1, ()), (1, Lookup((9,)))])
    members = members_of(network)
    E = np.array(members[0][0].E)
    E[:, :9] = np.random.default_rng(1).normal(size=E[:, :9].shape)
    swapped = E.copy()
    swapped[:, [2, 7]] = E[:, [7, 2]]
    found = [
        integrated_gradients(
            network,
            ((members[0][0]._replace(E=table),), *members[1:]),
            np.array([[0.5, code], [0.5, 1]], np.float32),
            np.array([[0.0, 1]], np.float32),
            of_output(2, 1),
        ).values
        for table, code in ((E, 2), (swapped, 7))
    ]
    np.testing.assert_array_equal(*found)
    assert found[0][0, 1] != 0
    assert found[0][1, 1] == 0


def test_groups_are_sums():
    network = Network((NUMBER_OF_INPUTS, 6, 1), embedding=ALL)
    groups = np.array([0, 1, 1, 2, 0, 2, 2, 3, 1, 4])
    x, others = inputs(3), inputs(2, 1)
    single, grouped = (
        integrated_gradients(network, members_of(network), x, others, of_output(3, 1), groups=of)
        for of in (None, groups)
    )
    sums = np.stack([single.values[:, groups == k].sum(axis=1) for k in range(5)], axis=1)
    np.testing.assert_allclose(grouped.values, sums, atol=2e-3)


@pytest.mark.parametrize("loss", LOSSES)
@pytest.mark.parametrize("embedding", [None, ALL])
def test_gradients_are_those_of_finite_differences(loss, embedding):
    h = 1e-6
    with jax.enable_x64(True):
        network = Network((NUMBER_OF_INPUTS, 7, 3), "silu", loss, embedding=embedding)
        members = jax.tree.map(lambda leaf: np.asarray(leaf, np.float64), members_of(network))
        x, direction = inputs(70, dtype=np.float64), np.random.default_rng(2).normal(size=(70, 3))
        found = input_gradients(network, members, x, direction)
        expected = np.zeros_like(x)
        for column in range(NUMBER_OF_INPUTS if embedding is None else 8):
            step = h * np.eye(NUMBER_OF_INPUTS)[column]
            up, down = (mean_output(network, members, x + s) for s in (step, -step))
            expected[:, column] = ((up - down) * direction).sum(axis=1) / (2 * h)
        np.testing.assert_allclose(found, expected, rtol=1e-6, atol=1e-8)


def test_more_points_where_there_are_kinks():
    network = Network((3, 64, 64, 1), "relu")
    members = members_of(network, 1)
    generator = np.random.default_rng(0)
    x, others = generator.normal(0, 30, (2, 6, 3)).astype(np.float32)
    found = integrated_gradients(network, members, x, others[:1], of_output(6, 1))
    assert found.points.max() > FEWEST_POINTS
    rough = found.points == MOST_POINTS
    sizes = np.abs(found.values).sum(axis=1)
    assert (np.abs(found.remainder)[~rough] <= 1.1 * TOLERANCE * sizes[~rough] + 1e-5).all()


def test_a_row_does_not_depend_on_its_neighbours():
    network = Network((NUMBER_OF_INPUTS, 6, 1), embedding=ALL)
    members, x, others = members_of(network), inputs(40), inputs(3, 1)
    together = integrated_gradients(network, members, x, others, of_output(40, 1))
    alone = integrated_gradients(network, members, x[7:8], others, of_output(1, 1))
    np.testing.assert_allclose(alone.values[0], together.values[7], rtol=1e-5, atol=1e-7)


def test_no_rows():
    network = Network((3, 4, 1))
    none = np.zeros((0, 3), np.float32)
    found = integrated_gradients(
        network, members_of(network), none, np.ones((1, 3), np.float32), of_output(0, 1)
    )
    assert found.values.shape == (0, 3)
    assert input_gradients(network, members_of(network), none, of_output(0, 1)).shape == (0, 3)


def test_an_embedding_that_mixes_columns_is_refused():
    network = Network((3, 4, 1), embedding=[(3, Affine(2, Network((2, 1)).layers[0].initializer))])
    with pytest.raises(ArgumentError, match=r"must keep columns apart to be explained; got .* Affine"):
        integrated_gradients(network, members_of(network), np.ones((1, 3)), np.ones((1, 3)), of_output(1, 1))

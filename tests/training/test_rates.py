"""Each kind of parameter goes its own share of Adam's direction."""

import jax
import jax.numpy as jnp
import numpy as np
import optax
import pytest

from chainrule import Network, train
from chainrule.mathematics.affine import inputs_first
from chainrule.network.embedding_layers import Lookup, PiecewiseLinear, Rescale
from chainrule.network.network import shapes
from chainrule.network.parameters import count, named
from chainrule.training.folds import Folds
from chainrule.training.loop import train_members
from chainrule.training.rates import by_kind

pytestmark = pytest.mark.usefixtures("quick_compiler")

EMBEDDING = [
    (1, Rescale()),
    (1, (PiecewiseLinear(3), Rescale(standardize=True))),
    (1, PiecewiseLinear(2, 2)),
    (1, Lookup((4,), 2)),
]
# 8 numbers come out of the embedding.
NETWORK = Network((4, 4, 1), "tanh", embedding=EMBEDDING, layer_norm=True)
FACTORS = {"W1": 1 / np.sqrt(8), "W2": 1 / 2, "b1": 0.1, "b2": 0.1, "offset1": 0.1, "offset2": 0.1, "E4": 0.1}


def factor(name, p):
    """Of stretches, three times their size; of what the recipe does not name, 1."""
    return 3 * np.abs(p) if name.startswith("stretch") else FACTORS.get(name, 1.0)


@pytest.fixture(scope="module")
def table():
    numbers = np.random.default_rng(0)
    x = numbers.uniform(0, 3, (20, 4))
    x[:, 3] = numbers.integers(1, 4, 20)
    return x.astype(np.float32), np.sin(x[:, :1]).astype(np.float32)


def test_the_factors_by_name():
    drawn = jax.tree.map(lambda p: p - 0.5, NETWORK.initialize(0))  # stretches below 0 too
    scaled = by_kind(NETWORK, jax.tree.map(jnp.ones_like, drawn), drawn)
    assert jax.tree.structure(scaled) == jax.tree.structure(drawn)
    for (name, d), (_, p) in zip(named(scaled), named(drawn), strict=True):
        np.testing.assert_allclose(d, np.broadcast_to(factor(name, np.asarray(p)), p.shape), rtol=1e-6)


def test_without_bias():
    network = Network((9, 1), bias=False)
    (d,) = by_kind(network, network.initialize(0), network.initialize(0))
    np.testing.assert_allclose(d.W, network.initialize(0)[0].W / 3, rtol=1e-6)
    assert d.b is None


def test_a_step_is_changed_by_exactly_these_factors(table):
    """Against Adam's first step, and with weight decay, which has no factor."""
    x, y = table
    options = {"learning_rate": 0.01, "weight_decay": 0.5, "batch_size": 20, "epochs": 1}
    before = NETWORK.initialize(0, x)
    (record,) = train(NETWORK, x, y, parameters=before, rates="by_kind", **options)
    _, gradients = NETWORK.backward(before, x, y)
    direction, _ = optax.adam(1.0).update(gradients, optax.adam(1.0).init(before))
    for (name, p), (_, d), (_, now) in zip(*map(named, (before, direction, record.parameters)), strict=True):
        decay = 0.5 * np.asarray(p) if name.startswith("W") else 0
        moved = 0.01 * (factor(name, np.asarray(p)) * np.asarray(d) - decay)
        np.testing.assert_allclose(now - p, moved, rtol=2e-3, atol=2e-7, err_msg=name)


def test_a_w_that_is_kept_transposed_counts_its_inputs():
    network = Network((2, 3, 64, 1), "tanh")
    kept = [inputs_first(*p.W.shape) for p in shapes(network)]
    assert len(set(kept)) == 2, "one of each kind"
    numbers = np.random.default_rng(1)
    x, y = numbers.normal(size=(8, 2)), numbers.normal(size=(8, 1))
    options = {"learning_rate": 1e-3, "weight_decay": 0.0, "batch_size": 8, "epochs": 1}
    before = network.initialize(0)
    each = [train(network, x, y, parameters=before, rates=r, **options) for r in ("by_kind", "equal")]
    slow, fast = (next(run).parameters for run in each)
    for p, one, other in zip(before, slow, fast, strict=True):
        share = (one.W - p.W) / (other.W - p.W)
        assert np.median(share) == pytest.approx(p.W.shape[1] ** -0.5, rel=1e-3)


def test_members_have_the_rates_of_a_network_alone(table):
    x, y = table
    options = {"learning_rate": 0.05, "batch_size": 20, "epochs": 2, "shuffle": False, "rates": "by_kind"}
    *_, alone = train(NETWORK, x, y, **options)
    *_, members = train_members(NETWORK, x, y, Folds.same(2, np.arange(20)), **options)
    assert count(alone.parameters) * 2 == count(members.parameters)
    for one, two in zip(jax.tree.leaves(alone.parameters), jax.tree.leaves(members.parameters), strict=True):
        np.testing.assert_allclose(two[0], one, rtol=2e-3, atol=1e-4)

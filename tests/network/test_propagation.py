"""The chain rule, written once, for every kind of chain; every network is in test_network.py."""

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from chainrule.mathematics.losses import quantile
from chainrule.network import propagation
from chainrule.network.network import Network, shapes

pytestmark = pytest.mark.usefixtures("quick_compiler")


def example(network, targets, rows=5, seed=0):
    """Parameters away from gain 1 and bias 0, inputs large enough to reach every kink; in float64."""
    numbers = np.random.default_rng(seed)

    def draw(leaf):
        size = leaf.shape[-1] ** -0.5 if len(leaf.shape) == 2 else 0.5
        return jnp.asarray(size * numbers.normal(size=leaf.shape) + (0.5 if len(leaf.shape) == 1 else 0))

    parameters = jax.tree.map(draw, shapes(network))
    x = jnp.asarray(numbers.normal(size=(rows, network.sizes[0])) * 2)
    y = jnp.asarray(targets(network.loss, rows, network.targets, seed))
    return parameters, x, y, jnp.asarray(numbers.uniform(0.5, 2, rows))


def automatic(network, parameters, x, y, weight, seed=None):
    """Value and gradient of the objective from its definition, by automatic differentiation."""

    def objective(p):
        target = network.loss.smooth(y, network.label_smoothing) if network.label_smoothing else y
        y_hat = propagation.forward(network.layers, p, x, seed)[-1]
        L = (weight * network.loss.value(y_hat, target)).sum() / weight.sum()
        for leaf in jax.tree.leaves(p):
            if leaf.ndim == 2:
                L = L + network.l1 * jnp.abs(leaf).sum() + network.l2 * (leaf**2).sum() / 2
        return L

    return jax.value_and_grad(objective)(parameters)


def assert_same(by_hand, witness, rtol=1e-10):
    scale = max(float(jnp.abs(leaf).max()) for leaf in jax.tree.leaves(witness)) or 1.0
    assert jax.tree.structure(by_hand) == jax.tree.structure(witness)
    for ours, theirs in zip(jax.tree.leaves(by_hand), jax.tree.leaves(witness), strict=True):
        np.testing.assert_allclose(ours, theirs, rtol=rtol, atol=rtol * scale)


@pytest.mark.parametrize(
    "loss", ["squared_error", "softmax_cross_entropy", "gaussian_nll", quantile((0.1, 0.9))]
)
@pytest.mark.parametrize(
    "options",
    [
        {"sizes": (3, 2)},
        {"sizes": (1, 1, 2)},
        {"sizes": (3, 4, 4, 4, 2), "activation": ["relu", "tanh", "gelu"]},
        {"sizes": (3, 4, 2), "bias": False},
        {"sizes": (3, 4, 4, 2), "layer_norm": True, "bias": False},
        {"sizes": (4, 4, 4, 5, 5, 2), "residual": True},
        {"sizes": (4, 4, 4, 2), "residual": True, "layer_norm": True, "dropout": 0.4, "l1": 0.1, "l2": 0.2},
    ],
    ids=str,
)
def test_every_kind_of_chain(options, loss, draw_targets, float64):
    network = Network(loss=loss, **options)
    parameters, x, y, weight = example(network, draw_targets)
    seed = jnp.uint32(3)
    L, gradients, *_ = network.objective(parameters, x, y, weight, weight.sum(), seed)
    expected, witness = automatic(network, parameters, x, y, weight, seed)
    np.testing.assert_allclose(L, expected, rtol=1e-12)
    assert_same(gradients, witness)


def test_without_hidden_layers_it_is_linear_regression(draw_targets, float64):
    """L = (1/N) Σ (x Wᵀ + b − y)²: ∂L/∂W = (2/N) (ŷ − y)ᵀ x, ∂L/∂b = (2/N) Σ (ŷ − y)."""
    network = Network((3, 2))
    parameters, x, y, _ = example(network, draw_targets)
    (weights,) = parameters
    error = np.asarray(x) @ np.asarray(weights.W).T + np.asarray(weights.b) - np.asarray(y)
    L, (gradient,) = network.backward(parameters, x, y)
    assert float(L) == pytest.approx((error**2).sum() / 5, rel=1e-12)
    np.testing.assert_allclose(gradient.W, 2 / 5 * error.T @ np.asarray(x), rtol=1e-12)
    np.testing.assert_allclose(gradient.b, 2 / 5 * error.sum(axis=0), rtol=1e-12)


def test_values_and_deltas_stand_for_every_map(draw_targets, float64):
    network = Network((3, 4, 4, 2), "tanh", layer_norm=True, residual=True)
    parameters, x, y, weight = example(network, draw_targets)
    _, _, values, deltas = network.objective(parameters, x, y, weight, weight.sum())
    assert len(values) == len(deltas) == len(network.layers) + 1
    assert [v.shape for v in values] == [d.shape for d in deltas]
    np.testing.assert_array_equal(values[0], x)

    def from_value(place, value):
        own = [p for layer, p in propagation._with_parameters(network.layers, parameters)]
        for layer, p in zip(network.layers[place:], own[place:], strict=True):
            value = layer.forward(p, value)
        return (weight * network.loss.value(value, y)).sum() / weight.sum()

    for place, (value, delta) in enumerate(zip(values, deltas, strict=True)):
        witness = jax.grad(lambda v, place=place: from_value(place, v))(value)
        np.testing.assert_allclose(delta, witness, rtol=1e-10, atol=1e-14)


def test_every_map_draws_from_a_key_of_its_own():
    parameters = Network((5, 5, 5, 5), "tanh").initialize(0)
    for one, other in [(0, 1), (1, 2), (0, 2)]:
        assert (parameters[one].W != parameters[other].W).all()


def test_each_row_counts_on_its_own(draw_targets, float64):
    """The gradient of a batch is the weighted mean of the gradients of its rows, layer norm included."""
    network = Network((3, 4, 4, 2), "silu", layer_norm=True, residual=True)
    parameters, x, y, weight = example(network, draw_targets)
    _, whole = network.backward(parameters, x, y, weight)
    rows = [network.backward(parameters, x[r : r + 1], y[r : r + 1])[1] for r in range(5)]
    mean = jax.tree.map(
        lambda *g: sum(w * one for w, one in zip(weight, g, strict=True)) / weight.sum(), *rows
    )
    assert_same(whole, mean)

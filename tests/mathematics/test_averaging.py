"""The raw output of several networks predicts the mean of their predictions."""

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from chainrule.mathematics.averaging import mean_raw, mean_raw_gradient
from chainrule.mathematics.losses import LOSSES

RAW = jnp.asarray(np.random.default_rng(0).normal(0, 3, (4, 6, 3)), jnp.float32)


@pytest.mark.parametrize(
    "name", ["squared_error", "binary_cross_entropy", "softmax_cross_entropy", "poisson"]
)
def test_its_prediction_is_the_mean_of_the_predictions(name):
    loss = LOSSES[name]
    mean = np.mean([loss.inverse_link(raw) for raw in RAW], axis=0)
    np.testing.assert_allclose(loss.inverse_link(mean_raw(loss.link, RAW)), mean, rtol=2e-5, atol=1e-6)


@pytest.mark.parametrize("link", ["logit", "multinomial logit", "log", "identity"])
def test_one_network_says_what_it_says(link):
    np.testing.assert_array_equal(mean_raw(link, RAW[:1]), RAW[0])


def test_certain_networks_stay_finite():
    certain = jnp.array([[[200.0]], [[-300.0]], [[250.0]]], jnp.float32)
    assert np.isfinite(mean_raw("logit", certain)).all()
    assert float(mean_raw("logit", certain)[0, 0]) == pytest.approx(np.log(2), abs=1e-4)


@pytest.mark.parametrize("link", ["logit", "multinomial logit", "log", "identity"])
@pytest.mark.parametrize("members", [1, 4])
def test_the_gradient_is_that_of_the_value(link, members):
    delta = jnp.asarray(np.random.default_rng(1).normal(size=(6, 3)), jnp.float32)
    automatic = jax.vjp(lambda raw: mean_raw(link, raw), RAW[:members])[1](delta)[0]
    by_hand = mean_raw_gradient(link, RAW[:members], delta)
    np.testing.assert_allclose(by_hand, automatic, rtol=2e-5, atol=1e-6)


@pytest.mark.parametrize("link", ["logit", "multinomial logit", "log"])
def test_the_gradient_of_certain_networks_stays_finite(link):
    certain = jnp.array([[[80.0, -80.0]], [[-300.0, 200.0]]], jnp.float32)
    assert np.isfinite(mean_raw_gradient(link, certain, jnp.ones((1, 2)))).all()

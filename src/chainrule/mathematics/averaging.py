"""The mean of several networks' answers, said again as one raw output."""

import jax
import jax.numpy as jnp
from jax import Array
from jax.scipy.special import logsumexp
from jaxtyping import Float


def mean_raw(link: str, raw: Float[Array, "members rows outputs"]) -> Float[Array, "rows outputs"]:
    """The raw output whose prediction is the mean of the predictions: of probabilities, not of logits.

    A mean of probabilities has the lower log-loss where members are too sure of themselves
    (Jensen's inequality). ``link`` says what the loss's raw output is of the prediction; where that is
    neither a logarithm nor a logit, it is the mean of the raw outputs.
    """
    if raw.shape[0] == 1:
        return raw[0]
    if link == "logit":
        return logsumexp(jax.nn.log_sigmoid(raw), axis=0) - logsumexp(jax.nn.log_sigmoid(-raw), axis=0)
    if link == "multinomial logit":
        return logsumexp(jax.nn.log_softmax(raw, axis=2), axis=0) - jnp.log(raw.shape[0])
    if link == "log":
        return logsumexp(raw, axis=0) - jnp.log(raw.shape[0])
    return raw.mean(axis=0)


def mean_raw_gradient(
    link: str, raw: Float[Array, "members rows outputs"], delta: Float[Array, "rows outputs"]
) -> Float[Array, "members rows outputs"]:
    """Carry delta = ∂f/∂(mean raw output) back to the raw output of each network.

    With pᵐ the members' probabilities and wᵐ their shares of the sum, wᵐ = pᵐ / Σ p (over members),
    ∂r/∂rᵐ is, for each link:

    - logit: wᵐ (1 − pᵐ) + vᵐ pᵐ, where vᵐ are the shares of 1 − pᵐ;
    - multinomial logit: of class k by output j, wᵐₖ (δₖⱼ − pᵐⱼ);
    - log: wᵐ, of the predictions; else 1 / members.
    """
    members = raw.shape[0]
    d = delta[None]
    if members == 1:
        return d
    if link == "logit":
        yes = jax.nn.softmax(jax.nn.log_sigmoid(raw), axis=0) * jax.nn.sigmoid(-raw)
        no = jax.nn.softmax(jax.nn.log_sigmoid(-raw), axis=0) * jax.nn.sigmoid(raw)
        return d * (yes + no)
    if link == "multinomial logit":
        log_p = jax.nn.log_softmax(raw, axis=2)
        shared = d * jax.nn.softmax(log_p, axis=0)
        return shared - jnp.exp(log_p) * shared.sum(axis=2, keepdims=True)
    if link == "log":
        return d * jax.nn.softmax(raw, axis=0)
    return jnp.broadcast_to(d / members, raw.shape)

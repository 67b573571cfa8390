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

"""Losses for classes: each value with its gradient beside it.

ŷ and y have shape (rows, outputs), y holds 0s and 1s or probabilities; a value has shape (rows,).
"""

from functools import lru_cache
from math import inf

import jax
import jax.numpy as jnp
from jax.scipy.special import logsumexp

from chainrule.mathematics.loss import (
    DISTRIBUTION,
    PROBABILITY,
    Loss,
    Raw,
    Rows,
    Target,
    identity_link,
    require,
    smooth_binary,
    smooth_classes,
)


def binary_cross_entropy_value(y_hat: Raw, y: Target) -> Rows:
    """ℓ = Σ log(1 + e^ŷ) − y ŷ, which is −y log p − (1 − y) log(1 − p) with p = σ(ŷ)."""
    return (jnp.logaddexp(y_hat, 0) - y * y_hat).sum(axis=1)


def binary_cross_entropy_gradient(y_hat: Raw, y: Target) -> Raw:
    """∂ℓ/∂ŷ = p − y."""
    return jax.nn.sigmoid(y_hat) - y


binary_cross_entropy = Loss(
    "binary_cross_entropy",
    binary_cross_entropy_value,
    binary_cross_entropy_gradient,
    "log(1 + exp(y_hat)) - y*y_hat",
    PROBABILITY,
    "logit",
    jax.nn.sigmoid,
    "two classes, or several labels of which each holds or not; the default for both",
    "Cox 1958",
    smooth=smooth_binary,
)


def softmax_cross_entropy_value(y_hat: Raw, y: Target) -> Rows:
    """ℓ = Σ y (log Σ e^ŷ − ŷ), which is −Σ y log p with p = softmax(ŷ)."""
    return (y * (logsumexp(y_hat, axis=1, keepdims=True) - y_hat)).sum(axis=1)


def softmax_cross_entropy_gradient(y_hat: Raw, y: Target) -> Raw:
    """∂ℓ/∂ŷ = p Σ y − y, and Σ y = 1 for a distribution."""
    return jax.nn.softmax(y_hat, axis=1) * y.sum(axis=1, keepdims=True) - y


softmax_cross_entropy = Loss(
    "softmax_cross_entropy",
    softmax_cross_entropy_value,
    softmax_cross_entropy_gradient,
    "y*(logsumexp(y_hat) - y_hat)",
    DISTRIBUTION,
    "multinomial logit",
    lambda y_hat: jax.nn.softmax(y_hat, axis=1),
    "one of several classes; the default for them",
    "Bridle 1990",
    smooth=smooth_classes,
)


def hinge_value(y_hat: Raw, y: Target) -> Rows:
    """ℓ = Σ max(0, 1 − t ŷ) with t = 2 y − 1, so that t is −1 or 1."""
    return jnp.maximum(1 - (2 * y - 1) * y_hat, 0).sum(axis=1)


def hinge_gradient(y_hat: Raw, y: Target) -> Raw:
    """∂ℓ/∂ŷ = −t where t ŷ < 1, else 0."""
    t = 2 * y - 1
    return jnp.where(t * y_hat < 1, -t, 0)


hinge = Loss(
    "hinge",
    hinge_value,
    hinge_gradient,
    "max(1 - (2*y - 1)*y_hat, 0)",
    PROBABILITY,
    "none: ŷ > 0 means yes, and there are no probabilities",
    identity_link,
    "a wide margin between two classes, or each class against the others",
    "Cortes and Vapnik 1995",
)


def squared_hinge_value(y_hat: Raw, y: Target) -> Rows:
    """ℓ = Σ max(0, 1 − t ŷ)² with t = 2 y − 1."""
    return jnp.square(jnp.maximum(1 - (2 * y - 1) * y_hat, 0)).sum(axis=1)


def squared_hinge_gradient(y_hat: Raw, y: Target) -> Raw:
    """∂ℓ/∂ŷ = −2 t max(0, 1 − t ŷ)."""
    t = 2 * y - 1
    return -2 * t * jnp.maximum(1 - t * y_hat, 0)


squared_hinge = Loss(
    "squared_hinge",
    squared_hinge_value,
    squared_hinge_gradient,
    "max(1 - (2*y - 1)*y_hat, 0)**2",
    PROBABILITY,
    "none: ŷ > 0 means yes, and there are no probabilities",
    identity_link,
    "as hinge, smooth at the margin",
    "arXiv:1306.0239",
)


def focal(focus: float = 2.0) -> Loss:
    """Binary cross-entropy in which rows that are already right count less, by (1 − p)^``focus``, ≥ 0."""
    require(0 <= focus < inf, "focus", "0 or more and finite", focus)
    return _focal(float(focus))


@lru_cache(maxsize=64)
def _focal(focus: float) -> Loss:
    def value(y_hat: Raw, y: Target) -> Rows:
        wrong = jax.nn.sigmoid(-y_hat) ** focus * jnp.logaddexp(-y_hat, 0)
        other = jax.nn.sigmoid(y_hat) ** focus * jnp.logaddexp(y_hat, 0)
        return (y * wrong + (1 - y) * other).sum(axis=1)

    def side(u: Raw) -> Raw:
        """d/du of σ(u)^focus log(1 + e^u)."""
        p = jax.nn.sigmoid(u)
        return p**focus * (focus * jax.nn.sigmoid(-u) * jnp.logaddexp(u, 0) + p)

    def gradient(y_hat: Raw, y: Target) -> Raw:
        return (1 - y) * side(y_hat) - y * side(-y_hat)

    return Loss(
        "focal" if focus == 2 else f"focal({focus})",
        value,
        gradient,
        f"y*sigmoid(-y_hat)**{focus}*log(1 + exp(-y_hat))"
        f" + (1 - y)*sigmoid(y_hat)**{focus}*log(1 + exp(y_hat))",
        PROBABILITY,
        "logit",
        jax.nn.sigmoid,
        "rare classes among many easy rows",
        "arXiv:1708.02002",
        smooth=smooth_binary,
    )


def softmax_focal(focus: float = 2.0) -> Loss:
    """Softmax cross-entropy in which classes that are already right count less, by (1 − p)^``focus``."""
    require(0 <= focus < inf, "focus", "0 or more and finite", focus)
    return _softmax_focal(float(focus))


@lru_cache(maxsize=64)
def _softmax_focal(focus: float) -> Loss:
    def parts(y_hat: Raw) -> tuple[Raw, Raw]:
        log_p = y_hat - logsumexp(y_hat, axis=1, keepdims=True)
        return log_p, -jnp.expm1(log_p)

    def value(y_hat: Raw, y: Target) -> Rows:
        log_p, rest = parts(y_hat)
        return -(y * rest**focus * log_p).sum(axis=1)

    def gradient(y_hat: Raw, y: Target) -> Raw:
        # With f(p) = −(1 − p)^γ log p: ∂ℓ/∂ŷₖ = yₖ pₖ f′(pₖ) − pₖ Σᵢ yᵢ pᵢ f′(pᵢ).
        log_p, rest = parts(y_hat)
        p = jnp.exp(log_p)
        slope = focus * p * log_p * jnp.maximum(rest, 1e-30) ** (focus - 1) - rest**focus
        weighted = y * slope
        return weighted - p * weighted.sum(axis=1, keepdims=True)

    return Loss(
        "softmax_focal" if focus == 2 else f"softmax_focal({focus})",
        value,
        gradient,
        f"y*(1 - exp(y_hat - logsumexp(y_hat)))**{focus}*(logsumexp(y_hat) - y_hat)",
        DISTRIBUTION,
        "multinomial logit",
        lambda y_hat: jax.nn.softmax(y_hat, axis=1),
        "one of several classes, some of them rare",
        "arXiv:1708.02002",
        smooth=smooth_classes,
    )


CLASSIFICATION_LOSSES = (
    binary_cross_entropy,
    softmax_cross_entropy,
    hinge,
    squared_hinge,
    focal(),
    softmax_focal(),
)

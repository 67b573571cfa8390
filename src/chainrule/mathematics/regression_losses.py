"""Losses for numbers: each value with its gradient beside it.

ŷ and y have shape (rows, outputs) and (rows, targets); a value has shape (rows,).
"""

from collections.abc import Sequence
from functools import lru_cache
from math import inf, log, pi

import jax.numpy as jnp
from jax import Array
from jax.scipy.special import xlogy
from jaxtyping import Float

from chainrule.mathematics.loss import (
    NON_NEGATIVE,
    POSITIVE,
    REAL,
    Loss,
    Raw,
    Rows,
    Target,
    identity_link,
    require,
)


def squared_error_value(y_hat: Raw, y: Target) -> Rows:
    """ℓ = Σ (ŷ − y)²."""
    return jnp.square(y_hat - y).sum(axis=1)


def squared_error_gradient(y_hat: Raw, y: Target) -> Raw:
    """∂ℓ/∂ŷ = 2 (ŷ − y)."""
    return 2 * (y_hat - y)


squared_error = Loss(
    "squared_error",
    squared_error_value,
    squared_error_gradient,
    "(y_hat - y)**2",
    REAL,
    "identity",
    identity_link,
    "the mean of y; the default for numbers",
    "Legendre 1805",
)


def absolute_error_value(y_hat: Raw, y: Target) -> Rows:
    """ℓ = Σ |ŷ − y|."""
    return jnp.abs(y_hat - y).sum(axis=1)


def absolute_error_gradient(y_hat: Raw, y: Target) -> Raw:
    """∂ℓ/∂ŷ = sign(ŷ − y), and 0 where they are equal."""
    return jnp.sign(y_hat - y)


absolute_error = Loss(
    "absolute_error",
    absolute_error_value,
    absolute_error_gradient,
    "abs(y_hat - y)",
    REAL,
    "identity",
    identity_link,
    "the median of y; outliers count no more than others",
    "Laplace 1774",
)


def huber(delta: float = 1.0) -> Loss:
    """Squared near the target, absolute beyond ``delta`` > 0.

    ``delta`` is in units of y as the loss sees it: in DeepRegressor, standard deviations.
    """
    require(0 < delta < inf, "delta", "> 0 and finite", delta)
    return _huber(float(delta))


@lru_cache(maxsize=64)
def _huber(delta: float) -> Loss:
    def value(y_hat: Raw, y: Target) -> Rows:
        r = jnp.abs(y_hat - y)
        return jnp.where(r <= delta, r * r / 2, delta * (r - delta / 2)).sum(axis=1)

    def gradient(y_hat: Raw, y: Target) -> Raw:
        return jnp.clip(y_hat - y, -delta, delta)

    formula = f"where(abs(y_hat - y) <= {delta}, (y_hat - y)**2/2, {delta}*(abs(y_hat - y) - {delta}/2))"
    name = "huber" if delta == 1 else f"huber({delta})"
    use = "the mean of y where a few rows are far off"
    return Loss(name, value, gradient, formula, REAL, "identity", identity_link, use, "Huber 1964")


def log_cosh_value(y_hat: Raw, y: Target) -> Rows:
    """ℓ = Σ log cosh(ŷ − y), without overflow: |r| + log(1 + e^(−2|r|)) − log 2."""
    r = jnp.abs(y_hat - y)
    return (r + jnp.log1p(jnp.exp(-2 * r)) - log(2)).sum(axis=1)


def log_cosh_gradient(y_hat: Raw, y: Target) -> Raw:
    """∂ℓ/∂ŷ = tanh(ŷ − y)."""
    return jnp.tanh(y_hat - y)


log_cosh = Loss(
    "log_cosh",
    log_cosh_value,
    log_cosh_gradient,
    "log(cosh(y_hat - y))",
    REAL,
    "identity",
    identity_link,
    "as Huber, smooth everywhere",
    "Green 1990",
)


def quantile(levels: float | Sequence[float] = 0.5) -> Loss:
    """Pinball loss: ŷ becomes the quantile of y at each level, 0 < level < 1; one output for each level.

    With several levels the outputs are those of the first level for all targets, then of the second, …
    """
    chosen = (levels,) if isinstance(levels, int | float) else tuple(levels)
    require(len(chosen) > 0, "levels", "one number or more", levels)
    for level in chosen:
        require(0 < level < 1, "a level", "between 0 and 1", level)
    require(list(chosen) == sorted(set(chosen)), "levels", "rising", levels)
    return _quantile(tuple(map(float, chosen)))


@lru_cache(maxsize=64)
def _quantile(levels: tuple[float, ...]) -> Loss:
    def excess(y_hat: Raw, y: Target) -> tuple[Raw, Float[Array, "1 outputs"]]:
        """Return y − ŷ for each output, and the level that each output is to reach."""
        level = jnp.repeat(jnp.asarray(levels, y_hat.dtype), y.shape[1])
        return jnp.tile(y, (1, len(levels))) - y_hat, level[None, :]

    def value(y_hat: Raw, y: Target) -> Rows:
        r, q = excess(y_hat, y)
        return jnp.maximum(q * r, (q - 1) * r).sum(axis=1)

    def gradient(y_hat: Raw, y: Target) -> Raw:
        r, q = excess(y_hat, y)
        return jnp.where(r > 0, -q, jnp.where(r < 0, 1 - q, 0))

    q = f"{levels[0]}" if len(levels) == 1 else "q"
    return Loss(
        "quantile" if levels == (0.5,) else f"quantile({', '.join(map(str, levels))})",
        value,
        gradient,
        f"max({q}*(y - y_hat), ({q} - 1)*(y - y_hat))",
        REAL,
        "identity",
        identity_link,
        "quantiles of y, such as the bounds of an interval",
        "Koenker and Bassett 1978",
        outputs_per_target=len(levels),
    )


def poisson_value(y_hat: Raw, y: Target) -> Rows:
    """ℓ = Σ 2 (y log y − y ŷ − y + e^ŷ), the deviance; 0 where e^ŷ = y."""
    return 2 * (xlogy(y, y) - y * y_hat - y + jnp.exp(y_hat)).sum(axis=1)


def poisson_gradient(y_hat: Raw, y: Target) -> Raw:
    """∂ℓ/∂ŷ = 2 (e^ŷ − y)."""
    return 2 * (jnp.exp(y_hat) - y)


poisson = Loss(
    "poisson",
    poisson_value,
    poisson_gradient,
    "2*(y*log(y) - y*y_hat - y + exp(y_hat))",
    NON_NEGATIVE,
    "log",
    jnp.exp,
    "counts: their mean is e^ŷ, and their variance grows with it",
    "McCullagh and Nelder 1989, section 2.3",
)


def gamma_value(y_hat: Raw, y: Target) -> Rows:
    """ℓ = Σ 2 (ŷ − log y + y e^−ŷ − 1), the deviance."""
    return 2 * (y_hat - jnp.log(y) + y * jnp.exp(-y_hat) - 1).sum(axis=1)


def gamma_gradient(y_hat: Raw, y: Target) -> Raw:
    """∂ℓ/∂ŷ = 2 (1 − y e^−ŷ)."""
    return 2 * (1 - y * jnp.exp(-y_hat))


gamma = Loss(
    "gamma",
    gamma_value,
    gamma_gradient,
    "2*(y_hat - log(y) + y*exp(-y_hat) - 1)",
    POSITIVE,
    "log",
    jnp.exp,
    "positive amounts whose spread is proportional to their mean, such as costs",
    "McCullagh and Nelder 1989, section 2.3",
)


def tweedie(power: float = 1.5) -> Loss:
    """Deviance of variance ∝ meanᵖ with 1 < ``power`` < 2: many zeros, else positive amounts."""
    require(1 < power < 2, "power", "between 1 and 2 (1 is poisson, 2 is gamma)", power)
    return _tweedie(float(power))


@lru_cache(maxsize=64)
def _tweedie(power: float) -> Loss:
    c, d = 1 - power, 2 - power

    def value(y_hat: Raw, y: Target) -> Rows:
        return 2 * (y**d / (c * d) - y * jnp.exp(c * y_hat) / c + jnp.exp(d * y_hat) / d).sum(axis=1)

    def gradient(y_hat: Raw, y: Target) -> Raw:
        return 2 * (jnp.exp(d * y_hat) - y * jnp.exp(c * y_hat))

    formula = f"2*(y**({d})/({c * d}) - y*exp({c}*y_hat)/({c}) + exp({d}*y_hat)/({d}))"
    name = "tweedie" if power == 1.5 else f"tweedie({power})"
    use = "amounts that are often exactly 0, such as claims"
    return Loss(name, value, gradient, formula, NON_NEGATIVE, "log", jnp.exp, use, "Jørgensen 1987")


def gaussian_nll_value(y_hat: Raw, y: Target) -> Rows:
    """ℓ = Σ ½ (s + (y − μ)² e^−s + log 2π); the first outputs are the means μ, the others s = log σ²."""
    mean, s = jnp.split(y_hat, 2, axis=1)
    return ((s + jnp.square(y - mean) * jnp.exp(-s) + log(2 * pi)) / 2).sum(axis=1)


def gaussian_nll_gradient(y_hat: Raw, y: Target) -> Raw:
    """∂ℓ/∂μ = (μ − y) e^−s and ∂ℓ/∂s = ½ (1 − (y − μ)² e^−s)."""
    mean, s = jnp.split(y_hat, 2, axis=1)
    inverse = jnp.exp(-s)
    return jnp.concatenate([(mean - y) * inverse, (1 - jnp.square(y - mean) * inverse) / 2], axis=1)


def gaussian_nll_inverse_link(y_hat: Raw) -> Raw:
    """(μ, s) to (μ, σ²)."""
    mean, s = jnp.split(y_hat, 2, axis=1)
    return jnp.concatenate([mean, jnp.exp(s)], axis=1)


gaussian_nll = Loss(
    "gaussian_nll",
    gaussian_nll_value,
    gaussian_nll_gradient,
    "(log_variance + (y - mean)**2*exp(-log_variance) + log(2*pi))/2",
    REAL,
    "identity for the mean, log for the variance",
    gaussian_nll_inverse_link,
    "a mean and a variance for each row",
    "Nix and Weigend 1994",
    outputs_per_target=2,
)

REGRESSION_LOSSES = (
    squared_error,
    absolute_error,
    huber(),
    log_cosh,
    quantile(),
    poisson,
    gamma,
    tweedie(),
    gaussian_nll,
)

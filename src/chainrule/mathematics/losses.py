"""All losses by name, and the way from a name, a formula or a pair of functions to a loss."""

from collections.abc import Callable
from functools import lru_cache

import jax.numpy as jnp
import numpy as np
from jax import Array

from chainrule.mathematics.checked import ours, refuse_wrong_derivative
from chainrule.mathematics.classification_losses import CLASSIFICATION_LOSSES, focal, softmax_focal
from chainrule.mathematics.loss import REAL, Loss, identity_link, loss_from_formula
from chainrule.mathematics.named import advising, find
from chainrule.mathematics.regression_losses import REGRESSION_LOSSES, huber, quantile, tweedie

__all__ = ["LOSSES", "Loss", "find_loss", "focal", "huber", "quantile", "softmax_focal", "tweedie"]

LOSSES: dict[str, Loss] = {loss.name: loss for loss in (*REGRESSION_LOSSES, *CLASSIFICATION_LOSSES)}

FACTORIES: dict[str, Callable[..., Loss]] = {
    "huber": huber,
    "quantile": lambda *levels: quantile(levels),
    "tweedie": tweedie,
    "focal": focal,
    "softmax_focal": softmax_focal,
}
"""Losses with numbers of one's own, such as "huber(2)" or "quantile(0.1, 0.5, 0.9)"."""


def find_loss(loss: object) -> Loss:
    """Return the loss for a name, a formula in ``y_hat`` and ``y``, a pair (value, gradient), or itself.

    A formula gives the loss of one output, summed over the outputs of a row. A pair are functions of
    (ŷ, y), arrays of shape (rows, outputs): the value of shape (rows,), the gradient of ŷ's shape.

    Raises
    ------
    ArgumentError
        For another thing; its FormulaError for a text that is no formula, and its DerivativeError for a
        gradient that is not the gradient.
    """
    match loss:
        case str() if not (loss in LOSSES or loss.isidentifier() or loss.partition("(")[0] in FACTORIES):
            with advising(
                "Give a name such as 'huber', or a formula in y_hat and y such as '(y_hat - y)**2'."
            ):
                return loss_from_formula(loss)
        case (value, gradient) if callable(value) and callable(gradient):
            name = getattr(value, "__name__", "own loss")
            loss = Loss(name, value, gradient, "", REAL, "identity", identity_link, "one's own", "a pair")
            _refuse_wrong_gradient(loss)
    otherwise = ", a formula in y_hat and y, a pair (value, gradient)"
    found = find("loss", loss, LOSSES, Loss, factories=FACTORIES, otherwise=otherwise)
    if not ours(found.gradient):
        _refuse_wrong_gradient(found)
    return found


@lru_cache(maxsize=256)
def _refuse_wrong_gradient(loss: Loss) -> None:
    """Check ∂ℓ/∂ŷ one output at a time, at targets that every domain admits: positive rows of sum 1."""
    targets = 3
    numbers = np.random.default_rng(0)
    y = numbers.dirichlet(np.ones(targets), size=64)
    y_hat = numbers.normal(size=(64, targets * loss.outputs_per_target)) * 2
    for k in range(y_hat.shape[1]):

        def value(t: Array, k: int = k) -> Array:
            return loss.value(jnp.asarray(y_hat).at[:, k].set(t), jnp.asarray(y))

        def gradient(t: Array, k: int = k) -> Array:
            return loss.gradient(jnp.asarray(y_hat).at[:, k].set(t), jnp.asarray(y))[:, k]

        refuse_wrong_derivative(f"loss {loss.name!r} (output {k + 1})", value, gradient, y_hat[:, k])

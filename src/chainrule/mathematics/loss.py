"""What a loss is: a value for each row, its gradient, and what a reader wants to know about both.

Every loss works on the raw output ŷ of the network, any real number, and turns it into a prediction by
its ``inverse_link``. The loss of a row is the **sum over the outputs**; the loss of a batch is the
**(weighted) mean over its rows**, and that mean's 1/N enters once, in :func:`mean_loss`.
"""

from collections.abc import Callable
from functools import lru_cache
from typing import Any, NamedTuple

import jax.numpy as jnp
import numpy as np
from jax import Array
from jaxtyping import Float

from chainrule.errors import ArgumentError, FormulaError
from chainrule.mathematics.named import quoted, reduce_by_name

Raw = Float[Array, "rows outputs"]
Target = Float[Array, "rows targets"]
Rows = Float[Array, " rows"]


class Domain(NamedTuple):
    """The targets that a loss admits."""

    text: str
    contains: Callable[[np.ndarray], np.ndarray]
    """Which entries of an array of targets, shape (rows, targets), are admitted."""


REAL = Domain("any real number", lambda y: np.isfinite(y))
NON_NEGATIVE = Domain("y ≥ 0", lambda y: np.isfinite(y) & (y >= 0))
POSITIVE = Domain("y > 0", lambda y: np.isfinite(y) & (y > 0))
PROBABILITY = Domain("0 ≤ y ≤ 1, most often 0 or 1", lambda y: (y >= 0) & (y <= 1))
DISTRIBUTION = Domain(
    "the probabilities of the classes, most often a single 1",
    lambda y: (y >= 0) & (np.abs(y.sum(axis=1, keepdims=True) - 1) < 1e-4),
)


class Loss(NamedTuple):
    """A loss ℓ(ŷ, y) of one row, and how its raw output is read."""

    name: str
    value: Callable[[Array, Array], Array]
    """(ŷ of shape (rows, outputs), y of shape (rows, targets)) to ℓ of shape (rows,)."""
    gradient: Callable[[Array, Array], Array]
    """(ŷ, y) to ∂ℓ/∂ŷ of shape (rows, outputs)."""
    formula: str
    """What is summed over the outputs of a row, in the language of the formulas module."""
    domain: Domain
    link: str
    """What the raw output is of the prediction: its logarithm, its logit, or itself."""
    inverse_link: Callable[[Array], Array]
    """ŷ to predictions, same shape."""
    use: str
    source: str
    outputs_per_target: int = 1
    """Raw outputs for each target column; the outputs are those of all targets, block after block."""
    smooth: Callable[[Array, float], Array] | None = None
    """(y, ε) to smoothed y, where label smoothing has a meaning."""

    def __reduce__(self) -> tuple[Any, ...]:
        from chainrule.mathematics.losses import find_loss

        return reduce_by_name(self, find_loss)


def mean_loss(
    loss: Loss, y_hat: Raw, y: Target, weight: Rows, total: Float[Array, ""]
) -> tuple[Float[Array, ""], Raw]:
    """The batch's loss L = Σ wᵣ ℓᵣ / total and ∂L/∂ŷ: the one place where the 1/N of a mean enters.

    Divided last: XLA then keeps the products before it out of those that delta enters next.
    """
    return (weight * loss.value(y_hat, y)).sum() / total, weight[:, None] * loss.gradient(y_hat, y) / total


def identity_link(y_hat: Raw) -> Raw:
    """The raw output is the prediction."""
    return y_hat


def require(holds: bool, what: str, must: str, got: object) -> None:
    """Refuse a parameter of a loss that is outside what it may be."""
    if not holds:
        raise ArgumentError(f"{what} must be {must}; got {quoted(got)}.")


def smooth_binary(y: Target, epsilon: float) -> Target:
    """y (1 − ε) + ε / 2: a little doubt in every yes and no. Source: arXiv:1512.00567, section 7."""
    return y * (1 - epsilon) + epsilon / 2


def smooth_classes(y: Target, epsilon: float) -> Target:
    """y (1 − ε) + ε / K over K classes. Source: arXiv:1512.00567, section 7."""
    return y * (1 - epsilon) + epsilon / y.shape[1]


@lru_cache(maxsize=256)
def loss_from_formula(text: str) -> Loss:
    """Make a loss from a formula in y_hat and y; ``logsumexp(y_hat)`` runs over the outputs of a row.

    The formula is summed over the outputs. With S = logsumexp(ŷ) and Σᵢ fᵢ(ŷᵢ, yᵢ, S) the loss of a row,
    ∂/∂ŷₖ = ∂fₖ/∂ŷₖ + (Σᵢ ∂fᵢ/∂S) e^(ŷₖ − S).

    Raises
    ------
    FormulaError
        For a text that is no formula, that leaves out y_hat or y, or that is not finite for raw outputs
        between −5 and 5 and targets between 0 and 1.
    """
    import sympy
    from jax.scipy.special import logsumexp

    from chainrule.mathematics import formulas

    y_hat, y, total = sympy.symbols("y_hat y logsumexp", real=True)
    expression = formulas.parse(text, {"y_hat": y_hat, "y": y, "logsumexp(y_hat)": total})
    if not (expression.has(y_hat, total) and expression.has(y)):
        raise FormulaError(f"a loss must be a formula in y_hat and y; got {quoted(text)}.")
    symbols = (y_hat, y, total)
    with formulas.refusing(text):
        f = formulas.compile_expression(expression, symbols)
        f_own = formulas.compile_expression(sympy.diff(expression, y_hat), symbols)
        f_total = formulas.compile_expression(sympy.diff(expression, total), symbols)
    shared = expression.has(total)

    def sums(raw: Raw) -> Array:
        return logsumexp(raw, axis=1, keepdims=True) if shared else jnp.zeros_like(raw[:, :1])

    def value(raw: Raw, target: Target) -> Rows:
        return f(raw, target, sums(raw)).sum(axis=1)

    def gradient(raw: Raw, target: Target) -> Raw:
        s = sums(raw)
        own = f_own(raw, target, s)
        return own + f_total(raw, target, s).sum(axis=1, keepdims=True) * jnp.exp(raw - s) if shared else own

    made = Loss(text, value, gradient, text, REAL, "identity", identity_link, "one's own", "a formula")
    with formulas.refusing(text):
        _refuse_infinite(made)
    return made


def _refuse_infinite(loss: Loss) -> None:
    raw, target = np.meshgrid(np.linspace(-5, 5, 41), np.linspace(0, 1, 5)[1:-1])
    raw_column, target_column = (jnp.asarray(a.reshape(-1, 1), jnp.float32) for a in (raw, target))
    for what, values in (
        ("value", loss.value(raw_column, target_column)),
        ("gradient", loss.gradient(raw_column, target_column)[:, 0]),
    ):
        bad = np.flatnonzero(~np.isfinite(np.asarray(values)))
        if bad.size:
            at, y = float(raw_column[bad[0], 0]), float(target_column[bad[0], 0])
            raise FormulaError(
                f"a loss must be finite for every raw output; the {what} of {quoted(loss.formula)} is "
                f"{float(values[bad[0]])} at y_hat = {at:g}, y = {y:g}. Where a positive number is "
                "needed, say exp(y_hat); where a probability is, say sigmoid(y_hat)."
            )

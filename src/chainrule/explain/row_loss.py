"""The loss of a row by its formula: value, gradient and Hessian in ŷ, in numbers and in symbols."""

from collections.abc import Callable
from functools import lru_cache
from typing import Any, NamedTuple, final

import jax
import jax.numpy as jnp
import numpy as np
import sympy

from chainrule.errors import ArgumentError
from chainrule.mathematics import formulas
from chainrule.mathematics.loss import Loss

Y_HAT, Y, S = sympy.symbols("y_hat y logsumexp", real=True)
_MEAN, _LOG_VARIANCE = sympy.symbols("mean log_variance", real=True)


class Part(NamedTuple):
    """What the formula is of one target: an expression, and which output each of its symbols is."""

    expression: sympy.Expr
    outputs: dict[sympy.Symbol, int]
    """Symbol of a raw output → block of outputs; there are as many blocks as outputs for each target."""


@final
class RowLoss:
    """ℓ(ŷ, y) = Σ over targets and parts of its formula; S = log Σ e^ŷ is one of its symbols where it has it.

    A loss made of two functions has no formula; its value and gradient are then these functions.
    """

    def __init__(self, loss: Loss) -> None:
        self.loss = loss
        self.parts = _parts(loss)

    def value(self, y_hat: Any, y: Any) -> Any:
        """ℓ of each row, shape (rows,)."""
        if not self.parts:
            return _in_double(self.loss.value, y_hat, y)
        s = _logsumexp(y_hat)
        blocks = np.split(y_hat, self.loss.outputs_per_target, axis=1)
        return sum(_compute(p.expression, _known(p, blocks, y, s)).sum(axis=1) for p in self.parts)

    def gradient(self, y_hat: Any, y: Any) -> Any:
        """∂ℓ/∂ŷ, shape (rows, outputs)."""
        if not self.parts:
            return _in_double(self.loss.gradient, y_hat, y)
        s = _logsumexp(y_hat)
        blocks = np.split(y_hat, self.loss.outputs_per_target, axis=1)
        own = [np.zeros_like(block) for block in blocks]
        through_s = np.zeros_like(s)
        for part in self.parts:
            known = _known(part, blocks, y, s)
            for symbol, block in part.outputs.items():
                own[block] = own[block] + _compute(sympy.diff(part.expression, symbol), known)
            if part.expression.has(S):
                slope = _compute(sympy.diff(part.expression, S), known)
                through_s = through_s + slope.sum(axis=1, keepdims=True)
        gradient = np.concatenate(own, axis=1)
        return gradient + through_s * _softmax(y_hat, s) if self.has_sum else gradient

    def hessian(self, y_hat: np.ndarray, y: np.ndarray) -> np.ndarray:
        """∂²ℓ/∂ŷ∂ŷ, shape (rows, outputs, outputs)."""
        if not self.parts:
            raise ArgumentError(
                f"the loss {self.loss.name!r} must be a formula for a second derivative; it is a pair of "
                "functions. Give the formula, such as '(y_hat - y)**2'."
            )
        s, (rows, n) = _logsumexp(y_hat), y_hat.shape
        blocks = np.split(y_hat, self.loss.outputs_per_target, axis=1)
        width = blocks[0].shape[1]
        hessian, mixed = np.zeros((rows, n, n)), np.zeros((rows, n))
        slope, bend = np.zeros((rows, 1)), np.zeros((rows, 1))
        diagonal = np.arange(width)
        for part in self.parts:
            known = _known(part, blocks, y, s)
            for one, a in part.outputs.items():
                own = sympy.diff(part.expression, one)
                for other, b in part.outputs.items():
                    entries = _compute(sympy.diff(own, other), known)
                    hessian[:, a * width + diagonal, b * width + diagonal] += entries
                mixed[:, a * width + diagonal] += _compute(sympy.diff(own, S), known)
            through = sympy.diff(part.expression, S)
            slope += _compute(through, known).sum(axis=1, keepdims=True)
            bend += _compute(sympy.diff(through, S), known).sum(axis=1, keepdims=True)
        if self.has_sum:
            p = _softmax(y_hat, s)
            pp = p[:, :, None] * p[:, None, :]
            hessian += mixed[:, :, None] * p[:, None, :] + p[:, :, None] * mixed[:, None, :]
            hessian += (bend - slope)[:, :, None] * pp
            hessian[:, np.arange(n), np.arange(n)] += slope * p
        return hessian

    @property
    def has_sum(self) -> bool:
        """Whether the outputs of a row meet in log Σ e^ŷ."""
        return any(part.expression.has(S) for part in self.parts)


@lru_cache(maxsize=256)
def row_loss(loss: Loss) -> RowLoss:
    """One for each loss: SymPy reads it once."""
    return RowLoss(loss)


def _parts(loss: Loss) -> tuple[Part, ...]:
    if not loss.formula:
        return ()
    names = {"y_hat": Y_HAT, "y": Y, "logsumexp(y_hat)": S}
    blocks = loss.outputs_per_target
    if loss.name == "gaussian_nll":
        names |= {"mean": _MEAN, "log_variance": _LOG_VARIANCE}
        return (Part(formulas.parse(loss.formula, names), {_MEAN: 0, _LOG_VARIANCE: 1}),)
    if blocks == 1:
        return (Part(formulas.parse(loss.formula, names), {Y_HAT: 0}),)
    levels = loss.name.partition("(")[2].rstrip(")").split(",")  # quantile(0.1, 0.9)
    return tuple(
        Part(formulas.parse(loss.formula, names | {"q": sympy.Float(level)}), {Y_HAT: block})
        for block, level in enumerate(levels)
    )


def _known(part: Part, blocks: list[Any], y: Any, s: Any) -> dict[sympy.Symbol, Any]:
    return {symbol: blocks[block] for symbol, block in part.outputs.items()} | {Y: y, S: s}


def _compute(expression: sympy.Expr, known: dict[sympy.Symbol, Any]) -> Any:
    """The expression at arrays of numbers or of symbols, which are broadcast."""
    arrays = np.broadcast_arrays(*known.values())
    if arrays[0].dtype == object:
        put_in = np.frompyfunc(lambda *at: expression.subs(dict(zip(known, at, strict=True))), len(known), 1)
        return put_in(*arrays)
    with np.errstate(all="ignore"):
        return formulas.compile_expression(expression, tuple(known), np)(*arrays)


def _in_double(function: Callable[..., Any], *arrays: np.ndarray) -> np.ndarray:
    with jax.enable_x64(True):
        return np.asarray(function(*map(jnp.asarray, arrays)))


def _logsumexp(y_hat: Any) -> Any:
    """Log Σ e^ŷ of each row, shape (rows, 1)."""
    if y_hat.dtype == object:
        sums = [sympy.log(sum(sympy.exp(entry) for entry in row)) for row in y_hat]
        return np.array(sums, object)[:, None]
    most = y_hat.max(axis=1, keepdims=True)
    return most + np.log(np.exp(y_hat - most).sum(axis=1, keepdims=True))


def _softmax(y_hat: Any, s: Any) -> Any:
    return np.frompyfunc(sympy.exp, 1, 1)(y_hat - s) if y_hat.dtype == object else np.exp(y_hat - s)

"""A function of one number by its formula: on arrays, on jets, and on SymPy's expressions."""

from collections.abc import Callable
from functools import lru_cache
from typing import Any, TypeAlias, final

import jax
import jax.numpy as jnp
import numpy as np
import sympy

from chainrule.errors import ArgumentError
from chainrule.explain.jets import Jet
from chainrule.mathematics import formulas
from chainrule.mathematics.activation import Activation

_Function: TypeAlias = Callable[[Any], Any]

Z = sympy.Symbol("z", real=True)


@final
class Elementwise:
    """σ as its formula says it, with the slope and the bend that SymPy derives from it.

    An activation made of two functions has no formula; its value and slope are then these functions.
    """

    def __init__(self, activation: Activation) -> None:
        self.name = activation.name
        self.formula, self.slope_formula = None, None
        self._of: _Function
        self._slope: _Function
        if activation.formula:
            self.formula = formulas.parse(activation.formula, {"z": Z})
            self.slope_formula = sympy.diff(self.formula, Z)
            self._of, self._slope = (_numeric(e) for e in (self.formula, self.slope_formula))
            self._bend = _numeric(sympy.diff(self.slope_formula, Z))
        else:
            self._of, self._slope = _in_double(activation.value), _in_double(activation.derivative)
            self._bend = lambda z: np.full_like(z, np.nan)

    def __call__(self, z: Any) -> Any:
        """σ(z)."""
        if isinstance(z, Jet):
            return z.mapped(self._of, self._slope, self._bend)
        return _symbolic(self.formula, z) if z.dtype == object else self._of(z)

    def slope(self, z: Any) -> Any:
        """σ′(z)."""
        return _symbolic(self.slope_formula, z) if z.dtype == object else self._slope(z)

    def refuse_bend(self) -> None:
        """Raise ArgumentError where there is no formula to derive twice."""
        if self.formula is None:
            raise ArgumentError(
                f"the activation {self.name!r} must be a formula for a second derivative; it is a pair of "
                "functions. Give the formula, such as 'z * sigmoid(z)'."
            )


@lru_cache(maxsize=256)
def elementwise(activation: Activation) -> Elementwise:
    """One for each activation: SymPy derives it once."""
    return Elementwise(activation)


def _in_double(function: _Function) -> _Function:
    """A function of jax.numpy on NumPy's arrays, in float64."""

    def on_numpy(z: np.ndarray) -> np.ndarray:
        with jax.enable_x64(True):
            return np.asarray(function(jnp.asarray(z)))

    return on_numpy


def _numeric(expression: sympy.Expr) -> Callable[[np.ndarray], np.ndarray]:
    compiled = formulas.compile_expression(expression, (Z,), np)

    def numeric(z: np.ndarray) -> np.ndarray:
        with np.errstate(all="ignore"):  # both sides of a where(…) are computed
            return compiled(z)

    return numeric


def _symbolic(expression: sympy.Expr, z: np.ndarray) -> np.ndarray:
    return np.frompyfunc(lambda at: expression.subs(Z, at), 1, 1)(z)

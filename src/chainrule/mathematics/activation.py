"""What an activation is: a value and a derivative of z, elementwise, and what a reader wants to know."""

from collections.abc import Callable
from functools import lru_cache
from typing import Any, NamedTuple

import jax.numpy as jnp
from jax import Array

from chainrule.errors import FormulaError
from chainrule.mathematics.named import quoted, reduce_by_name


class Activation(NamedTuple):
    """An activation σ of the hidden layers: h = σ(z), elementwise."""

    name: str
    value: Callable[[Array], Array]
    derivative: Callable[[Array], Array]
    formula: str
    source: str
    initializer: str = "glorot_uniform"
    """The initialiser that keeps the size of signals under this activation."""
    kinks: tuple[float, ...] = ()
    """Where the derivative jumps, and its value is a convention."""

    def __reduce__(self) -> tuple[Any, ...]:
        from chainrule.mathematics.activations import find_activation

        return reduce_by_name(self, find_activation)


@lru_cache(maxsize=256)
def activation_from_formula(text: str) -> Activation:
    """Make an activation from a formula in z: SymPy derives it, XLA compiles it.

    Raises
    ------
    FormulaError
        For a text that is no formula in z, or not finite, as its derivative, for z between −30 and 30.
    """
    import sympy

    from chainrule.mathematics import formulas

    z = sympy.Symbol("z", real=True)
    expression = formulas.parse(text, {"z": z})
    if not expression.has(z):
        raise FormulaError(f"an activation must be a formula in z; got {quoted(text)}.")
    with formulas.refusing(text):
        value = formulas.compile_expression(expression, (z,))
        derivative = formulas.compile_expression(sympy.diff(expression, z), (z,))
        grid = jnp.arange(-300, 301, dtype=jnp.float32) / 10  # 0 itself is among them
        both = ("value", value(grid)), ("derivative", derivative(grid))
    for what, values in both:
        bad = jnp.flatnonzero(~jnp.isfinite(values))
        if bad.size:
            raise FormulaError(
                f"an activation must be finite for every z; the {what} of {quoted(text)} is "
                f"{float(values[bad[0]])} at z = {float(grid[bad[0]]):g}."
            )
    return Activation(text, value, derivative, text, "a formula")

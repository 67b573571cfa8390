"""Functions that are handed over are checked where they enter."""

from collections.abc import Callable

import jax
import jax.numpy as jnp
import numpy as np
from jax import Array

from chainrule.errors import ArgumentError, DerivativeError

TOLERANCE = 1e-5
_STEP = 1e-6


def ours(function: Callable[..., Array]) -> bool:
    """Whether a rule was written, or derived from a formula, here; its proof is then in the tests."""
    return getattr(function, "__module__", "").startswith("chainrule.mathematics")


def refuse_wrong_derivative(
    what: str, value: Callable[[Array], Array], derivative: Callable[[Array], Array], points: np.ndarray
) -> None:
    """Compare a derivative with central differences in float64 at these points, elementwise.

    Raises
    ------
    DerivativeError
        Where they differ by more than 1e-5 of their size, with the worst point and both numbers.
    ArgumentError
        When the functions cannot be traced by JAX, or change the shape.
    """
    with jax.enable_x64(True):
        x = jnp.asarray(points, jnp.float64)
        step = _STEP * (1 + jnp.abs(x))
        try:
            given = jax.jit(derivative)(x)
            above, below = jax.jit(value)(x + step), jax.jit(value)(x - step)
        except ArgumentError:
            raise
        except Exception as error:
            raise ArgumentError(
                f"{what} must be made of jax.numpy operations on arrays; calling it raised "
                f"{type(error).__name__}: {str(error).splitlines()[0] if str(error) else ''}"
            ) from error
        if given.shape != x.shape or above.shape != x.shape:
            raise ArgumentError(
                f"{what} must return an array of its argument's shape {x.shape}; got {above.shape} from the "
                f"value and {given.shape} from the derivative."
            )
        measured = np.asarray((above - below) / (2 * step))
    stated = np.asarray(given)
    excess = np.abs(stated - measured) / np.maximum(1, np.abs(measured))
    worst = int(np.argmax(np.where(np.isfinite(excess), excess, np.inf)))
    if not excess.flat[worst] <= TOLERANCE:
        raise DerivativeError(
            f"the derivative of {what} must be its derivative; at {float(points.flat[worst]):.6g} it says "
            f"{stated.flat[worst]:.6g}, while central differences of the value give "
            f"{measured.flat[worst]:.6g}. Correct one of the two, or give a formula and let it be derived."
        )

"""Products of matrices, as exact as their numbers unless something else is asked for."""

from contextlib import AbstractContextManager
from typing import Any

import jax
import jax.numpy as jnp
from jax import Array

PRECISIONS = {"float32": "float32", "tf32": "TF32_TF32_F32", "bf16": "BF16_BF16_F32"}
"""How factors are rounded before they are multiplied; sums are always of 32 bits. JAX's name of each.

Significant bits of a factor: 24, 11 and 8. The two short ones are for GPUs; a CPU has no such products.
"""


def product(a: Array, b: Array) -> Array:
    """a b, of matrices or stacks of them.

    JAX by itself rounds factors to tf32 on a GPU; here that happens only within :func:`rounded`, or where the
    user has set ``jax_default_matmul_precision``.
    """
    config: Any = jax.config
    exact = config.jax_default_matmul_precision is None
    return jnp.matmul(a, b, precision="float32" if exact else None)


def rounded(precision: str) -> AbstractContextManager[None]:
    """What is traced within has products of this precision."""
    return jax.default_matmul_precision(PRECISIONS[precision])

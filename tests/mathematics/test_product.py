import jax
import jax.numpy as jnp
import numpy as np
import pytest

from chainrule.mathematics.product import PRECISIONS, product, rounded

A = np.random.default_rng(0).normal(size=(2, 3, 4)).astype(np.float32)
B = np.random.default_rng(1).normal(size=(2, 4, 5)).astype(np.float32)


def _written() -> str:
    return str(jax.make_jaxpr(product)(A, B))


def test_it_is_the_product_of_matrices_and_of_stacks():
    np.testing.assert_allclose(product(jnp.asarray(A[0]), jnp.asarray(B[0])), A[0] @ B[0], rtol=1e-6)
    np.testing.assert_allclose(product(jnp.asarray(A), jnp.asarray(B)), A @ B, rtol=1e-6)


def test_without_a_wish_no_bit_is_lost():
    assert "Precision.HIGHEST" in _written()


@pytest.mark.parametrize("precision", PRECISIONS)
def test_what_is_traced_within_is_rounded(precision):
    with rounded(precision):
        written = _written()
    assert (PRECISIONS[precision] if precision != "float32" else "Precision.HIGHEST") in written


def test_who_has_set_jax_to_less_gets_it():
    with jax.default_matmul_precision("BF16_BF16_F32"):
        assert "BF16_BF16_F32" in _written()

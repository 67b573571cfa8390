import itertools

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from chainrule.mathematics import dropout

SHAPE = (400, 250)  # 100,000 units: the share kept has a standard error of at most 0.0016


def mask(seed, rate=0.5, shape=SHAPE):
    return np.asarray(dropout.kept(jnp.uint32(seed), shape, rate))


@pytest.mark.parametrize("rate", [0.0, 0.01, 0.1, 0.5, 0.9, 0.999])
@pytest.mark.parametrize("seed", [0, 1, 2**32 - 1])
def test_share_kept_is_one_minus_rate(rate, seed):
    deviation = (rate * (1 - rate) / np.prod(SHAPE)) ** 0.5
    assert abs(mask(seed, rate).mean() - (1 - rate)) <= 4.5 * deviation


def test_one_seed_gives_one_mask_and_another_another():
    assert (mask(7) == mask(7)).all()
    masks = [mask(seed) for seed in (0, 1, 2, 3, 1000, 2**31, 2**32 - 1)]
    for one, other in itertools.combinations(masks, 2):
        assert abs((one == other).mean() - 0.5) < 0.008


@pytest.mark.parametrize("rate", [0.5, 0.2])
def test_neighbours_are_uncorrelated(rate):
    m = mask(11, rate).astype(float) - (1 - rate)
    variance = rate * (1 - rate)
    for rows, columns in [(0, 1), (1, 0), (1, 1), (0, 2), (2, 0), (0, 64), (64, 0), (1, -1)]:
        shifted = np.roll(m, (rows, columns), axis=(0, 1))
        assert abs((m * shifted).mean()) < 4.5 * variance / np.prod(SHAPE) ** 0.5


@pytest.mark.parametrize("axis", [0, 1])
def test_every_row_and_column_keeps_its_share(axis):
    shares = mask(5).mean(axis=axis)
    deviation = 0.5 / SHAPE[axis] ** 0.5
    assert np.all(np.abs(shares - 0.5) < 5 * deviation)
    assert 0.8 < shares.std() / deviation < 1.2


def test_a_smaller_rate_keeps_what_a_larger_one_keeps():
    assert (mask(3, 0.2) >= mask(3, 0.6)).all()


def test_expectation_is_preserved():
    a = jnp.full(SHAPE, 2.0)
    for rate in (0.1, 0.5, 0.8):
        z = dropout.forward(a, jnp.asarray(mask(9, rate)), rate)
        deviation = 2 * (rate / (1 - rate) / np.prod(SHAPE)) ** 0.5
        assert abs(float(z.mean()) - 2) < 4.5 * deviation


def test_forward_scales_what_stays_and_silences_the_rest():
    a, stays = jnp.array([[1.0, 2.0, 3.0]]), jnp.array([[True, False, True]])
    np.testing.assert_allclose(dropout.forward(a, stays, 0.2), [[1.25, 0, 3.75]], rtol=1e-6)


def test_backward_is_the_derivative(float64):
    numbers = np.random.default_rng(0)
    a, delta = (jnp.asarray(numbers.normal(size=(20, 30))) for _ in range(2))
    stays = jnp.asarray(mask(1, 0.3, (20, 30)))
    _, pull = jax.vjp(lambda a: dropout.forward(a, stays, 0.3), a)
    np.testing.assert_allclose(dropout.backward(delta, stays, 0.3), pull(delta)[0], rtol=1e-14)


def test_mix_scatters_neighbours():
    mixed = np.asarray(dropout.mix(jnp.arange(1 << 16, dtype=jnp.uint32)))
    assert len(np.unique(mixed)) == 1 << 16
    flips = np.unpackbits((mixed[1:] ^ mixed[:-1]).view(np.uint8)).reshape(-1, 32).mean(axis=0)
    assert np.all(np.abs(flips - 0.5) < 0.02)


def test_not_a_number_in_a_silent_unit_stays_silent():
    z = dropout.forward(jnp.array([[jnp.inf, 1.0]]), jnp.array([[False, True]]), 0.5)
    np.testing.assert_array_equal(z, [[0, 2]])

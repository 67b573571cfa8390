import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

from chainrule.tables.quantiles import Distribution, near_one

FINITE = st.floats(allow_nan=False, allow_infinity=False)
SHARES = st.lists(st.integers(0, 20).map(lambda part: part / 20), min_size=1, max_size=5)


@given(arrays(np.float64, st.integers(1, 30), elements=st.floats(-1e6, 1e6)), SHARES)
def test_the_quantiles_are_those_of_definition_2(values, shares):
    expected = np.quantile(values, shares, method="averaged_inverted_cdf")
    np.testing.assert_allclose(
        Distribution.of(values, None).quantiles(shares), expected, rtol=1e-12, atol=1e-300
    )


@given(arrays(np.float64, 8, elements=FINITE), st.lists(st.integers(1, 5), min_size=8, max_size=8), SHARES)
def test_a_weight_of_k_is_the_value_k_times(values, weight, shares):
    weighted = Distribution.of(values, np.array(weight, np.float64)).quantiles(shares)
    repeated = Distribution.of(np.repeat(values, weight), None).quantiles(shares)
    np.testing.assert_array_equal(weighted, repeated)


@given(arrays(np.float64, st.integers(1, 40), elements=FINITE), st.integers(1, 40))
def test_equal_weights_are_no_weights(values, parts):
    shares = np.linspace(0, 1, parts + 1)
    weighted = Distribution.of(values, np.full(len(values), 0.1)).quantiles(shares)
    np.testing.assert_array_equal(Distribution.of(values, None).quantiles(shares), weighted)


@pytest.mark.parametrize("size", [5e-324, 1e-300, 0.3, 1e308, 1.7e308])
def test_only_the_ratios_of_weights_count(size):
    values, shares = np.array([3.0, 1.0, 2.0, 4.0]), [0, 0.25, 0.5, 0.75, 1]
    assert Distribution.of(values, np.full(4, size)).quantiles(shares).tolist() == [1, 1.5, 2.5, 3.5, 4]


@given(arrays(np.float64, st.integers(1, 20), elements=FINITE), st.integers(1, 30))
def test_quantiles_are_finite_rise_and_stay_within_the_values(values, parts):
    found = Distribution.of(values, None).quantiles(np.linspace(0, 1, parts + 1))
    assert found[0] == values.min()
    assert found[-1] == values.max()
    assert (np.diff(found / 2) >= 0).all()


def test_the_largest_values_are_not_too_far_apart():
    values = np.array([-1.7e308, 1.7e308, -1.7e308, 1.7e308])
    assert Distribution.of(values, None).quantiles([0.25, 0.5, 1]).tolist() == [-1.7e308, 0, 1.7e308]


def test_a_share_that_rounding_moves_ends_where_it_should():
    # 3 · 0.1 is a little more than 0.3.
    assert Distribution.of(np.arange(10.0), None).quantiles([0.1 * 3]).tolist() == [2.5]


@given(arrays(np.float64, st.integers(1, 10), elements=st.floats(1e-290, 1.7e308) | st.just(0.0)))
def test_near_one_only_changes_exponents(values):
    near, exponent = near_one(values)
    assert near.max() == 0 or 0.5 <= near.max() < 1
    kept = near > 1e-300  # below, numbers lose digits
    np.testing.assert_array_equal(np.ldexp(near, exponent)[kept], values[kept])

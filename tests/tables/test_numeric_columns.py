import math

import numpy as np
import polars as pl
import pytest
from hypothesis import assume, example, given
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays
from scipy.special import ndtri

from chainrule.errors import TableError
from chainrule.tables.numeric_columns import (
    NumericColumn,
    fit_numbers,
    in_bins,
    in_order_of_bins,
    numbers_of_text,
    standardize,
)

SCALINGS = ("robust", "standard", "quantile")
FINITE = st.floats(allow_nan=False, allow_infinity=False)
SOME = arrays(np.float64, st.integers(1, 12), elements=FINITE)
MODEST = arrays(np.float64, st.integers(2, 30), elements=st.integers(-1000, 1000).map(lambda n: n / 8))


def scaled(column, values):
    return standardize(np.array(values, np.float64)[:, None], [column])[0][:, 0]


# Centre and spread


@given(MODEST)
def test_robust_is_the_median_and_the_distance_between_the_quartiles(values):
    lower, center, upper = np.quantile(values, [0.25, 0.5, 0.75], method="averaged_inverted_cdf")
    column = fit_numbers("x", values, None)
    assert column.center == pytest.approx(center)
    assert column.scale == pytest.approx(upper - lower if upper > lower else np.ptp(values) / 2)
    if column.scale:
        plain = (values - column.center) / column.scale
        np.testing.assert_allclose(scaled(column, values), plain / np.sqrt(1 + (plain / 3) ** 2), rtol=1e-6)


def test_half_the_range_where_the_quartiles_are_one_value():
    column = fit_numbers("x", np.array([0.0, 5, 5, 5, 5, 5, 5, 9]), None)
    assert (column.center, column.scale) == (5, 4.5)


@given(MODEST)
def test_standard_is_mean_and_standard_deviation(values):
    column = fit_numbers("x", values, None, "standard")
    assert column.center == pytest.approx(values.mean(), abs=1e-9)
    assert column.scale == pytest.approx(values.std(), abs=1e-9)
    if column.scale:
        np.testing.assert_allclose(scaled(column, values), (values - column.center) / column.scale, rtol=1e-6)


def test_quantile_is_a_standard_normal():
    values = np.random.default_rng(0).lognormal(sigma=3, size=20_001)
    column = fit_numbers("x", values, None, "quantile")
    normal = scaled(column, np.sort(values))
    shares = np.linspace(0, 1, len(values))[500:-500]
    np.testing.assert_allclose(normal[500:-500], ndtri(shares), atol=0.05)
    assert np.abs(normal).max() < 3


def test_quantile_puts_a_frequent_value_in_the_middle_of_its_shares():
    values = np.repeat([0.0, 1.0, 2.0], [500, 250, 250])
    places = scaled(fit_numbers("x", values, None, "quantile"), [0, 1, 2])
    np.testing.assert_allclose(places, ndtri([0.25, 0.625, 0.875]), atol=0.02)


@pytest.mark.parametrize("scaling", SCALINGS)
@given(
    values=arrays(np.float64, 6, elements=st.floats(-100, 100)),
    weight=arrays(np.int64, 6, elements=st.integers(0, 3)),
)
def test_weights_are_repetitions(scaling, values, weight):
    assume(weight.any())
    weighted = fit_numbers("x", values, weight.astype(float), scaling, bins=4)
    repeated = fit_numbers("x", np.repeat(values, weight), None, scaling, bins=4)
    assert (weighted.missing, weighted.edges) == (repeated.missing, repeated.edges)
    assert weighted.knots == repeated.knots
    # Sums of squares differ by how they are rounded, and with them whether equal values have a spread.
    assert weighted.center == pytest.approx(repeated.center, abs=1e-9)
    assert weighted.scale == pytest.approx(repeated.scale, abs=1e-6)


@pytest.mark.parametrize("scaling", SCALINGS)
@pytest.mark.parametrize("size", [1e-300, 1e308])
def test_only_the_ratios_of_weights_count(scaling, size):
    values = np.array([1.0, 3.0, 7.0])
    assert fit_numbers("x", values, np.full(3, size), scaling) == fit_numbers("x", values, None, scaling)


# Whatever the values


@pytest.mark.parametrize("scaling", SCALINGS)
@given(training=SOME, later=SOME, bins=st.integers(0, 5))
@example(training=np.array([1e308, 1e308]), later=np.array([-1.7e308, 1.7e308]), bins=2)
@example(training=np.array([-1.7e308, 1.7e308, 0, 1]), later=np.array([1.7e308, -1.7e308]), bins=4)
@example(training=np.array([-1.7e308, -1.7e308, 1.7e308, 1.7e308]), later=np.array([1.0]), bins=1)
@example(training=np.array([0, 0, 5e-324, 5e-324, 5e-324, 1]), later=np.array([-5e-324]), bins=2)
@example(training=np.array([1e-320, 1e308, 1e-310]), later=np.array([5e-324, 1e300]), bins=4)
@example(training=np.array([0, 5e-324, 1e-323]), later=np.array([1.0, 5e-324]), bins=3)
@example(training=np.array([1, 1 + 2.3e-16, 1]), later=np.array([1e300, -1e300]), bins=2)
def test_any_finite_number_is_finite_and_keeps_its_order(scaling, training, later, bins):
    column = fit_numbers("x", training, None, scaling, bins)
    assert math.isfinite(column.center)
    assert 0 <= column.scale < math.inf
    values = np.sort(np.concatenate([training, later]))
    encoded = scaled(column, values)
    assert np.isfinite(encoded).all()
    assert np.abs(encoded).max() <= (1e9 if scaling == "standard" else 3)
    # Interpolation may differ by a rounding on the two sides of a knot.
    assert (np.diff(encoded) >= (-1e-6 if scaling == "quantile" else 0)).all()
    told = in_bins(values, column.edges)
    assert np.isfinite(told).all()
    assert (np.diff(told) >= 0).all()


@pytest.mark.parametrize("scaling", SCALINGS)
def test_far_values_are_drawn_in(scaling):
    training = np.random.default_rng(1).normal(size=1000)
    column = fit_numbers("x", training, None, scaling)
    far = scaled(column, [1e6, -1e6])
    if scaling == "standard":
        assert far == pytest.approx([1e6, -1e6], rel=0.1)
    else:
        assert np.abs(far) == pytest.approx([3, 3], abs=0.2)


@pytest.mark.parametrize("scaling", SCALINGS)
def test_a_constant_column_is_zero_whatever_comes(scaling):
    column = fit_numbers("x", np.array([0.1, 0.1, np.nan]), np.array([0.1, 0.2, 0]), scaling, bins=4)
    assert column == NumericColumn("x", 0.1, 0.0, "never", scaling)
    assert scaled(column, [0.1, 7, -1.7e308, np.nan]).tolist() == [0, 0, 0, 0]


@pytest.mark.parametrize("scaling", SCALINGS)
def test_missing_values(scaling):
    column = fit_numbers("x", np.array([1.0, np.nan, 3.0, np.nan]), None, scaling, bins=2)
    assert column._replace(missing="never") == fit_numbers("x", np.array([1.0, 3.0]), None, scaling, bins=2)
    assert (column.missing, column.plain_names) == ("sometimes", ("x is missing",))
    encoded, missing = standardize(np.array([[1.0], [np.nan]]), [column])
    assert encoded[0, 0] != 0
    assert encoded[1, 0] == 0
    assert missing.tolist() == [[False], [True]]
    assert in_bins(np.array([np.nan]), (0.0, 1.0, 5.0)).tolist() == [1]


def test_nothing_but_missing_values():
    column = fit_numbers("x", np.array([np.nan, 5.0]), np.array([1.0, 0]))
    assert column == NumericColumn("x", 0.0, 0.0, "always")
    assert scaled(column, [5.0, np.nan]).tolist() == [0, 0]


@pytest.mark.parametrize("value", [np.inf, -np.inf])
def test_infinities_are_refused(value):
    with pytest.raises(TableError, match=f"'x' must be finite; got {value} in row 2. Replace it by a number"):
        fit_numbers("x", np.array([np.nan, value, value]), None)
    columns = [NumericColumn(name, 0.0, 1.0, "never") for name in "xy"]
    with pytest.raises(TableError, match=f"'y' must be finite; got {value} in row 12"):
        standardize(np.array([[0, np.nan], [1.7e308, value]]), columns, first_row=10)


# Bins


@given(SOME.filter(lambda values: np.ptp(values / 2) > 0), st.integers(1, 6))
def test_edges_are_counted(values, bins):
    edges = fit_numbers("x", values, None, bins=bins).edges
    different = len(np.unique(values))
    assert len(edges) <= different
    if different == 2:
        assert edges == ()
    if edges:
        assert in_bins(np.array(edges), edges).tolist() == list(range(len(edges)))


def test_places_in_bins():
    edges = (0.0, 1.0, 3.0)
    values = np.array([0, 0.5, 1, 2, 2.5, 3, 4, 1e300, -0.5, -7, np.nan])
    inside = [0, 0.5, 1, 1.5, 1.75, 2]
    assert in_bins(values, edges).tolist() == [*inside, 2, 2, 0, 0, 1]
    assert in_bins(values, edges, beyond=1).tolist() == [*inside, 2.5, 3, -0.5, -1, 1]


@pytest.mark.parametrize("scaling", SCALINGS)
def test_half_of_the_edges_stand_by_rows_and_half_by_values_whatever_the_scaling(scaling):
    gains = np.random.default_rng(2).lognormal(size=4000)
    values = np.concatenate([np.zeros(36_000), gains])
    edges = np.array(fit_numbers("x", values, None, scaling, bins=16).edges)
    # By rows all but the last are 0; by values, eight bins have 500 gains each.
    by_values = np.histogram(gains, edges[1:])[0]
    assert edges[0] == 0
    assert len(edges) == 9
    assert by_values == pytest.approx(np.full(7, 500), abs=2)


def test_few_different_values_are_an_edge_each():
    values = np.repeat([3.0, -1.0, 7.5], [1, 1000, 5])
    assert fit_numbers("x", values, None, bins=24).edges == (-1, 3, 7.5)


@pytest.mark.parametrize(
    ("different", "edges", "room"),
    [(2, 0, 0), (3, 3, 4), (5, 5, 4), (6, 6, 16), (17, 17, 16), (18, 18, 24), (25, 25, 24), (26, 26, 48)],
)
def test_rooms_are_few_and_have_the_bins(different, edges, room):
    values = np.arange(float(different)) ** 2
    column = fit_numbers("x", np.repeat(values, 2), None, bins=24)
    assert (len(column.edges), column.room) == (edges, room)
    assert column.edges == (tuple(values) if edges else ())


@pytest.mark.parametrize(("bins", "most"), [(64, 128), (24, 48), (100, 128)])
def test_up_to_128_different_values_two_in_a_bin_are_an_edge_each_and_more_are_binned(bins, most):
    few = fit_numbers("x", np.arange(float(most)), None, bins=bins)
    assert (few.edges, few.room) == (tuple(range(most)), 2 * bins)
    many = fit_numbers("x", np.repeat(np.arange(most + 1.0), np.arange(1, most + 2)), None, bins=bins)
    assert many.room == bins
    assert bins * 3 // 4 <= len(many.edges) <= bins + 1


def test_without_bins_there_is_no_room():
    assert fit_numbers("x", np.arange(9.0), None).room == 0


@pytest.mark.parametrize("values", [[3, 4, 5], [3, 4, 5, 5, 4]])
def test_edges_that_are_one_when_halved_are_none(values):
    """One edge is no bin; the column is told by its number alone."""
    column = fit_numbers("x", np.array(values) * 5e-324, None, bins=24)
    assert (column.edges, column.room) == ((), 0)


@given(SOME, st.integers(1, 200))
def test_edges_and_rooms_belong_together(values, bins):
    column = fit_numbers("x", values, None, bins=bins)
    assert bool(column.edges) == bool(column.room)
    assert column.room in (0, 4, 16, bins, 2 * bins)
    assert len(column.edges) - 1 <= column.room


def test_columns_come_in_the_order_of_their_rooms():
    rooms = (16, 0, 4, 128, 4, 16)
    columns = [
        NumericColumn(str(k), 0, 1, "never", edges=(0.0, 1.0) * bool(r), room=r) for k, r in enumerate(rooms)
    ]
    assert in_order_of_bins(columns) == [2, 4, 0, 5, 3]
    assert in_order_of_bins([]) == []


def test_too_few_edges_say_nothing():
    assert in_bins(np.array([1.0, np.nan]), ()).tolist() == [0, 0]


# Numbers as text

COLUMN = NumericColumn("age", 2.0, 1.0, "never")


def test_numbers_and_truth_values_may_be_spelt():
    text = pl.Series([" 3", "+1", "1e3 ", "-.5", "True", "false", None])
    np.testing.assert_array_equal(numbers_of_text(COLUMN, text), [3, 1, 1000, -0.5, 1, 0, np.nan])


def test_words_are_refused_with_their_row():
    with pytest.raises(TableError) as caught:
        numbers_of_text(COLUMN, pl.Series(["30"] * 16 + ["n/a", "?"]))
    assert str(caught.value) == (
        "column 'age' must be numeric, as in training; got text (first bad value 'n/a' in row 17). "
        "Mark missing values with read_table(…, missing=['n/a']), or as None."
    )


def test_a_bad_value_is_quoted_for_the_shell_and_cut():
    with pytest.raises(TableError, match=r"missing=\['not known'\]"):
        numbers_of_text(COLUMN, pl.Series(["not known"]))
    with pytest.raises(TableError, match=r"x{39}…'"):
        numbers_of_text(COLUMN, pl.Series(["x" * 10_000]))

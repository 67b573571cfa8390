"""The derivative of the encoding is that of finite differences."""

import datetime as dt

import numpy as np
import polars as pl
import pytest

from chainrule.tables.encoders import fit_encoder
from chainrule.tables.matrix import encode, typical_row
from chainrule.tables.numeric_columns import FARTHEST, NumericColumn, fit_numbers, in_bins
from chainrule.tables.slopes import encoded_slopes, slope_in_bins, slope_of_standardize

VALUES = np.random.default_rng(0).lognormal(size=300)
H = 1e-6


def reached(column, values):
    """`standardize`, in float64."""
    s = (values - column.center) / column.scale
    return s / np.sqrt(1 + np.square(s / 3)) if column.scaling == "robust" else s


@pytest.mark.parametrize("scaling", ["robust", "standard"])
def test_a_scaled_number(scaling):
    column = fit_numbers("x", VALUES, None, scaling)
    expected = (reached(column, VALUES + H) - reached(column, VALUES - H)) / (2 * H)
    np.testing.assert_allclose(slope_of_standardize(VALUES, column), expected, rtol=1e-6)


def test_a_normal_score():
    from chainrule.tables.numeric_columns import _normal_scores

    column = fit_numbers("x", VALUES, None, "quantile")
    knots = np.array(column.knots)
    values = (knots[1:] + knots[:-1])[np.diff(knots) > 1e-4] / 2
    h = 1e-8
    expected = (_normal_scores(values + h, column.knots) - _normal_scores(values - h, column.knots)) / (2 * h)
    np.testing.assert_allclose(slope_of_standardize(values, column), expected, rtol=1e-4)
    assert slope_of_standardize(np.array([-5.0, 1e6]), column).tolist() == [0, 0]


def test_bins():
    edges = (0.0, 1.0, 3.0)
    values = np.array([-1.0, 0.0, 0.5, 1.0, 2.0, 3.0, 3.5])
    assert slope_in_bins(values, edges).tolist() == [0, 1, 1, 0.5, 0.5, 0, 0]
    assert slope_in_bins(values, edges, 1).tolist() == [1, 1, 1, 0.5, 0.5, 0.5, 0.5]
    up = (in_bins(values + 1e-3, edges) - in_bins(values, edges)) / 1e-3
    np.testing.assert_allclose(slope_in_bins(values, edges), up, atol=1e-3)


def test_what_never_changes_has_no_slope():
    assert slope_of_standardize(np.array([1.0, 2.0]), NumericColumn("x", 1.0, 0.0, "never")).tolist() == [
        0,
        0,
    ]
    far = np.array([10 * FARTHEST])
    assert slope_of_standardize(far, NumericColumn("x", 0.0, 1.0, "never", "standard")).tolist() == [0]


def test_only_numbers_that_are_there_have_slopes():
    days = [dt.date(2024, 1, 1) + dt.timedelta(k) for k in range(4)]
    frame = pl.DataFrame(
        {"day": days, "size": [1.0, None, 3.0, 5.0], "city": ["a", "b", "a", "b"], "old": [True, False] * 2}
    )
    encoder = fit_encoder(frame, bins=4)
    slopes = encoded_slopes(encoder, frame)
    of = dict(zip(encoder.feature_names, slopes.T, strict=True))
    assert slopes.shape == encode(encoder, frame).shape
    for name, column in of.items():
        origin = encoder.columns[encoder.origins[encoder.feature_names.index(name)]].name
        assert np.isnan(column).all() == (origin in ("day", "city")), name
        if origin == "size":
            assert np.isnan(column).tolist() == [False, True, False, False], name
    assert of["size is missing"][0] == 0
    assert of["size in bins"][0] == pytest.approx(0.5)
    texts = frame.with_columns(pl.col("size").cast(pl.String))
    np.testing.assert_array_equal(encoded_slopes(encoder, texts), slopes)


def test_each_encoded_column_knows_where_it_comes_from():
    frame = pl.DataFrame(
        {
            "day": [dt.date(2024, 1, 1), dt.date(2024, 3, 5), None] * 10,
            "code": [f"c{k // 3}" for k in range(30)],
            "size": [1.0, None, 2.5] * 10,
            "city": ["a", "b", None] * 10,
        }
    )
    encoder = fit_encoder(frame, bins=4, few_levels=2)
    assert len(encoder.origins) == encoder.width
    for name, origin in zip(encoder.feature_names, encoder.origins, strict=True):
        assert name.startswith(encoder.columns[origin].name), name


def test_the_typical_row_is_that_of_the_centres():
    frame = pl.DataFrame(
        {"day": [dt.date(2024, 1, k) for k in (1, 3, 9)], "size": [1.0, 2, 7], "city": ["a", "b", "a"]}
    )
    encoder = fit_encoder(frame, bins=4)
    middle = pl.DataFrame({"day": [dt.date(2024, 1, 3)], "size": [2.0], "city": ["c"]})
    np.testing.assert_array_equal(typical_row(encoder), encode(encoder, middle))

import datetime
import decimal
import json
import subprocess
import sys

import numpy as np
import pandas as pd
import polars as pl
import pyarrow as pa
import pytest
import scipy.sparse
from hypothesis import assume, given
from hypothesis import strategies as st
from hypothesis.extra.numpy import array_shapes, arrays

from chainrule.errors import ArgumentError, TableError
from chainrule.tables.encoders import CategoryColumn, NumericColumn, TableEncoder, encode, fit_encoder

COLUMNS = {"age": [20.0, None, 40.0], "city": ["Rome", "Oslo", None], "old": [False, True, True]}
ENCODED = [[-1, 0, 0, 1, -(2**0.5)], [0, 1, 1, 0, 0.5**0.5], [1, 0, 0, 0, 0.5**0.5]]
FRAMES = {"pandas": pd.DataFrame, "polars": pl.DataFrame, "pyarrow": pa.table}
OBJECTS = np.array(list(zip(*COLUMNS.values(), strict=True)), dtype=object)


def test_the_tables_floor_is_light():
    modules = ", ".join(f"chainrule.tables.{name}" for name in ("encoders", "reading", "splits", "writing"))
    heavy = ("jax", "narwhals", "polars", "sklearn", "pandas", "scipy")
    code = f"import sys, {modules}; print([m for m in {heavy} if m in sys.modules])"
    answer = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert answer.stdout.strip() == "[]"


# Fitting and encoding


@pytest.mark.parametrize("make", FRAMES.values(), ids=FRAMES)
def test_a_frame_of_each_library(make):
    frame = make(COLUMNS)
    encoder = fit_encoder(frame)
    assert encoder.columns == (
        NumericColumn("age", 30.0, 10.0, "sometimes"),
        CategoryColumn("city", ("Oslo", "Rome")),
        NumericColumn("old", 2 / 3, pytest.approx((2 / 9) ** 0.5), "never"),
    )
    assert encoder.feature_names == ("age", "age is missing", "city = Oslo", "city = Rome", "old")
    matrix = encode(encoder, frame)
    assert (matrix.dtype, matrix.shape, matrix.flags.c_contiguous) == (np.float32, (3, encoder.width), True)
    np.testing.assert_allclose(matrix, ENCODED, rtol=1e-6)


def test_objects_are_numbers_where_they_can_be():
    encoder = fit_encoder(OBJECTS)
    assert [column.name for column in encoder.columns] == ["x0", "x1", "x2"]
    np.testing.assert_allclose(encode(encoder, OBJECTS), ENCODED, rtol=1e-6)
    texts = [["1", "a"], ["2.5", "1"]]
    assert list(map(type, fit_encoder(texts).columns)) == [NumericColumn, CategoryColumn]
    na = np.array([[1, "a"], [pd.NA, pd.NaT], [None, np.nan], [decimal.Decimal(3), 2.0]], dtype=object)
    assert fit_encoder(na).columns == (
        NumericColumn("x0", 2.0, 1.0, "sometimes"),
        CategoryColumn("x1", ("2.0", "a")),
    )


@given(
    arrays(np.float64, array_shapes(min_dims=2, max_dims=2), elements=st.floats(-1e6, 1e6) | st.just(np.nan))
)
def test_numbers_are_standardized(X):
    encoder = fit_encoder(X)
    matrix = encode(encoder, X)
    with np.errstate(invalid="ignore"):
        centred = np.where(np.isnan(X), 0, X - [column.mean for column in encoder.columns])
    scales = [column.scale or np.inf for column in encoder.columns]
    expected = []
    for position, column in enumerate(encoder.columns):
        present = X[:, position][~np.isnan(X[:, position])]
        if present.size:
            assert column.mean == pytest.approx(present.mean(), abs=1e-9)
            assert column.scale == pytest.approx(present.std(), abs=1e-9)
        some = 0 < present.size < len(X)
        assert column.missing == ("sometimes" if some else "never" if present.size else "always")
        expected.append(centred[:, position] / scales[position])
        if some:
            expected.append(np.isnan(X[:, position]))
    np.testing.assert_allclose(matrix, np.transpose(expected), rtol=1e-5, atol=1e-30)


@given(
    arrays(np.float64, (6, 2), elements=st.floats(-100, 100)), arrays(np.int64, 6, elements=st.integers(0, 3))
)
def test_weights_are_repetitions(X, weight):
    assume(weight.any())
    weighted, repeated = fit_encoder(X, sample_weight=weight), fit_encoder(np.repeat(X, weight, axis=0))
    for left, right in zip(weighted.columns, repeated.columns, strict=True):
        assert left.mean == pytest.approx(right.mean, abs=1e-9)
        assert left.scale == pytest.approx(right.scale, abs=1e-9)


def test_rows_without_weight_do_not_count():
    frame = pl.DataFrame({"n": [1, 2, None, 9], "c": ["a", "b", "c", "d"]})
    encoder = fit_encoder(frame, sample_weight=[1, 1, 0, 0])
    assert encoder.columns == (NumericColumn("n", 1.5, 0.5, "never"), CategoryColumn("c", ("a", "b")))


@pytest.mark.parametrize("size", [1e-300, 1e308])
def test_only_the_ratios_of_weights_count(size):
    assert fit_encoder([[1.0], [3.0]], sample_weight=[size, size]) == fit_encoder([[1.0], [3.0]])


def test_a_constant_column_is_exactly_zero():
    X = np.array([[0.1], [0.1], [0.1]])
    encoder = fit_encoder(X, sample_weight=[0.1, 0.2, 0.3])
    assert encoder.columns == (NumericColumn("x0", 0.1, 0.0, "never"),)
    assert encode(encoder, [[0.1], [7.0]]).tolist() == [[0], [0]]


def test_an_always_missing_column_is_zero_whatever_comes():
    encoder = fit_encoder(pl.DataFrame({"a": [None, None], "b": [1, 2]}))
    assert encoder.width == 2
    frame = pl.DataFrame({"a": ["text", None], "b": [1, 2]})
    assert encode(encoder, frame).tolist() == [[0, -1], [0, 1]]
    encoder = fit_encoder([[np.nan], [np.nan]])
    assert encode(encoder, [[5.0], [np.nan]]).tolist() == [[0], [0]]


def test_missing_values_that_training_did_not_have_are_the_mean():
    assert encode(fit_encoder([[1.0], [3.0]]), [[np.nan]]).tolist() == [[0]]


def test_unseen_levels_and_missing_ones_are_zeros():
    encoder = fit_encoder(pl.DataFrame({"c": ["b", "a", ""]}))
    assert encoder.columns[0].levels == ("", "a", "b")
    frame = pl.DataFrame({"c": ["a", "z", None]})
    assert encode(encoder, frame).tolist() == [[0, 1, 0], [0, 0, 0], [0, 0, 0]]


@pytest.mark.parametrize("sign", [1, -1])
def test_the_largest_numbers(sign):
    X = np.array([[1e300, 1.7e308, 1e-300], [-1e300, -1.7e308, 3e-300]]) * sign
    np.testing.assert_allclose(encode(fit_encoder(X), X), np.array([[1, 1, -1], [-1, -1, 1]]) * sign)


def test_a_row_does_not_depend_on_its_neighbours():
    X = np.random.default_rng(0).normal(size=(40_000, 3))
    X[::7, 1] = np.nan
    encoder = fit_encoder(X)
    matrix = encode(encoder, X)
    for row in (0, 7, 16_383, 16_384, 39_999):
        np.testing.assert_array_equal(encode(encoder, X[row : row + 1])[0], matrix[row])
    frame = pl.DataFrame(dict(zip(("x0", "x1", "x2"), X.T, strict=True)))
    np.testing.assert_array_equal(encode(encoder, frame), matrix)


@pytest.mark.parametrize("dtype", [bool, np.uint8, np.int64, np.float16, np.float32, np.longdouble])
def test_any_real_dtype(dtype):
    X = np.array([[0], [1]], dtype)
    assert encode(fit_encoder(X), X).tolist() == [[-1], [1]]


def test_an_array_without_rows_can_be_encoded():
    assert encode(fit_encoder(OBJECTS), OBJECTS[:0]).shape == (0, 5)


# Categories and numbers that change places


def test_categories_of_whole_numbers():
    training = pd.DataFrame({"c": pd.Categorical([10, 2, None])})
    encoder = fit_encoder(training)
    assert encoder.columns == (CategoryColumn("c", ("10", "2")),)
    expected = [[1, 0], [0, 1], [0, 0]]
    assert encode(encoder, training).tolist() == expected
    for numbers in ([10.0, 2.0, None], [10, 2, 3]):
        assert encode(encoder, pl.DataFrame({"c": numbers})).tolist() == expected
    assert encode(encoder, np.array([[10], [2], [3]])).tolist() == expected


def test_a_number_is_the_level_that_spells_it():
    encoder = fit_encoder(pl.DataFrame({"c": ["01", "1", "2.50", "x"]}))
    assert encode(encoder, pl.DataFrame({"c": [1.0, 2.5, 3.0]})).tolist() == [
        [0, 1, 0, 0],
        [0, 0, 1, 0],
        [0] * 4,
    ]
    assert encode(encoder, np.array([["01"]])).tolist() == [[1, 0, 0, 0]]
    truth = fit_encoder(pl.DataFrame({"c": ["True", "False", "maybe"]}))
    assert encode(truth, pl.DataFrame({"c": [True, False]})).tolist() == [[0, 1, 0], [1, 0, 0]]


def test_polars_and_arrow_categories():
    levels = pl.Series("c", ["b", None, "a"], pl.Enum(["a", "b", "c"]))
    for frame in (levels.to_frame(), levels.cast(pl.Categorical).to_frame(), levels.to_frame().to_arrow()):
        encoder = fit_encoder(frame)
        assert encoder.columns == (CategoryColumn("c", ("a", "b")),)
        assert encode(encoder, frame).tolist() == [[0, 1], [0, 0], [1, 0]]


def test_text_that_spells_numbers_is_numbers_where_training_had_numbers():
    encoder = fit_encoder(pl.DataFrame({"a": [1.0, 3.0]}))
    assert encode(encoder, pl.DataFrame({"a": [" 3", "+1", None]})).tolist() == [[1], [-1], [0]]


def test_numbers_for_words_are_refused():
    encoder = fit_encoder(pl.DataFrame({"c": ["a", "b", "c", "d"]}))
    words = r"'c' must be a category, as in training \('a', 'b', 'c', …\); got numbers \(first 5 in row 2\)"
    with pytest.raises(TableError, match=words):
        encode(encoder, pl.DataFrame({"c": [None, 5]}))
    assert not encode(encoder, pl.DataFrame({"c": [None, None]})).any()


@pytest.mark.parametrize("make", FRAMES.values(), ids=FRAMES)
def test_words_for_numbers_are_refused(make):
    encoder = fit_encoder(make({"age": [1, 2]}))
    with pytest.raises(TableError) as caught:
        encode(encoder, make({"age": ["30"] * 16 + ["n/a", "?"]}))
    assert str(caught.value) == (
        "column 'age' must be numeric, as in training; got text (first bad value 'n/a' in row 17). "
        "Mark missing values with --missing n/a."
    )


def test_a_bad_value_is_quoted_for_the_shell_and_cut():
    encoder = fit_encoder(pl.DataFrame({"a": [1, 2]}))
    with pytest.raises(TableError, match="--missing 'not known'"):
        encode(encoder, pl.DataFrame({"a": ["not known"]}))
    with pytest.raises(TableError, match=r"x{39}…'"):
        encode(encoder, pl.DataFrame({"a": ["x" * 10_000]}))


# Names and positions


def test_columns_are_found_by_name():
    encoder = fit_encoder(pl.DataFrame({"a": [1, 3], "b": [10, 30]}))
    assert encode(encoder, pd.DataFrame({"c": ["x"], "b": [30], "a": [1]})).tolist() == [[-1, 1]]


def test_absent_columns_are_named():
    encoder = fit_encoder(pl.DataFrame({"a": [1], "b": [1], "c": [1]}))
    with pytest.raises(TableError, match=r"columns of training; missing 'a', 'c'. It has 'b', 'd'"):
        encode(encoder, pl.DataFrame({"b": [1], "d": [1]}))


def test_without_names_position_counts():
    named, unnamed = fit_encoder(pl.DataFrame(COLUMNS)), fit_encoder(OBJECTS)
    np.testing.assert_allclose(encode(named, OBJECTS), ENCODED, rtol=1e-6)
    np.testing.assert_allclose(encode(unnamed, pl.DataFrame(COLUMNS)), ENCODED, rtol=1e-6)
    assert not fit_encoder(pd.DataFrame([[1, 2]])).named, "pandas numbered these columns, nobody named them"
    for encoder in (named, unnamed):
        with pytest.raises(TableError, match=r"must have 3 columns, as in training; got 2"):
            encode(encoder, OBJECTS[:, :2])


# What cannot be encoded


def day(value=1):
    return datetime.date(2020, 1, value)


@pytest.mark.parametrize(
    ("X", "words"),
    [
        (
            pl.DataFrame({"d": [day()]}),
            "'d' must be numeric, boolean or a category; got Date. Drop or convert",
        ),
        (pd.DataFrame({"d": pd.to_datetime([day()])}), "'d' must be numeric.*got Datetime"),
        (pa.table({"d": [[1, 2]]}), "'d' must be numeric.*got List"),
        (pl.DataFrame({"d": [{"a": 1}]}), "'d' must be numeric.*got Struct"),
        (pd.DataFrame({"d": [1, {}]}), r"'d' must be numeric.*got dict \(first in row 2\)"),
        (np.array([[1, day()]], dtype=object), r"'x1' must be numeric.*got date \(first in row 1\)"),
        (np.array([["2020"]], dtype="M8[D]"), r"'x0' must be numeric.*got datetime64\[D\]"),
        (np.array([[1, 1j]], dtype=object), "'x1' must be numeric.*got complex"),
        (np.array([[1j]]), "real numbers; got complex.*Complex data not supported"),
        (pl.DataFrame({"d": map(str, range(1001))}), "'d' must be.*at most 1000 levels; got text with 1001"),
        (scipy.sparse.csr_array(np.eye(2)), "must be dense; got a sparse matrix"),
        (pl.LazyFrame({"a": [1]}), r"got a lazy one. Call X.collect\(\)"),
        (pd.DataFrame([[1, 2]], columns=["a", "a"]), "each column name once; got 'a' more than once"),
        ([1, 2], r"two dimensions.*got shape \(2,\). Reshape your data"),
        ([[1], [2, 3]], "rows of one length"),
        (np.zeros((0, 2)), "must have rows and columns; got 0 rows and 2 columns"),
        (np.zeros((2, 0)), "must have rows and columns; got 2 rows and 0 columns"),
    ],
)
def test_unusable_tables(X, words):
    with pytest.raises(TableError, match=words):
        fit_encoder(X)


def test_a_thousand_levels_are_not_too_many():
    assert fit_encoder(pl.DataFrame({"d": map(str, range(1000))})).width == 1000


@pytest.mark.parametrize("sign", [1, -1])
def test_infinities_are_refused(sign):
    X = np.array([[1, 1], [2, np.nan], [3, sign * np.inf]])
    words = f"'x1' must be finite; got {sign * np.inf} in row 3"
    with pytest.raises(TableError, match=words):
        fit_encoder(X)
    with pytest.raises(TableError, match=words):
        encode(fit_encoder(X[:2]), X)
    frame = pl.DataFrame(X, schema=["a", "x1"])
    with pytest.raises(TableError, match=words):
        encode(fit_encoder(frame[:1]), frame)


def test_an_infinity_is_found_beyond_the_first_rows():
    X = np.zeros((20_000, 2))
    encoder = fit_encoder(X)
    X[17_000, 1] = np.inf
    with pytest.raises(TableError, match="'x1' must be finite; got inf in row 17001"):
        encode(encoder, X)


def test_numbers_too_far_from_training_are_refused():
    encoder = fit_encoder([[1.0], [3.0]])
    with pytest.raises(TableError, match=r"mean 2, standard deviation 1\); got 1e\+300 in row 2, too far"):
        encode(encoder, [[1.0], [1e300]])


@pytest.mark.parametrize(
    ("weight", "words"),
    [
        ([1, 1], r"shape \(3,\), a weight for each row; got \(2,\)"),
        ([1, -1, 1], "not negative; got -1 in row 2"),
        ([1, 1, np.nan], "finite and not negative; got nan in row 3"),
        ([0, 0, 0], "got only zeros"),
        (["a", "b", "c"], "must be numbers"),
    ],
)
def test_bad_weights(weight, words):
    with pytest.raises(ArgumentError, match=words):
        fit_encoder(OBJECTS, sample_weight=weight)


# Descriptions

COLUMN = st.builds(
    NumericColumn,
    st.text(),
    st.floats(allow_nan=False, allow_infinity=False),
    st.floats(0, allow_infinity=False),
    st.sampled_from(["never", "sometimes", "always"]),
) | st.builds(CategoryColumn, st.text(), st.lists(st.text()).map(tuple))


@given(st.builds(TableEncoder, st.lists(COLUMN).map(tuple), st.booleans()))
def test_descriptions_are_exact(encoder):
    assert TableEncoder.from_dict(json.loads(json.dumps(encoder.to_dict()))) == encoder
    assert len(encoder.feature_names) == encoder.width


@pytest.mark.parametrize(
    "change",
    [
        {"kind": "date"},
        {"missing": "often"},
        {"mean": "many"},
        {"mean": float("nan")},
        {"scale": -1.0},
        {"levels": 3, "kind": "category"},
    ],
)
def test_other_descriptions_are_refused(change):
    description = fit_encoder([[1.0], [2.0]]).to_dict()
    description["columns"][0] |= change
    with pytest.raises(TableError, match="must be described as to_dict"):
        TableEncoder.from_dict(description)
    with pytest.raises(TableError, match="must be described as to_dict"):
        TableEncoder.from_dict({})

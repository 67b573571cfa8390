import datetime as dt
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
from chainrule.tables.encoders import CategoryColumn, DateColumn, NumericColumn, fit_encoder
from chainrule.tables.matrix import encode

COLUMNS = {"age": [20.0, None, 40.0], "city": ["Rome", "Oslo", None], "old": [False, True, True]}
# (value − median) / (distance between the quartiles), drawn in: ∓½ becomes ∓½ / √(1 + (½ / 3)²).
LEFT, RIGHT = (half / (1 + half**2 / 9) ** 0.5 for half in (-0.5, 0.5))
UNIT = 1 / (1 + 1 / 9) ** 0.5
ENCODED = [[LEFT, -UNIT, 0, 0, 1, 0], [0, 0, 1, 1, 0, 0], [RIGHT, 0, 0, 0, 0, 1]]
FRAMES = {"pandas": pd.DataFrame, "polars": pl.DataFrame, "pyarrow": pa.table}
OBJECTS = np.array(list(zip(*COLUMNS.values(), strict=True)), dtype=object)
FINITE = st.floats(allow_nan=False, allow_infinity=False)
DAYS = [dt.date(2024, 1, 1), dt.date(2024, 3, 5), None, dt.date(2023, 12, 31)]


def levels(*values, missing=False, coded=False):
    return CategoryColumn("c", values, missing, coded)


def test_the_tables_floor_is_light():
    names = ("encoders", "encoder_description", "reading", "splits", "writing")
    modules = ", ".join(f"chainrule.tables.{name}" for name in names)
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
        NumericColumn("age", 30.0, 20.0, "sometimes"),
        CategoryColumn("city", ("Oslo", "Rome"), True, False),
        NumericColumn("old", 1.0, 1.0, "never"),
    )
    assert encoder.feature_names == (
        "age",
        "old",
        "age is missing",
        "city = Oslo",
        "city = Rome",
        "city is missing",
    )
    matrix = encode(encoder, frame)
    assert (matrix.dtype, matrix.shape, matrix.flags.c_contiguous) == (np.float32, (3, encoder.width), True)
    np.testing.assert_allclose(matrix, ENCODED, rtol=1e-6)


@pytest.mark.parametrize("scaling", ["robust", "standard", "quantile"])
def test_the_same_bits_whatever_the_library(scaling):
    numbers = np.random.default_rng(0)
    table = pl.DataFrame(
        {
            "number": numbers.normal(size=200),
            "count": pl.Series(numbers.integers(0, 50, 200)).set(pl.Series(numbers.random(200) < 0.1), None),
            "text": [f"level {n % 30}" for n in range(200)],
            "few": pl.Series(["a", "b", None, "c"] * 50, dtype=pl.Categorical),
            "day": [
                dt.datetime(2024, 1, 1) + dt.timedelta(hours=float(h)) for h in numbers.uniform(0, 9e3, 200)
            ],
            "spelt": [f"{1 + n % 28:02}.05.2024" for n in range(200)],
        }
    )
    expected_encoder = fit_encoder(table, scaling=scaling, bins=4)
    expected = encode(expected_encoder, table)
    assert not np.isnan(expected).any()
    for frame in (table.to_pandas(), table.to_arrow(), table.to_pandas(use_pyarrow_extension_array=True)):
        assert fit_encoder(frame, scaling=scaling, bins=4) == expected_encoder
        assert encode(expected_encoder, frame).tobytes() == expected.tobytes()


def test_objects_are_numbers_where_they_can_be():
    encoder = fit_encoder(OBJECTS)
    assert [column.name for column in encoder.columns] == ["x0", "x1", "x2"]
    np.testing.assert_allclose(encode(encoder, OBJECTS), ENCODED, rtol=1e-6)
    texts = [["1", "a"], ["2.5", "1"]]
    assert list(map(type, fit_encoder(texts).columns)) == [NumericColumn, CategoryColumn]


def test_columns_of_one_sort_are_adjacent():
    frame = pl.DataFrame(
        {
            "many": [f"level {n % 25}" for n in range(100)],
            "day": [*DAYS] * 25,
            "few": ["a", None] * 50,
            "n": [1.0, None, 3.0, 4.0] * 25,
        }
    )
    encoder = fit_encoder(frame, bins=3)
    assert encoder.number_names == ("day (elapsed)", "n")
    waves = [f"day ({cycle}, {wave})" for cycle in ("day of week", "day of year") for wave in ("sin", "cos")]
    assert encoder.plain_names == (*waves, "day is missing", "few = a", "few is missing", "n is missing")
    assert encoder.feature_names[-3:] == ("day in bins", "n in bins", "many as a code")
    assert [column.name for column in encoder.binned] == ["day", "n"]
    assert [column.codes for column in encoder.coded] == [27]
    matrix = dict(zip(encoder.feature_names, encode(encoder, frame)[:4].T.tolist(), strict=True))
    assert matrix["day is missing"] == [0, 0, 1, 0]
    assert matrix["n is missing"] == [0, 1, 0, 0]
    assert matrix["few = a"] == [1, 0, 1, 0]
    assert matrix["few is missing"] == [0, 1, 0, 1]
    assert matrix["n in bins"] == pytest.approx([0, 1, 1, 2]), "the edges are the different values"
    assert matrix["day in bins"][2] == len(encoder.binned[0].edges[1:]) / 2
    assert encode(encoder, frame)[:, -1].tolist() == [
        2 + encoder.coded[0].levels.index(c) for c in frame["many"]
    ]


def test_few_levels_are_told_from_many_where_asked_for():
    frame = pl.DataFrame({"c": ["a", "b", "c"] * 3})
    assert fit_encoder(frame, few_levels=3).columns == (levels("a", "b", "c"),)
    assert fit_encoder(frame, few_levels=2).columns == (levels("a", "b", "c", coded=True),)


def test_columns_that_are_categories_whatever_they_hold():
    X = np.array([[1, 5], [2, 5], [1, np.nan]])
    encoder = fit_encoder(X, categorical=[0])
    assert encoder.columns[0] == CategoryColumn("x0", ("1", "2"), False, False)
    assert isinstance(encoder.columns[1], NumericColumn)
    frame = pl.DataFrame({"n": [1.5, None], "d": DAYS[:2], "t": ["2024-01-01", "x"], "o": ["01", "1"]})
    names = [column.levels for column in fit_encoder(frame, categorical=range(4)).columns]
    first, second = (f"{day} 00:00:00.000000" for day in DAYS[:2])
    assert names == [("1.5",), (first, second), ("2024-01-01", "x"), ("01", "1")]
    assert fit_encoder(np.array([["01"], ["1"]]), categorical=[0]).columns[0].levels == ("01", "1")
    declared = frame.select(pl.Series("d", ["2024-01-01", "2024-02-05"], pl.Categorical))
    assert isinstance(fit_encoder(declared).columns[0], CategoryColumn), "as the frame says"


@given(
    arrays(np.float64, array_shapes(min_dims=2, max_dims=2), elements=FINITE | st.just(np.nan)),
    st.sampled_from(["robust", "standard", "quantile"]),
    st.integers(0, 3),
)
def test_any_numbers_are_finite_numbers(X, scaling, bins):
    encoder = fit_encoder(X, scaling=scaling, bins=bins)
    matrix = encode(encoder, X)
    assert np.isfinite(matrix).all()
    assert matrix.shape == (len(X), encoder.width)
    for column, values in zip(encoder.columns, X.T, strict=True):
        some = 0 < np.isnan(values).sum() < len(X)
        assert column.missing == ("sometimes" if some else "always" if np.isnan(values).all() else "never")
        if some:
            marks = matrix[:, encoder.feature_names.index(f"{column.name} is missing")]
            np.testing.assert_array_equal(marks, np.isnan(values))


@given(
    st.lists(
        st.tuples(
            st.floats(-9, 9) | st.none(), st.sampled_from("abc") | st.none(), st.datetimes() | st.none()
        ),
        min_size=1,
        max_size=12,
    ),
    st.lists(st.integers(0, 3), min_size=12, max_size=12),
)
def test_weights_are_repetitions(rows, weight):
    weight = np.array(weight[: len(rows)])
    assume(weight.any())
    schema = {"n": pl.Float64, "c": pl.String, "d": pl.Datetime("us")}
    frame = pl.DataFrame(rows, schema=schema, orient="row")
    repeated = frame[np.repeat(np.arange(len(rows)), weight).tolist()]
    assert fit_encoder(frame, sample_weight=weight, bins=2) == fit_encoder(repeated, bins=2)


def test_rows_without_weight_do_not_count():
    frame = pl.DataFrame(
        {
            "n": [1, 2, None, 9],
            "c": ["a", "b", "c", "d"],
            "d": ["2024-01-01", "2024-01-02", "never", None],
            "none": ["x", "y", None, None],
        }
    )
    # A warning that "never" is no date would be an error here.
    assert fit_encoder(frame, sample_weight=[1, 3, 0, 0]) == fit_encoder(frame[:2], sample_weight=[1, 3])
    assert fit_encoder(frame, sample_weight=[0, 0, 1, 0], few_levels=0).columns[3].missing == "always"


@pytest.mark.parametrize("size", [1e-300, 1e308])
def test_only_the_ratios_of_weights_count(size):
    assert fit_encoder([[1.0], [3.0]], sample_weight=[size, size]) == fit_encoder([[1.0], [3.0]])


def test_an_always_missing_column_is_zero_whatever_comes():
    nothing = pl.Series("d", [None, None], pl.Date)
    encoder = fit_encoder(pl.DataFrame({"a": [None, None], "b": [1, 2], "d": nothing}))
    assert encoder.feature_names == ("a", "b", "d (elapsed)")
    frame = pl.DataFrame({"a": ["text", None], "b": [1, 2], "d": ["text", None]})
    np.testing.assert_allclose(encode(encoder, frame), [[0, LEFT, 0], [0, RIGHT, 0]], rtol=1e-6)
    encoder = fit_encoder([[np.nan], [np.nan]])
    assert encode(encoder, [[5.0], [np.nan]]).tolist() == [[0], [0]]


def test_missing_values_that_training_did_not_have_are_in_the_middle():
    frame = pl.DataFrame({"n": [1.0, 3.0], "c": ["a", "b"], "d": DAYS[:2]})
    assert encode(fit_encoder(frame), pl.DataFrame({"n": [None], "c": [None], "d": [None]})).tolist() == [
        [0] * 8
    ]


def test_unseen_levels_are_zeros_and_missing_ones_are_marked():
    encoder = fit_encoder(pl.DataFrame({"c": ["b", "a", "", None]}))
    assert encoder.columns == (levels("", "a", "b", missing=True),)
    frame = pl.DataFrame({"c": ["a", "z", None]})
    assert encode(encoder, frame).tolist() == [[0, 1, 0, 0], [0, 0, 0, 0], [0, 0, 0, 1]]


def test_an_identifier_is_left_out_with_a_warning():
    frame = pl.DataFrame({"id": [f"id {n}" for n in range(100)], "n": range(100)})
    with pytest.warns(
        UserWarning,
        match="'id' is left out: it holds 100 different texts in 100 rows, as an identifier.*"
        "none of them in 3 rows, as each of more than 20 levels must be. Drop it.*or name it in categorical",
    ):
        encoder = fit_encoder(frame)
    assert encoder.columns[0] == NumericColumn("id", 0.0, 0.0, "always")
    assert not encode(encoder, frame)[:, 0].any()


@pytest.mark.parametrize(
    ("texts", "words"),
    [
        ([*map(str, range(40)), "?"], "'a' is left out: it holds numbers, but for 1 row with '[?]'"),
        ([*map(str, range(40)), *"???"], "'a' is learnt from as a category: it holds numbers, but for 3"),
        ([f"{n}%" for n in range(40)], "'a' is left out: it holds numbers with signs, such as '0%'"),
    ],
)
def test_texts_meant_as_numbers_are_told_of(texts, words):
    with pytest.warns(UserWarning, match=words) as told:
        fit_encoder(pl.DataFrame({"a": texts}))
    assert len(told) == 1
    fit_encoder(pl.DataFrame({"a": texts}), categorical=[0])  # where that is said, there is nothing to tell


@pytest.mark.parametrize(
    "dtype", [bool, np.uint8, np.int64, np.uint64, np.float16, np.float32, np.longdouble]
)
def test_any_real_dtype(dtype):
    X = np.array([[0], [1]], dtype)
    np.testing.assert_allclose(encode(fit_encoder(X), X), [[LEFT], [RIGHT]], rtol=1e-6)


def test_sparse_matrices_are_like_dense_ones():
    X = scipy.sparse.random_array((50, 3), density=0.3, rng=np.random.default_rng(0))
    encoder = fit_encoder(X)
    assert encoder == fit_encoder(X.toarray())
    for sparse in (X.tocsr(), X.tocsc(), scipy.sparse.csr_matrix(X)):
        assert encode(encoder, sparse).tobytes() == encode(encoder, X.toarray()).tobytes()


def test_a_table_without_rows_can_be_encoded():
    assert encode(fit_encoder(OBJECTS), OBJECTS[:0]).shape == (0, 6)
    assert encode(fit_encoder([[1.0], [2.0], [3.0]], bins=1), np.zeros((0, 1))).shape == (0, 2)
    frame = pl.DataFrame(
        {"d": DAYS, "t": ["2024-01-01", "2024-03-01", None, None], "c": ["a", "b", "a", None]}
    )
    encoder = fit_encoder(frame)
    assert encode(encoder, frame[:0]).shape == (0, encoder.width)


# A row does not depend on its neighbours


@pytest.mark.parametrize("scaling", ["robust", "standard", "quantile"])
@pytest.mark.parametrize("bins", [0, 5])
def test_rows_of_a_large_array_one_by_one(scaling, bins):
    X = np.random.default_rng(0).normal(size=(40_000, 3))
    X[::7, 1] = np.nan
    encoder = fit_encoder(X, scaling=scaling, bins=bins)
    matrix = encode(encoder, X)
    for row in (0, 7, 16_383, 16_384, 39_999):
        assert encode(encoder, X[row : row + 1]).tobytes() == matrix[row].tobytes()
    frame = pl.DataFrame(dict(zip(("x0", "x1", "x2"), X.T, strict=True)))
    assert encode(encoder, frame).tobytes() == matrix.tobytes()


MIXED = pl.DataFrame(
    {
        "n": [1.0, -1e300, None, 7.5, 5e-324, 3.0] * 10,
        "few": ["1", "2.0", "b", None, "é", ""] * 10,
        "many": [f"level {n % 23}" for n in range(60)],
        "day": [dt.datetime(2024, 1 + n % 12, 1 + n % 28, n % 24) if n % 9 else None for n in range(60)],
        "spelt": [f"{1 + n % 28}.{1 + n % 12}.2024 1:{n:02}" for n in range(60)],
    }
)


@pytest.mark.parametrize("scaling", ["robust", "standard", "quantile"])
def test_rows_of_a_mixed_frame_one_by_one(scaling):
    encoder = fit_encoder(MIXED, scaling=scaling, bins=3, few_levels=6)
    together = encode(encoder, MIXED)
    for row in range(0, 60, 4):
        assert encode(encoder, MIXED[row : row + 1]).tobytes() == together[row].tobytes()
    some = [59, 3, 3, 0, 17]
    assert encode(encoder, MIXED[some]).tobytes() == together[some].tobytes()


def test_a_cell_means_the_same_beside_numbers_and_texts():
    encoder = fit_encoder(np.array([[1], [2], [3]]), categorical=[0])
    expected = [[0, 1, 0], [1, 0, 0]]
    for cells in ([2, 1], [2.0, True], ["2", "1"], ["2.0", 1.0], [2, "1.0"]):
        X = np.array([[cell] for cell in cells], object)
        assert encode(encoder, X).tolist() == expected
        assert encode(encoder, X[:1]).tolist() == expected[:1]
        assert encode(encoder, np.vstack([X, [["x"]]])).tolist() == [*expected, [0, 0, 0]]


# Categories and numbers that change places


def test_categories_of_whole_numbers():
    training = pd.DataFrame({"c": pd.Categorical([10, 2, None])})
    encoder = fit_encoder(training)
    assert encoder.columns == (levels("10", "2", missing=True),)
    expected = [[1, 0, 0], [0, 1, 0], [0, 0, 1]]
    assert encode(encoder, training).tolist() == expected
    assert encode(encoder, pl.DataFrame({"c": [10.0, 2.0, None]})).tolist() == expected
    assert encode(encoder, np.array([[10], [2], [np.nan]])).tolist() == expected
    assert encode(encoder, pl.DataFrame({"c": ["10.0", "2", None]})).tolist() == expected
    assert encode(encoder, np.array([[3]])).tolist() == [[0, 0, 0]]


def test_a_number_is_the_level_that_spells_it():
    encoder = fit_encoder(pl.DataFrame({"c": ["01", "1", "2.50", "x"]}))
    found = encode(encoder, pl.DataFrame({"c": [1.0, 2.5, 3.0]}))
    assert found.tolist() == [[0, 1, 0, 0], [0, 0, 1, 0], [0] * 4]
    assert encode(encoder, np.array([["01"]])).tolist() == [[1, 0, 0, 0]]
    truth = fit_encoder(pl.DataFrame({"c": ["True", "False", "maybe"]}))
    assert encode(truth, pl.DataFrame({"c": [True, False]})).tolist() == [[0, 1, 0], [1, 0, 0]]


def test_polars_and_arrow_categories():
    column = pl.Series("c", ["b", None, "a"], pl.Enum(["a", "b", "unused"]))
    for frame in (column.to_frame(), column.cast(pl.Categorical).to_frame(), column.to_frame().to_arrow()):
        encoder = fit_encoder(frame)
        assert encoder.columns == (levels("a", "b", missing=True),)
        assert encode(encoder, frame).tolist() == [[0, 1, 0], [0, 0, 1], [1, 0, 0]]


def test_text_that_spells_numbers_is_numbers_where_training_had_numbers():
    encoder = fit_encoder(pl.DataFrame({"a": [1.0, 3.0]}))
    found = encode(encoder, pl.DataFrame({"a": [" 3", "+1", None, "true"]}))
    np.testing.assert_allclose(found, [[RIGHT], [LEFT], [0], [LEFT]], rtol=1e-6)


def test_numbers_for_words_are_refused():
    encoder = fit_encoder(pl.DataFrame({"c": ["a", "b"]}))
    for X in (pl.DataFrame({"c": [None, 5]}), np.array([[np.nan], [5]]), np.array([[None], [5]], object)):
        with pytest.raises(TableError, match=r"'c' must be a category.*got numbers \(first 5 in row 2\)"):
            encode(encoder, X)
    assert not encode(encoder, pl.DataFrame({"c": [None, None]})).any()


@pytest.mark.parametrize("make", FRAMES.values(), ids=FRAMES)
def test_words_for_numbers_are_refused(make):
    encoder = fit_encoder(make({"age": [1, 2]}))
    with pytest.raises(TableError, match=r"'age' must be numeric, .*\(first bad value 'n/a' in row 17\)"):
        encode(encoder, make({"age": ["30"] * 16 + ["n/a", "?"]}))


# Dates


@pytest.mark.parametrize("make", FRAMES.values(), ids=FRAMES)
def test_dates_as_dates_or_spelt(make):
    spelt = [day and f"{day:%d.%m.%Y}" for day in DAYS]
    iso = [day and day.isoformat() for day in DAYS]
    dates, texts = fit_encoder(make({"d": DAYS})), fit_encoder(make({"d": spelt}))
    assert dates.columns == (texts.columns[0]._replace(spelling=""),)
    assert texts.columns[0].spelling == "%d.%m.%Y"
    expected = encode(dates, make({"d": DAYS}))
    assert expected.shape == (4, 6)
    for encoder, values in ((texts, spelt), (texts, DAYS), (dates, spelt), (dates, iso)):
        assert encode(encoder, make({"d": values})).tobytes() == expected.tobytes()
        assert encode(encoder, make({"d": values[1:2]})).tobytes() == expected[1].tobytes()


def test_dates_of_arrays_and_objects():
    expected = fit_encoder(pl.DataFrame({"x0": DAYS}))._replace(named=False)
    column = np.array(DAYS, object)[:, None]
    for X in (column, column.astype("M8[D]"), column.astype("M8[ns]"), [[day] for day in DAYS]):
        assert fit_encoder(X) == expected
        assert encode(expected, X).tobytes() == encode(expected, column).tobytes()


def test_one_moment_is_one_row_whatever_its_zone():
    encoder = fit_encoder(pl.DataFrame({"d": ["2024-01-01T10:00:00+02:00", "2024-07-03T12:30:00Z"]}))
    assert encoder.columns[0].spelling == "%+"
    berlin = pd.DataFrame({"d": pd.to_datetime(["2024-01-01 09:00"]).tz_localize("Europe/Berlin")})
    utc = encode(encoder, pl.DataFrame({"d": [dt.datetime(2024, 1, 1, 8)]}))
    assert encode(encoder, berlin).tobytes() == utc.tobytes()
    assert encode(encoder, pl.DataFrame({"d": ["2024-01-01T03:00:00-05:00"]})).tobytes() == utc.tobytes()


def test_times_of_day_and_durations():
    frame = pl.DataFrame(
        {"t": [dt.time(0), dt.time(6), dt.time(12)], "s": [dt.timedelta(hours=h) for h in (1, 2, 5)]}
    )
    encoder = fit_encoder(frame)
    assert encoder.columns[0].cycles == ("time of day",)
    assert encoder.columns[1] == NumericColumn("s", 7200.0, 4 * 3600.0, "never")
    np.testing.assert_allclose(encode(encoder, frame)[:, 2:], [[0, 1], [1, 0], [0, -1]], atol=1e-6)
    spelt = fit_encoder(frame.select(pl.col("t").dt.to_string("%H:%M")))  # as CSV has them
    assert spelt.columns[0] == encoder.columns[0]._replace(spelling="%H:%M")


def test_a_slip_in_training_is_missing_and_may_come_again():
    frame = pl.DataFrame({"d": ["unknown", *(f"2024-01-{day:02}" for day in range(1, 29))]})
    with pytest.warns(UserWarning, match=r"'d' holds dates, but for 1 value \(first 'unknown' in row 1\)"):
        encoder = fit_encoder(frame)
    assert isinstance(encoder.columns[0], DateColumn)
    assert encoder.columns[0].elapsed.missing == "sometimes"
    with pytest.warns(UserWarning, match="but for 1 value.*'31.1.2024' in row 2.*counts as missing"):
        matrix = encode(encoder, pl.DataFrame({"d": ["2024-01-03", "31.1.2024"]}))
    assert matrix[:, encoder.feature_names.index("d is missing")].tolist() == [0, 1]


@pytest.mark.parametrize(
    "training", [["2024-01-01", "2024-03-05"], [dt.date(2024, 1, 1), dt.date(2024, 3, 5)]]
)
def test_slips_are_refused_where_training_had_none(training):
    encoder = fit_encoder(pl.DataFrame({"d": training}))
    words = "'d' must hold dates such as '2024-12-31', as in training; got '2024-02-30' in row 3. Correct it"
    with pytest.raises(TableError, match=words):
        encode(encoder, pl.DataFrame({"d": ["2024-01-01", None, "2024-02-30"]}))


def test_what_is_no_date_is_refused_even_where_dates_were_missing():
    encoder = fit_encoder(pl.DataFrame({"d": DAYS}))
    with pytest.raises(TableError, match=r"'d' must hold dates such as '2024-12-31', .*got 'Rome' in row 1"):
        encode(encoder, pl.DataFrame({"d": ["Rome", "Oslo"]}))
    for X in (pl.DataFrame({"d": [1.5]}), np.array([[1.5]])):
        with pytest.raises(TableError, match=r"'d' must hold dates, as in training; got numbers. Convert it"):
            encode(encoder, X)
    marked = encode(encoder, np.array([[np.nan]]))
    assert marked.tolist() == encode(encoder, pl.DataFrame({"d": [None]})).tolist() == [[0, 0, 0, 0, 0, 1]]


def test_an_array_of_numbers_where_training_had_dates_too():
    encoder = fit_encoder(pl.DataFrame({"n": [1.0, 2.0], "d": DAYS[:2]}))
    with pytest.raises(TableError, match="'d' must hold dates, as in training; got numbers"):
        encode(encoder, np.array([[1.0, 19_000]]))


def test_dates_where_training_had_something_else():
    frame = pl.DataFrame({"a": DAYS[:2]})
    with pytest.raises(TableError, match=r"'a' must be numeric, as in training; got dates. Convert it"):
        encode(fit_encoder(pl.DataFrame({"a": [1, 2]})), frame)
    with pytest.warns(UserWarning, match="'a' holds no level that was learnt"):
        encoded = encode(fit_encoder(pl.DataFrame({"a": ["Rome", "Oslo"]})), frame)
    assert encoded.tolist() == [[0, 0], [0, 0]]


def test_a_column_of_levels_that_training_did_not_have_is_told():
    encoder = fit_encoder(pl.DataFrame({"a": ["1", "2"]}), categorical=[0])
    told = r"column 'a' holds no level that was learnt.*: got '7', '8', '9', …; training had '1', '2'\. Check"
    for values in ([7, 8, 9, 10, None], ["7", "8", None, "9", "9", "x"]):
        with pytest.warns(UserWarning, match=told):
            encode(encoder, pl.DataFrame({"a": values}))
    for values in ([7], ["7", None], [7, 2], [None, None]):  # a single row may well be new
        encode(encoder, pl.DataFrame({"a": pl.Series(values, dtype=pl.String, strict=False)}))


# Names and positions


def test_columns_are_found_by_name():
    encoder = fit_encoder(pl.DataFrame({"a": [1, 3], "b": [10, 30]}))
    found = encode(encoder, pd.DataFrame({"c": ["x"], "b": [30], "a": [1]}))
    np.testing.assert_allclose(found, [[LEFT, RIGHT]], rtol=1e-6)


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


@pytest.mark.parametrize(
    ("X", "words"),
    [
        (np.zeros((0, 2)), "must have rows and columns; got 0 rows and 2 columns"),
        (np.zeros((2, 0)), "must have rows and columns; got 2 rows and 0 columns"),
        (pl.DataFrame({"d": [[1, 2]]}), "'d' must be numeric, boolean, a category or dates; got List"),
        (np.array([[1, 1j]], dtype=object), "'x1' must be numeric.*got complex"),
        (pl.LazyFrame({"a": [1]}), r"got a lazy one. Call X.collect\(\)"),
    ],
)
def test_unusable_tables(X, words):
    with pytest.raises(TableError, match=words):
        fit_encoder(X)


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


def test_what_float64_cannot_hold_is_infinite():
    X = np.array([["1e4000"], ["1"]], np.longdouble)
    for encode_or_fit in (fit_encoder, lambda X: encode(fit_encoder([[1.0]]), X)):
        with pytest.raises(TableError, match="'x0' must be finite; got inf in row 1"):
            encode_or_fit(X)


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


@pytest.mark.parametrize("said", ["by position", "by type"])
def test_levels_of_few_rows_are_learnt_where_the_column_is_said_to_be_a_category(said):
    ids = pl.DataFrame({"id": [f"id {k // 2}" for k in range(60)]})
    if said == "by type":
        encoder = fit_encoder(ids.cast(pl.Categorical))
    else:
        encoder = fit_encoder(ids, categorical=[0])
    (column,) = encoder.columns
    assert (len(column.levels), column.coded) == (30, True)
    mixed = pl.DataFrame({"id": ["often"] * 3 + [f"id {k}" for k in range(60)]})
    assert fit_encoder(mixed, categorical=[0]).columns[0].levels == ("often",)

import datetime as dt
import decimal
import fractions

import numpy as np
import pandas as pd
import polars as pl
import pyarrow as pa
import pytest
import scipy.sparse

from chainrule.errors import TableError
from chainrule.tables.schema import as_table, as_text, is_category, is_text, read_column

BIG = 2**53 + 1
DAY, MOMENT = dt.date(2020, 2, 29), dt.datetime(2020, 2, 29, 10, 30)


def read(X, **options):
    return read_column(as_table(X), 0, **options)


def each(values, dtype):
    """One column as polars, pandas and pyarrow hold it."""
    frame = pl.DataFrame({"c": pl.Series(values, dtype=dtype)})
    return [frame, frame.to_pandas(), frame.to_arrow(), frame.to_pandas(use_pyarrow_extension_array=True)]


def objects(*values):
    column = np.empty((len(values), 1), object)
    column[:, 0] = values
    return column


# Numbers

NUMBERS = [
    (pl.Int8, [1, None], [1, np.nan]),
    (pl.Int64, [BIG, None, -BIG], [BIG - 1, np.nan, -BIG + 1]),
    (pl.Int64, [BIG], [BIG - 1]),
    (pl.UInt64, [2**64 - 1, None], [2.0**64, np.nan]),
    (pl.Float32, [1.5, None], [1.5, np.nan]),
    (pl.Float64, [1.5, None, float("nan")], [1.5, np.nan, np.nan]),
    (pl.Boolean, [True, None, False], [1, np.nan, 0]),
    (pl.Decimal(10, 2), [decimal.Decimal("1.50"), None], [1.5, np.nan]),
    (pl.Duration("us"), [dt.timedelta(days=1), None], [86_400, np.nan]),
    (pl.Duration("ms"), [dt.timedelta(seconds=-1)], [-1]),
    (pl.Duration("ns"), [dt.timedelta(microseconds=1)], [1e-6]),
]


@pytest.mark.parametrize(("dtype", "values", "expected"), NUMBERS, ids=[str(dtype) for dtype, *_ in NUMBERS])
def test_numbers_of_frames(dtype, values, expected):
    for frame in each(values, dtype):
        numbers = read(frame)
        assert numbers.dtype == np.float64
        np.testing.assert_array_equal(numbers, expected, err_msg=str(type(frame)))


@pytest.mark.parametrize(
    ("column", "expected"),
    [
        (pd.array([1, None, BIG], "Int64"), [1, np.nan, BIG - 1]),
        (pd.array([2**64 - 1, None], "UInt64"), [2.0**64, np.nan]),
        (pd.array([1.5, None], "Float32"), [1.5, np.nan]),
        (pd.array([True, None], "boolean"), [1, np.nan]),
        (np.array([1.5, 2], np.float16), [1.5, 2]),
        ([True, None, False], [1, np.nan, 0]),
        ([decimal.Decimal("1.5"), None], [1.5, np.nan]),
        (pd.arrays.SparseArray([0.0, 1.0, np.nan]), [0, 1, np.nan]),
        (pd.to_timedelta(["1 days", None]), [86_400, np.nan]),
    ],
)
def test_numbers_of_pandas(column, expected):
    np.testing.assert_array_equal(read(pd.DataFrame({"c": column})), expected)


def test_numbers_that_only_one_library_has():
    np.testing.assert_array_equal(
        read(pl.DataFrame({"c": pl.Series([2**100, None], dtype=pl.Int128)})), [2.0**100, np.nan]
    )
    half = pa.table({"c": pa.array(np.array([1.5], np.float16))})
    assert read(half).tolist() == [1.5]
    assert np.isnan(read(pl.DataFrame({"c": [None, None]}))).all()
    assert np.isnan(read(pa.table({"c": pa.nulls(2)}))).all()
    np.testing.assert_array_equal(
        read(pl.DataFrame({"c": pl.Series([1, 2.5, None], dtype=pl.Object)})), [1, 2.5, np.nan]
    )


@pytest.mark.parametrize(
    ("X", "expected"),
    [
        (objects(1, True, 2.5, "3", None, pd.NA, pd.NaT, np.nan), [1, 1, 2.5, 3, *[np.nan] * 4]),
        (objects(np.float32(1.5), np.int8(1), np.bool_(True), np.str_("2")), [1.5, 1, 1, 2]),
        (objects(decimal.Decimal(3), fractions.Fraction(1, 2)), [3, 0.5]),
        (objects(dt.timedelta(days=1), None), [86_400, np.nan]),
        (objects(np.timedelta64(1, "h"), None), [3600, np.nan]),
        (np.array([[1], ["NaT"]], "m8[D]"), [86_400, np.nan]),
        (np.array([["1"], ["2.5"]]), [1, 2.5]),
        (np.array([["1"], ["2.5"]], np.dtypes.StringDType()), [1, 2.5]),
        (np.array([["0.1"], ["1e4000"]], np.longdouble), [0.1, np.inf]),
        (np.ma.masked_array([[1.0], [2.0]], [[False], [True]]), [1, np.nan]),
        (np.ma.masked_array([[1], [2]]), [1, 2]),
        ([["1"], [2]], [1, 2]),
        (((1,), (None,)), [1, np.nan]),
    ],
)
def test_numbers_of_arrays_and_lists(X, expected):
    np.testing.assert_array_equal(read(X), expected)


@pytest.mark.parametrize("kind", ["csr", "csc", "coo", "bsr", "lil", "dok", "dia"])
@pytest.mark.parametrize("shape", ["matrix", "array"])
def test_sparse_matrices(kind, shape):
    dense = np.array([[0, 2.5], [0, 0], [1, 0]])
    table = as_table(getattr(scipy.sparse, f"{kind}_{shape}")(dense))
    assert (table.rows, table.names, table.named, table.is_numeric_array) == (3, ("x0", "x1"), False, True)
    np.testing.assert_array_equal(table.data, dense)


# Texts and categories


@pytest.mark.parametrize("dtype", [pl.String, pl.Categorical, pl.Enum(["unused", "b", "a"])])
def test_texts_and_categories_of_frames(dtype):
    for frame in each(["a", None, "b"], dtype):
        text = read(frame)
        assert is_text(text)
        assert text.to_list() == ["a", None, "b"], type(frame)
        assert is_category(as_table(frame), 0) == (dtype != pl.String)


@pytest.mark.parametrize(
    ("column", "expected"),
    [
        (["x", None, np.nan], ["x", None, None]),
        (pd.Series(["x", None, np.nan, pd.NA], dtype=object), ["x", None, None, None]),
        (pd.array(["x", None], "string"), ["x", None]),
        (pd.array(["x", None], pd.ArrowDtype(pa.string())), ["x", None]),
        (pd.Categorical(["x", None], categories=["y", "x"]), ["x", None]),
        (pd.Categorical([10, None, 2]), ["10", None, "2"]),
        (pd.Categorical([1.5, None, 2]), ["1.5", None, "2.0"]),
        (pd.Categorical([True, None]), ["True", None]),
        (pd.cut([1, 2, 3], [0, 1, 3]), ["(0, 1]", "(1, 3]", "(1, 3]"]),
        ([None, None], [None, None]),
    ],
)
def test_texts_and_categories_of_pandas(column, expected):
    assert read(pd.DataFrame({"c": column})).to_list() == expected


def test_texts_that_only_arrow_has():
    for kind in (pa.large_string(), pa.string_view()):
        assert read(pa.table({"c": pa.array(["a", None], kind)})).to_list() == ["a", None]
    numbers = pa.table({"c": pa.array([10, None, 20]).dictionary_encode()})
    assert read(numbers).to_list() == ["10", None, "20"]
    assert is_category(as_table(numbers), 0)


@pytest.mark.parametrize(
    ("X", "expected"),
    [
        (
            objects("a", 1, 2.0, True, np.bool_(False), None, np.nan),
            ["a", "1", "2.0", "True", "False", None, None],
        ),
        (np.array([["1"], ["x"]]), ["1", "x"]),
        (np.array([["x"], [None]], np.dtypes.StringDType(na_object=None)), ["x", None]),
        (objects(10**400, 1), [str(10**400), "1"]),
    ],
)
def test_texts_of_arrays(X, expected):
    assert read(X).to_list() == expected
    assert not is_category(as_table(X), 0)


def test_texts_that_spell_numbers_stay_texts_where_asked_for():
    assert read(np.array([["01"], ["2"]]), as_text=True).to_list() == ["01", "2"]
    assert read(objects("01", 2), as_text=True).to_list() == ["01", "2"]
    assert read(objects(1, 2.5, None), as_text=True)[:2].tolist() == [1, 2.5], "these are numbers as they are"
    assert read(pl.DataFrame({"c": ["1"]})).to_list() == ["1"], "a frame says itself what is text"


# Dates


@pytest.mark.parametrize("unit", ["ms", "us", "ns"])
def test_moments_of_frames(unit):
    for frame in each([MOMENT, None], pl.Datetime(unit)):
        dates = read(frame)
        assert (dates.dtype, dates.to_list()) == (pl.Datetime("us"), [MOMENT, None])
        assert not is_text(dates)


def test_moments_with_a_zone_are_in_utc():
    aware = pl.DataFrame({"c": [MOMENT]}).select(pl.col("c").dt.replace_time_zone("America/New_York"))
    utc = MOMENT + dt.timedelta(hours=5)
    pandas = pd.DataFrame({"c": pd.to_datetime([MOMENT]).tz_localize("America/New_York")})
    python = MOMENT.replace(tzinfo=dt.timezone(dt.timedelta(hours=-5)))
    for X in (
        aware,
        aware.to_arrow(),
        pandas,
        pandas.astype(object),
        objects(python),
        objects(pd.Timestamp(python)),
    ):
        assert read(X).to_list() == [utc]


def test_days_and_times_of_frames():
    days = [dt.date(1, 1, 1), DAY, dt.date(9999, 12, 31), None]
    expected = [day and dt.datetime.combine(day, dt.time()) for day in days]
    for frame in each(days, pl.Date):
        assert read(frame).to_list() == expected
    assert read(pa.table({"c": pa.array(days[1:2], pa.date64())})).to_list() == expected[1:2]
    for frame in each([dt.time(10, 30), None], pl.Time):
        assert read(frame).to_list() == [dt.datetime(1970, 1, 1, 10, 30), None]
    assert read(pa.table({"c": pa.array([dt.time(1)], pa.time32("s"))})).to_list() == [
        dt.datetime(1970, 1, 1, 1)
    ]


@pytest.mark.parametrize(
    ("X", "expected"),
    [
        (np.array([["2020-02-29"], ["NaT"]], "M8[D]"), [dt.datetime(2020, 2, 29), None]),
        (np.array([["2020-02-29T10:30"]], "M8[ns]"), [MOMENT]),
        (
            np.array([["0001-01-01"], ["9999-12-31"]], "M8[s]"),
            [dt.datetime(1, 1, 1), dt.datetime(9999, 12, 31)],
        ),
        (objects(DAY, None, MOMENT), [dt.datetime(2020, 2, 29), None, MOMENT]),
        (objects(pd.NaT, pd.Timestamp(MOMENT), MOMENT), [None, MOMENT, MOMENT]),
        (objects(np.datetime64("2020-02-29T10:30"), None, pd.NaT), [MOMENT, None, None]),
        (objects(dt.time(10, 30), None), [dt.datetime(1970, 1, 1, 10, 30), None]),
        (pd.DataFrame({"c": [DAY, None]}), [dt.datetime(2020, 2, 29), None]),
        (pd.DataFrame({"c": np.array(["9999-12-31"], "M8[s]")}), [dt.datetime(9999, 12, 31)]),
        (pd.DataFrame({"c": pd.to_datetime([MOMENT, None]).astype("M8[ns]")}), [MOMENT, None]),
    ],
)
def test_dates_of_arrays_and_pandas(X, expected):
    dates = read(X)
    assert (dates.dtype, dates.to_list()) == (pl.Datetime("us"), expected)
    assert read(X, as_text=True).equals(dates)


def test_dates_as_text():
    assert as_text(pl.Series([MOMENT, None])).to_list() == ["2020-02-29 10:30:00.000000", None]


# What is no table, or no column


@pytest.mark.parametrize(
    ("X", "words"),
    [
        (pl.DataFrame({"d": [[1]]}), r"got List\(Int64\)"),
        (pl.DataFrame({"d": pl.Series([[1]], dtype=pl.Array(pl.Int64, 1))}), "got Array"),
        (pl.DataFrame({"d": [{"a": 1}]}), "got Struct"),
        (pl.DataFrame({"d": [b"1"]}), "got Binary"),
        (pa.table({"d": [[1]]}), "got List"),
        (pa.table({"d": [{"a": 1}]}), "got Struct"),
        (pa.table({"d": [b"1"]}), "got (Binary|bytes)"),
        (pa.table({"d": pa.array([[("a", 1)]], pa.map_(pa.string(), pa.int8()))}), "got Map"),
        (pd.DataFrame({"d": [1, {}]}), r"got dict \(first in row 2\)"),
        (pd.DataFrame({"d": [None, [1]]}), r"got list \(first in row 2\)"),
        (pd.DataFrame({"d": [b"1", b"2"]}), r"got bytes \(first in row 1\)"),
        (
            pd.DataFrame({"d": pd.period_range("2020-01", periods=2, freq="M")}),
            r"got Period \(first in row 1\)",
        ),
        (pd.DataFrame({"d": [1j, 2]}), "got complex128"),
        (pl.DataFrame({"d": pl.Series([object()], dtype=pl.Object)}), r"got object \(first in row 1\)"),
        (objects(1, 1j), r"got complex \(first in row 2\)"),
        (objects("a", DAY), r"got date \(first in row 2\)"),
        (objects(1, MOMENT), r"got datetime \(first in row 2\)"),
        (
            objects(pd.Timestamp(MOMENT), pd.Timestamp(MOMENT, tz="UTC")),
            "got Timestamp, some with a time zone and some without",
        ),
        (objects(DAY, dt.timedelta(1)), r"got date \(first in row 1\)"),
        (objects(np.datetime64(1, "D"), np.timedelta64(1, "D")), r"got datetime64 \(first in row 1\)"),
        (np.array([[b"1"]]), r"got bytes \(first in row 1\)"),
        (np.zeros((2, 1), "V2"), r"got \|V2"),
    ],
)
@pytest.mark.parametrize("as_text", [False, True])
def test_unusable_columns(X, words, as_text):
    with pytest.raises(
        TableError, match=f"must be numeric, boolean, a category or dates; {words}.*convert it"
    ):
        read(X, as_text=as_text)


@pytest.mark.parametrize(
    ("X", "words"),
    [
        (pl.LazyFrame({"a": [1]}), r"got a lazy one. Call X.collect\(\)"),
        (pd.DataFrame([[1, 2]], columns=["a", "a"]), "each column name once; got 'a' more than once"),
        (pd.DataFrame([[1, 2, 3]], columns=["1", 1, "b"]), "each column name once; got '1' more than once"),
        (pa.table([[1], [2]], names=["a", "a"]), "each column name once; got 'a' more than once"),
        ([1, 2], r"two dimensions.*got shape \(2,\). Reshape your data"),
        (pd.Series([1, 2]), r"two dimensions.*got shape \(2,\)"),
        (pl.Series([1, 2]), r"two dimensions.*got shape \(2,\)"),
        (np.zeros((1, 2, 3)), r"two dimensions.*got shape \(1, 2, 3\)"),
        (None, r"two dimensions.*got shape \(\)"),
        ("text", r"two dimensions.*got shape \(\)"),
        ([[1], [2, 3]], "rows of one length"),
        (np.array([[1j]]), "real numbers; got complex.*Complex data not supported"),
        (np.zeros(2, "i4,f4"), r"two dimensions.*got shape \(2,\)"),
    ],
)
def test_what_is_no_table(X, words):
    with pytest.raises(TableError, match=words):
        as_table(X)


def test_names():
    def names(X):
        table = as_table(X)
        return table.names, table.named

    assert names(pl.DataFrame({"a": [1], "b": [2]})) == (("a", "b"), True)
    assert names(pd.DataFrame({"a": [1], 5: [2]})) == (("a", "5"), True)
    assert names(pd.DataFrame([[1, 2]])) == (("x0", "x1"), False), "pandas numbered them, nobody named them"
    assert names(np.zeros((1, 2))) == (("x0", "x1"), False)
    assert not as_table(pl.DataFrame({"a": [1]})).is_numeric_array
    assert not as_table(objects(1)).is_numeric_array

import numpy as np
import polars as pl
import pytest

from chainrule.tables.odd_columns import empty_columns, odd_column

GENERATOR = np.random.default_rng(1)


def kinds(values, name="a", **options):
    return [notice.kind for notice in odd_column(pl.Series(name, values, **options), 0)]


def text(values, name="a"):
    (notice,) = odd_column(pl.Series(name, values), 0)
    assert notice.column == name
    return notice.text


def test_empty_and_constant_columns():
    X = pl.DataFrame(
        {"n": pl.Series([None, None], dtype=pl.Int64), "c": ["x", "x"], "g": [1, None], "v": [1, 2]}
    )
    none, constant, gaps = empty_columns(X, X.select("c", "g", "v"), X.select("v"))
    assert none.text == "column 'n' has no value at all; nothing can be learnt from it."
    assert constant.text == "column 'c' is 'x' in all rows; nothing can be learnt from it."
    assert gaps.text == "column 'g' is '1' in all rows but 1, where it is missing."


def test_mostly_missing():
    assert text([1.5, 2.5] * 10 + [None] * 60) == "column 'a' is missing in 75 % of the rows."
    assert text([1.5, 2.5] + [None] * 5000).endswith("missing in more than 99.9 % of the rows.")
    assert not kinds([1.5, 2.5] * 10 + [None] * 20)


def test_numbers_that_count_the_rows_are_identifiers():
    assert "it counts the rows" in text(list(range(7, 40)))
    assert "it counts the rows" in text([float(k) for k in range(40, 7, -1)])
    assert not kinds(list(range(0, 80, 2))), "measures may have steps"
    assert not kinds(list(range(5))), "too few rows to say"


def test_dense_different_numbers_are_identifiers():
    drawn = GENERATOR.choice(2000, 1000, replace=False)
    assert "its whole numbers, from" in text(drawn + 5000)
    assert not kinds(GENERATOR.integers(0, 10**9, 1000)), "all different, but not dense"
    assert not kinds(GENERATOR.integers(0, 2000, 1000)), "dense, but not all different"
    assert not kinds(drawn + 0.5)


@pytest.mark.parametrize("name", ["id", "user_id", "ID number", "customerId", "customerID", "guid"])
def test_sparse_different_numbers_are_identifiers_by_name(name):
    assert kinds(GENERATOR.choice(10**6, 1000, replace=False), name) == ["identifier"]


@pytest.mark.parametrize("name", ["width", "humidity", "grid", "Madrid", "idle"])
def test_names_that_only_hold_the_letters_say_nothing(name):
    assert not kinds(GENERATOR.choice(10**6, 1000, replace=False), name)


def test_texts_that_nearly_all_differ_are_identifiers():
    assert "all of its texts differ" in text([f"A-{k:05d}" for k in range(100)])
    assert "nearly all of its texts differ" in text([f"A-{k:05d}" for k in range(99)] + ["A-00000"])
    assert not kinds(["red", "green", "blue"] * 30)
    assert not kinds([f"level {k % 60}" for k in range(100)])
    assert not kinds([f"{k}%" for k in range(100)]), "numbers with signs, which encoders tell of"


def test_long_texts_are_free_text():
    texts = [f"they said that it was number {k} of many" for k in range(100)]
    assert "free text, 9 words on average" in text(texts)
    assert not kinds(["only a few different long texts", "that come again and again"] * 50)


def test_whole_numbers_that_spell_dates():
    days = pl.date_range(pl.date(2023, 1, 1), pl.date(2023, 12, 31), eager=True)
    numbers = days.dt.strftime("%Y%m%d").cast(pl.Int64)
    told = (
        "column 'the day' looks like dates, such as 20230101, but is learnt from as numbers. If they are "
        "dates, say so: --date 'the day'."
    )
    assert text(numbers, "the day") == text(numbers.cast(pl.Float64), "the day") == told
    assert "dates as numbers" not in kinds(numbers + 5), "some are no days of their months"
    assert "dates as numbers" not in kinds(numbers.head(4).extend_constant(20230104, 20)), "few different"
    assert "dates as numbers" not in kinds(numbers + 0.5)


def test_dates_are_neither():
    assert not kinds([f"2024-{1 + k // 28:02d}-{1 + k % 28:02d}" for k in range(300)])


def test_far_values_are_counted_and_a_repeated_one_may_mean_missing():
    values = GENERATOR.normal(size=1000)
    assert "1 value of column 'a' is more than 100 times" in text([*values, 1e6])
    assert "the farthest is -1000000" in text([*values, 1e5, -1e6])
    assert "3 values of column 'a' are -999, far away from all others" in text([*values, -999, -999, -999])
    assert not kinds([*values, 50.0])
    assert not kinds([0] * 900 + list(range(100))), "no spread to compare with"


def test_infinities_and_enormous_values_do_no_harm():
    assert "far values" in kinds([*GENERATOR.normal(size=100), np.inf])
    assert not kinds([np.inf, -np.inf] * 20)
    assert not kinds([1.7e308, -1.7e308] * 20)


def test_far_values_in_many_rows_are_counted_in_all_of_them():
    values = GENERATOR.normal(size=150_000)
    values[:7] = 1e9 + np.arange(7)
    found = text(values)
    assert found.startswith("7 values")
    assert "a sample of 100,000 rows" in found

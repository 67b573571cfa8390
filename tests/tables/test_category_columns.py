import numpy as np
import polars as pl
import pytest
from hypothesis import given
from hypothesis import strategies as st

from chainrule.errors import TableError
from chainrule.tables.category_columns import (
    FEW_LEVELS,
    MISSING,
    UNSEEN,
    CategoryColumn,
    fit_text,
    levels_of_numbers,
    levels_of_text,
    text_of_numbers,
)


def category(*levels, missing=False, coded=False):
    return CategoryColumn("c", levels, missing, coded)


# Levels


@given(st.lists(st.sampled_from(["b", "a", "", "é", None]), min_size=1))
def test_few_levels_are_sorted_and_each_has_a_column(values):
    column = fit_text("c", pl.Series(values, dtype=pl.String))
    present = sorted({value for value in values if value is not None})
    if not present:
        assert column is None
        return
    assert column == category(*present, missing=None in values)
    marks = ["c is missing"] if None in values else []
    assert list(column.plain_names) == [f"c = {level}" for level in present] + marks
    assert (column.number_names, column.codes) == ((), 0)


def test_more_than_a_few_levels_are_codes():
    text = pl.Series([f"level {n:02}" for n in range(FEW_LEVELS)])
    assert not fit_text("c", text).coded
    many = pl.Series([f"level {n:02}" for n in range(FEW_LEVELS + 1)] * 3 + ["rare", "rare", None])
    column = fit_text("c", many)
    assert column.levels == tuple(f"level {n:02}" for n in range(FEW_LEVELS + 1)), "two rows are too few"
    assert (column.coded, column.missing, column.plain_names) == (True, True, ())
    assert column.codes == len(column.levels) + 2
    assert fit_text("c", many, few=50).levels[-1] == "rare"


def test_no_level_of_many_is_in_enough_rows():
    assert fit_text("c", pl.Series(map(str, range(100)))) is None


def test_codes():
    column = category("a", "b", coded=True)
    text = pl.Series(["b", "a", "z", None])
    positions = levels_of_text(column, text)
    assert positions.tolist() == [1, 0, -1, -1]
    codes = column.coded_levels(positions, text.is_null().to_numpy())
    assert codes.tolist() == [3, 2, UNSEEN, MISSING]
    assert codes.max() == column.codes - 1


# Numbers and their spellings


@pytest.mark.parametrize(
    ("levels", "texts", "positions"),
    [
        (("1", "2"), ["1.0", "2.00", "01", "1e0", "3.0", "x", None], [0, 1, -1, -1, -1, -1, -1]),
        (("1.0", "2.5"), ["1", "2.50", "2.5"], [0, 1, 1]),
        (("0", "1"), ["true", "False", "TRUE"], [1, 0, 1]),
        (("False", "True", "maybe"), ["true", "0", "1.0"], [1, 0, 1]),
        (("007", "7.0"), ["7", "007"], [1, 0]),
        (("007",), ["7"], [-1]),
        (("100000",), ["1e5", "100_000", "nan"], [-1, -1, -1]),
        (("a", "b"), ["A", "1"], [-1, -1]),
    ],
)
def test_texts_may_spell_a_number_in_another_way(levels, texts, positions):
    assert levels_of_text(category(*levels), pl.Series(texts)).tolist() == positions


@given(st.lists(st.floats(allow_infinity=False) | st.integers(-5, 5).map(float), min_size=1))
def test_each_number_is_the_level_that_spells_it(values):
    values = np.array(values)
    text = text_of_numbers(values, "c")
    assert text.null_count() == np.isnan(values).sum()
    column = fit_text("c", text, few=10_000)
    if column is None:
        assert np.isnan(values).all()
        return
    positions = levels_of_numbers(column, values)
    np.testing.assert_array_equal(positions, levels_of_text(column, text))
    assert [float(column.levels[place]) for place in positions[positions >= 0]] == values[
        ~np.isnan(values)
    ].tolist()


def test_whole_numbers_have_no_point():
    assert text_of_numbers(np.array([1, -0.0, np.nan]), "c").to_list() == ["1", "0", None]
    assert text_of_numbers(np.array([1, 2.5, -0.0]), "c").to_list() == ["1.0", "2.5", "0.0"]


def test_numbers_where_training_had_texts():
    column = category("01", "1", "2.50", "x")
    assert levels_of_numbers(column, np.array([1, 2.5, 3, np.nan])).tolist() == [1, 2, -1, -1]
    assert levels_of_numbers(category("01", "x"), np.array([1.0])).tolist() == [0], "a reader dropped the 0"
    assert levels_of_numbers(category("False", "True", "maybe"), np.array([1.0, 0])).tolist() == [1, 0]


def test_numbers_for_words_are_refused():
    words = r"'c' must be a category, as in training \('a', 'b', 'd', …\); got numbers \(first 5 in row 2\)"
    column = category("a", "b", "d", "e")
    with pytest.raises(TableError, match=words):
        levels_of_numbers(column, np.array([np.nan, 5]))
    assert levels_of_numbers(column, np.array([np.nan, np.nan])).tolist() == [-1, -1]

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from chainrule.tables.leaks import tells_class, tells_number

GENERATOR = np.random.default_rng(0)
NUMBERS = GENERATOR.normal(size=1000)
CLASSES = GENERATOR.integers(1, 4, 1000)


def ranks(values):
    return np.unique(values, return_inverse=True)[1] + 1


@pytest.mark.parametrize("change", [np.exp, lambda y: -3 * y, lambda y: np.round(y, 2)])
def test_a_number_is_told_by_what_has_its_order(change):
    how = tells_number(ranks(change(NUMBERS)), ranks(NUMBERS), ordered=True)
    assert how.startswith("the order of its values is that of the target")


@given(st.floats(0.05, 10), st.integers(1, 100))
def test_a_number_is_not_told_by_a_measure_with_errors(noise, seed):
    column = NUMBERS + noise * np.random.default_rng(seed).normal(size=1000)
    assert tells_number(ranks(column), ranks(NUMBERS), ordered=True) is None


def test_a_number_is_told_by_a_function_in_any_order():
    codes = np.repeat(np.arange(1, 101), 10)
    y = GENERATOR.permutation(100)[codes - 1]
    assert tells_number(codes, ranks(y), ordered=False) == "rows that agree in it agree in the target"
    noisy = np.where(GENERATOR.random(1000) < 0.1, GENERATOR.permutation(y), y)
    assert tells_number(codes, ranks(noisy), ordered=False) is None


def test_all_different_values_tell_nothing_by_themselves():
    assert tells_number(GENERATOR.permutation(1000) + 1, ranks(NUMBERS), ordered=True) is None
    assert tells_number(np.arange(1, 1001), ranks(NUMBERS), ordered=False) is None
    assert tells_class(GENERATOR.permutation(1000) + 1, CLASSES, ordered=True) is None
    assert tells_class(np.arange(1, 1001), CLASSES, ordered=False) is None


def test_missing_values_leave_a_number_told():
    column = ranks(NUMBERS)
    column[:400] = 0
    assert tells_number(column, ranks(NUMBERS), ordered=True)
    column[:600] = 0
    assert tells_number(column, ranks(NUMBERS), ordered=True) is None, "most rows have no value"


def test_a_constant_target_or_column_is_not_told():
    same = np.ones(1000, int)
    assert tells_number(ranks(NUMBERS), same, ordered=True) is None
    assert tells_number(same, ranks(NUMBERS), ordered=True) is None
    assert tells_class(ranks(NUMBERS), same, ordered=True) is None


def test_a_class_is_told_by_its_other_name_with_a_few_slips():
    other = np.array([0, 3, 1, 2])[CLASSES]
    assert tells_class(other, CLASSES, ordered=False) == "rows that agree in it are of one class"
    other[:5] = CLASSES[:5]
    assert "but for" in tells_class(other, CLASSES, ordered=False)
    other[:100] = CLASSES[:100]
    assert tells_class(other, CLASSES, ordered=False) is None


def test_a_class_is_told_by_thresholds():
    column = CLASSES + GENERATOR.random(1000)
    assert "one after the other" in tells_class(ranks(column), CLASSES, ordered=True)
    assert tells_class(ranks(column), CLASSES, ordered=False) is None
    overlapping = CLASSES + 1.3 * GENERATOR.random(1000)
    assert tells_class(ranks(overlapping), CLASSES, ordered=True) is None


def test_a_class_is_told_by_missing_values():
    died = GENERATOR.random(1000) < 0.1
    date_of_death = np.where(died, GENERATOR.permutation(1000) + 1, 0)
    assert tells_class(date_of_death, died + 1, ordered=True)


@pytest.mark.parametrize("rows", [2, 10, 49])
def test_tiny_tables_tell_nothing(rows):
    assert tells_number(ranks(NUMBERS[:rows]), ranks(NUMBERS[:rows]), ordered=True) is None
    assert tells_class(CLASSES[:rows], CLASSES[:rows], ordered=True) is None


def test_a_rare_class_is_not_told_by_luck():
    rare = np.ones(1000, int)
    rare[:10] = 2
    assert tells_class(rare, rare, ordered=True) is None
    pairs = np.repeat(np.arange(1, 501), 2)
    assert tells_class(pairs, GENERATOR.permutation(np.repeat([1, 2], [950, 50])), ordered=True) is None


def test_few_levels_cannot_give_many_classes_away():
    numbers = np.random.default_rng(0)
    column, target = numbers.integers(0, 2, 400), numbers.permutation(np.arange(400) // 2)
    assert tells_class(column, target, ordered=True) is None

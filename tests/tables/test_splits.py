import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st
from sklearn.model_selection import train_test_split

from chainrule.errors import ArgumentError, TableError
from chainrule.tables.splits import cross_parts, validation_split

SEEDS = st.integers(0, 2**32 - 1)
FRACTIONS = st.floats(0.001, 0.999)


@given(st.lists(st.integers(0, 4), min_size=2, max_size=40), FRACTIONS, SEEDS, st.booleans())
def test_any_targets_split_into_two_sorted_parts(y, fraction, seed, stratify):
    y = np.array(y)
    training, validation = validation_split(y, fraction, seed, stratify=stratify)
    assert sorted([*training, *validation]) == list(range(len(y)))
    assert list(training) == sorted(training)
    assert list(validation) == sorted(validation)
    assert len(training) >= 1
    assert 1 <= len(validation) <= np.ceil(fraction * len(y))
    again = validation_split(y, fraction, seed, stratify=stratify)
    np.testing.assert_array_equal(training, again[0])
    if not stratify:
        assert len(validation) == min(np.ceil(fraction * len(y)), len(y) - 1)
    elif len(np.unique(y)) < len(y):
        assert set(y[training]) == set(y), "each class trains"


def test_plain_split_is_that_of_scikit_learn():
    training, validation = validation_split(np.zeros(50), 0.2, 7, stratify=False)
    expected = train_test_split(np.arange(50), test_size=0.2, random_state=7)
    np.testing.assert_array_equal(training, np.sort(expected[0]))
    np.testing.assert_array_equal(validation, np.sort(expected[1]))


def test_seeds_differ():
    splits = {tuple(validation_split(np.zeros(50), 0.2, seed, stratify=False)[1]) for seed in range(10)}
    assert len(splits) == 10


def test_stratified_parts_have_the_shares_of_the_whole():
    y = np.repeat(["a", "b", "c"], [100, 60, 40])
    _, validation = validation_split(y, 0.1, 0, stratify=True)
    assert np.unique(y[validation], return_counts=True)[1].tolist() == [10, 6, 4]


def test_a_class_with_one_row_trains_and_the_rest_is_stratified():
    y = np.array([0] * 50 + [1] * 50 + [2])
    training, validation = validation_split(y, 0.2, 0, stratify=True)
    assert 100 in training
    assert abs(int((y[validation] == 0).sum()) - int((y[validation] == 1).sum())) <= 1


def test_fewer_validation_rows_than_classes_keep_each_class_in_training():
    y = np.repeat(np.arange(10), 2)
    for seed in range(20):
        training, validation = validation_split(y, 0.3, seed, stratify=True)
        assert set(y[training]) == set(range(10))
        assert len(validation) == 6


def test_only_single_rows_split_without_strata():
    training, validation = validation_split(np.arange(10), 0.3, 0, stratify=True)
    assert (len(training), len(validation)) == (7, 3)


def test_targets_of_two_dimensions_are_classes_by_row():
    y = np.array([[0, 0], [0, 1], [1, 0], [1, 1]] * 10)
    _, validation = validation_split(y, 0.2, 0, stratify=True)
    assert np.unique(y[validation], axis=0, return_counts=True)[1].tolist() == [2, 2, 2, 2]


@pytest.mark.parametrize("fraction", [0, 1, -0.1, 1.5, float("nan")])
def test_fractions_outside_are_refused(fraction):
    with pytest.raises(ArgumentError, match=r"between 0 and 1.*got"):
        validation_split(np.zeros(5), fraction, 0, stratify=False)


@pytest.mark.parametrize("seed", [-1, 2**32, 0.5, None, np.random.default_rng(0)])
def test_seeds_other_than_integers_are_refused(seed):
    with pytest.raises(ArgumentError, match=r"seed.*integer from 0 to 4294967295"):
        validation_split(np.zeros(5), 0.5, seed, stratify=False)


@pytest.mark.parametrize("y", [[], [1], 3])
def test_too_few_rows_are_refused(y):
    with pytest.raises(TableError, match="at least 2 rows"):
        validation_split(np.array(y), 0.5, 0, stratify=True)


# By group and by time

GROUPS = st.lists(st.integers(0, 5), min_size=2, max_size=40).filter(lambda labels: len(set(labels)) > 1)


@given(GROUPS, FRACTIONS, SEEDS)
def test_groups_stay_together(groups, fraction, seed):
    groups = np.array(groups)
    parts = validation_split(groups, fraction, seed, stratify=False, groups=groups)
    training, validation = parts
    assert sorted([*training, *validation]) == list(range(len(groups)))
    assert not set(groups[training]) & set(groups[validation])
    assert len(training)
    assert len(validation)
    np.testing.assert_array_equal(
        validation, validation_split(groups, fraction, seed, stratify=True, groups=groups.astype(str))[1]
    )


def test_groups_are_drawn_by_seed_and_near_the_size():
    groups = np.repeat(np.arange(50), 4)
    drawn = [validation_split(groups, 0.2, seed, stratify=False, groups=groups)[1] for seed in range(10)]
    assert {len(part) for part in drawn} == {40}
    assert len({tuple(part) for part in drawn}) == 10
    large = np.repeat([0, 1], [100, 1])
    sizes = {len(validation_split(large, 0.01, seed, stratify=False, groups=large)[1]) for seed in range(9)}
    assert sizes == {1, 100}, "a group is never cut, however large"


@given(GROUPS, FRACTIONS, SEEDS)
def test_the_latest_validate(time, fraction, seed):
    time = np.array(time)
    training, validation = validation_split(time, fraction, seed, stratify=False, time=time)
    assert sorted([*training, *validation]) == list(range(len(time)))
    assert time[training].max() < time[validation].min()
    np.testing.assert_array_equal(training, np.sort(training))
    size = min(np.ceil(fraction * len(time)), len(time) - 1)
    possible = [(time >= moment).sum() for moment in np.unique(time)[1:]]
    assert abs(len(validation) - size) == min(abs(count - size) for count in possible)


def test_times_may_be_dates_or_texts():
    days = np.array(["2024-03-01", "2024-01-01", "2024-02-01", "2024-04-01"])
    german = np.array(["02.01.2024", "03.12.2023", "01.02.2024", "15.01.2024"])
    np.testing.assert_array_equal(validation_split(german, 0.5, 0, stratify=False, time=german)[1], [2, 3])
    for time in (days, days.astype("datetime64[D]"), days.astype(object)):
        training, validation = validation_split(days, 0.5, 0, stratify=False, time=time)
        assert (training.tolist(), validation.tolist()) == ([1, 2], [0, 3])


@pytest.mark.parametrize(
    ("options", "error", "words"),
    [
        ({"groups": [1, 1, 1]}, TableError, "groups must be at least two.*got one. Split at random"),
        ({"time": [1, 1, 1]}, TableError, "times must differ.*got one. Split at random"),
        ({"groups": [1, 2, 3], "time": [1, 2, 3]}, ArgumentError, "by groups or by time; got both"),
        (
            {"groups": [1, 2]},
            ArgumentError,
            r"groups must have a value for each of the 3 rows; got shape \(2,\)",
        ),
        ({"time": [[1], [2], [3]]}, ArgumentError, r"time must have a value for each.*got shape \(3, 1\)"),
        ({"time": ["x", "y", "z"]}, TableError, "time must be dates or numbers; got text such as 'x'. Write"),
        ({"time": [1, np.nan, 3]}, TableError, "time must be known in each row; row 2 has none"),
        ({"time": np.array(["2020", "2021", "NaT"], "M8[Y]")}, TableError, "time must be known.*; row 3 has"),
        ({"groups": ["a", None, "b"]}, TableError, "groups must be known in each row; row 2 has none"),
        ({"groups": ["a", pd.NA, "b"]}, TableError, "groups must be known in each row; row 2 has none"),
        (
            {"groups": np.array(["a", 1, 2], object)},
            ArgumentError,
            "groups must be of one kind; got int and str",
        ),
    ],
)
def test_groups_and_times_that_do_not_split(options, error, words):
    with pytest.raises(error, match=words):
        validation_split([1, 2, 3], 0.5, 0, stratify=False, **options)


@pytest.mark.parametrize("parts", [2, 5])
def test_parts_are_of_one_size_and_have_the_classes_in_proportion(parts):
    y = np.repeat(["a", "b", "c"], [50, 30, 3])
    dealt = cross_parts(y, parts, 0, stratify=True)
    sizes = np.bincount(dealt, minlength=parts)
    assert sizes.max() - sizes.min() <= 1
    for label, rows in (("a", 50), ("b", 30)):
        counts = np.bincount(dealt[y == label], minlength=parts)
        assert abs(counts - rows / parts).max() <= 1
    assert (dealt == cross_parts(y, parts, 0, stratify=True)).all()
    assert (dealt != cross_parts(y, parts, 1, stratify=True)).any()


def test_parts_keep_groups_together_and_are_no_more_than_groups():
    groups = np.arange(60) % 6
    dealt = cross_parts(np.zeros(60), 3, 0, stratify=False, groups=groups)
    assert all(len(set(dealt[groups == group])) == 1 for group in range(6))
    assert np.bincount(dealt).tolist() == [20, 20, 20]
    assert set(cross_parts(np.zeros(60), 9, 0, stratify=False, groups=groups)) == set(range(6))
    with pytest.raises(TableError, match="groups must be at least two"):
        cross_parts(np.zeros(3), 2, 0, stratify=False, groups=[1, 1, 1])

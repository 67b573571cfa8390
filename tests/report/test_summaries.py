import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from sklearn.metrics import confusion_matrix, roc_auc_score

from chainrule.report.summaries import MOST_CLASSES, MOST_POINTS, class_answers, number_answers

GENERATOR = np.random.default_rng(0)


@given(st.lists(st.floats(-1e300, 1e300), min_size=1, max_size=50), st.integers(0, 9))
def test_every_residual_is_counted_or_outside(values, seed):
    y = np.array(values)
    predictions = np.random.default_rng(seed).permutation(y)
    found = number_answers(y, predictions)
    assert found.counts.sum() + found.outside == found.rows == len(y)
    assert (np.diff(found.edges) > 0).all()
    assert len(found.counts) <= 34
    assert found.low <= min(found.true.min(), found.predicted.min())


def test_many_points_are_thinned_but_all_are_counted():
    y = GENERATOR.normal(size=10_000)
    found = number_answers(y, y + GENERATOR.normal(size=10_000))
    assert len(found.true) == MOST_POINTS
    assert found.rows == 10_000
    assert found.outside == pytest.approx(200, abs=80)
    assert 0.0 in np.abs(found.edges), "too high and too low are kept apart"


def test_what_is_not_finite_is_left_out():
    found = number_answers([1, np.nan, 3, 4], [1, 2, np.inf, 4])
    assert found.rows == 2
    assert number_answers([], []).rows == 0


def test_confusions_are_those_of_scikit_learn():
    codes, chosen = GENERATOR.integers(0, 5, (2, 500))
    found = class_answers(codes, chosen, "abcde")
    expected = confusion_matrix(codes, chosen)
    np.testing.assert_array_equal(found.matrix, expected)
    np.testing.assert_array_equal(found.right, np.diag(expected))
    true, said, count = found.confused[0]
    assert count == expected[true, said] == (expected - np.diag(np.diag(expected))).max()
    assert found.roc is None


def test_many_classes_have_no_matrix_but_their_commonest_confusions():
    codes = GENERATOR.integers(0, 1000, 5000)
    found = class_answers(codes, (codes + (GENERATOR.random(5000) < 0.3)) % 1000, range(1000))
    assert len(found.classes) > MOST_CLASSES
    assert found.matrix is None
    assert len(found.confused) == 12
    assert all((true + 1) % 1000 == said for true, said, _ in found.confused)
    assert found.rows.sum() == 5000


def test_classes_without_rows_are_kept():
    found = class_answers([0, 0], [0, 2], ["a", "b", "c"])
    assert found.rows.tolist() == [2, 0, 0]
    assert found.matrix.tolist() == [[1, 0, 1], [0, 0, 0], [0, 0, 0]]


@pytest.mark.parametrize("ties", [1, 0.1])
def test_the_area_under_the_curve_is_that_of_scikit_learn(ties):
    codes = GENERATOR.integers(0, 2, 2000)
    score = np.round((codes + GENERATOR.normal(size=2000)) / ties) * ties
    false, true = class_answers(codes, codes, ["no", "yes"], score).roc
    assert len(false) <= 200
    assert np.trapezoid(true, false) == pytest.approx(roc_auc_score(codes, score), abs=2e-3)


def test_one_class_has_no_roc_curve():
    assert class_answers([1, 1], [1, 1], ["no", "yes"], [0.5, 0.7]).roc is None

import numpy as np
import polars as pl
import pytest

from chainrule.errors import ArgumentError, TableError
from chainrule.report.importance import permutation_importance

GENERATOR = np.random.default_rng(0)


class Linear:
    """R² of a known linear model, which counts how often it is asked."""

    def __init__(self, X, weights):
        self.weights = weights
        self.y = self.predict(X)
        self.asked = 0
        self.rows = set()

    def predict(self, X):
        return sum(weight * X[name].to_numpy() for name, weight in self.weights.items())

    def __call__(self, X, rows):
        self.asked += 1
        self.rows.add(len(rows))
        error = self.y[rows] - self.predict(X)
        return 1 - np.square(error).sum() / np.square(self.y[rows] - self.y[rows].mean()).sum()


def table(columns, rows=500):
    return pl.DataFrame(GENERATOR.normal(size=(rows, columns)), schema=[f"c{k}" for k in range(columns)])


def test_what_matters_falls_as_theory_says():
    X = table(3)
    found = permutation_importance(Linear(X, {"c0": 2.0, "c2": 1.0}), X, "R²")
    assert [item.columns for item in found.single] == [("c0",), ("c2",), ("c1",)]
    # Shuffling doubles the variance that a column brings into the error: 2 · 4/5 and 2 · 1/5.
    assert [item.fall for item in found.single] == pytest.approx([1.6, 0.4, 0], abs=0.2)
    assert found.before == 1
    assert found.together is None
    assert 0 < found.single[0].spread < 0.2


def test_the_seed_decides():
    X = table(3)
    first, again, other = (
        permutation_importance(Linear(X, {"c0": 1.0}), X, "R²", seed=seed) for seed in (0, 0, 1)
    )
    assert first == again
    assert first != other


def test_rows_are_taken_that_the_score_can_find():
    X = table(2, rows=5000)
    score = Linear(X, {"c0": 1.0})
    found = permutation_importance(score, X, "R²")
    assert found.rows == 2000
    assert score.rows == {2000}
    assert found.before == 1, "rows and their numbers belong together"


def test_wide_tables_are_sought_through_in_groups():
    X = table(3000, rows=300)
    score = Linear(X, {"c17": 2.0, "c1234": 1.0, "c2999": 1.5})
    found = permutation_importance(score, X, "R²", columns=20, repeats=3)
    assert [item.columns for item in found.single[:3]] == [("c17",), ("c2999",), ("c1234",)]
    assert len(found.single) <= 20
    assert len(found.single) + len(found.together.columns) == 3000
    assert abs(found.together.fall) < 1e-9
    assert score.asked <= 1 + 20 + 2 * 2 * 20 + 21 * 3


def test_very_wide_tables_take_fewer_rows_and_questions():
    X = table(10_000, rows=500)
    score = Linear(X, {"c5": 1.0})
    found = permutation_importance(score, X, "R²", repeats=1)
    assert found.rows == 400
    assert score.asked <= 1 + 10 + 2 * 2 * 10 + 11


def test_columns_beyond_what_is_looked_at_are_shuffled_together():
    X = table(6)
    score = Linear(X, {f"c{k}": 1.0 for k in range(6)})
    found = permutation_importance(score, X, "R²", columns=4)
    assert len(found.single) == 4
    assert found.together.fall > found.single[0].fall


@pytest.mark.parametrize("columns", [1, 60])
def test_scores_without_a_value_are_no_obstacle(columns):
    found = permutation_importance(lambda X, rows: None, table(3), "R²", columns=columns)
    assert np.isnan(found.before)
    assert all(np.isnan(item.fall) for item in found.single)


def test_one_row_can_be_shuffled():
    X = table(2, rows=1)
    assert [i.fall for i in permutation_importance(lambda X, rows: 0.5, X, "accuracy").single] == [0, 0]


def test_wrong_arguments_are_refused():
    with pytest.raises(ArgumentError, match=r"repeats must be 1 or more; got 0"):
        permutation_importance(lambda X, rows: 1, table(2), "R²", repeats=0)
    with pytest.raises(TableError, match=r"X must have rows and columns; got 0 × 2"):
        permutation_importance(lambda X, rows: 1, table(2)[:0], "R²")

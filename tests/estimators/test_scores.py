import numpy as np
import pytest
from sklearn import metrics

from chainrule import DeepClassifier, DeepRegressor
from chainrule.errors import TableError
from chainrule.estimators.scores import (
    baseline_of,
    classification_scores,
    compare,
    point_predictions,
    quantile_levels,
    regression_scores,
)
from chainrule.estimators.uncertainty import regression_intervals
from chainrule.mathematics.losses import find_loss

NUMBERS = np.random.default_rng(0)
X = NUMBERS.normal(size=(50, 2))
Y = X[:, 0] + NUMBERS.normal(size=50)
SMALL = {"max_iter": 2, "random_state": 0}


def test_regression_scores_are_those_of_scikit_learn() -> None:
    predictions = Y + NUMBERS.normal(size=50)
    scores = regression_scores(Y, predictions)
    assert scores["rmse"] == pytest.approx(metrics.root_mean_squared_error(Y, predictions))
    assert scores["mae"] == pytest.approx(metrics.mean_absolute_error(Y, predictions))
    assert scores["r2"] == pytest.approx(metrics.r2_score(Y, predictions))


def test_scores_in_any_unit() -> None:
    y, predictions = np.arange(20.0), np.arange(20.0) + 0.5
    scores, tiny = regression_scores(y, predictions), regression_scores(y * 1e-300, predictions * 1e-300)
    intervals = regression_intervals(y, predictions)
    assert tiny["r2"] == pytest.approx(scores["r2"])
    for name, unit in (("rmse", 1e-300), ("mae", 1e-300), ("r2", 1)):
        assert tiny[name] == pytest.approx(scores[name] * unit, rel=1e-9, abs=0)
        ends = np.array(regression_intervals(y * 1e-300, predictions * 1e-300)[name])
        np.testing.assert_allclose(ends, np.array(intervals[name]) * unit, rtol=1e-9)


def test_a_constant_target_has_no_r2() -> None:
    assert regression_scores(np.ones(3), np.zeros(3)) == {"rmse": 1.0, "mae": 1.0, "r2": None}


@pytest.mark.parametrize("classes", [2, 4])
def test_classification_scores_are_those_of_scikit_learn(classes: int) -> None:
    p = NUMBERS.dirichlet(np.ones(classes), size=50)
    codes, chosen = NUMBERS.integers(0, classes, 50), p.argmax(axis=1)
    scores = classification_scores(codes, chosen, p)
    assert scores["accuracy"] == pytest.approx(metrics.accuracy_score(codes, chosen))
    assert scores["log_loss"] == pytest.approx(metrics.log_loss(codes, p, labels=range(classes)))
    if classes == 2:
        assert scores["roc_auc"] == pytest.approx(metrics.roc_auc_score(codes, p[:, 1]))
    else:
        assert "roc_auc" not in scores


def test_scores_without_probabilities() -> None:
    codes, decision = np.array([0, 1, 1, 0]), np.array([-1.0, 2.0, -0.5, -3.0])
    scores = classification_scores(codes, (decision > 0).astype(int), None, decision)
    assert scores == {"accuracy": 0.75, "roc_auc": 1.0}


def test_a_wrong_certainty_costs_much_but_not_everything() -> None:
    scores = classification_scores(np.array([0, 0]), np.array([1, 1]), np.array([[0.0, 1.0], [0.0, 1.0]]))
    assert 30 < scores["log_loss"] < 40
    assert scores["roc_auc"] is None


def test_regression_beside_the_mean_of_training() -> None:
    y = np.stack([Y, 10 * Y + 3], axis=1)
    model = DeepRegressor((4,), **SMALL).fit(X, y)
    baseline = baseline_of(model, y)
    assert baseline == pytest.approx(y.mean(axis=0).tolist())
    new = X[:20] + 1
    first, second = compare(model, new, y[:20], baseline)
    assert first.model == regression_scores(y[:20, 0], model.predict(new)[:, 0])
    assert second.model == regression_scores(y[:20, 1], model.predict(new)[:, 1])
    assert second.baseline == regression_scores(y[:20, 1], np.full(20, baseline[1]))
    assert compare(model, new, y[:20])[0].baseline["r2"] == pytest.approx(0)  # the mean of these rows


def test_classes_beside_the_majority_of_training() -> None:
    y = np.array(["a", "b", "c", "a", "a"] * 10)
    model = DeepClassifier((4,), **SMALL).fit(X, y)
    baseline = baseline_of(model, y)
    assert baseline == pytest.approx([0.6, 0.2, 0.2])
    [comparison] = compare(model, X, y, baseline)
    assert comparison.model["accuracy"] == model.score(X, y)
    assert comparison.baseline["accuracy"] == 0.6
    entropy = -(0.6 * np.log(0.6) + 0.4 * np.log(0.2))
    assert comparison.baseline["log_loss"] == pytest.approx(entropy)
    with pytest.raises(TableError, match=r"column 'kind' .*'d' in row 1"):
        compare(model, X[:1], np.array(["d"]), baseline, ("kind",))


def test_labels_one_by_one() -> None:
    y = (np.stack([Y, X[:, 1] - 1], axis=1) > 0).astype(int)
    model = DeepClassifier((4,), **SMALL).fit(X, y)
    baseline = baseline_of(model, y)
    assert baseline == pytest.approx(y.mean(axis=0).tolist())
    p = model.predict_proba(X)
    for k, comparison in enumerate(compare(model, X, y, baseline)):
        assert comparison.model["accuracy"] == pytest.approx((model.predict(X)[:, k] == y[:, k]).mean())
        assert comparison.model["log_loss"] == pytest.approx(metrics.log_loss(y[:, k], p[:, k]))
        assert comparison.model["roc_auc"] == pytest.approx(metrics.roc_auc_score(y[:, k], p[:, k]))
        assert comparison.baseline["accuracy"] == pytest.approx(max(baseline[k], 1 - baseline[k]))


def test_of_several_quantiles_the_middle_one_is_scored() -> None:
    model = DeepRegressor((4,), loss="quantile(0.1, 0.6, 0.95)", **SMALL).fit(X, np.stack([Y, 2 * Y], axis=1))
    predictions = model.predict(X)
    assert np.array_equal(point_predictions(model, predictions), predictions[:, 2:4])


def test_quantile_levels() -> None:
    assert quantile_levels(find_loss("quantile(0.1, 0.5)")) == (0.1, 0.5)
    assert quantile_levels(find_loss("squared_error")) == ()


def test_a_certain_answer_that_is_right_loses_nothing_rather_than_less():
    found = classification_scores(np.zeros(3, int), np.zeros(3, int), np.tile([1.0, 0.0], (3, 1)))
    assert str(found["log_loss"]) == "0.0"

import numpy as np
import pytest

from chainrule import DeepClassifier, DeepRegressor
from chainrule.errors import ArgumentError
from chainrule.estimators.prediction_table import prediction_table

X = np.random.default_rng(0).normal(size=(40, 2))
Y = X[:, 0]
SMALL = {"max_iter": 2, "random_state": 0}


def test_one_column_for_each_target() -> None:
    model = DeepRegressor((4,), **SMALL).fit(X, X)
    table = prediction_table(model, X, ["a", "b"])
    assert table.columns == ["a", "b"]
    assert np.array_equal(table.to_numpy(), model.predict(X))


def test_quantiles_level_by_level() -> None:
    model = DeepRegressor((4,), loss="quantile(0.1, 0.9)", **SMALL).fit(X, X)
    table = prediction_table(model, X, ["a", "b"])
    levels = [f"{name} (quantile {level})" for level in (0.1, 0.9) for name in "ab"]
    assert table.columns == levels
    assert np.array_equal(table.to_numpy(), model.predict(X))


def test_means_and_standard_deviations() -> None:
    model = DeepRegressor((4,), loss="gaussian_nll", **SMALL).fit(X, Y)
    table = prediction_table(model, X, ["y"])
    mean, deviation = model.predict(X, return_std=True)
    assert table.columns == ["y", "y (standard deviation)"]
    assert np.array_equal(table.to_numpy(), np.stack([mean, deviation], axis=1))


def test_classes_and_their_probabilities() -> None:
    model = DeepClassifier((4,), **SMALL).fit(X, Y > 0)
    assert prediction_table(model, X, ["y"])["y"].to_list() == model.predict(X).tolist()
    table = prediction_table(model, X, ["y"], probabilities=True)
    assert table.columns == ["y", "y = false", "y = true"]
    assert np.array_equal(table[:, 1:].to_numpy(), model.predict_proba(X))


def test_labels_and_their_probabilities() -> None:
    model = DeepClassifier((4,), **SMALL).fit(X, (X > 0).astype(int))
    assert np.array_equal(prediction_table(model, X, ["a", "b"]).to_numpy(), model.predict(X))
    table = prediction_table(model, X, ["a", "b"], probabilities=True)
    assert table.columns == ["a", "b", "a = 1", "b = 1"]
    assert np.array_equal(table[:, :2].to_numpy(), model.predict(X))
    assert np.array_equal(table[:, 2:].to_numpy(), model.predict_proba(X))


def test_no_probabilities_to_give() -> None:
    regressor = DeepRegressor((4,), **SMALL).fit(X, Y)
    with pytest.raises(ArgumentError, match="no classes"):
        prediction_table(regressor, X, ["y"], probabilities=True)
    hinge = DeepClassifier((4,), loss="hinge", **SMALL).fit(X, Y > 0)
    with pytest.raises(ArgumentError, match="'hinge' has no probabilities"):
        prediction_table(hinge, X, ["y"], probabilities=True)

import pickle
from contextlib import nullcontext

import jax
import numpy as np
import pandas as pd
import polars as pl
import pytest
from scipy.special import softmax
from sklearn.datasets import load_breast_cancer, load_iris, load_wine
from sklearn.linear_model import LogisticRegression
from sklearn.metrics import log_loss
from sklearn.model_selection import cross_val_score, train_test_split
from sklearn.preprocessing import StandardScaler

from chainrule import DeepClassifier
from chainrule.errors import ArgumentError, TableError


def small(**options):
    quick = {"hidden_layer_sizes": (8,), "max_iter": 30, "numeric_embedding": None}
    return DeepClassifier(**quick | {"n_members": 1, "random_state": 0} | options)


@pytest.fixture(scope="module")
def table():
    numbers = np.random.default_rng(0)
    X = numbers.normal(size=(200, 3))
    return X, (X[:, 0] * X[:, 1] > 0).astype(int)


@pytest.fixture(scope="module")
def three():
    numbers = np.random.default_rng(1)
    X = numbers.normal(size=(150, 2))
    return X, np.array(["high", "low", "mid"])[np.digitize(X[:, 0] + X[:, 1], [-0.6, 0.6])]


def bits(model):
    return [np.asarray(leaf).tobytes() for leaf in jax.tree.leaves(model.parameters_)]


# What it learns


@pytest.mark.parametrize(
    ("load", "accuracy"),
    [
        (load_iris, 0.92),
        pytest.param(load_wine, 0.95, marks=pytest.mark.long),
        pytest.param(load_breast_cancer, 0.94, marks=pytest.mark.long),
    ],
)
def test_real_tables(load, accuracy):
    X, y = load(return_X_y=True)
    X, X_test, y, y_test = train_test_split(X, y, random_state=1, stratify=y)
    model = DeepClassifier((32,), random_state=0).fit(X, y)
    assert model.score(X_test, y_test) > accuracy
    assert log_loss(y_test, model.predict_proba(X_test)) < 0.3


def test_beats_the_linear_model_where_the_truth_is_curved(table):
    X, y = table
    assert (
        DeepClassifier((32,), n_members=1, random_state=0).fit(X[:150], y[:150]).score(X[150:], y[150:])
        > 0.85
    )
    assert LogisticRegression().fit(X[:150], y[:150]).score(X[150:], y[150:]) < 0.7


@pytest.mark.parametrize("classes", [2, 3])
def test_lbfgs_without_hidden_layers_is_logistic_regression(three, classes):
    X, y = three
    y = y if classes == 3 else np.where(y == "mid", "low", y)
    X = StandardScaler().fit_transform(X)
    noisy = np.where(
        np.random.default_rng(2).random(150) < 0.2, np.roll(y, 1), y
    )  # so that no slope is infinite
    model = small(hidden_layer_sizes=(), solver="lbfgs", max_iter=100, scaling="standard").fit(X, noisy)
    linear = LogisticRegression(C=1e8, tol=1e-8, max_iter=1000).fit(X, noisy)
    np.testing.assert_allclose(model.predict_proba(X), linear.predict_proba(X), atol=2e-3)


def test_labels_of_which_several_hold(table):
    X, y = table
    Y = np.column_stack([y, X[:, 2] > 0, np.ones(200)]).astype(int)
    model = DeepClassifier((32,), n_members=1, random_state=0).fit(X, Y)
    assert (
        model.predict(X).shape == model.predict_proba(X).shape == model.decision_function(X).shape == (200, 3)
    )
    assert (model.predict(X) == Y).mean() > 0.95
    np.testing.assert_array_equal(model.predict(X), model.predict_proba(X) > 0.5)
    with pytest.raises(TableError, match="several columns of classes"):
        small().fit(X, np.column_stack([y + 1, y * 2]))
    with pytest.raises(TableError, match="y must have 3 columns"):
        small().fit(X, Y, X_val=X, y_val=Y[:, :2])


# Classes and probabilities


@pytest.mark.parametrize(
    "classes",
    [["no", "yes"], [0, 1], [-1, 1], [5, 7], [False, True], [0.0, 2.0], ["10", "9"]],
    ids=str,
)
def test_two_classes_of_any_kind(table, classes):
    X, y = table
    model = small(max_iter=60).fit(X, np.array(classes)[y])
    assert list(model.classes_) == sorted(classes)
    predictions, decision = model.predict(X), model.decision_function(X)
    assert predictions.dtype == np.array(classes).dtype
    assert decision.shape == (200,)
    np.testing.assert_array_equal(predictions, model.classes_[(decision > 0).astype(int)])
    np.testing.assert_allclose(model.predict_proba(X)[:, 1], 1 / (1 + np.exp(-decision)), rtol=1e-5)


def test_probabilities_close_to_0_and_1_stay_apart_from_them(table):
    X, _ = table
    noisy = X[:, 0] + np.random.default_rng(7).normal(size=200) > 0
    model = small(solver="lbfgs", hidden_layer_sizes=(), max_iter=60, scaling="standard").fit(X, noisy)
    far = X * 25 / np.median(abs(model.decision_function(X)))
    p, decision = model.predict_proba(far), model.decision_function(far)
    sure = (abs(decision) > 20) & (abs(decision) < 30)
    np.testing.assert_allclose(p[sure].min(axis=1), np.exp(-abs(decision[sure])), rtol=1e-2)
    assert sure.sum() > 1


def test_three_classes(three):
    X, y = three
    model = small(max_iter=60).fit(X, y)
    assert list(model.classes_) == ["high", "low", "mid"]
    p = model.predict_proba(X)
    assert p.shape == model.decision_function(X).shape == (150, 3)
    np.testing.assert_allclose(p.sum(axis=1), 1, rtol=1e-12)
    np.testing.assert_array_equal(model.predict(X), model.classes_[p.argmax(axis=1)])
    np.testing.assert_allclose(np.exp(model.predict_log_proba(X)), p)
    assert model.score(X, y) > 0.8


@pytest.mark.parametrize("make", [pd.Series, pl.Series, list, lambda y: pd.Series(y, dtype="category")])
def test_targets_of_any_container(three, make):
    X, y = three
    expected = small(max_iter=2).fit(X, y)
    model = small(max_iter=2).fit(X, make(list(y)))
    np.testing.assert_array_equal(model.predict(X), expected.predict(X))
    assert bits(model) == bits(expected)


def test_frames_with_texts_and_missing_values():
    numbers = np.random.default_rng(3)
    city = numbers.choice(["Rome", "Oslo"], 100)
    frame = pd.DataFrame({"city": city, "size": np.where(np.arange(100) % 9 == 0, np.nan, 1.0)})
    frame.loc[3, "city"] = None
    model = small(max_iter=60).fit(frame, np.where(city == "Oslo", "cold", "warm"))
    assert list(model.predict(pd.DataFrame({"city": ["Oslo", "Rome"], "size": [1.0, None]}))) == [
        "cold",
        "warm",
    ]


@pytest.mark.parametrize(
    ("y", "sentence"),
    [
        (["a", "a", "a", "a"], "at least two classes; got one class"),
        ([0.0, np.nan, 1.0, 0.0], "NaN"),
        ([0.0, np.inf, 1.0, 0.0], "must be finite; got inf in row 2"),
        ([0.1, 0.2, 0.3, 0.7], "continuous"),
    ],
)
def test_targets_that_are_no_classes_are_refused(y, sentence):
    with pytest.raises(ValueError, match=sentence):
        small().fit(np.eye(4), y)


def test_an_unknown_class_in_y_val_is_refused(three):
    X, y = three
    strange = y.astype(object)
    strange[7] = "huge"
    with pytest.raises(
        TableError, match=r"y must be one of the classes .*got 'huge' in row 8. Leave such rows"
    ):
        small().fit(X, y, X_val=X, y_val=strange)
    assert small(max_iter=2).fit(X, y, X_val=X[y == "low"], y_val=y[y == "low"]).n_iter_ == 2


# Losses


@pytest.mark.parametrize(
    "loss", ["focal", "softmax_cross_entropy", "squared_hinge", "hinge", "binary_cross_entropy"]
)
def test_losses_learn_two_classes_and_three(table, three, loss):
    for X, y in (table, three):
        model = small(hidden_layer_sizes=(16,), loss=loss, max_iter=150).fit(X, y)
        assert model.score(X, y) > 0.85
        if "hinge" not in loss:
            p = model.predict_proba(X)
            assert p.shape == (len(X), len(model.classes_))
            np.testing.assert_allclose(p.sum(axis=1), 1, rtol=1e-12)
            np.testing.assert_array_equal(model.predict(X), model.classes_[p.argmax(axis=1)])


@pytest.mark.parametrize("loss", ["hinge", "squared_hinge", "(y_hat - y)**2"])
def test_losses_without_probabilities_have_no_predict_proba(table, loss):
    model = small(loss=loss, max_iter=2)
    assert not hasattr(model, "predict_proba")
    assert not hasattr(model, "predict_log_proba")
    assert set(model.fit(*table).predict(table[0])) <= {0, 1}
    assert hasattr(small(), "predict_proba")


def test_losses_for_numbers_are_refused(table):
    with pytest.raises(ArgumentError, match="loss must be one for classes; got 'poisson'"):
        small(loss="poisson").fit(*table)
    Y = np.column_stack([table[1], 1 - table[1]])
    with pytest.raises(ArgumentError, match="single outputs for several labels; got 'softmax"):
        small(loss="softmax_cross_entropy").fit(table[0], Y)


def test_label_smoothing_makes_less_certain(table):
    X, y = table
    X, certain = X[:, :1], (X[:, 0] > 0).astype(int)
    plain, smooth = (
        small(label_smoothing=e, solver="lbfgs", max_iter=70, early_stopping=False).fit(X, certain)
        for e in (0.0, 0.2)
    )
    far = abs(X[:, 0]) > 0.5
    assert plain.predict_proba(X[far]).max(axis=1).min() > 0.99
    np.testing.assert_allclose(smooth.predict_proba(X[far]).max(axis=1), 0.9, atol=0.07)
    with pytest.raises(ArgumentError, match="label_smoothing must be 0 with the loss 'hinge'"):
        small(label_smoothing=0.1, loss="hinge").fit(X, y)


# Weights

FULL = {"solver": "lbfgs", "hidden_layer_sizes": (), "max_iter": 60, "alpha": 1.0, "early_stopping": False}


def test_rows_of_weight_0_are_left_out(three):
    X, y = three
    weight, spoilt = np.ones(150), y.astype(object)
    weight[100:], spoilt[100:] = 0, "nonsense"
    assert bits(small().fit(X, spoilt, weight)) == bits(small().fit(X[:100], y[:100]))


def test_a_class_weight_multiplies_the_weights_of_its_rows(three):
    X, y = three
    low = np.where(y == "low", 3.0, 1.0)
    # Weights of rows enter the encoder too, class weights only the loss; with equal weights all is equal.
    by_class = small(**FULL, class_weight={"low": 3.0}).fit(X, y)
    plain = small(**FULL).fit(X, y)
    assert by_class.predict_proba(X)[:, 1].mean() > plain.predict_proba(X)[:, 1].mean() + 0.01
    both = small(**FULL, class_weight={"low": 1 / 3.0}).fit(X, y, low)
    assert both.predict_proba(X)[:, 1].mean() == pytest.approx(plain.predict_proba(X)[:, 1].mean(), abs=5e-3)


def test_a_weight_of_2_is_the_row_twice(three):
    X, y = three
    # Noise, so that the solution is one, and finite.
    y = np.where(np.random.default_rng(4).random(150) < 0.3, np.roll(y, 1), y)
    options = {**FULL, "alpha": 0.0, "max_iter": 100}
    weighted = small(**options).fit(X, y, np.where(np.arange(150) < 50, 2.0, 1.0))
    twice = small(**options).fit(np.vstack([X, X[:50]]), np.append(y, y[:50]))
    np.testing.assert_allclose(weighted.predict_proba(X), twice.predict_proba(X), atol=1e-3)
    assert abs(small(**options).fit(X, y).predict_proba(X) - twice.predict_proba(X)).max() > 1e-2


def test_balanced_lifts_the_rare_class():
    numbers = np.random.default_rng(5)
    X = numbers.normal(size=(300, 2))
    y = (X[:, 0] + numbers.normal(size=300) > 1.8).astype(int)
    assert 0 < y.mean() < 0.15
    plain, balanced, by_dict = (
        small(**FULL, class_weight=weight).fit(X, y)
        for weight in (None, "balanced", {0: 0.5 / (1 - y.mean()), 1: 0.5 / y.mean()})
    )
    assert plain.predict(X).mean() < y.mean() < balanced.predict(X).mean()
    np.testing.assert_allclose(balanced.predict_proba(X), by_dict.predict_proba(X), atol=1e-5)


def test_balanced_counts_weights_as_rows(three):
    X, y = three
    y = np.where(np.random.default_rng(6).random(150) < 0.3, np.roll(y, 1), y)
    options = {**FULL, "alpha": 0.0, "max_iter": 100, "class_weight": "balanced"}
    weighted = small(**options).fit(X, y, np.where(np.arange(150) < 50, 2.0, 1.0))
    twice = small(**options).fit(np.vstack([X, X[:50]]), np.append(y, y[:50]))
    np.testing.assert_allclose(weighted.predict_proba(X), twice.predict_proba(X), atol=1e-3)


# Epochs, validation, going on


def test_the_validation_part_keeps_the_classes_in_proportion(three):
    X, y = three
    model = small(early_stopping=True, validation_fraction=0.2, max_iter=200).fit(X, y)
    assert len(model.validation_scores_) == model.n_iter_
    assert model.best_iteration_ == np.argmax(model.validation_scores_) + 1
    rare = np.where(np.arange(150) < 3, "high", "low")
    assert set(small(early_stopping=True, max_iter=1).fit(X, rare).classes_) == {"high", "low"}


def test_rows_of_one_s_own_validate(three):
    X, y = three
    model = small(max_iter=5).fit(X[:100], y[:100], X_val=X[100:], y_val=y[100:])
    p = softmax(model.decision_function(X[100:]) * model.temperature_, axis=1)
    loss = log_loss(y[100:], p, labels=model.classes_)
    assert -max(model.validation_scores_) == pytest.approx(loss, rel=1e-4)


def test_partial_fit(three):
    X, y = three
    model = small(learning_rate_init=0.02)
    with pytest.raises(ArgumentError, match="classes must be passed on the first call"):
        model.partial_fit(X, y)
    low = y == "low"
    model.partial_fit(X[low], y[low], classes=["mid", "low", "high"])
    assert list(model.classes_) == ["high", "low", "mid"]
    assert model.predict_proba(X).shape == (150, 3)
    for _ in range(30):
        model.partial_fit(X, y)
    assert model.score(X, y) > 0.8
    assert model.n_iter_ == 31
    with pytest.raises(ArgumentError, match="classes must be as in the first call"):
        model.partial_fit(X, y, classes=["low", "high"])
    with pytest.raises(TableError, match="got 'huge' in row 1"):
        model.partial_fit(X[:2], ["huge", "low"])


def test_a_first_partial_fit_that_fails_leaves_nothing_behind(three):
    X, y = three
    model = small(max_iter=2)
    with pytest.raises(TableError, match="got 'high'"):
        model.partial_fit(X[y != "mid"], y[y != "mid"], classes=["low", "mid"])
    assert not hasattr(model, "classes_")
    assert list(model.fit(X, y).classes_) == ["high", "low", "mid"]


def test_warm_start_keeps_the_classes(three):
    X, y = three
    model = small(warm_start=True, max_iter=3).fit(X, y)
    low = y != "high"
    assert model.fit(X[low], y[low]).predict_proba(X).shape == (150, 3)
    assert model.n_iter_ == 6
    with pytest.raises(TableError, match="got 'huge'"):
        model.fit(X, np.where(low, y, "huge"))


# The contract


def test_random_state_decides_every_bit(three):
    one, same, other = (small(random_state=seed, max_iter=3).fit(*three) for seed in (1, 1, 2))
    assert bits(one) == bits(same) != bits(other)


@pytest.mark.parametrize("loss", ["auto", "focal(2)", "hinge", "(y_hat - y)**2"])
def test_pickle(three, loss):
    X, y = three
    model = small(max_iter=2, loss=loss).fit(X, y)
    copy = pickle.loads(pickle.dumps(model))
    np.testing.assert_array_equal(copy.predict(X), model.predict(X))
    assert hasattr(copy, "predict_proba") == ("hinge" not in loss and "y_hat" not in loss)


def test_a_row_s_prediction_does_not_depend_on_its_neighbours(three):
    X, y = three
    model = small().fit(X, y)
    together = model.predict_proba(np.tile(X, (10, 1)))
    np.testing.assert_array_equal(model.predict_proba(X[17:18])[0], together[17])
    np.testing.assert_array_equal(together[17], together[17 + 150 * 9])


def test_cross_validation(three):
    assert cross_val_score(small(max_iter=60), *three, cv=3).mean() > 0.75
    scores = cross_val_score(small(max_iter=60), *three, cv=3, scoring="neg_log_loss")
    assert np.isfinite(scores).all()


@pytest.mark.parametrize(
    ("y", "scoring", "there_are"),
    [
        (["a", "b"] * 10, "f1", "two classes there are accuracy, f1_macro, neg_log_loss and roc_auc."),
        (["a", "b", "c", "a"] * 5, "roc_auc", "classes there are .* and roc_auc_ovr"),
        ([[0, 1], [1, 0]] * 10, "average_precision", None),
        ([[0, 1], [1, 0]] * 10, "matthews_corrcoef", "labels there are accuracy, f1_macro and average_prec"),
    ],
)
@pytest.mark.filterwarnings("ignore:scoring must be judged")
def test_a_score_that_does_not_fit_is_refused_with_those_that_do(y, scoring, there_are):
    model, X = small(max_iter=1, scoring=scoring), np.arange(20.0)[:, None]
    with pytest.raises(ArgumentError, match=there_are) if there_are else nullcontext():
        model.fit(X, y)


# Calibration and sets


def noisy_classes(rows, seed=0):
    numbers = np.random.default_rng(seed)
    X = numbers.normal(size=(rows, 3))
    logits = np.stack([X[:, 0], X[:, 1], 0.5 * X[:, 2]], axis=1) * 1.5
    return X, np.array(["a", "b", "c"])[(logits + numbers.gumbel(size=(rows, 3))).argmax(axis=1)]


def test_a_temperature_calibrates_a_model_that_is_too_sure():
    X, y = noisy_classes(1200)
    sure = small(early_stopping=False)
    sure.fit(X[:400], y[:400])
    assert sure.temperature_ == 1
    held = small(
        hidden_layer_sizes=(32, 32),
        max_iter=60,
        dropout=0.0,
        weight_decay=0.0,
        scoring=lambda model, X, y: model.n_iter_,
        validation_fraction=0.5,
    )
    held.fit(X[:800], y[:800])
    before, after = held.calibration_error_
    assert after <= before + 0.01
    assert held.temperature_ > 1
    p = held.predict_proba(X)
    np.testing.assert_allclose(p.sum(axis=1), 1)
    np.testing.assert_array_equal(held.classes_[p.argmax(axis=1)], held.predict(X))


def test_sets_hold_the_class_as_often_as_they_say():
    X, y = noisy_classes(3000)
    model = DeepClassifier((16,), max_iter=10, validation_fraction=0.3, random_state=0)
    model.fit(X[:2000], y[:2000])
    codes = np.searchsorted(model.classes_, y[2000:])
    for coverage in (0.7, 0.9):
        sets = model.predict_set(X[2000:], coverage)
        held = sets[np.arange(1000), codes].mean()
        assert abs(held - coverage) < 4 * np.sqrt(coverage * (1 - coverage) * (1 / 600 + 1 / 1000))
        assert sets.any(axis=1).all()
    assert model.predict_set(X, 0.95).sum() > model.predict_set(X, 0.7).sum()
    adaptive = model.predict_set(X[2000:], 0.9, method="adaptive")
    assert abs(adaptive[np.arange(1000), codes].mean() - 0.9) < 4 * np.sqrt(0.09 * (1 / 600 + 1 / 1000))
    assert adaptive.sum() > model.predict_set(X[2000:], 0.9).sum()
    with pytest.raises(ArgumentError, match="method must be one of least_likely, adaptive"):
        model.predict_set(X, method="best")
    assert not model.predict_set(X, 0.3, allow_empty=True).any(axis=1).all()


def test_sets_that_cannot_be():
    X, y = noisy_classes(300)
    alone = small(early_stopping=False).fit(X, y)
    with pytest.raises(ArgumentError, match="predict_set must know how far off"):
        alone.predict_set(X)
    labels = small(early_stopping=True).fit(X, (X > 0).astype(int))
    assert labels.temperature_ > 0
    with pytest.raises(ArgumentError, match="the model has several labels"):
        labels.predict_set(X)
    few = small(early_stopping=True).fit(X, y)
    with pytest.warns(UserWarning, match="each set has all classes"):
        assert few.predict_set(X, 0.99).all()
    assert not hasattr(small(loss="hinge"), "predict_set")


def test_balanced_weights_count_in_the_loss_but_not_in_the_guarantee():
    X, y = noisy_classes(2000)
    rare = np.where(y == "a", "rare", "often")
    rare[np.flatnonzero(rare == "rare")[::2]] = "often"
    model = small(class_weight="balanced", early_stopping=True, validation_fraction=0.3).fit(X, rare)
    plain = small(early_stopping=True, validation_fraction=0.3).fit(X, rare)
    assert (model.predict(X) == "rare").mean() > (plain.predict(X) == "rare").mean()
    codes = np.searchsorted(model.classes_, rare)
    assert model.predict_set(X, 0.9)[np.arange(2000), codes].mean() > 0.85


@pytest.mark.parametrize("weights", [{"other": 2}, {"no": "much"}])
def test_weights_of_other_classes_are_refused(weights):
    model = DeepClassifier((4,), max_iter=1, class_weight=weights)
    with pytest.raises(
        ArgumentError, match=r"class_weight must be None, 'balanced', or a dict.*\['no', 'yes'\]; got"
    ):
        model.fit(np.arange(4.0)[:, None], ["no", "yes"] * 2)

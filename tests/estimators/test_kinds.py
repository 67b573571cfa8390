"""Few rows: members that see numbers in bins, and smooth twins that do not."""

import numpy as np
import pytest

from chainrule import DeepClassifier, DeepRegressor
from chainrule.estimators import kinds, recipes

NUMBERS = np.random.default_rng(0)
X = NUMBERS.normal(size=(240, 3))
SMOOTH = X @ [1.0, -2.0, 0.5] + NUMBERS.normal(size=240)
JAGGED = np.sign(np.sin(9 * X[:, 0]))
SMALL = {"hidden_layer_sizes": (16,), "random_state": 0}


def stretches_of_bins(model):
    """For each member, the stretches behind the bins of the three columns."""
    stretch = np.asarray(model.members_[0][1].stretch)
    assert stretch.shape[0] == model.n_members_
    return stretch


def test_a_smooth_target_is_left_to_twins_whose_bins_stay_hidden():
    model = DeepRegressor(**SMALL).fit(X, SMOOTH)
    smooth = (stretches_of_bins(model) == 0).all(axis=1)
    np.testing.assert_array_equal(model.smooth_members_, smooth)
    assert model.n_members_ == model.folds_.members
    assert smooth.sum() == 5
    usual = DeepRegressor(n_members=5, **SMALL).fit(X, SMOOTH)
    assert (stretches_of_bins(usual) != 0).all()
    assert not usual.smooth_members_.any()
    asked = model.unseen(X)
    assert (
        np.square(model.predict(asked) - SMOOTH).mean()
        < np.square(usual.predict(usual.unseen(X)) - SMOOTH).mean()
    )


def test_twins_do_not_feel_where_in_a_bin_or_in_which_a_number_is():
    """What such a network says depends on the plain numbers alone."""
    model = DeepRegressor(**SMALL).fit(X, SMOOTH)
    x = np.asarray(model.unseen(X).x)
    moved = x.copy()
    moved[:, 3:] = moved[::-1, 3:]
    last = model.n_members_ - 1
    own = tuple(type(e)(*(leaf[last] for leaf in e)) for e in model.members_[0])
    parameters = (own, *(type(e)(*(leaf[last] for leaf in e)) for e in model.members_[1:]))
    np.testing.assert_array_equal(
        model.network_.predict(parameters, x), model.network_.predict(parameters, moved)
    )


def test_of_a_jagged_target_no_twin_is_kept():
    model = DeepRegressor(**SMALL).fit(X, JAGGED)
    assert model.n_members_ == model.folds_.members == 5
    assert (stretches_of_bins(model) != 0).all()


@pytest.mark.parametrize(
    ("losses", "kept"),
    [
        ([1.0, 1.0, 1.2, 1.2], [0, 1]),
        ([1.0, 1.0, 1.0, 1.0], [0, 1, 2, 3]),
        ([1.0, 1.2, 1.0, 1.0], [0, 1, 2, 3]),
        ([1.0, 1.0, 0.9, 0.89], [2, 3]),
        ([-1.0, -1.0, -1.05, -1.05], [0, 1, 2, 3]),
        ([-1.0, -1.0, -1.2, -1.0], [2, 3]),
        ([np.inf, 1.0, 1.0, 1.0], [2, 3]),
        ([1.0, 1.0, np.inf, 1.0], [0, 1]),
        ([np.inf, 1.0, np.inf, 1.0], [0, 1, 2, 3]),
    ],
)
def test_who_is_kept(losses, kept):
    assert list(range(4))[kinds.better(np.array(losses))] == kept


@pytest.mark.parametrize(
    ("wish", "effort", "members", "rows", "both"),
    [
        ("auto", "balanced", 5, 1_499, True),
        ("auto", "best", 10, 1_499, True),
        ("auto", "fast", 3, 1_499, False),
        ("auto", "balanced", 5, 1_500, False),
        ("auto", "balanced", 1, 1_499, False),
        (5, "balanced", 5, 1_499, False),
    ],
)
def test_twins_are_for_few_rows_and_where_the_number_of_members_is_left_open(
    wish, effort, members, rows, both
):
    assert recipes.both_kinds(wish, effort, members, rows) is both


@pytest.mark.parametrize(
    "options",
    [
        {"scoring": "r2"},
        {"learning_rate": "constant"},
        {"numeric_embedding": None},
        {"numeric_embedding": "periodic"},
        {"effort": "fast"},
        {"early_stopping": True},
        {"solver": "sgd"},
    ],
)
def test_without_a_choice_to_make_there_are_no_twins(options):
    model = DeepRegressor(**SMALL, max_iter=3, **options).fit(X, SMOOTH)
    usual = DeepRegressor(**SMALL, max_iter=3, **options, n_members=model.n_members_).fit(X, SMOOTH)
    np.testing.assert_array_equal(model.predict(X), usual.predict(X))
    assert not model.smooth_members_.any()


@pytest.mark.parametrize("kept", [slice(5), slice(5, None), slice(None)])
def test_learning_goes_on_with_those_that_were_kept(monkeypatch, kept):
    monkeypatch.setattr(kinds, "better", lambda losses: kept)
    labels = np.where(SMOOTH > 0, "yes", "no")
    model = DeepClassifier(**SMALL, max_iter=3, warm_start=True).fit(X, labels)
    smooth = (stretches_of_bins(model) == 0).all(axis=1).tolist()
    assert smooth == ([False] * 5 + [True] * 5)[kept]
    before = model.predict_proba(X)
    model.fit(X, labels)
    assert (stretches_of_bins(model) == 0).all(axis=1).tolist() == smooth
    assert model.n_members_ == model.folds_.members == len(smooth)
    assert model.n_iter_ == 6
    assert (model.predict_proba(X) != before).any()

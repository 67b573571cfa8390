"""Members as folds: what an estimator of several networks says, and of which rows it says it honestly."""

import numpy as np
import pytest

from chainrule import DeepClassifier, DeepRegressor
from chainrule.errors import ArgumentError
from chainrule.estimators import recipes
from chainrule.training.folds import Folds

NUMBERS = np.random.default_rng(0)
X = NUMBERS.normal(size=(240, 3))
NOISE = NUMBERS.normal(size=240)
SMALL = {"hidden_layer_sizes": (8,), "max_iter": 3, "random_state": 0, "numeric_embedding": None}


@pytest.mark.parametrize(("members", "parts"), [(1, [1]), (3, [3]), (5, [5]), (8, [4, 4]), (10, [5, 5])])
def test_rounds_have_all_members(members, parts):
    assert recipes.rounds(members) == parts


def test_every_row_is_judged_by_networks_that_did_not_learn_from_it():
    """Noise can be learnt by heart, but not by a network that never saw the row."""
    model = DeepRegressor(
        (64,), max_iter=150, random_state=0, n_iter_no_change=np.inf, learning_rate_init=0.02
    )
    model.fit(X, NOISE)
    np.testing.assert_array_equal(model.validation_rows_, np.arange(240))
    assert model.n_members_ == model.folds_.members == 5
    seen = np.mean((model.predict(X) - NOISE) ** 2)
    unseen = np.mean((model.predict(model.unseen(X)) - NOISE) ** 2)
    assert seen < unseen
    assert unseen > 0.9 * NOISE.var()


def test_unseen_answers_for_some_rows_are_those_for_all():
    model = DeepRegressor(**SMALL).fit(X, X[:, 0])
    some = np.array([3, 100, 7])
    np.testing.assert_array_equal(
        model.predict(model.unseen(X[some], some)), model.predict(model.unseen(X))[some]
    )
    with pytest.raises(ArgumentError, match="X must have the rows that validated"):
        model.unseen(X[:5])


def test_probabilities_are_the_mean_of_the_members():
    y = np.where(X[:, 0] + NOISE > 0, "yes", "no")
    model = DeepClassifier(n_members=3, early_stopping=False, **SMALL).fit(X, y)
    each = []
    for k in range(3):
        parameters = tuple(
            type(e)(*(None if leaf is None else leaf[k] for leaf in e)) for e in model.members_
        )
        each.append(np.asarray(model.network_.predict(parameters, _encoded(model))))
    np.testing.assert_allclose(model.predict_proba(X)[:, 1], np.mean(each, axis=0)[:, 0], rtol=1e-4)


def _encoded(model):
    from chainrule.tables.matrix import encode

    return encode(model.encoder_, X)


def test_effort_and_members_say_how_many_learn():
    sizes = {e: DeepRegressor(effort=e, **SMALL).fit(X, X[:, 0]).n_members_ for e in ("fast", "best")}
    assert sizes == {"fast": 3, "best": 10}
    assert DeepRegressor(n_members=2, **SMALL).fit(X, X[:, 0]).n_members_ == 2
    assert DeepRegressor(**SMALL).fit(X[:19], X[:19, 0]).n_members_ == 1
    assert DeepRegressor(early_stopping=True, **SMALL).fit(X, X[:, 0]).n_members_ == 1


def test_folds_from_20_rows_on_judge_every_row():
    few = DeepRegressor(**SMALL).fit(X[:20], X[:20, 0])
    assert few.n_members_ == 5
    np.testing.assert_array_equal(few.validation_rows_, np.arange(20))
    fewer = DeepRegressor(**SMALL).fit(X[:19], X[:19, 0])
    assert fewer.validation_scores_ is None


@pytest.mark.parametrize("rows", [199, 200])
def test_a_single_network_keeps_rows_back_from_200_on(rows):
    model = DeepRegressor(n_members=1, **SMALL).fit(X[:rows], X[:rows, 0])
    assert bool(model.folds_.judge) == (rows == 200)
    assert (model.validation_scores_ is None) == (rows < 200)


@pytest.mark.parametrize(
    ("found", "judges", "kept"),
    [(2.6, 1, 2.0), (1.2, 1, 1.0), (1.0, 1, 1.0), (0.7, 1, 0.7), (2.6, 5, 2.6), (0.7, 5, 0.7)],
)
def test_a_mean_of_members_is_less_sure_than_a_member(found, judges, kept):
    """A temperature above 1 that answers of single members ask for is cooled; that of their mean is not."""
    model = DeepClassifier()
    crossed, same = Folds.crossed([np.arange(20) % 5]), Folds.same(5, np.arange(20), np.arange(20, 40))
    model.folds_, model.members_ = same if judges == 5 else crossed, (np.zeros((5, 1)),)
    assert (len(model.folds_.judges), model.n_members_) == (judges, 5)
    assert model._of_the_mean(found) == pytest.approx(kept)


def test_another_number_of_members_cannot_go_on():
    model = DeepRegressor(warm_start=True, **SMALL).fit(X, X[:, 0])
    model.set_params(n_members=2)
    with pytest.raises(ArgumentError, match="as many members as before"):
        model.fit(X, X[:, 0])

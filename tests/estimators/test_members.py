"""Members as folds: what an estimator of several networks says, and of which rows it says it honestly."""

import numpy as np
import pytest

from chainrule import DeepClassifier, DeepRegressor
from chainrule.errors import ArgumentError
from chainrule.estimators import recipes

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
        (64,), max_iter=300, random_state=0, n_iter_no_change=np.inf, learning_rate_init=0.02
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
    assert DeepRegressor(**SMALL).fit(X[:150], X[:150, 0]).n_members_ == 1
    assert DeepRegressor(early_stopping=True, **SMALL).fit(X, X[:, 0]).n_members_ == 1


def test_another_number_of_members_cannot_go_on():
    model = DeepRegressor(warm_start=True, **SMALL).fit(X, X[:, 0])
    model.set_params(n_members=2)
    with pytest.raises(ArgumentError, match="as many members as before"):
        model.fit(X, X[:, 0])

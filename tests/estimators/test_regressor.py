import pickle

import jax
import numpy as np
import pandas as pd
import polars as pl
import pytest
from sklearn.base import clone
from sklearn.datasets import load_diabetes
from sklearn.exceptions import ConvergenceWarning, NotFittedError
from sklearn.linear_model import LinearRegression, PoissonRegressor
from sklearn.metrics import mean_poisson_deviance
from sklearn.model_selection import GridSearchCV, KFold, cross_val_score, train_test_split
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler

from chainrule import DeepRegressor
from chainrule.errors import ArgumentError, DivergedError, TableError
from chainrule.training.epoch import run_epoch


def small(**options):
    quick = {"hidden_layer_sizes": (8,), "max_iter": 20, "numeric_embedding": None}
    return DeepRegressor(**quick | {"n_members": 1, "random_state": 0} | options)


@pytest.fixture(scope="module")
def table():
    numbers = np.random.default_rng(0)
    X = numbers.normal(size=(200, 3))
    return X, np.sin(2 * X[:, 0]) + X[:, 1] * X[:, 2] + 0.1 * numbers.normal(size=200)


def bits(model):
    return [np.asarray(leaf).tobytes() for leaf in jax.tree.leaves(model.parameters_)]


# What it learns


def test_beats_the_linear_model_where_the_truth_is_curved(table):
    X, y = table
    model = DeepRegressor((32, 32), n_members=1, random_state=0).fit(X[:150], y[:150])
    assert model.score(X[150:], y[150:]) > 0.8
    assert LinearRegression().fit(X[:150], y[:150]).score(X[150:], y[150:]) < 0.5


def test_diabetes_is_not_worse_than_the_linear_model_by_much():
    X, y = load_diabetes(return_X_y=True)
    parts = train_test_split(X, y, random_state=0)
    model = DeepRegressor((16,), random_state=0)
    score = model.fit(parts[0], parts[2]).score(parts[1], parts[3])
    assert score > LinearRegression().fit(parts[0], parts[2]).score(parts[1], parts[3]) - 0.1


def test_lbfgs_without_hidden_layers_is_the_linear_model(table):
    X, y = table
    model = DeepRegressor((), solver="lbfgs", max_iter=50, early_stopping=False, scaling="standard")
    model.fit(X, y)
    np.testing.assert_allclose(model.predict(X), LinearRegression().fit(X, y).predict(X), atol=1e-4)


def test_alpha_is_ridge_s_where_each_step_sees_all_rows(table):
    """What is minimised is mean (y − ŷ)² + ½ alpha Σ w² / n."""
    X, y = table
    X, y = (X - X.mean(axis=0)) / X.std(axis=0), (y - y.mean()) / y.std()
    alpha = 60.0
    model = DeepRegressor(
        (), solver="lbfgs", max_iter=50, alpha=alpha, early_stopping=False, scaling="standard"
    ).fit(X, y)
    solution = np.linalg.solve(X.T @ X + alpha / 2 * np.eye(3), X.T @ y)
    np.testing.assert_allclose(model.parameters_[0].W[0], solution, atol=1e-4)


def test_several_targets_at_once(table):
    X, y = table
    Y = np.column_stack([y, -100 * y + 7, X[:, 0]])
    model = DeepRegressor((32, 32), n_members=1, random_state=0).fit(X, Y)
    assert model.predict(X).shape == (200, 3)
    assert model.score(X, Y) > 0.9
    with pytest.raises(TableError, match=r"y must have 3 target\(s\)"):
        model.fit(X, Y, X_val=X, y_val=y)


@pytest.mark.parametrize("unit", [1e-30, 1e-8, 1e12])
def test_any_unit_of_y_is_learnt(table, unit):
    X, y = table
    assert small().fit(X, unit * y).score(X, unit * y) == pytest.approx(
        small().fit(X, y).score(X, y), abs=1e-4
    )


def test_warm_start_takes_new_options_and_refuses_another_network(table):
    X, y = table
    model = small(warm_start=True, max_iter=2).fit(X, y)
    model.set_params(solver="lion", activation="relu", dropout=0.1).fit(X, y)
    assert model.network_.activations[0].name == "relu"
    assert model.n_iter_ == 4
    for other in ({"loss": "absolute_error"}, {"hidden_layer_sizes": (9,)}):
        with pytest.raises(ArgumentError, match="must stay as they were"):
            small(warm_start=True, max_iter=2).fit(X, y).set_params(**other).fit(X, y)


def test_several_quantiles_have_no_score(table):
    with pytest.raises(ArgumentError, match="score must have one prediction for each target"):
        small(loss="quantile(0.1, 0.9)", max_iter=1).fit(*table).score(*table)


def test_predictions_are_in_the_units_of_y(table):
    X, y = table
    one, other = small().fit(X, y).predict(X), small().fit(X, 1e6 * y - 1e7).predict(X)
    np.testing.assert_allclose(other, 1e6 * one - 1e7, rtol=1e-3)


# Losses


def test_quantiles_cover_what_they_say():
    numbers = np.random.default_rng(1)
    X = numbers.uniform(-1, 1, (600, 1))
    y = X[:, 0] + (1 + X[:, 0]) * numbers.normal(size=600)
    model = DeepRegressor((16,), loss="quantile(0.1, 0.5, 0.9)", early_stopping=False, random_state=0).fit(
        X, y
    )
    levels = model.predict(X)
    assert levels.shape == (600, 3)
    np.testing.assert_allclose((y[:, None] <= levels).mean(axis=0), [0.1, 0.5, 0.9], atol=0.05)


def test_quantiles_of_several_targets_come_level_by_level(table):
    X, y = table
    Y = np.column_stack([y, 1000 + 10 * y])
    predictions = small(loss="quantile(0.2, 0.8)").fit(X, Y).predict(X)
    assert predictions.shape == (200, 4)
    assert (predictions[:, [1, 3]] > 500).all()
    assert (predictions[:, [0, 2]] < 500).all()
    assert (predictions[:, :2] < predictions[:, 2:]).mean() > 0.8


def test_gaussian_nll_predicts_the_spread_too():
    numbers = np.random.default_rng(2)
    X = numbers.choice([0.0, 1.0], size=(400, 1))
    y = 50 + np.where(X[:, 0] > 0, 10.0, 1.0) * numbers.normal(size=400)
    model = DeepRegressor((8,), loss="gaussian_nll", random_state=0).fit(X, y)
    mean, spread = model.predict([[0.0], [1.0]], return_std=True)
    np.testing.assert_allclose(mean, 50, atol=2)
    np.testing.assert_allclose(spread, [1, 10], rtol=0.3)
    np.testing.assert_array_equal(model.predict([[0.0], [1.0]]), mean)
    with pytest.raises(ArgumentError, match="return_std must be False with the loss 'squared_error'"):
        small(max_iter=1).fit(X, y).predict(X, return_std=True)


def test_poisson_learns_rates_better_than_the_linear_model():
    numbers = np.random.default_rng(3)
    X = numbers.normal(size=(800, 3))
    y = numbers.poisson(np.exp(1 + np.sin(2 * X[:, 0]) * X[:, 1]))
    model = DeepRegressor((32, 32), loss="poisson", n_members=1, random_state=0).fit(X[:600], y[:600])
    predictions = model.predict(X[600:])
    assert (predictions > 0).all()
    linear = PoissonRegressor().fit(X[:600], y[:600]).predict(X[600:])
    assert mean_poisson_deviance(y[600:], predictions) < 0.7 * mean_poisson_deviance(y[600:], linear)


def test_targets_outside_the_loss_s_domain_are_refused(table):
    X, y = table
    with pytest.raises(TableError, match="the loss 'poisson' needs y ≥ 0; got -"):
        small(loss="poisson").fit(X, y)
    with pytest.raises(TableError, match="the loss 'poisson' needs y ≥ 0"):
        small(loss="poisson").fit(X, abs(y), X_val=X, y_val=y)


def test_own_losses_see_the_targets_as_they_are(table):
    X, y = table
    pair = (lambda y_hat, y: ((y_hat - y) ** 2).sum(axis=1), lambda y_hat, y: 2 * (y_hat - y))
    by_formula, by_pair = (small(loss=loss).fit(X, y) for loss in ("(y_hat - y)**2", pair))
    np.testing.assert_allclose(by_formula.predict(X), by_pair.predict(X), atol=1e-4)
    first = small(loss="(y_hat - y)**2", max_iter=1, learning_rate_init=1e-9).fit(X, 1000 + y)
    assert first.loss_curve_[0] > 1e5
    assert first.predict(X).mean() < 100


# Rows and weights

# Full batches, no hidden randomness: what is equal in truth is equal to rounding.
FULL = {"solver": "lbfgs", "max_iter": 15, "early_stopping": False}


def test_rows_of_weight_0_are_left_out(table):
    X, y = table
    weight = np.ones(200)
    weight[150:] = 0
    spoilt = y.copy()
    spoilt[150:] = 1e6
    assert bits(small().fit(X, spoilt, weight)) == bits(small().fit(X[:150], y[:150]))
    with pytest.raises(ValueError, match=r"[Ww]eight"):
        small().fit(X, y, np.zeros(200))


def test_a_weight_of_2_is_the_row_twice(table):
    X, y = table
    weight = np.where(np.arange(200) < 100, 2.0, 1.0)
    weighted = small(**FULL).fit(X, y, weight)
    twice = small(**FULL).fit(np.vstack([X, X[:100]]), np.append(y, y[:100]))
    np.testing.assert_allclose(weighted.predict(X), twice.predict(X), atol=2e-2)
    plain = small(**FULL).fit(X, y)
    assert abs(plain.predict(X) - twice.predict(X)).max() > 5e-2


@pytest.mark.parametrize(
    "make",
    [pd.DataFrame, pl.DataFrame, lambda data: pl.DataFrame(data).to_arrow()],
    ids=["pandas", "polars", "pyarrow"],
)
def test_frames_with_texts_and_missing_values(make):
    numbers = np.random.default_rng(4)
    size, city = numbers.normal(size=120), numbers.choice(["Rome", "Oslo", "Lima"], 120)
    y = size + np.where(city == "Oslo", 3.0, 0.0)
    data = {
        "size": [None if i % 10 == 3 else value for i, value in enumerate(size)],
        "city": [None if i == 5 else str(value) for i, value in enumerate(city)],
    }
    X = make(data)
    model = DeepRegressor((16,), random_state=0).fit(X, y, np.r_[np.ones(119), 0])
    assert model.score(X, y) > 0.85
    assert list(model.feature_names_in_) == ["size", "city"]
    assert any("Oslo" in name for name in model.encoder_.feature_names)
    unknown = make({"size": [0.0, None], "city": ["Cairo", None]})
    assert np.isfinite(model.predict(unknown)).all()


def test_a_row_s_prediction_does_not_depend_on_its_neighbours(table):
    X, y = table
    model = small(hidden_layer_sizes=(33,)).fit(X, y)
    many = np.tile(X, (100, 1))
    together = model.predict(many)
    for row in (0, 150, 199):
        assert model.predict(X[row : row + 1])[0] == together[row] == together[row + 19_800]
    np.testing.assert_array_equal(model.predict(X[::-1]), model.predict(X)[::-1])


@pytest.mark.parametrize("rows", [1, 2, 3])
@pytest.mark.parametrize("early_stopping", ["auto", True])
def test_few_rows_and_one_column(rows, early_stopping):
    X = np.arange(float(rows))[:, None]
    model = small(early_stopping=early_stopping).fit(X, X[:, 0])
    assert np.isfinite(model.predict(X)).all()


@pytest.mark.parametrize("constant", [0.0, 1.5, -1e8, 1e-300])
def test_a_constant_target_is_predicted(table, constant):
    X, _ = table
    model = small(max_iter=2).fit(X, np.full(200, constant))
    assert (model.predict(X) == constant).all()
    assert (model.predict_interval(X) == constant).all()
    model.set_params(learning_rate="constant", learning_rate_init=0.1)
    for _ in range(30):  # further rows, of another value
        model.partial_fit(X, np.full(200, constant + 1))
    np.testing.assert_allclose(model.predict(X), constant + 1, atol=0.2)


def test_tiny_targets_are_learnt_like_others(table):
    X, y = table
    tiny = small().fit(X, y * 1e-300).predict(X)
    np.testing.assert_allclose(tiny, small().fit(X, y).predict(X) * 1e-300, rtol=1e-3, atol=1e-303)


# Epochs, validation, going on


def test_records_of_a_run_without_validation(table):
    model = small(max_iter=7, early_stopping=False).fit(*table)
    assert model.n_iter_ == len(model.loss_curve_) == model.best_iteration_ == 7
    assert model.loss_curve_[-1] < model.loss_curve_[0]
    assert model.validation_scores_ is None


def test_early_stopping_keeps_the_best_epoch(table):
    X, _ = table
    noise = np.random.default_rng(5).normal(size=200)
    model = small(early_stopping=True, max_iter=500, n_iter_no_change=5, learning_rate_init=0.02).fit(
        X, noise
    )
    assert len(model.validation_scores_) == model.n_iter_ < 500
    assert model.best_iteration_ == np.argmax(model.validation_scores_) + 1
    assert model.best_iteration_ < model.n_iter_


def test_rows_of_one_s_own_validate(table):
    X, y = table
    model = small(max_iter=5).fit(X[:100], y[:100], X_val=X[100:], y_val=y[100:])
    # The loss as it sees the targets: squared error over the variance of the training targets.
    error = ((model.predict(X[100:]) - y[100:]) ** 2).mean() / y[:100].var()
    assert -max(model.validation_scores_) == pytest.approx(error, rel=1e-4)
    weight = np.r_[np.ones(50), np.zeros(50)]
    weighted = small(max_iter=5).fit(X[:100], y[:100], X_val=X[100:], y_val=y[100:], sample_weight_val=weight)
    fewer = small(max_iter=5).fit(X[:100], y[:100], X_val=X[100:150], y_val=y[100:150])
    assert weighted.validation_scores_ == pytest.approx(fewer.validation_scores_)
    with pytest.raises(ArgumentError, match="X_val and y_val must come together"):
        small().fit(X, y, X_val=X)


def test_validates_by_itself_from_200_rows_on():
    X = np.random.default_rng(6).normal(size=(200, 1))
    assert small(max_iter=1).fit(X, X[:, 0]).validation_scores_ is not None
    assert small(max_iter=1).fit(X[1:], X[1:, 0]).validation_scores_ is None
    assert small(max_iter=1, early_stopping=False).fit(X, X[:, 0]).validation_scores_ is None


def test_warm_start_goes_on(table):
    X, y = table
    model = small(warm_start=True, max_iter=5)
    first = bits(model.fit(X, y))
    scores = [model.loss_curve_[-1]]
    model.fit(X, y)
    assert model.n_iter_ == len(model.loss_curve_) == model.best_iteration_ == 10
    assert bits(model) != first
    assert model.loss_curve_[-1] < scores[0]
    cold = small(max_iter=5).fit(X, y)
    assert bits(cold.fit(X, y)) == first
    assert cold.n_iter_ == 5


def test_warm_start_compares_epochs_on_the_rows_that_validate_now(table):
    X, y = table
    model = small(warm_start=True, max_iter=30, early_stopping=False).fit(X, y)  # its training loss is low
    noisy = y + np.random.default_rng(7).normal(size=200)
    model.set_params(max_iter=3, learning_rate="constant", learning_rate_init=1e-3)
    model.fit(X, noisy, X_val=X, y_val=noisy)
    assert len(model.validation_scores_) == 3
    assert model.best_iteration_ > 30


def test_partial_fit_goes_on_by_one_epoch(table):
    X, y = table
    model = small(learning_rate_init=0.01)
    for number in range(1, 31):
        assert model.partial_fit(X, y) is model
        assert model.n_iter_ == len(model.loss_curve_) == number
    assert model.loss_curve_[-1] < 0.5 * model.loss_curve_[0]
    encoder = model.encoder_
    model.partial_fit(X[:7] + 5, y[:7], np.ones(7))
    assert model.encoder_ is encoder
    with pytest.raises(ValueError, match="features"):
        model.partial_fit(X[:, :2], y)


# The contract


def test_random_state_decides_every_bit(table):
    options = {"dropout": 0.1, "early_stopping": True}
    one, same, other = (small(random_state=seed, **options).fit(*table) for seed in (1, 1, 2))
    assert bits(one) == bits(same) != bits(other)
    assert one.loss_curve_ == same.loss_curve_
    state = np.random.RandomState(3)
    assert bits(small(random_state=state).fit(*table)) != bits(small(random_state=state).fit(*table))
    before = np.random.get_state()[1].tobytes()  # noqa: NPY002
    small(random_state=0).fit(*table)
    assert np.random.get_state()[1].tobytes() == before  # noqa: NPY002


@pytest.mark.parametrize(
    "options", [{}, {"warm_start": True}, {"loss": "(y_hat - y)**2", "activation": "z * tanh(z)"}]
)
def test_pickle(table, options):
    X, y = table
    model = small(max_iter=3, **options).fit(X, y)
    copy = pickle.loads(pickle.dumps(model))
    np.testing.assert_array_equal(copy.predict(X), model.predict(X))
    assert bits(copy.partial_fit(X, y)) == bits(model.partial_fit(X, y))


def test_clone_and_parameters(table):
    model = small(activation=["relu"], solver="sgd(0.9, 1)").fit(*table)
    copy = clone(model)
    assert not hasattr(copy, "parameters_")
    assert copy.get_params() == model.get_params()
    assert copy.set_params(solver="adam", max_iter=3).fit(*table).n_iter_ == 3


def test_predict_before_fit():
    with pytest.raises(NotFittedError):
        DeepRegressor().predict([[0.0]])


def test_searches_and_pipelines(table):
    X, y = table
    search = GridSearchCV(small(), {"hidden_layer_sizes": [(), (8,)], "max_iter": np.array([5, 150])}, cv=2)
    assert search.fit(X, y).best_params_ == {"hidden_layer_sizes": (8,), "max_iter": 150}
    pipe = make_pipeline(StandardScaler(), small())
    assert np.isfinite(pipe.fit(X, y).predict(X)).all()


def test_the_folds_of_a_cross_validation_compile_once(table):
    X, y = table
    before = run_epoch._cache_size()
    model = small(hidden_layer_sizes=(9,), max_iter=2)
    scores = cross_val_score(model, X[:198], y[:198], cv=KFold(5))  # folds of 158 and 159 rows
    assert len(scores) == 5
    assert run_epoch._cache_size() == before + 1


def test_verbose_is_silent_without_a_terminal(table, capsys):
    small(verbose=True, max_iter=2).fit(*table)
    assert capsys.readouterr() == ("", "")


@pytest.mark.parametrize("kind", ["csr_array", "csc_matrix", "coo_array"])
def test_sparse_input_is_the_same_as_dense(table, kind):
    import scipy.sparse

    X, y = table
    sparse = getattr(scipy.sparse, kind)(X)
    model = small().fit(sparse, y, sample_weight=np.arange(200) % 3)
    np.testing.assert_array_equal(
        model.predict(sparse), small().fit(X, y, sample_weight=np.arange(200) % 3).predict(X)
    )


# What goes wrong


def test_divergence_from_the_first_epoch_on_is_an_error(table):
    X, y = table
    model = small(solver="sgd", learning_rate="constant", learning_rate_init=1e6, activation="relu")
    with pytest.raises(DivergedError, match=r"first epoch.*Lower learning_rate_init"):
        model.fit(X, y)
    with pytest.raises(NotFittedError):
        model.predict(X)


def diverging(**options):
    """A linear network whose distance to the solution doubles in each epoch."""
    rate = {"solver": "sgd", "learning_rate": "constant", "learning_rate_init": 1.5, "batch_size": 200}
    return small(
        hidden_layer_sizes=(), max_iter=500, n_iter_no_change=500, scaling="standard", **{**rate, **options}
    )


def test_divergence_later_keeps_the_best_and_warns_where_fit_was_called(table):
    X, y = table
    with pytest.warns(ConvergenceWarning, match=r"not finite in epoch \d+; the best parameters") as warned:
        model = diverging().fit(X, y, X_val=X, y_val=y)
    assert warned[0].filename == __file__
    assert model.best_iteration_ == 1
    assert 1 < model.n_iter_ == len(model.loss_curve_) < 500
    assert np.isfinite(model.predict(X)).all()


def test_divergence_in_partial_fit_keeps_the_model(table):
    X, y = table
    model = small().partial_fit(X, y)
    before = bits(model)
    model.set_params(solver="adam", learning_rate_init=1e30)
    with pytest.warns(ConvergenceWarning) as warned:
        model.partial_fit(X, y)
    assert warned[0].filename == __file__
    assert np.isfinite(model.predict(X)).all()
    assert bits(model) == before


@pytest.mark.parametrize(
    "again",
    [
        {"y": "negative"},
        {"X_val": "alone"},
        {"options": {"solver": "foo"}},
        {"options": {"solver": "sgd", "learning_rate": "constant", "learning_rate_init": 1e6}},
    ],
    ids=["targets", "arguments", "options", "divergence"],
)
def test_a_fit_that_fails_leaves_the_model_as_it_was(table, again):
    X, y = table
    model = small(loss="poisson", max_iter=3).fit(X, np.exp(y))
    before, predictions = dict(vars(model)), model.predict(X)
    model.set_params(**again.get("options", {}))
    X_val = X if "X_val" in again else None
    with pytest.raises((ValueError, ArithmeticError)):
        model.fit(10 * X[:, :2], y if "y" in again else np.exp(y), X_val=X_val)
    np.testing.assert_array_equal(model.predict(X), predictions)
    assert model.n_features_in_ == 3
    learnt = {name for name in before if name.endswith("_")}
    assert learnt == {name for name in vars(model) if name.endswith("_")}
    assert all(vars(model)[name] is before[name] for name in learnt)


def test_nothing_is_written_by_a_fit(table, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    small(max_iter=1).fit(*table)
    assert list(tmp_path.iterdir()) == []


def test_no_y():
    with pytest.raises(TableError, match="requires y to be passed"):
        small().fit([[0.0], [1.0]], None)


def test_attributes_of_scikit_learns_mlp():
    X, y = np.random.default_rng(0).normal(size=(300, 3)), np.arange(300.0)
    model = DeepRegressor((5, 4), max_iter=3, numeric_embedding=None, random_state=0).fit(X, y)
    assert [W.shape for W in model.coefs_] == [(3, 5), (5, 4), (4, 1)]
    assert [b.shape for b in model.intercepts_] == [(5,), (4,), (1,)]
    np.testing.assert_array_equal(model.coefs_[0].T, model.parameters_[0].W)
    assert (model.n_layers_, model.n_outputs_) == (4, 1)
    assert model.loss_ == model.loss_curve_[-1]
    assert model.best_loss_ is None
    assert model.best_validation_score_ == max(model.validation_scores_)
    alone = DeepRegressor((5,), max_iter=3, early_stopping=False, random_state=0).fit(X, y)
    assert alone.best_loss_ == min(alone.loss_curve_)
    assert alone.best_validation_score_ is None
    assert not hasattr(DeepRegressor(), "coefs_")


# Intervals


@pytest.mark.parametrize("loss", ["squared_error", "gaussian_nll", "quantile(0.05, 0.5, 0.95)"])
def test_intervals_cover_as_often_as_they_say(loss):
    numbers = np.random.default_rng(0)
    X = numbers.uniform(-1, 1, (3000, 2))
    y = X[:, 0] + (0.1 + abs(X[:, 1])) * numbers.normal(size=3000)
    model = DeepRegressor((16,), loss=loss, max_iter=10, validation_fraction=0.3, random_state=0)
    model.fit(X[:2000], y[:2000])
    for coverage in (0.5, 0.9):
        low, high = model.predict_interval(X[2000:], coverage).T
        inside = (low <= y[2000:]) & (y[2000:] <= high)
        # 600 rows set the widths and 1,000 are looked at: four standard deviations of both
        assert abs(inside.mean() - coverage) < 4 * np.sqrt(coverage * (1 - coverage) * (1 / 600 + 1 / 1000))
    for level, (shares, widths) in model.interval_coverage_.items():
        assert abs(shares[0] - level) < 0.1
        assert widths[0] > 0


def test_intervals_of_several_targets_of_few_rows_and_of_none(table):
    X, y = table
    model = small(early_stopping=True).fit(X, np.column_stack([y, -y]))
    assert model.predict_interval(X[:7]).shape == (7, 2, 2)
    with pytest.warns(UserWarning, match="too few rows were kept back for a coverage of 0.99"):
        assert np.isinf(model.predict_interval(X[:1], 0.99)).all()
    with pytest.raises(ArgumentError, match="coverage must be a number between 0 and 1"):
        model.predict_interval(X, 90)
    alone = small(early_stopping=False).fit(X, y)
    with pytest.raises(ArgumentError, match=r"predict_interval must know how far off.*early_stopping=True"):
        alone.predict_interval(X)


def test_a_logarithm_of_the_target_is_undone_without_bias():
    numbers = np.random.default_rng(0)
    X = numbers.normal(size=(4000, 1))
    y = np.exp(X[:, 0] + 0.6 * numbers.normal(size=4000))  # E[y | x] = exp(x + 0.18)
    model = DeepRegressor((16,), target_transform="log", max_iter=20, random_state=0).fit(X, y)
    assert model.scale_.factor[0] == pytest.approx(np.exp(0.18), rel=0.1)
    assert model.predict(X).mean() == pytest.approx(y.mean(), rel=0.1)
    median = DeepRegressor((16,), target_transform="log", loss="absolute_error", max_iter=20, random_state=0)
    assert (median.fit(X, y).predict(X) < y).mean() == pytest.approx(0.5, abs=0.05)
    with pytest.raises(TableError, match=r"must be above 0 for target_transform='log'; got 0 in row 3"):
        DeepRegressor(target_transform="log").fit(X[:3], [1.0, 2.0, 0.0])
    with pytest.raises(
        ArgumentError, match="target_transform must be left out with the loss 'poisson', which takes a"
    ):
        DeepRegressor(target_transform="log", loss="poisson").fit(X[:3], [1.0, 2.0, 3.0])


def test_the_user_s_score_chooses_the_epoch_and_the_end(table):
    X, y = table
    model = small(scoring="neg_mean_absolute_error", early_stopping=True, max_iter=30).fit(X, y)
    scores = model.validation_scores_
    assert model.best_iteration_ - 1 == len(scores) - 1 - int(np.argmax(scores[::-1]))
    kept = X[model.validation_rows_], y[model.validation_rows_]
    assert -np.abs(model.predict(kept[0]) - kept[1]).mean() == pytest.approx(max(scores))
    calls = []

    def never_better(estimator, X, y):
        calls.append(1)
        return -float(len(calls))

    ended = small(scoring=never_better, early_stopping=True, max_iter=30, n_iter_no_change=3).fit(X, y)
    assert ended.n_iter_ == len(calls) == 4
    assert ended.best_iteration_ == 1


def test_a_score_of_another_task_is_refused_and_one_that_chooses_nothing_told(table):
    X, y = table
    few = small(scoring="roc_auc", max_iter=2)
    with pytest.raises(ArgumentError, match="For numbers there are r2"):
        few.set_params(early_stopping=False).fit(X, y)
    few.set_params(scoring=lambda model, X, y: -np.abs(model.predict(X) - y).max())
    with pytest.warns(
        UserWarning, match=r"no.*chooses nothing\. Give X_val and y_val, or early_stopping=True"
    ):
        few.fit(X, y)
    assert few.validation_scores_ is None


def test_groups_and_times_say_which_rows_validate(table):
    X, y = table
    groups = np.arange(200) // 20
    folds = small(n_members=5).fit(X, y, groups=groups).folds_
    assert folds.members == 5
    for learn, judge in zip(folds.learn, folds.judge, strict=True):
        assert not set(groups[learn]) & set(groups[judge])
    model = small().fit(X, y, groups=groups)
    assert len(set(groups[model.validation_rows_])) == 1
    assert not set(groups[model.validation_rows_]) & set(np.delete(groups, model.validation_rows_))
    late = small().fit(X, y, time=-np.arange(200), sample_weight=np.arange(200) != 5)
    np.testing.assert_array_equal(late.validation_rows_, [*range(5), *range(6, 21)])
    with pytest.raises(ArgumentError, match="groups must have a value for each of the 200 rows"):
        small().fit(X, y, groups=groups[:5])
    with pytest.raises(ArgumentError, match="X_val must be left out where groups"):
        small().fit(X, y, groups=groups, X_val=X, y_val=y)


def test_intervals_stay_where_targets_can_be_and_quantiles_do_not_cross():
    numbers = np.random.default_rng(0)
    X = numbers.normal(size=(600, 2))
    counts = numbers.poisson(np.exp(0.5 * X[:, 0]))
    for options, y in (({"loss": "poisson"}, counts), ({"target_transform": "log"}, counts + 0.1)):
        low, high = small(early_stopping=True, **options).fit(X, y).predict_interval(X, 0.9).T
        assert low.min() == 0
        assert (high > low).all()
    quantiles = small(loss="quantile(0.4, 0.5, 0.6)", max_iter=2).fit(X, counts).predict(X)
    assert (np.diff(quantiles, axis=1) >= 0).all()
    with pytest.raises(ArgumentError, match="levels must be rising"):
        small(loss="quantile(0.9, 0.1)").fit(X, counts)

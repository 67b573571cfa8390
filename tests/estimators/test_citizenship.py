"""Both estimators at home in scikit-learn: what composes, selects, explains and stores estimators takes ours.

Tables are small and networks tiny: the results are asserted, not how good they are on real tables.
"""

import joblib
import matplotlib as mpl
import numpy as np
import pandas as pd
import polars as pl
import pytest
import sklearn
from scipy import sparse
from sklearn.base import clone
from sklearn.calibration import CalibratedClassifierCV
from sklearn.compose import ColumnTransformer, TransformedTargetRegressor
from sklearn.ensemble import StackingClassifier, VotingRegressor
from sklearn.inspection import PartialDependenceDisplay, partial_dependence, permutation_importance
from sklearn.linear_model import LinearRegression, LogisticRegression
from sklearn.metrics import log_loss
from sklearn.model_selection import (
    GridSearchCV,
    GroupKFold,
    cross_val_predict,
    cross_val_score,
    cross_validate,
    learning_curve,
)
from sklearn.multioutput import ClassifierChain, MultiOutputRegressor
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import FunctionTransformer, OneHotEncoder, StandardScaler
from sklearn.utils import get_tags

from chainrule import DeepClassifier, DeepRegressor

SMALL = {
    "hidden_layer_sizes": (8,),
    "max_iter": 60,
    "learning_rate_init": 0.02,
    "numeric_embedding": None,
    "early_stopping": False,
    "random_state": 0,
}
# One convex problem, all of whose rows are seen in each step: weights are what they mean to the last digits.
CONVEX = {**SMALL, "hidden_layer_sizes": (), "solver": "lbfgs", "max_iter": 40, "alpha": 1.0}


def regressor(**options):
    return DeepRegressor(**{**SMALL, **options})


def classifier(**options):
    return DeepClassifier(**{**SMALL, **options})


@pytest.fixture(autouse=True)
def quick(quick_compiler):
    pass


@pytest.fixture(scope="module")
def numbers():
    """X of 160 rows and 3 columns, of which the last says nothing; y is the product of the others."""
    X = np.random.default_rng(0).normal(size=(160, 3))
    return X, X[:, 0] * X[:, 1] + X[:, 0]


@pytest.fixture(scope="module")
def classes(numbers):
    X, y = numbers
    return X, np.array(["low", "mid", "high"])[np.digitize(y, [-0.5, 0.5])]


@pytest.fixture(scope="module")
def people():
    """Rows of a frame with numbers, texts, dates and a pandas categorical, some missing; and a target."""
    draw = np.random.default_rng(1)
    rows = 160
    age, city = draw.normal(40, 10, rows), draw.choice(["Rome", "Oslo", "Lima"], rows)
    size = draw.choice(["S", "M", "L"], rows)
    day = draw.integers(0, 365, rows)
    y = age / 10 + 3.0 * (city == "Oslo") - 2.0 * (size == "L") + day / 100
    frame = pd.DataFrame(
        {
            "age": np.where(np.arange(rows) % 10 == 3, np.nan, age),
            "city": pd.Series(city).where(np.arange(rows) != 5),
            "size": pd.Categorical(size, ["S", "M", "L"]),
            "since": pd.Timestamp("2024-01-01") + pd.to_timedelta(day, "D"),
        }
    )
    return frame, y


# Inside other estimators


def test_pipeline(numbers, classes):
    X, y = numbers
    model = make_pipeline(StandardScaler(), regressor()).fit(X, y)
    alone = regressor().fit(StandardScaler().fit_transform(X), y)
    np.testing.assert_array_equal(model.predict(X), alone.predict(StandardScaler().fit_transform(X)))
    assert model.score(X, y) > 0.9
    model = make_pipeline(StandardScaler(), classifier())
    model.set_params(deepclassifier__loss="hinge").fit(*classes)
    assert model[-1].network_.loss.name == "hinge"
    assert not hasattr(model, "predict_proba")
    assert hasattr(model.set_params(deepclassifier__loss="auto"), "predict_proba")


@pytest.mark.parametrize("container", ["pandas", "polars"])
def test_column_transformer_whose_output_is_a_frame(people, container):
    frame, y = people
    columns = ColumnTransformer(
        [
            ("cities", OneHotEncoder(sparse_output=False), ["city", "size"]),
            ("numbers", "passthrough", ["age"]),
            ("days", FunctionTransformer(feature_names_out="one-to-one"), ["since"]),
        ]
    ).set_output(transform=container)
    given = frame if container == "pandas" else pl.from_pandas(frame)
    model = make_pipeline(columns, regressor()).fit(given, y)
    assert {"cities__city_Oslo", "numbers__age", "days__since"} <= set(model[-1].feature_names_in_)
    assert "numbers__age is missing" in model[-1].encoder_.feature_names
    assert model.score(given, y) > 0.9


def test_transformed_target(numbers):
    X, y = numbers
    model = TransformedTargetRegressor(regressor(), func=np.log, inverse_func=np.exp).fit(X, np.exp(y))
    np.testing.assert_allclose(model.predict(X), np.exp(regressor().fit(X, y).predict(X)), rtol=1e-6)


@pytest.mark.long
def test_stacking_and_voting(numbers, classes):
    X, y = classes
    stack = StackingClassifier([("deep", classifier()), ("linear", LogisticRegression())], cv=2).fit(X, y)
    assert stack.score(X, y) > LogisticRegression().fit(X, y).score(X, y) + 0.05
    X, y = numbers
    vote = VotingRegressor([("deep", regressor()), ("linear", LinearRegression())]).fit(X, y)
    both = regressor().fit(X, y).predict(X) + LinearRegression().fit(X, y).predict(X)
    np.testing.assert_allclose(vote.predict(X), both / 2)


def test_one_model_for_each_target(numbers):
    X, y = numbers
    Y = np.column_stack([y, X[:, 2]])
    many = MultiOutputRegressor(regressor()).fit(X, Y)
    np.testing.assert_array_equal(many.predict(X)[:, 1], regressor().fit(X, X[:, 2]).predict(X))
    labels = (Y > 0).astype(int)
    labels[:, 1] |= labels[:, 0]
    chain = ClassifierChain(classifier(), order=[0, 1]).fit(X, labels)
    assert (chain.predict(X) == labels).mean() > 0.9
    assert (chain.predict_proba(X)[labels[:, 0] == 1, 1] > 0.5).mean() > 0.95


def test_calibration(classes):
    X, y = classes
    model = CalibratedClassifierCV(classifier(max_iter=150), method="sigmoid", cv=3).fit(X[:110], y[:110])
    p = model.predict_proba(X[110:])
    np.testing.assert_allclose(p.sum(axis=1), 1)
    assert log_loss(y[110:], p, labels=model.classes_) < log_loss(y[110:], np.full_like(p, 1 / 3)) / 2


# Selection


def test_grid_search(numbers):
    X, y = numbers
    grid = {"hidden_layer_sizes": [(), (8,)], "loss": ["squared_error", "absolute_error"]}
    search = GridSearchCV(regressor(), grid, cv=2).fit(X, y)
    assert len(search.cv_results_["params"]) == 4
    assert np.isfinite(search.cv_results_["mean_test_score"]).all()
    assert search.best_params_["hidden_layer_sizes"] == (8,)
    again = regressor(**search.best_params_).fit(X, y)
    np.testing.assert_array_equal(search.predict(X), again.predict(X))


@pytest.mark.long
def test_two_processes_find_the_same(numbers, monkeypatch):
    monkeypatch.setenv("JAX_DISABLE_MOST_OPTIMIZATIONS", "1")  # as quick_compiler does in this one
    options = {"cv": 3, "scoring": "neg_mean_absolute_error"}
    one, two = (cross_val_score(regressor(), *numbers, n_jobs=jobs, **options) for jobs in (1, 2))
    joblib.externals.loky.get_reusable_executor().shutdown()
    np.testing.assert_allclose(one, two, rtol=1e-5)  # other processes may compile with other optimizations


@pytest.mark.long
def test_learning_curve(numbers):
    X, y = numbers
    sizes, training, test = learning_curve(regressor(), X, y, train_sizes=[20, 60, 120], cv=4)
    assert sizes.tolist() == [20, 60, 120]
    assert test.mean(axis=1)[2] > max(0.8, test.mean(axis=1)[0])
    assert training.min() > 0.8


def test_cross_val_predict(classes):
    X, y = classes
    p = cross_val_predict(classifier(), X, y, cv=3, method="predict_proba")
    assert p.shape == (160, 3)
    assert (np.unique(y)[p.argmax(axis=1)] == y).mean() > 0.75


# Explanation


def test_permutation_importance(numbers):
    X, y = numbers
    found = permutation_importance(regressor().fit(X, y), X, y, n_repeats=3, random_state=0)
    first, second, nothing = found.importances_mean
    assert first > second > 10 * abs(nothing)


def test_partial_dependence(numbers, people):
    mpl.use("Agg")
    X, y = numbers
    model = regressor().fit(X, y)
    display = PartialDependenceDisplay.from_estimator(model, X, [0, (0, 1)], grid_resolution=5)
    line = display.lines_[0, 0].get_ydata()
    np.testing.assert_allclose(line, partial_dependence(model, X, [0], grid_resolution=5)["average"][0])
    assert line[-1] - line[0] > 1
    frame, y = people
    named = frame[frame["city"].notna()]  # scikit-learn's grid cannot sort what is missing among texts
    found = partial_dependence(regressor().fit(frame, y), named, ["city"], categorical_features=["city"])
    levels = dict(zip(found["grid_values"][0], found["average"][0], strict=True))
    assert levels["Oslo"] - levels["Rome"] > 2
    mpl.pyplot.close("all")


# Metadata routing


@pytest.fixture
def routing():
    with sklearn.config_context(enable_metadata_routing=True):
        yield


def test_weights_are_routed(numbers, routing):
    X, y = numbers
    weight = np.where(np.arange(160) % 2, 1.0, 0.0)  # half of the rows are left out
    spoilt = np.where(weight > 0, y, 1e3)
    asked = regressor().set_fit_request(sample_weight=True).set_score_request(sample_weight=True)
    scores = cross_validate(asked, X, spoilt, cv=2, params={"sample_weight": weight})["test_score"]
    plain = cross_validate(regressor(), X[weight > 0], y[weight > 0], cv=2)["test_score"]
    np.testing.assert_allclose(scores, plain, rtol=1e-9)


def test_groups_and_validation_rows_are_routed(numbers, routing):
    X, y = numbers
    groups = np.arange(160) // 8
    asked = regressor(early_stopping=True).set_fit_request(groups=True)
    fits = cross_validate(
        asked, X, y, cv=GroupKFold(2), params={"groups": groups}, return_estimator=True, return_indices=True
    )
    for model, rows in zip(fits["estimator"], fits["indices"]["train"], strict=True):
        kept_back = groups[rows][model.validation_rows_]
        learnt_from = np.delete(groups[rows], model.validation_rows_)
        assert kept_back.size
        assert not set(kept_back) & set(learnt_from)
    asked = regressor().set_fit_request(X_val=True, y_val=True)
    params = {"X_val": X[:30], "y_val": y[:30]}
    fits = cross_validate(asked, X[30:], y[30:], cv=2, params=params, return_estimator=True)
    for model in fits["estimator"]:
        loss = ((model.predict(X[:30]) - y[:30]) ** 2).mean()
        assert -model.best_validation_score_ * model.scale_.scale[0] ** 2 == pytest.approx(loss, rel=1e-4)


def test_metadata_through_a_pipeline(numbers, routing):
    X, y = numbers
    weight = np.where(np.arange(160) < 80, 1.0, 0.0)
    scaler = StandardScaler().set_fit_request(sample_weight=False)
    model = make_pipeline(scaler, regressor().set_fit_request(sample_weight=True))
    model.fit(X, np.where(weight > 0, y, 1e3), sample_weight=weight)
    scaled = StandardScaler().fit_transform(X)
    np.testing.assert_array_equal(model.predict(X), regressor().fit(scaled[:80], y[:80]).predict(scaled))


# Copies


@pytest.mark.parametrize("make", [regressor, classifier])
def test_clone_and_dump(make, numbers, classes, tmp_path):
    X, y = numbers if make is regressor else classes
    model = make(activation="z * tanh(z)").fit(X, y)
    fresh = clone(model)
    assert fresh.get_params() == model.get_params()
    assert not hasattr(fresh, "parameters_")
    np.testing.assert_array_equal(fresh.fit(X, y).predict(X), model.predict(X))
    joblib.dump(make_pipeline(StandardScaler(), model), tmp_path / "model.joblib")
    restored = joblib.load(tmp_path / "model.joblib")[-1]
    np.testing.assert_array_equal(restored.predict(X), model.predict(X))
    assert restored.loss_curve_ == model.loss_curve_


def test_how_it_is_shown(numbers):
    model = DeepRegressor((8,), loss="huber")
    assert repr(model) == "DeepRegressor(hidden_layer_sizes=(8,), loss='huber')"
    before = model._repr_html_()
    assert "DeepRegressor" in before
    assert "Not fitted" in before
    assert "<span>Fitted</span>" in regressor().fit(*numbers)._repr_html_()
    assert "DeepRegressor" in make_pipeline(StandardScaler(), model)._repr_html_()


# Weights


def _table(problem):
    """Rows that the encodings differ on: far values, missing ones, and categories."""
    draw = np.random.default_rng(2)
    X = pd.DataFrame({"a": draw.standard_t(2, 120), "b": draw.normal(size=120)})
    X["kind"] = draw.choice(["p", "q", "r"], 120)
    X.loc[::7, "b"] = np.nan
    z = X["a"].clip(-2, 2) + 2 * (X["kind"] == "q") + draw.normal(size=120)
    return X, (z > 0.7).map({True: "yes", False: "no"}) if problem is classifier else z


@pytest.mark.parametrize("scaling", ["robust", "standard"])
@pytest.mark.parametrize(
    ("make", "options"), [(regressor, {}), (classifier, {}), (classifier, {"class_weight": "balanced"})]
)
def test_weight_2_is_the_row_twice_and_0_is_the_row_left_out(make, options, scaling):
    X, y = _table(make)
    model = make(**CONVEX, **options, scaling=scaling)
    answers = "predict" if make is regressor else "predict_proba"

    def answer(rows, weight=None):
        return getattr(clone(model).fit(X.iloc[rows], y.iloc[rows], weight), answers)(X)

    every, thrice = np.arange(120), np.repeat(np.arange(120), np.arange(120) % 3)
    weighted = answer(every, every % 3)
    np.testing.assert_allclose(weighted, answer(thrice), atol=2e-5)
    assert abs(weighted - answer(every)).max() > 0.1
    left_out = np.where(every < 80, 1.0, 0.0)
    np.testing.assert_array_equal(answer(every, left_out), answer(every[:80]))


# Tables


def test_lists_of_lists(numbers):
    X, y = numbers
    model = regressor().fit(X.tolist(), y.tolist())
    np.testing.assert_array_equal(model.predict(X.tolist()), regressor().fit(X, y).predict(X))
    mixed = [[number, "left" if side > 0 else "right"] for number, side, _ in X.tolist()]
    y = X[:, 0] + np.where(X[:, 1] > 0, 5, 0)
    assert regressor().fit(mixed, y).score(mixed, y) > 0.9


@pytest.mark.parametrize(
    "convert", [pl.from_pandas, lambda frame: pl.from_pandas(frame).to_arrow()], ids=["polars", "pyarrow"]
)
def test_frames_of_other_libraries_are_the_same_table(people, convert):
    frame, y = people
    model = regressor().fit(frame, y)
    other = regressor().fit(convert(frame), y)
    assert model.score(frame, y) > 0.95
    assert list(other.feature_names_in_) == list(model.feature_names_in_) == ["age", "city", "size", "since"]
    np.testing.assert_allclose(other.predict(convert(frame)), model.predict(frame), rtol=1e-5)
    # Fitted on one, asked with the other.
    np.testing.assert_allclose(model.predict(convert(frame)), model.predict(frame), rtol=1e-6)


def test_columns_by_other_names_are_refused(people):
    frame, y = people
    model = regressor(max_iter=1).fit(frame, y)
    with pytest.raises(ValueError, match=r"feature names(.|\n)*height(.|\n)*age"):
        model.predict(frame.rename(columns={"age": "height"}))
    with pytest.raises(ValueError, match="must be in the same order"):
        model.predict(frame[["city", "age", "size", "since"]])
    with pytest.raises(ValueError, match=r"feature names(.|\n)*since"):
        model.predict(frame.drop(columns="since"))


@pytest.mark.parametrize("make", [regressor, classifier])
def test_tags_are_true(make, numbers, classes, people):
    tags = get_tags(make())
    assert tags.input_tags.allow_nan
    assert tags.input_tags.sparse
    assert tags.input_tags.string
    assert tags.input_tags.categorical
    assert tags.target_tags.required
    assert tags.target_tags.multi_output
    assert tags.estimator_type == ("regressor" if make is regressor else "classifier")
    X, y = numbers if make is regressor else classes
    holes = np.where(np.arange(X.size).reshape(X.shape) % 11 == 0, np.nan, X)
    assert make().fit(holes, y).score(holes, y) > 0.8
    thin = np.where(abs(X) > 0.5, X, 0)
    model = make().fit(sparse.csr_matrix(thin), y)
    np.testing.assert_array_equal(model.predict(sparse.csc_matrix(thin)), make().fit(thin, y).predict(thin))
    side = np.where(X[:, :2] > 0, "left", "right")
    words = make().fit(side, y)  # an array of texts
    assert words.encoder_.width == 4
    assert words.score(side, y) > words.score(side[::-1], y) + 0.3
    with pytest.raises(ValueError, match="y"):
        make().fit(X, None)
    two = X[:, :2] if make is regressor else (X[:, :2] > 0).astype(int)
    assert make().fit(X, two).predict(X).shape == (160, 2)
    codes = np.digitize(X[:, :1], [-0.5, 0.5])
    chosen = make(categorical_features=[0], max_iter=1).fit(codes, y)
    assert chosen.encoder_.feature_names == ("x0 = 0", "x0 = 1", "x0 = 2")
    frame, _ = people
    names = make(max_iter=1).fit(frame, y).encoder_.feature_names
    assert [name for name in names if name.startswith("size")] == ["size = L", "size = M", "size = S"]

"""Every option that cannot be is refused at fit, by a sentence with its name."""

import numpy as np
import pytest

from chainrule import DeepClassifier, DeepRegressor
from chainrule.errors import ArgumentError, FormulaError
from chainrule.estimators.options import refuse_wrong

WRONG = {
    "hidden_layer_sizes": ["12", 2.5, 0, -1, (3, 0), None, True, (2.5,), ("a",)],
    "activation": ["foo", 3, None, ["relu", "tanh"]],
    "loss": ["foo", 3, None],
    "solver": ["foo", 3, None, "sgd(2)"],
    "learning_rate": ["foo", 3, None],
    "learning_rate_init": [0, -1, "x", None, np.nan, np.inf, True],
    "batch_size": [0, -1, 2.5, "x", None, True],
    "max_iter": [0, 2.5, "x", None],
    "alpha": [-1, "x", None, np.nan],
    "l1": [-1, "x", None],
    "weight_decay": [-1, "x", None],
    "max_norm": [0, -1, "x"],
    "dropout": [1, -0.1, "x", None],
    "layer_norm": ["x", None, 2],
    "residual": ["x", None],
    "categorical_features": ["x", 3, ["absent"], [7], [True]],
    "scaling": ["x", None, 3],
    "numeric_embedding": ["x", 3, True],
    "target_transform": ["x", 3],
    "scoring": ["x", 3],
    "class_weight": ["x", 3],
    "label_smoothing": [1, -0.1, "x", None],
    "effort": ["x", None, 2],
    "n_members": [0, -1, 2.5, "x", None],
    "time_limit": [0, -1, "x"],
    "early_stopping": ["x", None, 2],
    "validation_fraction": [0, 1, "x", None],
    "n_iter_no_change": [0, 2.5, "x", None],
    "tol": ["x", None, -1],
    "shuffle": ["x", None],
    "warm_start": ["x", None],
    "device": ["x", "tpu", 0],
    "precision": ["x", None, 32, "tf32"],
    "random_state": ["x", -1, 2.5, 2**32],
    "verbose": ["x", None, -1],
}
X = np.arange(12.0).reshape(6, 2)
Y = np.array([0, 1, 0, 1, 1, 0])


@pytest.mark.parametrize("name", WRONG)
@pytest.mark.parametrize("estimator", [DeepRegressor, DeepClassifier])
def test_a_wrong_option_is_refused_by_name(estimator, name):
    if name not in estimator().get_params():
        pytest.skip("an option of the other estimator")
    for value in WRONG[name]:
        model = estimator(**{"hidden_layer_sizes": (2,), "max_iter": 1, name: value})
        with pytest.raises(ArgumentError, match=rf"\b{name}\b"):
            model.fit(X, Y)
        with pytest.raises(ArgumentError, match=rf"\b{name}\b"):
            model.partial_fit(X, Y, **({"classes": [0, 1]} if estimator is DeepClassifier else {}))
        assert not [key for key in vars(model) if key.endswith("_")]


@pytest.mark.parametrize("option", [{"activation": "z +"}, {"loss": "y_hat +"}])
def test_a_formula_that_is_not_one_is_refused(option):
    with pytest.raises(FormulaError, match=r"(z|y_hat) \+"):
        DeepRegressor((2,), **option).fit(X, Y)


@pytest.mark.parametrize("estimator", [DeepRegressor, DeepClassifier])
def test_every_option_has_a_wrong_value_here(estimator):
    assert set(estimator().get_params()) <= set(WRONG)


@pytest.mark.parametrize(
    ("option", "widths"),
    [
        (3, (3,)),
        (np.int64(3), (3,)),
        ([3, 2], (3, 2)),
        (np.array([3, 2]), (3, 2)),
        ((np.int32(3), 2), (3, 2)),
        ((), ()),
    ],
)
def test_hidden_layer_sizes(option, widths):
    model = DeepRegressor(option, max_iter=1, numeric_embedding=None).fit(X, Y)
    assert model.network_.sizes == (2, *widths, 1)
    assert all(type(size) is int for size in model.network_.sizes)


def test_numbers_of_numpy_are_numbers():
    model = DeepRegressor(
        (2,),
        max_iter=np.int64(2),
        batch_size=np.int32(4),
        alpha=np.float32(0.1),
        learning_rate_init=np.float64(0.01),
        random_state=np.int64(1),
        early_stopping=np.bool_(True),
        n_iter_no_change=np.int64(5),
    )
    assert model.fit(X, Y).n_iter_ == 2


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"solver": "AdamW"}, r"solver: optimizer must be one of .*Did you mean 'adamw'\?"),
        ({"activation": "relo"}, r"activation must be one of .*Did you mean 'relu'\?"),
        ({"learning_rate": "cosin"}, r"learning_rate: .*Did you mean 'cosine'\?"),
    ],
)
def test_names_are_refused_before_anything_is_read(options, message):
    with pytest.raises(ArgumentError, match=message):
        refuse_wrong(options)

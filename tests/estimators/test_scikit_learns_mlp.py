"""scikit-learn's own tests of its MLPClassifier and MLPRegressor, as installed, run on our estimators.

Its test module is executed once more with our classes under its names; pytest collects the functions. What
does not apply is listed below and must fail, for the exception given, so that the list stays true.
"""

from importlib.util import find_spec, module_from_spec
from typing import NamedTuple

import pytest
from sklearn import neural_network

from chainrule import DeepClassifier, DeepRegressor, sgd

# What scikit-learn's classes do where a test says nothing. They scale nothing themselves; of our scalings,
# "standard" is the one that leaves a linear model linear.
DEFAULTS = {
    "hidden_layer_sizes": (100,),
    "activation": "relu",
    "learning_rate": "constant",
    "learning_rate_init": 0.001,
    "alpha": 0.0001,
    "batch_size": 200,
    "max_iter": 200,
    "n_iter_no_change": 10,
    "early_stopping": False,
    "scaling": "standard",
    "numeric_embedding": None,
}
ACTIVATIONS = {"logistic": "sigmoid"}


def classifier(**options):
    return DeepClassifier(**_spelt_our_way(options))


def regressor(**options):
    return DeepRegressor(**_spelt_our_way(options))


def _spelt_our_way(options):
    options = {**DEFAULTS, **options}
    options["activation"] = ACTIVATIONS.get(options["activation"], options["activation"])
    momentum = options.pop("momentum", 0.9)
    if options.get("solver") == "sgd":
        options["solver"] = sgd(momentum, nesterov=momentum > 0)
    return options


class Differs(NamedTuple):
    raises: type[BaseException]
    why: str


# Reasons are whole sentences, for docs/scikit_learn.md has them too.
_PRIVATE = "It calls private methods, or sets attributes that ours computes from `parameters_`."
_PLANNED = (
    "`max_iter` is the length of the planned schedule rather than a bound, so that reaching it is no failure to "
    "converge and gives no ConvergenceWarning."
)
_VALIDATION_DECIDES = (
    "Only validation rows end a training early; with `early_stopping=False` all `max_iter` epochs run."
)
_SCHEDULES = "Schedules are functions of the share of training done; there is no `invscaling` or `adaptive`."
_FLOAT32 = "Parameters are float32 and predictions float64, whatever X is."
_MAX_FUN = "L-BFGS is bounded by `max_iter` alone."

DIFFERS = {
    "test_fit": Differs(AttributeError, _PRIVATE),
    "test_gradient": Differs(AttributeError, _PRIVATE),
    "test_lbfgs_classification_maxfun": Differs(TypeError, _MAX_FUN),
    "test_lbfgs_regression_maxfun": Differs(TypeError, _MAX_FUN),
    "test_learning_rate_warmstart": Differs(TypeError, _SCHEDULES),
    "test_adaptive_learning_rate": Differs(ValueError, _SCHEDULES),
    "test_partial_fit_regression": Differs(
        AssertionError, "Equal to float32's rounding (4 · 10⁻⁷), where 10⁻⁷ of each value is asked for."
    ),
    "test_partial_fit_errors": Differs(
        AssertionError, "`partial_fit` works with L-BFGS too: one line-searched step on the rows given."
    ),
    "test_nonfinite_params": Differs(
        pytest.fail.Exception, "Inputs are scaled, so that values near 10³⁰⁸ give a finite network."
    ),
    "test_tolerance": Differs(AssertionError, _VALIDATION_DECIDES),
    "test_n_iter_no_change": Differs(AttributeError, _VALIDATION_DECIDES),
    "test_n_iter_no_change_inf": Differs(AttributeError, _PRIVATE),
    "test_verbose_sgd": Differs(
        AssertionError, "Progress is drawn on stderr, and only on a terminal; stdout is for data."
    ),
    "test_warm_start": Differs(
        pytest.fail.Exception,
        "The classes of the first fit stay; a later fit may bring some of them only, and no new ones.",
    ),
    "test_warm_start_full_iteration": Differs(
        AssertionError,
        "`n_iter_` counts the epochs of all fits, as `partial_fit` does, so that it is the length of "
        "`loss_curve_`.",
    ),
    "test_early_stopping_stratified": Differs(
        pytest.fail.Exception, "A class of a single row is kept for training rather than refused."
    ),
    "test_mlp_param_dtypes[classifier-float64]": Differs(AssertionError, _FLOAT32),
    "test_mlp_param_dtypes[regressor-float32]": Differs(AssertionError, _FLOAT32),
    "test_mlp_param_dtypes[regressor-float64]": Differs(AssertionError, _FLOAT32),
    "test_mlp_loading_from_joblib_partial_fit": Differs(
        AssertionError,
        "The one row is scaled to 0, so that only biases learn, which Adam moves by at most 0.01 per step.",
    ),
    "test_preserve_feature_names[classifier]": Differs(
        ValueError, "Its y has a single class, which is refused: there is nothing to learn."
    ),
    "test_mlp_warm_start_no_convergence": Differs(pytest.fail.Exception, _PLANNED),
    "test_mlp_diverging_loss": Differs(
        AssertionError,
        "An epoch whose loss is not finite ends the training with a warning and is not recorded; the best "
        "epoch before it is kept.",
    ),
    "test_minimum_input_sample_size": Differs(
        pytest.fail.Exception, "One validation row is enough for a loss; R² needs two."
    ),
}


def _tests():
    """The tests of a fresh copy of scikit-learn's module, in which our classes bear its classes' names."""
    spec = find_spec("sklearn.neural_network.tests.test_mlp")
    module = module_from_spec(spec)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(neural_network, "MLPClassifier", classifier)
        patch.setattr(neural_network, "MLPRegressor", regressor)
        spec.loader.exec_module(module)
    return {name: value for name, value in vars(module).items() if name.startswith("test_")}


TESTS = _tests()
globals().update(TESTS)


@pytest.fixture(autouse=True)
def what_differs(request, quick_compiler):
    for name in (request.node.name, request.node.originalname):
        if name in DIFFERS:
            raises, why = DIFFERS[name]
            request.applymarker(pytest.mark.xfail(raises=raises, reason=why, strict=True))


@pytest.fixture
def global_random_seed():
    return 42


def test_the_list_names_only_tests_that_exist():
    assert len(TESTS) > 40
    assert {name.partition("[")[0] for name in DIFFERS} <= set(TESTS)

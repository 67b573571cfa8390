"""scikit-learn's own tests of its MLPClassifier and MLPRegressor, as installed, run on our estimators.

Its test module is executed once more with our classes under its names; pytest collects the functions. What
does not apply is listed below and must fail, for the exception given, so that the list stays true.
"""

import re
from importlib.util import find_spec, module_from_spec
from pathlib import Path
from typing import NamedTuple

import pytest
from sklearn import neural_network

from chainrule import DeepClassifier, DeepRegressor, sgd

PAGE = Path(__file__).parents[2] / "docs/scikit_learn.md"

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


_PRIVATE = "It reads or calls what is private, or sets `coefs_`, which ours computes from `parameters_`."
_MAX_FUN = "L-BFGS is bounded by `max_iter` alone."
_SCHEDULES = "Schedules are functions of the share of training done; there is no `invscaling` or `adaptive`."
_UNTIL_THE_END = (
    "Only validation rows end a training early; with `early_stopping=False` all `max_iter` epochs run."
)
_PLANNED = "`max_iter` is the planned length rather than a bound: reaching it is no failure to converge."
_FLOAT32 = "Parameters are float32 and predictions float64, whatever X is."

# docs/scikit_learn.md shows the same table.
DIFFERS = {
    "test_fit": Differs(AttributeError, _PRIVATE),
    "test_gradient": Differs(AttributeError, _PRIVATE),
    "test_n_iter_no_change_inf": Differs(AttributeError, _PRIVATE),
    "test_lbfgs_classification_maxfun": Differs(TypeError, _MAX_FUN),
    "test_lbfgs_regression_maxfun": Differs(TypeError, _MAX_FUN),
    "test_learning_rate_warmstart": Differs(TypeError, _SCHEDULES),
    "test_adaptive_learning_rate": Differs(ValueError, _SCHEDULES),
    "test_tolerance": Differs(AssertionError, _UNTIL_THE_END),
    "test_n_iter_no_change": Differs(AttributeError, _UNTIL_THE_END),
    "test_mlp_warm_start_no_convergence": Differs(pytest.fail.Exception, _PLANNED),
    "test_mlp_param_dtypes[classifier-float64]": Differs(AssertionError, _FLOAT32),
    "test_mlp_param_dtypes[regressor-float32]": Differs(AssertionError, _FLOAT32),
    "test_mlp_param_dtypes[regressor-float64]": Differs(AssertionError, _FLOAT32),
    "test_partial_fit_regression": Differs(
        AssertionError, "Equal to the rounding of float32, where a relative 10⁻⁷ is asked for."
    ),
    "test_partial_fit_errors": Differs(
        AssertionError, "`partial_fit` works with L-BFGS too: one line-searched step on the rows given."
    ),
    "test_nonfinite_params": Differs(
        pytest.fail.Exception, "Inputs are scaled, so that values near 10³⁰⁸ give a finite network."
    ),
    "test_mlp_diverging_loss": Differs(
        AssertionError,
        "An epoch whose loss is not finite ends the training with a warning and is not recorded; the best "
        "one before it is kept.",
    ),
    "test_mlp_loading_from_joblib_partial_fit": Differs(
        AssertionError,
        "Its one row is scaled to 0, so that only the last bias learns, 0.01 per step of Adam.",
    ),
    "test_verbose_sgd": Differs(
        AssertionError, "Progress is drawn on stderr, and only on a terminal; stdout is for data."
    ),
    "test_warm_start": Differs(
        pytest.fail.Exception, "A later fit may bring some of the first one's classes, and no new ones."
    ),
    "test_warm_start_full_iteration": Differs(
        AssertionError, "`n_iter_` counts the epochs of all fits: it is the length of `loss_curve_`."
    ),
    "test_early_stopping_stratified": Differs(
        pytest.fail.Exception, "A class of a single row is learnt from rather than refused."
    ),
    "test_preserve_feature_names[classifier]": Differs(
        ValueError, "Its y has a single class, which is refused: there is nothing to learn."
    ),
    "test_minimum_input_sample_size": Differs(
        pytest.fail.Exception,
        "One validation row is enough for a loss, which chooses the epoch; R² needs two.",
    ),
}

pytestmark = pytest.mark.long  # a minute in all, mostly to compile


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


def test_the_page_for_users_has_the_list():
    rows = [
        line.split("|") for line in PAGE.read_text(encoding="utf-8").splitlines() if line.startswith("| `")
    ]
    told = {name: why.strip() for _, names, why, _ in rows for name in re.findall(r"`(test_.*?)`", names)}
    assert told == {name: why for name, (_, why) in DIFFERS.items()}

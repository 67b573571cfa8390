"""scikit-learn's own tests of its MLPClassifier and MLPRegressor, run on our estimators."""

from importlib.util import find_spec, module_from_spec

import numpy as np
import pytest
from sklearn import neural_network

from chainrule import DeepClassifier, DeepRegressor, sgd

MLP = {
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


def _ours(options):
    options = {**MLP, **options}
    momentum, nesterov = options.pop("momentum", 0.9), options.pop("nesterovs_momentum", True)
    if options.get("solver") == "sgd":
        options["solver"] = sgd(momentum, nesterov and momentum > 0)
    if options["activation"] == "logistic":
        options["activation"] = "sigmoid"
    return options


def classifier(**options):
    return DeepClassifier(**_ours(options))


def regressor(**options):
    return DeepRegressor(**_ours(options))


def _upstream():
    spec = find_spec("sklearn.neural_network.tests.test_mlp")
    module = module_from_spec(spec)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(neural_network, "MLPClassifier", classifier)
        patch.setattr(neural_network, "MLPRegressor", regressor)
        spec.loader.exec_module(module)
    return {name: value for name, value in vars(module).items() if name.startswith("test_")}


globals().update(_upstream())


@pytest.fixture
def global_random_seed():
    return 42


@pytest.fixture(autouse=True, scope="module")
def quick(quick_compiler):
    pass

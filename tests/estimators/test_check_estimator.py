"""scikit-learn's own tests of an estimator."""

import pytest
from sklearn.utils.estimator_checks import parametrize_with_checks

from chainrule import DeepClassifier, DeepRegressor

# Small networks, for speed alone.
SMALL = {"hidden_layer_sizes": (16,), "numeric_embedding": None, "n_members": 1}
ESTIMATORS = [DeepRegressor(**SMALL), DeepClassifier(**SMALL)]

# scikit-learn expects the same of its own SGDClassifier and SGDRegressor.
_ROUNDING = (
    "stochastic training: a repeated row may come twice in different batches, and a removed one changes "
    "their order. In one full batch the two are equal to float32's rounding, which is above the "
    "tolerance of 1e-7; test_regressor.py and test_classifier.py hold that equality."
)
EXPECTED = {f"check_sample_weight_equivalence_on_{kind}_data": _ROUNDING for kind in ("dense", "sparse")}


@parametrize_with_checks(ESTIMATORS, expected_failed_checks=lambda estimator: EXPECTED)
def test_scikit_learn_contract(estimator, check):
    check(estimator)


@pytest.mark.long
@parametrize_with_checks(
    [DeepRegressor(), DeepClassifier()], expected_failed_checks=lambda estimator: EXPECTED
)
def test_scikit_learn_contract_with_the_defaults(estimator, check):
    check(estimator)

"""scikit-learn's own tests of an estimator."""

import pytest
from sklearn.utils.estimator_checks import parametrize_with_checks

from chainrule import DeepClassifier, DeepRegressor

# Small networks and few epochs, for speed alone.
ESTIMATORS = [
    DeepRegressor((32,)),
    DeepClassifier((32,)),
]


@parametrize_with_checks(ESTIMATORS)
def test_scikit_learn_contract(estimator, check):
    check(estimator)

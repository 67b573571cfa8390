"""The scikit-learn contract: DeepRegressor and DeepClassifier."""

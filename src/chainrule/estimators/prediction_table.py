"""Predictions as columns with names."""

from collections.abc import Sequence
from typing import TYPE_CHECKING

import numpy as np

from chainrule.errors import ArgumentError
from chainrule.estimators.checked_arrays import share
from chainrule.estimators.classifier import DeepClassifier
from chainrule.estimators.regressor import DeepRegressor
from chainrule.estimators.scores import quantile_levels

if TYPE_CHECKING:
    import polars as pl


def prediction_table(
    model: DeepRegressor | DeepClassifier,
    X: "pl.DataFrame | np.ndarray",
    targets: Sequence[str],
    *,
    probabilities: bool = False,
    interval: float | None = None,
    sets: float | None = None,
) -> "pl.DataFrame":
    """Predict, one column for each target, named after it.

    Several quantiles are columns such as "price (quantile 0.1)"; the loss "gaussian_nll" adds "price
    (standard deviation)". With ``probabilities``, there is also a column such as "city = Rome" for each
    class, or "rain = 1" for each of several labels: the probability that it holds. ``interval`` adds
    "price (low)" and "price (high)", between which a value is with that coverage; ``sets`` adds "city (set)",
    the classes that are likely, separated by a bar.

    Raises
    ------
    ArgumentError
        If there are no probabilities.
    TableError
        If the table does not fit the model.
    """
    import polars as pl

    for option, coverage in (("--interval", interval), ("--set", sets)):
        if coverage is not None:
            share(option, coverage)
    columns: dict[str, np.ndarray] = {}
    if isinstance(model, DeepClassifier):
        if interval is not None:
            raise ArgumentError("--interval must be left out for classes; --set gives those that are likely.")
        for option, wished in (("--probabilities", probabilities), ("--set", sets is not None)):
            if wished and not hasattr(model, "predict_proba"):
                raise ArgumentError(
                    f"{option} must be left out: the loss {model.network_.loss.name!r} has no probabilities."
                )
        columns |= zip(targets, model.predict(X).reshape(-1, len(targets)).T, strict=True)
        if probabilities:
            values = model.classes_.tolist() if len(targets) == 1 else [1]  # of a label, that it holds
            names = [f"{name} = {spelling(value)}" for name in targets for value in values]
            columns |= zip(names, model.predict_proba(X).T, strict=True)
        if sets is not None:
            if len(targets) > 1:
                raise ArgumentError("--set must be left out for several labels, of which each holds or not.")
            _need_unseen(model, "--set")
            spelt = np.array([spelling(value) for value in model.classes_.tolist()], object)
            likely = ["|".join(spelt[row]) for row in model.predict_set(X, sets)]
            columns[f"{targets[0]} (set)"] = np.array(likely, object)
        return pl.DataFrame({name: values.tolist() for name, values in columns.items()})
    if probabilities:
        raise ArgumentError("--probabilities must be left out for a regression model: it has no classes.")
    if sets is not None:
        raise ArgumentError("--set must be left out for numbers; --interval gives where they are likely.")
    columns = _numbers(model, X, targets)
    if interval is not None:
        _need_unseen(model, "--interval")
        bounds = model.predict_interval(X, interval).reshape(-1, len(targets), 2)
        for k, name in enumerate(targets):
            columns[f"{name} (low)"], columns[f"{name} (high)"] = bounds[:, k].T
    return pl.DataFrame(columns)


def _need_unseen(model: DeepRegressor | DeepClassifier, option: str) -> None:
    if model.nonconformity_ is None:
        raise ArgumentError(
            f"{option} must be left out: the model kept no rows back to know how far off it is. Fit it with "
            "--validation, or on more rows."
        )


def _numbers(
    model: DeepRegressor, X: "pl.DataFrame | np.ndarray", targets: Sequence[str]
) -> dict[str, np.ndarray]:
    """The columns of a regression."""
    if model.network_.loss.name == "gaussian_nll":
        mean, deviation = (part.reshape(len(part), -1) for part in model.predict(X, return_std=True))
        columns = dict(zip(targets, mean.T, strict=True))
        return columns | {f"{n} (standard deviation)": d for n, d in zip(targets, deviation.T, strict=True)}
    predictions = np.asarray(model.predict(X))
    predictions = predictions.reshape(len(predictions), -1)
    return dict(zip(names_of_predictions(model, targets), predictions.T, strict=True))


def names_of_predictions(model: DeepRegressor | DeepClassifier, targets: Sequence[str]) -> list[str]:
    """A name for each column of ``predict``: the target's, or "price (quantile 0.1)" where it has several."""
    levels = quantile_levels(model.network_.loss)
    if len(levels) <= 1:
        return list(targets)
    return [f"{name} (quantile {level:g})" for level in levels for name in targets]


def spelling(value: object) -> str:
    """A class as people write it, and as --class takes it."""
    return str(value).lower() if isinstance(value, bool) else str(value)

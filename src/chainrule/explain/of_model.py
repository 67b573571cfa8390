"""Derivations for a trained model and the rows of a table."""

from copy import copy
from typing import Any

import jax
import numpy as np

from chainrule.errors import ArgumentError
from chainrule.estimators.base import DeepEstimator
from chainrule.explain.derivation import Derivation, derive
from chainrule.explain.directional import directional
from chainrule.mathematics.loss import DISTRIBUTION, Loss


def derive_model(
    model: DeepEstimator,
    X: Any,
    y: Any,
    weight: str,
    *,
    member: int = 1,
    direction: Any = None,
    **options: Any,
) -> Derivation:
    """Derive ∂L/∂w of a fitted estimator, on rows of a table.

    Parameters
    ----------
    model
        A fitted DeepRegressor or DeepClassifier.
    X
        The rows, as ``predict`` takes them.
    y
        Their targets, as ``fit`` takes them; None where an output is derived, ``of="y_hat[1]"``.
    weight
        An entry such as "W1[2,1]"; inputs are the encoded columns, which the derivation names.
    member
        Which of the model's networks, from 1.
    direction
        In the place of a weight, a direction of the weights: see :func:`chainrule.directional`.
    **options
        As for :func:`chainrule.derive`: of, row, order, seed, optimizer, learning_rate, steps, full; along
        a direction only seed.

    Raises
    ------
    ArgumentError
        For a network, a weight or a row that is not there.
    """
    parameters = member_of(model, member)
    if direction is not None and options.keys() - {"seed"}:
        given = ", ".join(sorted(options.keys() - {"seed"}))
        raise ArgumentError(
            f"{given} must be left out with direction, which takes L along all weights that move."
        )
    if y is None and (direction is not None or options.get("of", "L") == "L"):
        raise ArgumentError(
            "y must be given for the loss; got None. Give it, or derive an output, of='y_hat[1]'."
        )
    x, targets = encoded(model, X, y)
    if direction is not None:
        return directional(model.network_, parameters, x, targets, direction, **options)
    names = model.encoder_.feature_names
    return derive(model.network_, parameters, x, targets, weight, names=names, **options)


def member_of(model: DeepEstimator, member: int) -> Any:
    """The parameters of one of the model's networks, counted from 1."""
    if not (isinstance(member, int) and 1 <= member <= model.n_members_):
        raise ArgumentError(
            f"member must be a whole number from 1 to {model.n_members_}, the networks there are; "
            f"got {member!r}."
        )
    return jax.tree.map(lambda leaf: np.asarray(leaf)[member - 1], model.members_)


def encoded(model: DeepEstimator, X: Any, y: Any) -> tuple[np.ndarray, np.ndarray]:
    """Rows as the networks see them: encoded columns, and targets as the loss sees them."""
    x = model.encoded(X)
    if y is None:
        return x, _any_targets(model.network_.loss, len(x), model.network_.targets)
    return x, copy(model).targets_as_learnt(y)  # learning targets may widen what the model knows of them


def _any_targets(loss: Loss, rows: int, targets: int) -> np.ndarray:
    """Targets that every loss admits, for an output that does not depend on them."""
    y = np.zeros((rows, targets)) if loss.domain is DISTRIBUTION else np.full((rows, targets), 0.5)
    y[:, 0] = 1.0 if loss.domain is DISTRIBUTION else 0.5
    return y

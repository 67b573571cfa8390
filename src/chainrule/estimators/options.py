"""What each option of an estimator may be. The others find their names, or say what is wrong, themselves."""

from collections.abc import Callable, Iterable, Mapping
from math import inf
from numbers import Integral, Real
from typing import Any, TypeAlias, TypeVar

import numpy as np

from chainrule.errors import ArgumentError
from chainrule.mathematics.activations import find_activation
from chainrule.mathematics.losses import find_loss
from chainrule.mathematics.named import did_you_mean
from chainrule.mathematics.product import PRECISIONS
from chainrule.training.optimizers import find_optimizer
from chainrule.training.schedules import find_schedule

T = TypeVar("T")
_Rule: TypeAlias = tuple[str, Callable[[Any], bool]]


def _whole(value: Any) -> bool:
    return isinstance(value, Integral) and not isinstance(value, bool) and value >= 1  # type: ignore[operator]


def _number(value: Any) -> bool:
    return isinstance(value, Real) and not isinstance(value, bool)


def _yes_or_no(value: Any) -> bool:
    return isinstance(value, bool | np.bool_)


def _sizes(value: Any) -> bool:
    several = isinstance(value, Iterable) and not isinstance(value, str | bytes)
    return all(map(_whole, value)) if several else _whole(value)


def _seed(value: Any) -> bool:
    number = isinstance(value, Integral) and 0 <= value < 2**32  # type: ignore[operator]
    return value is None or number or isinstance(value, np.random.RandomState)


def _auto(value: Any) -> bool:
    return isinstance(value, str) and value == "auto"


def _one_of(*values: str | None) -> _Rule:
    return "one of " + ", ".join(
        map(repr, values)
    ), lambda value: (value is None or isinstance(value, str)) and value in values


_SHARE: _Rule = ("a number of at least 0 and below 1", lambda v: _number(v) and 0 <= v < 1)
_PENALTY: _Rule = ("a number of 0 or more", lambda v: _number(v) and 0 <= v < inf)
_BOOLEAN: _Rule = ("True or False", _yes_or_no)

RULES: dict[str, _Rule] = {
    "hidden_layer_sizes": ("a whole number of at least 1, or several such as (128, 128), or ()", _sizes),
    "learning_rate_init": ("a number above 0, or 'auto'", lambda v: _auto(v) or (_number(v) and 0 < v < inf)),
    "batch_size": ("a whole number of at least 1, or 'auto'", lambda v: _auto(v) or _whole(v)),
    "max_iter": ("a whole number of at least 1, or 'auto'", lambda v: _auto(v) or _whole(v)),
    "alpha": _PENALTY,
    "l1": _PENALTY,
    "weight_decay": ("a number of 0 or more, or 'auto'", lambda v: _auto(v) or _PENALTY[1](v)),
    "max_norm": ("a number above 0, or None", lambda v: v is None or (_number(v) and v > 0)),
    "dropout": ("a number of at least 0 and below 1, or 'auto'", lambda v: _auto(v) or _SHARE[1](v)),
    "layer_norm": _BOOLEAN,
    "residual": _BOOLEAN,
    "scaling": _one_of("robust", "standard", "quantile"),
    "numeric_embedding": _one_of("auto", None, "periodic", "piecewise_linear"),
    "target_transform": _one_of(None, "log"),
    "scoring": (
        "'loss', the name of a scikit-learn scorer, or a callable (estimator, X, y) to number",
        lambda v: v is None or isinstance(v, str) or callable(v),
    ),
    "class_weight": (
        "None, 'balanced', or a dict of class to weight",
        lambda v: v is None or isinstance(v, Mapping | list) or (isinstance(v, str) and v == "balanced"),
    ),
    "label_smoothing": _SHARE,
    "effort": _one_of("fast", "balanced", "best"),
    "n_members": ("a whole number of at least 1, or 'auto'", lambda v: _auto(v) or _whole(v)),
    "time_limit": ("a number of seconds above 0, or None", lambda v: v is None or (_number(v) and v > 0)),
    "early_stopping": ("True, False or 'auto'", lambda v: _auto(v) or _yes_or_no(v)),
    "validation_fraction": ("a number between 0 and 1, both excluded", lambda v: _number(v) and 0 < v < 1),
    "n_iter_no_change": (
        "a whole number of at least 1, infinity, or 'auto'",
        lambda v: _auto(v) or _whole(v) or v == inf,
    ),
    "tol": _PENALTY,
    "shuffle": _BOOLEAN,
    "warm_start": _BOOLEAN,
    "device": _one_of(None, "cpu", "gpu"),
    "precision": _one_of(*PRECISIONS),
    "random_state": ("None, a whole number from 0 to 2³² − 1, or a numpy RandomState", _seed),
    "verbose": ("True, False, or a number of 0 or more", lambda v: _yes_or_no(v) or (_number(v) and v >= 0)),
}


def _find_scorer(name: object) -> object:
    from sklearn.metrics import get_scorer_names

    names = ["loss", *get_scorer_names()]
    if name not in names:
        hint = did_you_mean(str(name), names) or " See sklearn.metrics.get_scorer_names()."
        raise ArgumentError(
            f"scoring must be 'loss' or the name of a scikit-learn scorer; got {name!r}.{hint}"
        )
    return name


_FINDERS: dict[str, Callable[[object], object]] = {
    "activation": find_activation,
    "loss": find_loss,
    "solver": find_optimizer,
    "learning_rate": find_schedule,
    "scoring": _find_scorer,
}


def refuse_wrong(options: Mapping[str, Any]) -> None:
    """Refuse the first option that is not what it may be, before anything is read or trained.

    Raises
    ------
    ArgumentError
        With the option's name, what it must be, and what came.
    """
    for name, value in options.items():
        must, holds = RULES.get(name, ("", lambda _: True))
        if not holds(value):
            raise ArgumentError(f"{name} must be {must}; got {value!r}.")
        if name in _FINDERS and isinstance(value, str) and not _auto(value):
            found(name, _FINDERS[name], value)


def found(name: str, find: Callable[[object], T], value: object) -> T:
    """What ``find`` finds for an option; where it finds nothing, the option's name begins the sentence."""
    try:
        return find(value)
    except ArgumentError as error:
        said = str(error)
        raise type(error)(said if said.startswith(f"{name} ") else f"{name}: {said}") from None

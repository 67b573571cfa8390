"""Values as JSON and back: what JSON has no word for is marked by a key that begins with $."""

import math
import re
from collections.abc import Callable
from typing import Any

import numpy as np

from chainrule.errors import ArgumentError
from chainrule.mathematics.activation import Activation
from chainrule.mathematics.activations import find_activation
from chainrule.mathematics.checked import ours
from chainrule.mathematics.initializers import Initializer, find_initializer
from chainrule.mathematics.loss import Loss
from chainrule.mathematics.losses import find_loss
from chainrule.training.optimizers import Optimizer, find_optimizer
from chainrule.training.schedules import Schedule, find_schedule

_RECORDS: dict[type, Callable[[object], Any]] = {
    Activation: find_activation,
    Initializer: find_initializer,
    Loss: find_loss,
    Optimizer: find_optimizer,
    Schedule: find_schedule,
}
_ADVICE = {
    "activation": "Give a name or a formula, such as 'z * sigmoid(z)'.",
    "loss": "Give a name or a formula, such as '(y - y_hat)**2'.",
    "solver": "Give a name, such as 'adam' or 'sgd(0.9)'.",
    "learning_rate": "Give a name, such as 'one_cycle'.",
    "random_state": "Give a whole number or None.",
}
_DTYPE = re.compile(r"[<>|=]?([biuf][1248]|U\d{1,7}|O)")
_MOST_BYTES = 2**27  # of an array in a description: classes, not data


def to_plain(what: str, value: Any) -> Any:
    """Say a value in JSON: None, texts, numbers, lists, tuples, dicts, small arrays, records by name.

    Raises
    ------
    ArgumentError
        For anything else, such as a function, with what to give instead; ``what`` names the value.
    """
    match value:
        case None | bool() | str() | int():
            return value
        case np.generic() if value.dtype.kind in "biufU":
            return to_plain(what, value.item())
        case float():
            return value if math.isfinite(value) else {"$float": repr(value)}
        case _ if type(value) in _RECORDS:
            return name_of(what, value)
        case np.ndarray() if _DTYPE.fullmatch(value.dtype.str):
            return {"$array": [to_plain(what, item) for item in value.tolist()], "$dtype": value.dtype.str}
        case list():
            return [to_plain(what, item) for item in value]
        case tuple() if type(value) is tuple:
            return {"$tuple": [to_plain(what, item) for item in value]}
        case dict():
            if all(isinstance(key, str) and not key.startswith("$") for key in value):
                return {key: to_plain(what, item) for key, item in value.items()}
            return {"$dict": [[to_plain(what, k), to_plain(what, item)] for k, item in value.items()]}
    raise _unspeakable(what, value)


def from_plain(value: Any) -> Any:
    """What `to_plain` was given, but for records, which stay names; ValueError for what it never writes."""
    match value:
        case list():
            return [from_plain(item) for item in value]
        case {"$float": "inf" | "-inf" | "nan" as text, **rest} if not rest:
            return float(text)
        case {"$tuple": list(items), **rest} if not rest:
            return tuple(map(from_plain, items))
        case {"$dict": list(pairs), **rest} if not rest:
            return {from_plain(key): from_plain(item) for key, item in pairs}
        case {"$array": list(items), "$dtype": str(text), **rest} if not rest:
            return _array(items, text)
        case dict():
            if any(key.startswith("$") for key in value):
                raise ValueError(f"no such mark: {sorted(value)}")
            return {key: from_plain(item) for key, item in value.items()}
    return value


def _array(items: list[Any], text: str) -> np.ndarray:
    if not _DTYPE.fullmatch(text):
        raise ValueError(f"no such dtype: {text!r}")
    dtype = np.dtype(text)
    if dtype.itemsize * len(items) > _MOST_BYTES:
        raise ValueError(f"an array of {len(items)} times {text!r} is too large")
    values = [from_plain(item) for item in items]
    if dtype.kind == "O":
        array = np.empty(len(values), object)
        array[:] = values
        return array
    array = np.array(values, dtype)
    if array.ndim != 1:
        raise ValueError("an array must have one dimension")
    return array


def name_of(what: str, record: Any) -> str:
    """The name that finds a record again; ArgumentError where none does."""
    try:
        found = _RECORDS[type(record)](record.name)
    except ArgumentError:
        found = None
    if type(found) is not type(record) or not all(map(_same, found, record)):
        raise _unspeakable(what, record)
    return str(record.name)


def _same(a: Any, b: Any) -> bool:
    """Equal, or the same function of ours made twice: a formula that the cache forgot is compiled again."""
    if a == b:
        return True
    return callable(a) and callable(b) and ours(a) and ours(b) and a.__qualname__ == b.__qualname__


def _unspeakable(what: str, value: Any) -> ArgumentError:
    kind = type(value).__name__
    got = f"a {kind} of one's own, {value.name!r}" if type(value) in _RECORDS else f"a {kind}"
    advice = _ADVICE.get(what, "Give texts, numbers, or lists of them.")
    return ArgumentError(
        f"{what} must be what a model file can say, which never holds program code; got {got}. {advice}"
    )

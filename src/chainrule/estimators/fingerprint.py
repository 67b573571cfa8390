"""Whether a training is the one that a checkpoint is of: the same options, columns and rows."""

import hashlib
from collections.abc import Iterable, Mapping
from numbers import Integral
from typing import Any, TypeAlias

import jax
import jax.numpy as jnp
import numpy as np

from chainrule.estimators.rows import Rows
from chainrule.tables.encoder_description import describe_encoder
from chainrule.tables.encoders import TableEncoder
from chainrule.training.folds import Folds

Fingerprint: TypeAlias = dict[str, Any]
"""What there is to compare, as JSON holds it."""

_BY_THE_CLOCK = ("time_limit", "verbose")  # may change: no two runs have the same clock
_DEEPEST = 8
_LONGEST = 60  # characters of an option that an error shows


def fingerprint(
    model: Any, encoder: TableEncoder, rows: str, *, parts: object = (), memory: int = 0
) -> Fingerprint:
    """What a training depends on; ``rows`` is a digest of them, read in these parts, as memory allows."""
    options, described = model.get_params(deep=False), describe_encoder(encoder)
    seed = options.get("random_state")
    if not isinstance(seed, Integral):
        options["random_state"] = None if seed is None else "drawn"  # the checkpoint has what was drawn
    return {
        "estimator": type(model).__name__,
        "options": {name: _said(value) for name, value in options.items() if name not in _BY_THE_CLOCK},
        "columns": [f"{column['name']} ({column['kind']})" for column in described["columns"]],
        "table": _digest(rows + repr(described)),
        "parts": _digest(repr(parts)),
        "memory": memory,
    }


def of_rows(rows: Rows, folds: Folds, *others: Any) -> str:
    """A digest of rows as the network sees them, who learns from which, and whatever else is said."""
    digest = hashlib.blake2b(digest_size=16)
    for part in (*rows, *folds.learn, None, *folds.judge, *others):
        if isinstance(part, np.ndarray) and part.dtype != object:
            digest.update(f"{part.dtype} {part.shape} ".encode())
            digest.update(np.ascontiguousarray(part).reshape(-1).view(np.uint8).data)
        else:
            plain = part.ravel().tolist() if isinstance(part, np.ndarray) else part
            digest.update(f"{plain!r} ".encode())
    return digest.hexdigest()


def difference(before: Mapping[str, Any], now: Mapping[str, Any]) -> str:
    """What another training differs in, as the rest of a sentence; empty where it is the same."""
    if before["estimator"] != now["estimator"]:
        return f"it was of a {before['estimator']}, this is a {now['estimator']}"
    old, new = before["options"], now["options"]
    changed = [name for name in new if old.get(name) != new[name]]
    if changed:
        one = changed[0]
        others = f" (and {', '.join(changed[1:])} differ too)" if len(changed) > 1 else ""
        return f"{one} was {old.get(one, 'not there')[:_LONGEST]}, and is {new[one][:_LONGEST]}{others}"
    if before["columns"] != now["columns"]:
        pairs = zip(before["columns"], now["columns"], strict=False)
        first = next((f": {was!r} is now {has!r}" for was, has in pairs if was != has), "")
        counts = f"there were {len(before['columns'])} columns, and are {len(now['columns'])}"
        return "the columns differ" + (first or f": {counts}")
    if before["table"] != now["table"]:
        return "the table differs: its rows, their order or weights, or which of them validate"
    if before["parts"] != now["parts"]:
        bytes_of = f"memory was {before['memory']} bytes, and is {now['memory']}"
        return f"{bytes_of}: the table is read in other parts"
    return ""


def _digest(text: str) -> str:
    return hashlib.blake2b(text.encode(), digest_size=16).hexdigest()


def _said(value: Any, depth: int = 0) -> str:
    """A value as text, the same in each process; of functions, their names and what they enclose."""
    if depth > _DEEPEST:
        return "…"
    if isinstance(value, np.generic):
        value = value.item()
    if value is None or isinstance(value, bool | int | float | complex | str | bytes):
        return repr(value)
    if isinstance(value, jax.Array) and jnp.issubdtype(value.dtype, jax.dtypes.prng_key):
        value = jax.random.key_data(value)
    if isinstance(value, np.ndarray | jax.Array):
        return f"array {_digest(repr(np.asarray(value).tolist()))}"
    if isinstance(value, Mapping):
        return f"{{{_listed((f'{_said(k, depth + 1)}: {_said(v, depth + 1)}' for k, v in value.items()))}}}"
    if isinstance(value, list | tuple):
        named = type(value).__name__ if type(value) not in (list, tuple) else ""
        return f"{named}({_listed(_said(part, depth + 1) for part in value)})"
    name = f"{getattr(value, '__module__', '')}.{getattr(value, '__qualname__', type(value).__qualname__)}"
    cells = getattr(value, "__closure__", None) or ()
    enclosed = _listed(_content(cell, depth) for cell in cells)
    return f"{name}[{enclosed}]" if enclosed else name


def _content(cell: Any, depth: int) -> str:
    try:
        return _said(cell.cell_contents, depth + 1)
    except ValueError:  # empty
        return "-"


def _listed(parts: Iterable[str]) -> str:
    return ", ".join(parts)

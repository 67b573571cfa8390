"""A fitted estimator as one safetensors file: arrays, and beside them a description in JSON.

Loading runs nothing that is in the file: classes are looked up in a fixed table, activations and losses
are names or formulas, and formulas go through chainrule's own parser.
"""

import json
import os
import sys
from collections.abc import Mapping
from contextlib import suppress
from pathlib import Path
from typing import Any, BinaryIO

import numpy as np
import safetensors
from safetensors.numpy import save as to_safetensors

import chainrule
from chainrule.errors import ModelFileError
from chainrule.files.description import FORMAT, READ, Arrays, Model, describe, restore
from chainrule.tables.reading import clear_errors
from chainrule.tables.writing import atomically

_KEY = "chainrule"
_LARGEST_HEADER = 100_000_000  # bytes; safetensors has the same bound
_DTYPES = {"F32": "<f4", "F64": "<f8"}


def save(model: Model, path: str | os.PathLike[str], *, about: Mapping[str, Any] | None = None) -> None:
    """Write a fitted estimator to a file, whole or not at all.

    The file holds what the model learnt, its options and the encoding of its columns (their names, means
    and categories), but no rows. What only training needs, such as the optimizer's state, is left out.

    Parameters
    ----------
    path
        Any name, or "-" for standard output. A file that is there is replaced.
    about
        What else the file shall say, in texts, numbers, lists and dicts; the command line notes the
        target columns. ``load`` gives it back as ``model.about_``, and saving that model keeps it.

    Raises
    ------
    ArgumentError
        If the model is not fitted, or an option cannot be said in a file, such as a function.
    FileError
        If the file cannot be written.

    Examples
    --------
    >>> import tempfile
    >>> model = chainrule.DeepRegressor((4,), max_iter=2, random_state=0).fit([[0.0], [1.0]], [0.0, 1.0])
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     save(model, folder + "/line.chainrule")
    ...     again = load(folder + "/line.chainrule")
    >>> bool(again.predict([[0.5]]) == model.predict([[0.5]]))
    True
    """
    data = to_bytes(model, about)
    if str(path) == "-":
        sys.stdout.flush()
        sys.stdout.buffer.write(data)
        sys.stdout.buffer.flush()
        return
    with atomically(path) as temporary:
        temporary.write_bytes(data)


def to_bytes(model: Model, about: Mapping[str, Any] | None = None) -> bytes:
    """What ``save`` writes."""
    description, arrays = describe(model, about)
    text = json.dumps(description, allow_nan=False, separators=(",", ":"))
    return to_safetensors(arrays, {_KEY: text})


def load(path: str | os.PathLike[str]) -> Model:
    """Read a fitted estimator that ``save`` wrote; it predicts the same, bit for bit.

    Parameters
    ----------
    path
        Its file, or "-" for standard input.

    Raises
    ------
    ModelFileError
        If the file is no chainrule model, not a whole one, or one of another version.
    FileError
        If it is not there or cannot be read.
    """
    name = "standard input" if str(path) == "-" else repr(str(path))
    description, arrays = _read(path, name)
    try:
        return restore(description, arrays)
    except Exception as error:  # a description that is not ours can make Python raise anything
        said = f"{error} is not there" if isinstance(error, KeyError) else str(error) or repr(error)
        reason = " ".join(said.split())[:200].rstrip(".")
        raise ModelFileError(
            f"{name} must be a model as chainrule wrote it; it was altered or damaged: {reason}. "
            "Copy or make it again."
        ) from error


def refuse_unwritable(path: str | os.PathLike[str]) -> None:
    """Raise the FileError of a place that cannot be written to, before hours of training go there."""
    if str(path) != "-":
        with suppress(_OnlyTrying), atomically(path):
            raise _OnlyTrying


class _OnlyTrying(Exception):  # noqa: N818
    """Leaves `atomically` with nothing changed."""


def _read(path: str | os.PathLike[str], name: str) -> tuple[dict[str, Any], Arrays]:
    with clear_errors(name):
        if str(path) == "-":
            data = _whole(sys.stdin.buffer, name)
        else:
            with Path(path).open("rb") as file:
                data = _whole(file, name)
    try:
        stored = safetensors.deserialize(data)  # type: ignore[no-untyped-call]
    except Exception:
        raise _damaged(name) from None
    description = _description(data, name)
    if {entry["dtype"] for _, entry in stored} - set(_DTYPES):
        raise _damaged(name)
    return description, {
        key: np.frombuffer(entry["data"], _DTYPES[entry["dtype"]]).reshape(entry["shape"])
        for key, entry in stored
    }


def _whole(file: BinaryIO, name: str) -> bytes:
    """All bytes; a file that is something else is refused by its beginning, however large it is."""
    first = file.read(8)
    if not first:
        raise ModelFileError(f"{name} must be a chainrule model; it is empty. Copy or make it again.")
    length = int.from_bytes(first, "little")
    header = file.read(length) if length <= _LARGEST_HEADER else b""
    if not (len(first) == 8 and header.startswith(b"{")):
        raise _foreign(name)
    if len(header) < length:
        raise _damaged(name)
    if f'"{_KEY}"'.encode() not in header:
        raise _foreign(name)
    return first + header + file.read()


def _description(data: bytes, name: str) -> dict[str, Any]:
    """The description, of this format."""
    length = int.from_bytes(data[:8], "little")
    try:
        text = json.loads(data[8 : 8 + length])["__metadata__"][_KEY]
        description = json.loads(text, parse_constant=_refuse_constant)
        version = description["format"]
    except (ValueError, KeyError, TypeError, RecursionError):
        raise _damaged(name) from None
    if version not in READ:
        made = " ".join(str(description.get("version")).split())[:20]
        raise ModelFileError(
            f"{name} must be a model of format {FORMAT}; got format {repr(version)[:20]}, written by "
            f"chainrule {made}, and this is {chainrule.__version__}. Use that version."
        )
    return dict(description)


def _refuse_constant(text: str) -> None:
    raise ValueError(f"{text} is not JSON")


def _foreign(name: str) -> ModelFileError:
    return ModelFileError(
        f"{name} must be a chainrule model; it is something else. "
        "Make one with: chainrule fit TABLE --target COLUMN -o MODEL."
    )


def _damaged(name: str) -> ModelFileError:
    return ModelFileError(
        f"{name} must be a whole chainrule model; it is cut off or damaged. Copy or make it again."
    )

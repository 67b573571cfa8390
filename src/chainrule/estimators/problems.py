"""From a table to something to learn: which task its target columns ask for, and their values as arrays."""

from collections.abc import Sequence
from difflib import get_close_matches
from enum import Enum
from typing import TYPE_CHECKING, NamedTuple

import numpy as np

from chainrule.errors import ArgumentError, TableError

if TYPE_CHECKING:
    import polars as pl

FEW = 10
"""Whole numbers with at most this many different values may well be classes."""


class Task(Enum):
    """What is asked of a network."""

    REGRESSION = "regression"
    CLASSIFICATION = "classification"
    LABELS = "labels"
    """Several columns, each of which holds or not."""


class Problem(NamedTuple):
    """Columns to learn from, targets to learn, what each row counts, and the task."""

    X: "pl.DataFrame"
    y: np.ndarray
    weight: np.ndarray | None
    task: Task
    why: str
    """What in the targets decided on the task, in words."""

    def take(self, rows: np.ndarray) -> "Problem":
        """The same problem on some of the rows."""
        weight = None if self.weight is None else self.weight[rows]
        return self._replace(X=self.X[rows], y=self.y[rows], weight=weight)


def problem_of(
    frame: "pl.DataFrame",
    targets: Sequence[str],
    task: Task | None = None,
    *,
    drop: Sequence[str] = (),
    weight: str | None = None,
) -> Problem:
    """Take a table apart into a problem; without a ``task``, the targets decide.

    Texts, categories and booleans are classes, numbers are numbers; several booleans are labels.

    Raises
    ------
    ArgumentError
        If a column that is named is not there, is named for two uses, or nothing is left to learn from.
    TableError
        If targets or weights cannot be used, with the first bad value and its row, from 1.
    """
    special = [*dict.fromkeys(targets), *dict.fromkeys(drop), *([weight] if weight is not None else [])]
    for name in special:
        refuse_absent(name, frame)
        if special.count(name) > 1:
            raise ArgumentError(f"column {name!r} must be target, weight or dropped; it is two of them.")
    X = frame.drop(special)
    if not X.width:
        raise ArgumentError("a table must have columns to learn from; none is left beside the target.")
    if task is None:
        task, why = _task_of(frame, targets)
    else:
        task = Task.LABELS if task is Task.CLASSIFICATION and len(set(targets)) > 1 else task
        why = "as asked for"
    y = target_values(frame, targets, task)
    return Problem(X, y, None if weight is None else _weights(frame[weight]), task, why)


def target_values(frame: "pl.DataFrame", targets: Sequence[str], task: Task) -> np.ndarray:
    """Targets as an array: numbers (rows,) or (rows, targets), classes (rows,), or 0 and 1 (rows, labels).

    Raises
    ------
    TableError
        If a value is missing, or is none that the task can use.
    """
    for name in targets:
        _refuse_missing(frame[name])
    if task is Task.CLASSIFICATION:
        return _classes(frame[targets[0]])
    convert = _numbers if task is Task.REGRESSION else _zeros_and_ones
    columns = [convert(frame[name]) for name in dict.fromkeys(targets)]
    return columns[0] if len(columns) == 1 else np.stack(columns, axis=1)


def class_codes(y: np.ndarray, classes: np.ndarray, name: str) -> np.ndarray:
    """Position of each value among the classes, however they are spelt (1, 1.0, "1"), shape (rows,).

    Raises
    ------
    TableError
        For a value that is no class, with its row.
    """
    known = classes.tolist()
    positions = {str(value): code for code, value in enumerate(known)}
    positions |= {value: code for code, value in enumerate(known)}
    codes = [positions.get(value, positions.get(str(value), -1)) for value in y.tolist()]
    if -1 in codes:
        row = codes.index(-1)
        raise TableError(
            f"column {name!r} must hold the classes of training ({_some(known)}); got "
            f"{y.tolist()[row]!r} in row {row + 1}. Correct or remove that row."
        )
    return np.array(codes, np.intp)


def select_columns(frame: "pl.DataFrame", names: Sequence[str]) -> "pl.DataFrame":
    """These columns in this order; TableError names those that are missing."""
    absent = [name for name in names if name not in frame.columns]
    if absent:
        raise TableError(
            f"a table must have the columns of training; missing {_some(absent)}. "
            f"It has {_some(frame.columns)}. Add or rename columns."
        )
    return frame.select(names)


def refuse_absent(name: str, frame: "pl.DataFrame") -> None:
    """Raise ArgumentError if a column that an option names is not in the table."""
    if name not in frame.columns:
        close = get_close_matches(name, frame.columns, n=1)
        hint = f" Did you mean {close[0]!r}?" if close else ""
        raise ArgumentError(f"there is no column {name!r}; the table has {_some(frame.columns)}.{hint}")


def _task_of(frame: "pl.DataFrame", targets: Sequence[str]) -> tuple[Task, str]:
    import polars as pl

    columns = [frame[name] for name in dict.fromkeys(targets)]
    if len(columns) > 1:
        if all(column.dtype == pl.Boolean for column in columns):
            return Task.LABELS, "booleans"
        return Task.REGRESSION, f"{len(columns)} columns of numbers"
    target = columns[0]
    values = target.drop_nulls()
    different = values.n_unique()
    if not target.dtype.is_numeric():
        kind = "booleans" if target.dtype == pl.Boolean else f"{different} different texts"
        _refuse_misspelt_numbers(target)
        return Task.CLASSIFICATION, kind
    if different <= FEW and (values == values.floor()).all():
        return (
            Task.REGRESSION,
            f"{different} different whole numbers; use --task classification if they are classes",
        )
    return Task.REGRESSION, "numbers"


def _refuse_misspelt_numbers(target: "pl.Series") -> None:
    """Refuse text of which half or more are numbers: rather numbers with an unknown mark for missing."""
    import polars as pl

    if target.dtype != pl.String:
        return
    present = target.drop_nulls()
    strange = present.filter(present.cast(pl.Float64, strict=False).is_null())
    if 2 * len(strange) <= len(present) and len(present):
        raise TableError(
            f"column {target.name!r} must be all numbers or all classes; got both (first text "
            f"{strange[0]!r}). If that means missing, add --missing and remove these rows; if all are "
            "classes, add --task classification."
        )


def _refuse_missing(target: "pl.Series") -> None:
    missing = target.is_null()
    if target.dtype.is_float():
        missing = missing | target.is_nan().fill_null(False)
    if missing.any():
        count, first = int(missing.sum()), int(missing.arg_max() or 0) + 1
        has = "1 row has none" if count == 1 else f"{count:,} rows have none"
        raise TableError(
            f"the target {target.name!r} must have a value in each row; {has} (first row {first}). "
            "Remove these rows."
        )


def _numbers(target: "pl.Series") -> np.ndarray:
    import polars as pl

    if not (target.dtype.is_numeric() or target.dtype == pl.Boolean):
        shown = "" if target.dtype != pl.String else _first_text(target)
        raise TableError(
            f"the target {target.name!r} must be numeric for regression; got {_kind(target)}{shown}. "
            "Convert it, or use --task classification."
        )
    values = target.cast(pl.Float64).to_numpy().astype(np.float64)
    wrong = ~np.isfinite(values)
    if wrong.any():
        row = int(wrong.argmax())
        raise TableError(
            f"the target {target.name!r} must be finite; got {values[row]:g} in row {row + 1}. Correct it."
        )
    return values


def _first_text(target: "pl.Series") -> str:
    import polars as pl

    strange = target.cast(pl.Float64, strict=False).is_null()
    row = int(strange.arg_max() or 0)
    return f" (first bad value {target[row]!r} in row {row + 1})"


def _classes(target: "pl.Series") -> np.ndarray:
    import polars as pl

    if target.dtype in (pl.String, pl.Categorical, pl.Enum):
        return np.array(target.cast(pl.String).to_list())
    if target.dtype == pl.Boolean or target.dtype.is_integer():
        return target.to_numpy()
    if target.dtype.is_numeric():
        values = _numbers(target)
        if (values == np.floor(values)).all():
            return values.astype(np.int64)
        row = int((values != np.floor(values)).argmax())
        got = f"{values[row]:g} in row {row + 1}"
    else:
        got = _kind(target)
    raise TableError(
        f"the target {target.name!r} must be texts, booleans or whole numbers for classification; got {got}. "
        "Convert it" + (", or use --task regression." if target.dtype.is_numeric() else ".")
    )


def _zeros_and_ones(target: "pl.Series") -> np.ndarray:
    values = _numbers(target)
    wrong = (values != 0) & (values != 1)
    if wrong.any():
        row = int(wrong.argmax())
        raise TableError(
            f"each of several targets to classify must be boolean, or 0 and 1; got {values[row]:g} in row "
            f"{row + 1} of {target.name!r}. Fit one model for each, or use --task regression."
        )
    return values.astype(np.int64)


def _weights(column: "pl.Series") -> np.ndarray:
    _refuse_missing(column)
    values = _numbers(column) if column.dtype.is_numeric() else np.array([np.nan])
    if not ((values >= 0).all() and values.any()):
        raise TableError(
            f"the weights in column {column.name!r} must be numbers of 0 or more, some of them above 0; "
            f"got {_kind(column) if not column.dtype.is_numeric() else f'{values.min():g}'}. Correct them."
        )
    return values


def _kind(column: "pl.Series") -> str:
    import polars as pl

    return "text" if column.dtype == pl.String else str(column.dtype)


def _some(names: Sequence[object], most: int = 12) -> str:
    shown = ", ".join(map(repr, names[:most]))
    return shown if len(names) <= most else f"{shown} and {len(names) - most} more"

"""Target columns as arrays: numbers, classes, labels; and classes as numbers, however they are spelt."""

from collections.abc import Sequence
from enum import Enum
from typing import TYPE_CHECKING

import numpy as np

from chainrule.errors import TableError
from chainrule.estimators.targets import refuse_enormous

if TYPE_CHECKING:
    import polars as pl


class Task(Enum):
    """What is asked of a network."""

    REGRESSION = "regression"
    CLASSIFICATION = "classification"
    LABELS = "labels"
    """Several columns, each of which holds or not."""


def target_values(frame: "pl.DataFrame", targets: Sequence[str], task: Task) -> np.ndarray:
    """Targets as an array: numbers (rows,) or (rows, targets), classes (rows,), or 0 and 1 (rows, labels).

    Raises
    ------
    TableError
        If a value is missing, or is none that the task can use.
    """
    for name in targets:
        refuse_missing(frame[name])
    if task is Task.CLASSIFICATION:
        return _classes(frame[targets[0]])
    convert = numbers_of if task is Task.REGRESSION else _zeros_and_ones
    columns = [convert(frame[name]) for name in dict.fromkeys(targets)]
    for column in columns:
        refuse_enormous(column)
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
            f"column {name!r} must hold the classes of training ({some_of(known)}); got "
            f"{y.tolist()[row]!r} in row {row + 1}. Correct or remove that row."
        )
    return np.array(codes, np.intp)


def numbers_of(target: "pl.Series", what: str = "the target") -> np.ndarray:
    """A column of finite numbers as float64; TableError for another one."""
    import polars as pl

    if not (target.dtype.is_numeric() or target.dtype == pl.Boolean):
        shown = "" if target.dtype != pl.String else _first_text(target)
        raise TableError(
            f"the target {target.name!r} must be numeric for regression; got {kind_of(target)}{shown}. "
            "Convert it, or fit with --task classification."
        )
    values = target.cast(pl.Float64).to_numpy().astype(np.float64)
    wrong = ~np.isfinite(values)
    if wrong.any():
        row = int(wrong.argmax())
        raise TableError(
            f"{what} {target.name!r} must be finite; got {values[row]:g} in row {row + 1}. Correct it."
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
    if target.dtype.is_temporal():
        return np.array(target.dt.to_string("iso").to_list())
    if target.dtype == pl.Boolean or target.dtype.is_integer():
        return target.to_numpy()
    if target.dtype.is_numeric():
        values = numbers_of(target)
        if (values == np.floor(values)).all():
            return values.astype(np.int64)
        row = int((values != np.floor(values)).argmax())
        got = f"{values[row]:g} in row {row + 1}"
    else:
        got = kind_of(target)
    raise TableError(
        f"the target {target.name!r} must be texts, booleans or whole numbers for classification; got {got}. "
        "Convert it" + (", or use --task regression." if target.dtype.is_numeric() else ".")
    )


def _zeros_and_ones(target: "pl.Series") -> np.ndarray:
    import polars as pl

    if not (target.dtype.is_numeric() or target.dtype == pl.Boolean):
        raise TableError(
            f"each of several targets to classify must be boolean, or 0 and 1; {target.name!r} is "
            f"{kind_of(target)}. Fit one model for each."
        )
    values = numbers_of(target)
    wrong = (values != 0) & (values != 1)
    if wrong.any():
        row = int(wrong.argmax())
        raise TableError(
            f"each of several targets to classify must be boolean, or 0 and 1; got {values[row]:g} in row "
            f"{row + 1} of {target.name!r}. Fit one model for each, or use --task regression."
        )
    return values.astype(np.int64)


def missing_in(column: "pl.Series") -> np.ndarray:
    """Which values are missing, NaN among them."""
    missing = column.is_null()
    if column.dtype.is_float():
        missing = missing | column.is_nan().fill_null(False)
    return missing.to_numpy()


def refuse_missing(column: "pl.Series", what: str = "the target") -> None:
    """Refuse a column with missing values: how many, and the first row."""
    missing = missing_in(column)
    if missing.any():
        count, first = int(missing.sum()), int(missing.argmax()) + 1
        has = "1 row has none" if count == 1 else f"{count:,} rows have none"
        raise TableError(
            f"{what} {column.name!r} must have a value in each row; {has} (first row {first}). "
            "Remove these rows."
        )


def kind_of(column: "pl.Series") -> str:
    """What a column holds, in a word."""
    import polars as pl

    return "text" if column.dtype == pl.String else str(column.dtype)


def some_of(names: Sequence[object], most: int = 12) -> str:
    """The first of many names, for an error."""
    shown = ", ".join(map(repr, names[:most]))
    return shown if len(names) <= most else f"{shown} and {len(names) - most} more"

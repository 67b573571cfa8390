"""From a table to something to learn: its columns, its targets, and the task that these ask for."""

from collections.abc import Sequence
from typing import TYPE_CHECKING, NamedTuple

import numpy as np

from chainrule.errors import ArgumentError, TableError
from chainrule.estimators.target_columns import (
    Task,
    kind_of,
    missing_in,
    numbers_of,
    refuse_missing,
    some_of,
    target_values,
)
from chainrule.estimators.tasks import task_of
from chainrule.mathematics.named import did_you_mean
from chainrule.tables.cells import pick
from chainrule.tables.date_columns import dates_of

if TYPE_CHECKING:
    import polars as pl


class Problem(NamedTuple):
    """Columns to learn from, targets to learn, what each row counts, and the task."""

    X: "pl.DataFrame"
    y: np.ndarray
    weight: np.ndarray | None
    task: Task
    why: str
    """What in the targets decided on the task, in words."""
    groups: np.ndarray | None = None
    time: np.ndarray | None = None
    left_out: int = 0
    """How many rows had no target."""

    def take(self, rows: np.ndarray) -> "Problem":
        """The same problem on some of the rows."""

        def some(values: np.ndarray | None) -> np.ndarray | None:
            return None if values is None else values[rows]

        return self._replace(
            X=self.X[rows],
            y=self.y[rows],
            weight=some(self.weight),
            groups=some(self.groups),
            time=some(self.time),
        )


def problem_of(
    frame: "pl.DataFrame",
    targets: Sequence[str],
    task: Task | None = None,
    *,
    drop: Sequence[str] = (),
    weight: str | None = None,
    group: str | None = None,
    time: str | None = None,
) -> Problem:
    """Take a table apart into a problem; without a ``task``, the targets decide.

    Texts, categories, booleans, and 0 and 1, are classes, other numbers are numbers; several booleans, or
    columns of 0 and 1, are labels; dates are refused. Rows without a target are left out. The column of
    groups is none to learn from; that of times is.

    Raises
    ------
    ArgumentError
        If a column that is named is not there, is named for two uses, or nothing is left to learn from.
    TableError
        If targets or weights cannot be used, with the first bad value and its row, from 1.
    """
    special = [*dict.fromkeys(targets), *dict.fromkeys(drop), *(n for n in (weight, group) if n is not None)]
    for name in [*special, *([time] if time is not None else [])]:
        refuse_absent(name, frame)
        if special.count(name) > 1:
            raise ArgumentError(
                f"column {name!r} must be target, weight, group or dropped; it is two of them."
            )
    if time in targets:
        raise ArgumentError(f"column {time!r} must be target or time; it is both.")
    rows = frame.height
    frame = with_targets(frame, targets)
    X = pick(frame, [name for name in frame.columns if name not in special])
    if not X.width:
        raise ArgumentError("a table must have columns to learn from; none is left beside the target.")
    if task is None:
        task, why = task_of(frame, targets)
    else:
        task = Task.LABELS if task is Task.CLASSIFICATION and len(set(targets)) > 1 else task
        why = "as asked for"
    return Problem(
        X,
        target_values(frame, targets, task),
        None if weight is None else _weights(frame[weight]),
        task,
        why,
        None if group is None else _labels(frame[group]),
        None if time is None else _times(frame[time]),
        rows - frame.height,
    )


def with_targets(frame: "pl.DataFrame", targets: Sequence[str]) -> "pl.DataFrame":
    """The rows that have all targets."""
    present = have_targets(frame, targets)
    if not present.any():
        raise TableError(f"the target {targets[0]!r} must have values; all are missing. Check the column.")
    return frame if present.all() else frame.filter(present)


def have_targets(frame: "pl.DataFrame", targets: Sequence[str]) -> np.ndarray:
    """Which rows have all targets, (rows,)."""
    present = np.ones(frame.height, bool)
    for name in targets:
        present &= ~missing_in(frame[name])
    return present


def _labels(column: "pl.Series") -> np.ndarray:
    """A number for each group."""
    import polars as pl

    refuse_missing(column, "the group")
    return column.cast(pl.String, strict=False).rank("dense").to_numpy()


def _times(column: "pl.Series") -> np.ndarray:
    """Numbers in the order of time."""
    import polars as pl

    refuse_missing(column, "the time")
    if column.dtype == pl.String:
        column = dates_of(column, f"the time {column.name!r}")
    return column.rank("dense").to_numpy()


def select_columns(frame: "pl.DataFrame", names: Sequence[str]) -> "pl.DataFrame":
    """These columns in this order; TableError names those that are missing."""
    absent = [name for name in names if name not in frame.columns]
    if absent:
        raise TableError(
            f"a table must have the columns of training; missing {some_of(absent)}. "
            f"It has {some_of(frame.columns)}. Add or rename columns.{_without_header(frame)}"
        )
    return pick(frame, names)


def refuse_absent(name: str, frame: "pl.DataFrame") -> None:
    """Raise ArgumentError if a column that an option names is not in the table."""
    if name not in frame.columns:
        hint = did_you_mean(name, frame.columns)
        raise ArgumentError(
            f"there is no column {name!r}; the table has {some_of(frame.columns)}."
            f"{hint}{_without_header(frame)}"
        )


def _without_header(frame: "pl.DataFrame") -> str:
    """Why columns are called column_1, column_2 and so on, or not at all."""
    if any(name.startswith("__UNNAMED__") for name in frame.columns):  # what the reader of Excel calls them
        return " The first row must have the names of all columns; remove what stands above them."
    if list(frame.columns) != [f"column_{k}" for k in range(1, frame.width + 1)]:
        return ""
    return (
        " The file has no header (its first row looks like data), so that its columns are called column_1, "
        "column_2, …: use these names, or put a line with the right ones on top."
    )


def _weights(column: "pl.Series") -> np.ndarray:
    refuse_missing(column, "the weight")
    values = numbers_of(column, "the weight") if column.dtype.is_numeric() else np.array([np.nan])
    if not ((values >= 0).all() and values.any()):
        raise TableError(
            f"the weights in column {column.name!r} must be numbers of 0 or more, some of them above 0; "
            f"got {kind_of(column) if not column.dtype.is_numeric() else f'{values.min():g}'}. Correct them."
        )
    return values

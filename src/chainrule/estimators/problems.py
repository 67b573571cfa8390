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
from chainrule.mathematics.named import did_you_mean
from chainrule.tables.cells import pick
from chainrule.tables.date_columns import parse_dates, spelling_of

if TYPE_CHECKING:
    import polars as pl

FEW = 10
"""Whole numbers with at most this many different values may well be classes."""


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

    Texts, categories and booleans are classes, numbers are numbers; several booleans are labels. Rows
    without a target are left out. The column of groups is none to learn from; that of times is.

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
        task, why = _task_of(frame, targets)
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
    absent = np.zeros(frame.height, bool)
    for name in targets:
        absent |= missing_in(frame[name])
    if absent.all():
        raise TableError(f"the target {targets[0]!r} must have values; all are missing. Check the column.")
    return frame.filter(~absent) if absent.any() else frame


def _labels(column: "pl.Series") -> np.ndarray:
    """A number for each group; rows without one are a group together."""
    import polars as pl

    return column.cast(pl.String, strict=False).rank("dense").fill_null(0).to_numpy()


def _times(column: "pl.Series") -> np.ndarray:
    """Numbers in the order of time."""
    import polars as pl

    refuse_missing(column, "the time")
    if column.dtype == pl.String:
        spelling = spelling_of(column)
        if spelling is None:
            raise TableError(
                f"the time {column.name!r} must be dates or numbers; got text such as {column[0]!r}. "
                "Write dates as 2024-12-31."
            )
        column = parse_dates(column, spelling, lenient=False)
    return column.rank("dense").to_numpy()


def select_columns(frame: "pl.DataFrame", names: Sequence[str]) -> "pl.DataFrame":
    """These columns in this order; TableError names those that are missing."""
    absent = [name for name in names if name not in frame.columns]
    if absent:
        raise TableError(
            f"a table must have the columns of training; missing {some_of(absent)}. "
            f"It has {some_of(frame.columns)}. Add or rename columns."
        )
    return pick(frame, names)


def refuse_absent(name: str, frame: "pl.DataFrame") -> None:
    """Raise ArgumentError if a column that an option names is not in the table."""
    if name not in frame.columns:
        hint = did_you_mean(name, frame.columns)
        raise ArgumentError(f"there is no column {name!r}; the table has {some_of(frame.columns)}.{hint}")


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
        kind = "booleans" if target.dtype == pl.Boolean else _different(different, "text")
        _refuse_misspelt_numbers(target)
        return Task.CLASSIFICATION, kind
    if different <= FEW and (values == values.floor()).all():
        return (
            Task.REGRESSION,
            f"{_different(different, 'whole number')}; use --task classification if they are classes",
        )
    return Task.REGRESSION, "numbers"


def _refuse_misspelt_numbers(target: "pl.Series") -> None:
    """Refuse text of which half or more are numbers: rather numbers with an unknown mark for missing."""
    import polars as pl

    if target.dtype != pl.String:
        return
    present = target.drop_nulls()
    strange = present.filter(present.cast(pl.Float64, strict=False).is_null())
    if 0 < 2 * len(strange) <= len(present):
        raise TableError(
            f"column {target.name!r} must be all numbers or all classes; got both (first text "
            f"{strange[0]!r}). If that means missing, add --missing and remove these rows; if all are "
            "classes, add --task classification."
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


def _different(number: int, what: str) -> str:
    return f"a single {what}" if number == 1 else f"{number} different {what}s"

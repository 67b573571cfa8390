"""What a person should know of a table before trusting what was learnt from it."""

from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING

import numpy as np

from chainrule.errors import TableError
from chainrule.tables.cells import pick
from chainrule.tables.leaks import tells_class, tells_number
from chainrule.tables.notice import SAMPLE, Kind, Notice, Target, shortly
from chainrule.tables.odd_columns import empty_columns, odd_column
from chainrule.tables.repetition import equal_columns, repeated_rows, rows_in_both, rows_in_parts

if TYPE_CHECKING:
    import polars as pl

__all__ = ["Kind", "Notice", "noticed"]

_FEWEST = 20
_SKEWED = 3
_MOST = 0.9
_FEW = 10
_TARGETS = 20


def noticed(
    X: "pl.DataFrame",
    y: np.ndarray,
    *,
    classes: bool,
    names: Sequence[str] = (),
    validation: "pl.DataFrame | None" = None,
    validation_y: np.ndarray | None = None,
    parts: np.ndarray | None = None,
    seed: int = 0,
) -> list[Notice]:
    """Look a table through, the gravest first: constant targets, leaks, repeated rows, odd columns.

    Parameters
    ----------
    y
        Targets, (rows,) or (rows, targets); leaks are looked for with the first 20 of several.
    classes
        Whether targets are classes or labels; else they are numbers.
    names
        What the targets are called where there are several.
    validation, validation_y
        The rows that scores are of, to find those that are also in training.
    parts
        Or the number of the part that each row of `X` is in, where networks that did not learn from it
        judge it.
    seed
        Of the sample of rows, where the table has more than 100,000.

    Raises
    ------
    TableError
        If `y` has another number of rows than `X`, or `validation` lacks a column.
    """
    _refuse_misfits(X, y, validation, validation_y)
    other = None if validation is None else _plain(_like(pick(validation, X.columns), X))
    X = _plain(X)
    if not X.width or not X.height:
        return []
    targets = _targets(y, classes, names)
    other_targets = None if validation_y is None else _frame(_targets(validation_y, classes, names))
    filled = X.select(column for column in X if column.null_count() < X.height)
    varying = filled.select(column for column in filled if not _is_constant(column))
    return [
        *(notice for target in targets for notice in _constant_target(target)),
        *_leaks(varying, targets, seed),
        *(rows_in_both(X, _frame(targets), other, other_targets) if other is not None else ()),
        *(rows_in_parts(X, _frame(targets), parts) if parts is not None else ()),
        *repeated_rows(X, _frame(targets)),
        *(notice for target in targets for notice in _odd_target(target)),
        *equal_columns(varying),
        *(notice for column in varying for notice in odd_column(column, seed)),
        *empty_columns(X, filled, varying),
    ]


def _leaks(X: "pl.DataFrame", targets: list[Target], seed: int) -> Iterator[Notice]:
    """Looked for in different rows, since a row that is there twice tells its own target."""
    import polars as pl

    if not X.width:
        return
    looked = targets[:_TARGETS]
    frame = X.hstack(_frame(looked))
    if X.height > SAMPLE:
        frame = frame.sample(SAMPLE, seed=seed)
    frame = frame.filter(frame.hash_rows().is_first_distinct())
    ranks = [column.to_numpy() for column in frame.select(pl.all().rank("dense").fill_null(0))]
    rows = f" (Seen in a sample of {SAMPLE:,} rows.)" if X.height > SAMPLE else ""
    for target, y in zip(looked, ranks[X.width :], strict=True):
        told = tells_class if target.classes else tells_number
        for (name, dtype), x in zip(X.schema.items(), ranks, strict=False):
            how = told(x, y, ordered=dtype != pl.String)
            if how is not None:
                text = (
                    f"column {shortly(name)} alone gives {target.name} away: {how}. Leave it out, unless it "
                    "is known at the time when predictions are needed."
                )
                yield Notice("leak", name, text + rows)


def _constant_target(target: Target) -> Iterator[Notice]:
    values = target.values.drop_nulls()
    if len(values) > 1 and _is_constant(values):
        value = f"{values[0]:.10g}" if isinstance(values[0], float) else shortly(values[0])
        text = (
            f"{target.name} is {value} in all {len(values):,} rows that were learnt from: there is "
            "nothing to learn but that value. Check that it is the right column, with all its rows."
        )
        yield Notice("constant target", None, text)


def _odd_target(target: Target) -> Iterator[Notice]:
    if len(target.values) < _FEWEST:
        return
    yield from _imbalance(target) if target.classes else _skewness(target)


def _skewness(target: Target) -> Iterator[Notice]:
    values = target.values.to_numpy()
    spread = values.std()
    if not spread > 0:
        return
    skewness = float((((values - values.mean()) / spread) ** 3).mean())
    if abs(skewness) <= _SKEWED:
        return
    end, name = (values.max(), "greatest") if skewness > 0 else (values.min(), "least")
    text = (
        f"{target.name} is very skewed (skewness {skewness:.1f}): its median is {np.median(values):.4g}, its "
        f"{name} value {end:.4g}, so that a few rows weigh most. "
    )
    text += "Its logarithm may be learnt better." if values.min() > 0 else "Look at its extremes."
    yield Notice("skewed target", None, text)


def _imbalance(target: Target) -> Iterator[Notice]:
    counts = target.values.value_counts(sort=True)
    rows = len(target.values)
    name, most = counts.row(0)
    if counts.height > 1 and most > _MOST * rows:
        text = (
            f"{100 * most / rows:.1f} % of {target.name} is {shortly(name)}: always saying so is right as "
            "often, so look at other scores than accuracy."
        )
        yield Notice("imbalance", None, text)
    few = counts.filter(counts["count"] < _FEW)
    if few.height:
        name, least = few.row(-1)
        these = "1 class" if few.height == 1 else f"{few.height:,} classes"
        text = (
            f"{these} of {target.name} {'has' if few.height == 1 else 'have'} fewer than {_FEW} rows "
            f"({shortly(name)} has {least}): too few to learn well, or to judge how well."
        )
        yield Notice("imbalance", None, text)


def _is_constant(column: "pl.Series") -> bool:
    return bool(column.min() == column.max())


def _plain(X: "pl.DataFrame") -> "pl.DataFrame":
    """Columns that can be looked at: numbers, truth values, texts and dates, null where missing."""
    import polars as pl
    import polars.selectors as cs

    categories = cs.categorical() | cs.enum()
    return X.select(cs.numeric() | cs.boolean() | cs.temporal() | cs.string() | categories).with_columns(
        cs.float().fill_nan(None),
        (cs.decimal() | cs.by_dtype(pl.Int128, pl.UInt128)).cast(pl.Float64),
        categories.cast(pl.String),
    )


def _like(other: "pl.DataFrame", X: "pl.DataFrame") -> "pl.DataFrame":
    """Other rows in the types of these, as equal values have equal hashes only in one type."""
    return other.with_columns(other[name].cast(dtype, strict=False) for name, dtype in X.schema.items())


def _targets(y: np.ndarray, classes: bool, names: Sequence[str]) -> list[Target]:
    import polars as pl

    columns = y.T if y.ndim > 1 else y[None, :]
    called = ["the target"] if len(columns) == 1 else [f"target {shortly(name)}" for name in names]
    called += [f"target {number}" for number in range(len(called) + 1, len(columns) + 1)]
    return [
        Target(_texts(values) if classes else pl.Series(values.astype(np.float64)), classes, name)
        for values, name in zip(columns, called, strict=False)
    ]


def _texts(values: np.ndarray) -> "pl.Series":
    import polars as pl

    if values.dtype.kind in "OUS":
        return pl.Series([str(value) for value in values.tolist()])
    return pl.Series(values).cast(pl.String)


def _frame(targets: Sequence[Target]) -> "pl.DataFrame":
    """Targets as columns that are called like none of the table."""
    import polars as pl

    return pl.DataFrame({f"\0target {number}": target.values for number, target in enumerate(targets)})


def _refuse_misfits(
    X: "pl.DataFrame", y: np.ndarray, validation: "pl.DataFrame | None", validation_y: np.ndarray | None
) -> None:
    for what, frame, targets in (("X", X, y), ("validation", validation, validation_y)):
        if frame is not None and targets is not None and len(targets) != frame.height:
            raise TableError(
                f"{what} must have a row for each target; got {frame.height:,} rows and {len(targets):,} "
                "targets. Give those that belong together."
            )
    absent = [] if validation is None else [name for name in X.columns if name not in validation.columns]
    if absent:
        raise TableError(
            f"validation must have the columns of X; {shortly(absent[0])} is missing. Add or rename columns."
        )

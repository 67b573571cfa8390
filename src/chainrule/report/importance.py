"""Which columns a model relies on: by how much its score falls when their values are shuffled."""

import math
from collections.abc import Callable
from itertools import pairwise
from typing import TYPE_CHECKING, TypeAlias

import numpy as np

from chainrule.errors import ArgumentError, TableError
from chainrule.report.findings import Importance, Importances

if TYPE_CHECKING:
    import polars as pl

__all__ = ["permutation_importance"]

Score = Callable[["pl.DataFrame", np.ndarray], float | None]

Group: TypeAlias = tuple[str, ...]

_CELLS = 4_000_000
_FEWEST_ROWS = 200
_SHUFFLES = 100_000  # of columns in tables of many
_FEWEST_COLUMNS = 10
_SPLITS = 2


def permutation_importance(
    score: Score,
    X: "pl.DataFrame",
    name: str,
    *,
    repeats: int = 5,
    rows: int = 2_000,
    columns: int = 60,
    seed: int = 0,
) -> Importances:
    """Shuffle column by column and see how far the score falls. Source: Breiman 2001, section 10.

    Of very wide tables fewer rows are taken, and fewer columns are looked at one by one. If there are more
    than `columns` columns, they are shuffled in groups first, and the group that matters most is halved again
    and again, until `columns` are single or no group matters; the others are shuffled all together.

    Parameters
    ----------
    score
        Of a table, and of the numbers of its rows in `X`; greater is better.
    X
        Rows that the model did not learn from.
    name
        What the score is called.
    repeats
        How often each column is shuffled.
    rows
        How many rows are taken at most.
    columns
        How many columns are looked at one by one, at most.
    seed
        Of the rows and the shuffles.

    Raises
    ------
    ArgumentError
        If `repeats`, `rows` or `columns` is below 1.
    TableError
        If `X` has no rows or no columns.
    """
    for option, value in (("repeats", repeats), ("rows", rows), ("columns", columns)):
        if value < 1:
            raise ArgumentError(
                f"{option} must be 1 or more; got {value}. Leave it out for the usual number."
            )
    if not X.height or not X.width:
        raise TableError(f"X must have rows and columns; got {X.height} × {X.width}. Give held-out rows.")
    generator = np.random.default_rng(seed)
    size = min(X.height, rows, max(_FEWEST_ROWS, _CELLS // X.width))
    taken = np.sort(generator.choice(X.height, size, replace=False))
    sample = X[taken]
    before = _finite(score(sample, taken))

    def measure(group: Group, times: int) -> Importance:
        after = [_finite(score(_shuffled(sample, group, generator), taken)) for _ in range(times)]
        return Importance(group, before - float(np.mean(after)), float(np.std(after)))

    columns = min(columns, max(_FEWEST_COLUMNS, _SHUFFLES // X.width))
    single: list[Group] = [(column,) for column in X.columns]
    others: Group = ()
    if X.width > columns:
        single, others = _sought(tuple(X.columns), columns, lambda group: measure(group, 1).fall)
    found = [measure(group, repeats) for group in single]
    found.sort(key=lambda item: (math.isnan(item.fall), -item.fall))
    together = measure(others, repeats) if others else None
    return Importances(name, before, size, repeats, tuple(found), together)


def _sought(names: Group, wanted: int, fall: Callable[[Group], float]) -> tuple[list[Group], Group]:
    """Single columns that matter, found by halving the groups that do, and all the others."""
    groups = [(fall(group), group) for group in _parts(names, wanted)]
    for _ in range(_SPLITS * wanted):
        several = [group for group in groups if len(group[1]) > 1]
        widest = max(several, key=_matters, default=(0.0, ()))
        if _matters(widest) <= 0 or len(groups) - len(several) >= wanted:
            break
        groups.remove(widest)
        groups += [(fall(half), half) for half in _parts(widest[1], 2)]
    groups.sort(key=_matters, reverse=True)
    single = [group for _, group in groups if len(group) == 1][:wanted]
    chosen = {column for group in single for column in group}
    return list(single), tuple(column for column in names if column not in chosen)


def _matters(group: tuple[float, Group]) -> float:
    return -math.inf if math.isnan(group[0]) else group[0]


def _parts(names: Group, number: int) -> list[Group]:
    """Neighbours stay together: columns that belong together often stand together."""
    cuts = np.linspace(0, len(names), number + 1).round().astype(int)
    return [names[a:b] for a, b in pairwise(cuts.tolist()) if b > a]


def _shuffled(X: "pl.DataFrame", group: Group, generator: np.random.Generator) -> "pl.DataFrame":
    """The columns of a group stay together, so that only what ties them to the other columns is lost."""
    order = generator.permutation(X.height)
    return X.with_columns(X.get_column(name).gather(order) for name in group)


def _finite(score: float | None) -> float:
    return math.nan if score is None or not math.isfinite(score) else float(score)

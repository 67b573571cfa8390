"""Categories: one column of 0 and 1 for each level."""

import math
from typing import TYPE_CHECKING, NamedTuple

import numpy as np
import numpy.typing as npt

from chainrule.errors import TableError
from chainrule.tables.schema import Numbers

if TYPE_CHECKING:
    import polars as pl

__all__ = ["MOST_LEVELS", "CategoryColumn", "fit_text", "levels_of_numbers", "levels_of_text"]

MOST_LEVELS = 1000
"""A column of text with more levels than this is refused: it is an identifier, a date, or free text."""


class CategoryColumn(NamedTuple):
    """A 1 in the place of its level, 0 elsewhere; only zeros for a missing value or a level never seen."""

    name: str
    levels: tuple[str, ...]

    @property
    def feature_names(self) -> tuple[str, ...]:
        """Names of the encoded columns."""
        return tuple(f"{self.name} = {level}" for level in self.levels)


def fit_text(name: str, text: "pl.Series", weight: Numbers | None) -> CategoryColumn | None:
    """The levels, sorted; None if all is missing, and TableError if there are more than `MOST_LEVELS`."""
    if weight is not None:
        text = text.filter(weight > 0)
    levels = text.unique().drop_nulls().sort().to_list()
    if len(levels) > MOST_LEVELS:
        raise TableError(
            f"column {name!r} must be numeric, boolean or a category of at most {MOST_LEVELS} levels; "
            f"got text with {len(levels)} different values. Drop or convert it."
        )
    return CategoryColumn(name, tuple(levels)) if levels else None


def levels_of_text(column: CategoryColumn, text: "pl.Series") -> npt.NDArray[np.intp]:
    """Position of the level in each row, −1 for none."""
    import polars as pl

    positions = text.cast(pl.Enum(column.levels), strict=False).to_physical().cast(pl.Int64)
    return positions.fill_null(-1).to_numpy().astype(np.intp)


def levels_of_numbers(column: CategoryColumn, values: Numbers) -> npt.NDArray[np.intp]:
    """The same where the table now holds numbers: the level that spells the number (1, 1.0, true).

    Raises
    ------
    TableError
        If no level spells a number.
    """
    known: dict[float, int] = {}
    for position in sorted(range(len(column.levels)), key=lambda position: len(column.levels[position])):
        number = _spelt(column.levels[position])
        if not math.isnan(number):
            known.setdefault(number, position)  # of "1" and "01" the shorter
    positions = np.full(len(values), -1, np.intp)
    present = ~np.isnan(values)
    if not present.any():
        return positions
    if not known:
        some = ", ".join(map(repr, column.levels[:3])) + (", …" if len(column.levels) > 3 else "")
        raise TableError(
            f"column {column.name!r} must be a category, as in training ({some}); got numbers "
            f"(first {values[present][0]:.6g} in row {int(present.argmax()) + 1}). Convert it."
        )
    numbers = np.array(sorted(known))
    nearest = np.searchsorted(numbers, values).clip(max=len(numbers) - 1)
    found = numbers[nearest] == values
    positions[found] = np.array([known[number] for number in numbers])[nearest[found]]
    return positions


def _spelt(level: str) -> float:
    """The number that a level spells, NaN for none; booleans are numbers here."""
    try:
        return float({"true": "1", "false": "0"}.get(level.lower(), level))
    except ValueError:
        return math.nan

"""Categories: few levels have a column of 0 and 1 each, many are codes to look up."""

import math
import re
from typing import TYPE_CHECKING, NamedTuple

import numpy as np
import numpy.typing as npt

from chainrule.errors import TableError
from chainrule.tables.schema import Numbers

if TYPE_CHECKING:
    import polars as pl

__all__ = [
    "FEW_LEVELS",
    "MISSING",
    "ROWS_TO_LEARN_FROM",
    "UNSEEN",
    "CategoryColumn",
    "fit_text",
    "levels_of_numbers",
    "levels_of_text",
    "text_of_numbers",
]

FEW_LEVELS = 20
"""Up to this many levels, each has a column of its own; more are codes, for an embedding."""

ROWS_TO_LEARN_FROM = 3
"""A level of many that fewer rows have is as good as one never seen."""

_ANY = re.compile(".*", re.DOTALL)
# Among texts 007 and 1e3 are codes, not the numbers 7 and 1000.
_PLAIN_NUMBER = re.compile(r"-?(?:0|[1-9]\d*)(?:\.\d+)?|true|false", re.IGNORECASE)

UNSEEN, MISSING, _FIRST = 0, 1, 2  # codes: every level never seen, a missing value, the first level


class CategoryColumn(NamedTuple):
    """One-hot: a 1 in the place of its level, zeros for one never seen. Coded: the level's number."""

    name: str
    levels: tuple[str, ...]
    missing: bool
    """Whether values were missing in training; one-hot, they then have a column of their own."""
    coded: bool
    """A code is 0 for a level never seen, 1 for a missing value, and counts the levels from 2 on."""

    @property
    def number_names(self) -> tuple[str, ...]:
        """Names of the scaled numbers: none."""
        return ()

    @property
    def plain_names(self) -> tuple[str, ...]:
        """Names of the zeros and ones."""
        if self.coded:
            return ()
        names = tuple(f"{self.name} = {level}" for level in self.levels)
        return (*names, f"{self.name} is missing") if self.missing else names

    @property
    def codes(self) -> int:
        """How many different codes there are, 0 where it is not coded."""
        return len(self.levels) + _FIRST if self.coded else 0

    def coded_levels(
        self, positions: npt.NDArray[np.intp], missing: npt.NDArray[np.bool_]
    ) -> npt.NDArray[np.intp]:
        """Codes from the positions of levels, −1 for none."""
        return np.where(missing, MISSING, np.where(positions < 0, UNSEEN, positions + _FIRST))


def fit_text(
    name: str, text: "pl.Series", few: int = FEW_LEVELS, *, said: bool = False
) -> CategoryColumn | None:
    """The levels, sorted; None if there is none to learn from. More than `few` become codes.

    Of many levels, those in fewer than 3 rows count as never seen: that place then learns something too.
    Where no level has 3 rows, all count if the column was ``said`` to be a category.
    """
    import polars as pl

    text = text.alias("level")
    counts = text.drop_nulls().value_counts(name="rows")
    coded = counts.height > few
    if coded:
        enough = counts.filter(pl.col("rows") >= ROWS_TO_LEARN_FROM)
        counts = counts if said and not enough.height else enough
    levels = tuple(counts["level"].sort().to_list())
    return CategoryColumn(name, levels, text.has_nulls(), coded) if levels else None


def levels_of_text(column: CategoryColumn, text: "pl.Series") -> npt.NDArray[np.intp]:
    """Position of the level in each row, −1 for none; a number may be spelt in another way (1, 1.0, true)."""
    import polars as pl

    found = text.cast(pl.Enum(column.levels), strict=False).to_physical().cast(pl.Int64)
    positions = found.fill_null(-1).to_numpy().astype(np.intp)
    unknown = np.flatnonzero((positions < 0) & text.is_not_null().to_numpy())
    if len(unknown) and (known := _spelt_levels(column, _PLAIN_NUMBER)):
        rest = text.gather(unknown)
        others = {
            spelling: known.get(_spelt(spelling), -1) if _PLAIN_NUMBER.fullmatch(spelling) else -1
            for spelling in rest.unique().to_list()
        }
        positions[unknown] = rest.replace_strict(others, return_dtype=pl.Int64).to_numpy()
    return positions


def text_of_numbers(values: Numbers, name: str) -> "pl.Series":
    """Numbers that are categories, as texts with nulls: whole ones without a point."""
    import polars as pl

    numbers = pl.Series(name, values + 0.0).fill_nan(None)  # −0 is 0
    whole = numbers.cast(pl.Int64, strict=False)
    if (whole.cast(pl.Float64) == numbers).all() and whole.null_count() == numbers.null_count():
        return whole.cast(pl.String)
    return numbers.cast(pl.String)


def levels_of_numbers(column: CategoryColumn, values: Numbers) -> npt.NDArray[np.intp]:
    """The same where the table now holds numbers: the level that spells the number.

    Raises
    ------
    TableError
        If no level spells a number.
    """
    known = _spelt_levels(column)
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


def _spelt_levels(column: CategoryColumn, form: re.Pattern[str] = _ANY) -> dict[float, int]:
    """Positions of the levels that spell numbers in a form, by number."""
    known: dict[float, int] = {}
    for position in sorted(range(len(column.levels)), key=lambda position: len(column.levels[position])):
        number = _spelt(column.levels[position])
        if not math.isnan(number) and form.fullmatch(column.levels[position]):
            known.setdefault(number, position)  # of "1" and "01" the shorter
    return known


def _spelt(level: str) -> float:
    """The number that a level spells, NaN for none; booleans are numbers here."""
    try:
        return float({"true": "1", "false": "0"}.get(level.lower(), level))
    except ValueError:
        return math.nan

"""Numbers: standardised, and marked where missing."""

import math
import shlex
from collections.abc import Sequence
from typing import TYPE_CHECKING, Literal, NamedTuple

import numpy as np
import numpy.typing as npt

from chainrule.errors import TableError
from chainrule.tables.schema import Numbers

if TYPE_CHECKING:
    import polars as pl

__all__ = ["NumericColumn", "fit_numbers", "numbers_of_text", "standardize"]


class NumericColumn(NamedTuple):
    """(value − mean) / scale, 0 where missing; a further 1 or 0 says whether the value is missing."""

    name: str
    mean: float
    scale: float
    """The standard deviation (divisor: the sum of weights); 0 if constant, and then all is encoded as 0."""
    missing: Literal["never", "sometimes", "always"]
    """In training: "sometimes" adds the further column, "always" leaves nothing but zeros."""

    @property
    def feature_names(self) -> tuple[str, ...]:
        """Names of the encoded columns."""
        return (self.name, f"{self.name} is missing") if self.missing == "sometimes" else (self.name,)


def fit_numbers(name: str, values: Numbers, weight: Numbers | None) -> NumericColumn:
    """Weighted mean and standard deviation of the values that are not missing; TableError if one is infinite.

    Values near the largest float64 are divided by the largest first, so that no square overflows.
    """
    infinite = np.isinf(values)
    if infinite.any():
        raise _infinite(name, values[infinite.argmax()], int(infinite.argmax()))
    if weight is not None:
        values, weight = values[weight > 0], weight[weight > 0]
    present = ~np.isnan(values)
    if not present.any():
        return NumericColumn(name, 0.0, 0.0, "always")
    missing: Literal["never", "sometimes"] = "never" if present.all() else "sometimes"
    if missing == "sometimes":
        values, weight = values[present], None if weight is None else weight[present]
    low, high = float(values.min()), float(values.max())
    if low == high:
        return NumericColumn(name, low, 0.0, missing)
    largest = max(-low, high)
    unit = 1.0 if 1e-100 < largest < 1e100 else largest
    scaled = values / unit
    if weight is not None:
        weight = weight / weight.max()
    mean = float(np.average(scaled, weights=weight))
    scale = math.sqrt(float(np.average(np.square(scaled - mean), weights=weight)))
    return NumericColumn(name, mean * unit, scale * unit, missing)


def standardize(
    values: Numbers, columns: Sequence[NumericColumn], first_row: int = 0
) -> tuple[npt.NDArray[np.float32], npt.NDArray[np.bool_]]:
    """Standardise `values`, (rows, columns), and say which are missing; TableError names one not finite."""
    mean = np.array([column.mean for column in columns])
    # Divided by ∞, a constant column is 0 whatever it holds.
    scale = np.array([column.scale or math.inf for column in columns])
    missing = np.isnan(values)
    missing |= np.array([column.missing == "always" for column in columns])
    with np.errstate(over="ignore", invalid="ignore", under="ignore"):
        standardized = ((values - mean) / scale).astype(np.float32)
    standardized[missing] = 0
    wrong = ~np.isfinite(standardized)
    if wrong.any():
        row, position = map(int, np.argwhere(wrong)[0])
        raise _not_finite(columns[position], values[row, position], first_row + row)
    return standardized, missing


def numbers_of_text(column: NumericColumn, text: "pl.Series") -> Numbers:
    """The numbers that `text` spells; TableError names the first cell that spells none."""
    import polars as pl

    numbers = text.str.strip_chars().cast(pl.Float64, strict=False)
    wrong = (numbers.is_null() & text.is_not_null()).to_numpy()
    if wrong.any():
        row = int(wrong.argmax())
        value = str(text[row])
        value = value if len(value) <= 40 else value[:39] + "…"
        raise TableError(
            f"column {column.name!r} must be numeric, as in training; got text (first bad value {value!r} "
            f"in row {row + 1}). Mark missing values with --missing {shlex.quote(value)}."
        )
    return numbers.to_numpy()


def _not_finite(column: NumericColumn, value: np.float64, row: int) -> TableError:
    if np.isinf(value):
        return _infinite(column.name, value, row)
    return TableError(
        f"column {column.name!r} must be near those of training (mean {column.mean:.6g}, standard deviation "
        f"{column.scale:.6g}); got {value:.6g} in row {row + 1}, too far for float32. Check its unit."
    )


def _infinite(name: str, value: np.float64, row: int) -> TableError:
    return TableError(
        f"column {name!r} must be finite; got {value:.6g} in row {row + 1}. "
        "Replace it by a number, or mark it as missing."
    )

"""Numbers on one scale: each column's centre at 0, its spread near 1, far values drawn in, missing marked."""

from collections.abc import Sequence
from typing import TYPE_CHECKING, Literal, NamedTuple, TypeAlias

import numpy as np
import numpy.typing as npt

from chainrule.errors import TableError
from chainrule.tables.notice import marked
from chainrule.tables.quantiles import Distribution, near_one
from chainrule.tables.schema import Numbers

if TYPE_CHECKING:
    import polars as pl

__all__ = ["NumericColumn", "Scaling", "fit_numbers", "in_bins", "moments", "numbers_of_text", "standardize"]

Scaling: TypeAlias = Literal["robust", "standard", "quantile"]

REACH = 3.0  # smooth clipping keeps what is robustly scaled between −3 and 3
_KNOTS = 257  # of the quantile transform
_FEW_VALUES = 128  # of so many or fewer, and at most two in a bin, each may mean something by itself
_ROOMS = (4, 16)  # of columns of few bins
FARTHEST = 1e9  # scaled values beyond are taken for this one
_LARGEST = 1e308  # spreads beyond, too: they would be infinite
_TRUTH = {"true": "1", "True": "1", "TRUE": "1", "false": "0", "False": "0", "FALSE": "0"}


class NumericColumn(NamedTuple):
    """(value − center) / scale, 0 where missing; a further 1 or 0 says whether the value is missing."""

    name: str
    center: float
    scale: float
    """0 if constant, and then all is encoded as 0."""
    missing: Literal["never", "sometimes", "always"]
    """In training: "sometimes" adds the further column, "always" leaves nothing but zeros."""
    scaling: Scaling = "robust"
    knots: tuple[float, ...] = ()
    """For "quantile": the values at evenly spaced shares of the rows, rising."""
    edges: tuple[float, ...] = ()
    """Where the column is also told in bins: their edges, rising."""
    room: int = 0
    """A number of bins that is the same for many columns, and at least that of this one; 0 is 24."""

    @property
    def number_names(self) -> tuple[str, ...]:
        """Names of the scaled numbers."""
        return (self.name,)

    @property
    def plain_names(self) -> tuple[str, ...]:
        """Names of the zeros and ones."""
        return (f"{self.name} is missing",) if self.missing == "sometimes" else ()


def fit_numbers(
    name: str, values: Numbers, weight: Numbers | None, scaling: Scaling = "robust", bins: int = 0
) -> NumericColumn:
    """Learn centre, spread and edges from the values that are not missing; TableError if one is infinite.

    "robust": the median, and the distance between the quartiles, or half the range where that is 0
    (arXiv:2407.04491, appendix A); "standard": mean and standard deviation; "quantile": the place among the
    values, as a standard normal. All count by weight.
    """
    infinite = np.isinf(values)
    if infinite.any():
        raise _infinite(name, values[infinite.argmax()], int(infinite.argmax()))
    if weight is not None:
        values, weight = values[weight > 0], weight[weight > 0]
    present = ~np.isnan(values)
    if not present.any():
        return NumericColumn(name, 0.0, 0.0, "always", scaling)
    missing: Literal["never", "sometimes"] = "never" if present.all() else "sometimes"
    if missing == "sometimes":
        values, weight = values[present], None if weight is None else weight[present]
    low, high = float(values.min()), float(values.max())
    if low == high:
        return NumericColumn(name, low, 0.0, missing, scaling)
    knots: tuple[float, ...] = ()
    edges: tuple[float, ...] = ()
    if scaling != "standard" or bins:
        order = Distribution.of(values, weight)
    if scaling == "standard":
        center, scale = moments(values, weight)
    else:
        lower, center, upper = order.quantiles((0.25, 0.5, 0.75)).tolist()
        scale = min(upper - lower or high / 2 - low / 2, _LARGEST)
    if scaling == "quantile":
        knots = tuple(order.quantiles(np.linspace(0, 1, _KNOTS)).tolist())
    if bins:
        edges = _edges(order, bins)
    return NumericColumn(name, center, scale, missing, scaling, knots, edges, _room(len(edges) - 1, bins))


def _edges(order: Distribution, bins: int) -> tuple[float, ...]:
    """Half of the bins have equally many rows, the other half equally many different values.

    Rows alone would leave a column of mostly zeros, such as a gain, a single bin for all that is not zero.
    Few different values are an edge each; two are told by the scaled number already.
    """
    different = order.different()
    if len(different.values) == 2:
        return ()
    if len(different.values) <= min(_FEW_VALUES, 2 * bins):
        found = different.values
    else:
        of_rows = order.quantiles(np.linspace(0, 1, bins // 2 + 1))
        of_values = different.quantiles(np.linspace(0, 1, bins - bins // 2 + 1))
        found = np.concatenate([of_rows, of_values])
    # Edges that differ by less than their halves can are one, because `in_bins` halves them.
    edges = np.unique(found / 2) * 2
    return tuple(edges.tolist()) if len(edges) > 1 else ()


def _room(needed: int, usual: int) -> int:
    """The least of a few numbers of bins that is enough: columns of one number are one product."""
    rooms = sorted({*_ROOMS, usual, 2 * usual})
    return next(room for room in rooms if needed <= room) if needed > 0 else 0


def in_order_of_bins(columns: Sequence[NumericColumn]) -> list[int]:
    """The positions of the columns that are told in bins, those with the least room first."""
    told = [position for position, column in enumerate(columns) if column.edges]
    return sorted(told, key=lambda position: columns[position].room)


def standardize(
    values: Numbers, columns: Sequence[NumericColumn], first_row: int = 0
) -> tuple[npt.NDArray[np.float32], npt.NDArray[np.bool_]]:
    """Scale `values`, (rows, columns), and say which are missing; TableError names one that is infinite."""
    center = np.array([column.center for column in columns])
    scale = np.array([column.scale for column in columns])
    constant = scale == 0  # and is 0 whatever comes
    scale[constant] = 1
    with np.errstate(over="ignore", invalid="ignore"):
        if not np.isfinite(values.sum()) and (infinite := np.isinf(values)).any():
            row, position = map(int, np.argwhere(infinite)[0])
            raise _infinite(columns[position].name, values[row, position], first_row + row)
        scaled = values - center
        scaled /= scale
    np.clip(scaled, -FARTHEST, FARTHEST, out=scaled)
    missing = np.isnan(values)
    scaled[missing | constant] = 0
    robust = [column.scaling == "robust" for column in columns]
    if all(robust):
        scaled /= np.sqrt(1 + np.square(scaled / REACH))
    else:
        chosen = scaled[:, robust]
        scaled[:, robust] = chosen / np.sqrt(1 + np.square(chosen / REACH))
        for position, column in enumerate(columns):
            if column.knots:
                place = _normal_scores(values[:, position], column.knots)
                scaled[:, position] = np.where(missing[:, position], 0, place)
    return scaled.astype(np.float32), missing


def in_bins(values: Numbers, edges: tuple[float, ...], beyond: int = 0) -> npt.NDArray[np.float32]:
    """Count the bins below each value, the part of its own included: edge k is k, halfway to the next k + ½.

    Outside of the edges at most ``beyond`` bins further; a missing value is in the middle.
    """
    if len(edges) < 2:
        return np.zeros(len(values), np.float32)
    table, bins = np.array(edges), len(edges) - 1
    bin_ = (np.searchsorted(table, values, side="right") - 1).clip(0, bins - 1)
    table /= 2  # the largest and the smallest float64 are too far apart
    with np.errstate(over="ignore"):
        place = (values / 2 - table[bin_]) / (table[bin_ + 1] - table[bin_])
    counted = (bin_ + place).clip(-beyond, bins + beyond)
    return np.where(np.isnan(values), bins / 2, counted).astype(np.float32)


def numbers_of_text(column: NumericColumn, text: "pl.Series") -> Numbers:
    """The numbers that `text` spells; TableError names the first cell that spells none."""
    import polars as pl

    text = text.str.strip_chars()
    numbers = text.replace(_TRUTH).cast(pl.Float64, strict=False)
    wrong = (numbers.is_null() & text.is_not_null()).to_numpy()
    if wrong.any():
        row = int(wrong.argmax())
        value = str(text[row])
        value = value if len(value) <= 40 else value[:39] + "…"
        raise TableError(
            f"column {column.name!r} must be numeric, as in training; got text (first bad value {value!r} "
            f"in row {row + 1}). Mark missing values with {marked([value])}."
        )
    return numbers.to_numpy()


def moments(values: Numbers, weight: Numbers | None) -> tuple[float, float]:
    """Mean and standard deviation, however large or small the values are."""
    values, exponent = near_one(values)
    weight = None if weight is None else near_one(weight)[0]
    mean = np.average(values, weights=weight)
    spread = np.sqrt(np.average(np.square(values - mean), weights=weight))
    return float(np.ldexp(mean, exponent)), float(np.ldexp(spread, exponent))


def _normal_scores(values: Numbers, knots: tuple[float, ...]) -> Numbers:
    """The quantile of a standard normal that is at the place of the values among the knots."""
    from scipy.special import ndtri

    table, shares = np.array(knots), np.linspace(0, 1, len(knots))
    # From both sides, so that a value that is several knots gets the middle of their shares.
    place = (np.interp(values, table, shares) + 1 - np.interp(-values, -table[::-1], shares)) / 2
    edge = 1 / (2 * len(knots))
    return np.asarray(ndtri(place.clip(edge, 1 - edge)), np.float64)


def _infinite(name: str, value: np.float64, row: int) -> TableError:
    return TableError(
        f"column {name!r} must be finite; got {value:.6g} in row {row + 1}. "
        "Replace it by a number, or mark it as missing."
    )

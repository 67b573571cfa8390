"""Dates and times: how much time has gone by, and where in the day, the week and the year they are."""

import re
import warnings
from typing import TYPE_CHECKING, NamedTuple

import numpy as np
import numpy.typing as npt

from chainrule.errors import TableError
from chainrule.tables.notice import counted, marked
from chainrule.tables.numeric_columns import NumericColumn, Scaling, fit_numbers
from chainrule.tables.schema import Numbers

if TYPE_CHECKING:
    import polars as pl

__all__ = [
    "CLOCKS",
    "CYCLES",
    "FORMATS",
    "DateColumn",
    "cycles_of",
    "dates_of",
    "days_of",
    "fit_dates",
    "parse_dates",
    "spelling_of",
]

CYCLES = {"time of day": 1.0, "day of week": 7.0, "day of year": 365.2425}
"""What comes again and again, and after how many days."""

_DAYS = ("%Y-%m-%d", "%Y/%m/%d", "%Y.%m.%d", "%m/%d/%Y", "%d/%m/%Y", "%d.%m.%Y", "%d-%m-%Y", "%m-%d-%Y")
_SPELT = ("%d %b %Y", "%d %B %Y", "%b %d, %Y", "%B %d, %Y", "%d-%b-%Y", "%b %d %Y", "%Y-%b-%d")
_WITH_WEEKDAY = ("%A %d %B %Y", "%A, %d %B %Y", "%A %B %d %Y", "%A, %B %d, %Y")  # Sun and Feb will do, too
_SHORT = ("%m/%d/%y", "%d/%m/%y", "%d-%b-%y", "%d.%m.%y")
_MONTHS = ("%Y-%m", "%Y/%m", "%B %Y")
"""Months are taken for their first days."""
CLOCKS = ("%H:%M", "%H:%M:%S", "%H:%M:%S%.f", "%I:%M %p", "%I:%M:%S %p")
"""Times of day are of the first of January 1970, as polars' own are."""
_TIMES = (
    "",
    " %H:%M",
    " %H:%M:%S",
    " %H:%M:%S%.f",
    "T%H:%M",
    "T%H:%M:%S",
    "T%H:%M:%S%.f",
    " %I:%M:%S %p",
    " %I:%M %p",
)
_ZONED = (
    "%+",
    "%Y-%m-%d %H:%M:%S%.f%#z",
    "%Y-%m-%d %H:%M%#z",
    "%Y-%m-%dT%H:%M:%S%.f%#z",
    "%Y-%m-%dT%H:%M%#z",
)
FORMATS = (
    tuple(day + time for time in _TIMES for day in (*_DAYS, *_SPELT, *_WITH_WEEKDAY, *_SHORT))
    + _MONTHS
    + CLOCKS
    + _ZONED
)
"""How dates may be spelt, in the order in which they are tried."""

_ENOUGH = 0.95  # of the values must be dates for the others to be slips
_SAMPLE = 200


class DateColumn(NamedTuple):
    """Days that have gone by, as a scaled number, and a sine and a cosine for each cycle that matters."""

    name: str
    spelling: str
    """How texts spell it, "" where it came as dates."""
    elapsed: NumericColumn
    cycles: tuple[str, ...]
    """Those of `CYCLES` in which the dates of training differ."""

    @property
    def number_names(self) -> tuple[str, ...]:
        """Names of the scaled numbers."""
        return (f"{self.name} (elapsed)",)

    @property
    def plain_names(self) -> tuple[str, ...]:
        """Names of sines and cosines, and of the mark of a missing date."""
        waves = tuple(f"{self.name} ({cycle}, {wave})" for cycle in self.cycles for wave in ("sin", "cos"))
        return (*waves, f"{self.name} is missing") if self.elapsed.missing == "sometimes" else waves


def fit_dates(
    name: str, dates: "pl.Series", weight: Numbers | None, spelling: str, scaling: Scaling, bins: int
) -> DateColumn:
    """Learn centre and spread of the elapsed days, and which cycles they go through."""
    days = days_of(dates)
    elapsed = fit_numbers(name, days, weight, scaling, bins)
    counted = days[~np.isnan(days) if weight is None else ~np.isnan(days) & (weight > 0)]
    cycles = []
    for cycle, length in CYCLES.items():
        if cycle == "day of week" and spelling in _MONTHS:
            continue
        places = counted % length if cycle == "time of day" else np.floor(counted) % length
        if len(places) and np.ptp(places) > 0:
            cycles.append(cycle)
    return DateColumn(name, spelling, elapsed, tuple(cycles))


def days_of(dates: "pl.Series") -> Numbers:
    """Days since the first of January 1970, NaN where missing."""
    import polars as pl

    microseconds = dates.dt.epoch("us").cast(pl.Float64)
    return np.asarray((microseconds / 86_400e6).to_numpy(), np.float64)


def cycles_of(column: DateColumn, days: Numbers) -> npt.NDArray[np.float32]:
    """Sines and cosines of the column's cycles, shape (rows, 2 · cycles); 0 where the date is missing."""
    waves = np.zeros((len(days), 2 * len(column.cycles)), np.float32)
    present = ~np.isnan(days)
    for position, cycle in enumerate(column.cycles):
        # The first of January 1970 was a Thursday.
        angle = 2 * np.pi * ((days[present] + (3 if cycle == "day of week" else 0)) / CYCLES[cycle])
        waves[present, 2 * position] = np.sin(angle)
        waves[present, 2 * position + 1] = np.cos(angle)
    return waves


def spelling_of(text: "pl.Series") -> str | None:
    """The spelling in which nearly all of a column of texts are dates, None if they are none.

    "03/04/2024" is taken as the fourth of March unless some day is above 12, and a warning says so.
    """
    present = text.drop_nulls()
    sample = present.gather(np.linspace(0, len(present) - 1, min(len(present), _SAMPLE)).astype(int))
    enough = max(1, _ENOUGH * len(sample))
    # To look for years first spares other texts a trial of each spelling.
    trimmed = sample.str.strip_chars()
    years = {year for year in set(map(_year_in, FORMATS)) if trimmed.str.contains(year).sum() >= enough}
    likely = [f for f in FORMATS if _year_in(f) in years and _parsed(sample, f).count() >= enough]
    best = max(likely, key=lambda f: _parsed(present, f).count(), default=None)
    if best is None:
        return None
    found = _parsed(present, best)
    if found.count() < _ENOUGH * len(present):
        return None
    twin = {"%m": "%d", "%d": "%m"}
    other = re.sub("%[md]", lambda part: twin[part[0]], best)
    if other in likely and other != best and not best.startswith("%Y"):
        turned = _parsed(present, other)
        if turned.count() == found.count() and not found.equals(turned):
            warnings.warn(
                f"column {text.name!r} is read as {_in_words(best)}, as in {present[0]!r}; "
                f"{_in_words(other)} would do as well. Write dates as 2024-12-31 if that is wrong.",
                UserWarning,
                stacklevel=6,
            )
    return best


def parse_dates(text: "pl.Series", spelling: str, *, lenient: bool) -> "pl.Series":
    """Texts as dates; what is none is missing where that is allowed, with a warning.

    Raises
    ------
    TableError
        Else, with the first bad value and its row.
    """
    dates = _parsed(text, spelling)
    wrong = dates.is_null() & text.is_not_null()
    if wrong.any():
        row = int(wrong.arg_max() or 0)
        value = text[row] if len(text[row]) <= 40 else text[row][:39] + "…"
        if not lenient:
            raise TableError(
                f"column {text.name!r} must hold dates such as {_example(spelling)}, as in training; got "
                f"{value!r} in row {row + 1}. Correct it, or mark missing values with "
                f"{marked([value])}."
            )
        count = int(wrong.sum())
        warnings.warn(
            f"column {text.name!r} holds dates, but for {counted(count, 'value')} (first {value!r} in row "
            f"{row + 1}), which {'counts' if count == 1 else 'count'} as missing.",
            UserWarning,
            stacklevel=5,
        )
    return dates


def dates_of(text: "pl.Series", what: str) -> "pl.Series":
    """Texts as dates where numbers would do as well; TableError if they are none."""
    spelling = spelling_of(text)
    if spelling is None:
        raise TableError(
            f"{what} must be dates or numbers; got text such as {text[0]!r}. Write dates as 2024-12-31."
        )
    return parse_dates(text, spelling, lenient=False)


def _parsed(text: "pl.Series", spelling: str) -> "pl.Series":
    import polars as pl

    trimmed = text.str.strip_chars()
    # To be lenient with the digits of a year would make dates of 1.2.3 and of phone numbers.
    trimmed = trimmed.set(~trimmed.str.contains(_year_in(spelling)), None)
    if spelling in _ZONED:
        zoned = trimmed.str.to_datetime(spelling, time_unit="us", time_zone="UTC", strict=False)
        return zoned.dt.replace_time_zone(None)
    if spelling in _MONTHS:
        trimmed, spelling = "01 " + trimmed, f"%d {spelling}"
    if spelling in CLOCKS:
        trimmed, spelling = "1970-01-01 " + trimmed, f"%Y-%m-%d {spelling}"
    if not ("%H" in spelling or "%I" in spelling):
        return trimmed.str.to_date(spelling, strict=False).cast(pl.Datetime("us"))
    return trimmed.str.to_datetime(spelling, time_unit="us", strict=False)


def _year_in(spelling: str) -> str:
    """A pattern of texts whose year has as many digits as it should; of times of day without one."""
    if spelling in CLOCKS:
        return r"^\d{1,2}:\d{2}(?:$|[: ])"
    if ".%y" in spelling:  # 1.12.14 is a version of software
        return r"^\d\d\.\d\d\.\d\d(?:[ T]|$)"
    if spelling == "%B %Y":
        return r"^\D+ \d{4}$"
    digits = r"\d{2}" if "%y" in spelling else r"\d{4}"
    if spelling.startswith(("%Y", "%+")):
        return rf"^{digits}(?:[-/.]|\d{{4}}$)"  # so that 20241231 can be asked for
    return rf"^[^:]*\d\D(?:[^:]*\D)?{digits}(?:[ T]|$)"


def _in_words(spelling: str) -> str:
    return "month/day/year" if spelling.startswith("%m") else "day/month/year"


def _example(spelling: str) -> str:
    import datetime

    shown = (
        "%Y-%m-%dT%H:%M:%S+00:00"
        if spelling == "%+"
        else spelling.replace("%.f", ".5").replace("%#z", "+00:00")
    )
    return repr(datetime.datetime(2024, 12, 31, 23, 59, 59).strftime(shown))

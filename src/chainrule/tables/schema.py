"""The columns of a table, whatever library holds it: each as numbers, as text, or as dates."""

from contextlib import suppress
from datetime import date, time, timedelta
from numbers import Number
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np
import numpy.typing as npt

from chainrule.errors import TableError
from chainrule.tables.frames import as_frame, refuse_twice

if TYPE_CHECKING:
    import narwhals as nw
    import polars as pl

__all__ = [
    "MISSING_OBJECTS",
    "Numbers",
    "Table",
    "as_table",
    "as_text",
    "is_category",
    "is_text",
    "read_column",
]

Numbers = npt.NDArray[np.float64]

MISSING_OBJECTS = {"NoneType", "NAType", "NaTType"}
"""Types of missing values; pandas.NA and pandas.NaT by name, without importing pandas."""

_TIMES = (date, time, timedelta, np.datetime64, np.timedelta64)  # a column of objects holds one of these


class Table(NamedTuple):
    """A two-dimensional array or a frame, with the names of its columns."""

    data: Any
    names: tuple[str, ...]
    named: bool
    """Whether the names came with the table; the columns of an array are called x0, x1, …"""
    own: tuple[Any, ...] = ()
    """The frame's own names of its columns, which need not be texts; none for an array."""

    @property
    def rows(self) -> int:
        """Number of rows."""
        return int(self.data.shape[0])

    @property
    def is_numeric_array(self) -> bool:
        """Whether all of it is one array of real numbers."""
        return isinstance(self.data, np.ndarray) and self.data.dtype.kind in "biuf"


def as_table(X: Any) -> Table:
    """View an array, nested lists, or a frame (any that narwhals knows: pandas, polars, pyarrow) as a Table.

    Raises
    ------
    TableError
        If `X` is complex, lazy, not two-dimensional, or has a column name twice or of several levels.
    """
    if hasattr(X, "toarray"):  # sparse: what the network takes in is dense anyway
        X = X.toarray()
    if isinstance(X, np.ma.MaskedArray):
        mask, X = np.ma.getmaskarray(X), X.data.astype(object)
        X[mask] = None
    if not isinstance(X, np.ndarray | list | tuple):
        frame = as_frame(X)
        if frame is not None:
            # Like scikit-learn: only texts are names; pandas numbers columns that were never named.
            named = any(isinstance(name, str) for name in frame.columns)
            names = tuple(map(str, frame.columns)) if named else _positions(frame.shape[1])
            refuse_twice(names)
            return Table(frame, names, named, tuple(frame.columns))
    try:
        array = np.asarray(X)
    except ValueError:
        raise TableError("X must have rows of one length; got rows of several. Correct them.") from None
    if array.ndim == 0:
        raise TableError(
            f"X must have two dimensions, (rows, columns); got shape (), a single {type(X).__name__}. Give a "
            "frame, an array or a list of rows."
        )
    if array.ndim != 2:
        raise TableError(
            f"X must have two dimensions, (rows, columns); got shape {array.shape}. Reshape your data with "
            "X.reshape(-1, 1) if it is one column, or X.reshape(1, -1) if it is one row."
        )
    if array.dtype.kind == "c":
        raise TableError(
            "X must hold real numbers; got complex ones. Complex data not supported: "
            "make columns of the real and imaginary parts."
        )
    return Table(array, _positions(array.shape[1]), named=False)


def read_column(table: Table, position: int, *, as_text: bool = False) -> "Numbers | pl.Series":
    """One column as float64 with NaN where missing, or as a polars Series of text or dates with nulls.

    Durations are seconds, times with a zone are in UTC. A column of texts in an array is numbers if each
    spells one, unless `as_text` is true; a frame says itself which of its columns are text.

    Raises
    ------
    TableError
        If it is neither numeric, nor boolean, nor text or categories, nor dates.
    """
    name = table.names[position]
    if isinstance(table.data, np.ndarray):
        return _from_array(table.data[:, position], name, as_text)
    import narwhals as nw

    series = table.data.get_column(table.own[position])
    dtype = series.dtype
    if dtype.is_numeric() or dtype == nw.Boolean:
        return _numbers(series)
    if dtype in (nw.String, nw.Categorical, nw.Enum):
        return _text(series)
    if dtype in (nw.Datetime, nw.Date, nw.Time, nw.Duration):
        return _times(_as_polars(series))
    if dtype in (nw.Object, nw.Unknown):
        return _from_array(np.asarray(series.to_numpy()), name, as_text)
    raise _unusable(name, str(dtype))


def is_category(table: Table, position: int) -> bool:
    """Whether a frame says of a column that it is a category."""
    if isinstance(table.data, np.ndarray):
        return False
    import narwhals as nw

    return table.data.get_column(table.own[position]).dtype in (nw.Categorical, nw.Enum)


def is_text(values: "pl.Series") -> bool:
    """Whether a column that is no numbers is text; else it is dates."""
    import polars as pl

    return values.dtype == pl.String


def as_text(dates: "pl.Series") -> "pl.Series":
    """Dates as texts."""
    return dates.dt.to_string("iso")


def _positions(columns: int) -> tuple[str, ...]:
    return tuple(f"x{position}" for position in range(columns))


def _from_array(values: npt.NDArray[Any], name: str, as_text: bool) -> "Numbers | pl.Series":
    if values.dtype.kind in "biuf":
        with np.errstate(over="ignore"):  # long doubles: infinities are refused where they are used
            return values.astype(np.float64)
    if values.dtype.kind == "M":
        import polars as pl

        return pl.Series(name, values.astype("datetime64[us]"))
    if values.dtype.kind == "m":
        return np.asarray(values / np.timedelta64(1, "s"), np.float64)
    if values.dtype.kind not in "OUST":
        raise _unusable(name, str(values.dtype))
    return _from_objects(values.tolist(), name, as_text)


def _from_objects(items: list[Any], name: str, as_text: bool) -> "Numbers | pl.Series":
    """Numbers if each object is one, dates if each is one, else texts."""
    import polars as pl

    kinds = set(map(type, items))
    missing = {kind for kind in kinds if kind.__name__ in MISSING_OBJECTS}
    kinds -= missing
    if kinds and any(all(issubclass(kind, family) for kind in kinds) for family in _TIMES):
        return _times_of_objects([None if type(item) in missing else item for item in items], name)
    for kind in kinds:
        if not issubclass(kind, str | Number | np.bool_) or issubclass(kind, complex | np.complexfloating):
            row = next(row for row, item in enumerate(items, start=1) if type(item) is kind)
            raise _unusable(name, f"{kind.__name__} (first in row {row})")
    present = [None if type(item) in missing or item != item else item for item in items]
    if not (as_text and any(issubclass(kind, str) for kind in kinds)):
        with suppress(ValueError, OverflowError):
            return np.array(present, np.float64)
    return pl.Series(name, [None if item is None else str(item) for item in present], pl.String)


def _times_of_objects(items: list[Any], name: str) -> "Numbers | pl.Series":
    import polars as pl

    kind = next(type(item) for item in items if item is not None)
    if kind in (np.datetime64, np.timedelta64):
        return _from_array(np.array(items, f"{kind.__name__}[us]"), name, as_text=False)
    try:
        return _times(pl.Series(name, items, strict=False))
    except (pl.exceptions.PolarsError, TypeError, ValueError):
        raise _unusable(name, f"{kind.__name__}, some with a time zone and some without") from None


def _text(series: "nw.Series[Any]") -> "pl.Series":
    """Strings or categories of a frame as a polars Series of text."""
    import narwhals as nw
    import polars as pl

    if not series.implementation.is_pandas_like():
        return series.to_polars().cast(pl.String)
    native = series.to_native()
    if series.dtype != nw.String and hasattr(native, "cat"):
        # By codes: categories may be whole numbers, which pandas turns to floats where some are missing.
        levels = pl.Series([str(level) for level in native.cat.categories], dtype=pl.String)
        codes = pl.Series(np.asarray(native.cat.codes), dtype=pl.Int64)
        return levels.gather(codes.set(codes < 0, None))
    if hasattr(native.array, "__arrow_array__"):
        with suppress(ImportError):  # pyarrow, which pandas can do without
            return pl.Series(series.to_arrow()).cast(pl.String)
    items = series.to_numpy().astype(object)
    items[series.is_null().to_numpy()] = None
    return pl.Series(series.name, items.tolist(), pl.String)


def _numbers(series: "nw.Series[Any]") -> Numbers:
    """Numbers or truth values of a frame; whole numbers beyond 2⁵³ are rounded."""
    import polars as pl

    if series.implementation.is_pandas_like():
        return np.asarray(series.to_native().to_numpy(np.float64, na_value=np.nan), np.float64)
    return np.asarray(series.to_polars().cast(pl.Float64).to_numpy(), np.float64)


def _as_polars(series: "nw.Series[Any]") -> "pl.Series":
    import polars as pl

    pandas = series.implementation.is_pandas_like()
    try:
        return (pl.Series(series.to_arrow()) if pandas else series.to_polars()).alias(series.name)
    except (pl.exceptions.PolarsError, ValueError, OverflowError) as error:
        raise _unusable(series.name, f"{series.dtype} that cannot be read ({error})") from None


def _times(values: "pl.Series") -> "Numbers | pl.Series":
    """Dates, and times of day, as Datetime without a zone; a duration is a number of seconds."""
    import polars as pl

    if values.dtype == pl.Duration:
        return np.asarray((values.dt.total_microseconds() / 1e6).to_numpy(), np.float64)
    if values.dtype == pl.Time:
        return (values.cast(pl.Int64) // 1000).cast(pl.Datetime("us"))
    if isinstance(values.dtype, pl.Datetime) and values.dtype.time_zone:
        values = values.dt.convert_time_zone("UTC").dt.replace_time_zone(None)
    times = values.cast(pl.Datetime("us"), strict=False)
    if times.null_count() > values.null_count():
        raise TableError(
            f"column {values.name!r} must hold times that microseconds can count, until the year 294,247; "
            "got later or earlier ones. Correct them, or mark them as missing."
        )
    return times


def _unusable(name: str, kind: str) -> TableError:
    return TableError(
        f"column {name!r} must be numeric, boolean, a category or dates; got {kind}. Drop or convert it."
    )

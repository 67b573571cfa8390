"""The columns of a table, whatever library holds it: each as numbers or as text."""

from collections.abc import Sequence
from numbers import Number
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np
import numpy.typing as npt

from chainrule.errors import TableError

if TYPE_CHECKING:
    import narwhals as nw
    import polars as pl

__all__ = ["Numbers", "Table", "as_table", "read_column"]

Numbers = npt.NDArray[np.float64]

_MISSING_OBJECTS = {"NoneType", "NAType", "NaTType"}  # pandas.NA and pandas.NaT, without importing pandas


class Table(NamedTuple):
    """A two-dimensional array or a frame, with the names of its columns."""

    data: Any
    names: tuple[str, ...]
    named: bool
    """Whether the names came with the table; the columns of an array are called x0, x1, …"""

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
        If `X` is sparse, complex, lazy, not two-dimensional, or has a column name twice.
    """
    if not isinstance(X, np.ndarray | list | tuple):
        frame = _as_frame(X)
        if frame is not None:
            # Like scikit-learn: only texts are names; pandas numbers columns that were never named.
            named = any(isinstance(name, str) for name in frame.columns)
            names = tuple(map(str, frame.columns)) if named else _positions(frame.shape[1])
            if len(set(names)) < len(names):
                raise _twice(names)
            return Table(frame, names, named)
    try:
        array = np.asarray(X)
    except ValueError:
        raise TableError("X must have rows of one length; got rows of several. Correct them.") from None
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
    """One column as float64 with NaN where missing, or as a polars Series of text with nulls.

    A column of Python objects or texts in an array is numbers if each value is one (so is "1.5"), unless
    `as_text` is true; a frame says itself which of its columns are text.

    Raises
    ------
    TableError
        If it is neither numeric, nor boolean, nor text or categories.
    """
    name = table.names[position]
    if isinstance(table.data, np.ndarray):
        return _from_array(table.data[:, position], name, as_text)
    import narwhals as nw

    series = table.data.get_column(table.data.columns[position])
    dtype = series.dtype
    if dtype.is_numeric() or dtype == nw.Boolean:
        return np.asarray(series.cast(nw.Float64).to_numpy(), np.float64)
    if dtype in (nw.String, nw.Categorical, nw.Enum):
        return _text(series)
    if dtype in (nw.Object, nw.Unknown):
        return _from_array(np.asarray(series.to_numpy()), name, as_text)
    raise _unusable(name, str(dtype))


def _as_frame(X: Any) -> "nw.DataFrame[Any] | None":
    """`X` as a narwhals frame, or None if it is no frame."""
    import narwhals as nw

    if hasattr(X, "toarray"):
        raise TableError("X must be dense; got a sparse matrix. Convert it with X.toarray().")
    try:
        frame = nw.from_native(X, pass_through=True)
        if isinstance(frame, nw.DataFrame):
            frame.columns  # noqa: B018  narwhals looks for names given twice only now
    except nw.exceptions.DuplicateError:
        raise _twice(list(X.columns)) from None
    if isinstance(frame, nw.LazyFrame):
        raise TableError("X must be a frame with its data; got a lazy one. Call X.collect() first.")
    return frame if isinstance(frame, nw.DataFrame) else None


def _twice(names: Sequence[Any]) -> TableError:
    repeated = sorted({str(name) for name in names if list(map(str, names)).count(str(name)) > 1})
    return TableError(
        f"a table must have each column name once; got {', '.join(map(repr, repeated))} more than once. "
        "Rename or drop the others."
    )


def _positions(columns: int) -> tuple[str, ...]:
    return tuple(f"x{position}" for position in range(columns))


def _from_array(values: npt.NDArray[Any], name: str, as_text: bool) -> "Numbers | pl.Series":
    if values.dtype.kind in "biuf":
        with np.errstate(over="ignore"):  # long doubles: infinities are refused where they are used
            return values.astype(np.float64)
    if values.dtype.kind not in "OUST":
        raise _unusable(name, str(values.dtype))
    if not as_text:
        try:
            return values.astype(np.float64)
        except (TypeError, ValueError, OverflowError):
            pass  # text, or pandas.NA, or neither numbers nor text: told apart below
    return _from_objects(values.tolist(), name, as_text)


def _from_objects(items: list[Any], name: str, as_text: bool) -> "Numbers | pl.Series":
    """Numbers if each object is one, else texts."""
    import polars as pl

    missing = {kind for kind in set(map(type, items)) if kind.__name__ in _MISSING_OBJECTS}
    for kind in set(map(type, items)) - missing:
        if not issubclass(kind, str | Number) or issubclass(kind, complex | np.complexfloating):
            row = next(row for row, item in enumerate(items, start=1) if type(item) is kind)
            raise _unusable(name, f"{kind.__name__} (first in row {row})")
    present = [None if type(item) in missing or item != item else item for item in items]
    if not as_text:
        try:
            return np.array(present, np.float64)
        except (ValueError, OverflowError):
            pass
    return pl.Series(name, [None if item is None else str(item) for item in present], pl.String)


def _text(series: "nw.Series[Any]") -> "pl.Series":
    """Strings or categories of a frame as a polars Series of text."""
    import narwhals as nw
    import polars as pl

    if not series.implementation.is_pandas_like():
        return series.to_polars().cast(pl.String)
    if series.dtype == nw.String:
        items = series.to_numpy().astype(object)
        items[series.is_null().to_numpy()] = None
        return pl.Series(series.name, items.tolist(), pl.String)
    native = series.to_native()
    # By codes: categories may be whole numbers, which pandas turns to floats where some are missing.
    levels = pl.Series([str(level) for level in native.cat.categories], dtype=pl.String)
    codes = pl.Series(np.asarray(native.cat.codes), dtype=pl.Int64)
    return levels.gather(codes.set(codes < 0, None))


def _unusable(name: str, kind: str) -> TableError:
    return TableError(
        f"column {name!r} must be numeric, boolean or a category; got {kind}. Drop or convert it."
    )

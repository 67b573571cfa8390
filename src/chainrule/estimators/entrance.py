"""What users hand over in Python, looked at before scikit-learn does: tables, targets, weights."""

from typing import Any

import numpy as np
from sklearn.utils.multiclass import check_classification_targets

from chainrule.errors import ArgumentError, TableError
from chainrule.tables.schema import MISSING_OBJECTS, as_table

__all__ = [
    "given_targets",
    "given_weights",
    "refuse_lengths",
    "refuse_no_classes",
    "refuse_no_table",
    "to_numbers",
]


def refuse_no_table(X: Any) -> None:
    """Refuse what is no table that an estimator can name the columns of.

    Raises
    ------
    TableError
        If it is lazy, complex, not two-dimensional, or a frame with names given twice, of several levels, or
        texts only in part.
    """
    if hasattr(X, "tocsr"):
        return
    table = as_table(X)
    if not table.named:
        return
    kinds = sorted({type(name).__name__ for name in getattr(X, "columns", ()) if not isinstance(name, str)})
    if kinds and hasattr(X, "iloc"):  # pandas alone has names that are no texts
        raise TableError(
            f"X must have texts for the names of all its columns, or of none; got {' and '.join(kinds)} "
            "beside str. Use X.columns = X.columns.astype(str)."
        )


def given_targets(y: Any, who: str) -> np.ndarray:
    """Targets as an array, whatever library holds them.

    Raises
    ------
    TableError
        If there are none, or one of them is missing or infinite, with its row from 1.
    """
    if y is None:
        raise TableError(f"{who} requires y to be passed, but the target y is None. Give y.")
    array = _array_of(y)
    if array.ndim == 0:
        raise TableError(
            f"y must have a value for each row; got a single {type(y).__name__}. Give a list, an array or a "
            "column."
        )
    if array.ndim > 2:
        raise TableError(f"y must have the shape (rows,) or (rows, targets); got {array.shape}. Reshape it.")
    if array.dtype.kind == "c":
        raise TableError(
            "y must hold real numbers; got complex ones. Complex data not supported: give the real and the "
            "imaginary parts as two targets."
        )
    # NumPy turns a NaN among texts of a list to the text "nan".
    _refuse_missing(
        np.asarray(y, object) if isinstance(y, list | tuple) and array.dtype.kind == "U" else array
    )
    return array


def _array_of(y: Any) -> np.ndarray:
    import narwhals as nw

    found: Any
    if hasattr(y, "toarray"):  # sparse labels
        return np.asarray(y.toarray())
    if isinstance(y, np.ndarray | list | tuple):
        found = y
    else:
        found = nw.from_native(y, pass_through=True, allow_series=True)
    if isinstance(found, nw.LazyFrame):
        raise TableError("y must be there with its values; got a lazy frame. Call y.collect() first.")
    try:
        return np.asarray(found.to_numpy() if isinstance(found, nw.Series | nw.DataFrame) else found)
    except ValueError:
        raise TableError("y must have rows of one length; got rows of several. Correct them.") from None


def _refuse_missing(y: np.ndarray) -> None:
    missing = np.zeros(y.shape, bool)
    if y.dtype.kind == "O":
        missing.flat[:] = [_is_missing(value) for value in y.ravel().tolist()]
    elif y.dtype.kind in "fmM":
        missing |= y != y  # NaN and NaT alone are not what they are
    if missing.any():
        rows = np.flatnonzero(missing.reshape(len(y), -1).any(axis=1))
        first = y[tuple(np.argwhere(missing)[0])]
        got = "NaN" if isinstance(first, float | np.floating) else str(first)
        further = f" and none in {len(rows) - 1:,} more" if len(rows) > 1 else ""
        raise TableError(
            f"y must have a value in each row; got {got} in row {rows[0] + 1}{further}. Remove such rows "
            "from X and y."
        )


def _is_missing(value: Any) -> bool:
    return type(value).__name__ in MISSING_OBJECTS or (isinstance(value, float) and value != value)


def to_numbers(y: np.ndarray) -> np.ndarray:
    """Targets as finite float64.

    Raises
    ------
    TableError
        For texts, dates and infinities, with the first one's row.
    """
    if y.dtype.kind in "mM":
        raise _no_number(y, 0)
    if y.dtype.kind in "OUSTV":
        for place, value in enumerate(y.ravel().tolist()):
            try:
                float(value)
            except (TypeError, ValueError, OverflowError):
                raise _no_number(y, place) from None
    numbers = y.astype(np.float64)
    infinite = np.argwhere(~np.isfinite(numbers))
    if infinite.size:
        first = tuple(infinite[0])
        raise TableError(
            f"y must be finite; got {numbers[first]:g} in row {first[0] + 1}. Correct or remove that row."
        )
    return numbers


def _no_number(y: np.ndarray, place: int) -> TableError:
    value = y.ravel().tolist()[place]
    row = place // (y.size // len(y)) + 1
    if y.dtype.kind in "mM" or hasattr(value, "year") or hasattr(value, "total_seconds"):
        return TableError(
            f"y must be numbers; got dates or times, such as {y.ravel()[place]!s} in row {row}. Give days "
            "since a day of your choice, or use DeepClassifier if these are classes."
        )
    return TableError(
        f"y must be numbers; got {value!r:.60} in row {row}. Convert it, or use DeepClassifier if these are "
        "classes."
    )


def refuse_no_classes(y: np.ndarray) -> None:
    """Raise TableError for what cannot be classes."""
    if y.dtype.kind == "f" and np.isinf(y).any():
        row = int(np.isinf(y).reshape(len(y), -1).any(axis=1).argmax()) + 1
        raise TableError(f"y must be finite; got inf in row {row}. Correct or remove that row.")
    try:
        check_classification_targets(y)
    except (TypeError, ValueError) as error:
        kinds = sorted({type(value).__name__ for value in y.ravel().tolist()})
        got = "fractions" if y.dtype.kind == "f" else " and ".join(kinds)
        raise TableError(
            f"y must be classes: texts, booleans or whole numbers, of one kind; got {got}. Convert them, or "
            f"use DeepRegressor for numbers. ({str(error).partition('. ')[0]}.)"
        ) from None


def refuse_lengths(**given: Any) -> None:
    """Raise TableError unless all that is given has as many rows as the first."""
    rows = {name: int(values.shape[0]) for name, values in given.items() if values is not None}
    if len(set(rows.values())) > 1:
        counts = ", ".join(f"{number:,} in {name}" for name, number in rows.items())
        raise TableError(
            f"{', '.join(list(rows)[:-1])} and {list(rows)[-1]} must have equally many rows; got {counts}. "
            "Give those that belong together."
        )


def given_weights(weight: Any, rows: int) -> np.ndarray:
    """What each row counts, as finite float64 of 0 or more, shape (rows,); one number counts for all.

    Raises
    ------
    ArgumentError
        For another shape, or what is no such number.
    """
    try:
        array: np.ndarray = np.asarray(_array_of(weight), np.float64)
    except (TypeError, ValueError):
        raise ArgumentError("sample_weight must be numbers; got something else. Convert it.") from None
    if array.ndim == 0:
        array = np.full((rows,), float(array))
    if array.shape != (rows,):
        raise ArgumentError(
            f"sample_weight must be a number for each of the {rows} rows, of shape ({rows},); got shape "
            f"{array.shape}. Correct it."
        )
    wrong = ~(np.isfinite(array) & (array >= 0))
    if wrong.any():
        row = int(wrong.argmax())
        raise ArgumentError(
            f"each sample_weight must be finite and not negative; got {array[row]:.6g} in row {row + 1}. "
            "Give 0 to leave a row out."
        )
    return array

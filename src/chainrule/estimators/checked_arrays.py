"""Predictions and truths as arrays, checked at the door: numbers, probabilities, class numbers, weights."""

from typing import Any

import numpy as np
import numpy.typing as npt

from chainrule.errors import ArgumentError

Numbers = npt.NDArray[np.float64]


def numbers(name: str, values: Any, *shape: int | str, infinite: bool = False) -> Numbers:
    """Finite float64 of a shape, whose lengths are numbers, or names where any length will do.

    Parameters
    ----------
    infinite
        Whether +∞ may be among them.

    Raises
    ------
    ArgumentError
        For another shape, for what is no number, and for the first value that is NaN or infinite.
    """
    said = "(" + ", ".join(map(str, shape)) + ("," if len(shape) == 1 else "") + ")"
    try:
        array = np.asarray(values, np.float64)
    except (TypeError, ValueError):
        raise ArgumentError(f"{name} must be numbers of shape {said}; got {values!r:.60}.") from None
    fits = len(shape) == array.ndim and all(
        isinstance(length, str) or length == got for length, got in zip(shape, array.shape, strict=True)
    )
    if not fits:
        raise ArgumentError(f"{name} must have the shape {said}; got {array.shape}.")
    wrong = np.isnan(array) | np.isneginf(array) if infinite else ~np.isfinite(array)
    if wrong.any():
        first = tuple(int(i) for i in np.argwhere(wrong)[0])
        must = "no NaN" if infinite else "finite"
        raise ArgumentError(
            f"{name} must be {must}; got {array[first]:g} in row {first[0] + 1}. Correct or remove that row."
        )
    return array


def checked_probabilities(values: Any, *shape: int | str) -> Numbers:
    """Numbers from 0 to 1 of a shape; ArgumentError for others, with the first row."""
    array = numbers("probabilities", values, *shape)
    wrong = (array < 0) | (array > 1)
    if wrong.any():
        first = tuple(int(i) for i in np.argwhere(wrong)[0])
        raise ArgumentError(
            f"probabilities must be from 0 to 1; got {array[first]:g} in row {first[0] + 1}. "
            "Give probabilities, not logits."
        )
    return array


def class_numbers(name: str, codes: Any, rows: int | str, classes: int | None = None) -> npt.NDArray[np.intp]:
    """Whole numbers from 0 on, below ``classes``, shape (rows,); ArgumentError for others, with the row."""
    given = numbers(name, codes, rows)
    wrong = (given != np.floor(given)) | (given < 0) | (given >= (np.inf if classes is None else classes))
    if wrong.any():
        row = int(wrong.argmax())
        last = "" if classes is None else f" to {classes - 1}"
        raise ArgumentError(
            f"{name} must number the classes from 0{last}; got {given[row]:g} in row {row + 1}. "
            "Number the classes in the order of the columns of probabilities."
        )
    return given.astype(np.intp)


def weights(weight: Any, rows: int) -> Numbers:
    """What each row counts, shape (rows,): as given, or 1.

    Raises
    ------
    ArgumentError
        If one is no number of 0 or more, or all of them are 0.
    """
    if weight is None:
        return np.ones(rows)
    given = numbers("weight", weight, rows)
    if (given < 0).any():
        row = int((given < 0).argmax())
        raise ArgumentError(f"weight must be 0 or more; got {given[row]:g} in row {row + 1}. Correct it.")
    if rows and not given.any():
        raise ArgumentError("weight must be above 0 in at least one row; got only zeros.")
    return given


def effective_rows(weight: Numbers) -> float:
    """How many rows of equal weight say as much, (Σw)² / Σw². Source: Kish 1965, Survey Sampling."""
    if not weight.any():
        return 0.0
    relative = weight / weight.max()  # squares of tiny weights would vanish
    return float(relative.sum() ** 2 / np.square(relative).sum())


def share(name: str, value: float) -> float:
    """A number between 0 and 1, both excluded; ArgumentError for another."""
    if not 0 < value < 1:
        raise ArgumentError(f"{name} must be a number between 0 and 1, both excluded; got {value!r}.")
    return float(value)


def count(name: str, value: int) -> int:
    """A whole number of at least 1; ArgumentError for another."""
    if not value >= 1 or int(value) != value:
        raise ArgumentError(f"{name} must be a whole number of at least 1; got {value!r}.")
    return int(value)

"""Which rows train, and which only validate."""

import math
from numbers import Integral
from typing import Any

import numpy as np
import numpy.typing as npt

from chainrule.errors import ArgumentError, TableError
from chainrule.tables.date_columns import dates_of
from chainrule.tables.schema import MISSING_OBJECTS

__all__ = ["cross_parts", "validation_split"]

Rows = npt.NDArray[np.intp]

_LARGEST_SEED = 2**32 - 1
_ONE_GROUP = "groups must be at least two, one to train on and one to validate; got one. Split at random."


def validation_split(
    y: npt.ArrayLike,
    fraction: float,
    seed: int,
    *,
    stratify: bool,
    groups: npt.ArrayLike | None = None,
    time: npt.ArrayLike | None = None,
) -> tuple[Rows, Rows]:
    """Choose a validation part: ⌈fraction · rows⌉ rows, at least 1, and at least 1 row is left.

    Parameters
    ----------
    y
        Targets, (rows,) or (rows, outputs). Values matter only where `stratify` is true.
    fraction
        Share of the rows that validate, between 0 and 1, both excluded.
    seed
        The same seed gives the same split.
    stratify
        Give each class (each distinct row of `y`) the same share in both parts. Where that is impossible,
        each class keeps a row in training, the validation part is drawn from the other rows, and it may be
        smaller; a class with a single row always trains, unless every class has a single row.
    groups
        A label for each row; the rows of a group stay together, and so the part is only nearly of its size.
    time
        A number or a date for each row, which texts may spell; the latest rows validate, and rows of one
        time stay together, so that all training rows are earlier.

    Returns
    -------
    training, validation
        Row numbers from 0, each sorted.

    Raises
    ------
    ArgumentError
        If `fraction` or `seed` is outside its range, both `groups` and `time` are given, or they are not one
        value for each row.
    TableError
        If `y` has fewer than two rows, a group or time is missing, all rows are of one, or texts are no
        dates.
    """
    if not 0 < fraction < 1:
        raise ArgumentError(
            f"the validation fraction must be between 0 and 1, both excluded; got {fraction}. 0.1 is usual."
        )
    if not isinstance(seed, Integral) or not 0 <= seed <= _LARGEST_SEED:
        raise ArgumentError(
            f"the seed of a split must be an integer from 0 to {_LARGEST_SEED}; got {seed!r}. Give another."
        )
    if groups is not None and time is not None:
        raise ArgumentError("a split must be by groups or by time; got both. Leave one out.")
    targets = np.asarray(y)
    rows = targets.shape[0] if targets.ndim else 0
    if rows < 2:
        raise TableError(
            f"a table must have at least 2 rows, to train on and to validate; got {rows}. "
            "Add rows, or switch early stopping off."
        )
    size = min(math.ceil(fraction * rows), rows - 1)
    if groups is not None:
        return _by_group(_ranks(groups, rows, "groups"), size, seed)
    if time is not None:
        return _by_time(_ranks(time, rows, "time"), size)
    everything = np.arange(rows)
    if not stratify:
        return _split(everything, size, seed)
    _, codes = np.unique(targets, return_inverse=True, axis=0 if targets.ndim > 1 else None)
    return _stratified(codes.reshape(-1), size, seed)


def cross_parts(
    y: npt.ArrayLike, parts: int, seed: int, *, stratify: bool, groups: npt.ArrayLike | None = None
) -> Rows:
    """Deal the rows out to ``parts`` parts of nearly one size; the number of each row's part, from 0.

    Parameters
    ----------
    stratify
        Each class (each distinct value of ``y``) is dealt out evenly.
    groups
        A label for each row; the rows of a group stay together, and there are no more parts than groups.

    Raises
    ------
    TableError, ArgumentError
        As for :func:`validation_split`.
    """
    targets, numbers = np.asarray(y), np.random.default_rng(seed)
    rows = len(targets)
    shuffled = numbers.permutation(rows)
    found = np.empty(rows, np.intp)
    if groups is None:
        codes = np.unique(targets, return_inverse=True)[1] if stratify else np.zeros(rows, np.intp)
        found[shuffled[np.argsort(codes[shuffled], kind="stable")]] = np.arange(rows) % min(parts, rows)
        return found
    labels = _ranks(groups, rows, "groups")
    counts = np.bincount(labels)
    if len(counts) < 2:
        raise TableError(_ONE_GROUP)
    sizes, part_of = np.zeros(min(parts, len(counts))), np.empty(len(counts), np.intp)
    drawn = numbers.permutation(len(counts))
    for group in drawn[
        np.argsort(-counts[drawn], kind="stable")
    ]:  # the largest first, each to the smallest part
        part_of[group] = sizes.argmin()
        sizes[part_of[group]] += counts[group]
    return part_of[labels]


def _ranks(values: npt.ArrayLike, rows: int, name: str) -> Rows:
    """Number the different values, in their order, from 0."""
    array = np.asarray(values)
    if array.shape != (rows,):
        raise ArgumentError(
            f"{name} must have a value for each of the {rows} rows; got shape {array.shape}. Correct it."
        )
    if array.dtype == object:
        missing = np.array([type(item).__name__ in MISSING_OBJECTS or item != item for item in array])
    else:
        missing = array != array  # NaN and NaT
    if missing.any():
        raise TableError(
            f"{name} must be known in each row; row {int(missing.argmax()) + 1} has none. Drop or correct it."
        )
    if name == "time":
        array = _spelt_out(array)
    try:
        return np.unique(array, return_inverse=True)[1]
    except TypeError:
        kinds = " and ".join(sorted({type(item).__name__ for item in array}))
        raise ArgumentError(f"{name} must be of one kind; got {kinds}. Convert them.") from None


def _spelt_out(time: npt.NDArray[Any]) -> npt.NDArray[Any]:
    """Texts as dates, since 02.01.2024 is before 01.02.2024; what is no text as it is."""
    import polars as pl

    texts = time.tolist()
    if time.dtype.kind not in "OUT" or not all(isinstance(text, str) for text in texts):
        return time
    return np.asarray(dates_of(pl.Series("time", texts), "time").to_numpy())


def _by_group(codes: Rows, size: int, seed: int) -> tuple[Rows, Rows]:
    """Whole groups, in random order, as long as they bring the part nearer to its size."""
    counts = np.bincount(codes)
    if len(counts) < 2:
        raise TableError(_ONE_GROUP)
    order = np.random.default_rng(seed).permutation(len(counts))
    reached = np.cumsum(counts[order])[:-1]
    chosen = order[: int(np.abs(reached - size).argmin()) + 1]
    validates = np.isin(codes, chosen)
    return np.flatnonzero(~validates), np.flatnonzero(validates)


def _by_time(codes: Rows, size: int) -> tuple[Rows, Rows]:
    """The latest rows; where the cut goes through rows of one time, it moves to the nearer side of them."""
    counts = np.bincount(codes)
    if len(counts) < 2:
        raise TableError("times must differ, so that the latest can validate; got one. Split at random.")
    from_here = np.cumsum(counts[::-1])[:-1]
    cut = len(counts) - 1 - int(np.abs(from_here - size).argmin())
    validates = codes >= cut
    return np.flatnonzero(~validates), np.flatnonzero(validates)


def _stratified(codes: npt.NDArray[Any], size: int, seed: int) -> tuple[Rows, Rows]:
    """Split by class as well as it goes; `codes` numbers the classes from 0."""
    everything = np.arange(len(codes))
    counts = np.bincount(codes)
    alone = counts[codes] == 1
    rest = everything[~alone]
    classes = int((counts > 1).sum())
    if 0 < classes <= min(size, len(rest) - size):
        training, validation = _split(rest, size, seed, codes[rest])
        # Rounding may leave a small class without a training row when the fraction is large.
        if len(np.unique(codes[training])) == classes:
            return np.sort(np.concatenate([everything[alone], training])), validation
    shuffled = np.random.default_rng(seed).permutation(everything)
    _, first = np.unique(codes[shuffled], return_index=True)
    others = np.delete(shuffled, first)
    if len(others) == 0:
        return _split(everything, size, seed)
    validation = np.sort(others[:size])
    return np.setdiff1d(everything, validation), validation


def _split(rows: Rows, size: int, seed: int, classes: npt.NDArray[Any] | None = None) -> tuple[Rows, Rows]:
    """scikit-learn's train_test_split with both parts sorted."""
    from sklearn.model_selection import train_test_split

    training, validation = train_test_split(rows, test_size=size, random_state=int(seed), stratify=classes)
    return np.sort(training), np.sort(validation)

"""Which rows train, and which only validate."""

import math
from numbers import Integral
from typing import Any

import numpy as np
import numpy.typing as npt

from chainrule.errors import ArgumentError, TableError

__all__ = ["validation_split"]

Rows = npt.NDArray[np.intp]

_LARGEST_SEED = 2**32 - 1


def validation_split(y: npt.ArrayLike, fraction: float, seed: int, *, stratify: bool) -> tuple[Rows, Rows]:
    """Draw a validation part at random: ⌈fraction · rows⌉ rows, at least 1, and at least 1 row is left.

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

    Returns
    -------
    training, validation
        Row numbers from 0, each sorted.

    Raises
    ------
    ArgumentError
        If `fraction` or `seed` is outside its range.
    TableError
        If `y` has fewer than two rows.
    """
    if not 0 < fraction < 1:
        raise ArgumentError(
            f"the validation fraction must be between 0 and 1, both excluded; got {fraction}. 0.1 is usual."
        )
    if not isinstance(seed, Integral) or not 0 <= seed <= _LARGEST_SEED:
        raise ArgumentError(
            f"the seed of a split must be an integer from 0 to {_LARGEST_SEED}; got {seed!r}. Give another."
        )
    targets = np.asarray(y)
    rows = targets.shape[0] if targets.ndim else 0
    if rows < 2:
        raise TableError(
            f"a table must have at least 2 rows, to train on and to validate; got {rows}. "
            "Add rows, or switch early stopping off."
        )
    size = min(math.ceil(fraction * rows), rows - 1)
    everything = np.arange(rows)
    if not stratify:
        return _split(everything, size, seed)
    _, codes = np.unique(targets, return_inverse=True, axis=0 if targets.ndim > 1 else None)
    return _stratified(codes.reshape(-1), size, seed)


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

"""Rows on their way from the user to the network."""

from typing import Any, NamedTuple

import numpy as np

from chainrule.errors import ArgumentError, TableError
from chainrule.estimators.entrance import given_weights, refuse_lengths


class Rows(NamedTuple):
    """Rows as the network sees them, and what was to be predicted as the user said it."""

    x: np.ndarray
    """Encoded columns, (rows, inputs)."""
    y: np.ndarray
    """Targets as the loss sees them, (rows, targets)."""
    weight: np.ndarray | None
    """What each row counts in the loss, the weight of its class included."""
    truth: np.ndarray
    counts: np.ndarray | None = None
    """What each row counts by itself."""
    raw: np.ndarray | None = None
    """What networks that did not see these rows say of them, (rows, outputs); an estimator asked for its
    answers to these rows then gives those of these networks."""

    def take(self, rows: np.ndarray) -> "Rows":
        """Some of the rows, by their numbers from 0."""
        return Rows(*(None if part is None else part[rows] for part in self))  # type: ignore[arg-type]

    def joined(self, other: "Rows") -> "Rows":
        """These rows, then those; where only one kind has weights, the others weigh 1."""

        def both(first: np.ndarray | None, second: np.ndarray | None) -> np.ndarray | None:
            if first is None and second is None:
                return None
            ones = (
                np.ones(len(rows.truth)) if part is None else part
                for rows, part in ((self, first), (other, second))
            )
            return np.concatenate(list(ones))

        return Rows(
            np.concatenate([self.x, other.x]),
            np.concatenate([self.y, other.y]),
            both(self.weight, other.weight),
            np.concatenate([self.truth, other.truth]),
            both(self.counts, other.counts),
        )


class Given(NamedTuple):
    """Rows as the user gave them, checked; those of weight 0 are left out."""

    X: Any
    y: np.ndarray
    weight: np.ndarray | None
    rows: int
    """How many there were."""
    kept: np.ndarray | None = None
    """The numbers of the rows that are left, None where all are."""

    def of(self, values: Any, name: str) -> np.ndarray | None:
        """What else was given for each row, for the rows that are left."""
        if values is None:
            return None
        array = np.asarray(values)
        if array.shape != (self.rows,):
            raise ArgumentError(
                f"{name} must have a value for each of the {self.rows} rows; got shape {array.shape}."
            )
        return array if self.kept is None else array[self.kept]


def given(X: Any, y: np.ndarray, sample_weight: Any) -> Given:
    """Check that there is one of each for every row, and leave out rows of weight 0.

    Raises
    ------
    ArgumentError
        If a weight is no number of 0 or more.
    TableError
        If the lengths differ, or all weights are 0.
    """
    refuse_lengths(X=X, y=y)
    if sample_weight is None:
        return Given(X, y, None, len(y))
    weight = given_weights(sample_weight, len(y))
    counts = weight > 0
    if counts.all():
        return Given(X, y, weight, len(y))
    if not counts.any():
        raise TableError("sample_weight must be above 0 in at least one row; got only zeros.")
    kept = np.flatnonzero(counts)
    return Given(_taken(X, kept), y[kept], weight[kept], len(y), kept)


def _taken(X: Any, rows: np.ndarray) -> Any:
    if hasattr(X, "tocsr"):
        return X.tocsr()[rows]
    if isinstance(X, np.ndarray):
        return X[rows]
    import narwhals as nw

    return nw.from_native(X, eager_only=True)[rows.tolist()].to_native()

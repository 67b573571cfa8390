"""What a network learns: a tuple with one entry for each map that learns; gradients have the same type."""

from collections import Counter
from collections.abc import Callable, Iterator
from typing import Any, NamedTuple, TypeAlias, TypeVar

import jax
from jax import Array


class Weights(NamedTuple):
    """The parameters of an affine map: W of shape (outputs, inputs), b of shape (outputs,) or None."""

    W: Array
    b: Array | None


class Norm(NamedTuple):
    """The parameters of a layer normalisation: gain and shift, each of shape (width,)."""

    gain: Array
    shift: Array


class Table(NamedTuple):
    """The parameters of a lookup: a vector for each level, in the rows of E of shape (levels, size)."""

    E: Array


class Waves(NamedTuple):
    """The parameters of a periodic embedding.

    frequency and phase of shape (columns, frequencies); V of shape (columns, size − 1, frequencies) and
    c of shape (columns, size − 1), the affine map of each column.
    """

    frequency: Array
    phase: Array
    V: Array
    c: Array


class Pieces(NamedTuple):
    """The parameters of a piecewise-linear embedding: V (columns, size, bins) and c (columns, size)."""

    V: Array
    c: Array


class Stretches(NamedTuple):
    """The parameters of a rescaling: stretch and offset, each of shape (width,)."""

    stretch: Array
    offset: Array


Entry: TypeAlias = Weights | Norm | Table | Waves | Pieces | Stretches
"""The parameters of one map."""

Parameters: TypeAlias = tuple["Entry | Parameters", ...]
"""One entry for each map that learns, in order; that of a map made of maps is the tuple of its own maps."""

_Tree = TypeVar("_Tree")


def map_matrices(function: Callable[..., Array], parameters: _Tree, *others: _Tree) -> _Tree:
    """Apply a function to every W, with its W in the other trees, and leave the rest as it is.

    Penalties, decay and transposition are for the W of affine maps alone: biases, gains and embeddings
    are left free.
    """

    def at(entry: Any, *twins: Any) -> Any:
        if not isinstance(entry, Weights):
            return entry
        return entry._replace(W=function(entry.W, *(twin.W for twin in twins)))

    mapped: _Tree = jax.tree.map(at, parameters, *others, is_leaf=lambda part: isinstance(part, Weights))
    return mapped


def matrices(parameters: Parameters) -> list[Array]:
    """Every W, in order."""
    return [entry.W for entry in weights(parameters)]


def weights(parameters: Parameters) -> Iterator[Weights]:
    """The parameters of each affine map, in order."""
    return (entry for entry in entries(parameters) if isinstance(entry, Weights))


def entries(parameters: Parameters) -> Iterator[Entry]:
    """The parameters of each map, in order, those inside other maps too."""
    for part in parameters:
        if isinstance(part, Entry):
            yield part
        else:
            yield from entries(part)


def named(parameters: Parameters) -> Iterator[tuple[str, Array]]:
    """Each array with its name, in the order of ``jax.tree.leaves``: W1, b1, gain1, shift1, W2.

    Affine maps, normalisations and embeddings are counted each for themselves.
    """
    numbers: Counter[str] = Counter()
    for entry in entries(parameters):
        kind = type(entry).__name__ if isinstance(entry, Weights | Norm) else "embedding"
        numbers[kind] += 1
        for field, leaf in zip(entry._fields, entry, strict=True):
            if leaf is not None:
                yield f"{field}{numbers[kind]}", leaf


def count(parameters: Parameters) -> int:
    """How many numbers the network learns."""
    return sum(leaf.size for leaf in jax.tree.leaves(parameters))

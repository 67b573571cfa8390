"""What the user says of the columns, and the embedding that a table's encoding asks for."""

from collections import Counter
from collections.abc import Iterable, Sequence
from typing import Any

import numpy as np

from chainrule.errors import ArgumentError
from chainrule.estimators import recipes
from chainrule.mathematics.named import did_you_mean
from chainrule.network.embedding_layers import Lookup, Parallel, Periodic, PiecewiseLinear, Rescale
from chainrule.network.layer import Layer
from chainrule.tables.encoders import CategoryColumn, TableEncoder
from chainrule.tables.schema import as_table

# What models of formats 2 and 3 make of a column in bins, and do not rescale: they learn on as they are.
_WITHOUT_A_ROOM = (PiecewiseLinear(24, 8),)


def categorical_positions(wish: Any, X: Any) -> frozenset[int]:
    """Positions of the columns that are categories, from names, positions, or one boolean for each column.

    Raises
    ------
    ArgumentError
        If there is no such column.
    """
    if wish is None or (isinstance(wish, str) and wish == "from_dtype"):
        return frozenset()
    names = as_table(X).names
    if isinstance(wish, str) or not isinstance(wish, Iterable):
        raise _wrong(wish)
    chosen = list(wish)
    if chosen and all(isinstance(entry, bool | np.bool_) for entry in chosen):
        if len(chosen) != len(names):
            raise ArgumentError(
                f"categorical_features must have an entry for each of the {len(names)} columns; "
                f"got {len(chosen)}."
            )
        return frozenset(np.flatnonzero(chosen).tolist())
    return frozenset(_position(entry, names) for entry in chosen)


def _position(entry: Any, names: Sequence[str]) -> int:
    if isinstance(entry, str):
        if entry not in names:
            raise ArgumentError(
                f"categorical_features must name columns; there is no {entry!r}.{did_you_mean(entry, names)}"
            )
        return names.index(entry)
    if isinstance(entry, int | np.integer) and -len(names) <= entry < len(names):
        return int(entry) % len(names)
    raise _wrong(entry)


def _wrong(got: Any) -> ArgumentError:
    return ArgumentError(
        "categorical_features must be 'from_dtype', None, or names, positions or one boolean for each "
        f"column; got {got!r}."
    )


def _room(column: CategoryColumn) -> int:
    """Places for the codes of a column, a multiple of 16: the folds of a table then share a program."""
    return -(-column.codes // 16) * 16


def embedding_of(encoder: TableEncoder, numeric_embedding: str | None) -> Parallel | None:
    """The maps in front of the network: what they make of numbers, of bins and of codes; None for none."""
    numbers, plain, coded = len(encoder.number_names), len(encoder.plain_names), encoder.coded
    rooms = Counter(column.room for column in encoder.binned)
    periodic = numeric_embedding == "periodic" and numbers > 0
    stretched = (Rescale(),) if numeric_embedding == "piecewise_linear" and 0 not in rooms else ()
    if not (periodic or stretched or rooms or coded):
        return None
    parts: list[tuple[int, tuple[Layer, ...]]] = []
    if numbers:
        parts.append((numbers, (Periodic(*recipes.PERIODIC),) if periodic else stretched))
    if plain:
        parts.append((plain, stretched))
    for room, columns in rooms.items():
        maps = (PiecewiseLinear(room), Rescale(standardize=True)) if room else _WITHOUT_A_ROOM
        parts.append((columns, maps))
    if coded:
        parts.append((len(coded), (Lookup(tuple(map(_room, coded)), recipes.CODE_SIZE),)))
    return Parallel(tuple(parts))

"""All numbers of a derivation: what its sections are made of."""

from dataclasses import dataclass
from typing import Any, final

import numpy as np

from chainrule.explain.maps import AffineMap, Arrays, Local, Map, Station
from chainrule.explain.place import Place
from chainrule.explain.row_loss import RowLoss
from chainrule.explain.terms import BACKWARD, Formula, Number, Partial, Symbol
from chainrule.explain.unrolled import Unrolled


@final
@dataclass(frozen=True)
class Facts:
    """All numbers of one row: what the sections are made of."""

    chain: Unrolled
    arrays: Arrays
    loss: RowLoss
    place: Place
    x: np.ndarray
    y: np.ndarray
    row: int
    top: Symbol
    """What is derived: L, or ℓ of one of several rows, or an output."""
    output: int | None
    values: dict[Station, Any]
    """Jets along the weight, (rows, width)."""
    deltas: dict[Station, np.ndarray]
    """∂top/∂value, (rows, width)."""
    row_loss: float
    full: bool
    names: tuple[str, ...] | None

    def units(self, of: int) -> int:
        """Of how many entries the equations are shown: a few, and no single one is left out."""
        return of if self.full or of <= 5 else 4

    @property
    def width(self) -> int:
        """How many entries of a vector, or terms of a sum, are shown."""
        return 10**9 if self.full else 6

    @property
    def owner(self) -> Map | None:
        """The map of the weight; None for an input."""
        return None if self.place.is_input else self.chain.owner(self.place.array)

    @property
    def start(self) -> Station:
        """Where the weight enters: the target of its map, or x."""
        return self.chain.stations[0] if self.owner is None else self.owner.target

    def local(self) -> Local:
        """How the entries of that station depend on the weight."""
        if self.owner is None:
            return Local([self.place.key[0]], [Number(1.0)], np.ones((len(self.x), 1)))
        inputs = (self.values[source].value for source in self.owner.sources)
        return self.owner.local(self.arrays, self.place.field, self.place.key, *inputs)

    def reached(self) -> dict[Station, np.ndarray]:
        """Which entries of which stations the weight reaches."""
        marks = np.zeros(self.start.width, bool)
        marks[self.local().entries] = True
        return self.chain.reached(self.start, marks)

    def at(self, station: Station) -> np.ndarray:
        """The values of the row."""
        return np.asarray(self.values[station].value[self.row])

    def inputs(self, each: Map) -> list[np.ndarray]:
        """What a map takes of the row."""
        return [self.at(source) for source in each.sources]

    def shown(self, station: Station, marks: np.ndarray) -> np.ndarray:
        """The entries whose equations are shown: those that carry most of the derivative."""
        entries = np.flatnonzero(marks)
        worth = np.abs(self.deltas[station][self.row] * self.values[station].first[self.row])[entries]
        return np.sort(entries[np.argsort(-worth, kind="stable")[: self.units(len(entries))]])

    def delta(self, station: Station, i: int) -> Formula:
        """∂top/∂value of one entry: δ where the station is a z."""
        last = self.chain.stations[-1]
        if self.top.letter != "ŷ" and (station.letter == "z" or station == last):
            layer = station.layer or sum(isinstance(each, AffineMap) for each in self.chain.maps)
            return Symbol("δ", layer, (i + 1,), BACKWARD)
        return Partial(self.top, station.entry(i))

"""A network's chain of maps unrolled into single maps between stations, and both passes over them."""

from collections import Counter
from dataclasses import dataclass, field
from typing import Any, NamedTuple, final

import jax
import jax.numpy as jnp
import numpy as np

from chainrule.explain.elementwise import elementwise
from chainrule.explain.embedding_maps import (
    BinsMap,
    ColumnsMap,
    GatherMap,
    LookupMap,
    RescaleMap,
    WavesMap,
)
from chainrule.explain.maps import (
    ActivateMap,
    AddMap,
    AffineMap,
    Arrays,
    DropoutMap,
    Map,
    NormalizeMap,
    Station,
)
from chainrule.network.embedding_layers import Lookup, Parallel, Periodic, PiecewiseLinear, Rescale
from chainrule.network.layer import Layer
from chainrule.network.layers import Activate, Affine, Dropout, Normalize, Residual
from chainrule.network.network import Network


class Values(NamedTuple):
    """What both passes give at each station; see `Unrolled`."""

    forward: dict[Station, Any]
    backward: dict[Station, Any]


@final
@dataclass(frozen=True)
class Unrolled:
    """Single maps in the order in which they run; the first station is x, the last ŷ."""

    stations: tuple[Station, ...]
    maps: tuple[Map, ...]

    def forward(self, p: Arrays, x: Any) -> dict[Station, Any]:
        """The values at every station, of arrays, jets or symbols."""
        values = {self.stations[0]: x}
        for each in self.maps:
            values[each.target] = each.forward(p, *(values[source] for source in each.sources))
        return values

    def backward(self, p: Arrays, values: dict[Station, Any], delta: Any) -> dict[Station, Any]:
        """∂L/∂value at every station: a station that feeds several maps sums what they carry back."""
        deltas: dict[Station, Any] = {self.stations[-1]: delta}
        for each in reversed(self.maps):
            pulled = each.pull(p, deltas[each.target], *(values[source] for source in each.sources))
            for source, part in zip(each.sources, pulled, strict=True):
                deltas[source] = deltas[source] + part if source in deltas else part
        return deltas

    def owner(self, name: str) -> Map:
        """The map that a parameter belongs to, by the name of its array."""
        return next(each for each in self.maps if name in {f"{f}{each.number}" for f in each.fields})

    def fed_by(self, station: Station) -> list[tuple[Map, int]]:
        """The maps that take a station, and as which of their sources."""
        return [(each, place) for each in self.maps for place, s in enumerate(each.sources) if s == station]

    def reached(self, start: Station, marks: np.ndarray) -> dict[Station, np.ndarray]:
        """Which entries of the later stations depend on the marked ones of this."""
        reached = {start: marks}
        for each in self.maps:
            if each.target not in reached and any(source in reached for source in each.sources):
                none = (np.zeros(source.width, bool) for source in each.sources)
                marked = [reached.get(s, no) for s, no in zip(each.sources, none, strict=True)]
                reached[each.target] = each.reach(*marked)
        return reached


def unrolled(network: Network, rows: int = 1, seed: int | None = None, row: int = 0) -> Unrolled:
    """Unroll a network; with a ``seed``, its dropout is that of the training step of this seed."""
    unrolling = _Unrolling(network, rows, None if seed is None else jnp.uint32(seed), row)
    unrolling.add(network.layers, unrolling.stations[0])
    return Unrolled(tuple(unrolling.stations), tuple(unrolling.maps))


@dataclass
class _Unrolling:
    """The maps found so far, and how many there are of each kind."""

    network: Network
    rows: int
    seed: jax.Array | None
    row: int
    maps: list[Map] = field(default_factory=list)
    numbers: Counter[str] = field(default_factory=Counter)

    def __post_init__(self) -> None:
        self.stations = [Station("x", None, self.network.sizes[0])]
        self.one_sigma = len(set(self.network.activations)) <= 1

    def add(self, layers: tuple[Layer, ...], at: Station, activated: str = "h") -> Station:
        """Unroll a chain that begins at a station; where it ends."""
        for layer in layers:
            at = self._one(layer, at, activated)
        return at

    def _one(self, layer: Layer, at: Station, activated: str) -> Station:
        width = layer.width(at.width)
        match layer:
            case Affine(_, _, bias):
                self.numbers["affine"] += 1
                number = self.numbers["affine"]
                last = number == len(self.network.sizes) - 1
                to = Station("ŷ", None, width) if last else Station("z", number, width)
                return self._put(AffineMap((at,), to, number, bias))
            case Normalize():
                self.numbers["norm"] += 1
                return self._put(
                    NormalizeMap((at,), Station("n", self.numbers["affine"], width), self.numbers["norm"])
                )
            case Activate(activation):
                number = self.numbers["affine"]
                which = None if self.one_sigma else number
                to = Station(activated, number, width)
                return self._put(ActivateMap((at,), to, number, elementwise(activation), which))
            case Dropout(rate):
                kept = None if self.seed is None else np.asarray(layer.kept((self.rows, width), self.seed))
                number = self.numbers["affine"]
                to = Station("d", number, width)
                return self._put(DropoutMap((at,), to, number, rate, kept, self.row))
            case Residual(inside):
                end = self.add(inside, at, "a")
                return self._put(AddMap((at, end), Station("h", self.numbers["affine"], width), 0))
            case Parallel():
                return self._side_by_side(layer, at, width)
        return self._embedding(layer, at, width)

    def _side_by_side(self, layer: Parallel, at: Station, width: int) -> Station:
        ends, start = [], 0
        for columns, layers in layer.parts:
            places = tuple((0, start + j) for j in range(columns))
            part = self._put(GatherMap((at,), Station("x", None, columns, start, part=True), 0, places))
            ends.append(self.add(layers, part))
            start += columns
        places = tuple((k, j) for k, end in enumerate(ends) for j in range(end.width))
        return self._put(GatherMap(tuple(ends), Station("e", None, width), 0, places))

    def _embedding(self, layer: Layer, at: Station, width: int) -> Station:
        if layer.learns:
            self.numbers["embedding"] += 1
        number = self.numbers["embedding"]
        match layer:
            case Lookup(levels, size):
                return self._put(LookupMap((at,), self._between(width), number, levels, size))
            case Rescale():
                return self._put(RescaleMap((at,), self._between(width), number))
            case PiecewiseLinear(bins, size):
                binned = self._put(BinsMap((at,), self._between(at.width * bins), 0, bins))
                if size is None:
                    return binned
                return self._put(ColumnsMap((binned,), self._between(width), number, size, bins))
            case Periodic(frequencies, size):
                waves = self._put(WavesMap((at,), self._between(at.width * frequencies), number, frequencies))
                others = self._put(
                    ColumnsMap((waves,), self._between(at.width * (size - 1)), number, size - 1, frequencies)
                )
                places = tuple(
                    (0, column * (size - 1) + s) if s < size - 1 else (1, column)
                    for column in range(at.width)
                    for s in range(size)
                )
                return self._put(GatherMap((others, at), self._between(width), 0, places))
        raise NotImplementedError(type(layer))  # every layer of the library is above

    def _between(self, width: int) -> Station:
        """A station inside of the embedding."""
        self.numbers["between"] += 1
        return Station("v", self.numbers["between"], width)

    def _put(self, each: Map) -> Station:
        self.maps.append(each)
        self.stations.append(each.target)
        return each.target

"""The maps of embeddings as a textbook says them; see :mod:`chainrule.explain.maps`."""

from collections.abc import Sequence
from dataclasses import dataclass
from math import inf, pi
from typing import Any, final

import numpy as np

from chainrule.explain.jets import Jet, beside
from chainrule.explain.maps import Arrays, Key, Local, Map, Term
from chainrule.explain.terms import (
    Call,
    Comparison,
    Formula,
    Negative,
    Number,
    Product,
    Sum,
    Symbol,
    Words,
)

Row = Sequence[np.ndarray]


@final
@dataclass(frozen=True)
class GatherMap(Map):
    """Columns of one station or several, side by side, in another order."""

    places: tuple[tuple[int, int], ...] = ()
    """For each entry of the target, its source and its place there."""
    why = "the same value under another name"

    @property
    def renames(self) -> bool:
        sources = (self.sources[source].entry(j) for source, j in self.places)
        return all(entry in (self.target.entry(m), None) for m, entry in enumerate(sources))

    def forward(self, p: Arrays, *a: Any) -> Any:
        starts = np.cumsum([0, *(part.shape[1] for part in a)])
        return beside(list(a))[:, [starts[source] + j for source, j in self.places]]

    def pull(self, p: Arrays, delta: Any, *a: Any) -> tuple[Any, ...]:
        pulled = tuple(np.zeros((len(delta), s.width), delta.dtype) for s in self.sources)
        for m, (source, j) in enumerate(self.places):
            pulled[source][:, j] += delta[:, m]
        return pulled

    def statement(self) -> Formula:
        return Call(Words(""), tuple(source.whole for source in self.sources))

    def factor(self, m: int, source: int, j: int) -> Formula:
        return Number(1.0)

    def column(self, p: Arrays, row: Row, source: int, j: int) -> tuple[np.ndarray, np.ndarray]:
        entries = np.array([m for m, place in enumerate(self.places) if place == (source, j)], int)
        return entries, np.ones(len(entries))

    def terms(self, p: Arrays, row: Row, m: int) -> list[Term]:
        source, j = self.places[m]
        a = float(row[source][j])
        return [Term(self.sources[source].entry(j), Number(a), a, (source, j), 1.0)]

    def reach(self, *reached: np.ndarray) -> np.ndarray:
        return np.array([reached[source][j] for source, j in self.places], bool)


@final
@dataclass(frozen=True)
class RescaleMap(Map):
    """stretch · a + offset, each column by itself."""

    why = "through the scaling layer: times the column's stretch"

    @property
    def fields(self) -> tuple[str, ...]:
        return "stretch", "offset"

    def forward(self, p: Arrays, *a: Any) -> Any:
        return a[0] * self._p(p, "stretch") + self._p(p, "offset")

    def pull(self, p: Arrays, delta: Any, *a: Any) -> tuple[Any, ...]:
        return (delta * self._p(p, "stretch"),)

    def statement(self) -> Formula:
        stretched = Product((self._symbol("stretch"), self.sources[0].whole), "⊙")
        return Sum((stretched, self._symbol("offset")))

    def factor(self, m: int, source: int, j: int) -> Formula:
        return self._symbol("stretch", m)

    def column(self, p: Arrays, row: Row, source: int, j: int) -> tuple[np.ndarray, np.ndarray]:
        return np.array([j]), self._p(p, "stretch")[j : j + 1]

    def terms(self, p: Arrays, row: Row, m: int) -> list[Term]:
        stretch, offset, a = (float(v[m]) for v in (self._p(p, "stretch"), self._p(p, "offset"), row[0]))
        symbols = Product((self._symbol("stretch", m), self.sources[0].entry(m)))
        return [
            Term(symbols, Product((Number(stretch), Number(a))), stretch * a, (0, m), stretch),
            Term(self._symbol("offset", m), Number(offset), offset),
        ]

    def local(self, p: Arrays, field: str, key: Key, *a: np.ndarray) -> Local:
        (j,) = key
        if field == "offset":
            return Local([j], [Number(1.0)], np.ones((len(a[0]), 1)))
        return Local([j], [self.sources[0].entry(j)], a[0][:, j : j + 1])


@final
@dataclass(frozen=True)
class BinsMap(Map):
    """How far each number has come through each bin: clip(u − k, 0, 1), open at both ends."""

    bins: int = 1
    linear = False
    why = "through the bins: 1 for the bin in which the number lies, 0 for all others"

    def forward(self, p: Arrays, *a: Any) -> Any:
        k = np.tile(np.arange(self.bins), self.sources[0].width)
        least, most = np.where(k == 0, -inf, 0.0), np.where(k == self.bins - 1, inf, 1.0)
        u = a[0][:, np.repeat(np.arange(self.sources[0].width), self.bins)] - k
        if isinstance(u, Jet):
            inside = np.floor(np.clip(u.value + k, 0, self.bins - 1)) == k
            return Jet(np.clip(u.value, least, most), inside * u.first, inside * u.second)
        return np.clip(u, least, most)

    def pull(self, p: Arrays, delta: Any, *a: Any) -> tuple[Any, ...]:
        columns, rows = self.sources[0].width, len(delta)
        by_bin = delta.reshape(rows, columns, self.bins)
        own = self._own(a[0])[:, :, None]
        return (np.take_along_axis(by_bin, own, axis=2)[:, :, 0],)

    def _own(self, u: np.ndarray) -> np.ndarray:
        return np.clip(np.floor(u), 0, self.bins - 1).astype(int)

    def statement(self) -> Formula:
        return Call(Words("bins"), (self.sources[0].whole,))

    def factor(self, m: int, source: int, j: int) -> Formula:
        u, k = self.sources[0].entry(j), m % self.bins
        if k == 0:
            return Comparison(u, "<", Number(1.0))
        low = Comparison(Number(float(k)), "≤", u)
        return low if k == self.bins - 1 else Comparison(low, "<", Number(k + 1.0))

    def column(self, p: Arrays, row: Row, source: int, j: int) -> tuple[np.ndarray, np.ndarray]:
        return np.array([j * self.bins + int(self._own(row[0][j : j + 1])[0])]), np.ones(1)

    def terms(self, p: Arrays, row: Row, m: int) -> list[Term]:
        j, k = divmod(m, self.bins)
        ends = Number(-inf if k == 0 else 0.0), Number(inf if k == self.bins - 1 else 1.0)
        low, high = (float(end.value) for end in ends)
        u = float(row[0][j])

        def clipped(at: Formula) -> Formula:
            return Call(Words("clip"), (Sum((at, Negative(Number(float(k))))) if k else at, *ends))

        return [
            Term(clipped(self.sources[0].entry(j)), clipped(Number(u)), min(max(u - k, low), high), (0, j))
        ]

    def reach(self, *reached: np.ndarray) -> np.ndarray:
        return np.repeat(reached[0], self.bins)


@final
@dataclass(frozen=True)
class ColumnsMap(Map):
    """V v + c in each column by itself."""

    size: int = 1
    features: int = 1
    why = "through the affine map of the column: weighted by V"

    @property
    def fields(self) -> tuple[str, ...]:
        return "V", "c"

    def _columns(self) -> range:
        return range(self.sources[0].width // self.features)

    def _of(self, v: Any, column: int) -> Any:
        return v[:, column * self.features : (column + 1) * self.features]

    def forward(self, p: Arrays, *a: Any) -> Any:
        V, c = self._p(p, "V"), self._p(p, "c")
        return beside([self._of(a[0], column) @ V[column].T + c[column] for column in self._columns()])

    def pull(self, p: Arrays, delta: Any, *a: Any) -> tuple[Any, ...]:
        V = self._p(p, "V")
        parts = np.split(delta, len(self._columns()), axis=1)
        return (np.concatenate([part @ V[column] for column, part in enumerate(parts)], axis=1),)

    def statement(self) -> Formula:
        return Sum((Product((self._symbol("V"), self.sources[0].whole), ""), self._symbol("c")))

    def factor(self, m: int, source: int, j: int) -> Formula:
        return self._symbol("V", m // self.size, m % self.size, j % self.features)

    def column(self, p: Arrays, row: Row, source: int, j: int) -> tuple[np.ndarray, np.ndarray]:
        column, feature = divmod(j, self.features)
        return column * self.size + np.arange(self.size), self._p(p, "V")[column, :, feature]

    def terms(self, p: Arrays, row: Row, m: int) -> list[Term]:
        column, s = divmod(m, self.size)
        V, c = self._p(p, "V")[column, s], float(self._p(p, "c")[column, s])
        first = column * self.features
        terms = []
        for feature, w in enumerate(map(float, V)):
            a = float(row[0][first + feature])
            symbols = self._symbol("V", column, s, feature), self.sources[0].entry(first + feature)
            numbers = Product((Number(w), Number(a)))
            terms.append(Term(Product(symbols), numbers, w * a, (0, first + feature), w))
        return [*terms, Term(self._symbol("c", column, s), Number(c), c)]

    def local(self, p: Arrays, field: str, key: Key, *a: np.ndarray) -> Local:
        entry = key[0] * self.size + key[1]
        if field == "c":
            return Local([entry], [Number(1.0)], np.ones((len(a[0]), 1)))
        feature = key[0] * self.features + key[2]
        return Local([entry], [self.sources[0].entry(feature)], a[0][:, feature : feature + 1])

    def reach(self, *reached: np.ndarray) -> np.ndarray:
        return np.repeat(reached[0].reshape(-1, self.features).any(axis=1), self.size)


@final
@dataclass(frozen=True)
class WavesMap(Map):
    """cos(2π · frequency · x + phase), several waves for each column."""

    frequencies: int = 1
    linear = False
    why = "through the waves: −sin of the angle, times 2π · frequency"

    @property
    def fields(self) -> tuple[str, ...]:
        return "frequency", "phase"

    def _angle(self, p: Arrays, a: Any) -> Any:
        x = a[:, np.repeat(np.arange(self.sources[0].width), self.frequencies)]
        frequency, phase = (self._flat(self._p(p, field)) for field in self.fields)
        return x * (frequency * (2 * pi)) + phase

    def _flat(self, of_columns: Any) -> Any:
        """The waves of the first column, then those of the second, and so on."""
        columns = np.repeat(np.arange(self.sources[0].width), self.frequencies)
        return of_columns[columns, np.tile(np.arange(self.frequencies), self.sources[0].width)]

    def forward(self, p: Arrays, *a: Any) -> Any:
        angle = self._angle(p, a[0])
        if isinstance(angle, Jet):
            return angle.mapped(np.cos, lambda t: -np.sin(t), lambda t: -np.cos(t))
        return np.cos(angle)

    def pull(self, p: Arrays, delta: Any, *a: Any) -> tuple[Any, ...]:
        rows, columns = a[0].shape
        g = -np.sin(self._angle(p, a[0])) * delta * 2 * pi * self._flat(self._p(p, "frequency"))
        return (g.reshape(rows, columns, self.frequencies).sum(axis=2),)

    def statement(self) -> Formula:
        x = self.sources[0].whole
        turns = Product((Words("2π"), self._symbol("frequency"), x))
        return Call(Words("cos"), (Sum((turns, self._symbol("phase"))),))

    def _turn(self, m: int, x: Formula) -> Formula:
        key = divmod(m, self.frequencies)
        return Sum((Product((Words("2π"), self._symbol("frequency", *key), x)), self._symbol("phase", *key)))

    def factor(self, m: int, source: int, j: int) -> Formula:
        frequency = self._symbol("frequency", *divmod(m, self.frequencies))
        return Product((*self._minus_sine(m), Words("2π"), frequency))

    def _minus_sine(self, m: int) -> tuple[Formula, ...]:
        x = self.sources[0].entry(m // self.frequencies)
        return (Negative(Call(Words("sin"), (self._turn(m, x),))),)

    def column(self, p: Arrays, row: Row, source: int, j: int) -> tuple[np.ndarray, np.ndarray]:
        waves = j * self.frequencies + np.arange(self.frequencies)
        slopes = -np.sin(self._angle(p, row[0][None, :]))[0] * 2 * pi * self._flat(self._p(p, "frequency"))
        return waves, slopes[waves]

    def terms(self, p: Arrays, row: Row, m: int) -> list[Term]:
        column = m // self.frequencies
        angle = float(self._angle(p, row[0][None, :])[0, m])
        symbols = Call(Words("cos"), (self._turn(m, self.sources[0].entry(column)),))
        return [Term(symbols, Call(Words("cos"), (Number(angle),)), float(np.cos(angle)), (0, column))]

    def local(self, p: Arrays, field: str, key: Key, *a: np.ndarray) -> Local:
        column, wave = key
        m = column * self.frequencies + wave
        slope = -np.sin(self._angle(p, a[0]))[:, m : m + 1]
        if field == "phase":
            return Local([m], [Product(self._minus_sine(m))], slope)
        x = a[0][:, column : column + 1]
        factor = Product((*self._minus_sine(m), Words("2π"), self.sources[0].entry(column)))
        return Local([m], [factor], slope * 2 * pi * x)

    def reach(self, *reached: np.ndarray) -> np.ndarray:
        return np.repeat(reached[0], self.frequencies)


@final
@dataclass(frozen=True)
class LookupMap(Map):
    """Each code becomes its row of E."""

    levels: tuple[int, ...] = (1,)
    size: int = 1
    why = "a code names a row of E: by the code itself there is no derivative"

    @property
    def fields(self) -> tuple[str, ...]:
        return ("E",)

    def places(self, codes: Any) -> np.ndarray:
        """The row of E for each code, (rows, columns)."""
        values = codes.value if isinstance(codes, Jet) else np.asarray(codes, np.float64)
        starts = np.cumsum([0, *self.levels[:-1]])
        return (np.clip(values, 0, np.array(self.levels) - 1) + starts).astype(int)

    def forward(self, p: Arrays, *a: Any) -> Any:
        E, places = self._p(p, "E"), self.places(a[0])
        return beside([E[places[:, column]] for column in range(len(self.levels))])

    def pull(self, p: Arrays, delta: Any, *a: Any) -> tuple[Any, ...]:
        return (np.zeros((len(delta), len(self.levels))),)

    def statement(self) -> Formula:
        return Call(Words("rows of"), (self._symbol("E"), self.sources[0].whole))

    def factor(self, m: int, source: int, j: int) -> Formula:
        return Number(0.0)

    def column(self, p: Arrays, row: Row, source: int, j: int) -> tuple[np.ndarray, np.ndarray]:
        return np.arange(self.size) + j * self.size, np.zeros(self.size)

    def terms(self, p: Arrays, row: Row, m: int) -> list[Term]:
        column, s = divmod(m, self.size)
        place = int(self.places(row[0][None, :])[0, column])
        value = float(self._p(p, "E")[place, s])
        return [Term(self._symbol("E", place, s), Number(value), value)]

    def local(self, p: Arrays, field: str, key: Key, *a: np.ndarray) -> Local:
        row, s = key
        named = self.places(a[0]) == row
        entries = [column * self.size + s for column in range(len(self.levels))]
        factors: list[Formula] = [
            Comparison(
                Symbol("code", None, (self.sources[0].offset + column + 1,)), "names", Words(f"row {row + 1}")
            )
            for column in range(len(self.levels))
        ]
        return Local(entries, factors, named.astype(np.float64))

    def reach(self, *reached: np.ndarray) -> np.ndarray:
        return np.zeros(self.target.width, bool)

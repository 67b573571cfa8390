"""Each map of a network as a textbook says it, one entry at a time: what it makes, and what it does to ∂L.

A map takes the values of one station or two and makes those of the next. It says

- ``forward``: its values, of arrays, of jets or of SymPy's symbols;
- ``pull``: ∂L/∂source from ∂L/∂target, all entries at once;
- ``column``: the partial derivatives of all its entries by one entry of a source, in numbers, and
  ``factor`` one of them in symbols;
- ``terms``: one entry in symbols and in numbers;
- ``local``: the partial derivatives of its entries by one of its own parameters.

These are the formulas that a reader is shown, and what they give is compared with the compiled pass.
"""

from abc import ABC, abstractmethod
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, NamedTuple, TypeAlias, final

import numpy as np
import sympy

from chainrule.explain.elementwise import Elementwise
from chainrule.explain.jets import Jet
from chainrule.explain.terms import (
    FORWARD,
    SLOPE,
    WEIGHT,
    Call,
    Formula,
    Fraction,
    Negative,
    Number,
    Product,
    Sum,
    Symbol,
    Words,
    product,
)
from chainrule.mathematics.normalization import EPSILON

Arrays: TypeAlias = Mapping[str, Any]
"""The parameters by name: W1, b1, gain1, …"""
Key: TypeAlias = tuple[int, ...]
"""Which entry of an array, counted from 0."""


@final
@dataclass(frozen=True)
class Station:
    """Values between two maps: zˡ, hˡ, …; a part of the columns of another one begins at an offset."""

    letter: str
    layer: int | None
    width: int
    offset: int = 0
    part: bool = False
    """Whether it has but some of the columns of another one."""

    def entry(self, i: int) -> Symbol:
        """One value, counted from 0 here and from 1 in what is shown."""
        return Symbol(self.letter, self.layer, (self.offset + i + 1,), FORWARD)

    @property
    def whole(self) -> Symbol:
        """All of them; of a part, with the entries that it has."""
        first, last = self.offset + 1, self.offset + self.width
        part: tuple[int | str, ...] = (f"{first}…{last}" if first < last else first,)
        return Symbol(self.letter, self.layer, part if self.part else (), FORWARD)


class Term(NamedTuple):
    """A summand of an entry."""

    symbols: Formula
    numbers: Formula
    value: float
    source: tuple[int, int] | None = None
    """Which entry of which source it depends on; None for a constant."""
    coefficient: float = 0.0
    """What that entry is multiplied by, where the term is such a product."""


class Local(NamedTuple):
    """How entries of a map depend on one of its own parameters."""

    entries: list[int]
    factors: list[Formula]
    values: Any
    """∂entry/∂parameter, (rows, entries)."""


@dataclass(frozen=True)
class Map(ABC):
    """One map between stations."""

    sources: tuple[Station, ...]
    target: Station
    number: int
    """Which of its kind it is, as the names of its parameters count."""

    linear = True
    """Whether each entry is a sum of constants times entries of the source."""
    why = ""
    """In a few words, what it does to a derivative on the way back."""

    @property
    def fields(self) -> tuple[str, ...]:
        """The letters of its parameters."""
        return ()

    @property
    def renames(self) -> bool:
        """Whether its entries are those of its sources, under the same names."""
        return False

    @abstractmethod
    def forward(self, p: Arrays, *a: Any) -> Any:
        """Values of the target."""

    @abstractmethod
    def pull(self, p: Arrays, delta: Any, *a: Any) -> tuple[Any, ...]:
        """∂L/∂source, for each source, from ∂L/∂target."""

    @abstractmethod
    def statement(self) -> Formula:
        """All entries at once."""

    @abstractmethod
    def factor(self, m: int, source: int, j: int) -> Formula:
        """∂target[m] / ∂source[j] in symbols."""

    @abstractmethod
    def column(
        self, p: Arrays, row: Sequence[np.ndarray], source: int, j: int
    ) -> tuple[np.ndarray, np.ndarray]:
        """Which entries of the target depend on source[j], and ∂target/∂source[j] in a row."""

    @abstractmethod
    def terms(self, p: Arrays, row: Sequence[np.ndarray], m: int) -> list[Term]:
        """target[m] of a row, summand by summand."""

    def local(self, p: Arrays, field: str, key: Key, *a: np.ndarray) -> Local:
        """∂target/∂parameter."""
        raise NotImplementedError

    def reach(self, *reached: np.ndarray) -> np.ndarray:
        """Which entries of the target depend on the marked entries of the sources."""
        return np.logical_or.reduce(reached)

    def _p(self, p: Arrays, field: str) -> Any:
        return p[f"{field}{self.number}"]

    def _symbol(self, field: str, *index: int) -> Symbol:
        return Symbol(field, self.number, tuple(i + 1 for i in index), WEIGHT)


@final
@dataclass(frozen=True)
class AffineMap(Map):
    """z = W a + b."""

    bias: bool = True
    why = "through the affine map: everything that the value feeds, weighted by W"

    @property
    def fields(self) -> tuple[str, ...]:
        return ("W", "b") if self.bias else ("W",)

    def forward(self, p: Arrays, *a: Any) -> Any:
        z = a[0] @ self._p(p, "W").T
        return z + self._p(p, "b") if self.bias else z

    def pull(self, p: Arrays, delta: Any, *a: Any) -> tuple[Any, ...]:
        return (delta @ self._p(p, "W"),)

    def statement(self) -> Formula:
        z = Product((self._symbol("W"), self.sources[0].whole), "")
        return Sum((z, self._symbol("b"))) if self.bias else z

    def factor(self, m: int, source: int, j: int) -> Formula:
        return self._symbol("W", m, j)

    def column(
        self, p: Arrays, row: Sequence[np.ndarray], source: int, j: int
    ) -> tuple[np.ndarray, np.ndarray]:
        W = self._p(p, "W")
        return np.arange(len(W)), W[:, j]

    def terms(self, p: Arrays, row: Sequence[np.ndarray], m: int) -> list[Term]:
        w, a = self._p(p, "W")[m], row[0]
        terms = [
            Term(
                Product((self._symbol("W", m, j), self.sources[0].entry(j))),
                Product((Number(float(w[j])), Number(float(a[j])))),
                float(w[j] * a[j]),
                (0, j),
                float(w[j]),
            )
            for j in range(len(a))
        ]
        if self.bias:
            b = float(self._p(p, "b")[m])
            terms.append(Term(self._symbol("b", m), Number(b), b))
        return terms

    def local(self, p: Arrays, field: str, key: Key, *a: np.ndarray) -> Local:
        if field == "b":
            return Local([key[0]], [Number(1.0)], np.ones((len(a[0]), 1)))
        return Local([key[0]], [self.sources[0].entry(key[1])], a[0][:, key[1] : key[1] + 1])

    def reach(self, *reached: np.ndarray) -> np.ndarray:
        return np.full(self.target.width, reached[0].any())


@final
@dataclass(frozen=True)
class ActivateMap(Map):
    """h = σ(z), entry by entry."""

    sigma: Elementwise
    which: int | None
    """The layer, where layers have different activations."""
    linear = False
    why = "through the activation: the slope of σ where z is"

    @property
    def symbol(self) -> Symbol:
        return Symbol("σ", self.which)

    @property
    def slope_symbol(self) -> Symbol:
        return Symbol("σ′", self.which, (), SLOPE)

    def forward(self, p: Arrays, *a: Any) -> Any:
        return self.sigma(a[0])

    def pull(self, p: Arrays, delta: Any, *a: Any) -> tuple[Any, ...]:
        return (delta * self.sigma.slope(a[0]),)

    def statement(self) -> Formula:
        return Call(self.symbol, (self.sources[0].whole,))

    def factor(self, m: int, source: int, j: int) -> Formula:
        return Call(self.slope_symbol, (self.sources[0].entry(j),))

    def column(
        self, p: Arrays, row: Sequence[np.ndarray], source: int, j: int
    ) -> tuple[np.ndarray, np.ndarray]:
        return np.array([j]), self.sigma.slope(row[0][j : j + 1])

    def terms(self, p: Arrays, row: Sequence[np.ndarray], m: int) -> list[Term]:
        z = row[0][m : m + 1]
        at = Number(float(z[0]))
        symbols = Call(self.symbol, (self.sources[0].entry(m),))
        return [Term(symbols, Call(self.symbol, (at,)), float(self.sigma(z)[0]), (0, m))]


@final
@dataclass(frozen=True)
class NormalizeMap(Map):
    """n = gain · (z − mean) / s + shift, with s the spread of the row."""

    linear = False
    why = "through the layer normalisation: what is left of it beside the constant row and the row itself"

    @property
    def fields(self) -> tuple[str, ...]:
        return "gain", "shift"

    def normalized(self, a: Any) -> tuple[Any, Any]:
        """(z − mean) / s and 1 / s."""
        symbolic = not isinstance(a, Jet) and a.dtype == object
        share = sympy.Rational(1, a.shape[1]) if symbolic else 1 / a.shape[1]
        centred = a - a.sum(axis=1, keepdims=True) * share
        inverse = _inverse_root((centred * centred).sum(axis=1, keepdims=True) * share + EPSILON)
        return centred * inverse, inverse

    def forward(self, p: Arrays, *a: Any) -> Any:
        return self.normalized(a[0])[0] * self._p(p, "gain") + self._p(p, "shift")

    def pull(self, p: Arrays, delta: Any, *a: Any) -> tuple[Any, ...]:
        n, inverse = self.normalized(a[0])
        g, share = delta * self._p(p, "gain"), 1 / a[0].shape[1]
        along = (g * n).sum(axis=1, keepdims=True) * share
        return ((g - g.sum(axis=1, keepdims=True) * share - n * along) * inverse,)

    def statement(self) -> Formula:
        fraction = Fraction(Sum((self.sources[0].whole, Negative(Words("mean")))), Symbol("s", self.number))
        return Sum((Product((self._symbol("gain"), fraction), "⊙"), self._symbol("shift")))

    def factor(self, m: int, source: int, j: int) -> Formula:
        width = Number(float(self.target.width))
        same = Number(float(m == j))
        both = Product((self._normal(m), self._normal(j)))
        left = Sum((same, Negative(Fraction(Number(1.0), width)), Negative(Fraction(both, width))))
        return Product((Fraction(self._symbol("gain", m), Symbol("s", self.number)), left))

    def as_function(self, p: Arrays, m: int) -> Formula:
        """One entry as a function of the z of its layer: all of them are in mean and spread."""
        z = self.sources[0]
        mean, spread = Call(Words("mean"), (z.whole,)), Call(Words("spread"), (z.whole,))
        gain, shift = Number(float(self._p(p, "gain")[m])), Number(float(self._p(p, "shift")[m]))
        scaled = product(gain, Fraction(Sum((z.entry(m), Negative(mean))), spread))
        return Sum((scaled, shift)) if shift.value else scaled

    def _normal(self, m: int) -> Formula:
        """((z − mean) / s)[m], a letter of its own."""
        return Symbol("ẑ", self.number, (m + 1,), FORWARD)

    def column(
        self, p: Arrays, row: Sequence[np.ndarray], source: int, j: int
    ) -> tuple[np.ndarray, np.ndarray]:
        n, inverse = (part[0] for part in self.normalized(row[0][None, :]))
        width = len(n)
        same = np.arange(width) == j
        return np.arange(width), self._p(p, "gain") * (same - 1 / width - n * n[j] / width) * inverse

    def terms(self, p: Arrays, row: Sequence[np.ndarray], m: int) -> list[Term]:
        n = float(self.normalized(row[0][None, :])[0][0, m])
        gain, shift = float(self._p(p, "gain")[m]), float(self._p(p, "shift")[m])
        return [
            Term(
                Product((self._symbol("gain", m), self._normal(m))),
                Product((Number(gain), Number(n))),
                gain * n,
                (0, m),
            ),
            Term(self._symbol("shift", m), Number(shift), shift),
        ]

    def local(self, p: Arrays, field: str, key: Key, *a: np.ndarray) -> Local:
        if field == "shift":
            return Local([key[0]], [Number(1.0)], np.ones((len(a[0]), 1)))
        return Local([key[0]], [self._normal(key[0])], self.normalized(a[0])[0][:, key[0] : key[0] + 1])

    def reach(self, *reached: np.ndarray) -> np.ndarray:
        return np.full(self.target.width, reached[0].any())


@final
@dataclass(frozen=True)
class DropoutMap(Map):
    """h = a · kept / (1 − rate); predicting, a itself."""

    rate: float = 0.0
    kept: Any = None
    """(rows, width), 1 where a unit stays; None when predicting."""
    row: int = 0
    """Which row is shown."""

    @property
    def why(self) -> str:  # type: ignore[override]
        if self.kept is None:
            return f"dropout of {self.rate:g} is silent when predicting: its factor is 1"
        return f"dropout: 1 / (1 − {self.rate:g}) where the unit stayed in this step, 0 where it was silent"

    def forward(self, p: Arrays, *a: Any) -> Any:
        return a[0] if self.kept is None else a[0] * self._scale

    def pull(self, p: Arrays, delta: Any, *a: Any) -> tuple[Any, ...]:
        return (delta if self.kept is None else delta * self._scale,)

    @property
    def _scale(self) -> np.ndarray:
        return np.asarray(self.kept, np.float64) / (1 - self.rate)

    def statement(self) -> Formula:
        a = self.sources[0].whole
        return a if self.kept is None else Product((Symbol("mask", self.target.layer), a), "⊙")

    def factor(self, m: int, source: int, j: int) -> Formula:
        return Number(1.0) if self.kept is None else Symbol("mask", self.target.layer, (m + 1,))

    def column(
        self, p: Arrays, row: Sequence[np.ndarray], source: int, j: int
    ) -> tuple[np.ndarray, np.ndarray]:
        return np.array([j]), np.ones(1) if self.kept is None else self._scale[self.row, j : j + 1]

    def terms(self, p: Arrays, row: Sequence[np.ndarray], m: int) -> list[Term]:
        a, (_, scale) = float(row[0][m]), self.column(p, row, 0, m)
        symbols = product(self.factor(m, 0, m), self.sources[0].entry(m))
        return [
            Term(
                symbols,
                Product((Number(float(scale[0])), Number(a))),
                a * float(scale[0]),
                (0, m),
                float(scale[0]),
            )
        ]


@final
@dataclass(frozen=True)
class AddMap(Map):
    """a + f(a): the residual sum."""

    why = "through the residual sum: the derivative also takes the short way, unchanged"

    def forward(self, p: Arrays, *a: Any) -> Any:
        return a[0] + a[1]

    def pull(self, p: Arrays, delta: Any, *a: Any) -> tuple[Any, ...]:
        return delta, delta

    def statement(self) -> Formula:
        return Sum(tuple(source.whole for source in self.sources))

    def factor(self, m: int, source: int, j: int) -> Formula:
        return Number(1.0)

    def column(
        self, p: Arrays, row: Sequence[np.ndarray], source: int, j: int
    ) -> tuple[np.ndarray, np.ndarray]:
        return np.array([j]), np.ones(1)

    def terms(self, p: Arrays, row: Sequence[np.ndarray], m: int) -> list[Term]:
        return [
            Term(source.entry(m), Number(float(a[m])), float(a[m]), (place, m), 1.0)
            for place, (source, a) in enumerate(zip(self.sources, row, strict=True))
        ]


def _inverse_root(v: Any) -> Any:
    """1 / √v."""
    if isinstance(v, Jet):
        return v.mapped(lambda u: u**-0.5, lambda u: -(u**-1.5) / 2, lambda u: 0.75 * u**-2.5)
    if v.dtype == object:
        return np.frompyfunc(lambda u: 1 / sympy.sqrt(u), 1, 1)(v)
    return v**-0.5

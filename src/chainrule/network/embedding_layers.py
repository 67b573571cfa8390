"""Embeddings: layers that turn each column of x into several, and the layer that puts them side by side."""

from collections.abc import Iterator
from dataclasses import dataclass
from itertools import accumulate
from typing import final

import jax
import jax.numpy as jnp
from jax import Array
from jaxtyping import Float, Key

from chainrule.errors import ArgumentError
from chainrule.mathematics import columnwise, lookup, periodic, piecewise_linear, rescaling
from chainrule.mathematics.initializers import lecun_uniform
from chainrule.mathematics.named import quoted
from chainrule.network import propagation
from chainrule.network.layer import Delta, Layer, Rows, Seed
from chainrule.network.parameters import Entry, Parameters, Pieces, Stretches, Table, Waves

_MOST_LEVELS = 2**24  # every whole number up to here is a float32
_ROWS = 64  # the rows of a table are a multiple, so that a level more or less is the same shape
_SPREAD = 0.01


@final
@dataclass(frozen=True)
class Lookup(Layer):
    """Each code becomes a learnt vector, its row of E. Source: arXiv:1604.06737.

    Column j has codes from 0 to levels[j] − 1, and code 0 stands for what was never seen. All columns
    share one table, in which each has rows of its own. Another number of levels is another program.
    """

    levels: tuple[int, ...]
    size: int = 8

    def __post_init__(self) -> None:
        _refuse_but_whole("size of a Lookup", self.size)
        fits = isinstance(self.levels, tuple) and self.levels and all(map(_is_whole, self.levels))
        if not (fits and sum(self.levels) <= _MOST_LEVELS):
            raise ArgumentError(
                "levels of a Lookup must be a tuple of whole numbers of at least 1, one for each column, "
                f"2²⁴ in all at most; got {quoted(self.levels)}."
            )

    @property
    def learns(self) -> bool:
        """E."""
        return True

    @property
    def offsets(self) -> tuple[int, ...]:
        """The row of E at which each column begins."""
        return (0, *accumulate(self.levels[:-1]))

    def width(self, inputs: int) -> int:
        """As many vectors as columns."""
        if inputs != len(self.levels):
            raise ArgumentError(
                f"a Lookup must have the levels of each of its {inputs} columns; got those of "
                f"{len(self.levels)}."
            )
        return inputs * self.size

    def initialize(self, key: Key[Array, ""], inputs: int) -> Table:
        """E ~ N(0, 0.01²), and 0 for each code 0 and for the rows that no column has.

        All levels begin beside the level that was never seen, and a rare one, which few steps move, stays
        there: with hundreds of levels the error on new rows was a quarter below that of E ~ N(0, 1).
        Source: arXiv:1711.09160.
        """
        used = sum(self.levels)
        E = _SPREAD * jax.random.normal(key, (-(-used // _ROWS) * _ROWS, self.size))
        return Table(E.at[jnp.array(self.offsets)].set(0).at[used:].set(0))

    def forward(self, p: Table, a: Rows, seed: Seed = None) -> Delta:
        """See :mod:`chainrule.mathematics.lookup`."""
        return lookup.forward(p.E, self._places(a))

    def backward(self, p: Table, a: Rows, delta: Delta, seed: Seed = None) -> tuple[Table, Rows]:
        """∂L/∂E; by the codes there is no derivative, and it is 0."""
        dE, da = lookup.backward(p.E, self._places(a), delta)
        return Table(dE), da

    def _places(self, a: Rows) -> Rows:
        """The rows of E; a code outside its column's levels takes the nearest of them."""
        last = jnp.array([levels - 1 for levels in self.levels], a.dtype)
        return jnp.clip(a, 0, last[None, :]) + jnp.array(self.offsets, a.dtype)[None, :]


@final
@dataclass(frozen=True)
class Periodic(Layer):
    """Each x becomes (V cos(2π · frequency · x + phase) + c, x). Source: arXiv:2407.04491, "PBLD"."""

    frequencies: int = 16
    size: int = 4
    spread: float = 0.1

    def __post_init__(self) -> None:
        _refuse_but_whole("frequencies of a Periodic", self.frequencies)
        _refuse_but_whole("size of a Periodic", self.size, 2)
        if not (isinstance(self.spread, int | float) and 0 < self.spread < float("inf")):
            raise ArgumentError(f"spread of a Periodic must be a number above 0; got {quoted(self.spread)}.")

    @property
    def learns(self) -> bool:
        """Frequencies, phases, V and c."""
        return True

    def width(self, inputs: int) -> int:
        """``size`` for each column, the column itself among them."""
        return inputs * self.size

    def initialize(self, key: Key[Array, ""], inputs: int) -> Waves:
        """Frequencies from N(0, spread²), phases from U(±π), V by LeCun, c at zero."""
        of_frequency, of_phase, of_V = jax.random.split(key, 3)
        shape = inputs, self.frequencies
        return Waves(
            self.spread * jax.random.normal(of_frequency, shape),
            jax.random.uniform(of_phase, shape, minval=-jnp.pi, maxval=jnp.pi),
            *_affine_of_each_column(of_V, inputs, self.size - 1, self.frequencies),
        )

    def forward(self, p: Waves, a: Rows, seed: Seed = None) -> Delta:
        """(V v + c, a), where v are the waves of a."""
        v = periodic.forward(p.frequency, p.phase, a)
        return _to_rows(jnp.concatenate([columnwise.forward(p.V, p.c, v), a.T[:, None, :]], axis=1))

    def backward(self, p: Waves, a: Rows, delta: Delta, seed: Seed = None) -> tuple[Waves, Rows]:
        """Through the affine maps, then through the waves; ∂L/∂a also has the delta of a itself."""
        v = periodic.forward(p.frequency, p.phase, a)
        by_column = _to_columns(delta, self.size)
        dV, dc, dv = columnwise.backward(p.V, v, by_column[:, :-1])
        dfrequency, dphase, da = periodic.backward(p.frequency, p.phase, a, dv)
        return Waves(dfrequency, dphase, dV, dc), da + by_column[:, -1].T


@final
@dataclass(frozen=True)
class PiecewiseLinear(Layer):
    """Each u, measured in bins, becomes V v + c, where vₖ is how far u has come through bin k.

    Without ``size`` it becomes v itself, and nothing is learnt. Source: arXiv:2203.05556, equations 1, 2.
    """

    bins: int
    size: int | None = None

    def __post_init__(self) -> None:
        _refuse_but_whole("bins of a PiecewiseLinear", self.bins)
        if self.size is not None:
            _refuse_but_whole("size of a PiecewiseLinear", self.size)

    @property
    def learns(self) -> bool:
        """V and c, where there is a size."""
        return self.size is not None

    def width(self, inputs: int) -> int:
        """``size`` for each column, or else ``bins``."""
        return inputs * (self.size or self.bins)

    def initialize(self, key: Key[Array, ""], inputs: int) -> Pieces:
        """V by LeCun, c at zero."""
        return Pieces(*_affine_of_each_column(key, inputs, self.size or 0, self.bins))

    def forward(self, p: Pieces | None, a: Rows, seed: Seed = None) -> Delta:
        """V v + c, or v."""
        v = piecewise_linear.forward(self.bins, a)
        return _to_rows(v if p is None else columnwise.forward(p.V, p.c, v))

    def backward(
        self, p: Pieces | None, a: Rows, delta: Delta, seed: Seed = None
    ) -> tuple[Pieces | None, Rows]:
        """Through the affine maps, where there are some, then through the bins."""
        by_column = _to_columns(delta, self.width(1))
        if p is None:
            return None, piecewise_linear.backward(self.bins, a, by_column)
        dV, dc, dv = columnwise.backward(p.V, piecewise_linear.forward(self.bins, a), by_column)
        return Pieces(dV, dc), piecewise_linear.backward(self.bins, a, dv)


@final
@dataclass(frozen=True)
class Rescale(Layer):
    """Each column by itself becomes stretch · a + offset. Source: arXiv:2407.04491, the scaling layer.

    With ``standardize`` it begins by giving typical rows mean 0 and spread 1, else by changing nothing.
    """

    standardize: bool = False

    def __post_init__(self) -> None:
        if not isinstance(self.standardize, bool):
            raise ArgumentError(
                f"standardize of a Rescale must be True or False; got {quoted(self.standardize)}."
            )

    @property
    def learns(self) -> bool:
        """Stretch and offset."""
        return True

    def width(self, inputs: int) -> int:
        """Unchanged."""
        return inputs

    @property
    def adapts(self) -> bool:
        """As asked for."""
        return self.standardize

    def initialize(self, key: Key[Array, ""], inputs: int) -> Stretches:
        """Stretch 1 and offset 0."""
        return Stretches(jnp.ones(inputs), jnp.zeros(inputs))

    def begun(self, p: Stretches, a: Rows) -> Stretches:
        """See :func:`chainrule.mathematics.rescaling.standardizing`."""
        return Stretches(*rescaling.standardizing(a)) if self.standardize else p

    def forward(self, p: Stretches, a: Rows, seed: Seed = None) -> Rows:
        """See :mod:`chainrule.mathematics.rescaling`."""
        return rescaling.forward(p.stretch, p.offset, a)

    def backward(self, p: Stretches, a: Rows, delta: Rows, seed: Seed = None) -> tuple[Stretches, Rows]:
        """∂L/∂stretch, ∂L/∂offset and ∂L/∂a."""
        dstretch, doffset, da = rescaling.backward(p.stretch, a, delta)
        return Stretches(dstretch, doffset), da


@final
@dataclass(frozen=True)
class Parallel(Layer):
    """Chains of maps side by side, each on the given number of adjacent columns; () hands them on."""

    parts: tuple[tuple[int, tuple[Layer, ...]], ...]

    def __post_init__(self) -> None:
        for columns, _ in self.parts:
            _refuse_but_whole("columns of a part", columns)

    @property
    def learns(self) -> bool:
        """What the maps of the parts learn."""
        return any(layer.learns for _, layers in self.parts for layer in layers)

    @property
    def adapts(self) -> bool:
        """Whether one of the maps does."""
        return any(layer.adapts for _, layers in self.parts for layer in layers)

    def width(self, inputs: int) -> int:
        """The widths of the parts, which must have all the columns among them."""
        widths = [columns for columns, _ in self.parts]
        if sum(widths) != inputs:
            raise ArgumentError(
                f"the parts of an embedding must have the {inputs} columns of x among them; they have "
                f"{quoted(widths)}, which is {sum(widths)}."
            )
        return sum(propagation.width(layers, columns) for columns, layers in self.parts)

    def initialize(self, key: Key[Array, ""], inputs: int) -> Parameters:
        """As the maps of the parts, one part after the other."""
        keys = jax.random.split(key, len(self.parts))
        drawn = (
            propagation.initialize(layers, own, columns)
            for (columns, layers), own in zip(self.parts, keys, strict=True)
        )
        return tuple(entry for part in drawn for entry in part)

    def begun(self, p: Parameters | None, a: Rows) -> Parameters:
        """As the maps of the parts, each on its columns."""
        parts = [propagation.begun(layers, own, columns) for layers, own, columns in self._parts(p, a)]
        return tuple(entry for part in parts for entry in part)

    def forward(self, p: Parameters | None, a: Rows, seed: Seed = None) -> Delta:
        """What each chain makes of its columns, side by side."""
        outputs = [
            propagation.forward(layers, own, columns, seed)[-1] for layers, own, columns in self._parts(p, a)
        ]
        return jnp.concatenate(outputs, axis=1)

    def backward(
        self, p: Parameters | None, a: Rows, delta: Delta, seed: Seed = None
    ) -> tuple[Parameters, Rows]:
        """Each chain carries its share of delta back to its columns."""
        gradients: list[Entry | Parameters] = []
        da, start = [], 0
        for layers, own, columns in self._parts(p, a):
            values = propagation.forward(layers, own, columns, seed)
            end = start + values[-1].shape[1]
            gradient, deltas = propagation.backward(layers, own, values, delta[:, start:end], seed)
            gradients.extend(gradient)
            da.append(deltas[0])
            start = end
        return tuple(gradients), jnp.concatenate(da, axis=1)

    def with_parameters(self, p: Parameters | None) -> Iterator[tuple[int, tuple[Layer, ...], Parameters]]:
        """How many columns each part has, its maps, and their parameters."""
        start = 0
        for columns, layers in self.parts:
            end = start + sum(layer.learns for layer in layers)
            yield columns, layers, (p or ())[start:end]
            start = end

    def _parts(self, p: Parameters | None, a: Rows) -> Iterator[tuple[tuple[Layer, ...], Parameters, Array]]:
        """The maps of each part, their parameters, and its columns."""
        start = 0
        for columns, layers, own in self.with_parameters(p):
            yield layers, own, a[:, start : start + columns]
            start += columns


def _affine_of_each_column(
    key: Key[Array, ""], columns: int, size: int, features: int
) -> tuple[Float[Array, "columns size features"], Float[Array, "columns size"]]:
    """V and c as they begin."""
    V = lecun_uniform.draw(key, columns * size, features).reshape(columns, size, features)
    return V, jnp.zeros((columns, size), V.dtype)


def _to_rows(z: Float[Array, "columns size rows"]) -> Float[Array, "rows columns*size"]:
    columns, size, rows = z.shape
    return z.transpose(2, 0, 1).reshape(rows, columns * size)


def _to_columns(delta: Float[Array, "rows outputs"], size: int) -> Float[Array, "columns size rows"]:
    rows, outputs = delta.shape
    return delta.reshape(rows, outputs // size, size).transpose(1, 2, 0)


def _is_whole(number: object, least: int = 1) -> bool:
    return isinstance(number, int) and not isinstance(number, bool) and number >= least


def _refuse_but_whole(what: str, number: object, least: int = 1) -> None:
    if not _is_whole(number, least):
        raise ArgumentError(f"{what} must be a whole number of at least {least}; got {quoted(number)}.")

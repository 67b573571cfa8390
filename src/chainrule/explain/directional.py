"""The derivative of the loss along a direction of all weights, and the loss down the negative gradient."""

from collections.abc import Mapping
from numbers import Real
from typing import Any

import jax
import numpy as np
from jax.typing import ArrayLike

from chainrule.errors import ArgumentError
from chainrule.explain.asked import Asked
from chainrule.explain.derivation import Derivation, agreement
from chainrule.explain.jets import Jet
from chainrule.explain.maps import Station
from chainrule.explain.row_loss import row_loss
from chainrule.explain.terms import (
    BACKWARD,
    DOT,
    FORWARD,
    SLOPE,
    WEIGHT,
    Call,
    Curve,
    Equation,
    Formula,
    Line,
    Number,
    Paragraph,
    Partial,
    Product,
    Section,
    Sum,
    Symbol,
    Table,
    Total,
    Words,
)
from chainrule.explain.text import number
from chainrule.explain.witness import Direction, along_line, witnesses
from chainrule.mathematics.named import quoted
from chainrule.network.network import Network
from chainrule.network.parameters import Parameters, named

_POINTS = 61


@np.errstate(all="ignore")  # what overflows is shown as such
def directional(
    network: Network,
    parameters: Parameters,
    x: ArrayLike,
    y: ArrayLike,
    direction: Parameters | Mapping[str, float] | str = "gradient",
    *,
    sample_weight: ArrayLike | None = None,
    seed: int | None = None,
) -> Derivation:
    """Derive the loss along a direction of the weights: D_v L = ⟨∇L, v⟩.

    Parameters
    ----------
    network, parameters, x, y, sample_weight, seed
        As for :func:`chainrule.derive`.
    direction
        Parameters of the same shapes; or entries that move, such as {"W1[2,1]": 1.0, "b2[1]": -0.5}, and all
        others rest; or "gradient": uphill, along ∇L itself.

    Raises
    ------
    ArgumentError
        For a direction that does not fit the network, or is 0.

    Examples
    --------
    >>> network = Network((2, 3, 1), activation="tanh")
    >>> d = directional(network, network.initialize(0), [1.0, -2.0], [0.5], {"W1[2,1]": 1.0})
    >>> abs(d.derived - d.compiled) < 1e-12
    True
    """
    asked = Asked(network, parameters, x, y, sample_weight, "L", 1, seed)
    nothing = Direction(jax.tree.map(np.zeros_like, asked.parameters), np.zeros(asked.x.shape))
    gradients = witnesses(asked.subject, nothing).gradients
    v = Direction(_found(asked, direction, gradients), nothing.x)
    values = _jets(asked, v)
    by_row, derived = _derived(asked, values, v)
    seen = witnesses(asked.subject, v)
    top: Formula = Symbol("L", role=BACKWARD)
    by = Symbol("v", role=WEIGHT)
    sections = (
        _of_the_direction(v),
        _forwards(asked, values, by_row, derived),
        _inner_product(gradients, v),
        agreement(Partial(top, by), derived, seen.compiled, seen.difference, 1),
        _downhill(asked, gradients, seen.value),
    )
    facts = asked.about() | {"of": "L", "weight": "direction"}
    return Derivation(
        f"The derivative of a network of {'-'.join(map(str, network.sizes))} along a direction",
        top, by, 1, derived, seen.compiled, seen.difference, sections, facts,
    )  # fmt: skip


def _found(asked: Asked, direction: Any, gradients: Parameters) -> Parameters:
    """The direction as parameters in float64."""
    if isinstance(direction, str):
        if direction != "gradient":
            raise ArgumentError(
                "direction must be 'gradient', entries such as {'W1[2,1]': 1.0}, or parameters; "
                f"got {quoted(direction)}."
            )
        found = gradients
    elif isinstance(direction, Mapping):
        found = jax.tree.map(np.zeros_like, asked.parameters)
        arrays = dict(named(found))
        for text, move in direction.items():
            place = asked.place(text)
            if place.is_input:
                raise ArgumentError(f"a direction must be of weights; got the input {text!r}.")
            if not isinstance(move, Real):
                raise ArgumentError(f"a direction must move entries by numbers; got {move!r} for {text!r}.")
            arrays[place.array][place.key] = float(move)
    else:
        if not asked.network.fits(direction):
            raise ArgumentError("a direction must have the shapes of the network's parameters.")
        found = jax.tree.map(lambda leaf: np.asarray(leaf, np.float64), direction)
    sizes = [float(np.abs(leaf).max(initial=0)) for leaf in jax.tree.leaves(found)]
    if not np.isfinite(sizes).all() or not max(sizes):
        raise ArgumentError("a direction must be finite, and not 0 everywhere; got one that is.")
    return found


def _jets(asked: Asked, v: Direction) -> dict[Station, Jet]:
    moves = dict(named(v.parameters))
    arrays = {name: Jet.of(array, np.asarray(moves[name])) for name, array in asked.arrays.items()}
    return {s: Jet.of(value) for s, value in asked.chain.forward(arrays, Jet.of(asked.x)).items()}


def _derived(asked: Asked, values: dict[Station, Jet], v: Direction) -> tuple[np.ndarray, float]:
    """∂ℓ/∂ŷ · ŷ̇ of each row, and what they are in the mean, with the penalties."""
    last = values[asked.chain.stations[-1]]
    slopes = row_loss(asked.network.loss).gradient(last.value, asked.smooth)
    by_row = np.asarray((slopes * last.first).sum(axis=1))
    network = asked.network
    penalty = sum(
        float(
            (
                np.asarray(move)
                * (network.l1 * np.sign(asked.arrays[name]) + network.l2 * asked.arrays[name])
            ).sum()
        )
        for name, move in named(v.parameters)
        if name.startswith("W")
    )
    return by_row, asked.mean(by_row) + penalty


def _of_the_direction(v: Direction) -> Section:
    """How far each array moves."""
    rows = tuple(
        (
            Words(name),
            Number(float(np.size(move))),
            Number(float(np.count_nonzero(move))),
            Number(float(np.linalg.norm(move))),
        )
        for name, move in named(v.parameters)
    )
    head = tuple(map(Words, ("array", "entries", "that move", "length of its part")))
    return Section(
        "The direction v",
        (Paragraph("Every weight w moves as w + t·v; t = 0 is where the network is."), Table(head, rows)),
    )


def _forwards(asked: Asked, values: dict[Station, Jet], by_row: np.ndarray, derived: float) -> Section:
    """The chain rule run forward: each value's velocity."""

    def dot(letter: str, layer: str = "ℓ", role: str = FORWARD) -> Symbol:
        return Symbol(letter + DOT, layer, (), role)

    W, h = Symbol("W", "ℓ", (), WEIGHT), Symbol("h", "ℓ−1", (), FORWARD)
    moving = Sum(
        (
            Product((dot("W", role=WEIGHT), h), ""),
            Product((W, dot("h", "ℓ−1")), ""),
            dot("b", role=WEIGHT),
        )
    )
    slope = Call(Symbol("σ′", role=SLOPE), (Symbol("z", "ℓ", (), FORWARD),))
    y_hat, dot_y = Symbol("ŷ", None, ("k",), FORWARD), Symbol("ŷ" + DOT, None, ("k",), FORWARD)
    lines: list[Line] = [
        Paragraph(
            "A dot is the derivative by t. The weights' is the direction; x rests; from there, forward:"
        ),
        Equation((dot("z"), moving), "a product moves by both its factors"),
        Equation((dot("h"), Product((slope, dot("z")), "⊙")), "the slope of σ"),
        Equation(
            (Symbol("ℓ" + DOT), Total("k", Product((Partial(Symbol("ℓ"), y_hat), dot_y)))), "at the loss"
        ),
    ]
    rows = tuple(
        (
            station.whole,
            Number(float(np.linalg.norm(jet.value[0]))),
            Number(float(np.linalg.norm(jet.first[0]))),
        )
        for station, jet in values.items()
        if station.letter in ("x", "z", "h", "ŷ", "e") and station.offset == 0
    )
    lines.append(Table((Words("of row 1"), Words("length"), Words("length of its velocity")), rows))
    shown = ", ".join(number(float(value)) for value in by_row[:6])
    more = f", … of {len(by_row):,} rows" if len(by_row) > 6 else ""
    said = (
        f"Row by row the loss moves by {shown}{more}; in the mean, penalties included, by {number(derived)}."
    )
    lines.append(Paragraph(said))
    return Section("Forward: how every value moves", tuple(lines))


def _inner_product(gradients: Parameters, v: Direction) -> Section:
    """The same as ⟨∇L, v⟩, array by array."""
    parts = [
        (name, float(np.vdot(gradient, move)))
        for (name, gradient), (_, move) in zip(named(gradients), named(v.parameters), strict=True)
    ]
    rows = tuple((Words(name), Number(part)) for name, part in parts)
    together = (Words("together"), Number(sum(part for _, part in parts)))
    return Section(
        "Backward: the same as an inner product",
        (
            Paragraph(
                "One backward pass gives ∇L, and with it the derivative along every direction: ⟨∇L, v⟩."
            ),
            Table((Words("array"), Words("⟨∂L/∂array, v⟩")), (*rows, together)),
        ),
    )


def _downhill(asked: Asked, gradients: Parameters, value: float) -> Section:
    """The loss along the negative gradient, beside what the derivative promises."""
    down = Direction(jax.tree.map(np.negative, gradients), np.zeros(asked.x.shape))
    squared = sum(float(np.vdot(leaf, leaf)) for leaf in jax.tree.leaves(gradients))
    if not squared:
        return Section("Down the gradient", (Paragraph("The gradient is 0: no direction is downhill."),))
    seen = witnesses(asked.subject, down)
    bend = seen.compiled_second
    far = 2 * squared / bend if bend > 0 else 2 * abs(value or 1.0) / squared
    t = np.linspace(0, far, _POINTS)
    losses = along_line(asked.subject, down, t)
    best = int(np.argmin(losses))
    curve = Curve("L(w − t ∇L)", "t", "L", tuple(t.tolist()), tuple(losses.tolist()), -squared)
    return Section(
        "Down the gradient",
        (
            Paragraph(
                f"At t = 0 the loss is {number(value)} and falls by |∇L|² = {number(squared)} for each unit "
                f"of t. It is least at about t = {number(float(t[best]))}: {number(float(losses[best]))}. "
                "Beyond, the step is too long."
            ),
            curve,
        ),
    )

"""∂L/∂w of a network, derived with every step in sight, and beside it what the compiled pass gives."""

from dataclasses import dataclass, field
from typing import Any, final

import numpy as np
from jax.typing import ArrayLike

from chainrule.errors import ArgumentError
from chainrule.explain import second
from chainrule.explain.asked import Asked
from chainrule.explain.chain_rule import chain_rule, compact, same_at_every_layer
from chainrule.explain.facts import Facts
from chainrule.explain.forward_story import forward
from chainrule.explain.function_of_weight import function_of_weight
from chainrule.explain.place import Place
from chainrule.explain.step import Stepping, step_section
from chainrule.explain.terms import (
    BACKWARD,
    Equation,
    Formula,
    Fraction,
    Line,
    Number,
    Paragraph,
    Partial,
    Product,
    Section,
    Symbol,
    Table,
    Total,
    Words,
)
from chainrule.explain.text import number, plain
from chainrule.explain.witness import Witnesses, witnesses
from chainrule.mathematics.named import quoted
from chainrule.network.network import Network
from chainrule.network.parameters import Parameters, named


@final
@dataclass(frozen=True)
class Derivation:
    """A derivative with all its steps; printed, it is text, in a notebook a page.

    ``derived`` is the number that the steps arrive at, ``compiled`` what the compiled backward pass gives,
    and ``finite_difference`` the difference quotient of the compiled forward pass, all in float64.
    """

    title: str
    of: Formula
    by: Formula
    order: int
    derived: float
    compiled: float
    finite_difference: float
    sections: tuple[Section, ...]
    facts: dict[str, Any] = field(default_factory=dict)
    """What was derived, in plain values, for programs."""

    @property
    def symbol(self) -> Formula:
        """∂L/∂w."""
        return Partial(self.of, self.by, self.order)

    def text(self, width: int = 100) -> str:
        """As Unicode text, at most this wide."""
        from chainrule.explain.terminal import text_page

        return text_page(self, width, legend=False).plain

    def latex(self) -> str:
        """A whole LaTeX document."""
        from chainrule.explain.documents import latex_page

        return latex_page(self)

    def html(self) -> str:
        """A page that needs nothing but a browser; its formulas are MathML."""
        from chainrule.explain.documents import html_page

        return html_page(self)

    def json(self) -> dict[str, Any]:
        """Plain values: derived, compiled, finite_difference, and every step as text and as LaTeX."""
        from chainrule.explain.documents import json_page

        return json_page(self)

    def __str__(self) -> str:
        return self.text()

    def _repr_html_(self) -> str:
        from chainrule.explain.documents import html_fragment

        return html_fragment(self)


@np.errstate(all="ignore")  # what overflows is shown as such
def derive(
    network: Network,
    parameters: Parameters,
    x: ArrayLike,
    y: ArrayLike,
    weight: str,
    *,
    of: str = "L",
    row: int = 1,
    sample_weight: ArrayLike | None = None,
    order: int = 1,
    seed: int | None = None,
    optimizer: str = "sgd",
    learning_rate: float | None = None,
    steps: int = 1,
    full: bool = False,
    names: tuple[str, ...] | None = None,
) -> Derivation:
    """Derive ∂L/∂w for one weight, bias, other parameter or input, with every step and its numbers.

    Parameters
    ----------
    network, parameters
        A network and its parameters, as ``initialize`` or ``train`` gives them.
    x, y
        Rows: x of shape (rows, m), y of shape (rows, targets), as for ``network.backward``. A single row may
        be of shape (m,) and (targets,).
    weight
        An entry of an array, counted from 1 as in the formulas: "W1[2,1]" carries input 1 to unit 2;
        "b1[2]", "gain1[2]", "E1[3,2]"; "x[3]" for an input.
    of
        What is derived: "L", the loss, or "y_hat[2]", an output of the row.
    row
        Which row is shown step by step, counted from 1; L is the mean over all of them.
    sample_weight
        What each row counts, shape (rows,).
    order
        2 for the second derivative.
    seed
        Of a training step: its dropout is then part of the derivation. None: nothing is dropped.
    optimizer, learning_rate, steps
        The steps on that weight that end the story: "sgd", "momentum", "nesterov", "adam", …
    full
        Whether long sums are written out.
    names
        What the inputs are, one name for each column of x.

    Raises
    ------
    ArgumentError
        For a weight that the network does not have, rows that do not fit, an option that is none.

    Examples
    --------
    >>> import numpy as np
    >>> network = Network((2, 3, 1), activation="tanh")
    >>> parameters = network.initialize(seed=0)
    >>> d = derive(network, parameters, np.array([1.0, -2.0]), np.array([0.5]), "W1[2,1]")
    >>> abs(d.derived - d.compiled) < 1e-12
    True
    """
    if order not in (1, 2):
        raise ArgumentError(f"order must be 1 or 2; got {quoted(order)}.")
    asked = Asked(network, parameters, x, y, sample_weight, of, row, seed)
    if names is not None and len(names) != network.sizes[0]:
        raise ArgumentError(f"names must be {network.sizes[0]}, one for each input; got {len(names)}.")
    place = asked.place(weight)
    direction = asked.direction(place)
    seen = witnesses(asked.subject, direction)
    facts = asked.facts(place, float(seen.losses[asked.row]), full, names)
    by_row = _by_row(facts)
    penalty = asked.penalty(place, 1)
    derived = asked.mean(by_row) + penalty
    compiled, difference = seen.compiled, seen.difference
    sections = [forward(facts), function_of_weight(facts), chain_rule(facts)]
    same = same_at_every_layer(facts)
    if same is not None:
        sections.append(same)
    sections.append(compact(facts, _array_of(seen, place)))
    top: Formula = asked.top
    if asked.output is None and not asked.single:
        sections.append(_all_rows(asked, facts, by_row, penalty))
        top = Symbol("L", role=BACKWARD)
    if order == 2:
        section, by_row = second.section(facts)
        sections.append(section)
        derived = asked.mean(by_row) + asked.penalty(place, 2)
        compiled, difference = seen.compiled_second, seen.second_difference
    sections.append(agreement(Partial(top, place.symbol, order), derived, compiled, difference, order))
    if asked.output is None and order == 1 and not place.is_input:
        stepping = Stepping(asked.subject, direction, place.symbol, asked.value_of(place))
        sections.append(step_section(stepping, optimizer, learning_rate, steps))
    return Derivation(
        f"The derivative of a network of {'-'.join(map(str, network.sizes))}",
        top,
        place.symbol,
        order,
        derived,
        compiled,
        difference,
        tuple(sections),
        asked.about() | {"of": of, "weight": plain(place.symbol)},
    )


def _all_rows(asked: Asked, facts: Facts, by_row: np.ndarray, penalty: float) -> Section:
    """From one row to the batch, and the penalties."""
    symbol, n = facts.place.symbol, len(by_row)
    shown = n if facts.full else min(n, 8)
    head = Words("row"), Words("counts"), Partial(Symbol("ℓ"), symbol)
    rows = tuple(
        (Number(r + 1.0), Number(float(asked.weight[r])), Number(float(by_row[r]))) for r in range(shown)
    )
    lines: list[Line] = [
        Paragraph("The loss of a batch is the mean over its rows, by what they count; so is its derivative."),
        Table(head, rows),
    ]
    if n > shown:
        rest = number(float(by_row[shown:].mean()))
        lines.append(Paragraph(f"… and {n - shown:,} more rows, of which it is {rest} in the mean."))
    counts, own = Symbol("c", None, ("r",)), Partial(Symbol("ℓ", None, ("r",)), symbol)
    mean = Fraction(Total("r", Product((counts, own))), Total("r", counts))
    by = Partial(Symbol("L", role=BACKWARD), symbol)
    lines.append(Equation((by, mean, Number(asked.mean(by_row))), "the mean over the rows"))
    network = asked.network
    if network.l1 or network.l2:
        what = (
            f"The penalties l1 = {network.l1:g} and l2 = {network.l2:g} on every W add l1 · sign(w) + l2 · w"
        )
        lines.append(
            Paragraph(f"{what} = {number(penalty)} here; together {number(asked.mean(by_row) + penalty)}.")
        )
    return Section("From one row to all of them", tuple(lines))


def _by_row(facts: Facts) -> np.ndarray:
    """∂ℓ/∂w of each row: what the steps arrive at."""
    local = facts.local()
    return np.asarray((facts.deltas[facts.start][:, local.entries] * local.values).sum(axis=1), np.float64)


def _array_of(seen: Witnesses, place: Place) -> np.ndarray | None:
    return None if place.is_input else np.asarray(dict(named(seen.gradients))[place.array])


def agreement(symbol: Formula, derived: float, compiled: float, difference: float, order: int) -> Section:
    """Three ways to the same number, and how far they are apart."""
    said = (
        ("derived, by the steps above", derived),
        ("compiled backward pass" if order == 1 else "differences of the compiled backward pass", compiled),
        ("differences of the compiled forward pass", difference),
    )
    rows = tuple((Words(by), Words(f"{n:.12g}".replace("-", "−")), Number(n - derived)) for by, n in said)
    return Section("Three numbers that agree", (Table((Words("by"), symbol, Words("off by")), rows),))

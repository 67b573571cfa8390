"""The chain rule from the top down to the weight, factor by factor, and its compact form."""

import numpy as np

from chainrule.explain import loss_shown
from chainrule.explain.elementwise import Z
from chainrule.explain.facts import Facts
from chainrule.explain.folding import folded, left_out, matrix, vector
from chainrule.explain.from_sympy import from_sympy
from chainrule.explain.maps import ActivateMap, AffineMap, Map, Station, Term
from chainrule.explain.terms import (
    BACKWARD,
    FORWARD,
    SLOPE,
    WEIGHT,
    Call,
    Equation,
    Formula,
    Line,
    Number,
    Paragraph,
    Partial,
    Product,
    Section,
    Symbol,
    Table,
    Total,
    Transposed,
    Words,
    product,
)


def chain_rule(f: Facts) -> Section:
    """From the top down to the weight, one factor at a time."""
    reached, last = f.reached(), f.chain.stations[-1]
    lines: list[Line] = [*_slopes(f)]
    lines += _at_the_top(f, last, reached)
    for station in reversed(f.chain.stations[:-1]):
        marks = reached.get(station)
        if marks is None or (station == f.chain.stations[0] and f.owner is not None):
            continue
        feeds = [(each, place) for each, place in f.chain.fed_by(station)]
        if all(each.renames for each, _ in feeds):
            continue
        why = "; ".join(dict.fromkeys(each.why for each, _ in feeds))
        for n, j in enumerate(f.shown(station, marks)):
            symbols, numbers = _carried(f, feeds, int(j), reached)
            own = f.delta(station, int(j))
            sides: tuple[Formula, ...] = (own, symbols, numbers, Number(float(f.deltas[station][f.row, j])))
            if isinstance(own, Symbol):  # δ is a name for the derivative by z
                sides = (own, Partial(f.top, station.entry(int(j))), *sides[1:])
            lines.append(Equation(sides, why if n == 0 else ""))
        lines += left_out(f, station, marks)
    lines.append(_last_factor(f))
    return Section("The chain rule, one factor at a time", tuple(lines))


def _slopes(f: Facts) -> list[Line]:
    lines: list[Line] = []
    reached, told = f.reached(), set()
    for each in f.chain.maps:
        if (
            isinstance(each, ActivateMap)
            and each.target in reached
            and each.target != f.start
            and each.which not in told
        ):
            told.add(each.which)
            if each.sigma.slope_formula is not None:
                at = Call(each.slope_symbol, (Symbol("z"),))
                slope = from_sympy(each.sigma.slope_formula, {Z: Symbol("z")})
                lines.append(Equation((at, slope), f"the slope of {each.sigma.name}"))
    return lines


def _at_the_top(f: Facts, last: Station, reached: dict[Station, np.ndarray]) -> list[Line]:
    marks = reached[last]
    if f.output is not None:
        return [
            Equation((Partial(f.top, last.entry(int(k))), Number(float(k == f.output))), "the output itself")
            for k in f.shown(last, marks)
        ]
    lines: list[Line] = []
    for n, k in enumerate(f.shown(last, marks)):
        slope = loss_shown.slope(f, last, int(k))
        middle = () if slope is None else (slope,)
        sides = (
            f.delta(last, int(k)),
            Partial(f.top, last.entry(int(k))),
            *middle,
            Number(float(f.deltas[last][f.row, k])),
        )
        lines.append(Equation(sides, "how the loss answers to the output" if n == 0 else ""))
    return [*lines, *left_out(f, last, marks)]


def _carried(
    f: Facts, feeds: list[tuple[Map, int]], j: int, reached: dict[Station, np.ndarray]
) -> tuple[Formula, Formula]:
    """Σ over everything that a value feeds: ∂target/∂value times ∂L/∂target, in symbols and in numbers."""
    terms: list[Term] = []
    first: list[bool] = []
    for each, place in feeds:
        shown = set(f.shown(each.target, reached[each.target]).tolist())
        entries, slopes = each.column(f.arrays, f.inputs(each), place, j)
        for m, slope in zip(entries.tolist(), slopes.tolist(), strict=True):
            delta = float(f.deltas[each.target][f.row, m])
            symbols = product(f.delta(each.target, m), each.factor(m, place, j))
            terms.append(Term(symbols, Product((Number(delta), Number(slope))), delta * slope))
            first.append(m in shown)
    return folded(f, terms, "symbols", first), folded(f, terms, "numbers", first)


def _last_factor(f: Facts) -> Equation:
    local = f.local()
    terms = []
    for place, m in enumerate(local.entries):
        delta, slope = float(f.deltas[f.start][f.row, m]), float(local.values[f.row, place])
        symbols = product(f.delta(f.start, m), local.factors[place])
        terms.append(Term(symbols, Product((Number(delta), Number(slope))), delta * slope))
    worth = sum(term.value for term in terms)
    by = Partial(f.top, f.place.symbol)
    if f.owner is None:
        return Equation((by, Number(worth)), "the derivative by the input")
    shown = f.shown(f.start, f.reached()[f.start])
    first = [m in shown for m in local.entries]
    symbols, numbers = (folded(f, terms, side, first) for side in ("symbols", "numbers"))
    sides = (by, symbols, numbers, Number(worth))
    return Equation(sides, "the last factor: how the entry answers to the weight")


def same_at_every_layer(f: Facts) -> Section | None:
    """The derivative as it is carried by each layer: the same number everywhere."""
    rows = []
    for station, marks in f.reached().items():
        worth = f.deltas[station][f.row] * np.asarray(f.values[station].first[f.row])
        if station.letter in ("z", "h", "ŷ") or station == f.start:
            entries = Number(float(marks.sum()))
            rows.append((station.whole, entries, Number(float(worth.sum()))))
    if len(rows) < 2:
        return None
    by = f.place.symbol
    head = (
        Words("values v"),
        Words("reached"),
        Total(
            "k", Product((Partial(f.top, Symbol("v", None, ("k",))), Partial(Symbol("v", None, ("k",)), by)))
        ),
    )
    return Section(
        "The same number at every layer",
        (
            Paragraph(
                f"Cut the network anywhere: what its values answer to the {f.place.noun}, times what the "
                "loss answers to them, adds up to the same derivative."
            ),
            Table(head, tuple(rows)),
        ),
    )


def compact(f: Facts, gradient: np.ndarray | None) -> Section:
    """The four equations of back-propagation, and their numbers."""
    last = f.chain.stations[-1]
    depth = sum(isinstance(each, AffineMap) for each in f.chain.maps)
    ell, after, before = "ℓ", "ℓ+1", "ℓ−1"

    def delta(layer: str) -> Symbol:
        return Symbol("δ", layer, (), BACKWARD)

    def matrix_of(layer: str) -> Symbol:
        return Symbol("W", layer, (), WEIGHT)

    top = f.top
    lines: list[Line] = [
        Equation((delta("L"), Partial(top, last.whole)), "at the output"),
        Equation(
            (
                delta(ell),
                Product(
                    (
                        Product((Transposed(matrix_of(after)), delta(after)), ""),
                        Call(Symbol("σ′", role=SLOPE), (Symbol("z", ell, (), FORWARD),)),
                    ),
                    "⊙",
                ),
            ),
            "one layer back",
        ),
        Equation(
            (
                Partial(top, matrix_of(ell)),
                Product((delta(ell), Transposed(Symbol("h", before, (), FORWARD))), ""),
            ),
            "the matrix of a layer",
        ),
        Equation((Partial(top, Symbol("b", ell, (), WEIGHT)), delta(ell)), "its bias"),
    ]
    others = [
        each for each in f.chain.maps if not isinstance(each, AffineMap | ActivateMap) and not each.renames
    ]
    if others:
        kinds = dict.fromkeys(each.why for each in others)
        lines.append(Paragraph("Between them, here: " + "; ".join(kinds) + "."))
    lines.append(Paragraph("With the numbers of the row:"))
    for station in reversed(f.chain.stations):
        if station.letter == "z" or station == last:
            layer = station.layer or depth
            lines.append(Equation((Symbol("δ", layer, (), BACKWARD), vector(f, f.deltas[station][f.row]))))
    if gradient is not None:
        by = Partial(top, Symbol(f.place.field, f.place.number, (), WEIGHT))
        lines.append(Equation((by, matrix(f, gradient)), "the whole array; one pass gives them all"))
    return Section("The compact form: δ", tuple(lines))

"""L rewritten in terms of the weight: only what it reaches, everything else a number."""

import numpy as np
import sympy

from chainrule.explain import loss_shown
from chainrule.explain.facts import Facts
from chainrule.explain.folding import folded, followed, left_out, rounded, sum_of
from chainrule.explain.from_sympy import from_sympy
from chainrule.explain.maps import ActivateMap, AffineMap, Local, Map, NormalizeMap, Station, Term
from chainrule.explain.terms import (
    WEIGHT,
    Call,
    Equation,
    Formula,
    Line,
    Number,
    Paragraph,
    Product,
    Section,
    Sum,
    Symbol,
    product,
)

w = Symbol("w", role=WEIGHT)


def function_of_weight(f: Facts) -> Section:
    """L rewritten in terms of the weight: only what it reaches, everything else a number."""
    reached, local = f.reached(), f.local()
    lines: list[Line] = [
        Paragraph(
            f"Everything that the {f.place.noun} does not reach is a number. What is left, with w for the "
            f"{f.place.noun}:"
        )
    ]
    value = float(f.arrays[f.place.array][f.place.key]) if f.owner else float(f.x[f.row, f.place.key[0]])
    lines.append(Equation((f.place.symbol, w, Number(value)), "its value now"))
    if f.owner is not None:
        lines += _where_it_enters(f, f.owner, local, value)
    for each in f.chain.maps:
        marks = reached.get(each.target)
        if each is f.owner or marks is None or each.renames:
            continue
        for m in f.shown(each.target, marks):
            lines.append(Equation((each.target.entry(int(m)), _as_function(f, each, int(m), reached))))
        lines += left_out(f, each.target, marks)
    if f.output is None:
        last = f.chain.stations[-1]
        known = loss_shown.in_numbers(f, last, reached[last])
        lines.append(Equation((f.top, known), "the loss, with the target put in"))
    composed = _composed(f)
    if composed:
        lines += [Paragraph("All in one:"), *composed]
    return Section(f"{f.top.letter} in terms of the {f.place.noun}", tuple(lines))


def _where_it_enters(f: Facts, owner: Map, local: Local, value: float) -> list[Line]:
    lines: list[Line] = []
    bends = f.place.field in ("frequency", "phase")
    for place, m in enumerate(local.entries):
        slope = float(local.values[f.row, place])
        now = float(f.at(owner.target)[m])
        if bends:
            terms = owner.terms(f.arrays, f.inputs(owner), m)
            right: Formula = _replaced(terms[0].symbols, f.place.symbol)
        else:
            constant = now - slope * value
            right = (
                sum_of([product(w, Number(slope)), Number(constant)])
                if constant
                else product(w, Number(slope))
            )
        lines.append(Equation((owner.target.entry(m), right), "where the weight enters"))
    return lines


def _as_function(f: Facts, each: Map, m: int, reached: dict[Station, np.ndarray]) -> Formula:
    """An entry with numbers for all that the weight does not reach."""
    if isinstance(each, NormalizeMap):
        return each.as_function(f.arrays, m)
    moving: list[Term] = []
    constant = 0.0
    for term in each.terms(f.arrays, f.inputs(each), m):
        source, j = term.source or (0, -1)
        marks = reached.get(each.sources[source])
        if term.source is not None and marks is not None and marks[j]:
            symbols = (
                product(Number(term.coefficient), each.sources[source].entry(j))
                if each.linear
                else term.symbols
            )
            moving.append(term._replace(symbols=symbols))
        else:
            constant += term.value
    shown = folded(f, moving, "symbols", followed(f, each, moving, reached))
    return sum_of([shown, Number(constant)]) if constant else shown


def _replaced(formula: Formula, symbol: Symbol) -> Formula:
    """The formula with w in the place of the weight."""
    if formula == symbol:
        return w
    match formula:
        case Product(factors, sign):
            return Product(tuple(_replaced(factor, symbol) for factor in factors), sign)
        case Sum(terms):
            return Sum(tuple(_replaced(term, symbol) for term in terms))
        case Call(function, arguments):
            return Call(function, tuple(_replaced(argument, symbol) for argument in arguments))
    return formula


_SMALL = 14
"""Values that the weight may reach for its loss to be written in one formula."""


def _composed(f: Facts) -> list[Line]:
    """Each output as one formula in w, where that is short enough to be read."""
    size = sum(int(marks.sum()) for marks in f.reached().values())
    plain_maps = all(isinstance(each, AffineMap | ActivateMap) for each in f.chain.maps)
    known = all(not isinstance(each, ActivateMap) or each.sigma.formula is not None for each in f.chain.maps)
    if size > _SMALL or not plain_maps or not known:
        return []
    symbol = sympy.Symbol("w", real=True)
    short = np.frompyfunc(rounded, 1, 1)
    arrays = {name: short(array) for name, array in f.arrays.items()}
    x = short(f.x[f.row : f.row + 1])
    if f.owner is None:
        x[0, f.place.key[0]] = symbol
    else:
        arrays[f.place.array][f.place.key] = symbol
    last = f.chain.stations[-1]
    y_hat = f.chain.forward(arrays, x)[last][0]
    outputs = range(len(y_hat)) if f.output is None else [f.output]
    return [Equation((Call(last.entry(k), (w,)), from_sympy(y_hat[k], {symbol: w}))) for k in outputs]

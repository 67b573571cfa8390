"""Forward: every value on the way, in symbols and with the numbers of the row."""

import numpy as np

from chainrule.explain import loss_shown
from chainrule.explain.elementwise import Z
from chainrule.explain.facts import Facts
from chainrule.explain.folding import folded, followed, left_out, vector
from chainrule.explain.from_sympy import from_sympy
from chainrule.explain.maps import ActivateMap, AffineMap, DropoutMap, Map, NormalizeMap
from chainrule.explain.terms import (
    FORWARD,
    Call,
    Equation,
    Line,
    Number,
    Section,
    Symbol,
    Table,
    Words,
)


def forward(f: Facts) -> Section:
    """The forward pass, in symbols and with the numbers of the row."""
    lines: list[Line] = []
    if f.names:
        lines.append(_inputs_by_name(f))
    lines.append(Equation((f.chain.stations[0].whole, vector(f, f.at(f.chain.stations[0]))), "the row"))
    told = set()
    for each in f.chain.maps:
        if isinstance(each, ActivateMap) and each.which not in told:
            told.add(each.which)
            sigma = each.sigma
            if sigma.formula is not None:
                at = Call(each.symbol, (Symbol("z"),))
                lines.append(
                    Equation(
                        (at, from_sympy(sigma.formula, {Z: Symbol("z")})), f"the activation {sigma.name}"
                    )
                )
        if each.renames:
            continue
        lines.append(
            Equation((each.target.whole, each.statement(), vector(f, f.at(each.target))), _said(each))
        )
        if isinstance(each, NormalizeMap):
            lines.append(_spread(f, each))
    last = f.chain.stations[-1]
    if f.output is None:
        lines.append(Equation((Symbol("y"), vector(f, f.y[f.row])), "the target, as the loss sees it"))
        lines.append(
            Equation((f.top, *loss_shown.in_symbols(f), Number(f.row_loss)), f"the loss {f.loss.loss.name}")
        )
    else:
        lines.append(Equation((f.top, Number(float(f.at(last)[f.output]))), "the output that is derived"))
    lines += _entries(f)
    return Section("Forward: every value on the way", tuple(lines))


def _entries(f: Facts) -> list[Line]:
    """The entries that the weight reaches, one at a time."""
    lines: list[Line] = []
    reached = f.reached()
    for each in f.chain.maps:
        if each.target in reached and not each.renames:
            for m in f.shown(each.target, reached[each.target]):
                terms = each.terms(f.arrays, f.inputs(each), int(m))
                first = followed(f, each, terms, reached)
                symbols, numbers = (folded(f, terms, side, first) for side in ("symbols", "numbers"))
                lines.append(
                    Equation(
                        (each.target.entry(int(m)), symbols, numbers, Number(float(f.at(each.target)[m])))
                    )
                )
            lines += left_out(f, each.target, reached[each.target])
    return lines


def _said(each: Map) -> str:
    match each:
        case DropoutMap():
            return each.why
        case NormalizeMap():
            return "layer normalisation"
        case AffineMap():
            return "affine map"
    return ""


def _spread(f: Facts, each: NormalizeMap) -> Line:
    n, inverse = each.normalized(f.values[each.sources[0]].value)
    s = 1 / float(inverse[f.row, 0])
    symbol = Symbol("ẑ", each.number, (), FORWARD)
    return Equation((symbol, vector(f, n[f.row])), f"z less its mean, over the spread s = {s:.4g}")


def _inputs_by_name(f: Facts) -> Line:
    assert f.names is not None
    x = f.at(f.chain.stations[0])
    order = np.sort(np.argsort(-np.abs(x), kind="stable")[: len(x) if f.full else 12])
    rows = tuple((f.chain.stations[0].entry(int(j)), Words(f.names[j]), Number(float(x[j]))) for j in order)
    return Table((Words("input"), Words("what it is"), Words("value")), rows)

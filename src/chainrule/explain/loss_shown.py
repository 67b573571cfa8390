"""The loss of a row as formulas to be shown."""

from typing import Any

import numpy as np
import sympy

from chainrule.explain.facts import Facts
from chainrule.explain.folding import rounded, sum_of
from chainrule.explain.from_sympy import from_sympy
from chainrule.explain.maps import Station
from chainrule.explain.row_loss import S, Y
from chainrule.explain.terms import (
    FORWARD,
    Call,
    Formula,
    Number,
    Product,
    Symbol,
    Total,
    Words,
)


def _symbols(f: Facts, part: Any, index: int | str) -> dict[sympy.Symbol, Formula]:
    """How the symbols of a loss are shown for one target."""
    names: dict[sympy.Symbol, Formula] = {Y: Symbol("y", None, (index,)), S: Words("log Σ e^ŷ")}
    targets = f.y.shape[1]
    for symbol, block in part.outputs.items():
        if isinstance(index, int):
            names[symbol] = Symbol("ŷ", None, (block * targets + index,), FORWARD)
        else:
            shift = "" if block == 0 else f"+{block * targets}"
            names[symbol] = Symbol("ŷ", None, (f"{index}{shift}",), FORWARD)
    return names


def in_symbols(f: Facts) -> tuple[Formula, ...]:
    """The loss of a row; nothing where it has no formula."""
    if not f.loss.parts:
        return ()
    index: int | str = "k" if f.y.shape[1] > 1 else 1
    terms = [from_sympy(part.expression, _symbols(f, part, index)) for part in f.loss.parts]
    body = sum_of(terms)
    return (Total("k", body),) if f.y.shape[1] > 1 else (body,)


def in_numbers(f: Facts, last: Station, reached: np.ndarray) -> Formula:
    """The loss with the target's numbers put in; of many, those of the outputs that are shown."""
    if not f.loss.parts:
        return Call(Words(f.loss.loss.name), (last.whole, Symbol("y")))
    terms: list[Formula] = []
    targets = f.y.shape[1]
    shown = sorted({int(k) % targets for k in f.shown(last, reached)})
    for t in shown:
        for part in f.loss.parts:
            known = part.expression.subs(Y, rounded(float(f.y[f.row, t])))
            terms.append(from_sympy(known, _symbols(f, part, t + 1)))
    terms = [term for term in terms if term != Number(0.0)]
    if targets > len(shown):
        terms.append(Words(f"… {targets - len(shown):,} more targets"))
    return sum_of(terms)


def slope(f: Facts, last: Station, k: int) -> Formula | None:
    """∂ℓ/∂ŷ[k] in symbols."""
    targets = f.y.shape[1]
    block, t = divmod(k, targets)
    own: list[Formula] = []
    for part in f.loss.parts:
        for symbol, b in part.outputs.items():
            if b == block:
                slope = sympy.factor_terms(sympy.diff(part.expression, symbol))
                own.append(from_sympy(slope, _symbols(f, part, t + 1)))
    if not own:
        return None
    if f.loss.has_sum:
        part = f.loss.parts[0]
        through = from_sympy(sympy.diff(part.expression, S), _symbols(f, part, "i"))
        own.append(Product((Total("i", through), Symbol("softmax(ŷ)", None, (k + 1,), FORWARD))))
    return sum_of(own)

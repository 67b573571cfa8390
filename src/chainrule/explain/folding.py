"""Long vectors, matrices and sums, cut to what a reader takes in; what is left out is said."""

from collections.abc import Sequence

import numpy as np
import sympy

from chainrule.explain.facts import Facts
from chainrule.explain.maps import Map, Station, Term
from chainrule.explain.terms import (
    DOTS,
    Formula,
    Line,
    Matrix,
    Number,
    Paragraph,
    Product,
    Rest,
    Sum,
    Symbol,
    Words,
)
from chainrule.explain.text import number, plain


def vector(f: Facts, values: np.ndarray) -> Formula:
    """The first entries of a vector, and how many more there are."""
    shown: list[Formula] = [Number(float(v)) for v in values[: f.width]]
    if len(values) > f.width:
        shown.append(Words(f"… {len(values) - f.width:,} more"))
    return Matrix((tuple(shown),)) if len(shown) > 1 else shown[0]


def matrix(f: Facts, array: np.ndarray) -> Formula:
    """The part of a matrix that is around the weight."""
    if array.ndim > 2:
        array = array[f.place.key[0]]
    table = np.atleast_2d(array)
    rows, columns = table.shape
    keep_rows, keep_columns = _near(f, rows, -2, array.ndim), _near(f, columns, -1, array.ndim)
    shown: list[tuple[Formula, ...]] = []
    for i in keep_rows:
        row: list[Formula] = [Number(float(table[i, j])) for j in keep_columns]
        shown.append((*row, DOTS) if len(keep_columns) < columns else tuple(row))
    if len(keep_rows) < rows:
        shown.append((DOTS,) * len(shown[0]))
    return Matrix(tuple(shown))


def _near(f: Facts, size: int, axis: int, ndim: int) -> range:
    """The rows or columns that are shown: those around the weight."""
    key = f.place.key[axis] if ndim >= -axis and len(f.place.key) >= -axis else 0
    first = max(0, min(key - f.width // 2, size - f.width)) if size > f.width else 0
    return range(first, min(size, first + f.width))


def followed(f: Facts, each: Map, terms: list[Term], reached: dict[Station, np.ndarray]) -> list[bool]:
    """Which terms the reader meets again: the weight's own, and those whose entry has an equation."""
    shown = [
        set(f.shown(source, reached[source]).tolist()) if source in reached else set()
        for source in each.sources
    ]
    return [
        _holds(term.symbols, f.place.symbol)
        or (term.source is not None and term.source[1] in shown[term.source[0]])
        for term in terms
    ]


def _holds(formula: Formula, symbol: Symbol) -> bool:
    return formula == symbol or (isinstance(formula, Product) and symbol in formula.factors)


def folded(f: Facts, terms: list[Term], side: str, first: Sequence[bool]) -> Formula:
    """The sum of the terms; of many, a few, and what the others are worth together.

    Those are kept that come first, which the reader meets again, and then those of the greatest worth.
    """
    if len(terms) <= f.width:
        return sum_of([getattr(term, side) for term in terms])
    order = sorted(range(len(terms)), key=lambda k: (not first[k], -abs(terms[k].value)))
    kept, rest = sorted(order[: f.width - 1]), order[f.width - 1 :]
    largest = max((terms[k] for k in rest), key=lambda term: abs(term.value))
    left = Rest(len(rest), float(sum(terms[k].value for k in rest)), largest.symbols, largest.value)
    if side == "numbers":
        left = Rest(left.count, left.worth)
    return sum_of([*(getattr(terms[k], side) for k in kept), left])


def sum_of(terms: list[Formula]) -> Formula:
    """One sum of all terms; those that are sums themselves are taken apart, and what is left out ends it."""
    flat = [part for term in terms for part in (term.terms if isinstance(term, Sum) else (term,))]
    flat.sort(key=lambda part: isinstance(part, Rest))
    return flat[0] if len(flat) == 1 else Sum(tuple(flat)) if flat else Number(0.0)


def left_out(f: Facts, station: Station, marks: np.ndarray) -> list[Line]:
    """How many further entries there are, and what they carry of the derivative."""
    entries, shown = np.flatnonzero(marks), f.shown(station, marks)
    others = np.setdiff1d(entries, shown)
    if not len(others):
        return []
    worth = f.deltas[station][f.row, others] * np.asarray(f.values[station].first[f.row, others])
    name = plain(station.whole)
    total = float(f.deltas[station][f.row] @ np.asarray(f.values[station].first[f.row]))
    return [
        Paragraph(
            f"… and {len(others):,} more entries of {name}, which carry {number(float(worth.sum()))} of the "
            f"{number(total)} together."
        )
    ]


def rounded(value: float) -> sympy.Expr:
    """Four digits that count; whole numbers as such, so that 1 · w is w."""
    short = float(f"{value:.4g}")
    return sympy.Integer(int(short)) if short.is_integer() else sympy.Float(short)

"""The second derivative by one weight: the chain rule run forward, twice."""

import numpy as np

from chainrule.explain.facts import Facts
from chainrule.explain.maps import ActivateMap
from chainrule.explain.terms import (
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


def by_row(f: Facts) -> np.ndarray:
    """∂²ℓ/∂w² of each row: ŷ′ᵀ H ŷ′ + ∂ℓ/∂ŷ · ŷ″, with H = ∂²ℓ/∂ŷ∂ŷ."""
    for each in f.chain.maps:
        if isinstance(each, ActivateMap):
            each.sigma.refuse_bend()
    last = f.values[f.chain.stations[-1]]
    if f.output is not None:
        return np.asarray(last.second[:, f.output])
    H = f.loss.hessian(last.value, f.y)
    bend = np.einsum("rk,rkl,rl->r", last.first, H, last.first)
    return np.asarray(bend + (f.deltas[f.chain.stations[-1]] * last.second).sum(axis=1))


def section(f: Facts) -> tuple[Section, np.ndarray]:
    """How each value bends with the weight, and the second derivative of every row."""
    rows = by_row(f)
    by = f.place.symbol
    u, v = Symbol("u"), Symbol("v")
    lines: list[Line] = [
        Paragraph(
            "The chain rule run forward: how each value moves with the weight, and how that movement changes."
        ),
        Equation(
            (Partial(v, by, 2), Product((Words("W"), Partial(u, by, 2)), "")),
            "v = W u + b: sums bend as their terms",
        ),
        Equation(
            (
                Partial(v, by, 2),
                Sum(
                    (
                        Product((Words("σ″(u)"), Words("(∂u/∂w)²"))),
                        Product((Words("σ′(u)"), Partial(u, by, 2))),
                    )
                ),
            ),
            "v = σ(u): the bend of σ, and the slope times the bend of u",
        ),
    ]
    table: list[tuple[Formula, ...]] = []
    for station, marks in f.reached().items():
        if station.letter in ("z", "h", "ŷ", "n", "e"):
            for m in f.shown(station, marks):
                first, second = (
                    float(part[f.row, m]) for part in (f.values[station].first, f.values[station].second)
                )
                table.append((station.entry(int(m)), Number(first), Number(second)))
    lines.append(Table((Words("v"), Partial(v, by), Partial(v, by, 2)), tuple(table)))
    if f.output is None:
        k, top = Symbol("ŷ", None, ("k",)), f.top
        bend = Total("k,l", Words("∂²ℓ/∂ŷ[k]∂ŷ[l] · ∂ŷ[k]/∂w · ∂ŷ[l]/∂w"))
        rest = Total("k", Product((Partial(top, k), Partial(k, by, 2))))
        lines.append(
            Equation((Partial(top, by, 2), Sum((bend, rest)), Number(float(rows[f.row]))), "at the loss")
        )
    else:
        lines.append(Equation((Partial(f.top, by, 2), Number(float(rows[f.row])))))
    return Section("The second derivative", tuple(lines)), rows

"""SymPy's expressions as formulas to be shown, in the order and with the names of a textbook."""

from collections.abc import Mapping
from typing import Any

import sympy

from chainrule.explain.terms import (
    Call,
    Cases,
    Comparison,
    Formula,
    Fraction,
    Negative,
    Number,
    Power,
    Product,
    Sum,
    Symbol,
    Words,
)
from chainrule.mathematics import formulas

Names = Mapping[sympy.Symbol, Formula]

_FUNCTIONS: dict[Any, str] = {
    formulas.sigmoid: "sigmoid",
    formulas.softplus: "softplus",
    formulas.maximum: "max",
    sympy.Abs: "abs",
    sympy.log: "log",
    sympy.sign: "sign",
    sympy.erf: "erf",
}
_SIGNS = {
    sympy.StrictLessThan: "<",
    sympy.LessThan: "≤",
    sympy.StrictGreaterThan: ">",
    sympy.GreaterThan: "≥",
}


def from_sympy(e: Any, names: Names) -> Formula:
    """The same expression as a formula; ``names`` says how its symbols are shown."""
    if e in names:
        return names[e]
    if e == sympy.pi:
        return Words("π")
    if e == sympy.E:
        return Words("e")
    if e.is_Rational and not e.is_Integer:
        return Fraction(Number(float(e.p)), Number(float(e.q)))
    if e.is_Number:
        return Number(float(e))
    if e.is_Symbol:
        return Symbol(str(e))
    if e.is_Add:
        return Sum(tuple(_signed(term, names) for term in _in_order(e)))
    if e.is_Mul:
        return _product(e, names)
    if isinstance(e, sympy.exp):
        return Power(Words("e"), from_sympy(e.args[0], names))
    if e.is_Pow:
        return _power(e, names)
    if isinstance(e, formulas.greater):
        return _condition(e.args[0] > e.args[1], names)
    if isinstance(e, sympy.Piecewise):
        return Cases(tuple(_piece(value, holds, names) for value, holds in e.args))
    if isinstance(e, sympy.DiracDelta):
        return Number(0.0)
    function = _FUNCTIONS.get(type(e), type(e).__name__)
    return Call(Words(function), tuple(from_sympy(argument, names) for argument in e.args))


def _in_order(e: Any) -> list[Any]:
    """The terms as SymPy's printers order them, but numbers not at the end: 1 − tanh²(z)."""
    terms = e.as_ordered_terms()
    positive = [term for term in terms if not term.could_extract_minus_sign()]
    return positive + [term for term in terms if term not in positive]


def _signed(term: Any, names: Names) -> Formula:
    if term.could_extract_minus_sign() and not term.is_Add:
        return Negative(from_sympy(-term, names))
    return from_sympy(term, names)


def _product(e: Any, names: Names) -> Formula:
    if e.could_extract_minus_sign():
        return Negative(from_sympy(-e, names))
    over, under = sympy.fraction(e)
    if under != 1:
        return Fraction(from_sympy(over, names), from_sympy(under, names))
    return Product(tuple(from_sympy(factor, names) for factor in e.as_ordered_factors()))


def _power(e: Any, names: Names) -> Formula:
    if e.exp == 1:  # SymPy keeps u**1.0
        return from_sympy(e.base, names)
    if e.exp.could_extract_minus_sign():
        return Fraction(Number(1.0), from_sympy(e.base**-e.exp, names))
    if e.exp == sympy.Rational(1, 2):
        return Power(from_sympy(e.base, names), Number(0.5))
    return Power(from_sympy(e.base, names), from_sympy(e.exp, names))


def _piece(value: Any, holds: Any, names: Names) -> tuple[Formula, Formula | None]:
    return from_sympy(value, names), None if holds == sympy.true else _condition(holds, names)


def _condition(holds: Any, names: Names) -> Formula:
    if type(holds) in _SIGNS:
        left, right = (from_sympy(side, names) for side in holds.args)
        return Comparison(left, _SIGNS[type(holds)], right)
    if isinstance(holds, sympy.And | sympy.Or):
        sign = "and" if isinstance(holds, sympy.And) else "or"
        parts = [_condition(part, names) for part in holds.args]
        joined = parts[0]
        for part in parts[1:]:
            joined = Comparison(joined, sign, part)
        return joined
    return Words(str(holds))

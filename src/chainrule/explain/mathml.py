"""Formulas as MathML Core, which browsers show without help; roles are classes."""

from collections.abc import Sequence
from html import escape

from chainrule.explain.terms import (
    BACKWARD,
    DOT,
    Call,
    Cases,
    Comparison,
    Formula,
    Fraction,
    Matrix,
    Negative,
    Number,
    Partial,
    Power,
    Product,
    Rest,
    Sum,
    Symbol,
    Total,
    Transposed,
    Words,
)


def mathml(formula: Formula) -> str:
    """A formula for the inside of ``<math>``: one element."""
    match formula:
        case Symbol(letter, layer, index, role):
            name = _identifier(letter)
            raised = (
                "" if layer is None else f"<mrow><mo>(</mo><mi>{escape(str(layer))}</mi><mo>)</mo></mrow>"
            )
            lowered = "" if not index else f"<mrow>{'<mo>,</mo>'.join(f'<mn>{i}</mn>' for i in index)}</mrow>"
            if raised and lowered:
                shown = f"<msubsup>{name}{lowered}{raised}</msubsup>"
            elif raised:
                shown = f"<msup>{name}{raised}</msup>"
            else:
                shown = f"<msub>{name}{lowered}</msub>" if lowered else name
            return f'<mrow class="{role}">{shown}</mrow>' if role else shown
        case Number(value):
            return _number(value)
        case Words(text):
            return f"<mtext>{escape(text)}</mtext>" if len(text) != 1 else f"<mi>{escape(text)}</mi>"
        case Negative(body):
            return _row("<mo>−</mo>", _bracketed(body, isinstance(body, Sum | Negative) or _negative(body)))
        case Sum(terms):
            return summed(terms)
        case Product(factors, sign):
            parts = [
                _bracketed(factor, isinstance(factor, Sum | Total) or (place > 0 and _negative(factor)))
                for place, factor in enumerate(factors)
            ]
            return _row(f"<mo>{sign or '&#x2062;'}</mo>".join(parts))
        case Fraction(over, under):
            return f"<mfrac>{_row(mathml(over))}{_row(mathml(under))}</mfrac>"
        case Power(base, Number(0.5)):
            return f"<msqrt>{mathml(base)}</msqrt>"
        case Power(base, exponent):
            simple = isinstance(base, Symbol | Words) or (isinstance(base, Number) and base.value >= 0)
            if exponent == Number(2.0) and isinstance(base, Call):  # tanh²(z)
                return mathml(Call(Power(base.function, exponent), base.arguments))
            return f"<msup>{_row(_bracketed(base, not simple))}{_row(mathml(exponent))}</msup>"
        case Call(function, arguments):
            listed = "<mo>,</mo>".join(map(mathml, arguments))
            return _row(mathml(function), "<mo>&#x2061;</mo>", f"<mo>(</mo>{listed}<mo>)</mo>")
        case Total(index, body):
            sign = f"<munder><mo>∑</mo><mi>{escape(index)}</mi></munder>"
            return _row(sign, _bracketed(body, isinstance(body, Sum)))
        case Partial(of, by, order):
            power = "<msup><mo>∂</mo><mn>2</mn></msup>" if order == 2 else "<mo>∂</mo>"
            below = f"<msup>{_row(mathml(by))}<mn>2</mn></msup>" if order == 2 else mathml(by)
            above = _row(power, mathml(of))
            return f'<mfrac class="{BACKWARD}">{above}{_row("<mo>∂</mo>", below)}</mfrac>'
        case Comparison(left, sign, right):
            return _row(mathml(left), f"<mo>{escape(sign)}</mo>", mathml(right))
        case Cases(cases):
            lines = "".join(
                f"<mtr><mtd>{mathml(value)}</mtd><mtd>{_condition(holds)}</mtd></mtr>"
                for value, holds in cases
            )
            return _row("<mo>{</mo>", f"<mtable>{lines}</mtable>")
        case Matrix(rows):
            lines = "".join(f"<mtr>{''.join(f'<mtd>{mathml(e)}</mtd>' for e in row)}</mtr>" for row in rows)
            return _row("<mo>(</mo>", f"<mtable>{lines}</mtable>", "<mo>)</mo>")
        case Transposed(body):
            brackets = not isinstance(body, Symbol) or body.layer is not None
            return f"<msup>{_row(_bracketed(body, brackets))}<mi>⊤</mi></msup>"
        case Rest(count, worth, largest, largest_worth):
            said = f"<mtext>… {count:,} more term{'s' * (count > 1)}, worth </mtext>{_number(worth)}"
            if largest is None or count == 1:
                return _row(said)
            further = (
                f"<mtext> together, the largest: </mtext>{mathml(largest)}<mo>=</mo>{_number(largest_worth)}"
            )
            return _row(said, further)


def summed(terms: Sequence[Formula], *, begins: bool = True) -> str:
    """Terms with their signs; one that goes on from the line above begins with its sign."""
    return _row(*(_term(term, first=begins and place == 0) for place, term in enumerate(terms)))


def _condition(holds: Formula | None) -> str:
    return "<mtext>otherwise</mtext>" if holds is None else f"<mtext>where </mtext>{mathml(holds)}"


def _identifier(letter: str) -> str:
    name, primes = letter.rstrip(f"′{DOT}"), "′" * letter.count("′")
    hats = {"ŷ": "y", "ẑ": "z", "m̂": "m", "v̂": "v"}
    base = f"<mi>{escape(name)}</mi>"
    if name in hats:
        base = f'<mover accent="true"><mi>{hats[name]}</mi><mo>^</mo></mover>'
    if DOT in letter:
        base = f'<mover accent="true">{base}<mo>˙</mo></mover>'
    return _row(base, f"<mo>{primes}</mo>") if primes else base


def _number(value: float) -> str:
    text = f"{abs(value) if value else 0.0:.4g}"
    mantissa, _, exponent = text.partition("e")
    shown = f"<mn>{mantissa.replace('inf', '∞')}</mn>"
    if exponent:
        power = str(int(exponent)).replace("-", "−")
        shown += f"<mo>·</mo><msup><mn>10</mn><mn>{power}</mn></msup>"
    return _row("<mo>−</mo>" if value < 0 else "", shown) if value < 0 or exponent else shown


def _term(term: Formula, *, first: bool) -> str:
    match term:
        case Negative(body):
            return "<mo>−</mo>" + _bracketed(body, isinstance(body, Sum))
        case Number(value) if value < 0:
            return "<mo>−</mo>" + _number(-value)
        case Product((Number(value), *others), sign) if value < 0:
            return "<mo>−</mo>" + mathml(Product((Number(-value), *others), sign))
    return ("" if first else "<mo>+</mo>") + mathml(term)


def _row(*parts: str) -> str:
    return f"<mrow>{''.join(parts)}</mrow>"


def _bracketed(formula: Formula, brackets: bool) -> str:
    return f"<mrow><mo>(</mo>{mathml(formula)}<mo>)</mo></mrow>" if brackets else mathml(formula)


def _negative(formula: Formula) -> bool:
    match formula:
        case Number(value):
            return value < 0
        case Negative():
            return True
        case Product((first, *_)):
            return _negative(first)
    return False

"""Formulas as Unicode text on one line, in pieces with what each stands for."""

from collections.abc import Iterator
from typing import TypeAlias

from chainrule.explain.terms import (
    BACKWARD,
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

Piece: TypeAlias = tuple[str, str]
"""A stretch of text, and the role of what it says."""

_RAISED = str.maketrans("0123456789+−ℓL", "⁰¹²³⁴⁵⁶⁷⁸⁹⁺⁻ˡᴸ")


def number(value: float) -> str:
    """Four digits that count, with a true minus."""
    text = f"{value + 0.0:.4g}"  # −0 is 0
    if "e" in text:
        mantissa, _, exponent = text.partition("e")
        text = f"{mantissa}·10{str(int(exponent)).replace('-', '−').translate(_RAISED)}"
    return text.replace("-", "−")


def plain(formula: Formula) -> str:
    """A formula as text without colours."""
    return "".join(text for text, _ in pieces(formula))


def pieces(formula: Formula) -> Iterator[Piece]:
    """A formula as pieces of text."""
    match formula:
        case Symbol(letter, layer, index, role):
            raised = "" if layer is None else str(layer).translate(_RAISED)
            yield letter + raised, role
            if index:
                yield f"[{','.join(map(str, index))}]", role
        case Number(value):
            yield number(value), ""
        case Words(text):
            yield text, ""
        case Negative(body):
            yield "−", ""
            yield from _bracketed(body, isinstance(body, Sum | Negative | Cases) or _negative(body))
        case Sum(terms):
            for place, term in enumerate(terms):
                yield from _term(term, first=place == 0)
        case Product(factors, sign):
            for place, factor in enumerate(factors):
                if place:
                    yield {"": " ", "⊙": " ⊙ "}.get(sign, sign), ""
                yield from _bracketed(
                    factor, isinstance(factor, Sum | Total | Cases) or (place > 0 and _negative(factor))
                )
        case Fraction(over, under):
            yield from _bracketed(over, isinstance(over, Sum | Product | Total | Cases) or _negative(over))
            yield "/", ""
            yield from _bracketed(under, not _whole(under))
        case Power(base, exponent):
            yield from _power(base, exponent)
        case Call(function, arguments):
            yield from pieces(function)
            yield from _listed(arguments)
        case Total(index, body):
            yield f"Σ_{index} ", ""
            yield from _bracketed(body, isinstance(body, Sum))
        case Partial(of, by, order):
            yield "∂" + "²" * (order == 2), BACKWARD
            yield from ((text, BACKWARD) for text, _ in pieces(of))
            yield "/∂", BACKWARD
            yield from ((text, BACKWARD) for text, _ in pieces(by))
            yield "²" * (order == 2), BACKWARD
        case Comparison(left, sign, right):
            yield from pieces(left)
            yield f" {sign} ", ""
            yield from pieces(right)
        case Cases(cases):
            for place, (case, condition) in enumerate(cases):
                if place:
                    yield ", ", ""
                yield from pieces(case)
                if condition is None:
                    yield " otherwise", ""
                else:
                    yield " where ", ""
                    yield from pieces(condition)
        case Matrix(rows):
            yield "(", ""
            for place, row in enumerate(rows):
                yield " ; " if place else "", ""
                for column, entry in enumerate(row):
                    yield "  " if column else "", ""
                    yield from pieces(entry)
            yield ")", ""
        case Transposed(body):
            yield from _bracketed(
                body, not _whole(body) or (isinstance(body, Symbol) and body.layer is not None)
            )
            yield "ᵀ", ""
        case Rest(count, worth, largest, largest_worth):
            yield f"… {count:,} more term{'s' * (count > 1)}, worth {number(worth)}", ""
            if count > 1 and largest is not None:
                yield " together, the largest: ", ""
                yield from pieces(largest)
                yield f" = {number(largest_worth)}", ""


def _term(term: Formula, *, first: bool) -> Iterator[Piece]:
    """A term of a sum with its sign."""
    match term:
        case Negative(body):
            yield "−" if first else " − ", ""
            yield from _bracketed(body, isinstance(body, Sum | Cases))
        case Number(value) if value < 0 and not first:
            yield f" − {number(-value)}", ""
        case Product((Number(value), *others), sign) if value < 0 and not first:
            yield " − ", ""
            yield from pieces(Product((Number(-value), *others), sign))
        case _:
            yield "" if first else " + ", ""
            yield from _bracketed(term, isinstance(term, Cases))


def _power(base: Formula, exponent: Formula) -> Iterator[Piece]:
    if exponent == Number(0.5):
        yield "√", ""
        yield from _bracketed(base, not _whole(base))
        return
    if isinstance(base, Call) and isinstance(exponent, Number) and exponent.value == 2:
        yield from pieces(base.function)  # tanh²(z)
        yield "²", ""
        yield from _listed(base.arguments)
        return
    yield from _bracketed(base, not _whole(base) or _negative(base))
    if isinstance(exponent, Number) and exponent.value.is_integer():
        yield number(exponent.value).translate(_RAISED), ""
    else:
        yield "^", ""
        yield from _bracketed(exponent, not _whole(exponent) or _negative(exponent))


def _listed(arguments: tuple[Formula, ...]) -> Iterator[Piece]:
    yield "(", ""
    for place, argument in enumerate(arguments):
        yield ", " if place else "", ""
        yield from pieces(argument)
    yield ")", ""


def _bracketed(formula: Formula, brackets: bool) -> Iterator[Piece]:
    if brackets:
        yield "(", ""
    yield from pieces(formula)
    if brackets:
        yield ")", ""


def _negative(formula: Formula) -> bool:
    match formula:
        case Number(value):
            return value < 0
        case Negative():
            return True
        case Product((first, *_)):
            return _negative(first)
    return False


def _whole(formula: Formula) -> bool:
    """Whether it needs no brackets beside an operator."""
    return isinstance(formula, Symbol | Number | Words | Call | Matrix | Transposed)

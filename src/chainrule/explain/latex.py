"""Formulas as LaTeX, with the commands of amsmath."""

import re
import unicodedata
from collections.abc import Sequence

from chainrule.explain.terms import (
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

_LETTERS = {
    "σ": r"\sigma", "δ": r"\delta", "ŷ": r"\hat{y}", "ẑ": r"\hat{z}", "m̂": r"\hat{m}", "v̂": r"\hat{v}",
    "η": r"\eta", "μ": r"\mu", "β": r"\beta", "β₁": r"\beta_1", "β₂": r"\beta_2", "ε": r"\varepsilon",
    "π": r"\pi", "ℓ": r"\ell", "2π": r"2\pi",
}  # fmt: skip
_FUNCTIONS = {"tanh", "log", "exp", "sin", "cos", "max", "min", "cosh", "sinh", "tan"}
_BREAK = r" \\ "
_SIGNS = {"≤": r"\le", "≥": r"\ge", "and": r"\text{ and }", "or": r"\text{ or }", "names": r"\text{ names }"}
_WORDS = {"…": r"\ldots", "π": r"\pi", "e": "e", "2π": r"2\pi", "log Σ e^ŷ": r"\log\sum e^{\hat{y}}"}
_MATHEMATICS = {
    "∂": r"\partial", "σ": r"\sigma",
    "″": "''", "′": "'", "ŷ": r"\hat{y}", "−": "-", "·": r"\cdot", "Σ": r"\Sigma",
    "η": r"\eta", "ℓ": r"\ell", "δ": r"\delta", "≤": r"\le", "≥": r"\ge", "β": r"\beta", "ε": r"\varepsilon",
    "μ": r"\mu",
    "π": r"\pi", "√": r"\surd", "×": r"\times", "→": r"\to", "∞": r"\infty", "₁": "_1", "₂": "_2",
    "<": "<", ">": ">", "|": "|", "∘": r"\circ", "∇": r"\nabla", "⟨": r"\langle", "⟩": r"\rangle",
}  # fmt: skip
_TEXT = {
    "…": r"\ldots{}", "~": r"\textasciitilde{}", "^": r"\textasciicircum{}", "\\": r"\textbackslash{}",
    "ß": r"\ss{}", "æ": r"\ae{}", "Æ": r"\AE{}", "œ": r"\oe{}", "Œ": r"\OE{}", "ø": r"\o{}", "Ø": r"\O{}",
    "ł": r"\l{}", "Ł": r"\L{}", "ı": r"\i{}", "°": r"$^\circ$", "µ": r"$\mu$", "€": r"\texteuro{}",
    "£": r"\pounds{}", "–": "--", "—": "---", "‘": "`", "’": "'", "“": "``", "”": "''",
    **{letter: rf"\{letter}" for letter in "&%$#_{}"},
}  # fmt: skip
_ACCENTS = dict(zip("\u0300\u0301\u0302\u0303\u0304\u0306\u0307\u0308\u030a\u030b\u030c\u0327",
                    "`'^~=u.\"rHvc", strict=True))  # fmt: skip
_RAISED = dict(zip("⁰¹²³⁴⁵⁶⁷⁸⁹⁻", "0123456789-", strict=True))
_STRETCHES = re.compile(f"([{''.join(_RAISED)}]+)|([{''.join(_MATHEMATICS)}])|(.)", re.DOTALL)


def number(value: float) -> str:
    """Four digits that count."""
    text = f"{value + 0.0:.4g}"
    if "inf" in text:
        return text.replace("inf", r"\infty ")
    mantissa, _, exponent = text.partition("e")
    return rf"{mantissa} \cdot 10^{{{int(exponent)}}}" if exponent else text


def words(text: str) -> str:
    """Plain text for LaTeX."""

    def shown(stretch: re.Match[str]) -> str:
        raised, mathematics, other = stretch.groups()
        if raised:
            return f"$^{{{''.join(map(_RAISED.__getitem__, raised))}}}$"
        return f"${_MATHEMATICS[mathematics]}$" if mathematics else _letter(other)

    return _STRETCHES.sub(shown, text)


def _letter(letter: str) -> str:
    """A letter in ASCII: pdflatex stops at one that its fonts lack, such as of a column's name."""
    if letter in _TEXT:
        return _TEXT[letter]
    if letter.isascii():
        return letter if letter.isprintable() else " "
    base, *marks = list(unicodedata.normalize("NFD", letter))
    if not base.isalpha() or not base.isascii():
        return "?"
    accent = next((_ACCENTS[mark] for mark in marks if mark in _ACCENTS), None)
    return base if accent is None else rf"\{accent}{{{base}}}"


def latex(formula: Formula) -> str:
    """A formula for a mathematical environment."""
    match formula:
        case Symbol(letter, layer, index, _):
            name, primes = letter.rstrip(f"′{DOT}"), "'" * letter.count("′")
            shown = _LETTERS.get(name, name if len(name) == 1 else rf"\text{{{words(name)}}}")
            shown = rf"\dot{{{shown}}}" if DOT in letter else shown
            raised = primes + (
                "" if layer is None else rf"\,({layer})".replace("ℓ", r"\ell").replace("−", "-")
            )
            lowered = ",".join(map(str, index)).replace("…", r"\ldots ")
            return shown + (f"^{{{raised}}}" if raised else "") + (f"_{{{lowered}}}" if lowered else "")
        case Number(value):
            return number(value)
        case Words(text):
            return _WORDS.get(text) or (rf"\{text}" if text in _FUNCTIONS else rf"\text{{{words(text)}}}")
        case Negative(body):
            return f"-{_bracketed(body, isinstance(body, Sum | Negative) or _negative(body))}"
        case Sum(terms):
            return summed(terms)
        case Product(factors, sign):
            joined = {"·": r" \cdot ", "⊙": r" \odot ", "": r" \, "}[sign]
            return joined.join(
                _bracketed(factor, isinstance(factor, Sum | Total) or (place > 0 and _negative(factor)))
                for place, factor in enumerate(factors)
            )
        case Fraction(over, under):
            return rf"\frac{{{latex(over)}}}{{{latex(under)}}}"
        case Power(base, Number(0.5)):
            return rf"\sqrt{{{latex(base)}}}"
        case Power(base, exponent):
            if exponent == Number(2.0) and isinstance(base, Call):  # tanh²(z)
                return latex(Call(Power(base.function, exponent), base.arguments))
            brackets = not (
                isinstance(base, Symbol | Words) or (isinstance(base, Number) and base.value >= 0)
            )
            return f"{_bracketed(base, brackets)}^{{{latex(exponent)}}}"
        case Call(function, arguments):
            return rf"{latex(function)}\left({', '.join(map(latex, arguments))}\right)"
        case Total(index, body):
            return rf"\sum_{{{index}}} {_bracketed(body, isinstance(body, Sum))}"
        case Partial(of, by, order):
            power = "^2" if order == 2 else ""
            below = latex(by) + (_squared(by) if power else "")
            return rf"\frac{{\partial{power} {latex(of)}}}{{\partial {below}}}"
        case Comparison(left, sign, right):
            return f"{latex(left)} {_SIGNS.get(sign, sign)} {latex(right)}"
        case Cases(cases):
            lines = [f"{latex(value)} & {_condition(holds)}" for value, holds in cases]
            return rf"\begin{{cases}} {_BREAK.join(lines)} \end{{cases}}"
        case Matrix(rows):
            entries = [" & ".join(map(latex, row)) for row in rows]
            return rf"\begin{{pmatrix}} {_BREAK.join(entries)} \end{{pmatrix}}"
        case Transposed(body):
            brackets = not isinstance(body, Symbol) or body.layer is not None
            return rf"{_bracketed(body, brackets)}^{{\top}}"
        case Rest(count, worth, largest, largest_worth):
            said = rf"\text{{\ldots{{}} {count:,} more, worth }} {number(worth)}"
            if largest is None or count == 1:
                return said
            return rf"{said}\text{{, the largest: }} {latex(largest)} = {number(largest_worth)}"


def summed(terms: Sequence[Formula], *, begins: bool = True) -> str:
    """Terms with their signs; one that goes on from the line above begins with its sign."""
    return "".join(_term(term, first=begins and place == 0) for place, term in enumerate(terms))


def _condition(holds: Formula | None) -> str:
    return r"\text{otherwise}" if holds is None else rf"\text{{where }} {latex(holds)}"


def _squared(by: Formula) -> str:
    return r"{}^2" if isinstance(by, Symbol) and by.layer is not None else "^2"


def _term(term: Formula, *, first: bool) -> str:
    match term:
        case Negative(body):
            return f" - {_bracketed(body, isinstance(body, Sum))}"
        case _ if _negative(term):
            return f" {latex(term)}"
    return ("" if first else " + ") + latex(term)


def _bracketed(formula: Formula, brackets: bool) -> str:
    return rf"\left({latex(formula)}\right)" if brackets else latex(formula)


def _negative(formula: Formula) -> bool:
    match formula:
        case Number(value):
            return value < 0
        case Negative():
            return True
        case Product((first, *_)):
            return _negative(first)
    return False

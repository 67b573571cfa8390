"""One formula, three renderings: brackets, signs, powers, and what is said of what is left out."""

import re
from xml.etree import ElementTree

import numpy as np
import pytest
import sympy
from rich.cells import cell_len
from tests.explain.conftest import draw

from chainrule.explain.derivation import derive
from chainrule.explain.directional import directional
from chainrule.explain.elementwise import Z
from chainrule.explain.from_sympy import from_sympy
from chainrule.explain.latex import latex, words
from chainrule.explain.mathml import mathml
from chainrule.explain.terms import (
    DOT,
    Call,
    Cases,
    Comparison,
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
from chainrule.explain.text import plain
from chainrule.mathematics import formulas
from chainrule.mathematics.activations import ACTIVATIONS

pytestmark = pytest.mark.usefixtures("quick_compiler")

x, y = Symbol("x"), Symbol("y")
w = Symbol("W", 1, (2, 1))


@pytest.mark.parametrize(
    ("formula", "text", "tex"),
    [
        (w, "W¹[2,1]", r"W^{\,(1)}_{2,1}"),
        (Symbol("δ", "ℓ+1"), "δˡ⁺¹", r"\delta^{\,(\ell+1)}"),
        (Symbol("ŷ" + DOT), "ŷ" + DOT, r"\dot{\hat{y}}"),
        (Symbol("z" + DOT, 1), f"z{DOT}¹", r"\dot{z}^{\,(1)}"),
        (Number(-0.00012346), "−0.0001235", "-0.0001235"),
        (Number(1.5e-7), "1.5·10⁻⁷", r"1.5 \cdot 10^{-7}"),
        (Number(-0.0), "0", "0"),
        (Sum((x, Number(-2.0))), "x − 2", "x -2"),
        (Sum((x, Negative(Product((Number(2.0), y))))), "x − 2·y", r"x - 2 \cdot y"),
        (Sum((x, Product((Number(-2.0), y)))), "x − 2·y", r"x -2 \cdot y"),
        (Product((Number(2.0), Number(-3.0))), "2·(−3)", r"2 \cdot \left(-3\right)"),
        (Product((Sum((x, y)), x)), "(x + y)·x", r"\left(x + y\right) \cdot x"),
        (Negative(Sum((x, y))), "−(x + y)", r"-\left(x + y\right)"),
        (Fraction(Sum((x, y)), Product((x, y))), "(x + y)/(x·y)", r"\frac{x + y}{x \cdot y}"),
        (Power(x, Number(2.0)), "x²", "x^{2}"),
        (Power(Sum((x, y)), Number(2.0)), "(x + y)²", r"\left(x + y\right)^{2}"),
        (Power(Call(Words("tanh"), (x,)), Number(2.0)), "tanh²(x)", r"\tanh^{2}\left(x\right)"),
        (Power(x, Number(0.5)), "√x", r"\sqrt{x}"),
        (Power(Words("e"), Negative(x)), "e^(−x)", r"e^{-x}"),
        (Partial(Symbol("L"), w), "∂L/∂W¹[2,1]", r"\frac{\partial L}{\partial W^{\,(1)}_{2,1}}"),
        (Partial(Symbol("L"), x, 2), "∂²L/∂x²", r"\frac{\partial^2 L}{\partial x^2}"),
        (Total("k", Sum((x, y))), "Σ_k (x + y)", r"\sum_{k} \left(x + y\right)"),
        (Transposed(Symbol("W", 2)), "(W²)ᵀ", r"\left(W^{\,(2)}\right)^{\top}"),
        (Matrix(((x, y), (y, x))), "(x  y ; y  x)", r"\begin{pmatrix} x & y \\ y & x \end{pmatrix}"),
        (
            Cases(((x, Comparison(x, ">", Number(0.0))), (Number(0.0), None))),
            "x where x > 0, 0 otherwise",
            r"\begin{cases} x & \text{where } x > 0 \\ 0 & \text{otherwise} \end{cases}",
        ),
        (
            Rest(62, 0.0031, x, 0.001),
            "… 62 more terms, worth 0.0031 together, the largest: x = 0.001",
            r"\text{\ldots{} 62 more, worth } 0.0031\text{, the largest: } x = 0.001",
        ),
        (Rest(1, 0.0031, x, 0.0031), "… 1 more term, worth 0.0031", r"\text{\ldots{} 1 more, worth } 0.0031"),
    ],
)
def test_a_formula(formula, text, tex):
    assert plain(formula) == text
    assert latex(formula).strip() == tex
    ElementTree.fromstring(f"<math>{mathml(formula)}</math>")


@pytest.mark.parametrize("name", ACTIVATIONS)
def test_what_sympy_derives_is_shown_as_it_is(name):
    """The text, read again as Python, has SymPy's value."""
    exact = sympy.diff(formulas.parse(ACTIVATIONS[name].formula, {"z": Z}), Z)
    text = plain(from_sympy(exact, {Z: Symbol("z")}))
    if "where" in text or "max" in text or ">" in text:
        pytest.skip("a case is no Python")
    for sign, python in (
        ("·", "*"),
        ("−", "-"),
        ("^", "**"),
        ("π", "pi"),
        ("²", "**2"),
        ("³", "**3"),
        ("⁴", "**4"),
    ):
        text = text.replace(sign, python)
    text = re.sub(r"tanh\*\*2(\((?:[^()]|\([^()]*(?:\([^()]*\))?[^()]*\))*\))", r"tanh\1**2", text)
    text = re.sub(r"√(\w+|\((?:[^()]|\([^()]*\))*\))", r"sqrt(\1)", text)
    known = {
        n: getattr(np, n) for n in ("tanh", "exp", "log", "sqrt", "cos", "sin", "abs", "sign", "pi", "e")
    }
    from scipy.special import erf, expit

    known |= {"sigmoid": expit, "erf": erf, "softplus": lambda u: np.logaddexp(u, 0)}
    for at in (-1.3, 0.4, 2.1):
        assert eval(text, known | {"z": at}) == pytest.approx(float(exact.subs(Z, at).evalf()), rel=1e-3)


@pytest.mark.parametrize("number", range(6))
def test_documents_of_any_network(number):
    d = draw(number)
    found = derive(d.network, d.parameters, d.x, d.y, d.weight, seed=d.seed)
    for formula in re.findall(r"<math.*?</math>", found.html(), re.DOTALL):
        ElementTree.fromstring(formula)
    tex = found.latex().replace(r"\{", "").replace(r"\}", "")
    assert tex.count("{") == tex.count("}")
    assert tex.count(r"\left(") == tex.count(r"\right)")
    assert tex.isascii()
    assert found._repr_html_().startswith("<div>")
    said = found.json()
    assert said["derived"] == found.derived
    assert len(said["sections"]) == len(found.sections)


@pytest.mark.parametrize("width", [60, 100])
def test_lines_are_as_long_as_asked_for(width):
    d = draw(3)
    text = derive(d.network, d.parameters, d.x, d.y, d.weight).text(width)
    tables = re.compile("─|  .*  .*  .*")
    long = [line for line in text.splitlines() if cell_len(line) > width and not tables.search(line)]
    assert long == []


def test_documents_of_a_direction():
    d = draw(0)
    found = directional(d.network, d.parameters, d.x, d.y)
    assert found.latex().isascii()
    assert plain(found.symbol) in found.text().splitlines()[1]
    assert any(plain(found.symbol) in line for line in found.text().splitlines() if "off by" in line)
    for formula in re.findall(r"<math.*?</math>", found.html(), re.DOTALL):
        ElementTree.fromstring(formula)


def test_cases_within_a_formula_have_brackets_in_text():
    cases = Cases(((x, Comparison(x, ">", Number(0.0))), (Number(0.0), None)))
    inside = "(x where x > 0, 0 otherwise)"
    assert plain(Sum((Product((Number(2.0), cases)), Number(-1.0)))) == f"2·{inside} − 1"
    assert plain(Sum((y, Negative(cases)))) == f"y − {inside}"
    assert plain(Negative(cases)) == f"−{inside}"
    assert plain(Fraction(cases, y)) == f"{inside}/y"


def test_words_are_safe_in_latex():
    assert words("50 % & a_b #1 {x} ∂ŷ 10⁻⁴") == r"50 \% \& a\_b \#1 \{x\} $\partial$$\hat{y}$ 10$^{-4}$"


def test_words_of_any_script_are_ascii_in_latex():
    assert words("größe in °C") == r"gr\"{o}\ss{}e in $^\circ$C"
    assert words("naïve ł ą ½") == r"na\"{i}ve \l{} a ?"
    assert words("вес 重さ \t\n\n|") == "??? ??    $|$"

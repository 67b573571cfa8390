"""The language of formulas: what it says, what it refuses, and that nothing in it is ever run."""

import ast
import builtins
import time

import jax
import jax.numpy as jnp
import numpy as np
import pytest
import sympy
from hypothesis import given, settings
from hypothesis import strategies as st

from chainrule.errors import ArgumentError, FormulaError
from chainrule.mathematics import formulas
from chainrule.mathematics.activation import activation_from_formula
from chainrule.mathematics.activations import ACTIVATIONS, Activation, find_activation
from chainrule.mathematics.loss import loss_from_formula

z = sympy.Symbol("z", real=True)
GRID = np.array([-7.3, -2.1, -0.4, 0.3, 1.7, 6.2])


def parse(text):
    return formulas.parse(text, {"z": z})


def value_of(text):
    return np.asarray(formulas.compile_expression(parse(text), (z,))(jnp.asarray(GRID)))


@pytest.mark.parametrize(
    ("text", "meaning"),
    [
        ("z", lambda z: z),
        ("-z + 2*z - z/3", lambda z: -z + 2 * z - z / 3),
        ("+z", lambda z: z),
        ("z**2**1", lambda z: z**2),
        ("-z**2", lambda z: -(z**2)),
        ("2**-z", lambda z: 2.0**-z),
        ("(z**2)**0.5", np.abs),
        ("pi*z + e", lambda z: np.pi * z + np.e),
        ("1.5e-3*z", lambda z: 1.5e-3 * z),
        ("abs(z)", np.abs),
        ("atan(z)", np.arctan),
        ("cos(z) + sin(z) + tan(z)", lambda z: np.cos(z) + np.sin(z) + np.tan(z)),
        ("cosh(z) - sinh(z)", lambda z: np.cosh(z) - np.sinh(z)),
        ("tanh(z)", np.tanh),
        (
            "exp(z) + log(1 + z**2) + sqrt(z**2 + 1)",
            lambda z: np.exp(z) + np.log(1 + z**2) + np.sqrt(z**2 + 1),
        ),
        ("max(z, 1) + min(z, -1)", lambda z: np.maximum(z, 1) + np.minimum(z, -1)),
        ("sign(z)", np.sign),
        ("sigmoid(z)", lambda z: 1 / (1 + np.exp(-z))),
        ("softplus(z)", lambda z: np.log1p(np.exp(z))),
        ("where(z < 0, 1, 2)", lambda z: np.where(z < 0, 1, 2)),
        ("where(z <= 0.3, 1, 2)", lambda z: np.where(z <= 0.3, 1, 2)),
        ("where(z > 0.3, 1, 2)", lambda z: np.where(z > 0.3, 1, 2)),
        ("where(z >= 0.3, 1, 2)", lambda z: np.where(z >= 0.3, 1, 2)),
        (
            "where(sin(z) > z/10, z, where(z > 2, 3, -z))",
            lambda z: np.where(np.sin(z) > z / 10, z, np.where(z > 2, 3, -z)),
        ),
        ("where(1 < 2, z, 0)", lambda z: z),
        ("  z   *\t2  ", lambda z: z * 2),
        ("(z\n+ 1)", lambda z: z + 1),
        ("z*z*z + z**3 + z**-2", lambda z: 2 * z**3 + z**-2.0),
        ("z**100/1e90", lambda z: z**100 / 1e90),
        ("3", lambda z: np.full_like(z, 3)),
    ],
)
def test_the_language(text, meaning, float64):
    np.testing.assert_allclose(value_of(text), meaning(GRID), rtol=1e-12)


def test_erf(float64):
    from scipy.special import erf

    np.testing.assert_allclose(value_of("erf(z)"), erf(GRID), rtol=1e-10)


@pytest.mark.parametrize("name", ACTIVATIONS)
def test_parsed_as_sympy_itself_reads_it(name):
    """SymPy's reader runs its text as Python, so it may only be a witness here."""
    meanings = {
        "z": z,
        "where": lambda condition, a, b: sympy.Piecewise((a, condition), (b, True)),
        "max": sympy.Max,
        "min": sympy.Min,
        "abs": sympy.Abs,
    }
    witness = sympy.sympify(ACTIVATIONS[name].formula, locals=meanings)
    ours = parse(ACTIVATIONS[name].formula)
    for at in (-4.3, -1.2, 0.4, 2.2, 7.1):
        exact = [float(e.subs(z, sympy.Float(at, 30)).evalf(20)) for e in (ours, witness)]
        assert exact[0] == pytest.approx(exact[1], rel=1e-14)


NOT_FORMULAS = [
    # Python that is not arithmetic
    "__import__('os').system('true')",
    "eval('z')",
    "exec('z')",
    "open('/etc/passwd')",
    "print(z)",
    "z.real",
    "z.__class__.__mro__",
    "().__class__",
    "(1).__class__",
    "lambda z: z",
    "(lambda: z)()",
    "[z for z in (1, 2)]",
    "{z: 1}",
    "{z}",
    "[z]",
    "(z, 1)",
    "z[0]",
    "z if z > 0 else 0",
    "z and 1",
    "not z",
    "~z",
    "z := 1",
    "(z := 1)",
    "'z'",
    "b'z'",
    "f'{z}'",
    "'z' * 2",
    "...",
    "None",
    "True",
    "True + z",
    "z + await z",
    "(yield z)",
    "*z",
    "max(*z)",
    "max(z, default=1)",
    "exp(z=1)",
    "exp(**z)",
    "import os",
    "z; z",
    "z = 1",
    "z\nz",
    "del z",
    "assert z",
    "z @ z",
    "z // 2",
    "z % 2",
    "z << 2",
    "z & 1",
    "z | 1",
    "z ^ 2",
    "z == 1",
    "z != 1",
    "z is z",
    "z in z",
    "1 < z < 2",
    # other names and calls
    "x",
    "y_hat + y",
    "nope(z)",
    "Exp(z)",
    "exp",
    "exp + z",
    "sqrt",
    "z(1)",
    "exp(z)(z)",
    "exp.diff(z)",
    "logsumexp(z)",
    "sympy.exp(z)",
    "Symbol('z')",
    "diff(z)",
    "integrate(z)",
    # wrong number of arguments
    "exp()",
    "exp(z, z)",
    "max(z)",
    "max(z, 1, 2)",
    "where(z > 0, z)",
    # comparisons out of place
    "z > 0",
    "(z > 0)*z",
    "-(z > 0)",
    "exp(z > 0)",
    "where(z, 1, 2)",
    "where(1, z, 2)",
    "where(z > 0, z > 1, 2)",
    "where((z > 0) > 0, z, 1)",
    "where(where(z > 0, 1, 2) > 1, z, 0)",
    # no text at all
    "",
    "   ",
    "\n",
    "z +",
    "(z",
    "z)",
    "z z",
    "2z",
    "1..2",
    "z\x00",
    "\ud800",
    "é",
    "z÷2",
    "🦜",
    # numbers that are none
    "z/0",
    "0/0",
    "1j*z",
    "z + 1e400",
    "log(0)*z",
    "log(-1)*z",
    "sqrt(-1)*z",
    "sqrt(-z**2)",
    "0**-1",
    "(1/0 - 1/0)*z",
    "z**(1/0)",
    # numbers that would never end
    "9**9**9",
    "9**9**9**9*z",
    "z*9**9**9",
    "z**9**9**9",
    "(2**2000)*z",
    "10**310*z",
    "9" * 1999,
    "sqrt(" + "7" * 1900 + ")*z",
    "(12345/12346)**(10**7)*z",
]


@pytest.mark.parametrize("text", NOT_FORMULAS, ids=lambda text: ascii(text)[:30])
def test_refused_at_once_with_a_formula_error(text):
    start = time.perf_counter()
    with pytest.raises(FormulaError) as raised:
        parse(text)
    assert time.perf_counter() - start < 2
    message = str(raised.value)
    assert message.endswith(".")
    assert "\n" not in message.replace(text, "")
    assert len(message) > 30


@pytest.mark.parametrize(
    "text",
    [
        "(-2)**(1/3)*z",
        "log(sin(1)**2 + cos(1)**2 - 1)*z",
        "max(sin(1)**2 + cos(1)**2 - 1, 0)*z",
        "exp(exp(exp(exp(exp(9)))))*z",
        "max(exp(exp(exp(exp(9)))), 1)*z",
        "sin(exp(exp(exp(9))))*z",
        "tan(z + pi/2)",
        "abs(log(z))",
        "sign(log(z))",
        "**".join(["z"] * 200),
        "-" * 1900 + "z",
        "(12345/12346)**(10**6)*z*1e300*1e300",
        "sqrt(sin(1)**2 + cos(1)**2 - 2)*z",
    ],
    ids=lambda text: text[:30],
)
def test_what_sympy_or_jax_cannot_do_is_a_formula_error_too(text):
    with pytest.raises(FormulaError):
        activation_from_formula(text)


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("z ^ 2", r"a formula may hold numbers, z, pi, e, .*; got 'z \^ 2' \(a power is written \*\*\)\.$"),
        ("nope(z)", r"a formula may call abs, atan, .*where; got 'nope\(z\)'\.$"),
        ("z.real", r"a formula may hold .*; got 'z\.real'\.$"),
        ("max(z)", r"max must have 2 arguments; got 'max\(z\)'\.$"),
        ("exp()", r"exp must have 1 argument; got 'exp\(\)'\.$"),
        ("(z", r"'\(z' is not a formula: '\(' was never closed\.$"),
        ("z > 0", r"'z > 0' must be a real number for real inputs"),
        ("(z > 0)*z", r"a comparison must stand in where\(condition, a, b\); got 'z > 0'\.$"),
        ("where(z, 1, 2)", r"the first argument of where must be a comparison; got 'where\(z, 1, 2\)'\.$"),
        ("9**9**9", r"a number must be within ±1e\+300; got \(9\)\*\*\(387420489\)\.$"),
        ("1e301", r"a number must be within ±1e\+300; got 1e\+?301\.$"),
        ("z/0", r"'z/0' must be a real number for real inputs"),
    ],
)
def test_the_words_of_a_refusal(text, words):
    with pytest.raises(FormulaError, match=words):
        parse(text)


@pytest.mark.parametrize(
    "text",
    [
        "1000*" * 300 + "z.real",
        "z" + "*z" * 950,
        "z" + "**z" * 600,
        "tanh(z)/" * 200 + "(z - z)",
        "z" * 2500,
        "nope(" + "z + " * 400 + "z)",
        "exp(" + "z, " * 400 + "z)",
        "[" * 150 + "]" * 150,
        "(z - 1)**(" + "12345" * 100 + ")",
    ],
    ids=lambda text: text[:30],
)
def test_a_long_formula_is_not_repeated_in_full(text):
    for find in (find_activation, loss_from_formula):
        with pytest.raises(ArgumentError) as raised:
            find(text)
        assert len(str(raised.value)) <= 400


def test_length_and_depth_are_bounded():
    with pytest.raises(FormulaError, match="at most 2000 characters; got 2001"):
        parse("z" + " " * 2000)
    assert parse("z + " + "+".join(["1"] * 100)) == z + 100
    deep = "(" * formulas.DEEPEST + "z" + ")" * formulas.DEEPEST
    assert parse(deep) == z
    with pytest.raises(FormulaError, match="at most 30 brackets within brackets; got 31"):
        parse(f"({deep})")
    with pytest.raises(FormulaError, match="brackets within brackets"):
        parse("(" * 900 + "z" + ")" * 900)


def test_a_large_rational_power_does_not_hang():
    start = time.perf_counter()
    base = (12345 / 12346) ** 1e5
    assert float(parse("(12345/12346)**(10**5)*z").subs(z, 1)) == pytest.approx(base, rel=1e-9)
    assert time.perf_counter() - start < 1


def test_nothing_is_run_as_python(monkeypatch, tmp_path):
    """No text of a formula reaches eval, exec or compile, but to be taken apart."""
    mark = tmp_path / "run"
    ran = []

    def watch(run):
        def watched(text, *arguments, **options):
            only_taken_apart = ast.PyCF_ONLY_AST in (*arguments, *options.values())
            if isinstance(text, str | bytes) and ("7091" in str(text) or str(mark) in str(text)):
                ran.extend([] if only_taken_apart else [text])
            return run(text, *arguments, **options)

        return watched

    for name in ("eval", "exec", "compile"):
        monkeypatch.setattr(builtins, name, watch(getattr(builtins, name)))
    made = activation_from_formula("where(z > 1, z*tanh(log(1 + exp(z))), max(z/3, -1)) + 7091")
    loss = loss_from_formula("y*(logsumexp(y_hat) - y_hat)*7091")
    attacks = [
        f"open({str(mark)!r}, 'w')",
        f"__import__('pathlib').Path({str(mark)!r}).touch()",
        f"exp(open({str(mark)!r}, 'w'))",
        f"where(open({str(mark)!r}, 'w') > 1, z, 0)",
        f"z*eval(\"open({str(mark)!r}, 'w')\")",
        f"(lambda: open({str(mark)!r}, 'w'))() + z",
        f"[open({str(mark)!r}, 'w') for _ in 'a'] + z",
        f"f\"{{open({str(mark)!r}, 'w')}}\"",
        f"z.__class__.__base__.__subclasses__()[0](open({str(mark)!r}, 'w'))",
    ]
    for attack in attacks:
        with pytest.raises(ArgumentError):
            find_activation(attack)
        with pytest.raises(FormulaError):
            loss_from_formula(attack)
    sympy.sympify("7091 + 1")  # SymPy's own reader does run its text: the watch is awake
    monkeypatch.undo()
    assert not mark.exists()
    assert len(ran) == 1
    assert float(made.value(jnp.array(2.0))) == pytest.approx(
        2 * np.tanh(np.log1p(np.exp(2))) + 7091, rel=1e-6
    )
    assert float(loss.value(jnp.array([[0.0, 0.0]]), jnp.array([[1.0, 0.0]]))[0]) == pytest.approx(
        7091 * np.log(2), rel=1e-5
    )


def test_stable_forms_are_found():
    assert parse("log(1 + exp(z))") == formulas.softplus(z)
    assert parse("1/(1 + exp(-z))") == formulas.sigmoid(z)
    assert parse("exp(z)/(1 + exp(z))") == formulas.sigmoid(z)
    assert parse("log(1 + exp(-3*z))") == formulas.softplus(-3 * z)
    assert sympy.diff(formulas.softplus(z), z) == formulas.sigmoid(z)


@pytest.mark.parametrize("function", [formulas.sigmoid, formulas.softplus])
def test_own_functions_are_what_they_say(function):
    plain = function(z).rewrite(sympy.exp)
    for at in (-3.0, 0.5, 4.0):
        exact = [float(e.subs(z, at).evalf()) for e in (function(z), plain)]
        assert exact[0] == pytest.approx(exact[1], rel=1e-14)
        slopes = [float(sympy.diff(e, z).subs(z, at).evalf()) for e in (function(z), plain)]
        assert slopes[0] == pytest.approx(slopes[1], rel=1e-12)


def test_maximum_is_decided_for_numbers_and_stated_for_readers():
    assert formulas.maximum(2, 3) == 3
    assert formulas.greater(2, 3) == 0
    assert formulas.maximum(z, 0).rewrite(sympy.Piecewise) == sympy.Piecewise((z, z > 0), (0, True))
    assert sympy.diff(formulas.maximum(z, 0), z).subs(z, 0) == 0


@pytest.mark.parametrize(
    "text", ["z*sigmoid(z)", "where(z > 0, z, exp(z) - 1)", "log(1 + exp(z))*erf(z)", "max(z, 0)**0.5"]
)
def test_numpy_computes_what_xla_does(text, float64):
    compiled, plain = (formulas.compile_expression(parse(text), (z,), xp) for xp in (jnp, np))
    assert isinstance(plain(GRID), np.ndarray)
    np.testing.assert_allclose(plain(GRID), compiled(jnp.asarray(GRID)), rtol=1e-14, atol=1e-300)


def test_shared_parts_are_computed_once(monkeypatch):
    calls = []
    monkeypatch.setitem(formulas._calls(jnp), sympy.tanh, lambda u: calls.append(1) or jnp.tanh(u))
    text = "tanh(z) + tanh(z)**2 + sin(tanh(z))"
    formulas.compile_expression(parse(text), (z,))(jnp.asarray(GRID))
    assert len(calls) == 1


SLOWEST = 15.0  # seconds for one text; the worst in 500 random ones takes a tenth of it


def made_or_refused(text):
    """Either an activation or an ArgumentError, and soon."""
    start = time.perf_counter()
    try:
        made = find_activation(text)
    except ArgumentError:
        pass
    else:
        assert isinstance(made, Activation)
        assert np.isfinite(made.value(jnp.asarray(GRID))).all()
    assert time.perf_counter() - start < SLOWEST


@settings(max_examples=150)
@given(st.text(max_size=40))
def test_any_text_makes_an_activation_or_is_refused(text):
    made_or_refused(text)


pieces = st.sampled_from(
    [
        *"z0123456789.()+-*/,<>=e '\"[]{}:;_\\\n#@!%&|^~",
        "**",
        "z",
        "pi",
        "exp(",
        "where(",
        "max(",
        "z)",
        "lambda ",
        "1e",
        "__import__",
        ".__class__",
        " if ",
        " else ",
        " for ",
        " in ",
        "log(",
        "0x",
        "1j",
        "sqrt(",
        "(z>0",
        "<=",
        ")",
        ")",
    ]
)


@settings(max_examples=250)
@given(st.lists(pieces, max_size=14).map("".join))
def test_any_pieces_of_formulas_make_an_activation_or_are_refused(text):
    made_or_refused(text)


def calls(inside):
    one = st.sampled_from(
        [
            "abs",
            "atan",
            "cos",
            "cosh",
            "erf",
            "exp",
            "log",
            "sigmoid",
            "sign",
            "sin",
            "sinh",
            "softplus",
            "sqrt",
            "tan",
            "tanh",
        ]
    )
    pairs = st.tuples(inside, inside)
    return st.one_of(
        st.builds("{}({})".format, one, inside),
        st.builds(lambda f, ab: f"{f}({ab[0]}, {ab[1]})", st.sampled_from(["max", "min"]), pairs),
        st.builds(lambda o, ab: f"({ab[0]}){o}({ab[1]})", st.sampled_from(["+", "-", "*", "/", "**"]), pairs),
        st.builds(
            lambda c, ab, cd: f"where({ab[0]} {c} {ab[1]}, {cd[0]}, {cd[1]})",
            st.sampled_from(["<", ">", "<=", ">="]),
            pairs,
            pairs,
        ),
    )


leaves = st.sampled_from(["z", "z", "z", "0", "1", "2", "-1", "0.5", "pi", "e", "9", "1e3", "(1/3)"])


@settings(max_examples=60)
@given(st.recursive(leaves, calls, max_leaves=8))
def test_any_formula_makes_an_activation_or_is_refused(text):
    made_or_refused(text)


@settings(max_examples=40)
@given(st.recursive(leaves, calls, max_leaves=6))
def test_any_derivative_is_the_derivative(text):
    """Where a random formula is admitted, its derivative is what central differences say, but at kinks."""
    try:
        made = find_activation(text)
    except ArgumentError:
        return
    at = np.linspace(-2.0345, 2.0789, 41)
    with jax.enable_x64(True):
        step = 1e-6
        ends = [np.asarray(made.value(jnp.asarray(at + d))) for d in (-step, step)]
        slope = np.asarray(made.derivative(jnp.asarray(at)))
    central = (ends[1] - ends[0]) / (2 * step)
    size = 1 + np.abs(slope) + np.abs(ends[0]) * 1e-4
    good = np.abs(slope - central) / size < 1e-3
    assert good.mean() > 0.9 or not np.isfinite(ends).all()

"""Formulas as text: read, differentiated by SymPy, and compiled by XLA.

The language: numbers, the names that the caller allows, ``pi`` and ``e``, ``+ - * / **``, comparisons
inside ``where(condition, a, b)``, and the functions of ``_FUNCTIONS``. The text is taken apart by Python's
parser and put together again here from a list of known pieces; none of it is ever run as Python code.

SymPy takes 0.2 s to import, so this module is imported where a formula comes, not before.
"""

import ast
import math
import operator
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from functools import lru_cache, reduce
from itertools import accumulate
from typing import Any, TypeAlias

import jax
import jax.numpy as jnp
import numpy as np
import sympy

from chainrule.errors import ArgumentError, FormulaError
from chainrule.mathematics.named import quoted, short

Expression: TypeAlias = sympy.Expr
LONGEST = 2000
DEEPEST = 30  # brackets within brackets; SymPy's time and recursion grow with them
LARGEST = 1e300


class sigmoid(sympy.Function):  # noqa: N801 (the name a reader sees in a printed derivative)
    """σ(u) = 1 / (1 + e^−u), kept whole so that neither it nor its derivatives overflow."""

    is_extended_real = True

    def fdiff(self, argindex: int = 1) -> Expression:
        """σ′ = σ(u) σ(−u)."""
        return sigmoid(self.args[0]) * sigmoid(-self.args[0])

    def _eval_rewrite(self, rule: object, args: Sequence[Expression], **hints: object) -> Expression:
        return 1 / (1 + sympy.exp(-args[0]))

    def _eval_evalf(self, prec: int) -> Expression:
        return (1 / (1 + sympy.exp(-self.args[0])))._eval_evalf(prec)


class softplus(sympy.Function):  # noqa: N801
    """log(1 + e^u), kept whole so that it does not overflow."""

    is_extended_real = True

    def fdiff(self, argindex: int = 1) -> Expression:
        """The derivative is σ(u)."""
        return sigmoid(self.args[0])

    def _eval_rewrite(self, rule: object, args: Sequence[Expression], **hints: object) -> Expression:
        return sympy.log(1 + sympy.exp(args[0]))

    def _eval_evalf(self, prec: int) -> Expression:
        return sympy.log(1 + sympy.exp(self.args[0]))._eval_evalf(prec)


class greater(sympy.Function):  # noqa: N801
    """1 where a > b, else 0; flat, so its derivative is 0."""

    is_extended_real = True

    @classmethod
    def eval(cls, a: Expression, b: Expression) -> Expression | None:
        """Decide where both are numbers."""
        return sympy.Integer(bool(a > b)) if a.is_number and b.is_number else None

    def fdiff(self, argindex: int = 1) -> Expression:
        """0."""
        return sympy.Integer(0)


class maximum(sympy.Function):  # noqa: N801
    """max(a, b); at a tie the derivative is that of b, so that ReLU′(0) = 0 for max(z, 0)."""

    is_extended_real = True

    @classmethod
    def eval(cls, a: Expression, b: Expression) -> Expression | None:
        """Decide where both are numbers."""
        return (a if a > b else b) if a.is_number and b.is_number else None

    def fdiff(self, argindex: int = 1) -> Expression:
        """1 for the larger of the two, 0 for the other."""
        chosen = greater(*self.args)
        return chosen if argindex == 1 else 1 - chosen

    def _eval_rewrite(self, rule: object, args: Sequence[Expression], **hints: object) -> Expression:
        return sympy.Piecewise((args[0], args[0] > args[1]), (args[1], True))


_FUNCTIONS: dict[str, tuple[int, Callable[..., Expression]]] = {
    "abs": (1, sympy.Abs),
    "atan": (1, sympy.atan),
    "cos": (1, sympy.cos),
    "cosh": (1, sympy.cosh),
    "erf": (1, sympy.erf),
    "exp": (1, sympy.exp),
    "log": (1, sympy.log),
    "max": (2, maximum),
    "min": (2, lambda a, b: -maximum(-a, -b)),
    "sigmoid": (1, sigmoid),
    "sign": (1, sympy.sign),
    "sin": (1, sympy.sin),
    "sinh": (1, sympy.sinh),
    "softplus": (1, softplus),
    "sqrt": (1, sympy.sqrt),
    "tan": (1, sympy.tan),
    "tanh": (1, sympy.tanh),
    "where": (3, lambda condition, a, b: sympy.Piecewise((a, condition), (b, True))),
}
_COMPARISONS: dict[type[ast.cmpop], Callable[[Any, Any], Any]] = {
    ast.Lt: lambda a, b: a < b,
    ast.LtE: lambda a, b: a <= b,
    ast.Gt: lambda a, b: a > b,
    ast.GtE: lambda a, b: a >= b,
}
_OPERATORS: dict[type[ast.operator], Callable[[Any, Any], Any]] = {
    ast.Add: lambda a, b: a + b,
    ast.Sub: lambda a, b: a - b,
    ast.Mult: lambda a, b: a * b,
    ast.Div: lambda a, b: a / b,
    ast.Pow: lambda a, b: _power(a, b),
}


def parse(text: str, names: Mapping[str, Expression]) -> Expression:
    """Read a formula in these names; ``logsumexp(y_hat)`` is a name like another, where it is given.

    Raises
    ------
    FormulaError
        When the text is not a formula in these names.
    """
    if len(text) > LONGEST:
        raise FormulaError(f"a formula must have at most {LONGEST} characters; got {len(text)}.")
    depth = max(accumulate((c == "(") - (c == ")") for c in text), default=0)
    if depth > DEEPEST:
        raise FormulaError(f"a formula must have at most {DEEPEST} brackets within brackets; got {depth}.")
    with refusing(text):
        tree = ast.parse(text.strip(), mode="eval").body
        expression = _read(tree, names)
        if not isinstance(expression, sympy.Expr) or expression.has(sympy.zoo, sympy.nan, sympy.oo, sympy.I):
            raise FormulaError(
                f"{quoted(text)} must be a real number for real inputs; got {short(str(expression))}."
            )
        return _stable(expression)


@contextmanager
def refusing(text: str) -> Iterator[None]:
    """Turn whatever reading, deriving or compiling a formula raises into a FormulaError.

    SymPy raises a score of kinds of error for what it cannot do, and none of them names the formula.
    """
    try:
        yield
    except ArgumentError:
        raise
    except SyntaxError as error:
        raise FormulaError(f"{quoted(text)} is not a formula: {error.msg}.") from None
    except (MemoryError, RecursionError):
        raise FormulaError(f"{quoted(text)} is nested too deeply to be a formula.") from None
    except Exception as error:
        raise FormulaError(
            f"{quoted(text)} cannot be computed as a formula: {short(str(error)) or type(error).__name__}."
        ) from None


def _read(node: ast.expr, names: Mapping[str, Expression]) -> Any:
    match node:
        case ast.Constant(value=int() | float() as number) if not isinstance(number, bool):
            if abs(number) > LARGEST:
                raise FormulaError(f"a number must be within ±{LARGEST:g}; got {short(ast.unparse(node))}.")
            return sympy.Integer(number) if isinstance(number, int) else sympy.Float(number)
        case ast.Name(id=name) if name in names:
            return names[name]
        case ast.Name(id="pi"):
            return sympy.pi
        case ast.Name(id="e"):
            return sympy.E
        case ast.UnaryOp(op=ast.USub() | ast.UAdd() as sign, operand=operand):
            value = _number(operand, names)
            return -value if isinstance(sign, ast.USub) else value
        case ast.BinOp(left=left, op=sign, right=right) if type(sign) in _OPERATORS:
            return _OPERATORS[type(sign)](_number(left, names), _number(right, names))
        case ast.Compare(left=left, ops=[sign], comparators=[right]) if type(sign) in _COMPARISONS:
            return _compare(_COMPARISONS[type(sign)], _number(left, names), _number(right, names))
        case ast.Call(func=ast.Name(id=name), args=arguments, keywords=[]):
            return _call(name, arguments, names)
    raise FormulaError(
        f"a formula may hold numbers, {', '.join(n for n in names if n.isidentifier())}, pi, e, "
        f"+ - * / **, comparisons in where(…), and {', '.join(_FUNCTIONS)}; got {quoted(ast.unparse(node))}"
        + (" (a power is written **)." if isinstance(getattr(node, "op", None), ast.BitXor) else ".")
    )


def _number(node: ast.expr, names: Mapping[str, Expression]) -> Expression:
    value = _read(node, names)
    if not isinstance(value, sympy.Expr):
        raise FormulaError(
            f"a comparison must stand in where(condition, a, b); got {quoted(ast.unparse(node))}."
        )
    return value


def _call(name: str, arguments: Sequence[ast.expr], names: Mapping[str, Expression]) -> Any:
    whole = f"{name}({', '.join(map(ast.unparse, arguments))})"
    if whole in names:
        return names[whole]
    if name not in _FUNCTIONS:
        raise FormulaError(f"a formula may call {', '.join(_FUNCTIONS)}; got {quoted(whole)}.")
    count, function = _FUNCTIONS[name]
    if len(arguments) != count:
        raise FormulaError(f"{name} must have {count} argument{'s' * (count > 1)}; got {quoted(whole)}.")
    if name == "where":
        if not isinstance(arguments[0], ast.Compare):
            raise FormulaError(f"the first argument of where must be a comparison; got {quoted(whole)}.")
        return function(_read(arguments[0], names), *(_number(a, names) for a in arguments[1:]))
    return function(*(_number(argument, names) for argument in arguments))


def _power(base: Expression, exponent: Expression) -> Expression:
    """base ** exponent; a power of two numbers must stay within a float, or 9**9**9 would never end."""
    if base.is_number and exponent.is_number:
        size = float(exponent) * float(sympy.log(abs(base))) if base != 0 else 0.0
        if abs(size) > 700:
            raise FormulaError(
                f"a number must be within ±{LARGEST:g}; got {short(f'({base})**({exponent})')}."
            )
        if base.is_Rational and abs(exponent) > 1000:  # the exact fraction would fill the memory
            return sympy.Float(base) ** exponent
    return base**exponent


def _compare(compare: Callable[[Any, Any], Any], a: Expression, b: Expression) -> Any:
    """Compare two numbers; SymPy would unfold each where(…) within, doubling the work every time."""
    if a.has(sympy.Piecewise) or b.has(sympy.Piecewise):
        raise FormulaError("a comparison must not have a where(…) on either side.")
    return compare(a, b)


def _stable(expression: Expression) -> Expression:
    """Say log(1 + e^u) and 1 / (1 + e^−u) by the functions that do not overflow."""
    u = sympy.Wild("u")
    expression = expression.replace(sympy.log(1 + sympy.exp(u)), softplus(u))
    expression = expression.replace(1 / (1 + sympy.exp(u)), sigmoid(-u))
    return expression.replace(sympy.exp(u) * sigmoid(-u), sigmoid(u))


def compile_expression(
    expression: Expression, symbols: Sequence[sympy.Symbol], xp: Any = jnp
) -> Callable[..., Any]:
    """A function of arrays, one for each symbol, that computes the expression elementwise.

    ``xp`` is jax.numpy, for what XLA shall compile, or numpy.
    """
    calls = _calls(xp)

    def compiled(*arrays: Any) -> Any:
        known: dict[Any, Any] = dict(zip(symbols, arrays, strict=True))
        shape = xp.broadcast_shapes(*(array.shape for array in arrays))
        return xp.broadcast_to(xp.asarray(_evaluate(expression, known, calls), arrays[0].dtype), shape)

    return compiled


_Calls: TypeAlias = Mapping[type, Callable[..., Any]]


@lru_cache
def _calls(xp: Any) -> _Calls:
    """What computes each function, and each operator on two numbers or more."""
    plain = xp is np
    return {
        sympy.Abs: xp.abs,
        sympy.atan: xp.arctan,
        sympy.cos: xp.cos,
        sympy.cosh: xp.cosh,
        sympy.ITE: xp.where,
        sympy.Not: xp.logical_not,
        greater: lambda a, b: (a > b) * 1.0,
        maximum: xp.maximum,
        sympy.erf: _erf if plain else jax.lax.erf,
        sympy.exp: xp.exp,
        sympy.log: xp.log,
        sigmoid: _sigmoid if plain else jax.nn.sigmoid,
        sympy.sign: xp.sign,
        sympy.sin: xp.sin,
        sympy.sinh: xp.sinh,
        softplus: lambda u: xp.logaddexp(u, 0),
        sympy.tan: xp.tan,
        sympy.tanh: xp.tanh,
        sympy.DiracDelta: xp.zeros_like,  # the derivative of sign; at the kink 0 as well, by convention
        sympy.Add: lambda *terms: reduce(operator.add, terms),
        sympy.Mul: lambda *factors: reduce(operator.mul, factors),
        sympy.And: lambda *conditions: reduce(xp.logical_and, conditions),
        sympy.Or: lambda *conditions: reduce(xp.logical_or, conditions),
        sympy.StrictLessThan: operator.lt,
        sympy.LessThan: operator.le,
        sympy.StrictGreaterThan: operator.gt,
        sympy.GreaterThan: operator.ge,
        sympy.sqrt: xp.sqrt,
        sympy.Pow: xp.power,
        sympy.Piecewise: xp.where,
    }


def _sigmoid(u: np.ndarray) -> np.ndarray:
    return np.exp(-np.logaddexp(0, -u))


def _erf(u: np.ndarray) -> np.ndarray:
    return np.frompyfunc(math.erf, 1, 1)(u).astype(np.float64)  # SciPy's takes 0.2 s to import


def _evaluate(e: Any, known: dict[Any, Any], calls: _Calls) -> Any:
    """Walk the tree once; ``known`` holds the inputs and every subexpression met so far."""
    if e not in known:
        known[e] = _evaluate_new(e, known, calls)
    return known[e]


def _evaluate_new(e: Any, known: dict[Any, Any], calls: _Calls) -> Any:
    if e in (sympy.true, sympy.false):
        return bool(e)
    if e.is_number:
        return float(e)
    if isinstance(e, sympy.Piecewise):
        *rest, (last, _) = e.args
        value = _evaluate(last, known, calls)
        for piece, condition in reversed(rest):
            holds = _evaluate(condition, known, calls)
            value = calls[sympy.Piecewise](holds, _evaluate(piece, known, calls), value)
        return value
    if isinstance(e, sympy.Pow):
        return _evaluate_power(e.base, e.exp, known, calls)
    return calls[type(e)](*(_evaluate(argument, known, calls) for argument in e.args))


def _evaluate_power(base: Any, exponent: Any, known: dict[Any, Any], calls: _Calls) -> Any:
    value = _evaluate(base, known, calls)
    if exponent == sympy.Rational(1, 2):
        return calls[sympy.sqrt](value)
    if exponent.is_Integer and abs(int(exponent)) <= 64:
        return value ** int(exponent)
    return calls[sympy.Pow](value, _evaluate(exponent, known, calls))

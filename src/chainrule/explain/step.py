"""Steps of an optimizer on one weight: the state that made each step, and what it did to the loss."""

from collections.abc import Callable, Iterator
from math import inf, sqrt
from numbers import Real
from typing import NamedTuple

import jax

from chainrule.errors import ArgumentError
from chainrule.explain.terms import (
    BACKWARD,
    WEIGHT,
    Equation,
    Formula,
    Fraction,
    Line,
    Negative,
    Number,
    Paragraph,
    Power,
    Product,
    Section,
    Sum,
    Symbol,
    Table,
    Words,
)
from chainrule.explain.text import number
from chainrule.explain.witness import Direction, Subject, witnesses
from chainrule.mathematics.named import did_you_mean, quoted

_BETA_1, _BETA_2, _EPSILON, _MU = 0.9, 0.999, 1e-8, 0.9


class Stepping(NamedTuple):
    """One weight of a subject, and its value."""

    subject: Subject
    direction: Direction
    symbol: Formula
    value: float

    def at(self, value: float) -> tuple[float, float]:
        """L and ∂L/∂w where the weight has another value, and all others rest."""
        moved = jax.tree.map(
            lambda leaf, move: leaf + (value - self.value) * move,
            self.subject.parameters,
            self.direction.parameters,
        )
        seen = witnesses(self.subject._replace(parameters=moved), self.direction)
        return seen.value, seen.compiled


class Rule(NamedTuple):
    """An optimizer as its paper says it, for a single weight."""

    rate: float
    state: tuple[str, ...]
    """The names of its state's numbers, the direction last."""
    equations: tuple[Equation, ...]
    steps: Callable[[Iterator[float]], Iterator[tuple[float, ...]]]
    """From gradients to the state of each step."""


_g, _w, _eta = Symbol("g", role=BACKWARD), Symbol("w", role=WEIGHT), Symbol("η")


def _sgd(gradients: Iterator[float]) -> Iterator[tuple[float, ...]]:
    for g in gradients:
        yield (g,)


def _momentum(gradients: Iterator[float]) -> Iterator[tuple[float, ...]]:
    v = 0.0
    for g in gradients:
        v = _MU * v + g
        yield v, v


def _nesterov(gradients: Iterator[float]) -> Iterator[tuple[float, ...]]:
    v = 0.0
    for g in gradients:
        v = _MU * v + g
        yield v, g + _MU * v


def _adam(gradients: Iterator[float]) -> Iterator[tuple[float, ...]]:
    m = v = 0.0
    for t, g in enumerate(gradients, 1):
        m = _BETA_1 * m + (1 - _BETA_1) * g
        v = _BETA_2 * v + (1 - _BETA_2) * g * g
        m_hat, v_hat = m / (1 - _BETA_1**t), v / (1 - _BETA_2**t)
        yield m, v, m_hat, v_hat, m_hat / (sqrt(v_hat) + _EPSILON)


def _rmsprop(gradients: Iterator[float]) -> Iterator[tuple[float, ...]]:
    v = 0.0
    for g in gradients:
        v = 0.9 * v + 0.1 * g * g
        yield v, g / sqrt(v + _EPSILON)


def _eq(left: str, right: Formula, reason: str) -> Equation:
    return Equation((Symbol(left), right), reason)


def _running(letter: str, beta: str, of: Formula) -> Sum:
    """β m + (1 − β) g."""
    one = Sum((Number(1.0), Negative(Symbol(beta))))
    return Sum((Product((Symbol(beta), Symbol(letter))), Product((one, of))))


def _unbiased(letter: str, beta: str) -> Fraction:
    return Fraction(Symbol(letter), Sum((Number(1.0), Negative(Power(Symbol(beta), Symbol("t"))))))


_SQUARED = Power(_g, Number(2.0))
_DIRECTION = Sum((Product((Symbol("μ"), Symbol("v"))), _g))

RULES: dict[str, Rule] = {
    "sgd": Rule(1e-2, ("d",), (_eq("d", _g, "straight down"),), _sgd),
    "momentum": Rule(
        1e-2,
        ("v", "d"),
        (_eq("v", _DIRECTION, "the velocity keeps 0.9 of itself (μ)"), _eq("d", Symbol("v"), "")),
        _momentum,
    ),
    "nesterov": Rule(
        1e-2,
        ("v", "d"),
        (
            _eq("v", _DIRECTION, "the velocity keeps 0.9 of itself (μ)"),
            _eq("d", Sum((_g, Product((Symbol("μ"), Symbol("v"))))), "a look ahead"),
        ),
        _nesterov,
    ),
    "rmsprop": Rule(
        1e-3,
        ("v", "d"),
        (
            _eq("v", _running("v", "β", _SQUARED), "a running mean of squares, β = 0.9"),
            _eq(
                "d",
                Fraction(_g, Power(Sum((Symbol("v"), Symbol("ε"))), Number(0.5))),
                "each weight at its own scale",
            ),
        ),
        _rmsprop,
    ),
    "adam": Rule(
        1e-3,
        ("m", "v", "m̂", "v̂", "d"),
        (
            _eq("m", _running("m", "β₁", _g), "a running mean of the gradient, β₁ = 0.9"),
            _eq("v", _running("v", "β₂", _SQUARED), "and of its square, β₂ = 0.999"),
            _eq("m̂", _unbiased("m", "β₁"), "both begin at 0: made up for"),
            _eq("v̂", _unbiased("v", "β₂"), ""),
            _eq(
                "d",
                Fraction(Symbol("m̂"), Sum((Power(Symbol("v̂"), Number(0.5)), Symbol("ε")))),
                "about 1 where gradients agree, ε = 1e-8",
            ),
        ),
        _adam,
    ),
}


def step_section(stepping: Stepping, optimizer: str, learning_rate: float | None, steps: int) -> Section:
    """The steps on one weight while all others rest.

    Raises
    ------
    ArgumentError
        For an optimizer that is not told here, a rate not above 0, or steps not from 1 to 1,000.
    """
    if optimizer not in RULES:
        raise ArgumentError(
            f"optimizer must be one of {', '.join(RULES)} to be shown step by step; got {quoted(optimizer)}."
            f"{did_you_mean(str(optimizer), RULES)}"
        )
    if not (isinstance(steps, int) and 1 <= steps <= 1000):
        raise ArgumentError(f"steps must be a whole number from 1 to 1,000; got {steps!r}.")
    rule = RULES[optimizer]
    rate = rule.rate if learning_rate is None else learning_rate
    if not (isinstance(rate, Real) and 0 < rate < inf):
        raise ArgumentError(f"learning_rate must be above 0, and finite; got {learning_rate!r}.")
    walked = walk(stepping, rule, float(rate), steps)
    lines: list[Line] = [
        Equation((_g, Words("∂L/∂w"))),
        *rule.equations,
        Equation(
            (Symbol("w"), Sum((_w, Negative(Product((_eta, Symbol("d"))))))), f"the step, with η = {rate:g}"
        ),
    ]
    head = tuple(map(Words, ("step", "w", "L", "g", *rule.state, "new w", "new L")))
    rows = tuple(tuple(map(Number, map(float, (t, *row)))) for t, row in enumerate(walked, 1))
    first = walked[0]
    change, promised = first[-1] - first[1], -rate * first[2] * first[-3]
    lines.append(Table(head, rows))
    lines.append(
        Paragraph(
            f"The loss changes by {number(change)}; the derivative alone promised g · (−η d) = "
            f"{number(promised)}, and the difference is the bend of the loss. All other weights rested; in "
            "training they move as well."
        )
    )
    return Section(
        f"{'A step' if steps == 1 else f'{steps} steps'} of {optimizer} on this weight", tuple(lines)
    )


def walk(stepping: Stepping, rule: Rule, rate: float, steps: int) -> list[tuple[float, ...]]:
    """(w, L, g, state…, new w, new L) of each step."""
    walked: list[tuple[float, ...]] = []
    value = stepping.value
    loss, gradient = stepping.at(value)

    def gradients() -> Iterator[float]:
        while True:
            yield gradient

    for _, state in zip(range(steps), rule.steps(gradients()), strict=False):
        new = value - rate * state[-1]
        before = value, loss, gradient
        loss, gradient = stepping.at(new)
        walked.append((*before, *state, new, loss))
        value = new
    return walked

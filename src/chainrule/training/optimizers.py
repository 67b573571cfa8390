"""Optimizers by name: which way a gradient moves the parameters. All are optax's.

An optimizer gives a *direction* d; the loop then takes the step p ← p − rate · factor(t) · (d + decay · p),
so that learning rate, schedule and decoupled weight decay are the same for all of them. Weight decay
spares the biases.
"""

from collections.abc import Callable
from functools import lru_cache
from typing import Any, NamedTuple

import optax

from chainrule.errors import ArgumentError
from chainrule.mathematics.named import find, reduce_by_name


class Optimizer(NamedTuple):
    """A rule that turns gradients into directions."""

    name: str
    direction: optax.GradientTransformation
    learning_rate: float
    """Used where the user names none."""
    source: str
    weight_decay: float = 0.0
    """Used where the user names none."""
    full_batch: bool = False
    """Whether each step sees all rows."""
    own_rate: bool = False
    """Whether the direction has a learning rate in it already."""

    def __reduce__(self) -> tuple[Any, ...]:
        return reduce_by_name(self, find_optimizer)


# One transformation for the same numbers, however they are passed: equal records share a compiled program.
_identity, _trace, _scale_by_adam = map(lru_cache(64), (optax.identity, optax.trace, optax.scale_by_adam))


def sgd(momentum: float = 0.0, nesterov: bool = False) -> Optimizer:
    """Gradient descent; with momentum μ the direction is v ← μ v + g, with Nesterov's g + μ v."""
    if not 0 <= momentum < 1:
        raise ArgumentError(f"momentum must be at least 0 and below 1; got {momentum!r}.")
    if nesterov and not momentum:
        raise ArgumentError("nesterov must come with a momentum above 0; got momentum = 0.")
    direction = _trace(float(momentum), bool(nesterov)) if momentum else _identity()
    source = "Nesterov 1983" if nesterov else "Polyak 1964" if momentum else "Robbins and Monro 1951"
    return Optimizer(_name("sgd", momentum, nesterov), direction, 1e-2, source)


def adam(beta_1: float = 0.9, beta_2: float = 0.999, epsilon: float = 1e-8) -> Optimizer:
    """Direction m̂ / (√v̂ + ε), from running means of the gradient and of its square."""
    for name, beta in (("beta_1", beta_1), ("beta_2", beta_2)):
        if not 0 <= beta < 1:
            raise ArgumentError(f"{name} must be at least 0 and below 1; got {beta!r}.")
    if not epsilon > 0:
        raise ArgumentError(f"epsilon must be above 0; got {epsilon!r}.")
    direction = _scale_by_adam(float(beta_1), float(beta_2), float(epsilon))
    return Optimizer(_name("adam", beta_1, beta_2, epsilon), direction, 1e-3, "arXiv:1412.6980")


def _name(function: str, *numbers: float) -> str:
    """What find_optimizer finds the record by."""
    return f"{function}({', '.join(repr(float(number)) for number in numbers)})"


OPTIMIZERS: dict[str, Optimizer] = {
    optimizer.name: optimizer
    for optimizer in (
        sgd()._replace(name="sgd"),
        sgd(momentum=0.9)._replace(name="momentum"),
        sgd(momentum=0.9, nesterov=True)._replace(name="nesterov"),
        Optimizer("rmsprop", optax.scale_by_rms(decay=0.9), 1e-3, "Tieleman and Hinton 2012, lecture 6.5"),
        Optimizer("adagrad", optax.scale_by_rss(), 1e-2, "Duchi, Hazan and Singer 2011"),
        adam()._replace(name="adam"),
        adam()._replace(name="adamw", weight_decay=1e-2, source="arXiv:1711.05101"),
        Optimizer("nadam", optax.scale_by_adam(nesterov=True), 1e-3, "Dozat 2016"),
        Optimizer("lion", optax.scale_by_lion(), 1e-4, "arXiv:2302.06675", weight_decay=1e-2),
        Optimizer(
            "lbfgs",
            # lbfgs returns the step, its line search included; the loop subtracts, hence the sign.
            optax.chain(optax.lbfgs(memory_size=10), optax.scale(-1.0)),
            1.0,
            "Liu and Nocedal 1989",
            full_batch=True,
        ),
    )
}


def find_optimizer(optimizer: object) -> Optimizer:
    """Return the record for a name, the record itself, or one around an optax transformation.

    A transformation of one's own, such as ``optax.adam(1e-3)``, brings its learning rate with it.
    """
    if isinstance(optimizer, optax.GradientTransformation):
        return _own(optimizer.init, optimizer.update)
    factories: dict[str, Callable[..., Optimizer]] = {
        "sgd": lambda momentum=0.0, nesterov=0.0: sgd(momentum, bool(nesterov)),
        "adam": adam,
    }
    otherwise = ", an optax transformation"
    return find("optimizer", optimizer, OPTIMIZERS, Optimizer, factories=factories, otherwise=otherwise)


@lru_cache(maxsize=64)
def _own(init: Callable[..., object], update: Callable[..., object]) -> Optimizer:
    """One record for one transformation, so that the same one is compiled once."""
    direction = optax.chain(optax.GradientTransformationExtraArgs(init, update), optax.scale(-1.0))
    return Optimizer("own", direction, 1.0, "the user", own_rate=True)

"""When learning goes wrong, why: a hint in words, with the evidence."""

from collections.abc import Iterator
from typing import NamedTuple

import numpy as np

from chainrule.page.history import Moment

_MANY, _SOME = 0.1, 0.2  # of a layer's units
_SMALL, _LARGE = 1e-4, 1e4  # deltas of the first layer, in those of the last
_RECENT, _LATELY = 40, 5  # epochs
_SATURATED = {"tanh": (-1.0, 1.0), "sigmoid": (0.0, 1.0), "softsign": (-1.0, 1.0)}
"""Activations that level off, and where."""
_NEAR = 0.02  # of the distance between both levels
_WORSE = 1.2  # times the least
_TRIFLE = 0.05  # of the first loss: what matters no more


class Hint(NamedTuple):
    """What is wrong, how one sees it, what to do."""

    level: str
    """"warning" or "note"."""
    title: str
    evidence: str
    advice: str


class Health(NamedTuple):
    """What hints are found in."""

    moment: Moment
    first: float
    """The loss of the initialisation, which tells what a loss is worth."""
    losses: np.ndarray
    """Of each epoch so far, from 1 on."""
    validated: np.ndarray
    """The same of the rows that validate, where there are any."""
    activations: tuple[str, ...]
    h: tuple[np.ndarray, ...]
    """What each hidden layer says, (rows, units)."""
    z: tuple[np.ndarray, ...]
    deltas: tuple[np.ndarray, ...]
    """∂L/∂z of each affine map, (rows, units)."""


def hints(health: Health) -> list[Hint]:
    """All there are, the gravest first; of a network that is not finite, that alone."""
    with np.errstate(all="ignore"):  # of weights that nearly overflow
        return list(_not_finite(health)) or [
            *_rate(health),
            *_deltas(health),
            *_dead(health),
            *_saturated(health),
            *_over_fitting(health),
        ]


def _not_finite(health: Health) -> Iterator[Hint]:
    moment = health.moment
    if moment.loss is not None and (moment.diverged or not np.isfinite(moment.loss)):
        yield Hint(
            "warning",
            "The loss is not finite",
            f"In epoch {moment.epoch} the loss became {moment.loss:.3g}: a step was so long that numbers "
            "overflowed.",
            "Rewind, then lower the learning rate; look for enormous values in the table.",
        )


def _rate(health: Health) -> Iterator[Hint]:
    losses = health.losses[-_RECENT:]
    if len(losses) < _RECENT // 2 or not np.isfinite(losses).all():
        return
    steps = np.diff(losses)
    turns = float((steps[1:] * steps[:-1] < 0).mean())
    swing = float(np.abs(steps).mean() / max(np.abs(losses).mean(), 1e-12))
    half = len(losses) // 2
    falls = losses[half:].mean() < 0.98 * losses[:half].mean()
    trifle = _TRIFLE * abs(health.first)
    if np.abs(steps).mean() > trifle and swing > 0.1 and turns > 0.4 and not falls:
        yield Hint(
            "warning",
            "The learning rate may be too high",
            f"Over the last {len(losses)} epochs the loss went up and down by {swing:.0%} an epoch, and did "
            "not fall.",
            "Divide the learning rate by 3.",
        )
    elif losses[-1] - losses[0] > max((_WORSE - 1) * abs(losses[0]), trifle) and not falls:
        yield Hint(
            "warning",
            "The learning rate may be too high",
            f"The loss rose from {losses[0]:.3g} to {losses[-1]:.3g} over the last {len(losses)} epochs.",
            "Divide the learning rate by 3, or rewind.",
        )


def _deltas(health: Health) -> Iterator[Hint]:
    sizes = [float(np.sqrt(np.mean(delta**2))) for delta in health.deltas]
    if len(sizes) < 3 or not np.isfinite(sizes).all() or sizes[-1] == 0:
        return
    ratio = sizes[0] / sizes[-1]
    evidence = f"|δ| is {sizes[0]:.1e} in the first layer and {sizes[-1]:.1e} in the last."
    if ratio < _SMALL:
        yield Hint(
            "warning",
            "δ vanishes on its way back",
            evidence,
            "Take fewer layers, relu or silu in the place of activations that level off, or residual layers.",
        )
    elif ratio > _LARGE:
        yield Hint(
            "warning",
            "δ explodes on its way back",
            evidence,
            "Take layer normalisation, or a lower learning rate.",
        )


def _dead(health: Health) -> Iterator[Hint]:
    """Units that say the same of every row, and whose δ is 0: nothing can wake them."""
    for layer, (h, z) in enumerate(zip(health.h, health.z, strict=True), 1):
        dead = (h.std(axis=0) == 0) & (z.std(axis=0) > 0)
        if dead.any():
            count = int(dead.sum())
            yield Hint(
                "warning" if dead.mean() > _MANY else "note",
                f"Dead units in layer {layer}",
                f"{count} of {len(dead)} units (the first: {int(dead.argmax()) + 1}) say "
                f"{h[0, dead.argmax()]:.3g} of every row, whatever comes in: no δ passes through them.",
                "Lower the learning rate, or take leaky_relu or silu.",
            )


def _saturated(health: Health) -> Iterator[Hint]:
    """Units where an activation is flat; not of a network that is done, whose units are sure."""
    loss = health.moment.loss
    if loss is not None and abs(loss) < _TRIFLE * abs(health.first):
        return
    for layer, (h, name) in enumerate(zip(health.h, health.activations, strict=True), 1):
        if name not in _SATURATED:
            continue
        low, high = _SATURATED[name]
        near = _NEAR * (high - low)
        share = (np.minimum(h - low, high - h) < near).mean(axis=0)
        stuck = share > 0.9
        if stuck.mean() > _SOME:
            yield Hint(
                "warning" if stuck.mean() > 0.5 else "note",
                f"Saturated units in layer {layer}",
                f"{int(stuck.sum())} of {len(stuck)} units are within 2 % of {low:g} or {high:g} on nine "
                f"rows in ten, where {name} is flat and its slope next to 0.",
                "Take l2 or a lower learning rate; relu and silu do not level off.",
            )


def _over_fitting(health: Health) -> Iterator[Hint]:
    losses, validated = health.losses, health.validated
    if len(validated) < 20:
        return
    best = int(np.argmin(validated))
    least, last = validated[best], validated[-1]
    of_late = validated[-_LATELY:].min()  # one epoch that is worse says nothing
    lost = of_late - least > max((_WORSE - 1) * abs(least), _TRIFLE * abs(health.first))
    if lost and len(validated) - best > 10 and losses[-1] < losses[best]:
        yield Hint(
            "note",
            "Over-fitting",
            f"The loss of the rows that validate was least in epoch {best + 1}, {least:.3g}, and is "
            f"{last:.3g} now, while that of the rows that are learnt from fell from {losses[best]:.3g} to "
            f"{losses[-1]:.3g}.",
            f"Rewind to epoch {best + 1}; take l2, dropout, fewer units, or more rows.",
        )

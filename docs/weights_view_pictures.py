"""The pictures of the tutorial, drawn with what the report draws with."""

from collections.abc import Mapping, Sequence
from itertools import pairwise

import numpy as np

from chainrule.report.svg import WIDTH, Axis, dots, figure, label, path, picture, plot, rule

__all__ = ["lines", "paths", "sigma", "tangent"]

_KINDS = "one", "two", "three"


def sigma(
    z: np.ndarray, values: np.ndarray, slopes: np.ndarray, at: np.ndarray, a: np.ndarray, caption: str
) -> str:
    """An activation and its slope, with where the units are."""
    x, y = Axis.across(float(z[0]), float(z[-1])), Axis.upwards(-1, 1)
    body = plot(x, y, "z", "σ(z), and dashed its slope σ′(z)")
    body += path(x.at(z), y.at(slopes), "dashed") + path(x.at(z), y.at(values), "line one")
    body += dots(x.at(at), y.at(a), "point two")
    return figure(picture("An activation and its slope", caption, body), caption)


def tangent(w: np.ndarray, losses: np.ndarray, now: float, loss: float, slope: float, caption: str) -> str:
    """The loss as a function of one weight, with its tangent."""
    x, y = Axis.across(float(w[0]), float(w[-1])), Axis.upwards(0, float(losses.max()))
    straight = loss + slope * (w - now)
    inside = (straight >= 0) & (straight <= losses.max())
    body = plot(x, y, "w", "L(w), and dashed its tangent")
    body += path(x.at(w), y.at(losses), "line one")
    body += path(x.at(w[inside]), y.at(straight[inside]), "dashed")
    body += dots(x.at(np.array([now])), y.at(np.array([loss])), "point two")
    return figure(picture("The loss as a function of one weight", caption, body), caption)


def paths(sizes: Sequence[int], to: int, source: int, names: Sequence[str], caption: str) -> str:
    """A network, and every way that leads on from one weight, which carries input ``source`` to unit ``to``."""
    across = np.linspace(30, WIDTH - 30, len(sizes))
    places = [128 + 52 * (np.arange(size) - (size - 1) / 2) for size in sizes]
    plain, marked = "", ""
    for layer, (left, right) in enumerate(pairwise(places)):
        for i, a in enumerate(left):
            for j, b in enumerate(right):
                on = layer > 1 or (layer == 1 and i == to) or (layer == 0 and (i, j) == (source, to))
                drawn = rule(across[layer : layer + 2].tolist(), (a, b), "line one" if on else "grid")
                plain, marked = (plain, marked + drawn) if on else (plain + drawn, marked)
    units = "".join(dots(np.full(len(y), x), y, "point unit") for x, y in zip(across, places, strict=True))
    said = "".join(label(x, 14, name, "middle", "name") for x, name in zip(across, names, strict=True))
    return figure(
        picture("The ways from a weight to the loss", caption, plain + marked + units + said), caption
    )


def lines(
    curves: Mapping[str, np.ndarray], x_name: str, y_name: str, caption: str, *, logarithmic: bool = False
) -> str:
    """Up to three lines over 0, 1, 2, …, each with its name at its end."""
    longest = max(len(curve) for curve in curves.values())
    low, high = (
        pick(curve.min() if pick is min else curve.max() for curve in curves.values()) for pick in (min, max)
    )
    x, y = Axis.across(0, longest - 1), Axis.upwards(float(low), float(high), logarithmic=logarithmic)
    body = plot(x, y, x_name, y_name)
    for kind, (_name, curve) in zip(_KINDS, curves.items(), strict=False):
        body += path(x.at(np.arange(len(curve))), y.at(curve), f"line {kind}")
    said = "".join(
        f'<span class="key {kind}">{name}</span>' for kind, name in zip(_KINDS, curves, strict=False)
    )
    return figure(picture(caption, f"{y_name} over {x_name}", body), f"{said}<br>{caption}")

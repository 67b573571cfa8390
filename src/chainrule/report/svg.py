"""Pictures as SVG inside of the page: scales, axes, marks. Colours are the page's, by class."""

import math
from collections.abc import Sequence
from typing import NamedTuple

import numpy as np

from chainrule.report.findings import Numbers
from chainrule.report.texts import esc, number, percent

__all__ = [
    "BOTTOM",
    "HEIGHT",
    "WIDTH",
    "Axis",
    "bar",
    "dots",
    "figure",
    "label",
    "path",
    "picture",
    "plot",
    "rule",
]

# Small units: on a phone, where the picture is as wide as the page, its letters keep their size.
WIDTH, HEIGHT = 360, 256
_LEFT, _RIGHT, _TOP, BOTTOM = 50, 12, 30, 40


class Axis(NamedTuple):
    """A range of values on a range of the picture."""

    low: float
    high: float
    start: float
    end: float
    logarithmic: bool = False

    @classmethod
    def across(cls, low: float, high: float, *, logarithmic: bool = False) -> "Axis":
        """From the left to the right of the plot."""
        return cls(*_apart(low, high, logarithmic), _LEFT, WIDTH - _RIGHT, logarithmic)

    @classmethod
    def upwards(cls, low: float, high: float, *, logarithmic: bool = False) -> "Axis":
        """From the bottom to the top of the plot."""
        return cls(*_apart(low, high, logarithmic), HEIGHT - BOTTOM, _TOP, logarithmic)

    def at(self, values: Numbers) -> Numbers:
        """Where values lie in the picture; those beyond the range at its end."""
        low, high, inside = self.low, self.high, np.clip(values, self.low, self.high)
        if self.logarithmic:
            low, high, inside = math.log(low), math.log(high), np.log(inside)
        # Halved, since the difference of the two ends may be greater than any float.
        share = (inside / 2 - low / 2) / (high / 2 - low / 2)
        return np.asarray(self.start + share * (self.end - self.start), np.float64)

    def place(self, value: float) -> float:
        """Where one value lies."""
        return float(self.at(np.array([value]))[0])

    def ticks(self) -> list[float]:
        """Round values, at most six."""
        if self.logarithmic:
            found = [
                digit * 10.0**power
                for power in range(math.floor(math.log10(self.low)), math.ceil(math.log10(self.high)) + 1)
                for digit in (1, 2, 5)
            ]
            inside = [value for value in found if self.low <= value <= self.high]
            if len(inside) >= 2:
                return inside[:: math.ceil(len(inside) / 6)]
        rough = (self.high / 5 - self.low / 5) or 1.0
        unit = 10.0 ** math.floor(math.log10(rough))
        step = next(unit * size for size in (1, 2, 5, 10) if unit * size >= rough * 0.999)
        first, last = math.ceil(self.low / step * 0.999999999), math.floor(self.high / step * 1.000000001)
        return [step * k for k in range(first, min(last, first + 12) + 1)]


def picture(title: str, description: str, body: str, height: float = HEIGHT) -> str:
    """A picture that a screen reader can tell of; title and description are plain text."""
    return (
        f'<svg viewBox="0 0 {WIDTH} {height:g}" role="img" aria-label="{esc(title)}" '
        f'xmlns="http://www.w3.org/2000/svg"><title>{esc(title)}</title><desc>{esc(description)}</desc>'
        f"{body}</svg>"
    )


def figure(drawing: str, caption: str) -> str:
    """A picture with its sentence, which is HTML already."""
    return f"<figure>{drawing}<figcaption>{caption}</figcaption></figure>"


def plot(x: Axis, y: Axis, x_name: str, y_name: str, *, shares: bool = False) -> str:
    """Grid, ticks and names of two axes."""
    lines = [
        f'<path class="grid" d="M{_LEFT} {place:.1f}H{WIDTH - _RIGHT}"/>' for place in map(y.place, y.ticks())
    ]
    marks = [label(_LEFT - 6, y.place(tick) + 4, _tick(tick, shares), "end") for tick in y.ticks()]
    marks += [label(x.place(tick), HEIGHT - BOTTOM + 16, _tick(tick, shares), "middle") for tick in x.ticks()]
    names = label((_LEFT + WIDTH - _RIGHT) / 2, HEIGHT - 7, x_name, "middle", "name")
    names += label(0, 13, y_name, kind="name")  # above the axis, where it can be read without turning
    base = f'<path class="axis" d="M{_LEFT} {HEIGHT - BOTTOM}H{WIDTH - _RIGHT}"/>'
    return "".join((*lines, base, *marks, names))


def label(x: float, y: float, text: str, anchor: str = "start", kind: str = "tick") -> str:
    """Words in the picture."""
    return f'<text class="{kind}" x="{x:.1f}" y="{y:.1f}" text-anchor="{anchor}">{esc(text)}</text>'


def path(x: Numbers, y: Numbers, kind: str) -> str:
    """A line through points, interrupted where there is none."""
    steps, move = [], "M"
    for a, b in zip(x.tolist(), y.tolist(), strict=True):
        if math.isfinite(a) and math.isfinite(b):
            steps.append(f"{move}{a:.1f} {b:.1f}")
            move = "L"
        else:
            move = "M"
    return f'<path class="{kind}" d="{"".join(steps)}"/>' if steps else ""


def dots(x: Numbers, y: Numbers, kind: str) -> str:
    """Many dots as one path of lines of no length, which have round ends."""
    places = dict.fromkeys(f"M{a:.1f} {b:.1f}h0" for a, b in zip(x.tolist(), y.tolist(), strict=True))
    return f'<path class="{kind}" d="{"".join(places)}"/>' if places else ""


def bar(x: float, y: float, width: float, height: float, kind: str = "one") -> str:
    """A rectangle in one of the two colours."""
    return f'<rect class="bar {kind}" x="{x:.1f}" y="{y:.1f}" width="{width:.1f}" height="{height:.1f}"/>'


def rule(x: Sequence[float], y: Sequence[float], kind: str) -> str:
    """A straight line between two points of the picture."""
    return f'<path class="{kind}" d="M{x[0]:.1f} {y[0]:.1f}L{x[1]:.1f} {y[1]:.1f}"/>'


def _apart(low: float, high: float, logarithmic: bool) -> tuple[float, float]:
    """A range that is none is widened, so that a constant lies in its middle."""
    if high > low:
        return low, high
    if logarithmic:
        return low / 2, high * 2
    wider = abs(low) / 10 or 1.0
    return low - wider, high + wider


def _tick(value: float, shares: bool) -> str:
    if shares:
        return percent(value, 0)
    if 1e6 <= abs(value) < 1e9:
        return f"{value / 1e6:,.6g} M".replace("-", "−")
    if value == 0 or 1e-3 <= abs(value) < 1e6:
        return f"{value:,.10g}".replace("-", "−")
    return number(value, len(f"{abs(value):.10e}".split("e")[0].rstrip("0.").replace(".", "")))

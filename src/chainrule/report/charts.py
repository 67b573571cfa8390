"""The pictures of a report, each with one sentence for a reader who is no statistician."""

import math
from itertools import pairwise

import numpy as np

from chainrule.report.findings import Calibration, ClassAnswers, Curves, Importances, NumberAnswers, Numbers
from chainrule.report.svg import (
    BOTTOM,
    HEIGHT,
    WIDTH,
    Axis,
    bar,
    dots,
    figure,
    label,
    path,
    picture,
    plot,
    rule,
)
from chainrule.report.texts import brief, decimals, esc, number, percent, plural

__all__ = [
    "BARS",
    "bars",
    "learning_curves",
    "predicted_and_true",
    "reliability_diagram",
    "residuals",
    "roc_curve",
]

_POINTS = 300
BARS = 20
"""So many columns are drawn."""
_WIDE = 100


def learning_curves(curves: Curves) -> str:
    """Losses over epochs, with the kept epoch marked; "" if there is nothing to draw."""
    lines = [("training", "one", np.asarray(curves.training, np.float64))]
    if curves.validation is not None:
        lines.append(("validation", "two", np.asarray(curves.validation, np.float64)))
    everything = np.concatenate([values for _, _, values in lines])
    everything = everything[np.isfinite(everything)]
    if not len(everything):
        return ""
    epochs = max(len(values) for _, _, values in lines)
    low, high = float(everything.min()), float(everything.max())
    logarithmic = low > 0 and high > _WIDE * low
    x = Axis.across(min(1, epochs - 1), epochs)
    y = Axis.upwards(low if logarithmic else min(low, 0), high, logarithmic=logarithmic)
    body = plot(x, y, "epoch", "loss")
    kept = x.place(curves.kept)
    body += rule((kept, kept), (y.start, y.end), "dashed")
    side = (-5, "end") if kept > WIDTH / 2 else (5, "start")
    body += label(kept + side[0], y.end + 9, f"kept: {curves.kept:,}", side[1])
    for place, (name, kind, values) in enumerate(lines):
        body += _curve(x, y, values, kind)
        if 0 < curves.kept <= len(values) and np.isfinite(values[curves.kept - 1]):
            body += dots(np.array([kept]), y.at(values[curves.kept - 1 : curves.kept]), f"point {kind}")
        body += _key(name, kind, place)
    told = "The lower the loss, the better the network fits the rows. "
    if curves.validation is not None:
        told += (
            "It never learnt from the validation rows (orange): where only the training loss (blue) still "
            "falls, it learns by heart. "
        )
    told += f"The parameters of epoch {curves.kept:,} are the ones that were kept."
    said = f"{plural(epochs, 'epoch')}; loss from {number(float(everything[0]))} down to {number(low)}."
    return figure(picture("Learning curves", said, body), told)


def predicted_and_true(answers: NumberAnswers, target: str) -> str:
    """A dot for each row, on the diagonal where the prediction is right."""
    low, high = answers.low, answers.high
    logarithmic = low > 0 and high > _WIDE * low
    x = Axis.across(low, high, logarithmic=logarithmic)
    y = Axis.upwards(low, high, logarithmic=logarithmic)
    body = plot(x, y, f"true {brief(target)}", f"predicted {brief(target, 24)}")
    body += rule((x.start, x.end), (y.start, y.end), "dashed")
    body += dots(x.at(answers.true), y.at(answers.predicted), "cloud one")
    shown = len(answers.true)
    told = "Each dot is a row: the nearer it lies to the dashed line, the better the prediction."
    if shown < answers.rows:
        told += f" {shown:,} of {plural(answers.rows, 'row')} are shown."
    said = f"{plural(shown, 'dot')}, values from {number(low)} to {number(high)}."
    return figure(picture("Predicted and true values", said, body), told)


def residuals(answers: NumberAnswers) -> str:
    """A histogram of what is missing to the truth."""
    edges, counts = answers.edges, answers.counts
    x = Axis.across(float(edges[0]), float(edges[-1]))
    y = Axis.upwards(0, float(max(counts.max(initial=0), 1)))
    body = plot(x, y, "true − predicted", "rows")
    body += _columns(x, y, edges, counts)
    zero = x.place(0.0)
    body += rule((zero, zero), (y.start, y.end), "dashed")
    told = "How far off predictions are: bars left of the dashed line are rows that were predicted too high, "
    told += "bars right of it too low."
    if answers.outside:
        verb = "is" if answers.outside == 1 else "are"
        told += f" {plural(answers.outside, 'row')} further out {verb} left out."
    said = (
        f"{plural(answers.rows, 'row')}, errors from {number(float(edges[0]))} to {number(float(edges[-1]))}."
    )
    return figure(picture("Errors", said, body), told)


def reliability_diagram(calibration: Calibration) -> str:
    """Predicted probabilities and what came true, with dots the larger the more rows they stand for."""
    x, y = Axis.across(0, 1), Axis.upwards(0, 1)
    predicted, observed = x.at(calibration.predicted), y.at(calibration.observed)
    body = plot(x, y, f"probability of {calibration.of}", "how often it was true", shares=True)
    body += rule((x.start, x.end), (y.start, y.end), "dashed") + path(predicted, observed, "line one")
    most = max(float(np.max(calibration.rows, initial=0)), 1)
    for a, b, rows in zip(predicted, observed, calibration.rows, strict=True):
        if np.isfinite([a, b]).all():
            radius = 2.5 + 3 * float(np.sqrt(rows / most))
            body += f'<circle class="spot one" cx="{a:.1f}" cy="{b:.1f}" r="{radius:.1f}"/>'
    eighty = percent(0.8, 0)
    told = (
        f"Of the rows that were given {eighty}, say, it should be true for {eighty}: on the dashed line, "
        "probabilities can be taken at their word. Below it, the model is too sure."
    )
    if calibration.error is not None:
        told += f" On average they are off by {percent(calibration.error)}"
        if calibration.error_before is not None and calibration.temperature not in (None, 1.0):
            told += f"; before they were corrected (temperature {number(calibration.temperature)}) it was by "
            told += percent(calibration.error_before)
        told += "."
    said = f"{plural(len(calibration.predicted), 'group')} of rows."
    return figure(picture("Reliability of probabilities", said, body), told)


def roc_curve(answers: ClassAnswers) -> str:
    """True against false positives for two classes; "" where there is none."""
    if answers.roc is None:
        return ""
    x, y = Axis.across(0, 1), Axis.upwards(0, 1)
    second = brief(answers.classes[1], 28)
    body = plot(x, y, "false alarms among the others", f"found of {second}", shares=True)
    body += rule((x.start, x.end), (y.start, y.end), "dashed")
    body += path(x.at(answers.roc[0]), y.at(answers.roc[1]), "line one")
    told = (
        f"How many rows of {esc(second)} are found, and how many others are taken for it, whichever "
        "threshold one chooses: good curves rise steeply; the dashed line is guessing."
    )
    return figure(picture("ROC curve", "True positive rate over false positive rate.", body), told)


def bars(importances: Importances) -> str:
    """By how much the score falls for each column, at most 20 of them."""
    shown = importances.single[:BARS]
    if not shown:
        return ""
    texts = [brief(" + ".join(item.columns), 19) for item in shown]
    names, step, top = 12 + 6.2 * max(map(len, texts)), 20, 6
    falls = np.array([item.fall for item in shown])
    falls[~np.isfinite(falls)] = 0
    spreads = np.nan_to_num([item.spread for item in shown], posinf=0)
    low, high = min(float((falls - spreads).min()), 0.0), max(float((falls + spreads).max()), 0.0)
    x = Axis.across(low, high)._replace(start=names, end=WIDTH - 44)
    zero, body = x.place(0.0), ""
    places = min(max(0, 2 - math.floor(math.log10(high or 1.0))), 8)  # the same for all bars
    for place, item in enumerate(shown):
        middle = top + step * place + step / 2
        left, right = sorted((zero, x.place(falls[place])))
        body += label(names - 8, middle + 4, texts[place], "end")
        body += bar(left, middle - 6, right - left, 12)
        ends = x.at(np.array([falls[place] - spreads[place], falls[place] + spreads[place]]))
        body += rule(ends.tolist(), (middle, middle), "whisker")
        body += label(max(right, ends[1]) + 5, middle + 4, decimals(item.fall, places))
    height = top + step * len(shown) + 6
    body += rule((zero, zero), (top, height - 6), "axis")
    told = (
        f"By how much {esc(importances.score)} falls from {number(importances.before)} when the values of a "
        f"column are shuffled among {plural(importances.rows, 'row')} (mean and spread of "
        f"{plural(importances.repeats, 'shuffle')}): the longer the bar, the more the model relies on the "
        "column. Columns that say the same share their importance, and what matters to the model need not be "
        "a cause."
    )
    said = f"The {len(shown)} most important columns, first {shown[0].columns[0]}."
    return figure(picture("Importance of columns", said, body, height), told)


def _curve(x: Axis, y: Axis, values: Numbers, kind: str) -> str:
    if not len(values):
        return ""
    some = np.unique(np.linspace(0, len(values) - 1, _POINTS).round().astype(int))
    places = y.at(values[some])
    if len(values) == 1:
        return dots(x.at(np.array([1.0])), places, f"point {kind}") if np.isfinite(places).all() else ""
    return path(x.at(some + 1.0), places, f"line {kind}")


def _columns(x: Axis, y: Axis, edges: Numbers, counts: np.ndarray) -> str:
    body = ""
    for (a, b), count in zip(pairwise(x.at(edges).tolist()), counts.tolist(), strict=True):
        if count:
            top = y.place(count)
            body += bar(a + 0.5, top, max(b - a - 1, 0.5), HEIGHT - BOTTOM - top)
    return body


def _key(name: str, kind: str, place: int) -> str:
    """What a colour means, above the plot."""
    x = WIDTH - 190 + 94 * place
    return rule((x, x + 16), (9, 9), f"line {kind}") + label(x + 21, 13, name)

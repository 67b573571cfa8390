"""A page on what predictions come from: the columns of a table, and those of one row."""

import math
from typing import NamedTuple

import numpy as np

from chainrule.report.document import document, section
from chainrule.report.svg import WIDTH, Axis, bar, figure, label, picture, rule
from chainrule.report.texts import brief, esc, number, paragraph, plural, table

__all__ = ["Explained", "Part", "RowParts", "folded", "importance_bars", "render_explained", "waterfall"]

MOST = 20
"""So many columns are shown one by one."""

_STEP, _TOP, _LETTER = 20, 6, 6.2


class Part(NamedTuple):
    """What a column adds to an output."""

    column: str
    value: str
    """What the row has there."""
    adds: float
    gradient: float | None = None
    """∂output/∂column, where there is one."""


class RowParts(NamedTuple):
    """One row, taken apart: baseline + what the columns add = output."""

    number: int
    """From 1 on, as in the table."""
    of: str
    """What is predicted, such as "price", or "species = Adelie"."""
    baseline: float
    output: float
    remainder: float
    parts: tuple[Part, ...]
    """Those that add most first."""


class Explained(NamedTuple):
    """All that the page says."""

    of: str
    """What is predicted."""
    unit: str
    """What of the prediction is explained: the "prediction", its logarithm, log-odds."""
    compared: str
    """With what rows are compared, in words."""
    model: str
    table: str
    date: str
    version: str
    rows: int
    """How many were looked at for the importance."""
    importance: tuple[tuple[str, float], ...]
    """Columns and their mean |attribution|, the largest first."""
    row: RowParts | None = None


def render_explained(found: Explained) -> str:
    """Write the page as HTML; it has no script and loads nothing, and all names and values are escaped."""
    title = f"What predictions of {brief(found.of)} come from"
    lead = (
        f"Explained is the {esc(found.unit)}. The columns share its difference from {esc(found.compared)} "
        "among them, by integrated gradients: what they add makes up that difference, no more and no less."
    )
    parts = []
    if found.row is not None:
        name = f"Row {found.row.number:,}"
        parts.append(
            section("row", name, waterfall(found.row, found.unit, found.compared) + _cells(found.row))
        )
    if found.importance:
        parts.append(section("importance", "Which columns matter", importance_bars(found)))
    where = f" · {esc(brief(found.model, 80))}" if found.model else ""
    eyebrow = paragraph(f"chainrule explanation · {esc(found.date)}{where}", "eyebrow")
    foot = paragraph(
        f"Written by chainrule {esc(found.version)} on {esc(found.date)} from {esc(brief(found.table, 80))}. "
        "This page loads nothing and runs no script. What matters to the model need not be a cause."
    )
    head = f"<header>{eyebrow}<h1>{esc(title)}</h1>{paragraph(lead, 'lead')}</header>"
    return document(title, f"{head}<main>{''.join(parts)}</main><footer>{foot}</footer>")


def folded(parts: tuple[Part, ...], most: int = MOST) -> tuple[Part, ...]:
    """The columns that add most, and all the others as one."""
    if len(parts) <= most:
        return parts
    rest = parts[most - 1 :]
    others = Part(f"{len(rest):,} other columns", "", math.fsum(part.adds for part in rest))
    return (*parts[: most - 1], others)


def waterfall(row: RowParts, unit: str, compared: str) -> str:
    """From the baseline at the top to the output at the bottom, a step for each column."""
    shown = folded(row.parts)
    texts = [_named(part, 22) for part in shown]
    start = 12 + _LETTER * max(map(len, [*texts, "baseline"]))
    steps = row.baseline + np.cumsum([0.0, *(part.adds for part in shown)])
    if not np.isfinite([*steps, row.output]).all():
        return ""
    x = Axis.across(float(steps.min()), float(steps.max()))._replace(start=start, end=WIDTH - 52)
    height = _TOP + _STEP * (len(shown) + 2) + 6
    base = x.place(row.baseline)
    body = rule((base, base), (_TOP + _STEP / 2, height - 6), "dashed")
    body += _end("baseline", row.baseline, base, 0, start)
    for place, (part, text) in enumerate(zip(shown, texts, strict=True), start=1):
        middle = _TOP + _STEP * place + _STEP / 2
        ends = sorted(x.at(steps[place - 1 : place + 1]).tolist())
        body += label(start - 8, middle + 4, text, "end")
        body += bar(ends[0], middle - 6, ends[1] - ends[0], 12, "two" if part.adds < 0 else "one")
        body += label(ends[1] + 5, middle + 4, _signed(part.adds))
    body += _end("output", row.output, x.place(row.output), len(shown) + 1, start)
    told = (
        f"From {esc(compared)}, {number(row.baseline, 4)}, to the {esc(unit)} of this row for {esc(row.of)}, "
        f"{number(row.output, 4)}: blue columns (+) raise it, orange ones (−) lower it."
    )
    if row.remainder:
        told += (
            f" Numerical integration missed {number(abs(row.remainder), 2)} of the difference, which is "
            "shared among the columns in proportion to their sizes."
        )
    said = f"{plural(len(shown), 'step')} from {number(row.baseline)} to {number(row.output)}."
    return figure(picture(f"Row {row.number}", said, body, height), told)


def importance_bars(found: Explained) -> str:
    """The mean size of what each column adds, at most 20 of them."""
    shown = found.importance[:MOST]
    texts = [brief(name, 24) for name, _ in shown]
    start = 12 + _LETTER * max(map(len, texts))
    x = Axis.across(0, max(max(value for _, value in shown), 0.0) or 1.0)._replace(
        start=start, end=WIDTH - 44
    )
    height, body = _TOP + _STEP * len(shown) + 6, ""
    for place, ((_, value), text) in enumerate(zip(shown, texts, strict=True)):
        middle = _TOP + _STEP * place + _STEP / 2
        body += label(start - 8, middle + 4, text, "end")
        body += bar(start, middle - 6, x.place(value) - start, 12)
        body += label(x.place(value) + 5, middle + 4, number(value))
    body += rule((start, start), (_TOP, height - 6), "axis")
    told = (
        f"By how much each column moves the {esc(found.unit)}, up or down, in the mean over "
        f"{plural(found.rows, 'row')}: the longer the bar, the more it matters."
    )
    rest = len(found.importance) - len(shown)
    if rest:
        told += f" {plural(rest, 'more column')} {'matters' if rest == 1 else 'matter'} less."
    said = f"The {len(shown)} columns that matter most, first {shown[0][0]}."
    return figure(picture("Importance of columns", said, body, height), told)


def _cells(row: RowParts) -> str:
    cells = [
        (esc(brief(p.column)), esc(brief(p.value)), _signed(p.adds), number(p.gradient))
        for p in row.parts[:100]
    ]
    left_out = len(row.parts) - len(cells)
    return table(
        "What each column adds, and what one more unit of it would",
        ("column", "value", "adds", "∂output/∂column"),
        cells,
        numeric=(1, 2, 3),
        ending=f"{left_out:,} more columns add less" if left_out else "",
    )


def _end(name: str, value: float, at: float, place: int, start: float) -> str:
    """The baseline or the output: a mark with its number."""
    middle = _TOP + _STEP * place + _STEP / 2
    mark = rule((at, at), (middle - 8, middle + 8), "axis")
    return (
        mark
        + label(start - 8, middle + 4, name, "end", "name")
        + label(at + 5, middle + 4, number(value), kind="name")
    )


def _named(part: Part, longest: int) -> str:
    return brief(f"{part.column} = {part.value}" if part.value else part.column, longest)


def _signed(value: float) -> str:
    return f"+{number(value)}" if value > 0 else number(value)

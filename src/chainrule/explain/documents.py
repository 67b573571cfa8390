"""A whole derivation as LaTeX, as HTML with MathML, and as plain values for JSON."""

from collections.abc import Iterable, Iterator
from itertools import groupby
from math import isfinite
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np

from chainrule.explain.latex import latex, summed, words
from chainrule.explain.mathml import mathml
from chainrule.explain.mathml import summed as mathml_summed
from chainrule.explain.terms import Curve, Equation, Formula, Line, Number, Paragraph, Section, Sum, Table
from chainrule.explain.text import plain
from chainrule.report.document import document
from chainrule.report.svg import Axis, figure, path, picture, plot
from chainrule.report.texts import esc

if TYPE_CHECKING:
    from chainrule.explain.derivation import Derivation

_ROOM = 76
"""Letters of an equation that stay on one line."""
_REASON = 48
"""Letters of a reason that stay beside it, in LaTeX."""


class _Row(NamedTuple):
    """A line of an equation: its left side, sides that are equal to it, or terms that go on from above."""

    left: Formula | None
    sides: tuple[Formula, ...] = ()
    terms: tuple[Formula, ...] = ()


_PREAMBLE = r"""\documentclass{article}
\usepackage[utf8]{inputenc}
\usepackage{amsmath,amssymb}
\usepackage[margin=2cm,landscape]{geometry}
\setlength{\parindent}{0pt}
\allowdisplaybreaks
\begin{document}
"""

FORMULAS = """
.eqs { overflow-x: auto; margin: 1rem 0; }
.eqs math, td math, th math { font-size: 1.08em; }
.eqs td { border: 0; padding: 0.22rem 0.35rem; vertical-align: middle; white-space: nowrap; }
.eqs td.left { text-align: right; }
.eqs table { width: auto; }
.why { color: var(--soft); font-size: 0.875rem; padding-left: 1.2rem; font-style: italic; }
.weight { color: var(--weight); } .forward { color: var(--forward); }
.slope { color: var(--slope); } .backward { color: var(--backward); }
.legend span { margin-right: 1.2rem; font-weight: 600; }
.big math { font-size: 1.6rem; }
:root { --weight: #0a5fb0; --forward: #1a6b3c; --slope: #7a5a00; --backward: #9b1c6b; }
@media (prefers-color-scheme: dark) {
  :root { --weight: #74b6f8; --forward: #7fd1a0; --slope: #e6c35c; --backward: #f59ad0; } }
""".strip()
"""The style of formulas within any page that has the report's colours."""

STYLE = "main, header, footer { max-width: 64rem; }\n" + FORMULAS

LEGEND = (("forward", "values"), ("weight", "weights"), ("slope", "slopes of σ"), ("backward", "derivatives"))


def _rows_of(equation: Equation) -> list[_Row]:
    """The equation cut into lines, before a side that has no room, and within a long sum."""
    rows = [_Row(equation.sides[0])]
    length = 0
    for side in equation.sides[1:]:
        first, *further = _cut(side)
        size = len(plain(first)) + 3
        if rows[-1].terms or (rows[-1].sides and length + size > _ROOM):
            rows.append(_Row(None))
            length = 0
        rows[-1] = rows[-1]._replace(sides=(*rows[-1].sides, first))
        length += size
        rows += [_Row(None, (), part.terms) for part in further]
    return rows


def _cut(side: Formula) -> list[Any]:
    """A sum as sums that have room each; anything else as it is."""
    if not isinstance(side, Sum) or len(plain(side)) <= _ROOM:
        return [side]
    parts: list[list[Formula]] = [[]]
    length = 0
    for term in side.terms:
        size = len(plain(term)) + 3
        if parts[-1] and length + size > _ROOM:
            parts.append([])
            length = 0
        parts[-1].append(term)
        length += size
    return [Sum(tuple(part)) for part in parts]


def latex_page(derivation: "Derivation") -> str:
    """A whole document for pdflatex."""
    parts = [_PREAMBLE, rf"\section*{{{words(derivation.title)}}}", "\n"]
    parts.append(rf"\[ {latex(derivation.symbol)} = {latex(Number(derivation.derived))} \]" + "\n")
    for section in derivation.sections:
        parts.append(rf"\subsection*{{{words(section.title)}}}" + "\n")
        parts.append("".join(_latex_blocks(section)))
    parts.append("\\end{document}\n")
    return "".join(parts)


def _latex_blocks(section: Section) -> Iterator[str]:
    """Equations that follow each other share their equal signs."""
    held: list[str] = []
    for line in section.lines:
        if isinstance(line, Equation):
            held += _latex_lines(line)
            continue
        if held:
            yield _aligned(held)
            held = []
        match line:
            case Paragraph(text):
                yield words(text) + "\n\n"
            case Table(head, rows):
                yield _latex_table(head, rows)
            case Curve(title, x_name, y_name, x, y):
                shown = [(x[k], y[k]) for k in np.linspace(0, len(x) - 1, 6).astype(int)]
                rows = tuple((Number(a), Number(b)) for a, b in shown)
                yield words(f"{title}: {y_name} over {x_name}") + "\n\n" + _latex_table((), rows)
    if held:
        yield _aligned(held)


def _aligned(lines: list[str]) -> str:
    return "\\begin{align*}\n" + " \\\\\n".join(lines) + "\n\\end{align*}\n"


def _latex_lines(equation: Equation) -> list[str]:
    lines = []
    for row in _rows_of(equation):
        begin = "" if row.left is None else latex(row.left)
        end = (
            "".join(f" = {latex(side)}" for side in row.sides) or rf"\qquad {summed(row.terms, begins=False)}"
        )
        lines.append(f"{begin} &{end}")
    if len(equation.reason) > _REASON:  # else it leaves the page
        lines.append(rf"& \rlap{{{words(equation.reason)}}}")
    elif equation.reason:
        lines[-1] += rf" && \text{{{words(equation.reason)}}}"
    return lines


def _latex_table(head: tuple[Formula, ...], rows: tuple[tuple[Formula, ...], ...]) -> str:
    lines = [" & ".join(map(latex, row)) + r" \\" for row in (head, *rows) if row]
    if head:
        lines[0] += r" \hline"
    shape = "r" * len(rows[0] if rows else head)
    return "\\[\\begin{array}{" + shape + "}\n" + "\n".join(lines) + "\n\\end{array}\\]\n"


def html_page(derivation: "Derivation") -> str:
    """A page that needs nothing but a browser."""
    body = f"<header>{_head(derivation)}</header><main>{_sections(derivation)}</main>"
    foot = "<footer><p>Written by chainrule. This page loads nothing and runs no script.</p></footer>"
    return document(derivation.title, body + foot, STYLE)


def html_fragment(derivation: "Derivation") -> str:
    """The same within another page, such as a notebook."""
    return f"<div><style>{STYLE}</style>{html_body(derivation)}</div>"


def html_body(derivation: "Derivation") -> str:
    """The same within a page that has STYLE."""
    return _head(derivation) + _sections(derivation)


def html_legend() -> str:
    """What the colours mean."""
    legend = "".join(f'<span class="{role}">{said}</span>' for role, said in LEGEND)
    return f'<p class="legend soft">{legend}</p>'


def _head(derivation: "Derivation") -> str:
    number = mathml(Number(derivation.derived))
    return (
        f"<h1>{esc(derivation.title)}</h1>"
        f'<p class="big">{_math(mathml(derivation.symbol), "<mo>=</mo>", number)}</p>'
        f"{html_legend()}"
    )


def _sections(derivation: "Derivation") -> str:
    return "".join(
        f"<section><h2>{count}. {esc(section.title)}</h2>{html_lines(section.lines)}</section>"
        for count, section in enumerate(derivation.sections, 1)
    )


def html_lines(lines: Iterable[Line]) -> str:
    """Lines within a page that has STYLE; equations that follow each other share their equal signs."""
    shown = ((kind, "".join(map(_html_line, run))) for kind, run in groupby(lines, type))
    return "".join(
        f'<div class="eqs"><table role="presentation">{lines}</table></div>' if kind is Equation else lines
        for kind, lines in shown
    )


def html_formula(formula: Formula) -> str:
    """A formula within a sentence."""
    return f"<math>{mathml(formula)}</math>"


def _html_equation(equation: Equation) -> str:
    why = f'<span class="why">{esc(equation.reason)}</span>' if equation.reason else ""
    lines = []
    for row in _rows_of(equation):
        begin = "" if row.left is None else _math(mathml(row.left))
        end = "".join(f"<mo>=</mo>{mathml(side)}" for side in row.sides)
        end = end or f'<mspace width="2em"/>{mathml_summed(row.terms, begins=False)}'
        lines.append(f'<tr><td class="left">{begin}</td><td>{_math(end)}')
    return "</td></tr>".join(lines) + f"{why}</td></tr>"


def _math(*parts: str) -> str:
    return f'<math displaystyle="true">{"".join(parts)}</math>'


def _html_line(line: Line) -> str:
    match line:
        case Equation():
            return _html_equation(line)
        case Paragraph(text):
            return f"<p>{esc(text)}</p>"
        case Table(head, rows):
            top = "".join(f'<th scope="col" class="n">{_math(mathml(cell))}</th>' for cell in head)
            body = "".join(
                "<tr>" + "".join(f'<td class="n">{_math(mathml(cell))}</td>' for cell in row) + "</tr>"
                for row in rows
            )
            return (
                f'<div class="wide"><table><thead><tr>{top}</tr></thead><tbody>{body}</tbody></table></div>'
            )
        case Curve():
            return drawn(line)


def drawn(curve: Curve) -> str:
    """The plot as a picture."""
    x, y = np.array(curve.x), np.array(curve.y)
    across, upwards = (
        Axis.across(float(x.min()), float(x.max())),
        Axis.upwards(float(y.min()), float(y.max())),
    )
    body = plot(across, upwards, curve.x_name, curve.y_name)
    said = curve.title
    if curve.slope is not None:
        straight = y[0] + curve.slope * (x - x[0])
        inside = straight >= y.min()
        body += path(across.at(x[inside]), upwards.at(straight[inside]), "dashed")
        said += "; dashed, what the derivative alone promises"
    body += path(across.at(x), upwards.at(y), "line one")
    return figure(picture(curve.title, said, body), esc(said + "."))


def json_page(derivation: "Derivation") -> dict[str, Any]:
    """Plain values; None for a number that overflowed, which JSON does not know."""
    return _finite(
        {
            "title": derivation.title,
            **derivation.facts,
            "derivative": plain(derivation.symbol),
            "order": derivation.order,
            "derived": derivation.derived,
            "compiled": derivation.compiled,
            "finite_difference": derivation.finite_difference,
            "sections": [
                {"title": section.title, "lines": [_json_line(line) for line in section.lines]}
                for section in derivation.sections
            ],
        }
    )


def _finite(value: Any) -> Any:
    match value:
        case dict():
            return {key: _finite(each) for key, each in value.items()}
        case list():
            return [_finite(each) for each in value]
        case float() if not isfinite(value):
            return None
    return value


def _json_line(line: Line) -> dict[str, Any]:
    match line:
        case Equation(sides, reason):
            values = [side.value for side in sides if isinstance(side, Number)]
            found: dict[str, Any] = {
                "equation": " = ".join(map(plain, sides)),
                "latex": " = ".join(map(latex, sides)),
            }
            return found | ({"value": values[-1]} if values else {}) | ({"reason": reason} if reason else {})
        case Paragraph(text):
            return {"text": text}
        case Table(head, rows):
            cells = [
                [cell.value if isinstance(cell, Number) else plain(cell) for cell in row] for row in rows
            ]
            return {"head": list(map(plain, head)), "rows": cells}
        case Curve(title, x_name, y_name, x, y):
            return {"title": title, "x_name": x_name, "y_name": y_name, "x": list(x), "y": list(y)}

"""A whole derivation for a terminal: equal signs in line, and no meaning that is in colours alone."""

from collections.abc import Iterator, Sequence
from textwrap import fill
from typing import TYPE_CHECKING

from rich.cells import cell_len
from rich.text import Text

from chainrule.explain.terms import (
    BACKWARD,
    FORWARD,
    SLOPE,
    WEIGHT,
    Curve,
    Equation,
    Formula,
    Matrix,
    Paragraph,
    Table,
)
from chainrule.explain.text import Piece, number, pieces, plain

if TYPE_CHECKING:
    from chainrule.explain.derivation import Derivation

STYLES = {FORWARD: "green", WEIGHT: "cyan", BACKWARD: "magenta", SLOPE: "yellow"}
LEGEND = ((FORWARD, "values"), (WEIGHT, "weights"), (SLOPE, "slopes of σ"), (BACKWARD, "derivatives"))
_MARGIN = 2
_LONGEST_LEFT = 14


def _legend() -> Text:
    said = Text(end="").append("in colour: ", "dim")
    for place, (role, words) in enumerate(LEGEND):
        said.append(", " if place else "", "dim")
        said.append(words, STYLES[role])
    return said.append("\n")


def text_page(derivation: "Derivation", width: int = 100, *, legend: bool = True) -> Text:
    """As text at most so wide; the roles of symbols have colours, and nothing is said by colour alone.

    ``legend`` says what the colours mean: of no use where there are none.
    """
    page = Text()
    page.append(derivation.title + "\n", "bold")
    page.append_text(_styled(pieces(derivation.symbol)))
    page.append(f" = {number(derivation.derived)}\n", "bold")
    if legend:
        page.append_text(_legend())
    for count, section in enumerate(derivation.sections, 1):
        page.append(f"\n{count}. {section.title}\n", "bold")
        lefts = [plain(line.sides[0]) for line in section.lines if isinstance(line, Equation)]
        left = max((size for size in map(cell_len, lefts) if size <= _LONGEST_LEFT), default=0)
        for line in section.lines:
            match line:
                case Equation(sides, reason):
                    page.append_text(_equation(sides, reason, left, width))
                case Paragraph(text):
                    page.append(_filled(text, width))
                case Table(head, rows):
                    page.append_text(_table(head, rows))
                case Curve():
                    page.append(_plot(line))
    return page


def _equation(sides: Sequence[Formula], reason: str, left: int, width: int) -> Text:
    """The first sides of a section end where its equal signs stand; a side that has no room begins a line."""
    text = Text(" " * _MARGIN)
    text.append_text(_styled(pieces(sides[0])))
    indent = _MARGIN + left
    if text.cell_len > indent and sides[1:]:
        text.append("\n" + " " * indent)
    text.append(" " * (indent - _column(text)))
    for side in sides[1:]:
        if isinstance(side, Matrix) and len(side.rows) > 1:
            text.append(" = ")
            text.append_text(_stacked(side, indent + 3))
            continue
        room = width - _column(text) - 3
        if _column(text) > indent and len(plain(side)) > room:
            text.append("\n" + " " * indent)
        text.append(" = ")
        text.append_text(_wrapped(pieces(side), indent + 3, width, _column(text)))
    if reason:
        said = f"   {reason}"
        fits = _column(text) + len(said) <= width
        text.append(said if fits else f"\n{' ' * (indent + 3)}{reason}", "dim italic")
    text.append("\n")
    return text


def _column(text: Text) -> int:
    """How far its last line has come."""
    return cell_len(text.plain.rpartition("\n")[2])


def _stacked(matrix: Matrix, indent: int) -> Text:
    """A matrix with its rows below each other and its columns in line."""
    cells = [[plain(entry) for entry in row] for row in matrix.rows]
    widths = [max(map(len, column)) for column in zip(*cells, strict=True)]
    lines = ["  ".join(map(str.rjust, row, widths)) for row in cells]
    ends = [("⎛", "⎞"), *[("⎜", "⎟")] * (len(lines) - 2), ("⎝", "⎠")]
    rows = [f"{first} {line} {last}" for (first, last), line in zip(ends, lines, strict=True)]
    return Text(("\n" + " " * indent).join(rows))


def _wrapped(parts: Iterator[Piece], indent: int, width: int, column: int) -> Text:
    """Pieces with line ends at spaces where a line would be too long."""
    text = Text()
    for word in _words(parts):
        if column + word.cell_len > width and column > indent:
            text.append("\n" + " " * indent)
            column = indent
            word = word[1:] if word.plain.startswith(" ") else word
        text.append_text(word)
        column += word.cell_len
    return text


def _words(parts: Iterator[Piece]) -> Iterator[Text]:
    """Stretches that stay on one line; each but the first begins with a space, and a sign keeps its term."""
    word = Text()
    for text, role in parts:
        for place, fragment in enumerate(text.split(" ")):
            if place:
                if word.plain.strip() in ("+", "−"):
                    word.append(" ")
                else:
                    yield word
                    word = Text(" ")
            word.append(fragment, STYLES.get(role, ""))
    yield word


def _styled(parts: Iterator[Piece]) -> Text:
    text = Text()
    for part, role in parts:
        text.append(part, STYLES.get(role, ""))
    return text


def _filled(text: str, width: int) -> str:
    margin = " " * _MARGIN
    return fill(text, width, initial_indent=margin, subsequent_indent=margin) + "\n"


def _table(head: Sequence[Formula], rows: Sequence[Sequence[Formula]]) -> Text:
    cells = [[plain(cell) for cell in row] for row in (head, *rows)]
    widths = [max(map(cell_len, column)) for column in zip(*cells, strict=True)]
    text = Text()
    for place, (row, formulas) in enumerate(zip(cells, (head, *rows), strict=True)):
        text.append(" " * _MARGIN)
        for column, (cell, formula, width) in enumerate(zip(row, formulas, widths, strict=True)):
            styled = _styled(pieces(formula))
            space = " " * (width - cell_len(cell))
            if column:
                text.append("  " + space)
                text.append_text(styled)
            else:
                text.append_text(styled)
                text.append(space)
        text.append("\n")
        if place == 0:
            text.append(" " * _MARGIN + "─" * (sum(widths) + 2 * (len(widths) - 1)) + "\n", "dim")
    return text


_BLOCKS = " ▁▂▃▄▅▆▇█"


def _plot(curve: Curve, height: int = 8) -> str:
    """Columns of blocks: good enough to see a curve bend."""
    low, high = min(curve.y), max(curve.y)
    span = (high - low) or 1.0
    levels = [(y - low) / span * (height - 0.01) for y in curve.y]
    lines = [f"  {curve.title}\n"]
    for row in reversed(range(height)):
        blocks = "".join(_BLOCKS[int(min(max(level - row, 0), 1) * 8)] for level in levels)
        label = number(high) if row == height - 1 else number(low) if row == 0 else ""
        lines.append(f"  {label:>10} │{blocks}\n")
    ends = number(curve.x[0]), number(curve.x[-1])
    lines.append(f"  {'':>10} └{'─' * len(levels)}\n")
    lines.append(f"  {'':>12}{ends[0]}{ends[1]:>{max(1, len(levels) - len(ends[0]))}}  {curve.x_name}\n")
    return "".join(lines)

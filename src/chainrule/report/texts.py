"""Numbers and names as people read them, and as HTML can hold them."""

import math
import re
from collections.abc import Sequence
from html import escape
from typing import TypeVar

__all__ = ["brief", "decimals", "esc", "fold", "number", "paragraph", "percent", "plural", "table"]

Item = TypeVar("Item")

_NOTHING = "–"
# Control characters and half characters, which no page can hold, and marks that turn text around.
_UNPRINTABLE = re.compile(
    r"[\x00-\x1f\x7f-\x9f\u200e\u200f\u202a-\u202e\u2066-\u2069\ufffe\uffff\ud800-\udfff]"
)


def esc(text: object) -> str:
    """Any text as HTML, on one line."""
    return escape(_UNPRINTABLE.sub("\N{REPLACEMENT CHARACTER}", str(text)))


def brief(text: object, longest: int = 40) -> str:
    """A text without its middle where it is long, as names often differ at the end; not escaped yet."""
    said, ending = str(text), (longest - 1) // 3
    return said if len(said) <= longest else f"{said[: longest - 1 - ending]}…{said[len(said) - ending :]}"


def number(value: float | None, digits: int = 3) -> str:
    """A number with so many significant digits; a dash where there is none."""
    if value is None or not math.isfinite(value):
        return _NOTHING
    if value == 0:
        return "0"
    size = abs(value)
    if size >= 1e9 or size < 1e-4:
        mantissa, exponent = f"{value:.{digits - 1}e}".split("e")
        return f"{mantissa} × 10{_raised(int(exponent))}".replace("-", "−")
    decimals = max(0, digits - 1 - math.floor(math.log10(size)))
    return f"{value:,.{decimals}f}".replace("-", "−")


def decimals(value: float | None, places: int) -> str:
    """A number with so many decimals; a dash where there is none."""
    if value is None or not math.isfinite(value):
        return _NOTHING
    return f"{value + 0.0:,.{places}f}".replace("-", "−")


def percent(share: float | None, digits: int = 1) -> str:
    """A share in per cent."""
    if share is None or not math.isfinite(share):
        return _NOTHING
    return f"{100 * share:.{digits}f}\N{NO-BREAK SPACE}%".replace("-", "−")


def plural(count: int, one: str, many: str = "") -> str:
    """A number of things: "1 row", "2,000 rows"."""
    return f"{count:,} {one if count == 1 else many or one + 's'}"


def fold(items: Sequence[Item], first: int, last: int = 0) -> tuple[Sequence[Item], int, Sequence[Item]]:
    """The first and last of many, and how many were left out between them."""
    if len(items) <= first + last + 1:
        return items, 0, ()
    return items[:first], len(items) - first - last, items[len(items) - last :] if last else ()


def paragraph(text: str, kind: str = "") -> str:
    """A paragraph of a text that is HTML already."""
    return f'<p class="{kind}">{text}</p>' if kind else f"<p>{text}</p>"


def table(
    caption: str,
    head: Sequence[str],
    rows: Sequence[Sequence[str]],
    *,
    numeric: Sequence[int] = (),
    ending: str = "",
) -> str:
    """A table of cells that are HTML already; the first cell of a row is its head.

    It scrolls by itself where it is wider than the page.
    """

    def kind(position: int) -> str:
        return ' class="n"' if position in numeric else ""

    heads = "".join(f'<th scope="col"{kind(place)}>{cell}</th>' for place, cell in enumerate(head))
    body = "".join(
        f'<tr><th scope="row">{first}</th>'
        + "".join(f"<td{kind(place)}>{cell}</td>" for place, cell in enumerate(others, start=1))
        + "</tr>"
        for first, *others in rows
    )
    end = f'<tr class="fold"><td colspan="{len(head)}">{ending}</td></tr>' if ending else ""
    return (
        f'<div class="wide" tabindex="0" role="region" aria-label="{caption}"><table>'
        f"<caption>{caption}</caption><thead><tr>{heads}</tr></thead><tbody>{body}{end}</tbody></table></div>"
    )


def _raised(exponent: int) -> str:
    return str(exponent).translate(str.maketrans("-0123456789", "⁻⁰¹²³⁴⁵⁶⁷⁸⁹"))

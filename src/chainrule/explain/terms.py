"""What a formula is made of before it is text, LaTeX or MathML: the one structure behind all renderings."""

from dataclasses import dataclass
from typing import TypeAlias, final

FORWARD, WEIGHT, BACKWARD, SLOPE = "forward", "weight", "backward", "slope"
"""What a symbol stands for: a value on the way forward, a weight, a derivative of L, a slope of σ."""
DOT = "\u0307"
"""Set after a letter: its velocity."""


@final
@dataclass(frozen=True)
class Symbol:
    """A letter, the layer that it belongs to, and which of its entries is meant, counted from 1."""

    letter: str
    layer: int | str | None = None
    index: tuple[int | str, ...] = ()
    role: str = ""


@final
@dataclass(frozen=True)
class Number:
    """A number of this network and this row."""

    value: float


@final
@dataclass(frozen=True)
class Words:
    """Words within a formula."""

    text: str


@final
@dataclass(frozen=True)
class Negative:
    """−u."""

    body: "Formula"


@final
@dataclass(frozen=True)
class Sum:
    """u + v + w."""

    terms: tuple["Formula", ...]


@final
@dataclass(frozen=True)
class Product:
    """u · v · w; of matrices without a sign, and entry by entry with ⊙."""

    factors: tuple["Formula", ...]
    sign: str = "·"


@final
@dataclass(frozen=True)
class Fraction:
    """u / v."""

    over: "Formula"
    under: "Formula"


@final
@dataclass(frozen=True)
class Power:
    """u to the power of v."""

    base: "Formula"
    exponent: "Formula"


@final
@dataclass(frozen=True)
class Call:
    """f(u, v, …)."""

    function: "Formula"
    arguments: tuple["Formula", ...]


@final
@dataclass(frozen=True)
class Total:
    """Σ over an index."""

    index: str
    body: "Formula"


@final
@dataclass(frozen=True)
class Partial:
    """∂u/∂v, or ∂²u/∂v²."""

    of: "Formula"
    by: "Formula"
    order: int = 1


@final
@dataclass(frozen=True)
class Comparison:
    """u > v, as a condition; in square brackets it counts 1 where it holds, else 0."""

    left: "Formula"
    sign: str
    right: "Formula"


@final
@dataclass(frozen=True)
class Cases:
    """Values with the conditions under which they hold; the last has none."""

    pieces: tuple[tuple["Formula", "Formula | None"], ...]


@final
@dataclass(frozen=True)
class Matrix:
    """Rows of entries; what is left out is said by dots."""

    rows: tuple[tuple["Formula", ...], ...]


@final
@dataclass(frozen=True)
class Transposed:
    """uᵀ."""

    body: "Formula"


@final
@dataclass(frozen=True)
class Rest:
    """Terms of a sum that are left out: how many, what they are worth together, and the largest of them."""

    count: int
    worth: float
    largest: "Formula | None" = None
    """In symbols; said where the others are symbols, too."""
    largest_worth: float = 0.0


Formula: TypeAlias = (
    Symbol
    | Number
    | Words
    | Negative
    | Sum
    | Product
    | Fraction
    | Power
    | Call
    | Total
    | Partial
    | Comparison
    | Cases
    | Matrix
    | Transposed
    | Rest
)

DOTS = Words("…")


@final
@dataclass(frozen=True)
class Equation:
    """u = v = …, and in a few words why; ``rest`` says what is left out of a folded sum."""

    sides: tuple[Formula, ...]
    reason: str = ""


@final
@dataclass(frozen=True)
class Paragraph:
    """A sentence or two."""

    text: str


@final
@dataclass(frozen=True)
class Table:
    """Numbers in columns."""

    head: tuple[Formula, ...]
    rows: tuple[tuple[Formula, ...], ...]


@final
@dataclass(frozen=True)
class Curve:
    """A small plot: y over x, with a straight line through its first point where a slope is given."""

    title: str
    x_name: str
    y_name: str
    x: tuple[float, ...]
    y: tuple[float, ...]
    slope: float | None = None


Line: TypeAlias = Equation | Paragraph | Table | Curve


@final
@dataclass(frozen=True)
class Section:
    """A heading and what stands below it."""

    title: str
    lines: tuple[Line, ...]


def product(*factors: Formula) -> Formula:
    """The product without its ones; the sign of numbers stays with them."""
    kept = tuple(f for f in factors if f != Number(1.0))
    return kept[0] if len(kept) == 1 else Product(kept) if kept else Number(1.0)


def total(*terms: Formula) -> Formula:
    """The sum without a sum of one term."""
    return terms[0] if len(terms) == 1 else Sum(terms) if terms else Number(0.0)

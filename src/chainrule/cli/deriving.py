"""``chainrule derive``."""

import json
import re
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple

from chainrule.cli.printing import out_json, refuse_twice
from chainrule.errors import ArgumentError
from chainrule.mathematics.named import quoted
from chainrule.tables.writing import atomically

if TYPE_CHECKING:
    from chainrule.explain.derivation import Derivation

_SIZES = re.compile(r"\d+(-\d+)+")
_WIDTH = 100
"""Letters in a line where there is no terminal to ask."""


class Question(NamedTuple):
    """What shall be derived, and how it is shown."""

    subject: str
    """Sizes such as 3-4-4-2, or a model file."""
    table: str | None
    weight: str
    of: str
    direction: str | None
    order: int
    row: int
    member: int
    optimizer: str
    learning_rate: float | None
    steps: int
    full: bool
    seed: int
    dropout_seed: int | None
    x: str | None
    y: str | None
    network: dict[str, Any]
    """Arguments of Network that were given."""
    missing: tuple[str, ...]
    targets: tuple[str, ...]
    latex: bool
    html: bool
    json: bool
    output: str
    quiet: bool


def derive_and_print(question: Question) -> None:
    """Derive what is asked for, and print it or write it to a file."""
    if question.latex + question.html + question.json > 1:
        raise ArgumentError("only one of --latex, --html and --json can be given.")
    if _SIZES.fullmatch(question.subject) and not Path(question.subject).exists():
        derivation = _of_sizes(question)
    else:
        derivation = _of_model(question)
    if question.json and question.output == "-":
        out_json(derivation.json())
    elif question.output == "-" and not (question.latex or question.html):
        _print(derivation)
    else:
        text = _as_text(derivation, question)
        if question.output == "-":
            sys.stdout.write(text)
        else:
            with atomically(question.output) as temporary:
                temporary.write_text(text, "utf-8")


def _as_text(derivation: "Derivation", question: Question) -> str:
    if question.html:
        return derivation.html()
    if question.latex:
        return derivation.latex()
    if question.json:
        return json.dumps(derivation.json(), indent=2, ensure_ascii=False) + "\n"
    return derivation.text()


def _print(derivation: "Derivation") -> None:
    """On a terminal in its colours and as wide as it is."""
    from rich.console import Console

    from chainrule.explain.terminal import text_page

    console = Console(highlight=False, soft_wrap=True, markup=False)
    console.print(text_page(derivation, max(60, console.width) if console.is_terminal else _WIDTH), end="")


def _of_sizes(question: Question) -> "Derivation":
    """A network of these sizes with random weights, and a row of small numbers unless one is given."""
    from chainrule.explain.derivation import derive
    from chainrule.explain.directional import directional
    from chainrule.explain.example import drawn, example_row
    from chainrule.network.network import Network

    if question.table is not None:
        raise ArgumentError(
            f"a table must come with a model file; got the sizes {question.subject}. Give --x and --y for a "
            "row of your own, or fit a model first."
        )
    network = Network(tuple(map(int, question.subject.split("-"))), **question.network)
    parameters = drawn(network, question.seed)
    x, y = example_row(network, question.seed)
    x = x if question.x is None else _numbers("--x", question.x)
    y = y if question.y is None else _numbers("--y", question.y)
    if question.direction is not None:
        return directional(network, parameters, x, y, _direction(question.direction))
    return derive(
        network, parameters, x, y, question.weight, seed=question.dropout_seed, **_options(question)
    )


def _of_model(question: Question) -> "Derivation":
    """A trained model on rows of a table."""
    from chainrule.cli.printing import Report
    from chainrule.cli.using import inputs_of, read_rows, targets_of, truth_of
    from chainrule.explain.of_model import derive_model
    from chainrule.files.model_file import load

    given = [f"--{name.replace('_', '-')}" for name in question.network]
    given += [f"--{name}" for name in ("x", "y") if getattr(question, name) is not None]
    if given:
        raise ArgumentError(
            f"{', '.join(given)} must be left out for a model, which has them; or give sizes such as 3-4-1."
        )
    if question.table is None:
        raise ArgumentError(
            f"a model must come with a table whose row is derived; got {question.subject} alone. For "
            "a network that is not trained, give sizes such as 3-4-4-2."
        )
    refuse_twice(("MODEL", question.subject), ("TABLE", question.table))
    report = Report(question.quiet)
    with report.warnings():
        model = load(question.subject)
        frame = read_rows(model, question.table, question.missing)
        targets = question.targets or targets_of(model)
        if not 1 <= question.row <= frame.height:
            raise ArgumentError(
                f"--row must be from 1 to {frame.height:,}, the rows of the table; got {question.row}."
            )
        frame = frame[question.row - 1 : question.row]
        y = None
        if question.of == "L" or question.direction is not None:
            y = truth_of(model, frame, targets)
        inputs = inputs_of(model, frame, targets, report)
        direction = None if question.direction is None else _direction(question.direction)
        options = _options(question) | {"row": 1}
        return derive_model(
            model, inputs, y, question.weight, member=question.member, direction=direction, **options
        )


def _options(question: Question) -> dict[str, Any]:
    names = "of", "row", "order", "optimizer", "learning_rate", "steps", "full"
    return {name: getattr(question, name) for name in names}


def _direction(text: str) -> Any:
    """Read gradient, or entries with how far they move: W1[2,1]=1,b2[1]=-0.5."""
    if text == "gradient":
        return text
    entries = re.findall(r"([^=\s,]+\[[^\]]*\])\s*=\s*([^,\s]+)", text)
    try:
        found = {name: float(move) for name, move in entries}
    except ValueError:
        found = {}
    if not found or len(entries) != text.count("="):
        raise ArgumentError(
            f"--direction must be gradient, or entries such as 'W1[2,1]=1, b2[1]=-0.5'; got {quoted(text)}."
        )
    return found


def _numbers(name: str, text: str) -> Any:
    import numpy as np

    try:
        return np.array([[float(part) for part in text.split(",")]])
    except ValueError:
        raise ArgumentError(
            f"{name} must be numbers with commas between, such as 0.5,-1; got {quoted(text)}."
        ) from None

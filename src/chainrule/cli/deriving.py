"""``chainrule derive``."""

import json
import re
import sys
from collections.abc import Mapping, Sequence
from itertools import pairwise
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple

from chainrule.cli.fitting import refuse_same
from chainrule.cli.printing import out_json, refuse_twice
from chainrule.errors import ArgumentError
from chainrule.mathematics.named import quoted
from chainrule.tables.writing import atomically

if TYPE_CHECKING:
    import polars as pl

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
    second: bool
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


_STEP = {"optimizer": "sgd", "learning_rate": None, "steps": 1}
_ONE_WEIGHT = {"weight": "W1[1,1]", "of": "L", "second": False, **_STEP, "full": False}
_OF_MODEL = {"row": 1, "member": 1, "target": (), "missing": ()}
"""Options that mean nothing elsewhere, and their defaults."""


def derive_and_print(question: Question) -> None:
    """Derive what is asked for, and print it or write it to a file."""
    if question.latex + question.html + question.json > 1:
        raise ArgumentError("only one of --latex, --html and --json can be given.")
    if question.direction is not None:
        _refuse(question, _ONE_WEIGHT, "with --direction, which takes L along all weights that move")
    elif question.second or question.of != "L" or question.weight.lstrip().startswith("x"):
        _refuse(question, _STEP, "where no step is told: of an output, an input, or a second derivative")
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


def _refuse(question: Question, defaults: Mapping[str, object], where: str) -> None:
    """Refuse options that were given and would mean nothing."""
    said = question._asdict() | {"target": question.targets}
    given = [f"--{name.replace('_', '-')}" for name, default in defaults.items() if said[name] != default]
    if given:
        raise ArgumentError(f"{', '.join(given)} must be left out {where}.")


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
    width = max(60, console.width) if console.is_terminal else _WIDTH
    coloured = console.color_system is not None and not console.no_color
    console.print(text_page(derivation, width, legend=coloured), end="")


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
    _refuse(question, _OF_MODEL, f"for the sizes {question.subject}; they are for a model and its table")
    network = Network(tuple(map(int, question.subject.split("-"))), **question.network)
    _refuse_too_large(network.sizes)
    parameters = drawn(network, question.seed)
    x, y = example_row(network, question.seed)
    x = x if question.x is None else _numbers("--x", question.x)
    y = y if question.y is None else _numbers("--y", question.y)
    if question.direction is not None:
        return directional(
            network, parameters, x, y, _direction(question.direction), seed=question.dropout_seed
        )
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
    _refuse(question, {"seed": 0}, "for a model, whose weights are learnt")
    if question.table is None:
        raise ArgumentError(
            f"a model must come with a table whose row is derived; got {question.subject} alone. For "
            "a network that is not trained, give sizes such as 3-4-4-2."
        )
    refuse_twice(("MODEL", question.subject), ("TABLE", question.table))
    for source in (question.subject, question.table):
        refuse_same(question.output, source)
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
            _refuse_missing(frame, targets, question.row)
            y = truth_of(model, frame, targets)
        inputs = inputs_of(model, frame, targets, report)
        direction = None if question.direction is None else _direction(question.direction)
        options = _options(question) if direction is None else {}
        return derive_model(
            model, inputs, y, question.weight,
            member=question.member, direction=direction, seed=question.dropout_seed, **options,
        )  # fmt: skip


def _options(question: Question) -> dict[str, Any]:
    names = "of", "optimizer", "learning_rate", "steps", "full"
    return {name: getattr(question, name) for name in names} | {"order": 1 + question.second}


_COPIES = 16
"""So many times are the weights in memory, or other arrays of their size."""


def _refuse_too_large(sizes: tuple[int, ...]) -> None:
    """Refuse a network that would end in a process killed for its memory."""
    from chainrule.tables.sources import memory

    weights = sum(outputs * (inputs + 1) for inputs, outputs in pairwise(sizes))
    if weights * 8 * _COPIES > memory():
        raise ArgumentError(
            f"sizes must make a network that fits into memory; got {'-'.join(map(str, sizes))}, with "
            f"{weights:,} weights. Give smaller ones."
        )


def _refuse_missing(frame: "pl.DataFrame", targets: Sequence[str], row: int) -> None:
    """Refuse a row that has no loss."""
    for name in targets:
        if name in frame.columns and frame[name].null_count():
            raise ArgumentError(
                f"row {row} must have a value of the target {quoted(name)}, for the loss; it is missing. "
                "Choose another --row, or derive an output, --of 'y_hat[1]'."
            )


def _direction(text: str) -> Any:
    """Read gradient, or entries with how far they move: W1[2,1]=1,b2[1]=-0.5."""
    if text == "gradient":
        return text
    entries = re.findall(r"([^=\s,]+\[[^\]]*\])\s*=\s*([^,\s]+)", text)
    try:
        found = {name: float(move) for name, move in entries}
    except ValueError:
        found = {}
    if not found or len(found) != text.count("="):  # each entry once
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

"""``chainrule explain``."""

import datetime
import json
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np

import chainrule
from chainrule.cli.explanation_text import print_importance, print_row
from chainrule.cli.fitting import refuse_same
from chainrule.cli.printing import Report, out, refuse_twice
from chainrule.cli.using import inputs_of, read_rows, targets_of
from chainrule.errors import ArgumentError
from chainrule.estimators.classifier import DeepClassifier
from chainrule.estimators.explanation import Explanation, evenly
from chainrule.estimators.prediction_table import names_of_predictions, spelling
from chainrule.files.description import Model
from chainrule.files.model_file import load
from chainrule.mathematics.named import did_you_mean
from chainrule.report.explained import Explained, Part, RowParts, render_explained
from chainrule.tables.reading import WRITTEN, write_table
from chainrule.tables.writing import atomically

if TYPE_CHECKING:
    import polars as pl

_ROWS = 256  # that an importance is the mean of, where the table has more
_PAGES = (".html", ".htm")


class Question(NamedTuple):
    """What shall be explained, and how it is said."""

    row: int | None = None
    """From 1 on."""
    of_class: str | None = None
    target: str | None = None
    background: str | None = None
    """A table, or "typical"; by default the table itself."""
    output: str = "-"
    json: bool = False


def explain_table(
    model_file: str, table: str, question: Question, missing: tuple[str, ...], *, quiet: bool
) -> None:
    """Read both, explain, print or write."""
    output, other = question.output, question.background
    suffix = Path(output).suffix.lower()
    page = suffix in _PAGES and not question.json
    rows_to_file = output != "-" and not page and not question.json
    if rows_to_file and suffix not in WRITTEN:
        known = ", ".join((*_PAGES, *WRITTEN))
        raise ArgumentError(f"-o must be a page or a table, {known}; got {output!r}. Choose one of these.")
    refuse_twice(("MODEL", model_file), ("TABLE", table), ("--background", other))
    for source in (model_file, table, other):
        refuse_same(output, source)
    report = Report(quiet)
    with report.warnings():
        model = load(model_file)
        targets = targets_of(model)
        wished, of = _wished(model, targets, question)
        X = inputs_of(model, read_rows(model, table, missing), targets, report)
        _refuse_row(question.row, len(X))
        background: Any = X if len(X) > 1 else "typical"
        if other is not None:
            background = other
        if other not in (None, "typical"):
            background = inputs_of(model, read_rows(model, str(other), missing), targets, Report(quiet=True))
        places = np.arange(len(X)) if question.row is None else np.array([question.row - 1])
        if rows_to_file:
            write_table(model.explain(X[places], wished, background=background).to_frame(), output)
            return
        found = row = None
        if question.row is not None:
            row = _row(model, X[places], wished, background, question.row, of)
        if row is None or page:
            some = evenly(np.arange(len(X)), _ROWS)
            found = model.explain(X[some], wished, background=background)
    said = _said(found, row, of, model_file, table)
    if wished is None:
        said = said._replace(unit=f"{said.unit} of the predicted class")
    if page:
        _write(render_explained(said), output)
    elif question.json:
        _write(json.dumps(_as_json(said, found), indent=2, ensure_ascii=False, allow_nan=False), output)
    elif said.row is not None:
        print_row(said)
    else:
        print_importance(said, len(X))


def _wished(model: Model, targets: tuple[str, ...], question: Question) -> tuple[Any, str]:
    """The output that is asked for, as the estimators have it, and its name."""
    classes = isinstance(model, DeepClassifier) and not model._multilabel
    if question.of_class is not None and not classes:
        raise ArgumentError("--class must be left out: the model has no classes to choose from.")
    names = names_of_predictions(model, targets)
    if question.target is not None and question.target not in names:
        raise ArgumentError(
            f"--target must be one of {', '.join(map(repr, names))}; got {question.target!r}."
            f"{did_you_mean(question.target, names)}"
        )
    if len(names) > 1 and question.target is None:
        raise ArgumentError(f"--target must say which of {', '.join(map(repr, names))} to explain.")
    name = question.target or names[0]
    if not classes:
        return names.index(name), name
    if question.of_class is None:
        return None, name
    known = {spelling(value): value for value in model.classes_.tolist()}
    if question.of_class not in known:
        some = ", ".join(map(repr, list(known)[:10]))
        raise ArgumentError(f"--class must be one of {some}; got {question.of_class!r}.")
    return known[question.of_class], f"{name} = {question.of_class}"


def _refuse_row(row: int | None, rows: int) -> None:
    if row is not None and not 1 <= row <= rows:
        raise ArgumentError(f"--row must be from 1 to {rows:,}, the rows of the table; got {row}.")
    if not rows:
        raise ArgumentError("TABLE must have rows to explain; it has none.")


def _row(
    model: Model, X: "pl.DataFrame | np.ndarray", wished: Any, background: Any, number: int, of: str
) -> tuple[Explanation, RowParts]:
    """One row's explanation, with its values and derivatives."""
    found = model.explain(X, wished, background=background)
    slopes = model.input_gradients(X, wished)[0].tolist()
    values = X[0].tolist() if isinstance(X, np.ndarray) else X.row(0)
    parts = [
        Part(name, "–" if value is None else spelling(value), adds, None if np.isnan(slope) else slope)
        for name, value, adds, slope in zip(
            found.columns, values, found.attributions[0].tolist(), slopes, strict=True
        )
    ]
    parts.sort(key=lambda part: -abs(part.adds))
    baseline, output, remainder = (float(part[0]) for part in (found.baseline, found.output, found.remainder))
    if isinstance(model, DeepClassifier) and not model._multilabel and wished is None:
        of = f"{of} = {spelling(found.of.tolist()[0])}"
    return found, RowParts(number, of, baseline, output, remainder, tuple(parts))


def _said(
    found: Explanation | None, row: tuple[Explanation, RowParts] | None, of: str, model_file: str, table: str
) -> Explained:
    either = found or (row and row[0])
    assert either
    importance = found.importance().rows() if found else []
    compared = f"the mean of {either.background} rows" if either.background else "the typical row"
    return Explained(
        of=of,
        unit=either.unit,
        compared=compared,
        model=model_file,
        table=table,
        date=datetime.datetime.now().astimezone().strftime("%Y-%m-%d %H:%M %Z"),
        version=chainrule.__version__,
        rows=len(found.output) if found else 0,
        importance=tuple((str(name), float(value)) for name, value in importance),
        row=row and row[1],
    )


def _as_json(said: Explained, found: Explanation | None) -> dict[str, Any]:
    told: dict[str, Any] = {"of": said.of, "unit": said.unit, "compared_with": said.compared}
    if said.row is None:
        assert found
        return told | {
            "rows": said.rows,
            "largest_remainder": float(np.abs(found.remainder).max()),
            "importance": [{"column": name, "importance": value} for name, value in said.importance],
        }
    row = said.row
    return told | {
        "of": row.of,
        "row": row.number,
        "baseline": row.baseline,
        "output": row.output,
        "remainder": row.remainder,
        "columns": [
            {"column": part.column, "value": part.value, "attribution": part.adds, "gradient": part.gradient}
            for part in row.parts
        ],
    }


def _write(text: str, output: str) -> None:
    if output == "-":
        out(text)
        return
    with atomically(output) as temporary:
        temporary.write_text(text + "\n", "utf-8")

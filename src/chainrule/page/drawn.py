"""Rows for a model that came without a table: drawn from what its file knows of each column, or typed in."""

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

import numpy as np

from chainrule.errors import ArgumentError
from chainrule.estimators.classifier import DeepClassifier
from chainrule.estimators.problems import Problem
from chainrule.estimators.target_columns import Task, class_codes, target_values
from chainrule.files.description import Model
from chainrule.mathematics.named import did_you_mean, quoted
from chainrule.tables.category_columns import CategoryColumn
from chainrule.tables.date_columns import DateColumn
from chainrule.tables.encoders import TableEncoder, number_of
from chainrule.tables.numeric_columns import NumericColumn

if TYPE_CHECKING:
    import polars as pl

_QUARTILES = 1.349  # standard deviations between the quartiles of a normal
_OFFERED = 200  # levels of a column to choose from
_TYPED = 200  # columns of a row that somebody types in
_LONGEST = 1000  # characters of a cell
_MICROSECONDS = 86_400_000_000  # in a day


def task_of_model(model: Model) -> Task:
    """What a trained model was asked for."""
    if not isinstance(model, DeepClassifier):
        return Task.REGRESSION
    return Task.LABELS if model._multilabel else Task.CLASSIFICATION


def drawn_problem(model: Model, rows: int, seed: int) -> Problem:
    """Rows whose truth nobody knows.

    The first is typical. In the others each column is drawn by itself, since a model's file does not know
    what goes with what.
    """
    import polars as pl

    numbers, encoder = np.random.default_rng(seed), model.encoder_
    columns = {column.name: _drawn(column, rows, numbers) for column in encoder.columns}
    return Problem(pl.DataFrame(columns, dict.fromkeys(columns, pl.String)), nothing_known(model, rows), None,
                   task_of_model(model), "as the model's")  # fmt: skip


def nothing_known(model: Model, rows: int) -> np.ndarray:
    """The truth of rows of which none is known."""
    task, targets = task_of_model(model), model.network_.targets
    if task is Task.CLASSIFICATION:
        return np.full(rows, None, object)
    return np.full(rows if targets == 1 and task is Task.REGRESSION else (rows, targets), np.nan)


def encoded(model: Model, frame: "pl.DataFrame") -> np.ndarray:
    """As the network sees it; a model of an array, whose columns have no names, takes an array."""
    return model.encoded(frame if model.encoder_.named else frame.to_numpy())


def fields(encoder: TableEncoder, typical: Sequence[str | None]) -> list[dict[str, Any]] | None:
    """What there is to type in for a row, and what to begin with; None where that is too much."""
    if len(encoder.columns) > _TYPED:
        return None
    return [
        {
            "name": column.name,
            "levels": list(column.levels[:_OFFERED]) if isinstance(column, CategoryColumn) else None,
            "value": value or "",
            "all": not isinstance(column, CategoryColumn) or len(column.levels) <= _OFFERED,
        }
        for column, value in zip(encoder.columns, typical, strict=True)
    ]


def typed(encoder: TableEncoder, said: object) -> "pl.DataFrame":
    """A row that somebody typed in, as texts; a blank is missing. The encoder says what is wrong with it."""
    import polars as pl

    names = [column.name for column in encoder.columns]
    if not isinstance(said, Mapping):
        raise ArgumentError(f"a row must be an object of cells; got {quoted(said)}.")
    for name, cell in said.items():
        if name not in names:
            raise ArgumentError(f"the model has no column {quoted(name)}.{did_you_mean(str(name), names)}")
        if not isinstance(cell, str) or len(cell) > _LONGEST:
            raise ArgumentError(
                f"the cell of {quoted(name)} must be a text of at most {_LONGEST} characters."
            )
    cells = {name: [str(said.get(name, "")).strip() or None] for name in names}
    return pl.DataFrame(cells, dict.fromkeys(names, pl.String))


def typed_truth(model: Model, targets: Sequence[str], said: object) -> np.ndarray | None:
    """The truth of that row, (1,) or (1, targets), where all of it was typed in; None where none was."""
    import polars as pl

    texts = [] if said is None else said
    if not (isinstance(texts, list) and all(isinstance(text, str) for text in texts)):
        raise ArgumentError(f"truth must be a list of texts; got {quoted(said)}.")
    if not any(text.strip() for text in texts):
        return None
    if len(texts) != len(targets) or not all(text.strip() for text in texts):
        raise ArgumentError(f"the truth must be told of all of {', '.join(targets)}, or of none.")
    task = task_of_model(model)
    if isinstance(model, DeepClassifier) and task is Task.CLASSIFICATION:
        code = class_codes(np.array([texts[0].strip()], object), model.classes_, targets[0])
        return np.asarray(model.classes_)[code]
    try:
        numbers = {name: [float(text)] for name, text in zip(targets, texts, strict=True)}
    except ValueError:
        raise ArgumentError(f"the truth of {', '.join(targets)} must be numbers; got {texts}.") from None
    return target_values(pl.DataFrame(numbers), targets, task)


def _drawn(
    column: NumericColumn | CategoryColumn | DateColumn, rows: int, numbers: np.random.Generator
) -> list[str | None]:
    """Values as a person would write them, the first of them in the middle."""
    if isinstance(column, CategoryColumn):
        return [column.levels[k] for k in (0, *numbers.integers(len(column.levels), size=rows - 1))]
    number = number_of(column)
    if number.missing == "always":
        return [None] * rows
    told = number.edges or number.knots
    if not told and number.center in (0.0, 0.5, 1.0) and number.scale in (0.5, 1.0):
        told = (0.0, 1.0)  # what yes and no come to
    if told:
        values = numbers.choice(np.array(told), rows)
    else:
        spread = number.scale / (1.0 if number.scaling == "standard" else _QUARTILES)
        values = number.center + spread * numbers.normal(size=rows)
    values[0] = number.center if number.center in told or len(told) != 2 else told[1]
    if isinstance(column, DateColumn):
        return _dates(column, values)
    whole = bool(told) and all(float(edge).is_integer() for edge in told)
    return [f"{round(value) if whole else float(f'{value:.4g}'):g}" for value in values.tolist()]


def _dates(column: DateColumn, days: np.ndarray) -> list[str | None]:
    import polars as pl

    spelling = column.spelling or ("%Y-%m-%d %H:%M:%S" if "time of day" in column.cycles else "%Y-%m-%d")
    dates = pl.Series((days * _MICROSECONDS).astype(np.int64)).cast(pl.Datetime("us"))
    if "z" in spelling or spelling == "%+":
        dates = dates.dt.replace_time_zone("UTC")
    return dates.dt.strftime(spelling).to_list()

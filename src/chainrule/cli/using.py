"""``chainrule predict`` and ``chainrule evaluate``."""

from typing import TYPE_CHECKING, Any

from chainrule.cli.about import about_of
from chainrule.cli.fitting import refuse_same
from chainrule.cli.printing import counted, out, out_json, refuse_twice, score_table
from chainrule.errors import ArgumentError, TableError
from chainrule.estimators.classifier import DeepClassifier
from chainrule.estimators.prediction_table import prediction_table
from chainrule.estimators.problems import refuse_absent, select_columns
from chainrule.estimators.scores import compare
from chainrule.estimators.target_columns import Task, target_values
from chainrule.files.description import Model
from chainrule.files.model_file import load
from chainrule.tables.reading import read_table, write_table

if TYPE_CHECKING:
    import polars as pl


def predict_table(
    model_file: str, table: str, output: str, *, probabilities: bool, keep: bool, missing: tuple[str, ...]
) -> None:
    """Read both, predict, write."""
    refuse_twice(("MODEL", model_file), ("TABLE", table))
    for source in (model_file, table):
        refuse_same(output, source)
    model = load(model_file)
    targets = _targets(model)
    frame = _read(model, table, missing)
    answers = prediction_table(model, _inputs(model, frame, targets), targets, probabilities=probabilities)
    if keep:
        for name in answers.columns:
            new = name
            while new in frame.columns:
                new = f"predicted {new}"
            answers = answers.rename({name: new})
        answers = frame.hstack(answers)
    write_table(answers, output)


def evaluate_table(
    model_file: str, table: str, given: tuple[str, ...], missing: tuple[str, ...], *, as_json: bool
) -> None:
    """Read both, score, print."""
    refuse_twice(("MODEL", model_file), ("TABLE", table))
    model = load(model_file)
    about = about_of(model)
    expected = _count(model)
    targets = given or about.target
    if len(targets) != expected:
        raise ArgumentError(
            f"--target must name the {expected} target column(s) of the model; got {len(targets)}."
        )
    frame = _read(model, table, missing)
    for name in targets:
        refuse_absent(name, frame)
    task = _task(model)
    y = target_values(frame, targets, task)
    constants = len(model.classes_) if isinstance(model, DeepClassifier) else expected
    baseline = list(about.baseline) if len(about.baseline) == constants else None
    comparisons = compare(model, _inputs(model, frame, targets), y, baseline, targets)
    of = "training" if baseline else "this table"
    other = f"{'mean' if task is Task.REGRESSION else 'majority'} of {of}"
    if as_json:
        scores = {name: c._asdict() for name, c in zip(targets, comparisons, strict=True)}
        out_json({"task": task.value, "rows": frame.height, "baseline": other, "scores": scores})
        return
    table_of = {name: (c.model, c.baseline) for name, c in zip(targets, comparisons, strict=True)}
    out(score_table(table_of, counted(frame.height, "row"), other))


def _read(model: Model, table: str, missing: tuple[str, ...]) -> "pl.DataFrame":
    """The table; what meant missing in training does here too."""
    return read_table(table, missing=[*about_of(model).missing, *missing])


def _inputs(model: Model, frame: "pl.DataFrame", targets: tuple[str, ...]) -> Any:
    """The columns of training; by position where the model was fitted on an array."""
    names = getattr(model, "feature_names_in_", None)
    if names is not None:
        return select_columns(frame, list(names))
    rest = frame.drop(targets, strict=False)
    if rest.width != model.n_features_in_ or not all(dtype.is_numeric() for dtype in rest.dtypes):
        raise TableError(
            f"the model was fitted on {model.n_features_in_} columns without names, so that a table must "
            f"have just as many, all of numbers; got {rest.width}. Drop the others."
        )
    return rest.to_numpy()


def _targets(model: Model) -> tuple[str, ...]:
    """Names of the targets, as far as the file knows them."""
    count = _count(model)
    known = about_of(model).target
    if len(known) == count:
        return known
    return ("prediction",) if count == 1 else tuple(f"prediction {k}" for k in range(1, count + 1))


def _count(model: Model) -> int:
    return 1 if _task(model) is Task.CLASSIFICATION else model.network_.targets


def _task(model: Model) -> Task:
    if not isinstance(model, DeepClassifier):
        return Task.REGRESSION
    return Task.LABELS if model._multilabel else Task.CLASSIFICATION

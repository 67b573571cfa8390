"""``chainrule predict`` and ``chainrule evaluate``."""

from typing import TYPE_CHECKING, Any, NamedTuple

from chainrule.cli.fitting import refuse_same
from chainrule.cli.printing import Report, counted, out, out_json, refuse_twice, score_table, without_panics
from chainrule.cli.wording import in_options
from chainrule.errors import ArgumentError, TableError
from chainrule.estimators.classifier import DeepClassifier
from chainrule.estimators.prediction_table import prediction_table
from chainrule.estimators.problems import refuse_absent, select_columns, with_targets
from chainrule.estimators.scores import compare
from chainrule.estimators.target_columns import Task, some_of, target_values
from chainrule.files.about import about_of
from chainrule.files.description import Model
from chainrule.files.model_file import load
from chainrule.network.devices import devices_of
from chainrule.tables.casting import recast
from chainrule.tables.cells import pick
from chainrule.tables.reading import read_table, write_parts, write_table
from chainrule.tables.stream import ahead, find_stream
from chainrule.tables.writing import atomically

if TYPE_CHECKING:
    import polars as pl


_PIECES = 4
"""Of a larger table, so many pieces are answered at once."""
_THREADS = 2  # one encodes while the other computes


class Wish(NamedTuple):
    """What a prediction shall say, and how."""

    probabilities: bool = False
    interval: float | None = None
    sets: float | None = None
    keep: bool = False
    json: bool = False


def predict_table(
    model_file: str,
    table: str,
    output: str,
    wish: Wish,
    missing: tuple[str, ...],
    device: str | None = None,
    *,
    quiet: bool,
) -> None:
    """Read both, predict, write."""
    refuse_twice(("MODEL", model_file), ("TABLE", table))
    for source in (model_file, table):
        refuse_same(output, source)
    report = Report(quiet)
    with report.warnings(lambda said: said.replace(" or a greater validation_fraction", "")):
        model = _loaded(model_file, device)
        about = about_of(model)
        large = None if wish.json or missing or about.missing else find_stream(table)
        if large is not None and len(large.pieces) > _PIECES:
            silent = Report(quiet=True)  # what there is to say, the first part says

            def answered(part: tuple[int, "pl.DataFrame"]) -> "pl.DataFrame":
                number, frame = part
                return _answered(model, recast(frame, about.kinds), wish, silent if number else report)

            write_parts(ahead(answered, enumerate(large.in_order(_PIECES)), _THREADS), output)
            return
        answers = _answered(model, read_rows(model, table, missing), wish, report)
    if not wish.json:
        write_table(answers, output)
    elif output == "-":
        out(_as_json(answers))
    else:
        with atomically(output) as temporary:
            temporary.write_text(_as_json(answers) + "\n", "utf-8")


def _loaded(model_file: str, device: str | None) -> Model:
    """The model, to answer on this kind of device."""
    model = load(model_file)
    try:
        devices_of(device)
    except ArgumentError as error:
        raise ArgumentError(in_options(str(error))) from error
    model.set_params(device=device)
    return model


def _answered(model: Model, frame: "pl.DataFrame", wish: Wish, report: Report) -> "pl.DataFrame":
    """The answers to rows, beside these where they shall be kept."""
    targets = targets_of(model)
    answers = prediction_table(
        model,
        inputs_of(model, frame, targets, report),
        targets,
        probabilities=wish.probabilities,
        interval=wish.interval,
        sets=wish.sets,
    )
    if not wish.keep:
        return answers
    for name in answers.columns:
        new = name
        while new in frame.columns:
            new = f"predicted {new}"
        answers = answers.rename({name: new})
    return frame.hstack(answers)


def _as_json(frame: "pl.DataFrame") -> str:
    """A list with an object for each row; what is not finite is null."""
    import polars as pl
    import polars.selectors as cs

    numbers = cs.float()
    return frame.with_columns(pl.when(numbers.is_finite()).then(numbers)).write_json()


def evaluate_table(
    model_file: str,
    table: str,
    given: tuple[str, ...],
    missing: tuple[str, ...],
    device: str | None = None,
    *,
    as_json: bool,
    quiet: bool,
) -> None:
    """Read both, score, print."""
    refuse_twice(("MODEL", model_file), ("TABLE", table))
    model = _loaded(model_file, device)
    about = about_of(model)
    expected = _count(model)
    targets = given or about.target
    if len(targets) != expected:
        raise ArgumentError(
            f"--target must name the {expected} target column(s) of the model; got {len(targets)}."
        )
    report = Report(quiet)
    with report.warnings():
        frame = read_rows(model, table, missing)
    for name in targets:
        refuse_absent(name, frame)
    task = _task(model)
    rows = frame.height
    frame = with_targets(frame, targets)
    if frame.height < rows:
        report.say(f"{counted(rows - frame.height, 'row')} without a target left out", "yellow")
    y = target_values(frame, targets, task)
    constants = len(model.classes_) if isinstance(model, DeepClassifier) else expected
    baseline = list(about.baseline) if len(about.baseline) == constants else None
    with report.warnings():
        comparisons = compare(model, inputs_of(model, frame, targets, report), y, baseline, targets)
    of = "training" if baseline else "this table"
    other = f"{'mean' if task is Task.REGRESSION else 'majority'} of {of}"
    if as_json:
        scores = {name: c._asdict() for name, c in zip(targets, comparisons, strict=True)}
        out_json({"task": task.value, "rows": frame.height, "baseline": other, "scores": scores})
        return
    out(score_table(dict(zip(targets, comparisons, strict=True)), counted(frame.height, "row"), other))


def read_rows(model: Model, table: str, missing: tuple[str, ...]) -> "pl.DataFrame":
    """The table; what meant missing in training does here too, and columns are what they were said to be."""
    about = about_of(model)
    with without_panics():
        frame = read_table(table, missing=[*about.missing, *missing])
    return recast(frame, about.kinds)


def inputs_of(model: Model, frame: "pl.DataFrame", targets: tuple[str, ...], report: Report) -> Any:
    """The columns of training; by position where the model was fitted on an array."""
    names = getattr(model, "feature_names_in_", None)
    if names is not None:
        expected = {*names, *targets, *about_of(model).left_out}
        selected = select_columns(frame, list(names))
        further = [name for name in frame.columns if name not in expected]
        if further:
            report.say(f"columns that the model does not use: {some_of(further, 6)}")
        return selected
    rest = pick(frame, [name for name in frame.columns if name not in targets])
    if rest.width != model.n_features_in_ or not all(dtype.is_numeric() for dtype in rest.dtypes):
        raise TableError(
            f"the model was fitted on {model.n_features_in_} columns without names, so that a table must "
            f"have just as many, all of numbers; got {rest.width}. Drop the others."
        )
    return rest.to_numpy()


def targets_of(model: Model) -> tuple[str, ...]:
    """Names of the targets, as far as the file knows them."""
    count = _count(model)
    known = about_of(model).target
    if len(known) == count:
        return known
    return ("prediction",) if count == 1 else tuple(f"prediction {k}" for k in range(1, count + 1))


def truth_of(model: Model, frame: "pl.DataFrame", targets: tuple[str, ...]) -> Any:
    """The targets of a table, as ``fit`` takes them."""
    for name in targets:
        refuse_absent(name, frame)
    return target_values(with_targets(frame, targets), targets, _task(model))


def _count(model: Model) -> int:
    return 1 if _task(model) is Task.CLASSIFICATION else model.network_.targets


def _task(model: Model) -> Task:
    if not isinstance(model, DeepClassifier):
        return Task.REGRESSION
    return Task.LABELS if model._multilabel else Task.CLASSIFICATION

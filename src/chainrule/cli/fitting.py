"""``chainrule fit``."""

import re
import sys
import warnings
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from time import perf_counter
from typing import TYPE_CHECKING, Any

from chainrule.cli.about import About
from chainrule.cli.printing import Report, counted, out_json, refuse_twice, score_table
from chainrule.errors import ArgumentError, DivergedError
from chainrule.estimators import recipes
from chainrule.estimators.classifier import DeepClassifier
from chainrule.estimators.options import refuse_wrong
from chainrule.estimators.problems import Problem, problem_of, select_columns
from chainrule.estimators.regressor import DeepRegressor
from chainrule.estimators.scores import Comparison, baseline_of, compare
from chainrule.estimators.target_columns import Task
from chainrule.files.description import Model
from chainrule.files.model_file import refuse_unwritable, save
from chainrule.network.network import shapes
from chainrule.network.parameters import count
from chainrule.tables.reading import read_table
from chainrule.tables.splits import validation_split

if TYPE_CHECKING:
    import polars as pl


_OPTIONS = {
    "hidden_layer_sizes": "--hidden",
    "learning_rate_init": "--learning-rate",
    "learning_rate": "--schedule",
    "max_iter": "--epochs",
    "batch_size": "--batch-size",
    "weight_decay": "--weight-decay",
    "max_norm": "--max-norm",
} | {name: f"--{name}" for name in ("activation", "dropout", "loss", "solver")}


@dataclass(frozen=True)
class Request:
    """What was asked for; ``options`` are the estimator's."""

    table: str
    targets: tuple[str, ...]
    output: str | None
    validation: str | None
    task: str
    options: dict[str, Any]
    missing: tuple[str, ...]
    drop: tuple[str, ...]
    weight: str | None
    json: bool
    quiet: bool


@dataclass(frozen=True)
class _Outcome:
    model: Model
    seconds: float
    scored: str
    """Which rows the scores are of: "validation" or "training"."""
    rows: int
    comparisons: list[Comparison]


def fit_table(request: Request) -> Model:
    """Read, fit, report, save."""
    report = Report(request.quiet)
    with _speaking_of_options():
        refuse_wrong(request.options)
    _refuse_outputs(request)
    frame = read_table(request.table, missing=request.missing)
    problem = _problem(frame, request)
    training, held_out = _parts(problem, request)
    _announce(report, request, problem, training, held_out)
    outcome = _fitted(report, request, training, held_out)
    model = outcome.model
    if request.output is not None:
        baseline = tuple(baseline_of(model, training.y))
        about = About(problem.task.value, request.targets, request.missing, len(training.y), baseline)
        save(model, request.output, about=about.to_dict())
    _tell(report, request, problem, outcome)
    if request.json:
        out_json(_as_json(request, problem, outcome))
    return model


def _refuse_outputs(request: Request) -> None:
    """Refuse what cannot be written, before anything is read or learnt."""
    refuse_twice(("TABLE", request.table), ("--validation", request.validation))
    if request.output is None:
        return
    refuse_twice(("--output", request.output), ("--json", "-" if request.json else None))
    if request.output == "-" and sys.stdout.isatty():
        raise ArgumentError(
            "a model must go to a file; standard output is a terminal. Give -o MODEL, or > MODEL."
        )
    for source in (request.table, request.validation):
        refuse_same(request.output, source)
    refuse_unwritable(request.output)


def refuse_same(output: str, source: str | None) -> None:
    """Refuse to write over a file that is read."""
    if source not in (None, "-") and output != "-" and Path(output).resolve() == Path(str(source)).resolve():
        raise ArgumentError(f"--output must be another file than {source!r}, which it would replace.")


def _problem(frame: "pl.DataFrame", request: Request) -> Problem:
    task = None if request.task == "auto" else Task(request.task)
    return problem_of(frame, request.targets, task, drop=request.drop, weight=request.weight)


def _parts(problem: Problem, request: Request) -> tuple[Problem, Problem | None]:
    """Rows to learn from, and rows to choose the best epoch by."""
    if request.validation is not None:
        frame = read_table(request.validation, missing=request.missing)
        weight = [request.weight] if request.weight is not None else []
        frame = select_columns(frame, [*problem.X.columns, *request.targets, *weight])
        return problem, problem_of(frame, request.targets, problem.task, weight=request.weight)
    if not recipes.validates(len(problem.y)):
        return problem, None
    classes = problem.task is Task.CLASSIFICATION
    training, validation = validation_split(problem.y, 0.1, request.options["random_state"], stratify=classes)
    return problem.take(training), problem.take(validation)


def _announce(
    report: Report, request: Request, problem: Problem, training: Problem, held_out: Problem | None
) -> None:
    source = "standard input" if request.table == "-" else request.table
    if request.validation is not None and held_out:
        rows = f"{counted(len(training.y), 'row')}; {len(held_out.y):,} of {request.validation} to validate"
    elif held_out:
        rows = f"{counted(len(problem.y), 'row')}, {len(held_out.y):,} of them kept to validate"
    else:
        rows = f"{counted(len(problem.y), 'row')}, too few to keep some to validate"
    report.say(f"{source}: {counted(problem.X.width, 'column')} to learn from; {rows}", "bold")
    names = ", ".join(map(repr, request.targets))
    report.say(f"{problem.task.value} of {names}: {problem.why}")


def _fitted(report: Report, request: Request, training: Problem, held_out: Problem | None) -> _Outcome:
    make = DeepRegressor if training.task is Task.REGRESSION else DeepClassifier
    model = make(**request.options, verbose=not request.quiet)
    start = perf_counter()
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always", UserWarning)
        validation = (
            {"X_val": held_out.X, "y_val": held_out.y, "sample_weight_val": held_out.weight}
            if held_out
            else {}
        )
        with _speaking_of_options():
            model.fit(training.X, training.y, training.weight, **validation)
    seconds = perf_counter() - start
    model.set_params(verbose=False)
    for warning in caught:
        if issubclass(warning.category, UserWarning):
            report.say(f"chainrule: {_in_options(str(warning.message))}", "yellow")
    scored = held_out or training
    comparisons = compare(model, scored.X, scored.y, baseline_of(model, training.y), request.targets)
    return _Outcome(model, seconds, "validation" if held_out else "training", len(scored.y), comparisons)


@contextmanager
def _speaking_of_options() -> Iterator[None]:
    try:
        yield
    except (ArgumentError, DivergedError) as error:
        raise type(error)(_in_options(str(error))) from error


def _in_options(message: str) -> str:
    """What an estimator says of its arguments, in the words of the command line."""
    begun = re.sub(r"^(\w+)(?:: [\w -]+)?(?= must be)", lambda name: _OPTIONS.get(name[1], name[0]), message)
    return re.sub(r"\w+_\w+", lambda name: _OPTIONS.get(name[0], name[0]), begun).replace(", or 'auto'", "")


def _tell(report: Report, request: Request, problem: Problem, outcome: _Outcome) -> None:
    model, network = outcome.model, outcome.model.network_
    if model.interrupted_:
        report.say("interrupted; the best model so far is kept", "yellow")
    layers = "-".join(map(str, network.sizes))
    activations = " and ".join(dict.fromkeys(activation.name for activation in network.activations))
    report.say(
        f"network {layers}, {activations or 'linear'}, loss {network.loss.name}: "
        f"{count(shapes(network)):,} parameters"
    )
    best = f", best {model.best_iteration_}" if model.validation_scores_ else ""
    losses = f"training loss {model.loss_curve_[model.best_iteration_ - 1]:.4g}"
    if model.validation_scores_:
        losses += f", validation loss {-model.validation_scores_[model.best_iteration_ - 1]:.4g}"
    report.say(f"{counted(model.n_iter_, 'epoch')} in {outcome.seconds:.1f} s{best}: {losses}\n")
    scores = {
        name: (c.model, c.baseline) for name, c in zip(request.targets, outcome.comparisons, strict=True)
    }
    title = f"{counted(outcome.rows, f'{outcome.scored} row')}"
    other = "mean" if problem.task is Task.REGRESSION else "majority"
    report.say(score_table(scores, title, other) + "\n")
    if request.output is None:
        report.say("not saved; add -o MODEL to keep the model")
    elif request.output != "-":
        report.say(f"saved {request.output} ({Path(request.output).stat().st_size:,} bytes)")


def _as_json(request: Request, problem: Problem, outcome: _Outcome) -> dict[str, Any]:
    model, network = outcome.model, outcome.model.network_
    best = model.best_iteration_
    return {
        "task": problem.task.value,
        "target": list(request.targets),
        "rows": len(problem.y),
        "columns": problem.X.width,
        "network": list(network.sizes),
        "loss": network.loss.name,
        "parameters": count(shapes(network)),
        "epochs": model.n_iter_,
        "best_epoch": best,
        "interrupted": model.interrupted_,
        "seconds": round(outcome.seconds, 3),
        "training_loss": model.loss_curve_[best - 1],
        "validation_loss": -model.validation_scores_[best - 1] if model.validation_scores_ else None,
        "scored": outcome.scored,
        "scored_rows": outcome.rows,
        "scores": {name: c._asdict() for name, c in zip(request.targets, outcome.comparisons, strict=True)},
        "model": request.output,
    }

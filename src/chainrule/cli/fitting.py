"""``chainrule fit``."""

import os
import re
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from time import perf_counter
from typing import TYPE_CHECKING, Any

from chainrule.cli.about import About
from chainrule.cli.printing import Report, counted, out, out_json, refuse_twice, score_table, without_panics
from chainrule.cli.showing import columns_of
from chainrule.errors import ArgumentError, DivergedError
from chainrule.estimators.classifier import DeepClassifier
from chainrule.estimators.options import refuse_wrong
from chainrule.estimators.problems import Problem, problem_of, refuse_absent, select_columns
from chainrule.estimators.regressor import DeepRegressor
from chainrule.estimators.scores import Comparison, baseline_of, compare
from chainrule.estimators.target_columns import Task
from chainrule.files.description import Model
from chainrule.files.model_file import refuse_unwritable, save
from chainrule.network.network import shapes
from chainrule.network.parameters import count
from chainrule.tables.casting import Kind, recast
from chainrule.tables.noticing import Notice, noticed
from chainrule.tables.reading import read_table
from chainrule.tables.writing import atomically

if TYPE_CHECKING:
    import polars as pl


_NOTICES = 6  # told on the terminal, the gravest

_OPTIONS = {
    "hidden_layer_sizes": "--hidden",
    "learning_rate_init": "--learning-rate",
    "learning_rate": "--schedule",
    "max_iter": "--epochs",
    "batch_size": "--batch-size",
    "weight_decay": "--weight-decay",
    "max_norm": "--max-norm",
    "scoring": "--metric",
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
    kinds: dict[str, Kind]
    weight: str | None
    group: str | None
    time: str | None
    report: str | None
    json: bool
    quiet: bool


@dataclass(frozen=True)
class Outcome:
    """A model and what it scored."""

    model: Model
    seconds: float
    held_out: Problem | None
    """The rows that validated."""
    rows: int
    """How many rows were scored: those that validated, or all where none did."""
    comparisons: list[Comparison]
    """The scores of each target on them."""
    noticed: list[Notice]
    """What a person should know of the table."""


def fit_table(request: Request) -> Model:
    """Read, fit, report, save."""
    report = Report(request.quiet)
    with _speaking_of_options():
        refuse_wrong(request.options)
    _refuse_outputs(request)
    with report.warnings(), without_panics():
        problem = _problem(read_table(request.table, missing=request.missing), request)
        validation = _validation(problem, request)
    _announce(report, request, problem)
    outcome = _fitted(report, request, problem, validation)
    if request.output is not None:
        save(outcome.model, request.output, about=_about(request, problem, outcome).to_dict())
    _tell(report, request, problem, outcome)
    if request.report is not None:
        _write_page(report, request, problem, outcome)
    if request.json:
        out_json(_as_json(request, problem, outcome))
    return outcome.model


def _refuse_outputs(request: Request) -> None:
    """Refuse what cannot be written, before anything is read or learnt."""
    refuse_twice(("TABLE", request.table), ("--validation", request.validation))
    for output in (request.output, request.report):
        if output is None:
            continue
        for source in (request.table, request.validation):
            refuse_same(output, source)
        refuse_unwritable(output)
    json = "-" if request.json else None
    refuse_twice(("--output", request.output), ("--report", request.report), ("--json", json))
    if request.output == "-" and sys.stdout.isatty():
        raise ArgumentError(
            "a model must go to a file; standard output is a terminal. Give -o MODEL, or > MODEL."
        )


def refuse_same(output: str, source: str | None) -> None:
    """Refuse to write over a file that is read."""
    if (
        source not in (None, "-")
        and output != "-"
        and os.path.realpath(output) == os.path.realpath(str(source))
    ):
        raise ArgumentError(f"--output must be another file than {source!r}, which it would replace.")


def _problem(frame: "pl.DataFrame", request: Request, task: Task | None = None) -> Problem:
    for name in request.kinds:
        refuse_absent(name, frame)
    if task is None and request.task != "auto":
        task = Task(request.task)
    frame = recast(frame, request.kinds)
    return problem_of(
        frame,
        request.targets,
        task,
        drop=[name for name in request.drop if task is None or name in frame.columns],
        weight=request.weight,
        group=request.group,
        time=request.time,
    )


def _validation(problem: Problem, request: Request) -> Problem | None:
    """Rows of the user's own to choose the best epoch by."""
    if request.validation is None:
        return None
    if request.group is not None or request.time is not None:
        raise ArgumentError("--validation must be left out with --group or --time; got both.")
    frame = read_table(request.validation, missing=request.missing)
    weight = [request.weight] if request.weight is not None else []
    frame = select_columns(frame, [*problem.X.columns, *request.targets, *weight])
    return problem_of(recast(frame, request.kinds), request.targets, problem.task, weight=request.weight)


def _announce(report: Report, request: Request, problem: Problem) -> None:
    source = "standard input" if request.table == "-" else request.table
    report.say(
        f"{source}: {counted(len(problem.y), 'row')}, {counted(problem.X.width, 'column')} to learn from",
        "bold",
    )
    if problem.left_out:
        report.say(f"{counted(problem.left_out, 'row')} without a target left out", "yellow")
    names = ", ".join(map(repr, request.targets))
    report.say(f"{problem.task.value} of {names}: {problem.why}")


def _fitted(report: Report, request: Request, problem: Problem, validation: Problem | None) -> Outcome:
    make = DeepRegressor if problem.task is Task.REGRESSION else DeepClassifier
    model = make(**request.options, verbose=not request.quiet)
    start = perf_counter()
    own = (
        {"X_val": validation.X, "y_val": validation.y, "sample_weight_val": validation.weight}
        if validation
        else {"groups": problem.groups, "time": problem.time}
    )
    with report.warnings(in_options), _speaking_of_options():
        model.fit(problem.X, problem.y, problem.weight, **own)
    seconds = perf_counter() - start
    model.set_params(verbose=False)
    held_out = validation
    if held_out is None and model.validation_rows_ is not None:
        held_out = problem.take(model.validation_rows_)
    scored = held_out or problem
    training = training_of(problem, model)
    comparisons = compare(model, scored.X, scored.y, baseline_of(model, training.y), request.targets)
    found = noticed(
        training.X,
        training.y,
        classes=training.task is not Task.REGRESSION,
        names=request.targets,
        validation=None if held_out is None else held_out.X,
        validation_y=None if held_out is None else held_out.y,
    )
    return Outcome(model, seconds, held_out, len(scored.y), comparisons, found)


def training_of(problem: Problem, model: Model) -> Problem:
    """The rows that the network learnt from."""
    import numpy as np

    if model.validation_rows_ is None:
        return problem
    return problem.take(np.setdiff1d(np.arange(len(problem.y)), model.validation_rows_))


def _about(request: Request, problem: Problem, outcome: Outcome) -> About:
    training = training_of(problem, outcome.model)
    scores = {n: c.model for n, c in zip(request.targets, outcome.comparisons, strict=True)}
    return About(
        task=problem.task.value,
        target=request.targets,
        missing=request.missing,
        rows=len(training.y),
        baseline=tuple(baseline_of(outcome.model, training.y)),
        kinds=request.kinds,
        scores={"rows": outcome.rows, "of": _scored(outcome), "targets": scores},
    )


def _write_page(report: Report, request: Request, problem: Problem, outcome: Outcome) -> None:
    """The page of --report."""
    from chainrule.cli.reporting import findings_of
    from chainrule.report.page import render

    assert request.report is not None
    findings = findings_of(
        outcome.model,
        training=training_of(problem, outcome.model),
        held_out=outcome.held_out,
        comparisons=outcome.comparisons,
        targets=request.targets,
        kinds=columns_of(outcome.model),
        source="standard input" if request.table == "-" else request.table,
        output=request.output or "",
        scored=_how(request, outcome).removeprefix("rows "),
        seconds=outcome.seconds,
        options=request.options,
        missing=request.missing,
        noticed=outcome.noticed,
    )
    page = render(findings)
    if request.report == "-":
        out(page)
        return
    with atomically(request.report) as temporary:
        temporary.write_text(page, "utf-8")
    report.say(f"wrote {request.report} ({Path(request.report).stat().st_size:,} bytes)")


@contextmanager
def _speaking_of_options() -> Iterator[None]:
    try:
        yield
    except (ArgumentError, DivergedError) as error:
        raise type(error)(in_options(str(error))) from error


def in_options(message: str) -> str:
    """What an estimator says of its arguments, in the words of the command line."""
    begun = re.sub(r"^(\w+)(?:: [\w -]+)?(?= must be)", lambda name: _OPTIONS.get(name[1], name[0]), message)
    return re.sub(r"\w+_\w+", lambda name: _OPTIONS.get(name[0], name[0]), begun).replace(", or 'auto'", "")


def _scored(outcome: Outcome) -> str:
    return "validation" if outcome.held_out else "training"


def _how(request: Request, outcome: Outcome) -> str:
    """Which rows the scores are of, in words."""
    if outcome.held_out is None:
        return "rows that it learnt from, for there were too few to keep some to validate"
    if request.validation is not None:
        return f"rows of {request.validation}, to validate"
    if request.group is not None:
        return f"rows kept to validate, whole groups by {request.group!r}"
    if request.time is not None:
        return f"rows kept to validate, the latest by {request.time!r}"
    return f"rows kept to validate, drawn at random by seed {request.options['random_state']}"


def _tell(report: Report, request: Request, problem: Problem, outcome: Outcome) -> None:
    model, network = outcome.model, outcome.model.network_
    if model.interrupted_:
        report.say("interrupted; the best model so far is kept", "yellow")
    layers = "-".join(map(str, network.sizes))
    activations = " and ".join(dict.fromkeys(activation.name for activation in network.activations))
    report.say(f"scored on {outcome.rows:,} {_how(request, outcome)}")
    report.say(
        f"network {layers}, {activations or 'linear'}, loss {network.loss.name}: "
        f"{count(shapes(network)):,} parameters"
    )
    best = f", best {model.best_iteration_}" if model.validation_scores_ else ""
    losses = f"training loss {model.loss_curve_[model.best_iteration_ - 1]:.4g}"
    if model.validation_scores_:
        losses += f", validation loss {-model.validation_scores_[model.best_iteration_ - 1]:.4g}"
    report.say(f"{counted(model.n_iter_, 'epoch')} in {outcome.seconds:.1f} s{best}: {losses}\n")
    scores = dict(zip(request.targets, outcome.comparisons, strict=True))
    title = f"{counted(outcome.rows, f'{_scored(outcome)} row')}"
    other = "mean" if problem.task is Task.REGRESSION else "majority"
    report.say(score_table(scores, title, other) + "\n")
    for notice in outcome.noticed[:_NOTICES]:
        report.say(f"noticed: {notice.text}", "yellow")
    if len(outcome.noticed) > _NOTICES:
        report.say(f"noticed {len(outcome.noticed) - _NOTICES} more things; --report tells them", "yellow")
    if request.output is None:
        report.say("not saved; add -o MODEL to keep the model")
    elif request.output != "-":
        report.say(f"saved {request.output} ({Path(request.output).stat().st_size:,} bytes)")


def _as_json(request: Request, problem: Problem, outcome: Outcome) -> dict[str, Any]:
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
        "scored": _scored(outcome),
        "scored_rows": outcome.rows,
        "scores": {name: c._asdict() for name, c in zip(request.targets, outcome.comparisons, strict=True)},
        "noticed": [notice._asdict() for notice in outcome.noticed],
        "model": request.output,
    }

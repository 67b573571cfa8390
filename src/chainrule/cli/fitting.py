"""``chainrule fit``."""

import os
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path
from time import perf_counter
from typing import TYPE_CHECKING

import numpy as np

from chainrule.cli.hosting import together
from chainrule.cli.printing import Report, counted, out, out_json, refuse_twice, warned_before, without_panics
from chainrule.cli.request import Outcome, Request, asked, parts_of, training_of
from chainrule.cli.showing import columns_of
from chainrule.cli.telling import about_outcome, as_json, how_scored, tell
from chainrule.cli.wording import in_options, option_of
from chainrule.errors import ArgumentError, DivergedError, TableError
from chainrule.estimators.classifier import DeepClassifier
from chainrule.estimators.large_problem import LargeProblem
from chainrule.estimators.options import refuse_wrong
from chainrule.estimators.problems import Problem, problem_of, refuse_absent, select_columns
from chainrule.estimators.regressor import DeepRegressor
from chainrule.estimators.scores import baseline_of, compare
from chainrule.estimators.streaming import is_large
from chainrule.estimators.target_columns import Task
from chainrule.estimators.tasks import ZERO_AND_ONE
from chainrule.files.description import Model
from chainrule.files.model_file import refuse_unwritable, save
from chainrule.tables.casting import recast
from chainrule.tables.encoders import NumericColumn
from chainrule.tables.noticing import Notice, noticed
from chainrule.tables.reading import read_table
from chainrule.tables.stream import bytes_of, find_stream
from chainrule.tables.writing import atomically
from chainrule.training.checkpoints import Checkpoints

if TYPE_CHECKING:
    import polars as pl


def fit_table(request: Request) -> Model:
    """Read, fit, report, save; with others, where there are hosts."""
    if request.hosts is None:
        return _fit_table(request)
    if request.checkpoints is not None:
        raise ArgumentError("--checkpoints must be left out with --hosts; got both. Leave one of them out.")
    with together(request.hosts) as first:
        if not first:  # it speaks only of what fails
            request = replace(request, output=None, report=None, json=False, quiet=True)
        return _fit_table(request)


def _fit_table(request: Request) -> Model:
    report = Report(request.quiet)
    with _speaking_of_options():
        refuse_wrong(request.options)
    _refuse_outputs(request)
    checkpoints = _checkpoints(report, request)
    with report.warnings(), without_panics():
        large = _large(request)
        if large is None:
            problem = _problem(read_table(request.table, missing=request.missing), request)
            validation = _validation(problem, request)
        else:
            problem, validation = large.sample, None
    _announce(report, request, problem, large)
    outcome = _fitted(report, request, problem, validation, large, checkpoints)
    if request.output is not None:
        save(outcome.model, request.output, about=about_outcome(request, problem, outcome).to_dict())
    if checkpoints is not None:
        _done_with(report, checkpoints, outcome)
    tell(report, request, problem, outcome)
    if request.report is not None:
        _write_page(report, request, problem, outcome)
    if request.json:
        out_json(as_json(request, problem, outcome))
    return outcome.model


def _refuse_outputs(request: Request) -> None:
    """Refuse what cannot be written, before anything is read or learnt."""
    refuse_twice(("TABLE", request.table), ("--validation", request.validation))
    for output, option in ((request.output, "--output"), (request.report, "--report")):
        if output is None:
            continue
        for source in (request.table, request.validation):
            refuse_same(output, source, option)
        refuse_unwritable(output)
    if request.report is not None:
        refuse_same(request.report, request.output, "--report")
    json = "-" if request.json else None
    refuse_twice(("--output", request.output), ("--report", request.report), ("--json", json))
    if request.output == "-" and sys.stdout.isatty():
        raise ArgumentError(
            "a model must go to a file; standard output is a terminal. Give -o MODEL, or > MODEL."
        )


def _checkpoints(report: Report, request: Request) -> Checkpoints | None:
    """Where they are to go, before anything is read or learnt, and where the training begins."""
    if request.checkpoints is None:
        if request.resume or request.checkpoint_every is not None:
            name = "--resume" if request.resume else "--checkpoint-every"
            raise ArgumentError(f"{name} must come with --checkpoints FOLDER; got no folder.")
        return None
    every = {} if request.checkpoint_every is None else {"every": request.checkpoint_every}
    with _speaking_of_options():
        opened = Checkpoints(request.checkpoints, resume=request.resume, tell=report.warn, **every)
    if opened.found is not None:
        report.say(f"going on after epoch {opened.found.epochs:,}, from {opened.found.path}")
    elif request.resume:
        report.say(f"there is no checkpoint in {request.checkpoints}; training begins from its start")
    return opened


def _done_with(report: Report, checkpoints: Checkpoints, outcome: Outcome) -> None:
    """Keep the checkpoints of a training that may be gone on with."""
    if outcome.model.interrupted_:
        report.say("the checkpoints too are kept; --resume goes on from them", "yellow")
    else:
        checkpoints.remove()


def refuse_same(output: str, source: str | None, option: str = "--output") -> None:
    """Refuse to write over a file that is read, or written to by another option."""
    if (
        source not in (None, "-")
        and output != "-"
        and os.path.realpath(output) == os.path.realpath(str(source))
    ):
        raise ArgumentError(f"{option} must be another file than {source!r}, which it would replace.")


def _large(request: Request) -> LargeProblem | None:
    """The table as one to be learnt from in parts, where it needs more memory than there is."""
    try:
        memory = bytes_of(request.memory)
    except ArgumentError as error:
        raise ArgumentError(f"--{error}") from None
    stream = find_stream(request.table, memory=memory)
    if stream is None and request.memory is not None:
        raise ArgumentError(
            f"--memory must be left out for {request.table}, which is read whole; only Parquet and Arrow "
            "files can be read in parts. Convert it, as polars.scan_csv(…).sink_parquet(…) does."
        )
    if stream is None and request.hosts is not None:
        raise ArgumentError(
            f"--hosts must be left out for {request.table}, which cannot be read in parts; only Parquet and "
            "Arrow files can. Convert it, as polars.scan_csv(…).sink_parquet(…) does."
        )
    if stream is None or not (is_large(stream) or request.hosts is not None):
        return None
    given = {
        "--validation": request.validation,
        "--group": request.group,
        "--time": request.time,
        "--missing": request.missing,
    }
    for option, value in given.items():
        if value:
            raise ArgumentError(
                f"{option} must be left out for a table that is read in parts, as {stream.rows:,} rows are "
                "that need more than --memory, by default half of the machine's, or are learnt with --hosts."
            )
    task = None if request.task == "auto" else Task(request.task)
    return LargeProblem(
        stream,
        request.targets,
        task,
        drop=request.drop,
        weight=request.weight,
        kinds=request.kinds,
        seed=request.options["random_state"],
    )


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


def _announce(report: Report, request: Request, problem: Problem, large: LargeProblem | None) -> None:
    source = "standard input" if request.table == "-" else request.table
    rows = len(problem.y) if large is None else large.rows
    report.say(
        f"{source}: {counted(rows, 'row')}, {counted(problem.X.width, 'column')} to learn from", "bold"
    )
    if large is not None:
        sample = counted(len(problem.y), "row")
        report.say(f"read in parts; {sample} drawn at random say what the table is like")
    elif problem.left_out:
        report.say(f"{counted(problem.left_out, 'row')} without a target left out", "yellow")
    names = ", ".join(map(repr, request.targets))
    report.say(f"{problem.task.value} of {names}: {problem.why}")


def _fitted(
    report: Report,
    request: Request,
    problem: Problem,
    validation: Problem | None,
    large: LargeProblem | None,
    checkpoints: Checkpoints | None,
) -> Outcome:
    make = DeepRegressor if problem.task is Task.REGRESSION else DeepClassifier
    for name in ("class_weight", "target_transform"):
        if name in request.options and name not in make().get_params():
            raise ArgumentError(
                f"{option_of(name)} must be left out for a {problem.task.value}.{_or_numbers(problem)}"
            )
    model = make(**request.options, verbose=not request.quiet)
    spread = None if large is None else model.spread()
    if spread is not None:
        report.say(spread.told())
    start = perf_counter()
    own = (
        {"X_val": validation.X, "y_val": validation.y, "sample_weight_val": validation.weight}
        if validation
        else {"groups": problem.groups, "time": problem.time}
    )
    with report.warnings(in_options), _speaking_of_options(_or_numbers(problem)):
        if large is None:
            model.fit(problem.X, problem.y, problem.weight, **own, checkpoints=checkpoints)
        else:
            model.fit_large(large, checkpoints=checkpoints)
    seconds = perf_counter() - start
    model.set_params(verbose=False)
    held_out = validation
    if held_out is None and model.validation_rows_ is not None:
        validated = model.validation_rows_
        held_out = problem.take(validated if large is None else np.searchsorted(large.places, validated))
    scored = held_out or problem
    training = training_of(problem, model)
    baseline = baseline_of(model, training.y)
    with warned_before():
        comparisons = compare(model, asked(model, scored.X), scored.y, baseline, request.targets)
    parts = None if validation else parts_of(model)
    judged = held_out if parts is None else None
    found = noticed(
        training.X,
        training.y,
        classes=training.task is not Task.REGRESSION,
        names=request.targets,
        validation=None if judged is None else judged.X,
        validation_y=None if judged is None else judged.y,
        parts=parts,
    )
    if model.get_params().get("target_transform") is not None:  # what it advises has been done
        found = [notice for notice in found if notice.kind != "skewed target"]
    columns = model.encoder_.columns  # of those that are left out, a warning has told
    empty = {c.name for c in columns if isinstance(c, NumericColumn) and c.missing == "always"}
    found = [n for n in found if n.column not in empty or n.kind not in ("identifier", "free text")]
    found += [Notice("warning", None, text) for text in report.warned]
    learnt = len(training.y) if large is None else large.rows - len(scored.y)
    return Outcome(model, seconds, learnt, held_out, len(scored.y), comparisons, found)


def _write_page(report: Report, request: Request, problem: Problem, outcome: Outcome) -> None:
    """The page of --report."""
    from chainrule.cli.reporting import findings_of
    from chainrule.report.page import render

    assert request.report is not None
    with warned_before():
        findings = findings_of(
            outcome.model,
            training=training_of(problem, outcome.model),
            held_out=outcome.held_out,
            comparisons=outcome.comparisons,
            targets=request.targets,
            kinds=columns_of(outcome.model),
            source="standard input" if request.table == "-" else request.table,
            output=request.output or "",
            scored=how_scored(request, outcome).removeprefix("rows").lstrip(", "),
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


def _or_numbers(problem: Problem) -> str:
    """How to overrule that 0 and 1 are classes, where an option is one for numbers."""
    return " Or add --task regression." if problem.why.endswith(ZERO_AND_ONE) else ""


@contextmanager
def _speaking_of_options(or_numbers: str = "") -> Iterator[None]:
    try:
        yield
    except (ArgumentError, DivergedError) as error:
        said = in_options(str(error))
        raise type(error)(said + or_numbers * said.startswith(("--loss", "--metric"))) from error
    except TableError as error:  # with names of columns in it, which stay as they are
        raise TableError(str(error).replace("target_transform='log'", "--log")) from error

"""What ``chainrule fit`` tells: lines for people, JSON for programs, a note for the model file."""

from pathlib import Path
from typing import Any

from chainrule.cli.printing import Report, counted, score_table
from chainrule.cli.request import Outcome, Request, training_of
from chainrule.cli.showing import smooth, validated
from chainrule.estimators.problems import Problem
from chainrule.estimators.scores import baseline_of
from chainrule.estimators.target_columns import Task
from chainrule.files.about import About
from chainrule.files.description import Model
from chainrule.network.network import shapes
from chainrule.network.parameters import count

_NOTICES = 6  # told on the terminal, the gravest


def about_outcome(request: Request, problem: Problem, outcome: Outcome) -> About:
    """What the model file notes beside the model."""
    training = training_of(problem, outcome.model)
    scores = {n: c.model for n, c in zip(request.targets, outcome.comparisons, strict=True)}
    return About(
        task=problem.task.value,
        target=request.targets,
        missing=request.missing,
        rows=outcome.learnt,
        baseline=tuple(baseline_of(outcome.model, training.y)),
        kinds=request.kinds,
        left_out=request.left_out,
        scores={"rows": outcome.rows, "of": _scored(outcome), "targets": scores},
    )


def _scored(outcome: Outcome) -> str:
    return "validation" if outcome.held_out else "training"


def how_scored(request: Request, outcome: Outcome) -> str:
    """Which rows the scores are of, in words."""
    if outcome.held_out is None:
        return "rows that it learnt from, for there were too few to keep some to validate"
    if request.validation is not None:
        return f"rows of {request.validation}, to validate"
    if request.time is not None:
        return f"rows kept to validate, the latest by {request.time!r}"
    whole = f"whole groups by {request.group!r}" if request.group is not None else "drawn at random"
    seed = f"seed {request.options['random_state']}"
    folds = outcome.model.folds_
    if len(folds.judged) > len(folds.judge[0]):
        return f"rows, each by networks that did not learn from it ({whole}, {seed})"
    return f"rows kept to validate, {whole}" + ("" if request.group is not None else f" by {seed}")


def tell(report: Report, request: Request, problem: Problem, outcome: Outcome) -> None:
    """Network, epochs, scores, notices, and where the model is."""
    model, network = outcome.model, outcome.model.network_
    if model.interrupted_:
        report.say("interrupted; the best model so far is kept", "yellow")
    layers = "-".join(map(str, network.sizes))
    activations = " and ".join(dict.fromkeys(activation.name for activation in network.activations))
    report.say(f"scored on {outcome.rows:,} {how_scored(request, outcome)}")
    members = model.n_members_
    each = " each" if members > 1 else ""
    report.say(
        f"{f'{members} networks' if members > 1 else 'network'} {layers}, {activations or 'linear'}, "
        f"loss {network.loss.name}: {count(shapes(network)):,} parameters{each}{smooth(model)}"
    )
    best = f", best {model.best_iteration_}" if model.validation_scores_ else ""
    losses = f"training loss {model.loss_curve_[model.best_iteration_ - 1]:.4g}"
    epochs = counted(model.n_iter_, "epoch")
    report.say(f"{epochs} in {outcome.seconds:.1f} s{best}: {losses}{validated(model)}\n")
    scores = dict(zip(request.targets, outcome.comparisons, strict=True))
    title = f"{counted(outcome.rows, f'{_scored(outcome)} row')}"
    other = "mean" if problem.task is Task.REGRESSION else "majority"
    report.say(score_table(scores, title, other) + "\n")
    untold = [notice for notice in outcome.noticed if notice.kind != "warning"]
    for notice in untold[:_NOTICES]:
        report.say(f"noticed: {notice.text}", "yellow")
    if len(untold) > _NOTICES:
        report.say(f"noticed {len(untold) - _NOTICES} more things; --report tells them", "yellow")
    if request.output is None:
        report.say("not saved; add -o MODEL to keep the model")
    elif request.output != "-":
        report.say(f"saved {request.output} ({Path(request.output).stat().st_size:,} bytes)")


def as_json(request: Request, problem: Problem, outcome: Outcome) -> dict[str, Any]:
    """The same for programs."""
    model, network = outcome.model, outcome.model.network_
    best = model.best_iteration_
    return {
        "task": problem.task.value,
        "target": list(request.targets),
        "rows": len(problem.y),
        "columns": problem.X.width,
        "network": list(network.sizes),
        "members": model.n_members_,
        "smooth_members": int(model.smooth_members_.sum()),
        "loss": network.loss.name,
        "parameters": count(shapes(network)),
        "epochs": model.n_iter_,
        "best_epoch": best,
        "interrupted": model.interrupted_,
        "seconds": round(outcome.seconds, 3),
        "training_loss": model.loss_curve_[best - 1],
        "metric": model.scoring,
        "validation_score": model.validation_scores_[best - 1] if model.validation_scores_ else None,
        "validation_loss": _validation_loss(model),
        "scored": _scored(outcome),
        "scored_rows": outcome.rows,
        "scores": {name: c._asdict() for name, c in zip(request.targets, outcome.comparisons, strict=True)},
        "noticed": [notice._asdict() for notice in outcome.noticed],
        "model": request.output,
    }


def _validation_loss(model: Model) -> float | None:
    if model.scoring not in (None, "loss") or not model.validation_scores_:
        return None
    return -model.validation_scores_[model.best_iteration_ - 1]

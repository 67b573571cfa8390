"""``chainrule show``."""

from typing import Any

from chainrule.cli.printing import counted, name_of, number, out, out_json
from chainrule.estimators.classifier import DeepClassifier
from chainrule.estimators.recipes import CODE_SIZE
from chainrule.files.about import About, about_of
from chainrule.files.description import Model, describe
from chainrule.files.model_file import load
from chainrule.network.network import shapes
from chainrule.network.parameters import count
from chainrule.tables.encoders import CategoryColumn, Column, DateColumn

_LEVELS = 6


def show_model(model_file: str, *, as_json: bool) -> None:
    """Read a model and print what it is."""
    model = load(model_file)
    if as_json:
        description, arrays = describe(model, None)
        out_json(description | {"arrays": {name: list(array.shape) for name, array in arrays.items()}})
        return
    about = about_of(model)
    members = model.n_members_
    networks = f"{members} networks of " if members > 1 else ""
    parameters = counted(count(shapes(model.network_)), "parameter")
    out(f"{type(model).__name__}, {networks}{parameters}{smooth(model)}")
    if about.target:
        out(f"{about.task or 'prediction'} of {', '.join(map(repr, about.target))}")
    if isinstance(model, DeepClassifier) and not model._multilabel:
        out(f"classes: {_some(model.classes_.tolist())}")
    out(f"\n{counted(len(model.encoder_.columns), 'column')} as {counted(model.encoder_.width, 'input')}")
    kinds = columns_of(model)
    width = max(len(name) for name, _ in kinds)
    out(_indented("\n".join(f"{name.ljust(width)}  {kind}" for name, kind in kinds)))
    out(f"\n{model.network_}")
    out(f"\n{_training(model, about)}")
    for line in _scores(about):
        out(line)
    changed = {
        name: value
        for name, value in model.get_params(deep=False).items()
        if value != type(model)().get_params(deep=False)[name]
    }
    if changed:
        out("options: " + ", ".join(f"{name}={value!r}" for name, value in changed.items()))


def smooth(model: Model) -> str:
    """How many of the networks do not see bins, as a part of a sentence; nothing where all do that can."""
    twins = int(model.smooth_members_.sum())
    if not twins:
        return ""
    return ", without bins" if twins == model.n_members_ else f", {twins} of the networks without bins"


def columns_of(model: Model) -> list[tuple[str, str]]:
    """What each column is taken for, in words."""
    return [(column.name, _kind(column)) for column in model.encoder_.columns]


def _kind(column: Column) -> str:
    if isinstance(column, CategoryColumn):
        number = len(column.levels)
        kind = "category" if number == 1 else "categories"
        coded = f", each a vector of {CODE_SIZE}" if column.coded else ""
        return f"{number:,} {kind}{coded}: {_some(column.levels)}"
    numbers = column.elapsed if isinstance(column, DateColumn) else column
    if numbers.missing == "always":
        return "nothing to learn from"
    marked = ", missing values marked" if numbers.missing == "sometimes" else ""
    if isinstance(column, DateColumn):
        return f"date: elapsed days, {', '.join(column.cycles) or 'no cycles'}{marked}"
    return f"number: middle {column.center:.6g}, spread {column.scale:.6g}{marked}"


def _training(model: Model, about: About) -> str:
    best = model.best_iteration_
    rows = f" on {counted(about.rows, 'row')}" if about.rows else ""
    text = f"trained for {counted(model.n_iter_, 'epoch')}{rows}"
    if model.interrupted_:
        text += " (interrupted)"
    text += f"; of epoch {best}: training loss {model.loss_curve_[best - 1]:.4g}"
    return text + validated(model)


def validated(model: Model) -> str:
    """What the kept epoch reached on the validation rows: a loss, or a score of the user's."""
    scores, best = model.validation_scores_ or [], model.best_iteration_
    if len(scores) < best:  # partial_fit does not validate
        return ""
    if model.scoring in (None, "loss"):
        return f", validation loss {-scores[best - 1]:.4g}"
    name = model.scoring if isinstance(model.scoring, str) else "score"
    return f", validation {name} {scores[best - 1]:.4g}"


def _scores(about: About) -> list[str]:
    """What was noted of the scores at fit, a line for each target."""
    noted = about.scores.get("targets")
    if not isinstance(noted, dict):
        return []
    return [
        f"{target!r} on {about.scores.get('rows'):,} {about.scores.get('of')} rows: "
        + ", ".join(f"{name_of(name)} {number(name, value)}" for name, value in scores.items())
        for target, scores in noted.items()
    ]


def _some(values: Any) -> str:
    shown = ", ".join(map(repr, values[:_LEVELS]))
    return shown if len(values) <= _LEVELS else f"{shown}, …"


def _indented(text: str) -> str:
    return "\n".join(f"  {line}" for line in text.splitlines())

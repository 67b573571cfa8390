"""What one takes away from a run: the model's file, and Python code that learns the same."""

from typing import Any

from chainrule.errors import ArgumentError
from chainrule.estimators.classifier import DeepClassifier
from chainrule.estimators.scores import baseline_of
from chainrule.files.about import About, about_of
from chainrule.files.model_file import to_bytes
from chainrule.page.run import Run
from chainrule.page.setup import Points


def model_file(run: Run, targets: tuple[str, ...]) -> bytes:
    """The network as it is, in the file that ``chainrule predict`` and ``chainrule.load`` read."""
    model = run.fitted()
    if not run.told:  # what is noted of the model stays true but for its scores
        return to_bytes(model, about_of(model)._replace(scores={}).to_dict())
    problem = run.problem.take(run.order[: run.learnt])
    about = About(
        task=problem.task.value,
        target=targets,
        rows=run.learnt,
        baseline=tuple(baseline_of(model, problem.y)),
    )
    return to_bytes(model, about.to_dict())


def python_code(run: Run, targets: tuple[str, ...], table: str) -> str:
    """A program that trains the same network for as many epochs.

    It comes to the same weights where no weight was edited and the learning rate stayed as it was.
    """
    if run.setup.model is not None:
        raise ArgumentError(
            "a network must have begun here to have code that learns the same; this one goes on from a "
            "model. Export the model instead."
        )
    setup, data, epochs = run.setup, run.setup.data, run.now.epoch
    target = targets[0] if len(targets) == 1 else list(targets)
    kind = "DeepClassifier" if isinstance(run.model, DeepClassifier) else "DeepRegressor"
    options: dict[str, Any] = setup.options(run.learnt) | {"max_iter": max(1, epochs)}
    keeps = run.learnt < len(run.order)
    lines = [f'"""The network of this run after {epochs:,} epochs."""', "", "import chainrule"]
    if isinstance(data, Points):
        lines.append("from chainrule.page.classic import classic_table")
        drawn = f"{data.set!r}, rows={data.rows}, noise={data.noise!r}, seed={data.seed}"
        read = f"table = classic_table({drawn})"
    else:
        read = f"table = chainrule.read_table({table!r}).drop_nulls({target!r})"
    if keeps:
        lines.append("from chainrule.tables.splits import validation_split")
    lines += ["", read, f"X, y = table.drop({target!r}), table[{target!r}].to_numpy()"]
    if keeps:
        stratify = run.problem.task.value == "classification"
        how = f"y, {setup.validation!r}, {setup.seed}, stratify={stratify}"
        lines += [f"learnt, held_out = validation_split({how})"]
    lines += [
        f"model = chainrule.{kind}(",
        *(f"    {name}={value!r}," for name, value in options.items()),
        ")",
    ]
    if keeps:
        lines += ["model.fit(X[learnt], y[learnt])", "print(model.score(X[held_out], y[held_out]))"]
    else:
        lines += ["model.fit(X, y)"]
    return "\n".join(lines) + "\n"

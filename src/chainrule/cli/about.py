"""What the command line notes in a model file beside the model, and finds there again."""

from typing import Any, NamedTuple, get_args

from chainrule.files.description import Model
from chainrule.tables.casting import Kind


class About(NamedTuple):
    """Where the model comes from."""

    task: str = ""
    target: tuple[str, ...] = ()
    """Names of the target columns."""
    missing: tuple[str, ...] = ()
    """Texts that meant missing."""
    rows: int = 0
    """How many rows it learnt from; 0 if that is not known."""
    baseline: tuple[float, ...] = ()
    """The mean of each target, or the share of each class, in training."""
    kinds: dict[str, Kind] = {}  # noqa: RUF012  never changed
    """Columns that were said to be categories, numbers or dates."""
    left_out: tuple[str, ...] = ()
    """Columns of the table that were not to be learnt from: dropped, weights, groups."""
    scores: dict[str, Any] = {}  # noqa: RUF012  never changed
    """What the model scored, and on which rows."""

    def to_dict(self) -> dict[str, Any]:
        """Lists, texts and numbers, as a model file takes them."""
        return {k: list(value) if isinstance(value, tuple) else value for k, value in self._asdict().items()}


def about_of(model: Model) -> About:
    """What is noted; a model that was saved by a program may know less, and nobody checked it."""
    noted: dict[str, Any] = getattr(model, "about_", {})
    kinds = {"target": str, "missing": str, "baseline": float, "left_out": str}
    known: dict[str, Any] = {
        name: tuple(noted[name])
        for name, kind in kinds.items()
        if isinstance(noted.get(name), list) and all(isinstance(item, kind) for item in noted[name])
    }
    for name, single in (("task", str), ("rows", int), ("scores", dict)):
        if isinstance(noted.get(name), single):
            known[name] = noted[name]
    said = noted.get("kinds")
    if isinstance(said, dict) and all(kind in get_args(Kind) for kind in said.values()):
        known["kinds"] = said
    return About(**known)

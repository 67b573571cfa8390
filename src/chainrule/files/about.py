"""What is noted in a model file beside the model, and found there again."""

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
    for name, single in (("task", str), ("rows", int)):
        if isinstance(noted.get(name), single):
            known[name] = noted[name]
    said = noted.get("kinds")
    if isinstance(said, dict) and all(kind in get_args(Kind) for kind in said.values()):
        known["kinds"] = said
    if _are_scores(noted.get("scores")):
        known["scores"] = noted["scores"]
    return About(**known)


def _are_scores(noted: Any) -> bool:
    """Whether there are the names of rows, their number, and scores of each target."""
    if not isinstance(noted, dict) or not isinstance(noted.get("targets"), dict):
        return False
    targets = noted["targets"].values()
    return (
        isinstance(noted.get("rows"), int)
        and isinstance(noted.get("of"), str)
        and all(isinstance(scores, dict) for scores in targets)
        and all(isinstance(value, float | int | None) for scores in targets for value in scores.values())
    )

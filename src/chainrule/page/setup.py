"""What a run is told: checked once, before anything is drawn or compiled. It is what a shared link holds."""

from collections.abc import Mapping
from dataclasses import asdict, dataclass, field, fields, replace
from math import inf
from typing import Any, Self, TypeAlias

from chainrule.errors import ArgumentError
from chainrule.estimators.classifier import DeepClassifier
from chainrule.estimators.regressor import DeepRegressor
from chainrule.estimators.target_columns import Task
from chainrule.mathematics.activations import find_activation
from chainrule.mathematics.named import did_you_mean, quoted
from chainrule.page.classic import CLASSIC
from chainrule.training.optimizers import OPTIMIZERS

LIMITS = {"layers": 8, "units": 256, "batch_size": 4096, "rows": 2000, "upload_bytes": 20_000_000}
"""What the page may ask for: it draws every layer, and keeps every epoch."""


@dataclass(frozen=True)
class Points:
    """A classic set, drawn with a seed."""

    set: str = "spirals"
    rows: int = 400
    noise: float = 0.1
    seed: int = 0


@dataclass(frozen=True)
class Columns:
    """A table that the session holds, and the columns to predict from all others."""

    table: str
    targets: tuple[str, ...]


@dataclass(frozen=True)
class Drawn:
    """Rows drawn from what a model's file knows of each column, where it came without a table.

    Nobody knows their truth: one can look, and type rows in, but not learn.
    """

    drawn: int = 50
    seed: int = 0


Data: TypeAlias = Points | Columns | Drawn


@dataclass(frozen=True)
class Setup:
    """Data, network and training of a run; every number has its default."""

    data: Data = field(default_factory=Points)
    model: str | None = None
    """A trained model that the session holds, whose network and encoding the run goes on with."""
    hidden: tuple[int, ...] = (8, 8)
    activation: str = "tanh"
    loss: str | None = None
    """None: squared error for numbers, cross-entropy for classes."""
    optimizer: str = "adam"
    learning_rate: float = 0.03
    batch_size: int = 32
    l1: float = 0.0
    l2: float = 0.0
    dropout: float = 0.0
    layer_norm: bool = False
    residual: bool = False
    validation: float = 0.2
    """The share of the rows that are only looked at."""
    seed: int = 0

    def estimator(self, task: Task, learnt: int) -> DeepClassifier | DeepRegressor:
        """The estimator whose ``fit`` on ``learnt`` rows is this training."""
        make = DeepRegressor if task is Task.REGRESSION else DeepClassifier
        return make(**self.options(learnt))

    def options(self, learnt: int) -> dict[str, Any]:
        """Its options, but for ``max_iter``."""
        whole = OPTIMIZERS[self.optimizer].full_batch
        batch = min(self.batch_size, learnt)
        said: dict[str, Any] = {
            "hidden_layer_sizes": self.hidden,
            "activation": self.activation,
            "solver": self.optimizer,
            "learning_rate": "constant",
            "learning_rate_init": "auto" if whole else self.learning_rate,
            "batch_size": batch,
            # The estimators' alpha is scikit-learn's: divided by the rows of a batch it is our strength.
            "alpha": self.l2 * (learnt if whole else batch),
            "l1": self.l1,
            "dropout": self.dropout,
            "layer_norm": self.layer_norm,
            "residual": self.residual,
            "numeric_embedding": None,
            "n_members": 1,
            "early_stopping": False,
            "random_state": self.seed,
        }
        return said if self.loss is None else said | {"loss": self.loss}

    def to_dict(self) -> dict[str, Any]:
        """As JSON has it."""
        said = asdict(self) | {"hidden": list(self.hidden)}
        if isinstance(self.data, Columns):
            said["data"]["targets"] = list(self.data.targets)
        return said

    @classmethod
    def from_dict(cls, said: object) -> Self:
        """Check what a page or a link says.

        Raises
        ------
        ArgumentError
            For a name that is none, or a value outside what it may be.
        """
        told = _known("a set-up", said, cls)
        data = told.pop("data", None)
        found = replace(cls(), **{name: _value(name, value) for name, value in told.items()})
        return found if data is None else replace(found, data=_data(data))


def _data(said: object) -> Data:
    marks: dict[str, type[Any]] = {"table": Columns, "drawn": Drawn}
    named = [mark for mark in marks if isinstance(said, Mapping) and mark in said]
    kind = marks[named[0]] if named else Points
    told = _known("data", said, kind)
    if kind is Columns:
        return Columns(_text("table", told.get("table")), _targets(told.get("targets")))
    if kind is Drawn:
        drawn = replace(Drawn(), **told)
        _number("drawn", drawn.drawn, 1, LIMITS["rows"], whole=True)
        _number("seed", drawn.seed, 0, 2**32 - 1, whole=True)
        return drawn
    if told.get("set", "spirals") not in CLASSIC:
        raise ArgumentError(f"set must be one of {', '.join(CLASSIC)}; got {quoted(told['set'])}.")
    points = replace(Points(), **told)
    _number("rows", points.rows, 10, LIMITS["rows"], whole=True)
    _number("noise", points.noise, 0, 5)
    _number("seed", points.seed, 0, 2**32 - 1, whole=True)
    return points


def _targets(said: object) -> tuple[str, ...]:
    if not (isinstance(said, list | tuple) and said and all(isinstance(name, str) for name in said)):
        raise ArgumentError(f"targets must be a list of names of columns; got {quoted(said)}.")
    return tuple(dict.fromkeys(said))


def _known(what: str, said: object, kind: type[Any]) -> dict[str, Any]:
    names = [each.name for each in fields(kind)]
    if not isinstance(said, Mapping):
        raise ArgumentError(f"{what} must be an object of {', '.join(names)}; got {quoted(said)}.")
    for name in said:
        if name not in names:
            raise ArgumentError(f"{what} has no {quoted(name)}.{did_you_mean(str(name), names)}")
    return {str(name): value for name, value in said.items()}


def _value(name: str, value: object) -> Any:
    match name:
        case "hidden":
            if not isinstance(value, list | tuple) or len(value) > LIMITS["layers"]:
                raise ArgumentError(
                    f"hidden must be a list of at most {LIMITS['layers']} layers; got {quoted(value)}."
                )
            for units in value:
                _number("the units of a layer", units, 1, LIMITS["units"], whole=True)
            return tuple(value)
        case "activation":
            return find_activation(_text(name, value)).name
        case "optimizer":
            if value not in OPTIMIZERS:
                raise ArgumentError(f"optimizer must be one of {', '.join(OPTIMIZERS)}; got {quoted(value)}.")
        case "loss" | "model":
            return None if value is None else _text(name, value)
        case "layer_norm" | "residual":
            if not isinstance(value, bool):
                raise ArgumentError(f"{name} must be true or false; got {quoted(value)}.")
        case "batch_size":
            _number(name, value, 1, LIMITS["batch_size"], whole=True)
        case "seed":
            _number(name, value, 0, 2**32 - 1, whole=True)
        case "learning_rate":
            return learning_rate(value)
        case "dropout":
            _number(name, value, 0, 0.95)
        case "validation":
            _number(name, value, 0, 0.9)
        case _:
            _number(name, value, 0, 1e6)
    return value


def learning_rate(value: object) -> float:
    """Check a learning rate."""
    _number("learning_rate", value, 1e-9, 1e3)
    return float(value)  # type: ignore[arg-type]


def _text(name: str, value: object) -> str:
    if not isinstance(value, str):
        raise ArgumentError(f"{name} must be a text; got {quoted(value)}.")
    return value


def _number(name: str, value: object, least: float, most: float = inf, *, whole: bool = False) -> None:
    fits = isinstance(value, int if whole else int | float) and not isinstance(value, bool)
    if not (fits and least <= value <= most):  # type: ignore[operator]
        kind = "a whole number" if whole else "a number"
        raise ArgumentError(f"{name} must be {kind} from {least:g} to {most:g}; got {quoted(value)}.")

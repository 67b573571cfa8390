"""What one sitting holds: tables, trained models and runs; who serves it to whom is not its business."""

import secrets
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from time import monotonic
from typing import TYPE_CHECKING, Any, NamedTuple

import chainrule
from chainrule.errors import ArgumentError, TableError
from chainrule.estimators.problems import Problem, problem_of
from chainrule.estimators.target_columns import Task
from chainrule.files.about import about_of
from chainrule.files.description import Model
from chainrule.mathematics.activations import ACTIVATIONS
from chainrule.mathematics.classification_losses import CLASSIFICATION_LOSSES
from chainrule.mathematics.named import did_you_mean
from chainrule.mathematics.regression_losses import REGRESSION_LOSSES
from chainrule.page.classic import CLASSIC, TARGET, classic_table
from chainrule.page.drawn import drawn_problem, task_of_model
from chainrule.page.frames import Frames
from chainrule.page.run import Run
from chainrule.page.setup import LIMITS, Columns, Data, Drawn, Points, Setup
from chainrule.tables.reading import read_bytes
from chainrule.training.optimizers import OPTIMIZERS

if TYPE_CHECKING:
    import polars as pl

_RUNS = 12  # at a time: each has a thread, and a history in memory
_TABLES = 12  # that were brought along
_LAST_EPOCH = 10.0  # seconds that the epochs under way may take at the end
_GIVEN = "given"  # what a set-up calls the model that one started with
_PATIENCE = 60.0  # seconds for which a run that nobody looks at goes on


class HeldTable(NamedTuple):
    """A table, and the columns that were asked for."""

    name: str
    frame: "pl.DataFrame"
    targets: tuple[str, ...] = ()

    def to_dict(self, number: str) -> dict[str, Any]:
        """What the page says of it."""
        columns = self.frame.columns
        return {
            "table": number,
            "name": self.name,
            "rows": self.frame.height,
            "columns": columns,
            "targets": list(self.targets or columns[-1:]),
        }


class HeldModel(NamedTuple):
    """A trained model, and where it comes from."""

    name: str
    model: Model

    @property
    def targets(self) -> tuple[str, ...]:
        """What it predicts, as far as its file knows the names."""
        network, known = self.model.network_, about_of(self.model).target
        count = 1 if task_of_model(self.model) is Task.CLASSIFICATION else network.targets
        if len(known) == count:
            return known
        return ("prediction",) if count == 1 else tuple(f"prediction {k}" for k in range(1, count + 1))

    def to_dict(self) -> dict[str, Any]:
        """What the page says of it."""
        columns = [column.name for column in self.model.encoder_.columns]
        return {"name": self.name, "columns": columns, "targets": list(self.targets)}


class Watched:
    """A run, and who looks at it."""

    def __init__(self, run: Run, targets: tuple[str, ...]) -> None:
        self.run = run
        self.frames = Frames(run, targets)
        self._eyes = 0
        self._since = monotonic()
        self._lock = threading.Lock()

    @contextmanager
    def watched(self) -> Iterator[None]:
        """Somebody looks."""
        with self._lock:
            self._eyes += 1
        try:
            yield
        finally:
            with self._lock:
                self._eyes -= 1
                self._since = monotonic()

    @property
    def forgotten(self) -> bool:
        """Whether nobody has looked for a while."""
        with self._lock:
            return not self._eyes and monotonic() - self._since > _PATIENCE


class Session:
    """Tables, models and runs by numbers that nobody can guess.

    Parameters
    ----------
    table
        A table to begin with; without one it is a classic set.
    model
        A trained model to go on with. Without a table, it is shown on rows that are drawn or typed in.
    """

    def __init__(self, table: HeldTable | None = None, model: HeldModel | None = None) -> None:
        self._tables: dict[str, HeldTable] = {}
        self._models: dict[str, HeldModel] = {} if model is None else {_GIVEN: model}
        self._runs: dict[str, Watched] = {}
        self._lock = threading.Lock()
        self.start = Setup()
        if table is not None:
            number = self._held(table)
            targets = table.targets or (table.frame.columns[-1],)
            self.start = Setup(
                Columns(number, targets), hidden=(16, 16), activation="silu", learning_rate=0.003
            )
        if model is not None:
            self.start = _setup_of(model.model, Drawn() if table is None else self.start.data)

    def about(self) -> dict[str, Any]:
        """What there is to choose from."""
        with self._lock:
            tables = [table.to_dict(number) for number, table in self._tables.items()]
        classes, numbers = _losses()
        return {
            "version": chainrule.__version__,
            "sets": [{"name": c.name, "title": c.title, "task": c.task} for c in CLASSIC.values()],
            "activations": list(ACTIVATIONS),
            "losses": {"classification": classes, "regression": numbers},
            "optimizers": list(OPTIMIZERS),
            "rates": {name: optimizer.learning_rate for name, optimizer in OPTIMIZERS.items()},
            "limits": LIMITS,
            "start": self.start.to_dict(),
            "tables": tables,
            "models": {number: model.to_dict() for number, model in self._models.items()},
        }

    def bring(self, data: bytes, name: str) -> dict[str, Any]:
        """Hold the table in the bytes of a file; nothing is written to disk.

        Raises
        ------
        ChainruleError
            If they are no table, or too many.
        """
        if len(data) > LIMITS["upload_bytes"]:
            raise TableError(
                f"a table to bring along must have at most {LIMITS['upload_bytes'] / 1e6:g} MB; got "
                f"{len(data) / 1e6:.1f} MB. Start with it: chainrule watch TABLE --target COLUMN"
            )
        table = HeldTable(name, read_bytes(data, name))
        return table.to_dict(self._held(table))

    def begin(self, said: object) -> tuple[str, Watched]:
        """Begin a run; it does not learn before it is told to.

        Raises
        ------
        ChainruleError
            If the set-up is none, its table is not at hand, or cannot be learnt from.
        """
        setup = Setup.from_dict(said)
        self.sweep()
        with self._lock:
            if len(self._runs) >= _RUNS:
                raise ArgumentError(
                    f"there must be at most {_RUNS} runs at a time; got one more. Close one of the tabs."
                )
        model = None if setup.model is None else self._models.get(setup.model)
        if setup.model is not None and model is None:
            raise ArgumentError("the model of this set-up must be at hand; it is not. Start with it.")
        problem, targets = self._problem(setup, model)
        watched = Watched(Run(setup, problem, None if model is None else model.model), targets)
        number = secrets.token_urlsafe(9)
        with self._lock:
            self._runs[number] = watched
        return number, watched

    def run(self, number: str) -> Watched:
        """A run by its number."""
        with self._lock:
            if number not in self._runs:
                raise ArgumentError("a run must be under way; this one has ended. Begin it anew.")
            return self._runs[number]

    def name_of(self, table: str) -> str:
        """What a table is called."""
        with self._lock:
            return self._tables[table].name

    def end(self, number: str) -> None:
        """End a run, and forget it."""
        with self._lock:
            watched = self._runs.pop(number, None)
        if watched is not None:
            watched.run.end()

    def sweep(self) -> None:
        """End the runs that nobody looks at any more."""
        with self._lock:
            forgotten = [number for number, watched in self._runs.items() if watched.forgotten]
        for number in forgotten:
            self.end(number)

    def close(self) -> None:
        """End all runs, and wait for their epochs under way."""
        with self._lock:
            runs, self._runs = [watched.run for watched in self._runs.values()], {}
        for run in runs:
            run.end()
        for run in runs:
            run.wait(_LAST_EPOCH)

    def _held(self, table: HeldTable) -> str:
        with self._lock:
            if len(self._tables) >= _TABLES:
                raise ArgumentError(
                    f"there must be at most {_TABLES} tables at a time; got one more. Start anew."
                )
            number = f"{len(self._tables) + 1}"
            self._tables[number] = table
        return number

    def _problem(self, setup: Setup, model: HeldModel | None) -> tuple[Problem, tuple[str, ...]]:
        """What there is to learn, and the names of what is predicted."""
        data = setup.data
        if isinstance(data, Drawn):
            if model is None:
                raise ArgumentError("rows must be drawn for a model; there is none. Start with one.")
            return drawn_problem(model.model, data.drawn, data.seed), model.targets
        if isinstance(data, Points):
            table_drawn = classic_table(data.set, data.rows, data.noise, data.seed)
            return problem_of(table_drawn, [TARGET]), (TARGET,)
        with self._lock:
            table = self._tables.get(data.table)
        if table is None:
            raise TableError("the table of this set-up must be at hand; it is not. Open the table first.")
        columns, targets = table.frame.columns, data.targets
        for target in targets:
            if target not in columns:
                raise ArgumentError(
                    f"target must be a column of {table.name}; got {target!r}.{did_you_mean(target, columns)}"
                )
        if model is None:
            return problem_of(table.frame, targets), targets
        encoder = model.model.encoder_
        known = {column.name for column in encoder.columns} if encoder.named else set(columns)
        left_out = [name for name in columns if name not in known and name not in targets]
        return problem_of(table.frame, targets, task_of_model(model.model), drop=left_out), targets


def _losses() -> tuple[list[str], list[str]]:
    """Names of losses for classes, and for numbers."""
    return [loss.name for loss in CLASSIFICATION_LOSSES], [loss.name for loss in REGRESSION_LOSSES]


def _setup_of(model: Model, data: Data) -> Setup:
    """The set-up of a trained model, to be trained further with small steps."""
    network = model.network_
    names = [activation.name for activation in network.activations]
    return Setup(
        data,
        _GIVEN,
        hidden=network.sizes[1:-1],
        activation=names[0] if names else "identity",
        loss=network.loss.name,
        learning_rate=0.001,
        batch_size=min(128, LIMITS["batch_size"]),
    )

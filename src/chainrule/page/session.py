"""What one sitting holds: tables, trained models and runs; who serves it to whom is not its business."""

import secrets
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from time import monotonic
from typing import TYPE_CHECKING, Any, NamedTuple

import chainrule
from chainrule.errors import ArgumentError, TableError
from chainrule.estimators.classifier import DeepClassifier
from chainrule.estimators.problems import Problem, problem_of
from chainrule.estimators.target_columns import Task
from chainrule.files.description import Model
from chainrule.mathematics.activations import ACTIVATIONS
from chainrule.mathematics.classification_losses import CLASSIFICATION_LOSSES
from chainrule.mathematics.named import did_you_mean
from chainrule.mathematics.regression_losses import REGRESSION_LOSSES
from chainrule.page.classic import CLASSIC, TARGET, classic_table
from chainrule.page.frames import Frames
from chainrule.page.run import Run
from chainrule.page.setup import LIMITS, Columns, Points, Setup
from chainrule.tables.reading import read_bytes
from chainrule.training.optimizers import OPTIMIZERS

if TYPE_CHECKING:
    import polars as pl

_RUNS = 12  # at a time: each has a thread, and a history in memory
_TABLES = 12  # that were brought along
_LAST_EPOCH = 10.0  # seconds that the epochs under way may take at the end
_PATIENCE = 60.0  # seconds for which a run that nobody looks at goes on


class HeldTable(NamedTuple):
    """A table, and the column that was asked for."""

    name: str
    frame: "pl.DataFrame"
    target: str | None = None

    def to_dict(self, number: str) -> dict[str, Any]:
        """What the page says of it."""
        columns = self.frame.columns
        return {
            "table": number,
            "name": self.name,
            "rows": self.frame.height,
            "columns": columns,
            "target": self.target,
        }


class Watched:
    """A run, and who looks at it."""

    def __init__(self, run: Run) -> None:
        self.run = run
        self.frames = Frames(run)
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
        A trained model to go on with, which needs its table.
    """

    def __init__(self, table: HeldTable | None = None, model: Model | None = None) -> None:
        self._tables: dict[str, HeldTable] = {}
        self._models: dict[str, Model] = {}
        self._runs: dict[str, Watched] = {}
        self._lock = threading.Lock()
        self.start = Setup()
        if table is not None:
            number = self._held(table)
            target = table.target or table.frame.columns[-1]
            self.start = Setup(
                Columns(number, target), hidden=(16, 16), activation="silu", learning_rate=0.003
            )
            if model is not None:
                self._models["given"] = model
                self.start = _setup_of(model, self.start.data)

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
        watched = Watched(Run(setup, self._problem(setup, model), model))
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

    def _problem(self, setup: Setup, model: Model | None) -> Problem:
        data = setup.data
        if isinstance(data, Points):
            return problem_of(classic_table(data.set, data.rows, data.noise, data.seed), [TARGET])
        with self._lock:
            table = self._tables.get(data.table)
        if table is None:
            raise TableError("the table of this set-up must be at hand; it is not. Open the table first.")
        if data.target not in table.frame.columns:
            raise ArgumentError(
                f"target must be a column of {table.name}; got {data.target!r}."
                f"{did_you_mean(data.target, table.frame.columns)}"
            )
        if model is None:
            task, left_out = None, []
        else:
            task = Task.CLASSIFICATION if isinstance(model, DeepClassifier) else Task.REGRESSION
            known = {column.name for column in model.encoder_.columns}
            left_out = [name for name in table.frame.columns if name not in known and name != data.target]
        problem = problem_of(table.frame, [data.target], task, drop=left_out)
        if problem.y.ndim > 1:
            raise ArgumentError(f"target must be one column with a value in each row; got {data.target!r}.")
        return problem


def _losses() -> tuple[list[str], list[str]]:
    """Names of losses for classes, and for numbers."""
    return [loss.name for loss in CLASSIFICATION_LOSSES], [loss.name for loss in REGRESSION_LOSSES]


def _setup_of(model: Model, data: Points | Columns) -> Setup:
    """The set-up of a trained model, to be trained further with small steps."""
    network = model.network_
    names = [activation.name for activation in network.activations]
    return Setup(
        data,
        "given",
        hidden=network.sizes[1:-1],
        activation=names[0] if names else "identity",
        loss=network.loss.name,
        learning_rate=0.001,
        batch_size=min(128, LIMITS["batch_size"]),
    )

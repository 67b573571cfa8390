"""A run: a network that learns in the background, at full speed, and can be looked at, edited and rewound."""

import threading
from collections import deque
from collections.abc import Sequence
from copy import copy
from time import monotonic
from typing import TYPE_CHECKING

import jax
import jax.numpy as jnp
import numpy as np

from chainrule.errors import ArgumentError, ChainruleError
from chainrule.estimators.problems import Problem
from chainrule.estimators.rows import Rows
from chainrule.estimators.stepwise import Prepared
from chainrule.files.description import Model
from chainrule.network.network import Network
from chainrule.network.parameters import Parameters, named
from chainrule.page.drawn import encoded, nothing_known
from chainrule.page.history import History, Moment
from chainrule.page.setup import LIMITS, Drawn, Setup, learning_rate
from chainrule.tables.splits import validation_split
from chainrule.training import batches, compilation_cache
from chainrule.training.epoch import Program, begin, restored
from chainrule.training.folds import Folds
from chainrule.training.loop import Epoch, initial, train
from chainrule.training.optimizers import OPTIMIZERS
from chainrule.training.schedules import SCHEDULES

if TYPE_CHECKING:
    from collections.abc import Iterator

    import polars as pl

_ENDLESS = 10**9  # epochs
_HIGHEST = float(np.finfo(np.float32).max)
_LATELY = 1.0  # seconds over which the speed is told


class Run:
    """One network on one table.

    A thread of its own trains; every method may be called from any other, and returns at once: it does not
    wait for the epoch under way, whose outcome is dropped where it no longer fits.

    Parameters
    ----------
    setup
        Network and training.
    problem
        The table; a share of its rows, ``setup.validation``, is only looked at.
    model
        A fitted estimator to go on with, in the place of a new one.

    Raises
    ------
    ChainruleError
        If the table cannot be learnt from.
    """

    def __init__(self, setup: Setup, problem: Problem, model: Model | None = None) -> None:
        self.setup, self.problem = setup, problem
        self.told = not isinstance(setup.data, Drawn)
        """Whether the truth of its rows is known, so that there is something to learn."""
        self.order, self.model, prepared = self._prepared(model)
        self.network: Network = prepared.network
        self.rows: Rows = prepared.rows
        self.learnt: int = prepared.learnt
        self.members = 1 if model is None else model.n_members_
        """Networks of the model that one goes on with, of which the first is shown."""
        self._seed, self._batch_size = prepared.seed, prepared.batch_size
        self._rate = setup.learning_rate
        self._optimizer = OPTIMIZERS[setup.optimizer]
        self._program = Program(
            self.network, self._optimizer, SCHEDULES["constant"], None, self._batch_size, None, False
        )
        self._changed = threading.Condition()
        self._playing = self._ended = False
        self._pace: float | None = None
        self._turn = 0
        self._lately: deque[tuple[float, int]] = deque(maxlen=10_000)
        self._worker: threading.Thread | None = None
        self.error: str | None = None
        compilation_cache.switch_on()
        self._first = self._moment(self._begun())
        self._now = self._first
        self.history = History(self._first)
        # Its answers are those of its last epoch, until it is asked for at another one.
        self.model = self._at(self._first)

    def _prepared(self, model: Model | None) -> tuple[np.ndarray, Model, Prepared]:
        """Which row of the table stands where, the estimator, and what it makes of them."""
        problem, setup = self.problem, self.setup
        rows = len(problem.y)
        if model is not None and not self.told:
            return self._shown(model)
        learn, judge = np.arange(rows), np.empty(0, np.intp)
        if setup.validation and rows >= 2:
            stratify = problem.y.ndim == 1 and problem.task.value == "classification"
            learn, judge = validation_split(problem.y, setup.validation, setup.seed, stratify=stratify)
        model = setup.estimator(problem.task, len(learn)) if model is None else copy(model)
        held_out = problem.take(judge)
        prepared = model.prepare(
            problem.X[learn], problem.y[learn], *((held_out.X, held_out.y) if len(judge) else ())
        )
        return np.concatenate([learn, judge]), model, prepared

    def _shown(self, model: Model) -> tuple[np.ndarray, Model, Prepared]:
        """The same for rows that there is nothing to learn from."""
        model, rows = copy(model), len(self.problem.y)
        model.folds_ = Folds.same(1, np.arange(rows), None)
        unknown = np.full((rows, model.network_.targets), np.nan)
        seen = Rows(encoded(model, self.problem.X), unknown, None, self.problem.y)
        return np.arange(rows), model, Prepared(model.network_, seen, rows, self.setup.seed, rows)

    def _at(self, moment: Moment, told: Sequence[float] = (), judged: Sequence[float] = ()) -> Model:
        """The estimator with the network of a moment; where nothing is learnt, what it knows stays."""
        parameters = self.parameters_of(moment)
        if self.told:
            return self.model.at(parameters, self.rows, told, judged)
        model = copy(self.model)
        model.members_ = jax.tree.map(lambda leaf: np.asarray(leaf)[None], parameters)
        return model

    def _begun(self) -> Parameters:
        members = getattr(self.model, "members_", None)
        if members is not None:
            return jax.tree.map(lambda leaf: np.asarray(leaf)[0], members)
        return initial(self.network, self._seed, None, self.rows.x, self.model.folds_)

    def _moment(self, parameters: Parameters, epoch: int = 0) -> Moment:
        """The network with these parameters and an optimizer without memory."""
        losses = [
            float(self.network.evaluate(parameters, part.x, part.y, part.weight))
            if self.told and len(part.y)
            else None
            for part in (self.learnt_rows, self.validating_rows)
        ]
        return Moment(epoch, begin(self._program, parameters), losses[0], losses[1])

    @property
    def learnt_rows(self) -> Rows:
        """Those that the network learns from."""
        return self.rows.take(np.arange(self.learnt))

    @property
    def validating_rows(self) -> Rows:
        """Those that are only looked at; none where the set-up keeps none back."""
        return self.rows.take(np.arange(self.learnt, len(self.rows.y)))

    @property
    def now(self) -> Moment:
        """What is shown, and where learning goes on from."""
        return self._now

    @property
    def playing(self) -> bool:
        """Whether it learns."""
        return self._playing

    @property
    def pace(self) -> float | None:
        """How many epochs per second there may be; None for as many as can be."""
        return self._pace

    @property
    def ended(self) -> bool:
        """Whether it is over."""
        return self._ended

    @property
    def speed(self) -> float:
        """Epochs per second, of late."""
        lately = list(self._lately)
        if not self._playing or len(lately) < 2 or monotonic() - lately[-1][0] > _LATELY:
            return 0.0
        since = next(k for k, (when, _) in enumerate(lately) if when >= lately[-1][0] - _LATELY)
        (before, first), (after, last) = lately[min(since, len(lately) - 2)], lately[-1]
        return (last - first) / max(after - before, 1e-9)

    def parameters_of(self, moment: Moment) -> Parameters:
        """The parameters of a moment, in their public form."""
        return restored(self.network, moment.state.parameters)

    def fitted(self) -> Model:
        """The estimator as it is now, such as to save it."""
        with self._changed:
            moment, (losses, validated) = self._now, self.history.losses()
        told, judged = losses[: moment.epoch].tolist(), validated[: moment.epoch].tolist()
        # A model has at least one epoch; that of a network that has not begun is its first loss.
        if not told and moment.loss is not None:
            told = [moment.loss]
            judged = [] if moment.validation_loss is None else [moment.validation_loss]
        return self._at(moment, told, judged)

    # What one can ask of it

    def play(self, playing: bool = True, pace: float | None = None) -> None:
        """Learn, or pause; ``pace`` is how many epochs per second there may be, None for as many as can be.

        After a rewinding, learning goes on from there, and what was after it is forgotten.
        """
        if not isinstance(playing, bool):
            raise ArgumentError(f"playing must be true or false; got {playing!r}.")
        if pace is not None and not (isinstance(pace, int | float) and 0 < pace <= 1000):
            raise ArgumentError(
                f"pace must be epochs per second, above 0, at most 1000, or null; got {pace!r}."
            )
        with self._changed:
            if playing:
                self._refuse_broken()
                self._refuse_untold()
            if not playing:
                self._pause()
            self._playing, self._pace = playing, pace
            self._lately.clear()
            if playing and self._worker is None:
                self._worker = threading.Thread(target=self._work, name="chainrule-run", daemon=True)
                self._worker.start()
            self._changed.notify_all()

    def step(self, of: str = "batch") -> None:
        """Take one step of gradient descent, or go on to the end of the epoch; pauses."""
        if of not in ("batch", "epoch"):
            raise ArgumentError(f"of must be 'batch' or 'epoch'; got {of!r}.")
        with self._changed:
            self._pause()
            self._refuse_broken()
            self._refuse_untold()
            self.history.cut(self._now)
            steps = 1 if of == "batch" else self._steps - self._now.step
            if steps == self._steps:
                self._took(next(self._epochs(self._now)))
            else:
                for _ in range(steps):
                    self._now = self._stepped(self._now)
                if not self._now.step:
                    self.history.add(self._now)

    def seek(self, epoch: int) -> None:
        """Show the last moment that is kept up to an epoch; pauses."""
        if not isinstance(epoch, int) or isinstance(epoch, bool):
            raise ArgumentError(f"epoch must be a whole number; got {epoch!r}.")
        with self._changed:
            self._pause()
            self._now = self.history.before(epoch)

    def edit(self, name: str, value: object) -> None:
        """Set one entry, such as "W1[2,1]", counted from 1; what is shown becomes that, and it pauses."""
        with self._changed:
            parameters = set_entry(self.parameters_of(self._now), name, value)
            self._pause()
            edited = self._moment(parameters, self._now.epoch)
            state = self._now.state._replace(parameters=edited.state.parameters)
            self._now = edited._replace(state=state, step=self._now.step)
            self.history.cut(self._now)

    def write(self, row: "pl.DataFrame", truth: np.ndarray | None) -> int:
        """Add a row that somebody typed in, with its truth where that is known; says its number from 0."""
        if self.told:
            raise ArgumentError("rows must be typed in for a model without a table; this run has a table.")
        if truth is None:
            unknown = np.full((1, self.network.targets), np.nan)
            added = Rows(encoded(self.model, row), unknown, None, nothing_known(self.model, 1))
        else:
            added = (
                copy(self.model)
                .prepare(row if self.model.encoder_.named else row.to_numpy(), truth)
                .rows._replace(weight=None, counts=None)
            )
        with self._changed:
            number = len(self.order)
            if number >= LIMITS["rows"]:
                raise ArgumentError(f"there must be at most {LIMITS['rows']} rows; got one more. Begin anew.")
            self.rows, self.learnt = self.rows.joined(added), number + 1
            self.order = np.arange(number + 1)
            self.problem = self.problem._replace(X=self.problem.X.vstack(row), y=self.rows.truth)
        return number

    def keep(self) -> None:
        """What is shown becomes the initialisation that ``restart`` goes back to."""
        with self._changed:
            self._first = self._moment(self.parameters_of(self._now))

    def restart(self) -> None:
        """Go back to the initialisation; the history is forgotten."""
        with self._changed:
            self._pause()
            self._now, self.history = self._first, History(self._first)

    def rate(self, value: object) -> None:
        """Go on with another learning rate."""
        rate = learning_rate(value)
        with self._changed:
            self._rate = rate
            self._turn += 1
            self._changed.notify_all()

    def end(self) -> None:
        """End it for good."""
        with self._changed:
            self._ended, self._playing = True, False
            self._turn += 1
            self._changed.notify_all()

    def wait(self, seconds: float) -> None:
        """Wait for the epoch under way of a run that was ended: Python must not exit in the middle of one."""
        if self._worker is not None:
            self._worker.join(seconds)

    # How it learns

    @property
    def _steps(self) -> int:
        """Batches of an epoch."""
        return -(-self.learnt // self._batch_size)

    def _pause(self) -> None:
        self._playing = False
        self._turn += 1

    def _refuse_broken(self) -> None:
        if self._now.diverged:
            raise ArgumentError(
                "the network must be finite to learn on; it no longer is. Rewind it, or begin anew with a "
                "lower learning rate."
            )

    def _refuse_untold(self) -> None:
        if not self.told:
            raise ArgumentError(
                "a network must have rows whose truth is known to learn from; this model came without a "
                "table. Open one, or start with both: chainrule watch MODEL TABLE"
            )

    def _work(self) -> None:
        """What the thread does: turns of learning, each from what is shown when it begins."""
        while True:
            with self._changed:
                self._changed.wait_for(lambda: self._playing or self._ended)
                if self._ended:
                    return
                turn = self._turn
                self.history.cut(self._now)
            try:
                self._learn(turn)
            except Exception as error:  # the page tells it: nobody sees what a thread prints
                with self._changed:
                    self.error = str(error) if isinstance(error, ChainruleError) else repr(error)
                    self._playing = False

    def _learn(self, turn: int) -> None:
        while self._now.step:  # what is left of the epoch
            moment = self._stepped(self._now)
            with self._changed:
                if turn != self._turn:
                    return
                self._now = moment
                if not moment.step:
                    self.history.add(moment)
        for epoch in self._epochs(self._now):
            with self._changed:
                if turn != self._turn:
                    return
                self._took(epoch)
                if self._playing and self._pace is not None:
                    self._changed.wait(1 / self._pace)
                if not self._playing or turn != self._turn:
                    return

    def _took(self, epoch: Epoch) -> None:
        self._now = Moment(
            epoch.number, epoch.state, epoch.loss, epoch.validation_loss, diverged=epoch.diverged
        )
        self.history.add(self._now)
        self._lately.append((monotonic(), epoch.number))
        if epoch.diverged:
            self._pause()

    def _epochs(self, moment: Moment) -> "Iterator[Epoch]":
        learnt, validate = self.learnt_rows, self.validating_rows
        return train(
            self.network,
            learnt.x,
            learnt.y,
            weight=learnt.weight,
            validation=(validate.x, validate.y, validate.weight) if len(validate.y) else None,
            state=moment.state,
            after=moment.epoch,
            optimizer=self._optimizer,
            learning_rate=None if self._optimizer.full_batch else self._rate,
            batch_size=self._batch_size,
            epochs=_ENDLESS,
            seed=self._seed,
        )

    def _stepped(self, moment: Moment) -> Moment:
        """One batch further: the rows that the epoch would see next; where something is dropped, anew."""
        number, size = moment.epoch + 1, self._batch_size
        numbers = batches.shuffling(self._seed, number)
        order = numbers.permutation(self.learnt)
        rows = self.rows.take(order[moment.step * size : (moment.step + 1) * size])
        (epoch,) = train(
            self.network,
            rows.x,
            rows.y,
            weight=rows.weight,
            state=moment.state,
            after=moment.epoch,
            optimizer=self._optimizer,
            learning_rate=None if self._optimizer.full_batch else self._rate,
            batch_size=size,
            epochs=number,
            shuffle=False,
            seed=(self._seed + moment.step) % 2**32,
        )
        if moment.step + 1 < self._steps:
            after = Moment(moment.epoch, epoch.state, epoch.loss, moment.validation_loss, moment.step + 1)
        else:
            after = self._moment(epoch.parameters, number)._replace(state=epoch.state)
        return after._replace(diverged=epoch.diverged)


def value_of(parameters: Parameters, name: str) -> float:
    """One entry by its name, such as "W1[2,1]", counted from 1."""
    array, place = _entry(parameters, name)
    return float(np.asarray(array)[place])


def set_entry(parameters: Parameters, name: str, value: object) -> Parameters:
    """The parameters with another value in one entry."""
    array, place = _entry(parameters, name)
    fits = isinstance(value, int | float) and not isinstance(value, bool)
    if not (fits and -_HIGHEST <= value <= _HIGHEST):  # type: ignore[operator]
        raise ArgumentError(f"the value of a weight must be a finite number; got {value!r}.")
    changed = jnp.asarray(array).at[place].set(value)
    return jax.tree.map(lambda leaf: changed if leaf is array else leaf, parameters)


def _entry(parameters: Parameters, name: str) -> tuple[jax.Array, tuple[int, ...]]:
    arrays = dict(named(parameters))
    begin, _, rest = str(name).partition("[")
    numbers = rest.removesuffix("]").split(",")
    if begin in arrays and rest.endswith("]") and all(n.strip().isdecimal() for n in numbers):
        place = tuple(int(n) - 1 for n in numbers)
        shape = arrays[begin].shape
        if len(place) == len(shape) and all(0 <= k < size for k, size in zip(place, shape, strict=True)):
            return arrays[begin], place
    raise ArgumentError(
        f"a weight must be an entry of {', '.join(arrays)}, counted from 1, such as W1[2,1]; got {name!r}."
    )

"""The loop: an epoch is one compiled call, and a record of it comes back after each."""

from collections.abc import Iterator
from math import inf
from time import perf_counter
from typing import Any, NamedTuple

import jax
import jax.numpy as jnp
import numpy as np
from jax.typing import ArrayLike

from chainrule.errors import ArgumentError
from chainrule.network import devices, programs
from chainrule.network.network import Network
from chainrule.network.parameters import Parameters
from chainrule.training import compilation_cache
from chainrule.training.early_stopping import Patience
from chainrule.training.epoch import Counts, Program, State, begin, restored, run_epoch
from chainrule.training.feeds import Feed, Held, seeds_of
from chainrule.training.folds import Folds
from chainrule.training.settings import Settings, settings
from chainrule.training.spread import Spread, least

_TYPICAL_ROWS = 4096
_SHORT = 1_000  # steps of a cycle: where the loss has not risen by its end, another costs little
_LITTLE = 0.005  # of the least validation loss
_MUCH = 0.1  # of the validation loss: who gained so much in a cycle may gain more in another


class Epoch(NamedTuple):
    """What one epoch did."""

    number: int
    """1 for the first."""
    loss: float
    """The mean of the batches' losses, penalties included, while the parameters moved; of members, theirs."""
    validation_loss: float | None
    """The plain loss of the validation rows after the epoch; None without such rows."""
    improved: bool
    """Whether the parameters are now the best so far; without validation rows, always while finite."""
    diverged: bool
    """Whether something was not finite, which ends the training; the best parameters stay as they were."""
    planned: int
    """How many epochs there are to be, as far as is known now."""
    seconds: float
    program: Program
    state: State
    position: "Position"
    """Where training goes on from, with this state."""

    @property
    def parameters(self) -> Parameters:
        """The parameters after this epoch."""
        return _public(self.program, self.state.parameters)

    @property
    def best_parameters(self) -> Parameters:
        """The parameters of the best epoch so far."""
        return _public(self.program, self.state.best)


def _public(program: Program, kept: Parameters) -> Parameters:
    if program.spread is not None:
        kept = program.spread.fetched(kept)
    return restored(program.network, kept)


class Cycle(NamedTuple):
    """One run of the schedule."""

    number: int
    begin: int
    """How many epochs were before it."""
    end: int
    """Its last epoch."""
    before: float
    """The validation loss at the end of the cycle before."""


class Position(NamedTuple):
    """How far a training is: with the state, all that the rest of it depends on."""

    number: int
    """Epochs done."""
    cycle: Cycle
    patience: Patience
    fastest: float = inf
    """How many seconds the shortest of them took: says how many more there is time for."""

    def last(self, deadline: float | None) -> int:
        """The number of the last epoch, as far as is known now."""
        if deadline is None or self.number == 0:
            return self.cycle.end
        left = deadline - perf_counter()
        if self.number == 1 and left >= 0:  # the first epoch may have been compiling
            return self.cycle.end
        return min(self.cycle.end, self.number + max(0, int(left / self.fastest)))


def train(
    network: Network,
    x: ArrayLike,
    y: ArrayLike,
    *,
    weight: ArrayLike | None = None,
    validation: tuple[ArrayLike, ArrayLike] | tuple[ArrayLike, ArrayLike, ArrayLike | None] | None = None,
    parameters: Parameters | None = None,
    state: State | None = None,
    after: int = 0,
    optimizer: object = "adam",
    learning_rate: float | None = None,
    schedule: object = "constant",
    weight_decay: float | None = None,
    max_norm: float | None = None,
    batch_size: int = 128,
    epochs: int = 100,
    patience: int | None = None,
    tol: float = 0.0,
    shuffle: bool = True,
    seed: int = 0,
    rates: str = "equal",
    cycles: int = 1,
    precision: str = "float32",
) -> Iterator[Epoch]:
    """Train a network by gradient descent on batches; yields an :class:`Epoch` after each epoch.

    A callback is the body of a for-loop, and ``break`` ends the training.

    Parameters
    ----------
    x, y, weight
        Inputs of shape (rows, m), targets (rows, targets), what each row counts (rows,).
    validation
        (x, y) or (x, y, weight) of rows that are only looked at; the best epoch is the one with the
        least loss on them. Without them it is the last.
    parameters
        Where to start; by default ``network.initialize(seed, x)``.
    state
        ``epoch.state`` of an earlier training with the same optimizer, to go on from where it ended.
    after
        How many of the ``epochs`` were before ``state``. The rest is as it would have been, bit for bit; only
        patience counts anew.
    optimizer
        A name in ``chainrule.OPTIMIZERS``, an Optimizer, or an optax transformation, which then brings
        its own learning rate. ``lbfgs`` sees all rows in each step, and an epoch is one step.
    learning_rate, weight_decay
        By default those of the optimizer. Weight decay is decoupled: each step also subtracts
        rate · weight_decay · W, for the W of affine maps; biases and embeddings are left free.
    schedule
        A name in ``chainrule.SCHEDULES`` or a Schedule: a factor on the learning rate over the epochs.
    max_norm
        Gradients whose norm over all parameters is larger are scaled down to it.
    patience, tol
        End after ``patience`` epochs in which the validation loss (without validation rows, the training
        loss) was not lower than the best by more than ``tol``.
    seed
        Draws the first parameters, the order of the rows and the dropout: same seed, same bits.
    rates
        "equal": all parameters share the learning rate; "by_kind": each kind of them has a share of it that
        suits Adam's directions, see :mod:`chainrule.training.rates`.
    cycles
        How often the schedule may run. There is more to learn where the validation loss ends no higher than
        the training loss, or a tenth below that of the cycle before, or, after a first cycle of at most 1,000
        steps, where it is least: then another one follows, with twice as many epochs.
    precision
        Of the products in a step, on a GPU: "float32"; "tf32" and "bf16" round their factors to 11 and 8
        significant bits, which is faster. Sums, parameters and what judges keep 24.

    Raises
    ------
    ArgumentError
        At the call, when an argument is outside what it may be.
    """
    told = settings(
        optimizer=optimizer,
        learning_rate=learning_rate,
        schedule=schedule,
        weight_decay=weight_decay,
        max_norm=max_norm,
        batch_size=batch_size,
        epochs=epochs,
        patience=patience,
        tol=tol,
        shuffle=shuffle,
        seed=seed,
        rates=rates,
        cycles=cycles,
        precision=precision,
    )
    if not (isinstance(after, int) and 0 <= after < epochs):
        raise ArgumentError(f"after must be a whole number from 0 to below epochs, {epochs}; got {after!r}.")
    x, y, w = _checked(network, x, y, weight)
    learn, judge = np.arange(len(x)), None
    if validation is not None:
        if len(validation) not in (2, 3):
            raise ArgumentError(f"validation must be (x, y) or (x, y, weight); got {len(validation)} parts.")
        held_out = _checked(network, *validation)
        x, y, w = (np.concatenate(both) for both in zip((x, y, w), held_out, strict=True))
        judge = np.arange(len(learn), len(x))
    folds = Folds.same(1, learn, judge)
    position = Position(after, _first_cycle(told), told.patience)
    return _begun(network, x, y, w, folds, None, parameters, state, told, None, position)


def train_members(
    network: Network,
    x: np.ndarray,
    y: np.ndarray,
    folds: Folds,
    *,
    weight: np.ndarray | None = None,
    parameters: Parameters | None = None,
    state: State | None = None,
    deadline: float | None = None,
    position: Position | None = None,
    **options: Any,
) -> Iterator[Epoch]:
    """Train networks side by side in one compiled program, each on its own rows: see :func:`train`.

    Parameters, state and what comes of them have a leading axis of members. Each member keeps the
    parameters of the epoch that was best for it on the rows that judge it; patience counts the mean loss.

    Parameters
    ----------
    x, y, weight
        All rows, those that only judge too.
    folds
        Which of them each member learns from, and which judge it.
    deadline
        When to be done, by ``time.perf_counter()``: fewer epochs are planned where it would pass.
    position
        ``epoch.position`` of the epoch that ``state`` is from: the rest is then the same, bit for bit.
    options
        optimizer, learning_rate, schedule, weight_decay, max_norm, batch_size, epochs, patience, tol,
        shuffle, seed, rates, cycles and precision, as for :func:`train`.
    """
    told = settings(**options)
    x, y, w = _checked(network, x, y, weight)
    position = position or Position(0, _first_cycle(told), told.patience)
    return _begun(network, x, y, w, folds, folds.members, parameters, state, told, deadline, position)


def _begun(
    network: Network,
    x: np.ndarray,
    y: np.ndarray,
    weight: np.ndarray,
    folds: Folds,
    members: int | None,
    parameters: Parameters | None,
    state: State | None,
    told: Settings,
    deadline: float | None,
    position: Position,
) -> Iterator[Epoch]:
    public = initial(network, told.seed, members, x, folds) if parameters is None else parameters
    feed = Held(x, y, weight, folds, told, members)
    return _fed(network, feed, members, public, state, told, deadline, position)


def train_fed(
    network: Network,
    feed: Feed,
    members: int,
    parameters: Parameters,
    *,
    state: State | None = None,
    deadline: float | None = None,
    position: Position | None = None,
    spread: Spread | None = None,
    **options: Any,
) -> Iterator[Epoch]:
    """Train networks side by side on parts of a table, one after the other: see :func:`train_members`.

    An epoch is then a part, as many as ``epochs`` says. With ``spread``, all processes must go through the
    epochs, and what they hand over must be the same but for the rows of the feed.
    """
    told = settings(**options)
    position = position or Position(0, _first_cycle(told), told.patience)
    return _fed(network, feed, members, parameters, state, told, deadline, position, spread)


def _first_cycle(told: Settings) -> Cycle:
    return Cycle(1, 0, told.epochs, -inf)


def _fed(
    network: Network,
    feed: Feed,
    members: int | None,
    public: Parameters,
    state: State | None,
    told: Settings,
    deadline: float | None,
    position: Position,
    spread: Spread | None = None,
) -> Iterator[Epoch]:
    compilation_cache.switch_on()
    if told.precision != "float32" and (devices.platform() == "cpu" or jnp.result_type(float) != jnp.float32):
        raise ArgumentError(
            "precision must be 'float32' on a CPU, and where JAX computes in 64 bits; got "
            f"{told.precision!r}. The shorter ones are for GPUs."
        )
    batch = feed.batch_size
    if spread is not None:
        members, public = spread.members, spread.filled(public)
    program = Program(
        network,
        told.optimizer,
        told.schedule,
        told.max_norm,
        batch,
        members,
        told.by_kind,
        spread,
        told.precision,
        devices.platform() != "cpu",
    )
    one = public if members is None else jax.tree.map(lambda p: p[0], public)
    if not network.fits(one):
        raise ArgumentError("parameters must be those of this network (initialize(seed)); got 'others'.")
    begun = state or begin(program, public)
    fresh = jax.eval_shape(lambda p: begin(program, p), public)
    if _structure(begun) != _structure(fresh):
        raise ArgumentError(
            f"state must come from a training of this network by {told.optimizer.name}; got 'another one'."
        )
    if spread is not None and state is None:
        begun = spread.begun(begun)
    return _run(program, begun, feed, told, deadline, position)


def initial(network: Network, seed: int, members: int | None, x: np.ndarray, folds: Folds) -> Parameters:
    """Parameters to begin with; those of members from seeds of their own, the first from ``seed`` itself.

    Maps that begin by typical rows get them from all over the table, always as many, so that they are
    compiled once.
    """
    learnt = folds.learnt
    typical = x[learnt[np.linspace(0, len(learnt) - 1, _TYPICAL_ROWS).astype(int)]]
    if members is None:
        return network.initialize(seed, typical)
    each = [network.initialize((seed + 0x9E3779B9 * k) % 2**32, typical) for k in range(members)]
    return jax.tree.map(lambda *leaves: np.stack(leaves), *each)


def _run(
    program: Program,
    state: State,
    feed: Feed,
    told: Settings,
    deadline: float | None,
    position: Position,
) -> Iterator[Epoch]:
    number, cycle, patience, fastest = position
    epochs, steps, first = position.last(deadline), feed.steps, number + 1
    seeds = seeds_of(told.seed, program.members)
    while number < epochs and not patience.exhausted:
        number, start = number + 1, perf_counter()
        part = feed.part(number)
        if number == first:
            programs.hold(program, part.table.x.shape)
        done, planned = (number - 1 - cycle.begin) * steps, (epochs - cycle.begin) * steps
        plan = np.array([told.learning_rate, told.weight_decay, done, planned], part.table.x.dtype)
        counts = Counts(np.int32(part.steps), part.rows, seeds, np.int32(number))
        state, report = run_epoch(program, state, part.table, part.judged, part.order, plan, counts)
        each = np.asarray(report).reshape(-1, 4)[: program.spread and program.spread.wished]
        loss, validation_loss = (float(mean) for mean in each[:, :2].mean(axis=0))
        finite, improved = bool(each[:, 2].all()), bool(each[:, 3].any())
        judged = part.judged is not None
        if len(each) > 1:
            improved = finite and validation_loss <= patience.best
        patience = patience.after(validation_loss if judged else loss)
        may_go_on = number == cycle.end and cycle.number < told.cycles and judged
        gained = validation_loss <= max(loss, cycle.before - _MUCH * abs(cycle.before))
        falls = steps * number <= _SHORT and validation_loss <= patience.best + _LITTLE * abs(patience.best)
        before, ends = epochs, not finite or patience.exhausted
        if not ends and may_go_on and (gained or (falls and cycle.number == 1)):
            cycle = Cycle(cycle.number + 1, number, number + 2 * (number - cycle.begin), validation_loss)
            epochs = cycle.end
        seconds = perf_counter() - start
        fastest = min(fastest, seconds)
        position = Position(number, cycle, patience, fastest)
        yield Epoch(
            number,
            loss,
            validation_loss if judged else None,
            improved,
            not finite,
            before,
            seconds,
            program,
            state,
            position,
        )
        if ends:
            return
        epochs = position.last(deadline)
        if deadline is not None:
            epochs = int(least(program.spread, epochs)[0])


def _checked(
    network: Network, x: ArrayLike, y: ArrayLike, weight: ArrayLike | None = None
) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Rows as the program takes them; ArgumentError if they are not rows of this network."""
    dtype = jnp.result_type(float)
    x, y = np.asarray(x, dtype), np.asarray(y, dtype)
    y = y[:, None] if y.ndim == 1 else y
    w = None if weight is None else np.asarray(weight, np.float64)
    fits = x.ndim == y.ndim == 2 and x.shape[1] == network.sizes[0] and y.shape[1] == network.targets
    rows = len(x) if x.ndim else 0
    if not (fits and rows == len(y) and rows > 0 and (w is None or w.shape == (rows,))):
        raise ArgumentError(
            f"x must have shape (rows, {network.sizes[0]}), y (rows, {network.targets}) and weight (rows,), "
            f"with one row or more; got {x.shape}, {y.shape} and {None if w is None else w.shape}."
        )
    if not (np.isfinite(x).all() and np.isfinite(y).all()):
        raise ArgumentError("x and y must be finite; got NaN or infinity. Fill or drop these rows first.")
    network.refuse_targets(y)
    if w is not None and not (np.isfinite(w).all() and (w >= 0).all() and w.sum() > 0):
        raise ArgumentError("weight must be finite and 0 or more, and more than 0 in at least one row.")
    return x, y, np.ones(rows) if w is None else w


def _structure(state: State) -> object:
    return jax.tree.structure(state), [leaf.shape for leaf in jax.tree.leaves(state)]

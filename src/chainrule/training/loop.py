"""The loop: an epoch is one compiled call, and a record of it comes back after each."""

from collections.abc import Iterator
from math import inf
from numbers import Integral, Real
from time import perf_counter
from typing import NamedTuple

import jax
import jax.numpy as jnp
import numpy as np
from jax.typing import ArrayLike

from chainrule.errors import ArgumentError
from chainrule.network.network import Network
from chainrule.network.parameters import Parameters
from chainrule.training import batches, compilation_cache
from chainrule.training.early_stopping import Patience
from chainrule.training.epoch import Program, State, begin, restored, run_epoch
from chainrule.training.optimizers import find_optimizer
from chainrule.training.schedules import find_schedule

_CHUNK = 256  # rows that validation looks at together


class Epoch(NamedTuple):
    """What one epoch did."""

    number: int
    """1 for the first."""
    loss: float
    """The mean of the batches' losses, penalties included, while the parameters moved."""
    validation_loss: float | None
    """The plain loss of the validation rows after the epoch; None without such rows."""
    improved: bool
    """Whether the parameters are now the best so far; without validation rows, always while finite."""
    diverged: bool
    """Whether something was not finite, which ends the training; the best parameters stay as they were."""
    seconds: float
    program: Program
    state: State

    @property
    def parameters(self) -> Parameters:
        """The parameters after this epoch."""
        return restored(self.program.network, self.state.parameters)

    @property
    def best_parameters(self) -> Parameters:
        """The parameters of the best epoch so far."""
        return restored(self.program.network, self.state.best)


def train(
    network: Network,
    x: ArrayLike,
    y: ArrayLike,
    *,
    weight: ArrayLike | None = None,
    validation: tuple[ArrayLike, ArrayLike] | tuple[ArrayLike, ArrayLike, ArrayLike | None] | None = None,
    parameters: Parameters | None = None,
    state: State | None = None,
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
        Where to start; by default ``network.initialize(seed)``.
    state
        ``epoch.state`` of an earlier training with the same optimizer, to go on from where it ended.
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

    Raises
    ------
    ArgumentError
        At the call, when an argument is outside what it may be.
    """
    rule, planned = find_optimizer(optimizer), find_schedule(schedule)
    _refuse(
        rule.own_rate and not (learning_rate is weight_decay is None),
        "learning_rate and weight_decay must be left to an optax transformation, which has its own",
        "one of them",
    )
    rate = rule.learning_rate if learning_rate is None else learning_rate
    decay = rule.weight_decay if weight_decay is None else weight_decay
    _refuse(not (_number(rate) and 0 < rate < inf), "learning_rate must be a number above 0", rate)
    _refuse(not (_number(decay) and 0 <= decay < inf), "weight_decay must be a number of 0 or more", decay)
    _refuse(not (_number(tol) and 0 <= tol < inf), "tol must be a number of 0 or more", tol)
    _refuse(
        rule.full_batch and decay > 0,
        f"weight_decay must be 0 for {rule.name}, whose line search minimises the loss itself (use l2)",
        decay,
    )
    norm_fits = max_norm is None or (_number(max_norm) and max_norm > 0)
    _refuse(not norm_fits, "max_norm must be a number above 0, or None", max_norm)
    _refuse(rule.full_batch and max_norm is not None, f"max_norm must be None for {rule.name}", max_norm)
    _refuse(
        rule.full_batch and planned.name != "constant",
        f"schedule must be constant for {rule.name}, whose line search sets the length of each step",
        planned.name,
    )
    for name, count in (("batch_size", batch_size), ("epochs", epochs), ("patience", patience)):
        fits = (isinstance(count, Integral) and count >= 1) or (name == "patience" and count is None)
        _refuse(not fits, f"{name} must be a whole number of at least 1", count)
    fits = isinstance(seed, Integral) and 0 <= seed < 2**32
    _refuse(not fits, "seed must be a whole number from 0 to 2³² − 1", seed)

    compilation_cache.switch_on()
    table = _table(network, x, y, weight)
    _refuse(
        validation is not None and len(validation) not in (2, 3),
        "validation must be (x, y) or (x, y, weight)",
        f"{len(validation or ())} parts",
    )
    held_out = None if validation is None else _held_out(network, *validation)
    program = Program(
        network,
        rule,
        planned,
        max_norm,
        table.x.shape[0] if rule.full_batch else int(batch_size),
        _CHUNK if held_out else None,
    )
    seed = int(seed)
    public = network.initialize(seed) if parameters is None else parameters
    _refuse(not network.fits(public), "parameters must be those of this network (initialize(seed))", "others")
    begun = state or begin(program, public)
    fresh = jax.eval_shape(lambda p: begin(program, p), public)
    _refuse(
        _structure(begun) != _structure(fresh),
        f"state must come from a training of this network by {rule.name}",
        "another one",
    )
    return _run(program, begun, table, held_out, rate, decay, epochs, Patience(patience, tol), shuffle, seed)


def _run(
    program: Program,
    state: State,
    table: batches.Table,
    held_out: batches.Table | None,
    rate: float,
    decay: float,
    epochs: int,
    patience: Patience,
    shuffle: bool,
    seed: int,
) -> Iterator[Epoch]:
    shuffled = shuffle and not program.optimizer.full_batch
    steps = -(-table.rows // program.batch_size)
    for number in range(1, epochs + 1):
        start = perf_counter()
        # A generator for each epoch, so that training can be taken up at any of them.
        numbers = np.random.default_rng((seed, number)) if shuffled else None
        order = batches.order(table, program.batch_size, numbers)
        plan = np.array([rate, decay, (number - 1) * steps, epochs * steps], table.x.dtype)
        counts = np.array([steps, table.rows, seed & 0x7FFFFFFF, number], np.int32)
        state, report = run_epoch(program, state, table, held_out, order, plan, counts)
        loss, validation_loss, finite, improved = (float(value) for value in np.asarray(report))
        patience = patience.after(loss if held_out is None else validation_loss)
        yield Epoch(
            number,
            loss,
            None if held_out is None else validation_loss,
            bool(improved),
            not finite,
            perf_counter() - start,
            program,
            state,
        )
        if not finite or patience.exhausted:
            return


def _held_out(network: Network, x: ArrayLike, y: ArrayLike, weight: ArrayLike | None = None) -> batches.Table:
    return _table(network, x, y, weight, least=_CHUNK)


def _table(
    network: Network, x: ArrayLike, y: ArrayLike, weight: ArrayLike | None = None, least: int = 1
) -> batches.Table:
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
    return batches.put(x, y, w, least)


def _structure(state: State) -> object:
    return jax.tree.structure(state), [leaf.shape for leaf in jax.tree.leaves(state)]


def _number(value: object) -> bool:
    return isinstance(value, Real) and not isinstance(value, bool)


def _refuse(wrong: bool, must: str, got: object) -> None:
    if wrong:
        raise ArgumentError(f"{must}; got {got!r}.")

"""One epoch as one compiled program: gather a batch, both passes, a step, and again; then validation.

Row counts and step counts are arguments of the program, not part of it, and tables come in padded
sizes, so that the folds of a cross-validation share one program. The program is written for one network;
members of an ensemble are a leading axis of it.
"""

from functools import partial
from typing import Any, NamedTuple, TypeAlias

import jax
import jax.numpy as jnp
import optax
from jax import Array
from jax.sharding import PartitionSpec as P

from chainrule.mathematics.affine import inputs_first
from chainrule.mathematics.dropout import mix
from chainrule.mathematics.product import rounded
from chainrule.network import propagation
from chainrule.network.network import Network, shapes
from chainrule.network.parameters import Parameters, map_matrices
from chainrule.training.batches import Judged, Table
from chainrule.training.optimizers import Optimizer
from chainrule.training.rates import by_kind
from chainrule.training.schedules import Schedule
from chainrule.training.spread import AXIS, Spread, number_of_device, summed, with_shared_penalties


class Program(NamedTuple):
    """What decides the compiled program."""

    network: Network
    optimizer: Optimizer
    schedule: Schedule
    max_norm: float | None
    batch_size: int
    members: int | None = None
    """How many networks learn side by side, along a leading axis; None is one without that axis."""
    by_kind: bool = False
    """Whether each kind of parameter has a learning rate of its own: see :mod:`chainrule.training.rates`."""
    spread: Spread | None = None
    """Over several devices, in which case batch_size is of each share of the rows."""

    precision: str = "float32"
    """Of the products of both passes of a step; what judges is always exact."""

    whole_blocks: bool = False
    """Whether all steps of a block are taken, those beyond the last changing nothing: a GPU then need not ask
    the host after each whether there is another, which takes as long as a small step."""

    @property
    def over_rows(self) -> bool:
        """Whether each device has a share of the rows of every step."""
        return self.spread is not None and self.spread.over_rows


class Counts(NamedTuple):
    """What an epoch is told in whole numbers."""

    steps: Any
    rows: Any
    """How many rows a network learns from; of each share, where the rows are spread."""
    seed: Any
    number: Any
    """Of the epoch, from 1."""


class State(NamedTuple):
    """What an epoch hands to the next."""

    parameters: Parameters
    """As they are kept between steps: see :func:`restored`."""
    optimizer: Any
    best: Parameters
    best_loss: Array


def begin(program: Program, parameters: Parameters) -> State:
    """Make the state before the first epoch."""
    kept = restored(program.network, parameters)
    memory, worst = program.optimizer.direction.init, jnp.asarray(jnp.inf)
    if program.members is not None:
        memory, worst = jax.vmap(memory), jnp.full(program.members, jnp.inf)
    state = State(kept, memory(kept), kept, worst)
    # No weak types: an epoch returns none, and would be compiled anew for its own result.
    return jax.tree.map(lambda leaf: jnp.asarray(leaf, leaf.dtype), state)


def restored(network: Network, parameters: Parameters) -> Parameters:
    """Turn kept parameters into public ones, or back: each W that is best kept transposed is transposed.

    With or without a leading axis of members.
    """
    return map_matrices(
        lambda W, public: W.mT if inputs_first(*public.shape) else W, parameters, shapes(network)
    )


_Carry: TypeAlias = tuple[Parameters, Any, Array]
"""Parameters, the optimizer's memory, and the sum of the losses so far."""


@partial(jax.jit, static_argnums=0)
def run_epoch(
    program: Program,
    state: State,
    table: Table,
    judged: Judged | None,
    order: Array,
    plan: Array,
    counts: Counts,
) -> tuple[State, Array]:
    """All steps of one epoch.

    ``order`` (blocks, steps of a block, batch_size) says which rows each step sees; ``plan`` is learning
    rate, weight decay, steps done before, and steps planned in all.
    The report is loss, validation loss, whether all is finite, and whether this is the best so far.
    With members, state, ``judged``, ``order``, ``counts.rows``, ``counts.seed`` and the report have them as
    their first axis.
    """
    if program.members is None:
        return _epoch(program, state, table, judged, order, plan, counts)
    axes = (0, None, 0, 0, None, Counts(None, 0, 0, None))
    members = jax.vmap(partial(_epoch, program), in_axes=axes)
    if program.spread is not None:
        return _spread(program.spread, members)(state, table, judged, order, plan, counts)
    return members(state, table, judged, order, plan, counts)


def _spread(told: Spread, members: Any) -> Any:
    """The same on every device, of its share; all of them report on all members."""
    axis, one = AXIS, P()
    if told.over_rows:
        rows = Table(P(axis), P(axis), P(axis), one)  # type: ignore[arg-type]
        taken: Any = (one, rows, P(None, axis), P(None, None, None, axis), one, one)
        given = (one, one)
    else:
        taken = (P(axis), one, P(axis), P(axis), one, Counts(one, P(axis), P(axis), one))
        given = (P(axis), one)

    def share(*arguments: Any) -> tuple[State, Array]:
        state, report = members(*arguments)
        return state, report if told.over_rows else jax.lax.all_gather(report, axis, tiled=True)

    return jax.shard_map(share, mesh=told.mesh, in_specs=taken, out_specs=given, check_vma=False)


def _epoch(
    program: Program,
    state: State,
    table: Table,
    judged: Judged | None,
    order: Array,
    plan: Array,
    counts: Counts,
) -> tuple[State, Array]:
    network, rule = program.network, program.optimizer
    rate, decay, done, planned = plan
    steps, rows, seed, number = counts
    noise = mix(mix(seed.astype(jnp.uint32)) + number.astype(jnp.uint32))
    if program.over_rows:  # units of different rows are silent
        noise = mix(noise + number_of_device())

    def steps_of_block(j: Array, carry: _Carry) -> _Carry:
        """Gather the rows of several steps at once, which costs less than one gathering for each."""
        index, first = order[j], j * order.shape[1]
        block = (table.x[index], table.y[index], table.weight[index])
        if program.whole_blocks:
            return jax.lax.fori_loop(0, order.shape[1], partial(step_if_any, block, first), carry)
        last = jnp.minimum(steps, first + order.shape[1])
        return jax.lax.fori_loop(first, last, partial(step, block, first), carry)

    def step_if_any(block: tuple[Array, ...], first: Array, k: Array, carry: _Carry) -> _Carry:
        after = step(block, first, first + k, carry)
        return jax.tree.map(lambda new, old: jnp.where(first + k < steps, new, old), after, carry)

    def step(block: tuple[Array, ...], first: Array, i: Array, carry: _Carry) -> _Carry:
        parameters, memory, total = carry
        in_batch = jnp.clip(rows - i * program.batch_size, 0, program.batch_size)
        if program.over_rows:
            in_batch = in_batch.sum()
        x, y, weight = (part[i - first] for part in block)
        # A member with fewer rows than others may have none left for the last step: its gradient is 0.
        count = jnp.maximum(in_batch, 1).astype(total.dtype)
        seed_of_step = noise + i.astype(jnp.uint32)
        objective = _objective(program, x, y, weight, count, seed_of_step)
        loss, gradients = objective.both(parameters)
        if program.max_norm is not None:
            gradients = _clipped(gradients, program.max_norm)
        direction, memory = optax.with_extra_args_support(rule.direction).update(
            gradients, memory, parameters, value=loss, grad=gradients, value_fn=objective.value
        )
        if program.by_kind:
            direction = by_kind(network, direction, parameters)
        now = rate * program.schedule.factor((done + i) / planned)
        direction = map_matrices(lambda d, W: d + decay * W, direction, parameters)
        parameters = jax.tree.map(lambda p, d: p - now * d, parameters, direction)
        return parameters, memory, total + loss * in_batch

    parameters, memory, total = jax.lax.fori_loop(
        0,
        (steps + order.shape[1] - 1) // order.shape[1],
        steps_of_block,
        (state.parameters, state.optimizer, jnp.zeros((), table.x.dtype)),
    )
    loss = total / (rows.sum() if program.over_rows else rows)
    finite = (
        jnp.isfinite(loss) & jnp.array([jnp.isfinite(p).all() for p in jax.tree.leaves(parameters)]).all()
    )
    if judged is None:
        score, improved = loss, finite
    else:
        score = _evaluate(program, parameters, table, judged)
        finite &= jnp.isfinite(score)
        improved = finite & (score <= state.best_loss)
    best = jax.tree.map(lambda new, old: jnp.where(improved, new, old), parameters, state.best)
    best_loss = jnp.where(improved, score, state.best_loss)
    report = jnp.stack([loss, score, finite.astype(loss.dtype), improved.astype(loss.dtype)])
    return State(parameters, memory, best, best_loss), report


class _Objective(NamedTuple):
    both: Any
    """Parameters to (loss, gradients)."""
    value: Any
    """Parameters to loss, for line searches; whoever differentiates it gets our gradients."""


def _objective(program: Program, x: Array, y: Array, weight: Array, total: Array, noise: Array) -> _Objective:
    network = program.network
    if program.over_rows and program.spread is not None:
        network = with_shared_penalties(network, program.spread.devices)

    def both(parameters: Parameters) -> tuple[Array, Parameters]:
        with rounded(program.precision):
            loss, gradients, _, _ = network.objective(
                restored(network, parameters), x, y, weight, total, noise
            )
        if program.over_rows:
            loss, gradients = summed(loss, gradients)
        return loss, restored(network, gradients)

    @jax.custom_vjp
    def value(parameters: Parameters) -> Array:
        return both(parameters)[0]

    value.defvjp(both, lambda gradients, slope: (jax.tree.map(lambda g: slope * g, gradients),))
    return _Objective(both, value)


def _clipped(gradients: Parameters, max_norm: float) -> Parameters:
    """Scale gradients down to a norm of at most ``max_norm``. Source: arXiv:1211.5063, section 3.2."""
    norm = jnp.sqrt(sum(jnp.square(g).sum() for g in jax.tree.leaves(gradients)))
    return jax.tree.map(lambda g: g * jnp.minimum(1, max_norm / jnp.maximum(norm, 1e-30)), gradients)


def _evaluate(program: Program, parameters: Parameters, table: Table, judged: Judged) -> Array:
    """The plain weighted mean loss of some rows, a chunk of them at a time."""
    network = program.network
    parameters = restored(network, parameters)

    def add(i: Array, total: Array) -> Array:
        rows = judged.rows[i]
        y_hat = propagation.forward(network.layers, parameters, table.x[rows])[-1]
        return total + (judged.weight[i] * network.loss.value(y_hat, table.y[rows])).sum()

    chunks, zero = judged.rows.shape[0], jnp.zeros((), table.x.dtype)
    total = jax.lax.fori_loop(0, chunks, add, zero)
    if program.over_rows:
        total, weight = summed(total, judged.weight.sum())
        return total / weight
    return total / judged.weight.sum()

"""Devices that learn together, of one process or of many: what is dealt among them, and what is summed up.

Where there are as many members as devices, each device trains some of them, and nothing passes between
devices but four numbers an epoch. Where there are fewer, each device sees a share of the rows of every step,
and the gradients are summed up, all of them in one reduction.
"""

from copy import copy
from typing import Any, NamedTuple

import jax
import jax.numpy as jnp
import numpy as np
from jax import Array
from jax.experimental import multihost_utils
from jax.flatten_util import ravel_pytree
from jax.sharding import Mesh, NamedSharding
from jax.sharding import PartitionSpec as P

from chainrule.network.devices import devices_of
from chainrule.network.network import Network
from chainrule.training.batches import Judged, Table

AXIS = "devices"


class Spread(NamedTuple):
    """How a training is spread over devices."""

    mesh: Mesh
    over_rows: bool
    """Each device has a share of the rows of every step; else, some of the members and all rows."""
    wished: int
    """How many members there are to be."""

    @property
    def devices(self) -> int:
        """How many there are, in all processes."""
        return int(self.mesh.size)

    @property
    def members(self) -> int:
        """How many members are trained: where they are dealt, as many by each device; the last go unused."""
        return self.wished if self.over_rows else -(-self.wished // self.devices) * self.devices

    @property
    def shares(self) -> int:
        """In how many shares the rows are."""
        return self.devices if self.over_rows else 1

    @property
    def own(self) -> range:
        """The numbers of the devices of this process."""
        mine = [n for n, d in enumerate(self.mesh.devices.flat) if d.process_index == jax.process_index()]
        return range(mine[0], mine[-1] + 1)

    @property
    def own_members(self) -> range:
        """The members whose order of rows this process has to know."""
        each = 1 if self.over_rows else self.members // self.devices
        return range(self.members) if self.over_rows else range(self.own.start * each, self.own.stop * each)

    def told(self) -> str:
        """What was chosen, for people."""
        where = f"{self.devices} devices of {jax.process_count()} processes"
        if self.over_rows:
            return f"spread over {where}: each has a share of the rows of every step"
        return (
            f"spread over {where}: each trains up to {self.members // self.devices} of {self.wished} networks"
        )

    def laid(self, array: Any, spec: P) -> Array:
        """On the devices, from what this process has of it."""
        array = np.asarray(array)
        whole = tuple(
            size * (self.devices // len(self.own) if axis == AXIS else 1)
            for size, axis in zip(array.shape, (*spec, *(None,) * (array.ndim - len(spec))), strict=True)
        )
        return jax.make_array_from_process_local_data(NamedSharding(self.mesh, spec), array, whole)

    def begun(self, tree: Any) -> Any:
        """What all processes have alike, with the members as a first axis, laid on the devices."""
        if self.over_rows:
            return jax.tree.map(lambda leaf: self.laid(leaf, P()), tree)
        own = slice(self.own_members.start, self.own_members.stop)
        return jax.tree.map(lambda leaf: self.laid(np.asarray(leaf)[own], P(AXIS)), tree)

    def table(self, x: np.ndarray, y: np.ndarray, weight: np.ndarray, rows: int) -> Table:
        """The rows of the shares of this process, one below the other; or all rows."""
        spec = P(AXIS) if self.over_rows else P()
        return Table(self.laid(x, spec), self.laid(y, spec), self.laid(weight, spec), rows)

    def judged(self, judged: Judged) -> Judged:
        """Who judges: each device looks at some of these rows, or has them judge its members."""
        rows, weight = np.asarray(judged.rows), np.asarray(judged.weight)
        if not self.over_rows:
            own = slice(self.own_members.start, self.own_members.stop)
            return Judged(self.laid(rows[own], P(AXIS)), self.laid(weight[own], P(AXIS)))
        each = -(-rows.shape[1] // self.devices)
        beyond = ((0, 0), (0, each * self.devices - rows.shape[1]), (0, 0))
        own = slice(self.own.start * each, self.own.stop * each)
        rows, weight = (np.pad(part, beyond)[:, own] for part in (rows, weight))
        return Judged(self.laid(rows, P(None, AXIS)), self.laid(weight, P(None, AXIS)))

    def order(self, order: np.ndarray) -> Any:
        """The order of the rows of this process, or of its members."""
        return self.laid(order, P(None, None, None, AXIS) if self.over_rows else P(AXIS))

    def counts(self, rows: np.ndarray) -> np.ndarray:
        """For each member how many rows it learns from, of each share."""
        return np.tile(rows, (self.members, 1)) if self.over_rows else np.repeat(rows, self.members)

    def filled(self, tree: Any) -> Any:
        """As many members as are trained; those beyond the wished begin like the first ones."""
        places = np.arange(self.members) % self.wished
        return jax.tree.map(lambda leaf: np.asarray(leaf)[places], tree)

    def fetched(self, tree: Any) -> Any:
        """The wished members, on every host; all processes must ask for it."""

        def one(leaf: Array) -> np.ndarray:
            whole = leaf.is_fully_addressable or leaf.is_fully_replicated
            found = leaf if whole else multihost_utils.process_allgather(leaf, tiled=True)
            return np.asarray(found)[: self.wished]

        return jax.tree.map(one, tree)


def spread_of(members: int, device: str | None = None) -> Spread | None:
    """The best way to use all devices (of a kind) of all processes; None where there is only one."""
    devices = np.array(devices_of(device))
    return None if devices.size == 1 else Spread(Mesh(devices, (AXIS,)), members < devices.size, members)


def summed(loss: Array, gradients: Any) -> tuple[Array, Any]:
    """Losses and gradients of all devices, in one reduction: each has its latency, whatever its length."""
    flat, restore = ravel_pytree((loss, gradients))
    return restore(jax.lax.psum(flat, AXIS))


def with_shared_penalties(network: Network, devices: int) -> Network:
    """The same, but each device adds its share of the penalties."""
    if not (network.l1 or network.l2):
        return network
    same = copy(network)
    same.l1, same.l2 = network.l1 / devices, network.l2 / devices
    return same


def number_of_device() -> Array:
    """In a program that is spread: which device it runs on."""
    return jax.lax.axis_index(AXIS).astype(jnp.uint32)


def least(spread: Spread | None, *values: float) -> tuple[float, ...]:
    """The least of each number among the processes that train together: what they do must not differ."""
    if spread is None or jax.process_count() == 1:
        return values
    told = multihost_utils.process_allgather(np.array(values, np.float32))
    return tuple(map(float, told.reshape(-1, len(values)).min(axis=0)))


def any_of(spread: Spread | None, flag: bool) -> bool:
    """Whether it is so in one of the processes that train together."""
    return least(spread, -float(flag))[0] < 0

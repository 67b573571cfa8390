"""The device that JAX works on: of its own choice, or one that is insisted upon."""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import jax

from chainrule.errors import ArgumentError

DEVICES = ("cpu", "gpu")


def devices_of(kind: object) -> list[jax.Device]:
    """All devices of a kind, of all processes that learn together; None is JAX's choice.

    Raises
    ------
    ArgumentError
        If JAX can use no such device.
    """
    if kind is not None and kind not in DEVICES:
        raise ArgumentError(f"device must be one of 'cpu', 'gpu', or None; got {kind!r}.")
    try:
        return jax.devices(None if kind is None else str(kind))
    except RuntimeError as error:
        there = ", ".join(sorted({device.platform for device in jax.devices()}))
        raise ArgumentError(
            f"device must be one that JAX can use here ({there}); got {kind!r}. For a GPU, install JAX with "
            "its driver, such as jax[cuda13]; or leave it out."
        ) from error


@contextmanager
def on(kind: object) -> Iterator[None]:
    """What JAX does within, it does on the first device of this kind of this process."""
    if kind is None:
        yield
        return
    own = [device for device in devices_of(kind) if device.process_index == jax.process_index()]
    with jax.default_device(own[0]):
        yield


def insisted() -> Any:
    """The device that this thread insists on, as ``jax.default_device`` takes it: each thread has its own."""
    config: Any = jax.config
    return config.jax_default_device


def platform() -> str:
    """Where JAX works now: "cpu", "gpu" or another."""
    device = insisted()
    return getattr(device, "platform", device) or jax.default_backend()

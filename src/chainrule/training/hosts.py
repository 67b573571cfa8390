"""Processes that learn together, on one host or on many: how they meet, agree and notice a loss.

JAX's distributed runtime connects them and moves the bytes. A training uses all of them by itself wherever
``jax.distributed.initialize`` was called before: see :mod:`chainrule.training.spread`.
"""

import hashlib
import os
import re
import socket
import sys
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from time import monotonic, sleep

import jax
import numpy as np
from jax.experimental import multihost_utils

from chainrule.errors import ArgumentError, HostsError

MEETING = 60
"""Seconds that the processes have to come together."""
HEARTBEAT = 20
"""Seconds without a sign of life after which a process counts as lost."""


def meet(address: str | None, processes: int | None = None, process: int | None = None) -> None:
    """Connect with the other processes; without an address, as the launcher (SLURM, Open MPI, …) says.

    Parameters
    ----------
    address
        HOST:PORT where process 0 listens.
    processes, process
        How many there are, and the number of this one, from 0.

    Raises
    ------
    ArgumentError
        If these are no such numbers or address.
    HostsError
        If the others cannot be reached in time.
    """
    if address is not None:
        _refuse_wrong(address, processes, process)
        _reach(address, process == 0)
    jax.config.update("jax_cpu_collectives_implementation", "gloo")
    try:
        jax.distributed.initialize(
            address,
            processes,
            process,
            cluster_detection_method=None if address is None else "deactivate",
            initialization_timeout=MEETING,
            heartbeat_timeout_seconds=HEARTBEAT,
            shutdown_timeout_seconds=MEETING,
        )
    except (RuntimeError, ValueError, OSError) as error:
        if address is None and isinstance(error, ValueError):
            raise HostsError(
                "--hosts auto needs a launcher that JAX knows (SLURM, Open MPI, Kubernetes); found none of "
                "them. Start by srun or mpirun, or give --hosts HOST:PORT,PROCESSES,PROCESS."
            ) from error
        raise HostsError(
            f"all {processes or ''} processes must meet within {MEETING} s; they did not: {_first(error)}. "
            "Look whether each of them was started, with a number of its own."
        ) from error


def agree(said: Mapping[str, object]) -> None:
    """Refuse to begin where processes were told different things.

    Parameters
    ----------
    said
        What must be the same, by the name that errors call it.

    Raises
    ------
    HostsError
        In every process, if one has something else than process 0.
    """
    if jax.process_count() == 1:
        return
    digests = [hashlib.blake2b(_bytes(value), digest_size=16).digest() for value in said.values()]
    own = np.frombuffer(b"".join(digests), np.uint8).reshape(len(said), 16)
    told = np.asarray(multihost_utils.process_allgather(own)).reshape(-1, len(said), 16)
    other = (told != told[0]).any(axis=2)
    for name, differs in zip(said, other.T, strict=True):
        if differs.any():
            numbers = ", ".join(map(str, np.flatnonzero(differs)))
            raise HostsError(
                f"all processes must have the same {name}; process {numbers} has other than process 0. Start "
                "them all with the same command and the same files."
            )


@contextmanager
def noticed() -> Iterator[None]:
    """Say in one line that another process was lost, where that is why something failed."""
    try:
        yield
    except (jax.errors.JaxRuntimeError, ValueError) as error:
        text = str(error)
        signs = ("Gloo", "gloo", "coordination", "heartbeat", "DEADLINE_EXCEEDED", "UNAVAILABLE")
        if jax.process_count() == 1 or not any(sign in text for sign in signs):
            raise
        raise HostsError(
            "all processes must stay until the end; another one was lost, or failed (see what it said). "
            f"Nothing was written; start all of them again. JAX says: {_first(error)[:200]}"
        ) from None


def part() -> None:
    """Wait until all have done their work: process 0 writes the model, and is who connects them."""
    multihost_utils.process_allgather(np.zeros(1, np.int32))


def leave(code: int) -> None:
    """End this process at once: an orderly end would wait for those that are lost."""
    sys.stdout.flush()
    sys.stderr.flush()
    os._exit(code)


def _refuse_wrong(address: str, processes: int | None, process: int | None) -> None:
    host, _, port = address.rpartition(":")
    if not (host and port.isdigit() and 0 < int(port) < 65536):
        raise ArgumentError(f"hosts must begin with HOST:PORT, such as node1:9876; got {address!r}.")
    if processes is None or process is None or not 0 <= process < processes:
        raise ArgumentError(
            "hosts must be HOST:PORT,PROCESSES,PROCESS with PROCESS from 0 to below PROCESSES; got "
            f"{processes!r} and {process!r}."
        )


def _reach(address: str, listens: bool) -> None:
    """JAX's own client ends the process where it finds nobody: look before."""
    host, _, port = address.rpartition(":")
    place = (host.strip("[]"), int(port))
    if listens:
        try:
            with socket.socket(socket.AF_INET6 if socket.has_ipv6 else socket.AF_INET) as probe:
                probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
                probe.bind(("", place[1]))
        except OSError as error:
            raise HostsError(
                f"process 0 must be able to listen at port {port}; the system says: {error.strerror}. Choose "
                "another port."
            ) from None
        return
    end, why = monotonic() + MEETING, ""
    while monotonic() < end:
        try:
            with socket.create_connection(place, timeout=5):
                return
        except OSError as error:
            why = error.strerror or str(error)
            sleep(0.2)
    raise HostsError(
        f"process 0 must be there at {address} within {MEETING} s; it is not: {why}. Look whether it was "
        "started, and whether the port is open."
    )


def _bytes(value: object) -> bytes:
    return re.sub(r" at 0x[0-9a-f]+", "", repr(value)).encode()  # where a function lies in memory


def _first(error: BaseException) -> str:
    return str(error).partition("\n")[0].rstrip(".")

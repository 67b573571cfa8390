"""A bound on the compiled programs that a process holds."""

import ctypes
import sys
from collections.abc import Hashable
from threading import Lock

import jax

MOST = 64
"""Of different trainings and predictions; a fit and its predictions are two of them."""

_lock = Lock()
_held: set[Hashable] = set()


def hold(*what: Hashable) -> None:
    """Note what a program is compiled for; when there are too many, all that JAX holds are given up.

    JAX gives up none by itself, and each takes megabytes and hundreds of the 65,530 memory maps that Linux
    allows to a process. What is needed again is compiled again, or read from the compilation cache.
    """
    with _lock:
        if what in _held:
            return
        full = len(_held) >= MOST
        if full:
            _held.clear()
        _held.add(what)
    if full:
        jax.clear_caches()
        _give_back()


def _give_back() -> None:
    """Let glibc return memory that the compiler used and freed; elsewhere that is left to the system."""
    if sys.platform == "linux":
        trim = getattr(ctypes.CDLL(None), "malloc_trim", None)
        if trim is not None:
            trim(0)

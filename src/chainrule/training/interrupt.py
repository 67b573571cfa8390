"""Ctrl-C once ends the training after the epoch; twice ends it at once. SIGTERM ends the process."""

import signal
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from types import FrameType


@contextmanager
def noticed() -> Iterator[Callable[[], bool]]:
    """Yield a function that tells whether Ctrl-C was pressed; the second press raises KeyboardInterrupt.

    Off the main thread, where Python delivers no signals, it never was.
    """
    pressed = False
    if threading.current_thread() is not threading.main_thread():
        yield lambda: False
        return
    before = signal.getsignal(signal.SIGINT)
    if before is not signal.default_int_handler:  # somebody else's handler, such as a notebook's
        yield lambda: False
        return

    def press(number: int, frame: FrameType | None) -> None:
        nonlocal pressed
        if pressed:
            raise KeyboardInterrupt
        pressed = True

    signal.signal(signal.SIGINT, press)
    try:
        yield lambda: pressed
    finally:
        signal.signal(signal.SIGINT, before)


class Terminated(SystemExit):
    """SIGTERM came, as from a scheduler: the exit code is the shell's, 128 + 15."""

    def __init__(self) -> None:
        super().__init__(143)


@contextmanager
def terminable() -> Iterator[None]:
    """SIGTERM raises Terminated, so that whatever is half written is cleared away."""
    if threading.current_thread() is not threading.main_thread():
        yield
        return
    before = signal.signal(signal.SIGTERM, _terminate)
    try:
        yield
    finally:
        signal.signal(signal.SIGTERM, before)


@contextmanager
def postponed(wished: bool = True) -> Iterator[Callable[[], bool]]:
    """Yield a function that tells whether SIGTERM came; Terminated is raised where the block ends.

    A second one raises it at once. Somebody else's handler stays.
    """
    came = False
    ours = threading.current_thread() is threading.main_thread()
    if not (wished and ours and signal.getsignal(signal.SIGTERM) in (signal.SIG_DFL, _terminate)):
        yield lambda: False
        return

    def come(number: int, frame: FrameType | None) -> None:
        nonlocal came
        if came:
            raise Terminated
        came = True

    before = signal.signal(signal.SIGTERM, come)
    try:
        yield lambda: came
    finally:
        signal.signal(signal.SIGTERM, before)
    if came:
        raise Terminated


def _terminate(number: int, frame: FrameType | None) -> None:
    raise Terminated

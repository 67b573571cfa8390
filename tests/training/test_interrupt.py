"""Ctrl-C, really pressed, in a process of its own."""

import os
import signal
import subprocess
import sys
import threading

import pytest

from chainrule.training.interrupt import Terminated, noticed, postponed, terminable

SCRIPT = """
import os, signal, sys, threading
import numpy as np
import chainrule
from chainrule.training import progress

presses = int(sys.argv[1])
shown = progress.shown

def pressing(epochs, show):
    for epoch in shown(epochs, show):
        if epoch.number == 3:
            for _ in range(presses):
                os.kill(os.getpid(), signal.SIGINT)
        yield epoch

progress.shown = pressing
model = chainrule.DeepRegressor((4,), max_iter=100_000, random_state=0)
X = np.arange(20.0)[:, None]
try:
    model.fit(X, X[:, 0])
except KeyboardInterrupt:
    print("KeyboardInterrupt", hasattr(model, "parameters_"))
else:
    print(model.n_iter_, model.interrupted_, bool(np.isfinite(model.predict(X)).all()))
assert signal.getsignal(signal.SIGINT) is signal.default_int_handler
"""


def run(presses):
    environment = {**os.environ, "CHAINRULE_CACHE": "off"}
    done = subprocess.run(
        [sys.executable, "-c", SCRIPT, str(presses)],
        env=environment,
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    return done.stdout.split()


def test_once_keeps_the_model_after_the_epoch():
    assert run(1) == ["3", "True", "True"]


def test_twice_ends_at_once():
    assert run(2) == ["KeyboardInterrupt", "False"]


@pytest.fixture
def python_s_handler():
    """A run in the background has none."""
    before = signal.signal(signal.SIGINT, signal.default_int_handler)
    yield
    signal.signal(signal.SIGINT, before)


def test_nothing_is_noticed_without_a_press(python_s_handler):
    with noticed() as pressed:
        assert not pressed()
    assert signal.getsignal(signal.SIGINT) is signal.default_int_handler


def test_the_handler_is_given_back_after_an_error(python_s_handler):
    with pytest.raises(ZeroDivisionError), noticed():
        raise ZeroDivisionError
    assert signal.getsignal(signal.SIGINT) is signal.default_int_handler


def test_somebody_elses_handler_stays():
    before = signal.signal(signal.SIGINT, lambda number, frame: None)
    try:
        mine = signal.getsignal(signal.SIGINT)
        with noticed() as pressed:
            assert signal.getsignal(signal.SIGINT) is mine
            assert not pressed()
    finally:
        signal.signal(signal.SIGINT, before)


def test_other_threads_never_notice():
    seen = []

    def work():
        with noticed() as pressed:
            seen.append(pressed())

    thread = threading.Thread(target=work)
    thread.start()
    thread.join()
    assert seen == [False]


@pytest.fixture
def usual_end():
    before = signal.signal(signal.SIGTERM, signal.SIG_DFL)
    yield
    assert signal.getsignal(signal.SIGTERM) is signal.SIG_DFL
    signal.signal(signal.SIGTERM, before)


def terminate():
    os.kill(os.getpid(), signal.SIGTERM)


def test_sigterm_is_the_exit_code_of_a_shell(usual_end):
    with pytest.raises(Terminated) as ended, terminable():
        terminate()
    assert ended.value.code == 143


def test_sigterm_waits_for_the_end_of_the_block(usual_end):
    seen = []

    def work():
        with postponed() as came:
            seen.append(came())
            terminate()
            seen.append(came())

    with pytest.raises(Terminated), terminable():
        work()
    assert seen == [False, True]


def test_a_second_sigterm_does_not_wait(usual_end):
    seen = []

    def work():
        with postponed():
            terminate()
            terminate()
            seen.append("more")

    with pytest.raises(Terminated):
        work()
    assert not seen


def test_without_sigterm_nothing_is_raised(usual_end):
    with terminable(), postponed() as came:
        assert not came()
    with postponed(wished=False) as came:
        assert signal.getsignal(signal.SIGTERM) is signal.SIG_DFL


def test_somebody_elses_end_stays():
    heard = []
    before = signal.signal(signal.SIGTERM, lambda number, frame: heard.append(number))
    try:
        with postponed() as came:
            terminate()
            assert not came()
        assert heard == [signal.SIGTERM]
    finally:
        signal.signal(signal.SIGTERM, before)


def test_other_threads_are_not_terminated(usual_end):
    seen = []

    def work():
        with terminable(), postponed() as came:
            seen.append(came())

    thread = threading.Thread(target=work)
    thread.start()
    thread.join()
    assert seen == [False]

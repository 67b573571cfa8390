"""Compiled programs do not pile up, and nothing learnt depends on when they are given up."""

import os
import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import jax
import numpy as np
import pytest

import chainrule
from chainrule import DeepRegressor
from chainrule.network import programs

X = np.random.default_rng(0).normal(size=(60, 3))
SOAK = """
import threading
import numpy as np
from chainrule import DeepRegressor

def maps():
    with open("/proc/self/maps") as lines:
        return sum(1 for _ in lines)

def memory():
    with open("/proc/self/status") as lines:
        return next(int(line.split()[1]) for line in lines if line.startswith("VmRSS")) // 1024

x, seen, most = np.random.default_rng(0).normal(size=(60, 11)), [], 0
for number in range({fits}):
    k = number % {shapes}
    part = x[:, : 2 + k % 10]
    model = DeepRegressor((4 + k // 10,), max_iter=1, n_members=1, numeric_embedding=None).fit(part, x[:, 0])
    model.predict(part)
    most = max(most, maps())
    if number % ({fits} // 4) == {fits} // 4 - 1:
        seen.append((memory(), threading.active_count()))
for number in range({predictions}):
    model.predict(part[:1])
seen.append((memory(), threading.active_count()))
print(most, seen)
"""
LEARN = """
import numpy as np
from chainrule import DeepRegressor
x = np.random.default_rng(0).normal(size=(60, 3))
for size in (3, 4, 5):
    model = DeepRegressor((size,), max_iter=3, n_members=1, random_state=0).fit(x, x[:, 0])
    print(model.predict(x).tobytes().hex())
"""


def started(script, **variables):
    source = str(Path(chainrule.__file__).parents[1])
    return subprocess.Popen(
        [sys.executable, "-W", "error", "-c", script],
        env={**os.environ, "PYTHONPATH": source, "JAX_PLATFORMS": "cpu", **variables},
        stdout=subprocess.PIPE,
        text=True,
    )


def test_when_there_are_too_many_all_are_given_up(monkeypatch):
    monkeypatch.setattr(programs, "MOST", 2)
    monkeypatch.setattr(programs, "_held", set())
    compiled = jax.jit(lambda x: x + 1)
    compiled(1.0)
    for what in ("a", "b", "a", "b"):
        programs.hold(what)
    assert compiled._cache_size() == 1
    programs.hold("c")
    assert compiled._cache_size() == 0
    assert programs._held == {("c",)}


def test_threads_learn_the_same_bits_as_alone_while_programs_are_given_up(monkeypatch):
    def learnt(size):
        return DeepRegressor((size,), max_iter=2, n_members=1, random_state=0).fit(X, X[:, 0]).predict(X)

    alone = [learnt(size) for size in (3, 4)]
    monkeypatch.setattr(programs, "MOST", 1)
    with ThreadPoolExecutor(2) as pool:
        together = list(pool.map(learnt, (3, 4)))
    assert [a.tobytes() for a in alone] == [t.tobytes() for t in together]


@pytest.mark.long
def test_two_processes_share_a_compilation_cache(tmp_path):
    alone = started(LEARN, CHAINRULE_CACHE="off").communicate()[0]
    for _ in range(3):  # an empty folder, then a full one
        both = [started(LEARN, CHAINRULE_CACHE=str(tmp_path)) for _ in range(2)]
        assert [process.communicate()[0] for process in both] == [alone, alone]
    assert list(tmp_path.iterdir())


@pytest.mark.long
@pytest.mark.skipif(sys.platform != "linux", reason="/proc tells")
def test_a_thousand_fits_and_a_million_predictions_leave_nothing_behind():
    with started(SOAK.format(fits=1000, shapes=100, predictions=1_000_000)) as process:
        said, _ = process.communicate()
    most, _, seen = said.partition(" ")
    assert int(most) < 65_530 / 2
    quarters = eval(seen)
    (second, threads), (last, threads_at_last) = quarters[1], quarters[-1]
    assert last < 1.15 * second, quarters
    assert threads_at_last <= threads, quarters

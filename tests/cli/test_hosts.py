"""``fit --hosts``: several processes learn what one would, and notice when another is lost."""

import os
import signal
import socket
import subprocess
import sys
import time
from pathlib import Path

import numpy as np
import polars as pl
import pytest

import chainrule
from chainrule.cli.hosting import _parsed
from chainrule.errors import ArgumentError

SOURCE = str(Path(chainrule.__file__).parents[1])
ROWS = 300_000  # five pieces
FIT = ("fit", "t.parquet", "--target", "y", "--hidden", "16", "--seed", "0")
ALONE = """
import sys
import chainrule

members = int(sys.argv[1])
model = chainrule.DeepRegressor((16,), n_members=members, max_iter=1, batch_size=4096, random_state=0)
chainrule.save(model.fit(chainrule.open_stream("t.parquet"), "y"), sys.argv[2])
"""


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    folder = tmp_path_factory.mktemp("hosts")
    x = np.random.default_rng(0).normal(size=(ROWS, 3))
    frame = pl.DataFrame({f"x{i}": x[:, i] for i in range(3)})
    frame.with_columns(y=np.sin(x[:, 0]) + x[:, 1] * x[:, 2]).write_parquet(folder / "t.parquet")
    return folder


def started(folder, *words, devices=1):
    flags = f"{os.environ.get('XLA_FLAGS', '')} --xla_force_host_platform_device_count={devices}"
    return subprocess.Popen(
        [sys.executable, *words],
        cwd=folder,
        env={**os.environ, "PYTHONPATH": SOURCE, "JAX_PLATFORMS": "cpu", "XLA_FLAGS": flags},
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
    )


def together(folder, processes, *words):
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        address = f"127.0.0.1:{free.getsockname()[1]}"
    command = ("-m", "chainrule", *FIT, *words, "--hosts")
    return [started(folder, *command, f"{address},{processes},{k}") for k in range(processes)]


@pytest.mark.parametrize(
    "told", ["node1", "node1:9876", "node1:9876,2", "node1:9876,two,0", "node1:9876,2,0,1", "node1:9876,2,-1"]
)
def test_who_learns_together_is_said_in_three_parts(told):
    with pytest.raises(ArgumentError, match="--hosts must be auto, or HOST:PORT,PROCESSES,PROCESS"):
        _parsed(told)
    assert _parsed("node1:9876,2,0") == ("node1:9876", 2, 0)
    assert _parsed("auto") == (None, None, None)


@pytest.mark.long
@pytest.mark.parametrize(("processes", "members"), [(2, 1), (2, 3), (4, 1), (4, 4)])
def test_processes_learn_what_one_with_as_many_devices_learns(folder, processes, members):
    """Bit for bit, unless there are more than two summands, whose order may be another one."""
    here = f"{processes}-{members}.chainrule"
    words = ("--members", str(members), "--epochs", "1", "--batch-size", "4096", "-o", here)
    all_of_them = together(folder, processes, *words)
    said = [process.communicate(timeout=300)[0] for process in all_of_them]
    assert [process.returncode for process in all_of_them] == [0] * processes, said
    assert f"spread over {processes} devices of {processes} processes" in said[0]
    assert "saved" not in "".join(said[1:])
    alone = started(folder, "-c", ALONE, str(members), "alone.chainrule", devices=processes)
    told, _ = alone.communicate(timeout=300)
    assert alone.returncode == 0, told
    x = pl.read_parquet(folder / "t.parquet")[:1000].drop("y")
    ours, theirs = (chainrule.load(folder / name).predict(x) for name in (here, "alone.chainrule"))
    dealt = members >= processes
    np.testing.assert_allclose(ours, theirs, rtol=0, atol=0 if dealt or processes == 2 else 1e-4)


@pytest.mark.long
def test_a_process_that_is_lost_is_noticed_by_the_others(folder):
    first, second = together(folder, 2, "--members", "1", "--epochs", "1000", "-o", "lost.chainrule")
    time.sleep(40)  # amid the training
    second.send_signal(signal.SIGKILL)
    began = time.monotonic()
    said, _ = first.communicate(timeout=120)
    assert time.monotonic() - began < 60
    assert first.returncode == 1, said
    assert "another one was lost" in said
    assert not (folder / "lost.chainrule").exists()
    second.communicate()


@pytest.mark.long
def test_processes_that_were_told_different_things_do_not_begin(folder):
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        address = f"127.0.0.1:{free.getsockname()[1]}"
    words = ("-m", "chainrule", *FIT, "--epochs", "1", "-o", "other.chainrule", "--hosts")
    both = [
        started(folder, *words[:-1], "--learning-rate", rate, "--hosts", f"{address},2,{k}")
        for k, rate in enumerate(("0.001", "0.002"))
    ]
    said = [process.communicate(timeout=200)[0] for process in both]
    assert [process.returncode for process in both] == [1, 1], said
    assert all("all processes must have the same options" in text for text in said), said
    assert not (folder / "other.chainrule").exists()

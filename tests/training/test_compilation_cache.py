"""Where compiled programs are kept. Each test is a process of its own: JAX reads its settings once."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

import chainrule

SOURCE = str(Path(chainrule.__file__).parents[1])
SCRIPT = """
import jax
{before}
from chainrule import Network, train
list(train(Network((1, 1)), [[0.0]], [[1.0]], epochs=1))
print(jax.config.jax_compilation_cache_dir)
"""


def run(tmp_path, before="", **variables):
    home = tmp_path / "home"
    home.mkdir(exist_ok=True)
    kept = {k: v for k, v in os.environ.items() if not k.startswith(("JAX_", "XDG_", "CHAINRULE_"))}
    environment = {**kept, "HOME": str(home), "JAX_PLATFORMS": "cpu", "PYTHONPATH": SOURCE, **variables}
    done = subprocess.run(
        [sys.executable, "-W", "error", "-c", SCRIPT.format(before=before)],
        env=environment,
        cwd=tmp_path,
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    return done.stdout.strip()


def files(folder):
    return [path for path in folder.rglob("*") if path.is_file()]


def test_the_named_folder_is_written_to_and_nothing_else(tmp_path):
    named = tmp_path / "named"
    assert run(tmp_path, CHAINRULE_CACHE=str(named)) == str(named)
    assert files(named)
    assert sorted(files(tmp_path)) == sorted(files(named))


@pytest.mark.parametrize("off", ["off", "0", "No"])
def test_off_writes_nothing(tmp_path, off):
    assert run(tmp_path, CHAINRULE_CACHE=off) == "None"
    assert files(tmp_path) == []


def test_the_users_cache_folder_by_default(tmp_path):
    folder = run(tmp_path, XDG_CACHE_HOME=str(tmp_path / "cache"))
    assert folder.startswith(str(tmp_path))
    assert folder.endswith("compiled")
    assert files(tmp_path)


def test_a_folder_that_cannot_be_made_is_no_error(tmp_path):
    (tmp_path / "file").write_text("in the way")
    assert run(tmp_path, CHAINRULE_CACHE=str(tmp_path / "file" / "cache")) == "None"
    assert run(tmp_path, CHAINRULE_CACHE=str(tmp_path / "file")) == "None"


def test_a_folder_that_cannot_be_written_to_is_no_error(tmp_path):
    folder = tmp_path / "sealed"
    folder.mkdir(mode=0o500)
    # Root may write anywhere, so here the answer of the system stands in for the lack of a right.
    before = "import os; os.access = lambda *_: False"
    assert run(tmp_path, before=before, CHAINRULE_CACHE=str(folder)) == "None"
    assert files(tmp_path) == []


def test_what_jax_was_told_holds(tmp_path):
    theirs = tmp_path / "theirs"
    before = f"jax.config.update('jax_compilation_cache_dir', {str(theirs)!r})"
    assert run(tmp_path, before=before, CHAINRULE_CACHE=str(tmp_path / "ours")) == str(theirs)
    assert not (tmp_path / "ours").exists()

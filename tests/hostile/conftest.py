"""Commands that run in a folder of their own, and the promise that each must keep, whatever it is given."""

import os
import re
import resource
import signal
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

os.environ.setdefault("CHAINRULE_CACHE", "off")

import jax
import polars as pl
import pytest
from tests.hostile.cases import Case, base
from typer.testing import CliRunner, Result

from chainrule.cli.app import app

SMALL = ("--hidden", "4", "--epochs", "1")
ALONE = (*SMALL, "--members", "1")
SECONDS, BYTES = 60, 1 << 30
BEFORE = b"as it was before"
OUTPUTS = {"fit": ["-o", "m.model"], "predict": ["-o", "p.csv"]}

Endure = Callable[[Case], None]


@pytest.fixture(scope="session", autouse=True)
def quick_compiler() -> Iterator[None]:
    jax.config.update("jax_disable_most_optimizations", True)
    yield
    jax.config.update("jax_disable_most_optimizations", False)


@pytest.fixture(scope="session")
def model_file(tmp_path_factory: pytest.TempPathFactory) -> bytes:
    """A model of numbers, categories and dates, by the columns a, c, d and the target y."""
    folder = tmp_path_factory.mktemp("model")
    dated().write_csv(folder / "t.csv")
    run(["fit", str(folder / "t.csv"), "--target", "y", *ALONE, "-o", str(folder / "m.model")])
    return (folder / "m.model").read_bytes()


def dated() -> pl.DataFrame:
    day = pl.date_range(pl.date(2024, 1, 1), pl.date(2024, 1, 24), eager=True)
    return base().with_columns(pl.Series("d", day), pl.Series("a", [None, *base()["a"][1:]]))


@pytest.fixture(params=[ALONE, pytest.param(SMALL, marks=pytest.mark.long)], ids=["alone", "members"])
def endure(request: pytest.FixtureRequest, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Endure:
    """Run a case: it ends well, or in one line of error with nothing else changed."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("COLUMNS", "200")

    def check(case: Case) -> None:
        case.write(tmp_path)
        words = case.words
        output = [] if "-o" in words else OUTPUTS.get(words[0], [])
        if output:
            (tmp_path / output[1]).write_bytes(BEFORE)
        before = contents(tmp_path)
        quiet = ["-q"] if case.says is not None and words[0] != "show" else []
        result = run([*words, *output, *quiet, *(request.param if words[0] == "fit" else ())], case.stdin)
        if case.says is not None:
            refused(case, result)
            assert contents(tmp_path) == before
            return
        assert result.exit_code == 0, result.stderr
        warned = [line for line in result.stderr.splitlines() if line.startswith("chainrule: ")]
        assert re.search(case.tells, "\n".join(warned)), result.stderr
        changed = {name for name, content in contents(tmp_path).items() if before.get(name) != content}
        assert changed == set([*output, *after("-o", words)][-1:])
        if words[0] == "fit" and output and "-" not in words:
            assert run(["predict", "m.model", words[1], "-o", "p.csv"]).exit_code == 0
        finite(tmp_path)

    return check


def run(words: list[str], stdin: bytes | None = None) -> Result:
    """A command in this process; what it does not catch fails the test, as does too much time or memory."""
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    with limited(SECONDS):
        result = CliRunner().invoke(app, words, input=stdin)
    if result.exception is not None and not isinstance(result.exception, SystemExit):
        raise result.exception
    assert (resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - peak) * 1024 < BYTES
    return result


@contextmanager
def limited(seconds: int) -> Iterator[None]:
    def stop(*_: object) -> None:
        raise AssertionError(f"still at it after {seconds} s")

    before = signal.signal(signal.SIGALRM, stop)
    signal.alarm(seconds)
    try:
        yield
    finally:
        signal.alarm(0)
        signal.signal(signal.SIGALRM, before)


def refused(case: Case, result: Result) -> None:
    said = result.stderr
    assert result.exit_code == case.code, (result.exit_code, said or result.stdout)
    assert said.startswith("chainrule: "), said
    assert said.count("\n") == 1, said
    assert len(said) < 1000, said
    assert re.search(case.says or "", said), said
    assert not result.stdout


def contents(folder: Path) -> dict[str, bytes]:
    """What is in the files of a folder; pipes, links to nothing and folders count by their name."""
    return {
        str(path.relative_to(folder)): path.read_bytes() if path.is_file() else b""
        for path in folder.rglob("*")
    }


def after(option: str, words: list[str]) -> list[str]:
    return [words[words.index(option) + 1]] if option in words else []


def finite(folder: Path) -> None:
    """What was predicted is there, row by row, and finite."""
    for path in folder.glob("p.*"):
        if path.suffix == ".json":
            answers = pl.read_json(path)
        else:
            answers = (
                pl.read_csv(path, infer_schema_length=None)
                if path.suffix == ".csv"
                else pl.read_parquet(path)
            )
        assert answers.height
        for column in answers.select("y" if "y" in answers.columns else pl.all()):
            assert not column.has_nulls(), column
            assert not column.dtype.is_float() or column.is_finite().all(), column

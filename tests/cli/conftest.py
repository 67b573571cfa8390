"""Tables and models for the command line, and two ways to call it."""

import os
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

os.environ.setdefault("CHAINRULE_CACHE", "off")

import numpy as np
import polars as pl
import pytest
from typer.testing import CliRunner

from chainrule.cli.app import app

SOURCE = Path(__file__).parents[2] / "src"
SMALL = ("--hidden", "4", "--epochs", "2")
ALONE = (*SMALL, "--members", "1")

Call = Callable[..., Any]


def houses(rows: int, seed: int = 0) -> pl.DataFrame:
    numbers = np.random.default_rng(seed)
    size, age = numbers.uniform(40, 200, rows), numbers.integers(0, 90, rows)
    city = np.array(["Rome", "Oslo"])[numbers.integers(0, 2, rows)]
    price = 3 * size - age + 50 * (city == "Oslo") + numbers.normal(size=rows)
    return pl.DataFrame(
        {
            "size": size.round(1),
            "age": age,
            "city": city,
            "rooms": (size // 60).astype(int) + 1,
            "price": price.round(2),
            "dear": np.where(price > np.median(price), "yes", "no"),
            "sold": price > np.quantile(price, 0.3),
        }
    )


@pytest.fixture
def call(monkeypatch: pytest.MonkeyPatch) -> Call:
    """Run a command in this process."""
    monkeypatch.setenv("COLUMNS", "200")

    def run(*arguments: object, stdin: bytes | None = None) -> Any:
        result = CliRunner().invoke(app, [str(argument) for argument in arguments], input=stdin)
        if result.exception is not None and not isinstance(result.exception, SystemExit):
            raise result.exception
        return result

    return run


@pytest.fixture(scope="session")
def environment(tmp_path_factory: pytest.TempPathFactory) -> dict[str, str]:
    cache = tmp_path_factory.mktemp("cache")
    removed = ("NO_COLOR", "FORCE_COLOR", "TERM", "PYTHONWARNINGS")
    kept = {name: value for name, value in os.environ.items() if name not in removed}
    return kept | {"PYTHONPATH": str(SOURCE), "CHAINRULE_CACHE": str(cache), "TERM": "xterm"}


@pytest.fixture
def start(environment: dict[str, str], tmp_path: Path) -> Call:
    """Start a command as its own process, in a folder of its own."""

    def process(*arguments: object, env: dict[str, str] | None = None, **options: Any) -> Any:
        return subprocess.Popen(
            [sys.executable, "-m", "chainrule", *map(str, arguments)],
            env=environment | (env or {}),
            cwd=tmp_path,
            **{"stdin": subprocess.DEVNULL, "stdout": subprocess.PIPE, "stderr": subprocess.PIPE} | options,
        )

    return process


@pytest.fixture(scope="session")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Tables, and a model of each task; not to be written to."""
    path = tmp_path_factory.mktemp("houses")
    houses(90).write_csv(path / "houses.csv")
    houses(600).write_parquet(path / "many.parquet")
    houses(30, seed=1).write_csv(path / "new.csv")
    for name, arguments in {
        "price": ("--target", "price", "--drop", "dear", "--drop", "sold"),
        "dear": ("--target", "dear", "--drop", "price", "--drop", "sold"),
        "both": ("--target", "price", "--target", "rooms", "--drop", "dear", "--drop", "sold"),
        "quantiles": ("--target", "price", "--drop", "dear", "--drop", "sold", "--loss", "quantile(0.2,0.6)"),
    }.items():
        result = CliRunner().invoke(
            app,
            ["fit", str(path / "houses.csv"), *arguments, *ALONE, "-q", "-o", str(path / f"{name}.model")],
        )
        assert result.exit_code == 0, result.output
    return path

"""Tables that are read in parts, on the command line."""

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import polars as pl
import pytest
from tests.cli.conftest import ALONE, houses

from chainrule.cli import using
from chainrule.estimators import streaming
from chainrule.tables import stream

Call = Callable[..., Any]
ROWS = 1_200


@pytest.fixture(autouse=True)
def _small(monkeypatch: pytest.MonkeyPatch) -> None:
    """Memory for hardly any row."""
    monkeypatch.setattr(stream, "PIECE", 100)
    monkeypatch.setattr(streaming, "PIECE", 100)
    monkeypatch.setattr(streaming, "_EPOCH", 300)
    monkeypatch.setattr(streaming, "_PROGRAM", 999_900_000)


@pytest.fixture
def files(tmp_path: Path) -> Path:
    table = houses(ROWS)
    (tmp_path / "houses").mkdir()
    for number in range(3):
        table[number::3].write_parquet(tmp_path / "houses" / f"{number}.parquet")
    return tmp_path / "houses"


def test_fit_and_predict(call: Call, files: Path, tmp_path: Path) -> None:
    model, page = tmp_path / "model", tmp_path / "page.html"
    told = call(
        "fit", files, "--target", "price", "--drop", "dear", "--drop", "sold", "--memory", "1GB", *ALONE,
        "-o", model, "--report", page, "--json",
    )  # fmt: skip
    assert told.exit_code == 0, told.stderr
    assert "1,200 rows, 4 columns to learn from" in told.stderr
    assert "read in parts; 1,200 rows drawn at random say what the table is like" in told.stderr
    found = json.loads(told.stdout)
    assert found["scored"] == "validation"
    assert found["scored_rows"] == 120
    assert page.stat().st_size > 10_000
    whole = call("predict", model, files)
    assert whole.exit_code == 0, whole.stderr
    for name in ("answers.csv", "answers.parquet"):
        call("predict", model, files, "-o", tmp_path / name, "--keep")
    assert (tmp_path / "answers.csv").read_text().count("\n") == ROWS + 1
    kept = pl.read_parquet(tmp_path / "answers.parquet")
    assert kept.columns[:3] == ["size", "age", "city"]
    assert kept["predicted price"].to_list() == [float(line) for line in whole.stdout.split()[1:]]


def test_parts_are_answered_as_the_whole_is(call: Call, files: Path, folder: Path, monkeypatch: Any) -> None:
    some = ("predict", folder / "dear.model", files, "--probabilities")
    in_parts = call(*some)
    assert in_parts.stderr.count("columns that the model does not use") <= 1
    monkeypatch.setattr(using, "_PIECES", 1_000)
    assert call(*some).stdout == in_parts.stdout


def test_an_error_in_the_middle_leaves_nothing(call: Call, files: Path, folder: Path, tmp_path: Path) -> None:
    wrong = houses(400).with_columns(size=pl.lit(float("inf")))
    wrong.write_parquet(files / "9.parquet")
    for name in ("out.csv", "out.parquet"):
        told = call("predict", folder / "price.model", files, "-o", tmp_path / name)
        assert told.exit_code == 1
        assert "column 'size' must be finite" in told.stderr
        assert not (tmp_path / name).exists()
    assert [path.name for path in tmp_path.iterdir()] == ["houses"]


@pytest.mark.parametrize("option", ["--group", "--time", "--validation", "--missing"])
def test_what_parts_cannot_be_asked_for(call: Call, files: Path, option: str) -> None:
    told = call("fit", files, "--target", "price", "--memory", "1GB", option, "age")
    assert told.exit_code == 2
    assert f"{option} must be left out for a table that is read in parts, as 1,200 rows" in told.stderr


def test_memory_is_for_files_that_can_be_read_in_parts(call: Call, folder: Path) -> None:
    told = call("fit", folder / "houses.csv", "--target", "price", "--memory", "2GB")
    assert told.exit_code == 2
    assert "--memory must be left out for" in told.stderr
    told = call("fit", folder / "houses.csv", "--target", "price", "--memory", "lots")
    assert told.exit_code == 2
    assert "--memory must be a size, such as '2GB'; got 'lots'" in told.stderr


def test_a_folder_that_fits_is_read_whole(call: Call, files: Path) -> None:
    told = call("fit", files, "--target", "dear", *ALONE)
    assert told.exit_code == 0, told.stderr
    assert "in parts" not in told.stderr

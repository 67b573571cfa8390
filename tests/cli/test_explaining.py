"""``chainrule explain``: a row, a table, a page, a frame, and what it refuses."""

import json
from pathlib import Path

import numpy as np
import polars as pl
import pytest
from tests.cli.conftest import Call


def test_a_row_adds_up(call: Call, folder: Path) -> None:
    result = call("explain", folder / "price.model", folder / "new.csv", "--row", "3", "--json")
    said = json.loads(result.stdout)
    adds = sum(column["attribution"] for column in said["columns"])
    assert said["output"] == pytest.approx(said["baseline"] + adds, rel=1e-6)
    predicted = call("predict", folder / "price.model", folder / "new.csv").stdout.splitlines()[3]
    assert said["output"] == pytest.approx(float(predicted), rel=1e-4)


def test_a_row_is_drawn(call: Call, folder: Path) -> None:
    said = call("explain", folder / "price.model", folder / "new.csv", "--row", "3").stdout
    for word in ("baseline", "output", "size = ", "city = "):
        assert word in said


def test_a_table_has_importances(call: Call, folder: Path) -> None:
    said = json.loads(call("explain", folder / "price.model", folder / "new.csv", "--json").stdout)
    importance = {entry["column"]: entry["importance"] for entry in said["importance"]}
    assert max(importance, key=importance.__getitem__) == "size"
    values = [entry["importance"] for entry in said["importance"]]
    assert values == sorted(values, reverse=True)
    assert "size" in call("explain", folder / "price.model", folder / "new.csv").stdout


def test_a_frame_has_a_row_for_each(call: Call, folder: Path, tmp_path: Path) -> None:
    call("explain", folder / "price.model", folder / "new.csv", "-o", tmp_path / "out.csv")
    found = pl.read_csv(tmp_path / "out.csv")
    assert found.height == pl.read_csv(folder / "new.csv").height
    parts = found.select(pl.exclude("(of)", "(baseline)", "(output)", "(remainder)")).to_numpy()
    np.testing.assert_allclose(
        parts.sum(axis=1), found["(output)"].to_numpy() - found["(baseline)"].to_numpy(), rtol=1e-6
    )


def test_a_page(call: Call, folder: Path, tmp_path: Path) -> None:
    arguments = ("explain", folder / "dear.model", folder / "new.csv", "--row", "1", "--class", "yes")
    assert call(*arguments, "-o", tmp_path / "page.html").exit_code == 0
    page = (tmp_path / "page.html").read_text("utf-8")
    assert page.startswith("<!DOCTYPE html>")
    assert "<svg" in page
    assert "<script" not in page


@pytest.mark.parametrize(
    ("model", "arguments", "message"),
    [
        ("price.model", ("--row", "9999"), "--row must be from 1 to"),
        ("price.model", ("--class", "yes"), "--class must be left out"),
        ("dear.model", ("--class", "maybe"), "--class must be one of 'no', 'yes'; got 'maybe'"),
        ("price.model", ("--target", "pric"), "Did you mean 'price'?"),
    ],
)
def test_what_is_wrong_is_said_in_a_line(
    call: Call, folder: Path, model: str, arguments: tuple[str, ...], message: str
) -> None:
    result = call("explain", folder / model, folder / "new.csv", *arguments)
    assert result.exit_code == 2
    assert message in result.stderr
    assert result.stderr.count("\n") == 1

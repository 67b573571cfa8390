"""The page of --report, from a fit to the file."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import polars as pl
import pytest

Call = Callable[..., Any]
SMALL = ("--hidden", "4", "--epochs", "2")
ALONE = (*SMALL, "--members", "1")


@pytest.mark.parametrize(
    ("arguments", "says"),
    [
        (("--target", "price"), ["Predicting price", "R²", "median width", "chainrule predict", "0 to 89; "]),
        (("--target", "dear"), ["Predicting dear", "accuracy", "Confusions of dear", "log-likelihood"]),
        (("--target", "dear", "--loss", "hinge"), ["the accuracy"]),
        (("--target", "sold"), ["Predicting sold"]),
        (("--target", "price", "--target", "age"), ["age"]),
        (("--target", "price", "--loss", "quantile(0.1, 0.5, 0.9)"), ["median width"]),
    ],
)
def test_the_page_tells_what_was_learnt(
    arguments: tuple[str, ...], says: list[str], call: Call, folder: Path, tmp_path: Path
) -> None:
    page = tmp_path / "page.html"
    result = call("fit", folder / "many.parquet", *arguments, *SMALL, "--report", page, "-o", tmp_path / "m")
    assert result.exit_code == 0, result.stderr
    assert f"wrote {page}" in result.stderr
    text = page.read_text("utf-8")
    for fragment in says:
        assert fragment in text
    assert "<script" not in text


def test_dates_range_from_the_first_to_the_last(call: Call, folder: Path, tmp_path: Path) -> None:
    table, page = pl.read_csv(folder / "houses.csv"), tmp_path / "page.html"
    days = pl.date_range(pl.date(2022, 12, 1), pl.date(2023, 2, 28), eager=True).dt.strftime("%d.%m.%Y")
    table.with_columns(day=days).write_csv(tmp_path / "table.csv")
    result = call("fit", tmp_path / "table.csv", "--target", "price", *SMALL, "--report", page)
    assert result.exit_code == 0, result.stderr
    assert "2022-12-01 to 2023-02-28; elapsed days" in page.read_text("utf-8")


def test_a_page_of_few_rows_and_of_nothing_saved(call: Call, folder: Path, tmp_path: Path) -> None:
    page = tmp_path / "page.html"
    result = call("fit", folder / "houses.csv", "--target", "price", *ALONE, "--report", page)
    assert result.exit_code == 0, result.stderr
    text = page.read_text("utf-8")
    assert "rows that the network learnt from" in text
    assert "knows no file of the model" in text


def test_the_page_can_go_to_standard_output_but_nothing_else_then(call: Call, folder: Path) -> None:
    result = call("fit", folder / "houses.csv", "--target", "price", *SMALL, "--report", "-")
    assert result.stdout.startswith("<!DOCTYPE html>")
    both = call("fit", folder / "houses.csv", "--target", "price", *SMALL, "--report", "-", "--json")
    assert both.exit_code == 2
    nowhere = call("fit", folder / "houses.csv", "--target", "price", *SMALL, "--report", "none/page.html")
    assert (nowhere.exit_code, "no folder" in nowhere.stderr) == (1, True)

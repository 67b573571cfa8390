"""``chainrule derive``: what it prints, what it writes, and what it refuses."""

import json
from pathlib import Path
from typing import Any
from xml.etree import ElementTree

import polars as pl
import pytest
from tests.cli.conftest import Call

SIZES = ("derive", "3-4-4-2", "--activation", "tanh")


def test_sizes(call: Call) -> None:
    result = call(*SIZES, "--weight", "W1[2,1]")
    assert result.exit_code == 0
    assert "∂L/∂W¹[2,1] = " in result.stdout
    for title in (
        "1. Forward",
        "2. L in terms",
        "3. The chain rule",
        "5. The compact form",
        "6. Three numbers",
    ):
        assert f"\n{title}" in result.stdout
    assert max(map(len, result.stdout.splitlines())) <= 110
    assert "\x1b" not in result.stdout  # no colours where there is no terminal
    assert "in colour" not in result.stdout


def test_the_same_seed_is_the_same_page(call: Call) -> None:
    assert call(*SIZES).stdout == call(*SIZES).stdout
    assert call(*SIZES).stdout != call(*SIZES, "--seed", "1").stdout


def test_a_row_of_ones_own(call: Call) -> None:
    said = json.loads(call(*SIZES, "--x", "1,-2,0.5", "--y", "0.5,1", "--json").stdout)
    assert said["derived"] == pytest.approx(said["compiled"], rel=1e-10)
    assert said["derived"] == pytest.approx(said["finite_difference"], rel=1e-5)
    assert said["weight"] == "W¹[1,1]"
    assert said["sections"][0]["title"].startswith("Forward")


def test_a_model_and_a_row(call: Call, folder: Path) -> None:
    arguments = ("derive", folder / "price.model", folder / "houses.csv", "--weight", "W1[1,1]", "--json")
    said = [json.loads(call(*arguments, "--row", row).stdout) for row in (1, 7)]
    for each in said:
        assert each["derived"] == pytest.approx(each["compiled"], rel=1e-10)
    assert said[0]["derived"] != said[1]["derived"]
    dropped = json.loads(call(*arguments, "--row", 1, "--dropout-seed", 3).stdout)
    assert dropped["derived"] == pytest.approx(dropped["compiled"], rel=1e-10)
    names = [row[1] for row in said[0]["sections"][0]["lines"][0]["rows"]]
    assert "size" in names
    assert any(name.startswith("city") for name in names)


def test_an_output_needs_no_target(call: Call, folder: Path, tmp_path: Path) -> None:
    pl.read_csv(folder / "new.csv").drop("price").write_csv(tmp_path / "new.csv")
    arguments = ("derive", folder / "price.model", tmp_path / "new.csv", "--weight", "x[1]")
    assert call(*arguments, "--of", "y_hat[1]").exit_code == 0
    refused = call(*arguments)
    assert refused.exit_code in (1, 2)
    assert "'price'" in refused.stderr


def test_second_derivatives_and_directions(call: Call) -> None:
    assert "∂²L/∂W¹[2,1]²" in call(*SIZES, "--weight", "W1[2,1]", "--second").stdout
    assert "Down the gradient" in call(*SIZES, "--direction", "gradient").stdout
    one = json.loads(call(*SIZES, "--direction", "W1[2,1]=2, b1[1]=-1", "--json").stdout)
    assert one["derived"] == pytest.approx(one["compiled"], rel=1e-10)


def test_networks_of_other_kinds(call: Call) -> None:
    options = ("--layer-norm", "--residual", "--dropout", "0.2", "--loss", "log(cosh(y_hat - y))")
    said = json.loads(call("derive", "3-4-4-2", "--activation", "z*tanh(z)", *options, "--json").stdout)
    assert said["derived"] == pytest.approx(said["compiled"], rel=1e-10, abs=1e-14)
    assert said["activation"] == ["z*tanh(z)"] * 2


@pytest.mark.parametrize(
    ("option", "begins"), [("--html", "<!DOCTYPE html>"), ("--latex", "\\documentclass")]
)
def test_documents(call: Call, tmp_path: Path, option: str, begins: str) -> None:
    printed = call(*SIZES, option).stdout
    assert printed.startswith(begins)
    assert call(*SIZES, option, "-o", tmp_path / "page").exit_code == 0
    assert (tmp_path / "page").read_text("utf-8") == printed
    assert [path.name for path in tmp_path.iterdir()] == ["page"]


def test_the_page_is_well_formed(call: Call) -> None:
    page = call(*SIZES, "--html").stdout.replace("<!DOCTYPE html>", "")
    void = page.replace('<meta charset="utf-8">', "")
    body = void[void.index("<body>") : void.index("</html>")].replace("&#x2061;", "").replace("&#x2062;", "")
    ElementTree.fromstring(body)
    assert "<script" not in page


def test_to_a_file_as_text_and_as_json(call: Call, tmp_path: Path) -> None:
    call(*SIZES, "-o", tmp_path / "text")
    assert (tmp_path / "text").read_text("utf-8") == call(*SIZES).stdout
    call(*SIZES, "--json", "-o", tmp_path / "json")
    assert json.loads((tmp_path / "json").read_text("utf-8")) == json.loads(call(*SIZES, "--json").stdout)


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (("--weight", "W9[1,1]"), "must be in one of the network's arrays"),
        (("--weight", "W1[0,1]"), "counted from 1"),
        (("--of", "y_hat[9]"), "'y_hat[2]'"),
        (("--x", "1,2"), "x must have shape (rows, 3)"),
        (("--x", "a,b,c"), "--x must be numbers with commas between"),
        (("--direction", "up"), "--direction must be gradient, or entries"),
        (("--html", "--latex"), "only one of --latex, --html and --json"),
        (("--optimizer", "lion"), "optimizer must be one of sgd"),
        (("--x", "1,nan,2"), "x must be finite; got nan in row 1, x[2]"),
        (("--x", "1,1,inf"), "x must be finite; got inf in row 1, x[3]"),
        (("--seed=-1",), "seed must be a whole number from 0"),
        (("--dropout-seed", "4294967296"), "seed must be a whole number from 0"),
        (("--learning-rate", "inf"), "learning_rate must be above 0, and finite; got inf"),
        (("--direction", "W1[1,1]=1, W1[1,1]=2"), "--direction must be gradient, or entries"),
        (("--direction", "gradient", "--of", "y_hat[1]"), "--of must be left out with --direction"),
        (("--direction", "gradient", "--second"), "--second must be left out with --direction"),
        (("--second", "--optimizer", "adam"), "--optimizer must be left out where no step is told"),
        (("--weight", "x[1]", "--steps", "2"), "--steps must be left out where no step is told"),
        (("--row", "2", "--member", "3"), "--row, --member must be left out for the sizes 3-4-4-2"),
        (("--target", "price"), "--target must be left out for the sizes"),
        (("--steps", "x"), "--steps must be a whole number"),
        (("--activation", "rellu"), "Did you mean 'relu'?"),
        (("--loss", "poisson", "--y", "-1,2"), "needs y ≥ 0"),
        (("table.csv",), "a table must come with a model file"),
    ],
)
def test_what_is_wrong_is_said_in_a_line(call: Call, arguments: tuple[Any, ...], message: str) -> None:
    result = call("derive", "3-4-4-2", *arguments)
    assert result.exit_code == 2
    assert message in result.stderr
    assert result.stderr.count("\n") == 1
    assert result.stdout == ""


@pytest.mark.parametrize(
    ("arguments", "code", "message"),
    [
        ((), 2, "a model must come with a table"),
        (("new.csv", "--row", "9999"), 2, "--row must be from 1 to"),
        (("houses.csv", "--member", "7"), 2, "member must be a whole number from 1 to 1"),
        (("houses.csv", "--seed", "1"), 2, "--seed must be left out for a model"),
        (("houses.csv", "--activation", "tanh"), 2, "--activation must be left out for a model"),
        (("no.csv",), 1, "no.csv"),
    ],
)
def test_what_is_wrong_with_a_model(
    call: Call, folder: Path, arguments: tuple[str, ...], code: int, message: str
) -> None:
    given = [folder / a if a.endswith(".csv") else a for a in arguments]
    result = call("derive", folder / "price.model", *given)
    assert result.exit_code == code
    assert message in result.stderr


def test_nothing_is_written_where_it_fails(call: Call, tmp_path: Path) -> None:
    assert call(*SIZES, "--weight", "W9[1,1]", "--html", "-o", tmp_path / "page").exit_code == 2
    assert call(*SIZES, "--html", "-o", tmp_path / "none" / "page").exit_code == 1
    assert list(tmp_path.iterdir()) == []


def test_a_network_larger_than_memory_is_refused(call: Call) -> None:
    result = call("derive", "3-9999999999999-2")
    assert result.exit_code == 2
    assert "fits into memory; got 3-9999999999999-2, with 59,999,999,999,996 weights" in result.stderr


def test_what_overflows_is_no_number_in_json(call: Call) -> None:
    result = call("derive", "3-4-2", "--x", "1e300,1e300,1", "--json")
    assert result.exit_code == 0
    assert result.stderr == ""
    assert json.loads(result.stdout)["derived"] is None


def test_a_row_without_a_target_has_no_loss(call: Call, folder: Path, tmp_path: Path) -> None:
    rows = pl.read_csv(folder / "houses.csv").head(3)
    rows.with_columns(pl.when(pl.col("price") > 0).then(None).alias("price")).write_csv(tmp_path / "no.csv")
    arguments = ("derive", folder / "price.model", tmp_path / "no.csv", "--row", "3")
    refused = call(*arguments)
    assert refused.exit_code == 2
    assert "row 3 must have a value of the target 'price'" in refused.stderr
    assert call(*arguments, "--of", "y_hat[1]").exit_code == 0


def test_neither_the_model_nor_the_table_is_written_over(call: Call, folder: Path, tmp_path: Path) -> None:
    files = [tmp_path / "price.model", tmp_path / "houses.csv"]
    for file in files:
        file.write_bytes((folder / file.name).read_bytes())
    for file in files:
        assert call("derive", *files, "-o", file).exit_code == 2
        assert file.read_bytes() == (folder / file.name).read_bytes()

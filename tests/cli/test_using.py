import io
import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import polars as pl
import pytest

import chainrule

Call = Callable[..., Any]


def read(text: str) -> pl.DataFrame:
    return pl.read_csv(io.StringIO(text))


def test_predictions_are_those_of_the_model(call: Call, folder: Path) -> None:
    new = pl.read_csv(folder / "new.csv")
    for name in ("price", "dear"):
        model = chainrule.load(folder / f"{name}.model")
        expected = model.predict(new.select(list(model.feature_names_in_)))
        table = read(call("predict", folder / f"{name}.model", folder / "new.csv").stdout)
        assert table.columns == [name]
        assert table[name].to_list() == expected.tolist()


def test_columns_are_found_by_name(call: Call, folder: Path, tmp_path: Path) -> None:
    new = pl.read_csv(folder / "new.csv")
    shuffled = new.select(["city", "sold", "dear", "rooms", "size", "age"]).with_columns(further=pl.lit("x"))
    shuffled.write_csv(tmp_path / "shuffled.csv")
    model = folder / "price.model"
    assert (
        call("predict", model, tmp_path / "shuffled.csv").stdout
        == call("predict", model, folder / "new.csv").stdout
    )


def test_missing_columns_are_named(call: Call, folder: Path, tmp_path: Path) -> None:
    pl.read_csv(folder / "new.csv").drop("age", "city").write_csv(tmp_path / "less.csv")
    result = call("predict", folder / "price.model", tmp_path / "less.csv")
    assert result.exit_code == 1
    assert "missing 'age', 'city'" in result.stderr


def test_keep(call: Call, folder: Path) -> None:
    new = pl.read_csv(folder / "new.csv")
    table = read(call("predict", folder / "price.model", folder / "new.csv", "--keep").stdout)
    assert table.columns == [*new.columns, "predicted price"]
    assert table["price"].to_list() == new["price"].to_list()


def test_probabilities(call: Call, folder: Path) -> None:
    table = read(call("predict", folder / "dear.model", folder / "new.csv", "--probabilities").stdout)
    assert table.columns == ["dear", "dear = no", "dear = yes"]
    assert np.allclose(table["dear = no"] + table["dear = yes"], 1)
    chosen = np.where(table["dear = yes"] > 0.5, "yes", "no")
    assert table["dear"].to_list() == chosen.tolist()


def test_several_targets_and_quantiles_have_a_column_each(call: Call, folder: Path) -> None:
    new = folder / "new.csv"
    assert read(call("predict", folder / "both.model", new).stdout).columns == ["price", "rooms"]
    quantiles = read(call("predict", folder / "quantiles.model", new).stdout)
    assert quantiles.columns == ["price (quantile 0.2)", "price (quantile 0.6)"]


@pytest.mark.parametrize("suffix", [".csv", ".tsv", ".parquet"])
def test_files(suffix: str, call: Call, folder: Path, tmp_path: Path) -> None:
    out = tmp_path / f"out{suffix}"
    result = call("predict", folder / "price.model", folder / "new.csv", "-o", out)
    assert (result.exit_code, result.stdout) == (0, "")
    assert result.stderr == ""
    written = chainrule.read_table(out)
    expected = read(call("predict", folder / "price.model", folder / "new.csv").stdout)
    assert np.allclose(written["price"], expected["price"])


def test_standard_input(call: Call, folder: Path) -> None:
    model, new = folder / "price.model", folder / "new.csv"
    expected = call("predict", model, new).stdout
    assert call("predict", model, "-", stdin=new.read_bytes()).stdout == expected
    assert call("predict", "-", new, stdin=model.read_bytes()).stdout == expected


def test_a_bad_cell_is_named_and_can_be_marked(call: Call, folder: Path, tmp_path: Path) -> None:
    (tmp_path / "bad.csv").write_text("size,age,city,rooms\n70,3,Rome,2\nn/a,5,Oslo,2\n")
    result = call("predict", folder / "price.model", tmp_path / "bad.csv")
    assert result.exit_code == 1
    assert "first bad value 'n/a' in row 2" in result.stderr
    assert "--missing n/a" in result.stderr
    assert call("predict", folder / "price.model", tmp_path / "bad.csv", "--missing", "n/a").exit_code == 0


def test_scores_beside_those_of_the_training_mean(call: Call, folder: Path) -> None:
    result = call("evaluate", folder / "price.model", folder / "new.csv", "--json")
    assert result.stderr == ""
    told = json.loads(result.stdout)
    assert (told["task"], told["rows"], told["baseline"]) == ("regression", 30, "mean of training")
    y = pl.read_csv(folder / "new.csv")["price"].to_numpy()
    mean = pl.read_csv(folder / "houses.csv")["price"].to_numpy().mean()
    predictions = read(call("predict", folder / "price.model", folder / "new.csv").stdout)["price"].to_numpy()
    scores = told["scores"]["price"]
    assert scores["model"]["rmse"] == pytest.approx(np.sqrt(np.square(y - predictions).mean()))
    assert scores["baseline"]["mae"] == pytest.approx(np.abs(y - mean).mean())


def test_the_table_of_scores(call: Call, folder: Path) -> None:
    lines = call("evaluate", folder / "dear.model", folder / "new.csv").stdout.splitlines()
    assert lines[0].split() == ["30", "rows", "model", "95", "%", "interval", "majority", "of", "training"]
    assert [line.split()[0] for line in lines[1:]] == ["accuracy", "log-loss", "ROC"]
    several = call("evaluate", folder / "both.model", folder / "new.csv").stdout.splitlines()
    assert [line.partition("  ")[0].strip() for line in several[1:]] == [
        f"{target}: {score}" for target in ("price", "rooms") for score in ("RMSE", "MAE", "R²")
    ]


def test_a_class_that_training_did_not_have(call: Call, folder: Path, tmp_path: Path) -> None:
    text = (folder / "new.csv").read_text().replace(",yes,", ",maybe,")
    (tmp_path / "other.csv").write_text(text)
    result = call("evaluate", folder / "dear.model", tmp_path / "other.csv")
    assert result.exit_code == 1
    assert "'dear' must hold the classes of training ('no', 'yes'); got 'maybe' in row" in result.stderr


def test_evaluating_without_the_target(call: Call, folder: Path, tmp_path: Path) -> None:
    pl.read_csv(folder / "new.csv").drop("price").write_csv(tmp_path / "less.csv")
    result = call("evaluate", folder / "price.model", tmp_path / "less.csv")
    assert result.exit_code == 2
    assert "no column 'price'" in result.stderr


def test_a_model_that_was_fitted_on_an_array(call: Call, tmp_path: Path) -> None:
    numbers = np.random.default_rng(0).normal(size=(40, 3))
    model = chainrule.DeepRegressor((4,), max_iter=2, random_state=0).fit(numbers, numbers[:, 0])
    chainrule.save(model, tmp_path / "model")
    pl.DataFrame(numbers, ["a", "b", "c"]).with_columns(y=numbers[:, 0]).write_parquet(tmp_path / "t.parquet")
    refused = call("predict", tmp_path / "model", tmp_path / "t.parquet")
    assert refused.exit_code == 1
    assert "3 columns without names" in refused.stderr
    unknown = call("evaluate", tmp_path / "model", tmp_path / "t.parquet")
    assert unknown.exit_code == 2
    assert "--target" in unknown.stderr
    known = call("evaluate", tmp_path / "model", tmp_path / "t.parquet", "--target", "y", "--json")
    told = json.loads(known.stdout)
    assert told["baseline"] == "mean of this table"
    assert told["scores"]["y"]["baseline"]["r2"] == pytest.approx(0)


def test_intervals_and_sets_have_columns(call: Call, folder: Path, tmp_path: Path) -> None:
    for target in ("price", "dear"):
        fitted = call(
            *("fit", folder / "many.parquet", "--target", target, "--hidden", "4", "--epochs", "3"),
            *("-q", "-o", tmp_path / target),
        )
        assert fitted.exit_code == 0, fitted.stderr
    bounds = read(call("predict", tmp_path / "price", folder / "new.csv", "--interval", "0.9", "-q").stdout)
    assert bounds.columns == ["price", "price (low)", "price (high)"]
    assert ((bounds["price (low)"] <= bounds["price"]) & (bounds["price"] <= bounds["price (high)"])).all()
    likely = read(call("predict", tmp_path / "dear", folder / "new.csv", "--set", "0.9", "-q").stdout)
    assert likely.columns == ["dear", "dear (set)"]
    assert set(likely["dear (set)"]) <= {"no", "yes", "no|yes"}
    for model, options, says in (
        ("price", ("--set", "0.9"), "--set must be left out for numbers"),
        ("dear", ("--interval", "0.9"), "--interval must be left out for classes"),
        ("price", ("--interval", "90"), "--interval must be a number between 0 and 1"),
    ):
        result = call("predict", tmp_path / model, folder / "new.csv", *options)
        assert (result.exit_code, says in result.stderr) == (2, True)
    unsure = call("predict", tmp_path / "price", folder / "new.csv", "--interval", "0.999")
    assert "Ask for less, or fit with more rows.\n" in unsure.stderr
    few = call("predict", folder / "price.model", folder / "new.csv", "--interval", "0.9")
    assert (few.exit_code, "--interval must be left out: the model kept no rows back" in few.stderr) == (
        2,
        True,
    )


def test_json_has_an_object_for_each_row(call: Call, folder: Path, tmp_path: Path) -> None:
    result = call("predict", folder / "price.model", folder / "new.csv", "--json", "--keep", "-q")
    rows = json.loads(result.stdout)
    assert len(rows) == 30
    assert {"size", "age", "city"} < rows[0].keys()
    out = tmp_path / "out.json"
    assert (
        call("predict", folder / "price.model", folder / "new.csv", "--json", "-o", out, "-q").exit_code == 0
    )
    assert len(json.loads(out.read_text())) == 30


def test_columns_left_out_on_purpose_are_not_told_again(call: Call, folder: Path, tmp_path: Path) -> None:
    new = pl.read_csv(folder / "new.csv").with_columns(counts=1.0, further=pl.lit("x"))
    table, model = tmp_path / "table.csv", tmp_path / "model"
    new.drop("further").write_csv(table)
    said = ("--drop", "dear", "--drop", "sold", "--group", "rooms", "--weight", "counts")
    call("fit", table, "--target", "price", *said, "--hidden", "4", "--epochs", "2", "-o", model)
    assert call("predict", model, table).stderr == ""
    assert call("evaluate", model, table).stderr == ""
    new.write_csv(table)
    assert call("predict", model, table).stderr == "columns that the model does not use: 'further'\n"
    older = chainrule.load(model)
    del older.about_["left_out"]  # as files of before say
    chainrule.save(older, model)
    assert "'dear', 'counts'" not in (told := call("predict", model, table).stderr)
    assert {name for name in new.columns if f"'{name}'" in told} == {
        "rooms",
        "dear",
        "sold",
        "counts",
        "further",
    }


def test_a_category_without_a_known_level_is_told(call: Call, folder: Path, tmp_path: Path) -> None:
    table = pl.read_csv(folder / "new.csv")
    cities = pl.Series(["ROME", "OSLO"] * 15)
    table.with_columns(city=cities).write_csv(tmp_path / "loud.csv")
    told = (
        "chainrule: column 'city' holds no level that was learnt, so that it tells nothing: "
        "got 'ROME', 'OSLO'; "
        "training had 'Oslo', 'Rome'. Check how they are written.\n"
    )
    assert told in call("predict", folder / "price.model", tmp_path / "loud.csv").stderr
    assert told in call("evaluate", folder / "price.model", tmp_path / "loud.csv").stderr
    table.with_columns(city=cities.scatter(3, "Rome")).write_csv(tmp_path / "loud.csv")
    assert "no level" not in call("predict", folder / "price.model", tmp_path / "loud.csv").stderr

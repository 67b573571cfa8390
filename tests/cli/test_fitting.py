import html
import json
import os
import re
import warnings
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import polars as pl
import pytest

import chainrule

Call = Callable[..., Any]
SMALL = ("--hidden", "4", "--epochs", "2")
ALONE = (*SMALL, "--members", "1")


def test_nothing_is_written_where_nobody_asked(
    call: Call, folder: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    result = call("fit", folder / "houses.csv", "--target", "price", *SMALL)
    assert result.exit_code == 0
    assert result.stdout == ""
    assert result.stderr.splitlines()[-1] == "not saved; add -o MODEL to keep the model"
    assert list(tmp_path.iterdir()) == []


def test_the_report(call: Call, folder: Path, tmp_path: Path) -> None:
    result = call("fit", folder / "many.parquet", "--target", "dear", *SMALL, "-o", tmp_path / "model")
    lines = result.stderr.splitlines()
    assert lines[0].endswith("many.parquet: 600 rows, 6 columns to learn from")
    assert lines[1] == "classification of 'dear': 2 different texts"
    assert lines[2] == (
        "scored on 600 rows, each by networks that did not learn from it (drawn at random, seed 0)"
    )
    assert lines[3] == "5 networks 11-4-1, silu, loss binary_cross_entropy: 1,227 parameters each"
    assert lines[4].startswith("2 epochs in ")
    assert lines[6].split() == ["600", "validation", "rows", "model", "95", "%", "interval", "majority"]
    assert [line.split()[0] for line in lines[7:10]] == ["accuracy", "log-loss", "ROC"]
    assert lines[-1] == f"saved {tmp_path / 'model'} ({(tmp_path / 'model').stat().st_size:,} bytes)"


def test_few_rows_are_all_learnt_from(call: Call, folder: Path) -> None:
    result = call("fit", folder / "houses.csv", "--target", "price", *ALONE)
    assert "too few to keep some to validate" in result.stderr
    assert "90 training rows" in result.stderr


def test_quiet(call: Call, folder: Path, tmp_path: Path) -> None:
    result = call("fit", folder / "houses.csv", "--target", "price", *SMALL, "-q", "-o", tmp_path / "model")
    assert (result.exit_code, result.output) == (0, "")
    assert chainrule.load(tmp_path / "model").n_iter_ == 2


def test_json(call: Call, folder: Path, tmp_path: Path) -> None:
    options = [*SMALL, "--members", "3", "--json", "-o", tmp_path / "model"]
    result = call("fit", folder / "many.parquet", "--target", "price", *options)
    told = json.loads(result.stdout)
    assert told["task"] == "regression"
    assert (told["rows"], told["columns"], told["epochs"], told["interrupted"]) == (600, 6, 2, False)
    assert (told["scored"], told["scored_rows"], told["members"]) == ("validation", 600, 3)
    assert told["smooth_members"] == 0
    assert told["network"] == [11, 4, 1]
    assert told["model"] == str(tmp_path / "model")
    scores = told["scores"]["price"]
    assert set(scores["model"]) == set(scores["baseline"]) == {"rmse", "mae", "r2"}
    assert -0.2 < scores["baseline"]["r2"] <= 0
    model = chainrule.load(tmp_path / "model")
    assert told["validation_loss"] == -model.validation_scores_[told["best_epoch"] - 1]


def test_the_same_seed_gives_the_same_file(call: Call, folder: Path, tmp_path: Path) -> None:
    for name, seed in (("a", 3), ("b", 3), ("c", 4)):
        call("fit", folder / "houses.csv", "--target", "price", *SMALL, "--seed", seed, "-o", tmp_path / name)
    files = [(tmp_path / name).read_bytes() for name in "abc"]
    assert files[0] == files[1] != files[2]


def test_options_reach_the_estimator(call: Call, folder: Path, tmp_path: Path) -> None:
    call(
        *("fit", folder / "houses.csv", "--target", "price", "--hidden", "5,4", "--epochs", "3"),
        *("--loss", "huber(2)", "--activation", "z*sigmoid(z)", "--solver", "adamw", "--schedule", "cosine"),
        *("--learning-rate", "0.01", "--batch-size", "16", "--dropout", "0.1", "--weight-decay", "0.02"),
        *("--seed", "7", "-o", tmp_path / "model"),
    )
    expected = {
        "hidden_layer_sizes": (5, 4),
        "max_iter": 3,
        "loss": "huber(2)",
        "activation": "z*sigmoid(z)",
        "solver": "adamw",
        "learning_rate": "cosine",
        "learning_rate_init": 0.01,
        "batch_size": 16,
        "dropout": 0.1,
        "weight_decay": 0.02,
        "random_state": 7,
        "verbose": False,
    }
    parameters = chainrule.load(tmp_path / "model").get_params()
    assert {name: parameters[name] for name in expected} == expected


def test_a_linear_model(call: Call, folder: Path, tmp_path: Path) -> None:
    call(
        "fit",
        folder / "houses.csv",
        "--target",
        "price",
        "--hidden",
        "none",
        "--epochs",
        "2",
        "-o",
        tmp_path / "m",
    )
    assert chainrule.load(tmp_path / "m").network_.sizes == (8, 1)


def test_rows_of_ones_own_validate(call: Call, folder: Path, tmp_path: Path) -> None:
    new = pl.read_csv(folder / "new.csv")
    new.select(reversed(new.columns)).with_columns(more=1).write_csv(tmp_path / "validation.csv")
    arguments = ("--target", "price", *SMALL, "--validation", tmp_path / "validation.csv")
    result = call("fit", folder / "houses.csv", *arguments, "-o", tmp_path / "model")
    assert "30 validation rows" in result.stderr
    assert len(chainrule.load(tmp_path / "model").validation_scores_) == 2


def test_validation_rows_with_another_class_are_refused(call: Call, folder: Path, tmp_path: Path) -> None:
    new = pl.read_csv(folder / "new.csv").with_columns(dear=pl.lit("perhaps"))
    new.write_csv(tmp_path / "validation.csv")
    arguments = ("--target", "dear", *SMALL, "--validation", tmp_path / "validation.csv")
    result = call("fit", folder / "houses.csv", *arguments)
    assert result.exit_code == 1
    assert "'perhaps'" in result.stderr


def test_weights(call: Call, folder: Path, tmp_path: Path) -> None:
    table = pl.read_csv(folder / "houses.csv").with_columns(counts=np.r_[np.zeros(45), np.ones(45)])
    table.write_csv(tmp_path / "weighted.csv")
    table[45:].drop("counts").write_csv(tmp_path / "half.csv")
    target = ("--target", "price", *SMALL, "-o")
    call("fit", tmp_path / "weighted.csv", "--weight", "counts", *target, tmp_path / "weighted.model")
    call("fit", tmp_path / "half.csv", *target, tmp_path / "half.model")
    weighted, half = (chainrule.load(tmp_path / f"{name}.model") for name in ("weighted", "half"))
    assert weighted.feature_names_in_.tolist() == half.feature_names_in_.tolist()
    assert weighted.encoder_ == half.encoder_


def test_what_means_missing_is_remembered(call: Call, folder: Path, tmp_path: Path) -> None:
    text = (folder / "houses.csv").read_text().replace("Rome", "?")
    (tmp_path / "marked.csv").write_text(text)
    call(
        "fit",
        tmp_path / "marked.csv",
        "--target",
        "price",
        *SMALL,
        "--missing",
        "?",
        "-o",
        tmp_path / "model",
    )
    levels = {column.name: column for column in chainrule.load(tmp_path / "model").encoder_.columns}
    assert levels["city"].levels == ("Oslo",)
    (tmp_path / "numbers.csv").write_text("size,age,city,rooms,dear,sold\n?,3,Oslo,2,no,true\n")
    assert call("predict", tmp_path / "model", tmp_path / "numbers.csv").exit_code == 0


def test_rows_without_a_target_are_left_out_and_counted(call: Call, tmp_path: Path) -> None:
    (tmp_path / "table.csv").write_text("x,y\n1,2\n2,\n3,NA\n4,5\n")
    result = call("fit", tmp_path / "table.csv", "--target", "y", *SMALL)
    assert result.exit_code == 0
    assert "2 rows without a target left out" in result.stderr
    assert "2 training rows" in result.stderr


def test_a_divergence_is_told_in_one_line(call: Call, folder: Path) -> None:
    result = call(
        *("fit", folder / "houses.csv", "--target", "price", "--hidden", "4", "--epochs", "50"),
        *("--solver", "sgd", "--schedule", "constant", "--learning-rate", "1e30"),
    )
    assert result.exit_code == 1
    assert result.stderr.splitlines()[-1].startswith("chainrule: the loss must stay finite")


def test_an_existing_model_is_replaced_and_kept_if_the_new_one_fails(
    call: Call, folder: Path, tmp_path: Path
) -> None:
    path = tmp_path / "model"
    path.write_text("old")
    assert (
        call("fit", folder / "houses.csv", "--target", "dear", "--loss", "poisson", "-o", path).exit_code == 2
    )
    assert path.read_text() == "old"
    assert call("fit", folder / "houses.csv", "--target", "price", *SMALL, "-o", path).exit_code == 0
    assert chainrule.load(path).n_iter_ == 2
    assert os.listdir(tmp_path) == ["model"]  # noqa: PTH208


def test_labels(call: Call, folder: Path, tmp_path: Path) -> None:
    table = pl.read_csv(folder / "houses.csv").with_columns(old=pl.col("age") > 40)
    table.write_parquet(tmp_path / "labels.parquet")
    arguments = ("--target", "sold", "--target", "old", *SMALL, "-o", tmp_path / "model")
    result = call("fit", tmp_path / "labels.parquet", *arguments)
    assert "labels of 'sold', 'old': booleans" in result.stderr
    predictions = call("predict", tmp_path / "model", tmp_path / "labels.parquet").stdout.splitlines()
    assert predictions[0] == "sold,old"
    assert set(predictions[1:]) <= {"0,0", "0,1", "1,0", "1,1"}
    scores = json.loads(call("evaluate", tmp_path / "model", tmp_path / "labels.parquet", "--json").stdout)
    assert set(scores["scores"]) == {"sold", "old"}


def test_a_late_divergence_keeps_the_best_epoch_and_says_so(call: Call, folder: Path, tmp_path: Path) -> None:
    result = call(
        *("fit", folder / "houses.csv", "--target", "price", "--hidden", "4", "--epochs", "50"),
        *("--solver", "sgd", "--schedule", "constant", "--learning-rate", "50", "--batch-size", "1000"),
        *("-o", tmp_path / "model"),
    )
    assert result.exit_code == 0
    [told] = [line for line in result.stderr.splitlines() if line.startswith("chainrule:")]
    assert "The loss was not finite in epoch" in told
    assert chainrule.load(tmp_path / "model").n_iter_ < 50


def test_wrong_options_are_refused_in_the_words_of_the_command_line_before_reading(
    call: Call, tmp_path: Path
) -> None:
    for option, message in (
        (["--solver", "AdamW"], "--solver must be one of"),
        (["--learning-rate", "0"], "--learning-rate must be a number above 0; got 0.0."),
        (["--max-norm", "-1"], "--max-norm must be a number above 0"),
        (
            ["--loss", "import os"],
            "--loss: 'import os' is not a formula: invalid syntax. Give a name such as",
        ),
    ):
        result = call("fit", tmp_path / "absent.csv", "--target", "y", *option)
        assert result.exit_code == 2
        assert result.stderr.startswith(f"chainrule: {message}")


def test_the_latest_rows_or_whole_groups_validate(call: Call, tmp_path: Path) -> None:
    rows = 300
    days = pl.date_range(pl.date(2024, 1, 1), pl.date(2024, 12, 31), eager=True).head(rows)
    frame = pl.DataFrame(
        {"day": days, "who": [f"p{i % 30}" for i in range(rows)], "y": np.arange(rows) * 1.5}
    )
    frame.sample(fraction=1, shuffle=True, seed=0).write_csv(tmp_path / "table.csv")
    timed = call("fit", tmp_path / "table.csv", "--target", "y", "--time", "day", *SMALL, "--json")
    assert "30 rows kept to validate, the latest by 'day'" in timed.stderr
    assert json.loads(timed.stdout)["columns"] == 2
    grouped = call("fit", tmp_path / "table.csv", "--target", "y", "--group", "who", *SMALL, "--json")
    said = "scored on 300 rows, each by networks that did not learn from it (whole groups by 'who', seed 0)"
    assert said in grouped.stderr
    assert json.loads(grouped.stdout)["columns"] == 1
    both = call("fit", tmp_path / "table.csv", "--target", "y", "--group", "who", "--time", "day")
    assert both.exit_code == 2


def test_what_a_column_is_can_be_said_and_is_remembered(call: Call, tmp_path: Path) -> None:
    (tmp_path / "table.csv").write_text(
        "zip,when,size,y\n" + "\n".join(f"{i % 4},2024{i % 12 + 1:02}15,{i},{i % 7}.5" for i in range(60))
    )
    model = tmp_path / "model"
    said = ("--categorical", "zip", "--date", "when")
    result = call("fit", tmp_path / "table.csv", "--target", "y", *SMALL, *said, "-o", model)
    assert result.exit_code == 0, result.stderr
    kinds = [type(column).__name__ for column in chainrule.load(model).encoder_.columns]
    assert kinds == ["CategoryColumn", "DateColumn", "NumericColumn"]
    assert call("predict", model, tmp_path / "table.csv").exit_code == 0
    twice = call("fit", tmp_path / "table.csv", "--target", "y", *said, "--numeric", "zip")
    assert (twice.exit_code, "must be --categorical, --numeric or --date" in twice.stderr) == (2, True)
    wrong = call("fit", tmp_path / "table.csv", "--target", "y", "--date", "size")
    assert (wrong.exit_code, "must hold dates, as asked for; got '0'" in wrong.stderr) == (1, True)
    absent = call("fit", tmp_path / "table.csv", "--target", "y", "--numeric", "Size")
    assert (absent.exit_code, "Did you mean 'size'?" in absent.stderr) == (2, True)


def test_the_metric_chooses_the_epoch(call: Call, folder: Path, tmp_path: Path) -> None:
    result = call(
        *("fit", folder / "many.parquet", "--target", "dear", "--metric", "roc_auc"),
        *("--hidden", "4", "--epochs", "5", "-o", tmp_path / "model"),
    )
    assert result.exit_code == 0, result.stderr
    model = chainrule.load(tmp_path / "model")
    assert all(0 <= score <= 1 for score in model.validation_scores_)
    assert model.validation_scores_[model.best_iteration_ - 1] == max(model.validation_scores_)
    unknown = call("fit", folder / "many.parquet", "--target", "dear", "--metric", "auc")
    assert (unknown.exit_code, "--metric must be 'loss' or" in unknown.stderr) == (2, True)


def test_balance_and_logarithm_are_for_their_tasks(call: Call, folder: Path, tmp_path: Path) -> None:
    model = tmp_path / "model"
    balanced = call("fit", folder / "many.parquet", "--target", "dear", "--balanced", *SMALL, "-o", model)
    assert balanced.exit_code == 0, balanced.stderr
    assert chainrule.load(model).class_weight == "balanced"
    logarithm = call("fit", folder / "many.parquet", "--target", "size", "--log", *SMALL, "-o", model)
    assert logarithm.exit_code == 0, logarithm.stderr
    assert chainrule.load(model).scale_.log
    for target, option in (("size", "--balanced"), ("dear", "--log")):
        wrong = call("fit", folder / "many.parquet", "--target", target, option, *SMALL)
        assert (wrong.exit_code, f"{option} must be left out for a" in wrong.stderr) == (2, True)
    below = call("fit", folder / "many.parquet", "--target", "age", "--log", *SMALL)
    assert (below.exit_code, "must be above 0 for --log; got 0" in below.stderr) == (1, True)


@pytest.mark.parametrize(
    "table", ["many.parquet", "houses.csv"]
)  # of 600 rows, and of 90, too few to validate
def test_a_metric_that_the_model_cannot_have_is_one_line(table: str, call: Call, folder: Path) -> None:
    for target, metric, instead in (
        ("price", "roc_auc", "For numbers there are r2"),
        ("dear", "r2", "roc_auc"),
    ):
        result = call("fit", folder / table, "--target", target, "--metric", metric, *SMALL)
        assert (result.exit_code, result.stderr.count("\n")) == (2, 3), result.stderr
        assert "chainrule: --metric must be a score that this model can have; " in result.stderr
        assert instead in result.stderr


def test_a_metric_that_chooses_nothing_is_told(call: Call, folder: Path) -> None:
    result = call("fit", folder / "houses.csv", "--target", "price", "--metric", "r2", *ALONE)
    assert result.exit_code == 0, result.stderr
    assert (
        "chainrule: --metric must be judged by rows that validate; there are none, so that 'r2' chooses "
        "nothing. Give --validation, or more rows.\n"
    ) in result.stderr


def test_a_metric_is_told_by_its_name(call: Call, folder: Path, tmp_path: Path) -> None:
    model = tmp_path / "model"
    result = call(
        *("fit", folder / "many.parquet", "--target", "dear", "--metric", "roc_auc", *SMALL),
        *("-o", model, "--json"),
    )
    told = json.loads(result.stdout)
    assert "validation roc_auc 0." in result.stderr
    assert (told["metric"], told["validation_loss"]) == ("roc_auc", None)
    assert 0 <= told["validation_score"] <= 1
    assert "validation roc_auc 0." in call("show", model).stdout


def test_the_page_does_not_replace_the_model(call: Call, folder: Path, tmp_path: Path) -> None:
    both = tmp_path / "both"
    result = call("fit", folder / "houses.csv", "--target", "price", *SMALL, "-o", both, "--report", both)
    assert (result.exit_code, "--report must be another file" in result.stderr) == (2, True)
    assert not both.exists()


def test_a_constant_target_is_told(call: Call, folder: Path, tmp_path: Path) -> None:
    pl.read_csv(folder / "houses.csv").with_columns(price=3.5).write_csv(tmp_path / "table.csv")
    page = tmp_path / "page.html"
    result = call("fit", tmp_path / "table.csv", "--target", "price", *ALONE, "--report", page)
    assert result.exit_code == 0, result.stderr
    assert "noticed: the target is 3.5 in all 90 rows that were learnt from" in result.stderr
    assert '<li class="grave">The target is 3.5 in all 90 rows' in page.read_text()


def test_zeros_and_ones_are_classes_unless_they_are_said_to_be_amounts(
    call: Call, folder: Path, tmp_path: Path
) -> None:
    table = tmp_path / "table.csv"
    pl.read_csv(folder / "houses.csv").with_columns(pl.col("sold").cast(int)).write_csv(table)
    result = call("fit", table, "--target", "sold", *SMALL, "-o", tmp_path / "model")
    said = "classification of 'sold': 0 and 1; use --task regression if they are amounts"
    assert said in result.stderr.splitlines()
    assert set(call("predict", tmp_path / "model", table).stdout.split()[1:]) <= {"0", "1"}
    amounts = call("fit", table, "--target", "sold", "--task", "regression", *SMALL)
    assert "regression of 'sold': as asked for" in amounts.stderr
    for option in (("--loss", "poisson"), ("--log",)):
        wrong = call("fit", table, "--target", "sold", *option, *SMALL)
        assert (wrong.exit_code, wrong.stderr.endswith("Or add --task regression.\n")) == (2, True)


def test_what_has_no_place_beside_another_option_is_left_out_not_none(call: Call, folder: Path) -> None:
    result = call("fit", folder / "houses.csv", "--target", "size", "--log", "--loss", "poisson", *SMALL)
    line = (
        "chainrule: --log must be left out with the loss 'poisson', which takes a logarithm itself; got both."
    )
    assert (result.exit_code, result.stderr.splitlines()[-1]) == (2, line)
    norm = call("fit", folder / "houses.csv", "--target", "size", "--max-norm", "-1")
    assert norm.stderr == "chainrule: --max-norm must be a number above 0; got -1.0.\n"


def test_a_target_without_a_header(call: Call, folder: Path, tmp_path: Path) -> None:
    table = tmp_path / "table.csv"
    pl.read_csv(folder / "houses.csv").write_csv(table, include_header=False)
    result = call("fit", table, "--target", "price", *SMALL)
    assert result.exit_code == 2
    assert "The file has no header" in result.stderr


def test_a_category_of_rare_levels_is_learnt_where_it_is_asked_for(
    call: Call, folder: Path, tmp_path: Path
) -> None:
    table, model = tmp_path / "table.csv", tmp_path / "model"
    ids = pl.Series("id", [f"id {k // 2}" for k in range(90)])
    pl.read_csv(folder / "houses.csv").with_columns(ids).write_csv(table)
    told = call("fit", table, "--target", "price", *SMALL).stderr
    assert "column 'id' is left out" in told
    assert "or name it in --categorical" in told
    result = call("fit", table, "--target", "price", "--categorical", "id", *SMALL, "-o", model)
    assert "is left out" not in result.stderr
    assert {column.name: column for column in chainrule.load(model).encoder_.columns}["id"].coded
    assert call("predict", model, table).exit_code == 0


def test_a_warning_is_told_once(call: Call, folder: Path, tmp_path: Path) -> None:
    days = [f"2024-01-{1 + k % 30:02d}" for k in range(299)]
    table, page, model = tmp_path / "table.csv", tmp_path / "page.html", tmp_path / "model"
    frame = pl.read_parquet(folder / "many.parquet").head(300)
    frame.with_columns(day=pl.Series([*days, "2024-02-30"])).write_csv(table)
    told = (
        "column 'day' holds dates, but for 1 value (first '2024-02-30' in row 300), which counts as missing."
    )
    with warnings.catch_warnings():  # what is said to nobody would be Python's own line on stderr
        warnings.simplefilter("error")
        result = call("fit", table, "--target", "price", "--report", page, "-o", model, *SMALL)
        evaluated = call("evaluate", model, table)
        quiet = call("fit", table, "--target", "price", "-q", "--json", *SMALL)
    assert result.stderr.count(told) == evaluated.stderr.count(told) == 1
    assert not quiet.stderr
    assert {"kind": "warning", "column": None, "text": told} in json.loads(quiet.stdout)["noticed"]
    on_the_page = html.unescape(page.read_text("utf-8"))
    assert "Measured on 300 rows: each by networks" in on_the_page
    assert on_the_page.count(told[1:]) == 1


def test_the_whole_table_is_looked_at_where_each_network_leaves_out_another_part(
    call: Call, folder: Path, tmp_path: Path
) -> None:
    table = tmp_path / "table.csv"
    houses = pl.read_csv(folder / "houses.csv").with_row_index("house")
    pl.concat([houses, houses]).write_csv(table)
    result = call("fit", table, "--target", "price", *SMALL, "--members", "5", "--json", "-q")
    texts = [notice["text"] for notice in json.loads(result.stdout)["noticed"]]
    both = next(text for text in texts if " among the training rows too" in text)
    assert int(both.split()[0]) > 120  # one of ten pairs is in one of five parts
    assert "validation rows of 180" in both
    assert any(text.startswith("90 rows of 180 (50 %) repeat") for text in texts)
    grouped = call("fit", table, "--target", "price", "--group", "house", *SMALL, "--members", "5")
    assert "among the training rows" not in grouped.stderr


def test_rows_of_weight_0_are_no_training_rows(call: Call, folder: Path, tmp_path: Path) -> None:
    table = tmp_path / "table.csv"
    weight = pl.Series([0] * 10 + [1] * 80)
    frame = pl.read_csv(folder / "houses.csv").with_columns(price=10.0 + weight * pl.col("size"), w=weight)
    frame.write_csv(table)
    result = call("fit", table, "--target", "price", "--weight", "w", *SMALL, "--members", "5", "--json")
    told = json.loads(result.stdout)
    assert told["scored_rows"] == 80
    assert told["scores"]["price"]["baseline"]["r2"] == pytest.approx(0, abs=1e-6)


def test_a_column_that_is_left_out_is_told_of_once(call: Call, folder: Path, tmp_path: Path) -> None:
    table = tmp_path / "table.csv"
    ids = pl.Series("id", [f"id {k}" for k in range(90)])
    pl.read_csv(folder / "houses.csv").with_columns(ids).write_csv(table)
    told = call("fit", table, "--target", "price", *SMALL).stderr
    assert (told.count("'id'"), told.count("column 'id' is left out")) == (1, 1)
    asked = call("fit", table, "--target", "price", "--categorical", "id", *SMALL).stderr
    assert "noticed: column 'id' looks like an identifier" in asked


def test_skewness_is_told_of_unless_the_logarithm_is_learnt(call: Call, folder: Path, tmp_path: Path) -> None:
    table = tmp_path / "table.csv"
    values = pl.Series([1e18 if k == 7 else 1.0 + k for k in range(90)])
    pl.read_csv(folder / "houses.csv").with_columns(price=values).write_csv(table)
    plain, log = (call("fit", table, "--target", "price", *o, *ALONE).stderr for o in ((), ("--log",)))
    assert "Its logarithm may be learnt better." in plain
    assert "skewed" not in log
    assert re.search(r"RMSE +1\.\d+e\+17", plain), "numbers of any size in few letters"


def test_it_is_told_that_networks_do_not_see_bins(call: Call, tmp_path: Path) -> None:
    numbers = np.random.default_rng(0)
    x = numbers.normal(size=(200, 2))
    frame = pl.DataFrame({"a": x[:, 0], "b": x[:, 1], "y": x.sum(axis=1) + numbers.normal(size=200)})
    frame.write_csv(tmp_path / "t.csv")
    told = call("fit", tmp_path / "t.csv", "--target", "y", "--hidden", "16", "-o", tmp_path / "model").output
    shown = call("show", tmp_path / "model").output
    model = chainrule.load(tmp_path / "model")
    assert model.smooth_members_.sum() == 5
    said = ", without bins" if model.n_members_ == 5 else ", 5 of the networks without bins"
    assert f"parameters each{said}\n" in told
    assert f"parameters{said}\n" in shown

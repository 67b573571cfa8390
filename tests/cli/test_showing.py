import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import chainrule

Call = Callable[..., Any]


def test_people_see_task_columns_network_and_training(call: Call, folder: Path) -> None:
    result = call("show", folder / "dear.model")
    assert result.stderr == ""
    text = result.stdout
    model = chainrule.load(folder / "dear.model")
    assert text.startswith(
        "DeepClassifier, 1,215 parameters\nclassification of 'dear'\nclasses: 'no', 'yes'\n"
    )
    assert "4 columns as 8 inputs" in text
    assert "  city   2 categories: 'Oslo', 'Rome'\n" in text
    middle = next(column.center for column in model.encoder_.columns if column.name == "age")
    assert f"  age    number: middle {middle:.6g}, " in text
    assert str(model.network_) in text
    assert f"trained for 2 epochs on 90 rows; of epoch 2: training loss {model.loss_curve_[1]:.4g}" in text
    assert text.endswith("options: hidden_layer_sizes=(4,), max_iter=2, n_members=1, random_state=0\n")


def test_programs_see_the_description(call: Call, folder: Path) -> None:
    told = json.loads(call("show", folder / "price.model", "--json").stdout)
    assert told["estimator"] == "DeepRegressor"
    assert told["about"]["target"] == ["price"]
    assert told["network"]["sizes"] == [8, 4, 1]
    assert [column["name"] for column in told["encoder"]["columns"]] == ["size", "age", "city", "rooms"]
    assert told["arrays"] == {
        "stretch1": [1, 3],
        "offset1": [1, 3],
        "stretch2": [1, 2],
        "offset2": [1, 2],
        "stretch3": [1, 4],
        "offset3": [1, 4],
        "stretch4": [1, 64],
        "offset4": [1, 64],
        "stretch5": [1, 128],
        "offset5": [1, 128],
        "W1": [1, 4, 201],
        "b1": [1, 4],
        "W2": [1, 1, 4],
        "b2": [1, 1],
    }
    assert told["parameters"]["max_iter"] == 2


def test_a_model_that_went_on_without_validation(call: Call, folder: Path, tmp_path: Path) -> None:
    call(
        "fit",
        folder / "many.parquet",
        "--target",
        "price",
        "--hidden",
        "4",
        "--epochs",
        "1",
        "-o",
        tmp_path / "m",
    )
    model = chainrule.load(tmp_path / "m")
    table = chainrule.read_table(folder / "many.parquet")
    model.partial_fit(table.drop("price"), table["price"].to_numpy())
    chainrule.save(model, tmp_path / "m")
    assert "of epoch 2: training loss" in call("show", tmp_path / "m").stdout

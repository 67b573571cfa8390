from typing import Any

import numpy as np
import polars as pl
import pytest

from chainrule.errors import ArgumentError, TableError
from chainrule.estimators.problems import problem_of, refuse_absent, select_columns
from chainrule.estimators.target_columns import Task

FRAME = pl.DataFrame(
    {
        "size": [1.5, 2.5, 3.5, 4.5],
        "rooms": [1, 2, 2, 3],
        "city": ["Rome", "Oslo", "Rome", "Rome"],
        "sold": [True, False, True, True],
        "old": [True, True, False, False],
        "code": [1001, 1002, 1003, 1004],
        "counts": [1.0, 0.0, 2.0, 1.0],
    }
)


def test_a_task_may_be_asked_for() -> None:
    assert problem_of(FRAME, ["rooms"], Task.CLASSIFICATION).y.tolist() == [1, 2, 2, 3]
    assert problem_of(FRAME, ["sold"], Task.REGRESSION).y.tolist() == [1.0, 0.0, 1.0, 1.0]
    labels = problem_of(FRAME, ["sold", "old"], Task.CLASSIFICATION)
    assert (labels.task, labels.y.tolist()) == (Task.LABELS, [[1, 1], [0, 1], [1, 0], [1, 0]])


def test_categories_are_classes() -> None:
    frame = FRAME.with_columns(pl.col("city").cast(pl.Categorical))
    assert problem_of(frame, ["city"]).y.tolist() == ["Rome", "Oslo", "Rome", "Rome"]


def test_columns_that_are_dropped_or_weigh() -> None:
    problem = problem_of(FRAME, ["size"], drop=["city", "code"], weight="counts")
    assert problem.X.columns == ["rooms", "sold", "old"]
    assert problem.weight is not None
    assert problem.weight.tolist() == [1, 0, 2, 1]
    part = problem.take(np.array([0, 2]))
    assert (part.X["rooms"].to_list(), part.y.tolist()) == ([1, 2], [1.5, 3.5])
    assert part.weight is not None
    assert part.weight.tolist() == [1, 2]


@pytest.mark.parametrize(
    ("arguments", "text"),
    [
        ({"targets": ["siize"]}, "no column 'siize'.* Did you mean 'size'"),
        ({"targets": ["size"], "drop": ["x"]}, "no column 'x'"),
        ({"targets": ["size"], "weight": "x"}, "no column 'x'"),
        ({"targets": ["size"], "drop": ["size"]}, "two of them"),
        ({"targets": ["size"], "weight": "size"}, "two of them"),
        ({"targets": ["size"], "drop": FRAME.columns[1:]}, "none is left"),
    ],
)
def test_wrong_columns_are_refused(arguments: dict[str, Any], text: str) -> None:
    with pytest.raises(ArgumentError, match=text):
        problem_of(FRAME, **arguments)


@pytest.mark.parametrize(
    ("values", "task", "text"),
    [
        ([None, None, float("nan")], Task.REGRESSION, "must have values; all are missing"),
        ([1.0, float("inf"), 2.0], Task.REGRESSION, "must be finite; got inf in row 2"),
        (["1", "a", "2"], Task.REGRESSION, r"first bad value 'a' in row 2"),
        (["1", "n/a", "2"], None, r"all numbers or all classes; got both \(first text 'n/a'\)"),
        ([1.0, 1.5, 2.0], Task.CLASSIFICATION, "got 1.5 in row 2"),
        ([[1], [2], [3]], None, "got List"),
        ([[1], [2], [3]], Task.REGRESSION, "got List"),
    ],
)
def test_targets_that_cannot_be_used(values: list[Any], task: Task | None, text: str) -> None:
    with pytest.raises(TableError, match=text):
        problem_of(pl.DataFrame({"x": [1, 2, 3], "y": values}, strict=False), ["y"], task)


def test_several_classes_at_once_are_refused() -> None:
    with pytest.raises(TableError, match=r"boolean, or 0 and 1; got 2 in row 2 of 'rooms'"):
        problem_of(FRAME, ["sold", "rooms"], Task.CLASSIFICATION)


@pytest.mark.parametrize("weights", [[1.0, -1.0, 1.0, 1.0], [0.0] * 4, ["a"] * 4, [None, 1.0, 1.0, 1.0]])
def test_wrong_weights_are_refused(weights: list[Any]) -> None:
    with pytest.raises(TableError):
        problem_of(FRAME.with_columns(w=pl.Series(weights)), ["size"], weight="w")


def test_columns_are_selected_in_order() -> None:
    assert select_columns(FRAME, ["city", "size"]).columns == ["city", "size"]
    with pytest.raises(TableError, match=r"missing 'x', 'z'\. It has 'size'"):
        select_columns(FRAME, ["x", "size", "z"])


@pytest.mark.parametrize("values", [[1.0, None, 2.0], [1.0, float("nan"), 2.0], ["a", None, "b"]])
def test_rows_without_a_target_are_left_out(values: list[Any]) -> None:
    frame = pl.DataFrame({"x": [1, 2, 3], "w": [1.0, 2.0, 3.0], "y": values}, strict=False)
    problem = problem_of(frame, ["y"], weight="w")
    assert problem.left_out == 1
    assert problem.X["x"].to_list() == [1, 3]
    assert problem.weight is not None
    assert problem.weight.tolist() == [1.0, 3.0]
    assert problem.y.tolist() == [values[0], values[2]]


def test_groups_are_not_learnt_from_and_times_are_in_order() -> None:
    frame = pl.DataFrame(
        {
            "x": [1, 2, 3],
            "who": ["b", "a", "b"],
            "team": ["b", None, "a"],
            "day": ["2024-03-01", "2024-01-01", "2024-02-01"],
            "y": [1.0, 2.5, 3.0],
        }
    )
    problem = problem_of(frame, ["y"], group="who")
    assert problem.X.columns == ["x", "team", "day"]
    assert problem.groups is not None
    assert problem.groups.tolist() == [2, 1, 2]
    timed = problem_of(frame, ["y"], time="day")
    assert timed.X.columns == ["x", "who", "team", "day"]
    assert timed.time is not None
    assert timed.time.argsort().tolist() == [1, 2, 0]
    for use in ("time", "group"):
        with pytest.raises(TableError, match=rf"the {use} 'team' must have a value in each row.*first row 2"):
            problem_of(frame, ["y"], **{use: "team"})
    with pytest.raises(ArgumentError, match="'y' must be target or time"):
        problem_of(frame, ["y"], time="y")


def test_a_table_without_a_header_says_why_its_columns_are_called_so() -> None:
    frame = pl.DataFrame({"column_1": [1], "column_2": [2]})
    with pytest.raises(
        ArgumentError, match=r"no column 'y'.*has no header.*column_1, column_2, …: use these"
    ):
        refuse_absent("y", frame)
    with pytest.raises(TableError, match=r"missing 'y'.*has no header"):
        select_columns(frame, ["y"])
    with pytest.raises(ArgumentError, match=r"'other'\.$"):
        refuse_absent("y", frame.with_columns(other=1))
    with pytest.raises(ArgumentError, match="The first row must have the names of all columns; remove"):
        refuse_absent("y", pl.DataFrame({"Sales of 2023": [1], "__UNNAMED__1": [2]}))

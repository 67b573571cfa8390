from typing import Any

import polars as pl
import pytest

from chainrule.errors import TableError
from chainrule.estimators.problems import problem_of
from chainrule.estimators.target_columns import Task
from chainrule.estimators.tasks import FEW, ZERO_AND_ONE, task_of

FRAME = pl.DataFrame(
    {
        "size": [1.5, 2.5, 3.5, 4.5],
        "rooms": [1, 2, 2, 3],
        "city": ["Rome", "Oslo", "Rome", "Rome"],
        "sold": [True, False, True, True],
        "old": [True, True, False, False],
        "zero": [0, 1, None, 1],
        "one": [1.0, 1.0, 0.0, 0.0],
        "signs": [-1, 1, 1, 1],
        "same": [1, 1, 1, 1],
    }
)


@pytest.mark.parametrize(
    ("targets", "task", "why"),
    [
        (["size"], Task.REGRESSION, "numbers"),
        (["rooms"], Task.REGRESSION, "3 different whole numbers; use --task classification"),
        (["city"], Task.CLASSIFICATION, "2 different texts"),
        (["sold"], Task.CLASSIFICATION, "booleans"),
        (["sold", "old"], Task.LABELS, "booleans"),
        (["size", "rooms"], Task.REGRESSION, "2 columns of numbers"),
        (["zero"], Task.CLASSIFICATION, ZERO_AND_ONE),
        (["one"], Task.CLASSIFICATION, "0 and 1; use --task regression if they are amounts"),
        (["zero", "one", "sold"], Task.LABELS, "each 0 and 1; use --task regression"),
        (["zero", "signs"], Task.REGRESSION, "2 columns of numbers"),
        (["signs"], Task.REGRESSION, "2 different whole numbers; use --task classification"),
        (["same"], Task.REGRESSION, "numbers"),
        (["size", "sold"], Task.REGRESSION, "2 columns of numbers"),
    ],
)
def test_the_targets_decide_on_the_task(targets: list[str], task: Task, why: str) -> None:
    found, said = task_of(FRAME, targets)
    assert found is task
    assert said.startswith(why)


def test_the_rest_is_to_learn_from() -> None:
    problem = problem_of(FRAME, ["size"])
    assert (problem.task, problem.X.columns) == (Task.REGRESSION, FRAME.columns[1:])


def test_many_whole_numbers_are_just_numbers() -> None:
    assert task_of(pl.DataFrame({"y": range(FEW + 1)}), ["y"])[1] == "numbers"
    assert task_of(pl.DataFrame({"y": range(FEW)}), ["y"])[1].startswith("10 different")


def test_zeros_and_ones_are_whole_numbers_as_classes_and_may_be_amounts() -> None:
    frame = FRAME.drop_nulls()
    assert problem_of(frame, ["one"]).y.tolist() == [1, 1, 0]
    assert problem_of(frame, ["one"], Task.REGRESSION).task is Task.REGRESSION
    assert problem_of(frame, ["one", "zero"]).y.tolist() == [[1, 0], [1, 1], [0, 1]]


@pytest.mark.parametrize(
    "values",
    [
        ["2024-01-31", "2024-02-01", None],
        ["31.01.2024 10:00", "01.02.2024 11:30", None],
        ["01/02/2024", "03/04/2024", None],
        ["9:15", "23:59", None],
        pl.Series(["2024-01-31", "2024-02-01", None]).str.to_date(),
        pl.Series(["2024-01-31", "2024-02-01", None]).str.to_datetime("%Y-%m-%d"),
        pl.Series([60, 120, None], dtype=pl.Duration("ms")),
    ],
)
def test_dates_are_no_target_unless_they_are_said_to_be_classes(values: Any) -> None:
    frame = pl.DataFrame({"x": [1, 2, 3], "when": values})
    with pytest.raises(
        TableError,
        match=r"'when' must be numbers or classes; got dates or times, such as .*days since some day.*"
        "--task classification if its 2 different",
    ):
        problem_of(frame, ["when"])
    assert len(set(problem_of(frame, ["when"], Task.CLASSIFICATION).y.tolist())) == 2


def test_several_targets_of_text_are_refused_with_what_to_do() -> None:
    with pytest.raises(
        TableError, match=r"several targets must be numeric; 'city' is text.*one model for each"
    ):
        problem_of(FRAME, ["size", "city"])
    with pytest.raises(TableError, match=r"classify must be boolean, or 0 and 1; 'city' is text. Fit one"):
        problem_of(FRAME, ["sold", "city"], Task.CLASSIFICATION)


@pytest.mark.parametrize("spelt", ["${:,}", "{}%", "{},5 €", "-£{}"])
def test_amounts_with_signs_are_no_classes_unless_they_are_few_or_said_to_be(spelt: str) -> None:
    values = [spelt.format(1000 + k) for k in range(11)]
    frame = pl.DataFrame({"x": range(11), "y": values})
    with pytest.raises(TableError, match=r"got numbers with signs, such as .* if its 11 different values"):
        problem_of(frame, ["y"])
    assert problem_of(frame, ["y"], Task.CLASSIFICATION).task is Task.CLASSIFICATION
    versions = frame.with_columns(y=pl.Series([f"1.{k}.0" for k in range(11)]))
    assert problem_of(versions, ["y"]).task is Task.CLASSIFICATION
    assert problem_of(frame[:10], ["y"]).task is Task.CLASSIFICATION

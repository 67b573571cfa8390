import numpy as np
import pytest

from chainrule.errors import ArgumentError
from chainrule.estimators.checked_arrays import (
    checked_probabilities,
    class_numbers,
    count,
    effective_rows,
    numbers,
    share,
    weights,
)


def test_numbers_of_the_shape_become_float64() -> None:
    given = numbers("logits", np.ones((2, 3), np.float32), 2, "classes")
    assert given.dtype == np.float64
    assert given.shape == (2, 3)
    assert numbers("scores", [1.0, np.inf], "rows", infinite=True)[1] == np.inf


@pytest.mark.parametrize(
    ("values", "shape", "says"),
    [
        ([1.0, np.nan], ("rows",), r"logits must be finite; got nan in row 2\. Correct"),
        ([[1.0], [-np.inf]], ("rows", "classes"), r"logits must be finite; got -inf in row 2"),
        ([1.0, 2.0], ("rows", "classes"), r"logits must have the shape \(rows, classes\); got \(2,\)"),
        ([1.0, 2.0], (3,), r"logits must have the shape \(3,\); got \(2,\)"),
        (["a"], ("rows",), r"logits must be numbers of shape \(rows,\); got \['a'\]"),
    ],
)
def test_other_numbers_are_refused(values: list, shape: tuple, says: str) -> None:
    with pytest.raises(ArgumentError, match=says):
        numbers("logits", values, *shape)


def test_only_upward_infinity_may_be_a_score() -> None:
    with pytest.raises(ArgumentError, match="scores must be no NaN; got -inf in row 1"):
        numbers("scores", [-np.inf], "rows", infinite=True)


def test_probabilities() -> None:
    assert checked_probabilities([0, 0.5, 1], "rows").tolist() == [0, 0.5, 1]
    with pytest.raises(ArgumentError, match=r"from 0 to 1; got 1\.5 in row 2\. Give probabilities"):
        checked_probabilities([[0.0, 1.0], [1.5, 0.0]], "rows", "classes")


@pytest.mark.parametrize("code", [-1, 3, 0.5])
def test_codes_number_the_classes(code: float) -> None:
    assert class_numbers("codes", [0, 2.0], "rows", 3).tolist() == [0, 2]
    with pytest.raises(
        ArgumentError, match=rf"codes must number the classes from 0 to 2; got {code:g} in row 2"
    ):
        class_numbers("codes", [0, code], 2, 3)


def test_weights() -> None:
    assert weights(None, 2).tolist() == [1, 1]
    assert weights([], 0).size == 0
    with pytest.raises(ArgumentError, match=r"weight must be 0 or more; got -1 in row 2"):
        weights([1, -1], 2)
    with pytest.raises(ArgumentError, match="got only zeros"):
        weights([0, 0], 2)
    with pytest.raises(ArgumentError, match="weight must be finite"):
        weights([np.nan, 1], 2)


def test_rows_of_unequal_weight_say_less() -> None:
    assert effective_rows(np.full(7, 1e-200)) == pytest.approx(7)
    assert effective_rows(np.array([3.0, 1.0])) == pytest.approx(16 / 10)
    assert effective_rows(np.zeros(0)) == 0


@pytest.mark.parametrize("value", [0, 1, float("nan")])
def test_a_share_lies_between(value: float) -> None:
    with pytest.raises(ArgumentError, match="coverage must be a number between 0 and 1"):
        share("coverage", value)


@pytest.mark.parametrize("value", [0, 2.5, float("nan")])
def test_a_count_is_whole(value: float) -> None:
    assert count("bins", 3) == 3
    with pytest.raises(ArgumentError, match="bins must be a whole number of at least 1"):
        count("bins", value)

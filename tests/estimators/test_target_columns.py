from typing import Any

import numpy as np
import polars as pl
import pytest

from chainrule.errors import TableError
from chainrule.estimators.target_columns import Task, class_codes, target_values

FRAME = pl.DataFrame(
    {
        "size": [1.5, 2.5, 3.5, 4.5],
        "rooms": [1, 2, 2, 3],
        "city": ["Rome", "Oslo", "Rome", "Rome"],
        "sold": [True, False, True, True],
        "counts": [1.0, 0.0, 2.0, 1.0],
    }
)


@pytest.mark.parametrize(
    ("targets", "task", "dtype", "values"),
    [
        (["size"], Task.REGRESSION, "f", [1.5, 2.5, 3.5, 4.5]),
        (["city"], Task.CLASSIFICATION, "U", ["Rome", "Oslo", "Rome", "Rome"]),
        (["sold"], Task.CLASSIFICATION, "b", [True, False, True, True]),
        (["counts"], Task.CLASSIFICATION, "i", [1, 0, 2, 1]),
        (["size", "rooms"], Task.REGRESSION, "f", [[1.5, 1], [2.5, 2], [3.5, 2], [4.5, 3]]),
    ],
)
def test_targets_as_arrays(targets: list[str], task: Task, dtype: str, values: list[Any]) -> None:
    y = target_values(FRAME, targets, task)
    assert y.dtype.kind == dtype
    assert y.tolist() == values


@pytest.mark.parametrize(
    ("y", "classes"),
    [
        (np.array([1, 0, 1]), np.array(["0", "1"])),
        (np.array(["1", "0", "1"]), np.array([0, 1])),
        (np.array([1.0, 0.0, 1.0]), np.array([0, 1])),
        (np.array([True, False, True]), np.array([0, 1])),
        (np.array([1, 0, 1]), np.array([False, True])),
    ],
)
def test_classes_may_be_spelt_otherwise(y: np.ndarray, classes: np.ndarray) -> None:
    assert class_codes(y, classes, "y").tolist() == [1, 0, 1]


def test_unknown_classes_are_refused() -> None:
    with pytest.raises(
        TableError, match=r"'kind' must hold the classes of training \('a', 'b'\); got 'c' in row 2"
    ):
        class_codes(np.array(["a", "c"]), np.array(["a", "b"]), "kind")

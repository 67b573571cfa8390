"""What makes two trainings the same."""

import numpy as np
import optax
import pytest

from chainrule import LOSSES, OPTIMIZERS
from chainrule.estimators.fingerprint import _said, of_rows
from chainrule.estimators.rows import Rows
from chainrule.training.folds import Folds


def double(z):
    return 2 * z


@pytest.mark.parametrize(
    "value", [optax.adam(0.1), LOSSES["huber"], OPTIMIZERS["adam"], double, {"a": [1.5, None]}, np.arange(3)]
)
def test_a_value_is_said_without_where_it_lies(value):
    assert "0x" not in _said(value)
    assert _said(value) == _said(value)


def test_what_functions_enclose_counts():
    assert _said(optax.adam(0.1)) == _said(optax.adam(0.1))
    assert _said(optax.adam(0.1)) != _said(optax.adam(0.2))
    assert _said(optax.adam(0.1)) != _said(optax.sgd(0.1))


def test_numbers_are_the_same_whoever_holds_them():
    assert _said(np.float64(0.5)) == _said(0.5)
    assert _said([4, 4]) == _said((4, 4)) == "(4, 4)"


def test_every_part_of_the_rows_counts():
    x, y, truth = np.arange(6.0).reshape(3, 2), np.ones((3, 1)), np.array(["a", "b", "a"], object)
    rows, folds = Rows(x, y, None, truth), Folds.same(2, np.arange(2), np.array([2]))
    digests = [
        of_rows(rows, folds),
        of_rows(rows._replace(x=x.reshape(2, 3)), folds),
        of_rows(rows._replace(x=x.astype(np.float32)), folds),
        of_rows(rows._replace(weight=np.ones(3)), folds),
        of_rows(rows._replace(counts=np.ones(3)), folds),
        of_rows(rows._replace(truth=truth[::-1].copy() + "a"), folds),
        of_rows(rows, Folds.same(2, np.arange(2))),
        of_rows(rows, Folds.same(3, np.arange(2), np.array([2]))),
        of_rows(rows, Folds.same(2, np.array([0, 2]), np.array([1]))),
        of_rows(rows, folds, ("file", 1)),
    ]
    assert len(set(digests)) == len(digests)
    assert of_rows(rows, folds) == digests[0]

import datetime as dt
from decimal import Decimal

import numpy as np
import pandas as pd
import polars as pl
import pyarrow as pa
import pytest
from scipy import sparse

from chainrule import DeepClassifier, DeepRegressor
from chainrule.errors import ArgumentError, TableError
from chainrule.estimators.entrance import (
    given_targets,
    given_weights,
    refuse_lengths,
    refuse_no_classes,
    refuse_no_table,
    to_numbers,
)

X = np.arange(40.0).reshape(20, 2)
FRAME = pd.DataFrame(X, columns=["a", "b"])
Y = np.arange(20.0) % 7
LEVELS = pd.MultiIndex.from_tuples([("a", "b"), ("a", "c")])


@pytest.mark.parametrize(
    ("table", "says"),
    [
        (pd.DataFrame(X, columns=["a", "a"]), "each column name once; got 'a' more than once"),
        (pd.DataFrame(X, columns=LEVELS), r"one name for each column; got names of 2 levels.*'_'\.join"),
        (pl.DataFrame(X, ["a", "b"]).lazy(), r"got a lazy one. Call X.collect\(\) first"),
        (pd.DataFrame(X, columns=["a", 1]), r"texts for the names .*; got int beside str.*astype\(str\)"),
        (FRAME["a"], r"two dimensions.*got shape \(20,\)"),
        (pl.Series([1.0] * 20), r"two dimensions.*got shape \(20,\)"),
        (None, "a single NoneType. Give a frame"),
        ("table.csv", "a single str"),
        ({"a": [1.0]}, "a single dict"),
    ],
)
def test_what_is_no_table_is_refused_by_fit_and_by_predict(table, says):
    with pytest.raises(TableError, match=says):
        refuse_no_table(table)
    for model in (DeepRegressor((4,), max_iter=1), DeepClassifier((4,), max_iter=1)):
        if not isinstance(table, str):  # a path, whose rows come in parts
            with pytest.raises(TableError, match=says):
                model.fit(table, Y)
    fitted = DeepRegressor((4,), max_iter=1).fit(FRAME, Y)
    with pytest.raises(TableError, match=says):
        fitted.predict(table)


def test_tables():
    for table in (X, X.tolist(), sparse.csr_matrix(X), FRAME, pd.DataFrame(X), pl.from_pandas(FRAME)):
        refuse_no_table(table)


def test_an_infinity_of_an_array_has_a_row():
    with pytest.raises(TableError, match="column 'x1' must be finite; got inf in row 3"):
        DeepRegressor((4,), max_iter=1).fit([[0.0, 0.0], [1.0, 1.0], [2.0, np.inf]], [1.0, 2.0, 3.0])


@pytest.mark.parametrize(
    ("y", "says"),
    [
        ([1.0, np.nan, 2.0, None], "got NaN in row 2 and none in 1 more"),
        ([1.0, None], "got None in row 2"),
        (["a", np.nan], "got NaN in row 2"),
        (["a", None], "got None in row 2"),
        (np.array([[1.0, 2.0], [np.nan, 1.0]]), "got NaN in row 2. Remove such rows from X and y"),
        (np.array(["2024-01-01", "NaT"], "datetime64[D]"), "got NaT in row 2"),
        (pd.Series([1, pd.NA], dtype="Int64"), "in row 2"),
        (pd.Series([True, pd.NA], dtype="boolean"), "in row 2"),
        (pd.Series(["a", pd.NA], dtype="string"), "in row 2"),
        (pd.Series(["a", None], dtype="category"), "in row 2"),
        (pl.Series([1, None]), "in row 2"),
        (pl.Series(["a", None]), "in row 2"),
        (pa.array(["a", None]), "in row 2"),
        (pa.chunked_array([[1], [None]]), "in row 2"),
    ],
)
def test_missing_targets(y, says):
    with pytest.raises(TableError, match=f"y must have a value in each row; .*{says}"):
        given_targets(y, "DeepRegressor")


@pytest.mark.parametrize(
    ("y", "says"),
    [
        (None, "DeepRegressor requires y to be passed, but the target y is None"),
        (3.0, "a single float"),
        ({"a": 1}, "a single dict"),
        (iter([1, 2]), "a single list_iterator"),
        (np.zeros((2, 2, 2)), r"\(rows,\) or \(rows, targets\); got \(2, 2, 2\)"),
        (np.array([1j]), "Complex data not supported"),
        ([[1], [1, 2]], "rows of one length"),
        (pl.LazyFrame({"y": [1]}), r"Call y.collect\(\)"),
    ],
)
def test_what_is_no_target(y, says):
    with pytest.raises(TableError, match=says):
        given_targets(y, "DeepRegressor")


def test_targets_of_all_libraries():
    for y in ([1, 2], (1, 2), pd.Series([1, 2]), pl.Series([1, 2]), pa.array([1, 2]), np.array([1, 2])):
        assert given_targets(y, "").tolist() == [1, 2]
    assert given_targets(pl.DataFrame({"a": [1], "b": [2]}), "").tolist() == [[1, 2]]
    assert given_targets(sparse.csr_matrix([[0, 1]]), "").tolist() == [[0, 1]]
    assert to_numbers(np.array([Decimal("1.5"), "2", True], object)).tolist() == [1.5, 2.0, 1.0]


@pytest.mark.parametrize(
    ("y", "says"),
    [
        (["1", "x"], "y must be numbers; got 'x' in row 2.*DeepClassifier"),
        ([[1, 2], [3, "x"]], "got 'x' in row 2"),
        (pd.Series(pd.date_range("2024-01-01", periods=2)), "got dates or times, such as 2024-01-01.* row 1"),
        (np.array([dt.date(2024, 1, 1)], object), "got dates or times, such as 2024-01-01 in row 1"),
        ([1.0, -np.inf], "y must be finite; got -inf in row 2"),
        ([10**400], "y must be numbers"),
    ],
)
def test_targets_that_are_no_numbers(y, says):
    with pytest.raises(TableError, match=says):
        DeepRegressor((4,), max_iter=1).fit(np.zeros((len(y), 1)), y)


@pytest.mark.parametrize(
    ("y", "says"),
    [
        (np.array([0.5, 1.5]), "got fractions. Convert them, or use DeepRegressor.*Unknown label type"),
        (np.array([1, "a"], object), "of one kind; got int and str"),
        (np.array([1.0, np.inf]), "y must be finite; got inf in row 2"),
    ],
)
def test_targets_that_are_no_classes(y, says):
    with pytest.raises(TableError, match=says):
        refuse_no_classes(y)
    with pytest.raises(TableError, match=says):
        DeepClassifier((4,), max_iter=1).fit(np.zeros((2, 1)), y)


def test_rows_that_do_not_belong_together():
    with pytest.raises(TableError, match="X and y must have equally many rows; got 20 in X, 3 in y"):
        refuse_lengths(X=X, y=Y[:3])
    with pytest.raises(TableError, match="equally many rows"):
        DeepRegressor((4,), max_iter=1).fit(X, Y[:3])


def test_weights():
    assert given_weights(2, 3).tolist() == [2, 2, 2]
    assert given_weights(pl.Series([1, 0]), 2).tolist() == [1, 0]
    for weight, says in (
        ([1.0], r"of shape \(2,\); got shape \(1,\)"),
        (["a", "b"], "sample_weight must be numbers"),
        ([1.0, -1.0], "must be finite and not negative; got -1 in row 2"),
        ([np.nan, 1.0], "got nan in row 1"),
    ):
        with pytest.raises(ArgumentError, match=says):
            given_weights(weight, 2)

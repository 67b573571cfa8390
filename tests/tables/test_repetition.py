import numpy as np
import polars as pl

from chainrule.tables.repetition import equal_columns, repeated_rows, rows_in_both

X = pl.DataFrame({"a": [1, 2, 1, 1], "b": ["x", "y", "x", None]})
Y = pl.DataFrame({"target": [1.0, 2.0, 1.0, 3.0]})


def test_repeated_rows_are_counted():
    (notice,) = repeated_rows(X, Y)
    assert notice.text == "1 row of 4 (25 %) repeats an earlier row in all columns."
    assert notice.column is None


def test_repeated_rows_with_another_target_are_told_apart():
    (notice,) = repeated_rows(X, Y.with_columns(target=pl.Series([1.0, 2.0, 9.0, 3.0])))
    assert "the target of 1 of these is another" in notice.text


def test_a_table_of_few_different_rows_is_called_so():
    frame = pl.DataFrame({"a": [0, 1] * 50})
    (notice,) = repeated_rows(frame, pl.DataFrame({"target": [0.0, 1.0] * 50}))
    assert notice.text == "only 2 of 100 rows differ in the columns."


def test_rows_that_differ_are_not_mentioned():
    grid = np.arange(100)
    frame = pl.DataFrame({"a": np.repeat(grid, 100), "b": np.tile(grid, 100)})
    assert not list(repeated_rows(frame, frame.select("a").rename({"a": "target"})))


def test_rows_in_both_parts_say_whether_targets_agree():
    other = pl.DataFrame({"a": [1, 5, 1], "b": ["x", "x", None]})
    (notice,) = rows_in_both(X, Y, other, pl.DataFrame({"target": [1.0, 1.0, 8.0]}))
    assert notice.text.startswith(
        "2 validation rows of 3 (67 %) are among the training rows too, 1 with the same target"
    )
    (alone,) = rows_in_both(X, Y, other[:1], Y[:1])
    assert "1 validation row of 1 (100 %) is among the training rows too, one with the same" in alone.text
    (silent,) = rows_in_both(X, Y, other, None)
    assert "target" not in silent.text
    assert not list(rows_in_both(X, Y, other[1:2], Y[1:2]))


def test_equal_columns_are_named_together():
    frame = pl.DataFrame(
        {"a": [1, 2, 3], "b": [1.0, 2.0, 3.0], "c": [3, 2, 1], "d": ["1", "2", "3"], "e": [1, 2, None]}
    )
    (notice,) = equal_columns(frame)
    assert notice.text == "column 'b' repeats column 'a' in all rows. One of them is enough."
    assert notice.column == "b"


def test_many_equal_columns_are_folded():
    frame = pl.DataFrame({f"c{k}": [1, 2, 3] for k in range(20)})
    (notice,) = equal_columns(frame)
    assert "'c5' and 14 more repeat column 'c0'" in notice.text


def test_columns_of_the_same_values_in_another_order_are_not_equal():
    frame = pl.DataFrame({"a": [1, 2, 3], "b": [2, 1, 3]})
    assert not list(equal_columns(frame))
    (notice,) = equal_columns(frame.with_columns(c="b"))
    assert notice.text.startswith("column 'c' repeats column 'b'")

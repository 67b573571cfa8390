import pandas as pd
import polars as pl
import pyarrow as pa
import pytest

from chainrule.errors import TableError
from chainrule.tables.frames import as_frame, refuse_twice


def test_frames_of_any_library():
    for X in (pd.DataFrame({"a": [1]}), pl.DataFrame({"a": [1]}), pa.table({"a": [1]})):
        frame = as_frame(X)
        assert frame is not None
        assert frame.columns == ["a"]
    assert as_frame(3) is None
    assert as_frame(pl.Series([1])) is None


@pytest.mark.parametrize(
    ("X", "says"),
    [
        (pl.LazyFrame({"a": [1]}), r"Call X.collect\(\) first"),
        (pd.DataFrame([[1, 2]], columns=["a", "a"]), "got 'a' more than once"),
        (pa.table([[1], [2]], names=["a", "a"]), "got 'a' more than once"),
        (pd.DataFrame([[1]], columns=pd.MultiIndex.from_tuples([("a", "b")])), "names of 2 levels"),
    ],
)
def test_frames_that_name_no_columns(X, says):
    with pytest.raises(TableError, match=says):
        as_frame(X)


def test_names_are_compared_as_texts():
    refuse_twice(["1", "a"])
    with pytest.raises(TableError, match="got '1' more than once"):
        refuse_twice(["1", 1, "b"])

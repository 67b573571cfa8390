import polars as pl
import pytest

from chainrule.tables.cells import stripped, typed, without_missing


def numbers(separator, **columns):
    return typed(pl.DataFrame(columns), separator).to_dict(as_series=False)


@pytest.mark.parametrize(
    ("cells", "values"),
    [
        (["1", "+2", None, "-3"], [1, 2, None, -3]),
        (["1", "2.5", ".5", "-1e-3"], [1.0, 2.5, 0.5, -0.001]),
        (["9223372036854775807", "9223372036854775808"], [9223372036854775807.0, 9223372036854775808.0]),
        (["00501", "10001"], ["00501", "10001"]),
        (["-05", "10"], ["-05", "10"]),
        (["0", "10", "-0"], [0, 10, 0]),
        (["00501", "10001", "99999999999999999999"], ["00501", "10001", "99999999999999999999"]),
        (["00.5", "01"], [0.5, 1.0]),
        (["TRUE", "false", None, "True"], [True, False, None, True]),
        (["true", "maybe"], ["true", "maybe"]),
        (["1", "12%"], ["1", "12%"]),
        (["$1", "$2"], ["$1", "$2"]),
        (["2024-01-05", "2024-01-06"], ["2024-01-05", "2024-01-06"]),
        ([None, None], [None, None]),
        (["1,234.5", "12", "-1,000,000"], [1234.5, 12.0, -1000000.0]),
        (["1,234", "12,345"], [1234, 12345]),
        (["1,234", "12,34"], ["1,234", "12,34"]),
        (["0,123", "1"], ["0,123", "1"]),
        (["1,5", "2,5"], ["1,5", "2,5"]),
        (["1.234.567", "1"], ["1.234.567", "1"]),
        (["1,234 m", "1"], ["1,234 m", "1"]),
        ([",", "1"], [",", "1"]),
        ([".", "+"], [".", "+"]),
    ],
)
def test_cells_between_commas(cells, values):
    found = numbers(",", v=cells)["v"]
    assert found == values
    assert list(map(type, found)) == list(map(type, values))


@pytest.mark.parametrize("separator", [";", "\t", "|"])
@pytest.mark.parametrize(
    ("cells", "values"),
    [
        (["1,5", "2", "-,25"], [1.5, 2.0, -0.25]),
        (["1.234,5", "12,25", "3"], [1234.5, 12.25, 3.0]),
        (["1.234.567", "1"], [1234567, 1]),
        (["1,5e3", "2"], [1500.0, 2.0]),
        (["1,234.5", "12"], [1234.5, 12.0]),
        (["1.5", "2.25"], [1.5, 2.25]),
        (["1.234", "5.678"], [1.234, 5.678]),
        (["1,5", "2.5"], ["1,5", "2.5"]),
        (["1,5", "x"], ["1,5", "x"]),
    ],
)
def test_the_decimal_mark_follows_from_the_cells(separator, cells, values):
    assert numbers(separator, v=cells)["v"] == values


@pytest.mark.parametrize(
    ("separator", "other", "value"),
    [(";", "x", 1.234), ("\t", "x", 1234), (";", "2,5", 1.234), ("\t", "2,5", 1.234), (";", "2.5", 1234)],
)
def test_an_unclear_mark_follows_from_other_columns(separator, other, value):
    assert numbers(separator, v=["1,234"], other=[other])["v"] == [value]


def test_points_are_groups_beside_a_decimal_comma():
    assert numbers(";", a=["1.234", "12.500"], b=["1,5", "2,5"], c=["0.5", "1.25"]) == {
        "a": [1234, 12500],
        "b": [1.5, 2.5],
        "c": [0.5, 1.25],
    }


def test_columns_may_stay_text():
    frame = typed(pl.DataFrame({"a": ["1"], "b": ["2"]}), ",", ["b"])
    assert frame.row(0) == (1, "2")


def test_names_are_no_patterns():
    frame = typed(pl.DataFrame({"^a.*$": ["x"], "ab": ["1"], "*": ["1.5"]}), ",")
    assert frame.row(0) == ("x", 1, 1.5)


def test_spaces_do_not_count():
    frame = stripped(
        pl.DataFrame({"a": [" x", "\u00a0NA\t", "NA"], "b": ["y", "NA", None], "n": [1, 2, 3]}), ["NA"]
    )
    assert frame.rows() == [("x", "y", 1), (None, "NA", 2), (None, None, 3)]


def test_missing_texts():
    frame = without_missing(pl.DataFrame({"a": ["?", " ? "], "n": [1, 2]}), ["?"])
    assert frame.rows() == [(None, 1), (" ? ", 2)]

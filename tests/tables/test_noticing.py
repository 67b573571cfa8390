from pathlib import Path

import numpy as np
import polars as pl
import pytest

from chainrule.errors import TableError
from chainrule.tables.noticing import noticed
from chainrule.tables.reading import read_table

EXAMPLES = Path(__file__).parents[2] / "examples"
GENERATOR = np.random.default_rng(2)
ROWS = 300
Y = GENERATOR.normal(size=ROWS)
PLAIN = pl.DataFrame({"a": GENERATOR.normal(size=ROWS), "b": GENERATOR.choice(["x", "y", "z"], ROWS)})


def kinds(X, y, **options):
    return [notice.kind for notice in noticed(X, y, **{"classes": False, **options})]


def test_nothing_is_noticed_in_a_plain_table():
    assert noticed(PLAIN, Y, classes=False) == []
    assert noticed(PLAIN, GENERATOR.choice(["yes", "no"], ROWS), classes=True) == []


def test_penguins_have_no_leaks():
    table = read_table(EXAMPLES / "penguins.csv")
    for target in ("species", "island", "sex"):
        rows = table.drop_nulls(target)
        assert kinds(rows.drop(target), rows[target].to_numpy(), classes=True) == []


def test_diamonds_have_repeated_rows_but_no_leaks():
    table = read_table(EXAMPLES / "diamonds.parquet")
    for target in ("price", "carat"):
        assert kinds(table.drop(target), table[target].to_numpy()) == ["repeated rows"]
    assert kinds(table.drop("cut"), table["cut"].to_numpy(), classes=True) == ["repeated rows"]


def test_the_gravest_comes_first():
    X = PLAIN.with_columns(number=np.arange(ROWS), same=pl.lit(1), double=2 * Y, b2="b")
    assert kinds(X, Y) == ["leak", "equal columns", "identifier", "constant"]
    assert noticed(X, Y, classes=False)[0].column == "double"


def test_leaks_of_classes_given_in_any_type():
    for classes in (Y > 0, (Y > 0).astype(int), np.where(Y > 0, "yes", "no"), (Y > 0).astype(object)):
        (notice,) = noticed(PLAIN.with_columns(score=Y), classes, classes=True)
        assert notice.text == (
            "column 'score' alone gives the target away: sorted by it, the classes come one after the other. "
            "Leave it out, unless it is known at the time when predictions are needed."
        )


def test_rows_there_twice_do_not_look_like_leaks():
    twice = pl.concat([PLAIN, PLAIN])
    assert kinds(twice, np.tile(Y, 2)) == ["repeated rows"]
    assert kinds(twice, np.tile(Y, 2) > 0, classes=True) == ["repeated rows"]


def test_several_targets_are_called_by_name():
    y = np.stack([Y, GENERATOR.normal(size=ROWS)], axis=1)
    X = PLAIN.with_columns(copy=y[:, 1])
    (notice,) = noticed(X, y, classes=False, names=("height", "weight"))
    assert "gives target 'weight' away" in notice.text
    (notice,) = noticed(X, y, classes=False)
    assert "gives target 2 away" in notice.text


def test_large_tables_are_looked_at_in_a_sample_that_the_seed_decides():
    y = GENERATOR.normal(size=120_000)
    X = pl.DataFrame({"copy": y, "other": GENERATOR.normal(size=120_000)})
    first = noticed(X, y, classes=False, seed=3)
    assert first[0].text.endswith("(Seen in a sample of 100,000 rows.)")
    assert first == noticed(X, y, classes=False, seed=3)


def test_validation_rows_among_the_training_rows():
    (notice,) = noticed(PLAIN, Y, classes=False, validation=PLAIN[:30], validation_y=Y[:30])
    assert notice.kind == "rows in both parts"
    assert "30 validation rows of 30 (100 %)" in notice.text
    assert "all with the same target" in notice.text


def test_validation_may_have_other_types_and_another_order_of_columns():
    X = pl.DataFrame({"a": [1.0, 2.0, None], "b": ["1", "2", "x"]})
    validation = pl.DataFrame({"b": [1, 2], "a": [1, 5]})
    (notice,) = noticed(X, np.arange(3.0), classes=False, validation=validation, validation_y=np.arange(2.0))
    assert notice.text.startswith("1 validation row of 2")


def test_nan_and_null_are_the_same_gap():
    X = pl.DataFrame({"a": [np.nan, None, 1.0, 2.0], "b": [1, 1, 2, 3]})
    assert kinds(X, np.arange(4.0)) == ["repeated rows"]


def test_skewed_targets():
    income = np.exp(2 * GENERATOR.normal(size=ROWS))
    (notice,) = noticed(PLAIN, income, classes=False)
    assert notice.kind == "skewed target"
    assert notice.text.endswith("Its logarithm may be learnt better.")
    (notice,) = noticed(PLAIN, -income, classes=False)
    assert "its least value" in notice.text
    assert notice.text.endswith("Look at its extremes.")


def test_imbalance():
    (notice,) = noticed(PLAIN, np.repeat(["no", "yes"], [285, 15]), classes=True)
    assert notice.text.startswith("95.0 % of the target is 'no': always saying so is right as often")
    (notice,) = noticed(PLAIN, np.repeat(["a", "b", "c"], [150, 145, 5]), classes=True)
    assert notice.text.startswith("1 class of the target has fewer than 10 rows ('c' has 5)")
    both = kinds(PLAIN, np.repeat(["a", "b"], [297, 3]), classes=True)
    assert both == ["imbalance", "imbalance"]


def test_labels_are_judged_one_by_one():
    labels = np.stack([Y > 0, Y > 9], axis=1).astype(int)
    labels[:12, 1] = 1
    (notice,) = noticed(PLAIN, labels, classes=True, names=("often", "seldom"))
    assert "96.0 % of target 'seldom' is '0'" in notice.text


@pytest.mark.parametrize("rows", [0, 1, 2, 5])
def test_tiny_tables(rows):
    assert set(kinds(PLAIN[:rows], Y[:rows])) <= {"constant"}


def test_columns_of_every_type_can_be_looked_at():
    X = pl.DataFrame(
        {
            "enum": pl.Series(["u", "v"] * 50, dtype=pl.Enum(["u", "v"])),
            "category": pl.Series(["u", "w", "v", "v"] * 25, dtype=pl.Categorical),
            "decimal": pl.Series(GENERATOR.normal(size=100)).cast(pl.Decimal(10, 3)),
            "date": pl.date_range(pl.date(2020, 1, 1), pl.date(2020, 4, 9), eager=True),
            "truth": GENERATOR.random(100) < 0.5,
            "span": pl.Series(GENERATOR.integers(0, 9, 100)).cast(pl.Duration("us")),
            "nested": [[1], [2]] * 50,
        }
    )
    assert kinds(X, Y[:100]) == []
    assert kinds(X, Y[:100] > 0, classes=True) == []


def test_what_does_not_belong_together_is_refused():
    with pytest.raises(TableError, match=r"X must have a row for each target; got 300 rows and 2 targets"):
        noticed(PLAIN, Y[:2], classes=False)
    with pytest.raises(TableError, match=r"validation must have the columns of X; 'b' is missing"):
        noticed(PLAIN, Y, classes=False, validation=PLAIN.select("a"))


def test_a_target_that_is_always_the_same():
    for y, value in ((np.full(ROWS, 3.5), "3.5"), (np.ones(ROWS, int), "1")):
        notice = noticed(PLAIN, y, classes=False)[0]
        assert (notice.kind, notice.column) == ("constant target", None)
        assert notice.text.startswith(f"the target is {value} in all {ROWS} rows that were learnt from")
    labels = np.stack([Y > 0, np.zeros(ROWS)], axis=1).astype(int)
    found = noticed(PLAIN, labels, classes=True, names=["sold", "old"])
    assert [n.text[:23] for n in found if n.kind == "constant target"] == ["target 'old' is '0' in "]
    assert "constant target" not in kinds(PLAIN[:1], Y[:1]), "of one row that says nothing"

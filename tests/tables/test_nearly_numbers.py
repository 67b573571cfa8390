import polars as pl
import pytest

from chainrule.tables.nearly_numbers import nearly_numbers

NUMBERS = [f"{k / 4}" for k in range(40)]


def test_a_mark_that_means_missing():
    assert nearly_numbers(pl.Series([*NUMBERS, "?", None, "?"])) == (
        "numbers, but for 2 rows with '?'. If that means missing, mark it so "
        "(read_table(…, missing=['?']), or as None), to learn from "
        "the others as numbers."
    )
    assert "1 row with 'Total'. " in nearly_numbers(pl.Series([*NUMBERS, "Total"]))


def test_several_marks():
    marks = nearly_numbers(pl.Series([*NUMBERS, "none", ".", "n/a", "?", "none"]))
    assert "5 rows with 'none', '.', 'n/a' …. " in marks
    assert "(read_table(…, missing=['none', '.', 'n/a', …]), or as None)" in marks


@pytest.mark.parametrize(
    "form", ["{}%", "$ {}", "-€{}.50", "{},5 €", "{}'234.5", "1\u00a0{:03}", "−{}.5", " {} %"]
)
def test_signs(form):
    texts = [form.format(k) for k in range(1, 30)]
    found = nearly_numbers(pl.Series(texts))
    assert found.startswith(f"numbers with signs, such as {texts[0]!r}. ")


@pytest.mark.parametrize(
    "texts",
    [
        [],
        [None, None],
        [f"A{k}" for k in range(40)],
        [f"{k:05}" for k in range(400, 440)] + ["?"],
        NUMBERS,
        ["0", "1", "2", "3+"] * 20,
        [*NUMBERS, *(f"PC {k}" for k in range(20))],
        [f"{k}.{k}.{k}" for k in range(40)],
        ["?"] * 50 + NUMBERS,
    ],
    ids=["no rows", "no values", "texts", "codes", "numbers", "levels", "mixed", "versions", "mostly '?'"],
)
def test_what_is_text(texts):
    assert nearly_numbers(pl.Series(texts, dtype=pl.String)) is None


def test_a_mark_beyond_the_first_rows():
    assert "'late'" in nearly_numbers(pl.Series(NUMBERS * 300 + ["late"]))

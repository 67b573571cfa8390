import math

import pytest

from chainrule.report.texts import brief, decimals, esc, fold, number, percent, plural, table


@pytest.mark.parametrize(
    ("value", "written"),
    [
        (0, "0"),
        (1234.5, "1,234"),
        (-1234567, "−1,234,567"),
        (0.98765, "0.988"),
        (0.00123456, "0.00123"),
        (1e-9, "1.00 × 10⁻⁹"),
        (-2.5e12, "−2.50 × 10¹²"),
        (None, "–"),
        (math.nan, "–"),
        (math.inf, "–"),
    ],
)
def test_numbers(value, written):
    assert number(value) == written


def test_shares_and_decimals():
    assert percent(0.1234) == "12.3\N{NO-BREAK SPACE}%"
    assert percent(None) == percent(math.nan) == decimals(None, 3) == decimals(math.inf, 3) == "–"
    assert decimals(-0.00236, 3) == "−0.002"


def test_names_are_escaped_and_without_control_characters():
    assert esc("<script>alert('x' & \"y\")</script>") == (
        "&lt;script&gt;alert(&#x27;x&#x27; &amp; &quot;y&quot;)&lt;/script&gt;"
    )
    assert esc("a\nb\x00c\u202ed\ud800") == "a�b�c�d�"
    esc("\ud800").encode("utf-8")


def test_long_texts_are_cut():
    assert brief("abc", 3) == "abc"
    assert brief("abcd", 3) == "ab…"
    assert brief("a_name_that_ends_in_1", 10) == "a_name…n_1"


def test_plurals():
    assert [plural(n, "class", "classes") for n in (0, 1, 2000)] == ["0 classes", "1 class", "2,000 classes"]
    assert plural(2, "row") == "2 rows"


def test_fold_shows_the_first_and_the_last():
    assert fold(range(10), 3, 2) == (range(3), 5, range(8, 10))
    assert fold(range(6), 3, 2) == (range(6), 0, ()), "leaving out one saves no line"
    assert fold(range(10), 3) == (range(3), 7, ())


def test_a_table_has_heads_for_readers_that_hear_it():
    found = table("c", ("a", "b"), [("x", "1")], numeric=(1,), ending="… more")
    assert '<th scope="row">x</th><td class="n">1</td>' in found
    assert '<th scope="col" class="n">b</th>' in found
    assert '<td colspan="2">… more</td>' in found

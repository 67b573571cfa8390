import math
from xml.etree import ElementTree

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from chainrule.report.svg import HEIGHT, WIDTH, Axis, dots, label, path, picture, plot

ENDS = st.floats(-1e308, 1e308)


@given(ENDS, ENDS)
def test_any_range_has_places_inside_of_the_picture_and_few_ticks(a, b):
    x = Axis.across(min(a, b), max(a, b))
    places = x.at(np.array([a, b, 0.0]))
    assert ((places >= 0) & (places <= WIDTH)).all()
    ticks = x.ticks()
    assert len(ticks) <= 13
    assert all(map(math.isfinite, ticks))


@pytest.mark.parametrize(
    ("low", "high", "ticks"),
    [
        (0, 1, [0, 0.2, 0.4, 0.6, 0.8, 1]),
        (-3, 12, [0, 5, 10]),
        (0, 20_000, [0, 5000, 10_000, 15_000, 20_000]),
    ],
)
def test_ticks_are_round(low, high, ticks):
    assert Axis.across(low, high).ticks() == pytest.approx(ticks)


def test_logarithmic_ticks_are_powers():
    assert Axis.upwards(0.02, 30, logarithmic=True).ticks() == pytest.approx([0.02, 0.1, 0.5, 2, 10])


def test_places_rise_to_the_right_and_upwards():
    values = np.array([1.0, 10.0, 100.0])
    assert (np.diff(Axis.across(1, 100).at(values)) > 0).all()
    places = Axis.upwards(1, 100, logarithmic=True).at(values)
    assert np.diff(places) == pytest.approx([places[1] - places[0]] * 2)
    assert places[2] < places[0] < HEIGHT


def test_a_constant_lies_in_the_middle():
    x = Axis.across(5, 5)
    assert x.place(5) == pytest.approx((x.start + x.end) / 2)
    y = Axis.upwards(5, 5, logarithmic=True)
    assert y.place(5) == pytest.approx((y.start + y.end) / 2)


def test_lines_are_interrupted_where_there_is_no_number():
    assert path(np.array([0.0, 1, 2, 3, 4]), np.array([0, 1, np.nan, 3, 4]), "line") == (
        '<path class="line" d="M0.0 0.0L1.0 1.0M3.0 3.0L4.0 4.0"/>'
    )
    assert path(np.array([0.0]), np.array([np.nan]), "line") == ""


def test_dots_in_one_place_are_drawn_once():
    assert dots(np.array([1.0, 1.0]), np.array([2.0, 2.0]), "cloud").count("h0") == 1
    assert dots(np.array([]), np.array([]), "cloud") == ""


def test_words_are_escaped_in_a_picture_that_is_well_formed():
    body = plot(Axis.across(0, 1), Axis.upwards(0, 1), "<x> & y", "</svg>") + label(1, 2, "'<b>'")
    root = ElementTree.fromstring(picture("<title>", 'said "so" & more', body))
    assert root.get("role") == "img"
    assert [child.text for child in root][:2] == ["<title>", 'said "so" & more']
    assert "<x> & y" in [text.text for text in root.iter("{http://www.w3.org/2000/svg}text")]

import re
from xml.etree import ElementTree

import numpy as np
import pytest

from chainrule.report import charts
from chainrule.report.findings import Calibration, Curves, Importance, Importances
from chainrule.report.summaries import class_answers, number_answers

SVG = "{http://www.w3.org/2000/svg}"


def drawn(text):
    """The picture, well-formed, with numbers only where numbers must be."""
    root = ElementTree.fromstring(text)
    assert root.tag == "figure"
    assert root[-1].tag == "figcaption"
    assert "nan" not in " ".join(re.findall(r'(?:d|x|y|cx|cy|width|height)="([^"]*)"', text))
    assert not re.search(r'(?:width|height|r)="-', text)
    return root


def words(root):
    return [text.text for text in root.iter(f"{SVG}text")]


def test_learning_curves_mark_the_kept_epoch():
    root = drawn(charts.learning_curves(Curves(np.array([3.0, 2, 1]), np.array([3.0, 2, 2.5]), 2)))
    assert {"training", "validation", "kept: 2", "epoch", "loss"} <= set(words(root))
    points = [p.get("d") for p in root.iter(f"{SVG}path") if p.get("class").startswith("point")]
    (rule,) = (p.get("d") for p in root.iter(f"{SVG}path") if p.get("class") == "dashed")
    assert [d.split()[0] for d in points] == [rule.split()[0]] * 2, "both losses of the kept epoch are marked"
    assert "epoch 2 are the ones that were kept" in "".join(root[-1].itertext())


@pytest.mark.parametrize(
    "curves",
    [
        Curves(np.array([1.0]), None, 1),
        Curves(np.array([1.0]), np.array([1.0]), 1),
        Curves(np.array([1.0, np.nan, np.inf]), np.array([]), 3),
        Curves(np.array([1e300, 1e-300]), np.array([0.0, -1.0]), 1),
        Curves(np.ones(5), np.ones(5), 5),
        Curves(np.array([1.0, 0.5]), None, 9),
    ],
)
def test_any_curves_can_be_drawn(curves):
    drawn(charts.learning_curves(curves))


@pytest.mark.parametrize("values", [[], [np.nan]])
def test_no_curves_are_not_drawn(values):
    assert charts.learning_curves(Curves(np.array(values), None, 0)) == ""


def test_long_curves_are_thinned():
    curves = Curves(np.linspace(2, 1, 100_000), np.linspace(2, 1, 100_000), 100_000)
    assert len(charts.learning_curves(curves)) < 12_000


@pytest.mark.parametrize(
    ("y", "predictions"),
    [([1.0], [2.0]), ([3.0, 3.0], [3.0, 3.0]), ([1e-3, 1e6], [1, 2]), ([-1e308, 1e308], [1e308, -1e308])],
)
def test_any_predictions_can_be_drawn(y, predictions):
    answers = number_answers(y, predictions)
    drawn(charts.predicted_and_true(answers, "<y>"))
    drawn(charts.residuals(answers))


def test_thinned_predictions_say_so_and_stay_small():
    y = np.random.default_rng(0).normal(size=5000)
    text = charts.predicted_and_true(number_answers(y, 2 * y), "y")
    assert "2,000 of 5,000 rows are shown" in text
    assert len(text) < 50_000


def test_bars_of_residuals_are_as_high_as_rows_are_many():
    answers = number_answers([0, 0, 0, 1.0], [-0.5, -0.5, 0.5, 0.5])
    heights = [float(bar.get("height")) for bar in drawn(charts.residuals(answers)).iter(f"{SVG}rect")]
    assert max(heights) == pytest.approx(max(answers.counts) / sum(answers.counts) * sum(heights), abs=0.2)


def test_reliability_says_what_the_temperature_did():
    numbers = np.array([0.1, 0.9])
    root = drawn(
        charts.reliability_diagram(Calibration(numbers, numbers, np.array([9.0, 1]), 0.01, 0.2, 1.7))
    )
    told = "".join(root[-1].itertext()).replace("\N{NO-BREAK SPACE}", " ")
    assert "they are off by 1.0 %; before they were corrected (temperature 1.70) it was by 20.0 %." in told
    large, small = sorted((float(c.get("r")) for c in root.iter(f"{SVG}circle")), reverse=True)
    assert large > small
    drawn(charts.reliability_diagram(Calibration(*np.full((3, 2), np.nan), None)))


def test_roc_curves_are_of_two_classes():
    two = class_answers([0, 1, 1], [0, 1, 0], ["no", "<yes>"], [0.1, 0.8, 0.4])
    assert "found of <yes>" in words(drawn(charts.roc_curve(two)))
    assert charts.roc_curve(class_answers([0, 1], [0, 1], ["a", "b"])) == ""


def test_bars_show_the_most_important_columns():
    single = tuple(Importance((f"column {k}",), 1 - k / 50, 0.01) for k in range(50))
    root = drawn(charts.bars(Importances("R²", 0.9, 100, 5, single)))
    assert len(list(root.iter(f"{SVG}rect"))) == charts.BARS
    assert words(root)[0] == "column 0"


@pytest.mark.parametrize("falls", [[0.0], [np.nan], [-1.0, -2.0], [1e9, 1e-9]])
def test_any_importance_can_be_drawn(falls):
    single = tuple(Importance(("<a>",), fall, abs(fall)) for fall in falls)
    drawn(charts.bars(Importances("R²", np.nan, 1, 1, single)))
    assert charts.bars(Importances("R²", 0.5, 1, 1, ())) == ""

import numpy as np
import pytest

from chainrule.report.findings import Column, Coverage, Curves, Score
from chainrule.report.limitations import limitations
from chainrule.report.summaries import class_answers
from chainrule.tables.notice import Notice


def told(findings):
    return " ".join(limitations(findings)).replace("\N{NO-BREAK SPACE}", " ")


def test_a_good_model_has_only_the_limits_that_all_have(findings):
    assert limitations(findings()) == [
        "Outside the ranges in the table of columns it has seen nothing: predictions there are guesses.",
        "Categories that it has not seen are treated as unknown.",
        "What it learnt holds as long as new rows come about as those in the table did.",
    ]
    words = findings(columns=(Column("town", "category", 0.0, "", ""),) * 2)
    assert "Outside the ranges" not in told(words)


@pytest.mark.parametrize(
    ("changes", "said"),
    [
        ({"unseen": False}, "of rows that the network learnt from"),
        ({"scored_rows": 34}, "The scores are of only 34 rows"),
        ({"rows": 15}, "15 rows are few for 2 columns"),
        ({"noticed": (Notice("leak", "a", "…"),)}, "may give the target away"),
        ({"noticed": (Notice("rows in both parts", None, "…"),)}, "also among the training rows"),
        ({"curves": Curves(np.ones(3), np.ones(3), 3, interrupted=True)}, "interrupted"),
        ({"curves": Curves(np.ones(3), np.ones(3), 3, ran_out=True)}, "The last epoch allowed was the best"),
    ],
)
def test_what_applies_is_said(findings, changes, said):
    assert said in told(findings(**changes))
    assert said not in told(findings())


def test_a_model_no_better_than_its_baseline_is_doubted(findings, number):
    weak = number._replace(target="<y>", scores=(Score("r2", 0.05, 0.0, -0.1, 0.2),))
    assert "not surely better than always saying the mean: &lt;y&gt;." in told(findings(answers=(weak,)))
    assert "not surely" not in told(findings(answers=(number._replace(scores=()),)))


def test_coverage_is_doubted_only_beyond_chance(findings, number):
    for share, doubted in ((0.88, False), (0.8, True)):
        answers = (number._replace(coverages=(Coverage(0.9, share, 300, 1.0),)),)
        assert ("promise to hold 90 %" in told(findings(answers=answers))) is doubted


def test_classes_with_few_rows_and_probabilities_that_are_off(classified):
    basis = classified().answers[0]
    rare = class_answers([0] * 300 + [1] * 3, [0] * 303, ["a", "<b>", "c"])
    found = told(classified(answers=(basis._replace(classes=rare),)))
    assert "2 classes of species (&lt;b&gt;, c) had fewer than 10 scored rows" in found
    off = basis._replace(calibration=basis.calibration._replace(error=0.2))
    assert "Probabilities of species are off by 20.0 %" in told(classified(answers=(off,)))
    assert "off by" not in told(classified())

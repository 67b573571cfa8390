import math

import pytest

from chainrule.report.findings import Answers, Score
from chainrule.report.scores import better_than_baseline, headline, score_table, shown


@pytest.mark.parametrize(
    ("score", "better"),
    [
        (Score("rmse", 1.0, 2.0), True),
        (Score("rmse", 1.0, 2.0, 0.5, 2.5), False),
        (Score("accuracy", 0.9, 0.8, 0.85, 0.95), True),
        (Score("accuracy", 0.9, 0.8, 0.7, 0.95), False),
        (Score("r2", None, 0.0), False),
        (Score("r2", math.nan, 0.0), False),
        (Score("roc_auc", 0.9, None), False),
        (Score("own", 5.0, 1.0), False),
    ],
)
def test_the_worse_end_of_the_interval_must_be_better(score, better):
    assert better_than_baseline(score) is better


def test_the_headline_is_what_most_people_ask_for():
    log_loss, accuracy, r2 = Score("log_loss", 0.1), Score("accuracy", 0.9), Score("r2", 0.5)
    assert headline(Answers("y", (log_loss, accuracy))) is accuracy
    assert headline(Answers("y", (r2, Score("rmse", math.nan)))) is r2
    assert headline(Answers("y", (Score("rmse", None),))) is None


def test_scores_are_written_as_usual():
    assert shown(Score("accuracy", 0.5), 0.5) == "50.0\N{NO-BREAK SPACE}%"
    assert shown(Score("r2", 0.98765), 0.98765) == "0.988"
    assert shown(Score("log_loss", 0.69315), 0.69315) == "0.693"
    assert shown(Score("rmse", 1234.5), 1234.5) == "1,234"
    assert shown(Score("<own>", math.nan), math.nan) == "–"


def test_scores_without_meaning_are_dashes(findings, number):
    table = score_table(number._replace(scores=(Score("r2", None, math.nan), Score("<b>", 1.0))), findings())
    assert '<strong>–</strong></td><td class="n">–</td><td class="n">–</td>' in table
    assert "&lt;b&gt;" in table

import math
import re
from html.parser import HTMLParser
from xml.etree import ElementTree

import numpy as np
import pytest

from chainrule.report.findings import (
    Answers,
    Calibration,
    Column,
    Coverage,
    Curves,
    Importance,
    Importances,
    LayerRow,
    Network,
    Score,
)
from chainrule.report.page import render
from chainrule.report.summaries import class_answers, number_answers
from chainrule.tables.notice import Notice

VOID = {"meta", "br"}
EVIL = "<script>alert('\"&')</script>"
MEGABYTE = 1_000_000


class Reader(HTMLParser):
    """Tags must be closed in the order in which they were opened; headings must not skip a level."""

    def __init__(self, page):
        super().__init__()
        self.open, self.headings, self.identities, self.seen, self.links = [], [], [], [], []
        self.feed(page)
        self.close()
        assert self.open == []

    def handle_starttag(self, tag, attributes):
        found = dict(attributes)
        assert len(found) == len(attributes), f"an attribute twice in {tag}"
        self.seen.append(tag)
        self.identities += [found["id"]] if "id" in found else []
        self.links += [found["href"]] if "href" in found else []
        assert not any(name.startswith("on") or name == "src" for name in found)
        if tag in ("h1", "h2", "h3"):
            self.headings.append(int(tag[1]))
        if tag not in VOID:
            self.open.append(tag)

    def handle_endtag(self, tag):
        assert self.open.pop() == tag


def read(findings):
    """The page, which must be valid however strange the findings."""
    page = render(findings)
    reader = Reader(page)
    assert reader.headings[0] == 1
    assert reader.headings.count(1) == 1
    assert all(b - a <= 1 for a, b in zip(reader.headings, reader.headings[1:], strict=False))
    assert len(set(reader.identities)) == len(reader.identities)
    assert {link[1:] for link in reader.links} == set(reader.identities)
    assert not {"script", "link", "img", "iframe", "object"} & set(reader.seen)
    assert reader.seen.count("figure") == reader.seen.count("figcaption") == reader.seen.count("svg")
    for drawing in re.findall(r"<svg.*?</svg>", page, re.DOTALL):
        root = ElementTree.fromstring(drawing)
        assert root.get("role") == "img"
        assert root[0].text
        assert root[1].text
    assert "NaN" not in page
    assert not re.search(r">[^<]*\b(nan|None|inf)\b", page.split("<body>")[1])
    assert len(page.encode()) < MEGABYTE
    return page


def test_a_regression_page_has_all_its_parts(findings):
    page = read(findings())
    for title in (
        "Predicting price",
        "How good it is",
        "What to be careful about",
        "Which columns matter",
        "What was noticed in the data",
        "How it learned",
        "How to use it",
        "The columns",
        "The network",
    ):
        assert f">{title}</h" in page
    for said in ("RMSE", "1.20 to 1.90", "Intervals of predictions", "95\N{NO-BREAK SPACE}%: 1.20 to 1.90"):
        assert said in page
    assert "typical error (RMSE) is <strong>1.50</strong>; that of always saying the mean is 3.00." in page


def test_a_classification_page_has_confusions_and_reliability(classified):
    page = read(classified())
    assert "Confusions of species" in page
    assert "Reliability of probabilities" in page
    assert "it is right in <strong>86.0\N{NO-BREAK SPACE}%</strong>" in page


def test_the_page_needs_nothing_else_and_suits_a_phone(findings):
    page = read(findings())
    assert '<html lang="en">' in page
    assert '<meta name="viewport" content="width=device-width, initial-scale=1">' in page
    assert "default-src 'none'" in page
    assert not re.search(r"(https?:)?//(?!www\.w3\.org/2000/svg)", page.split("</style>")[1])


def test_every_text_is_escaped(classified):
    basis = classified()
    classes = class_answers([0, 1], [1, 1], [EVIL, EVIL + "2"], [0.1, 0.9])
    answers = Answers(
        EVIL, (Score(EVIL, 1.0, 2.0),), classes=classes, calibration=basis.answers[0].calibration
    )
    numbers = Answers(EVIL, (Score("rmse", 1.0),), numbers=number_answers([1, 2], [1, 2]))
    page = read(
        classified(
            model=EVIL,
            table=EVIL,
            date=EVIL,
            version=EVIL,
            scored=EVIL,
            baseline=EVIL,
            answers=(answers, numbers),
            network=Network(EVIL, (LayerRow(EVIL, EVIL, EVIL, 1),), 1),
            columns=(Column(EVIL, EVIL, 0.5, EVIL, EVIL),),
            options=((EVIL, EVIL),),
            missing=(EVIL,),
            importance=Importances(EVIL, 1.0, 1, 1, (Importance((EVIL,), 1.0, 0.0),)),
            noticed=(Notice("leak", EVIL, EVIL),),
        )
    )
    assert "<script" not in page
    assert "&lt;script&gt;" in page


def test_the_least_that_can_be_known(findings, number):
    empty = number._replace(scores=(), numbers=None, coverages=())
    page = read(
        findings(
            answers=(empty,),
            curves=None,
            importance=None,
            noticed=(),
            columns=(),
            options=(),
            seed=None,
            seconds=None,
            model="",
            network=Network("", (), 0),
        )
    )
    assert "There is no score" in page
    assert "How it learned" not in page
    assert "Which columns matter" not in page


@pytest.mark.parametrize("value", [None, math.nan, math.inf])
def test_scores_without_a_value_are_dashes(findings, number, value):
    scores = tuple(Score(name, value, value, value, value) for name in ("rmse", "r2", "accuracy", "own"))
    page = read(
        findings(answers=(number._replace(scores=scores, coverages=(Coverage(0.9, 1, 0, math.inf),)),))
    )
    assert "<strong>–</strong>" in page


@pytest.mark.parametrize(
    ("y", "predictions"),
    [([], []), ([1.0], [1.0]), ([2.0, 2, 2], [2.0, 2, 2]), ([1.0, 2, 3], [7.0, 7, 7]), ([np.nan], [1.0])],
    ids=["no rows", "one row", "constant", "constant predictions", "no numbers"],
)
def test_extreme_predictions(findings, number, y, predictions):
    read(findings(answers=(number._replace(numbers=number_answers(y, predictions)),), scored_rows=len(y)))


@pytest.mark.parametrize(
    "curves",
    [
        Curves(np.array([]), None, 0),
        Curves(np.array([0.5]), np.array([0.4]), 1),
        Curves(np.array([np.nan, 1.0]), np.array([np.inf, np.nan]), 2, interrupted=True),
    ],
    ids=["no epochs", "one epoch", "not finite"],
)
def test_extreme_curves(findings, curves):
    read(findings(curves=curves))


def test_extreme_classes(classified):
    none = class_answers([], [], ["a", "b"], [])
    read(
        classified(
            answers=(Answers("y", (), classes=none, calibration=Calibration(*np.empty((3, 0)), None)),)
        )
    )
    one = class_answers([1], [1], ["a", "b"], [0.5])
    read(classified(answers=(Answers("y", (Score("roc_auc", None),), classes=one),)))


def test_ten_thousand_columns_fit(findings):
    name = "a very long name of a column that goes on and on " * 5
    columns = tuple(Column(f"{k} {name}", "number", 0.1, "1 to 2", name) for k in range(10_000))
    notices = tuple(Notice("constant", f"{k}", f"column '{k} {name}' is constant") for k in range(10_000))
    single = tuple(Importance((f"{k} {name}",), 1 / (k + 1), 0.1) for k in range(60))
    rest = Importance(tuple(column.name for column in columns[60:]), 0.01, 0.01)
    page = read(
        findings(
            columns=columns,
            noticed=notices,
            importance=Importances("R²", 0.9, 400, 5, single, rest),
            rows=10**6,
        )
    )
    assert "… 9,930 columns between them" in page
    assert "… and 9,994 more of this kind (constant)" in page
    assert "The other 9,940 columns were looked at in groups" in page
    assert "40 more columns matter less" in page
    assert len(page.encode()) < MEGABYTE / 5


def test_a_thousand_classes_fit(classified):
    codes = np.random.default_rng(0).integers(0, 1000, 20_000)
    answers = class_answers(codes, codes // 2, [f"class number {k}" for k in range(1000)])
    assert len(read(classified(answers=(Answers("y", (), classes=answers),))).encode()) < MEGABYTE / 5


def test_many_targets_layers_and_options_fit(findings, number):
    answers = tuple(number._replace(target=f"target {k}") for k in range(500))
    page = read(
        findings(
            answers=answers,
            network=Network("x" * 10_000, (LayerRow("affine", "1", "W", 1),) * 5000, 1),
            options=tuple((f"option {k}", "value " * 1000) for k in range(500)),
        )
    )
    assert "Predicting target 0 and 499 more targets" in page
    assert "… and 460 more targets" in page
    assert page.count("Scores of target") == 2 * 4, "caption and name of the region of the first four"


def test_two_targets_are_both_in_the_title(findings, number):
    page = read(findings(answers=(number, number._replace(target="weight"))))
    assert "<h1>Predicting price and weight</h1>" in page
    assert "<h3>weight</h3>" in page


def test_whether_the_rows_were_seen_is_said(findings):
    assert "On 300 rows that it never learnt from" in read(findings())
    assert "On 300 rows that it also learnt from" in read(findings(unseen=False))


def test_columns_that_were_not_drawn_are_told_of(findings):
    single = tuple(Importance((f"c{k}",), max(0, 21 - k) / 10, 0.0) for k in range(22))
    found = Importances("R²", 0.9, 300, 5, single)
    assert "2 more columns matter less, at most 0.10 each." in read(findings(importance=found))
    none = found._replace(single=tuple(item._replace(fall=0.0) for item in single[:21]))
    assert "1 more column matters less, if at all." in read(findings(importance=none))


def test_the_gravest_notices_stand_out(findings):
    page = read(findings(noticed=(Notice("leak", "a", "column 'a' gives it away."),)))
    assert '<li class="grave">Column &#x27;a&#x27; gives it away.</li>' in page
    assert "Nothing: no column" in read(findings(noticed=()))


def test_the_same_findings_give_the_same_page(findings):
    assert render(findings()) == render(findings())

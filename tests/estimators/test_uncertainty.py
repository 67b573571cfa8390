from time import process_time

import numpy as np
import pytest
from sklearn import metrics

from chainrule.errors import ArgumentError
from chainrule.estimators import resampling
from chainrule.estimators.resampling import percentiles
from chainrule.estimators.scores import classification_scores, regression_scores
from chainrule.estimators.uncertainty import classification_intervals, regression_intervals


def bootstrap_interval(score, columns, rounds: int):
    """The percentile bootstrap of any score, as slow as ``rounds`` calls of it."""
    numbers = np.random.default_rng(1)
    rows = len(columns[0])
    draws = (numbers.integers(rows, size=rows) for _ in range(rounds))
    return percentiles(np.array([score(*(c[drawn] for c in columns)) for drawn in draws]), 0.95)


def regression(rows: int, seed: int = 0) -> tuple[np.ndarray, np.ndarray]:
    numbers = np.random.default_rng(seed)
    y = numbers.normal(size=rows)
    return y + 1000, y + 1000 + 0.5 * numbers.normal(size=rows)


def classes(rows: int, seed: int = 0) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    numbers = np.random.default_rng(seed)
    p = numbers.beta(0.7, 1.2, rows).round(2)  # with ties
    codes = (numbers.random(rows) < p).astype(int)
    return codes, (p > 0.5).astype(int), np.stack([1 - p, p], axis=1)


def test_the_quick_intervals_are_those_of_the_scores_themselves() -> None:
    """Other draws, the same percentiles up to the chance in them."""
    y, predictions = regression(200)
    quick = regression_intervals(y, predictions, rounds=4000)
    for name in ("rmse", "mae", "r2"):
        slow = bootstrap_interval(
            lambda a, b, name=name: regression_scores(a, b)[name], (y, predictions), rounds=2000
        )
        assert quick[name] == pytest.approx(slow, abs=0.1 * (slow.high - slow.low))


def test_the_quick_intervals_of_classes_are_those_of_the_scores_themselves() -> None:
    codes, chosen, p = classes(150)
    quick = classification_intervals(codes, chosen, p, rounds=4000)
    assert list(quick) == list(classification_scores(codes, chosen, p))
    for name in quick:
        slow = bootstrap_interval(
            lambda c, d, q, name=name: classification_scores(c, d, q)[name],
            (codes, chosen, p),
            rounds=300,
        )
        assert quick[name] == pytest.approx(slow, abs=0.15 * (slow.high - slow.low))


@pytest.mark.parametrize("rows", [60, 400])
def test_intervals_hold_the_score_of_all_rows_as_often_as_they_say(rows: int) -> None:
    truth = {"rmse": 0.5, "mae": 0.5 * np.sqrt(2 / np.pi), "r2": 0.75}
    held = dict.fromkeys(truth, 0)
    for seed in range(300):
        found = regression_intervals(*regression(rows, seed), confidence=0.9, rounds=200, seed=seed)
        for name in truth:
            held[name] += found[name].low <= truth[name] <= found[name].high
    for name, count in held.items():
        assert 0.83 < count / 300 < 0.95, name  # the percentiles are a little too narrow for few rows


def test_the_area_is_held_as_often_as_it_says() -> None:
    codes, _, p = classes(400_000, seed=99)
    truth = metrics.roc_auc_score(codes, p[:, 1])
    held = 0
    for seed in range(300):
        codes, chosen, p = classes(150, seed)
        found = classification_intervals(codes, chosen, p, confidence=0.9, rounds=200, seed=seed)
        held += found["roc_auc"].low <= truth <= found["roc_auc"].high
    assert 0.84 < held / 300 < 0.95


def test_a_share_of_one_is_not_certain() -> None:
    right = np.ones(20, int)
    low, high = classification_intervals(right, right)["accuracy"]
    assert (low, high) == (pytest.approx(20 / (20 + 1.959964**2)), 1.0)  # Wilson's, by hand
    low, high = classification_intervals(right, 0 * right)["accuracy"]
    assert (low, high) == (0.0, pytest.approx(1.959964**2 / (20 + 1.959964**2)))


@pytest.mark.parametrize("rows", [500, 20_000])
def test_rows_of_no_weight_are_none_and_equal_weights_change_nothing(rows: int) -> None:
    y, predictions = regression(rows)
    codes, chosen, p = classes(rows)
    half = np.where(np.arange(rows) < rows // 2, 3.0, 0.0)
    cut = slice(rows // 2)
    for weighted, plain in (
        (regression_intervals(y, predictions, half), regression_intervals(y[cut], predictions[cut])),
        (
            classification_intervals(codes, chosen, p, weight=half),
            classification_intervals(codes[cut], chosen[cut], p[cut]),
        ),
    ):
        for name, interval in plain.items():
            assert weighted[name] == pytest.approx(interval, rel=1e-9)


def test_weighted_intervals_are_those_of_weighted_scores() -> None:
    codes, chosen, p = classes(300)
    weight = np.random.default_rng(4).exponential(size=300)
    quick = classification_intervals(codes, chosen, p, weight=weight, rounds=4000)
    slow = {
        "accuracy": lambda c, d, q, w: metrics.accuracy_score(c, d, sample_weight=w),
        "log_loss": lambda c, d, q, w: metrics.log_loss(c, q.clip(1e-15), sample_weight=w),
        "roc_auc": lambda c, d, q, w: metrics.roc_auc_score(c, q[:, 1], sample_weight=w),
    }
    for name, score in slow.items():
        found = bootstrap_interval(score, (codes, chosen, p, weight), rounds=300)
        assert quick[name] == pytest.approx(found, abs=0.15 * (found.high - found.low))


def test_many_rows_in_groups_say_what_each_row_says(monkeypatch: pytest.MonkeyPatch) -> None:
    y, predictions = regression(6000)
    codes, chosen, p = classes(6000)
    both = []
    for units in (10_000, 1000):
        monkeypatch.setattr(resampling, "_UNITS", units)
        both.append(
            regression_intervals(y, predictions, rounds=3000)
            | classification_intervals(codes, chosen, p, rounds=3000)
        )
    for name, interval in both[0].items():
        assert both[1][name] == pytest.approx(interval, abs=0.1 * (interval.high - interval.low)), name


def test_scores_without_meaning_have_no_interval() -> None:
    assert regression_intervals(np.ones(20), np.arange(20))["r2"] is None
    assert regression_intervals([1.0], [2.0]) == {"rmse": None, "mae": None, "r2": None}
    assert regression_intervals([], []) == {"rmse": None, "mae": None, "r2": None}
    p = np.full((12, 2), 0.5)
    found = classification_intervals([1] * 12, [1, 0] * 6, p)
    assert found["roc_auc"] is None
    assert found["log_loss"] == pytest.approx((np.log(2), np.log(2)))
    assert classification_intervals([], [], np.zeros((0, 2))) == dict.fromkeys(
        ("accuracy", "log_loss", "roc_auc")
    )


def test_few_rows_do_not_say_how_far_off_a_score_may_be() -> None:
    for rows in (2, 9, 10):
        y, predictions = regression(rows)
        codes, chosen, p = classes(rows)
        found = regression_intervals(y, predictions) | classification_intervals(codes, chosen, p)
        assert found["accuracy"] is not None, "Wilson's interval holds for any number of rows"
        assert all((found[name] is not None) == (rows == 10) for name in ("rmse", "mae", "r2", "log_loss"))


def test_rounds_without_meaning_are_left_out_unless_they_are_many() -> None:
    codes = np.array([1] + [0] * 11)  # a third of the rounds draw one class only
    found = classification_intervals(codes, codes, score=[0.4, 0.5, 0.1, 0.3] + [0.2] * 8)["roc_auc"]
    assert 0 <= found.low < found.high <= 1
    assert percentiles(np.array([1.0, 2.0, np.nan]), 0.95) is not None
    assert percentiles(np.array([1.0, np.nan, np.nan]), 0.95) is None
    two = [1.0] * 11 + [1.0000001]
    low, high = regression_intervals(two, two)["r2"]
    assert (low, high) == (1, 1)


def test_which_scores_there_are() -> None:
    codes, chosen, p = classes(50)
    assert list(classification_intervals(codes, chosen)) == ["accuracy"]
    assert list(classification_intervals(codes, chosen, score=p[:, 1])) == ["accuracy", "roc_auc"]
    three = np.random.default_rng(0).dirichlet(np.ones(3), 50)
    assert list(classification_intervals(codes, chosen, three)) == ["accuracy", "log_loss"]


def test_one_seed_one_result_and_surer_is_wider() -> None:
    y, predictions = regression(100)
    assert regression_intervals(y, predictions) == regression_intervals(y, predictions)
    narrow, wide = (regression_intervals(y, predictions, confidence=c)["mae"] for c in (0.8, 0.99))
    assert wide.low < narrow.low < narrow.high < wide.high
    assert regression_intervals(y, predictions, seed=1) != regression_intervals(y, predictions)


def test_ten_thousand_rows_take_a_moment() -> None:
    """A third of a second of the processor for three scores; the bar leaves room for slower ones."""
    y, predictions = regression(10_000)
    codes, chosen, p = classes(10_000)
    for call in (
        lambda: regression_intervals(y, predictions),
        lambda: classification_intervals(codes, chosen, p),
    ):
        start = process_time()
        call()
        assert process_time() - start < 1.5


@pytest.mark.parametrize(
    ("call", "says"),
    [
        (lambda: regression_intervals([1.0, np.nan], [1.0, 1.0]), "y must be finite; got nan in row 2"),
        (lambda: regression_intervals([1.0], [1.0, 2.0]), r"predictions must have the shape \(1,\)"),
        (lambda: regression_intervals([1.0], [1.0], confidence=95), "confidence must be a number between"),
        (lambda: regression_intervals([1.0], [1.0], rounds=0), "rounds must be a whole number"),
        (lambda: classification_intervals([0, 3], [0, 1], np.full((2, 2), 0.5)), "codes must number the cl"),
        (lambda: classification_intervals([0], [-1]), "chosen must number the classes from 0; got -1"),
        (lambda: classification_intervals([0, 2], [0, 1], score=[0.0, 1.0]), "from 0 to 1; got 2 in row 2"),
    ],
)
def test_what_cannot_be_is_refused(call, says: str) -> None:
    with pytest.raises(ArgumentError, match=says):
        call()

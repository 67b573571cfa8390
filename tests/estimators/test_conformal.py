import json
from math import ceil, inf

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as some
from scipy.stats import betabinom

from chainrule.errors import ArgumentError
from chainrule.estimators.conformal import (
    MondrianNonconformity,
    Nonconformity,
    absolute,
    absolute_interval,
    quantile_pair,
    quantile_pair_interval,
    scaled,
    scaled_interval,
)


def holds(y: np.ndarray, interval: np.ndarray) -> np.ndarray:
    return (interval[:, 0] <= y) & (y <= interval[:, 1])


@given(
    some.lists(some.integers(-5, 5), min_size=1, max_size=60),
    some.sampled_from([0.01, 0.1, 0.5, 0.55, 0.8, 0.9, 0.95, 0.99]),
)
def test_the_quantile_is_an_order_statistic(scores: list[int], coverage: float) -> None:
    hundredths = round(100 * coverage)
    place = -(-(len(scores) + 1) * hundredths // 100)
    expected = sorted(scores)[place - 1] if place <= len(scores) else inf
    assert Nonconformity.of(scores).quantile(coverage) == expected


@pytest.mark.parametrize(("rows", "coverage"), [(19, 0.95), (99, 0.9), (250, 0.8), (3, 0.5)])
def test_coverage_is_that_of_exchangeable_rows(rows: int, coverage: float) -> None:
    """Given the calibration rows it is Beta(k, rows + 1 − k), so that hits are beta-binomial."""
    numbers = np.random.default_rng(rows)
    draws, new = 400, 200
    hits = np.array(
        [
            (
                numbers.exponential(size=new)
                <= Nonconformity.of(numbers.exponential(size=rows)).quantile(coverage)
            )
            for _ in range(draws)
        ]
    ).sum(axis=1)
    k = ceil((rows + 1) * coverage - 1e-9)
    expected = betabinom(new, k, rows + 1 - k)
    assert abs(hits.mean() - expected.mean()) < 4 * expected.std() / np.sqrt(draws)
    assert expected.ppf(1e-7) <= hits.min()
    assert hits.max() <= expected.isf(1e-7)
    assert hits.std() == pytest.approx(expected.std(), rel=0.2)


def test_of_many_scores_few_are_kept_and_none_too_low() -> None:
    scores = np.random.default_rng(0).normal(size=100_003)
    kept, all_of_them = Nonconformity.of(scores), Nonconformity.of(scores, most=len(scores))
    assert len(kept.scores) == 2048
    assert kept.rows == 100_003
    for coverage in (0.001, 0.5, 0.8, 0.9, 0.95, 0.999):
        exact = all_of_them.quantile(coverage)
        assert exact <= kept.quantile(coverage)
        assert (scores <= kept.quantile(coverage)).mean() < coverage + 1 / 2048 + 2e-5


def test_too_few_rows_give_no_bound() -> None:
    assert Nonconformity.of([]).quantile(0.5) == inf
    assert Nonconformity.of([1.0] * 8).quantile(0.9) == inf
    assert Nonconformity.of([1.0] * 9).quantile(0.9) == 1
    assert Nonconformity.of([], weight=[]).quantile(0.5) == inf
    assert absolute_interval([2.0], inf).tolist() == [[-inf, inf]]


def test_equal_scores_only_raise_the_coverage() -> None:
    numbers = np.random.default_rng(5)
    found = [
        (numbers.integers(0, 4, 300) <= Nonconformity.of(numbers.integers(0, 4, 50)).quantile(0.8)).mean()
        for _ in range(200)
    ]
    assert np.mean(found) > 0.8


def test_equal_weights_are_none() -> None:
    scores = np.random.default_rng(1).normal(size=64)  # a divisor of 2,048: the same order statistics
    plain, weighted = Nonconformity.of(scores), Nonconformity.of(scores, np.full(64, 0.3))
    assert weighted.rows == pytest.approx(64)
    for coverage in np.arange(1, 65) / 65:
        assert weighted.quantile(float(coverage)) == plain.quantile(float(coverage))
    assert weighted.quantile(0.99) == inf


def test_of_many_weighted_scores_few_are_kept_and_none_too_low() -> None:
    numbers = np.random.default_rng(13)
    scores, weight = numbers.normal(size=(2, 20_000))
    kept = Nonconformity.of(scores, np.exp(weight))
    exact = Nonconformity.of(scores, np.exp(weight), most=20_000)
    assert len(kept.scores) <= 2048 < len(exact.scores)
    assert kept.rows == exact.rows
    for coverage in (0.001, 0.5, 0.9, 0.999):
        below = np.average(scores <= kept.quantile(coverage), weights=np.exp(weight))
        assert exact.quantile(coverage) <= kept.quantile(coverage)
        assert below < coverage + 1 / 2048 + 2e-3  # a single row may weigh as much


def test_rows_of_no_weight_do_not_count() -> None:
    scores = np.array([9.0, 1.0, -8.0, 2.0, 3.0])
    found = Nonconformity.of(scores, [0, 1, 0, 1, 1])
    assert found.rows == pytest.approx(3)
    assert [found.quantile(c) for c in (0.25, 0.5, 0.75, 0.8)] == [1, 2, 3, inf]


def test_weights_mend_a_shift_between_the_rows_and_new_ones() -> None:
    """New rows are drawn by the weights; the wider spread is where the weight is."""
    numbers = np.random.default_rng(2)
    plain, weighted = [], []
    for _ in range(200):
        x, new = numbers.random(300), np.sqrt(numbers.random(300))  # densities 1 and 2x
        scores, truth = np.abs(numbers.normal(size=300)) * x**2, np.abs(numbers.normal(size=300)) * new**2
        plain.append((truth <= Nonconformity.of(scores).quantile(0.9)).mean())
        weighted.append((truth <= Nonconformity.of(scores, x).quantile(0.9)).mean())
    error = np.std(weighted) / np.sqrt(200)
    assert np.mean(plain) < 0.87
    assert 0.9 - 3 * error < np.mean(weighted) < 0.91


@pytest.mark.parametrize("weight", [None, [1.0, 2.0, 0.5]])
def test_what_json_says_comes_back(weight: list[float] | None) -> None:
    record = Nonconformity.of([3.0, inf, -1.0], weight)
    text = json.dumps(record.to_dict(), allow_nan=False)
    assert Nonconformity.from_dict(json.loads(text)) == record
    assert record.quantile(0.75) == inf


@pytest.mark.parametrize(
    "plain",
    [
        {"scores": [2.0, 1.0]},
        {"scores": [1.0, float("nan")]},
        {"scores": [float("-inf"), 1.0]},
        {"scores": ["high", "higher"]},
        {"scores": []},
        {"rows": 0},
        {"rows": inf},
        {"rows": None},
        {"shares": [0.5]},
        {"shares": [1.0, 0.5]},
    ],
)
def test_a_record_that_is_none_is_refused(plain: dict) -> None:
    sound = {"scores": [1.0, 2.0], "rows": 2.0, "shares": []}
    assert Nonconformity.from_dict(sound) == Nonconformity.of([2.0, 1.0])
    with pytest.raises(ArgumentError, match="a record of nonconformity must have scores in order"):
        Nonconformity.from_dict(sound | plain)


def test_scores_that_are_none_are_refused() -> None:
    with pytest.raises(ArgumentError, match="scores must be no NaN; got nan in row 2"):
        Nonconformity.of([1.0, np.nan])
    with pytest.raises(ArgumentError, match="weight must be 0 or more; got -2 in row 1"):
        Nonconformity.of([1.0], [-2])
    with pytest.raises(ArgumentError, match=r"coverage must be a number between 0 and 1.*got 90"):
        Nonconformity.of([1.0]).quantile(90)


def test_an_interval_is_where_the_score_is_at_most_the_threshold() -> None:
    numbers = np.random.default_rng(4)
    y, prediction, spread = numbers.normal(size=(3, 500))
    spread = np.exp(spread)
    low, high = prediction - spread, prediction + 0.5 * spread
    for threshold in (0.0, 0.4, 1.5):
        pairs = (
            (absolute(y, prediction), absolute_interval(prediction, threshold)),
            (scaled(y, prediction, spread), scaled_interval(prediction, spread, threshold)),
            (quantile_pair(y, low, high), quantile_pair_interval(low, high, threshold)),
        )
        for scores, interval in pairs:
            assert np.array_equal(scores <= threshold, holds(y, interval))
            assert (scores <= threshold).any() or threshold == 0


def test_quantiles_that_cross_leave_a_point() -> None:
    found = quantile_pair_interval([0.0, 3.0], [4.0, 1.0], -1.0)
    assert found.tolist() == [[1.0, 3.0], [2.0, 2.0]]


def test_quantiles_are_made_wider_or_narrower_until_they_cover() -> None:
    numbers = np.random.default_rng(6)
    found = []
    for margin in (0.2, 3.0):  # too narrow, too wide
        y = numbers.normal(size=(2, 20_000))
        ends = np.full(20_000, margin)
        q = Nonconformity.of(quantile_pair(y[0], -ends, ends)).quantile(0.9)
        assert (q > 0) == (margin < 1)
        found.append(holds(y[1], quantile_pair_interval(-ends, ends, q)).mean())
    assert found == pytest.approx([0.9, 0.9], abs=0.015)


def test_a_spread_is_above_zero() -> None:
    with pytest.raises(
        ArgumentError, match=r"spread must be above 0; got 0 in row 2\. Give it a least value"
    ):
        scaled([1.0, 2.0], [1.0, 2.0], [1.0, 0.0])
    with pytest.raises(ArgumentError, match=r"prediction must have the shape \(2,\); got \(2, 1\)"):
        absolute([1.0, 2.0], [[1.0], [2.0]])


def grow(numbers: np.random.Generator, rows: int) -> tuple[np.ndarray, np.ndarray]:
    """Predictions, and errors that are larger where the prediction is."""
    prediction = numbers.exponential(size=rows)
    return prediction, np.abs(numbers.normal(size=rows)) * prediction


def test_coverage_holds_in_each_group_and_widths_follow_the_prediction() -> None:
    """Exactly: (k / (rows in the group + 1)) on average over draws, for the edges cost one row each."""
    numbers = np.random.default_rng(7)
    draws, new = 300, 500
    inside, expected = [], []
    for _ in range(draws):
        prediction, scores = grow(numbers, 299)
        found = MondrianNonconformity.of(scores, prediction)
        assert len(found.groups) == 5
        assert sum(group.rows for group in found.groups) == 299 - 4
        by, truth = grow(numbers, new)
        hit = truth <= found.quantiles(by, 0.9)
        group = np.searchsorted(found.edges, by)
        inside.append([hit[group == k].mean() for k in range(5)])
        expected.append([ceil(0.9 * (g.rows + 1) - 1e-9) / (g.rows + 1) for g in found.groups])
    error = np.std(inside, axis=0) / np.sqrt(draws)
    assert (np.abs(np.mean(inside, axis=0) - np.mean(expected, axis=0)) < 4 * error).all()
    widths = found.quantiles(np.array([0.01, 5.0]), 0.9)
    assert widths[1] > 5 * widths[0]


def test_one_width_for_all_misses_the_large_ones() -> None:
    numbers = np.random.default_rng(8)
    prediction, scores = grow(numbers, 5000)
    large = prediction > np.quantile(prediction, 0.8)
    together = (scores <= Nonconformity.of(scores).quantile(0.9))[large].mean()
    grouped = (scores <= MondrianNonconformity.of(scores, prediction).quantiles(prediction, 0.9))[
        large
    ].mean()
    assert together < 0.75
    assert grouped == pytest.approx(0.9, abs=0.02)


@pytest.mark.parametrize(
    ("rows", "groups"), [(0, 1), (99, 1), (100, 1), (101, 2), (151, 2), (152, 3), (5000, 5)]
)
def test_each_group_has_fifty_rows(rows: int, groups: int) -> None:
    by = np.random.default_rng(9).permutation(rows).astype(float)
    found = MondrianNonconformity.of(by, by)
    assert len(found.groups) == groups
    assert groups == 1 or min(group.rows for group in found.groups) >= 50
    assert sum(len(group.scores) for group in found.groups) <= 2048
    assert found.quantiles([0.0, 1e9], 0.99).shape == (2,)


def test_where_many_predictions_are_equal_there_are_fewer_groups() -> None:
    by = np.concatenate([np.zeros(900), np.arange(1, 101)])
    found = MondrianNonconformity.of(np.arange(1000), by)
    assert len(found.groups) < 5
    assert all(group.rows >= 50 for group in found.groups)
    assert MondrianNonconformity.of(np.arange(1000), np.zeros(1000)).edges == ()


def test_a_coverage_that_a_group_is_too_small_for_is_that_of_all_rows() -> None:
    prediction, scores = grow(np.random.default_rng(10), 300)
    found = MondrianNonconformity.of(scores, prediction)
    assert np.isfinite(found.together.quantile(0.995))
    assert found.quantiles(prediction, 0.995).tolist() == [found.together.quantile(0.995)] * 300
    assert len(set(found.quantiles(prediction, 0.9))) == 5


def test_groups_of_weighted_rows() -> None:
    prediction, scores = grow(np.random.default_rng(11), 1000)
    weight = np.where(np.arange(1000) % 2, 1.0, 0.0)
    found = MondrianNonconformity.of(scores, prediction, weight)
    half = MondrianNonconformity.of(scores[1::2], prediction[1::2])
    assert found.edges == half.edges
    assert np.array_equal(found.quantiles(prediction, 0.9), half.quantiles(prediction, 0.9))
    few = np.where(np.arange(1000) < 60, 1.0, 0.0)
    assert len(MondrianNonconformity.of(scores, prediction, few).groups) == 1


def test_groups_in_json() -> None:
    prediction, scores = grow(np.random.default_rng(12), 300)
    found = MondrianNonconformity.of(scores, prediction)
    plain = json.loads(json.dumps(found.to_dict(), allow_nan=False))
    assert MondrianNonconformity.from_dict(plain) == found
    for wrong in (
        plain | {"edges": plain["edges"][::-1]},
        plain | {"edges": [float("nan")], "groups": plain["groups"][:2]},
        plain | {"groups": plain["groups"][:2]},
        plain | {"together": {}},
        {},
    ):
        with pytest.raises(ArgumentError, match="a record of groups must have edges in order"):
            MondrianNonconformity.from_dict(wrong)

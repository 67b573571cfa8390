"""The accuracy benchmark does not flatter: ties, failures and unseen levels, without any peer installed."""

import importlib
from pathlib import Path

import numpy as np
import pandas as pd
import pytest


@pytest.fixture
def module(monkeypatch):
    monkeypatch.syspath_prepend(Path(__file__).parents[1] / "benchmarks")
    return importlib.import_module


def runs(table, scores):
    measured = ("fit_seconds", "fit_processor_seconds", "predict_seconds", "peak_megabytes")
    return [
        {"table": table, "seed": seed}
        | ({"failed": "why"} if score is None else {"score": score} | dict.fromkeys(measured, 1.0))
        for seed, score in enumerate(scores)
    ]


def test_ratios_are_means_over_seeds_and_geometric_over_tables(module):
    ours = runs("a", [1, 1]) + runs("b", [4, 4])
    theirs = runs("a", [2, 2]) + runs("b", [1, 1])
    found = module("comparing").compare("ours", ours, "theirs", theirs)
    assert (found.score, found.wins, found.losses) == (pytest.approx(2**0.5), 1, 1)
    assert (found.worst, found.worst_table) == (4, "b")


def test_only_common_seeds_count(module):
    found = module("comparing").compare("ours", runs("a", [1, 9, 9]), "theirs", runs("a", [2]))
    assert (found.score, found.wins) == (0.5, 1)


def test_a_difference_within_the_spread_is_a_tie(module):
    compare = module("comparing").compare
    assert compare("ours", runs("a", [1, 2, 3]), "theirs", runs("a", [2, 1, 3.3])).ties == 1
    assert compare("ours", runs("a", [1, 2, 3]), "theirs", runs("a", [1.1, 2.1, 3.1])).wins == 1


def test_failures_of_ours_are_losses_and_those_of_peers_no_wins(module):
    compare = module("comparing").compare
    failed = compare("ours", runs("a", [1, None]), "theirs", runs("a", [2, 2]))
    assert (failed.wins, failed.losses, failed.failed) == (0, 1, 1)
    other = compare("ours", runs("a", [1, 1]), "theirs", runs("a", [2, None]))
    assert (other.wins, other.losses, other.other_failed) == (0, 0, 1)


def test_peers_are_told_categories_and_spared_what_they_refuse(module):
    learn = pd.DataFrame(
        {"[n]": [1.0, None, 3.0], "c": ["a", None, "b"], "day": pd.to_datetime(["2024"] * 3)}
    )
    test = pd.DataFrame({"[n]": [None], "c": ["new"], "day": pd.to_datetime(["2025"])})
    columns = module("peer_columns").Columns((), "category", fill=True)
    encoded = columns.fit(learn)
    assert list(encoded) == ["c0", "c1", "c2"]
    assert columns.texts == ["c1"]
    assert list(encoded["c1"].cat.categories) == ["a", "b"]
    assert encoded["c0"].tolist() == [1, 2, 3]
    applied = columns.apply(test)
    assert applied["c1"].dtype == encoded["c1"].dtype
    assert applied["c1"].isna().all()
    assert applied["c0"].tolist() == [2]


def test_splits_are_the_same_for_all_and_capped(module):
    y = np.repeat([0, 1], [90, 10])
    learn, judge = module("one_run").split(y, "binary", 0, 40)
    assert (len(learn), len(judge), y[judge].sum()) == (40, 20, 2)
    assert not set(learn) & set(judge)
    np.testing.assert_array_equal(learn, module("one_run").split(y, "binary", 0, 40)[0])

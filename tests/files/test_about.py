from types import SimpleNamespace
from typing import Any

import pytest

from chainrule.files.about import About, about_of


def of(noted: dict[str, Any]) -> About:
    return about_of(SimpleNamespace(about_=noted))  # type: ignore[arg-type]


def test_what_is_noted_is_found_again() -> None:
    scores = {"rows": 9, "of": "validation", "targets": {"price": {"rmse": 1.5, "mae": 1, "r2": None}}}
    about = About("regression", ("price",), ("?",), 90, (1.5,), scores=scores)
    assert of(about.to_dict()) == about
    assert about_of(SimpleNamespace()) == About()  # type: ignore[arg-type]


@pytest.mark.parametrize("key", About._fields)
@pytest.mark.parametrize("value", [None, {}, [None], [[]], 1.5])
def test_what_is_not_ours_is_ignored(key: str, value: object) -> None:
    assert of({key: value, "more": 1}) == About()


@pytest.mark.parametrize(
    "altered",
    [
        {"rows": None},
        {"rows": "9"},
        {"of": 1},
        {"targets": {"price": 1}},
        {"targets": {"price": {"r2": "x"}}},
    ],
)
def test_scores_that_cannot_be_told_are_ignored(altered: dict[str, Any]) -> None:
    scores = {"rows": 9, "of": "validation", "targets": {"price": {"r2": 0.5}}}
    assert of({"scores": scores}).scores == scores
    assert of({"scores": scores | altered}) == About()

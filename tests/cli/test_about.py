from types import SimpleNamespace
from typing import Any

import pytest

from chainrule.cli.about import About, about_of


def of(noted: dict[str, Any]) -> About:
    return about_of(SimpleNamespace(about_=noted))  # type: ignore[arg-type]


def test_what_is_noted_is_found_again() -> None:
    about = About("regression", ("price",), ("?",), 90, (1.5,))
    assert of(about.to_dict()) == about
    assert about_of(SimpleNamespace()) == About()  # type: ignore[arg-type]


@pytest.mark.parametrize("key", About._fields)
@pytest.mark.parametrize("value", [None, {}, [None], [[]], 1.5])
def test_what_is_not_ours_is_ignored(key: str, value: object) -> None:
    assert of({key: value, "more": 1}) == About()

"""What is said in Python's words, said in those of the command line."""

import pytest

from chainrule.cli.wording import in_options, with_marks
from chainrule.tables.notice import marked


@pytest.mark.parametrize(
    ("said", "here"),
    [
        ("max_iter must be a whole number, or 'auto'; got 0.", "--epochs must be a whole number; got 0."),
        ("loss: a level must be above 0; got 0.", "--loss: a level must be above 0; got 0."),
        ("solver: optimizer must be adam, or a chainrule.Optimizer; got 1.", "--solver must be adam; got 1."),
        ("loss must be huber, a pair (value, gradient), or a chainrule.Loss.", "--loss must be huber."),
        ("loss: 'y' is no formula.", "--loss: 'y' is no formula."),
        ("column 'batch_size' is left out.", "column 'batch_size' is left out."),
        ("Name it in categorical_features.", "Name it in --categorical."),
    ],
)
def test_arguments_are_options(said: str, here: str) -> None:
    assert in_options(said) == here


@pytest.mark.parametrize(
    ("texts", "more", "here"),
    [
        (["?"], False, "--missing '?'"),
        (
            ["n/a", "it's", "a]), or as None"],
            True,
            """--missing n/a --missing 'it'"'"'s' --missing 'a]), or as None' …""",
        ),
    ],
)
def test_marks_are_options(texts: list[str], more: bool, here: str) -> None:
    assert with_marks(f"mark it ({marked(texts, more=more)}).") == f"mark it ({here})."

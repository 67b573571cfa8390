"""Each hint where it belongs, and none where nothing is wrong."""

import numpy as np
import pytest

from chainrule.estimators.problems import problem_of
from chainrule.page.classic import classic_table
from chainrule.page.frames import Frames
from chainrule.page.hints import Health, hints
from chainrule.page.history import Moment
from chainrule.page.run import Run
from chainrule.page.setup import Points, Setup

NUMBERS = np.random.default_rng(0)
SOUND = NUMBERS.uniform(-0.5, 0.5, (50, 4))
FALLING = np.linspace(1, 0.1, 60)


def health(**changes):
    whole = {
        "moment": Moment(60, (), 0.1, 0.1),
        "first": 1.0,
        "losses": FALLING,
        "validated": FALLING,
        "activations": ("tanh",),
        "h": (SOUND,),
        "z": (SOUND,),
        "deltas": (SOUND, SOUND),
    }
    return Health(**(whole | changes))


def titles(**changes):
    return [hint.title for hint in hints(health(**changes))]


def test_nothing_is_wrong():
    assert titles() == []


def test_too_little_is_known_yet():
    assert titles(losses=np.array([1.0, 9.0]), validated=np.array([1.0, 9.0])) == []


def test_what_is_solved_needs_no_hint():
    """Its last trifles go up and down, and units that are sure of their answers stand at their levels."""
    trifles = 0.01 + 0.005 * (-1.0) ** np.arange(60)
    sure = np.where(SOUND > 0, 0.999, -0.999)
    settled = {"losses": trifles, "validated": np.linspace(0.01, 0.03, 60), "h": (sure,)}
    assert titles(moment=Moment(60, (), 0.01, 0.01), **settled) == []
    assert titles(moment=Moment(60, (), 0.5, 0.5), **settled) == ["Saturated units in layer 1"]


def test_what_is_not_finite_hides_all_else():
    found = hints(health(moment=Moment(3, (), np.inf, None, diverged=True), h=(np.ones((50, 4)),)))
    assert [hint.title for hint in found] == ["The loss is not finite"]
    assert "In epoch 3 the loss became inf" in found[0].evidence


@pytest.mark.parametrize(
    "losses", [1 + 0.5 * (-1.0) ** np.arange(60), np.linspace(1, 3, 60)], ids=["up and down", "up"]
)
def test_a_learning_rate_that_is_too_high(losses):
    (found,) = hints(health(losses=losses, validated=np.array([])))
    assert found.title == "The learning rate may be too high"
    assert found.level == "warning"


def test_noise_on_a_falling_loss_is_no_high_rate():
    losses = np.linspace(1, 0.1, 60) * (1 + 0.05 * (-1.0) ** np.arange(60))
    assert titles(losses=losses, validated=np.array([])) == []


@pytest.mark.parametrize(
    ("factor", "title"), [(1e-6, "δ vanishes on its way back"), (1e6, "δ explodes on its way back")]
)
def test_a_delta_that_vanishes_or_explodes(factor, title):
    assert titles(deltas=(factor * SOUND, SOUND, SOUND)) == [title]


def test_dead_units():
    dead = np.where(np.arange(4) == 2, 0.0, np.maximum(SOUND, 0))
    (found,) = hints(health(activations=("relu",), h=(dead,)))
    assert found.title == "Dead units in layer 1"
    assert "1 of 4 units (the first: 3) say 0 of every row" in found.evidence


@pytest.mark.parametrize(("name", "level"), [("tanh", -1.0), ("tanh", 1.0), ("sigmoid", 0.0)])
def test_saturated_units(name, level):
    stuck = np.where(
        np.arange(4) < 3, level + 0.001 * np.sign(0.5 - level) * NUMBERS.uniform(size=(50, 4)), 0.4
    )
    h = np.where(np.arange(4) < 3, stuck, 0.4 + 0.1 * SOUND)
    (found,) = hints(health(activations=(name,), h=(h,)))
    assert found.title == "Saturated units in layer 1"
    assert found.level == "warning"
    assert titles(activations=("relu",), h=(h,)) == [], "relu does not level off there"


def test_over_fitting():
    validated = np.concatenate([np.linspace(1, 0.5, 20), np.linspace(0.5, 0.9, 40)])
    (found,) = hints(health(validated=validated))
    assert found.title == "Over-fitting"
    assert "was least in epoch 20, 0.5, and is 0.9 now" in found.evidence
    assert "Rewind to epoch" in found.advice
    assert titles(validated=np.where(np.arange(60) < 59, FALLING[19], 0.9)) == [], "one epoch says nothing"


def test_a_run_that_goes_wrong_says_so():
    setup = Setup(Points("spirals", 60, 1.5), hidden=(32, 32), activation="relu", learning_rate=0.02)
    run = Run(setup, problem_of(classic_table("spirals", 60, 1.5), ["y"]))
    for _ in range(150):
        run.step("epoch")
    assert "Over-fitting" in [hint["title"] for hint in Frames(run, ("y",)).frame()["hints"]]

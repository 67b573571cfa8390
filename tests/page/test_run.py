"""A run: what it takes steps by, and that it can be looked at, edited and rewound."""

import time

import jax
import numpy as np
import polars as pl
import pytest

import chainrule
from chainrule.errors import ArgumentError
from chainrule.estimators.problems import problem_of
from chainrule.page import exports
from chainrule.page.classic import CLASSIC, classic_table
from chainrule.page.run import Run, set_entry, value_of
from chainrule.page.setup import Points, Setup

SETUP = Setup(Points("circles", 100), hidden=(4,), batch_size=16)


def run_of(setup=SETUP):
    data = setup.data
    return Run(setup, problem_of(classic_table(data.set, data.rows, data.noise, data.seed), ["y"]))


def bits(run):
    return [np.asarray(leaf).tobytes() for leaf in jax.tree.leaves(run.parameters_of(run.now))]


def until(condition, seconds=60):
    end = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < end, "it did not come to that"
        time.sleep(0.005)


def taken(run, epochs):
    for _ in range(epochs):
        run.step("epoch")
    return run


@pytest.mark.parametrize("name", CLASSIC)
def test_every_classic_set_is_learnt(name):
    run = run_of(Setup(Points(name, 200, 0.0), hidden=(8, 8), learning_rate=0.05, batch_size=16))
    before = run.now.validation_loss
    taken(run, 80)
    assert run.now.loss < 0.7 * before
    assert run.now.validation_loss < before


def test_an_epoch_is_its_batches():
    whole, single = taken(run_of(), 2), taken(run_of(), 1)
    steps = 0
    while single.now.epoch < 2:
        single.step("batch")
        steps += 1
    assert steps == 80 // 16
    for a, b in zip(*(jax.tree.leaves(r.parameters_of(r.now)) for r in (whole, single)), strict=True):
        np.testing.assert_allclose(a, b, rtol=1e-5, atol=1e-7)
    assert single.history.epochs == [0, 1, 2]


def test_steps_within_an_epoch_are_shown_and_finished():
    run = run_of()
    run.step("batch")
    assert (run.now.epoch, run.now.step) == (0, 1)
    run.step("epoch")
    assert (run.now.epoch, run.now.step) == (1, 0)
    run.step("batch")
    run.play()
    until(lambda: run.now.epoch >= 4)
    run.play(False)
    run.end()


def test_rewinding_leads_to_the_same_future():
    run = taken(run_of(), 6)
    then = bits(run)
    run.seek(2)
    assert run.now.epoch == 2
    assert run.history.newest.epoch == 6, "looking back forgets nothing"
    taken(run, 4)
    assert bits(run) == then
    assert run.history.epochs == [0, 1, 2, 3, 4, 5, 6]


def test_playing_is_stepping():
    run, other = run_of(), run_of()
    run.play()
    until(lambda: run.now.epoch >= 5)
    run.play(False)
    time.sleep(0.05)
    taken(other, run.now.epoch)
    assert bits(run) == bits(other)
    run.end()


def test_a_pace_is_kept():
    run = taken(run_of(), 1)
    run.play(True, pace=20)
    start, first = time.monotonic(), run.now.epoch
    until(lambda: run.now.epoch >= first + 10)
    assert time.monotonic() - start > 0.3
    assert 5 < run.speed < 25
    run.end()


def test_an_edited_weight_is_learnt_on_from():
    run = taken(run_of(), 3)
    before = run.now.loss
    run.edit("W1[2,1]", 5)
    assert value_of(run.parameters_of(run.now), "W1[2,1]") == 5
    assert (run.now.epoch, run.playing) == (3, False)
    assert run.now.loss != before
    run.step("epoch")
    assert value_of(run.parameters_of(run.now), "W1[2,1]") != 5
    run.seek(3)
    assert value_of(run.parameters_of(run.now), "W1[2,1]") == 5, "the history has the edited weight"


@pytest.mark.parametrize("name", ["W9[1,1]", "W1[0,1]", "W1[5,1]", "W1[1]", "W1", "", "W1[a,b]", "b1[1,1]"])
def test_entries_that_are_none(name):
    run = run_of()
    with pytest.raises(ArgumentError, match="a weight must be an entry of W1, b1, W2, b2"):
        run.edit(name, 1.0)


@pytest.mark.parametrize("value", [None, "1", True, float("nan"), float("inf"), 1e300])
def test_values_that_are_none(value):
    with pytest.raises(ArgumentError, match="must be a finite number"):
        set_entry(run_of().parameters_of(run_of().now), "W1[1,1]", value)


def test_an_initialisation_is_kept():
    run = run_of()
    first = bits(run)
    taken(run, 2)
    run.restart()
    assert (bits(run), run.now.epoch, run.history.epochs) == (first, 0, [0])
    run.edit("W1[1,1]", 0.25)
    run.keep()
    taken(run, 2)
    run.restart()
    assert value_of(run.parameters_of(run.now), "W1[1,1]") == 0.25


def test_another_learning_rate_goes_on():
    run = run_of()
    run.play()
    until(lambda: run.now.epoch > 2)
    run.rate(1e-9)
    until(lambda: run.speed > 0)
    before = run.now.epoch
    until(lambda: run.now.epoch > before + 2)
    one = run.now
    until(lambda: run.now.epoch > one.epoch)
    two = run.now
    moved = max(
        float(np.abs(a - b).max())
        for a, b in zip(*(jax.tree.leaves(m.state.parameters) for m in (one, two)), strict=True)
    )
    assert moved < 1e-5
    run.end()


def test_a_run_that_diverges_stops_and_says_so():
    run = run_of(
        Setup(Points("plane", 100), hidden=(8,), activation="relu", optimizer="sgd", learning_rate=1e3)
    )
    run.play()
    until(lambda: not run.playing)
    assert run.now.diverged
    with pytest.raises(ArgumentError, match="no longer is"):
        run.play()
    run.seek(0)
    run.play()
    run.end()


def test_the_code_learns_the_same(tmp_path):
    run = taken(run_of(), 5)
    names = {}
    exec(exports.python_code(run, ("y",), ""), names)
    for mine, theirs in zip(
        jax.tree.leaves(run.parameters_of(run.now)), jax.tree.leaves(names["model"].members_), strict=True
    ):
        np.testing.assert_allclose(mine, theirs[0], rtol=1e-5, atol=1e-6)


def test_the_code_of_a_table_learns_the_same(tmp_path, monkeypatch):
    table = pl.DataFrame({"a": np.arange(60.0) % 7, "b": ["x", "y", None] * 20}).with_columns(
        c=pl.col("a") * 2 + (pl.col("b") == "x").fill_null(False)
    )
    table.write_csv(tmp_path / "t.csv")
    monkeypatch.chdir(tmp_path)
    from chainrule.page.setup import Columns

    setup = Setup(
        Columns("1", ("c",)), hidden=(4,), validation=0.0, l2=0.01, optimizer="sgd", learning_rate=0.01
    )
    run = taken(Run(setup, problem_of(chainrule.read_table("t.csv"), ["c"])), 3)
    names = {}
    exec(exports.python_code(run, ("c",), "t.csv"), names)
    for mine, theirs in zip(
        jax.tree.leaves(run.parameters_of(run.now)), jax.tree.leaves(names["model"].members_), strict=True
    ):
        np.testing.assert_allclose(mine, theirs[0], rtol=1e-5, atol=1e-6)


@pytest.mark.parametrize("epochs", [0, 3])
def test_the_exported_model_predicts_what_is_shown(epochs, tmp_path):
    run = taken(run_of(), epochs)
    (tmp_path / "m.chainrule").write_bytes(exports.model_file(run, ("y",)))
    model = chainrule.load(tmp_path / "m.chainrule")
    assert model.about_["target"] == ["y"]
    x = model.encoded(run.problem.X)
    raw = np.asarray(run.network.forward(run.parameters_of(run.now), x))[:, 0]
    np.testing.assert_array_equal(model.predict(run.problem.X), np.where(raw > 0, "b", "a"))


def test_a_trained_model_goes_on(tmp_path):
    table = classic_table("hills", 300)
    model = chainrule.DeepRegressor((8,), max_iter=5, random_state=0).fit(table.drop("y"), table["y"])
    from chainrule.page.session import HeldModel, HeldTable, Session

    session = Session(HeldTable("hills.csv", table, ("y",)), HeldModel("m", model))
    _, watched = session.begin(session.start.to_dict())
    run = watched.run
    own = jax.tree.map(lambda leaf: leaf[0], model.members_)
    for mine, theirs in zip(jax.tree.leaves(run.parameters_of(run.now)), jax.tree.leaves(own), strict=True):
        np.testing.assert_array_equal(mine, theirs)
    before = run.now.loss
    taken(run, 10)
    assert run.now.loss < before
    assert watched.frames.frame()["columns"][0]["name"] == "e", "its columns are told in bins"
    session.close()
    assert model.n_members_ == 5, "the model itself stays as it was"

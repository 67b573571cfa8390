"""The schedule runs again, twice as long, as long as there is more to learn."""

from itertools import pairwise
from time import perf_counter

import numpy as np
import pytest

from chainrule import Network, train
from chainrule.training import loop
from chainrule.training.folds import Folds
from chainrule.training.loop import train_members
from chainrule.training.schedules import Schedule

NUMBERS = np.random.default_rng(0)
X = NUMBERS.normal(size=(64, 3)).astype(np.float32)
Y = (X @ np.array([[1.0], [-2.0], [0.5]], np.float32)).astype(np.float32)
NOISE = NUMBERS.normal(size=(64, 1)).astype(np.float32)
LINEAR, WIDE = Network((3, 1)), Network((3, 64, 1), "tanh")
LEARN, JUDGE = slice(0, 48), slice(48, 64)
OPTIONS = {"optimizer": "sgd", "learning_rate": 1e-3, "batch_size": 16}


def run(network, y, judge=JUDGE, **options):
    """The epochs of a training that is judged by rows of its own."""
    return list(train(network, X[LEARN], y[LEARN], validation=(X[judge], y[judge]), **{**OPTIONS, **options}))


@pytest.mark.parametrize(("cycles", "epochs"), [(1, 3), (2, 3 + 6), (3, 3 + 6 + 12)])
def test_another_cycle_twice_as_long_follows_where_there_is_more_to_learn(cycles, epochs):
    """The rows that judge are some of those that are learnt, after each epoch: their loss is below."""
    records = run(LINEAR, Y, judge=slice(0, 48), epochs=3, cycles=cycles)
    assert [record.number for record in records] == list(range(1, epochs + 1))
    assert records[2].validation_loss <= records[2].loss


def test_none_follows_where_the_network_over_fits():
    records = run(WIDE, NOISE, optimizer="adam", learning_rate=0.05, epochs=40, cycles=3)
    assert records[-1].validation_loss > records[-1].loss
    assert len(records) == 40


@pytest.mark.parametrize(("short", "epochs"), [(6, 2 + 4), (5, 2)])
def test_one_follows_a_short_first_cycle_that_ends_at_its_least(monkeypatch, short, epochs):
    """Rows that are far off: their loss falls from epoch to epoch, and stays above that of the others."""
    monkeypatch.setattr(loop, "_SHORT", short)
    y = Y + np.where(np.arange(64)[:, None] < 48, 0, 3).astype(np.float32)
    records = run(LINEAR, y, epochs=2, cycles=3)
    losses = [record.validation_loss for record in records]
    assert losses[1] > records[1].loss
    assert losses[1] == min(losses[:2])
    assert len(records) == epochs


def test_none_follows_without_rows_that_judge():
    assert len(list(train(LINEAR, X, Y, epochs=2, cycles=3, **OPTIONS))) == 2


def judged_by(x, y, network=LINEAR, **options):
    """From W = 0 on, after two epochs about 2/5 and after six 4/5 of the way to what is right."""
    p = network.initialize(0)[0]
    start = (p._replace(W=np.zeros_like(p.W)),)
    options = {**OPTIONS, "learning_rate": 0.04, "epochs": 2, "cycles": 3, **options}
    return list(train(network, X, Y, validation=(x, y), parameters=start, **options))


def test_one_follows_a_cycle_that_gained_a_tenth():
    doubtful = 0.8 * Y + np.resize([[0.7], [-0.7]], Y.shape)
    records = judged_by(X, doubtful)
    assert records[1].validation_loss <= records[1].loss
    assert records[5].validation_loss > records[5].loss
    assert records[5].validation_loss <= 0.9 * records[1].validation_loss
    assert len(records) == 2 + 4 + 8


def test_none_follows_a_cycle_that_gained_little():
    records = judged_by(np.zeros((2, 3)), np.array([[1.4], [-1.4]]))
    assert records[1].validation_loss <= records[1].loss
    assert records[5].validation_loss > max(records[5].loss, 0.9 * records[1].validation_loss)
    assert len(records) == 2 + 4


def test_a_loss_below_0_gains_by_going_down():
    """The same losses, 100 less: nothing that is learnt gains a tenth of them."""
    less = (lambda y_hat, y: ((y_hat - y) ** 2 - 100).sum(axis=1), lambda y_hat, y: 2 * (y_hat - y))
    records = judged_by(np.zeros((2, 3)), np.array([[1.4], [-1.4]]), Network((3, 1), loss=less))
    assert records[5].validation_loss < 0
    assert len(records) == 2 + 4


def test_the_schedule_begins_again():
    """A rate that is 0 but in the first half of a cycle: where it is 0, nothing moves."""
    first_half = Schedule("first half", lambda t: (t < 0.5).astype(t.dtype), "", "")
    records = run(LINEAR, Y, judge=slice(0, 48), epochs=2, cycles=2, schedule=first_half)
    assert len(records) == 2 + 4
    W = [np.asarray(record.parameters[0].W) for record in records]
    moves = [bool((one != other).any()) for one, other in pairwise(W)]
    assert moves == [False, True, True, False, False]


def test_members_go_on_together():
    folds = Folds.same(2, np.arange(64), np.arange(64))
    records = list(train_members(LINEAR, X, Y, folds, epochs=2, cycles=3, **OPTIONS))
    assert len(records) == 2 + 4 + 8


def test_a_deadline_is_kept_in_a_later_cycle():
    folds = Folds.same(2, np.arange(64), np.arange(64))
    options = {**OPTIONS, "learning_rate": 1e-6, "epochs": 3}
    list(train_members(LINEAR, X, Y, folds, **options))  # compiled
    start = perf_counter()
    records = list(train_members(LINEAR, X, Y, folds, cycles=30, deadline=start + 0.5, **options))
    assert len(records) > 3
    assert perf_counter() - start < 2


def test_a_past_deadline_ends_the_first_cycle_and_starts_no_other():
    folds = Folds.same(2, np.arange(64), np.arange(64))
    options = {**OPTIONS, "epochs": 3, "cycles": 3, "deadline": perf_counter() - 1}
    assert len(list(train_members(LINEAR, X, Y, folds, **options))) == 1

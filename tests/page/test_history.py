"""What a run keeps of its past."""

import jax.numpy as jnp
import pytest

from chainrule.page import history as histories
from chainrule.page.history import History, Moment


def moment(epoch, **changes):
    return Moment(epoch, (jnp.zeros(10),), 1 / (epoch + 1), 2 / (epoch + 1))._replace(**changes)


def filled(epochs):
    history = History(moment(0))
    for epoch in range(1, epochs + 1):
        history.add(moment(epoch))
    return history


def test_every_epoch_is_there_while_there_is_room():
    history = filled(50)
    assert history.epochs == list(range(51))
    assert history.before(20).epoch == 20
    assert history.newest.epoch == 50


def test_moments_stay_evenly_spread_where_there_is_none(monkeypatch):
    monkeypatch.setattr(histories, "_MOST", 8)
    history = filled(101)
    apart = {b - a for a, b in zip(history.epochs[:-2], history.epochs[1:-1], strict=True)}
    assert len(apart) == 1
    assert 5 <= len(history.epochs) <= 10
    assert history.epochs[0] == 0
    assert history.epochs[-1] == 101, "the newest is always there"
    assert history.before(100).epoch <= 100


def test_room_is_counted_in_bytes(monkeypatch):
    monkeypatch.setattr(histories, "_ROOM", 4 * moment(0).state[0].nbytes)
    assert len(filled(64).epochs) <= 5


def test_what_came_after_is_forgotten():
    history = filled(30)
    history.cut(history.before(10))
    assert history.epochs == list(range(11))
    losses, validated = history.losses()
    assert len(losses) == len(validated) == 10
    history.add(moment(11, loss=5.0))
    assert history.losses()[0][-1] == 5.0
    assert [epoch for epoch, *_ in history.curve(100)] == list(range(12))


def test_a_curve_is_thinned():
    told = list(filled(1000).curve(40))
    assert len(told) <= 40
    assert told[0][0] == 0
    assert told[-1] == (1000, pytest.approx(1 / 1001), pytest.approx(2 / 1001))

"""Members as folds: who learns from what, and that each member learns as a network alone does."""

import jax
import numpy as np
import pytest

from chainrule import Network, train
from chainrule.errors import ArgumentError
from chainrule.network.embedding_layers import Rescale
from chainrule.training.folds import Folds
from chainrule.training.loop import initial, train_members

ROWS = 90
NETWORK = Network((3, 8, 1), "tanh")


@pytest.fixture(scope="module")
def table():
    numbers = np.random.default_rng(0)
    x = numbers.normal(size=(ROWS, 3)).astype(np.float32)
    return x, np.sin(x[:, :1]) + x[:, 1:2], numbers.uniform(0.5, 2, ROWS)


def test_crossed_folds_leave_out_each_row_once_in_each_round():
    rounds = [np.arange(10) % 3, np.arange(10) % 2]
    folds = Folds.crossed(rounds)
    assert folds.members == 5
    for learn, judge in zip(folds.learn, folds.judge, strict=True):
        np.testing.assert_array_equal(np.sort(np.concatenate([learn, judge])), np.arange(10))
    assert np.bincount(np.concatenate(folds.judge)).tolist() == [2] * 10
    np.testing.assert_array_equal(folds.judged, np.arange(10))


def test_the_same_folds_for_all():
    folds = Folds.same(2, np.arange(3), np.arange(3, 5))
    np.testing.assert_array_equal(folds.judged, [3, 4])
    assert Folds.same(2, np.arange(3)).judged.size == 0


def test_judges_are_the_members_that_did_not_learn_a_row():
    folds = Folds.crossed([np.array([0, 1, 0]), np.array([0, 0, 1])])
    np.testing.assert_array_equal(folds.judges, [[0, 1, 0], [2, 2, 3]])
    np.testing.assert_array_equal(Folds.same(2, np.arange(2), np.array([2, 3])).judges, [[0, 0], [1, 1]])


def test_some_members_and_all_of_them_twice():
    folds = Folds.crossed([np.arange(6) % 3])
    twice = folds.twice()
    assert twice.members == 6
    np.testing.assert_array_equal(twice.judges, [[0, 1, 2, 0, 1, 2], [3, 4, 5, 3, 4, 5]])
    assert twice.taken(slice(3, None)) == folds
    assert Folds.same(2, np.arange(3)).twice().taken(slice(1)).judge == ()


def test_a_member_learns_as_a_network_alone(table):
    x, y, weight = table
    folds = Folds.crossed([np.arange(ROWS) % 3])
    options = {"optimizer": "adam", "learning_rate": 0.01, "batch_size": 16, "epochs": 4, "shuffle": False}
    *_, together = train_members(NETWORK, x, y, folds, weight=weight, **options)
    starts = initial(NETWORK, 0, 3, x, folds)
    for k, (learn, judge) in enumerate(zip(folds.learn, folds.judge, strict=True)):
        *_, alone = train(
            NETWORK,
            x[learn],
            y[learn],
            # A member's weights have mean 1 over all rows, not over its own.
            weight=weight[learn],
            validation=(x[judge], y[judge], weight[judge]),
            parameters=jax.tree.map(lambda p, k=k: p[k], starts),
            **options,
        )
        for ours, theirs in zip(
            jax.tree.leaves(together.parameters), jax.tree.leaves(alone.parameters), strict=True
        ):
            np.testing.assert_allclose(ours[k], theirs, rtol=2e-3, atol=2e-4)


def test_members_begin_differently_and_the_first_as_a_network_alone():
    x = np.zeros((4, 3), np.float32)
    W = np.asarray(initial(NETWORK, 7, 3, x, Folds.same(3, np.arange(4)))[0].W)
    np.testing.assert_array_equal(W[0], NETWORK.initialize(7)[0].W)
    assert (W[0] != W[1]).all()
    assert (W[1] != W[2]).all()


def test_members_begin_by_the_rows_that_all_of_them_learn(table):
    x, y, _ = table
    network = Network((3, 4, 1), embedding=[(3, Rescale(standardize=True))])
    x = np.concatenate([x, 1000 + x[:30]])  # rows that only judge
    folds = Folds.same(2, np.arange(ROWS), np.arange(ROWS, ROWS + 30))
    y = np.concatenate([y, y[:30]])
    (record,) = train_members(network, x, y, folds, learning_rate=1e-9, epochs=1)
    for k in range(2):
        p = jax.tree.map(lambda leaf, k=k: leaf[k], record.parameters[0][0])
        z = np.asarray(p.stretch) * x[:ROWS] + np.asarray(p.offset)
        np.testing.assert_allclose(z.mean(axis=0), 0, atol=0.02)
        np.testing.assert_allclose(z.std(axis=0), 1, rtol=0.02)


def test_same_seed_same_bits(table):
    x, y, _ = table
    folds = Folds.crossed([np.arange(ROWS) % 3])

    def bits(seed):
        *_, last = train_members(NETWORK, x, y, folds, epochs=3, seed=seed)
        return [np.asarray(leaf).tobytes() for leaf in jax.tree.leaves(last.best_parameters)]

    assert bits(1) == bits(1)
    assert bits(1) != bits(2)


def test_each_member_keeps_its_own_best_epoch(table):
    """The best of each member judges its rows no worse than the last epoch does."""
    x, y, _ = table
    folds = Folds.crossed([np.arange(ROWS) % 3])
    *_, last = train_members(NETWORK, x, y, folds, epochs=30, learning_rate=0.3)
    for k, judge in enumerate(folds.judge):
        best, now = (
            float(NETWORK.evaluate(jax.tree.map(lambda p, k=k: p[k], p), x[judge], y[judge]))
            for p in (last.best_parameters, last.parameters)
        )
        assert best <= now * (1 + 1e-5)
        assert best == pytest.approx(float(last.state.best_loss[k]), rel=1e-4)


def test_a_deadline_is_kept_and_the_schedule_ends(table):
    from time import perf_counter

    x, y, _ = table
    folds = Folds.crossed([np.arange(ROWS) % 3])
    list(train_members(NETWORK, x, y, folds, epochs=2))  # compiled
    start = perf_counter()
    epochs = list(train_members(NETWORK, x, y, folds, epochs=100_000, deadline=start + 1.0))
    assert 1 < len(epochs) < 100_000
    assert perf_counter() - start < 3


def test_parameters_of_another_network_are_refused(table):
    x, y, _ = table
    others = initial(Network((3, 4, 1)), 0, 2, x, Folds.same(2, np.arange(ROWS)))
    with pytest.raises(ArgumentError, match="must be those of this network"):
        train_members(NETWORK, x, y, Folds.same(2, np.arange(ROWS)), parameters=others)


def test_a_member_may_have_no_rows_for_the_last_step_of_others(table):
    x, y, _ = table
    folds = Folds((np.arange(32), np.arange(33)), (np.arange(33, 60), np.arange(33, 60)))
    *_, last = train_members(NETWORK, x, y, folds, epochs=2, batch_size=16)
    assert not last.diverged
    assert last.number == 2
    assert np.isfinite(last.loss)

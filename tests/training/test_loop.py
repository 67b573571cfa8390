from collections.abc import Iterator
from types import GeneratorType

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from chainrule import Network, train
from chainrule.errors import ArgumentError
from chainrule.training.epoch import begin, run_epoch
from chainrule.training.optimizers import OPTIMIZERS

NETWORK = Network((3, 5, 1), "tanh")


@pytest.fixture(scope="module")
def table():
    numbers = np.random.default_rng(0)
    x = numbers.normal(size=(60, 3)).astype(np.float32)
    return x, np.sin(x[:, :1]) + x[:, 1:2]


def same(one, other):
    return all(
        np.array_equal(a, b) for a, b in zip(jax.tree.leaves(one), jax.tree.leaves(other), strict=True)
    )


def test_yields_a_record_after_each_epoch(table):
    run = train(NETWORK, *table, epochs=4)
    assert isinstance(run, GeneratorType | Iterator)
    records = list(run)
    assert [record.number for record in records] == [1, 2, 3, 4]
    assert all(record.validation_loss is None for record in records)
    assert all(record.improved and not record.diverged and record.seconds > 0 for record in records)
    assert not same(records[0].parameters, records[1].parameters)
    assert same(records[0].best_parameters, records[0].parameters)
    assert [p.shape for p in jax.tree.leaves(records[0].parameters)] == [(5, 3), (5,), (1, 5), (1,)]


def test_a_loop_may_end_it_at_any_time(table):
    for record in train(NETWORK, *table, epochs=1000):
        if record.number == 3:
            break
    assert record.number == 3


def test_best_parameters_are_those_of_the_least_validation_loss(table):
    x, y = table
    # Noise to learn by heart: the validation loss falls, then rises.
    noisy = y + np.random.default_rng(1).normal(size=y.shape)
    run = train(
        NETWORK, x[:20], noisy[:20], validation=(x[20:], y[20:]), learning_rate=0.05, batch_size=4, epochs=80
    )
    records = list(run)
    losses = [record.validation_loss for record in records]
    best = int(np.argmin(losses))
    assert best < len(records) - 1
    assert same(records[-1].best_parameters, records[best].parameters)
    least = np.minimum.accumulate(losses)
    assert [record.improved for record in records] == [
        bool(loss <= low) for loss, low in zip(losses, least, strict=True)
    ]


def test_without_validation_the_last_epoch_is_the_best(table):
    *_, last = train(NETWORK, *table, learning_rate=0.5, epochs=5)
    assert same(last.parameters, last.best_parameters)


def test_patience_ends_the_training(table):
    x, y = table
    noise = np.random.default_rng(2).normal(size=y.shape)
    run = train(NETWORK, x, noise, validation=(x[::-1], noise), epochs=500, patience=4)
    losses = [record.validation_loss for record in run]
    assert len(losses) < 500
    assert min(losses[-4:]) >= min(losses[:-4])
    assert losses[-5] == min(losses)


def test_tol_asks_for_more(table):
    assert len(list(train(NETWORK, *table, epochs=50, patience=3, tol=1e3))) == 4
    assert len(list(train(NETWORK, *table, epochs=6, patience=3))) == 6


def test_same_seed_same_bits_other_seed_other_bits(table):
    network = Network((3, 5, 1), "tanh", dropout=0.2)
    runs = [list(train(network, *table, epochs=3, batch_size=16, seed=seed))[-1] for seed in (7, 7, 8)]
    assert same(runs[0].parameters, runs[1].parameters)
    assert runs[0].loss == runs[1].loss
    assert not same(runs[0].parameters, runs[2].parameters)


def test_the_order_of_the_rows_depends_on_the_seed_alone(table):
    start = NETWORK.initialize(0)
    runs = [
        list(train(NETWORK, *table, parameters=start, epochs=2, batch_size=16, seed=seed, shuffle=shuffle))[
            -1
        ]
        for seed, shuffle in ((1, True), (2, True), (1, False), (2, False))
    ]
    assert not same(runs[0].parameters, runs[1].parameters)
    assert same(runs[2].parameters, runs[3].parameters)


def test_going_on_from_a_state_equals_going_on(table):
    settings = {"optimizer": "adam", "shuffle": False, "batch_size": 16}
    whole = list(train(NETWORK, *table, epochs=6, **settings))
    first = list(train(NETWORK, *table, epochs=3, **settings))
    second = list(train(NETWORK, *table, epochs=3, state=first[-1].state, **settings))
    assert same(whole[-1].parameters, second[-1].parameters)
    assert [r.loss for r in whole] == [r.loss for r in first + second]
    fresh = list(train(NETWORK, *table, epochs=3, parameters=first[-1].parameters, **settings))
    assert not same(whole[-1].parameters, fresh[-1].parameters)  # Adam's memory is part of the state


def test_an_interruption_leaves_no_trace(table):
    settings = {"epochs": 6, "batch_size": 16, "seed": 3}
    whole = list(train(NETWORK, *table, **settings))
    second = list(train(NETWORK, *table, state=whole[2].state, after=3, **settings))
    assert [record.number for record in second] == [4, 5, 6]
    assert same(whole[-1].parameters, second[-1].parameters), "the rows are shuffled as they would have been"
    for wrong in (-1, 6, 1.5):
        with pytest.raises(ArgumentError, match="after must be a whole number from 0 to below epochs, 6"):
            train(NETWORK, *table, after=wrong, **settings)


def test_a_run_that_diverges_ends_and_keeps_the_best(table):
    x, y = table
    # A linear network in one full batch: a rate above 2 / curvature doubles the distance in each step.
    settings = {"optimizer": "sgd", "learning_rate": 1.5, "batch_size": len(x), "epochs": 500}
    for held_out in (None, (x, y)):
        records = list(train(Network((3, 1)), x, y, validation=held_out, **settings))
        assert 10 < len(records) < 500
        assert [record.diverged for record in records] == [False] * (len(records) - 1) + [True]
        assert not records[-1].improved
        best = records[-1].best_parameters
        assert all(np.isfinite(p).all() for p in jax.tree.leaves(best))
        assert same(best, records[0 if held_out else -2].parameters)


def test_lbfgs_reaches_the_least_squares_solution():
    numbers = np.random.default_rng(3)
    x = numbers.normal(size=(50, 4)) * [1, 2, 0.5, 1]
    y = x @ numbers.normal(size=(4, 2)) + [1, -2] + 0.3 * numbers.normal(size=(50, 2))
    weight = numbers.uniform(0.5, 2, 50)
    *_, last = train(Network((4, 2)), x, y, weight=weight, optimizer="lbfgs", epochs=40)
    design = np.hstack([x, np.ones((50, 1))])
    root = np.sqrt(weight)[:, None]
    solution = np.linalg.lstsq(root * design, root * y, rcond=None)[0]
    np.testing.assert_allclose(last.parameters[0].W, solution[:-1].T, atol=1e-4)
    np.testing.assert_allclose(last.parameters[0].b, solution[-1], atol=1e-4)


def test_row_counts_of_one_padded_size_share_a_program():
    network = Network((2, 3, 1), "softsign")
    x, y = np.zeros((101, 2)), np.zeros((101, 1))
    before = run_epoch._cache_size()
    for rows in (100, 101):
        for seed in (0, 1):
            list(
                train(
                    network,
                    x[:rows],
                    y[:rows],
                    validation=(x[: rows // 5], y[: rows // 5]),
                    epochs=3,
                    seed=seed,
                )
            )
    for epochs in (2, 5):
        list(train(network, x, y, validation=(x[:20], y[:20]), epochs=epochs, learning_rate=0.01 * epochs))
    assert run_epoch._cache_size() == before + 1


@pytest.mark.parametrize("optimizer", OPTIMIZERS)
def test_an_epoch_returns_the_types_it_takes(optimizer):
    """Else its second call would compile a second program."""
    (record,) = train(NETWORK, X, Y, optimizer=optimizer, epochs=1)
    before = begin(record.program, NETWORK.initialize(0))

    def types(state):
        return [(leaf.shape, leaf.dtype, jnp.asarray(leaf).weak_type) for leaf in jax.tree.leaves(state)]

    assert types(before) == types(record.state)


X, Y = np.zeros((4, 3)), np.zeros((4, 1))


@pytest.mark.parametrize(
    ("wrong", "sentence"),
    [
        ({"learning_rate": 0}, "learning_rate must be a number above 0; got 0"),
        ({"learning_rate": "fast"}, "learning_rate must be a number"),
        ({"learning_rate": np.nan}, "learning_rate must be a number"),
        ({"weight_decay": -1}, "weight_decay must be a number of 0 or more; got -1"),
        ({"max_norm": 0}, "max_norm must be a number above 0, or None"),
        ({"max_norm": "1"}, "max_norm must be a number above 0, or None"),
        ({"batch_size": 0}, "batch_size must be a whole number"),
        ({"batch_size": 2.0}, "batch_size must be a whole number"),
        ({"epochs": 0}, "epochs must be a whole number"),
        ({"epochs": None}, "epochs must be a whole number"),
        ({"patience": 0}, "patience must be a whole number"),
        ({"patience": 1.5}, "patience must be a whole number"),
        ({"cycles": 0}, "cycles must be a whole number of at least 1; got 0"),
        ({"cycles": 1.5}, "cycles must be a whole number"),
        ({"cycles": None}, "cycles must be a whole number"),
        ({"rates": "own"}, "rates must be 'equal' or 'by_kind'; got 'own'"),
        ({"rates": None}, "rates must be 'equal' or 'by_kind'"),
        ({"tol": -1e-3}, "tol must be a number of 0 or more"),
        ({"tol": None}, "tol must be a number of 0 or more"),
        ({"seed": -1}, "seed must be"),
        ({"seed": 2**32}, "seed must be"),
        ({"seed": 0.5}, "seed must be"),
        ({"optimizer": "best"}, "optimizer must be one of"),
        ({"schedule": "best"}, "schedule must be one of"),
        ({"optimizer": "lbfgs", "max_norm": 1.0}, "max_norm must be None for lbfgs"),
        ({"optimizer": "lbfgs", "weight_decay": 0.1}, "weight_decay must be 0 for lbfgs"),
        ({"optimizer": "lbfgs", "schedule": "cosine"}, "schedule must be constant for lbfgs"),
        ({"weight": [1, 1, 1]}, "weight"),
        ({"weight": [1, 1, 1, -1]}, "weight must be finite and 0 or more"),
        ({"weight": [0, 0, 0, 0]}, "more than 0 in at least one row"),
        ({"weight": [1, 1, 1, np.inf]}, "weight must be finite"),
        ({"x": np.zeros((4, 2))}, r"x must have shape \(rows, 3\)"),
        ({"x": np.zeros((5, 3))}, "got"),
        ({"x": np.zeros((0, 3)), "y": np.zeros((0, 1))}, "one row or more"),
        ({"y": np.zeros((4, 2))}, r"y \(rows, 1\)"),
        ({"x": np.full((4, 3), np.nan)}, "x and y must be finite"),
        ({"y": np.full((4, 1), np.inf)}, "x and y must be finite"),
        ({"validation": (X, Y[:3])}, "x must have shape"),
    ],
)
def test_wrong_arguments_are_refused_at_the_call(wrong, sentence):
    with pytest.raises(ArgumentError, match=sentence):
        train(NETWORK, **{"x": X, "y": Y, **wrong})


def test_whole_numbers_of_numpy_are_whole_numbers(table):
    (record,) = train(NETWORK, *table, batch_size=np.int64(20), epochs=np.int32(1), seed=np.uint8(3))
    assert record.loss > 0


def test_targets_of_one_column_may_be_flat(table):
    x, y = table
    flat, column = (list(train(NETWORK, x, targets, epochs=2))[-1] for targets in (y[:, 0], y))
    assert same(flat.parameters, column.parameters)


def test_what_belongs_to_another_training_is_refused_at_the_call():
    x, y = np.ones((4, 2)), np.ones((4, 1))
    network = Network((2, 3, 1))
    state = next(train(network, x, y)).state
    assert next(train(network, x, y, state=state)).number == 1
    for wrong in (
        {"state": state, "optimizer": "lion"},
        {"parameters": Network((2, 4, 1)).initialize()},
        {"validation": (x,)},
    ):
        with pytest.raises(ArgumentError, match=f"{next(iter(wrong))} must"):
            train(network, x, y, **wrong)
    with pytest.raises(ArgumentError, match="needs y ≥ 0; got -1 in row 1"):
        train(Network((2, 1), loss="poisson"), x, -y)

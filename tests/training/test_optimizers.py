import pickle

import jax
import jax.numpy as jnp
import numpy as np
import optax
import pytest

from chainrule import Network, train
from chainrule.errors import ArgumentError
from chainrule.training.optimizers import OPTIMIZERS, Optimizer, adam, find_optimizer, sgd

NETWORK = Network((3, 4, 1), "tanh")


@pytest.fixture(scope="module")
def table():
    numbers = np.random.default_rng(0)
    x = numbers.normal(size=(40, 3)).astype(np.float32)
    return x, np.sin(x[:, :1]) + x[:, 1:2]


@pytest.mark.parametrize("name", OPTIMIZERS)
def test_lowers_the_loss(name, table):
    rate = 0.01 if name == "lion" else None if name == "lbfgs" else 0.03
    losses = [
        e.loss for e in train(NETWORK, *table, optimizer=name, learning_rate=rate, batch_size=10, epochs=25)
    ]
    assert losses[-1] < 0.5 * losses[0]


# optax's whole optimizers, at learning rate 1: what is added to the parameters is minus our direction.
OPTAX = {
    "sgd": optax.sgd(1.0),
    "momentum": optax.sgd(1.0, momentum=0.9),
    "nesterov": optax.sgd(1.0, momentum=0.9, nesterov=True),
    "rmsprop": optax.rmsprop(1.0, decay=0.9),
    "adagrad": optax.adagrad(1.0),
    "adam": optax.adam(1.0),
    "adamw": optax.adamw(1.0, weight_decay=0.0),
    "nadam": optax.nadam(1.0),
    "lion": optax.lion(1.0, weight_decay=0.0),
}


@pytest.mark.parametrize("name", sorted(set(OPTIMIZERS) - {"lbfgs"}))
def test_directions_are_those_of_optax(name):
    numbers = np.random.default_rng(1)
    p = {"W": jnp.asarray(numbers.normal(size=(3, 2)), jnp.float32)}
    ours, theirs = OPTIMIZERS[name].direction, OPTAX[name]
    our_state, their_state = ours.init(p), theirs.init(p)
    for _ in range(4):
        g = {"W": jnp.asarray(numbers.normal(size=(3, 2)), jnp.float32)}
        direction, our_state = ours.update(g, our_state, p)
        update, their_state = theirs.update(g, their_state, p)
        np.testing.assert_allclose(direction["W"], -update["W"], rtol=1e-6)


def test_only_adamw_and_lion_decay_by_default():
    assert {name: o.weight_decay for name, o in OPTIMIZERS.items() if o.weight_decay} == {
        "adamw": 1e-2,
        "lion": 1e-2,
    }
    assert [name for name, o in OPTIMIZERS.items() if o.full_batch] == ["lbfgs"]


def test_an_optax_transformation_gives_what_optax_gives_by_hand(table):
    x, y = table
    parameters = NETWORK.initialize(seed=3)
    transformation = optax.adamw(optax.exponential_decay(0.02, 5, 0.5), weight_decay=0.1)
    run = train(
        NETWORK, x, y, parameters=parameters, optimizer=transformation, batch_size=10, epochs=3, shuffle=False
    )
    (*_, last) = run
    memory = transformation.init(parameters)
    for _ in range(3):
        for rows in np.arange(40).reshape(4, 10):
            _, gradients = NETWORK.backward(parameters, x[rows], y[rows])
            update, memory = transformation.update(gradients, memory, parameters)
            parameters = optax.apply_updates(parameters, update)
    for ours, theirs in zip(jax.tree.leaves(last.parameters), jax.tree.leaves(parameters), strict=True):
        np.testing.assert_allclose(ours, theirs, rtol=1e-4, atol=1e-6)


def test_an_optax_transformation_refuses_another_learning_rate(table):
    with pytest.raises(ArgumentError, match="learning_rate and weight_decay must be left to an optax"):
        train(NETWORK, *table, optimizer=optax.sgd(0.1), learning_rate=0.1)
    with pytest.raises(ArgumentError, match="learning_rate and weight_decay must be left to an optax"):
        train(NETWORK, *table, optimizer=optax.sgd(0.1), weight_decay=0.1)


def test_the_same_transformation_is_one_record():
    transformation = optax.adam(1e-3)
    assert find_optimizer(transformation) is find_optimizer(transformation)
    assert find_optimizer(transformation) != find_optimizer(optax.adam(1e-3))


@pytest.mark.parametrize(
    ("text", "record"),
    [
        ("sgd(0.9)", sgd(0.9)),
        ("sgd(0.9, 1)", sgd(0.9, nesterov=True)),
        ("sgd(0.9, 0)", sgd(0.9)),
        ("sgd()", sgd()),
        ("adam(0.8, 0.99, 1e-6)", adam(0.8, 0.99, 1e-6)),
        ("adam(0.8)", adam(0.8)),
        ("adam", OPTIMIZERS["adam"]),
    ],
)
def test_names_with_numbers(text, record):
    assert find_optimizer(text) == record


def test_find_returns_records_as_they_are():
    own = Optimizer("mine", optax.identity(), 0.1, "here")
    assert find_optimizer(own) is own


@pytest.mark.parametrize(
    ("wrong", "sentence"),
    [
        ("sgdd", "Did you mean 'sgd'"),
        ("sgd(1)", "momentum must be at least 0 and below 1; got 1.0"),
        ("sgd(-0.1)", "momentum must be"),
        ("sgd(0, 1)", "nesterov must come with a momentum"),
        ("sgd(0.9, 1, 2)", "as many numbers"),
        ("sgd(a)", "numbers between its brackets"),
        ("adam(1)", "beta_1 must be"),
        ("adam(0.9, -1)", "beta_2 must be"),
        ("adam(0.9, 0.999, 0)", "epsilon must be above 0"),
        ("sgd(nan)", "momentum must be"),
        (3, "got 3"),
        (None, "got None"),
    ],
)
def test_wrong_names_and_numbers_are_refused(wrong, sentence):
    with pytest.raises(ArgumentError, match=sentence):
        find_optimizer(wrong)


@pytest.mark.parametrize("optimizer", [*OPTIMIZERS.values(), sgd(0.5), sgd(0.5, nesterov=True), adam(0.8)])
def test_pickles(optimizer):
    assert pickle.loads(pickle.dumps(optimizer)) == optimizer

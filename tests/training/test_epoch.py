"""An epoch is what the same steps give by hand: NumPy, optax and the network's public passes."""

import jax
import jax.numpy as jnp
import numpy as np
import optax
import pytest

from chainrule import Network, train
from chainrule.errors import ArgumentError
from chainrule.network.embedding_layers import Lookup, Periodic, PiecewiseLinear
from chainrule.network.parameters import map_matrices, named
from chainrule.training import batches
from chainrule.training.epoch import Counts, Program, begin, restored, run_epoch
from chainrule.training.optimizers import find_optimizer
from chainrule.training.schedules import SCHEDULES, find_schedule

ROWS, BATCH = 23, 5  # the last batch has 3 rows
EMBEDDING = [(1, Periodic(4, 3, 0.3)), (1, PiecewiseLinear(3, 2)), (1, Lookup((3,), 4))]


@pytest.fixture(scope="module")
def table():
    numbers = np.random.default_rng(0)
    x = numbers.normal(size=(ROWS, 3)).astype(np.float32)
    y = (np.sin(x[:, :1]) + x[:, 1:2] + 0.1 * numbers.normal(size=(ROWS, 1))).astype(np.float32)
    return x, y, numbers.uniform(0.2, 3, ROWS).astype(np.float32)


def by_hand(
    network, table, *, optimizer, rate, epochs, decay=0.0, max_norm=None, schedule="constant", seed=0
):
    """The steps of train(), one after the other; returns parameters and the loss of each epoch."""
    x, y, weight = table
    weight = weight / weight.mean()
    parameters = network.initialize(seed)
    memory = optimizer.init(parameters)
    steps = -(-ROWS // BATCH)
    losses, step = [], 0
    for number in range(1, epochs + 1):
        order, total = np.random.default_rng((seed, number)).permutation(ROWS), 0.0
        for start in range(0, ROWS, BATCH):
            rows = order[start : start + BATCH]
            # Σ wᵣ ℓᵣ / rows: weights have mean 1 over the table, not over the batch.
            loss, gradients, _, _ = network.objective(
                parameters, *map(jnp.asarray, (x[rows], y[rows], weight[rows], np.float32(len(rows))))
            )
            if max_norm is not None:
                norm = np.sqrt(
                    sum(float((np.asarray(g, np.float64) ** 2).sum()) for g in jax.tree.leaves(gradients))
                )
                shrink = min(1, max_norm / norm)
                gradients = jax.tree.map(lambda g, s=shrink: g * s, gradients)
            update, memory = optimizer.update(gradients, memory, parameters)
            now = rate * float(SCHEDULES[schedule].factor(jnp.float32(step / (epochs * steps))))
            shrunk = map_matrices(lambda W, now=now: W - now * decay * W, parameters)
            parameters = jax.tree.map(lambda p, u, now=now: p + now * u, shrunk, update)
            total, step = total + float(loss) * len(rows), step + 1
        losses.append(total / ROWS)
    return parameters, losses


@pytest.mark.parametrize(
    ("options", "settings"),
    [
        ({}, {"optimizer": "sgd", "rate": 0.05}),
        ({"l2": 0.1, "l1": 0.01}, {"optimizer": "sgd", "rate": 0.05}),
        ({}, {"optimizer": "adam", "rate": 0.01, "decay": 0.5}),
        ({"embedding": EMBEDDING}, {"optimizer": "adam", "rate": 0.01, "decay": 0.5}),
        ({}, {"optimizer": "sgd", "rate": 0.05, "max_norm": 0.3}),
        (
            {"layer_norm": True, "residual": True},
            {"optimizer": "momentum", "rate": 0.02, "schedule": "one_cycle"},
        ),
    ],
    ids=["plain", "penalties", "decay", "embedded", "clipped", "scheduled"],
)
def test_an_epoch_is_its_steps(table, options, settings):
    network = Network((3, 6, 6, 1), "tanh", **options)
    transformations = {"sgd": optax.sgd(1.0), "adam": optax.adam(1.0), "momentum": optax.sgd(1.0, 0.9)}
    hand = {**settings, "optimizer": transformations[settings["optimizer"]], "epochs": 3}
    parameters, losses = by_hand(network, table, **hand)
    epochs = list(
        train(
            network,
            *table[:2],
            weight=table[2],
            optimizer=settings["optimizer"],
            learning_rate=settings["rate"],
            schedule=settings.get("schedule", "constant"),
            weight_decay=settings.get("decay"),
            max_norm=settings.get("max_norm"),
            batch_size=BATCH,
            epochs=3,
        )
    )
    np.testing.assert_allclose([epoch.loss for epoch in epochs], losses, rtol=1e-5)
    for ours, theirs in zip(jax.tree.leaves(epochs[-1].parameters), jax.tree.leaves(parameters), strict=True):
        np.testing.assert_allclose(ours, theirs, rtol=1e-4, atol=2e-6)


def test_weight_decay_shrinks_matrices_and_spares_biases(table):
    network = Network((3, 4, 1), "relu")
    start = jax.tree.map(jnp.ones_like, network.initialize(0))
    x, y = np.zeros((8, 3), np.float32), np.zeros((8, 1), np.float32)
    # Targets equal to the outputs: the gradient is 0, and only the decay moves anything.
    y += float(network.forward(start, x)[0, 0])
    (epoch,) = train(
        network, x, y, parameters=start, optimizer="sgd", learning_rate=0.1, weight_decay=0.5, epochs=1
    )
    for affine in epoch.parameters:
        np.testing.assert_allclose(affine.W, 0.95)
        np.testing.assert_array_equal(affine.b, 1)


def test_weight_decay_spares_embeddings(table):
    network = Network((3, 4, 1), "relu", embedding=EMBEDDING)
    start = jax.tree.map(jnp.ones_like, network.initialize(0))
    x, y = np.zeros((8, 3), np.float32), np.zeros((8, 1), np.float32)
    y += float(network.forward(start, x)[0, 0])
    (epoch,) = train(
        network, x, y, parameters=start, optimizer="sgd", learning_rate=0.1, weight_decay=0.5, epochs=1
    )
    for name, array in named(epoch.parameters):
        if name in ("W1", "W2"):
            np.testing.assert_allclose(array, 0.95)
        else:
            np.testing.assert_array_equal(array, 1)


def test_dropout_draws_anew_in_each_step_and_is_off_in_validation(table):
    x, y, _ = table
    network = Network((3, 32, 1), dropout=0.5)
    run = train(
        network, x, y, validation=(x, y), optimizer="sgd", learning_rate=1e-12, batch_size=ROWS, epochs=3
    )
    epochs = list(run)
    assert len({epoch.loss for epoch in epochs}) == 3
    plain = float(network.evaluate(network.initialize(0), x, y))
    np.testing.assert_allclose([epoch.validation_loss for epoch in epochs], plain, rtol=1e-6)


def one_epoch(table, change=lambda part: part):
    network = Network((3, 4, 1), "tanh", "squared_error")
    program = Program(network, find_optimizer("adam"), find_schedule("constant"), None, BATCH)
    x, y, weight = table
    laid = batches.put(x, y, weight / weight.mean())
    laid = laid._replace(x=change(laid.x), y=change(laid.y))
    steps = -(-ROWS // BATCH)
    order = batches.order(np.arange(ROWS), laid.x.shape[0], BATCH, None)
    plan = np.array([0.01, 0.0, 0, 5], np.float32)
    counts = Counts(*map(np.int32, (steps, ROWS, 0, 1)))
    return run_epoch(program, begin(program, network.initialize(0)), laid, None, order, plan, counts)


def test_padding_rows_have_no_influence(table):
    first, again = one_epoch(table), one_epoch(table, lambda part: part.at[ROWS:].set(1e4))
    for ours, theirs in zip(jax.tree.leaves(first), jax.tree.leaves(again), strict=True):
        np.testing.assert_array_equal(ours, theirs)


@pytest.mark.parametrize("rows", [1, 255, 256, 300])
def test_validation_loss_is_the_plain_loss_of_the_rows(rows):
    numbers = np.random.default_rng(1)
    network = Network((2, 8, 2), loss="huber", l2=0.5, l1=0.5)
    x, y = numbers.normal(size=(rows, 2)), numbers.normal(size=(rows, 2))
    weight = numbers.uniform(0.1, 2, rows)
    (epoch,) = train(network, x[:9], y[:9], validation=(x, y, weight), epochs=1)
    expected = float(network.evaluate(epoch.parameters, x, y, weight))
    assert epoch.validation_loss == pytest.approx(expected, rel=1e-5)


def test_only_the_w_of_affine_maps_are_kept_transposed():
    """A table of 64 columns, frequencies and c of columns have two dimensions too."""
    embedding = [(1, Periodic(64, 3, 0.3)), (1, PiecewiseLinear(3, 64)), (1, Lookup((3,), 128))]
    network = Network((3, 64, 1), embedding=embedding)
    parameters = network.initialize(0)
    kept = dict(named(restored(network, parameters)))
    for name, array in named(parameters):
        assert kept[name].shape == (array.T if name == "W1" else array).shape, name


@pytest.mark.parametrize("embedding", [None, [(97, ()), *EMBEDDING]])
def test_restored_is_its_own_inverse(embedding):
    network = Network((100, 60, 3), embedding=embedding)
    parameters = network.initialize(0)
    for ours, theirs in zip(
        jax.tree.leaves(restored(network, restored(network, parameters))),
        jax.tree.leaves(parameters),
        strict=True,
    ):
        np.testing.assert_array_equal(ours, theirs)


@pytest.mark.parametrize("options", [{}, {"validation": 4}, {"optimizer": "lbfgs"}], ids=str)
def test_whole_blocks_of_a_gpu_are_the_same_steps(table, options, monkeypatch):
    network, (x, y, weight) = Network((3, 6, 1), "tanh", dropout=0.1 * (not options)), table
    options = dict(options)
    if held := options.pop("validation", 0):
        options["validation"] = x[:held], y[:held]

    def learnt():
        epochs = list(train(network, x, y, weight=weight, batch_size=BATCH, epochs=3, **options))
        return epochs[-1].parameters, [epoch.loss for epoch in epochs]

    usual = learnt()
    monkeypatch.setattr("chainrule.network.devices.platform", lambda: "gpu")
    jax.tree.map(lambda a, b: np.testing.assert_allclose(a, b, rtol=2e-6, atol=1e-7), learnt(), usual)


def test_precision_is_of_the_passes_and_not_of_what_judges(table):
    network, (x, y, _) = Network((3, 4, 1)), table
    program = Program(network, find_optimizer("sgd"), SCHEDULES["constant"], None, BATCH, precision="bf16")
    rows = batches.put(x, y, np.ones(ROWS))
    given = (
        begin(program, network.initialize(0)),
        rows,
        batches.judged([np.arange(4)], np.ones(ROWS), None),
        batches.order(np.arange(ROWS), rows.x.shape[0], BATCH, None),
        np.array([0.1, 0, 0, 5], np.float32),
        Counts(*map(np.int32, (5, ROWS, 0, 1))),
    )
    text = str(jax.make_jaxpr(run_epoch, static_argnums=0)(program, *given))
    assert text.count("BF16_BF16_F32") == 2 * 3  # of each map: z, ∂L/∂W, ∂L/∂a
    assert text.count("Precision.HIGHEST") == 2 * 2  # the forward pass of validation, for both factors


def test_short_products_are_refused_on_a_cpu(table):
    for precision in ("tf32", "bf16"):
        with pytest.raises(ArgumentError, match=rf"precision must be 'float32' on a CPU.*got '{precision}'"):
            train(Network((3, 4, 1)), *table[:2], precision=precision)
    with pytest.raises(ArgumentError, match="precision must be one of 'float32', 'tf32', 'bf16'; got 'f8'"):
        train(Network((3, 4, 1)), *table[:2], precision="f8")

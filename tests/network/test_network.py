"""Networks: what they compute, what they refuse, and both passes against automatic differentiation."""

import pickle
import subprocess
import sys

import jax
import jax.numpy as jnp
import jaxtyping
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from chainrule.errors import ArgumentError, DerivativeError, FormulaError
from chainrule.mathematics.activations import ACTIVATIONS
from chainrule.mathematics.initializers import INITIALIZERS
from chainrule.mathematics.losses import LOSSES, quantile
from chainrule.network.embedding_layers import Lookup, Parallel, Periodic, PiecewiseLinear, Rescale
from chainrule.network.gradient_check import check_gradients
from chainrule.network.layers import Activate, Affine
from chainrule.network.network import Network
from chainrule.training.loop import train

numbers = np.random.default_rng(11)
X = numbers.normal(size=(6, 3))
Y = numbers.normal(size=(6, 2))
WEIGHT = np.array([1.0, 0.0, 2.5, 3.0, 0.5, 1.0])


def moved(network, seed=0, dtype=jnp.float64):
    """Parameters away from bias 0 and gain 1, where many a wrong rule is right."""
    draw = np.random.default_rng(seed)
    return jax.tree.map(
        lambda leaf: jnp.asarray(np.asarray(leaf) + 0.3 * draw.normal(size=leaf.shape), dtype),
        network.initialize(seed),
    )


def automatic(network, parameters, x, y, weight):
    def objective(p):
        y_hat = x
        for layer, part in zip(network.layers, pads(network, p), strict=True):
            y_hat = layer.forward(part, y_hat)
        return (weight * network.loss.value(y_hat, y)).sum() / weight.sum()

    return jax.value_and_grad(objective)(parameters)


@pytest.fixture
def untyped():
    """As users have it: without the run-time checks of types, which are there for these tests alone."""
    jaxtyping.config.update("jaxtyping_disable", True)
    yield
    jaxtyping.config.update("jaxtyping_disable", False)


def pads(network, parameters):
    own = iter(parameters)
    return [next(own) if layer.learns else None for layer in network.layers]


def assert_same(ours, theirs, **tolerance):
    assert jax.tree.structure(ours) == jax.tree.structure(theirs)
    for a, b in zip(jax.tree.leaves(ours), jax.tree.leaves(theirs), strict=True):
        np.testing.assert_allclose(a, b, **tolerance)


@pytest.mark.parametrize("activation", ACTIVATIONS)
def test_every_activation_with_every_loss(activation, draw_targets, float64):
    """Without jit: the shapes are the same, so that the single operations are compiled once for all."""
    x, weight = jnp.asarray(X), jnp.asarray(WEIGHT)
    for loss in (*LOSSES.values(), quantile((0.1, 0.5, 0.9))):
        network = Network((3, 4, 2 * loss.outputs_per_target), activation, loss)
        parameters = moved(network)
        y = jnp.asarray(draw_targets(loss, 6, 2))
        ours = network.objective(parameters, x, y, weight, weight.sum())[:2]
        theirs = automatic(network, parameters, x, y, weight)
        scale = max(float(jnp.abs(leaf).max()) for leaf in jax.tree.leaves(theirs))
        assert scale > 0, loss.name
        assert_same(ours, theirs, rtol=1e-9, atol=1e-10 * max(1, scale))


CHAIN = (Periodic(3, 2, 0.4), Affine(2, INITIALIZERS["he_normal"]), Activate(ACTIVATIONS["tanh"]))
EMBEDDERS = [
    lambda columns, number, size: (),
    lambda columns, number, size: Lookup(tuple(number + j for j in range(columns)), size),
    lambda columns, number, size: Periodic(number, size, 0.5),
    lambda columns, number, size: PiecewiseLinear(number, size),
    lambda columns, number, size: PiecewiseLinear(number),
    lambda columns, number, size: (PiecewiseLinear(number), Rescale(standardize=size > 2)),
    lambda columns, number, size: CHAIN,
]


def embedded_parts():
    """For each part its place in EMBEDDERS and what that takes; the layers are made outside the drawing."""
    part = st.tuples(
        st.integers(0, len(EMBEDDERS) - 1), st.integers(1, 3), st.integers(1, 5), st.integers(2, 4)
    )
    return st.lists(part, min_size=1, max_size=4)


@st.composite
def architectures(draw):
    """Arguments of a network, and the numbers of rows and of the draws."""
    hidden = draw(st.lists(st.integers(1, 7), max_size=4))
    if hidden and draw(st.booleans()):
        hidden = [hidden[0]] * len(hidden)  # as wide as their inputs, so that residuals come about
    loss = draw(st.sampled_from([*LOSSES, "quantile(0.2, 0.9)"]))
    each = 2 if loss in ("gaussian_nll", "quantile(0.2, 0.9)") else 1
    least = 2 if loss.startswith("softmax") else 1
    names = ["silu", "tanh", "mish", "gelu", "softplus", "sigmoid", "squareplus", "sine"]
    options = {
        "sizes": (draw(st.integers(1, 5)), *hidden, draw(st.integers(least, 3)) * each),
        "activation": draw(st.lists(st.sampled_from(names), min_size=len(hidden), max_size=len(hidden))),
        "loss": loss,
        "bias": draw(st.booleans()),
        "layer_norm": draw(st.booleans()),
        "residual": draw(st.booleans()),
        "dropout": draw(st.sampled_from([0.0, 0.3, 0.6])),
        "l1": draw(st.sampled_from([0.0, 0.05])),
        "l2": draw(st.sampled_from([0.0, 0.1])),
    }
    if loss in ("binary_cross_entropy", "softmax_cross_entropy", "focal", "softmax_focal"):
        options["label_smoothing"] = draw(st.sampled_from([0.0, 0.2]))
    if draw(st.booleans()):
        parts = options["embedding"] = draw(embedded_parts())
        options["sizes"] = (sum(columns for _, columns, _, _ in parts), *options["sizes"][1:])
    return options, draw(st.integers(1, 6)), draw(st.integers(0, 2**20))


def random_case(architecture, draw_targets):
    options, rows, seed = architecture
    if "embedding" in options:
        made = [(columns, EMBEDDERS[which](columns, *rest)) for which, columns, *rest in options["embedding"]]
        options = options | {"embedding": made}
    network = Network(**options)
    draw = np.random.default_rng(seed)
    weight = draw.integers(0, 4, rows).astype(float)
    weight[draw.integers(rows)] = 2.0
    return (
        network,
        moved(network, seed),
        jnp.asarray(draw.normal(size=(rows, network.sizes[0])) * 2),
        jnp.asarray(draw_targets(network.loss, rows, network.targets, seed)),
        jnp.asarray(weight),
        jnp.uint32(draw.integers(2**32)),
    )


@settings(max_examples=6)
@given(architecture=architectures())
def test_random_architectures_against_automatic_differentiation(architecture, draw_targets, quick_compiler):
    with jax.enable_x64(True):
        network, p, x, y, weight, seed = random_case(architecture, draw_targets)

        def objective(p):
            return network.objective(p, x, y, weight, weight.sum(), seed)[0]

        @jax.jit
        def both(p):
            L, ours, *_ = network.objective(p, x, y, weight, weight.sum(), seed)
            return L, ours, jax.grad(objective)(p)

        L, ours, theirs = both(p)
        scale = max(1.0, *(float(jnp.abs(leaf).max()) for leaf in jax.tree.leaves(theirs)))
        assert np.isfinite(float(L))
        assert_same(ours, theirs, rtol=1e-8, atol=1e-9 * scale)


@settings(max_examples=3)
@given(architecture=architectures())
def test_random_architectures_against_both_witnesses(architecture, draw_targets, quick_compiler):
    with jax.enable_x64(True):
        network, *arrays = random_case(architecture, draw_targets)
        report = check_gradients(network, *arrays)
    assert report.ok, f"{network!r}\n{report}"


@pytest.mark.long
@settings(max_examples=150)
@given(architecture=architectures())
def test_many_random_architectures_against_both_witnesses(architecture, draw_targets, quick_compiler):
    with jax.enable_x64(True):
        network, *arrays = random_case(architecture, draw_targets)
        report = check_gradients(network, *arrays)
    assert report.ok, f"{network!r}\n{report}"


def test_a_deep_narrow_and_a_wide_network(float64):
    for sizes in ((3, *[2] * 12, 2), (3, 300, 2)):
        network = Network(sizes, "tanh", residual=True)
        p = moved(network)
        x, y, weight = jnp.asarray(X), jnp.asarray(Y), jnp.asarray(WEIGHT)
        _, ours = network.backward(p, x, y, weight)
        _, theirs = automatic(network, p, x, y, weight)
        assert_same(ours, theirs, rtol=1e-8, atol=1e-10)


# What is computed.


def test_w_is_outputs_by_inputs(float64):
    network = Network((3, 2))
    p = network.initialize(0)[0]
    assert p.W.shape == (2, 3)
    W = jnp.zeros((2, 3)).at[1, 2].set(7.0)
    y_hat = network.forward((p._replace(W=W, b=jnp.array([0.5, 0.25])),), jnp.array([[1.0, 2.0, 3.0]]))
    np.testing.assert_array_equal(y_hat, [[0.5, 21.25]])


def test_forward_by_hand(float64):
    network = Network((3, 4, 2), "tanh")
    first, last = parameters = moved(network)
    h = np.tanh(X @ np.asarray(first.W).T + np.asarray(first.b))
    np.testing.assert_allclose(
        network.forward(parameters, X), h @ np.asarray(last.W).T + np.asarray(last.b), rtol=1e-12
    )


def test_the_loss_is_the_weighted_mean_over_rows_of_sums_over_outputs(float64):
    network = Network((3, 4, 2), "tanh")
    parameters = moved(network)
    rows = ((np.asarray(network.forward(parameters, X)) - Y) ** 2).sum(axis=1)
    assert float(network.backward(parameters, X, Y)[0]) == pytest.approx(rows.mean(), rel=1e-12)
    weighted = (rows * WEIGHT).sum() / WEIGHT.sum()
    assert float(network.backward(parameters, X, Y, WEIGHT)[0]) == pytest.approx(weighted, rel=1e-12)
    assert float(network.evaluate(parameters, X, Y, WEIGHT)) == pytest.approx(weighted, rel=1e-12)


@pytest.mark.parametrize("name", ["squared_error", "softmax_cross_entropy", "gaussian_nll"])
def test_weight_two_is_the_row_twice_and_weight_zero_the_row_left_out(name, draw_targets, float64):
    network = Network((3, 4, 4), "gelu", name)
    parameters = moved(network)
    y = draw_targets(network.loss, 6, network.targets)
    by_weight = network.backward(parameters, X, y, np.array([2.0, 1, 0, 1, 3, 1]))
    rows = [0, 0, 1, 3, 4, 4, 4, 5]
    assert_same(by_weight, network.backward(parameters, X[rows], y[rows]), rtol=1e-10, atol=1e-13)


def test_the_scale_of_the_weights_does_not_matter(float64):
    network = Network((3, 4, 2), l2=0.1)
    parameters = moved(network)
    ones = network.backward(parameters, X, Y, WEIGHT)
    assert_same(network.backward(parameters, X, Y, 1000 * WEIGHT), ones, rtol=1e-10, atol=1e-13)


def test_without_hidden_layers_it_is_linear_regression(float64):
    network = Network((3, 2))
    (p,) = parameters = moved(network)
    loss, (gradient,) = network.backward(parameters, X, Y, WEIGHT)
    residuals = X @ np.asarray(p.W).T + np.asarray(p.b) - Y
    shares = (WEIGHT / WEIGHT.sum())[:, None]
    np.testing.assert_allclose(gradient.W, 2 * (shares * residuals).T @ X, rtol=1e-11, atol=1e-13)
    np.testing.assert_allclose(gradient.b, 2 * (shares * residuals).sum(axis=0), rtol=1e-11, atol=1e-13)
    assert float(loss) == pytest.approx((shares * residuals**2).sum(), rel=1e-12)


def test_the_gradient_is_zero_at_the_least_squares_solution(float64):
    network = Network((3, 2))
    solution = np.linalg.lstsq(np.column_stack([X, np.ones(6)]), Y, rcond=None)[0]
    p = network.initialize(0)[0]._replace(W=jnp.asarray(solution[:3].T), b=jnp.asarray(solution[3]))
    _, (gradient,) = network.backward((p,), X, Y)
    assert max(float(jnp.abs(leaf).max()) for leaf in gradient) < 1e-13


def test_one_target_may_be_a_column_or_a_vector(float64):
    network = Network((3, 4, 1))
    parameters = moved(network)
    column = network.backward(parameters, X, Y[:, :1])
    assert_same(network.backward(parameters, X, Y[:, 0]), column, rtol=0)


def test_penalties_are_added_to_the_objective_and_not_to_evaluate(float64):
    plain, both = Network((3, 4, 2), "tanh"), Network((3, 4, 2), "tanh", l1=0.3, l2=0.7)
    parameters = moved(plain)
    loss, gradients = plain.backward(parameters, X, Y)
    penalized, pulled = both.backward(parameters, X, Y)
    size = sum(0.3 * jnp.abs(p.W).sum() + 0.35 * (p.W**2).sum() for p in parameters)
    assert float(penalized) == pytest.approx(float(loss + size), rel=1e-12)
    for p, g, pull in zip(parameters, gradients, pulled, strict=True):
        np.testing.assert_allclose(pull.W, g.W + 0.3 * jnp.sign(p.W) + 0.7 * p.W, rtol=1e-10)
        np.testing.assert_allclose(pull.b, g.b, rtol=1e-12)
    assert float(both.evaluate(parameters, X, Y)) == pytest.approx(float(loss), rel=1e-12)


@pytest.mark.parametrize("name", ["binary_cross_entropy", "focal", "softmax_cross_entropy", "softmax_focal"])
def test_label_smoothing_is_training_on_smoothed_targets(name, draw_targets, float64):
    plain, smooth = Network((3, 4, 3), "tanh", name), Network((3, 4, 3), "tanh", name, label_smoothing=0.3)
    parameters = moved(plain)
    y = draw_targets(plain.loss, 6, 3)
    doubt = 0.5 if plain.loss.smooth.__name__ == "smooth_binary" else 1 / 3
    by_hand = plain.backward(parameters, X, 0.7 * y + 0.3 * doubt)
    assert_same(smooth.backward(parameters, X, y), by_hand, rtol=1e-10, atol=1e-13)
    np.testing.assert_allclose(
        smooth.evaluate(parameters, X, y), plain.evaluate(parameters, X, y), rtol=1e-12
    )


@pytest.mark.parametrize("name", ["squared_error", "poisson", "binary_cross_entropy", "gaussian_nll"])
def test_predict_is_forward_through_the_inverse_link(name, float64):
    network = Network((3, 4, 2), "tanh", name)
    parameters = moved(network)
    raw = np.asarray(network.forward(parameters, X))
    expected = {
        "squared_error": raw,
        "poisson": np.exp(raw),
        "binary_cross_entropy": 1 / (1 + np.exp(-raw)),
        "gaussian_nll": np.column_stack([raw[:, 0], np.exp(raw[:, 1])]),
    }[name]
    np.testing.assert_allclose(network.predict(parameters, X), expected, rtol=1e-12)


def test_one_activation_for_each_hidden_layer(float64):
    network = Network((3, 4, 5, 2), ["tanh", "z*sigmoid(z)"])
    assert [a.name for a in network.activations] == ["tanh", "z*sigmoid(z)"]
    parameters = moved(network)
    by_name = Network((3, 4, 5, 2), ("tanh", "silu")).forward(parameters, X)
    np.testing.assert_allclose(network.forward(parameters, X), by_name, rtol=1e-11)


def test_a_pair_of_functions_serves_every_hidden_layer(float64):
    network = Network((3, 4, 5, 2), (jnp.tanh, lambda z: 1 - jnp.tanh(z) ** 2))
    parameters = moved(network)
    assert len(network.activations) == 2
    theirs = Network((3, 4, 5, 2), "tanh").backward(parameters, X, Y)
    assert_same(network.backward(parameters, X, Y), theirs, rtol=1e-10)


def test_a_loss_of_ones_own(float64):
    parameters = moved(Network((3, 4, 2)))
    theirs = Network((3, 4, 2)).backward(parameters, X, Y)
    pair = (lambda y_hat, y: ((y_hat - y) ** 2).sum(axis=1), lambda y_hat, y: 2 * (y_hat - y))
    for own in ("(y_hat - y)**2", pair):
        assert_same(Network((3, 4, 2), loss=own).backward(parameters, X, Y), theirs, rtol=1e-10)


def test_an_activation_for_each_of_no_hidden_layers():
    assert Network((3, 2), []) == Network((3, 2), "relu") == Network((3, 2))


def test_targets_are_outputs_or_fewer():
    assert Network((3, 4, 6)).targets == 6
    assert Network((3, 4, 6), loss="gaussian_nll").targets == 3
    assert Network((3, 4, 6), loss="quantile(0.1, 0.5, 0.9)").targets == 2


def test_residual_only_where_the_width_stays(float64):
    network = Network((3, 3, 4, 4, 2), "tanh", residual=True)
    kinds = [type(layer).__name__ for layer in network.layers]
    assert kinds == ["Residual", "Affine", "Activate", "Residual", "Affine"]


def test_dropout_is_silent_without_a_seed(float64):
    parameters = moved(Network((3, 40, 2)))
    wet, dry = Network((3, 40, 2), dropout=0.5), Network((3, 40, 2))
    assert_same(wet.backward(parameters, X, Y), dry.backward(parameters, X, Y), rtol=1e-12)
    arrays = jnp.asarray(X), jnp.asarray(Y), jnp.ones(6), jnp.asarray(6.0)
    losses = [float(wet.objective(parameters, *arrays, jnp.uint32(seed))[0]) for seed in (1, 1, 2)]
    assert losses[0] == losses[1] != losses[2]


# Embeddings.

EMBEDDING = [
    (2, ()),
    (2, Periodic(6, 4, 0.3)),
    (1, PiecewiseLinear(4, 3)),
    (1, (PiecewiseLinear(3), Rescale(standardize=True))),
    (2, Lookup((4, 3))),
]


def embedded_table(rows=400):
    """Two numbers, two for waves, two in bins, two codes, and a target that needs every sort."""
    draw = np.random.default_rng(0)
    x = np.column_stack(
        [draw.normal(size=(rows, 4)), draw.uniform(-1, 5, (rows, 2)), draw.integers(0, [4, 3], (rows, 2))]
    ).astype(np.float32)
    effect = np.array([0.0, 2.0, -2.0, 1.0])
    y = x[:, 0] + np.sin(6 * x[:, 2]) + np.abs(x[:, 4] - 2) + effect[x[:, 6].astype(int)] * (x[:, 7] > 0)
    return x, y.astype(np.float32)[:, None]


def test_the_embedding_stands_before_the_first_map(float64):
    network = Network((8, 5, 1), "tanh", embedding=EMBEDDING)
    parameters = moved(network)
    x, _ = embedded_table(6)
    e = network.layers[0].forward(parameters[0], jnp.asarray(x, jnp.float64))
    assert e.shape == (6, 2 + 8 + 3 + 3 + 16)
    plain = Network((32, 5, 1), "tanh")
    np.testing.assert_allclose(
        network.forward(parameters, x), plain.forward(parameters[1:], e), rtol=1e-12, atol=1e-14
    )


def test_an_embedding_of_nothing_is_no_embedding(float64):
    plain, network = Network((3, 4, 2)), Network((3, 4, 2), embedding=[(1, ()), (2, ())])
    parameters = moved(plain)
    theirs = plain.backward(parameters, X, Y)
    assert_same(network.backward(parameters, X, Y), theirs, rtol=1e-12)


def test_pairs_and_the_layer_that_they_make_are_the_same():
    pairs = Network((5, 4, 2), embedding=[(3, []), (2, [Periodic()])])
    assert pairs == Network((5, 4, 2), embedding=Parallel(((3, ()), (2, (Periodic(),)))))
    assert pairs == Network((5, 4, 2), embedding=((3, ()), (2, Periodic())))


def test_a_hidden_layer_as_wide_as_the_embedding_is_a_residual_block():
    network = Network((2, 8, 8, 1), embedding=[(2, Periodic())], residual=True)
    assert [type(layer).__name__ for layer in network.layers] == [
        "Parallel",
        "Residual",
        "Residual",
        "Affine",
    ]


def test_penalties_are_for_the_w_of_affine_maps_alone(float64):
    options = {"sizes": (8, 5, 1), "activation": "tanh", "embedding": EMBEDDING}
    plain, both = Network(**options), Network(**options, l1=0.3, l2=0.7)
    parameters = moved(plain)
    x, y = embedded_table(6)
    loss, gradients = plain.backward(parameters, x, y)
    penalized, pulled = both.backward(parameters, x, y)
    W = parameters[1].W, parameters[2].W
    size = sum(0.3 * jnp.abs(w).sum() + 0.35 * (w**2).sum() for w in W)
    assert float(penalized - loss) == pytest.approx(float(size), rel=1e-12)
    assert_same(pulled[0], gradients[0], rtol=1e-12)
    for w, g, pull in zip(W, gradients[1:], pulled[1:], strict=True):
        np.testing.assert_allclose(pull.W, g.W + 0.3 * jnp.sign(w) + 0.7 * w, rtol=1e-10)


def test_a_network_with_every_embedding_learns_and_one_seed_gives_the_same_bits():
    network = Network((8, 32, 1), embedding=EMBEDDING)
    x, y = embedded_table()

    def run(seed):
        return list(train(network, x, y, learning_rate=0.01, batch_size=32, epochs=30, seed=seed))

    first, again, other = run(1), run(1), run(2)
    assert first[-1].loss < 0.1 * first[0].loss
    assert [epoch.loss for epoch in first] == [epoch.loss for epoch in again]
    assert [epoch.loss for epoch in first] != [epoch.loss for epoch in other]
    assert_same(first[-1].parameters, again[-1].parameters, rtol=0)
    before = network.initialize(1)
    for start, end in zip(jax.tree.leaves(before), jax.tree.leaves(first[-1].parameters), strict=True):
        assert start.dtype == end.dtype
        assert (start != end).any()
    linear = Network((8, 32, 1))
    plain = list(train(linear, x, y, learning_rate=0.01, batch_size=32, epochs=30, seed=1))
    assert first[-1].loss < 0.7 * plain[-1].loss


def test_a_level_that_was_never_seen_stays_at_zero_through_training():
    network = Network((8, 8, 1), embedding=EMBEDDING)
    x, y = embedded_table(100)
    x[:, 6:] = np.maximum(x[:, 6:], 1)
    (epoch,) = train(network, x, y, learning_rate=0.01, weight_decay=0.1, batch_size=32, epochs=1)
    E = np.asarray(epoch.parameters[0][-1].E)
    assert [row for row, numbers in enumerate(E) if numbers.any()] == [1, 2, 3, 5, 6]


# How it begins.


def test_one_seed_gives_one_draw():
    network = Network((3, 4, 4, 2), "relu")
    first, again, other = (network.initialize(seed) for seed in (5, 5, 6))
    for a, b, c in zip(*map(jax.tree.leaves, (first, again, other)), strict=True):
        np.testing.assert_array_equal(a, b)
        if a.ndim == 2:
            assert np.all(np.asarray(a) != np.asarray(c))
    assert not np.array_equal(first[1].W[:, :2], first[2].W[:, :2])


def test_maps_that_adapt_begin_by_typical_rows_and_the_others_are_drawn_alike():
    network = Network((8, 8, 1), embedding=EMBEDDING)
    x, _ = embedded_table()
    drawn, begun = network.initialize(5), network.initialize(5, x)
    # The entries of the embedding: of waves, of bins, the stretches, of levels.
    bins = network.layers[0].parts[3][1][0].forward(None, jnp.asarray(x[:, 5:6]))
    rescaled = np.asarray(Rescale().forward(begun[0][2], bins))
    np.testing.assert_allclose(rescaled.mean(axis=0), 0, atol=1e-5)
    np.testing.assert_allclose(rescaled.std(axis=0), 1, rtol=1e-4)
    assert drawn[0][2].stretch.tolist() == [1, 1, 1]
    others = [(*p[0][:2], p[0][3], *p[1:]) for p in (drawn, begun)]
    assert_same(*others, rtol=0)


@pytest.mark.parametrize("embedding", [None, [(2, Periodic()), (1, (PiecewiseLinear(3), Rescale()))]])
def test_without_maps_that_adapt_typical_rows_change_no_bit(embedding):
    network = Network((3, 4, 4, 2), layer_norm=True, residual=True, embedding=embedding)
    assert_same(network.initialize(5, X), network.initialize(5), rtol=0)


def test_typical_rows_must_be_rows_of_the_network():
    network = Network((3, 2), embedding=[(3, Rescale(standardize=True))])
    with pytest.raises(ArgumentError, match=r"x must have shape \(rows, 3\)"):
        network.initialize(0, X[:, :2])


def test_the_draw_is_the_same_in_another_process():
    code = (
        "from chainrule import Network; import numpy as np;"
        "print(np.asarray(Network((3, 4, 2)).initialize(7)[0].W).tobytes().hex())"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == np.asarray(Network((3, 4, 2)).initialize(7)[0].W).tobytes().hex()


@pytest.mark.parametrize("name", ["relu", "tanh", "selu"])
def test_the_default_initialiser_follows_the_activation(name):
    named = Network((300, 200, 1), name, initializer=ACTIVATIONS[name].initializer)
    W = Network((300, 200, 1), name).initialize(0)[0].W
    np.testing.assert_array_equal(W, named.initialize(0)[0].W)
    expected = {"relu": 2 / 300, "tanh": 2 / 500, "selu": 1 / 300}[name]
    assert float(W.var()) == pytest.approx(expected, rel=0.05)
    assert not named.initialize(0)[0].b.any()


@pytest.mark.parametrize("name", INITIALIZERS)
def test_an_initialiser_by_name_or_record_is_for_every_map(name):
    by_name = Network((4, 4, 4), initializer=name).initialize(0)
    assert_same(Network((4, 4, 4), initializer=INITIALIZERS[name]).initialize(0), by_name, rtol=0)
    plain = Network((4, 4, 4), "tanh", initializer="orthogonal").initialize(0)
    for p in plain:
        np.testing.assert_allclose(p.W @ p.W.T, np.eye(4), atol=1e-5)


# What is refused.


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        ({"sizes": (3,)}, r"sizes must be whole numbers of at least 1.*got \(3,\)"),
        ({"sizes": ()}, "sizes must be"),
        ({"sizes": (3, 0, 1)}, "sizes must be"),
        ({"sizes": (3, -4, 1)}, "sizes must be"),
        ({"sizes": (3, 2.5, 1)}, "sizes must be"),
        ({"sizes": ("a", "b")}, "sizes must be"),
        ({"sizes": 3}, "sizes must be"),
        ({"sizes": None}, "sizes must be"),
        ({"sizes": (3, float("nan"), 1)}, "sizes must be"),
        ({"sizes": (3, float("inf"), 1)}, "sizes must be"),
        ({"activation": "rellu"}, "activation must be one of .*got 'rellu'. Did you mean"),
        ({"activation": ["relu"]}, "one for all hidden layers, or one for each of the 2; got 1"),
        ({"activation": ["relu"] * 3}, "each of the 2; got 3"),
        ({"activation": []}, "each of the 2; got 0"),
        ({"activation": ["relu", "rellu"]}, "activation must be one of"),
        ({"activation": 3}, "activation must be one of"),
        ({"activation": None}, "activation must be one of"),
        ({"loss": "squared"}, "loss must be one of .*got 'squared'"),
        ({"loss": None}, "loss must be one of"),
        ({"loss": "huber(-1)"}, "delta must be > 0"),
        ({"loss": "huber(1, 2)"}, "as many numbers in its brackets as huber takes"),
        ({"initializer": "he"}, "initializer must be one of"),
        ({"dropout": 1.0}, "dropout must be at least 0 and below 1; got 1.0"),
        ({"dropout": -0.1}, "dropout must be"),
        ({"dropout": float("nan")}, "dropout must be"),
        ({"l1": -1}, "l1 must be 0 or more; got -1"),
        ({"l2": float("nan")}, "l2 must be 0 or more"),
        ({"label_smoothing": 1, "loss": "focal"}, "label_smoothing must be at least 0 and below 1"),
        ({"label_smoothing": 0.1}, "label_smoothing must be 0 with the loss 'squared_error'"),
        ({"label_smoothing": 0.1, "loss": "hinge"}, "label_smoothing must be 0 with the loss 'hinge'"),
        ({"loss": "softmax_focal", "sizes": (3, 4, 5, 1)}, "at least 2 with the loss 'softmax_focal'"),
        ({"loss": "gaussian_nll", "sizes": (3, 4, 5, 3)}, "multiple of 2, the outputs of the loss"),
        ({"loss": "quantile(0.1, 0.5, 0.9)", "sizes": (3, 4, 5, 2)}, "multiple of 3"),
        ({"embedding": 3}, "embedding must be pairs of a number of columns and a layer.*got 3"),
        ({"embedding": []}, r"embedding must be pairs.*got \[\]"),
        ({"embedding": [3]}, "embedding must be pairs"),
        ({"embedding": [(3, "periodic")]}, "embedding must be pairs"),
        ({"embedding": [(3, None)]}, "embedding must be pairs"),
        ({"embedding": [(3, (), ())]}, "embedding must be pairs"),
        ({"embedding": [(2, ())]}, r"must have the 3 columns of x among them; they have \[2\], which is 2"),
        ({"embedding": [(3, ()), (1, Periodic())]}, "which is 4"),
        ({"embedding": [("3", Periodic())]}, "columns of a part must be a whole number"),
        ({"embedding": [(1, ()), (2, Lookup((4,)))]}, "levels of each of its 2 columns; got those of 1"),
        ({"embedding": Parallel(((2, ()),))}, "which is 2"),
    ],
)
def test_bad_arguments_are_refused_in_words(arguments, words, untyped):
    with pytest.raises(ArgumentError, match=words) as raised:
        Network(**{"sizes": (3, 4, 5, 2)} | arguments)
    assert len(str(raised.value)) < 700


def test_formulas_and_pairs_are_checked_where_they_enter():
    with pytest.raises(FormulaError):
        Network((3, 4, 1), "z +")
    with pytest.raises(FormulaError):
        Network((3, 4, 1), loss="(y_hat - y)**")
    with pytest.raises(DerivativeError, match="activation 'tanh'"):
        Network((3, 4, 1), (jnp.tanh, lambda z: 1 - z**2))
    with pytest.raises(DerivativeError, match="loss"):
        Network((3, 4, 1), loss=(lambda y_hat, y: ((y_hat - y) ** 2).sum(axis=1), lambda y_hat, y: y_hat - y))


@pytest.mark.parametrize("seed", [-1, 2**32, 1.5, None, "1", 1.0, np.nan])
def test_bad_seeds_are_refused(seed, untyped):
    with pytest.raises(ArgumentError, match="seed must be a whole number from 0"):
        Network((2, 1)).initialize(seed)


def test_the_largest_seed_is_taken():
    assert Network((2, 1)).initialize(2**32 - 1)[0].W.shape == (1, 2)


@pytest.mark.parametrize(
    ("x", "y", "weight", "words"),
    [
        (X[:, :2], Y, None, r"x must have shape \(rows, 3\); got \(6, 2\)"),
        (X[0], Y[:1], None, r"x must have shape \(rows, 3\); got \(3,\)"),
        (X[None], Y, None, r"x must have shape \(rows, 3\)"),
        (X, Y[:, :1], None, r"y must have shape \(rows, 2\); got \(6, 1\)"),
        (X, Y[:, 0], None, r"y must have shape \(rows, 2\); got \(6,\)"),
        (X, Y[:5], None, "same number of rows, at least one; got 6, 5"),
        (X, Y, np.ones(5), r"got 6, 6 and weights of shape \(5,\)"),
        (X, Y, np.ones((6, 1)), r"weights of shape \(6, 1\)"),
        (X[:0], Y[:0], None, "at least one; got 0, 0"),
        (X, Y, -np.ones(6), "weight must be 0 or more"),
        (X, Y, np.zeros(6), "more than 0 in at least one row"),
        (X, Y, np.full(6, np.nan), "weight must be 0 or more"),
        (X, Y, np.array([1, np.inf, 1, 1, 1, 1]), "weight must be 0 or more and finite"),
    ],
)
def test_arrays_that_do_not_fit_are_refused_in_words(x, y, weight, words):
    network = Network((3, 4, 2))
    parameters = network.initialize(0)
    for method in (network.backward, network.evaluate, network.trace, network.check_gradients):
        with pytest.raises(ArgumentError, match=words):
            method(parameters, x, y, weight)


def test_forward_refuses_what_does_not_fit():
    network = Network((3, 4, 2))
    parameters = network.initialize(0)
    for x in (X[:, :2], X[0], np.zeros((2, 2, 3))):
        with pytest.raises(ArgumentError, match=r"x must have shape \(rows, 3\)"):
            network.forward(parameters, x)
    for wrong in (
        Network((3, 5, 2)).initialize(0),
        Network((3, 4, 2), bias=False).initialize(0),
        Network((3, 4, 2), layer_norm=True).initialize(0),
        parameters[:1],
        (),
        None,
    ):
        with pytest.raises(ArgumentError, match=r"parameters must be those of this network.*initialize"):
            network.forward(wrong, X)


def test_forward_takes_no_rows():
    network = Network((3, 4, 2))
    assert network.forward(network.initialize(0), X[:0]).shape == (0, 2)


# Identity.


def networks():
    options = {"layer_norm": True, "residual": True, "dropout": 0.2, "l1": 0.1, "l2": 0.2}
    return [
        Network((3, 4, 2)),
        Network((3, 5, 2)),
        Network((3, 4, 2), "relu"),
        Network((3, 4, 2), "z*tanh(z)"),
        Network((3, 4, 2), loss="huber"),
        Network((3, 4, 2), loss="huber(2)"),
        Network((3, 4, 2), loss="quantile(0.2, 0.8)"),
        Network((3, 4, 2), loss="abs(y_hat - y)**3"),
        Network((3, 4, 2), bias=False),
        Network((3, 4, 2), l1=0.1),
        Network((3, 4, 2), l2=0.1),
        Network((3, 4, 2), dropout=0.1),
        Network((3, 4, 2), layer_norm=True),
        Network((3, 4, 2), initializer="orthogonal"),
        Network((3, 4, 4, 2), residual=True),
        Network((3, 4, 2), loss="focal", label_smoothing=0.1),
        Network((3, 4, 4, 2), ["relu", "mish"], **options),
        Network((3, 4, 2), embedding=[(3, ())]),
        Network((3, 4, 2), embedding=[(3, Periodic())]),
        Network((3, 4, 2), embedding=[(2, Periodic()), (1, Periodic())]),
        Network((3, 4, 2), embedding=[(3, PiecewiseLinear(4))]),
        Network((3, 4, 2), embedding=[(3, PiecewiseLinear(4, 4))]),
        Network((3, 4, 2), embedding=[(3, Rescale())]),
        Network((3, 4, 2), embedding=[(3, Rescale(standardize=True))]),
        Network((3, 4, 2), embedding=[(1, ()), (2, Lookup((3, 4)))]),
        Network((3, 4, 2), embedding=[(1, ()), (2, Lookup((4, 3)))]),
    ]


def test_equal_networks_share_one_program_and_others_do_not():
    for first, second in zip(networks(), networks(), strict=True):
        assert first == second
        assert hash(first) == hash(second)
    assert len(set(networks())) == len(networks())
    assert Network((3, 2)) != "Network"


def test_a_network_is_compiled_once(float64):
    from chainrule.network import network as module

    parameters = moved(Network((3, 11, 2)))
    Network((3, 11, 2)).backward(parameters, X, Y)
    before = module._backward._cache_size()
    Network((3, 11, 2)).backward(parameters, X + 1, Y - 1, WEIGHT)
    assert module._backward._cache_size() == before


@pytest.mark.parametrize("place", range(len(networks())))
def test_networks_pickle(place):
    network = networks()[place]  # made now: of 256 formulas, the oldest is forgotten
    copy = pickle.loads(pickle.dumps(network))
    assert copy == network
    assert hash(copy) == hash(network)
    assert repr(copy) == repr(network)
    parameters = network.initialize(0)
    np.testing.assert_array_equal(copy.forward(parameters, X), network.forward(parameters, X))
    restored = pickle.loads(pickle.dumps(parameters))
    assert_same(restored, parameters, rtol=0)

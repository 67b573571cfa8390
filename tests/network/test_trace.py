"""Every number of both passes, by name, against the equations and automatic differentiation."""

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from chainrule.network.embedding_layers import Lookup, Periodic, PiecewiseLinear, Rescale
from chainrule.network.network import Network
from chainrule.network.parameters import named

pytestmark = pytest.mark.usefixtures("quick_compiler")

ROWS = 5
EMBEDDING = [
    (1, ()),
    (2, Periodic(3, 2, 0.4)),
    (2, (PiecewiseLinear(3, 2), Rescale())),
    (2, Lookup((3, 4), 3)),
]
NETWORKS = {
    "linear": Network((3, 2)),
    "plain": Network((3, 4, 2), "tanh", "poisson"),
    "deep": Network((3, 4, 5, 2), ["silu", "gelu"], "softmax_cross_entropy", label_smoothing=0.1),
    "penalties": Network((3, 4, 4, 2), "mish", l1=0.03, l2=0.2),
    "without bias": Network((3, 4, 4, 2), "elu", bias=False),
    "normalized": Network((3, 4, 5, 2), "tanh", "binary_cross_entropy", layer_norm=True),
    "residual": Network((3, 4, 4, 4, 2), "tanh", residual=True),
    "embedded": Network((7, 4, 2), "tanh", embedding=EMBEDDING),
    "embedded and all": Network(
        (7, 15, 15, 2), "silu", embedding=EMBEDDING, layer_norm=True, residual=True, l1=0.05, l2=0.1
    ),
    "all": Network((4, 4, 4, 5, 5, 2), "silu", layer_norm=True, residual=True, dropout=0.5, l2=0.1),
}
EVERY = pytest.mark.parametrize("network", NETWORKS.values(), ids=NETWORKS)


@pytest.fixture
def example(network, draw_targets, float64):
    numbers = np.random.default_rng(7)
    parameters = jax.tree.map(
        lambda leaf: jnp.asarray(np.asarray(leaf) + 0.2 * numbers.normal(size=leaf.shape)),
        network.initialize(2),
    )
    x = numbers.normal(size=(ROWS, network.sizes[0]))
    x[:, 5:] = numbers.integers(0, 3, x[:, 5:].shape)
    y = draw_targets(network.loss, ROWS, network.targets)
    return parameters, x, y, np.array([1.0, 2.0, 0.0, 0.5, 3.0])


def flat(parameters):
    """(W, b, gain, shift) for each affine map, in order; what is missing is None."""
    rows = []

    def walk(part):
        for p in part:
            if hasattr(p, "W"):
                rows.append([p.W, p.b, None, None])
            elif hasattr(p, "gain"):
                rows[-1][2:] = p.gain, p.shift
            else:
                walk(p)

    walk(parameters)
    return rows


def by_definition(network, parameters, x, y, weight, nudges):
    """The forward pass from its equations, in a loop of its own; a nudge is added to each e, z and n."""
    values, h = {}, jnp.asarray(x)
    if "e" in nudges:
        h = values["e"] = network.layers[0].forward(parameters[0], h) + nudges["e"]
        parameters = parameters[1:]
    rows = flat(parameters)
    residual = any(type(layer).__name__ == "Residual" for layer in network.layers)
    for number, (W, b, gain, shift) in enumerate(rows, 1):
        z = jnp.einsum("ij,rj->ri", W, h) + (0 if b is None else b[None, :]) + nudges[f"z{number}"]
        values[f"z{number}"] = z
        if number == len(rows):
            break
        n = z
        if gain is not None:
            mean, variance = z.mean(axis=1, keepdims=True), z.var(axis=1, keepdims=True)
            n = gain[None, :] * (z - mean) / jnp.sqrt(variance + 1e-5) + shift[None, :] + nudges[f"n{number}"]
            values[f"n{number}"] = n
        a = network.activations[number - 1].value(n)
        if residual and h.shape == a.shape:
            values[f"a{number}"] = a
            a = h + a
        h = a
        values[f"h{number}"] = h
    t = jnp.asarray(y)
    if network.label_smoothing:
        t = network.loss.smooth(t, network.label_smoothing)
    L = (weight * network.loss.value(z, t)).sum() / weight.sum()
    for W, *_ in rows:
        L = L + network.l1 * jnp.abs(W).sum() + network.l2 * (W**2).sum() / 2
    return L, values | {"y_hat": z, "x": jnp.asarray(x)}


@EVERY
def test_every_number_is_what_its_name_says(network, example):
    parameters, x, y, weight = example
    trace = network.trace(parameters, x, y, weight)
    nudges = {f"z{number}": jnp.zeros((ROWS, size)) for number, size in enumerate(network.sizes[1:], 1)}
    nudges |= {name: jnp.zeros_like(trace[name]) for name in trace if name[0] in "en"}
    differentiated = jax.value_and_grad(by_definition, argnums=(1, 5), has_aux=True)
    (L, values), (gradients, deltas) = jax.jit(differentiated, static_argnums=0)(
        network, parameters, x, y, weight, nudges
    )
    expected = dict(values) | {"L": L}
    expected |= {name.replace("z", "delta") if "z" in name else f"d{name}": d for name, d in deltas.items()}
    expected |= {f"d{name}": gradient for name, gradient in named(gradients)}
    assert trace.keys() == expected.keys()
    for name, value in expected.items():
        assert trace[name].shape == value.shape, name
        np.testing.assert_allclose(trace[name], value, rtol=1e-9, atol=1e-12, err_msg=name)


@pytest.mark.parametrize("network", [NETWORKS["without bias"], NETWORKS["all"]])
def test_the_trace_is_what_forward_and_backward_give(network, example):
    parameters, x, y, weight = example
    trace = network.trace(parameters, x, y, weight)
    np.testing.assert_allclose(trace["y_hat"], network.forward(parameters, x), rtol=1e-12)
    L, gradients = network.backward(parameters, x, y, weight)
    assert float(trace["L"]) == pytest.approx(float(L), rel=1e-12)
    for number, row in enumerate(flat(gradients), 1):
        for name, array in zip(("dW", "db", "dgain", "dshift"), row, strict=True):
            if array is None:
                assert f"{name}{number}" not in trace
            else:
                np.testing.assert_allclose(trace[f"{name}{number}"], array, rtol=1e-10, atol=1e-14)


def test_names_and_shapes_in_order():
    network = Network((3, 4, 2), "relu", layer_norm=True)
    trace = network.trace(network.initialize(0), np.ones((6, 3)), np.ones((6, 2)))
    shapes = {
        "x": (6, 3),
        "z1": (6, 4),
        "n1": (6, 4),
        "h1": (6, 4),
        "z2": (6, 2),
        "y_hat": (6, 2),
        "L": (),
        "delta2": (6, 2),
        "dn1": (6, 4),
        "delta1": (6, 4),
        "dW1": (4, 3),
        "db1": (4,),
        "dgain1": (4,),
        "dshift1": (4,),
        "dW2": (2, 4),
        "db2": (2,),
    }
    assert {name: array.shape for name, array in trace.items()} == shapes
    assert list(trace) == list(shapes)


def test_names_of_an_embedding_and_of_residual_blocks_in_order():
    network = Network((7, 15, 2), "relu", embedding=EMBEDDING, residual=True)
    trace = network.trace(network.initialize(0), np.ones((6, 7)), np.ones((6, 2)))
    assert list(trace) == [
        *("x", "e", "z1", "a1", "h1", "z2", "y_hat", "L"),
        *("delta2", "delta1", "de"),
        *("dfrequency1", "dphase1", "dV1", "dc1", "dV2", "dc2", "dstretch3", "doffset3", "dE4"),
        *("dW1", "db1", "dW2", "db2"),
    ]
    assert trace["e"].shape == trace["de"].shape == (6, 15)
    np.testing.assert_array_equal(trace["h1"], trace["e"] + trace["a1"])


def test_one_row_by_hand():
    """1-1-1, relu, squared error: h = 2·3 = 6, ŷ = −1·6 + 1 = −5, L = (−5 − 1)² = 36."""
    network = Network((1, 1, 1), "relu")
    p = network.initialize(0)
    parameters = (
        p[0]._replace(W=jnp.array([[2.0]]), b=jnp.array([0.0])),
        p[1]._replace(W=jnp.array([[-1.0]]), b=jnp.array([1.0])),
    )
    trace = network.trace(parameters, np.array([[3.0]]), np.array([[1.0]]))
    trace = {name: float(a.squeeze()) for name, a in trace.items()}
    assert trace == {
        "x": 3.0,
        "z1": 6.0,
        "h1": 6.0,
        "z2": -5.0,
        "y_hat": -5.0,
        "L": 36.0,
        "delta2": -12.0,  # 2 (ŷ − y)
        "delta1": 12.0,  # −1 · delta2, through relu
        "dW2": -72.0,  # delta2 · h1
        "db2": -12.0,
        "dW1": 36.0,  # delta1 · x
        "db1": 12.0,
    }

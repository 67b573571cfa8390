"""The exact symbolic derivative equals the δ form, for every activation and every loss."""

import numpy as np
import pytest
import sympy

from chainrule.explain.row_loss import row_loss
from chainrule.explain.unrolled import unrolled
from chainrule.mathematics.activations import ACTIVATIONS
from chainrule.mathematics.loss import DISTRIBUTION
from chainrule.mathematics.losses import LOSSES
from chainrule.network.network import Network, shapes
from chainrule.network.parameters import named

# SymPy needs minutes to simplify these; at random points they are compared with 30 digits.
SLOW = {"huber", "softmax_focal", "focal", "quantile"}


def symbols(name, shape):
    made = [sympy.Symbol("_".join((name, *map(str, key))), real=True) for key in np.ndindex(*shape)]
    return np.array(made, object).reshape(shape)


def both_ways(network, weight, key):
    """∂L/∂w by SymPy from L, and by δ: no numbers anywhere."""
    chain = unrolled(network)
    arrays = {name: symbols(name, array.shape) for name, array in named(shapes(network))}
    x, y = symbols("x", (1, network.sizes[0])), symbols("y", (1, network.targets))
    values = chain.forward(arrays, x)
    y_hat, loss = values[chain.stations[-1]], row_loss(network.loss)
    deltas = chain.backward(arrays, values, loss.gradient(y_hat, y))
    owner = chain.owner(weight)
    local = owner.local(arrays, weight[:-1], key, *(values[s] for s in owner.sources))
    form = (deltas[owner.target][:, local.entries] * local.values).sum()
    return sympy.diff(loss.value(y_hat, y)[0], arrays[weight][key]), form


def same(exact, form):
    return sympy.simplify(exact - form) == 0


def same_at_points(exact, form):
    letters = sorted(exact.free_symbols | form.free_symbols, key=str)
    numbers = np.random.default_rng(0)
    for _ in range(5):
        at = {
            s: sympy.Float(float(v), 30)
            for s, v in zip(letters, numbers.uniform(0.1, 0.9, len(letters)), strict=True)
        }
        if abs((exact - form).subs(at).evalf(30)) > 1e-20:
            return False
    return True


@pytest.mark.parametrize("name", ACTIVATIONS)
def test_for_every_activation(name):
    exact, form = both_ways(Network((1, 1, 1), activation=name), "W1", (0, 0))
    assert exact != 0
    assert same(exact, form)


@pytest.mark.parametrize("loss", LOSSES.values(), ids=lambda loss: loss.name)
def test_for_every_loss(loss):
    outputs = 2 if loss.domain is DISTRIBUTION else loss.outputs_per_target
    exact, form = both_ways(Network((1, 1, outputs), activation="tanh", loss=loss), "W1", (0, 0))
    assert exact != 0
    assert (same_at_points if loss.name in SLOW else same)(exact, form)


@pytest.mark.parametrize("weight", ["W1", "b1", "W2", "W3", "b3"])
def test_through_two_hidden_layers(weight):
    network = Network((1, 2, 2, 1), activation="sine")
    exact, form = both_ways(network, weight, (0,) * (2 if weight[0] == "W" else 1))
    assert sympy.expand(exact - form) == 0


@pytest.mark.parametrize(("weight", "key"), [("W1", (0, 1)), ("gain1", (1,)), ("shift1", (0,))])
def test_through_normalisation_and_the_short_way(weight, key):
    network = Network((2, 2, 1), activation="sine", layer_norm=True, residual=True)
    assert same_at_points(*both_ways(network, weight, key))


def test_a_wrong_slope_is_seen():
    exact, form = both_ways(Network((1, 1, 1), activation="tanh"), "W1", (0, 0))
    assert not same(exact, 2 * form)
    assert not same_at_points(exact, form + sympy.Float("1e-9"))

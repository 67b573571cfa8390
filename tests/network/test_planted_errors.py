"""Plant an error in one rule at a time: the gradient check must see every one of them.

The checks run without compilation, so that no program compiled before hides a plant.
"""

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from chainrule.mathematics import (
    activations,
    affine,
    columnwise,
    dropout,
    lookup,
    losses,
    normalization,
    penalties,
    periodic,
    piecewise_linear,
    rescaling,
)
from chainrule.mathematics.activations import ACTIVATIONS
from chainrule.mathematics.initializers import he_normal
from chainrule.mathematics.losses import LOSSES
from chainrule.network import gradient_check, propagation
from chainrule.network.embedding_layers import Lookup, Parallel, Periodic, PiecewiseLinear, Rescale
from chainrule.network.layers import Activate, Affine, Dropout, Normalize, Residual
from chainrule.network.network import Network
from chainrule.network.parameters import Norm, Pieces, Stretches, Waves, Weights

pytestmark = pytest.mark.usefixtures("quick_compiler")

ROWS, WIDTH, OUTPUTS = 4, 3, 2


@pytest.fixture(autouse=True)
def few_differences(monkeypatch):
    """Automatic differentiation still sees every entry; the differences, one of each array."""
    monkeypatch.setattr(gradient_check, "SAMPLE", 1)


def check(draw_targets, activation="tanh", loss="squared_error", sizes=(WIDTH, WIDTH, OUTPUTS), **options):
    network = Network(sizes, activation, loss, **options)
    numbers = np.random.default_rng(5)
    leaves, structure = jax.tree.flatten(network.initialize(3))
    # Away from gain 1 and bias 0, where many a wrong rule is right.
    parameters = jax.tree.unflatten(
        structure, [leaf + 0.3 * numbers.normal(size=leaf.shape) for leaf in leaves]
    )
    x = numbers.normal(size=(ROWS, sizes[0])) * 2
    if "embedding" in options:
        x[:, -2:] = [[0, 1], [1, 2], [2, 2], [1, 1]]  # codes
    x = jnp.asarray(x)
    y = jnp.asarray(draw_targets(network.loss, ROWS, network.targets))
    weight = jnp.array([1.0, 2.0, 0.5, 3.0])
    with jax.disable_jit():
        return gradient_check.check_gradients(network, parameters, x, y, weight, jnp.uint32(6))


ALL = {"layer_norm": True, "residual": True, "dropout": 0.4, "l1": 0.05, "l2": 0.1}
# Maps below the periodic and the piecewise-linear part, so that what these hand down shows too.
EMBEDDED = {
    "sizes": (8, WIDTH, OUTPUTS),
    "embedding": [
        (2, ()),
        (2, (Normalize(), Periodic(3, 3, 0.5))),
        (2, (Affine(4, he_normal), PiecewiseLinear(2, 3), Rescale())),
        (2, Lookup((3, 3), 2)),
    ],
}


@pytest.mark.parametrize("options", [{}, ALL, EMBEDDED], ids=["plain", "all", "embedded"])
def test_without_a_plant_the_check_agrees(options, draw_targets):
    report = check(draw_targets, **options)
    assert report.ok, report


def planted_affine(wrong):
    right = affine.backward

    def backward(W, a, delta):
        dW, db, da = right(W, a, delta)
        return wrong(W, a, delta, dW, db, da)

    return affine, "backward", backward


def planted_normalization(wrong):
    right = normalization.backward

    def backward(gain, a, delta):
        dgain, dshift, da = right(gain, a, delta)
        return wrong(gain, a, delta, dgain, dshift, da)

    return normalization, "backward", backward


def spread(a):
    return jnp.sqrt(a.var(axis=1, keepdims=True) + normalization.EPSILON)


def normalized(a):
    return (a - a.mean(axis=1, keepdims=True)) / spread(a)


def planted_dropout(wrong):
    return dropout, "backward", wrong


def planted_columnwise(wrong):
    right = columnwise.backward
    return columnwise, "backward", lambda V, v, delta: wrong(V, v, delta, *right(V, v, delta))


def planted_lookup(wrong):
    right = lookup.backward
    return lookup, "backward", lambda E, codes, delta: wrong(E, codes, delta, *right(E, codes, delta))


def planted_periodic(wrong):
    right = periodic.backward

    def backward(frequency, phase, a, delta):
        return wrong(frequency, phase, a, delta, *right(frequency, phase, a, delta))

    return periodic, "backward", backward


def planted_pieces(wrong):
    right = piecewise_linear.backward
    return piecewise_linear, "backward", lambda bins, u, delta: wrong(bins, u, delta, right(bins, u, delta))


def planted_rescaling(wrong):
    right = rescaling.backward

    def backward(stretch, a, delta):
        dstretch, doffset, da = right(stretch, a, delta)
        return wrong(stretch, a, delta, dstretch, doffset, da)

    return rescaling, "backward", backward


def overwrites(E, codes, delta):
    """The last delta of each row of E, in the place of their sum."""
    places = codes.astype(int).ravel()
    return jnp.zeros_like(E).at[places].set(delta.reshape(-1, E.shape[1]))


def phase_without_its_turn(frequency, phase, a, delta):
    angle = 2 * jnp.pi * frequency[:, :, None] * a.T[:, None, :] + phase[:, :, None]
    return (jnp.sin(angle) * delta).sum(axis=2)


def planted_layer(layer, wrong):
    right = layer.backward
    return layer, "backward", lambda self, p, a, delta, seed=None: wrong(self, right, p, a, delta, seed)


def planted_backward(wrong):
    """Another composition of the same rules, in the place of propagation.backward."""
    return propagation, "backward", wrong


def forgets_a_delta(layers, parameters, values, delta, seed=None):
    """Hands the delta of the top to every map: no chain."""
    gradients, own = [], list(parameters)
    for layer, a in zip(layers, values[:-1], strict=True):
        p = own.pop(0) if layer.learns else None
        gradient, _ = layer.backward(p, a, delta, seed)
        gradients += [gradient] if layer.learns else []
    return tuple(gradients), (delta,) * len(values)


def takes_the_values_of_the_next_map(layers, parameters, values, delta, seed=None):
    return right_backward(layers, parameters, (values[0], *values[:-2], values[-1]), delta, seed)


def swaps_the_gradients(layers, parameters, values, delta, seed=None):
    gradients, deltas = right_backward(layers, parameters, values, delta, seed)
    first, second, *rest = gradients  # of one shape, as the widths are
    swapped = (second, first, *rest)
    return swapped, deltas


def forgets_the_seed(layers, parameters, values, delta, seed=None):
    return right_backward(layers, parameters, values, delta, None)


def draws_another_mask(layers, parameters, values, delta, seed=None):
    return right_backward(layers, parameters, values, delta, None if seed is None else seed + jnp.uint32(1))


def doubles_the_top(layers, parameters, values, delta, seed=None):
    return right_backward(layers, parameters, values, 2 * delta, seed)


right_backward = propagation.backward
piecewise_linear_backward = piecewise_linear.backward

RULES = {
    # affine: z = a Wᵀ + b
    "affine dW sign": planted_affine(lambda W, a, delta, dW, db, da: (-dW, db, da)),
    "affine dW doubled": planted_affine(lambda W, a, delta, dW, db, da: (2 * dW, db, da)),
    "affine dW transposed": planted_affine(
        lambda W, a, delta, dW, db, da: (dW.T if W.shape[0] == W.shape[1] else dW, db, da)
    ),
    "affine dW without the last row": planted_affine(
        lambda W, a, delta, dW, db, da: (delta[:-1].T @ a[:-1], db, da)
    ),
    "affine dW averaged": planted_affine(lambda W, a, delta, dW, db, da: (dW / ROWS, db, da)),
    "affine db sign": planted_affine(lambda W, a, delta, dW, db, da: (dW, -db, da)),
    "affine db averaged": planted_affine(lambda W, a, delta, dW, db, da: (dW, delta.mean(axis=0), da)),
    "affine db zero": planted_affine(lambda W, a, delta, dW, db, da: (dW, 0 * db, da)),
    "affine db reversed": planted_affine(lambda W, a, delta, dW, db, da: (dW, db[::-1], da)),
    "affine da sign": planted_affine(lambda W, a, delta, dW, db, da: (dW, db, -da)),
    "affine da transposed": planted_affine(
        lambda W, a, delta, dW, db, da: (dW, db, delta @ W.T if W.shape[0] == W.shape[1] else da)
    ),
    "affine da off by a thousandth": planted_affine(lambda W, a, delta, dW, db, da: (dW, db, da * 1.001)),
    # layer normalisation
    "normalization dgain without n": planted_normalization(
        lambda gain, a, delta, dgain, dshift, da: ((delta * a).sum(axis=0), dshift, da)
    ),
    "normalization dgain times gain": planted_normalization(
        lambda gain, a, delta, dgain, dshift, da: (dgain * gain, dshift, da)
    ),
    "normalization dshift times gain": planted_normalization(
        lambda gain, a, delta, dgain, dshift, da: (dgain, dshift * gain, da)
    ),
    "normalization dshift averaged": planted_normalization(
        lambda gain, a, delta, dgain, dshift, da: (dgain, delta.mean(axis=0), da)
    ),
    "normalization da without the mean of g": planted_normalization(
        lambda gain, a, delta, dgain, dshift, da: (
            dgain,
            dshift,
            da + (delta * gain[None, :]).mean(axis=1, keepdims=True) / spread(a),
        )
    ),
    "normalization da without the part along n": planted_normalization(
        lambda gain, a, delta, dgain, dshift, da: (
            dgain,
            dshift,
            (delta * gain[None, :] - (delta * gain[None, :]).mean(axis=1, keepdims=True)) / spread(a),
        )
    ),
    "normalization da without gain": planted_normalization(
        lambda gain, a, delta, dgain, dshift, da: (
            dgain,
            dshift,
            (
                delta
                - delta.mean(axis=1, keepdims=True)
                - normalized(a) * (delta * normalized(a)).mean(axis=1, keepdims=True)
            )
            / spread(a),
        )
    ),
    "normalization da with the variance": planted_normalization(
        lambda gain, a, delta, dgain, dshift, da: (dgain, dshift, da / spread(a))
    ),
    "normalization da as if mean and spread were constant": planted_normalization(
        lambda gain, a, delta, dgain, dshift, da: (dgain, dshift, delta * gain[None, :] / spread(a))
    ),
    # dropout
    "dropout not scaled": planted_dropout(lambda delta, stays, rate: jnp.where(stays, delta, 0)),
    "dropout the other units": planted_dropout(
        lambda delta, stays, rate: jnp.where(stays, 0, delta / (1 - rate))
    ),
    "dropout scaled by the rate": planted_dropout(
        lambda delta, stays, rate: jnp.where(stays, delta / rate, 0)
    ),
    "dropout not at all": planted_dropout(lambda delta, stays, rate: delta),
    # penalties
    "l1 sign": (penalties, "l1_gradient", lambda W: -jnp.sign(W)),
    "l1 as l2": (penalties, "l1_gradient", lambda W: W),
    "l1 missing": (penalties, "l1_gradient", jnp.zeros_like),
    "l2 doubled": (penalties, "l2_gradient", lambda W: 2 * W),
    "l2 sign": (penalties, "l2_gradient", lambda W: -W),
    "l2 missing": (penalties, "l2_gradient", jnp.zeros_like),
    "penalty value of l1 halved": (penalties, "l1_gradient", lambda W: jnp.sign(W) / 2),
    # the affine map of each column
    "columnwise dV sign": planted_columnwise(lambda V, v, delta, dV, dc, dv: (-dV, dc, dv)),
    "columnwise dV averaged": planted_columnwise(lambda V, v, delta, dV, dc, dv: (dV / ROWS, dc, dv)),
    "columnwise dV of the first column for all": planted_columnwise(
        lambda V, v, delta, dV, dc, dv: (jnp.broadcast_to(dV[:1], dV.shape), dc, dv)
    ),
    "columnwise dc without the last row": planted_columnwise(
        lambda V, v, delta, dV, dc, dv: (dV, delta[:, :, :-1].sum(axis=2), dv)
    ),
    "columnwise dc zero": planted_columnwise(lambda V, v, delta, dV, dc, dv: (dV, 0 * dc, dv)),
    "columnwise dv sign": planted_columnwise(lambda V, v, delta, dV, dc, dv: (dV, dc, -dv)),
    "columnwise dv of another column": planted_columnwise(
        lambda V, v, delta, dV, dc, dv: (dV, dc, jnp.matrix_transpose(V[::-1]) @ delta)
    ),
    # lookup
    "lookup dE sign": planted_lookup(lambda E, codes, delta, dE, da: (-dE, da)),
    "lookup dE overwrites": planted_lookup(lambda E, codes, delta, dE, da: (overwrites(E, codes, delta), da)),
    "lookup dE averaged": planted_lookup(lambda E, codes, delta, dE, da: (dE / ROWS, da)),
    "lookup dE one row off": planted_lookup(lambda E, codes, delta, dE, da: (jnp.roll(dE, 1, axis=0), da)),
    "lookup dE reversed": planted_lookup(lambda E, codes, delta, dE, da: (dE[:, ::-1], da)),
    # periodic
    "periodic dfrequency without 2π": planted_periodic(
        lambda w, b, a, delta, dw, db, da: (dw / (2 * jnp.pi), db, da)
    ),
    "periodic dfrequency without a": planted_periodic(
        lambda w, b, a, delta, dw, db, da: (2 * jnp.pi * db, db, da)
    ),
    "periodic dphase sign": planted_periodic(lambda w, b, a, delta, dw, db, da: (dw, -db, da)),
    "periodic dphase with the sine's sign lost": planted_periodic(
        lambda w, b, a, delta, dw, db, da: (dw, phase_without_its_turn(w, b, a, delta), da)
    ),
    "periodic dphase of the cosine": planted_periodic(
        lambda w, b, a, delta, dw, db, da: (dw, (periodic.forward(w, b, a) * delta).sum(axis=2), da)
    ),
    "periodic da sign": planted_periodic(lambda w, b, a, delta, dw, db, da: (dw, db, -da)),
    "periodic da without 2π": planted_periodic(
        lambda w, b, a, delta, dw, db, da: (dw, db, da / (2 * jnp.pi))
    ),
    "periodic da without the frequency": planted_periodic(
        lambda w, b, a, delta, dw, db, da: (dw, db, jnp.ones_like(a))
    ),
    # piecewise linear
    "piecewise linear da sign": planted_pieces(lambda bins, u, delta, da: -da),
    "piecewise linear da of all bins": planted_pieces(lambda bins, u, delta, da: delta.sum(axis=1).T),
    "piecewise linear da of the first bin": planted_pieces(lambda bins, u, delta, da: delta[:, 0].T),
    "piecewise linear da of the bin above": planted_pieces(
        lambda bins, u, delta, da: piecewise_linear_backward(bins, u + 1, delta)
    ),
    "piecewise linear da zero where it is open": planted_pieces(
        lambda bins, u, delta, da: jnp.where((u >= 0) & (u <= bins), da, 0)
    ),
    # rescaling
    "rescaling dstretch sign": planted_rescaling(lambda s, a, delta, ds, do, da: (-ds, do, da)),
    "rescaling dstretch without a": planted_rescaling(lambda s, a, delta, ds, do, da: (do, do, da)),
    "rescaling dstretch times stretch": planted_rescaling(lambda s, a, delta, ds, do, da: (s * ds, do, da)),
    "rescaling dstretch of the columns together": planted_rescaling(
        lambda s, a, delta, ds, do, da: (jnp.full_like(ds, ds.sum()), do, da)
    ),
    "rescaling doffset averaged": planted_rescaling(
        lambda s, a, delta, ds, do, da: (ds, delta.mean(axis=0), da)
    ),
    "rescaling doffset times stretch": planted_rescaling(lambda s, a, delta, ds, do, da: (ds, s * do, da)),
    "rescaling da without stretch": planted_rescaling(lambda s, a, delta, ds, do, da: (ds, do, delta)),
    "rescaling da by stretch": planted_rescaling(
        lambda s, a, delta, ds, do, da: (ds, do, delta / s[None, :])
    ),
    # embeddings
    "lookup layer without its offsets": planted_layer(
        Lookup,
        lambda self, right, p, a, delta, seed: (
            right(self, p, jnp.where(a < 0, 0, a) * jnp.array([[1.0, 0.0]]), delta)[0],
            right(self, p, a, delta)[1],
        ),
    ),
    "periodic layer without the short way": planted_layer(
        Periodic,
        lambda self, right, p, a, delta, seed: (
            right(self, p, a, delta)[0],
            right(self, p, a, delta)[1] - delta[:, self.size - 1 :: self.size],
        ),
    ),
    "periodic layer with only the short way": planted_layer(
        Periodic,
        lambda self, right, p, a, delta, seed: (
            right(self, p, a, delta)[0],
            delta[:, self.size - 1 :: self.size],
        ),
    ),
    "periodic layer with frequency and phase exchanged": planted_layer(
        Periodic,
        lambda self, right, p, a, delta, seed: (
            Waves(*(right(self, p, a, delta)[0][i] for i in (1, 0, 2, 3))),
            right(self, p, a, delta)[1],
        ),
    ),
    "piecewise linear layer with its columns reversed": planted_layer(
        PiecewiseLinear,
        lambda self, right, p, a, delta, seed: (
            Pieces(*(leaf[::-1] for leaf in right(self, p, a, delta)[0])),
            right(self, p, a, delta)[1],
        ),
    ),
    "rescale layer with stretch and offset exchanged": planted_layer(
        Rescale,
        lambda self, right, p, a, delta, seed: (
            Stretches(*right(self, p, a, delta)[0][::-1]),
            right(self, p, a, delta)[1],
        ),
    ),
    "parallel with the deltas of other parts": planted_layer(
        Parallel,
        lambda self, right, p, a, delta, seed: right(self, p, a, jnp.roll(delta, 1, axis=1), seed),
    ),
    "parallel with the columns of other parts": planted_layer(
        Parallel,
        lambda self, right, p, a, delta, seed: right(self, p, jnp.roll(a, 1, axis=1), delta, seed),
    ),
    # layers
    "activate with the derivative at the output": planted_layer(
        Activate,
        lambda self, right, p, a, delta, seed: (
            None,
            delta * self.activation.derivative(self.activation.value(a)),
        ),
    ),
    "activate without the derivative": planted_layer(
        Activate, lambda self, right, p, a, delta, seed: (None, delta)
    ),
    "activate without delta": planted_layer(
        Activate, lambda self, right, p, a, delta, seed: (None, self.activation.derivative(a))
    ),
    "affine layer with W and b of another scale": planted_layer(
        Affine,
        lambda self, right, p, a, delta, seed: (
            Weights(right(self, p, a, delta)[0].W, right(self, p, a, delta)[0].W.sum(axis=1)),
            right(self, p, a, delta)[1],
        ),
    ),
    "normalize layer with gain and shift exchanged": planted_layer(
        Normalize,
        lambda self, right, p, a, delta, seed: (
            Norm(*right(self, p, a, delta)[0][::-1]),
            right(self, p, a, delta)[1],
        ),
    ),
    "dropout layer without its seed": planted_layer(
        Dropout, lambda self, right, p, a, delta, seed: right(self, p, a, delta, None)
    ),
    "residual without the short way": planted_layer(
        Residual,
        lambda self, right, p, a, delta, seed: (
            right(self, p, a, delta, seed)[0],
            right(self, p, a, delta, seed)[1] - delta,
        ),
    ),
    "residual with only the short way": planted_layer(
        Residual, lambda self, right, p, a, delta, seed: (right(self, p, a, delta, seed)[0], delta)
    ),
    "residual with the short way twice": planted_layer(
        Residual,
        lambda self, right, p, a, delta, seed: (
            right(self, p, a, delta, seed)[0],
            right(self, p, a, delta, seed)[1] + delta,
        ),
    ),
    # the chain itself
    "propagation forgets a delta": planted_backward(forgets_a_delta),
    "propagation takes the values of the next map": planted_backward(takes_the_values_of_the_next_map),
    "propagation swaps the gradients": planted_backward(swaps_the_gradients),
    "propagation forgets the seed": planted_backward(forgets_the_seed),
    "propagation draws another mask": planted_backward(draws_another_mask),
    "propagation doubles the top": planted_backward(doubles_the_top),
}
# What a map hands down shows only where another map lies below.
DEEP = {"sizes": (WIDTH,) * 3 + (OUTPUTS,), **ALL}
PLAIN = {"sizes": (WIDTH,) * 4, "dropout": 0.4}
OPTIONS = {"affine da transposed": DEEP, "residual": DEEP, "propagation": PLAIN}
OPTIONS |= dict.fromkeys(
    ("columnwise", "lookup", "periodic", "piecewise linear", "rescal", "parallel"), EMBEDDED
)


@pytest.mark.parametrize(  # every third in the usual run
    "plant", [pytest.param(plant, marks=[pytest.mark.long] if k % 3 else []) for k, plant in enumerate(RULES)]
)
def test_an_error_in_a_rule_is_seen(plant, monkeypatch, draw_targets):
    options = next((o for words, o in OPTIONS.items() if plant.startswith(words)), ALL)
    monkeypatch.setattr(*RULES[plant])
    report = check(draw_targets, **options)
    assert not report.ok
    assert "DO NOT AGREE" in str(report)


WRONG_DERIVATIVES = {
    "sign": lambda a: lambda z: -a.derivative(z),
    "of the output": lambda a: lambda z: a.derivative(a.value(z)),
    "off by a thousandth": lambda a: lambda z: a.derivative(z) * 1.001,
}
# Where the wrong rule is right: σ′ of these does not change when z is replaced by σ(z).
RIGHT_ANYWAY = {("identity", "of the output"), ("relu", "of the output"), ("leaky_relu", "of the output")}


@pytest.mark.parametrize("how", WRONG_DERIVATIVES)
@pytest.mark.parametrize("name", ACTIVATIONS)
def test_an_error_in_a_derivative_is_seen(name, how, monkeypatch, draw_targets):
    right = ACTIVATIONS[name]
    if (name, how) in RIGHT_ANYWAY:
        z = jnp.linspace(-3, 3, 60)
        np.testing.assert_array_equal(right.derivative(right.value(z)), right.derivative(z))
        return
    monkeypatch.setattr(activations, "ours", lambda function: True)  # else the pair is refused at once
    wrong = right._replace(derivative=WRONG_DERIVATIVES[how](right))
    assert not check(draw_targets, activation=wrong).ok


WRONG_GRADIENTS = {
    "sign": lambda right: lambda y_hat, y: -right(y_hat, y),
    "averaged over the rows": lambda right: lambda y_hat, y: right(y_hat, y) / len(y),
    "without the last output": lambda right: lambda y_hat, y: right(y_hat, y).at[:, -1].set(0),
    "off by a thousandth": lambda right: lambda y_hat, y: right(y_hat, y) * 1.001,
}


@pytest.mark.parametrize("how", WRONG_GRADIENTS)
@pytest.mark.parametrize("name", LOSSES)
def test_an_error_in_a_gradient_is_seen(name, how, monkeypatch, draw_targets):
    right = LOSSES[name]
    monkeypatch.setattr(losses, "ours", lambda function: True)  # else the pair is refused at once
    wrong = right._replace(gradient=WRONG_GRADIENTS[how](right.gradient))
    assert not check(draw_targets, loss=wrong, sizes=(WIDTH, OUTPUTS)).ok

"""Every layer: its two rules side by side, against automatic differentiation."""

import itertools

import jax
import jax.numpy as jnp
import jaxtyping
import numpy as np
import pytest

from chainrule.mathematics.activations import ACTIVATIONS
from chainrule.mathematics.initializers import INITIALIZERS
from chainrule.network import propagation
from chainrule.network.layer import Layer
from chainrule.network.layers import Activate, Affine, Dropout, Normalize, Residual
from chainrule.network.parameters import Norm, Weights

pytestmark = pytest.mark.usefixtures("quick_compiler")

ROWS, WIDTH = 5, 4
GLOROT = INITIALIZERS["glorot_uniform"]
TANH, RELU = (Activate(ACTIVATIONS[name]) for name in ("tanh", "relu"))


def affine(outputs=WIDTH, bias=True):
    return Affine(outputs, GLOROT, bias)


LAYERS = {
    "affine": affine(3),
    "affine as wide": affine(),
    "affine without bias": affine(6, bias=False),
    "activate smooth": TANH,
    "activate with a kink": RELU,
    "normalize": Normalize(),
    "dropout": Dropout(0.4, 0),
    "dropout of nearly all": Dropout(0.95, 3),
    "residual": Residual((affine(), TANH)),
    "residual through another width": Residual((affine(7), TANH, affine())),
    "residual of all kinds": Residual((affine(), Normalize(), TANH, Dropout(0.3, 1))),
    "residual of residuals": Residual(
        (affine(), Residual((affine(), TANH, Residual((Normalize(), RELU)))), TANH)
    ),
    "residual that learns nothing": Residual((TANH, Dropout(0.5, 2))),
    "residual of nothing": Residual(()),
}


def draw(layer, seed=0):
    """Parameters away from gain 1 and bias 0, an input and the delta of the output."""
    numbers = np.random.default_rng(seed)
    p = (
        layer.initialize(jax.random.key(seed), WIDTH)
        if layer.learns
        else (() if isinstance(layer, Residual) else None)
    )
    p = jax.tree.map(lambda leaf: jnp.asarray(np.asarray(leaf) + 0.3 * numbers.normal(size=leaf.shape)), p)
    a = jnp.asarray(numbers.normal(size=(ROWS, WIDTH)))
    return p, a, jnp.asarray(numbers.normal(size=(ROWS, layer.width(WIDTH))))


@pytest.fixture
def deep_tuples(request):
    """The run-time checks read the recursive type of parameters one tuple deep, so they pause beyond it."""
    jaxtyping.config.update("jaxtyping_disable", "residual of residuals" in request.node.name)
    yield
    jaxtyping.config.update("jaxtyping_disable", False)


@pytest.mark.parametrize("seed", [None, 0, 7])
@pytest.mark.parametrize("layer", LAYERS.values(), ids=LAYERS)
def test_backward_is_the_derivative_of_forward(layer, seed, deep_tuples, float64):
    p, a, delta = draw(layer)
    seed = None if seed is None else jnp.uint32(seed)
    out, pull = jax.vjp(lambda p, a: layer.forward(p, a, seed), p, a)
    gradient, da = layer.backward(p, a, delta, seed)
    witness, da_witness = pull(delta)
    assert out.shape == delta.shape
    np.testing.assert_allclose(da, da_witness, rtol=1e-10, atol=1e-13)
    leaves, structure = jax.tree.flatten(gradient)
    assert structure == jax.tree.structure(witness)
    for ours, automatic in zip(leaves, jax.tree.leaves(witness), strict=True):
        np.testing.assert_allclose(ours, automatic, rtol=1e-10, atol=1e-13)


@pytest.mark.parametrize("layer", LAYERS.values(), ids=LAYERS)
def test_a_layer_is_frozen_hashable_and_equal_to_its_twin(layer):
    twin = type(layer)(**{name: getattr(layer, name) for name in layer.__dataclass_fields__})
    assert twin == layer
    assert hash(twin) == hash(layer)
    for name in layer.__dataclass_fields__:
        with pytest.raises(AttributeError):
            setattr(layer, name, None)


def test_different_layers_are_different():
    different = [*LAYERS.values(), affine(4, bias=False), Dropout(0.4, 1), Dropout(0.5, 0)]
    for one, other in itertools.combinations(different, 2):
        assert one != other


def test_who_learns():
    learns = {name: layer.learns for name, layer in LAYERS.items()}
    silent = {"activate smooth", "activate with a kink", "dropout", "dropout of nearly all"}
    silent |= {"residual that learns nothing", "residual of nothing"}
    assert {name for name, it in learns.items() if not it} == silent


def test_what_does_not_learn_has_nothing_to_draw():
    with pytest.raises(NotImplementedError):
        TANH.initialize(jax.random.key(0), 3)


def test_a_layer_must_have_both_rules():
    class Half(Layer):
        def width(self, inputs):
            return inputs

        def forward(self, p, a, seed=None):
            return a

    with pytest.raises(TypeError, match="backward"):
        Half()


def test_how_parameters_begin():
    W, b = affine(3).initialize(jax.random.key(0), 5)
    assert W.shape == (3, 5)
    np.testing.assert_array_equal(b, np.zeros(3))
    np.testing.assert_array_equal(W, GLOROT.draw(jax.random.key(0), 3, 5))
    assert affine(3, bias=False).initialize(jax.random.key(0), 5).b is None
    norm = Normalize().initialize(jax.random.key(0), 3)
    assert isinstance(norm, Norm)
    np.testing.assert_array_equal(norm.gain, np.ones(3))
    np.testing.assert_array_equal(norm.shift, np.zeros(3))
    inside = Residual((affine(3), Normalize(), TANH, affine(5))).initialize(jax.random.key(0), 5)
    assert [type(p) for p in inside] == [Weights, Norm, Weights]
    assert [inside[0].W.shape, inside[2].W.shape] == [(3, 5), (5, 3)]


def test_residual_adds_its_input(float64):
    layer = LAYERS["residual of all kinds"]
    p, a, _ = draw(layer)
    through = propagation.forward(layer.layers, p, a)[-1]
    np.testing.assert_allclose(layer.forward(p, a), a + through, rtol=1e-14)
    np.testing.assert_array_equal(Residual(()).forward((), a), 2 * a)


@pytest.mark.parametrize("name", ["residual that learns nothing", "residual of nothing"])
def test_a_residual_that_learns_nothing_may_stand_in_a_chain(name, float64):
    chain = (LAYERS[name], affine(3))
    x = draw(affine())[1]
    parameters = propagation.initialize(chain, jax.random.key(0), WIDTH)
    values = propagation.forward(chain, parameters, x)
    gradients, deltas = propagation.backward(chain, parameters, values, values[-1])
    witness = jax.grad(lambda p, x: (propagation.forward(chain, p, x)[-1] ** 2).sum() / 2, argnums=(0, 1))
    expected, dx = witness(parameters, x)
    assert jax.tree.structure(gradients) == jax.tree.structure(expected)
    np.testing.assert_allclose(gradients[0].W, expected[0].W, rtol=1e-12)
    np.testing.assert_allclose(deltas[0], dx, rtol=1e-12)


def test_activate_multiplies_delta_by_the_derivative():
    _, da = TANH.backward(None, jnp.array([[0.0, 1.0]]), jnp.array([[3.0, 2.0]]))
    np.testing.assert_allclose(da, [[3.0, 2 * (1 - np.tanh(1) ** 2)]], rtol=1e-6)


BIG = jnp.ones((300, 200))


def masks(layer, seed):
    forward = np.asarray(layer.forward(None, BIG, jnp.uint32(seed))) != 0
    backward = np.asarray(layer.backward(None, BIG, BIG, jnp.uint32(seed))[1]) != 0
    return forward, backward


@pytest.mark.parametrize("rate", [0.1, 0.5, 0.9])
def test_dropout_has_one_mask_in_both_passes_and_keeps_the_expectation(rate):
    layer = Dropout(rate, 1)
    forward, backward = masks(layer, 5)
    assert (forward == backward).all()
    assert abs(forward.mean() - (1 - rate)) < 4.5 * (rate * (1 - rate) / BIG.size) ** 0.5
    out = layer.forward(None, BIG, jnp.uint32(5))
    assert abs(float(out.mean()) - 1) < 4.5 * (rate / (1 - rate) / BIG.size) ** 0.5


def test_dropout_without_a_seed_is_not_there():
    layer = Dropout(0.7, 1)
    assert layer.forward(None, BIG) is BIG
    assert layer.backward(None, BIG, BIG)[1] is BIG


def test_places_and_seeds_have_masks_of_their_own():
    """Neighbouring places and seeds too, in any combination: place 1 of seed 0 is not place 0 of seed 1."""
    drawn = {
        (place, seed): masks(Dropout(0.5, place), seed)[0] for place in range(4) for seed in (0, 1, 2, 2**31)
    }
    for one, other in itertools.combinations(drawn.values(), 2):
        assert abs((one == other).mean() - 0.5) < 0.01


def test_rows_and_units_have_draws_of_their_own():
    mask = masks(Dropout(0.5, 0), 1)[0]
    assert len(np.unique(mask, axis=0)) == len(mask)
    assert len(np.unique(mask.T, axis=0)) == mask.shape[1]


def test_the_mask_is_the_same_compiled():
    layer = Dropout(0.3, 2)
    compiled = jax.jit(lambda a, seed: layer.forward(None, a, seed))
    np.testing.assert_array_equal(compiled(BIG, jnp.uint32(9)), layer.forward(None, BIG, jnp.uint32(9)))

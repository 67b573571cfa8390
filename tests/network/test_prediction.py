import jax
import jax.numpy as jnp
import numpy as np
import pytest

from chainrule.network import prediction
from chainrule.network.embedding_layers import Lookup, Periodic, PiecewiseLinear
from chainrule.network.network import Network
from chainrule.network.prediction import CHUNK, raw_output

NETWORK = Network((5, 16, 9, 3), "silu", layer_norm=True)
PARAMETERS = NETWORK.initialize(1)
MANY = prediction._ROWS + 3 * CHUNK + 17
X = np.random.default_rng(0).normal(size=(MANY, 5)).astype(np.float32)

pytestmark = pytest.mark.usefixtures("usual_compiler")


@pytest.fixture(scope="module")
def whole(usual_compiler):
    return raw_output(NETWORK, PARAMETERS, X)


@pytest.mark.parametrize("rows", [0, 1, 2, CHUNK - 1, CHUNK, CHUNK + 1, 1000, MANY])
def test_any_number_of_rows_gives_the_same_bits(rows, whole):
    out = raw_output(NETWORK, PARAMETERS, X[:rows])
    assert out.shape == (rows, 3)
    assert out.dtype == np.float32
    np.testing.assert_array_equal(out, whole[:rows])


def test_the_bits_of_a_row_do_not_depend_on_its_neighbours(whole):
    numbers = np.random.default_rng(1)
    for row in (0, 255, 256, MANY - 1):
        alone = raw_output(NETWORK, PARAMETERS, X[row : row + 1])
        np.testing.assert_array_equal(alone[0], whole[row])
        for at, strangers in ((0, 7), (300, 900), (61, 62)):
            others = (1e3 * numbers.normal(size=(strangers, 5))).astype(np.float32)
            others[at] = X[row]
            np.testing.assert_array_equal(raw_output(NETWORK, PARAMETERS, others)[at], whole[row])


def test_the_bits_of_an_embedded_row_do_not_depend_on_its_neighbours():
    embedding = [(1, ()), (2, Periodic(16, 4, 1.0)), (1, PiecewiseLinear(9, 5)), (1, Lookup((30,), 8))]
    network = Network((5, 16, 9, 3), "silu", embedding=embedding)
    parameters = network.initialize(1)
    x = X[:MANY].copy()
    x[:, 4] = np.random.default_rng(3).integers(0, 30, MANY)
    whole = raw_output(network, parameters, x)
    np.testing.assert_allclose(whole[:300], network.forward(parameters, x[:300]), rtol=2e-5, atol=2e-6)
    for rows in (1, 2, CHUNK + 1, 700):
        np.testing.assert_array_equal(raw_output(network, parameters, x[:rows]), whole[:rows])
    for row in (0, 3, 100, 255, 256, 301, MANY - 1):
        np.testing.assert_array_equal(raw_output(network, parameters, x[row : row + 1])[0], whole[row])
    order = np.random.default_rng(2).permutation(700)
    np.testing.assert_array_equal(raw_output(network, parameters, x[order]), whole[order])
    x[3], x[300, 2:] = np.nan, np.inf
    fine = np.delete(np.arange(400), [3, 300])
    np.testing.assert_array_equal(raw_output(network, parameters, x[:400])[fine], whole[:400][fine])


def test_a_row_that_is_not_finite_spoils_no_other(whole):
    x = X[:400].copy()
    x[3], x[300, 2] = np.nan, np.inf
    out = raw_output(NETWORK, PARAMETERS, x)
    fine = np.ones(400, bool)
    fine[[3, 300]] = False
    np.testing.assert_array_equal(out[fine], whole[:400][fine])
    assert np.isnan(out[3]).all()


def test_order_does_not_matter(whole):
    order = np.random.default_rng(2).permutation(700)
    np.testing.assert_array_equal(raw_output(NETWORK, PARAMETERS, X[order]), whole[order])


@pytest.mark.parametrize(
    "network", [NETWORK, Network((5, 2)), Network((5, 1, 64, 1), "relu", residual=True, bias=False)]
)
def test_it_is_forward_to_rounding(network):
    parameters = network.initialize(3)
    ours = raw_output(network, parameters, X[:333])
    np.testing.assert_allclose(ours, network.forward(parameters, X[:333]), rtol=2e-5, atol=2e-6)


def test_float64_stays_float64(float64):
    parameters = jax.tree.map(lambda leaf: jnp.asarray(leaf, jnp.float64), PARAMETERS)
    x = np.asarray(X[:300], np.float64)
    out = raw_output(NETWORK, parameters, x)
    assert out.dtype == np.float64
    np.testing.assert_allclose(out, NETWORK.forward(parameters, x), rtol=1e-13, atol=1e-14)


def test_few_shapes_are_compiled(monkeypatch):
    """Any number of rows takes one of two programs."""
    shapes = set()
    run = prediction._chunks
    monkeypatch.setattr(
        prediction,
        "_chunks",
        lambda rule, network, p, x, *rest: shapes.add(x.shape) or run(rule, network, p, x, *rest),
    )
    for rows in (1, 5, 256, 257, 4000, MANY):
        raw_output(NETWORK, PARAMETERS, X[:rows])
    assert shapes == {(1, CHUNK, 5), (prediction._ROWS // CHUNK, CHUNK, 5)}


def test_chunks_without_rows_are_not_computed(whole):
    x = jnp.asarray(X[: 2 * CHUNK].reshape(2, CHUNK, -1))
    out = prediction._chunks(prediction._one, NETWORK, PARAMETERS, x, 1, 1)
    np.testing.assert_array_equal(out[0], whole[:CHUNK])
    np.testing.assert_array_equal(out[1], 0)


def test_dropout_is_for_training_alone(whole):
    wet = Network((5, 16, 9, 3), "silu", layer_norm=True, dropout=0.5)
    np.testing.assert_array_equal(raw_output(wet, PARAMETERS, X[:50]), whole[:50])

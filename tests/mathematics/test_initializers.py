import jax
import numpy as np
import pytest

from chainrule.errors import ArgumentError
from chainrule.mathematics.initializers import INITIALIZERS, Initializer, find_initializer

SCALED = {name: record for name, record in INITIALIZERS.items() if name != "orthogonal"}


def variance(name, outputs, inputs):
    return {"he": 2 / inputs, "glorot": 2 / (inputs + outputs), "lecun": 1 / inputs}[name.partition("_")[0]]


@pytest.mark.parametrize("name", SCALED)
@pytest.mark.parametrize(("outputs", "inputs"), [(300, 200), (200, 300)])
def test_mean_variance_and_shape_of_the_distribution(name, outputs, inputs):
    W = np.asarray(SCALED[name].draw(jax.random.key(0), outputs, inputs))
    expected = variance(name, outputs, inputs)
    assert W.shape == (outputs, inputs)
    assert abs(W.mean()) < 4.5 * (expected / W.size) ** 0.5
    assert abs(W.var() / expected - 1) < 4.5 * (2 / W.size) ** 0.5
    kurtosis = ((W - W.mean()) ** 4).mean() / W.var() ** 2
    assert abs(kurtosis - (3.0 if name.endswith("normal") else 1.8)) < 0.1
    if name.endswith("uniform"):
        bound = (3 * expected) ** 0.5
        assert 0.999 * bound < np.abs(W).max() <= bound * (1 + 1e-6)


@pytest.mark.parametrize(("outputs", "inputs"), [(1, 1), (3, 3), (2, 5), (5, 2), (30, 40)])
def test_orthogonal(outputs, inputs):
    W = np.asarray(INITIALIZERS["orthogonal"].draw(jax.random.key(1), outputs, inputs))
    assert W.shape == (outputs, inputs)
    product = W @ W.T if outputs <= inputs else W.T @ W
    np.testing.assert_allclose(product, np.eye(min(outputs, inputs)), atol=1e-5)


@pytest.mark.parametrize("name", INITIALIZERS)
def test_the_key_decides(name):
    record = INITIALIZERS[name]
    draw = [np.asarray(record.draw(jax.random.key(seed), 4, 5)) for seed in (0, 0, 1)]
    assert (draw[0] == draw[1]).all()
    assert (draw[0] != draw[2]).any()
    assert record.name == name
    assert record.formula
    assert record.source


def test_find():
    record = INITIALIZERS["he_normal"]
    assert find_initializer("he_normal") is record
    own = Initializer("own", record.draw, "mine", "me")
    assert find_initializer(own) is own
    with pytest.raises(
        ArgumentError, match=r"initializer must be one of he_normal.*got 'he_norml'.*he_normal"
    ):
        find_initializer("he_norml")

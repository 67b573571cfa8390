import jax
import jax.numpy as jnp
import numpy as np
import pytest

from chainrule.network import gradient_check
from chainrule.network.gradient_check import ArrayReport, GradientReport
from chainrule.network.network import Network

pytestmark = pytest.mark.usefixtures("quick_compiler")


@pytest.fixture(scope="module")
def case():
    network = Network((10, 7, 2), "tanh", l2=0.1)
    numbers = np.random.default_rng(0)
    return network, network.initialize(1), numbers.normal(size=(7, 10)), numbers.normal(size=(7, 2))


@pytest.fixture(scope="module")
def report(case):
    network, parameters, x, y = case
    return network.check_gradients(parameters, x, y, np.arange(7.0))


def test_every_array_is_there_once_with_its_shape(case, report):
    leaves = jax.tree.leaves(case[1])
    assert [array.shape for array in report.arrays] == [leaf.shape for leaf in leaves]
    assert len({array.name for array in report.arrays}) == len(leaves)
    assert [array.compared for array in report.arrays] == [
        min(leaf.size, gradient_check.SAMPLE) for leaf in leaves
    ]
    assert max(leaf.size for leaf in leaves) > gradient_check.SAMPLE


def test_right_rules_agree_by_far(report):
    assert report.ok
    assert max(array.from_automatic for array in report.arrays) < 1e-13
    assert max(array.from_differences for array in report.arrays) < 1e-8


def test_the_differences_are_measured_not_assumed(report):
    """Central differences are never exact to the last bit."""
    assert max(array.from_differences for array in report.arrays) > 1e-13


def test_it_is_checked_in_float64_and_leaves_no_trace(case):
    network, parameters, x, y = case
    before = [np.asarray(leaf).copy() for leaf in jax.tree.leaves(parameters)]
    network.check_gradients(parameters, x, y)
    assert not jax.config.jax_enable_x64
    for leaf, copy in zip(jax.tree.leaves(parameters), before, strict=True):
        assert leaf.dtype == jnp.float32
        np.testing.assert_array_equal(leaf, copy)


def test_as_a_reader_sees_it(report):
    head, *lines, verdict = str(report).splitlines()
    assert head.split() == ["gradient", "of", "automatic", "differences", "compared"]
    assert len(lines) == len(report.arrays)
    for line, array in zip(lines, report.arrays, strict=True):
        assert line.startswith(f"{array.name} {'×'.join(map(str, array.shape))}")
        assert line.endswith(f"{array.compared} of {np.prod(array.shape)}")
    assert verdict == "by hand, automatic and finite differences agree (relative, float64)"


@pytest.mark.parametrize(
    ("automatic", "differences", "ok"),
    [
        (0.0, 0.0, True),
        (1e-9, 1e-5, True),
        (1.1e-9, 0.0, False),
        (0.0, 1.1e-5, False),
        (float("nan"), 0.0, False),
        (0.0, float("nan"), False),
        (float("inf"), 0.0, False),
    ],
)
def test_one_array_beyond_the_tolerance_is_enough(automatic, differences, ok):
    good = ArrayReport("W", (2, 3), 1e-16, 1e-10, 6)
    report = GradientReport((good, ArrayReport("b", (2,), automatic, differences, 2), good))
    assert report.ok is ok
    assert ("DO NOT AGREE" in str(report)) is not ok


def test_a_gradient_of_zero_is_no_division_by_zero():
    network = Network((2, 3, 1), "relu", bias=False)
    parameters = jax.tree.map(jnp.zeros_like, network.initialize(0))
    assert network.check_gradients(parameters, np.ones((2, 2)), np.ones((2, 1))).ok


def test_a_wrong_gradient_from_the_real_rules_is_seen(case, monkeypatch):
    """After the same check was right: no compiled program of before hides the error."""
    network, parameters, x, y = case
    assert network.check_gradients(parameters, x, y).ok
    right = Network.objective

    def wrong(self, *arguments):
        L, gradients, values, deltas = right(self, *arguments)
        entry = gradients[-1].W.at[0, 0].multiply(1 + 1e-4)
        return L, (*gradients[:-1], gradients[-1]._replace(W=entry)), values, deltas

    monkeypatch.setattr(Network, "objective", wrong)
    report = network.check_gradients(parameters, x, y)
    assert not report.ok
    bad = [array for array in report.arrays if array.from_automatic > 1e-9]
    assert [array.shape for array in bad] == [(2, 7)]
    monkeypatch.undo()
    assert network.check_gradients(parameters, x, y).ok


def test_dropout_is_checked_with_its_mask():
    network = Network((4, 8, 1), "tanh", dropout=0.5)
    numbers = np.random.default_rng(3)
    arrays = jnp.asarray(numbers.normal(size=(5, 4))), jnp.asarray(numbers.normal(size=(5, 1))), jnp.ones(5)
    report = gradient_check.check_gradients(network, network.initialize(0), *arrays, jnp.uint32(9))
    assert report.ok, report


def test_bad_arguments_are_refused(case):
    from chainrule.errors import ArgumentError

    network, parameters, x, y = case
    with pytest.raises(ArgumentError, match="same number of rows"):
        network.check_gradients(parameters, x[:3], y)

import numpy as np
import pytest

from chainrule.errors import TableError
from chainrule.estimators.targets import as_indicators, fit_scale, refuse_outside
from chainrule.mathematics.losses import find_loss

Y = np.array([[1.0, 10.0], [3.0, 10.0], [8.0, 40.0]])


@pytest.mark.parametrize(
    "name", ["squared_error", "absolute_error", "huber(2)", "quantile(0.1, 0.9)", "gaussian_nll"]
)
def test_any_real_number_is_learnt_with_mean_0_and_spread_1(name):
    learned = fit_scale(Y, None, find_loss(name)).learned(Y)
    np.testing.assert_allclose(learned.mean(axis=0), 0, atol=1e-12)
    np.testing.assert_allclose(learned.std(axis=0), 1)


@pytest.mark.parametrize("name", ["poisson", "gamma", "tweedie(1.3)"])
def test_under_a_log_link_the_mean_is_1(name):
    scale = fit_scale(Y, None, find_loss(name))
    np.testing.assert_allclose(scale.learned(Y).mean(axis=0), 1)
    assert scale.offset == (0, 0)
    assert fit_scale(np.zeros((3, 1)), None, find_loss(name)).scale == (1,)


@pytest.mark.parametrize(
    "loss",
    ["binary_cross_entropy", "softmax_cross_entropy", "hinge", "(y_hat - y)**4", "own"],
)
def test_other_losses_see_the_targets_as_they_are(loss):
    if loss == "own":
        loss = (lambda y_hat, y: ((y_hat - y) ** 2).sum(axis=1), lambda y_hat, y: 2 * (y_hat - y))
    np.testing.assert_array_equal(fit_scale(Y, None, find_loss(loss)).learned(Y), Y)


def test_a_weight_of_2_is_the_row_twice():
    loss = find_loss("squared_error")
    weighted = fit_scale(Y, np.array([1.0, 2.0, 1.0]), loss)
    twice = fit_scale(Y[[0, 1, 1, 2]], None, loss)
    np.testing.assert_allclose(weighted.offset, twice.offset)
    np.testing.assert_allclose(weighted.scale, twice.scale)


@pytest.mark.parametrize("unit", [1e-300, 1e-150, 1e100])
def test_targets_of_any_unit_are_learnt_alike(unit):
    loss = find_loss("squared_error")
    np.testing.assert_allclose(
        fit_scale(Y * unit, None, loss).learned(Y * unit), fit_scale(Y, None, loss).learned(Y), rtol=1e-9
    )


@pytest.mark.parametrize("constant", [0.0, 5.0, -1e9, 0.1, 1e-300])
def test_a_constant_target_is_restored_whatever_is_predicted(constant):
    y = np.full((7, 1), constant)
    scale = fit_scale(y, None, find_loss("squared_error"))
    np.testing.assert_array_equal(scale.learned(y), 0)
    np.testing.assert_array_equal(scale.restored(np.linspace(-1, 1, 7)[:, None]), y)


def test_a_target_that_is_constant_no_more_is_learnt():
    scale = fit_scale(np.full((7, 2), 5.0), None, find_loss("squared_error"))
    assert scale.widened(np.full((3, 2), 5.0)) == scale
    wider = scale.widened(np.array([[5.0, 5.0], [5.0, 7.0]]))
    assert wider.scale == (0, 1)
    np.testing.assert_array_equal(wider.restored(np.array([[2.0, 2.0]])), [[5.0, 7.0]])


def test_restored_undoes_learned_block_by_block():
    scale = fit_scale(Y, None, find_loss("quantile(0.1, 0.9)"))
    np.testing.assert_allclose(scale.restored(np.hstack([scale.learned(Y)] * 3)), np.hstack([Y] * 3))


def test_refuse_outside_names_value_row_and_target():
    with pytest.raises(TableError, match=r"'poisson' needs y ≥ 0; got -3 in row 2, target 2"):
        refuse_outside(np.array([[1.0, 2.0], [1.0, -3.0]]), find_loss("poisson"))
    with pytest.raises(TableError, match=r"'gamma' needs y > 0; got 0 in row 1\. Choose"):
        refuse_outside(np.zeros((2, 1)), find_loss("gamma"))
    refuse_outside(np.zeros((2, 1)), find_loss("poisson"))


def test_as_indicators():
    np.testing.assert_array_equal(as_indicators(np.array([0, 1, 1]), 2), [[0], [1], [1]])
    np.testing.assert_array_equal(as_indicators(np.array([2, 0]), 3), [[0, 0, 1], [1, 0, 0]])

import jax
import jax.numpy as jnp
import numpy as np
import pytest
import scipy.special
from sklearn import metrics

from chainrule.errors import ArgumentError
from chainrule.mathematics.loss import mean_loss
from chainrule.mathematics.losses import LOSSES, focal, softmax_focal

ROWS = 40


def draw(columns):
    numbers = np.random.default_rng(0)
    return (
        numbers.normal(size=(ROWS, columns)) * 2,
        numbers.integers(0, 2, (ROWS, columns)),
        numbers.uniform(size=ROWS),
    )


def batch(loss, raw, y, weight=None):
    weight = jnp.asarray(np.ones(len(y)) if weight is None else weight)
    return float(mean_loss(loss, jnp.asarray(raw), jnp.asarray(y, float), weight, weight.sum())[0])


@pytest.mark.parametrize("weighted", [False, True])
def test_binary_cross_entropy_agrees_with_scikit_learn(weighted, float64):
    raw, y, weight = draw(1)
    weight = weight if weighted else None
    expected = metrics.log_loss(y[:, 0], scipy.special.expit(raw[:, 0]), sample_weight=weight)
    assert batch(LOSSES["binary_cross_entropy"], raw, y, weight) == pytest.approx(expected, rel=1e-12)


def test_multi_label_cross_entropy_is_the_sum_over_labels(float64):
    raw, y, weight = draw(4)
    p = scipy.special.expit(raw)
    expected = sum(metrics.log_loss(y[:, k], p[:, k], sample_weight=weight) for k in range(4))
    assert batch(LOSSES["binary_cross_entropy"], raw, y, weight) == pytest.approx(expected, rel=1e-12)


@pytest.mark.parametrize("weighted", [False, True])
def test_softmax_cross_entropy_agrees_with_scikit_learn(weighted, float64):
    raw, _, weight = draw(4)
    weight = weight if weighted else None
    classes = np.random.default_rng(1).integers(0, 4, ROWS)
    expected = metrics.log_loss(
        classes, scipy.special.softmax(raw, axis=1), sample_weight=weight, labels=range(4)
    )
    assert batch(LOSSES["softmax_cross_entropy"], raw, np.eye(4)[classes], weight) == pytest.approx(
        expected, rel=1e-12
    )


@pytest.mark.parametrize("weighted", [False, True])
def test_hinge_agrees_with_scikit_learn(weighted, float64):
    raw, y, weight = draw(1)
    weight = weight if weighted else None
    expected = metrics.hinge_loss(2 * y[:, 0] - 1, raw[:, 0], sample_weight=weight)
    assert batch(LOSSES["hinge"], raw, y, weight) == pytest.approx(expected, rel=1e-12)


def test_squared_hinge_is_the_square_of_hinge(float64):
    raw, y, _ = draw(1)
    raw, y = jnp.asarray(raw), jnp.asarray(y, float)
    np.testing.assert_allclose(
        LOSSES["squared_hinge"].value(raw, y), LOSSES["hinge"].value(raw, y) ** 2, rtol=1e-12
    )


def test_hinge_at_the_margin_is_flat():
    raw, y = jnp.array([[1.0, -1.0]]), jnp.array([[1.0, 0.0]])
    np.testing.assert_array_equal(LOSSES["hinge"].gradient(raw, y), [[0, 0]])
    np.testing.assert_array_equal(LOSSES["hinge"].gradient(raw * 0.9, y), [[-1, 1]])


@pytest.mark.parametrize("focus", [0, 0.5, 1, 2, 5.5])
def test_focal_is_its_definition(focus, float64):
    raw, y, _ = draw(3)
    p = scipy.special.expit(raw)
    right = np.where(y == 1, p, 1 - p)
    expected = (-((1 - right) ** focus) * np.log(right)).sum(axis=1)
    np.testing.assert_allclose(
        focal(focus).value(jnp.asarray(raw), jnp.asarray(y, float)), expected, rtol=1e-9
    )


@pytest.mark.parametrize("focus", [0, 0.5, 1, 2, 5.5])
def test_softmax_focal_is_its_definition(focus, float64):
    raw, _, _ = draw(3)
    classes = np.random.default_rng(1).integers(0, 3, ROWS)
    right = scipy.special.softmax(raw, axis=1)[np.arange(ROWS), classes]
    expected = -((1 - right) ** focus) * np.log(right)
    y = jnp.asarray(np.eye(3)[classes])
    np.testing.assert_allclose(softmax_focal(focus).value(jnp.asarray(raw), y), expected, rtol=1e-9)


@pytest.mark.parametrize(
    ("focused", "plain"), [(focal, "binary_cross_entropy"), (softmax_focal, "softmax_cross_entropy")]
)
def test_without_focus_it_is_the_cross_entropy(focused, plain, draw_targets, float64):
    raw = jnp.asarray(draw(3)[0])
    y = jnp.asarray(draw_targets(LOSSES[plain], ROWS, 3))
    for rule in ("value", "gradient"):
        ours, theirs = getattr(focused(0), rule)(raw, y), getattr(LOSSES[plain], rule)(raw, y)
        np.testing.assert_allclose(ours, theirs, rtol=1e-10, atol=1e-14)


def test_softmax_and_binary_agree_on_two_classes(float64):
    raw, y, _ = draw(1)
    two = jnp.asarray(np.concatenate([np.zeros((ROWS, 1)), raw], axis=1))
    one_hot = jnp.asarray(np.concatenate([1 - y, y], axis=1), float)
    for binary, several in [("binary_cross_entropy", "softmax_cross_entropy"), ("focal", "softmax_focal")]:
        expected = LOSSES[binary].value(jnp.asarray(raw), jnp.asarray(y, float))
        np.testing.assert_allclose(LOSSES[several].value(two, one_hot), expected, rtol=1e-9)


@pytest.mark.parametrize("name", ["softmax_cross_entropy", "softmax_focal"])
def test_a_constant_added_to_a_row_changes_nothing(name, draw_targets, float64):
    raw = jnp.asarray(draw(3)[0])
    y = jnp.asarray(draw_targets(LOSSES[name], ROWS, 3))
    np.testing.assert_allclose(LOSSES[name].value(raw + 7, y), LOSSES[name].value(raw, y), rtol=1e-10)
    np.testing.assert_allclose(LOSSES[name].gradient(raw, y).sum(axis=1), 0, atol=1e-13)
    np.testing.assert_allclose(LOSSES[name].inverse_link(raw).sum(axis=1), 1, rtol=1e-12)


@pytest.mark.parametrize("name", ["binary_cross_entropy", "focal"])
def test_probabilities_of_labels(name, float64):
    raw = draw(3)[0]
    np.testing.assert_allclose(
        LOSSES[name].inverse_link(jnp.asarray(raw)), scipy.special.expit(raw), rtol=1e-12
    )


@pytest.mark.parametrize("name", ["binary_cross_entropy", "focal", "softmax_cross_entropy", "softmax_focal"])
def test_a_smoothed_target_has_its_gradient(name, draw_targets, float64):
    loss = LOSSES[name]
    raw = jnp.asarray(draw(3)[0])
    y = loss.smooth(jnp.asarray(draw_targets(loss, ROWS, 3)), 0.15)
    automatic = jax.grad(lambda t: loss.value(t, y).sum())(raw)
    np.testing.assert_allclose(loss.gradient(raw, y), automatic, rtol=1e-9, atol=1e-12)


@pytest.mark.parametrize("factory", [focal, softmax_focal])
@pytest.mark.parametrize("bad", [-1, -0.001, float("nan"), float("inf")])
def test_bad_parameters_are_refused(factory, bad):
    with pytest.raises(ArgumentError, match=r"focus must be 0 or more.*; got (-|nan|inf)"):
        factory(bad)


def test_one_parameter_is_one_loss():
    assert focal(3) is focal(3.0)
    assert softmax_focal(3) is softmax_focal(3.0)
    assert focal() is focal(2) is LOSSES["focal"]
    assert softmax_focal() is softmax_focal(2) is LOSSES["softmax_focal"]

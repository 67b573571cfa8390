import jax.numpy as jnp
import numpy as np
import pytest
import scipy.special
import scipy.stats
from sklearn import metrics

from chainrule.errors import ArgumentError
from chainrule.mathematics.loss import mean_loss
from chainrule.mathematics.losses import LOSSES, huber, quantile, tweedie

pytestmark = pytest.mark.usefixtures("quick_compiler")

ROWS = 40


def draw(columns=1):
    numbers = np.random.default_rng(0)
    return (
        numbers.normal(size=(ROWS, columns)),
        numbers.normal(size=(ROWS, columns)),
        numbers.uniform(size=ROWS),
    )


def batch(loss, raw, y, weight=None):
    """The loss of the batch: the weighted mean over rows of sums over outputs."""
    weight = jnp.asarray(np.ones(len(y)) if weight is None else weight)
    return float(mean_loss(loss, jnp.asarray(raw), jnp.asarray(y), weight, weight.sum())[0])


@pytest.mark.parametrize(
    ("name", "metric"),
    [("squared_error", metrics.mean_squared_error), ("absolute_error", metrics.mean_absolute_error)],
)
@pytest.mark.parametrize("weighted", [False, True])
def test_errors_agree_with_scikit_learn(name, metric, weighted, float64):
    raw, y, weight = draw(3)
    weight = weight if weighted else None
    expected = metric(y, raw, sample_weight=weight) * 3  # scikit-learn takes the mean over the outputs
    assert batch(LOSSES[name], raw, y, weight) == pytest.approx(expected, rel=1e-12)


@pytest.mark.parametrize("weighted", [False, True])
@pytest.mark.parametrize(
    ("loss", "power"), [(LOSSES["poisson"], 1), (tweedie(1.2), 1.2), (tweedie(), 1.5), (LOSSES["gamma"], 2)]
)
def test_deviances_agree_with_scikit_learn(loss, power, weighted, draw_targets, float64):
    raw, _, weight = draw()
    weight = weight if weighted else None
    y = draw_targets(loss, ROWS, 1)
    assert (y == 0).any() == (power < 2)
    expected = metrics.mean_tweedie_deviance(y[:, 0], np.exp(raw[:, 0]), power=power, sample_weight=weight)
    assert batch(loss, raw, y, weight) == pytest.approx(expected, rel=1e-12)


def test_named_deviances_agree_with_scikit_learn(draw_targets, float64):
    raw, _, _ = draw()
    for name, metric in [("poisson", metrics.mean_poisson_deviance), ("gamma", metrics.mean_gamma_deviance)]:
        y = draw_targets(LOSSES[name], ROWS, 1)
        assert batch(LOSSES[name], raw, y) == pytest.approx(metric(y[:, 0], np.exp(raw[:, 0])), rel=1e-12)


@pytest.mark.parametrize("level", [0.05, 0.5, 0.8])
def test_quantile_agrees_with_scikit_learn(level, float64):
    raw, y, weight = draw(2)
    expected = metrics.mean_pinball_loss(y, raw, alpha=level, sample_weight=weight) * 2
    assert batch(quantile(level), raw, y, weight) == pytest.approx(expected, rel=1e-12)


def test_huber_agrees_with_scipy(float64):
    raw, y, _ = draw(2)
    for delta in (0.3, 1.0, 2.0):
        expected = scipy.special.huber(delta, raw - y).sum(axis=1).mean()
        assert batch(huber(delta), raw, y) == pytest.approx(expected, rel=1e-12)


def test_huber_is_squared_within_and_absolute_beyond():
    at = jnp.array([[0.5], [2.0], [5.0], [-5.0]])
    zero = jnp.zeros((4, 1))
    np.testing.assert_allclose(huber(2).value(at, zero), [0.125, 2, 8, 8])
    np.testing.assert_allclose(huber(2).gradient(at, zero)[:, 0], [0.5, 2, 2, -2])


def test_log_cosh(float64):
    raw, y, _ = draw(2)
    expected = np.log(np.cosh(raw - y)).sum(axis=1).mean()
    assert batch(LOSSES["log_cosh"], raw, y) == pytest.approx(expected, rel=1e-12)
    far = LOSSES["log_cosh"].value(jnp.array([[1e4]]), jnp.array([[0.0]]))
    assert float(far[0]) == pytest.approx(1e4 - np.log(2), rel=1e-12)


def test_several_quantiles_are_blocks_of_single_ones(float64):
    levels, targets = (0.1, 0.5, 0.9), 2
    numbers = np.random.default_rng(1)
    raw, y = jnp.asarray(numbers.normal(size=(ROWS, 6))), jnp.asarray(numbers.normal(size=(ROWS, targets)))
    loss = quantile(levels)
    blocks = [raw[:, k * targets : (k + 1) * targets] for k in range(3)]
    singles = [quantile(level) for level in levels]
    value = sum(s.value(block, y) for s, block in zip(singles, blocks, strict=True))
    gradient = jnp.concatenate(
        [s.gradient(block, y) for s, block in zip(singles, blocks, strict=True)], axis=1
    )
    np.testing.assert_allclose(loss.value(raw, y), value, rtol=1e-13)
    np.testing.assert_array_equal(loss.gradient(raw, y), gradient)
    assert loss.outputs_per_target == 3


@pytest.mark.parametrize("level", [0.1, 0.5, 0.9])
def test_the_quantile_is_where_the_pinball_loss_is_least(level, float64):
    y = jnp.asarray(np.random.default_rng(2).normal(size=(2001, 1)))
    loss = quantile(level)
    at = float(np.quantile(np.asarray(y), level))
    slope = [float(loss.gradient(jnp.full_like(y, at + d), y).sum()) for d in (-0.01, 0.01)]
    assert slope[0] < 0 < slope[1]


@pytest.mark.parametrize(
    ("name", "statistic"),
    [("squared_error", np.mean), ("absolute_error", np.median), ("quantile", np.median)],
)
def test_what_a_constant_prediction_becomes(name, statistic, float64):
    y = np.random.default_rng(3).gamma(1.0, 2.0, (501, 1))
    grid = np.linspace(0, 6, 1201)
    totals = [batch(LOSSES[name], np.full_like(y, c), y) for c in grid]
    assert grid[int(np.argmin(totals))] == pytest.approx(statistic(y), abs=0.006)


def test_gaussian_nll_agrees_with_the_density(float64):
    numbers = np.random.default_rng(4)
    mean, s, y = (numbers.normal(size=(ROWS, 2)) for _ in range(3))
    raw = jnp.asarray(np.concatenate([mean, s], axis=1))
    expected = -scipy.stats.norm.logpdf(y, mean, np.exp(s / 2)).sum(axis=1)
    np.testing.assert_allclose(LOSSES["gaussian_nll"].value(raw, jnp.asarray(y)), expected, rtol=1e-12)
    predicted = LOSSES["gaussian_nll"].inverse_link(raw)
    np.testing.assert_allclose(predicted, np.concatenate([mean, np.exp(s)], axis=1), rtol=1e-12)


@pytest.mark.parametrize("name", ["poisson", "gamma", "tweedie"])
def test_deviances_are_0_where_the_mean_is_the_target(name, float64):
    loss, y = LOSSES[name], jnp.array([[0.5], [1.0], [7.0]])
    np.testing.assert_allclose(loss.value(jnp.log(y), y), 0, atol=1e-13)
    np.testing.assert_allclose(loss.gradient(jnp.log(y), y), 0, atol=1e-13)
    assert np.all(loss.value(jnp.log(y) + 0.3, y) > 0.01)


def test_counts_of_zero_are_admitted():
    zero, raw = jnp.zeros((1, 1)), jnp.array([[-1.0]])
    assert float(LOSSES["poisson"].value(raw, zero)[0]) == pytest.approx(2 * np.exp(-1))
    assert float(LOSSES["poisson"].gradient(raw, zero)[0, 0]) == pytest.approx(2 * np.exp(-1))
    assert np.isfinite(LOSSES["tweedie"].value(raw, zero)).all()


NAN, INF = float("nan"), float("inf")


@pytest.mark.parametrize(
    ("factory", "bad", "words"),
    [
        *((huber, bad, "delta must be > 0") for bad in (0, -1.0, NAN, INF)),
        *(
            (quantile, bad, "a level must be between 0 and 1")
            for bad in (0, 1, -0.5, 1.5, NAN, (0.5, 1.0), [0.1, 0])
        ),
        *((quantile, bad, "levels must be one number or more") for bad in ((), [])),
        *((tweedie, bad, r"power must be between 1 and 2 \(1 is poisson") for bad in (1, 2, 0, 3.0, NAN)),
    ],
)
def test_bad_parameters_are_refused(factory, bad, words):
    with pytest.raises(ArgumentError, match=words + r".*; got "):
        factory(bad)


def test_one_parameter_is_one_loss():
    assert huber(2) is huber(2.0)
    assert quantile(0.3) is quantile((0.3,)) is quantile([0.3])
    assert quantile() is LOSSES["quantile"]
    assert tweedie() is LOSSES["tweedie"]
    assert len({huber(0.1), huber(0.2), quantile(0.1), quantile(0.2), tweedie(1.1), tweedie(1.2)}) == 6

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from chainrule.errors import ArgumentError, FormulaError
from chainrule.mathematics import loss as module
from chainrule.mathematics.loss import loss_from_formula, mean_loss, require, smooth_binary, smooth_classes
from chainrule.mathematics.losses import LOSSES

pytestmark = pytest.mark.usefixtures("quick_compiler")


def draw(rows=6, outputs=3):
    numbers = np.random.default_rng(0)
    return jnp.asarray(numbers.normal(size=(rows, outputs)) * 2), jnp.asarray(
        numbers.dirichlet(np.ones(outputs), rows)
    )


def test_mean_loss_is_the_mean_over_rows_of_sums_over_outputs(float64):
    y_hat, y = draw()
    L, delta = mean_loss(LOSSES["squared_error"], y_hat, y, jnp.ones(6), jnp.asarray(6.0))
    assert float(L) == pytest.approx(float(((y_hat - y) ** 2).sum() / 6), rel=1e-14)
    np.testing.assert_allclose(delta, 2 * (y_hat - y) / 6, rtol=1e-14)


@pytest.mark.parametrize("name", LOSSES)
def test_delta_is_the_derivative_of_the_weighted_mean(name, draw_targets, float64):
    loss = LOSSES[name]
    y_hat, _ = draw(6, 3 * loss.outputs_per_target)
    y = jnp.asarray(draw_targets(loss, 6, 3))
    weight = jnp.array([1.0, 0.0, 4.0, 2.0, 3.5, 0.5])
    L, delta = mean_loss(loss, y_hat, y, weight, weight.sum())
    automatic = jax.grad(lambda t: mean_loss(loss, t, y, weight, weight.sum())[0])(y_hat)
    assert float(L) == pytest.approx(np.average(loss.value(y_hat, y), weights=weight), rel=1e-12)
    np.testing.assert_allclose(delta, automatic, rtol=1e-11, atol=1e-13)
    assert not np.asarray(delta)[1].any()


@pytest.mark.parametrize(
    ("domain", "inside", "outside"),
    [
        (module.REAL, [-1e9, 0, 3.5], [np.nan, np.inf, -np.inf]),
        (module.NON_NEGATIVE, [0, 2.5], [-1e-9, np.nan, np.inf]),
        (module.POSITIVE, [1e-9, 7], [0, -1, np.nan, np.inf]),
        (module.PROBABILITY, [0, 0.3, 1], [-0.1, 1.1, np.nan, np.inf]),
    ],
)
def test_domains(domain, inside, outside):
    assert domain.contains(np.array(inside, float)[:, None]).all()
    assert not domain.contains(np.array(outside, float)[:, None]).any()


def test_a_distribution_is_a_matter_of_the_row():
    rows = np.array([[0, 1, 0], [0.2, 0.3, 0.5], [0.5, 0.5, 0.5], [1.5, -0.5, 0], [np.nan, 1, 0]])
    assert module.DISTRIBUTION.contains(rows).all(axis=1).tolist() == [True, True, False, False, False]


def test_smoothing_is_its_definition():
    y = jnp.array([[1.0, 0.0, 0.0, 0.0], [0.0, 0.0, 1.0, 0.0]])
    np.testing.assert_allclose(smooth_binary(y, 0.2), np.where(np.asarray(y) == 1, 0.9, 0.1), rtol=1e-6)
    np.testing.assert_allclose(smooth_classes(y, 0.2), np.where(np.asarray(y) == 1, 0.85, 0.05), rtol=1e-6)
    np.testing.assert_allclose(smooth_classes(y, 0.2).sum(axis=1), 1, rtol=1e-6)
    np.testing.assert_array_equal(smooth_classes(y, 0.0), y)


def test_who_smooths():
    smooth = {name: loss.smooth for name, loss in LOSSES.items() if loss.smooth}
    assert smooth == {
        "binary_cross_entropy": smooth_binary,
        "focal": smooth_binary,
        "softmax_cross_entropy": smooth_classes,
        "softmax_focal": smooth_classes,
    }


def test_require():
    require(True, "delta", "> 0", 1)
    with pytest.raises(ArgumentError, match=r"^delta must be > 0; got -1\.$"):
        require(False, "delta", "> 0", -1)


FORMULAS = [name for name in LOSSES if name not in ("gaussian_nll", "gamma", "poisson")]


@pytest.mark.parametrize("name", FORMULAS)
def test_derived_equals_built_in(name, float64):
    """The formulas of gamma and Poisson hold log(y), those of the Gaussian names of its own."""
    built_in = LOSSES[name]
    derived = loss_from_formula(built_in.formula)
    y_hat, y = draw()
    np.testing.assert_allclose(derived.value(y_hat, y), built_in.value(y_hat, y), rtol=1e-10)
    np.testing.assert_allclose(derived.gradient(y_hat, y), built_in.gradient(y_hat, y), rtol=1e-9, atol=1e-12)


@pytest.mark.parametrize(
    "text",
    [
        "(y_hat - y)**2 * (1 + y)",
        "abs(y_hat - y)**1.5",
        "log(cosh(y_hat - y))",
        "where(y > 0.5, 3, 1)*max(y - y_hat, 0)",
        "logsumexp(y_hat)**2 - y*y_hat",
        "y*exp(-(logsumexp(y_hat) - y_hat)) + y*logsumexp(y_hat)",
        "exp(y_hat) - y*y_hat",
    ],
)
def test_gradient_of_a_formula_is_its_gradient(text, float64):
    loss = loss_from_formula(text)
    y_hat, y = draw()
    automatic = jax.grad(lambda t: loss.value(t, y).sum())(y_hat)
    np.testing.assert_allclose(loss.gradient(y_hat, y), automatic, rtol=1e-10, atol=1e-12)
    assert loss.value(y_hat, y).shape == (6,)


def test_a_formula_is_summed_over_the_outputs(float64):
    y_hat, y = draw()
    values = loss_from_formula("(y_hat - y)**4").value(y_hat, y)
    np.testing.assert_allclose(values, ((y_hat - y) ** 4).sum(axis=1), rtol=1e-12)


def test_the_cross_entropy_by_formula_stays_finite_for_large_raw_outputs():
    loss = loss_from_formula("y*(logsumexp(y_hat) - y_hat)")
    y_hat, y = jnp.array([[80.0, -80.0]]), jnp.array([[0.0, 1.0]])
    np.testing.assert_allclose(loss.value(y_hat, y), [160.0])
    np.testing.assert_allclose(loss.gradient(y_hat, y), [[1.0, -1.0]], atol=1e-6)


@pytest.mark.parametrize(
    "text", ["y_hat**2", "y**2", "3", "y_hat - y_hat + y", "z", "y_hat*y*z", "y_hat*y*logsumexp(y)"]
)
def test_without_y_hat_and_y_it_is_refused(text):
    with pytest.raises(FormulaError):
        loss_from_formula(text)


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("log(y_hat)*y", r"the value of 'log\(y_hat\)\*y' is nan at y_hat = -5, y = 0\.25.*say exp\(y_hat\)"),
        ("y/y_hat", "the value .* inf at y_hat = 0"),
        ("sqrt(abs(y_hat)) + y", "the gradient .* at y_hat = 0"),
        ("y*exp(exp(exp(y_hat)))", "the value .* inf"),
    ],
)
def test_not_finite_is_refused_with_the_place(text, words):
    with pytest.raises(FormulaError, match="a loss must be finite for every raw output; " + words):
        loss_from_formula(text)


def test_a_formula_is_read_once():
    assert loss_from_formula("(y_hat - y)**6") is loss_from_formula("(y_hat - y)**6")

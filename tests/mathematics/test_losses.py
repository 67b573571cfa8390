"""Every loss against three witnesses: automatic differentiation, central differences, SymPy."""

from functools import lru_cache

import jax
import jax.numpy as jnp
import numpy as np
import pytest
import sympy
from hypothesis import assume, given, settings
from hypothesis import strategies as st

from chainrule.errors import ArgumentError, DerivativeError, FormulaError
from chainrule.mathematics import formulas
from chainrule.mathematics.loss import DISTRIBUTION, NON_NEGATIVE, POSITIVE, PROBABILITY, Loss
from chainrule.mathematics.losses import LOSSES, find_loss, focal, huber, quantile, softmax_focal, tweedie

pytestmark = pytest.mark.usefixtures("quick_compiler")

# With numbers of one's own too; quantile((...)) has several outputs for each target.
FAMILY = [
    *LOSSES.values(),
    huber(0.25),
    huber(3),
    quantile(0.2),
    quantile((0.1, 0.5, 0.9)),
    tweedie(1.05),
    tweedie(1.9),
    focal(0),
    focal(0.5),
    focal(3.5),
    softmax_focal(0),
    softmax_focal(0.7),
    softmax_focal(4),
]
EVERY = pytest.mark.parametrize("loss", FAMILY, ids=lambda loss: loss.name)
ROWS, TARGETS = 4, 3


def kink_distance(loss, y_hat, y):
    """How far the raw outputs are from where the gradient jumps."""
    kind = loss.name.partition("(")[0]
    if kind in ("absolute_error", "quantile"):
        return np.abs(y_hat - np.tile(y, loss.outputs_per_target))
    if kind == "huber":
        delta = float(loss.name[6:-1] or 1) if "(" in loss.name else 1.0
        return np.abs(np.abs(y_hat - y) - delta)
    if kind in ("hinge", "squared_hinge"):
        return np.abs(1 - (2 * y - 1) * y_hat)
    return np.full(y_hat.shape, np.inf)


@lru_cache
def witnesses(loss):
    """(ŷ, y) to (gradient, automatic, central differences), compiled once."""

    @jax.jit
    def compare(y_hat, y):
        step = 1e-5

        def along(k):
            moved = jnp.zeros_like(y_hat).at[:, k].set(step)
            return (loss.value(y_hat + moved, y) - loss.value(y_hat - moved, y)) / (2 * step)

        central = jnp.stack([along(k) for k in range(y_hat.shape[1])], axis=1)
        return loss.gradient(y_hat, y), jax.grad(lambda t: loss.value(t, y).sum())(y_hat), central

    return compare


def targets_of(loss):
    """Soft targets too: what a domain admits, not only what a table would hold."""
    low, high = {NON_NEGATIVE: (0, 6), POSITIVE: (0.01, 6), PROBABILITY: (0, 1), DISTRIBUTION: (0.01, 1)}.get(
        loss.domain, (-6, 6)
    )
    entries = st.floats(low, high, allow_subnormal=False)
    if loss.domain in (NON_NEGATIVE, PROBABILITY):
        entries = st.one_of(entries, st.sampled_from([0.0, 1.0]))
    return table(entries, TARGETS)


def table(entries, columns):
    size = ROWS * columns
    return st.lists(entries, min_size=size, max_size=size).map(lambda e: np.array(e).reshape(ROWS, columns))


@EVERY
@settings(max_examples=30)
@given(data=st.data())
def test_gradient_against_automatic_and_central_differences(loss, data):
    y_hat = data.draw(table(st.floats(-8, 8, allow_subnormal=False), TARGETS * loss.outputs_per_target))
    y = data.draw(targets_of(loss))
    if loss.domain is DISTRIBUTION:
        y = y / y.sum(axis=1, keepdims=True)
    y_hat = np.where(kink_distance(loss, y_hat, y) < 1e-3, y_hat + 0.01, y_hat)
    assume(kink_distance(loss, y_hat, y).min() > 1e-3)
    with jax.enable_x64(True):
        compared = witnesses(loss)(jnp.asarray(y_hat), jnp.asarray(y))
    by_hand, automatic, central = (np.asarray(gradient) for gradient in compared)
    size = np.maximum(1, np.abs(central))
    assert np.abs((by_hand - automatic) / size).max() < 1e-9
    assert np.abs((by_hand - central) / size).max() < 1e-5


def by_sympy(loss, y_hat, y):
    """The loss of one row by its formula, summed over the outputs, in 30 digits."""
    if loss.name == "gaussian_nll":
        mean, log_variance, target = symbols = sympy.symbols("mean log_variance y", real=True)
        expression = formulas.parse(loss.formula, {s.name: s for s in symbols})
        rows = zip(y_hat[: len(y)], y_hat[len(y) :], y, strict=True)
        terms = [{mean: a, log_variance: s, target: t} for a, s, t in rows]
    else:
        raw, target, level, total = sympy.symbols("y_hat y q total", real=True)
        names = {"y_hat": raw, "y": target, "q": level, "logsumexp(y_hat)": total}
        expression = formulas.parse(loss.formula, names)
        log_sum = sympy.log(sum(sympy.exp(sympy.Float(a, 40)) for a in y_hat))
        levels = np.repeat([0.1, 0.5, 0.9], len(y)) if loss.outputs_per_target == 3 else np.zeros(len(y_hat))
        rows = zip(y_hat, np.tile(y, loss.outputs_per_target), levels, strict=True)
        terms = [{raw: a, target: t, level: q, total: log_sum} for a, t, q in rows]
    exact = [
        {s: sympy.Float(n, 40) if isinstance(n, float) else n for s, n in term.items()} for term in terms
    ]
    return float(sum(expression.subs(term) for term in exact).evalf(25))


@EVERY
def test_formula_says_what_the_code_does(loss, draw_targets, float64):
    numbers = np.random.default_rng(1)
    y_hat = numbers.normal(size=(ROWS, TARGETS * loss.outputs_per_target)) * 3
    y = draw_targets(loss, ROWS, TARGETS)
    if loss.domain is NON_NEGATIVE:
        y = y + 0.5  # y log y is 0 at 0, which SymPy does not know
    expected = [by_sympy(loss, row.tolist(), target.tolist()) for row, target in zip(y_hat, y, strict=True)]
    np.testing.assert_allclose(loss.value(jnp.asarray(y_hat), jnp.asarray(y)), expected, rtol=1e-10)


@EVERY
def test_no_overflow_for_large_raw_outputs(loss, draw_targets):
    """The largest loss in float32 is near 10³⁸: (y − μ)² e^−s stays below it up to 75."""
    reach = np.array([-75, -15, -1, 0, 1, 15, 75])
    y_hat = np.stack(np.meshgrid(reach, reach, reach), axis=-1).reshape(-1, TARGETS)
    y_hat = np.concatenate([np.roll(y_hat, k, axis=1) for k in range(loss.outputs_per_target)], axis=1)
    y = draw_targets(loss, len(y_hat), TARGETS)
    y, y_hat = y.astype(np.float32), y_hat.astype(np.float32)
    single = loss.value(jnp.asarray(y_hat), jnp.asarray(y)), loss.gradient(jnp.asarray(y_hat), jnp.asarray(y))
    with jax.enable_x64(True):
        wide = jnp.asarray(y_hat, jnp.float64), jnp.asarray(y, jnp.float64)
        double = loss.value(*wide), loss.gradient(*wide)
    for ours, exact in zip(single, double, strict=True):
        assert ours.dtype == jnp.float32
        assert np.isfinite(ours).all()
        np.testing.assert_allclose(ours, exact, rtol=2e-5, atol=2e-5)


@EVERY
def test_shapes_and_records_are_whole(loss, draw_targets):
    y = jnp.asarray(draw_targets(loss, ROWS, TARGETS))
    y_hat = jnp.ones((ROWS, TARGETS * loss.outputs_per_target))
    assert loss.value(y_hat, y).shape == (ROWS,)
    assert loss.gradient(y_hat, y).shape == loss.inverse_link(y_hat).shape == y_hat.shape
    for words in (loss.name, loss.formula, loss.domain.text, loss.link, loss.use, loss.source):
        assert words
    assert loss.domain.contains(np.asarray(y)).all()


def draw(loss, draw_targets):
    raw = np.random.default_rng(2).normal(size=(ROWS, TARGETS * loss.outputs_per_target))
    return raw, draw_targets(loss, ROWS, TARGETS)


def run(rule, y_hat, y):
    return np.asarray(rule(jnp.asarray(y_hat), jnp.asarray(y)))


@EVERY
def test_a_row_does_not_depend_on_its_neighbours(loss, draw_targets, float64):
    y_hat, y = draw(loss, draw_targets)
    for rule in (loss.value, loss.gradient):
        alone = np.concatenate([run(rule, y_hat[r : r + 1], y[r : r + 1]) for r in range(ROWS)])
        np.testing.assert_allclose(run(rule, y_hat, y), alone, rtol=1e-14)


SEPARATE = [loss for loss in FAMILY if loss.domain is not DISTRIBUTION]


@pytest.mark.parametrize("loss", SEPARATE, ids=lambda loss: loss.name)
def test_several_targets_are_the_sum_of_single_ones(loss, draw_targets, float64):
    """Multi-output, and multi-label for the losses of classes; blocks of outputs are those of all targets."""
    y_hat, y = draw(loss, draw_targets)
    value, gradient = 0, np.zeros(y_hat.shape)
    for t in range(TARGETS):
        own, target = y_hat[:, t::TARGETS], y[:, t : t + 1]
        value = value + run(loss.value, own, target)
        gradient[:, t::TARGETS] = run(loss.gradient, own, target)
    np.testing.assert_allclose(run(loss.value, y_hat, y), value, rtol=1e-12)
    np.testing.assert_allclose(run(loss.gradient, y_hat, y), gradient, rtol=1e-12)


PROPER = ["squared_error", "poisson", "gamma", "tweedie", "binary_cross_entropy", "softmax_cross_entropy"]


@pytest.mark.parametrize("name", PROPER)
def test_the_inverse_link_of_the_best_raw_output_is_the_target(name, float64):
    loss = LOSSES[name]
    raw = jnp.asarray(np.random.default_rng(4).normal(size=(ROWS, TARGETS)))
    y = loss.inverse_link(raw)
    np.testing.assert_allclose(loss.gradient(raw, y), 0, atol=1e-12)
    for beside in (raw + jnp.array([[0.5, -0.5, 0.2]]), raw - jnp.array([[0.01, 0.0, 0.0]])):
        assert np.all(loss.value(beside, y) > loss.value(raw, y))


def test_those_asked_for_are_there():
    asked = """squared_error absolute_error huber log_cosh quantile poisson gamma tweedie binary_cross_entropy
    softmax_cross_entropy hinge squared_hinge focal gaussian_nll"""
    assert set(asked.split()) <= LOSSES.keys()
    assert all(loss.name == name for name, loss in LOSSES.items())


def test_find_by_name_record_or_name_with_numbers():
    for name, loss in LOSSES.items():
        assert find_loss(name) is loss
        assert find_loss(loss) is loss
    assert find_loss("huber(2)") is huber(2.0)
    assert find_loss("quantile(0.1, 0.5, 0.9)") is quantile((0.1, 0.5, 0.9))
    assert find_loss("tweedie(1.3)") is tweedie(1.3)
    assert find_loss("focal(1)") is focal(1) is focal(1.0)
    assert huber(1) is huber() is LOSSES["huber"]


@pytest.mark.parametrize("loss", FAMILY, ids=lambda loss: loss.name)
def test_a_name_finds_its_loss(loss):
    assert find_loss(loss.name) is loss


@pytest.mark.parametrize(
    "given", ["squared_eror", "", None, 3, "huber(1, 2)", "huber(x)", "tweedie()", ("a", "b"), jnp.sin]
)
def test_other_things_are_refused(given):
    if given == "tweedie()":
        assert find_loss(given) is tweedie()
        return
    with pytest.raises(ArgumentError):
        find_loss(given)


def test_the_refusal_names_what_is_near():
    with pytest.raises(
        ArgumentError, match=r"loss must be one of squared_error.*Did you mean 'squared_error'"
    ):
        find_loss("squared_eror")


def cubic(y_hat, y):
    return (jnp.abs(y_hat - y) ** 3).sum(axis=1)


def cubic_gradient(y_hat, y):
    return 3 * (y_hat - y) * jnp.abs(y_hat - y)


def test_a_right_pair_is_taken():
    loss = find_loss((cubic, cubic_gradient))
    assert isinstance(loss, Loss)
    assert (loss.name, loss.value, loss.gradient) == ("cubic", cubic, cubic_gradient)


@pytest.mark.parametrize(
    "wrong",
    [
        lambda y_hat, y: -cubic_gradient(y_hat, y),
        lambda y_hat, y: cubic_gradient(y_hat, y) / y_hat.shape[0],
        lambda y_hat, y: cubic_gradient(y_hat, y).at[:, 2].mul(1.01),
        lambda y_hat, y: cubic_gradient(y_hat, y).at[-1, :].set(0.0),
    ],
)
def test_a_wrong_pair_is_refused_with_numbers(wrong):
    with pytest.raises(DerivativeError, match=r"loss 'cubic' \(output \d\).*at -?\d.*says -?\d.*give -?\d"):
        find_loss((cubic, wrong))


def test_a_gradient_that_leaks_between_outputs_is_refused():
    def coupled(y_hat, y):
        return jnp.square(y_hat - y).sum(axis=1) + y_hat[:, 0] * y_hat[:, 1]

    with pytest.raises(DerivativeError):
        find_loss((coupled, lambda y_hat, y: 2 * (y_hat - y)))


@pytest.mark.parametrize(
    ("value", "gradient"),
    [
        (lambda y_hat, y: jnp.square(y_hat - y), lambda y_hat, y: 2 * (y_hat - y)),  # not summed
        (lambda y_hat, y: jnp.square(y_hat - y).mean(), lambda y_hat, y: 2 * (y_hat - y)),
        (lambda y_hat, y: jnp.square(y_hat - y).sum(axis=1), lambda y_hat, y: (2 * (y_hat - y)).sum(axis=1)),
        (lambda y_hat, y: np.square(np.asarray(y_hat) - y).sum(axis=1), lambda y_hat, y: 2 * (y_hat - y)),
    ],
)
def test_pairs_of_wrong_shape_or_not_of_jax_are_refused(value, gradient):
    with pytest.raises(ArgumentError):
        find_loss((value, gradient))


def test_our_own_functions_wrongly_paired_are_refused():
    with pytest.raises(DerivativeError):
        find_loss((LOSSES["squared_error"].value, LOSSES["poisson"].gradient))


def test_a_formula_is_found():
    assert find_loss("(y_hat - y)**4").formula == "(y_hat - y)**4"
    with pytest.raises(
        FormulaError, match=r"Give a name such as 'huber', or a formula in y_hat and y such as"
    ):
        find_loss("(y_hat - y)**")

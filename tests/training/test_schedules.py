import pickle

import jax.numpy as jnp
import numpy as np
import pytest
import sympy

from chainrule.errors import ArgumentError
from chainrule.mathematics.formulas import compile_expression, parse
from chainrule.training.schedules import SCHEDULES, Schedule, find_schedule

T = np.linspace(0, 1, 401)


def factor(name, t):
    return np.asarray([SCHEDULES[name].factor(jnp.asarray(share, jnp.float32)) for share in np.atleast_1d(t)])


@pytest.mark.parametrize("name", SCHEDULES)
def test_factor_is_its_formula(name):
    t = sympy.Symbol("t", real=True)
    expression = parse(SCHEDULES[name].formula, {"t": t})
    expected = np.broadcast_to(compile_expression(expression, [t])(jnp.asarray(T, jnp.float32)), T.shape)
    np.testing.assert_allclose(factor(name, T), expected, atol=3e-5)


@pytest.mark.parametrize(
    ("name", "first", "last"),
    [
        ("constant", 1, 1),
        ("cosine", 1, 0),
        ("one_cycle", 1 / 25, 1e-4),
        ("exponential", 1, 0.01),
        ("four_cycles", 0, 0),
    ],
)
def test_ends_as_documented(name, first, last):
    np.testing.assert_allclose(factor(name, [0, 1]), [first, last], atol=1e-5)


@pytest.mark.parametrize("name", SCHEDULES)
def test_factor_is_a_share_of_the_learning_rate(name):
    values = factor(name, T)
    assert values.dtype == np.float32
    assert (values >= -1e-6).all()
    assert (values <= 1 + 1e-6).all()
    assert values.max() == pytest.approx(1, abs=1e-3)


def test_one_cycle_rises_to_three_tenths_then_falls():
    values = factor("one_cycle", T)
    assert T[values.argmax()] == pytest.approx(0.3)
    assert (np.diff(values[:121]) > 0).all()
    assert (np.diff(values[121:]) < 0).all()


def test_four_cycles_each_twice_as_long_as_the_one_before():
    t = np.linspace(0, 1, 15 * 64 + 1)
    values = factor("four_cycles", t)
    inner = (values[1:-1] > values[:-2]) & (values[1:-1] > values[2:])
    peaks = t[1:-1][inner]
    # log2(1 + 15 t) is a half, and each half after a whole number.
    np.testing.assert_allclose(peaks, (2 ** np.array([0.5, 1.5, 2.5, 3.5]) - 1) / 15, atol=2e-3)
    zeros = (2 ** np.arange(5.0) - 1) / 15
    np.testing.assert_allclose(factor("four_cycles", zeros), 0, atol=1e-5)
    np.testing.assert_allclose(np.diff(zeros)[1:] / np.diff(zeros)[:-1], 2)


def test_find_takes_names_and_records_and_refuses_the_rest():
    own = Schedule("halved", lambda t: jnp.full_like(t, 0.5), "0.5", "here")
    assert find_schedule("cosine") is SCHEDULES["cosine"]
    assert find_schedule(own) is own
    with pytest.raises(ArgumentError, match=r"constant, cosine.*got 'cosin'.*Did you mean 'cosine'"):
        find_schedule("cosin")
    with pytest.raises(ArgumentError, match="got 3"):
        find_schedule(3)


@pytest.mark.parametrize("name", SCHEDULES)
def test_pickles_by_name(name):
    assert pickle.loads(pickle.dumps(SCHEDULES[name])) is SCHEDULES[name]

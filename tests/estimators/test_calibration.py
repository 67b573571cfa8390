import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as some
from scipy.optimize import minimize_scalar
from scipy.special import expit, log_softmax, softmax

from chainrule.errors import ArgumentError
from chainrule.estimators.calibration import (
    calibration_error,
    fit_label_temperature,
    fit_temperature,
    reliability,
)


def draw(classes: int, T: float, rows: int = 20_000, seed: int = 0) -> tuple[np.ndarray, np.ndarray]:
    """Logits that are too large by T, and classes drawn by what they should have said."""
    numbers = np.random.default_rng(seed)
    z = 1.5 * numbers.normal(size=(rows, classes))
    below = softmax(z, axis=1).cumsum(axis=1) < numbers.random((rows, 1))
    return z * T, below.sum(axis=1).clip(0, classes - 1)


@pytest.mark.parametrize("T", [0.4, 1.0, 3.0])
@pytest.mark.parametrize("classes", [2, 5])
def test_the_temperature_that_was_put_in_is_found(T: float, classes: int) -> None:
    assert fit_temperature(*draw(classes, T)) == pytest.approx(T, rel=0.05)


@given(some.integers(0, 10**6), some.integers(2, 4), some.booleans())
def test_no_other_temperature_has_less_log_loss(seed: int, classes: int, weighted: bool) -> None:
    z, codes = draw(classes, 2.0, 30, seed)
    weight = np.random.default_rng(seed).random(30) if weighted else np.ones(30)

    def loss(t: float) -> float:
        return -np.average(log_softmax(z / np.exp(t), axis=1)[np.arange(30), codes], weights=weight)

    best = minimize_scalar(loss, bounds=np.log([0.05, 20]), method="bounded")
    found = fit_temperature(z, codes, weight if weighted else None)
    separated = (z.argmax(axis=1) == codes).all()
    assert separated or loss(np.log(found)) <= best.fun + 1e-12


def test_a_single_logit_is_that_of_the_second_of_two_classes() -> None:
    z, codes = draw(2, 3.0, 500)
    single = z[:, 1] - z[:, 0]
    found = fit_temperature(z, codes)
    assert fit_temperature(single, codes) == pytest.approx(found)
    assert fit_temperature(single[:, None], codes) == pytest.approx(found)
    assert fit_label_temperature(single[:, None], codes[:, None]) == pytest.approx(found)


def test_labels_share_a_temperature() -> None:
    numbers = np.random.default_rng(1)
    z = 2 * numbers.normal(size=(8000, 3))
    holds = numbers.random(z.shape) < expit(z)
    assert fit_label_temperature(2.5 * z, holds) == pytest.approx(2.5, rel=0.05)
    weight = np.arange(8000) % 2
    half = fit_label_temperature(z[1::2], holds[1::2])
    assert fit_label_temperature(z, holds, weight) == pytest.approx(half)
    with pytest.raises(ArgumentError, match=r"indicators must number the classes from 0 to 1; got 2"):
        fit_label_temperature([[1.0]], [[2]])


def test_a_weight_of_two_is_the_row_twice_and_of_zero_no_row() -> None:
    z, codes = draw(3, 2.0, 60)
    weight = np.random.default_rng(2).integers(0, 3, 60)
    again = np.repeat(np.arange(60), weight)
    assert fit_temperature(z, codes, weight) == pytest.approx(fit_temperature(z[again], codes[again]))


def test_rows_that_say_nothing_leave_the_logits_as_they_are() -> None:
    assert fit_temperature(np.zeros((0, 3)), np.zeros(0, int)) == 1
    assert fit_temperature(np.zeros(0), []) == 1
    assert fit_temperature([[1.0, 5.0], [2.0, 0.0]], [1, 1]) == 1  # one class
    assert fit_temperature(np.full((3, 2), 7.0), [0, 1, 1]) == 1  # logits that do not differ
    assert fit_temperature([3.0, -1.0, 2.0], [1, 1, 0], weight=[1, 1, 0]) == 1  # one class that counts


def test_right_rows_vouch_for_as_much_as_they_are_many() -> None:
    z = np.array([1.0, -1.0] * 49)
    T = fit_temperature(z, z > 0)
    assert expit(1 / T) == pytest.approx(99 / 100)
    assert fit_temperature(100 * z, z > 0) == 1  # never less sure for being right
    assert fit_temperature(1e-3 * z, z > 0) == 0.05


def test_logits_that_mislead_are_levelled_as_far_as_it_goes() -> None:
    z = np.array([1.0, -2.0, 3.0, -4.0])
    assert fit_temperature(z, z < 0) == 20


def test_what_is_no_logit_is_refused() -> None:
    with pytest.raises(ArgumentError, match=r"logits must be finite; got nan in row 2"):
        fit_temperature([[0.0, 1.0], [np.nan, 0.0]], [0, 1])
    with pytest.raises(ArgumentError, match=r"codes must number the classes from 0 to 1; got 2 in row 1"):
        fit_temperature([1.0, 2.0], [2, 0])
    with pytest.raises(ArgumentError, match=r"codes must have the shape \(2,\); got \(3,\)"):
        fit_temperature([1.0, 2.0], [1, 0, 0])


def test_a_diagram_by_hand() -> None:
    p = [0.1, 0.2, 0.3, 0.4, 0.8, 0.9]
    bins = reliability(p, [0, 0, 0, 1, 1, 1], bins=3)
    assert bins.predicted == pytest.approx([0.15, 0.35, 0.85])
    assert bins.observed == pytest.approx([0, 0.5, 1])
    assert bins.rows.tolist() == [2, 2, 2]
    assert calibration_error(p, [0, 0, 0, 1, 1, 1], bins=3) == pytest.approx((0.15 + 0.15 + 0.15) / 3)


def test_two_classes_are_judged_by_the_second_and_more_by_the_most_probable() -> None:
    p = np.array([0.2, 0.7, 0.6])
    both = np.stack([1 - p, p], axis=1)
    codes = [0, 1, 0]
    assert calibration_error(both, codes) == calibration_error(p, codes)
    three = np.array([[0.5, 0.3, 0.2], [0.1, 0.1, 0.8]])
    bins = reliability(three, [1, 2])
    assert bins.predicted.tolist() == [0.5, 0.8]
    assert bins.observed.tolist() == [0, 1]


def test_rows_of_one_probability_share_a_bin_in_whatever_order() -> None:
    p = np.repeat([0.3, 0.6], 500)
    codes = np.random.default_rng(0).random(1000) < p
    bins = reliability(p, codes)
    assert bins.rows.tolist() == [500, 500]
    turned = np.random.default_rng(1).permutation(1000)
    assert calibration_error(p[turned], codes[turned]) == pytest.approx(calibration_error(p, codes))


def test_weights_in_a_diagram() -> None:
    numbers = np.random.default_rng(3)
    p, weight = numbers.random(200), numbers.integers(0, 3, 200)
    codes = numbers.random(200) < 0.5
    again = np.repeat(np.arange(200), weight)
    assert calibration_error(p, codes, weight) == pytest.approx(calibration_error(p[again], codes[again]))
    assert reliability(p, codes, weight).rows.sum() == weight.sum()


def test_the_error_falls_when_the_temperature_is_put_right() -> None:
    z, codes = draw(4, 3.0)
    before, after = (
        calibration_error(softmax(z / T, axis=1), codes) for T in (1.0, fit_temperature(z, codes))
    )
    assert before > 0.1
    assert after < 0.4 * np.sqrt(15 / len(z))  # what chance alone makes


def test_no_rows_have_no_error() -> None:
    assert np.isnan(calibration_error(np.zeros((0, 2)), []))
    assert reliability([], []).rows.size == 0
    with pytest.raises(ArgumentError, match="Give probabilities, not logits"):
        calibration_error([1.2], [1])
    with pytest.raises(ArgumentError, match="bins must be a whole number"):
        calibration_error([0.5], [1], bins=0)

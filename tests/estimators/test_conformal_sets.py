import numpy as np
import pytest
from scipy.special import softmax

from chainrule.errors import ArgumentError
from chainrule.estimators.conformal import Nonconformity
from chainrule.estimators.conformal_sets import adaptive, least_likely, sets, true_class

KINDS = {
    "least_likely": least_likely,
    "adaptive": adaptive,
    "regularised": lambda p: adaptive(p, penalty=0.02, free=2),
}


def draw(
    numbers: np.random.Generator, rows: int, classes: int = 6, sure: float = 1.5
) -> tuple[np.ndarray, np.ndarray]:
    """Probabilities of a model that is too sure, and classes."""
    z = sure * numbers.normal(size=(rows, classes)) * numbers.choice([0.3, 2.0], size=(rows, 1))
    below = softmax(z, axis=1).cumsum(axis=1) < numbers.random((rows, 1))
    return softmax(1.7 * z, axis=1), below.sum(axis=1).clip(0, classes - 1)


@pytest.mark.parametrize("coverage", [0.8, 0.9, 0.95])
@pytest.mark.parametrize("kind", KINDS)
def test_coverage_is_the_nominal_one(kind: str, coverage: float) -> None:
    score, numbers = KINDS[kind], np.random.default_rng(0)
    hits, raised = [], []  # without and with the most probable class of each row
    for _ in range(100):
        p, codes = draw(numbers, 800)
        q = Nonconformity.of(true_class(score(p[:400]), codes[:400])).quantile(coverage)
        for found, empty in ((hits, True), (raised, False)):
            found.append(sets(score(p[400:]), q, empty=empty)[np.arange(400), codes[400:]].mean())
    error = np.std(hits) / 10
    exact = np.ceil(401 * coverage) / 401
    assert abs(np.mean(hits) - exact) < 4 * error
    assert np.all(np.array(raised) >= hits)
    assert np.mean(raised) < coverage + 0.01


def test_least_likely_has_the_smaller_sets_and_adaptive_the_evener_coverage() -> None:
    numbers = np.random.default_rng(1)
    p, codes = draw(numbers, 20_000)
    hard = p.max(axis=1) < 0.5
    sizes, evenness = {}, {}
    for kind in ("least_likely", "adaptive"):
        scores = KINDS[kind](p)
        q = Nonconformity.of(true_class(scores[:10_000], codes[:10_000])).quantile(0.85)
        inside = sets(scores, q)
        covered = inside[np.arange(20_000), codes]
        sizes[kind] = inside.sum(axis=1).mean()
        evenness[kind] = abs(covered[hard].mean() - covered[~hard].mean())
    assert sizes["least_likely"] < sizes["adaptive"]
    assert evenness["adaptive"] < evenness["least_likely"]


def test_a_penalty_keeps_improbable_classes_out() -> None:
    p, codes = draw(np.random.default_rng(2), 6000, classes=40)
    sizes = []
    for penalty in (0.0, 0.1):
        scores = adaptive(p, penalty, free=3)
        sizes.append(sets(scores, Nonconformity.of(true_class(scores, codes)).quantile(0.9)).sum(axis=1))
    assert sizes[1].max() < sizes[0].max()


def test_no_set_is_empty_and_none_covers_less_than_the_first_guess() -> None:
    numbers = np.random.default_rng(3)
    p, codes = draw(numbers, 5000, sure=6.0)
    accuracy = (p.argmax(axis=1) == codes).mean()
    for score in (least_likely, adaptive):
        q = Nonconformity.of(true_class(score(p), codes)).quantile(0.5)
        assert sets(score(p), q, empty=True).any(axis=1).all() == (score is adaptive)
        inside = sets(score(p), q)
        assert inside.any(axis=1).all()
        assert inside[np.arange(5000), p.argmax(axis=1)].all()
        assert inside[np.arange(5000), codes].mean() >= accuracy > 0.5


@pytest.mark.parametrize("kind", KINDS)
def test_of_a_model_that_is_right_more_often_than_asked_sets_have_one_class(kind: str) -> None:
    p, codes = draw(np.random.default_rng(6), 4000, sure=6.0)
    accuracy = (p.argmax(axis=1) == codes).mean()
    scores = KINDS[kind](p)
    for coverage in (accuracy - 0.02, accuracy + 0.02):
        inside = sets(scores, Nonconformity.of(true_class(scores, codes)).quantile(coverage))
        covered = inside[np.arange(4000), codes].mean()
        assert covered == pytest.approx(max(coverage, accuracy), abs=0.01)
        assert (inside.sum() < 1.01 * 4000) == (coverage < accuracy)


def test_of_equal_classes_the_first_is_in() -> None:
    p = np.full((1, 4), 0.25)
    assert sets(least_likely(p), 0.1).tolist() == [[True, False, False, False]]
    assert sets(least_likely(p), 0.75).tolist() == [[True] * 4]


def test_scores_by_hand() -> None:
    p = np.array([[0.2, 0.5, 0.3]])
    assert least_likely(p)[0] == pytest.approx([0.8, 0.5, 0.7])
    scores = adaptive(p)[0]
    u = (scores[2] - 0.5) / 0.3
    assert 0 < u < 1
    assert scores == pytest.approx([0.8 + 0.2 * u, 0, 0.5 + 0.3 * u])
    assert adaptive(p, 0.1, 1)[0] - scores == pytest.approx([0.2, 0, 0.1])
    assert true_class([[1.0, 2.0], [3.0, 4.0]], [1, 0]).tolist() == [2, 3]


def test_what_is_drawn_for_a_row_is_the_row_s_own() -> None:
    p, _ = draw(np.random.default_rng(4), 20_000)
    second, first = np.sort(p, axis=1)[:, -2:].T
    u = (np.sort(adaptive(p), axis=1)[:, 1] - first) / second
    assert np.array_equal(adaptive(p)[7:9], adaptive(p[7:9]))
    assert np.array_equal(adaptive(np.asfortranarray(p)), adaptive(p))
    assert adaptive([[0.6, 0.4, -0.0]]).tolist() == adaptive([[0.6, 0.4, 0.0]]).tolist()
    expected = np.full(20, 1000)  # a fair share for each of 20 ranges of u
    assert (np.square(np.histogram(u, 20, (0, 1))[0] - expected) / expected).sum() < 60  # χ² of 19
    assert abs(np.corrcoef(u, p[:, 0])[0, 1]) < 0.03


def test_no_bound_means_all_classes() -> None:
    p, _ = draw(np.random.default_rng(5), 3)
    assert sets(adaptive(p), Nonconformity.of([]).quantile(0.9)).all()
    assert sets(np.zeros((0, 3)), 0.5).shape == (0, 3)


def test_what_is_no_probability_is_refused() -> None:
    with pytest.raises(ArgumentError, match="probabilities must be finite; got nan in row 1"):
        least_likely([[np.nan, 1.0]])
    with pytest.raises(ArgumentError, match="penalty must be a number of 0 or more; got -1"):
        adaptive([[1.0, 0.0]], penalty=-1)
    with pytest.raises(ArgumentError, match="codes must number the classes from 0 to 1; got 2 in row 1"):
        true_class([[0.1, 0.9]], [2])

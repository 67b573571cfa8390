import pytest

from chainrule.estimators import recipes
from chainrule.training.optimizers import find_optimizer
from chainrule.training.schedules import find_schedule


@pytest.mark.parametrize(
    ("rows", "size"), [(1, 32), (1_999, 32), (2_000, 128), (19_999, 128), (20_000, 256), (10**6, 256)]
)
def test_batch_size(rows, size):
    assert recipes.batch_size(rows) == size


@pytest.mark.parametrize(
    ("rows", "batch", "epochs"),
    [
        (10, 32, 500),
        (96, 32, 500),
        (320, 32, 150),
        (1_000, 32, 60),
        (10**6, 256, 11),
        (10**8, 256, 10),
        (100, 100, 500),
    ],
)
def test_epochs_are_60_or_what_makes_1500_steps_or_40000(rows, batch, epochs):
    assert recipes.epochs(rows, batch) == epochs


@pytest.mark.parametrize(
    ("wish", "solver", "schedule", "rate"),
    [
        ("auto", "adam", "one_cycle", 4e-3),
        ("auto", "adam(0.8)", "cosine", 4e-3),
        ("auto", "adamw", "exponential", 4e-3),
        ("auto", "adam", "constant", None),
        ("auto", "sgd", "one_cycle", None),
        ("auto", "lbfgs", "constant", None),
        (0.5, "sgd", "one_cycle", 0.5),
    ],
)
def test_learning_rate(wish, solver, schedule, rate):
    assert recipes.learning_rate(wish, find_optimizer(solver), find_schedule(schedule)) == rate


def test_l2_is_alpha_by_the_rows_of_a_batch():
    assert recipes.l2(0.1, 32, 1000) == 0.1 / 32
    assert recipes.l2(0.1, 32, 10) == 0.1 / 10


def test_validates_from_200_rows_on():
    assert not recipes.validates(199)
    assert recipes.validates(200)

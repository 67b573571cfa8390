import math

import pytest

from chainrule.estimators import recipes
from chainrule.estimators.recipes import CLASSIFICATION, REGRESSION
from chainrule.training.optimizers import find_optimizer
from chainrule.training.schedules import find_schedule


@pytest.mark.parametrize(
    ("rows", "size"), [(1, 32), (1_999, 32), (2_000, 128), (19_999, 128), (20_000, 256), (10**6, 256)]
)
def test_batch_size(rows, size):
    assert recipes.batch_size(rows) == size


@pytest.mark.parametrize(
    ("recipe", "rows", "batch", "epochs"),
    [
        (REGRESSION, 10, 32, 500),
        (REGRESSION, 96, 32, 267),
        (REGRESSION, 320, 32, 80),
        (REGRESSION, 1_000, 32, 25),
        (REGRESSION, 20_000, 256, 20),
        (REGRESSION, 10**6, 256, 11),
        (REGRESSION, 10**8, 256, 5),
        (REGRESSION, 100, 100, 500),
        (CLASSIFICATION, 10, 32, 500),
        (CLASSIFICATION, 96, 32, 200),
        (CLASSIFICATION, 320, 32, 60),
        (CLASSIFICATION, 20_000, 256, 12),
        (CLASSIFICATION, 10**6, 256, 11),
    ],
)
def test_epochs_are_the_recipes_or_what_makes_its_steps_or_40000(recipe, rows, batch, epochs):
    assert recipes.epochs(recipe, rows, batch) == epochs


@pytest.mark.parametrize(
    ("epochs", "rows", "batch", "cycles"),
    [
        (20, 16_000, 128, 3),
        (12, 205_000, 256, 2),
        (11, 480_000, 256, 1),
        (100, 32 * 57, 32, 3),
        (101, 32 * 57, 32, 2),
    ],
)
def test_further_cycles_are_for_those_who_end_within_40000_steps(epochs, rows, batch, cycles):
    assert recipes.cycles(epochs, rows, batch) == cycles


def test_effort_is_a_share_of_the_epochs():
    each = {
        effort: recipes.epochs(REGRESSION, 20_000, 256, effort) for effort in ("fast", "balanced", "best")
    }
    assert each == {"fast": 10, "balanced": 20, "best": 30}


def test_fast_has_half_the_bins():
    each = [
        recipes.bins(recipe, effort, 8)
        for recipe in (REGRESSION, CLASSIFICATION)
        for effort in ("fast", "best")
    ]
    assert each == [32, 64, 24, 48]


@pytest.mark.parametrize(
    ("recipe", "effort", "columns", "bins"),
    [
        (REGRESSION, "balanced", 46, 64),
        (REGRESSION, "balanced", 47, 32),
        (REGRESSION, "balanced", 94, 16),
        (REGRESSION, "balanced", 100, 16),
        (CLASSIFICATION, "balanced", 20, 48),
        (CLASSIFICATION, "balanced", 21, 24),
        (CLASSIFICATION, "balanced", 100, 12),
        (REGRESSION, "fast", 93, 32),
        (CLASSIFICATION, "fast", 100, 12),
    ],
)
def test_bins_are_halved_where_many_columns_have_too_many_together(recipe, effort, columns, bins):
    assert recipes.bins(recipe, effort, columns) == bins


@pytest.mark.parametrize(
    ("wish", "schedule", "patience"),
    [
        ("auto", "one_cycle", None),
        ("auto", "constant", 20),
        (5, "one_cycle", 5),
        (math.inf, "constant", None),
    ],
)
def test_patience(wish, schedule, patience):
    assert recipes.patience(wish, find_schedule(schedule)) == patience


def test_the_optimizer_left_open_is_adam_with_a_short_memory_of_squares():
    assert recipes.optimizer("auto") == find_optimizer("adam(0.9, 0.95, 1e-08)")
    assert recipes.optimizer("sgd") == find_optimizer("sgd")
    mine = find_optimizer("adamw")
    assert recipes.optimizer(mine) is mine


def steps(solver="auto", schedule="one_cycle", rate="auto", decay="auto", recipe=REGRESSION):
    resolved = recipes.optimizer(solver)
    return recipes.steps(recipe, solver, resolved, find_schedule(schedule), rate, decay)


def test_rates_are_by_kind_where_the_user_leaves_solver_and_rate_open():
    assert steps() == {"learning_rate": 0.04, "rates": "by_kind", "weight_decay": 0.1}
    assert steps(recipe=CLASSIFICATION) == {"learning_rate": 0.015, "rates": "by_kind", "weight_decay": 0.1}
    assert steps(decay=0.0) == {"learning_rate": 0.04, "rates": "by_kind", "weight_decay": 0.0}


@pytest.mark.parametrize(
    ("wishes", "rate"),
    [
        ({"solver": "adam"}, 4e-3),
        ({"solver": find_optimizer("adam")}, 4e-3),
        ({"solver": "sgd"}, None),
        ({"rate": 0.01}, 0.01),
        ({"schedule": "constant"}, None),
        ({"solver": "lbfgs", "schedule": "constant"}, None),
    ],
)
def test_rates_are_equal_where_the_user_chose(wishes, rate):
    assert steps(**wishes) == {"learning_rate": rate, "rates": "equal", "weight_decay": None}
    assert steps(**wishes, decay=0.3)["weight_decay"] == 0.3


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


@pytest.mark.parametrize(("members", "rows"), [(1, 200), (2, 20), (5, 20)])
def test_rows_are_kept_back_of_200_or_by_folds_of_20(members, rows):
    assert not recipes.validates(rows - 1, members)
    assert recipes.validates(rows, members)

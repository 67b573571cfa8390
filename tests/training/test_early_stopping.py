from math import inf, nan

from chainrule.training.early_stopping import Patience


def run(patience, scores):
    """How many epochs run, and the state at the end."""
    for number, score in enumerate(scores, start=1):
        patience = patience.after(score)
        if patience.exhausted:
            return number, patience
    return len(scores), patience


def test_stops_after_so_many_epochs_without_a_better_one():
    assert run(Patience(2), [3, 2, 2.5, 2.1, 1])[0] == 4


def test_a_better_epoch_starts_the_count_again():
    assert run(Patience(2), [3, 4, 2, 4, 1, 4, 4, 0])[0] == 7


def test_improvements_within_tol_do_not_count_but_are_remembered():
    number, patience = run(Patience(3, tol=0.1), [1.0, 0.95, 0.92, 0.91, 0.5])
    assert number == 4
    assert patience.best == 0.91


def test_equal_scores_are_no_improvement():
    assert run(Patience(1), [1.0, 1.0])[0] == 2


def test_none_never_stops():
    number, patience = run(Patience(None), [1.0] * 100)
    assert number == 100
    assert not patience.exhausted


def test_the_first_score_counts_however_high_unless_it_is_not_finite():
    assert Patience(1).after(1e30).waited == 0
    assert Patience(1).after(inf).exhausted
    assert Patience(1).after(nan).exhausted

"""Learning from a stream: what is read, in which order, and what comes of it."""

import numpy as np
import polars as pl
import pytest

from chainrule import ArgumentError, DeepClassifier, DeepRegressor, TableError, load, open_stream, save
from chainrule.estimators import streaming
from chainrule.estimators.large_problem import LargeProblem
from chainrule.estimators.streaming import Parts, is_large
from chainrule.estimators.target_columns import Task
from chainrule.tables import stream

ROWS = 3_000
SMALL = {"hidden_layer_sizes": (16,), "n_members": 2, "random_state": 0}


@pytest.fixture(autouse=True)
def _small_pieces(monkeypatch):
    """Parts of a table that is small enough for tests."""
    monkeypatch.setattr(stream, "PIECE", 100)
    monkeypatch.setattr(streaming, "PIECE", 100)
    monkeypatch.setattr(streaming, "_EPOCH", 400)
    monkeypatch.setattr(streaming, "_MOST_ROWS", 1_000)


@pytest.fixture(scope="module")
def frame():
    numbers = np.random.default_rng(0)
    x, city = numbers.normal(size=(ROWS, 2)), numbers.choice(["Rome", "Oslo", "Bern"], ROWS)
    y = np.sin(2 * x[:, 0]) + x[:, 1] + (city == "Rome")
    kind = np.where(y > 0.8, "high", np.where(y > 0, "middle", "low"))
    return pl.DataFrame({"a": x[:, 0], "b": x[:, 1], "city": city, "y": y, "kind": kind})


@pytest.fixture
def files(frame, tmp_path):
    def write(frame=frame):
        for number, start in enumerate(range(0, len(frame), 700)):
            frame[start : start + 700].write_parquet(tmp_path / f"{number}.parquet")
        return tmp_path

    return write


def parts_of(problem, model, **options):
    """The feed of a fit, and the places of the rows that judge."""
    kept, rows = model._begun(
        problem.sample.X, problem.sample.y, problem.sample.weight, again=False, classes=problem.classes
    )
    judge = np.arange(0, len(kept.y), 50)
    told = {"most": 1_000, "passes": 2, "members": 2, "batch_size": 32, "seed": 0} | options
    return Parts(problem, model._encoded_part, rows.take(judge), problem.places[judge], **told), rows, judge


def seen_in(feed, numbers):
    """The rows of the epochs of some numbers as the first member sees them, and the second."""
    for number in numbers:
        part = feed.part(number)
        x, weight = np.asarray(part.table.x), np.asarray(part.table.weight)
        for order, count in zip(part.order, part.rows, strict=True):
            places = order.reshape(-1)[: int(count)]
            assert (weight[places] > 0).all()
            yield number, x[places]


@pytest.mark.parametrize("passes", [1, 2])
def test_each_pass_sees_every_row_once_but_those_that_judge(files, frame, passes):
    problem = LargeProblem(open_stream(files(frame.drop("kind"))), ["y"])
    feed, rows, judge = parts_of(problem, DeepRegressor(**SMALL), passes=passes)
    assert feed.epochs > passes * 3
    found = [rows for number, rows in seen_in(feed, range(1, feed.epochs + 1))][::2]
    expected = np.delete(rows.x, judge, axis=0)
    told, known = (np.sort(part.view([("", part.dtype)] * part.shape[1]), axis=0)
                   for part in (np.concatenate(found), np.concatenate([expected] * passes)))  # fmt: skip
    assert (told == known).all()


def test_the_same_number_is_the_same_part(files):
    problem = LargeProblem(open_stream(files()), ["y"], drop=["kind"])
    model = DeepRegressor(**SMALL)
    one, two = (parts_of(problem, model)[0] for _ in range(2))
    later = one.epochs - 1
    for number in range(1, later):
        one.part(number)
    for ours, theirs in zip(one.part(later), two.part(later), strict=True):
        assert all(
            np.array_equal(a, b)
            for a, b in zip(*(map(np.asarray, np.atleast_1d(part) if np.isscalar(part) else part)
                              for part in (ours, theirs)), strict=True)
        )  # fmt: skip


def test_parts_meet_rows_that_are_far_apart(files, frame):
    ordered = frame.with_row_index("number").sort("number").with_columns(pl.col("number").cast(pl.Float64))
    problem = LargeProblem(open_stream(files(ordered.select("number", "y"))), ["y"])
    feed, rows, _ = parts_of(problem, DeepRegressor(**SMALL, numeric_embedding=None), passes=1)
    spreads = [part[:, 0].std() for _, part in seen_in(feed, range(1, feed.epochs + 1))]
    assert min(spreads) > 0.6 * rows.x[:, 0].std()


def test_a_stream_is_learnt_as_well_as_the_table(files, frame):
    X, y = frame.drop("y", "kind"), frame["y"]
    streamed = DeepRegressor(**SMALL, max_iter=20).fit(open_stream(files(frame.drop("kind"))), "y")
    held = DeepRegressor(**SMALL, max_iter=20).fit(X, y)
    assert streamed.score(X, y) > held.score(X, y) - 0.02 > 0.9
    assert len(streamed.validation_rows_) == len(np.unique(streamed.validation_rows_)) == 300
    assert streamed.n_members_ == 2
    again = DeepRegressor(**SMALL, max_iter=20).fit(files(frame.drop("kind")), "y")
    assert (again.predict(X) == streamed.predict(X)).all()


def test_honest_answers_and_intervals(files, frame, tmp_path):
    model = DeepRegressor(**SMALL, max_iter=5).fit(files(frame.drop("kind")), "y")
    rows = frame.drop("y", "kind")[model.validation_rows_]
    unseen = model.predict(model.unseen(rows))
    assert np.corrcoef(unseen, frame["y"].to_numpy()[model.validation_rows_])[0, 1] > 0.9
    low, high = model.predict_interval(rows, 0.9).T
    assert np.mean((low <= frame["y"].to_numpy()[model.validation_rows_]) & (unseen <= high)) > 0.8
    save(model, tmp_path / "m.chainrule")
    assert (load(tmp_path / "m.chainrule").predict(rows) == model.predict(rows)).all()


def test_classes_of_which_the_sample_knows_nothing(files, frame, monkeypatch):
    monkeypatch.setattr("chainrule.estimators.large_problem._SAMPLE", 200)
    rare = frame.drop("y").with_columns(
        kind=pl.when(pl.int_range(pl.len()) == 1_234).then(pl.lit("rare")).otherwise(pl.col("kind"))
    )
    model = DeepClassifier(**SMALL, max_iter=8).fit(files(rare), "kind")
    assert model.classes_.tolist() == ["high", "low", "middle", "rare"]
    assert model.score(rare.drop("kind"), rare["kind"]) > 0.8


def test_rows_without_a_target_are_left_out(files, frame):
    some = frame.drop("kind").with_columns(
        y=pl.when((pl.int_range(pl.len()) < 1_100) | (pl.int_range(pl.len()) % 3 == 0)).then(None)
        .otherwise(pl.col("y"))
    )  # fmt: skip
    problem = LargeProblem(open_stream(files(some)), ["y"])
    assert len(problem.places) == some["y"].count()
    feed, rows, judge = parts_of(problem, DeepRegressor(**SMALL), passes=1)
    seen = sum(len(part) for _, part in seen_in(feed, range(1, feed.epochs + 1))) // 2
    assert seen == len(rows.y) - len(judge)
    assert np.isfinite(DeepRegressor(**SMALL, max_iter=2).fit(files(some), "y").loss_curve_).all()


def test_weights_and_several_targets(files, frame):
    table = frame.drop("kind").with_columns(z=-pl.col("y"), w=(pl.col("y") > 0).cast(pl.Float64) + 0.5)
    model = DeepRegressor(**SMALL, max_iter=8).fit(files(table), ["y", "z"], sample_weight="w")
    assert model.feature_names_in_.tolist() == ["a", "b", "city"]
    assert model.predict(table.drop("y", "z", "w")).shape == (ROWS, 2)
    assert model.score(table.drop("y", "z", "w"), table[["y", "z"]].to_numpy()) > 0.85


def test_a_score_of_the_users_own_chooses(files, frame):
    model = DeepClassifier(**SMALL, max_iter=3, scoring="roc_auc_ovr").fit(files(frame.drop("y")), "kind")
    assert model.best_iteration_ == int(np.argmax(model.validation_scores_)) + 1


@pytest.mark.parametrize(
    ("options", "given", "said"),
    [
        ({"warm_start": True}, {}, "warm_start must be False for a stream"),
        ({"solver": "lbfgs"}, {}, "solver must be one that learns from batches"),
        ({}, {"groups": [1]}, "groups must be left out for a stream"),
        ({}, {"sample_weight": [1.0]}, "sample_weight must be the name of a column"),
    ],
)
def test_what_streams_do_not_take(files, options, given, said):
    with pytest.raises(ArgumentError, match=said):
        DeepRegressor(**SMALL, **options).fit(files(), "y", **given)


def test_targets_are_names(files):
    with pytest.raises(ArgumentError, match=r"y must be the name of the target column.*got .1.0, 2.0"):
        DeepRegressor(**SMALL).fit(files(), [1.0, 2.0])
    with pytest.raises(ArgumentError, match="there is no column 'yy'"):
        DeepRegressor(**SMALL).fit(files(), "yy")


def test_an_infinity_is_found_before_anything_is_learnt(files, frame):
    wrong = frame.with_columns(a=pl.when(pl.int_range(pl.len()) == 2_345).then(np.inf).otherwise(pl.col("a")))
    with pytest.raises(TableError, match="'a' must be finite; got inf in row 2,346"):
        LargeProblem(open_stream(files(wrong)), ["y"])


def test_what_is_large(files):
    table = open_stream(files(), memory="1GB")
    assert not is_large(table)
    table.rows = 10_000_000
    assert is_large(table)


def test_labels(files, frame):
    table = frame.select("a", "b", hot=pl.col("y") > 0, far=pl.col("a") > 0)
    problem = LargeProblem(open_stream(files(table)), ["hot", "far"], Task.LABELS)
    model = DeepClassifier(**SMALL, max_iter=3).fit_large(problem)
    assert model.predict(table.drop("hot", "far")).shape == (ROWS, 2)

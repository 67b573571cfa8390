"""A model without a table: the rows drawn for it, those typed in, and what cannot be done."""

from datetime import date, timedelta

import numpy as np
import polars as pl
import pytest

import chainrule
from chainrule.errors import ArgumentError, ChainruleError
from chainrule.page import details, exports
from chainrule.page.session import HeldModel, Session

ROWS = 120
TABLE = pl.DataFrame(
    {
        "size": [float(k % 17) if k % 9 else None for k in range(ROWS)],
        "count": [k % 5 for k in range(ROWS)],
        "kind": ["red", "green", None] * (ROWS // 3),
        "many": [f"code {k % 30}" for k in range(ROWS)],
        "day": [date(2020, 1, 1) + timedelta(days=3 * k) for k in range(ROWS)],
        "spelt": [(date(2021, 1, 1) + timedelta(days=k)).strftime("%d.%m.%Y") for k in range(ROWS)],
        "empty": [None] * ROWS,
        "sure": [k % 2 == 0 for k in range(ROWS)],
    },
    schema_overrides={"empty": pl.Float64},
)
NUMBER = np.arange(ROWS) * 0.5
CLASS = np.array(["low", "high"])[(np.arange(ROWS) % 17 > 8).astype(int)]


def session_of(y, make=chainrule.DeepRegressor, X=TABLE, **options):
    model = make((4,), max_iter=2, n_members=1, random_state=0, **options).fit(X, y)
    session = Session(model=HeldModel("m.chainrule", model))
    _, watched = session.begin(session.start.to_dict())
    return model, session, watched


@pytest.mark.parametrize(
    ("y", "make"),
    [
        (NUMBER, chainrule.DeepRegressor),
        (CLASS, chainrule.DeepClassifier),
        (np.stack([NUMBER, -NUMBER], axis=1), chainrule.DeepRegressor),
        ((np.arange(ROWS)[:, None] % (2, 3) == 0).astype(int), chainrule.DeepClassifier),
    ],
)
def test_what_is_shown_of_a_model_alone(y, make):
    model, session, watched = session_of(y, make)
    frames, run = watched.frames, watched.run
    told, seen = frames.description(), frames.frame()
    assert (told["told"], told["classes"]) == (False, ["high", "low"] if y is CLASS else None)
    assert [field["name"] for field in told["fields"]] == TABLE.columns
    assert (seen["loss"], seen["scores"]["learn"], seen["playing"]) == (None, None, False)
    assert len(seen["spread"]) == (2 if y.ndim > 1 else 1)
    assert frames.curve() == {"epoch": [0], "loss": [None], "validation": [None]}
    rows = details.table(frames, 0, 50)["rows"]
    assert {row["truth"] for row in rows} == {None}
    assert {row["loss"] for row in rows} == {None}
    said = model.predict(run.problem.X[:5])
    assert [row["answer"] for row in rows[:5]] == [details._told(one) for one in said]
    row = details.row(frames, 0)
    assert set(row["layers"][0]["delta"]) == {None}
    assert None not in row["layers"][0]["z"]
    found = details.weight(frames, "W1[1,1]", None)
    assert (found["of"], found["row"], found["rows"]) == ("ŷ₁", 0, 1)
    assert found["derived"] == pytest.approx(found["compiled"], rel=1e-5, abs=1e-9)
    for refused in (run.play, run.step):
        with pytest.raises(ArgumentError, match="came without a table"):
            refused()
    with pytest.raises(ArgumentError, match="Export the model"):
        exports.python_code(run, frames.targets, "")
    session.close()


def test_drawn_rows_are_such_as_the_model_knows():
    _, session, watched = session_of(NUMBER)
    X = watched.run.problem.X
    assert set(X["kind"].drop_nulls()) <= {"red", "green"}
    assert X["empty"].null_count() == 50
    assert X["count"].str.to_integer().is_between(0, 4).all()
    assert X["day"].str.to_date("%Y-%m-%d").dt.year().is_between(2019, 2022).all()
    assert X["spelt"].str.to_date("%d.%m.%Y").is_not_null().all()
    assert X["sure"].cast(pl.Float64).is_between(0, 1).all()
    session.close()


def test_a_row_is_typed_in_and_its_loss_derived():
    model, session, watched = session_of(NUMBER)
    cells = dict(zip(TABLE.columns, ("3.5", "2", "green", "code 3", "2020-05-01", "07.02.2021", "", "true"),
                     strict=True))  # fmt: skip
    number = details.write(watched.frames, cells, ["7.5"])
    assert number == 50
    row = details.row(watched.frames, number)
    typed = TABLE[:1].with_columns(size=3.5, count=2, kind=pl.lit("green"), many=pl.lit("code 3"),
        day=date(2020, 5, 1), spelt=pl.lit("07.02.2021"), sure=True)  # fmt: skip
    assert float(row["answer"]) == pytest.approx(model.predict(typed)[0], rel=1e-4)
    assert row["truth"] == "7.5"
    assert row["loss"] is not None
    assert None not in row["layers"][0]["delta"]
    assert details.weight(watched.frames, "W1[1,1]", number)["of"] == "L"
    before = row["answer"]
    watched.run.edit("W1[1,1]", 9.0)
    assert details.row(watched.frames, number)["answer"] != before
    watched.run.restart()
    assert details.row(watched.frames, number)["answer"] == before
    session.close()


@pytest.mark.parametrize(
    ("cells", "truth", "said"),
    [
        ({"size": "much"}, None, "must be numeric"),
        ({"size": 3}, None, "must be a text"),
        ({"sice": "3"}, None, "Did you mean 'size'"),
        ({"spelt": "soon"}, None, "must hold dates"),
        ([], None, "a row must be an object"),
        ({}, ["middling"], "must hold the classes"),
        ({}, "low", "truth must be a list"),
        ({}, ["low", "high"], "must be told of all"),
    ],
)
def test_rows_that_are_none(cells, truth, said):
    _, session, watched = session_of(CLASS, chainrule.DeepClassifier)
    with pytest.raises(ChainruleError, match=said):
        details.write(watched.frames, cells, truth)
    assert len(watched.run.order) == 50
    session.close()


def test_an_edited_model_is_taken_away(tmp_path):
    model, session, watched = session_of(CLASS, chainrule.DeepClassifier)
    (tmp_path / "m.chainrule").write_bytes(exports.model_file(watched.run, watched.frames.targets))
    again = chainrule.load(tmp_path / "m.chainrule")
    np.testing.assert_array_equal(again.predict_proba(TABLE), model.predict_proba(TABLE))
    session.close()


def test_a_model_of_a_plane_shows_it():
    X = np.random.default_rng(0).normal(size=(80, 2))
    _, session, watched = session_of(X.sum(axis=1), X=X, numeric_embedding=None)
    assert watched.frames.description()["plane"]["names"] == ["x0", "x1"]
    assert watched.frames.frame()["surface_range"][0] < 0
    session.close()

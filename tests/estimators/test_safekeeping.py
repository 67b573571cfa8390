"""A fit that is cut off and taken up again is the fit that was not: every bit of it."""

import os
import signal
import threading

import jax
import numpy as np
import optax
import polars as pl
import pytest
from sklearn.base import clone

from chainrule import ArgumentError, Checkpoints, DeepClassifier, DeepRegressor, open_stream, save
from chainrule.estimators import kinds, recipes, streaming
from chainrule.tables import stream
from chainrule.training import progress

pytestmark = pytest.mark.usefixtures("quick_compiler")

ROWS = 60
SMALL = {"hidden_layer_sizes": (4,), "n_members": 2, "max_iter": 12, "random_state": 0}


class CutOffError(Exception):
    """As if the process ended."""


@pytest.fixture(scope="module")
def table():
    numbers = np.random.default_rng(0)
    X = numbers.normal(size=(ROWS, 2))
    y = np.sin(2 * X[:, 0]) + X[:, 1]
    return X, y, numbers.uniform(0.5, 2.0, ROWS)


@pytest.fixture
def cut_off(monkeypatch):
    """Fit until an epoch of a number is done, and no further."""
    shown = progress.shown

    def fit(model, *data, after, **options):
        def cut(epochs, show):
            for epoch in shown(epochs, show):
                yield epoch
                if epoch.number == after:
                    raise CutOffError

        with monkeypatch.context() as patched:
            patched.setattr(progress, "shown", cut)
            with pytest.raises(CutOffError):
                model.fit(*data, **options)

    return fit


def assert_same(model, other, folder):
    """In every bit that a model file has."""
    for name, one in (("one", model), ("other", other)):
        save(one, folder / name)
    assert (folder / "one").read_bytes() == (folder / "other").read_bytes()


CASES = {
    "numbers": (DeepRegressor, {}),
    "twins_and_cycles": (DeepRegressor, {"n_members": "auto", "max_iter": "auto"}),
    "by_score": (DeepRegressor, {"scoring": "r2", "n_iter_no_change": 3, "max_iter": 40}),
    "patience": (DeepClassifier, {"n_iter_no_change": 2, "early_stopping": True, "max_iter": 40}),
    "classes_by_score": (DeepClassifier, {"scoring": "roc_auc"}),
    "all_rows_in_a_step": (DeepRegressor, {"solver": "lbfgs", "n_members": 1}),
    "nothing_kept_back": (DeepClassifier, {"early_stopping": False, "dropout": 0.2, "shuffle": False}),
    "warm_to_be": (DeepRegressor, {"warm_start": True}),
    "logarithm": (DeepRegressor, {"target_transform": "log"}),
    "optax": (DeepRegressor, {"solver": optax.adam(0.01, mu_dtype="bfloat16")}),
}


SLOW = ("all_rows_in_a_step", "optax", "nothing_kept_back", "classes_by_score")  # to compile


@pytest.mark.parametrize("case", [pytest.param(c, marks=pytest.mark.long) if c in SLOW else c for c in CASES])
def test_cut_off_anywhere_it_is_the_same(table, tmp_path, cut_off, case, monkeypatch):
    monkeypatch.setattr(recipes, "epochs", lambda *_: 3)  # of a first cycle
    chosen, better = [], kinds.better
    monkeypatch.setattr(kinds, "better", lambda losses: chosen.append(len(losses)) or better(losses))
    X, y, weight = table
    make, options = CASES[case]
    model = make(**SMALL | options)
    y = np.where(y > 0, "yes", "no") if make is DeepClassifier else np.exp(y) if case == "logarithm" else y
    whole = clone(model).fit(X, y, weight)
    if case == "twins_and_cycles":
        assert chosen == [10]
        assert whole.n_iter_ > 3
    epochs = np.random.default_rng(len(case)).integers(1, whole.n_iter_ + 1, 4)
    folder, done = tmp_path / "checkpoints", 0
    for epoch in sorted({*epochs.tolist(), whole.n_iter_}):
        checkpoints = Checkpoints(folder, every=0, resume=done > 0)
        if done and checkpoints.found.epochs >= epoch:  # nothing to cut off
            continue
        cut_off(clone(model), X, y, weight, after=epoch, checkpoints=checkpoints)
        done += 1
    assert done > 1
    again = clone(model).fit(X, y, weight, checkpoints=folder, resume=True)
    if case == "optax":  # a model file has no words for it
        assert [*map(np.ndarray.tobytes, jax.tree.leaves(again.members_))] == [
            *map(np.ndarray.tobytes, jax.tree.leaves(whole.members_))
        ]
    else:
        assert_same(again, whole, tmp_path)
    assert (again.predict(X) == whole.predict(X)).all()
    assert not [*folder.iterdir()]
    if case == "warm_to_be":
        assert_same(again.fit(X, y, weight), whole.fit(X, y, weight), tmp_path)


@pytest.fixture
def parts(monkeypatch, tmp_path):
    """A stream of several parts of several epochs each."""
    monkeypatch.setattr(stream, "PIECE", 100)
    monkeypatch.setattr(streaming, "PIECE", 100)
    monkeypatch.setattr(streaming, "_EPOCH", 300)
    monkeypatch.setattr(streaming, "_MOST_ROWS", 700)
    numbers = np.random.default_rng(0)
    x = numbers.normal(size=(1_500, 2))
    frame = pl.DataFrame({"a": x[:, 0], "b": x[:, 1], "y": np.abs(x[:, 0]) - x[:, 1]})
    (tmp_path / "parts").mkdir()
    for number in range(3):
        frame[number::3].write_parquet(tmp_path / "parts" / f"{number}.parquet")
    return tmp_path / "parts"


@pytest.mark.parametrize("scoring", ["loss", "r2"])
def test_a_stream_cut_off_anywhere_is_the_same(parts, tmp_path, cut_off, scoring):
    model = DeepRegressor(**SMALL | {"max_iter": 2, "scoring": scoring, "batch_size": 20})
    whole = clone(model).fit(open_stream(parts), "y")
    assert whole.n_iter_ > 8
    for done, epoch in enumerate((1, 3, 6, whole.n_iter_)):
        checkpoints = Checkpoints(tmp_path / "kept", every=0, resume=done > 0)
        cut_off(clone(model), parts, "y", after=epoch, checkpoints=checkpoints)
    again = clone(model).fit(parts, "y", checkpoints=tmp_path / "kept", resume=True)
    assert_same(again, whole, tmp_path)


@pytest.mark.parametrize("seed", [None, np.random.RandomState(3)])
def test_what_was_drawn_is_not_drawn_again(table, tmp_path, cut_off, seed, monkeypatch):
    X, y, _ = table
    model = DeepRegressor(**SMALL | {"random_state": seed})
    with monkeypatch.context() as patched:
        patched.setattr(DeepRegressor, "_seed", lambda self: 7)
        whole = DeepRegressor(**SMALL | {"random_state": seed}).fit(X, y)
        cut_off(model, X, y, after=5, checkpoints=Checkpoints(tmp_path, every=0))
    again = model.fit(X, y, checkpoints=tmp_path, resume=True)
    assert (again.predict(X) == whole.predict(X)).all()


@pytest.fixture
def begun(table, tmp_path, cut_off):
    """A folder with the checkpoints of a training that was cut off."""
    X, y, _ = table
    cut_off(DeepRegressor(**SMALL), X, y, after=5, checkpoints=Checkpoints(tmp_path / "kept", every=0))
    return tmp_path / "kept"


def refused(begun, model, *data, match, **options):
    before = {path.name: path.read_bytes() for path in begun.iterdir()}
    with pytest.raises(ArgumentError, match=match) as error:
        model.fit(*data, checkpoints=begun, resume=True, **options)
    assert "must be of the same training to go on from" in str(error.value)
    assert "Give all as before, or empty the folder to begin again." in str(error.value)
    assert {path.name: path.read_bytes() for path in begun.iterdir()} == before
    assert not hasattr(model, "members_")


def test_another_training_is_refused(begun, table):
    X, y, weight = table
    model = DeepRegressor(**SMALL)
    other = clone(model).set_params(hidden_layer_sizes=(5,), tol=0.5)
    match = r"hidden_layer_sizes was \(4\), and is \(5\) \(and tol differ too\)"
    refused(begun, other, X, y, match=match)
    refused(begun, clone(model).set_params(random_state=1), X, y, match="random_state was 0, and is 1")
    refused(begun, clone(model).set_params(random_state=None), X, y, match="random_state was 0, and is None")
    refused(begun, DeepClassifier(**SMALL), X, y > 0, match="of a DeepRegressor, this is a DeepClassifier")
    refused(begun, clone(model), X[:, :1], y, match="columns differ: there were 2 columns, and are 1")
    named = pl.DataFrame(X, ["size", "age"])
    refused(begun, clone(model), named, y, match="columns differ: .* is now 'size ")
    table_differs = "the table differs: its rows, their order or weights, or which of them validate"
    for data in ((X, 2 * y), (X[::-1], y[::-1]), (X, y, weight), (X + 1e-9, y)):
        refused(begun, clone(model), *data, match=table_differs)
    refused(begun, clone(model), X, y, match=table_differs, groups=np.arange(ROWS) // 4)
    refused(begun, clone(model), X, y, match=table_differs, X_val=X[:9], y_val=y[:9])


def test_what_is_by_the_clock_may_change(begun, table, tmp_path):
    X, y, _ = table
    other = DeepRegressor(**SMALL, time_limit=1e6, verbose=True).fit(X, y, checkpoints=begun, resume=True)
    whole = DeepRegressor(**SMALL).fit(X, y)
    assert (other.predict(X) == whole.predict(X)).all()


def test_another_machine_is_told_of(begun, table, monkeypatch):
    X, y, _ = table
    monkeypatch.setattr(jax, "__version__", "9.9")
    with pytest.warns(UserWarning, match=r"written by JAX .* on cpu, and this is JAX 9\.9 on cpu: the rest"):
        DeepRegressor(**SMALL).fit(X, y, checkpoints=begun, resume=True)


def test_parts_of_another_size_or_files_are_refused(parts, tmp_path, cut_off, monkeypatch):
    model, folder = DeepRegressor(**SMALL | {"max_iter": 1}), tmp_path / "kept"
    cut_off(clone(model), parts, "y", after=2, checkpoints=Checkpoints(folder, every=0))
    with monkeypatch.context() as patched:
        patched.setattr(streaming, "_MOST_ROWS", 400)
        refused(
            folder,
            clone(model),
            parts,
            "y",
            match=r"memory was \d+ bytes, and is \d+: the table is read in other parts",
        )
    (parts / "2.parquet").rename(parts / "3.parquet")
    refused(folder, clone(model), parts, "y", match="the table differs")


def test_a_limit_counts_what_was_taken_before(begun, table):
    X, y, _ = table
    found = Checkpoints(begun, resume=True).found
    taken = found.about["seconds"]
    assert taken > 0
    model = DeepRegressor(**SMALL, time_limit=taken).fit(X, y, checkpoints=begun, resume=True)
    assert model.n_iter_ == found.epochs


def test_without_resume_they_stay(begun, table):
    X, y, _ = table
    with pytest.raises(ArgumentError, match="resume=True"):
        DeepRegressor(**SMALL).fit(X, y, checkpoints=begun)
    assert [*begun.iterdir()]


def test_resume_from_nothing_begins(table, tmp_path):
    X, y, _ = table
    with pytest.warns(UserWarning, match=r"there is no checkpoint in .* begins from its start\."):
        model = DeepRegressor(**SMALL).fit(X, y, checkpoints=tmp_path, resume=True)
    assert model.n_iter_ == 12


def test_small_trainings_write_nothing(table, tmp_path, monkeypatch):
    X, y, _ = table
    monkeypatch.setattr(Checkpoints, "write", None)
    DeepRegressor(**SMALL).fit(X, y, checkpoints=tmp_path)


def test_who_made_them_removes_them(table, tmp_path):
    X, y, _ = table
    checkpoints = Checkpoints(tmp_path, every=0)
    DeepRegressor(**SMALL).fit(X, y, checkpoints=checkpoints)
    assert [*tmp_path.iterdir()]
    checkpoints.remove()
    assert not [*tmp_path.iterdir()]


def test_the_same_ones_may_be_taken_up_twice(begun, table, tmp_path):
    X, y, _ = table
    checkpoints = Checkpoints(begun, every=0, resume=True)
    models = [DeepRegressor(**SMALL).fit(X, y, checkpoints=checkpoints) for _ in range(2)]
    assert_same(*models, tmp_path)
    checkpoints.remove()
    assert DeepRegressor(**SMALL | {"max_iter": 3}).fit(X, y, checkpoints=checkpoints).n_iter_ == 3


def test_where_fit_says_no(table, tmp_path):
    X, y, _ = table
    with pytest.raises(ArgumentError, match="resume must come with checkpoints, a folder"):
        DeepRegressor(**SMALL).fit(X, y, resume=True)
    with pytest.raises(ArgumentError, match="resume must be said to Checkpoints"):
        DeepRegressor(**SMALL).fit(X, y, checkpoints=Checkpoints(tmp_path), resume=True)
    noisy = optax.noisy_sgd(0.01, key=jax.random.key(0))
    with pytest.raises(ArgumentError, match="solver must keep plain numbers where checkpoints are written"):
        DeepRegressor(**SMALL | {"solver": noisy}).fit(X, y, checkpoints=tmp_path)
    warm = DeepRegressor(**SMALL, warm_start=True).fit(X, y)
    with pytest.raises(ArgumentError, match="checkpoints must be left out where warm_start goes on"):
        warm.fit(X, y, checkpoints=tmp_path)


def press(monkeypatch, number, after):
    """A signal while an epoch is learnt."""
    shown = progress.shown

    def pressing(epochs, show):
        for epoch in shown(epochs, show):
            if epoch.number == after:
                os.kill(os.getpid(), number)
            yield epoch

    monkeypatch.setattr(progress, "shown", pressing)


def test_ctrl_c_keeps_the_model_and_the_checkpoint(table, tmp_path, monkeypatch):
    X, y, _ = table
    whole = DeepRegressor(**SMALL).fit(X, y)
    before = signal.signal(signal.SIGINT, signal.default_int_handler)
    with monkeypatch.context() as patched:
        press(patched, signal.SIGINT, 5)
        model = DeepRegressor(**SMALL).fit(X, y, checkpoints=tmp_path / "kept")
    signal.signal(signal.SIGINT, before)
    assert (model.interrupted_, model.n_iter_) == (True, 5)
    assert [path.name for path in (tmp_path / "kept").iterdir()] == ["checkpoint-000000005.safetensors"]
    again = DeepRegressor(**SMALL).fit(X, y, checkpoints=tmp_path / "kept", resume=True)
    assert_same(again, whole, tmp_path)


def test_sigterm_ends_the_script_with_a_checkpoint(table, tmp_path, monkeypatch):
    X, y, _ = table
    assert threading.current_thread() is threading.main_thread()
    before = signal.signal(signal.SIGTERM, signal.SIG_DFL)
    press(monkeypatch, signal.SIGTERM, 5)
    model = DeepRegressor(**SMALL)
    with pytest.raises(SystemExit) as ended:
        model.fit(X, y, checkpoints=tmp_path)
    assert signal.signal(signal.SIGTERM, before) is signal.SIG_DFL
    assert ended.value.code == 143
    assert not hasattr(model, "members_")
    assert Checkpoints(tmp_path, resume=True).found.epochs == 5

import io
import json
import sys
from collections.abc import Callable
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import numpy as np
import pandas as pd
import polars as pl
import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st
from safetensors import safe_open
from sklearn.base import clone

import chainrule
from chainrule import DeepClassifier, DeepRegressor, load, save
from chainrule.errors import ArgumentError, FileError, ModelFileError
from chainrule.files.model_file import refuse_unwritable

ROWS = 60
NUMBERS = np.random.default_rng(0)
X = NUMBERS.normal(size=(ROWS, 4))  # as many columns as FRAME has inputs: one compiled program for both
Y = X @ [1.0, -2.0, 0.5, 0.0]
FRAME = pl.DataFrame({"size": X[:, 0], "age": X[:, 1], "city": np.where(X[:, 2] > 0, "Rome", "Oslo")})
SMALL: dict[str, Any] = {"max_iter": 2, "random_state": 0, "numeric_embedding": None}
FORMULA = "z * sigmoid(2*z)"
MIXED = pl.DataFrame(
    {
        "size": X[:, 0],
        "day": pl.date_range(pl.date(2024, 1, 1), pl.date(2024, 2, 29), eager=True),
        "street": [f"street {row % 20}" if row % 7 else None for row in range(ROWS)],
        "city": ["Rome", "Oslo"] * (ROWS // 2),
    }
)

MODELS: dict[str, Callable[[], Any]] = {
    "regression": lambda: DeepRegressor((4,), **SMALL).fit(X, Y),
    "frame": lambda: DeepRegressor((4,), **SMALL).fit(FRAME, Y),
    "several outputs": lambda: DeepRegressor([4], **SMALL).fit(X, np.stack([Y, -Y], axis=1)),
    "quantiles": lambda: DeepRegressor((4,), loss="quantile(0.1, 0.5, 0.9)", **SMALL).fit(X, Y),
    "normal": lambda: DeepRegressor((4,), loss=chainrule.LOSSES["gaussian_nll"], **SMALL).fit(X, Y),
    "formulas": lambda: DeepRegressor(
        (4, 4), [FORMULA, "relu"], loss="sqrt(1 + (y_hat - y)**2)", **SMALL
    ).fit(X, Y),
    "layers": lambda: DeepRegressor(
        (4, 3),
        layer_norm=True,
        residual=True,
        dropout=0.1,
        alpha=0.1,
        l1=0.01,
        **SMALL,
    ).fit(X, Y),
    "every kind of column": lambda: DeepRegressor((4,), max_iter=2, random_state=0, early_stopping=True).fit(
        MIXED, Y
    ),
    "waves": lambda: DeepRegressor((4,), **{**SMALL, "numeric_embedding": "periodic"}).fit(X, Y),
    "log": lambda: DeepRegressor((4,), target_transform="log", **SMALL).fit(X, np.exp(Y)),
    "quantile scaling": lambda: DeepRegressor((4,), scaling="quantile", **SMALL).fit(X, Y),
    "validated classes": lambda: DeepClassifier((4,), early_stopping=True, **SMALL).fit(X, Y > 0),
    "linear": lambda: DeepRegressor((), **SMALL).fit(X, Y),
    "validated": lambda: DeepRegressor((4,), early_stopping=True, **SMALL).fit(X, Y),
    "texts": lambda: DeepClassifier((4,), **SMALL).fit(X, np.where(Y > 0, "yes", "no")),
    "objects": lambda: DeepClassifier((4,), **SMALL).fit(FRAME, pd.Series(np.where(Y > 0, "yes", "no"))),
    "whole numbers": lambda: DeepClassifier((4,), label_smoothing=0.1, **SMALL).fit(
        X, np.digitize(Y, [-1, 1])
    ),
    "floats": lambda: DeepClassifier((4,), **SMALL).fit(X, np.digitize(Y, [-1, 1]).astype(np.float32)),
    "booleans": lambda: DeepClassifier((4,), class_weight={False: 1, True: 2.5}, **SMALL).fit(X, Y > 0),
    "two outputs": lambda: DeepClassifier((4,), loss="softmax_cross_entropy", **SMALL).fit(X, Y > 0),
    "labels": lambda: DeepClassifier((4,), **SMALL).fit(X, (X > 0).astype(int)),
    "partly": lambda: DeepClassifier((4,), random_state=0).partial_fit(X, Y > 0, classes=[False, True]),
}


@pytest.fixture(scope="module")
def fitted() -> Callable[[str], Any]:
    made: dict[str, Any] = {}

    def get(name: str) -> Any:
        if name not in made:
            made[name] = MODELS[name]()
        return made[name]

    return get


def table_of(model: Any) -> Any:
    frames = (
        frame for frame in (FRAME, MIXED) if frame.columns == list(getattr(model, "feature_names_in_", ()))
    )
    return next(frames, X)


@pytest.mark.parametrize("name", MODELS)
def test_a_loaded_model_is_the_same(name: str, fitted: Callable[[str], Any], tmp_path: Path) -> None:
    model, path = fitted(name), tmp_path / "model"
    save(model, path, about={"target": ["y"]})
    again = load(path)
    assert type(again) is type(model)
    assert set(vars(again)) - set(vars(model)) == {"about_"}
    assert set(vars(model)) - {"folds_"} <= set(vars(again))  # a file holds no rows, nor their numbers
    table = table_of(model)
    for method in ("predict", "predict_proba", "decision_function"):
        if hasattr(model, method):
            ours, theirs = getattr(model, method)(table), getattr(again, method)(table)
            assert ours.dtype == theirs.dtype
            assert np.array_equal(ours, theirs)
    assert again.network_ == model.network_
    assert again.encoder_ == model.encoder_
    assert again.about_ == {"target": ["y"]}
    for attribute in ("loss_curve_", "validation_scores_", "n_iter_", "best_iteration_", "n_features_in_"):
        assert getattr(again, attribute) == getattr(model, attribute)
    if isinstance(model, DeepClassifier):
        assert again.classes_.dtype == model.classes_.dtype
        assert again.classes_.tolist() == model.classes_.tolist()
    else:
        assert again.scale_ == model.scale_


@pytest.mark.parametrize("name", MODELS)
def test_a_loaded_model_is_saved_to_the_same_bytes(
    name: str, fitted: Callable[[str], Any], tmp_path: Path
) -> None:
    save(fitted(name), tmp_path / "a", about={"target": ["y"], "rows": 60})
    save(load(tmp_path / "a"), tmp_path / "b")
    assert (tmp_path / "a").read_bytes() == (tmp_path / "b").read_bytes()


@pytest.mark.parametrize("name", ["regression", "formulas", "layers", "booleans", "labels"])
def test_a_loaded_model_is_cloned_and_fitted_again(
    name: str, fitted: Callable[[str], Any], tmp_path: Path
) -> None:
    model = fitted(name)
    save(model, tmp_path / "model")
    again = clone(load(tmp_path / "model"))
    y = {"booleans": Y > 0, "labels": (X > 0).astype(int)}.get(name, Y)
    assert np.array_equal(again.fit(X, y).predict(X), model.predict(X))


def test_a_loaded_model_goes_on_learning(fitted: Callable[[str], Any], tmp_path: Path) -> None:
    model = fitted("regression")
    save(model, tmp_path / "model")
    again = load(tmp_path / "model").partial_fit(X, Y)
    assert again.n_iter_ == model.n_iter_ + 1
    assert not np.array_equal(again.predict(X), model.predict(X))


def test_arrays_are_named_in_the_order_of_the_maps(fitted: Callable[[str], Any], tmp_path: Path) -> None:
    model = fitted("layers")
    save(model, tmp_path / "model")
    with safe_open(tmp_path / "model", "numpy") as file:
        names = set(file.keys())
        assert np.array_equal(file.get_tensor("W3"), model.members_[3].W)
        assert np.array_equal(file.get_tensor("gain1"), model.members_[0][1].gain)  # in a residual block
    assert names == {"W1", "b1", "gain1", "shift1", "W2", "b2", "gain2", "shift2", "W3", "b3"}


def test_no_value_of_a_training_row_is_in_the_file(tmp_path: Path) -> None:
    classes = np.where(Y > 0, "yes", "no")
    save(DeepClassifier((4,), **SMALL).fit(FRAME, classes), tmp_path / "a")
    save(DeepRegressor((4,), **SMALL).fit(FRAME, Y), tmp_path / "b")
    data = (tmp_path / "a").read_bytes() + (tmp_path / "b").read_bytes()
    assert b"Rome" in data  # a category; the rows are not
    for value in [*X[:, :2].ravel(), *Y]:
        assert repr(float(value)).encode() not in data
        assert np.float64(value).tobytes() not in data
        assert np.float32(value).tobytes() not in data


@pytest.mark.parametrize(
    ("change", "what"),
    [
        ({"activation": (np.tanh, np.cos)}, "activation"),
        ({"random_state": np.random.RandomState(0)}, "random_state"),
        ({"loss": chainrule.LOSSES["huber"]._replace(name="mine")}, "loss"),
    ],
)
def test_options_that_are_code_are_refused_by_name(change: dict[str, Any], what: str, tmp_path: Path) -> None:
    model = DeepRegressor((4,), **SMALL).fit(X, Y).set_params(**change)
    with pytest.raises(ArgumentError, match=f"^{what} must be .* Give "):
        save(model, tmp_path / "model")
    assert not (tmp_path / "model").exists()


def test_a_network_of_code_is_refused(tmp_path: Path) -> None:
    def double(z: Any) -> Any:
        return 2 * z

    def two(z: Any) -> Any:
        return 2 + 0 * z

    model = DeepRegressor((4,), (double, two), **SMALL).fit(X, Y).set_params(activation="relu")
    with pytest.raises(ArgumentError, match=r"activation must be .* got a Activation of one's own, 'double'"):
        save(model, tmp_path / "model")


def test_what_is_no_fitted_estimator_is_refused(tmp_path: Path) -> None:
    with pytest.raises(ArgumentError, match="must be fitted"):
        save(DeepRegressor(), tmp_path / "model")
    with pytest.raises(ArgumentError, match="must be one of DeepRegressor, DeepClassifier; got a dict"):
        save({}, tmp_path / "model")  # type: ignore[arg-type]


def test_a_failed_save_leaves_the_old_file(fitted: Callable[[str], Any], tmp_path: Path) -> None:
    path = tmp_path / "model"
    save(fitted("regression"), path)
    before = path.read_bytes()
    with pytest.raises(ArgumentError):
        save(fitted("texts"), path, about={"why": object()})
    assert path.read_bytes() == before
    assert [file.name for file in tmp_path.iterdir()] == ["model"]


def test_standard_streams(fitted: Callable[[str], Any], monkeypatch: pytest.MonkeyPatch) -> None:
    stream = io.BytesIO()
    monkeypatch.setattr(sys, "stdout", SimpleNamespace(buffer=stream, flush=lambda: None))
    save(fitted("texts"), "-")
    monkeypatch.setattr(sys, "stdin", SimpleNamespace(buffer=io.BytesIO(stream.getvalue())))
    assert np.array_equal(load("-").predict(X), fitted("texts").predict(X))


def test_places_that_cannot_be_written_are_found_early(tmp_path: Path) -> None:
    (tmp_path / "there").write_text("kept")
    refuse_unwritable(tmp_path / "there")
    refuse_unwritable(tmp_path / "new")
    refuse_unwritable("-")
    assert (tmp_path / "there").read_text() == "kept"
    assert [file.name for file in tmp_path.iterdir()] == ["there"]
    for path in (tmp_path, tmp_path / "no" / "model", tmp_path / "there" / "model"):
        with pytest.raises(FileError):
            refuse_unwritable(path)


def test_files_that_cannot_be_read(tmp_path: Path) -> None:
    for path, text in ((tmp_path / "no", "exists"), (tmp_path, "folder"), ("a\0b", "readable")):
        with pytest.raises(FileError, match=text):
            load(path)


@pytest.fixture(scope="module")
def whole(fitted: Callable[[str], Any], tmp_path_factory: pytest.TempPathFactory) -> bytes:
    path = tmp_path_factory.mktemp("whole") / "model"
    save(fitted("texts"), path, about={"target": ["y"]})
    return path.read_bytes()


@pytest.mark.parametrize(
    ("data", "text"),
    [
        (b"", "it is empty"),
        (b"a", "something else"),
        (b"size,city\n1,Rome\n", "something else"),
        (b"\x89PNG\r\n\x1a\n" + bytes(1000), "something else"),
        (b"\x80\x04\x95" + bytes(100), "something else"),
        ((2**63).to_bytes(8, "little") + b"{}", "something else"),
        ((99_999_999).to_bytes(8, "little") + b"{", "cut off or damaged"),
        ((2).to_bytes(8, "little") + b"{}", "something else"),
    ],
    ids=["empty", "short", "csv", "png", "pickle", "huge header", "long header", "no metadata"],
)
def test_foreign_files(data: bytes, text: str, tmp_path: Path) -> None:
    (tmp_path / "model").write_bytes(data)
    with pytest.raises(ModelFileError, match=text) as caught:
        load(tmp_path / "model")
    assert "\n" not in str(caught.value)


def test_every_truncation_is_refused(whole: bytes, tmp_path: Path) -> None:
    for end in [*range(40), *range(40, len(whole), 37), len(whole) - 1]:
        (tmp_path / "model").write_bytes(whole[:end])
        with pytest.raises(ModelFileError):
            load(tmp_path / "model")


def altered(data: bytes, change: Callable[[dict[str, Any]], object]) -> bytes:
    """The same file with another description."""
    length = int.from_bytes(data[:8], "little")
    header = json.loads(data[8 : 8 + length])
    description = json.loads(header["__metadata__"]["chainrule"])
    change(description)
    header["__metadata__"]["chainrule"] = json.dumps(description)
    text = json.dumps(header).encode()
    text += b" " * (-len(text) % 8)
    return len(text).to_bytes(8, "little") + text + data[8 + length :]


CHANGES: dict[str, tuple[Callable[[dict[str, Any]], object], str]] = {
    "newer format": (
        lambda d: d.update(format=5, version="9.0"),
        "format 4; got format 5, written by chainrule 9.0",
    ),
    "no format": (lambda d: d.pop("format"), "damaged"),
    "another class": (lambda d: d.update(estimator="os.system"), "altered"),
    "unknown option": (lambda d: d["parameters"].update(evil=1), "altered"),
    "sizes": (lambda d: d["network"].update(sizes=[4, 5, 1]), "W1 has shape"),
    "deeper": (lambda d: d["network"].update(sizes=[4, 4, 4, 1], activation=["silu"] * 2), "arrays"),
    "much deeper": (lambda d: d["network"].update(sizes=[3] * 10**6), "does not fit the arrays"),
    "huge": (lambda d: d["network"].update(sizes=[4, 10**12, 1]), "altered"),
    "layer norm": (lambda d: d["network"].update(layer_norm=True), "arrays"),
    "code as activation": (lambda d: d["network"].update(activation=["__import__('os')"]), "altered"),
    "NaN": (lambda d: d["learnt"].update(loss_curve_=[float("nan")]), "damaged"),
    "text for numbers": (lambda d: d["learnt"].update(loss_curve_="abc"), "altered"),
    "classes": (lambda d: d["learnt"]["classes_"]["$array"].pop(), "classes do not fit"),
    "no classes": (lambda d: d["learnt"].pop("classes_"), "altered"),
    "columns": (lambda d: d["encoder"]["columns"].pop(), "encoder does not fit"),
    "no encoder": (lambda d: d.pop("encoder"), "altered"),
    "names": (lambda d: d["learnt"].update(feature_names_in_=["a", "b", "c", "d"]), "names"),
    "best epoch": (lambda d: d["learnt"].update(best_iteration_=3), "best epoch"),
    "lines": (lambda d: d.update(format="a\nb", version="c\nd"), "written by chainrule c d"),
    "a list": (lambda d: d.update(network=[]), "altered"),
}


@pytest.mark.parametrize("name", CHANGES)
def test_altered_descriptions_are_refused(name: str, whole: bytes, tmp_path: Path) -> None:
    change, text = CHANGES[name]
    (tmp_path / "model").write_bytes(altered(whole, lambda description: None))
    load(tmp_path / "model")  # so that it is the change that is refused
    (tmp_path / "model").write_bytes(altered(whole, change))
    with pytest.raises(ModelFileError, match=text) as caught:
        load(tmp_path / "model")
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize(
    "change",
    [{"scale": [1.0, 2.0]}, {"scale": ["a"]}, {"offset": [{"$float": "nan"}]}, {"factor": [1.0, 1.0]}],
)
def test_altered_scales_are_refused(
    change: dict[str, Any], fitted: Callable[[str], Any], tmp_path: Path
) -> None:
    save(fitted("regression"), tmp_path / "model")
    data = altered((tmp_path / "model").read_bytes(), lambda d: d["learnt"]["scale"].update(change))
    (tmp_path / "model").write_bytes(data)
    with pytest.raises(ModelFileError, match="altered"):
        load(tmp_path / "model")


def test_a_missing_array_is_refused(whole: bytes, tmp_path: Path) -> None:
    from safetensors.numpy import load as arrays_of
    from safetensors.numpy import save as to_bytes

    length = int.from_bytes(whole[:8], "little")
    metadata = json.loads(whole[8 : 8 + length])["__metadata__"]
    arrays = arrays_of(whole)
    for changed in (
        {name: array for name, array in arrays.items() if name != "b2"},
        arrays | {"W9": np.zeros(1, np.float32)},
        arrays | {"b2": np.zeros(1, np.int64)},
    ):
        (tmp_path / "model").write_bytes(to_bytes(changed, metadata))
        with pytest.raises(ModelFileError):
            load(tmp_path / "model")


@given(st.data())
@settings(max_examples=300)
def test_any_bytes_are_a_model_or_refused(
    whole: bytes, tmp_path_factory: pytest.TempPathFactory, data: Any
) -> None:
    mutated = bytearray(whole)
    length = int.from_bytes(whole[:8], "little")
    for _ in range(data.draw(st.integers(1, 4))):
        place = data.draw(st.integers(0, min(len(mutated), length + 40) - 1))
        kind = data.draw(st.sampled_from(["set", "cut", "insert", "double"]))
        if kind == "set":
            mutated[place] = data.draw(st.integers(0, 255))
        elif kind == "cut":
            del mutated[place : place + data.draw(st.integers(1, 9))]
        elif kind == "insert":
            mutated[place:place] = data.draw(
                st.sampled_from([b"[", b"{", b'"', b"9", b"-", b"\\", b"e9", b"\x00"])
            )
        else:
            mutated[place:place] = mutated[place : place + data.draw(st.integers(1, 30))]
        if data.draw(st.booleans()):  # so that more than the length is looked at
            end = mutated.rfind(b"}", 0, length + 60) + 1
            mutated[:8] = max(0, end - 8).to_bytes(8, "little")
    path = tmp_path_factory.getbasetemp() / "mutated"
    path.write_bytes(mutated)
    try:
        assert isinstance(load(path), DeepClassifier)
    except ModelFileError as error:
        refusal = str(error)
    else:
        refusal = ""
    assert "\n" not in refusal


@given(st.binary(max_size=200))
@example(b"\x02\0\0\0\0\0\0\0{}")
@settings(max_examples=100)
def test_random_bytes_are_refused(tmp_path_factory: pytest.TempPathFactory, data: bytes) -> None:
    path = tmp_path_factory.getbasetemp() / "random"
    path.write_bytes(data)
    with pytest.raises(ModelFileError):
        load(path)

"""Model files of every format, kept for ever: each must load, and predict what it did when it was written.

A new format adds files (``python tests/files/test_frozen.py`` writes those of the present one, and never over
one that is there); none is ever taken away.
"""

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import polars as pl
import pytest

import chainrule
from chainrule import DeepClassifier, DeepRegressor
from chainrule.files.description import FORMAT

FROZEN = Path(__file__).parent / "frozen"
FILES = sorted(FROZEN.glob("*.chainrule"))
SMALL: dict[str, Any] = {"hidden_layer_sizes": (3,), "max_iter": 2, "random_state": 0}


def table(rows: int = 240) -> pl.DataFrame:
    numbers = np.random.default_rng(0)
    return pl.DataFrame(
        {
            "size": [
                None if k % 11 == 0 else float(x) for k, x in enumerate(numbers.normal(size=rows).round(3))
            ],
            "city": [None if k % 13 == 0 else ["Rome", "Oslo", "Żary"][k % 3] for k in range(rows)],
            "street": [f"street {k % 30}" for k in range(rows)],
            "day": [f"2024-{k % 12 + 1:02}-{k % 28 + 1:02}" for k in range(rows)],
            "flat": [True] * rows,
        }
    )


X = table()
Y = X["size"].fill_null(0).to_numpy() + np.arange(240) % 3
MODELS: dict[str, Callable[[], Any]] = {
    "regression": lambda: DeepRegressor(**SMALL).fit(X, Y),
    "one": lambda: DeepRegressor(n_members=1, **SMALL).fit(X, Y),
    "log": lambda: DeepRegressor(target_transform="log", loss="squared_error", **SMALL).fit(X, np.exp(Y)),
    "quantiles": lambda: DeepRegressor(loss="quantile(0.1, 0.5, 0.9)", **SMALL).fit(X, Y),
    "variance": lambda: DeepRegressor(loss="gaussian_nll", numeric_embedding="periodic", **SMALL).fit(X, Y),
    "several": lambda: DeepRegressor(scaling="quantile", layer_norm=True, **SMALL).fit(
        X, np.column_stack([Y, -Y])
    ),
    "formula": lambda: DeepRegressor(activation="z * sigmoid(2*z)", loss="log(cosh(y_hat - y))", **SMALL).fit(
        X, Y
    ),
    "classes": lambda: DeepClassifier(**SMALL).fit(X, np.array(["a", "b", "ç"])[np.arange(240) % 3]),
    "two": lambda: DeepClassifier(scaling="standard", class_weight="balanced", **SMALL).fit(X, Y > 2),
    "labels": lambda: DeepClassifier(dropout=0.1, residual=True, **SMALL).fit(
        X, np.column_stack([Y > 1, Y < 2]).astype(int)
    ),
}


def answers(model: Any) -> dict[str, Any]:
    """What it says of ten rows."""
    rows = X[:10]
    found = {"predict": model.predict(rows).tolist()}
    if hasattr(model, "predict_proba"):
        found["predict_proba"] = model.predict_proba(rows).tolist()
    if isinstance(model, DeepRegressor):
        found["predict_interval"] = model.predict_interval(rows, 0.8).tolist()
    elif not model._multilabel:
        found["predict_set"] = model.predict_set(rows, 0.8).tolist()
    return found


@pytest.mark.parametrize("file", FILES, ids=lambda file: file.stem)
def test_a_file_of_any_format_loads_and_predicts_as_it_did(file: Path) -> None:
    model = chainrule.load(file)
    for method, expected in json.loads(file.with_suffix(".json").read_text("utf-8")).items():
        found = answers(model)[method]
        if isinstance(np.ravel(expected)[0], str):
            assert found == expected
        else:
            np.testing.assert_allclose(
                np.array(found, float), np.array(expected, float), rtol=1e-4, atol=1e-5
            )


def test_the_present_format_has_its_files() -> None:
    assert {file.stem for file in FILES} >= {f"format{FORMAT}_{name}" for name in MODELS}


@pytest.mark.parametrize(
    "path", [path for path in FILES if path.stem.endswith(("_one", "_formula"))], ids=lambda path: path.stem
)
def test_a_model_of_any_format_learns_on(path: Path) -> None:
    model = chainrule.load(path)
    before = model.predict(X)
    assert np.isfinite(model.partial_fit(X, Y).predict(X)).all()
    assert (model.predict(X) != before).any()


if __name__ == "__main__":
    for name, make in MODELS.items():
        path = FROZEN / f"format{FORMAT}_{name}.chainrule"
        if not path.exists():
            model = make()
            chainrule.save(model, path)
            path.with_suffix(".json").write_text(json.dumps(answers(model), ensure_ascii=False), "utf-8")

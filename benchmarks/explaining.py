"""Attributions of single rows, beside shap's KernelExplainer on the same network, rows and background.

    python benchmarks/explaining.py [--rows 5] [--background 64] [--json]

Each row is explained by itself, as where somebody asks why. The peer calls the estimator's ``predict``
(numbers) or ``decision_function`` (classes) on arrays and takes as many samples as it does by itself; both
take turns. Seconds are medians. The additivity error is |output − baseline − Σ attributions| / |output −
baseline|, where the output is what ``predict`` says of the row, and the baseline its mean over the
background. Both close the sum: the peer by a constraint in its regression, we by sharing the remainder,
which is told, too.
"""

import argparse
import json
import sys
import warnings
from pathlib import Path
from statistics import median
from time import perf_counter

import numpy as np
from sklearn.datasets import load_breast_cancer, load_diabetes

from chainrule import DeepClassifier, DeepRegressor, read_table

CATEGORIES = ("cut", "color", "clarity")


def diamonds() -> tuple[DeepRegressor, np.ndarray]:
    """3 categories and 6 numbers; categories are numbers in the array, as the peer has them."""
    table = read_table("examples/diamonds.parquet")[::10]
    y, table = table["price"].to_numpy(), table.drop("price")
    places = [table.columns.index(name) for name in CATEGORIES]
    X = np.stack(
        [
            table[name].cast(str).rank("dense").to_numpy() if name in CATEGORIES else table[name].to_numpy()
            for name in table.columns
        ],
        axis=1,
    ).astype(np.float64)
    return DeepRegressor(categorical_features=places, random_state=0).fit(X, y), X


def diabetes() -> tuple[DeepRegressor, np.ndarray]:
    X, y = load_diabetes(return_X_y=True)
    return DeepRegressor(random_state=0).fit(X, y), X


def breast_cancer() -> tuple[DeepClassifier, np.ndarray]:
    X, y = load_breast_cancer(return_X_y=True)
    return DeepClassifier(random_state=0).fit(X, y), X


def compared(model: DeepRegressor | DeepClassifier, X: np.ndarray, rows: int, background: int) -> dict:
    from shap import KernelExplainer

    generator = np.random.default_rng(0)
    chosen = generator.permutation(len(X))
    others, rows_to_explain = X[chosen[:background]], X[chosen[-rows:]]
    classes = isinstance(model, DeepClassifier)
    answer, output = (model.decision_function, model.classes_[1]) if classes else (model.predict, None)
    peer = KernelExplainer(answer, others)
    outputs, baseline = answer(rows_to_explain), float(answer(others).mean())

    def ours(row: np.ndarray) -> tuple[np.ndarray, float]:
        found = model.explain(row[None], output, background=others)
        return found.attributions[0], float(found.remainder[0])

    def theirs(row: np.ndarray) -> tuple[np.ndarray, float]:
        return np.asarray(peer.shap_values(row, silent=True)), 0.0

    tasks = {"chainrule": ours, "shap": theirs}
    seconds: dict[str, list[float]] = {name: [] for name in tasks}
    errors: dict[str, list[float]] = {name: [] for name in tasks}
    remainders, alike = [], []
    for turn, row in enumerate([rows_to_explain[0], *rows_to_explain]):  # the first compiles
        found = {}
        for name, task in tasks.items():
            start = perf_counter()
            found[name], remainder = task(row)
            took = perf_counter() - start
            if turn:
                difference = float(outputs[turn - 1]) - baseline
                seconds[name].append(took)
                errors[name].append(abs(difference - found[name].sum()) / abs(difference))
                remainders += [abs(remainder / difference)] if name == "chainrule" else []
        alike.append(np.corrcoef(found["chainrule"], found["shap"])[0, 1])
    return {
        "columns": X.shape[1],
        "seconds": {name: median(took) for name, took in seconds.items()},
        "ratio": median(b / a for a, b in zip(seconds["chainrule"], seconds["shap"], strict=True)),
        "additivity_error": {name: max(found) for name, found in errors.items()},
        "remainder": max(remainders),
        "correlation": median(alike[1:]),
    }


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--rows", type=int, default=5)
    parser.add_argument("--background", type=int, default=64)
    parser.add_argument("--json", action="store_true")
    options = parser.parse_args()
    # The peer looks for a package named coverage, which coverage.py in this folder is not.
    sys.path[:] = [path for path in sys.path if Path(path).resolve() != Path(__file__).resolve().parent]
    warnings.simplefilter("ignore")
    found = {
        make.__name__: compared(*make(), options.rows, options.background)
        for make in (diamonds, diabetes, breast_cancer)
    }
    if options.json:
        print(json.dumps({"rows": options.rows, "background": options.background, "tables": found}, indent=2))
        return
    print(f"{options.rows} rows, each compared with {options.background}; seconds per row, largest errors")
    print(f"{'':<16}{'columns':>8}{'chainrule':>11}{'shap':>9}{'ratio':>8}", end="")
    print(f"{'error, ours':>13}{'shap':>9}{'remainder':>11}{'correlation':>13}")
    for name, row in found.items():
        seconds, error = row["seconds"], row["additivity_error"]
        print(
            f"{name:<16}{row['columns']:>8}{seconds['chainrule']:>11.4f}{seconds['shap']:>9.2f}"
            f"{row['ratio']:>8.0f}{error['chainrule']:>13.1e}{error['shap']:>9.1e}{row['remainder']:>11.1e}"
            f"{row['correlation']:>13.3f}"
        )


if __name__ == "__main__":
    main()

"""What each piece of the default recipe gives: the error, and the seconds of a fit, without it.

    python benchmarks/ablation.py --data FOLDER [--tables NAME …] [--seeds 1] [--rows 20000] [--write FILE]

FOLDER has an INDEX.json that names tables, targets and tasks. Scores are those of accuracy.py; each line is
the geometric mean over tables and seeds relative to the default: above 1, the piece helps. Each piece is
taken out in a process of its own, since compiled programs would remember it.
"""

import argparse
import json
import subprocess
import sys
import warnings
from collections.abc import Callable
from pathlib import Path
from time import perf_counter
from typing import Any

import numpy as np

import chainrule
from chainrule.estimators import input_columns, recipes
from chainrule.network.embedding_layers import Rescale
from chainrule.tables import numeric_columns
from chainrule.training import rates
from chainrule.training.optimizers import find_optimizer
from one_run import read, scores, split

Options = dict[str, Any]


def _recipe(**changes: float) -> Callable[[], Options]:
    def apply() -> Options:
        recipes.REGRESSION = recipes.REGRESSION._replace(**changes)
        recipes.CLASSIFICATION = recipes.CLASSIFICATION._replace(**changes)
        return {}

    return apply


def _set(module: Any, name: str, value: Any) -> Callable[[], Options]:
    def apply() -> Options:
        setattr(module, name, value)
        return {}

    return apply


def _epochs(share: float) -> Callable[[], Options]:
    def apply() -> Options:
        for name in ("REGRESSION", "CLASSIFICATION"):
            usual = getattr(recipes, name)
            fewer = usual._replace(epochs=round(share * usual.epochs), steps=round(share * usual.steps))
            setattr(recipes, name, fewer)
        return {}

    return apply


PIECES: dict[str, Callable[[], Options]] = {
    "the default": dict,
    "one network, a tenth of the rows kept back": lambda: {"n_members": 1},
    "five networks that share one tenth kept back": lambda: {"n_members": 5, "early_stopping": True},
    "ten members": lambda: {"n_members": 10},
    "no numeric embedding, inputs not rescaled": lambda: {"numeric_embedding": None},
    "periodic embedding, inputs not rescaled": lambda: {"numeric_embedding": "periodic"},
    "pieces not standardised": _set(input_columns, "Rescale", lambda standardize=False: Rescale()),
    "stretches stay as they begin": _set(rates, "_STRETCH", 0.0),
    "no smooth twins where rows are few": _set(recipes, "_FEW_ROWS", 0),
    "few different values not an edge each": _set(numeric_columns, "_FEW_VALUES", 48),
    "Adam with β₂ = 0.999": _set(
        recipes,
        "optimizer",
        lambda wish: find_optimizer("adam(0.9, 0.999, 1e-08)" if wish == "auto" else wish),
    ),
    "one learning rate, 0.004, for all parameters": lambda: {"learning_rate_init": 0.004},
    "cosine instead of one cycle": lambda: {"learning_rate": "cosine"},
    "four cycles instead of one": lambda: {"learning_rate": "four_cycles"},
    "no further cycle where there is more to learn": _set(recipes, "CYCLES", 1),
    "half the epochs": _epochs(0.5),
    "twice the epochs": _epochs(2.0),
    "dropout 0 for classes": _recipe(dropout=0.0),
    "weight decay 0": _recipe(weight_decay=0.0),
    "ReLU": lambda: {"activation": "relu"},
    "layers of 64": lambda: {"hidden_layer_sizes": (64, 64, 64)},
    "layers of 256": lambda: {"hidden_layer_sizes": (256, 256, 256)},
}


def measure(piece: str, data: Path, tables: list[str], seeds: int, rows: int) -> None:
    """Print a line of JSON for each fit without a piece."""
    warnings.simplefilter("ignore")
    options = PIECES[piece]()
    for entry in _entries(data, tables):
        task = entry["task"]
        X, y, classes = read(str(data / entry["file"]), entry["target"], task, True)
        targets = classes[y] if len(classes) else y
        for seed in range(seeds):
            learn, test = split(y, task, seed, rows)
            make = chainrule.DeepRegressor if task == "regression" else chainrule.DeepClassifier
            start = perf_counter()
            model = make(**options, random_state=seed).fit(X[learn], targets[learn])
            seconds = perf_counter() - start
            answers = model.predict(X[test]) if task == "regression" else model.predict_proba(X[test])
            found = scores(task, y[test], answers)["score"]
            row = {"table": entry["name"], "seed": seed, "score": found, "seconds": seconds}
            print(json.dumps(row), flush=True)


def _entries(data: Path, tables: list[str]) -> list[dict[str, Any]]:
    known = json.loads((data / "INDEX.json").read_text())["datasets"]
    return [entry for entry in known if not tables or entry["name"] in tables]


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--data", type=Path, required=True)
    parser.add_argument("--tables", nargs="*", default=[])
    parser.add_argument("--seeds", type=int, default=1)
    parser.add_argument("--rows", type=int, default=20_000)
    parser.add_argument("--write", type=Path)
    parser.add_argument("--piece", choices=PIECES, help="only this one, and print each fit as JSON")
    options = parser.parse_args()
    if options.piece:
        measure(options.piece, options.data, options.tables, options.seeds, options.rows)
        return
    said = ["--data", str(options.data), "--seeds", str(options.seeds), "--rows", str(options.rows)]
    said += ["--tables", *options.tables] if options.tables else []
    lines = [
        "| instead of the default | error | seconds | worst table | best table |",
        "|---|--:|--:|---|---|",
    ]
    usual: dict[tuple[str, int], dict[str, Any]] = {}
    print("\n".join(lines), flush=True)
    for piece in PIECES:
        run = subprocess.run(
            [sys.executable, __file__, *said, "--piece", piece], capture_output=True, text=True, check=True
        )
        fits = {(fit["table"], fit["seed"]): fit for fit in map(json.loads, run.stdout.splitlines())}
        usual = usual or fits
        error = {key: float(np.log(fit["score"] / usual[key]["score"])) for key, fit in fits.items()}
        seconds = np.mean([np.log(fit["seconds"] / usual[key]["seconds"]) for key, fit in fits.items()])
        worst, best = max(error, key=error.__getitem__), min(error, key=error.__getitem__)
        lines.append(
            f"| {piece} | {np.exp(np.mean(list(error.values()))):.3f} | {np.exp(seconds):.2f} "
            f"| {worst[0]} {np.exp(error[worst]):.3f} | {best[0]} {np.exp(error[best]):.3f} |"
        )
        print(lines[-1], flush=True)
    if options.write:
        options.write.write_text("\n".join(lines) + "\n", "utf-8")


if __name__ == "__main__":
    main()

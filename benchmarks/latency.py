"""How long one waits: start-up, first model, folds, one-row predictions: ``python benchmarks/latency.py``.

Each figure is a median over runs, with its bar beside it; processes are timed from outside. "Cold" starts
with an empty compilation cache, "warm" with what the run before left there. ``--json`` prints JSON.
"""

from __future__ import annotations

import argparse
import json
import os
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from statistics import median

FIRST_MODEL = """
import numpy as np
from chainrule import DeepRegressor
numbers = np.random.default_rng(0)
X = numbers.normal(size=(2000, 10))
y = np.sin(X[:, 0]) + X[:, 1] * X[:, 2] + 0.1 * numbers.normal(size=2000)
DeepRegressor(random_state=0).fit(X, y)
"""

FAST_FIT = """
import time
import numpy as np
from chainrule import DeepRegressor
numbers = np.random.default_rng(0)
X = numbers.normal(size=(20_000, 20))
y = np.sin(X[:, 0]) + X[:, 1] * X[:, 2] + 0.1 * numbers.normal(size=20_000)
model = DeepRegressor(effort="fast", random_state=0)
start = time.perf_counter()
model.fit(X, y)
print(time.perf_counter() - start)
"""


def process(*arguments: str, cache: str) -> float:
    """Seconds that a Python process takes, from outside."""
    start = time.perf_counter()
    printed(*arguments, cache=cache)
    return time.perf_counter() - start


def printed(*arguments: str, cache: str) -> str:
    environment = {**os.environ, "CHAINRULE_CACHE": cache}
    environment.pop("JAX_COMPILATION_CACHE_DIR", None)
    done = subprocess.run(
        [sys.executable, *arguments], check=True, env=environment, stdout=subprocess.PIPE, text=True
    )
    return done.stdout


def start_up(runs: int) -> dict[str, float]:
    """``chainrule --help``, and ``import chainrule`` beyond the interpreter's own start."""
    program = str(Path(sys.executable).with_name("chainrule"))
    seconds: dict[str, list[float]] = {"help": [], "import": []}
    for _ in range(runs):
        seconds["help"].append(process(program, "--help", cache="off"))
        bare = process("-c", "pass", cache="off")
        seconds["import"].append(process("-c", "import chainrule", cache="off") - bare)
    return {name: median(times) for name, times in seconds.items()}


def first_model(runs: int) -> dict[str, float]:
    """From ``python -c`` to the first trained model on 2,000 rows × 10 columns, compilation included."""
    cold, warm = [], []
    for _ in range(runs):
        with tempfile.TemporaryDirectory() as cache:
            cold.append(process("-c", FIRST_MODEL, cache=cache))
            warm.append(process("-c", FIRST_MODEL, cache=cache))
    return {"first_model_cold": median(cold), "first_model_warm": median(warm)}


def derivations(runs: int) -> dict[str, float]:
    """``chainrule derive`` of a small and of a large network, in new processes with a warm cache."""
    program = str(Path(sys.executable).with_name("chainrule"))
    found = {}
    with tempfile.TemporaryDirectory() as cache:
        for name, sizes in (("derive_small", "3-4-4-2"), ("derive_large", "784-512-512-10")):
            seconds = [process(program, "derive", sizes, cache=cache) for _ in range(runs + 1)]
            found[name] = median(seconds[1:])
    return found


def fast_fit(runs: int) -> dict[str, float]:
    """``fit`` with effort "fast" on 20,000 rows × 20 columns, in a new process with a warm cache."""
    with tempfile.TemporaryDirectory() as cache:
        seconds = [float(printed("-c", FAST_FIT, cache=cache)) for _ in range(runs + 1)]
    return {"fast_fit_warm": median(seconds[1:])}


def in_process(runs: int) -> dict[str, float]:
    """Five folds against one warm fit, and one-row predictions."""
    import numpy as np
    from sklearn.model_selection import cross_val_score

    from chainrule import DeepRegressor

    numbers = np.random.default_rng(0)
    X = numbers.normal(size=(2000, 10))
    y = np.sin(X[:, 0]) + X[:, 1] * X[:, 2] + 0.1 * numbers.normal(size=2000)
    # Every fit runs the same number of epochs, so that the ratio tells of compilation and not of luck.
    model = DeepRegressor(random_state=0, n_iter_no_change=1000)
    model.fit(X[:1600], y[:1600])
    fits, folds = [], []
    for _ in range(runs):
        start = time.perf_counter()
        model.fit(X[:1600], y[:1600])
        fits.append(time.perf_counter() - start)
        start = time.perf_counter()
        cross_val_score(model, X, y, cv=5)
        folds.append(time.perf_counter() - start)
    row = X[:1]
    model.predict(row)
    predictions = []
    for _ in range(500):
        start = time.perf_counter()
        model.predict(row)
        predictions.append(time.perf_counter() - start)
    return {"folds_per_fit": median(folds) / median(fits), "predict_one_row": median(predictions)}


BARS = {
    "help": ("chainrule --help", "s", 0.3),
    "import": ("import chainrule", "s", 0.1),
    "first_model_cold": ("first model, empty compilation cache", "s", 5.0),
    "first_model_warm": ("first model, warm compilation cache", "s", 3.0),
    "derive_small": ("chainrule derive 3-4-4-2, warm cache", "s", 1.0),
    "derive_large": ("chainrule derive 784-512-512-10, warm cache", "s", 2.0),
    "fast_fit_warm": ("fit with effort 'fast', 20,000 × 20, warm cache", "s", 3.0),
    "folds_per_fit": ("five folds of cross_val_score / one warm fit", "×", 6.0),
    "predict_one_row": ("predict one row", "s", 0.001),
}


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--json", action="store_true", help="print JSON instead of a table")
    parser.add_argument("--runs", type=int, default=5, help="runs of each (default 5)")
    arguments = parser.parse_args()
    os.environ["CHAINRULE_CACHE"] = "off"
    measured: dict[str, float] = {}
    for measure in (start_up, derivations, first_model, fast_fit, in_process):
        measured |= measure(arguments.runs)
    if arguments.json:
        figures = {name: {"measured": measured[name], "bar": BARS[name][2]} for name in BARS}
        print(json.dumps(figures, indent=2))
        return
    print(f"{'what':<48}{'measured':>12}{'at most':>10}")
    for name, (what, unit, bar) in BARS.items():
        print(f"{what:<48}{measured[name]:>10.4g} {unit}{bar:>8g} {unit}")


if __name__ == "__main__":
    main()

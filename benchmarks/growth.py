"""How a fit grows: its seconds and its peak of memory against rows and against columns.

    python benchmarks/growth.py --data FOLDER [--table flights_us01_late] [--rows 1000 4000 …]
                                [--columns 10 30 …] [--plot FILE.png]

FOLDER has an INDEX.json that names tables, targets and tasks. The table is learnt by the defaults from ever
more of its rows, drawn at random. Columns are made: numbers, 20,000 rows, a target of ten of them. Each
fit is a process of its own with two threads. The memory is what came on top of the process before the fit,
relative to the encoded table (rows × inputs × 4 bytes).
"""

import argparse
import json
import math
import os
import subprocess
import sys
import warnings
from importlib import import_module
from itertools import pairwise
from pathlib import Path
from time import perf_counter
from typing import Any

import numpy as np

from one_run import peak, read

ROWS = (1_000, 4_000, 16_000, 64_000, 256_000, 600_000)
COLUMNS = (10, 30, 100, 300, 1_000)
MADE_ROWS = 20_000


def measure(run: dict[str, Any]) -> dict[str, Any]:
    """One fit."""
    import chainrule

    import_module("chainrule.estimators.regressor")
    numbers = np.random.default_rng(0)
    if "columns" in run:
        X = numbers.normal(size=(MADE_ROWS, run["columns"])).astype(np.float32)
        targets = np.sin(X[:, :10]).sum(axis=1) + numbers.normal(size=MADE_ROWS)
        make = chainrule.DeepRegressor
    else:
        X, y, classes = read(run["path"], run["target"], run["task"], True)
        kept = np.sort(numbers.permutation(len(y))[: run["rows"]])
        X, targets = X[kept], classes[y[kept]] if len(classes) else y[kept]
        make = chainrule.DeepRegressor if run["task"] == "regression" else chainrule.DeepClassifier
    before, start = peak(), perf_counter()
    model = make(random_state=0).fit(X, targets)
    seconds = perf_counter() - start
    rows, inputs = len(targets), model.network_.sizes[0]
    return {
        "rows": rows,
        "columns": X.shape[1],
        "inputs": inputs,
        "epochs": model.n_iter_,
        "seconds": seconds,
        "encoded_megabytes": rows * inputs * 4 / 2**20,
        "more_megabytes": peak() - before,
    }


def _apart(run: dict[str, Any]) -> dict[str, Any]:
    environment = os.environ | {"OMP_NUM_THREADS": "2", "POLARS_MAX_THREADS": "2"}
    told = [sys.executable, __file__, "--one", json.dumps(run)]
    done = subprocess.run(told, env=environment, stdout=subprocess.PIPE, text=True, check=True)
    found: dict[str, Any] = json.loads(done.stdout.splitlines()[-1])
    return found


def _told(runs: list[dict[str, Any]], by: str) -> None:
    print(f"{by:>9} {'inputs':>7} {'epochs':>7} {'seconds':>8} {'encoded MB':>11} {'more MB':>8}")
    for run in runs:
        print(
            f"{run[by]:9,} {run['inputs']:7,} {run['epochs']:7} {run['seconds']:8.1f} "
            f"{run['encoded_megabytes']:11.1f} {run['more_megabytes']:8.0f}"
        )
    for name, what in (("seconds", "seconds"), ("more_megabytes", "memory")):
        steepest = max(math.log(b[name] / a[name]) / math.log(b[by] / a[by]) for a, b in pairwise(runs))
        print(f"{what} grow by {by} to the power of {steepest:.2f} at most, from one size to the next")
    if by == "columns":  # from 101 on they are not told in bins
        print(flush=True)
        return
    a, b = runs[-2:]
    more = (b["more_megabytes"] - a["more_megabytes"]) / (b["encoded_megabytes"] - a["encoded_megabytes"])
    print(f"memory: {more:.1f} times the encoded table, from the last size but one to the last\n", flush=True)


def _plot(found: dict[str, list[dict[str, Any]]], file: Path) -> None:
    import matplotlib

    matplotlib.use("agg")
    import matplotlib.pyplot as plt

    figure, axes = plt.subplots(2, len(found), figsize=(4.5 * len(found), 6), squeeze=False, sharex="col")
    for column, (by, runs) in zip(axes.T, found.items(), strict=True):
        sizes = np.array([run[by] for run in runs])
        for axis, name, unit in zip(column, ("seconds", "more_megabytes"), ("s", "MB"), strict=True):
            values = np.array([run[name] for run in runs])
            axis.loglog(sizes, values, "o-", color="#0b6e4f")
            axis.loglog(sizes, values[0] * sizes / sizes[0], "--", color="0.6", label="in proportion")
            axis.set_ylabel(
                {"seconds": "fit", "more_megabytes": "peak of memory above start"}[name] + f", {unit}"
            )
            axis.grid(alpha=0.3)
        column[0].legend(frameon=False)
        column[1].set_xlabel(by)
    figure.tight_layout()
    figure.savefig(file, dpi=120)


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--data", type=Path)
    parser.add_argument("--table", default="flights_us01_late")
    parser.add_argument("--rows", type=int, nargs="*", default=ROWS)
    parser.add_argument("--columns", type=int, nargs="*", default=COLUMNS)
    parser.add_argument("--plot", type=Path)
    parser.add_argument("--one", help=argparse.SUPPRESS)
    told = parser.parse_args()
    if told.one:
        warnings.simplefilter("ignore")
        print("\n" + json.dumps(measure(json.loads(told.one))))
        return
    if told.data is None:
        parser.error("--data must name a folder with an INDEX.json")
    entries = json.loads((told.data / "INDEX.json").read_text())["datasets"]
    entry = next((entry for entry in entries if entry["name"] == told.table), None)
    if entry is None:
        parser.error(f"--table must be one of {', '.join(entry['name'] for entry in entries)}")
    path = {"path": str(told.data / entry["file"]), "target": entry["target"], "task": entry["task"]}
    found: dict[str, list[dict[str, Any]]] = {}
    for by, sizes, more in (("rows", told.rows, path), ("columns", told.columns, {})):
        if len(sizes) > 1:
            found[by] = []
            for size in sizes:
                found[by].append(_apart({by: size, **more}))
                print(f"{by} {size:,}: {found[by][-1]['seconds']:.1f} s", file=sys.stderr, flush=True)
            _told(found[by], by)
    if told.plot and found:
        _plot(found, told.plot)


if __name__ == "__main__":
    main()

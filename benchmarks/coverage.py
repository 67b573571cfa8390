"""Whether answers hold the truth as often as they say: ``python benchmarks/coverage.py --data FOLDER``.

    python benchmarks/coverage.py --data FOLDER [--rows 10000] [--seeds 3] [--epochs N] [--only …] [--json]

FOLDER has an INDEX.json that names tables, targets and tasks. Of each table at most --rows rows are drawn and
split 80/20 anew for each seed; the estimators fit the 80 % as they do by default, and ``predict_interval``
and ``predict_set`` answer for the 20 %. ± is the standard error over seeds, which share rows, so that it is
a little too small. For numbers, size is the mean width in standard deviations of the
target; for classes, classes in a set. ``right`` is the accuracy, below which sets that are never empty
cannot go: "never empty" is the default, "may be empty" is with allow_empty. ECE is the calibration error on
the 20 %.
"""

import argparse
import json
from collections import defaultdict
from pathlib import Path

import numpy as np
import polars as pl
from sklearn.model_selection import train_test_split

import chainrule
from chainrule.estimators.calibration import calibration_error

COVERAGES = (0.8, 0.9, 0.95)
SETS = {
    "never empty": {},
    "may be empty": {"allow_empty": True},
    "adaptive": {"method": "adaptive"},
}


def of_numbers(model, X: pl.DataFrame, y: np.ndarray) -> list[dict]:
    rows = []
    for nominal in COVERAGES:
        low, high = model.predict_interval(X, nominal).T
        covered, width = np.mean((low <= y) & (y <= high)), np.mean(high - low) / np.std(y)
        rows.append({"kind": "interval", "nominal": nominal, "covered": covered, "size": width})
    return rows


def of_classes(model, X: pl.DataFrame, y: np.ndarray) -> list[dict]:
    codes = np.searchsorted(model.classes_, y)
    p = model.predict_proba(X)
    common = {"right": np.mean(p.argmax(axis=1) == codes), "ece": calibration_error(p, codes)}
    rows = []
    for kind, options in SETS.items():
        for nominal in COVERAGES:
            sets = model.predict_set(X, nominal, **options)
            covered = sets[np.arange(len(codes)), codes].mean()
            row = {"kind": kind, "nominal": nominal, "covered": covered, "size": sets.sum(axis=1).mean()}
            rows.append(row | common)
    return rows


def measure(entry: dict, folder: Path, options: argparse.Namespace) -> list[dict]:
    frame = pl.read_parquet(folder / entry["file"])
    make = chainrule.DeepRegressor if entry["task"] == "regression" else chainrule.DeepClassifier
    answers = of_numbers if entry["task"] == "regression" else of_classes
    found = defaultdict(list)
    for seed in range(options.seeds):
        some = frame.sample(min(frame.height, options.rows), seed=seed, shuffle=True)
        X, y = some.drop(entry["target"]), some[entry["target"]].to_numpy()
        learn, rest = train_test_split(np.arange(len(y)), test_size=0.2, random_state=seed)
        model = make(max_iter=options.epochs or "auto", random_state=seed).fit(X[learn], y[learn])
        for row in answers(model, X[rest], y[rest]):
            found[row["kind"], row["nominal"]].append(row)
    return [{"table": entry["name"], **mean(rows)} for rows in found.values()]


def mean(rows: list[dict]) -> dict:
    """One row of means; the standard error of what is covered."""
    numbers = [name for name, value in rows[0].items() if name != "kind"]
    covered = [row["covered"] for row in rows]
    error = float(np.std(covered, ddof=1) / np.sqrt(len(rows))) if len(rows) > 1 else None
    return (
        {"kind": rows[0]["kind"]}
        | {n: float(np.mean([row[n] for row in rows])) for n in numbers}
        | {"error": error}
    )


def line(row: dict) -> str:
    error = "" if row["error"] is None else f"± {row['error']:.3f}"
    right = f"{row['right']:>8.3f}{row['ece']:>7.3f}" if "right" in row else ""
    told = "{table:<22}{kind:<14}{nominal:>6.2f}{covered:>8.3f}".format(**row)
    return f"{told} {error:<8}{row['size']:>7.2f}{right}"


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--data", type=Path, required=True)
    parser.add_argument("--rows", type=int, default=10_000)
    parser.add_argument("--seeds", type=int, default=3)
    parser.add_argument("--epochs", type=int)
    parser.add_argument("--only", nargs="*")
    parser.add_argument("--json", action="store_true")
    options = parser.parse_args()
    measured = []
    if not options.json:
        print(
            f"{'table':<22}{'answers':<14}{'asked':>6}{'covered':>8} {'':<8}{'size':>7}{'right':>8}{'ECE':>7}"
        )
    for entry in json.loads((options.data / "INDEX.json").read_text())["datasets"]:
        if options.only and entry["name"] not in options.only:
            continue
        rows = measure(entry, options.data, options)
        measured.extend(rows)
        if not options.json:
            print("\n".join(map(line, rows)), flush=True)
    groups = defaultdict(list)
    for row in measured:
        groups[row["kind"], row["nominal"]].append(
            {k: v for k, v in row.items() if k not in ("table", "error")}
        )
    means = [{"table": "mean over tables", **mean(rows)} for rows in groups.values()]
    if options.json:
        print(json.dumps({"measured": measured, "means": means}, indent=2))
    else:
        print("\n".join(map(line, means)))


if __name__ == "__main__":
    main()

"""Whether answers hold the truth as often as they say: ``python benchmarks/coverage.py --data FOLDER``.

    python benchmarks/coverage.py --data FOLDER [--rows 6000] [--seeds 5] [--epochs 30] [--tables …] [--json]

FOLDER has an INDEX.json that names tables, targets and tasks. Of each table at most --rows rows are drawn and
split anew for each seed: 60 % to fit one network, 20 % to calibrate, 20 % to measure. ± is the standard error
over seeds, which share rows, so that it is a little too small. For numbers, the width of the intervals is in
standard deviations of the target; for classes, it is the size of the sets. ``top`` is what is covered by the
most probable class alone, below which sets that are never empty cannot go; it is blank for numbers. ECE is
the calibration error on the last 20 %, before and after a temperature fitted on the 20 % before. The last
lines are means over tables.
"""

import argparse
import json
from collections import defaultdict
from pathlib import Path

import numpy as np
import polars as pl
from scipy.special import expit, softmax
from sklearn.model_selection import train_test_split

import chainrule
from chainrule.estimators.calibration import calibration_error, fit_temperature
from chainrule.estimators.conformal import MondrianNonconformity, Nonconformity, absolute, absolute_interval
from chainrule.estimators.conformal_sets import adaptive, least_likely, sets, true_class

COVERAGES = (0.8, 0.9, 0.95)
SCORES = {"least likely": least_likely, "adaptive": adaptive}


def numbers(model, X: pl.DataFrame, y: np.ndarray, learn, calibrate, measure) -> list[dict]:
    """Coverage and width of the intervals, of one width and by groups of the prediction."""
    model.fit(X[learn], y[learn])
    near, new = (model.predict(X[rows]).astype(np.float64) for rows in (calibrate, measure))
    scores, truth = absolute(y[calibrate], near), y[measure]
    one, grouped = Nonconformity.of(scores), MondrianNonconformity.of(scores, near)
    rows = []
    for coverage in COVERAGES:
        for kind, threshold in (
            ("one width", one.quantile(coverage)),
            ("by groups", grouped.quantiles(new, coverage)),
        ):
            low, high = absolute_interval(new, threshold).T
            covered, width = np.mean((low <= truth) & (truth <= high)), np.mean(high - low) / np.std(y)
            rows.append({"kind": kind, "nominal": coverage, "covered": covered, "size": width})
    return rows


def classes(model, X: pl.DataFrame, y: np.ndarray, learn, calibrate, measure) -> list[dict]:
    """Coverage and size of the sets, of tempered probabilities; calibration error before and after."""
    model.fit(X[learn], y[learn])
    codes = np.searchsorted(model.classes_, y)
    near, new = (model.decision_function(X[rows]).astype(np.float64) for rows in (calibrate, measure))
    T, truth = fit_temperature(near, codes[calibrate]), codes[measure]
    near, after = proper(near / T), proper(new / T)
    errors = {
        "ece_before": calibration_error(proper(new), truth),
        "ece_after": calibration_error(after, truth),
        "temperature": T,
        "top": np.mean(after.argmax(axis=1) == truth),
    }
    rows = []
    for kind, score in SCORES.items():
        spread = Nonconformity.of(true_class(score(near), codes[calibrate]))
        for coverage in COVERAGES:
            inside = sets(score(after), spread.quantile(coverage))
            covered = np.take_along_axis(inside, truth[:, None], axis=1).mean()
            size = inside.sum(axis=1).mean()
            rows.append({"kind": kind, "nominal": coverage, "covered": covered, "size": size} | errors)
    return rows


def proper(logits: np.ndarray) -> np.ndarray:
    """Probabilities of all classes: a single logit is that of the second."""
    if logits.ndim == 2:
        return softmax(logits, axis=1)
    return np.stack([expit(-logits), expit(logits)], axis=1)


def measured(folder: Path, entry: dict, options: argparse.Namespace) -> list[dict]:
    """Means over the seeds, and the standard error of the coverage."""
    frame = pl.read_parquet(folder / entry["file"])
    found = defaultdict(list)
    for seed in range(options.seeds):
        drawn = frame.sample(min(options.rows, len(frame)), seed=seed, shuffle=True)
        X, y = drawn.drop(entry["target"]), drawn[entry["target"]].to_numpy()
        regression = entry["task"] == "regression"
        stratify = None if regression else y
        learn, rest = train_test_split(np.arange(len(y)), test_size=0.4, random_state=seed, stratify=stratify)
        again = None if regression else y[rest]
        calibrate, measure = train_test_split(rest, test_size=0.5, random_state=seed, stratify=again)
        make = chainrule.DeepRegressor if regression else chainrule.DeepClassifier
        model = make(max_iter=options.epochs, random_state=seed)
        for row in (numbers if regression else classes)(model, X, y, learn, calibrate, measure):
            found[row.pop("kind"), row.pop("nominal")].append(row)
    summary = []
    for (kind, nominal), rows in found.items():
        means = {name: float(np.mean([row[name] for row in rows])) for name in rows[0]}
        error = float(np.std([row["covered"] for row in rows], ddof=1) / np.sqrt(len(rows)))
        summary.append({"table": entry["name"], "kind": kind, "nominal": nominal, "error": error} | means)
    return summary


def over_tables(rows: list[dict]) -> list[dict]:
    """Mean coverage and size of each kind of answer, and the standard error of the coverage."""
    means = []
    for kind, nominal in dict.fromkeys((row["kind"], row["nominal"]) for row in rows):
        same = [row for row in rows if (row["kind"], row["nominal"]) == (kind, nominal)]
        mean = {name: float(np.mean([row[name] for row in same])) for name in ("covered", "size")}
        error = float(np.sqrt(np.sum([row["error"] ** 2 for row in same])) / len(same))
        means.append(
            {"table": f"mean of {len(same)}", "kind": kind, "nominal": nominal, "error": error} | mean
        )
    return means


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--data", type=Path, required=True)
    parser.add_argument("--rows", type=int, default=6000)
    parser.add_argument("--seeds", type=int, default=5, help="splits of each table, at least 2")
    parser.add_argument("--epochs", type=int, default=30)
    parser.add_argument("--tables", nargs="*", help="only these")
    parser.add_argument("--json", action="store_true")
    options = parser.parse_args()
    if options.seeds < 2:
        parser.error("--seeds must be at least 2, for a standard error")
    entries = json.loads((options.data / "INDEX.json").read_text())["datasets"]
    unknown = set(options.tables or ()) - {entry["name"] for entry in entries}
    if unknown:
        parser.error(f"--tables must be names in INDEX.json; got {', '.join(sorted(unknown))}")
    chosen = [entry for entry in entries if not options.tables or entry["name"] in options.tables]
    line = "{table:<21}{kind:<14}{nominal:>8.2f}{covered:>9.3f} ±{error:>6.3f}{size:>8.2f}{rest}"
    if not options.json:
        head = f"{'table':<21}{'answers':<14}{'nominal':>8}{'covered':>9}{'':>8}{'size':>8}"
        print(head + f"{'top':>7}{'T':>7}{'ECE':>8}{'after':>8}")
    everything = []
    for entry in chosen:
        for row in measured(options.data, entry, options):
            everything.append(row)
            form = "{top:>7.3f}{temperature:>7.2f}{ece_before:>8.3f}{ece_after:>8.3f}"
            if not options.json:
                rest = form.format(**row) if "top" in row else ""
                print(line.format(**row, rest=rest), flush=True)
    means = over_tables(everything)
    if options.json:
        print(json.dumps({"measured": everything, "means": means}, indent=2))
        return
    for row in means:
        print(line.format(**row, rest=""))


if __name__ == "__main__":
    main()

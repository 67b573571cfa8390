"""What an embedding of the numbers gives: the default network with none, a periodic, a piecewise-linear one.

    python benchmarks/embeddings.py --data FOLDER [--rows 20000] [--seeds 1] [--json]

FOLDER has an INDEX.json that names tables, targets and tasks. Each table is split 80/20, the training part
is capped at --rows. Scores: RMSE / standard deviation, 1 − AUC for two classes, log-loss for more; the last
lines are geometric means relative to no embedding. Lower is better.
"""

import argparse
import json
from pathlib import Path
from time import perf_counter

import numpy as np
import polars as pl
from sklearn.metrics import log_loss, roc_auc_score
from sklearn.model_selection import train_test_split

import chainrule

KINDS = (None, "periodic", "piecewise_linear")


def score(model, X: pl.DataFrame, y: np.ndarray) -> float:
    if isinstance(model, chainrule.DeepRegressor):
        return float(np.sqrt(np.mean((model.predict(X) - y) ** 2)) / np.std(y))
    p = model.predict_proba(X)
    if len(model.classes_) == 2:
        return float(1 - roc_auc_score(y == model.classes_[1], p[:, 1]))
    return float(log_loss(y, p, labels=model.classes_))


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--data", type=Path, required=True)
    parser.add_argument("--rows", type=int, default=20_000)
    parser.add_argument("--seeds", type=int, default=1)
    parser.add_argument("--json", action="store_true")
    options = parser.parse_args()
    measured = []
    for entry in json.loads((options.data / "INDEX.json").read_text())["datasets"]:
        frame = pl.read_parquet(options.data / entry["file"])
        X, y = frame.drop(entry["target"]), frame[entry["target"]].to_numpy()
        make = chainrule.DeepRegressor if entry["task"] == "regression" else chainrule.DeepClassifier
        for seed in range(options.seeds):
            learn, test = train_test_split(np.arange(len(y)), test_size=0.2, random_state=seed)
            learn, test = learn[: options.rows], test[: options.rows]
            for kind in KINDS:
                start = perf_counter()
                model = make(numeric_embedding=kind, random_state=seed).fit(X[learn], y[learn])
                seconds = perf_counter() - start
                row = {"table": entry["name"], "seed": seed, "embedding": kind or "none"}
                measured.append(row | {"score": score(model, X[test], y[test]), "seconds": seconds})
                if not options.json:
                    print(
                        "{table:<22}{embedding:<18}{score:>9.4f}{seconds:>8.1f} s".format(**measured[-1]),
                        flush=True,
                    )
    means = {}
    for kind in ("periodic", "piecewise_linear"):
        ratios = [
            np.log(a["score"] / b["score"])
            for a, b in zip(_of(measured, kind), _of(measured, "none"), strict=True)
        ]
        means[kind] = float(np.exp(np.mean(ratios)))
    if options.json:
        print(json.dumps({"measured": measured, "geometric_mean_to_none": means}, indent=2))
    else:
        for kind, mean in means.items():
            print(f"{kind}: {mean:.3f} × the score without")


def _of(measured: list[dict], kind: str) -> list[dict]:
    return [row for row in measured if row["embedding"] == kind]


if __name__ == "__main__":
    main()

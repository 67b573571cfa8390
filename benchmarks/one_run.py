"""One method on one split of one table, in a process of its own: accuracy.py runs it.

It takes the run as JSON and prints, last, what it measured as one line of JSON. What a method imports is
imported before the clock starts; encoding and compilation count.
"""

import json
import os
import resource
import sys
import warnings
from importlib import import_module
from time import perf_counter
from typing import Any

import numpy as np
import pandas as pd
import polars as pl
from sklearn.metrics import log_loss, roc_auc_score
from sklearn.model_selection import train_test_split

import peers


def split(y: np.ndarray, task: str, seed: int, rows: int) -> tuple[np.ndarray, np.ndarray]:
    """Rows to learn from, at most ``rows`` drawn at random, and the fifth to be judged by."""
    learn, test = train_test_split(
        np.arange(len(y)), test_size=0.2, random_state=seed, stratify=None if task == "regression" else y
    )
    return learn[:rows], test


def scores(task: str, y: np.ndarray, answers: np.ndarray) -> dict[str, float | None]:
    """RMSE / standard deviation, 1 − AUC, or log-loss: lower is better; of classes, the error rate too."""
    if task == "regression":
        error = answers.reshape(len(y)) - y
        return {"score": float(np.sqrt(np.mean(np.square(error))) / np.std(y)), "error_rate": None}
    wrong = float(np.mean(answers.argmax(axis=1) != y))
    if task == "binary":
        return {"score": float(1 - roc_auc_score(y, answers[:, 1])), "error_rate": wrong}
    value = log_loss(y, answers.astype(np.float64), labels=np.arange(answers.shape[1]))
    return {"score": float(value), "error_rate": wrong}


def read(path: str, target: str, task: str, ours: bool) -> tuple[Any, np.ndarray, np.ndarray]:
    """The inputs, as polars for ours and pandas for peers; targets (of classes, their places); classes."""
    frame = pl.read_parquet(path) if ours else pd.read_parquet(path)
    y = np.asarray(frame[target])
    X = frame.drop(target) if ours else frame.drop(columns=target)
    if task == "regression":
        return X, y.astype(np.float64), np.empty(0)
    classes, places = np.unique(y, return_inverse=True)
    return X, places, classes


def peak() -> float:
    """Of this process so far, in MB."""
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / (2**20 if sys.platform == "darwin" else 2**10)


def processor_seconds() -> float:
    usage = resource.getrusage(resource.RUSAGE_SELF)
    return usage.ru_utime + usage.ru_stime


def measure(run: dict[str, Any]) -> dict[str, Any]:
    ours, task = peers.is_ours(run["method"]), run["task"]
    X, y, classes = read(run["path"], run["target"], task, ours)
    learn, test = split(y, task, run["seed"], run["rows"])
    learn_X, test_X = (X[part] if ours else X.iloc[part].reset_index(drop=True) for part in (learn, test))
    learn_y = classes[y[learn]] if ours and len(classes) else y[learn]  # ours takes classes as they are
    del X
    problem = peers.Problem(task, tuple(run["categories"]), run["seed"], run["threads"])
    method = peers.make(run["method"], problem)
    if ours:
        import_module("chainrule.estimators.regressor")
    before, processor, load, start = peak(), processor_seconds(), os.getloadavg()[0], perf_counter()
    method.fit(learn_X, learn_y)
    fitted = perf_counter()
    processor = processor_seconds() - processor
    answers = method.answer(test_X)
    predicted = perf_counter()
    if not np.isfinite(answers).all():
        raise RuntimeError("a prediction is not finite")
    return scores(task, y[test], answers) | {
        "fit_seconds": fitted - start,
        "fit_processor_seconds": processor,
        "predict_seconds": predicted - fitted,
        "peak_megabytes": peak(),
        "megabytes_before": before,
        "load_before": load,
        "rows_learned": len(learn),
        "rows_judged": len(test),
    }


def main() -> None:
    warnings.simplefilter("ignore")
    print("\n" + json.dumps(measure(json.loads(sys.argv[1]))))


if __name__ == "__main__":
    main()

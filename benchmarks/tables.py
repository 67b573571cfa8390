"""Real tables from the command line, with no option but --target: as they are, and as they come in bad days.

    python benchmarks/tables.py --data FOLDER [--only NAME …] [--json]

FOLDER has an INDEX.json that names tables and targets. Each table is split 80/20; `chainrule fit` learns the
training part and saves a model, `chainrule predict` answers for the rest. Then again with 10 % of the cells
of both parts blanked, and, to predict, the columns in another order and a level in each category that
training never had. A run is well when all commands end with 0 and every row has a finite prediction.
"""

import argparse
import json
import subprocess
import sys
import tempfile
from pathlib import Path
from time import perf_counter

import numpy as np
import polars as pl


def spoilt(frame: pl.DataFrame, target: str, seed: int, *, unseen: bool) -> pl.DataFrame:
    """Blank a tenth of the cells; where asked for, shuffle columns and put in levels that are new."""
    numbers = np.random.default_rng(seed)
    columns = []
    for name in frame.columns:
        column = frame[name]
        if name != target:
            if unseen and column.dtype == pl.String:
                column = column.scatter(np.flatnonzero(numbers.random(len(column)) < 0.05), "a new level")
            blank = pl.Series(numbers.random(len(column)) < 0.1)
            column = pl.select(pl.when(~blank).then(column)).to_series().alias(name)
        columns.append(column)
    if unseen:
        columns = [columns[k] for k in numbers.permutation(len(columns))]
    return pl.DataFrame(columns)


def run(*arguments: object) -> float:
    start = perf_counter()
    done = subprocess.run(
        [sys.executable, "-m", "chainrule", *map(str, arguments)], capture_output=True, text=True
    )
    if done.returncode:
        raise RuntimeError(done.stderr.strip().splitlines()[-1])
    return perf_counter() - start


def score(answers: pl.Series, truth: pl.Series) -> tuple[str, float]:
    if truth.dtype == pl.String:
        return "error rate", float((answers != truth).mean())
    error = answers.to_numpy() - truth.to_numpy()
    if not np.isfinite(error).all():
        raise RuntimeError("a prediction is not finite")
    return "RMSE/std", float(np.sqrt(np.mean(np.square(error))) / truth.std())


def measure(frame: pl.DataFrame, target: str, folder: Path, *, spoil: bool) -> dict[str, object]:
    """Fit, save, load, predict."""
    test = pl.Series(np.random.default_rng(0).random(frame.height) < 0.2)
    training, rest = frame.filter(~test), frame.filter(test)
    if spoil:
        training, rest = spoilt(training, target, 1, unseen=False), spoilt(rest, target, 2, unseen=True)
    truth = rest[target]
    training.write_parquet(folder / "training.parquet")
    rest.drop(target).write_parquet(folder / "rest.parquet")
    model, out = folder / "model", folder / "out.parquet"
    fit = run("fit", folder / "training.parquet", "--target", target, "-o", model)
    predict = run("predict", model, folder / "rest.parquet", "-o", out)
    name, value = score(pl.read_parquet(out)[target], truth)
    return {"score": name, "value": value, "fit_seconds": fit, "predict_seconds": predict}


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--data", type=Path, required=True)
    parser.add_argument("--only", nargs="*")
    parser.add_argument("--json", action="store_true")
    options = parser.parse_args()
    measured = []
    for entry in json.loads((options.data / "INDEX.json").read_text())["datasets"]:
        if options.only and entry["name"] not in options.only:
            continue
        frame = pl.read_parquet(options.data / entry["file"])
        for spoil in (False, True):
            row = {"table": entry["name"], "state": "10 % blank, shuffled, unseen" if spoil else "as it is"}
            with tempfile.TemporaryDirectory() as folder:
                try:
                    row |= measure(frame, entry["target"], Path(folder), spoil=spoil) | {"well": True}
                except RuntimeError as error:
                    row |= {"well": False, "why": str(error)}
            measured.append(row)
            if not options.json:
                told = "{score} {value:.4f}, fit {fit_seconds:.0f} s, predict {predict_seconds:.1f} s"
                print(
                    f"{row['table']:<22}{row['state']:<30}",
                    told.format(**row) if row["well"] else row["why"],
                    flush=True,
                )
    well = sum(bool(row["well"]) for row in measured)
    print(json.dumps(measured, indent=2) if options.json else f"{well} of {len(measured)} runs well")


if __name__ == "__main__":
    main()

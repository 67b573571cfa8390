"""A table of mixed columns as a matrix: fitting and applying, beside scikit-learn's ColumnTransformer.

    python benchmarks/encoding.py [--rows 1000000] [--runs 3] [--json]

Both learn medians and quartiles, fill and mark missing numbers, and one-hot encode categories; the peer is
RobustScaler, SimpleImputer with an indicator and OneHotEncoder (float32, dense), on a pandas frame, as its
users have it. Seconds are the best of the runs, which take turns.
"""

import argparse
import json
import warnings
from time import perf_counter

import numpy as np
import pandas as pd
import polars as pl
from sklearn.compose import make_column_transformer
from sklearn.impute import SimpleImputer
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import OneHotEncoder, RobustScaler

from chainrule.tables.encoders import fit_encoder
from chainrule.tables.matrix import encode

NUMBERS, WITH_MISSING, CATEGORIES = 10, 4, 6


def table(rows: int) -> pd.DataFrame:
    numbers = np.random.default_rng(0)
    columns: dict[str, object] = {f"n{k}": numbers.lognormal(size=rows) for k in range(NUMBERS)}
    for k in range(WITH_MISSING):
        values = numbers.normal(size=rows)
        values[numbers.random(rows) < 0.1] = np.nan
        columns[f"m{k}"] = values
    for k in range(CATEGORIES):
        levels = np.array([f"level {j}" for j in range(3 + 2 * k)])
        columns[f"c{k}"] = levels[numbers.integers(0, len(levels), rows)]
    return pd.DataFrame(columns)


def peer(frame: pd.DataFrame):
    numbers = [name for name in frame if not name.startswith("c")]
    categories = [name for name in frame if name.startswith("c")]
    return make_column_transformer(
        (make_pipeline(SimpleImputer(strategy="median", add_indicator=True), RobustScaler()), numbers),
        (
            OneHotEncoder(handle_unknown="ignore", sparse_output=False, dtype=np.float32),
            categories,
        ),
    )


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--rows", type=int, default=1_000_000)
    parser.add_argument("--runs", type=int, default=3)
    parser.add_argument("--json", action="store_true")
    options = parser.parse_args()
    warnings.simplefilter("ignore")
    frame = table(options.rows)
    polars = pl.from_pandas(frame)

    def ours(X: object) -> object:
        return encode(fit_encoder(X), X)

    tasks = {
        "chainrule, pandas frame": lambda: ours(frame),
        "chainrule, polars frame": lambda: ours(polars),
        "scikit-learn, pandas frame": lambda: peer(frame).fit_transform(frame),
    }
    seconds = dict.fromkeys(tasks, float("inf"))
    for _ in range(options.runs):
        for name, task in tasks.items():
            start = perf_counter()
            task()
            seconds[name] = min(seconds[name], perf_counter() - start)
    peers = seconds["scikit-learn, pandas frame"]
    rows = [
        {"what": name, "seconds": took, "of scikit-learn": took / peers} for name, took in seconds.items()
    ]
    if options.json:
        print(json.dumps({"rows": options.rows, "columns": frame.shape[1], "measured": rows}, indent=2))
        return
    print(f"{options.rows:,} rows × {frame.shape[1]} columns, fit and apply")
    print(f"{'':<28}{'seconds':>9}{'of scikit-learn':>18}")
    for row in rows:
        print(f"{row['what']:<28}{row['seconds']:>9.2f}{row['of scikit-learn']:>18.2f}")


if __name__ == "__main__":
    main()

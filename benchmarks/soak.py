"""Hours of a service in small: many fits and predictions in one process, and what stays behind.

    python benchmarks/soak.py [--fits 1000] [--shapes 100] [--predictions 1000000]

The fits go round so many shapes of network; the predictions are of single rows. Memory, memory maps (of which
Linux allows 65,530 to a process), threads and open files are read between them (Linux).
"""

import argparse
import threading
from pathlib import Path
from time import perf_counter

import numpy as np

from chainrule import DeepRegressor
from chainrule.network import programs


def left_behind() -> str:
    own = Path("/proc/self")
    status = (own / "status").read_text().splitlines()
    memory = next(int(line.split()[1]) for line in status if line.startswith("VmRSS")) // 1024
    maps = (own / "maps").read_text().count("\n")
    files = len(list((own / "fd").iterdir()))
    return f"{memory:>8,} MB {maps:>8,} {threading.active_count():>8} {files:>6}"


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--fits", type=int, default=1000)
    parser.add_argument("--shapes", type=int, default=100)
    parser.add_argument("--predictions", type=int, default=1_000_000)
    options = parser.parse_args()
    rng = np.random.default_rng(0)
    print(f"At most {programs.MOST} different trainings and predictions are kept compiled.")
    print(f"{'':>24} {'memory':>11} {'maps':>8} {'threads':>8} {'files':>6}  seconds")
    started = perf_counter()
    model = DeepRegressor()
    for number in range(options.fits):
        shape = number % options.shapes
        x = rng.normal(size=(200, 2 + shape % 10))
        model = DeepRegressor((4 + shape // 10,), max_iter=3, n_members=2).fit(x, x[:, 0])
        model.predict(x)
        if (number + 1) % max(options.fits // 10, 1) == 0:
            print(f"{number + 1:>14,} fits     {left_behind()}  {perf_counter() - started:7.0f}", flush=True)
    row = x[:1]
    for number in range(options.predictions):
        model.predict(row)
        if (number + 1) % max(options.predictions // 10, 1) == 0:
            seconds = perf_counter() - started
            print(f"{number + 1:>11,} predictions {left_behind()}  {seconds:7.0f}", flush=True)


if __name__ == "__main__":
    main()

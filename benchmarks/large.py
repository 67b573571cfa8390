"""A table larger than memory: made, learnt from in parts under a cap, and answered.

    python benchmarks/large.py --folder FOLDER [--rows 20000000] [--memory 2GB] [--epochs 8] [--fit]

Makes Parquet files of a known signal (18 numbers, 2 categories, one target; noise of standard deviation 0.5)
where the folder is empty. Then, in processes of their own: the rows learnt per second from the stream, and
from a million rows in memory, in turn; with ``--fit``, a whole fit under the cap (of a cgroup where this
process may make one, else watched) and in memory on the part that fits; and how many rows are answered per
second, at which memory.
"""

import argparse
import json
import os
import resource
import subprocess
import sys
from contextlib import suppress
from pathlib import Path
from time import perf_counter
from typing import Any

import numpy as np
import polars as pl

_FILE = 1_000_000
_NOISE = 0.5


def block(number: int, rows: int) -> pl.DataFrame:
    """Rows of the table; the same number, the same rows."""
    numbers = np.random.default_rng((7, number))
    x = numbers.normal(size=(rows, 18)).astype(np.float32)
    few, many = numbers.integers(0, 12, rows), numbers.integers(0, 200, rows)
    y = np.sin(2 * x[:, 0]) + x[:, 1] * x[:, 2] + np.abs(x[:, 3]) + 0.5 * (few % 3) + 0.3 * np.sin(many)
    y += _NOISE * numbers.normal(size=rows)
    columns = {f"x{k}": x[:, k] for k in range(18)}
    columns |= {"few": few.astype(str), "many": many.astype(str), "y": y.astype(np.float32)}
    return pl.DataFrame(columns)


def make(folder: Path, rows: int) -> None:
    folder.mkdir(parents=True, exist_ok=True)
    files = -(-rows // _FILE)
    for number in range(files):
        place = folder / f"{number:04d}.parquet"
        if not place.exists():
            block(number, min(_FILE, rows - number * _FILE)).write_parquet(place)
    there = sorted(folder.glob("*.parquet"))
    if len(there) != files:
        sys.exit(f"{folder} must be empty or hold {files} files of this program; it has {len(there)}.")


def peak() -> float:
    """Of this process so far, in MB."""
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 2**10


def speeds(folder: str, memory: str, epochs: int) -> dict[str, Any]:
    """Rows per second from a stream and from memory, epoch by epoch in turn, by the same compiled program."""
    from chainrule import open_stream
    from chainrule.estimators.large_problem import LargeProblem
    from chainrule.estimators.regressor import DeepRegressor
    from chainrule.estimators.streaming import Parts
    from chainrule.training.loop import initial, train_fed

    class InMemory(Parts):  # type: ignore[misc]
        """The same parts, but for reading: the first is there, and is every one."""

        def part(self, number: int) -> Any:
            first = self.__dict__.setdefault("first", super().part(1))
            self._under_way.clear()
            return first

    start = perf_counter()
    stream = open_stream(folder, memory=memory)
    problem = LargeProblem(stream, ["y"])
    looked = perf_counter() - start
    model = DeepRegressor(random_state=0)
    kept, rows = model._begun(problem.sample.X, problem.sample.y, None, again=False)
    judge = np.arange(0, len(kept.y), 10)
    plan = model._plan(stream.rows)
    network = model._made_network(rows, plan.optimizer, plan.batch_size, stream.rows)
    runs = {}
    for name, kind in (("stream", Parts), ("memory", InMemory)):
        feed = kind(
            problem, model._encoded_part, rows.take(judge), problem.places[judge],
            most=1_048_576, passes=1, members=5, batch_size=plan.batch_size, seed=0,
        )  # fmt: skip
        begin = initial(network, 0, 5, rows.x, _folds(len(kept.y), judge))
        runs[name] = train_fed(network, feed, 5, begin, **plan.options, epochs=feed.epochs, seed=0)
        next(runs[name])  # the first compiles, and waits for the first part
    seconds: dict[str, list[float]] = {name: [] for name in runs}
    for _ in range(epochs):
        for name, run in runs.items():
            start = perf_counter()
            next(run)
            seconds[name].append(perf_counter() - start)
    rate = {name: 262_144 / float(np.mean(each)) for name, each in seconds.items()}
    return {"look_seconds": looked, "rows": stream.rows, "rate": rate, "peak": peak()}


def _folds(rows: int, judge: np.ndarray) -> Any:
    from chainrule.training.folds import Folds

    return Folds.same(5, np.setdiff1d(np.arange(rows), judge), judge)


def fit(folder: str, memory: str, files: int | None) -> dict[str, Any]:
    """A whole fit by the default recipe: of the stream, or in memory of so many files."""
    from chainrule import open_stream, save
    from chainrule.estimators.regressor import DeepRegressor

    model, start = DeepRegressor(random_state=0), perf_counter()
    if files is None:
        model.fit(open_stream(folder, memory=memory), "y")
        save(model, Path(folder).with_suffix(".chainrule"))
    else:
        frame = pl.read_parquet(sorted(Path(folder).glob("*.parquet"))[:files])
        model.fit(frame.drop("y"), frame["y"])
    seconds = perf_counter() - start
    test = block(10**6, 200_000)
    error = float(np.sqrt(np.mean((model.predict(test.drop("y")) - test["y"].to_numpy()) ** 2)))
    return {"seconds": seconds, "rmse": error, "epochs": model.n_iter_, "peak": peak()}


def predict(folder: str, embedding: str) -> dict[str, Any]:
    """Rows answered per second by ``chainrule predict``, from a file to a file."""
    from chainrule import save
    from chainrule.cli.using import Wish, predict_table
    from chainrule.estimators.regressor import DeepRegressor

    wished: dict[str, Any] = {} if embedding == "default" else {"numeric_embedding": None, "n_members": 1}
    head = block(0, 20_000)
    model = DeepRegressor(random_state=0, max_iter=1, **wished).fit(head.drop("y"), head["y"])
    place = Path(folder).parent / "large.chainrule"
    save(model, place)
    model.predict(head.drop("y"))  # compiles
    before, start = peak(), perf_counter()
    files = sorted(Path(folder).glob("*.parquet"))
    files = files if embedding != "default" else files[:1]
    out = place.with_suffix(".parquet")
    source = folder if embedding != "default" else str(files[0])
    predict_table(str(place), source, str(out), Wish(), (), quiet=True)
    seconds = perf_counter() - start
    rows = pl.scan_parquet(out).select(pl.len()).collect().item()
    out.unlink()
    place.unlink()
    return {"rate": rows / seconds, "rows": rows, "before": before, "peak": peak()}


def run(*arguments: str, cap: int | None = None) -> dict[str, Any]:
    """A part of this program in a process of its own, under a cap of bytes where there is one."""
    group = None
    if cap is not None:
        with suppress(OSError):
            place = Path("/sys/fs/cgroup/memory") / f"chainrule-{os.getpid()}"
            place.mkdir()
            (place / "memory.limit_in_bytes").write_text(str(cap))
            group = place
    enter = None if group is None else lambda: (group / "cgroup.procs").write_text(str(os.getpid()))
    command = [sys.executable, __file__, *arguments]
    done = subprocess.run(command, stdout=subprocess.PIPE, text=True, preexec_fn=enter, check=False)
    found: dict[str, Any] = {"failed": done.returncode}
    if done.returncode == 0:
        found = json.loads(done.stdout.splitlines()[-1])
    found["cap"] = "none" if cap is None else "watched" if group is None else "enforced"
    if group is not None:
        found["group_peak"] = int((group / "memory.max_usage_in_bytes").read_text()) / 1e6
        group.rmdir()
    return found


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawTextHelpFormatter)
    parser.add_argument("--folder", required=True)
    parser.add_argument("--rows", type=lambda text: int(float(text)), default=20_000_000)
    parser.add_argument("--memory", default="2GB")
    parser.add_argument("--epochs", type=int, default=8)
    parser.add_argument("--fit", action="store_true")
    parser.add_argument("--part", help=argparse.SUPPRESS)
    told = parser.parse_args()
    if told.part == "speeds":
        print(json.dumps(speeds(told.folder, told.memory, told.epochs)))
        return
    if told.part in ("stream", "memory"):
        print(json.dumps(fit(told.folder, told.memory, None if told.part == "stream" else 1)))
        return
    if told.part is not None:
        print(json.dumps(predict(told.folder, told.part)))
        return
    from chainrule.tables.stream import bytes_of

    folder, cap = Path(told.folder), bytes_of(told.memory)
    make(folder, told.rows)
    size = sum(place.stat().st_size for place in folder.glob("*.parquet")) / 1e9
    print(f"{told.rows:,} rows of 20 columns, {size:.2f} GB of Parquet")
    shared = ["--folder", str(folder), "--memory", told.memory, "--epochs", str(told.epochs)]
    found = run(*shared, "--part", "speeds")
    rate = found["rate"]
    print(f"looked through in {found['look_seconds']:.1f} s")
    print(
        f"rows learnt per second by 5 networks: {rate['stream']:,.0f} from the stream, "
        f"{rate['memory']:,.0f} from memory, ratio {rate['stream'] / rate['memory']:.2f}"
    )
    for kind in ("plain", "default"):
        found = run(*shared, "--part", kind)
        what = "one network of 3 × 128" if kind == "plain" else "the default model, of one file"
        print(
            f"answered: {found['rate']:,.0f} rows per second by {what} ({found['rows']:,} rows), "
            f"{found['before']:,.0f} MB before, {found['peak']:,.0f} MB at most"
        )
    if told.fit:
        for part in ("stream", "memory"):
            found = run(*shared, "--part", part, cap=cap if part == "stream" else None)
            print(f"fit, {part}: {json.dumps(found)}")


if __name__ == "__main__":
    main()

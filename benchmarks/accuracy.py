"""How well and how fast tables are learned, beside the best of other tools, at their defaults.

    python benchmarks/accuracy.py --data FOLDER [--results FILE] [--methods …] [--tables …] [--seeds 3]

FOLDER has an INDEX.json that names tables, targets and tasks. Each table is split 80/20 by seed, stratified
by class; of the 80 % at most --rows are learned from; every method gets the very same rows. Scores, where
lower is better: RMSE / standard deviation of the 20 %, 1 − AUC for two classes, log-loss for more. Fit time
is of the whole fit from the table as read: encoders and compilation count (XLA's cache is empty, unless
--warm), imports do not. Each run is a process of its own; the methods take turns, so that a noisy machine is
noisy for all. Runs that failed or took too long are shown, and count as losses of what failed.

Results are appended to --results, and what that file has is not run again. A method is one of chainrule,
chainrule:fast, chainrule:best (its ``effort``), lightgbm, xgboost, catboost, hist, mlp, realmlp, tabm;
--label tells versions of chainrule apart in one file (another checkout's is run by PYTHONPATH=…/src). The
peers are in requirements-benchmarks.txt; `make peers` installs them.
"""

import argparse
import json
import os
import shlex
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterable
from pathlib import Path
from typing import Any

import accuracy_report
import peers

HERE = Path(__file__).parent
LEFT_OUT = ("fashion_mnist",)  # pixels; measured where --tables names it
Run = dict[str, Any]


def key(run: Run) -> tuple[object, ...]:
    return tuple(run[name] for name in ("table", "seed", "rows", "method", "label", "warm"))


def planned(options: argparse.Namespace) -> Iterable[list[Run]]:
    """The runs of each table and seed, in turn."""
    for entry in json.loads((options.data / "INDEX.json").read_text())["datasets"]:
        name = entry["name"]
        if name not in options.tables if options.tables else name in LEFT_OUT:
            continue
        for seed in range(options.seeds):
            common = {
                "table": name,
                "seed": seed,
                "rows": options.rows,
                "path": str((options.data / entry["file"]).resolve()),
                "target": entry["target"],
                "task": entry["task"],
                "categories": entry.get("categorical_columns", []),
                "threads": options.threads,
            }
            yield [
                common
                | {
                    "method": method,
                    "label": options.label if peers.is_ours(method) else "",
                    "warm": options.warm and peers.is_ours(method),
                }
                for method in options.methods
            ]


def environment(threads: int, folder: Path) -> dict[str, str]:
    """Threads for all; XLA's cache in ``folder``.

    Threads wait asleep: awake, as is the default, LightGBM, XGBoost and PyTorch take 5 to 50 times as long
    where another process wants a core for a moment.
    """
    told = {name: value for name, value in os.environ.items() if not name.startswith("JAX_COMPILATION_CACHE")}
    counts = dict.fromkeys(("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS"), str(threads))
    asleep = {"OMP_WAIT_POLICY": "PASSIVE", "OPENBLAS_THREAD_TIMEOUT": "4"}  # 2⁴ cycles
    return told | counts | asleep | {"CHAINRULE_CACHE": str(folder / "compiled")}


def carry_out(run: Run, timeout: float) -> dict[str, Any]:
    """What a run measured, or why it failed. With ``warm``, a process before it has filled XLA's cache."""
    if run["warm"]:
        with tempfile.TemporaryDirectory() as folder:
            before = _process(run, timeout, Path(folder))
            return before if "failed" in before else _process(run, timeout, Path(folder))
    with tempfile.TemporaryDirectory() as folder:
        return _process(run, timeout, Path(folder))


def _process(run: Run, timeout: float, folder: Path) -> dict[str, Any]:
    command = [sys.executable, str(HERE / "one_run.py"), json.dumps(run)]
    try:
        done = subprocess.run(
            command,
            capture_output=True,
            text=True,
            timeout=timeout,
            cwd=folder,  # some peers leave files behind
            env=environment(run["threads"], folder),
        )
    except subprocess.TimeoutExpired:
        return {"failed": f"more than {timeout:.0f} s"}
    if -done.returncode in (signal.SIGTERM, signal.SIGINT):  # stopped by someone: no fault of the method
        raise SystemExit(f"{run['method']} on {run['table']} was stopped; run again to go on")
    if done.returncode:
        lines = done.stderr.strip().splitlines() or [f"ended with {done.returncode}"]
        return {"failed": lines[-1][:300]}
    return json.loads(done.stdout.strip().splitlines()[-1])


def load(file: Path | None) -> dict[tuple[object, ...], Run]:
    """Stored runs; the last of a key holds."""
    if file is None or not file.exists():
        return {}
    runs = (json.loads(line) for line in file.read_text().splitlines() if line.strip())
    return {key(run): run for run in runs}


def run_all(options: argparse.Namespace) -> list[Run]:
    """Run what is not stored; all runs, stored ones too, of the tables, seeds and rows asked for."""
    asked: set[tuple[object, ...]] = set()
    fresh: dict[tuple[object, ...], Run] = {}
    for runs in planned(options):
        for run in runs:
            asked.add((run["table"], run["seed"], run["rows"]))
            stored = (load(options.results) | fresh).get(key(run))  # another process may have stored it
            if stored and not (options.retry and "failed" in stored):
                continue
            kept = {
                name: value for name, value in run.items() if name not in ("path", "categories", "target")
            }
            result = kept | {"at": time.strftime("%Y-%m-%d %H:%M:%S")} | carry_out(run, options.timeout)
            fresh[key(run)] = result
            if options.results:
                with options.results.open("a") as file:
                    file.write(json.dumps(result) + "\n")
            if not options.quiet:
                print(told(result), flush=True)
    every = (load(options.results) | fresh).values()
    return [run for run in every if (run["table"], run["seed"], run["rows"]) in asked]


def told(run: Run) -> str:
    name = f"{run['table']:<22}{run['seed']:>2} {accuracy_report.name_of(run):<22}"
    if "failed" in run:
        return name + "failed: " + run["failed"]
    return name + "{score:.4f}{fit_seconds:>8.1f} s fit{predict_seconds:>7.2f} s predict".format(**run)


def command_line() -> str:
    """As typed, but for folders."""
    words, hidden = [], {"--data": "FOLDER", "--results": "FILE", "--write": "PAGE", "--json": "FILE"}
    for before, word in zip(["", *sys.argv[1:]], sys.argv[1:], strict=False):
        words.append(hidden.get(before, word))
    return shlex.join(["python", "benchmarks/accuracy.py", *words])


def parse() -> argparse.Namespace:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--data", type=Path, required=True, help="folder of tables with an INDEX.json")
    parser.add_argument("--results", type=Path, help="JSON lines of runs: read, and appended to")
    parser.add_argument("--methods", type=lambda text: text.split(","), default=list(peers.DEFAULT))
    parser.add_argument("--tables", type=lambda text: text.split(","), help="names, with commas between")
    parser.add_argument("--seeds", type=int, default=3, help="0, 1, … (default 3 of them)")
    parser.add_argument("--rows", type=int, default=20_000, help="to learn from at most")
    parser.add_argument("--label", default="", help="name of this version of chainrule in the results")
    parser.add_argument("--show", type=lambda text: text.split(","), help="report only these, by shown names")
    parser.add_argument("--warm", action="store_true", help="let chainrule find its programs compiled")
    parser.add_argument("--timeout", type=float, default=900, help="seconds a run may take (default 900)")
    parser.add_argument("--threads", type=int, default=os.cpu_count())
    parser.add_argument("--retry", action="store_true", help="run again what failed")
    parser.add_argument("--quiet", action="store_true", help="do not tell of each run")
    parser.add_argument("--write", type=Path, help="write the report as a Markdown page")
    parser.add_argument("--json", type=Path, help="write runs and summary as JSON")
    options = parser.parse_args()
    for method in options.methods:
        if method not in peers.PEERS and not peers.is_ours(method):
            parser.error(f"--methods must name chainrule, {', '.join(peers.PEERS)}; got {method}")
    return options


def main() -> None:
    options = parse()
    if options.results:
        options.results.parent.mkdir(parents=True, exist_ok=True)
    runs = run_all(options)
    if options.show:
        runs = [run for run in runs if accuracy_report.name_of(run) in options.show]
    sections = accuracy_report.sections(runs)
    print(accuracy_report.as_text(sections))
    if options.write:
        options.write.write_text(accuracy_report.as_page(sections, command_line(), options))
    if options.json:
        found = {
            "machine": accuracy_report.machine(),
            "runs": runs,
            "comparisons": accuracy_report.every_pair(runs),
        }
        options.json.write_text(json.dumps(found, indent=2))


if __name__ == "__main__":
    main()

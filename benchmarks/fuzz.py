"""Altered files and random tables until time is up: ``python benchmarks/fuzz.py --what readers --minutes 5``.

``readers`` feeds ``read_table`` with altered files of every format, ``loader`` feeds ``load`` with altered
models and predicts with those that load, ``frames`` fits and predicts random tables. A finding is an error
that is none of chainrule's, a prediction that is not finite, a crash, more than 10 seconds (60 where programs
are compiled), or more than 2 GB. The work is done by a process of its own, so that a crash ends that process
only. Each finding is printed once, with the file (of a table: its seed) that makes it again; ``--again FILE``
runs such a file alone.
"""

import argparse
import faulthandler
import json
import resource
import shutil
import subprocess
import sys
import tempfile
import time
import traceback
import warnings
from collections.abc import Iterator
from pathlib import Path

import jax
import numpy as np

import chainrule
from chainrule.errors import ChainruleError
from chainrule.estimators.classifier import DeepClassifier
from chainrule.estimators.prediction_table import prediction_table
from chainrule.estimators.problems import problem_of
from chainrule.estimators.regressor import DeepRegressor
from chainrule.estimators.target_columns import Task
from chainrule.tables.reading import read_table
from mutations import COLUMNS, altered, altered_model, loader_table, model_files, random_frame, table_files

SECONDS = {"readers": 10, "loader": 10, "frames": 60}  # a table of a new shape is compiled for
BYTES = 2 << 30


def read_file(path: Path) -> None:
    read_table(path)


def load_file(path: Path) -> None:
    model = chainrule.load(path)
    named = hasattr(model, "feature_names_in_")
    model.predict(loader_table() if named else np.zeros((2, model.n_features_in_)))


def fit_frame(path: Path) -> None:
    """A random table by the seed in the file: fitted, predicted on its rows and on those of another."""
    rng = np.random.default_rng(int(path.read_bytes()))
    rows = int(rng.choice([1, 2, 5, 40, 40, 40]))
    makers = [COLUMNS[rng.integers(len(COLUMNS))] for _ in range(rng.integers(2, 5))]
    frame, other = (random_frame(makers, rows, rng) for rows in (rows, 40))
    problem = problem_of(frame, [frame.columns[0]])
    make = DeepRegressor if problem.task is Task.REGRESSION else DeepClassifier
    model = make((4,), max_iter=1, random_state=0, numeric_embedding=None if rng.random() < 0.5 else "auto")
    model.fit(problem.X, problem.y)
    for table in (frame, other):
        answers = prediction_table(model, table.drop(frame.columns[0]), ["y"])
        for column in answers:
            if column.dtype.is_float() and not column.is_finite().all():
                raise AssertionError(f"predictions that are not finite: {column.to_list()[:5]}")


RUNS = {"readers": read_file, "loader": load_file, "frames": fit_frame}


def inputs(what: str, rng: np.random.Generator) -> Iterator[bytes]:
    """Endless inputs."""
    if what == "frames":
        while True:
            yield str(rng.integers(2**63)).encode()
    files, alter = (table_files(), altered) if what == "readers" else (model_files(), altered_model)
    yield from files  # as they are, they must do
    while True:
        yield alter(files[rng.integers(len(files))], files, rng)


def tried(what: str, path: Path) -> str | None:
    """What is wrong with how a file is taken, if anything is."""
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    try:
        RUNS[what](path)
    except ChainruleError as error:
        return None if "\n" not in str(error) and len(str(error)) < 2000 else f"unclear: {str(error)[:200]!r}"
    except KeyboardInterrupt:
        raise
    except BaseException as error:  # a panic of polars is no Exception
        frames = traceback.extract_tb(error.__traceback__)
        last = [frame for frame in frames if "/chainrule/" in frame.filename][-1:] or frames[-1:]
        return f"{type(error).__name__} at {Path(last[0].filename).name}:{last[0].lineno}: {str(error)[:150]}"
    grown = (resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - peak) * 1024
    return f"{grown / 2**30:.1f} GB" if grown > BYTES else None


def work(what: str, seed: int, until: float, current: Path) -> None:
    """Try inputs and print, for each, what was found, as JSON; ends by itself if one takes too long."""
    jax.config.update("jax_disable_most_optimizations", True)
    # So that what asks for too much does not take the machine with it.
    resource.setrlimit(resource.RLIMIT_DATA, (16 << 30, resource.RLIM_INFINITY))
    warnings.simplefilter("ignore")
    for data in inputs(what, np.random.default_rng(seed)):
        if time.time() > until:
            return
        current.write_bytes(data)
        faulthandler.dump_traceback_later(SECONDS[what], exit=True)
        found = tried(what, current)
        faulthandler.cancel_dump_traceback_later()
        print(json.dumps(found), flush=True)


def hunt(what: str, seed: int, minutes: float, folder: Path) -> tuple[int, dict[str, Path]]:
    """How many inputs were tried, and a file for each finding."""
    until, runs, found = time.time() + 60 * minutes, 0, {}
    current = folder / f"current-{what}"

    def note(finding: str) -> None:
        key = " ".join(finding.split())
        if key.partition(": ")[0] not in {other.partition(": ")[0] for other in found}:
            found[key] = folder / f"{what}-{len(found)}"
            shutil.copy(current, found[key])
            print(f"{found[key]}: {key}", flush=True)

    while time.time() < until:
        seed += 1
        child = ["--what", what, "--seed", str(seed), "--child", str(until), str(current)]
        command = [sys.executable, __file__, *child]
        with (folder / "stderr").open("w+") as errors:
            process = subprocess.Popen(command, stdout=subprocess.PIPE, stderr=errors, text=True)
            for line in process.stdout:
                runs += 1
                if (finding := json.loads(line)) is not None:
                    note(finding)
            if process.wait():
                errors.seek(0)
                lines = [line for line in errors if "/chainrule/" in line or "Error" in line]
                last = (lines or ["no trace"])[0 if process.returncode > 0 else -1].strip()
                note(f"exit status {process.returncode} ({last}): crash, or more than {SECONDS[what]} s")
    current.unlink(missing_ok=True)
    return runs, found


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--what", choices=RUNS, help="default: all, one after the other")
    parser.add_argument("--minutes", type=float, default=1.0, help="for each (default 1)")
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument(
        "--folder", type=Path, help="where findings are kept (default: a new temporary folder)"
    )
    parser.add_argument(
        "--again", type=Path, metavar="FILE", help="run this finding alone, traceback and all"
    )
    parser.add_argument("--child", nargs=2, help=argparse.SUPPRESS)
    options = parser.parse_args()
    if options.child:
        work(options.what, options.seed, float(options.child[0]), Path(options.child[1]))
        return
    if options.again:
        RUNS[options.what](options.again)
        return
    folder = options.folder or Path(tempfile.mkdtemp(prefix="fuzz-"))
    folder.mkdir(parents=True, exist_ok=True)
    findings = 0
    for what in [options.what] if options.what else RUNS:
        runs, found = hunt(what, options.seed, options.minutes, folder)
        findings += len(found)
        print(f"{what}: {runs:,} executions, {len(found)} findings", flush=True)
    sys.exit(findings > 0)


if __name__ == "__main__":
    main()

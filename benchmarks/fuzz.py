"""Mutated files and random tables, until time is up: ``python benchmarks/fuzz.py --what readers --minutes 5``.

``readers`` feeds ``read_table`` with altered files of every format, ``loader`` feeds ``load`` (and ``predict``
with what it loads) with altered models, ``frames`` fits and predicts random tables. A finding is an exception
that is none of chainrule's, a prediction that is not finite, a crash, more than 10 seconds, or more than 2 GB.
The work is done by a process of its own, so that a crash ends that process only. Each finding is printed once,
with the file or the random seed that makes it again; ``--again FILE`` runs such a file alone.
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
from collections.abc import Callable, Iterator
from contextlib import suppress
from copy import deepcopy
from pathlib import Path

import numpy as np

SECONDS, BYTES = 10, 2 << 30
TOKENS = [
    *(b",", b";", b"\t", b"|", b'"', b"'", b'""', b"\r", b"\n", b"\r\n", b"\0", b" ", b"\xef\xbb\xbf", b"\xff\xfe"),
    *(b"NaN", b"inf", b"-inf", b"1e999", b"-0", b"1,234.5", b"1.234,5", b"true", b"null", b"2024-02-30", b"\xe9"),
    *(b"{", b"}", b"[", b"]", b":", b"\\u0000", b"[[[[[[[[", b"PAR1", b"ARROW1", b"PK\x03\x04", b"\x1f\x8b", b"BZh9"),
    *(b"\xff\xff\xff\xff", b"\xff\xff\xff\x7f", b"\0\0\0\x80", b"\0\0\0\0\0\0\0\0", b"\xff" * 8, b"\x28\xb5\x2f\xfd"),
]  # fmt: skip
VALUES = [
    *(None, True, -1, 0, 1, 2**31, 2**63, 10**30, 1e308, 0.5, "", "x", "z", [], {}, [[]], [None], "\0", "relu"),
    *({"$float": "nan"}, {"$float": "inf"}, {"$tuple": []}, {"$array": [1], "$dtype": "|O"}, {"$dict": [[[], 1]]}),
]  # fmt: skip


def altered(data: bytes, others: list[bytes], rng: np.random.Generator) -> bytes:
    """A few random changes, each at a random place: bits, numbers, pieces, tokens, the end."""
    buffer = bytearray(data)
    for _ in range(int(rng.geometric(0.4))):
        place, size = int(rng.integers(len(buffer) + 1)), int(rng.geometric(0.1))
        match rng.integers(8):
            case 0 if buffer:
                buffer[place % len(buffer)] ^= 1 << int(rng.integers(8))
            case 1:
                buffer[place : place + 1] = rng.bytes(1)
            case 2:
                del buffer[place:]
            case 3:
                del buffer[place : place + size]
            case 4:
                buffer[place:place] = buffer[place : place + size] * int(rng.geometric(0.2))
            case 5:
                buffer[place:place] = TOKENS[rng.integers(len(TOKENS))]
            case 6:
                token = TOKENS[rng.integers(len(TOKENS))]
                buffer[place : place + len(token)] = token
            case _:
                other = others[rng.integers(len(others))]
                cut = int(rng.integers(len(other) + 1))
                buffer[place : place + size] = other[cut : cut + size]
    return bytes(buffer)


def table_files() -> list[bytes]:
    """A small table in every format that is read."""
    import bz2
    import gzip
    import io
    import lzma

    import polars as pl
    import pyarrow as pa

    rows = 7
    frame = pl.DataFrame(
        {
            "whole": range(rows),
            "x": [0.5, None, -1e300, 2.25, 0.0, 1e-9, 3.0],
            "text": ["a", "é,", 'say "x"', None, "two\nlines", "", "b"],
            "yes": [True, False, None, True, True, False, True],
            "day": pl.date_range(pl.date(2024, 1, 1), pl.date(2024, 1, rows), eager=True),
        }
    )
    further = frame.with_columns(
        pl.col("text").cast(pl.Categorical).alias("category"),
        pl.col("day").cast(pl.Datetime("us", "UTC")).alias("moment"),
        pl.concat_list("whole", "whole").alias("list"),
        pl.struct("x", "text").alias("struct"),
    )

    def written(method: str, table: pl.DataFrame = frame, **options: object) -> bytes:
        data = io.BytesIO()
        getattr(table, method)(data, **options)
        return data.getvalue()

    text = written("write_csv")
    european = "größe;preis;ort\n1.234,5;7,25;Köln\n2,5;1.000,0;Ulm\n".encode("cp1252")
    packed = [gzip.compress(text), bz2.compress(text), lzma.compress(text), pa.compress(text, "zstd", asbytes=True)]
    texts = [text, european, text.decode().encode("utf-16"), b"1 2 3\n4 5 6\n7 8 9\n", written("write_csv", separator="\t")]
    spoken = [written("write_json"), written("write_ndjson")]
    codecs = ("zstd", "snappy", "gzip", "lz4", "brotli", "uncompressed")
    tables = [written("write_parquet", further, compression=codec) for codec in codecs]
    arrows = [written(method, further) for method in ("write_ipc", "write_ipc_stream")]
    return [*texts, *packed, *spoken, *tables, *arrows, written("write_ipc", compression="lz4")]


def model_files() -> list[bytes]:
    """Small models, one of each kind."""
    import chainrule

    rng = np.random.default_rng(0)
    X = rng.normal(size=(40, 2))
    y = X @ [1.0, -2.0]
    small = {"hidden_layer_sizes": (3,), "max_iter": 1, "random_state": 0}
    models = [
        chainrule.DeepRegressor(**small).fit(loader_table(), y),
        chainrule.DeepClassifier(**small, early_stopping=True).fit(loader_table(), np.where(y > 0, "yes", "no")),
        chainrule.DeepRegressor(**small, numeric_embedding=None, loss="quantile(0.1, 0.5)", layer_norm=True).fit(X, y),
    ]
    found = []
    with tempfile.TemporaryDirectory() as folder:
        for model in models:
            chainrule.save(model, Path(folder) / "model")
            found.append((Path(folder) / "model").read_bytes())
    return found


def loader_table() -> "object":
    import polars as pl

    day = pl.date(2024, 1, 1)
    return pl.DataFrame({"x": np.linspace(0, 1, 40), "c": ["a", "b", "c", None] * 10}).with_columns(
        pl.Series("day", pl.date_range(day, pl.date(2024, 2, 9), eager=True))
    )


def altered_model(data: bytes, others: list[bytes], rng: np.random.Generator) -> bytes:
    """Bytes altered anywhere, or a description that lies: values replaced, removed, or put elsewhere."""
    if rng.random() < 0.3:
        return altered(data, others, rng)
    length = int.from_bytes(data[:8], "little")
    header = json.loads(data[8 : 8 + length])
    description = json.loads(header["__metadata__"]["chainrule"])
    for _ in range(int(rng.geometric(0.5))):
        places = list(_places(description if rng.random() < 0.9 else header))
        box, key = places[rng.integers(len(places))]
        match rng.integers(4):
            case 0:
                del box[key]
            case 1:
                other_box, other_key = places[rng.integers(len(places))]
                with suppress(KeyError, IndexError, TypeError):
                    box[key] = deepcopy(other_box[other_key])
            case _:
                box[key] = deepcopy(VALUES[rng.integers(len(VALUES))])
        description = description or {"format": 2}
    if isinstance(header.get("__metadata__"), dict):
        header["__metadata__"]["chainrule"] = json.dumps(description)
    text = json.dumps(header).encode()
    return len(text).to_bytes(8, "little") + text + data[8 + length :]


def _places(value: object) -> Iterator[tuple[object, object]]:
    """Each item within lists and dicts, as what holds it and its key there."""
    items = value.items() if isinstance(value, dict) else enumerate(value) if isinstance(value, list) else ()
    for key, item in items:
        yield value, key
        yield from _places(item)


def read_file(path: Path) -> None:
    from chainrule.tables.reading import read_table

    read_table(path)


def load_file(path: Path) -> None:
    import chainrule

    model = chainrule.load(path)
    named = hasattr(model, "feature_names_in_")
    model.predict(loader_table() if named else np.zeros((2, model.n_features_in_)))


def fit_frame(path: Path) -> None:
    """A random table by the seed in the file: fitted, predicted on its rows and on those of another."""
    from chainrule.cli.using import _inputs  # noqa: F401  the same imports as the command line has
    from chainrule.estimators.classifier import DeepClassifier
    from chainrule.estimators.prediction_table import prediction_table
    from chainrule.estimators.problems import problem_of
    from chainrule.estimators.regressor import DeepRegressor
    from chainrule.estimators.target_columns import Task

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


def random_frame(makers: list[Callable], rows: int, rng: np.random.Generator) -> "object":
    import polars as pl

    return pl.DataFrame([pl.Series(f"c{k}", make(rows, rng), strict=False) for k, make in enumerate(makers)])


def _some_missing(values: list, rng: np.random.Generator) -> list:
    return [None if missing else value for value, missing in zip(values, rng.random(len(values)) < 0.2, strict=True)]


def _column(make: Callable[[int, np.random.Generator], object], dtype: str | None = None) -> Callable:
    def column(rows: int, rng: np.random.Generator) -> "object":
        import polars as pl

        values = list(make(rows, rng))
        values = _some_missing(values, rng) if rng.random() < 0.5 else values
        return pl.Series("", values, strict=False).cast(eval(f"pl.{dtype}"), strict=False) if dtype else values  # noqa: S307

    return column


EXTREMES = [0.0, -0.0, 1.0, 1e300, -1e300, 1e-320, 1.8e308, 2.0**53, 3.4e38, 3.5e38, 1e-45]
WORDS = ["", " ", "a", "é", "نص", "🙂", "a,b", "x\ny", "1", "1.5", "2024-01-01", "NA", "\u202e", "a" * 500]
COLUMNS: list[Callable] = [
    _column(lambda n, r: r.normal(size=n).tolist()),
    _column(lambda n, r: r.integers(0, 3, n).tolist()),
    _column(lambda n, r: r.choice(EXTREMES, n).tolist()),
    _column(lambda n, r: r.choice([*EXTREMES, np.nan, np.inf, -np.inf], n).tolist()),
    _column(lambda n, r: [1.0] * n),
    _column(lambda n, r: [None] * n),
    _column(lambda n, r: [None] * n, "Float64"),
    _column(lambda n, r: r.choice([True, False], n).tolist()),
    _column(lambda n, r: r.choice(WORDS, n).tolist()),
    _column(lambda n, r: [f"id {k}" for k in range(n)]),
    _column(lambda n, r: r.choice(["a", "b", "c"], n).tolist(), "Categorical"),
    _column(lambda n, r: r.integers(-(10**7), 10**7, n).tolist(), "Date"),
    _column(lambda n, r: r.integers(-(2**62), 2**62, n).tolist(), "Datetime('us')"),
    _column(lambda n, r: r.integers(0, 2**40, n).tolist(), "Datetime('ns', 'Europe/Rome')"),
    _column(lambda n, r: r.integers(-(2**62), 2**62, n).tolist(), "Duration('us')"),
    _column(lambda n, r: r.integers(0, 86_400 * 10**9, n).tolist(), "Time"),
    _column(lambda n, r: [2**63 + int(k) for k in r.integers(0, 2**40, n)], "UInt64"),
    _column(lambda n, r: r.integers(-(2**62), 2**62, n).tolist(), "Int64"),
    _column(lambda n, r: r.integers(-100, 100, n).tolist(), "Int8"),
    _column(lambda n, r: r.normal(size=n).tolist(), "Float32"),
    _column(lambda n, r: r.choice(["2024-01-01", "2023-12-31", "1999-06-30"], n).tolist()),
    _column(lambda n, r: r.choice(["01/02/2024", "31/12/2024", "30/02/2024"], n).tolist()),
    _column(lambda n, r: [[1.0, 2.0]] * n),
    _column(lambda n, r: [{"a": 1}] * n),
    _column(lambda n, r: [b"\xff\0"] * n),
    _column(lambda n, r: r.normal(size=n).tolist(), "Decimal(20, 3)"),
]

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
    from chainrule.errors import ChainruleError

    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    try:
        RUNS[what](path)
    except ChainruleError as error:
        return None if "\n" not in str(error) and len(str(error)) < 2000 else f"unclear: {str(error)[:200]!r}"
    except KeyboardInterrupt:
        raise
    except BaseException as error:  # a panic of polars is no Exception
        frames = [f for f in traceback.extract_tb(error.__traceback__) if "chainrule" in f.filename]
        return f"{type(error).__name__} at {Path(frames[-1].filename).name}:{frames[-1].lineno}: {str(error)[:150]}"
    grown = (resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - peak) * 1024
    return f"{grown / 2**30:.1f} GB" if grown > BYTES else None


def work(what: str, seed: int, until: float, current: Path) -> None:
    """Try inputs and print, for each, what was found, as JSON; ends by itself if one takes too long."""
    import jax

    jax.config.update("jax_disable_most_optimizations", True)
    resource.setrlimit(resource.RLIMIT_DATA, (16 << 30, resource.RLIM_INFINITY))
    warnings.simplefilter("ignore")
    for data in inputs(what, np.random.default_rng(seed)):
        if time.time() > until:
            return
        current.write_bytes(data)
        faulthandler.dump_traceback_later(SECONDS, exit=True)
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
        command = [sys.executable, __file__, "--what", what, "--seed", str(seed), "--child", str(until), str(current)]
        with (folder / "stderr").open("w+") as errors:
            process = subprocess.Popen(command, stdout=subprocess.PIPE, stderr=errors, text=True)
            for line in process.stdout:
                runs += 1
                if (finding := json.loads(line)) is not None:
                    note(finding)
            if process.wait():
                errors.seek(0)
                lines = [line for line in errors if "chainrule/" in line or "Error" in line or "panicked" in line]
                last = (lines or ["no trace"])[0 if process.returncode > 0 else -1].strip()
                note(f"exit status {process.returncode} ({last}): crash, or more than {SECONDS} s")
    current.unlink(missing_ok=True)
    return runs, found


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--what", choices=RUNS, help="default: all, one after the other")
    parser.add_argument("--minutes", type=float, default=1.0, help="for each (default 1)")
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--folder", type=Path, help="where findings are kept (default: a new temporary folder)")
    parser.add_argument("--again", type=Path, metavar="FILE", help="run this finding alone, traceback and all")
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

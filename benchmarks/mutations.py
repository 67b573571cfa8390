"""What ``fuzz.py`` and the tests feed: files and models, good and altered, and random tables."""

import bz2
import gzip
import io
import json
import lzma
import tempfile
from collections.abc import Callable, Iterator, Sequence
from contextlib import suppress
from copy import deepcopy
from pathlib import Path
from typing import TypeAlias

import numpy as np
import polars as pl
import pyarrow as pa

import chainrule

TOKENS = [
    *(
        b",",
        b";",
        b"\t",
        b"|",
        b'"',
        b"'",
        b'""',
        b"\r",
        b"\n",
        b"\r\n",
        b"\0",
        b" ",
        b"\xc3\xa9",
        b"\xef\xbb\xbf",
    ),
    *(b"NaN", b"inf", b"-inf", b"1e999", b"-0", b"1,234.5", b"1.234,5", b"true", b"null", b"2024-02-30"),
    *(b"{", b"}", b"[", b"]", b":", b"\\u0000", b"[[[[[[[[", b"\xff\xfe", b"\xe9", b"\x28\xb5\x2f\xfd"),
    *(b"PAR1", b"ARROW1", b"PK\x03\x04", b"\x1f\x8b", b"BZh9"),
    *(b"\xff" * 4, b"\xff\xff\xff\x7f", b"\0\0\0\x80", bytes(8), b"\xff" * 8),
]
VALUES = [
    *(None, True, -1, 0, 1, 2**31, 2**63, 10**30, 1e308, 0.5),
    *("", "x", "z", "\0", "relu", [], {}, [[]], [None]),
    *({"$float": "nan"}, {"$tuple": []}, {"$array": [1], "$dtype": "|O"}, {"$dict": [[[], 1]]}),
]


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
    packed = [pack(text) for pack in (gzip.compress, bz2.compress, lzma.compress)]
    packed += [pa.compress(text, "zstd", asbytes=True)]
    texts = [text, written("write_csv", separator="\t"), text.decode().encode("utf-16"), european]
    texts += [b"1 2 3\n4 5 6\n7 8 9\n"]
    spoken = [written("write_json"), written("write_ndjson")]
    codecs = ("zstd", "snappy", "gzip", "lz4", "brotli", "uncompressed")
    tables = [written("write_parquet", further, compression=codec) for codec in codecs]
    arrows = [written(method, further) for method in ("write_ipc", "write_ipc_stream")]
    return [*texts, *packed, *spoken, *tables, *arrows, written("write_ipc", compression="lz4")]


def model_files() -> list[bytes]:
    """Small models, one of each kind."""
    rng = np.random.default_rng(0)
    X = rng.normal(size=(40, 2))
    y = X @ [1.0, -2.0]
    small = {"hidden_layer_sizes": (3,), "max_iter": 1, "random_state": 0}
    models = [
        chainrule.DeepRegressor(**small).fit(loader_table(), y),
        chainrule.DeepClassifier(**small, early_stopping=True).fit(
            loader_table(), np.where(y > 0, "yes", "no")
        ),
        chainrule.DeepRegressor(
            **small, numeric_embedding=None, loss="quantile(0.1, 0.5)", layer_norm=True
        ).fit(X, y),
    ]
    found = []
    with tempfile.TemporaryDirectory() as folder:
        for model in models:
            chainrule.save(model, Path(folder) / "model")
            found.append((Path(folder) / "model").read_bytes())
    return found


def loader_table() -> pl.DataFrame:
    """What two of the models learnt from."""
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


Maker: TypeAlias = Callable[[int, np.random.Generator], pl.Series]


def random_frame(makers: Sequence[Maker], rows: int, rng: np.random.Generator) -> pl.DataFrame:
    """A table with a column c0, c1, … of each maker's."""
    return pl.DataFrame([make(rows, rng).alias(f"c{place}") for place, make in enumerate(makers)])


def drawn(values: Callable[[int, np.random.Generator], Sequence[object]], dtype: object = None) -> Maker:
    """A column of some values, in half of the tables with some missing."""

    def make(rows: int, rng: np.random.Generator) -> pl.Series:
        column = pl.Series("", list(values(rows, rng)), strict=False)
        if rng.random() < 0.5:
            column = (
                column.set(pl.Series(rng.random(rows) < 0.2), None)
                if not column.dtype.is_nested()
                else column
            )
        return column if dtype is None else column.cast(dtype, strict=False)

    return make


def chosen(*values: object) -> Maker:
    return drawn(lambda rows, rng: [values[place] for place in rng.integers(0, len(values), rows)])


def whole(low: int, high: int, dtype: object = None) -> Maker:
    return drawn(lambda rows, rng: rng.integers(low, high, rows).tolist(), dtype)


EXTREMES = (0.0, -0.0, 1.0, 1e300, -1e300, 1e-320, 1.8e308, 2.0**53, 3.4e38, 3.5e38, 1e-45)
WORDS = ("", " ", "a", "é", "نص", "🙂", "a,b", "x\ny", "1", "1.5", "2024-01-01", "NA", "\u202e", "a" * 500)
COLUMNS = [
    drawn(lambda rows, rng: rng.normal(size=rows)),
    drawn(lambda rows, rng: rng.normal(size=rows), pl.Float32),
    drawn(lambda rows, rng: rng.normal(size=rows), pl.Decimal(20, 3)),
    drawn(lambda rows, rng: [f"id {row}" for row in range(rows)]),
    chosen(*EXTREMES),
    chosen(*EXTREMES, float("nan"), float("inf")),
    chosen(1.0),
    chosen(None),
    drawn(lambda rows, rng: [None] * rows, pl.Float64),
    chosen(True, False),
    chosen(*WORDS),
    drawn(lambda rows, rng: rng.choice(["a", "b", "c"], rows).tolist(), pl.Categorical),
    chosen("2024-01-01", "2023-12-31", "1999-06-30"),
    chosen("01/02/2024", "31/12/2024", "30/02/2024"),
    chosen([1.0, 2.0]),
    chosen({"a": 1}),
    chosen(b"\xff\0"),
    whole(0, 3),
    whole(-100, 100, pl.Int8),
    whole(-(2**62), 2**62),
    whole(0, 2**62, pl.UInt64),
    whole(0, 2**62, pl.Int128),
    whole(-(10**7), 10**7, pl.Date),
    whole(-(2**31), 2**31, pl.Date),
    whole(-(2**62), 2**62, pl.Datetime("us")),
    whole(-(2**62), 2**62, pl.Datetime("ms")),
    whole(0, 2**62, pl.Datetime("ns", "Europe/Rome")),
    whole(-(2**62), 2**62, pl.Duration("us")),
    whole(0, 86_400 * 10**9, pl.Time),
]

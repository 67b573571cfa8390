"""Tables of the usual form whose values are odd: numbers, dates, classes, targets, weights, groups, times."""

from pathlib import Path

import polars as pl
from tests.hostile.cases import FIT, ROWS, Case, base, cells, text, with_column

DAYS = [f"2024-01-{k:02}" for k in range(1, ROWS + 1)]


def column(name: str, *values: object) -> str:
    """The base with these values again and again in a column more."""
    return text(with_column(name, [values[k % len(values)] for k in range(ROWS)]))


def typed(name: str, values: list[object], dtype: object) -> "Parquet":
    return Parquet(with_column(name, [values[k % len(values)] for k in range(ROWS)], dtype))


class Parquet:
    """Writes a frame to t.parquet."""

    def __init__(self, frame: pl.DataFrame) -> None:
        self.frame = frame

    def __call__(self, folder: Path) -> None:
        self.frame.write_parquet(folder / "t.parquet")


IN_PARQUET = "fit t.parquet --target y"
CLASSES = text(base().with_columns(y=pl.when(pl.col("y") > 8).then(pl.lit("yes")).otherwise(pl.lit("no"))))

INFINITE = {
    "infinity": cells("a", "inf", 1, 2),
    "minus infinity": cells("a", "-inf", 1, 2),
    "infinity as a word": cells("a", "Infinity", 1, 2),
    "1e400": cells("a", "1e400", 1, 2),
    "10,000 digits": cells("a", "1" * 10_000, 1, 2),
}
NUMBERS = {
    "1e300": cells("a", "1e300", 1, "-1e300"),
    "1e308 and its opposite": cells("a", "1.7e308", "-1.7e308", 0),
    "1e-320": cells("a", "1e-320", "2e-320", 0),
    "beyond float32": cells("a", "3.5e38", 1, 2),
    "one huge outlier": cells("a", *range(23), "1e30"),
    "uint64": cells("a", 2**64 - 1, 2**63, 0),
    "10^30": cells("a", 10**30, 1, 2),
    "minus zero": cells("a", "-0.0", "0.0", "-0"),
    "differences below float32": cells("a", *(f"1000000000.{k:03}" for k in range(24))),
    "missing and NaN": cells("a", "", "NaN", "null", 1.5, 2),
    "spaces only": cells("a", "  ", 1, 2),
    "mixed types": cells("a", 1, "two", 3.5, "2024-01-01", "true"),
    "words for truth": cells("a", "yes", "no"),
    "truth in every spelling": cells("a", "True", "FALSE", "true"),
    "thousands": text(with_column("a", [f"{k},{k:03}.5" for k in range(1, ROWS + 1)])),
    "decimal commas": text(with_column("a", [f"{k},5" for k in range(ROWS)]), separator=";"),
    "percent": cells("a", "1%", "2%", "30.5%"),
    "currency": cells("a", "€ 1", "€ 2.50", "$3"),
    "codes": cells("a", "00501", "10001", "00012"),
    "Excel's errors": cells("a", "#DIV/0!", 1, "#N/A", 2),
    "hexadecimal": cells("a", "0x1F", "0xFF"),
    "fractions": cells("a", "1/2", "3/4"),
    "underscores": cells("a", "1_000", "2_000"),
    "Arabic digits": cells("a", "٣", "٤٥"),
    "Unicode minus": cells("a", "\u22121", "2"),
    "no-break spaces": cells("a", "1\u00a0000", "2\u00a0500"),
    "brackets for minus": cells("a", "(1.50)", "2.50"),
    "a formula": cells("a", "=1+1", "=cmd|' /C calc'!A0"),
    "all missing": cells("a", ""),
    "all NA": cells("a", "NA"),
    "all alike": cells("a", 5),
    "one value and missing": cells("a", 5, ""),
    "one row has a value": text(with_column("a", [1.5] + [None] * 23)),
    "a copy of the target": text(base().with_columns(a=pl.col("y"))),
    "the target times 1e20": text(base().with_columns(a=pl.col("y") * 1e20)),
    "collinear": text(base().with_columns(b=pl.col("a") * 2 + 1, d=-pl.col("a"))),
}
TEXTS = {
    "a different text in each row": cells("c", *(f"id {k}" for k in range(24))),
    "texts of 100,000 letters": cells("c", "w" * 100_000, "v" * 100_000),
    "texts that differ at the end only": cells("c", "w" * 1000 + "a", "w" * 1000 + "b"),
    "an escape sequence": cells("c", "\x1b[2J", "x"),
    "texts of direction marks": cells("c", "\u202eabc", "\u200babc", "abc"),
    "emoji": cells("c", "👨‍👩‍👧", "🏠"),
    "composed and decomposed": cells("c", "é", "e\u0301"),
    "like our levels": cells("c", "missing", "other", "rare", "None", "nan?"),
    "JSON": cells("c", "{}", "[1]"),
    "addresses": cells("c", "https://example.org/?a=1&b=2", "a@example.org"),
}
DATES = {
    "of any year": cells("d", "0001-01-01", "9999-12-31", "2024-01-01"),
    "year 10000": cells("d", "10000-01-01", "2024-01-01"),
    "before Christ": cells("d", "-0044-03-15", "2024-01-01"),
    "impossible": cells("d", "2024-02-30", "2024-01-01"),
    "of zeros": cells("d", "0000-00-00", "2024-01-01"),
    "all the same": cells("d", "2024-01-01"),
    "zones mixed": cells("d", "2024-01-01T10:00:00Z", "2024-01-01T10:00:00+05:30", "2024-01-01T10:00:00"),
    "day first or month first": cells("d", "01/02/2024", "31/12/2024", "12/31/2024"),
    "two digits for the year": cells("d", "31.12.99", "01.01.00"),
    "leap second": cells("d", "2016-12-31T23:59:60", "2016-12-31T23:59:59"),
    "times of day": cells("d", "23:59:59", "24:00:00", "00:00"),
    "seconds since 1970": cells("d", 1704067200, 1704153600),
    "digits": cells("d", "20240101", "20240230"),
    "with missing": cells("d", "2024-01-01", "", "2024-03-01"),
}
TARGETS = [
    Case("one value", cells("y", 3)),
    Case("one value but for one row", text(with_column("y", [1.0] * 23 + [2.0]))),
    Case("NaN and missing", cells("y", "NaN", "", 1.5, 2)),
    Case("all missing", cells("y", ""), says="all are missing"),
    Case("infinite", cells("y", "inf", 1, 2), says="inf"),
    Case("1e300", cells("y", "1e300", 1, 2), says="target.* must be within"),
    Case("1e38", cells("y", "1e38", "-1e38", 0)),
    Case("1e-320", cells("y", "1e-320", "2e-320", "0")),
    Case("1e-30", cells("y", "1e-30", "2e-30", "0")),
    Case("one class", cells("y", "yes"), says="at least two classes"),
    Case("a class with one row", text(with_column("y", ["rare"] + ["usual"] * 23))),
    Case("each row its class", cells("y", *(f"id {k}" for k in range(24)))),
    Case("each row its class, as asked for", cells("y", *range(24)), FIT + " --task classification"),
    Case("half numbers", cells("y", "n/a", 1.5, 2), says="all numbers or all classes; got both"),
    Case("classes that are numbers", cells("y", 0, 1, 2), FIT + " --task classification"),
    Case("classes with missing rows", CLASSES.replace(",no\n", ",\n", 3)),
    Case(
        "classes for regression", CLASSES, FIT + " --task regression", says="must be numeric for regression"
    ),
    Case("fractions for classification", text(), FIT + " --task classification", says="got 3.5 in row 2"),
    Case("dates", text(with_column("y", DAYS)), says="numbers or classes; got dates or times"),
    Case("dates that are classes", text(with_column("y", DAYS)), FIT + " --task classification"),
    Case("zeros and ones", cells("y", 0, 1), FIT + " --balanced"),
    Case("amounts with signs", cells("y", *(f"{k} %" for k in range(24))), says="numbers with signs"),
    Case("negative for poisson", text(), FIT + " --loss poisson", says="needs y ≥ 0"),
    Case("booleans", cells("y", "true", "false")),
    Case("texts of odd letters", cells("y", "🏠", "a,b", "say x")),
    Case("a list", typed("y", [[1.0, 2.0]], pl.List(pl.Float64)), IN_PARQUET, says="target 'y' must be"),
    Case("bytes", typed("y", [b"\xff"], pl.Binary), IN_PARQUET, says="target 'y' must be"),
    Case("a column of nothing", typed("y", [None], pl.Null), IN_PARQUET, says="all are missing"),
    Case("a duration", typed("y", [60, 120, 5], pl.Duration("ms")), IN_PARQUET, says="target 'y' must be"),
    Case("a category", typed("y", ["u", "v"], pl.Categorical), IN_PARQUET),
    Case(
        "float32 infinities", typed("y", [1.0, float("inf")], pl.Float32), IN_PARQUET, says="must be finite"
    ),
    Case("int64 beyond 2^53", typed("y", [2**62, 2**62 + 1, 0], pl.Int64), IN_PARQUET),
    Case("uint64", typed("y", [2**64 - 1, 0, 5], pl.UInt64), IN_PARQUET),
    Case("named twice", text(), FIT + " --target y"),
    Case("and an input", text(), FIT + " --target a --drop a", says="two of them", code=2),
    Case(
        "of several kinds", text(), FIT + " --target c", says="several targets must be numeric; 'c' is text"
    ),
]
WEIGHTS = [
    Case("negative", column("w", 1, -1), says="numbers of 0 or more"),
    Case("zero", column("w", 0), says="some of them above 0"),
    Case("partly zero", column("w", 0, 1, 2)),
    Case("missing", column("w", 1.5, None), says="weight 'w' must have a value in each row"),
    Case("text", column("w", "much", "little"), says="numbers of 0 or more"),
    Case("infinite", text(with_column("w", ["inf"] + ["1"] * 23)), says="weight.* must be"),
    Case("huge", column("w", 1e300, 1)),
    Case("tiny", column("w", 1e-300, 2e-300)),
    Case("on one row", column("w", *[1] + [0] * 23)),
    Case("booleans", column("w", True, False), says="got Boolean"),
    Case("the target", text(), says="two of them", code=2)._replace(command=FIT + " --weight y"),
]
GROUPS = [
    Case("one", column("g", "only"), says="at least two"),
    Case("two", column("g", "one", "other")),
    Case("each row its own", column("g", *range(ROWS))),
    Case("missing", column("g", None, "one"), says="group 'g' must have a value in each row"),
    Case("all missing", column("g", None), says="group 'g' must have a value in each row"),
    Case("floats", column("g", 1.5, 2.5)),
]
TIMES = [
    Case("all equal", column("m", 5), says="times must differ"),
    Case("texts", column("m", "early", "late"), says="dates or numbers"),
    Case("missing", column("m", 1, 2, None), says="time 'm' must have a value in each row"),
    Case("infinite", column("m", 1, 2, "inf"), says="must be finite"),
    Case("impossible dates", column("m", "2024-01-31", "2024-02-30"), says="must be dates"),
    Case("dates", text(with_column("m", DAYS))),
    Case("zones mixed", column("m", "2024-01-01T10:00:00Z", "2024-01-01T10:00:00+05:30")),
]
REFUSED = {
    "list": ([[1.0, 2.0]], pl.List(pl.Float64)),
    "array": ([[1.0, 2.0]], pl.Array(pl.Float64, 2)),
    "struct": ([{"u": 1}], pl.Struct({"u": pl.Int64})),
    "binary": ([b"\xff\0"], pl.Binary),
    "float32 infinity": ([float("inf"), 1.0, 2.0], pl.Float32),
    "milliseconds beyond microseconds": ([2**62, 0], pl.Datetime("ms")),
    "days beyond microseconds": ([2**31 - 1, -(2**31) + 1], pl.Date),
}
FINE = {
    "decimal": (["1.50", "2.75"], pl.Decimal(10, 2)),
    "duration": ([60_000, -5], pl.Duration("ms")),
    "time": ([0, 86_399_999_999_999], pl.Time),
    "categorical": (["u", "v", None], pl.Categorical),
    "enum": (["u", "v"], pl.Enum(["u", "v", "w"])),
    "zoned": ([0, 10**15], pl.Datetime("us", "Europe/Rome")),
    "nanoseconds": ([2**63 - 1, -(2**63) + 1], pl.Datetime("ns")),
    "nothing": ([None], pl.Null),
    "uint64": ([2**64 - 1, 0], pl.UInt64),
    "int128": ([2**100, 0], pl.Int128),
    "int8": ([-128, 127, None], pl.Int8),
    "float32": ([3.4e38, float("nan"), None], pl.Float32),
    "NaN and null": ([float("nan"), None, 1.5], pl.Float64),
    "all NaN": ([float("nan")], pl.Float64),
    "texts and null": (["u", None, ""], pl.String),
    "texts of numbers": (["1", "2.5", " 3"], pl.String),
}


def constant() -> str:
    return text(pl.DataFrame({"a": [1.0] * ROWS, "c": ["x"] * ROWS, "y": [2.0] * ROWS}))


CASES = [
    *(
        Case(f"number: {kind}", content, says="column 'a' must be finite")
        for kind, content in INFINITE.items()
    ),
    *(Case(f"number: {kind}", content) for kind, content in NUMBERS.items()),
    *(Case(f"text: {kind}", content) for kind, content in TEXTS.items()),
    *(Case(f"date: {kind}", content) for kind, content in DATES.items()),
    *(case._replace(name=f"target: {case.name}") for case in TARGETS),
    *(
        case._replace(name=f"{what}: {case.name}", command=case.command + option)
        for what, option, some in (
            ("weight", " --weight w", WEIGHTS[:-1]),
            ("group", " --group g", GROUPS),
            ("time", " --time m", TIMES),
        )
        for case in some
    ),
    WEIGHTS[-1]._replace(name="weight: the target"),
    *(
        Case(f"Parquet: {kind}", typed("a", *what), IN_PARQUET, says="column 'a' must")
        for kind, what in REFUSED.items()
    ),
    *(Case(f"Parquet: {kind}", typed("a", *what), IN_PARQUET) for kind, what in FINE.items()),
    Case("identical rows", "a,c,y\n" + "1,x,2\n" * ROWS),
    Case("constant inputs", text(base().with_columns(a=1, c=pl.lit("x")))),
    Case("everything constant", constant()),
    Case("nothing but missing inputs", text(base().with_columns(a=None, c=None))),
]

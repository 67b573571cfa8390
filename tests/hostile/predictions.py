"""Tables that are odd beside those that a model learnt from, and what is asked of it.

The model knows a (a number, sometimes missing), c (x or z), d (dates of January 2024) and the target y.
"""

import polars as pl
from tests.hostile.cases import PREDICT, ROWS, Case, base, binary, lines, text
from tests.hostile.files import two

DAYS = pl.date_range(pl.date(2024, 1, 1), pl.date(2024, 1, ROWS), eager=True)
NEW = base().with_columns(d=DAYS)
EVALUATE = "evaluate m.model t.csv"


def new(**changed: object) -> str:
    """Rows to predict, with other columns in place of these."""
    columns = {
        name: value if isinstance(value, pl.Expr) else pl.lit(value) for name, value in changed.items()
    }
    return text(NEW.with_columns(**columns))


def several(name: str, *values: object) -> str:
    return text(NEW.with_columns(pl.Series(name, [str(values[k % len(values)]) for k in range(ROWS)])))


FINE = {
    "as in training": new(),
    "without the target": text(NEW.drop("y")),
    "columns in another order": text(NEW.select("y", "d", "c", "a")),
    "a number far beyond": new(a=1e30),
    "a number beyond float32": new(a=-1e300),
    "numbers as text": several("a", "1,000.5", "2,000.25"),
    "number missing": new(a=None),
    "category missing": new(c=None),
    "date missing": new(d=None),
    "all missing": new(a=None, c=None, d=None),
    "unseen categories": several("c", "new", "🏠", "X"),
    "dates long ago": new(d="0001-01-01"),
    "dates far ahead": new(d="9999-12-31"),
    "truth for numbers": several("a", "true", "false"),
    "one row": text(NEW[:1]),
    "semicolons and decimal commas": text(NEW, separator=";", decimal_comma=True),
    "a text target": several("y", "what", "ever"),
}
REFUSED = {
    "text for a number": (
        several("a", "n/a", 1, 2),
        r"column 'a' must be numeric, as in training.*'n/a'.*--missing",
    ),
    "infinite number": (several("a", "inf", 1, 2), "column 'a' must be finite"),
    "text for dates": (several("d", "soon", "later"), "column 'd' must"),
    "numbers for dates": (several("d", 1, 2), "column 'd' must"),
    "another spelling of dates": (several("d", "31/01/2024", "30/01/2024"), "column 'd' must"),
    "numbers for categories": (several("c", 1, 2), "column 'c' must be a category"),
    "truth for categories": (several("c", "true", "false"), "column 'c' must be a category"),
    "impossible dates": (
        several("d", "2024-02-30", "2024-01-05"),
        "column 'd' must hold dates.*'2024-02-30' in row 1",
    ),
    "moments": (several("d", "2024-01-05T10:30:00", "2024-01-06T23:59:59"), "column 'd' must hold dates"),
    "dates for a number": (several("a", "2024-01-01", "2024-01-02"), "column 'a' must be numeric"),
    "a column is not there": (text(NEW.drop("c")), "must have the columns of training; missing 'c'"),
    "no column is there": ("u,v\n1,2\n", "missing 'a', 'c', 'd'"),
    "a name in capitals": (text(NEW.rename({"a": "A"})), "missing 'a'"),
    "no rows": ("a,c,d\n", "only a header"),
    "empty": ("", "it is empty"),
    "ragged": (lines(l3="1"), "cells in each row"),
}
OPTIONS = [
    Case("keep", new(), PREDICT + " --keep"),
    Case(
        "keep, with columns like answers",
        text(NEW.with_columns(pl.col("a").alias("predicted y"))),
        PREDICT + " --keep",
    ),
    Case("interval", new(), PREDICT + " --interval 0.9", says="kept no rows back", code=2),
    Case("interval of 2", new(), PREDICT + " --interval 2", says="interval", code=2),
    Case("interval of NaN", new(), PREDICT + " --interval nan", says="interval", code=2),
    Case("classes of a regression", new(), PREDICT + " --probabilities", says="no classes", code=2),
    Case("sets of a regression", new(), PREDICT + " --set 0.9", says="must be left out", code=2),
    Case("as JSON", new(), PREDICT + " --json -o p.json"),
    Case("to Parquet", new(), PREDICT + " -o p.parquet"),
    Case("a suffix that is none", new(), PREDICT + " -o p.xyz", says="suffix '.xyz'"),
    Case("a full disk", new(), PREDICT + " -o /dev/full", says="suffix ''"),
    Case("a full disk, as JSON", new(), PREDICT + " --json -o /dev/full", says="No space left"),
    Case("in no folder", new(), PREDICT + " -o gone/p.csv", says="folder that exists"),
    Case("over the table", new(), PREDICT + " -o t.csv", says="another file", code=2),
    Case("over the model", new(), PREDICT + " -o m.model", says="another file", code=2),
    Case("marks of missing", several("a", "n/a", 1, 2), PREDICT + " --missing n/a"),
    Case("several files", two(text(NEW[:9]), text(NEW[9:])), "predict m.model part-*.csv"),
    Case("standard input", None, "predict m.model -", stdin=binary("write_parquet", NEW)),
    Case("both from standard input", None, "predict - -", says="only one of", code=2, stdin=b""),
    Case("evaluated", new(), EVALUATE),
    Case("evaluated without the target", text(NEW.drop("y")), EVALUATE, says="no column 'y'", code=2),
    Case("evaluated on texts", several("y", "u", "v"), EVALUATE, says="numeric"),
    Case("evaluated on missing targets", new(y=None), EVALUATE, says="all are missing"),
    Case("evaluated on some missing", several("y", "", 1, 2).replace('""', ""), EVALUATE),
    Case("evaluated on infinite targets", several("y", "inf", 1), EVALUATE, says="finite"),
    Case("evaluated on huge targets", several("y", "1e300", 1), EVALUATE, says="must be within"),
    Case(
        "evaluated on huge targets, as JSON",
        several("y", "1e300", 1),
        EVALUATE + " --json",
        says="must be within",
    ),
    Case("evaluated on one row", text(NEW[:1]), EVALUATE),
    Case("evaluated on a constant", new(y=3.5), EVALUATE),
    Case("evaluated by two targets", new(), EVALUATE + " --target y --target a", says="1 target", code=2),
    Case("evaluated by another target", text(NEW.rename({"y": "price"})), EVALUATE + " --target price"),
]

CASES = [
    *(Case(f"predicted: {kind}", content, PREDICT) for kind, content in FINE.items()),
    *(Case(f"predicted: {kind}", content, PREDICT, says=says) for kind, (content, says) in REFUSED.items()),
    *(case._replace(name=f"asked: {case.name}") for case in OPTIONS),
]

"""Delimited text that is odd, wrong or huge in its form: rows, names, encodings, separators, quotes."""

from pathlib import Path

import polars as pl
from tests.hostile.cases import FIT, ROWS, Case, base, lines, text


def named(name: str) -> str:
    """The base, its first column under another name."""
    return text(base().rename({"a": name}))


def wide(columns: int) -> object:
    def write(folder: Path) -> None:
        frame = pl.DataFrame({f"x{k}": [(row * k) % 7 for row in range(4)] for k in range(columns)})
        frame.with_columns(y=pl.Series([1.5, 2.0, 0.5, 1.0])).write_csv(folder / "t.csv")

    return write


def different(rows: int) -> object:
    def write(folder: Path) -> None:
        numbers = pl.int_range(rows, eager=True)
        texts = "customer " + numbers.cast(pl.String)
        pl.DataFrame({"t": texts, "y": numbers % 17 + 0.5}).write_csv(folder / "t.csv")

    return write


def western(encoding: str) -> bytes:
    return text().replace("x", "é").replace("z", "ü").encode(encoding)


SEPARATED = {"semicolons": ";", "tabs": "\t", "pipes": "|"}
NAMES = {
    "quotes and commas": 'say ""a"", b',
    "a newline": "two\nlines",
    "a tab": "a\tb",
    "Unicode": "größe (m²)",
    "right to left": "السعر",
    "emoji": "🏠👨‍👩‍👧",
    "a pattern of polars": "^.*$",
    "a star": "*",
    "a keyword": "class",
    "our own output": "y (low)",
    "a mark of our files": "$array",
    "a path": "../../etc/passwd",
    "a formatting field": "{0.__class__} %s",
    "an escape sequence": "\x1b[31mred",
    "10,000 letters": "n" * 10_000,
    "an automatic name": "column_2",
    "a decomposed letter": "e\u0301",
}

CASES = [
    Case("empty file", "", says="it is empty"),
    Case("only spaces and lines", " \n\n \r\n", says="it is empty"),
    Case("header only", "a,c,y\n", says="only a header"),
    Case("header without its line end", "a,c,y", says="only a header"),
    Case("one row", "a,c,y\n1,x,2\n"),
    Case("two rows", "a,c,y\n1,x,2\n3,z,4.5\n"),
    Case("the target is the only column", "y\n1\n2\n3\n", says="columns to learn from", code=2),
    Case("short row", lines(l5="1,x"), says="3 cells in each row.*got 2 in row 5"),
    Case("long row", lines(l7="1,x,2,3"), says="3 cells in each row.*got 4 in row 7"),
    Case("last row cut off", text()[:-8], says="3 cells in each row"),
    Case("last line without its end", text().rstrip("\n")),
    Case("trailing separators", lines(l0="a,c,y,").replace("\n", ",\n").replace(",,", ",", 1)),
    Case("trailing separators but in the header", "a,c,y\n" + "1,x,2,\n" * ROWS, says="3 cells in each row"),
    Case("name twice", lines(l0="a,a,y"), says="column name once; got 'a'"),
    Case("name twice but for spaces", lines(l0="a, a,y"), says="column name once; got 'a'"),
    Case("target twice", lines(l0="y,c,y"), says="column name once; got 'y'"),
    Case("empty name", lines(l0=",c,y")),
    Case("empty names", lines(l0=",,y")),
    Case("empty name of the target", lines(l0="a,c,"), says="no column 'y'", code=2),
    *(Case(f"name: {kind}", named(name)) for kind, name in NAMES.items()),
    Case("names that are numbers", lines(l0="1,2,y")),
    Case("names in other letters only", lines(l0="a,A,y")),
    Case(
        "a decomposed target",
        text(base().rename({"y": "e\u0301"})),
        "fit t.csv --target é",
        "no column 'é'",
        code=2,
    ),
    Case("a name of NUL", b"a\0,c,y\n1,x,2\n", says="zero byte in line 1"),
    Case("target that is not there", text(), "fit t.csv --target price", "no column 'price'", code=2),
    Case("Latin-1", western("latin-1"), tells="Windows-1252"),
    Case("Windows-1252 quotes", text().replace("x", "“x”").encode("cp1252"), tells="Windows-1252"),
    Case("Windows-1251", text().replace("x", "Москва").encode("cp1251"), says="must be UTF-8 text"),
    Case("Shift JIS", text().replace("x", "東京都").encode("shift_jis"), says="must be UTF-8 text"),
    Case("UTF-8 with a mark", western("utf-8-sig")),
    Case("two marks", b"\xef\xbb\xbf" * 2 + western("utf-8")),
    Case("UTF-16", western("utf-16"), tells="UTF-16"),
    Case("UTF-16 without a mark", western("utf-16-be"), tells="UTF-16"),
    Case("UTF-16 cut within a letter", western("utf-16")[:-1], says="whole UTF-16 text"),
    Case("UTF-32", western("utf-32"), tells="UTF-32"),
    Case(
        "one wrong byte in UTF-8",
        western("utf-8") + b"1,\xff,2\n",
        says="must be UTF-8 text; got byte 0xff in line 26",
    ),
    Case("half of a surrogate pair", text().encode() + b"1,\xed\xa0\x80,2\n", says="must be UTF-8 text"),
    Case("overlong UTF-8", western("utf-8") + b"1,\xc0\xaf,2\n", says="must be UTF-8 text"),
    Case("zero byte", lines(l9="1,\0,2"), says="zero byte in line 10"),
    Case("zero bytes at the end", text() + "\0" * 512, says="zero byte"),
    Case("Windows line ends", text().replace("\n", "\r\n")),
    Case("old Mac line ends", text().replace("\n", "\r")),
    Case("mixed line ends", text().replace("\n", "\r\n", 9)),
    Case("doubled carriage returns", text().replace("\n", "\r\r\n")),
    Case("line separators within cells", text().replace("x", "x\u2028\x85\x0b\x0c")),
    Case("blank lines", text().replace("\n", "\n\n")),
    Case("blank lines on top", "\n\n\n" + text()),
    Case("a comment on top", "# made by a program\n" + text(), says="a title or a remark"),
    Case("a title on top", "Prices,,\n" + text(), says="no column 'y'", code=2),
    Case("totals below", text() + "total,,99\n"),
    *(Case(kind, text(separator=mark)) for kind, mark in SEPARATED.items()),
    Case("spaces", "a b y\n" + "".join(f"{k}  {k * k}   {k}.5\n" for k in range(ROWS))),
    Case("separators mixed", text().replace(",", ";", 30), says="cells in each row|no column 'y'"),
    Case("Excel's line that names the separator", "sep=;\n" + text(separator=";")),
    Case("quote never closed", lines(l4='"1,x,2'), says="never closed"),
    Case("text after a quote", lines(l4='1,"x"x,2'), says="whole CSV file"),
    Case("quote within a cell", lines(l4='1,5" pipe,2')),
    Case("quotes doubled", lines(l4='1,"say ""x""",2')),
    Case("backslash before a quote", lines(l4='1,"say \\"x\\"",2')),
    Case("single quotes", lines(**{f"l{k}": f"{k},'x, y',{k}.5" for k in range(1, ROWS + 1)})),
    Case("all in quotes", text(quote_style="always")),
    Case("newlines within cells", text().replace("x", '"x\ny\r\nz"')),
    Case("1,000 columns", wide(1_000), FIT + " --hidden none"),
    Case("10,000 columns", wide(10_000), FIT + " --hidden none", long=True),
    Case("a cell of 5 MB", lines(l3=f"1,{'w' * 5_000_000},2")),
    Case("a name of 1 MB", named("n" * 1_000_000)),
    Case("5 MB without a line end", "1 " * 2_500_000, says="only a header"),
    Case("5 MB of separators", "," * 5_000_000, says="only a header"),
    Case("5 MB of quotes", '"' * 5_000_001, says="only a header"),
    Case("5 MB of line ends and a letter", "\n" * 5_000_000 + "y", says="only a header"),
    Case(
        "100,000 different texts",
        different(100_000),
        FIT + " --hidden none",
        tells="as an identifier or free text does",
    ),
    Case(
        "a million different texts",
        different(1_000_000),
        FIT + " --hidden none",
        tells="identifier",
        long=True,
    ),
]

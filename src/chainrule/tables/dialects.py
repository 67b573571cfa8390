"""How delimited text is written, found from its first rows: separator, quotes, names of the columns."""

import csv
import io
import re
import sys
import warnings
from collections import Counter
from collections.abc import Collection, Iterable, Iterator
from contextlib import contextmanager
from itertools import islice, pairwise
from typing import NamedTuple

from chainrule.errors import TableError
from chainrule.tables.sources import Source

__all__ = ["Dialect", "long_cells", "rows_of", "sniff"]

_SEPARATORS = ",;\t|"
_FIRST, _LAST = 1 << 18, 1 << 26  # bytes that are looked at: the more if the fewer hold less than _FEW rows
_FEW, _MANY = 3, 1000  # rows
_NUMBER = re.compile(r"[+-]?(\d+([.,]\d*)*|\.\d+)([eE][+-]?\d+)?")
_YEARS = set(range(1800, 2101))
_UNKNOWN = {"", "?", "-", "--", ".", "n/a", "none", "unknown", "missing", "nan", "na", "null"}


class Dialect(NamedTuple):
    """How a file of delimited text is written."""

    separator: str
    quote: str
    header: bool
    """Whether the first row has the names."""
    names: tuple[str, ...]
    fractions: frozenset[str]
    """Columns that are numbers with a decimal point, in the rows that were looked at."""
    irregular: bool
    """Whether cells are apart by several spaces, or quotes come after spaces: only `rows_of` reads that."""


def sniff(source: Source, missing: Collection[str]) -> Dialect:
    """Find out how `source`, UTF-8 text, is written.

    The separator is that which cuts most rows into as many cells as the first; spaces are separators only if
    nothing else is and a column of numbers comes of it. The first row has the names unless it looks like the
    rows below it.

    Raises
    ------
    TableError
        If a column name comes twice.
    """
    text = _sample(source)
    quote = "'" if _single_quoted(text) else '"'
    separator = _separator(text, quote, source.path is not None and source.path.suffix.lower() == ".tsv")
    rows = [row for row in _head(text, separator, quote) if any(row)]
    first = rows[0] if rows else [""]
    unknown = _UNKNOWN | {mark.lower() for mark in missing}
    columns = [_without(column, unknown) for column in zip(*rows[1:], strict=False)] or [[] for _ in first]
    header = not _is_data(first, columns, rows, unknown)
    names = _names(source.name, first if header else [""] * len(first))
    if not header:
        warnings.warn(
            f"{source.name} has no header: its first row, {', '.join(first)[:60]!r}, looks like data. Its "
            "columns are named column_1, column_2, …; put a line with their names on top if you know them.",
            UserWarning,
            stacklevel=6,
        )
    # With another separator than a comma, the decimal mark is known only once all cells are.
    fractions = (
        name
        for name, column in zip(names, columns, strict=False)
        if separator == "," and all(map(_is_plain_number, column)) and any("." in cell for cell in column)
    )
    spaced = re.search(rf"(^|{re.escape(separator)})[ ]+{quote}", text, re.MULTILINE)
    return Dialect(
        separator, quote, header, names, frozenset(fractions), separator == " " or spaced is not None
    )


def rows_of(
    lines: Iterable[str], separator: str, quote: str, *, strict: bool
) -> Iterator[tuple[int, list[str]]]:
    """The rows one by one, slowly: the line on which each ends, and its cells."""
    if separator == " ":
        lines = (line.strip(" \r\n") + "\n" for line in lines)
    reader = csv.reader(lines, delimiter=separator, quotechar=quote, skipinitialspace=True, strict=strict)
    for cells in reader:
        yield reader.line_num, cells


@contextmanager
def long_cells() -> Iterator[None]:
    """Let the csv module take cells of any length, which it otherwise refuses beyond 128 KiB."""
    before = csv.field_size_limit(sys.maxsize)
    try:
        yield
    finally:
        csv.field_size_limit(before)


def _sample(source: Source) -> str:
    """The first rows as text: whole lines, unless one line is all there is."""
    size = _FIRST
    while True:
        data = source.head(size)
        text = data.decode("utf-8-sig", "ignore").lstrip("\r\n")
        if "\n" not in text:
            text = text.replace("\r", "\n")
        if len(data) < size:
            return text
        whole = end = quotes = position = 0
        for line in text[: text.rfind("\n") + 1].splitlines(keepends=True):
            position += len(line)
            quotes += line.count('"')
            if quotes % 2 == 0:  # else the line ends within a cell
                whole, end = whole + 1, position
        if whole >= _FEW or size >= _LAST:
            return text[: end or None]
        size *= 8


def _head(text: str, separator: str, quote: str) -> list[list[str]]:
    """The first rows, cells stripped."""
    with long_cells():
        rows = rows_of(io.StringIO(text, newline=""), separator, quote, strict=False)
        return [[cell.strip() for cell in cells] for _, cells in islice(rows, _MANY)]


def _single_quoted(text: str) -> bool:
    """Whether cells are in single quotes: no double ones, and each single one at the edge of a cell."""
    if '"' in text or text.count("'") < 4:
        return False
    cells = re.findall(r"(?:(?<=[,;\t|\n])|^)'(?:[^'\n]|'')*'(?=[,;\t|\r\n]|$)", text)
    return sum(cell.count("'") for cell in cells) == text.count("'")


def _separator(text: str, quote: str, tabs: bool) -> str:
    best, most = ",", (0.0, 0.0, False)
    for separator in _SEPARATORS:
        rows = [row for row in _head(text, separator, quote) if any(row)][:200]
        if rows and len(rows[0]) > 1:
            alike = sum(len(row) == len(rows[0]) for row in rows) / len(rows)
            cells = [cell for row in rows for cell in row]
            numbers = sum(_NUMBER.fullmatch(cell) is not None for cell in cells) / len(cells)
            score = (alike, numbers, tabs and separator == "\t")
            if score > most:
                best, most = separator, score
    return best if most[0] or not _by_spaces(text, quote) else " "


def _by_spaces(text: str, quote: str) -> bool:
    rows = [row for row in _head(text, " ", quote) if any(row)]
    if len(rows) < 2 or len(rows[0]) < 2 or any(len(row) != len(rows[0]) for row in rows):
        return False
    return any(all(map(_is_plain_number, column)) for column in zip(*rows[1:], strict=True))


def _is_data(
    first: list[str], columns: list[list[str]], rows: list[list[str]], unknown: Collection[str]
) -> bool:
    """Whether the first row looks like the rows below it.

    A word above numbers (or above dates, or true and false) is a name. A number above numbers is data, unless
    the first row counts (0, 1, 2, … or 2019, 2020, …) and the second does not. Of texts alone, most must come
    again below.
    """
    if not first[0] and columns[0][:9] == [str(row) for row in range(len(columns[0][:9]))] != []:
        return False  # rows are numbered: pandas gives no name to that column
    for_data, again, texts = 0, 0, 0
    for cell, column in zip(first, columns, strict=False):
        kinds = set(map(_kind, column))
        if cell.lower() in unknown or not kinds:
            continue
        if len(kinds) == 1 and "text" not in kinds:
            if _kind(cell) in kinds:
                for_data += 1
            elif re.search(r"[^\W\d]", cell):
                return False
        else:
            texts += 1
            again += cell in column
    if for_data:
        return not _counts(first, rows[1])
    return texts > 0 and again > texts / 2 and len(rows) > 3


def _kind(cell: str) -> str:
    """What a cell looks like: a number, a truth value, something with digits at certain places, or text."""
    if _NUMBER.fullmatch(cell):
        return "number"
    if cell.lower() in ("true", "false"):
        return "truth value"
    return re.sub(r"\d", "9", cell) if re.match(r"\d", cell) else "text"


def _counts(first: list[str], second: list[str]) -> bool:
    """Whether the first row has years, or goes up from 0 or 1 one by one, and the second not."""
    numbers, below = (
        [int(cell) for cell in row if re.fullmatch(r"\d{1,9}", cell)] for row in (first, second)
    )
    steps, steps_below = ({right - left for left, right in pairwise(row)} for row in (numbers, below))
    if len(steps) > 1 or min(steps, default=1) < 1 or len(numbers) < max(1, len(first) - 2):
        return False
    if set(numbers) <= _YEARS:
        return not below or not set(below) <= _YEARS
    return len(numbers) > 2 and numbers[0] in (0, 1) and steps == {1} != steps_below


def _without(cells: Iterable[str], unknown: Collection[str]) -> list[str]:
    return [cell for cell in cells if cell.lower() not in unknown]


def _is_plain_number(cell: str) -> bool:
    return _NUMBER.fullmatch(cell) is not None and "," not in cell and cell.count(".") < 2


def _names(file: str, header: list[str]) -> tuple[str, ...]:
    """Names of the columns; those without one are named by their position."""
    taken = set(header)
    names = list(header)
    for position, name in enumerate(header):
        if not name:
            names[position] = f"column_{position + 1}"
            while names[position] in taken:
                names[position] += "_"
    twice = sorted(name for name, count in Counter(names).items() if count > 1)
    if twice:
        raise TableError(
            f"{file} must have each column name once; got {', '.join(map(repr, twice))} more than once. "
            "Rename or drop the others."
        )
    return tuple(names)

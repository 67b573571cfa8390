"""Columns that are odd by themselves: empty, constant, identifiers, free text, with values far away."""

import re
import shlex
from collections.abc import Iterator
from typing import TYPE_CHECKING

import numpy as np

from chainrule.tables.date_columns import spelling_of
from chainrule.tables.nearly_numbers import nearly_numbers
from chainrule.tables.notice import SAMPLE, Notice, counted, share_of, shortly

if TYPE_CHECKING:
    import polars as pl

__all__ = ["empty_columns", "odd_column"]

_FEWEST = 20  # rows that tell anything about a column
_FEWEST_DENSE = 100
_NEARLY = 0.95
_WORDS = 4
_FAR = 100
_FEW_DATES = 5
_IDENTIFIES = re.compile(r"(?i:(^|[\W_])(id|uuid|guid)($|[\W_]))|[a-z]I[dD]$")


def empty_columns(X: "pl.DataFrame", filled: "pl.DataFrame", varying: "pl.DataFrame") -> Iterator[Notice]:
    """Columns with nothing, or nothing but one value."""
    has_values, varies = set(filled.columns), set(varying.columns)
    for column in X:
        if column.name not in has_values:
            text = f"column {shortly(column.name)} has no value at all; nothing can be learnt from it."
            yield Notice("missing", column.name, text)
        elif column.name not in varies:
            value, gaps = column.drop_nulls()[0], column.null_count()
            text = f"column {shortly(column.name)} is {shortly(value)} in all rows"
            text += f" but {gaps:,}, where it is missing." if gaps else "; nothing can be learnt from it."
            yield Notice("constant", column.name, text)


def odd_column(column: "pl.Series", seed: int) -> Iterator[Notice]:
    """What is odd about a column that varies."""
    import polars as pl

    missing = column.null_count()
    if missing > 0.5 * len(column):
        text = f"column {shortly(column.name)} is missing in {share_of(missing, len(column))} of the rows."
        yield Notice("mostly missing", column.name, text)
    present = column.drop_nulls()
    if len(present) < _FEWEST:
        return
    if column.dtype == pl.String:
        yield from _odd_text(present)
    elif column.dtype.is_numeric():
        if _spell_dates(present):
            yield _dates_as_numbers(present)
        else:
            yield from _identifying_numbers(present)
        yield from _far_values(present, seed)


def _odd_text(texts: "pl.Series") -> Iterator[Notice]:
    # Most columns are done with here: a look at the first rows is quicker than one at all.
    if texts.head(10_000).n_unique() < 0.5 * min(len(texts), 10_000) or spelling_of(texts) is not None:
        return
    share = texts.n_unique() / len(texts)
    words = 1 + texts.str.strip_chars().str.count_matches(r"\s+").sum() / len(texts)
    if words >= _WORDS and share >= 0.5:
        text = f"column {shortly(texts.name)} holds free text, {words:.0f} words on average"
        yield Notice(
            "free text", texts.name, f"{text}; what texts mean is not learnt, only which of them come again."
        )
    elif share >= _NEARLY and nearly_numbers(texts) is None:
        yield _identifier(texts, "nearly all of its texts differ" if share < 1 else "all of its texts differ")


def _spell_dates(numbers: "pl.Series") -> bool:
    """Whether whole numbers spell days from 1900 to 2100, such as 20230205."""
    import polars as pl

    if numbers.min() < 1900_01_01 or numbers.max() > 2100_12_31 or not _whole(numbers):  # type: ignore[operator]
        return False
    different = numbers.unique().cast(pl.Int64)
    dates = different.cast(pl.String).str.to_date("%Y%m%d", strict=False)
    return len(different) > _FEW_DATES and not dates.has_nulls()


def _dates_as_numbers(numbers: "pl.Series") -> Notice:
    text = (
        f"column {shortly(numbers.name)} looks like dates, such as {numbers[0]:.0f}, but is learnt from as "
        f"numbers. If they are dates, say so: --date {shlex.quote(numbers.name)}."
    )
    return Notice("dates as numbers", numbers.name, text)


def _identifying_numbers(numbers: "pl.Series") -> Iterator[Notice]:
    """Whole numbers that are all different and dense, one after the other, or called an ID."""
    first = numbers.head(10_000)
    if first.n_unique() < len(first) or not _whole(first) or not _whole(numbers):
        return
    if numbers.n_unique() < len(numbers):
        return
    # Differences of whole numbers: floats hold those exactly that are near each other where it matters.
    values = numbers.to_numpy().astype(np.float64)
    least, greatest = values.min(), values.max()
    steps = np.diff(values)
    if abs(steps[0]) == 1 and (steps == steps[0]).all():
        yield _identifier(numbers, "it counts the rows")
    # n numbers drawn at random from 5 n ones are all different with probability exp(−n / 10).
    elif len(values) >= _FEWEST_DENSE and greatest - least < 5 * len(values):
        yield _identifier(numbers, f"its whole numbers, from {least:.0f} to {greatest:.0f}, all differ")
    elif _IDENTIFIES.search(numbers.name):
        yield _identifier(numbers, "its whole numbers all differ")


def _identifier(column: "pl.Series", why: str) -> Notice:
    text = f"column {shortly(column.name)} looks like an identifier: {why}. Leave it out if it is one."
    return Notice("identifier", column.name, text)


def _far_values(numbers: "pl.Series", seed: int) -> Iterator[Notice]:
    """Values more than 100 robust standard deviations away from the median."""
    values = numbers.to_numpy().astype(np.float64)
    sampled = len(values) > SAMPLE
    some = np.random.default_rng(seed).choice(values, SAMPLE) if sampled else values
    with np.errstate(invalid="ignore", over="ignore"):  # of infinities and of the greatest floats
        quarter, median, other = np.quantile(some, [0.25, 0.5, 0.75])
        scale = (other - quarter) / 1.349  # of a normal distribution, its standard deviation
        if not (np.isfinite(scale) and scale > 0):
            return
        far = values[np.abs(values - median) > _FAR * scale]
    if not len(far):
        return
    farthest = far[np.abs(far - median).argmax()]
    verb = "is" if len(far) == 1 else "are"
    text = f"{counted(len(far), 'value')} of column {shortly(numbers.name)} {verb}"
    if (far == farthest).all() and len(far) > 1:
        text += f" {farthest:.10g}, far away from all others: if that means missing, say so."
    else:
        text += (
            f" more than {_FAR} times as far from its median {median:.4g} as its values usually are; the "
            f"farthest is {farthest:.10g}. Look for slips and for numbers that mean missing."
        )
    if sampled:
        text += f" (Median and spread are those of a sample of {SAMPLE:,} rows.)"
    yield Notice("far values", numbers.name, text)


def _whole(numbers: "pl.Series") -> bool:
    if numbers.dtype.is_integer():
        return True
    return bool(numbers.is_finite().all() and (numbers == numbers.floor()).all())

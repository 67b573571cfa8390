"""Lines for people, JSON for programs."""

import json
import os
import warnings
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

import typer
from rich.console import Console

from chainrule.cli.wording import with_marks
from chainrule.errors import ArgumentError

if TYPE_CHECKING:
    from chainrule.estimators.scores import Comparison

_NAMES = {"rmse": "RMSE", "mae": "MAE", "r2": "R²", "log_loss": "log-loss", "roc_auc": "ROC AUC"}
_SHARES = ("accuracy", "r2", "roc_auc")


class Report:
    """Lines on standard error; none where ``quiet``."""

    def __init__(self, quiet: bool = False) -> None:
        self._console = Console(stderr=True, highlight=False, soft_wrap=True, markup=False, quiet=quiet)
        self.warned: list[str] = []

    def say(self, text: str, style: str = "") -> None:
        """Print a line, in colours only on a terminal that wants them."""
        self._console.print(text, style=style)

    @contextmanager
    def warnings(self, reworded: Callable[[str], str] = str) -> Iterator[None]:
        """Say what is warned of inside, a line each, and nothing twice; an error may well come of it."""
        with warnings.catch_warnings(record=True) as caught:
            warnings.simplefilter("always", UserWarning)
            try:
                yield
            finally:
                for warning in caught:
                    if issubclass(warning.category, UserWarning):
                        self.warn(with_marks(reworded(str(warning.message))))

    def warn(self, text: str) -> None:
        """Say a warning, and nothing twice."""
        if text not in self.warned:
            self.warned.append(text)
            self.say(f"chainrule: {text}", "yellow")


@contextmanager
def warned_before() -> Iterator[None]:
    """Let pass what is warned of rows that ``Report.warnings`` has told of."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", UserWarning)
        yield


@contextmanager
def without_panics() -> Iterator[None]:
    """Keep from standard error what polars writes there of a damaged file, beside raising an error."""
    try:
        before = os.dup(2)
    except OSError:  # closed
        yield
        return
    silent = os.open(os.devnull, os.O_WRONLY)
    try:
        os.dup2(silent, 2)
        yield
    finally:
        os.dup2(before, 2)
        os.close(before)
        os.close(silent)


def out(text: str) -> None:
    """Print data on standard output."""
    typer.echo(text)


def out_json(value: Mapping[str, Any]) -> None:
    """Print one JSON object on standard output."""
    out(json.dumps(value, indent=2, ensure_ascii=False, allow_nan=False))


def aligned(rows: Sequence[Sequence[str]]) -> str:
    """Columns as wide as their widest cell: the first to the left, the others to the right."""
    widths = [max(map(len, column)) for column in zip(*rows, strict=True)]
    lines = (
        "  ".join([row[0].ljust(widths[0]), *map(str.rjust, row[1:], widths[1:])]).rstrip() for row in rows
    )
    return "\n".join(lines)


def score_table(scores: Mapping[str, "Comparison"], title: str, other: str) -> str:
    """Scores of the model, how far they may be off, and those of a baseline, target by target."""
    rows = [(title, "model", "95 % interval", other)]
    for target, (ours, theirs, intervals) in scores.items():
        named = f"{target}: " if len(scores) > 1 else ""
        for name in ours:
            interval = intervals.get(name)
            between = "–" if interval is None else " to ".join(number(name, end) for end in interval)
            row = (number(name, ours[name]), between, number(name, theirs.get(name)))
            rows.append((named + name_of(name), *row))
    return aligned(rows)


def name_of(score: str) -> str:
    """What people call a score."""
    return _NAMES.get(score, score)


def number(name: str, value: float | None) -> str:
    """A score as people read it; a dash where it has no meaning."""
    if value is None:
        return "–"
    if name in _SHARES:
        return f"{value:.4f}".replace("-0.0000", "0.0000")
    return f"{value:,.0f}" if 10_000 <= abs(value) < 1e15 else f"{value:.4g}"


def counted(number: int, what: str) -> str:
    """Say "1 row" or "2,000 rows"."""
    return f"{number:,} {what}{'' if number == 1 else 's'}"


def refuse_twice(*streams: tuple[str, str | None]) -> None:
    """Refuse standard input, or standard output, for two things at once; (name, path) each."""
    names = [name for name, path in streams if path == "-"]
    if len(names) > 1:
        raise ArgumentError(f"only one of {' and '.join(names)} can be -; give a file for the other.")

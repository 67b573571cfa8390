"""What stands on the command line: numbers, widths, and errors of usage in the manner of ours."""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import typer

from chainrule.errors import ArgumentError
from chainrule.mathematics.named import did_you_mean

_UsageError: type[Any] = typer.BadParameter.__mro__[1]  # of which typer names but this child


@contextmanager
def usage_plainly() -> Iterator[None]:
    """Raise what typer finds wrong with the arguments as an ArgumentError: a line, not four."""
    try:
        yield
    except _UsageError as error:
        raise ArgumentError(_said(error)) from error


def _said(error: Any) -> str:
    """What must be, what came, what to do."""
    see = f" See {error.ctx.command_path} --help." if error.ctx else ""
    if hasattr(error, "possibilities"):
        options = [name for parameter in error.ctx.command.params for name in parameter.opts]
        return f"there is no option {error.option_name}.{did_you_mean(error.option_name, options) or see}"
    parameter = getattr(error, "param", None)
    if parameter is None:
        return error.message if error.message.endswith("?") else f"{error.message.rstrip('.')}.{see}"
    longest = max(parameter.opts, key=len)
    name = longest if longest.startswith("-") else parameter.metavar
    if not error.message:
        return f"{name} must be given.{see}"
    got, of, choices = error.message.removeprefix("Value error, ").partition(" is not one of ")
    return f"{name} must be one of {choices.rstrip('.')}; got {got}." if of else f"{name} {error.message}"


def whole(text: Any) -> int:
    """A whole number; the estimators say from where on it may be."""
    try:
        return int(text)
    except ValueError:
        raise typer.BadParameter(f"must be a whole number; got {text!r}.") from None


def number(text: Any) -> float:
    """A number."""
    try:
        return float(text)
    except ValueError:
        raise typer.BadParameter(f"must be a number; got {text!r}.") from None


def widths(text: str) -> tuple[int, ...]:
    """Widths such as 128,128; none makes a linear model."""
    if text.strip().lower() == "none":
        return ()
    try:
        found = tuple(int(width) for width in text.split(","))
    except ValueError:
        found = (0,)
    if min(found) < 1:
        raise ArgumentError(
            f"--hidden must be widths such as 128,128, or none for a linear model; got {text!r}."
        )
    return found

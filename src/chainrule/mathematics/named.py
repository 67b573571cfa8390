"""One rule for arguments that take a name or the thing itself."""

import re
from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import contextmanager
from difflib import get_close_matches
from typing import Any, TypeVar

from chainrule.errors import ArgumentError, FormulaError

T = TypeVar("T")
_SHOWN = 80  # characters of what came that a message repeats
_CALL = re.compile(r"\s*(\w+)\((.*)\)\s*")


def find(
    what: str,
    given: object,
    table: Mapping[str, T],
    kind: type[T],
    *,
    factories: Mapping[str, Callable[..., T]] | None = None,
    otherwise: str = "",
) -> T:
    """Return ``table[given]`` for a name, what ``factories`` makes for "name(numbers)", or ``given`` itself.

    Raises
    ------
    ArgumentError
        For anything else; ``otherwise`` names what more the argument may be.
    """
    if isinstance(given, kind):
        return given
    if isinstance(given, str):
        if given in table:
            return table[given]
        call = _CALL.fullmatch(given)
        if call and factories and call[1] in factories:
            numbers = _numbers(what, given, call[2])
            try:
                return factories[call[1]](*numbers)
            except TypeError:
                raise ArgumentError(
                    f"{what} must have as many numbers in its brackets as {call[1]} takes; "
                    f"got {quoted(given)}."
                ) from None
    hint = did_you_mean(given, table) if isinstance(given, str) else ""
    made = "".join(f", {name}(…)" for name in factories or ())
    raise ArgumentError(
        f"{what} must be one of {', '.join(table)}{made}{otherwise}, or a chainrule.{kind.__name__}; "
        f"got {quoted(given)}.{hint}"
    )


@contextmanager
def advising(advice: str) -> Iterator[None]:
    """Say what to do at the end of whatever a formula is refused with."""
    try:
        yield
    except FormulaError as error:
        raise FormulaError(f"{error} {advice}") from None


def did_you_mean(given: str, names: Iterable[str]) -> str:
    """A sentence with the name that comes nearest, whatever its case; nothing if none is near."""
    lowered = {name.lower(): name for name in names}
    close = get_close_matches(given.lower(), lowered, n=1)
    return f" Did you mean {lowered[close[0]]!r}?" if close else ""


def quoted(given: object) -> str:
    """What came, for a message: its ``repr``, no longer than a reader takes in."""
    return short(repr(given))


def short(text: str) -> str:
    """A text with its middle left out where it is long."""
    return text if len(text) <= _SHOWN else f"{text[: _SHOWN - 20]} … {text[-17:]}"


def _numbers(what: str, given: str, inside: str) -> list[float]:
    try:
        return [float(number) for number in inside.split(",")] if inside.strip() else []
    except ValueError:
        raise ArgumentError(
            f"{what} must have numbers between its brackets, separated by commas; got {quoted(given)}."
        ) from None


def reduce_by_name(record: Any, find: Callable[[object], object]) -> tuple[Any, ...]:
    """How to pickle a record: by its name where that finds it again, else as the tuple it is."""
    try:
        findable = find(record.name) == record
    except ArgumentError:
        findable = False
    return (find, (record.name,)) if findable else (type(record), tuple(record))

"""``chainrule fit --hosts``: several processes, of which the first one speaks and writes."""

import os
import sys
import traceback
from collections.abc import Iterator
from contextlib import contextmanager, suppress

import jax
import typer

from chainrule.cli.wording import with_marks
from chainrule.errors import ArgumentError, ChainruleError
from chainrule.training import hosts


@contextmanager
def together(told: str) -> Iterator[bool]:
    """Connect with the other processes; yields whether this is the first one.

    Whatever fails ends this process at once, in a line: the others may be lost, and then notice that too.

    Parameters
    ----------
    told
        "auto", or HOST:PORT,PROCESSES,PROCESS.
    """
    address = _parsed(told)
    try:
        _keep_stdout_clean()
        hosts.meet(*address)
        with hosts.noticed():
            yield jax.process_index() == 0
            hosts.part()
    except ChainruleError as error:
        typer.echo("chainrule: " + " ".join(with_marks(str(error)).split("\n")), err=True)
        hosts.leave(2 if isinstance(error, ArgumentError) else 1)
    except KeyboardInterrupt:
        typer.echo("chainrule: interrupted; nothing was written.", err=True)
        hosts.leave(130)
    except BaseException:
        traceback.print_exc()
        hosts.leave(1)


def _keep_stdout_clean() -> None:
    """Gloo writes a line on standard output whenever it connects: move it to standard error."""
    with suppress(OSError):
        sys.stdout.flush()
        ours = os.dup(1)
        os.dup2(2, 1)
        sys.stdout = os.fdopen(ours, "w", encoding="utf-8")


def _parsed(told: str) -> tuple[str | None, int | None, int | None]:
    if told == "auto":
        return None, None, None
    parts = told.split(",")
    if len(parts) != 3 or not all(part.strip().isdecimal() for part in parts[1:]):
        raise ArgumentError(
            f"--hosts must be auto, or HOST:PORT,PROCESSES,PROCESS such as node1:9876,2,0; got {told!r}."
        )
    return parts[0], int(parts[1]), int(parts[2])

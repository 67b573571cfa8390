"""``chainrule fit --hosts``: several processes, of which the first one speaks and writes."""

import traceback
from collections.abc import Iterator
from contextlib import contextmanager

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
    hosts.meet(*_parsed(told))
    try:
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


def _parsed(told: str) -> tuple[str | None, int | None, int | None]:
    if told == "auto":
        return None, None, None
    parts = told.split(",")
    if len(parts) != 3 or not all(part.strip().isdecimal() for part in parts[1:]):
        raise ArgumentError(
            f"--hosts must be auto, or HOST:PORT,PROCESSES,PROCESS such as node1:9876,2,0; got {told!r}."
        )
    return parts[0], int(parts[1]), int(parts[2])

"""A line that tells how the training goes, where somebody is there to read it."""

from collections.abc import Iterator
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from chainrule.training.loop import Epoch


def shown(epochs: "Iterator[Epoch]", show: bool) -> "Iterator[Epoch]":
    """Pass epochs on; with ``show``, and on a terminal, draw epoch, losses and time left on stderr."""
    if not show:
        yield from epochs
        return
    from rich.console import Console

    console = Console(stderr=True)
    if not console.is_terminal:
        yield from epochs
        return
    from rich.progress import BarColumn, Progress, TextColumn, TimeRemainingColumn

    columns = (
        TextColumn("{task.fields[done]}"),
        BarColumn(),
        TextColumn("{task.fields[losses]}"),
        TimeRemainingColumn(),
        TextColumn("left"),
    )
    with Progress(*columns, console=console, transient=True) as progress:
        task = progress.add_task("", total=None, done="compiling", losses="")
        for epoch in epochs:
            losses = f"loss {epoch.loss:.4g}"
            if epoch.validation_loss is not None:
                losses += f", validation {epoch.validation_loss:.4g}"
            done = f"epoch {epoch.number}/{epoch.planned}"
            progress.update(task, completed=epoch.number, total=epoch.planned, done=done, losses=losses)
            yield epoch

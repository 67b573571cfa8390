"""``chainrule watch``."""

import os
import sys
import webbrowser
from contextlib import suppress
from typing import NamedTuple

from chainrule.cli.printing import Report, counted, refuse_twice
from chainrule.errors import ArgumentError, ModelFileError, TableError
from chainrule.estimators.problems import refuse_absent
from chainrule.estimators.target_columns import some_of
from chainrule.files.about import about_of
from chainrule.files.description import Model
from chainrule.files.model_file import load
from chainrule.page.server import Server
from chainrule.page.session import HeldTable, Session
from chainrule.tables.reading import read_table


class Wish(NamedTuple):
    """What shall be watched, and how."""

    first: str | None
    """A table or a model."""
    second: str | None
    """The table of the model."""
    target: str | None
    missing: tuple[str, ...]
    port: int
    open: bool
    quiet: bool


def watch(wish: Wish) -> None:
    """Serve the page until Ctrl-C."""
    report = Report(wish.quiet)
    table, model = _given(wish, report)
    server = Server(Session(table, model), wish.port)
    # The link is the one thing that must be seen, also where everything else is quiet or piped.
    report.say("Watch it learn; Ctrl-C ends it:", "bold")
    sys.stderr.write(server.link + "\n")
    sys.stderr.flush()
    if wish.open and _has_screen():
        with suppress(webbrowser.Error):
            webbrowser.open(server.link)
    server.run()
    report.say("ended; nothing was left behind.")


def _given(wish: Wish, report: Report) -> tuple[HeldTable | None, Model | None]:
    if wish.first is None:
        if wish.target is not None:
            raise ArgumentError("--target must come with a TABLE; got none.")
        return None, None
    refuse_twice(("TABLE", wish.first), ("TABLE", wish.second))
    model = _model(wish.first)
    if model is None and wish.second is not None:
        raise ArgumentError("the first of two files must be a model; it is a table. Give only TABLE.")
    name = wish.first if model is None else wish.second
    if name is None:
        raise ArgumentError(
            "a model must come with a table whose rows it goes on to learn from; got none. Give one: "
            f"chainrule watch {wish.first} TABLE"
        )
    with report.warnings():
        frame = read_table(name, missing=wish.missing)
    target = wish.target
    if target is None and model is not None:
        noted = about_of(model).target
        target = noted[0] if len(noted) == 1 else None
    if target is None:
        raise ArgumentError(
            f"--target must name the column of {name} to predict; got none. It has {some_of(frame.columns)}."
        )
    refuse_absent(target, frame)
    short = os.path.basename(name)  # noqa: PTH119  "-" and patterns are no paths
    report.say(f"{name}: {counted(frame.height, 'row')}, to predict {target!r}")
    return HeldTable(short, frame, target), model


def _model(path: str) -> Model | None:
    """A model, or None for what must then be a table."""
    if path == "-":
        return None
    try:
        return load(path)
    except ModelFileError:
        if path.endswith(".chainrule"):
            raise
        return None
    except TableError:
        return None


def _has_screen() -> bool:
    """Whether a browser would have somewhere to open: not over a plain connection to another machine."""
    graphical = sys.platform in ("darwin", "win32") or bool(
        {"DISPLAY", "WAYLAND_DISPLAY"} & os.environ.keys()
    )
    return graphical and sys.stderr.isatty()

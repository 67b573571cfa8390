"""``chainrule watch``."""

import os
import sys
import webbrowser
from contextlib import suppress
from typing import TYPE_CHECKING, NamedTuple

from chainrule.cli.printing import Report, counted, refuse_twice
from chainrule.errors import ArgumentError, ModelFileError
from chainrule.page.door import Door
from chainrule.tables.reading import read_table

if TYPE_CHECKING:
    import polars as pl

    from chainrule.files.description import Model


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
    given = _given(wish, report)
    door = Door(wish.port)
    # The link must be seen, also where everything else is quiet or piped.
    report.say("Watch it learn; Ctrl-C ends it:", "bold")
    sys.stderr.write(door.link + "\n")
    sys.stderr.flush()
    if wish.open and _has_screen():
        with suppress(webbrowser.Error):
            webbrowser.open(door.link)
    # What follows takes seconds to load; a browser waits at the door.
    from chainrule.page.server import Server
    from chainrule.page.session import HeldTable, Session

    table = None if given is None else HeldTable(given.name, given.frame, given.target)
    with suppress(KeyboardInterrupt):
        Server(Session(table, None if given is None else given.model), door).run()
    report.say("ended; nothing was left behind.")


class _Given(NamedTuple):
    name: str
    frame: "pl.DataFrame"
    target: str
    model: "Model | None"


def _given(wish: Wish, report: Report) -> _Given | None:
    if wish.first is None:
        if wish.target is not None:
            raise ArgumentError("--target must come with a TABLE; got none.")
        return None
    refuse_twice(("TABLE", wish.first), ("TABLE", wish.second))
    model, name, target = None, wish.first, wish.target
    if _is_model(wish.first, wish.second):
        if wish.second is None:
            raise ArgumentError(
                "a model must come with a table whose rows it goes on to learn from; got none. Give one: "
                f"chainrule watch {wish.first} TABLE"
            )
        model, name, target = _model(wish.first, wish.second, wish.target)
    with report.warnings():
        frame = read_table(name, missing=wish.missing)
    from chainrule.estimators.problems import refuse_absent
    from chainrule.estimators.target_columns import some_of

    if target is None:
        raise ArgumentError(
            f"--target must name the column of {name} to predict; got none. It has {some_of(frame.columns)}."
        )
    refuse_absent(target, frame)
    report.say(f"{name}: {counted(frame.height, 'row')}, to predict {target!r}")
    short = "standard input" if name == "-" else os.path.basename(name)  # noqa: PTH119  patterns are no paths
    return _Given(short, frame, target, model)


def _is_model(first: str, second: str | None) -> bool:
    """Whether the first of one or two files is a model: a table alone is never tried as one."""
    return second is not None or first.endswith(".chainrule")


def _model(path: str, table: str, target: str | None) -> "tuple[Model, str, str | None]":
    """The model, its table, and what it predicts."""
    from chainrule.files.about import about_of
    from chainrule.files.model_file import load

    try:
        model = load(path)
    except ModelFileError as error:
        raise ModelFileError(
            f"{error} Of two files, the first must be a model, the second its table."
        ) from None
    noted = about_of(model).target
    return model, table, noted[0] if target is None and len(noted) == 1 else target


def _has_screen() -> bool:
    """Whether a browser would have somewhere to open: not over a plain connection to another machine."""
    graphical = sys.platform in ("darwin", "win32") or bool(
        {"DISPLAY", "WAYLAND_DISPLAY"} & os.environ.keys()
    )
    return graphical and sys.stderr.isatty()

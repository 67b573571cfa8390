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
    targets: tuple[str, ...]
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
    from chainrule.page.session import HeldModel, HeldTable, Session

    table = None if given.frame is None else HeldTable(given.name, given.frame, given.targets)
    model = None if given.model is None else HeldModel(_short(wish.first or ""), given.model)
    with suppress(KeyboardInterrupt):
        Server(Session(table, model), door).run()
    report.say("ended; nothing was left behind.")


class _Given(NamedTuple):
    name: str = ""
    frame: "pl.DataFrame | None" = None
    targets: tuple[str, ...] = ()
    model: "Model | None" = None


def _given(wish: Wish, report: Report) -> _Given:
    refuse_twice(("TABLE", wish.first), ("TABLE", wish.second))
    name, model, targets = wish.first, None, wish.targets
    if wish.first is not None and _is_model(wish.first, wish.second):
        name, model = wish.second, _model(wish.first, wish.second)
    if name is None:
        if targets:
            raise ArgumentError("--target must come with a TABLE; got none.")
        if model is not None:
            report.say(f"{wish.first}: without a table, it is shown on rows drawn from what it knows")
        return _Given(model=model)
    if model is not None:
        targets = targets or _targets(model)
    with report.warnings():
        frame = read_table(name, missing=wish.missing)
    from chainrule.estimators.problems import refuse_absent
    from chainrule.estimators.target_columns import some_of

    if not targets:
        raise ArgumentError(
            f"--target must name the column of {name} to predict; got none. It has {some_of(frame.columns)}."
        )
    for target in targets:
        refuse_absent(target, frame)
    report.say(f"{name}: {counted(frame.height, 'row')}, to predict {', '.join(map(repr, targets))}")
    return _Given(_short(name), frame, targets, model)


def _short(name: str) -> str:
    return "standard input" if name == "-" else os.path.basename(name)  # noqa: PTH119  patterns are no paths


def _is_model(first: str, second: str | None) -> bool:
    """Whether the first of one or two files is a model: a table alone is never tried as one."""
    return second is not None or first.endswith(".chainrule")


def _model(path: str, table: str | None) -> "Model":
    from chainrule.files.model_file import load

    try:
        return load(path)
    except ModelFileError as error:
        more = "" if table is None else " Of two files, the first must be a model, the second its table."
        raise ModelFileError(f"{error}{more}") from None


def _targets(model: "Model") -> tuple[str, ...]:
    from chainrule.files.about import about_of

    return about_of(model).target


def _has_screen() -> bool:
    """Whether a browser would have somewhere to open: not over a plain connection to another machine."""
    graphical = sys.platform in ("darwin", "win32") or bool(
        {"DISPLAY", "WAYLAND_DISPLAY"} & os.environ.keys()
    )
    return graphical and sys.stderr.isatty()

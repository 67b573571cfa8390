"""The commands and their options; what takes long to import is imported by the command that needs it."""

import os
import sys
from contextlib import nullcontext, suppress
from enum import StrEnum
from pathlib import Path
from typing import Annotated, Any, NoReturn

import typer
from typer.core import TyperGroup

import chainrule
from chainrule.cli.arguments import number, usage_plainly, whole, widths
from chainrule.cli.wording import with_marks
from chainrule.errors import ArgumentError, ChainruleError
from chainrule.training.interrupt import Terminated, terminable


class _Commands(TyperGroup):
    """Every error of ours, of usage and of the system, as one line on stderr and an exit code."""

    def make_context(self, info_name: Any, args: Any, *rest: Any, **extra: Any) -> Any:
        try:
            with usage_plainly() if args else nullcontext():  # without any, the "error" is the help
                return super().make_context(info_name, args, *rest, **extra)
        except ArgumentError as error:
            _fail(str(error), 2)

    def invoke(self, ctx: Any) -> Any:
        try:
            with usage_plainly():
                result = super().invoke(ctx)
            sys.stdout.flush()
            return result
        except BrokenPipeError:
            _drop_what_cannot_be_written()  # the reader has seen enough
            raise typer.Exit(0) from None
        except KeyboardInterrupt:
            _fail("interrupted; nothing was written.", 130)
        except ArgumentError as error:
            _fail(str(error), 2)
        except (ChainruleError, MemoryError) as error:
            _fail(str(error) or type(error).__name__, 1)
        except OSError as error:  # mostly of the streams: files have errors of ours
            _drop_what_cannot_be_written()
            what = repr(error.filename) if error.filename else "standard input and output"
            _fail(
                f"{what} must be usable; the system says: {error.strerror or error}. Free or choose another "
                "place.",
                1,
            )
        except RuntimeError as error:  # what XLA raises where memory ends
            if "RESOURCE_EXHAUSTED" not in str(error):
                raise
            _fail(
                "the network must fit into memory; it does not. Choose smaller --hidden or --batch-size.", 1
            )


def _drop_what_cannot_be_written() -> None:
    """What is still in the buffer must not fail once more at the end, which then is exit code 120."""
    try:
        sys.stdout.flush()
    except (OSError, ValueError):
        with suppress(OSError, ValueError):
            os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())


def _fail(message: str, code: int) -> NoReturn:
    typer.echo("chainrule: " + " ".join(with_marks(message).split("\n")), err=True)
    raise typer.Exit(code)


app = typer.Typer(
    cls=_Commands,
    rich_markup_mode=None,  # plain help starts twice as fast
    pretty_exceptions_enable=False,
    no_args_is_help=True,
    context_settings={"help_option_names": ["-h", "--help"]},
)


def main() -> None:
    """Run the command line; the entry point of ``chainrule``."""
    for name, mode in (("stdin", "r"), ("stdout", "w"), ("stderr", "w")):
        if getattr(sys, name) is None:  # closed: as if it were empty, and nobody read it
            setattr(sys, name, Path(os.devnull).open(mode, encoding="utf-8"))  # noqa: SIM115
    with suppress(AttributeError, OSError):
        sys.stdout.reconfigure(errors="replace")  # type: ignore[union-attr]  # a terminal without "²"
    app(prog_name="chainrule")


class TaskOption(StrEnum):
    """What --task may be."""

    auto = "auto"
    regression = "regression"
    classification = "classification"


class EffortOption(StrEnum):
    """What --effort may be."""

    fast = "fast"
    balanced = "balanced"
    best = "best"


class DeviceOption(StrEnum):
    """What --device may be."""

    cpu = "cpu"
    gpu = "gpu"


class PrecisionOption(StrEnum):
    """What --precision may be."""

    float32 = "float32"
    tf32 = "tf32"
    bf16 = "bf16"


def _kinds(categorical: list[str], numeric: list[str], date: list[str]) -> dict[str, Any]:
    """What each column is said to be; ArgumentError if it is said to be two things."""
    said = [
        *((name, "category") for name in dict.fromkeys(categorical)),
        *((name, "number") for name in dict.fromkeys(numeric)),
        *((name, "date") for name in dict.fromkeys(date)),
    ]
    for name, _ in said:
        if [other for other, _ in said].count(name) > 1:
            raise ArgumentError(
                f"column {name!r} must be --categorical, --numeric or --date; it is two of them."
            )
    return dict(said)


def _show_version(wished: bool) -> None:
    if wished:
        typer.echo(f"chainrule {chainrule.__version__}")
        raise typer.Exit


Table = Annotated[
    str,
    typer.Argument(
        metavar="TABLE", help="A file such as CSV, Parquet or Excel; 'part-*.csv'; or - for standard input."
    ),
]
ModelFile = Annotated[str, typer.Argument(metavar="MODEL", help="Model file, or - for standard input.")]
Missing = Annotated[
    list[str], typer.Option(metavar="TEXT", help="A text that means missing; may be repeated.")
]
Device = Annotated[
    DeviceOption | None, typer.Option(help="Insist on it; otherwise a GPU where JAX can use one.")
]
Json = Annotated[bool, typer.Option("--json", help="Print JSON on standard output.")]
Quiet = Annotated[bool, typer.Option("--quiet", "-q", help="Say nothing on standard error but errors.")]


@app.callback()
def commands(
    version: Annotated[
        bool, typer.Option("--version", callback=_show_version, is_eager=True, help="Show the version.")
    ] = False,
) -> None:
    """Deep learning for tables.

    chainrule fit houses.csv --target price -o houses.chainrule

    chainrule predict houses.chainrule new.csv > prices.csv
    """


@app.command()
def fit(
    table: Table,
    target: Annotated[
        list[str], typer.Option(metavar="COLUMN", help="Column to predict; repeat it for several.")
    ],
    output: Annotated[
        str | None,
        typer.Option("--output", "-o", metavar="MODEL", help="Where to save the model, - for stdout."),
    ] = None,
    validation: Annotated[
        str | None,
        typer.Option(metavar="TABLE", help="Rows to choose the best epoch by. [default: a tenth of TABLE]"),
    ] = None,
    task: Annotated[TaskOption, typer.Option(help="auto: the target decides.")] = TaskOption.auto,
    loss: Annotated[
        str | None, typer.Option(metavar="LOSS", help="A name, such as huber, or a formula in y_hat and y.")
    ] = None,
    activation: Annotated[
        str | None, typer.Option(metavar="SIGMA", help="A name, such as relu, or a formula in z.")
    ] = None,
    hidden: Annotated[
        str | None,
        typer.Option(metavar="WIDTHS", help="Widths of the hidden layers, such as 128,128, or none."),
    ] = None,
    solver: Annotated[str | None, typer.Option(metavar="NAME", help="Such as adam, sgd, lbfgs.")] = None,
    learning_rate: Annotated[
        float | None, typer.Option(parser=number, metavar="RATE", help="Above 0.")
    ] = None,
    schedule: Annotated[
        str | None, typer.Option(metavar="NAME", help="How the learning rate moves, such as cosine.")
    ] = None,
    effort: Annotated[
        EffortOption | None, typer.Option(help="How many networks learn, and how long; balanced otherwise.")
    ] = None,
    members: Annotated[
        int | None, typer.Option(parser=whole, metavar="N", help="How many networks learn side by side.")
    ] = None,
    time_limit: Annotated[
        float | None, typer.Option(parser=number, metavar="SECONDS", help="Be done by then.")
    ] = None,
    epochs: Annotated[int | None, typer.Option(parser=whole, metavar="N", help="At most this many.")] = None,
    batch_size: Annotated[int | None, typer.Option(parser=whole, metavar="N", help="Rows per step.")] = None,
    dropout: Annotated[
        float | None,
        typer.Option(parser=number, metavar="SHARE", help="Share of hidden units silent in a step, below 1."),
    ] = None,
    weight_decay: Annotated[
        float | None, typer.Option(parser=number, metavar="RATE", help="Decoupled decay of W.")
    ] = None,
    max_norm: Annotated[
        float | None,
        typer.Option(parser=number, metavar="NORM", help="Gradients of a larger norm are scaled down to it."),
    ] = None,
    missing: Missing = [],  # noqa: B006
    drop: Annotated[
        list[str], typer.Option(metavar="COLUMN", help="A column to leave out; may be repeated.")
    ] = [],  # noqa: B006
    categorical: Annotated[
        list[str], typer.Option(metavar="COLUMN", help="A column that is a category; may be repeated.")
    ] = [],  # noqa: B006
    numeric: Annotated[
        list[str], typer.Option(metavar="COLUMN", help="A column that is a number; may be repeated.")
    ] = [],  # noqa: B006
    date: Annotated[
        list[str], typer.Option(metavar="COLUMN", help="A column that is a date; may be repeated.")
    ] = [],  # noqa: B006
    weight: Annotated[str | None, typer.Option(metavar="COLUMN", help="Column of row weights.")] = None,
    balanced: Annotated[
        bool,
        typer.Option(
            "--balanced", help="Classes count the same, however rare; probabilities too are as if so."
        ),
    ] = False,
    log: Annotated[bool, typer.Option("--log", help="Learn the logarithm of a number above 0.")] = False,
    group: Annotated[
        str | None,
        typer.Option(metavar="COLUMN", help="Rows of one group validate together; not learnt from."),
    ] = None,
    time: Annotated[str | None, typer.Option(metavar="COLUMN", help="The latest rows validate.")] = None,
    metric: Annotated[
        str | None,
        typer.Option(
            metavar="NAME", help="What chooses the best epoch: a scikit-learn scorer, such as roc_auc."
        ),
    ] = None,
    report: Annotated[
        str | None, typer.Option(metavar="HTML", help="Where to write a page on the model and its data.")
    ] = None,
    memory: Annotated[
        str | None,
        typer.Option(
            metavar="SIZE",
            help="Parquet or Arrow files that need more are learnt from in parts, such as 2GB.",
        ),
    ] = None,
    hosts: Annotated[
        str | None,
        typer.Option(
            metavar="ADDRESS,N,I",
            help="This is process I, from 0, of N that learn together; process 0 listens at ADDRESS, such as "
            "node1:9876. auto: as SLURM, Open MPI or Kubernetes say.",
        ),
    ] = None,
    device: Device = None,
    precision: Annotated[
        PrecisionOption | None,
        typer.Option(
            help="Of products while learning on a GPU; the short ones are faster. float32 otherwise."
        ),
    ] = None,
    seed: Annotated[
        int,
        typer.Option(parser=whole, metavar="N", help="The same seed gives the same model."),
    ] = 0,
    checkpoints: Annotated[
        str | None,
        typer.Option(
            metavar="FOLDER", help="Where to write down, now and then, what the rest of the training needs."
        ),
    ] = None,
    resume: Annotated[
        bool,
        typer.Option(
            "--resume", help="Go on from the last checkpoint, bit for bit; from the start if there is none."
        ),
    ] = False,
    checkpoint_every: Annotated[
        float | None,
        typer.Option(parser=number, metavar="SECONDS", help="Between checkpoints, at least; 30 otherwise."),
    ] = None,
    json: Json = False,
    quiet: Quiet = False,
) -> None:
    """Learn from a table; save the model with -o.

    Ctrl-C once ends after the epoch and keeps the model.
    """
    options = {
        "loss": loss,
        "activation": activation,
        "hidden_layer_sizes": None if hidden is None else widths(hidden),
        "solver": solver,
        "learning_rate_init": learning_rate,
        "learning_rate": schedule,
        "max_iter": epochs,
        "batch_size": batch_size,
        "dropout": dropout,
        "weight_decay": weight_decay,
        "max_norm": max_norm,
        "scoring": metric,
        "effort": effort and effort.value,
        "n_members": members,
        "time_limit": time_limit,
        "class_weight": "balanced" if balanced else None,
        "target_transform": "log" if log else None,
        "device": device and device.value,
        "precision": precision and precision.value,
        "random_state": seed,
    }
    from chainrule.cli.fitting import fit_table
    from chainrule.cli.request import Request

    request = Request(
        table=table,
        targets=tuple(dict.fromkeys(target)),
        output=output,
        validation=validation,
        task=task.value,
        options={name: value for name, value in options.items() if value is not None},
        missing=tuple(missing),
        drop=tuple(drop),
        kinds=_kinds(categorical, numeric, date),
        weight=weight,
        group=group,
        time=time,
        report=report,
        memory=memory,
        checkpoints=checkpoints,
        resume=resume,
        checkpoint_every=checkpoint_every,
        json=json,
        quiet=quiet,
        hosts=hosts,
    )
    try:
        with terminable():
            model = fit_table(request)
    except Terminated:
        kept = "go on by the same command with --resume" if checkpoints else "nothing was written"
        _fail(f"terminated; {kept}.", 143)
    if model.interrupted_:
        raise typer.Exit(130)


@app.command()
def predict(
    model: ModelFile,
    table: Table,
    output: Annotated[
        str,
        typer.Option("--output", "-o", metavar="OUT", help="A .csv, .tsv or .parquet file, - for stdout."),
    ] = "-",
    probabilities: Annotated[
        bool, typer.Option("--probabilities", help="Also one column per class or label.")
    ] = False,
    interval: Annotated[
        float | None,
        typer.Option(
            parser=number, metavar="COVERAGE", help="Also the lowest and highest likely value, such as 0.9."
        ),
    ] = None,
    sets: Annotated[
        float | None,
        typer.Option(
            "--set", parser=number, metavar="COVERAGE", help="Also all classes that are likely, such as 0.9."
        ),
    ] = None,
    keep: Annotated[bool, typer.Option("--keep", help="Also the columns of TABLE.")] = False,
    missing: Missing = [],  # noqa: B006
    json: Annotated[bool, typer.Option("--json", help="A JSON list with an object for each row.")] = False,
    device: Device = None,
    quiet: Quiet = False,
) -> None:
    """Predict each row of a table, as CSV or to a file.

    Columns are found by name; further ones are ignored.
    """
    from chainrule.cli.using import Wish, predict_table

    wish = Wish(probabilities=probabilities, interval=interval, sets=sets, keep=keep, json=json)
    predict_table(model, table, output, wish, tuple(missing), device and device.value, quiet=quiet)


@app.command()
def evaluate(
    model: ModelFile,
    table: Table,
    target: Annotated[
        list[str], typer.Option(metavar="COLUMN", help="Where TABLE or MODEL does not name it as in fit.")
    ] = [],  # noqa: B006
    missing: Missing = [],  # noqa: B006
    device: Device = None,
    json: Json = False,
    quiet: Quiet = False,
) -> None:
    """Score a model on a table that has the target, beside a baseline."""
    from chainrule.cli.using import evaluate_table

    targets = tuple(dict.fromkeys(target))
    evaluate_table(model, table, targets, tuple(missing), device and device.value, as_json=json, quiet=quiet)


@app.command()
def explain(
    model: ModelFile,
    table: Table,
    row: Annotated[
        int | None,
        typer.Option(
            parser=whole, metavar="N", help="Explain this row, counted from 1; otherwise the table."
        ),
    ] = None,
    of_class: Annotated[
        str | None, typer.Option("--class", metavar="CLASS", help="Which class. [default: the predicted one]")
    ] = None,
    target: Annotated[
        str | None, typer.Option(metavar="COLUMN", help="Which of several targets or quantiles.")
    ] = None,
    background: Annotated[
        str | None,
        typer.Option(
            metavar="TABLE",
            help="Rows to compare with, or typical: medians, and categories never seen. [default: TABLE]",
        ),
    ] = None,
    output: Annotated[
        str,
        typer.Option(
            "--output", "-o", metavar="OUT", help="An .html page, or a row each as .csv, .tsv or .parquet."
        ),
    ] = "-",
    missing: Missing = [],  # noqa: B006
    json: Json = False,
    quiet: Quiet = False,
) -> None:
    """Say what each column adds to a prediction, or to all of a table.

    What the columns of a row add makes up its difference from the rows it is compared with.
    """
    from chainrule.cli.explaining import Question, explain_table

    question = Question(row, of_class, target, background, output, json)
    explain_table(model, table, question, tuple(missing), quiet=quiet)


@app.command()
def show(model: ModelFile, json: Json = False) -> None:
    """Tell what is in a model file."""
    from chainrule.cli.showing import show_model

    show_model(model, as_json=json)


@app.command()
def derive(
    network: Annotated[
        str, typer.Argument(metavar="NETWORK", help="Sizes such as 3-4-4-2, or a model file.")
    ],
    table: Annotated[
        str | None, typer.Argument(metavar="[TABLE]", help="For a model: the table that has the row.")
    ] = None,
    weight: Annotated[
        str,
        typer.Option(metavar="ENTRY", help="Counted from 1: W1[2,1] carries input 1 to unit 2; b1[2]; x[3]."),
    ] = "W1[1,1]",
    of: Annotated[str, typer.Option(metavar="WHAT", help="L, the loss, or an output: y_hat[1].")] = "L",
    second: Annotated[bool, typer.Option("--second", help="The second derivative by the weight.")] = False,
    direction: Annotated[
        str | None,
        typer.Option(metavar="V", help="Along a direction: gradient, or 'W1[2,1]=1, b2[1]=-0.5'."),
    ] = None,
    row: Annotated[int, typer.Option(parser=whole, metavar="N", help="Which row of TABLE, from 1.")] = 1,
    target: Annotated[
        list[str], typer.Option(metavar="COLUMN", help="Where MODEL does not name it as in fit.")
    ] = [],  # noqa: B006
    member: Annotated[
        int, typer.Option(parser=whole, metavar="N", help="Which of the model's networks, from 1.")
    ] = 1,
    activation: Annotated[
        str | None, typer.Option(metavar="SIGMA", help="For sizes: a name, or a formula in z.")
    ] = None,
    loss: Annotated[
        str | None, typer.Option(metavar="LOSS", help="For sizes: a name, or a formula in y_hat and y.")
    ] = None,
    layer_norm: Annotated[bool, typer.Option("--layer-norm", help="For sizes.")] = False,
    residual: Annotated[bool, typer.Option("--residual", help="For sizes.")] = False,
    dropout: Annotated[float | None, typer.Option(parser=number, metavar="SHARE", help="For sizes.")] = None,
    dropout_seed: Annotated[
        int | None, typer.Option(parser=whole, metavar="N", help="Drop out as in the training step N.")
    ] = None,
    x: Annotated[
        str | None, typer.Option("--x", metavar="NUMBERS", help="For sizes: such as 1,-2,0.5.")
    ] = None,
    y: Annotated[str | None, typer.Option("--y", metavar="NUMBERS", help="For sizes: the target.")] = None,
    seed: Annotated[
        int, typer.Option(parser=whole, metavar="N", help="For sizes: of the weights and the row.")
    ] = 0,
    optimizer: Annotated[
        str, typer.Option(metavar="NAME", help="Whose step ends the story: sgd, momentum, adam, …")
    ] = "sgd",
    learning_rate: Annotated[
        float | None, typer.Option(parser=number, metavar="RATE", help="Of that step.")
    ] = None,
    steps: Annotated[int, typer.Option(parser=whole, metavar="N", help="How many steps.")] = 1,
    full: Annotated[
        bool, typer.Option("--full", help="Write long sums out: 20 MB for 784-512-512-10.")
    ] = False,
    latex: Annotated[bool, typer.Option("--latex", help="As a LaTeX document.")] = False,
    html: Annotated[bool, typer.Option("--html", help="As a page with MathML.")] = False,
    json: Json = False,
    output: Annotated[
        str, typer.Option("--output", "-o", metavar="FILE", help="Where to write it, - for stdout.")
    ] = "-",
    missing: Missing = [],  # noqa: B006
    quiet: Quiet = False,
) -> None:
    """Derive ∂L/∂w with every step and its numbers.

    chainrule derive 3-4-4-2 --activation tanh --weight "W1[2,1]"

    chainrule derive houses.chainrule houses.csv --row 7 --weight "W2[3,5]"
    """
    from chainrule.cli.deriving import Question, derive_and_print

    said = {"activation": activation, "loss": loss, "dropout": dropout}
    flags = {"layer_norm": layer_norm, "residual": residual}
    given = {name: value for name, value in said.items() if value is not None}
    derive_and_print(
        Question(
            subject=network,
            table=table,
            weight=weight,
            of=of,
            direction=direction,
            second=second,
            row=row,
            member=member,
            optimizer=optimizer,
            learning_rate=learning_rate,
            steps=steps,
            full=full,
            seed=seed,
            dropout_seed=dropout_seed,
            x=x,
            y=y,
            network=given | {name: True for name, wished in flags.items() if wished},
            missing=tuple(missing),
            targets=tuple(dict.fromkeys(target)),
            latex=latex,
            html=html,
            json=json,
            output=output,
            quiet=quiet,
        )
    )


@app.command()
def watch(
    first: Annotated[
        str | None,
        typer.Argument(metavar="[TABLE]", help="A table, or a model, or a model and then its table."),
    ] = None,
    second: Annotated[
        str | None, typer.Argument(metavar="[TABLE]", help="For a model: the rows to go on with.")
    ] = None,
    target: Annotated[
        list[str], typer.Option(metavar="COLUMN", help="The column to predict; again for several.")
    ] = [],  # noqa: B006
    missing: Missing = [],  # noqa: B006
    port: Annotated[
        int, typer.Option(parser=whole, metavar="N", help="Of the page; 0 is any that is free.")
    ] = 0,
    open_: Annotated[bool, typer.Option("--open/--no-open", help="Open the page in a browser.")] = True,
    quiet: Quiet = False,
) -> None:
    """Watch a network learn, on a page on this machine: every weight, its derivative, both passes.

    Without a table it begins with a classic set of points.
    """
    from chainrule.cli.watching import Wish
    from chainrule.cli.watching import watch as serve

    serve(Wish(first, second, tuple(dict.fromkeys(target)), tuple(missing), port, open_, quiet))

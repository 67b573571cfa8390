"""What all commands share: help, exit codes, streams, signals."""

import json
import os
import pty
import re
import signal
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import polars as pl
import pytest
from typer.testing import CliRunner

import chainrule
from chainrule.cli.app import app

Call = Callable[..., Any]
HEAVY = ("jax", "numpy", "optax", "pandas", "polars", "rich", "safetensors", "scipy", "sklearn", "sympy")
COLOUR = re.compile(r"\x1b\[[\d;]*3\d")


def on_a_terminal(start: Call, *arguments: object, until: str = "", **env: str) -> tuple[Any, str]:
    """Run with stderr on a terminal; with ``until``, press Ctrl-C once that text has been drawn."""
    ours, theirs = pty.openpty()
    process = start(*arguments, env=env, stderr=theirs, start_new_session=True)
    os.close(theirs)
    drawn = ""
    while True:
        try:
            piece = os.read(ours, 4096)
        except OSError:  # Linux says so when the other end is closed
            break
        if not piece:
            break
        drawn += piece.decode(errors="replace")
        if until and until in drawn:
            process.send_signal(signal.SIGINT)
            until = ""
    os.close(ours)
    process.communicate(timeout=60)
    return process, drawn


def test_help_names_every_command(call: Call) -> None:
    result = call("--help")
    assert result.exit_code == 0
    for command in ("fit", "predict", "evaluate", "show", "--version", "--show-completion"):
        assert command in result.stdout


def test_version(call: Call) -> None:
    assert call("--version").stdout == f"chainrule {chainrule.__version__}\n"


@pytest.mark.parametrize(
    ("arguments", "code"),
    [
        (["--help"], 0),
        (["fit", "--help"], 0),
        (["--version"], 0),
        (["fly"], 2),
        (["fit", "t.csv"], 2),
        (["fit", "t.csv", "--target", "y", "--hidden", "many"], 2),
        (["predict", "model"], 2),
    ],
    ids=lambda value: " ".join(value) if isinstance(value, list) else "",
)
def test_help_and_usage_errors_import_nothing_heavy(
    arguments: list[str], code: int, environment: dict[str, str]
) -> None:
    program = (
        "import sys\nfrom chainrule.cli import main\n"
        "try: main()\n"
        f"except SystemExit as exit: print([name for name in {HEAVY} if name in sys.modules], exit.code)"
    )
    done = subprocess.run(
        [sys.executable, "-c", program, *arguments],
        env=environment,
        capture_output=True,
        text=True,
        check=True,
    )
    assert done.stdout.splitlines()[-1] == f"[] {code}"


@pytest.mark.parametrize(
    ("arguments", "text"),
    [
        ("fit houses.csv", "--target"),
        ("fit houses.csv --target price --hidden 3,a", "128,128"),
        ("fit houses.csv --target price --hidden 0", "128,128"),
        ("fit houses.csv --target price --task ranking", "regression"),
        ("fit houses.csv --target price --epochs 0", "epochs"),
        ("fit houses.csv --target price --seed -1", "seed"),
        ("fit houses.csv --target prize", "Did you mean 'price'?"),
        ("fit houses.csv --target price --drop nothing", "no column 'nothing'"),
        ("fit houses.csv --target price --weight price", "two of them"),
        ("fit houses.csv --target price --activation rlu", "Did you mean 'relu'?"),
        ("fit houses.csv --target price --learning-rate 0", "--learning-rate must be"),
        ("fit houses.csv --target price --dropout 1", "--dropout must be"),
        ("fit houses.csv --target price --loss (y_hat-y", "not a formula"),
        ("fit houses.csv --target price -o houses.csv", "another file"),
        ("fit houses.csv --target price -o - --json", "only one of --output and --json"),
        ("fit - --target price --validation -", "only one of TABLE and --validation"),
        ("predict - -", "only one of MODEL and TABLE"),
        ("predict price.model new.csv -o new.csv", "another file"),
        ("predict price.model new.csv -o price.model", "another file"),
        ("predict price.model new.csv --probabilities", "no classes"),
        ("evaluate price.model new.csv --target prize", "Did you mean 'price'?"),
        ("evaluate price.model new.csv --target price --target age", "1 target"),
    ],
)
def test_usage_errors(
    arguments: str, text: str, call: Call, folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(folder)
    before = {file.name: file.read_bytes() for file in folder.iterdir()}
    result = call(*arguments.split())
    assert result.exit_code == 2
    assert text in result.stderr
    assert result.stdout == ""
    assert {file.name: file.read_bytes() for file in folder.iterdir()} == before


@pytest.mark.parametrize(
    ("arguments", "line"),
    [
        ("fti", "No such command 'fti'. Did you mean 'fit'?"),
        ("fit", "TABLE must be given. See chainrule fit --help."),
        ("fit t.csv", "--target must be given. See chainrule fit --help."),
        ("fit t.csv u.csv --target y", "Got unexpected extra argument(s) (u.csv). See chainrule fit --help."),
        ("--versio", "there is no option --versio. Did you mean '--version'?"),
        ("fit t.csv --epoch 3", "there is no option --epoch. Did you mean '--epochs'?"),
        ("fit t.csv -z", "there is no option -z. See chainrule fit --help."),
        ("fit t.csv --target y --epochs 0", "--epochs must be a whole number of at least 1; got 0."),
        ("fit t.csv --target y --epochs few", "--epochs must be a whole number; got 'few'."),
        ("fit t.csv --target y --seed -1", "--seed must be a whole number from 0 to 2³² − 1; got -1."),
        ("fit t.csv --target y --dropout half", "--dropout must be a number; got 'half'."),
        ("fit t.csv --target y --weight-decay -1", "--weight-decay must be a number of 0 or more; got -1.0."),
        (
            "fit t.csv --target y --effort most",
            "--effort must be one of 'fast', 'balanced', 'best'; got 'most'.",
        ),
        (
            "fit t.csv --target y --hidden 3,a",
            "--hidden must be widths such as 128,128, or none for a linear model; got '3,a'.",
        ),
    ],
)
def test_a_usage_error_is_one_line(arguments: str, line: str) -> None:
    result = CliRunner().invoke(app, arguments.split(), prog_name="chainrule")
    assert (result.exit_code, result.stderr) == (2, f"chainrule: {line}\n")


@pytest.mark.parametrize(
    ("arguments", "text"),
    [
        ("fit none.csv --target price", "'none.csv' must be a file that exists"),
        ("fit price.model --target price", "'price.model' must be"),
        ("fit houses.csv --target price --validation none.csv", "'none.csv' must be a file that exists"),
        ("fit houses.csv --target price -o none/model", "no folder"),
        ("fit houses.csv --target price -o .", "folder"),
        ("fit houses.csv --target dear --task regression", "first bad value 'no' in row 1"),
        ("fit houses.csv --target price --task classification", "whole numbers"),
        ("fit houses.csv --target price --weight city", "weights"),
        ("predict none.model new.csv", "'none.model' must be a file that exists"),
        ("predict houses.csv new.csv", "must be a chainrule model; it is something else"),
        ("predict price.model none.csv", "'none.csv' must be a file that exists"),
        ("predict price.model new.csv -o out.xlsx", "suffix '.xlsx'"),
        ("predict price.model new.csv -o none/out.csv", "no folder"),
        ("show houses.csv", "must be a chainrule model"),
    ],
)
def test_errors_of_data_and_files(
    arguments: str, text: str, call: Call, folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(folder)
    result = call(*arguments.split())
    assert result.exit_code == 1
    assert result.stdout == ""
    last = result.stderr.splitlines()[-1]
    assert last.startswith("chainrule: ")
    assert text in last
    assert "Traceback" not in result.stderr


def test_errors_of_the_system_are_one_line(call: Call, monkeypatch: pytest.MonkeyPatch) -> None:
    def fail(*arguments: object) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr("chainrule.cli.showing.show_model", lambda *arguments, **options: fail())
    result = call("show", "model")
    assert result.exit_code == 1
    assert result.stderr == (
        "chainrule: standard input and output must be usable; the system says: No space left on device. "
        "Free or choose another place.\n"
    )


def test_ctrl_c_outside_of_training(call: Call, monkeypatch: pytest.MonkeyPatch) -> None:
    def press(*arguments: object, **options: object) -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr("chainrule.cli.showing.show_model", press)
    result = call("show", "model")
    assert result.exit_code == 130
    assert result.stderr == "chainrule: interrupted; nothing was written.\n"


def test_ctrl_c_once_keeps_and_saves_the_model(start: Call, folder: Path, tmp_path: Path) -> None:
    arguments = ("--target", "price", "--hidden", "4", "--epochs", "10000000", "-o", "model")
    process, drawn = on_a_terminal(start, "fit", folder / "houses.csv", *arguments, until="/10000000")
    assert process.returncode == 130
    assert "interrupted; the best model so far is kept" in drawn
    assert "saved model" in drawn
    assert "Traceback" not in drawn
    model = chainrule.load(tmp_path / "model")
    assert model.interrupted_
    assert 1 <= model.n_iter_ < 10_000_000


def test_colours_on_a_terminal_but_not_where_no_color_is_set(start: Call, folder: Path) -> None:
    arguments = ("fit", folder / "houses.csv", "--target", "price", "--hidden", "4", "--epochs", "200")
    _, coloured = on_a_terminal(start, *arguments)
    _, plain = on_a_terminal(start, *arguments, NO_COLOR="1")
    assert COLOUR.search(coloured)
    assert not COLOUR.search(plain)
    assert "epoch" in plain  # it was drawn


def test_a_reader_that_leaves_is_no_error(start: Call, folder: Path, tmp_path: Path) -> None:
    table = pl.concat([pl.read_csv(folder / "new.csv")] * 2000)
    table.write_parquet(tmp_path / "long.parquet")
    process = start("predict", folder / "price.model", "long.parquet", "--keep", "--quiet")
    assert process.stdout.readline().startswith(b"size,age")
    process.stdout.close()
    with process.stderr as errors:
        assert errors.read() == b""
    assert process.wait(60) == 0


def test_streams_from_end_to_end(start: Call, folder: Path) -> None:
    """fit - | predict - TABLE: the model through a pipe, the report on stderr."""
    with (folder / "houses.csv").open("rb") as table:
        fit = start("fit", "-", "--target", "price", "--hidden", "4", "--epochs", "2", "-o", "-", stdin=table)
        predict = start("predict", "-", folder / "new.csv", stdin=fit.stdout)
        fit.stdout.close()
        predictions, errors = predict.communicate(timeout=120)
        with fit.stderr as told:
            report = told.read().decode()
    assert (fit.wait(10), predict.returncode, errors) == (0, 0, b"")
    lines = predictions.decode().splitlines()
    assert lines[0] == "price"
    assert len(lines) == 31
    assert report.startswith("standard input: ")
    assert "\x1b" not in report


def test_exit_codes_of_the_process(start: Call, folder: Path) -> None:
    for arguments, code in (
        (("show", folder / "price.model", "--json"), 0),
        (("show", folder / "houses.csv"), 1),
        (("show",), 2),
    ):
        process = start(*arguments)
        out, errors = process.communicate(timeout=60)
        assert process.returncode == code
        assert b"Traceback" not in errors
        assert (errors == b"") == (code == 0)
        if code == 0:
            assert json.loads(out)["estimator"] == "DeepRegressor"


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="needs a device that is always full")
def test_a_full_standard_output_is_told(start: Call, folder: Path) -> None:
    with Path("/dev/full").open("w") as full:
        process = start("show", folder / "price.model", stdout=full)
        _, said = process.communicate(timeout=60)
    assert process.returncode == 1
    assert said.decode() == (
        "chainrule: standard input and output must be usable; the system says: No space left on device. "
        "Free or choose another place.\n"
    )


@pytest.mark.parametrize(
    ("closed", "table", "code"), [("<&-", "-", 1), (">&-", "new.csv", 0), ("2>&-", "new.csv", 0)]
)
def test_streams_that_are_closed(
    closed: str, table: str, code: int, folder: Path, environment: dict[str, str]
) -> None:
    command = f'"{sys.executable}" -m chainrule predict price.model {table} {closed}'
    done = subprocess.run(command, shell=True, cwd=folder, env=environment, capture_output=True)
    assert done.returncode == code
    assert b"Traceback" not in done.stderr
    assert done.stderr.startswith(b"chainrule: standard input must hold a table" if code else b"")

"""``chainrule fit --checkpoints``: what schedulers do to it, and what it says."""

import os
import random
import signal
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from tests.cli.conftest import houses

from chainrule import Checkpoints
from chainrule.estimators import streaming
from chainrule.tables import stream
from chainrule.training import checkpoints as module
from chainrule.training import progress

Call = Callable[..., Any]
OPTIONS = ("--target", "price", "--drop", "dear", "--drop", "sold", "--hidden", "4", "--members", "1")


@pytest.fixture
def table(folder: Path) -> Path:
    return folder / "houses.csv"


@pytest.fixture(autouse=True)
def _usual_end() -> Iterator[None]:
    before = signal.signal(signal.SIGTERM, signal.SIG_DFL)
    yield
    assert signal.signal(signal.SIGTERM, before) is signal.SIG_DFL


@pytest.fixture
def terminated(monkeypatch: pytest.MonkeyPatch, call: Call) -> Call:
    """Fit, and be sent SIGTERM while an epoch is learnt."""
    shown = progress.shown

    def fit(*arguments: object, after: int) -> Any:
        def sending(epochs: Any, show: bool) -> Any:
            for epoch in shown(epochs, show):
                if epoch.number == after:
                    os.kill(os.getpid(), signal.SIGTERM)
                yield epoch

        with monkeypatch.context() as patched:
            patched.setattr(progress, "shown", sending)
            return call("fit", *arguments)

    return fit


def test_sigterm_and_the_same_command_again(
    call: Call, terminated: Call, table: Path, tmp_path: Path
) -> None:
    whole, model, kept = tmp_path / "whole", tmp_path / "model", tmp_path / "kept"
    assert call("fit", table, *OPTIONS, "--epochs", 9, "-o", whole).exit_code == 0
    command = (table, *OPTIONS, "--epochs", 9, "-o", model, "--checkpoints", kept, "--resume")
    for epoch in (3, 4, 8):
        told = terminated(*command, after=epoch)
        assert told.exit_code == 143
        assert told.stderr.endswith("chainrule: terminated; go on by the same command with --resume.\n")
        assert told.stderr.count("\n") < 9
        assert not model.exists()
        assert (kept / f"checkpoint-00000000{epoch}.safetensors").exists()
    told = call("fit", *command)
    assert told.exit_code == 0
    assert f"going on after epoch 8, from {kept}/checkpoint-000000008.safetensors\n" in told.stderr
    assert "9 epochs in" in told.stderr
    assert model.read_bytes() == whole.read_bytes()
    assert not [*kept.iterdir()]


def test_sigterm_without_checkpoints(terminated: Call, table: Path, tmp_path: Path) -> None:
    told = terminated(table, *OPTIONS, "-o", tmp_path / "model", "-q", after=2)
    assert told.exit_code == 143
    assert told.stderr == "chainrule: terminated; nothing was written.\n"
    assert not [*tmp_path.iterdir()]


def test_a_table_in_parts(
    call: Call, terminated: Call, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(stream, "PIECE", 100)
    monkeypatch.setattr(streaming, "PIECE", 100)
    monkeypatch.setattr(streaming, "_EPOCH", 300)
    monkeypatch.setattr(streaming, "_PROGRAM", 999_900_000)
    houses(1_200).write_parquet(tmp_path / "houses.parquet")
    command = (tmp_path / "houses.parquet", *OPTIONS, "--epochs", 2, "--memory", "1GB", "-o")
    kept = ("--checkpoints", tmp_path / "kept")
    assert call("fit", *command, tmp_path / "whole").exit_code == 0
    assert terminated(*command, tmp_path / "model", *kept, after=3).exit_code == 143
    told = call("fit", *command, tmp_path / "model", *kept, "--resume")
    assert told.exit_code == 0, told.stderr
    assert (tmp_path / "model").read_bytes() == (tmp_path / "whole").read_bytes()


@pytest.fixture
def begun(terminated: Call, table: Path, tmp_path: Path) -> Path:
    told = terminated(table, *OPTIONS, "--epochs", 4, "--checkpoints", tmp_path / "kept", after=2)
    assert told.exit_code == 143
    return tmp_path / "kept"


def test_what_is_refused_says_what_to_do(call: Call, begun: Path, table: Path) -> None:
    command = ("fit", table, *OPTIONS, "-q", "--checkpoints", begun)
    unfinished = "has those of a training that did not end. Go on with it by --resume, or"
    for arguments, says in (
        (("--epochs", 4), f"{str(begun)!r} {unfinished}"),
        (("--epochs", 5, "--resume"), "--epochs was 4, and is 5. Give all as before, or empty the folder"),
        (
            ("--epochs", 4, "--resume", "--drop", "age"),
            "columns differ: 'age (numeric)' is now 'city (category)'",
        ),
        (("--epochs", 4, "--resume", "--weight", "rooms"), "columns differ: there were 4 columns, and are 3"),
    ):
        told = call(*command, *arguments)
        assert told.exit_code == 2, told.stderr
        assert says in told.stderr
        assert told.stderr.count("\n") == 1
    assert Checkpoints(begun, resume=True).found is not None


def test_a_damaged_one_is_told_of(call: Call, begun: Path, table: Path, tmp_path: Path) -> None:
    newest = begun / "checkpoint-000000003.safetensors"
    newest.write_bytes((begun / "checkpoint-000000002.safetensors").read_bytes()[:-1])
    told = call("fit", table, *OPTIONS, "--epochs", 4, "--checkpoints", begun, "--resume")
    assert told.exit_code == 0
    assert (
        f"chainrule: the checkpoint {newest.name!r} is cut off or damaged; training goes on from the one "
        "before it, 'checkpoint-000000002.safetensors', after epoch 2.\n"
    ) in told.stderr
    for path in (newest, begun / "checkpoint-000000002.safetensors"):
        path.write_bytes(b"{")
    told = call("fit", table, *OPTIONS, "--epochs", 4, "--checkpoints", begun, "--resume")
    assert told.exit_code == 1
    assert "are all cut off or damaged. Empty the folder, and begin again." in told.stderr


@pytest.mark.parametrize(
    ("arguments", "says"),
    [
        (("--resume",), "--resume must come with --checkpoints FOLDER; got no folder."),
        (("--checkpoint-every", 5), "--checkpoint-every must come with --checkpoints FOLDER; got no folder."),
        (
            ("--checkpoints", "kept", "--checkpoint-every", -1),
            "--checkpoint-every must be a number of seconds",
        ),
        (("--checkpoints", "kept", "--checkpoint-every", "soon"), "must be a number; got 'soon'."),
    ],
)
def test_options_that_cannot_be(
    call: Call, table: Path, tmp_path: Path, arguments: tuple[object, ...], says: str
) -> None:
    with pytest.MonkeyPatch.context() as patched:
        patched.chdir(tmp_path)
        told = call("fit", table, *OPTIONS, *arguments)
    assert told.exit_code == 2
    assert says in told.stderr


def test_a_place_that_cannot_be_written_to(call: Call, table: Path) -> None:
    told = call("fit", table, *OPTIONS, "--checkpoints", table)
    assert told.exit_code == 1
    assert "checkpoints must go to a folder that can be written to; of" in told.stderr
    assert "1 epoch" not in told.stderr


def test_a_full_disk_ends_no_training(
    call: Call, table: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def full(*_: object) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(module, "_packed", full)
    command = (table, *OPTIONS, "--epochs", 6, "-o", tmp_path / "model")
    told = call("fit", *command, "--checkpoints", tmp_path / "kept", "--checkpoint-every", 0)
    assert told.exit_code == 0
    assert (
        told.stderr.count("No space left on device. Training goes on; the checkpoint before it stays.") == 1
    )
    assert (tmp_path / "model").exists()
    assert not [*(tmp_path / "kept").iterdir()]


def test_the_first_start_says_so(call: Call, table: Path, tmp_path: Path) -> None:
    command = (table, *OPTIONS, "--epochs", 2, "--checkpoints", tmp_path / "kept", "--resume")
    told = call("fit", *command)
    assert told.exit_code == 0
    assert f"there is no checkpoint in {tmp_path / 'kept'}; training begins from its start\n" in told.stderr
    assert call("fit", *command, "-q").stderr == ""


LONG = ("--target", "price", "--drop", "dear", "--drop", "sold", "--hidden", "16", "--epochs", "6000")


@pytest.mark.long
def test_killed_fifty_times(start: Call, tmp_path: Path) -> None:
    """At moments drawn at random, from the start of the process on and amid the writing of checkpoints."""
    houses(400).write_csv(tmp_path / "houses.csv")
    command, kept = ("fit", "houses.csv", *LONG), tmp_path / "kept"
    assert _ended(start(*command, "-o", "whole"))[0] == 0
    arguments = (*command, "-o", "model", "--checkpoints", "kept", "--checkpoint-every", "0", "--resume")
    numbers, writing, went_on, last = random.Random(0), 0, 0, 0
    for kill in range(50):
        process = start(*arguments)
        if kill % 5:  # else at any moment, before the first epoch too
            _wait_for_another(process, kept)
        time.sleep(numbers.uniform(0, 0.4 if kill % 5 else 6))
        code, said = _ended(process, signal.SIGKILL)
        assert code == -signal.SIGKILL, said
        writing += bool([*kept.glob(".checkpoint-*.part")])
        newest = max((int(path.name[11:20]) for path in kept.glob("checkpoint-*")), default=0)
        assert newest >= last
        went_on, last = went_on + (newest > last), newest
    code, said = _ended(start(*arguments))
    assert code == 0, said
    assert "going on after epoch" in said
    print(f"\n50 kills, {writing} of them amid writing; {went_on} went further, to epoch {last}")
    assert (tmp_path / "model").read_bytes() == (tmp_path / "whole").read_bytes()
    assert went_on > 25
    assert not [*kept.iterdir()]


def _ended(process: Any, number: int | None = None) -> tuple[int, str]:
    """The exit code of a process that is sent this signal, and what it said."""
    if number is not None:
        process.send_signal(number)
    said = process.communicate(timeout=600)[1].decode()
    return process.returncode, said


def _wait_for_another(process: Any, kept: Path) -> None:
    """Until a checkpoint is written that was not there."""
    before = {path.name for path in kept.glob("checkpoint-*")}
    while not {path.name for path in kept.glob("checkpoint-*")} - before:
        assert process.poll() is None, _ended(process)
        time.sleep(0.01)


@pytest.mark.long
def test_terminated_as_a_scheduler_does(start: Call, tmp_path: Path) -> None:
    houses(400).write_csv(tmp_path / "houses.csv")
    command = ("fit", "houses.csv", *LONG, "-q", "-o", "model")
    process = start(*command, "--checkpoints", "kept", "--checkpoint-every", "0")
    _wait_for_another(process, tmp_path / "kept")
    said = "chainrule: terminated; go on by the same command with --resume.\n"
    assert _ended(process, signal.SIGTERM) == (143, said)
    assert not (tmp_path / "model").exists()
    assert _ended(start(*command, "--checkpoints", "kept", "--resume")) == (0, "")
    assert (tmp_path / "model").exists()


@pytest.mark.long
def test_terminated_without_checkpoints(start: Call, tmp_path: Path) -> None:
    houses(400).write_csv(tmp_path / "houses.csv")
    process = start("fit", "houses.csv", *LONG, "-o", "model")
    while b"regression of" not in process.stderr.readline():
        assert process.poll() is None
    time.sleep(1)
    assert _ended(process, signal.SIGTERM) == (143, "chainrule: terminated; nothing was written.\n")
    assert [path.name for path in tmp_path.iterdir()] == ["houses.csv"]

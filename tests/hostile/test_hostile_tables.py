"""Whatever a table is, it ends in a good model or in one clear line, and nothing is left behind."""

import os
from pathlib import Path
from typing import IO, Any

import pytest
from tests.hostile import files, models, predictions, tables, values
from tests.hostile.cases import FIT, PREDICT, Case, text
from tests.hostile.conftest import Endure, refused, run
from tests.hostile.predictions import new

CASES = [*tables.CASES, *values.CASES, *files.CASES]


@pytest.mark.parametrize(
    "case",
    [pytest.param(case, id=case.name, marks=[pytest.mark.long] if case.long else []) for case in CASES],
)
def test_a_table(case: Case, endure: Endure) -> None:
    endure(case)


@pytest.mark.parametrize("case", [pytest.param(case, id=case.name) for case in predictions.CASES])
def test_a_table_to_predict(case: Case, endure: Endure, model_file: bytes) -> None:
    Path("m.model").write_bytes(model_file)
    endure(case)


def test_there_are_many_cases_of_different_names() -> None:
    every = [case.name for case in [*CASES, *predictions.CASES, *models.CASES]]
    assert len(set(every)) == len(every) >= 150


def test_a_table_that_may_not_be_read(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    table, opened = tmp_path / "t.csv", Path.open

    def refuse(path: Path, *arguments: object, **options: object) -> object:
        if path == table:
            raise PermissionError(13, "Permission denied")
        return opened(path, *arguments, **options)

    table.write_text(text())
    monkeypatch.setattr(Path, "open", refuse)
    result = run(["fit", str(table), "--target", "y", "-q"])
    refused(Case("", None, says="t.csv' must be readable; the system says: Permission denied"), result)


@pytest.mark.parametrize("command", [FIT, PREDICT])
def test_a_folder_that_may_not_be_written(
    command: str, endure: Endure, model_file: bytes, monkeypatch: pytest.MonkeyPatch
) -> None:
    opened = os.open

    def refuse(path: str, flags: int, *arguments: int) -> int:
        if flags & os.O_EXCL:
            raise PermissionError(13, "Permission denied")
        return opened(path, flags, *arguments)

    Path("m.model").write_bytes(model_file)
    monkeypatch.setattr(os, "open", refuse)
    endure(Case("", new(), command, says="cannot be written: Permission denied"))


@pytest.mark.parametrize("command", [FIT, PREDICT])
def test_a_disk_that_is_full_while_writing(
    command: str, endure: Endure, model_file: bytes, monkeypatch: pytest.MonkeyPatch
) -> None:
    Path("m.model").write_bytes(model_file)
    opened = Path.open

    def narrow(path: Path, mode: str = "r", *args: Any, **options: Any) -> IO[Any]:
        if path.name.startswith("."):
            with opened(path, "w") as file:
                file.write("the first half")
            return opened(Path("/dev/full"), "wb", 0)
        return opened(path, mode, *args, **options)

    monkeypatch.setattr(Path, "open", narrow)
    endure(Case("", new(), command, says="No space left"))

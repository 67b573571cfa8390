"""Whatever a model file is, it predicts or is refused in one clear line; nothing that it says is run."""

from pathlib import Path

import pytest
from tests.hostile import models
from tests.hostile.cases import Case
from tests.hostile.conftest import Endure

import chainrule
from chainrule.errors import ModelFileError


@pytest.mark.parametrize("case", [pytest.param(case, id=case.name) for case in models.CASES])
def test_a_model_file(case: Case, endure: Endure, model_file: bytes) -> None:
    Path("m.model").write_bytes(model_file)
    endure(case)


def test_cut_off_anywhere(model_file: bytes, tmp_path: Path) -> None:
    path = tmp_path / "m.model"
    for end in range(0, len(model_file), 7):
        path.write_bytes(model_file[:end])
        with pytest.raises(ModelFileError):
            chainrule.load(path)


def test_a_bit_flipped_anywhere_in_the_header(model_file: bytes, tmp_path: Path) -> None:
    path = tmp_path / "m.model"
    outcomes = set()
    for place in range(0, 8 + int.from_bytes(model_file[:8], "little"), 11):
        path.write_bytes(model_file[:place] + bytes([model_file[place] ^ 1]) + model_file[place + 1 :])
        try:
            chainrule.load(path)
            outcomes.add("loaded")  # a digit of a number, a letter of a name
        except ModelFileError:
            outcomes.add("refused")
    assert outcomes == {"loaded", "refused"}

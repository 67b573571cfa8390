"""Checkpoints as files: whole or not there, the last two of them, and what becomes of damaged ones."""

import errno
import json
import os

import numpy as np
import pytest

from chainrule import ArgumentError, Checkpoints, FileError
from chainrule.training import checkpoints as module

ARRAYS = {
    "W": np.arange(6.0, dtype=np.float32).reshape(2, 3).T,
    "count": np.array(7),
    "empty": np.zeros((0, 2)),
}


def names(folder):
    return sorted(path.name for path in folder.iterdir())


def written(folder, *epochs, **options):
    checkpoints = Checkpoints(folder, every=0, **options)
    for number in epochs:
        checkpoints.write(number, {"seconds": number / 3, "best": float("inf")}, ARRAYS)
    checkpoints.close()
    return checkpoints


def test_what_is_written_comes_back(tmp_path):
    written(tmp_path / "new" / "folder", 3)
    found = Checkpoints(tmp_path / "new" / "folder", resume=True).found
    assert found.epochs == 3
    assert found.about["seconds"] == 1.0
    assert found.about["best"] == float("inf")
    assert set(found.arrays) == set(ARRAYS)
    for name, array in ARRAYS.items():
        assert found.arrays[name].dtype == array.dtype
        assert found.arrays[name].shape == array.shape
        np.testing.assert_array_equal(found.arrays[name], array)


def test_the_last_two_are_kept(tmp_path):
    (tmp_path / "mine.txt").write_text("stays")
    checkpoints = written(tmp_path, 1, 2, 5)
    assert names(tmp_path) == [
        "checkpoint-000000002.safetensors",
        "checkpoint-000000005.safetensors",
        "mine.txt",
    ]
    checkpoints.remove()
    assert names(tmp_path) == ["mine.txt"]
    assert Checkpoints(tmp_path).found is None


def test_none_is_written_over_unasked(tmp_path):
    written(tmp_path, 1)
    with pytest.raises(ArgumentError, match=r"must be in an empty folder.*resume=True, or empty the folder"):
        Checkpoints(tmp_path)
    assert names(tmp_path) == ["checkpoint-000000001.safetensors"]


def test_where_there_is_none_it_begins(tmp_path):
    assert Checkpoints(tmp_path, resume=True).found is None


def cut(path):
    path.write_bytes(path.read_bytes()[:-5])


def emptied(path):
    path.write_bytes(b"")


def altered(path):
    data = bytearray(path.read_bytes())
    data[-3] ^= 1
    path.write_bytes(data)


def rewritten(path):
    path.write_bytes(path.read_bytes().replace(b"seconds", b"seconde"))


@pytest.mark.parametrize("damage", [cut, emptied, altered, rewritten])
def test_the_one_before_a_damaged_one_is_taken(tmp_path, damage):
    written(tmp_path, 1, 2)
    damage(tmp_path / "checkpoint-000000002.safetensors")
    with pytest.warns(UserWarning, match=r"000002.*is cut off or damaged; .*000001.*, after epoch 1\."):
        checkpoints = Checkpoints(tmp_path, resume=True)
    assert checkpoints.found.epochs == 1
    checkpoints.write(2, {}, ARRAYS)
    checkpoints.close()
    assert Checkpoints(tmp_path, resume=True).found.epochs == 2


def test_a_damaged_one_is_not_one_of_the_two(tmp_path):
    written(tmp_path, 1, 9)
    cut(tmp_path / "checkpoint-000000009.safetensors")
    told = []
    written(tmp_path, 2, resume=True, tell=told.append)
    assert names(tmp_path) == ["checkpoint-000000001.safetensors", "checkpoint-000000002.safetensors"]
    assert len(told) == 1


def test_all_damaged(tmp_path):
    written(tmp_path, 1, 2)
    for path in tmp_path.iterdir():
        cut(path)
    with pytest.raises(FileError, match=r"must be whole to go on from.*Empty the folder, and begin again\."):
        Checkpoints(tmp_path, resume=True)


@pytest.mark.parametrize(("name", "value"), [("FORMAT", 0), ("__version__", "0.0.7")])
def test_those_of_another_version_are_refused(tmp_path, monkeypatch, name, value):
    with monkeypatch.context() as patched:
        patched.setattr(module if name == "FORMAT" else module.chainrule, name, value)
        written(tmp_path, 1)
    with pytest.raises(ArgumentError, match=rf"must be this version's.* is of .*{value}.*Use that version"):
        Checkpoints(tmp_path, resume=True)


def test_what_a_killed_process_left_is_cleared_away(tmp_path):
    (tmp_path / ".checkpoint-0123.part").write_bytes(b"half")
    written(tmp_path, 1)
    assert names(tmp_path) == ["checkpoint-000000001.safetensors"]


@pytest.mark.parametrize("call", ["write", "fsync", "replace"])
def test_a_full_disk_is_told_of_once_and_the_one_before_stays(tmp_path, monkeypatch, call):
    def full(*_):
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))

    told = []
    checkpoints = Checkpoints(tmp_path, every=0, tell=told.append)
    checkpoints.write(1, {}, ARRAYS)
    checkpoints.settle()
    with monkeypatch.context() as patched:
        where, name = {
            "write": (module, "_packed"),
            "fsync": (module.os, "fsync"),
            "replace": (module.Path, "replace"),
        }[call]
        patched.setattr(where, name, full)
        for number in (2, 3):
            checkpoints.write(number, {}, ARRAYS)
            checkpoints.settle()
    assert told == [
        f"a checkpoint could not be written to {str(tmp_path)!r}: No space left on device. Training goes "
        "on; the checkpoint before it stays. Free some space."
    ]
    assert names(tmp_path) == ["checkpoint-000000001.safetensors"]
    checkpoints.write(4, {}, ARRAYS)
    checkpoints.close()
    assert names(tmp_path) == ["checkpoint-000000001.safetensors", "checkpoint-000000004.safetensors"]


def test_a_file_that_may_not_grow(tmp_path):
    """The system's own refusal, halfway through a file."""
    resource = pytest.importorskip("resource")
    before = resource.getrlimit(resource.RLIMIT_FSIZE)
    told = []
    checkpoints = Checkpoints(tmp_path, every=0, tell=told.append)
    try:
        resource.setrlimit(resource.RLIMIT_FSIZE, (20_000, before[1]))
        checkpoints.write(1, {}, {"W": np.zeros(100_000)})
        checkpoints.settle()
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, before)
    assert "File too large" in told[0]
    assert names(tmp_path) == []


def test_a_place_that_is_no_folder(tmp_path):
    (tmp_path / "file").write_text("")
    for place in (tmp_path / "file", tmp_path / "file" / "below"):
        with pytest.raises(FileError, match=r"must go to a folder that can be written to.*Free or choose"):
            Checkpoints(place)


def test_a_folder_that_cannot_be_written_to(tmp_path, monkeypatch):
    def refused(*_):
        raise PermissionError(errno.EACCES, "Permission denied")

    monkeypatch.setattr(module.Path, "write_bytes", refused)
    with pytest.raises(FileError, match="the system says: Permission denied"):
        Checkpoints(tmp_path)


@pytest.mark.parametrize("every", [-1, float("nan"), float("inf"), "soon", None, True])
def test_how_often_must_be_a_number_of_seconds(tmp_path, every):
    with pytest.raises(ArgumentError, match="every must be a number of seconds, 0 or more"):
        Checkpoints(tmp_path, every=every)


def test_they_are_due_when_time_has_passed(tmp_path, monkeypatch):
    now = [100.0]
    monkeypatch.setattr(module, "perf_counter", lambda: now[0])
    checkpoints = Checkpoints(tmp_path)
    assert not checkpoints.due()
    now[0] += 30
    assert checkpoints.due()
    checkpoints.write(1, {}, ARRAYS)
    checkpoints.settle()
    assert not checkpoints.due()
    checkpoints.close()


def test_no_two_are_written_at_once(tmp_path, monkeypatch):
    from threading import Event

    go, packed = Event(), module._packed
    monkeypatch.setattr(module, "_packed", lambda *parts: go.wait(10) and packed(*parts))
    checkpoints = Checkpoints(tmp_path, every=0)
    checkpoints.write(1, {}, ARRAYS)
    assert not checkpoints.due()
    go.set()
    checkpoints.close()
    assert names(tmp_path) == ["checkpoint-000000001.safetensors"]


def test_the_description_is_readable_by_others(tmp_path):
    written(tmp_path, 1)
    data = (tmp_path / "checkpoint-000000001.safetensors").read_bytes()
    said = json.loads(data[8 : 8 + int.from_bytes(data[:8], "little")])["__metadata__"]
    assert json.loads(said["chainrule checkpoint"])["epochs"] == 1

import errno
import os
import stat

import pytest

from chainrule.errors import FileError
from chainrule.tables.writing import atomically


def test_the_file_appears_whole_and_alone(tmp_path):
    target = tmp_path / "model.bin"
    with atomically(target) as temporary:
        temporary.write_bytes(b"12")
        assert temporary.parent == tmp_path
        assert temporary.suffix == ".bin"
        assert not target.exists()
    assert target.read_bytes() == b"12"
    assert list(tmp_path.iterdir()) == [target]


def test_a_path_may_be_text_relative_to_the_current_folder(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    with atomically("plain") as temporary:
        temporary.write_text("text")
    assert (tmp_path / "plain").read_text() == "text"


def fail_after(_, failure):
    raise failure


@pytest.mark.parametrize("failure", [KeyboardInterrupt, ValueError, SystemExit, BrokenPipeError])
def test_a_failure_keeps_the_old_file_and_leaves_nothing_else(tmp_path, failure):
    target = tmp_path / "model.bin"
    target.write_bytes(b"old")
    with pytest.raises(failure), atomically(target) as temporary:
        fail_after(temporary.write_bytes(b"ne"), failure)
    assert target.read_bytes() == b"old"
    assert list(tmp_path.iterdir()) == [target]


def test_an_own_error_passes_unchanged(tmp_path):
    with pytest.raises(FileError, match=r"^mine$"), atomically(tmp_path / "x"):
        raise FileError("mine")


def test_a_full_disk_is_a_file_error(tmp_path):
    target = tmp_path / "model.bin"
    with pytest.raises(FileError, match=r"model.bin.*cannot be written.*No space left"), atomically(target):
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize("umask", [0o022, 0o077])
def test_a_new_file_gets_the_usual_permissions(tmp_path, umask):
    before = os.umask(umask)
    try:
        with atomically(tmp_path / "new") as temporary:
            temporary.write_text("")
    finally:
        os.umask(before)
    assert stat.S_IMODE((tmp_path / "new").stat().st_mode) == 0o666 & ~umask


def test_a_replaced_file_keeps_its_permissions(tmp_path):
    target = tmp_path / "secret"
    target.write_text("old")
    target.chmod(0o600)
    with atomically(target) as temporary:
        temporary.write_text("new")
    assert target.read_text() == "new"
    assert stat.S_IMODE(target.stat().st_mode) == 0o600


def test_a_link_stays_and_its_target_is_replaced(tmp_path):
    (tmp_path / "folder").mkdir()
    real, link = tmp_path / "folder" / "real.csv", tmp_path / "link.csv"
    real.write_text("old")
    link.symlink_to(real)
    with atomically(link) as temporary:
        temporary.write_text("new")
    assert link.is_symlink()
    assert real.read_text() == "new"
    assert list((tmp_path / "folder").iterdir()) == [real]


def test_a_link_to_nothing_yet_makes_its_target(tmp_path):
    (tmp_path / "link").symlink_to(tmp_path / "real")
    with atomically(tmp_path / "link") as temporary:
        temporary.write_text("new")
    assert (tmp_path / "link").is_symlink()
    assert (tmp_path / "real").read_text() == "new"


def test_a_pipe_is_written_to_and_not_replaced(tmp_path):
    pipe = tmp_path / "pipe"
    os.mkfifo(pipe)
    reader = os.open(pipe, os.O_RDONLY | os.O_NONBLOCK)
    try:
        with atomically(pipe) as place:
            place.write_bytes(b"through")
        assert os.read(reader, 100) == b"through"
    finally:
        os.close(reader)
    assert stat.S_ISFIFO(pipe.stat().st_mode)
    assert list(tmp_path.iterdir()) == [pipe]


def test_a_read_only_file_is_refused(tmp_path, monkeypatch):
    target = tmp_path / "kept"
    target.write_text("old")
    monkeypatch.setattr(os, "access", lambda path, mode: False)  # root may write to any file
    with pytest.raises(FileError, match=r"kept.*must be writable.*read-only"), atomically(target):
        pass
    assert target.read_text() == "old"


@pytest.mark.parametrize(
    ("path", "words"),
    [
        ("no/such/folder/x", r"must be in a folder that exists.*Create it"),
        ("", "must be a file; it is a folder"),
        ("file/x", "a part of that path is a file"),
        ("a\0b", "null byte"),
        ("x" * 300, "File name too long"),
    ],
)
def test_places_where_no_file_can_be(tmp_path, path, words):
    (tmp_path / "file").write_text("")
    with pytest.raises(FileError, match=words), atomically(tmp_path / path):
        raise AssertionError("the block must not be entered")
    assert list(tmp_path.iterdir()) == [tmp_path / "file"]

"""Files that are either whole or not there."""

import os
import secrets
import stat
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

from chainrule.errors import ChainruleError, FileError

__all__ = ["atomically"]


@contextmanager
def atomically(path: str | os.PathLike[str]) -> Iterator[Path]:
    """Write a file as a whole: it takes its name only once it is complete.

    A link is followed, a file that is replaced keeps its permissions, and a new one gets the usual ones.
    A device or a pipe (``/dev/stdout``) cannot be replaced, so it is written to directly.

    Parameters
    ----------
    path
        Where the file shall be in the end.

    Yields
    ------
    temporary
        An empty file in the same folder, with the same suffix, to write to. It is renamed to `path` when
        the block ends, and removed when the block is left by an exception, Ctrl-C included.

    Raises
    ------
    FileError
        If the folder is not there, `path` is a folder, or the system refuses (permissions, a full disk).

    Examples
    --------
    >>> import tempfile
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     with atomically(Path(folder) / "greeting.txt") as temporary:
    ...         _ = temporary.write_text("hello")
    ...     (Path(folder) / "greeting.txt").read_text()
    'hello'
    """
    temporary = None
    try:
        mode = _mode_of(Path(path))
        if mode is not None and not stat.S_ISREG(mode):
            yield Path(path)
            return
        target = Path(path).resolve()
        if mode is not None and not os.access(target, os.W_OK):
            raise FileError(f"{str(path)!r} must be writable; it is read-only. Choose another name.")
        temporary = target.with_name(f".{secrets.token_hex(8)}{target.suffix}")
        # O_EXCL never opens a file of somebody else; 0o666 less the umask is what open() gives.
        os.close(os.open(temporary, os.O_CREAT | os.O_EXCL | os.O_WRONLY, 0o666))
        if mode is not None:
            temporary.chmod(stat.S_IMODE(mode))
        yield temporary
        temporary.replace(target)
    except (ChainruleError, BrokenPipeError):
        raise  # a reader that has left is no failure to write: the command line ends quietly
    except OSError as error:
        reason = error.strerror or error
        raise FileError(
            f"{str(path)!r} cannot be written: {reason}. Free or choose another place."
        ) from error
    finally:
        if temporary is not None:
            with suppress(OSError):
                temporary.unlink(missing_ok=True)


def _mode_of(path: Path) -> int | None:
    """Type and permissions of what is at `path`, or None; refuse what can never become a file."""
    try:
        mode = path.stat().st_mode
    except FileNotFoundError:
        folder = path.resolve().parent
        if not folder.is_dir():
            raise FileError(
                f"{str(path)!r} must be in a folder that exists; there is no folder {str(folder)!r}. "
                "Create it first, or choose another place."
            ) from None
        return None
    except NotADirectoryError:
        raise FileError(
            f"{str(path)!r} must be in a folder; a part of that path is a file. Choose another place."
        ) from None
    except ValueError as error:
        raise FileError(f"{str(path)!r} must be a path; got one with an {error}. Remove it.") from None
    if stat.S_ISDIR(mode):
        raise FileError(f"{str(path)!r} must be a file; it is a folder. Add a file name to it.")
    return mode

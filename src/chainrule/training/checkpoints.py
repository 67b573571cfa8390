"""Checkpoints: what a training needs to go on bit for bit, in files that are whole or not there.

A file is a safetensors file, arrays and a description in JSON, with a digest of all that is in it: one that
was cut or altered is noticed.
"""

import hashlib
import json
import os
import secrets
import warnings
from collections.abc import Callable, Mapping
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import suppress
from math import inf
from numbers import Real
from pathlib import Path
from time import perf_counter
from typing import Any, NamedTuple, final

import numpy as np
from safetensors.numpy import load as from_safetensors
from safetensors.numpy import save as to_safetensors

import chainrule
from chainrule.errors import ArgumentError, FileError

__all__ = ["Checkpoint", "Checkpoints"]

FORMAT = 1
"""The version of what is in a file."""

_KEY, _DIGEST = "chainrule checkpoint", "digest"
_NAME = "checkpoint-{:09d}.safetensors"
_ALL, _UNFINISHED = "checkpoint-*.safetensors", ".checkpoint-*.part"


class Checkpoint(NamedTuple):
    """What a file holds."""

    path: Path
    about: dict[str, Any]
    arrays: dict[str, np.ndarray]

    @property
    def epochs(self) -> int:
        """How many were done."""
        return int(self.about["epochs"])


@final
class Checkpoints:
    """Checkpoints of one training, in a folder of their own: the last two are kept.

    ``fit(…, checkpoints=…)`` writes them. Given a path, it also removes them when it is done; given this, it
    leaves that to whoever made it, who may want to save the model first.

    Parameters
    ----------
    folder
        Made where there is none.
    every
        How many seconds are between them, at least; 0 for as often as can be written.
    resume
        Whether to go on from the last one there is; where there is none, training begins from its start.
    tell
        What is called with a sentence where one cannot be written or read; by default it is warned of.

    Raises
    ------
    ArgumentError
        If there are checkpoints and ``resume`` is False, or they are another version's.
    FileError
        If the folder cannot be written to, or all checkpoints in it are damaged.

    Examples
    --------
    >>> import tempfile
    >>> X, y = [[0.0], [1.0], [2.0]], [0.0, 1.0, 2.0]
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     checkpoints = Checkpoints(folder, every=60, resume=True)
    ...     model = chainrule.DeepRegressor((4,), max_iter=2, random_state=0)
    ...     model = model.fit(X, y, checkpoints=checkpoints)
    ...     chainrule.save(model, folder + "/line.chainrule")
    ...     checkpoints.remove()
    """

    def __init__(
        self,
        folder: str | os.PathLike[str],
        *,
        every: float = 30.0,
        resume: bool = False,
        tell: Callable[[str], None] | None = None,
    ) -> None:
        if not (isinstance(every, Real) and not isinstance(every, bool) and 0 <= every < inf):
            raise ArgumentError(f"every must be a number of seconds, 0 or more; got {every!r}.")
        self.folder: Path = Path(folder)
        self._every: float = float(every)
        self.tell: Callable[[str], None] = tell or _warn
        self._refuse_unwritable()
        there = sorted(self.folder.glob(_ALL))
        if there and not resume:
            raise ArgumentError(
                f"checkpoints must be in an empty folder where training begins; {str(folder)!r} has those of "
                "a training that did not end. Go on with it by resume=True, or empty the folder."
            )
        self.found: Checkpoint | None = self._last_whole(there)
        """Where to go on from."""
        self._kept: list[Path] = [] if self.found is None else [self.found.path]
        self._last: float = perf_counter()
        self._failed: str = ""
        self._told: bool = False
        self._writer: ThreadPoolExecutor | None = None
        self._writing: Future[None] | None = None

    def due(self) -> bool:
        """Whether it is time for another one."""
        if self._writing is not None and not self._writing.done():
            return False
        self.settle()
        return perf_counter() - self._last >= self._every

    def write(self, epochs: int, about: Mapping[str, Any], arrays: Mapping[str, np.ndarray]) -> None:
        """Write one in a thread, after the one that is being written; nobody may change what is handed over.

        Where that fails, those before it stay, and it is told of once.
        """
        self.settle()
        if self._writer is None:
            self._writer = ThreadPoolExecutor(1, "chainrule-checkpoints")
        self._last = perf_counter()
        said = {**about, "format": FORMAT, "version": chainrule.__version__, "epochs": epochs}
        self._writing = self._writer.submit(self._try, self.folder / _NAME.format(epochs), said, arrays)

    def settle(self) -> None:
        """Wait until the last one is written."""
        if self._writing is not None:
            self._writing.result()
        if self._failed and not self._told:
            self._told = True
            self.tell(
                f"a checkpoint could not be written to {str(self.folder)!r}: {self._failed}. Training goes "
                "on; the checkpoint before it stays. Free some space."
            )

    def close(self) -> None:
        """Wait for the last one, and let the thread go."""
        self.settle()
        if self._writer is not None:
            self._writer.shutdown()
            self._writer = None

    def remove(self) -> None:
        """Remove all of them, because the training is done; the folder stays."""
        self.close()
        for pattern in (_ALL, _UNFINISHED):
            for path in self.folder.glob(pattern):
                path.unlink(missing_ok=True)
        self._kept, self.found = [], None

    def _refuse_unwritable(self) -> None:
        """Also clears away what a process that was killed had not finished."""
        try:
            self.folder.mkdir(parents=True, exist_ok=True)
            for path in self.folder.glob(_UNFINISHED):
                path.unlink(missing_ok=True)
            trial = self._temporary()
            trial.write_bytes(b"-")
            trial.unlink()
        except OSError as error:
            raise FileError(
                f"checkpoints must go to a folder that can be written to; of {str(self.folder)!r} the system "
                f"says: {error.strerror or error}. Free or choose another place."
            ) from error

    def _last_whole(self, there: list[Path]) -> Checkpoint | None:
        damaged: list[str] = []
        for path in reversed(there):
            try:
                found = _read(path)
            except _Damaged:
                damaged.append(path.name)
                continue
            if damaged:
                self.tell(
                    f"the checkpoint {damaged[0]!r} is cut off or damaged; training goes on from the one "
                    f"before it, {path.name!r}, after epoch {found.epochs}."
                )
            return found
        if damaged:
            raise FileError(
                f"checkpoints must be whole to go on from; those in {str(self.folder)!r} are all cut off or "
                "damaged. Empty the folder, and begin again."
            )
        return None

    def _temporary(self) -> Path:
        return self.folder / f".checkpoint-{secrets.token_hex(8)}.part"

    def _try(self, path: Path, about: dict[str, Any], arrays: Mapping[str, np.ndarray]) -> None:
        temporary = self._temporary()
        try:
            with temporary.open("xb") as file:
                file.write(_packed(about, arrays))
                file.flush()
                os.fsync(file.fileno())
            temporary.replace(path)
            _sync_folder(self.folder)
            self._kept = [*(kept for kept in self._kept[-1:] if kept != path), path]
            for other in set(self.folder.glob(_ALL)) - set(self._kept):
                other.unlink(missing_ok=True)
        except (OSError, MemoryError) as error:
            self._failed = getattr(error, "strerror", None) or str(error) or type(error).__name__
        finally:
            with suppress(OSError):
                temporary.unlink(missing_ok=True)


class _Damaged(Exception):  # noqa: N818
    """A file is not a whole one of ours."""


def _packed(about: dict[str, Any], arrays: Mapping[str, np.ndarray]) -> bytes:
    text = json.dumps(about, separators=(",", ":"), default=np.generic.item)
    whole = {name: np.asarray(array, order="C") for name, array in arrays.items()}
    return to_safetensors(whole, {_KEY: text, _DIGEST: _digest(text, whole)})


def _read(path: Path) -> Checkpoint:
    try:
        data = path.read_bytes()
    except OSError as error:
        raise FileError(
            f"{str(path)!r} cannot be read: {error.strerror or error}. Free or choose another place."
        ) from error
    try:
        said = json.loads(data[8 : 8 + int.from_bytes(data[:8], "little")])["__metadata__"]
        text, digest = said[_KEY], said[_DIGEST]
        arrays = from_safetensors(data)
        whole = digest == _digest(text, arrays)
        about = json.loads(text)
        made = about["format"], about["version"]
    except Exception:  # whatever is not ours can make the parsers raise anything
        raise _Damaged from None
    if not whole:
        raise _Damaged
    if made != (FORMAT, chainrule.__version__):
        raise ArgumentError(
            f"checkpoints must be this version's to go on from, {chainrule.__version__} (format {FORMAT}); "
            f"{str(path)!r} is of {made[1]} (format {made[0]}). Use that version, or empty the folder."
        )
    return Checkpoint(path, about, arrays)


def _digest(text: str, arrays: Mapping[str, np.ndarray]) -> str:
    digest = hashlib.blake2b(text.encode(), digest_size=16)
    for name in sorted(arrays):
        digest.update(f"{name} {arrays[name].dtype} {arrays[name].shape} ".encode())
        digest.update(arrays[name].reshape(-1).view(np.uint8).data)
    return digest.hexdigest()


def _sync_folder(folder: Path) -> None:
    """So that the new name too outlives a loss of power; not every system can."""
    with suppress(OSError):
        descriptor = os.open(folder, os.O_RDONLY)
        try:
            os.fsync(descriptor)
        finally:
            os.close(descriptor)


def _warn(text: str) -> None:
    warnings.warn(text, UserWarning, stacklevel=2)

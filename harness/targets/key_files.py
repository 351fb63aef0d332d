"""The files of a key provider as a target: they are out of reach, hold garbage, or are lost for good.

    before     …/keyring.json                      the file
    hidden     …/keyring.json                      a symbolic link that leads nowhere
               …/keyring.json.logquake-hidden      the file
    spoiled    …/keyring.json                      garbage, which begins with a mark of ours

A name is never free meanwhile, or a stack would take its absence for a first start and make a new key.
"""

from __future__ import annotations

import os
import stat
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from random import Random

from harness.model.errors import FaultError
from harness.model.protocols import Undo
from harness.targets.stack_files import regular_files

_HIDDEN = ".logquake-hidden"
_NOWHERE = "/proc/logquake-key-hidden"
_GARBAGE = b"\x00logquake garbage\n"
_GARBAGE_BYTES = 512


class KeyFilesTarget:
    """Files in which a provider keeps keys; implements KeyProviding and KeyLosable.

    Args:
        name: how scenarios call them.
        folder: the stack's folder. What lies elsewhere is never touched, symbolic links are not followed.
        patterns: of `Path.glob`, relative to that folder.
    """

    def __init__(self, name: str, folder: Path, patterns: Sequence[str]) -> None:
        self.name = name
        self._folder = folder
        self._patterns = tuple(patterns)
        self._lost: list[Path] = []

    def hide(self) -> None:
        """Put each file out of reach; raises FaultError where there is none, or the system refuses."""
        for path in self._there():
            with _changing(path):
                path.rename(hidden_name(path))
                path.symlink_to(_NOWHERE)

    def spoil(self, rng: Random) -> None:
        """Put garbage in the place of each file; raises as `hide` does."""
        for path in self._there():
            with _changing(path):
                before = path.stat()
                path.rename(hidden_name(path))
                _write_garbage(path, rng, before)

    def show(self) -> None:
        """Put the files back; harmless where they are. Raises FaultError where one cannot be."""
        for hidden in self._away():
            put_back_file(hidden)

    def lose(self) -> None:
        """Remove each file for good; raises as `hide` does."""
        for path in self._there():
            with _changing(path):
                path.unlink()
            self._lost.append(path)

    def out_of_reach(self) -> bool:
        """Tell whether none of the files can be read as it was."""
        away = self._away()
        return bool(away) and not any(_readable(_original(each)) for each in away)

    def lost(self) -> list[str]:
        """Return the files that were removed and are not there now."""
        return [str(path.relative_to(self._folder)) for path in self._lost if not os.path.lexists(path)]

    def describe_provider(self) -> str:
        """Return what the files are now, for a person."""
        away = self._away()
        if not away:
            there = len(list(self._matching()))
            return f"{there} files of keys are there" if there else f"no file matches {self._patterns}"
        return ", ".join(
            f"{_original(each).relative_to(self._folder)} "
            f"{'holds garbage' if _is_garbage(_original(each)) else 'cannot be opened'}"
            for each in away
        )

    def undo_hide(self) -> Undo:
        """Name the files by the stack's own folder and their paths in it."""
        files = "\n".join(str(path.relative_to(self._folder)) for path in self._matching())
        return Undo("put_back_files", {"root": str(self._folder), "files": files})

    def undo_spoil(self) -> Undo:
        """Name the files as `undo_hide` does: they are put back the same way."""
        return self.undo_hide()

    def undo_loss(self) -> Undo:
        """Say that nothing can be taken back."""
        return Undo("nothing", {"why": f"what was lost of {self.name} is gone; the rest goes with its run"})

    def _there(self) -> list[Path]:
        found = list(self._matching())
        if not found:
            raise FaultError(
                f'target "{self.name}": no file matches {", ".join(self._patterns)}; correct keys.provider '
                "in the stack file"
            )
        return found

    def _matching(self) -> list[Path]:
        found = regular_files(self._folder, self._patterns)
        return [path for path, _ in found if not path.name.endswith(_HIDDEN)]

    def _away(self) -> list[Path]:
        return sorted(
            {path for pattern in self._patterns for path in self._folder.glob(f"{pattern}{_HIDDEN}")}
        )


def put_back_file(hidden: Path) -> bool:
    """Put a file back that was hidden or spoiled. Idempotent.

    Args:
        hidden: where it lies meanwhile.

    Returns:
        Whether it was away.

    Raises:
        FaultError: something else has taken its name, or the system refuses.
    """
    if not os.path.lexists(hidden):
        return False
    path = _original(hidden)
    nowhere = path.is_symlink() and path.readlink() == Path(_NOWHERE)
    if os.path.lexists(path) and not nowhere and not _is_garbage(path):
        raise FaultError(f"{path} was made again meanwhile; what it was is in {hidden}")
    with _changing(path):
        hidden.replace(path)
    return True


def hidden_name(path: Path) -> Path:
    """Return where a file lies while it is hidden or spoiled."""
    return path.with_name(path.name + _HIDDEN)


def _original(hidden: Path) -> Path:
    return hidden.with_name(hidden.name.removesuffix(_HIDDEN))


def _write_garbage(path: Path, rng: Random, before: os.stat_result) -> None:
    """Make a file of garbage with the owner and the mode of the one that stood there."""
    descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, stat.S_IMODE(before.st_mode))
    with os.fdopen(descriptor, "wb") as file:
        if (before.st_uid, before.st_gid) != (os.geteuid(), os.getegid()):
            os.fchown(descriptor, before.st_uid, before.st_gid)
        file.write(_GARBAGE + rng.randbytes(_GARBAGE_BYTES))


def _is_garbage(path: Path) -> bool:
    try:
        with path.open("rb") as file:
            return file.read(len(_GARBAGE)) == _GARBAGE
    except OSError:
        return False


def _readable(path: Path) -> bool:
    try:
        with path.open("rb") as file:
            return not _is_garbage(path) and file.readable()
    except OSError:
        return False


@contextmanager
def _changing(path: Path) -> Iterator[None]:
    try:
        yield
    except OSError as error:
        raise FaultError(f"{path} cannot be changed: {error.strerror}") from error

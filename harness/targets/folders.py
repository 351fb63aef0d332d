"""A folder is taken from under whoever uses it and put back, by a fault or later from the journal alone.

    before    …/spool                      the folder
    away      …/spool                      a symbolic link that leads nowhere
              …/spool.logquake-away        the folder

The link keeps the name taken, so that nobody makes the folder again: then two would have to be made one, and
what a stack wrote into the second could be lost by the putting back instead of by the stack.
"""

from __future__ import annotations

import os
from collections.abc import Iterable
from pathlib import Path, PurePath

from harness.model.errors import FaultError

_AWAY = ".logquake-away"
# Nobody can make anything in /proc, so the link leads nowhere for whoever follows it.
_NOWHERE = "/proc/logquake-folder-gone"
_WILD = frozenset("*?[")


def folders_of(patterns: Iterable[str]) -> list[PurePath]:
    """Return the folders that hold what the patterns match, without those that lie in another of them.

    Args:
        patterns: of `Path.glob`, e.g. `spool/*.segment`: its folder is `spool`.
    """
    folders = sorted({_literal(PurePath(pattern)) for pattern in patterns})
    return [each for each in folders if not any(other in each.parents for other in folders)]


def _literal(pattern: PurePath) -> PurePath:
    literal = PurePath()
    for part in pattern.parts[:-1]:
        if _WILD & set(part):
            break
        literal /= part
    return literal


def take_away(root: Path, folder: PurePath) -> bool:
    """Move a folder aside and let a link that leads nowhere stand in its place.

    Args:
        root: what the folder must lie in; its own links are followed, none below it is.
        folder: relative to it.

    Returns:
        Whether it was there.

    Raises:
        FaultError: it is the root itself, lies elsewhere, is no folder, or the system refuses.
    """
    path = _inside(root, folder)
    if not os.path.lexists(path):
        return False
    if path.is_symlink() or not path.is_dir():
        raise FaultError(f"{path} is no folder, and links are not followed")
    try:
        path.rename(_away(path))
        path.symlink_to(_NOWHERE)
    except OSError as error:
        raise FaultError(f"{path} cannot be moved: {error.strerror}") from error
    return True


def put_back(root: Path, folder: PurePath) -> bool:
    """Put a folder back that was taken away. Idempotent.

    Args:
        root: the folder of the stack in its run.
        folder: within it, and not above.

    Returns:
        Whether it was away.

    Raises:
        FaultError: something else has taken its name, or the system refuses.
    """
    path = _inside(root, folder)
    if not os.path.lexists(_away(path)):
        return False
    try:
        if path.is_symlink() and path.readlink() == Path(_NOWHERE):
            path.unlink()
        if os.path.lexists(path):
            raise FaultError(f"{path} was made again meanwhile; what was in it is in {_away(path)}")
        _away(path).rename(path)
    except OSError as error:
        raise FaultError(f"{path} cannot be put back: {error.strerror}") from error
    return True


def is_away(root: Path, folder: PurePath) -> bool:
    """See from outside that a folder cannot be entered and that its contents are elsewhere meanwhile.

    Args:
        root: the folder of the stack in its run.
        folder: within it, and not above.

    Returns:
        Whether both hold; of a folder that never was, no.
    """
    path = _inside(root, folder)
    try:
        next(path.iterdir(), None)
    except FileNotFoundError:
        return _away(path).is_dir()
    return False


def _away(path: Path) -> Path:
    return path.with_name(path.name + _AWAY)


def _inside(root: Path, folder: PurePath) -> Path:
    """Return the folder's path; raises FaultError where it is not below the root, links not followed."""
    path = root.resolve() / folder
    if folder == PurePath() or folder.is_absolute() or ".." in folder.parts:
        raise FaultError(f'"{folder}" is no folder below {root}; let the stack keep its files in one')
    if path.parent.resolve() != path.parent:
        raise FaultError(f"{path} is reached through a symbolic link, and links are not followed")
    return path

"""Writes new files; one that is there is never touched unless its owner says so."""

from __future__ import annotations

import os
from collections.abc import Sequence
from pathlib import Path
from tempfile import NamedTemporaryFile

from harness.model.errors import UnavailableError, UsageError
from harness.onboarding.scaffold import NewFile


def in_the_way(folder: Path, files: Sequence[NewFile]) -> tuple[NewFile, ...]:
    """Return the files to write that are there already.

    Args:
        folder: the project's folder.
        files: what is to be written.

    Raises:
        UsageError: at the path of one there is something that is no file, such as a link that leads nowhere.
    """
    for file in files:
        path = folder / file.path
        if os.path.lexists(path) and not path.is_file():
            raise UsageError(f"{file.path}: is no file, so nothing was written. Move it away")
    return tuple(file for file in files if (folder / file.path).is_file())


def write_files(folder: Path, files: Sequence[NewFile], *, force: bool) -> None:
    """Write files, all or, where one of them is there already, none.

    Args:
        folder: the project's folder.
        files: what is to be written.
        force: whether files that are there already are replaced.

    Raises:
        UsageError: a file is there already, and `force` is not given.
        UnavailableError: one cannot be written; those before it are.
    """
    if not force and (there := in_the_way(folder, files)):
        names = ", ".join(str(file.path) for file in there)
        raise UsageError(f"{names}: already there, so nothing was written. Move it away, or say --force")
    for file in files:
        try:
            _write(folder / file.path, file.text, force=force)
        except OSError as error:
            raise UnavailableError(f"{file.path}: cannot be written: {error.strerror}") from error


def _write(path: Path, text: str, *, force: bool) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    if not force:
        # "x": one that has come since it was looked for is not touched either.
        with path.open("x", encoding="utf-8") as new:
            new.write(text)
        return
    with NamedTemporaryFile("w", encoding="utf-8", dir=path.parent, delete=False) as made:
        made.write(text)
    Path(made.name).chmod(0o644)
    Path(made.name).replace(path)

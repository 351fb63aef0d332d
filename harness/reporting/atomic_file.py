"""A report's file appears whole or not at all, and only its owner can read it: it quotes log lines."""

from __future__ import annotations

import os
from pathlib import Path
from tempfile import NamedTemporaryFile

from harness.model.result import Report, Result


def write_report(report: Report, result: Result, folder: Path) -> Path:
    """Write a report into a folder under its own name.

    Returns:
        The file's path.

    Raises:
        OSError: the folder cannot be written to.
    """
    return write_atomically(folder / report.file_name, report.text(result))


def write_atomically(path: Path, text: str) -> Path:
    """Write UTF-8 text to a temporary neighbour, flush it to disk and rename it into place, mode 0600.

    Creates the folder where it is missing.

    Returns:
        The path.

    Raises:
        OSError: the folder cannot be written to; what stood at `path` before is untouched.
    """
    path.parent.mkdir(parents=True, exist_ok=True)
    # A named temporary file is created with mode 0600, and the rename keeps that.
    with NamedTemporaryFile(
        "w", encoding="utf-8", dir=path.parent, prefix=f".{path.name}.", delete=False
    ) as file:
        temporary = Path(file.name)
        try:
            file.write(text)
            file.flush()
            os.fsync(file.fileno())
            temporary.replace(path)
        except BaseException:
            temporary.unlink(missing_ok=True)
            raise
    return path

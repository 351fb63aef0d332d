"""`reports/latest`: the run that ended last, as a symbolic link, or as a file that names its folder."""

from __future__ import annotations

import os
from contextlib import suppress
from pathlib import Path

from harness.reporting.atomic_file import write_atomically
from harness.reporting.result_json import FILE_NAME

NAME = "latest"
_NAME_CHARACTERS_MAX = 4_096


def point_latest(out: Path, run: Path) -> Path | None:
    """Let `latest` in the folder of results lead to a run; it leads to the old run or to the new, always.

    Args:
        out: the folder of results.
        run: the run's folder, somewhere in it.

    Returns:
        The link, or the file that holds the relative path; None where a folder of that name is in the way.

    Raises:
        OSError: neither can be written.
    """
    link = out / NAME
    if link.is_dir() and not link.is_symlink():
        return None
    relative = os.path.relpath(run, out)
    # A name of this process's own: two runs may end at once.
    fresh = out / f".{NAME}.{os.getpid()}"
    with suppress(FileNotFoundError):
        fresh.unlink()
    try:
        fresh.symlink_to(relative, target_is_directory=True)
        fresh.replace(link)
    except OSError:  # e.g. a file system without links
        with suppress(OSError):
            fresh.unlink()
        return write_atomically(link, f"{relative}\n")
    return link


def result_file(path: Path) -> Path:
    """Return the `result.json` that a path stands for: the file itself, or that of a run's folder.

    `latest` may be a file that names the folder.
    """
    if path.name == NAME and path.is_file():
        named = path.read_text(encoding="utf-8", errors="replace")[:_NAME_CHARACTERS_MAX].strip()
        path = path.parent / named
    return path / FILE_NAME if path.is_dir() else path

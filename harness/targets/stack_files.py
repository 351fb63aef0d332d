"""Which files of a stack a pattern finds: below its own folder, and nothing that a link leads to."""

from __future__ import annotations

import os
import stat
from collections.abc import Iterable, Iterator
from pathlib import Path


def regular_files(folder: Path, patterns: Iterable[str]) -> Iterator[tuple[Path, os.stat_result]]:
    """Yield the files that some patterns find, each once, by their paths in order, with what they are now.

    Args:
        folder: the stack's. What lies elsewhere is left out, and so are symbolic links.
        patterns: of `Path.glob`, relative to that folder.
    """
    root = folder.resolve()
    for path in sorted({path for pattern in patterns for path in folder.glob(pattern)}):
        try:
            status = path.lstat()
            inside = path.parent.resolve().is_relative_to(root)
        except FileNotFoundError:
            continue  # the stack has just renamed or removed it
        if inside and stat.S_ISREG(status.st_mode):
            yield path, status

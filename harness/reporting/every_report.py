"""All forms of a result in one folder."""

from __future__ import annotations

from pathlib import Path

from harness.model.result import Result
from harness.reporting import REPORTS
from harness.reporting.atomic_file import write_report


def write_every_report(result: Result, folder: Path) -> dict[str, Path]:
    """Write every report into a folder.

    Returns:
        The file of each, by its word.

    Raises:
        OSError: the folder cannot be written to.
    """
    return {word: write_report(REPORTS.resolve(word)(), result, folder) for word in REPORTS.kinds}

"""Loghub's real logs: eight sets of 2,000 lines without a secret, so whatever a masker takes is false."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

from tests.masking.labelled import Line


def lines(folder: Path) -> Iterator[Line]:
    """Each line of each set; it resembles nothing, its set stands as its kind."""
    for path in sorted(folder.glob("*.log")):
        for text in path.read_text(encoding="utf-8", errors="replace").splitlines():
            yield Line(text, (), path.name, resembles=path.stem)

"""Labelled log sets: the files `*.structured.csv` of a folder, as Loghub publishes them."""

from __future__ import annotations

import csv
from dataclasses import dataclass
from pathlib import Path


@dataclass(frozen=True, slots=True)
class LogSet:
    """A log and what a person called each line.

    Attributes:
        name: Which system wrote it.
        messages: Its lines without date, level and component.
        events: The kind of each line.
        texts: The template of each kind, as the person wrote it.
    """

    name: str
    messages: list[str]
    events: list[str]
    texts: dict[str, str]


def log_sets(folder: Path) -> list[LogSet]:
    """Return the labelled log sets of a folder, by name.

    Args:
        folder: With files `<name>.structured.csv`.

    Raises:
        FileNotFoundError: There is none.
    """
    found = [_log_set(path) for path in sorted(folder.glob("*.structured.csv"))]
    if not found:
        raise FileNotFoundError(f"{folder} holds no *.structured.csv; name the folder of the Loghub-2k sets")
    return found


def _log_set(path: Path) -> LogSet:
    with path.open(newline="", encoding="utf-8", errors="replace") as file:
        rows = list(csv.DictReader(file))
    return LogSet(
        path.name.removesuffix(".structured.csv"),
        [row["Content"] for row in rows],
        [row["EventId"] for row in rows],
        {row["EventId"]: row["EventTemplate"] for row in rows},
    )

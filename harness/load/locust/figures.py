"""Locust's own figures: what its statistics say of the requests, beside what the harness judges."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict, dataclass
from pathlib import Path

import orjson

FIGURES_FILE = "locust.json"


@dataclass(frozen=True, slots=True)
class Requests:
    """What Locust counts of one sort of request; response times in ms, which it rounds."""

    method: str
    name: str
    requests: int
    failures: int
    p50_ms: float
    p95_ms: float


def write_figures(path: Path, sorts: Sequence[Requests]) -> None:
    """Write the figures whole: whoever reads sees the old ones or these.

    Args:
        path: the file, in a folder that exists.
        sorts: one entry for each method and name that was requested.
    """
    fresh = path.with_suffix(".fresh")
    fresh.write_bytes(orjson.dumps([asdict(each) for each in sorts]))
    fresh.replace(path)


def read_figures(path: Path) -> list[Requests]:
    """Return the figures written last; empty where there are none yet."""
    try:
        return [Requests(**each) for each in orjson.loads(path.read_bytes())]
    except FileNotFoundError:
        return []

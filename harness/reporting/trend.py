"""The trend: one row a run, appended to a file that is never rewritten.

A row is one line, written at once under a lock, so that runs which end together do not mix. One that was cut
off (a full disk, a killed machine) spoils itself alone: the next row begins on a line of its own, and readers
say how many they could not read.
"""

from __future__ import annotations

import fcntl
import json
import os
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

from harness.model.errors import ScenarioError
from harness.model.result import Result
from harness.reporting.result_json import as_document, from_document

FILE_NAME = "trend.jsonl"
VERSION = 1
ROWS_MAX = 5_000
"""The latest rows that are read; a chart shows no more."""

_TAIL_BYTES = 64 << 20
_REMEDY = "Written by another logquake?"


@dataclass(frozen=True, slots=True)
class Measured:
    """A value of the worst scenario that has it, and its unit."""

    value: float
    unit: str


@dataclass(frozen=True, slots=True)
class TrendRow:
    """One run. `measures` are by objective, the worst over the scenarios; the score is absent where withheld.

    `machine` names its class, as a baseline's key has it.
    """

    version: int
    at: str
    run_id: str
    suite: str
    stack: str
    backend: str
    commit: str
    suite_hash: str
    plan_hash: str
    machine: str
    logquake: str
    status: str
    score_low: float | None
    score_high: float | None
    measures: Mapping[str, Measured] = field(default_factory=dict)


def trend_row(result: Result, machine: str) -> TrendRow:
    """Return a run's row.

    Args:
        result: the whole run.
        machine: the class of this machine.
    """
    measures: dict[str, Measured] = {}
    for one in result.scenarios:
        for verdict in one.verdicts:
            before = measures.get(verdict.objective)
            if verdict.value is not None and (before is None or verdict.value > before.value):
                measures[verdict.objective] = Measured(verdict.value, verdict.unit)
    withheld = bool(result.score.vetoes)
    return TrendRow(
        version=VERSION,
        at=result.started_at,
        run_id=result.run_id,
        suite=result.suite,
        stack=result.stack,
        backend=result.backend,
        commit=result.surroundings.get("project commit", ""),
        suite_hash=result.suite_hash,
        plan_hash=result.plan_hash,
        machine=machine,
        logquake=result.surroundings.get("logquake", ""),
        status=result.gate.status.value,
        score_low=None if withheld else result.score.low,
        score_high=None if withheld else result.score.high,
        measures=measures,
    )


def append_row(path: Path, row: TrendRow) -> None:
    """Append a row, on a line of its own whatever the file ends with.

    Raises:
        OSError: the file cannot be written to.
    """
    path.parent.mkdir(parents=True, exist_ok=True)
    line = json.dumps(as_document(row), separators=(",", ":")).encode() + b"\n"
    descriptor = os.open(path, os.O_RDWR | os.O_APPEND | os.O_CREAT | os.O_CLOEXEC, 0o600)
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX)
        size = os.fstat(descriptor).st_size
        if size and os.pread(descriptor, 1, size - 1) != b"\n":
            line = b"\n" + line
        # What a full disk leaves of it is a torn line, which readers skip.
        os.write(descriptor, line)
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


def read_trend(path: Path) -> tuple[list[TrendRow], int]:
    """Return the latest rows in the order they were written, and how many lines could not be read.

    Raises:
        ScenarioError: there is no such file, or it cannot be read.
    """
    try:
        with path.open("rb") as file:
            size = file.seek(0, os.SEEK_END)
            file.seek(max(0, size - _TAIL_BYTES))
            lines = file.read(_TAIL_BYTES).split(b"\n")
    except OSError as error:
        raise ScenarioError(
            f"{path}: cannot be read: {error.strerror}. Each `logquake run` appends a row to trend.jsonl "
            "in the folder of its --out; name that file."
        ) from error
    if size > _TAIL_BYTES:
        lines = lines[1:]
    rows, unread = [], 0
    for line in lines[-ROWS_MAX - 1 :]:
        row = _row(line, path)
        unread += row is None and bool(line.strip())
        rows += [] if row is None else [row]
    return rows, unread


def _row(line: bytes, path: Path) -> TrendRow | None:
    try:
        return from_document(TrendRow, json.loads(line), path, _REMEDY)
    except (ValueError, RecursionError, ScenarioError):
        return None

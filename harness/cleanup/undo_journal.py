"""The undo journal: how to take each fault back, on disk before the fault begins.

One file a run in the user's state folder, so that it is found when the run's own folder is not known. It is
removed once everything in it has been taken back.
"""

from __future__ import annotations

import os
import threading
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import orjson

from harness.model.errors import FaultError
from harness.model.protocols import Undo


def journal_folder(environment: Mapping[str, str]) -> Path:
    """Return where undo journals lie: `$XDG_STATE_HOME/logquake/undo`, by default under `~/.local/state`.

    Args:
        environment: the variables to look in, as `os.environ` has them; nothing is made on disk.
    """
    state = environment.get("XDG_STATE_HOME") or str(Path.home() / ".local" / "state")
    return Path(state) / "logquake" / "undo"


class UndoJournal:
    """Writes one run's journal; several faults may do so at a time."""

    def __init__(self, folder: Path, run_id: str, harness: str) -> None:
        """Name the journal after the run; nothing is written yet.

        Args:
            folder: where journals lie (`journal_folder`); made at the first step.
            run_id: also the file's name, `RUN_ID.jsonl`.
            harness: the writer's identity (pid:starttime), by which a later harness sees whether it still
                lives.
        """
        self._path = folder / f"{run_id}.jsonl"
        self._harness = harness
        self._open_steps: set[str] = set()
        self._lock = threading.Lock()

    def before(self, step: str, undo: Undo) -> None:
        """Put on disk how to take a step back; returns only when it is durable.

        Raises:
            FaultError: it cannot be written, so the fault must not begin.
        """
        entry = {
            "step": step,
            "harness": self._harness,
            "action": undo.action,
            "arguments": dict(undo.arguments),
        }
        with self._lock:
            self._append(entry)
            self._open_steps.add(step)

    def done(self, step: str) -> None:
        """Note that a step was taken back; the file goes when none is left."""
        with self._lock:
            self._append({"step": step, "done": True})
            self._open_steps.discard(step)
            if not self._open_steps:
                self._path.unlink(missing_ok=True)

    def _append(self, entry: Mapping[str, object]) -> None:
        try:
            self._path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
            descriptor = os.open(self._path, os.O_CREAT | os.O_APPEND | os.O_WRONLY, 0o600)
            try:
                os.write(descriptor, orjson.dumps(entry) + b"\n")
                os.fsync(descriptor)
            finally:
                os.close(descriptor)
        except OSError as error:
            raise FaultError(
                f"{self._path}: cannot write the undo journal ({error.strerror}), so no fault is injected; "
                "free space there or set XDG_STATE_HOME"
            ) from error


@dataclass(frozen=True, slots=True)
class OpenUndo:
    """A step of some run that was begun and not noted as taken back."""

    journal: Path
    run_id: str
    step: str
    harness: str
    undo: Undo


@dataclass(frozen=True, slots=True)
class Journal:
    """One run's journal as it is on disk: who wrote it (pid:start time), and what is still open in it.

    `harnesses` is empty where no whole line names a writer.
    """

    path: Path
    run_id: str
    harnesses: frozenset[str]
    open: tuple[OpenUndo, ...]


def open_undos(folder: Path) -> list[OpenUndo]:
    """Return what the journals in a folder say is still to be taken back, whoever wrote them.

    A line cut by its writer's death counts for nothing: the fault it announces had not begun.
    """
    return [entry for journal in read_journals(folder) for entry in journal.open]


def read_journals(folder: Path) -> list[Journal]:
    """Return all journals of a folder; what is damaged in one is left out, never the rest of it."""
    journals = (_read(path) for path in sorted(folder.glob("*.jsonl")))
    return [journal for journal in journals if journal is not None]


def _read(path: Path) -> Journal | None:
    try:
        lines = path.read_bytes().split(b"\n")
    except FileNotFoundError:
        return None  # its run took everything back just now
    begun: dict[str, OpenUndo] = {}
    harnesses = set()
    for line in lines:
        entry = _entry(line)
        if entry.get("done"):
            begun.pop(entry["step"], None)
        elif entry:
            undo = Undo(entry["action"], entry["arguments"])
            begun[entry["step"]] = OpenUndo(path, path.stem, entry["step"], entry["harness"], undo)
            harnesses.add(entry["harness"])
    return Journal(path, path.stem, frozenset(harnesses), tuple(begun.values()))


def _entry(line: bytes) -> dict[str, Any]:
    try:
        entry = orjson.loads(line)
    except orjson.JSONDecodeError:
        return {}
    begins = {"step", "harness", "action", "arguments"}
    whole = isinstance(entry, dict) and (("step" in entry and entry.get("done")) or begins <= set(entry))
    return entry if whole else {}

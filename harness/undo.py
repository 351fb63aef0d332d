"""The undo journal: how to take each fault back, on disk before the fault begins.

One file a run in the user's state folder, so that it is found when the run's own folder is not known. It is
removed once everything in it has been taken back.
"""

from __future__ import annotations

import os
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

import orjson

from harness.errors import FaultError
from harness.protocols import Undo


def journal_folder(environment: Mapping[str, str]) -> Path:
    """Return where undo journals lie: `$XDG_STATE_HOME/logquake/undo`, by default under `~/.local/state`."""
    state = environment.get("XDG_STATE_HOME") or str(Path.home() / ".local" / "state")
    return Path(state) / "logquake" / "undo"


class UndoJournal:
    """Writes one run's journal."""

    def __init__(self, folder: Path, run_id: str, harness: str) -> None:
        """Name the journal after the run; `harness` is the writer's identity (pid:starttime)."""
        self._path = folder / f"{run_id}.jsonl"
        self._harness = harness
        self._open_steps: set[str] = set()

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
        self._append(entry)
        self._open_steps.add(step)

    def done(self, step: str) -> None:
        """Note that a step was taken back; the file goes when none is left."""
        self._append({"step": step, "done": True})
        self._open_steps.discard(step)
        if not self._open_steps:
            self._path.unlink()

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


def open_undos(folder: Path) -> list[OpenUndo]:
    """Return what the journals in a folder say is still to be taken back, whoever wrote them.

    A line cut by its writer's death counts for nothing: the fault it announces had not begun.
    """
    return [entry for path in sorted(folder.glob("*.jsonl")) for entry in _open_in(path)]


def _open_in(path: Path) -> list[OpenUndo]:
    begun: dict[str, OpenUndo] = {}
    for line in path.read_bytes().split(b"\n"):
        try:
            entry = orjson.loads(line)
        except orjson.JSONDecodeError:
            continue
        if entry.get("done"):
            begun.pop(entry["step"], None)
        else:
            undo = Undo(entry["action"], entry["arguments"])
            begun[entry["step"]] = OpenUndo(path, path.stem, entry["step"], entry["harness"], undo)
    return list(begun.values())

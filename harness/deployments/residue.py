"""What dead harnesses left on this machine: their processes and their scratch folders."""

from __future__ import annotations

import json
import shlex
import tempfile
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from harness.deployments import procfs, scratch

# Between making a scratch folder and writing its owner lies a moment; only later is such a folder residue.
_OWNERLESS_SECONDS_MAX = 60.0


@dataclass(frozen=True, slots=True)
class Residue:
    """One leftover; a process has a pid, a folder has none."""

    what: str
    run_id: str
    age_seconds: float
    remedy: str
    pid: int | None = None


def find_residue(temporary: Path | None = None) -> list[Residue]:
    """Return what harnesses that no longer run have left; a running harness's own is not named.

    Args:
        temporary: where scratch folders are looked for; None = the temporary folder of this machine.
    """
    return [*_processes(), *_folders(temporary or Path(tempfile.gettempdir()))]


def _processes() -> Iterator[Residue]:
    for pid, variables in procfs.started_by_a_harness():
        if procfs.mark_runs(variables[procfs.HARNESS_VARIABLE]):
            continue
        age_seconds = procfs.age_seconds(pid)
        if age_seconds is not None:
            yield Residue(
                what=procfs.command(pid),
                run_id=variables[procfs.RUN_ID_VARIABLE],
                age_seconds=age_seconds,
                remedy=f"kill {pid}",
                pid=pid,
            )


def _folders(temporary: Path) -> Iterator[Residue]:
    for folder in sorted(temporary.glob(f"{scratch.PREFIX}*")):
        owner = _owner(folder)
        try:
            age_seconds = time.time() - folder.stat().st_mtime
        except FileNotFoundError:
            continue
        if procfs.mark_runs(owner.get("harness", "")):
            continue
        if owner or age_seconds > _OWNERLESS_SECONDS_MAX:
            yield Residue(
                what=str(folder),
                run_id=owner.get("run_id", "unknown"),
                age_seconds=age_seconds,
                remedy=f"rm -r {shlex.quote(str(folder))}",
            )


def _owner(folder: Path) -> dict[str, str]:
    try:
        read = json.loads((folder / scratch.OWNER_FILE).read_text())
    except (OSError, ValueError):
        return {}
    return {str(name): str(value) for name, value in read.items()} if isinstance(read, dict) else {}

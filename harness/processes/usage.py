"""What processes and folders take up now, by the names that samples have."""

from __future__ import annotations

import os
from collections.abc import Mapping
from contextlib import suppress
from pathlib import Path

from harness.model.facts import DESCRIPTORS, DISK_MIB, MEMORY_MIB
from harness.processes import procfs
from harness.processes.managed import ManagedProcess

_FILES_MAX = 100_000


def processes_usage(processes: Mapping[str, ManagedProcess]) -> dict[str, float]:
    """Return memory and descriptors of each process with its children; one that does not run is left out.

    Args:
        processes: by the names that end those of the samples.
    """
    leaders = {name: process.leader for name, process in processes.items() if process.alive()}
    members = procfs.sessions({leader for leader in leaders.values() if leader is not None})
    used: dict[str, float] = {}
    for name, leader in leaders.items():
        if leader is not None and (pids := members[leader]):
            used[f"{MEMORY_MIB}.{name}"] = round(sum(map(procfs.memory_mib, pids)), 3)
            used[f"{DESCRIPTORS}.{name}"] = sum(map(procfs.descriptors, pids))
    return used


def folder_usage(name: str, folder: Path) -> dict[str, float]:
    """Return what the files below a folder take on disk, in MiB; at most 100,000 files are looked at.

    Args:
        name: ends the sample's name.
        folder: gone through with all below it; links are not followed.
    """
    used_bytes = 0
    seen = 0
    for where, _, files in os.walk(folder):
        for file in files:
            seen += 1
            if seen > _FILES_MAX:
                break
            with suppress(FileNotFoundError):  # files come and go while one looks
                used_bytes += (Path(where) / file).lstat().st_blocks * 512
    return {f"{DISK_MIB}.{name}": round(used_bytes / 2**20, 3)}

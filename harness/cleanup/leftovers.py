"""What dead harnesses left on this machine: open faults, processes, containers, scratch folders, journals.

`doctor`, `heal`, the guard and the start and end of every run all find it here. Nothing of a harness that
still runs is ever named.
"""

from __future__ import annotations

import json
import os
import shlex
import tempfile
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Literal, TypeAlias

from harness.cleanup.undo_journal import OpenUndo, journal_folder, read_journals
from harness.model.errors import UnavailableError
from harness.processes import docker_daemon, procfs, scratch
from harness.processes.docker_daemon import LabelledContainer

Sort: TypeAlias = Literal["fault", "process", "container", "folder", "journal"]

# Between making a scratch folder or journal and writing its owner lies a moment; only later is it residue.
_OWNERLESS_SECONDS_MAX = 60.0


@dataclass(frozen=True, slots=True)
class Residue:
    """One leftover. A process has a pid and identity, a container its id, a file a path, a fault an undo."""

    sort: Sort
    what: str
    run_id: str
    age_seconds: float
    remedy: str
    pid: int | None = None
    mark: str = ""
    path: Path | None = None
    fault: OpenUndo | None = None
    container_id: str = ""

    def __str__(self) -> str:
        """Say whose it is, how old and what, in one line."""
        return f"{self.sort} of run {self.run_id}, {self.age_seconds:.0f} s old: {self.what}"


def find_residue(
    temporary: Path | None = None, journals: Path | None = None, run_id: str = ""
) -> list[Residue]:
    """Return what harnesses that no longer run have left, in the order in which it is to be undone.

    Args:
        temporary: where scratch folders are looked for; None = the temporary folder of this machine.
        journals: where undo journals are looked for; None = the user's state folder.
        run_id: only what this run left; "" = whatever dead run left it.
    """
    left = (
        *_journals(journals or journal_folder(os.environ)),
        *_processes(lambda variables: not procfs.mark_runs(variables[procfs.HARNESS_VARIABLE])),
        *_containers(lambda found: not procfs.mark_runs(found.harness)),
        *_folders(temporary or Path(tempfile.gettempdir())),
    )
    return [residue for residue in left if not run_id or belongs(residue.run_id, run_id)]


def left_by(harness: str) -> list[Residue]:
    """Return the processes of the harness of this identity (pid:start time), whether it runs or not."""
    return list(_processes(lambda variables: variables[procfs.HARNESS_VARIABLE] == harness))


def containers_left_by(harness: str) -> list[Residue]:
    """Return the containers of the harness of this identity (pid:start time), whether it runs or not."""
    return list(_containers(lambda found: found.harness == harness))


def left_of_run(run_id: str, folder: Path | None = None) -> list[str]:
    """Return what is still there of a run, or of one scenario of it, that should have taken everything away.

    Args:
        run_id: the run's or the scenario's; what carries a longer id that begins with it is of it.
        folder: the run's scratch folder; None = it may still be there.
    """
    running = _processes(lambda variables: belongs(variables[procfs.RUN_ID_VARIABLE], run_id))
    left = [f"process {residue.pid} still runs: {residue.what}" for residue in running]
    there = _containers(lambda found: belongs(found.run_id, run_id))
    left += [f"container {residue.what} is still there" for residue in there]
    for journal in read_journals(journal_folder(os.environ)):
        if belongs(journal.run_id, run_id):
            left += [f"{_fault(entry)}" for entry in journal.open] or [f"undo journal {journal.path}"]
    if folder is not None and folder.exists():
        left.append(f"scratch folder {folder}")
    return left


def belongs(found: str, run_id: str) -> bool:
    """Tell whether an id that was found is a run's, or that of one of its scenarios.

    Args:
        found: the id that a process, container, folder or journal carries.
        run_id: the run's; what only begins like it, without a dash after it, is another's.
    """
    return found == run_id or found.startswith(f"{run_id}-")


def _processes(wanted: Callable[[procfs.Variables], bool]) -> Iterator[Residue]:
    for pid, variables in procfs.started_by_a_harness():
        mark, age_seconds = procfs.mark(pid), procfs.age_seconds(pid)
        if pid == os.getpid() or age_seconds is None or not wanted(variables):
            continue
        yield Residue(
            sort="process",
            what=f"{pid} {procfs.command(pid)}",
            run_id=variables[procfs.RUN_ID_VARIABLE],
            age_seconds=age_seconds,
            remedy=f"kill {pid}",
            pid=pid,
            mark=mark,
        )


def _containers(wanted: Callable[[LabelledContainer], bool]) -> Iterator[Residue]:
    """Yield containers; none where no daemon can be asked: `doctor` says so."""
    if not docker_daemon.looks_present():
        return
    try:
        there = docker_daemon.labelled()
    except UnavailableError:
        return
    for found in filter(wanted, there):
        yield Residue(
            sort="container",
            what=f"{found.id[:12]} ({found.service}, image {found.image})",
            run_id=found.run_id,
            age_seconds=time.time() - found.created_seconds,
            remedy=f"docker rm --force --volumes {found.id[:12]}",
            container_id=found.id,
        )


def _folders(temporary: Path) -> Iterator[Residue]:
    for folder in sorted(temporary.glob(f"{scratch.PREFIX}*")):
        owner = _owner(folder)
        age_seconds = _age_seconds(folder)
        if age_seconds is None or procfs.mark_runs(owner.get("harness", "")):
            continue
        if owner or (age_seconds > _OWNERLESS_SECONDS_MAX and _never_used(folder)):
            yield Residue(
                sort="folder",
                what=str(folder),
                run_id=owner.get("run_id", "unknown"),
                age_seconds=age_seconds,
                remedy=f"rm -r {shlex.quote(str(folder))}",
                path=folder,
            )


def _journals(folder: Path) -> Iterator[Residue]:
    """Yield each open fault, and after it the journal that tells of it."""
    for journal in read_journals(folder):
        age_seconds = _age_seconds(journal.path)
        if age_seconds is None or any(procfs.mark_runs(harness) for harness in journal.harnesses):
            continue
        if not journal.harnesses and age_seconds <= _OWNERLESS_SECONDS_MAX:
            continue
        remedy = f"rm {shlex.quote(str(journal.path))}"
        for entry in journal.open:
            yield Residue(
                sort="fault",
                what=_fault(entry),
                run_id=entry.run_id,
                age_seconds=age_seconds,
                remedy=f"where its processes are gone, so is the fault: {remedy}",
                path=journal.path,
                fault=entry,
            )
        yield Residue("journal", str(journal.path), journal.run_id, age_seconds, remedy, path=journal.path)


def _fault(entry: OpenUndo) -> str:
    arguments = " ".join(f"{name}={value}" for name, value in entry.undo.arguments.items())
    return f"step {entry.step} may still be in effect: {entry.undo.action} {arguments}"


def _age_seconds(path: Path) -> float | None:
    try:
        return time.time() - path.stat().st_mtime
    except FileNotFoundError:
        return None


def _never_used(folder: Path) -> bool:
    """Tell whether a folder without an owner is one that a harness died in making, and nobody's data."""
    try:
        return {entry.name for entry in folder.iterdir()} <= {scratch.OWNER_FILE}
    except OSError:
        return False


def _owner(folder: Path) -> dict[str, str]:
    try:
        read = json.loads((folder / scratch.OWNER_FILE).read_text())
    except (OSError, ValueError):
        return {}
    return {str(name): str(value) for name, value in read.items()} if isinstance(read, dict) else {}

"""Undoes what dead harnesses left: faults first, while their proxies live, then what runs, then files."""

from __future__ import annotations

import os
import signal
import time
from collections.abc import Callable, Sequence
from pathlib import Path
from shutil import rmtree

from harness.cleanup.leftovers import Residue, Sort, belongs, find_residue
from harness.cleanup.undo_actions import carry_out
from harness.cleanup.undo_journal import OpenUndo, journal_folder, read_journals
from harness.model.errors import HarnessError
from harness.processes import docker_daemon, procfs

TERMINATE_SECONDS = 8.0
KILL_SECONDS = 5.0
_ROUNDS_MAX = 3

Report = Callable[[str], None]


def heal(
    report: Report, temporary: Path | None = None, journals: Path | None = None, run_id: str = ""
) -> list[Residue]:
    """Undo everything that dead harnesses left, and look again whether it is gone.

    Args:
        report: takes one line for each thing done or not done.
        temporary: where scratch folders are looked for; None = the temporary folder of this machine.
        journals: where undo journals are looked for; None = the user's state folder.
        run_id: only what this run left; "" = whatever dead run left it.

    Returns:
        What is still there.
    """
    left = find_residue(temporary, journals, run_id)
    for _ in range(_ROUNDS_MAX):
        if not left:
            break
        undone = _undo_once(left, report)
        left = find_residue(temporary, journals, run_id)
        if not undone:
            break
    return left


def heal_run(run_id: str) -> list[str]:
    """Take back what a run of ours still has in its journals, once all it started was stopped.

    Args:
        run_id: the run's; journals of its scenarios, `RUN-…`, are its too.

    Returns:
        One line for each fault that was still open, and what became of it.
    """
    said: list[str] = []
    for journal in read_journals(journal_folder(os.environ)):
        if not belongs(journal.run_id, run_id):
            continue
        taken_back = [_take_back(entry, said.append) for entry in journal.open]
        if all(taken_back):
            journal.path.unlink(missing_ok=True)
    return said


def _undo_once(left: Sequence[Residue], report: Report) -> bool:
    """Go over all of it once; tell whether anything was achieved."""
    sorts: tuple[Sort, ...] = ("fault", "process", "container", "folder", "journal")
    by_sort = {sort: [one for one in left if one.sort == sort] for sort in sorts}
    failed = {one.path for one in by_sort["fault"] if not _undo_fault(one, report)}
    ended = end_processes(by_sort["process"], report)
    removed = [remove_container(one, report) for one in by_sort["container"]]
    removed += [_remove(one, report) for one in by_sort["folder"]]
    # A journal that tells of a fault still on is the only trace of it.
    removed += [_remove(one, report) for one in by_sort["journal"] if one.path not in failed]
    return bool(ended or any(removed))


def _undo_fault(residue: Residue, report: Report) -> bool:
    return residue.fault is None or _take_back(residue.fault, report)


def _take_back(entry: OpenUndo, report: Report) -> bool:
    try:
        report(f"{entry.run_id} step {entry.step}: {carry_out(entry.undo)}")
    except HarnessError as error:
        report(f"{entry.run_id} step {entry.step}: could not be undone: {error}")
        return False
    return True


def end_processes(
    left: Sequence[Residue], report: Report, terminate_seconds: float = TERMINATE_SECONDS
) -> int:
    """End processes: SIGTERM to all, and SIGKILL to those that are still there `terminate_seconds` later.

    Only a process that is still the one found (its pid and start time) is touched.

    Args:
        left: the processes found, each with its mark (pid and start time).
        report: is told, in one line each, of every process that ended or would not.
        terminate_seconds: how long all of them together have between SIGTERM and SIGKILL.

    Returns:
        How many have ended.
    """
    grips = [(one, grip) for one in left if (grip := procfs.grip_marked(one.mark)) is not None]
    try:
        for _, grip in grips:
            grip.send(signal.SIGTERM)
            grip.send(signal.SIGCONT)  # what a fault has stopped hears nothing before
        _await(grips, terminate_seconds)
        for _, grip in grips:
            if not grip.ends_within(0):
                grip.send(signal.SIGKILL)
        _await(grips, KILL_SECONDS)
        return sum(_report_end(one, grip, report) for one, grip in grips)
    finally:
        for _, grip in grips:
            grip.release()


def remove_container(residue: Residue, report: Report) -> bool:
    """Remove a container with its data; tell whether that was achieved."""
    try:
        docker_daemon.remove(residue.container_id)
    except HarnessError as error:
        report(f"{residue.run_id} container not removed: {residue.what}: {error}")
        return False
    report(f"{residue.run_id} container removed: {residue.what}")
    return True


def _await(grips: Sequence[tuple[Residue, procfs.Grip]], seconds: float) -> None:
    until = time.monotonic() + seconds
    for _, grip in grips:
        grip.ends_within(until - time.monotonic())


def _report_end(residue: Residue, grip: procfs.Grip, report: Report) -> bool:
    ended = grip.ends_within(0)
    report(f"{residue.run_id} process {'ended' if ended else 'could not be ended'}: {residue.what}")
    return ended


def _remove(residue: Residue, report: Report) -> bool:
    path = residue.path
    if path is None:
        return False
    try:
        if residue.sort == "folder":
            rmtree(path)
        else:
            path.unlink()
    except FileNotFoundError:
        return True  # another healer was faster
    except OSError as error:
        report(f"{residue.run_id} {residue.sort} not removed: {path}: {error.strerror}")
        return False
    report(f"{residue.run_id} {residue.sort} removed: {path}")
    return True

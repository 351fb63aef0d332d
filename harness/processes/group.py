"""Processes that start and stop together: all of them, or none."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence

from harness.model.errors import HarnessError, StackError
from harness.model.nanoseconds import SECOND_NS
from harness.model.protocols import Clock
from harness.processes.managed import ManagedProcess


def wait_all_ready(processes: Sequence[ManagedProcess], timeout_seconds: float, clock: Clock) -> None:
    """Return once all serve; raises StackError where one does not within its own limit or the common one."""
    until_ns = clock.now_ns() + round(timeout_seconds * SECOND_NS)
    for process in processes:
        left_seconds = max(0.0, (until_ns - clock.now_ns()) / SECOND_NS)
        process.wait_ready(min(left_seconds, process.spec.ready.timeout_seconds))


def do_all(steps: Iterable[Callable[[], None]]) -> None:
    """Take every step of a clean-up, whatever the others do.

    Raises:
        StackError: what failed, in one message, after all steps were tried.
    """
    problems = []
    for step in steps:
        try:
            step()
        except HarnessError as error:
            problems.append(error)
    if problems:
        raise StackError("; ".join(str(problem) for problem in problems)) from problems[0]


def stop_after(error: BaseException, stop: Callable[[], None]) -> None:
    """Stop what a failed start has begun; what then fails too is noted on the error that came first."""
    try:
        stop()
    except HarnessError as second:
        error.add_note(f"while stopping after it: {second}")


def ended(processes: Mapping[str, ManagedProcess]) -> list[tuple[str, int]]:
    """Return (name, exit code) of the processes that ended by themselves."""
    codes = ((name, process.ended_by_itself()) for name, process in processes.items())
    return [(name, code) for name, code in codes if code is not None]

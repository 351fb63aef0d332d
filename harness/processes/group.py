"""Processes that start and stop together: all of them, or none."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import Protocol

from harness.model.errors import HarnessError, StackError
from harness.model.nanoseconds import SECOND_NS
from harness.model.protocols import Clock


class Member(Protocol):
    """What can be started beside others: a process, or a container."""

    @property
    def ready_seconds(self) -> float:
        """How long it may take to serve."""
        ...

    def start(self) -> None:
        """Start it; raises StackError or UnavailableError."""
        ...

    def wait_ready(self, timeout_seconds: float) -> None:
        """Return once it serves; raises StackError where it does not within `timeout_seconds`."""
        ...

    def ended_by_itself(self) -> int | None:
        """Return the exit code where it ended and nobody here asked it to; else None."""
        ...

    def terminate(self, timeout_seconds: float) -> None:
        """End it for good; idempotent. Raises StackError where something of it survives.

        Args:
            timeout_seconds: how long it has to end by itself before it is killed.
        """
        ...


def wait_all_ready(members: Sequence[Member], timeout_seconds: float, clock: Clock) -> None:
    """Return once all serve; raises StackError where one does not within its own limit or the common one.

    Args:
        members: waited for in this order, though all of them start at the same time.
        timeout_seconds: for all together; each also has its own `ready_seconds`.
        clock: by which the time left is told.
    """
    until_ns = clock.now_ns() + round(timeout_seconds * SECOND_NS)
    for member in members:
        left_seconds = max(0.0, (until_ns - clock.now_ns()) / SECOND_NS)
        member.wait_ready(min(left_seconds, member.ready_seconds))


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
    """Stop what a failed start has begun; what then fails too is noted on the error that came first.

    Args:
        error: what made the start fail; the caller raises it.
        stop: ends what was started; only a HarnessError of it is noted, anything else is raised.
    """
    try:
        stop()
    except HarnessError as second:
        error.add_note(f"while stopping after it: {second}")


def ended(members: Mapping[str, Member]) -> list[tuple[str, int]]:
    """Return (name, exit code) of those that ended by themselves."""
    codes = ((name, member.ended_by_itself()) for name, member in members.items())
    return [(name, code) for name, code in codes if code is not None]

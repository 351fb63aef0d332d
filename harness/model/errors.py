"""Every error the harness raises, by whose move it is: your file, your system, the injection, or our bug."""

from __future__ import annotations

import traceback
from pathlib import Path


class HarnessError(Exception):
    """An error with a sentence for a person: where it happened, what is wrong, and the remedy."""

    exit_code = 3


class UsageError(HarnessError):
    """The command line asks for something that cannot be done as written."""

    exit_code = 4


class ScenarioError(HarnessError):
    """A file of yours (scenario, suite, stack, gate, input) has a mistake in it."""

    exit_code = 4


class NothingSelectedError(HarnessError):
    """The arguments are well formed and select no scenario."""

    exit_code = 5


class UnavailableError(HarnessError):
    """This machine lacks something the run needs: a server, a port, disk, memory."""

    exit_code = 7


class StackError(HarnessError):
    """The system under test, or a service it needs, did not start or broke its own contract."""


class SlowStartError(StackError):
    """A process that runs did not serve in time; of our own, that is the machine's fault."""


class OwnPartError(HarnessError):
    """A part of the harness did not start: a link, the control, the oracle. No fault of the stack.

    Exits with 7 where the machine refused it or was too slow for it, and with 3 where the part itself failed.

    Args:
        reason: what happened, in full, perhaps in several lines.
        error: what it was told by.
    """

    def __init__(self, reason: str, error: BaseException) -> None:
        super().__init__(reason)
        is_the_machines = isinstance(error, SlowStartError) or isinstance(error.__cause__, OSError)
        self.exit_code = UnavailableError.exit_code if is_the_machines else InternalError.exit_code


class NotReadyError(HarnessError):
    """The stack, or what the harness puts around it, did not get ready in a scenario.

    Args:
        error: what happened, in full, perhaps in several lines; told once, with the scenario.
        scenario: its name.

    Attributes:
        is_own: whether it is the harness's own part.
        whose: who did not get ready: "the stack" or "logquake itself".
        reason: what the error says.
    """

    exit_code = 4

    def __init__(self, error: StackError | OwnPartError, scenario: str) -> None:
        self.is_own = isinstance(error, OwnPartError)
        self.whose = "logquake itself" if self.is_own else "the stack"
        super().__init__(f'{self.whose} did not get ready in scenario "{scenario}", which says why')
        self.reason = str(error)
        if self.is_own:
            self.exit_code = error.exit_code


class FaultError(HarnessError):
    """A fault could not be injected, proved or undone."""


class InternalError(HarnessError):
    """A defect of the harness."""


class InterruptedRunError(HarnessError):
    """A person or a supervisor asked the run to end (SIGINT or SIGTERM)."""

    exit_code = 2


class TimeIsUpError(HarnessError):
    """The run reached `--max-minutes`; what had not been judged by then stays unresolved."""

    exit_code = 6


class FailedFastError(HarnessError):
    """A scenario failed, and the run was asked to stop at the first that does; the gate has the last word."""

    exit_code = 1


def described(error: BaseException) -> str:
    """Return what to say of an error; one that nobody foresaw also tells its kind and where it came from."""
    if isinstance(error, HarnessError):
        return str(error)
    frames = traceback.extract_tb(error.__traceback__)
    at = f" ({Path(frames[-1].filename).name}:{frames[-1].lineno})" if frames else ""
    return f"{type(error).__name__}: {error}{at}"


def what_ends_the_run(error: BaseException) -> HarnessError | None:
    """Return the signal's or the time limit's error that this error is or came after; None where neither is.

    An undo that fails while a signal is being answered must not hide that the run was asked to end.
    """
    seen: BaseException | None = error
    while seen is not None:
        if isinstance(seen, InterruptedRunError | TimeIsUpError):
            return seen
        seen = seen.__context__
    return None

"""Every error the harness raises, by whose move it is: your file, your system, the injection, or our bug."""

from __future__ import annotations


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

"""What a checker is: one promise, judged from the timeline of a scenario."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import ClassVar, Protocol, runtime_checkable

from harness.judging.timeline import Timeline
from harness.model.declarations import (
    Actions,
    Alerts,
    Answers,
    Fields,
    Findings,
    Namespaces,
    Promises,
    Scenario,
)
from harness.model.protocols import Verdict


@dataclass(frozen=True, slots=True)
class Charge:
    """What a checker is to judge: the scenario, the stack's promises, and what else the stack declares.

    Attributes:
        dead_letters: whether it has an outlet for them.
        counters: which of its own counters it declares.
        counters_lag_seconds: how much later than counted a delivered record shows in the archive at the
            latest.
        fields: where documents have what was sent beside the line.
        nonces: whether a command lists what was sealed with which nonce.
        alerts: the alert that it promises.
        findings: what it promises to find.
        answers: what it promises of its answers.
        actions: what it promises to do.
        namespaces: whose records it keeps apart.
        spans: whether its own spans are read.
    """

    scenario: Scenario
    promises: Promises
    dead_letters: bool = False
    counters: frozenset[str] = frozenset()
    counters_lag_seconds: float = 2.0
    fields: Fields = field(default_factory=Fields)
    nonces: bool = False
    alerts: Alerts | None = None
    findings: Findings | None = None
    answers: Answers | None = None
    actions: Actions | None = None
    namespaces: Namespaces | None = None
    causes: tuple[frozenset[str], ...] = ()
    """Where the cause lies of what each step of the scenario does; empty where nothing need be found."""
    spans: bool = False
    takers: frozenset[str] = frozenset()
    """The stack's own processes, where one of them takes the records in; empty where the application does."""


def lasting_causes(charge: Charge, seconds_min: float) -> frozenset[str]:
    """Return the causes that the scenario's steps of at least that length have.

    Args:
        charge: the scenario and where the causes of its steps lie.
        seconds_min: that length.
    """
    pairs = zip(charge.scenario.steps, charge.causes, strict=False)
    return frozenset().union(*(causes for step, causes in pairs if step.for_seconds >= seconds_min))


class Checker(Protocol):
    """One promise, judged from facts alone: no clock, no I/O, no stack.

    The class is called with a `Charge`, and by keyword with the arguments that a scenario file gives the
    check. `objective` is the check's word, `dimension` the part of the score that it counts for.
    """

    objective: ClassVar[str]
    dimension: ClassVar[str]

    def check(self, timeline: Timeline) -> Verdict:
        """Judge one scenario. The timeline is shared with the other checkers: read it, change nothing.

        Returns:
            The judgement, with its number and evidence; INCONCLUSIVE where the facts do not suffice.
        """
        ...


@runtime_checkable
class Conditional(Protocol):
    """A checker of something that not every stack declares; without it, its objective is not planned."""

    def lacks(self) -> str:
        """Say what is missing, for a person, e.g. `the stack promises no exit_seconds`; empty = planned."""
        ...


@runtime_checkable
class Measured(Protocol):
    """A checker that says what it measures in, so that a requirement in another unit is refused at once."""

    unit: ClassVar[str]


@runtime_checkable
class NeedsQuiet(Protocol):
    """A checker of what neighbours on the machine would change; only a scenario that runs alone plans it.

    Attributes:
        needs_quiet: true where it holds.
    """

    needs_quiet: ClassVar[bool]


@runtime_checkable
class NeedsEnd(Protocol):
    """A checker of how the run ends; a snapshot of a run that goes on is not judged by it.

    Attributes:
        needs_end: true where it holds.
    """

    needs_end: ClassVar[bool]


@runtime_checkable
class NeedsSamples(Protocol):
    """A checker of a quantile: a stretch with fewer records due than `samples_min` leaves it undecided."""

    samples_min: ClassVar[int]


@runtime_checkable
class NeedsFirstSeen(Protocol):
    """A checker of when each record was first seen in the archive, which is then read about once a second.

    Such readings take up the store and this machine, so it is not planned beside a check that `NeedsQuiet`.

    Attributes:
        needs_first_seen: true where it holds.
    """

    needs_first_seen: ClassVar[bool]

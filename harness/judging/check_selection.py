"""Which checkers judge a scenario on a stack, and why the others do not."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from harness.judging.checkers import CHECKERS
from harness.model.declarations import Scenario, Stack
from harness.model.protocols import Charge, Conditional, NeedsFirstSeen, NeedsQuiet

NOT_ALONE = "judged only in scenarios that run alone"
NOT_POLLED = "judged only where no other check measures what polling the archive would change"


@dataclass(frozen=True, slots=True)
class Checks:
    """A scenario's checkers by their words, and why the others it names are not planned."""

    planned: Mapping[str, Any]
    unplanned: Mapping[str, str]


def checks_of(scenario: Scenario, stack: Stack) -> Checks:
    """Sort the checks that a scenario names into those that this stack allows for, and the others."""
    charge = charge_of(scenario, stack)
    checkers = {word: CHECKERS.resolve(word) for word in scenario.checks}
    unplanned = {word: why for word, checker in checkers.items() if (why := _why_not(checker, charge))}
    planned = {word: each for word, each in checkers.items() if word not in unplanned}
    if any(isinstance(each, NeedsQuiet) for each in planned.values()):
        unplanned |= {word: NOT_POLLED for word, each in planned.items() if isinstance(each, NeedsFirstSeen)}
    return Checks({word: each for word, each in planned.items() if word not in unplanned}, unplanned)


def _why_not(checker: object, charge: Charge) -> str:
    lacking = checker.lacks(charge) if isinstance(checker, Conditional) else ""
    if lacking or charge.scenario.exclusive or not isinstance(checker, NeedsQuiet):
        return lacking
    return NOT_ALONE


def charge_of(scenario: Scenario, stack: Stack) -> Charge:
    """Return what the checkers of this scenario are told."""
    counters = frozenset(stack.counters.names if stack.counters else ())
    return Charge(scenario, stack.promises, stack.dead_letters is not None, counters)

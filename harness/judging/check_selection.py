"""Which checkers judge a scenario on a stack, and why the others do not."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace

from harness.judging.checker import (
    Charge,
    Checker,
    Conditional,
    NeedsEnd,
    NeedsFirstSeen,
    NeedsQuiet,
)
from harness.judging.checkers import CHECKERS
from harness.judging.fault_causes import causes_of
from harness.model.declarations import Part, Scenario, Stack

IN_THE_APPLICATION = "python_logging"
"""The intake whose records no process of the stack takes in."""

NOT_ALONE = "judged only in scenarios that run alone"
NOT_ENDED = "judged only at the end of a run"
NOT_POLLED = "judged only where no other check measures what polling the archive would change"


@dataclass(frozen=True, slots=True)
class Checks:
    """A scenario's checkers by their words, and why the others it names are not planned."""

    planned: Mapping[str, Checker]
    unplanned: Mapping[str, str]


def checks_of(scenario: Scenario, stack: Stack) -> Checks:
    """Sort the checks that a scenario names into those that this stack allows for, and the others.

    Returns:
        The checkers by objective, and for each objective that is left out the reason, for a report.

    Raises:
        ScenarioError: a check's word is unknown.
    """
    charge = charge_of(scenario, stack)
    checkers = [checker_of(check, charge) for check in scenario.checks]
    unplanned = {checker.objective: why for checker in checkers if (why := _why_not(checker, charge))}
    planned = [checker for checker in checkers if checker.objective not in unplanned]
    if any(isinstance(checker, NeedsQuiet) for checker in planned):
        unplanned |= {each.objective: NOT_POLLED for each in planned if isinstance(each, NeedsFirstSeen)}
    return Checks({each.objective: each for each in planned if each.objective not in unplanned}, unplanned)


def before_the_end(checks: Checks) -> Checks:
    """Return those that can judge a run that goes on.

    Args:
        checks: of the scenario; those that need its end become unplanned here, with `NOT_ENDED` as their
            reason.
    """
    late = [word for word, checker in checks.planned.items() if isinstance(checker, NeedsEnd)]
    planned = {word: checker for word, checker in checks.planned.items() if word not in late}
    return Checks(planned, {**checks.unplanned, **dict.fromkeys(late, NOT_ENDED)})


def checker_of(check: Part, charge: Charge) -> Checker:
    """Make a check's checker with the arguments that the scenario gives it.

    Returns:
        A new checker, which has seen no facts yet.

    Raises:
        ScenarioError: the word is unknown.
        ValueError: an argument is out of its range; the message names it.
    """
    checker: Checker = CHECKERS.resolve(check.kind)(charge, **check.arguments)
    return checker


def _why_not(checker: Checker, charge: Charge) -> str:
    lacking = checker.lacks() if isinstance(checker, Conditional) else ""
    if lacking or charge.scenario.exclusive or not isinstance(checker, NeedsQuiet):
        return lacking
    return NOT_ALONE


def charge_of(scenario: Scenario, stack: Stack) -> Charge:
    """Return what the checkers of this scenario are told."""
    charge = Charge(
        scenario,
        stack.promises,
        stack.dead_letters is not None,
        fields=stack.fields,
        nonces=stack.keys is not None and bool(stack.keys.nonces),
        alerts=stack.alerts,
        spans=bool(stack.spans),
        findings=stack.findings,
        answers=stack.answers,
        actions=stack.actions,
        namespaces=stack.namespaces,
        causes=causes_of(scenario.steps, stack),
        takers=frozenset(each.name for each in stack.processes if stack.intake.kind != IN_THE_APPLICATION),
    )
    if stack.counters is None:
        return charge
    names = frozenset(stack.counters.names)
    return replace(charge, counters=names, counters_lag_seconds=stack.counters.lag_seconds)

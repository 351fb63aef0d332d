"""What differs between two results: the plan first, then score, decision, scenarios, objectives, measures.

Pure: it says what changed and whether anything is worse, and leaves to the reader how much a change of a
measure means. Two runs of the same stack differ in their measures, too.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from enum import Enum

from harness.judging.verdict import worst
from harness.model.protocols import Status, Verdict
from harness.model.result import Result

# Points are sums of binary fractions; closer than this is the same score.
_POINTS_TOLERANCE = 1e-6


class Direction(Enum):
    """Which way something changed."""

    WORSE = "worse"
    BETTER = "better"
    SAME = "same"


@dataclass(frozen=True, slots=True)
class PlanDifference:
    """Something that was planned or used otherwise: its word, what it was, what it is."""

    word: str
    before: str
    after: str


@dataclass(frozen=True, slots=True)
class ObjectiveDifference:
    """An objective of a scenario whose verdict or value changed."""

    scenario: str
    objective: str
    before: Status
    after: Status
    direction: Direction
    value_before: float | None
    value_after: float | None
    unit: str
    summary: str
    """What the later run says of it."""

    @property
    def has_another_verdict(self) -> bool:
        """Whether more than the value changed."""
        return self.before is not self.after


@dataclass(frozen=True, slots=True)
class Differences:
    """What differs from one result to another.

    `gone` and `new` name scenarios and objectives that only one of the two has. `vetoes` are those that only
    the later one has. `objectives` holds first those whose verdict changed, the worse ones at the front.
    """

    before: str
    after: str
    plan: tuple[PlanDifference, ...]
    gone: tuple[str, ...]
    new: tuple[str, ...]
    decision: tuple[Status, Status]
    score: tuple[tuple[float, float] | None, tuple[float, float] | None]
    vetoes: tuple[str, ...]
    score_direction: Direction
    decision_direction: Direction
    scenarios: tuple[tuple[str, Status, Status], ...]
    objectives: tuple[ObjectiveDifference, ...]

    @property
    def is_worse(self) -> bool:
        """Whether anything that both results hold is worse in the later one."""
        directions = (
            self.score_direction,
            self.decision_direction,
            *(each.direction for each in self.objectives),
            *(_direction(old, new) for _, old, new in self.scenarios),
        )
        return bool(self.vetoes) or Direction.WORSE in directions

    @property
    def is_incomplete(self) -> bool:
        """Whether the later result lacks something that the earlier one judged."""
        return bool(self.gone)


def differences(before: Result, after: Result) -> Differences:
    """Compare two results.

    Args:
        before: the earlier one.
        after: the later one.

    Returns:
        What changed, by kind. Changed objectives begin with those whose verdict is another; among these, as
        among the others, what got worse comes first.
    """
    old, new = _verdicts(before), _verdicts(after)
    old_scenarios, new_scenarios = _statuses(before), _statuses(after)
    changed = [
        _objective(key, old[key], new[key])
        for key in old
        if key in new and (old[key].status, old[key].value) != (new[key].status, new[key].value)
    ]
    changed.sort(key=lambda each: (not each.has_another_verdict, each.direction is not Direction.WORSE))
    return Differences(
        before=before.run_id,
        after=after.run_id,
        plan=tuple(_plan(before, after)),
        gone=tuple(_only(old_scenarios, new_scenarios, old, new)),
        new=tuple(_only(new_scenarios, old_scenarios, new, old)),
        decision=(before.gate.status, after.gate.status),
        score=(_score(before), _score(after)),
        vetoes=tuple(veto for veto in after.score.vetoes if veto not in before.score.vetoes),
        score_direction=_score_direction(before, after),
        decision_direction=_direction(before.gate.status, after.gate.status),
        scenarios=tuple(
            (name, status, new_scenarios[name])
            for name, status in old_scenarios.items()
            if name in new_scenarios and new_scenarios[name] is not status
        ),
        objectives=tuple(changed),
    )


def _verdicts(result: Result) -> Mapping[tuple[str, str], Verdict]:
    """Return what was to be judged, by scenario and objective; of a scenario that stands twice, the last."""
    return {
        (one.scenario.name, verdict.objective): verdict
        for one in result.scenarios
        for verdict in one.verdicts
        if verdict.status is not Status.NOT_APPLICABLE
    }


def _statuses(result: Result) -> Mapping[str, Status]:
    return {one.scenario.name: one.status for one in result.scenarios}


def _plan(before: Result, after: Result) -> Iterator[PlanDifference]:
    for word, old, new in (
        ("suite", before.suite, after.suite),
        ("stack", before.stack, after.stack),
        ("backend", before.backend, after.backend),
        ("input", before.input, after.input),
        ("suite hash", before.suite_hash, after.suite_hash),
        ("seed", str(before.seed), str(after.seed)),
        ("logquake", before.surroundings.get("logquake", ""), after.surroundings.get("logquake", "")),
    ):
        if old != new:
            yield PlanDifference(word, old or "none", new or "none")


def _only(
    scenarios: Mapping[str, Status],
    other_scenarios: Mapping[str, Status],
    verdicts: Mapping[tuple[str, str], Verdict],
    other_verdicts: Mapping[tuple[str, str], Verdict],
) -> Iterator[str]:
    yield from (f"scenario {name}" for name in scenarios if name not in other_scenarios)
    for scenario, objective in verdicts:
        if scenario in other_scenarios and (scenario, objective) not in other_verdicts:
            yield f"{objective} in {scenario}"


def _objective(key: tuple[str, str], old: Verdict, new: Verdict) -> ObjectiveDifference:
    return ObjectiveDifference(
        scenario=key[0],
        objective=key[1],
        before=old.status,
        after=new.status,
        direction=_direction(old.status, new.status),
        value_before=old.value,
        value_after=new.value,
        unit=new.unit or old.unit,
        summary=new.summary,
    )


def _direction(old: Status, new: Status) -> Direction:
    if old is new:
        return Direction.SAME
    return Direction.WORSE if worst([old, new]) is new else Direction.BETTER


def _score(result: Result) -> tuple[float, float] | None:
    return None if result.score.vetoes else (result.score.low, result.score.high)


def _score_direction(before: Result, after: Result) -> Direction:
    old, new = _score(before), _score(after)
    if old is None or new is None:
        if (old is None) is (new is None):
            return Direction.SAME
        return Direction.WORSE if new is None else Direction.BETTER
    if new[0] < old[0] - _POINTS_TOLERANCE or new[1] < old[1] - _POINTS_TOLERANCE:
        return Direction.WORSE
    return Direction.SAME if max(new[0] - old[0], new[1] - old[1]) <= _POINTS_TOLERANCE else Direction.BETTER

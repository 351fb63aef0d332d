"""What happened in a scenario, in time's order: faults, what was found and done about them, recovery."""

from __future__ import annotations

from collections.abc import Iterator

from harness.judging.checker import Charge
from harness.judging.recovery import recovery
from harness.judging.timeline import Timeline
from harness.model.nanoseconds import SECOND_NS
from harness.model.result import IncidentMoment, MomentKind

MOMENTS_MAX = 100
"""More are left out, the latest of each kind first."""
_OF_A_KIND_MAX = MOMENTS_MAX // len(MomentKind)


def incident(timeline: Timeline, charge: Charge) -> tuple[IncidentMoment, ...]:
    """Return the moments of a scenario whose stack promises to find something or to act; none of any other.

    Args:
        timeline: what happened.
        charge: what the stack promises.
    """
    if (charge.findings is None and charge.actions is None) or not timeline.fault_windows:
        return ()
    kept: dict[MomentKind, list[IncidentMoment]] = {}
    for moment in sorted(_moments(timeline), key=lambda each: each.at_seconds):
        of_kind = kept.setdefault(moment.kind, [])
        if len(of_kind) < _OF_A_KIND_MAX:
            of_kind.append(moment)
    return tuple(sorted((each for some in kept.values() for each in some), key=lambda each: each.at_seconds))


def _moments(timeline: Timeline) -> Iterator[IncidentMoment]:
    def moment(at_ns: int, kind: MomentKind, what: str = "", finding: str = "") -> IncidentMoment:
        return IncidentMoment(round((at_ns - timeline.began_ns) / SECOND_NS, 3), kind, what, finding)

    for _, window in timeline.fault_windows:
        yield moment(window.from_ns, MomentKind.INJECTED, window.label)
        if window.to_ns <= timeline.ended_ns:
            yield moment(window.to_ns, MomentKind.HEALED, window.label)
    for found in timeline.findings:
        yield moment(found.at_ns, MomentKind.FOUND, found.cause, found.finding)
    for action in timeline.actions:
        yield moment(action.at_ns, MomentKind.ACTED, action.key, action.about)
    back = recovery(timeline)
    if not isinstance(back, str) and back.backlog_seconds is not None:
        at_ns = max(timeline.healed_ns) + int(back.backlog_seconds * SECOND_NS)
        yield moment(at_ns, MomentKind.RECOVERED)

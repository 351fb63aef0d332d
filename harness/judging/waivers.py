"""What a team excuses, with a reason and an end: objectives that do not apply, and failures it lives with.

An exemption never touches a veto, and it ends by itself: after its last day it counts for nothing.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import date

from harness.judging.verdict import worst
from harness.model.protocols import Status, Verdict
from harness.model.result import ScenarioResult

NEVER_EXCUSED = ("acknowledged_lost", "corrupted", "leaked_secrets", "nonces_reused")
"""The checks whose FAIL is a veto: no rule of a team may excuse an acknowledged loss or a changed record."""


@dataclass(frozen=True, slots=True)
class Exemption:
    """One objective excused up to and including the day `until`, and why."""

    objective: str
    until: date
    reason: str

    def __str__(self) -> str:
        return f"until {self.until.isoformat()} ({self.reason})"


def standing(exemptions: Iterable[Exemption], today: date) -> Mapping[str, Exemption]:
    """Return the exemptions that hold today, by objective; of several the one that holds longest."""
    held = [one for one in exemptions if one.until >= today]
    return {one.objective: one for one in sorted(held, key=lambda one: one.until)}


def expired(exemptions: Sequence[Exemption], today: date) -> list[Exemption]:
    """Return the exemptions that ended before today and were not renewed."""
    held = standing(exemptions, today)
    return [one for one in exemptions if one.objective not in held]


def applicable(
    planned: Mapping[str, str], exemptions: Sequence[Exemption], today: date
) -> tuple[Mapping[str, str], tuple[str, ...]]:
    """Take what a policy declares not applicable out of the plan.

    Args:
        planned: objective → dimension.
        exemptions: the policy.
        today: the day that decides which of them still hold.

    Returns:
        The plan without them, and a sentence for each that was taken out.
    """
    held = standing(exemptions, today)
    left_out = tuple(
        f"{objective}: declared not applicable {held[objective]}"
        for objective in planned
        if objective in held
    )
    return {name: dimension for name, dimension in planned.items() if name not in held}, left_out


def excuse(result: ScenarioResult, exemptions: Sequence[Exemption], today: date) -> ScenarioResult:
    """Mark the verdicts that a policy declares not applicable; one that carries a veto stays as it is.

    Args:
        result: of one scenario.
        exemptions: what the gate file declares not applicable.
        today: decides which of them still stand.

    Returns:
        The result with these verdicts NOT_APPLICABLE and its status worked out anew; the same one if none
        was.
    """
    held = standing(exemptions, today)
    verdicts = tuple(
        replace(
            verdict,
            status=Status.NOT_APPLICABLE,
            summary=f"declared not applicable {held[verdict.objective]}; "
            f"it was {verdict.status.value}: {verdict.summary}",
        )
        if verdict.objective in held and not verdict.vetoes
        else verdict
        for verdict in result.verdicts
    )
    if verdicts == result.verdicts:
        return result
    return replace(result, verdicts=verdicts, status=worst([verdict.status for verdict in verdicts]))


def is_waived(verdict: Verdict, waivers: Mapping[str, Exemption]) -> bool:
    """Say whether a waiver that stands covers this verdict.

    What broke in the harness or could not run (ERROR, NOT_RUN) is not the stack's failure and cannot be
    waived; neither can a veto.

    Args:
        verdict: of any scenario.
        waivers: those that stand today, by objective.
    """
    covered = verdict.status in {Status.FAIL, Status.INCONCLUSIVE} and not verdict.vetoes
    return covered and verdict.objective in waivers

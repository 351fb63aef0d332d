"""What a stack found about itself, beside the faults that it had to find."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from harness.judging.checker import Charge, lasting_causes
from harness.judging.measure import Measure
from harness.judging.timeline import Timeline, Window
from harness.judging.told import why_unread
from harness.model.declarations import ERROR_BURST, Findings
from harness.model.facts import FindingSeen
from harness.model.nanoseconds import SECOND_NS
from harness.model.protocols import Status, Verdict

NOT_PROMISED = "the stack promises no findings"


@dataclass(frozen=True, slots=True)
class Owed:
    """A fault that had to be found.

    Attributes:
        window: from its injection to its healing.
        causes: what a finding may name, in the harness's words.
        limit_ns: when it had to be found by.
        found: what was found about it, in time's order, and about the same trouble just before.
    """

    window: Window
    causes: frozenset[str]
    limit_ns: int
    found: tuple[FindingSeen, ...]

    @property
    def seconds(self) -> float:
        """Return how long it took to be found; 0 where it still was."""
        return max(0, self.found[0].at_ns - self.window.from_ns) / SECOND_NS


@dataclass(frozen=True, slots=True)
class FindingStory:
    """The faults that had to be found, and the findings that no fault explains."""

    owed: tuple[Owed, ...]
    false: tuple[FindingSeen, ...]


def story_of(timeline: Timeline, charge: Charge, findings: Findings) -> FindingStory:
    """Return what was found beside what had to be.

    Args:
        timeline: of the scenario.
        charge: tells which causes each fault has, by its step; a fault without any is owed no finding.
        findings: what the stack promises: how soon it finds, which faults are too short, how its words are
            read.
    """
    seen = sorted(timeline.findings, key=lambda each: each.at_ns)
    after_ns = int(findings.after_seconds * SECOND_NS)
    owed: list[Owed] = []
    for step, window in sorted(timeline.fault_windows, key=lambda each: each[1].from_ns):
        causes = charge.causes[step] if step < len(charge.causes) else frozenset()
        if causes and window.to_ns - window.from_ns >= findings.fault_seconds_min * SECOND_NS:
            limit_ns = window.from_ns + int(findings.deadline_seconds * SECOND_NS)
            limit_ns = _put_off(timeline, findings, window.from_ns, limit_ns)
            about = [each for each in seen if window.from_ns <= each.at_ns <= window.to_ns + after_ns]
            before = _still_told(owed, window, causes, after_ns)
            owed.append(Owed(window, causes, limit_ns, (*before, *about)))
    faults = [window for _, window in timeline.fault_windows]
    false = tuple(each for each in seen if not _explained(each, faults, after_ns))
    return FindingStory(tuple(owed), () if charge.scenario.schedule.kind == ERROR_BURST else false)


def _still_told(
    owed: Sequence[Owed], window: Window, causes: frozenset[str], after_ns: int
) -> tuple[FindingSeen, ...]:
    """Return what was found about the same trouble just before, if it was: it need not be over yet."""
    if not owed or owed[-1].causes.isdisjoint(causes):
        return ()
    is_near = window.from_ns - owed[-1].window.to_ns <= after_ns
    return tuple(each for each in owed[-1].found if each.at_ns <= window.from_ns) if is_near else ()


def _put_off(timeline: Timeline, findings: Findings, from_ns: int, limit_ns: int) -> int:
    """Return the limit, later where the process that finds was hurt meanwhile."""
    for step, window in timeline.fault_windows:
        is_watcher = bool(findings.watcher) and timeline.fault_targets[step] == findings.watcher
        if is_watcher and window.from_ns <= limit_ns and window.to_ns > from_ns:
            limit_ns = max(limit_ns, window.to_ns + int(findings.deadline_seconds * SECOND_NS))
    return limit_ns


def _explained(finding: FindingSeen, faults: Iterable[Window], after_ns: int) -> bool:
    return any(window.from_ns <= finding.at_ns <= window.to_ns + after_ns for window in faults)


def names_a_cause(owed: Owed, finding: FindingSeen, findings: Findings) -> bool:
    """Return whether a finding names a cause that the fault is.

    Args:
        owed: a fault and its causes.
        finding: what the stack said.
        findings: which causes each word of the stack stands for; a word that is not there stands for itself.
    """
    return not owed.causes.isdisjoint(findings.causes.get(finding.cause, (finding.cause,)))


def told(finding: FindingSeen) -> str:
    """Return what a finding says, as a sentence: its cause, and what the stack says of it."""
    said = f"{finding.cause}, {finding.says}" if finding.says else finding.cause
    return said if said.endswith((".", "…")) else f"{said}."


class FindingCheck:
    """A check of what a stack promises to find.

    Args:
        charge: what is to be judged.
        measure: on which scale.
        is_about_faults: whether there must be a fault that has to be found.
    """

    def __init__(self, charge: Charge, measure: Measure, *, is_about_faults: bool = True) -> None:
        self._charge = charge
        self._is_about_faults = is_about_faults
        self._findings = charge.findings or Findings("")
        self.measure = measure

    def lacks(self) -> str:
        """Say what is missing where there is nothing to judge."""
        if self._charge.findings is None:
            return NOT_PROMISED
        seconds = self._findings.fault_seconds_min
        if self._is_about_faults and not lasting_causes(self._charge, seconds):
            return f"no fault that must be found lasts {seconds:g} s"
        return ""

    def story(self, timeline: Timeline) -> FindingStory:
        """Return what was found beside what had to be."""
        return story_of(timeline, self._charge, self._findings)

    def unread(self, timeline: Timeline) -> str:
        """Say why not all is known that was found; empty where it is."""
        return why_unread(timeline.findings_read, "findings", forgiven=self._was_hurt(timeline))

    def _was_hurt(self, timeline: Timeline) -> bool:
        """Return whether a fault hit what finds: killed, it may leave half a line."""
        return self._findings.watcher in timeline.fault_targets.values()

    def inconclusive(self, summary: str) -> Verdict:
        """Return that nothing was decided.

        Args:
            summary: why not, as a sentence for a report.
        """
        return self.measure.verdict(Status.INCONCLUSIVE, None, summary)

    def nothing_owed(self) -> Verdict:
        """Return that no fault had to be found: nothing was broken, and nothing proved."""
        seconds = self._findings.fault_seconds_min
        return self.inconclusive(f"No fault that must be found lasted {seconds:g} s.")

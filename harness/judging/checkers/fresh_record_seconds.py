"""A fresh record, written after a fault was healed, arrives in time."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from typing import ClassVar

from harness.judging.checker import Charge
from harness.judging.disturbance import starvation
from harness.judging.measure import Measure, given_limit
from harness.judging.outcomes import outcomes_of, unread_outlet
from harness.judging.timeline import FreshWave, Timeline
from harness.judging.wording import count
from harness.model.facts import FreshLooked
from harness.model.nanoseconds import SECOND_NS
from harness.model.protocols import Status, Verdict
from harness.model.registry import module_word

_WORST_FIRST = (Status.FAIL, Status.INCONCLUSIVE, Status.PASS)
_WAVES_SHOWN = 10


class FreshRecordSeconds:
    """A fresh record, written after a fault was healed, arrives in time, and no older one is stuck.

    Records are fresh right after a fault that lies within no other one was healed, and once more after the
    drain. Those of a healing stand in line behind what piled up: they have `recovery_seconds` where that is
    more than the limit, and count as far as they were acknowledged and arrived at all, since the others are
    judged as losses; where the next fault begins before they have arrived, they say nothing. What the stack
    says it still holds after the drain deadline has not arrived in time either.
    """

    objective: ClassVar[str] = module_word(__name__)
    dimension: ClassVar[str] = "recovery"
    unit: ClassVar[str] = "s"

    def __init__(self, charge: Charge, *, limit_seconds: float | None = None) -> None:
        """Take what is to be judged.

        Args:
            charge: the scenario and what the stack declares.
            limit_seconds: how long fresh records may take; by default the scenario's `liveness_seconds`,
                which it may not exceed.

        Raises:
            ValueError: the limit is beyond `liveness_seconds`, and nobody looks for the records any longer.
        """
        longest_seconds = charge.scenario.liveness_seconds
        self._charge = charge
        self._limit_seconds = given_limit("limit_seconds", limit_seconds) or longest_seconds
        if self._limit_seconds > longest_seconds:
            raise ValueError(
                f"limit_seconds must be at most liveness_seconds ({longest_seconds:g}), "
                f"not {self._limit_seconds:g}: so long fresh records are looked for."
            )
        self._recovery_seconds = max(self._limit_seconds, charge.scenario.recovery_seconds)
        self._measure = Measure(self.objective, self.dimension, self.unit, self._limit_seconds)

    def check(self, timeline: Timeline) -> Verdict:
        """Measure from each wave's first due time until all of it was seen; the worst wave is judged."""
        measure = self._measure
        last = next((wave for wave in timeline.fresh if not wave.sent.after), None)
        if last is None or _first_due_ns(timeline, last) is None:
            return measure.verdict(Status.INCONCLUSIVE, None, "No fresh record was sent.")
        if not last.looks:
            return measure.verdict(
                Status.INCONCLUSIVE, None, "The archive could not be read after the drain."
            )
        if not (expected := _sent(timeline, last)):
            return measure.verdict(
                Status.INCONCLUSIVE, None, "No fresh record was sent: what sends them had ended."
            )
        verdicts = [
            _judged(timeline, last, measure, self._limit_seconds, expected),
            *self._after_healings(timeline),
        ]
        stuck = self._stuck(timeline)
        worst = min(verdicts, key=lambda verdict: _WORST_FIRST.index(verdict.status))
        if stuck and worst.status is not Status.FAIL:
            worst = measure.verdict(Status.FAIL, None, stuck)
        if worst.status is Status.FAIL and (starved := starvation(timeline, _waited_since_ns(timeline))):
            said = f"{worst.summary.removesuffix('.')}, but {starved}."
            worst = replace(worst, status=Status.INCONCLUSIVE, summary=said)
        others = tuple(verdict.summary for verdict in verdicts if verdict is not worst)
        return replace(worst, evidence=others[:_WAVES_SHOWN])

    def _after_healings(self, timeline: Timeline) -> Iterator[Verdict]:
        measure = replace(self._measure, limit=self._recovery_seconds)
        for wave in timeline.fresh:
            if wave.sent.after and (expected := _arrived_at_all(timeline, wave)):
                verdict = _judged(timeline, wave, measure, self._recovery_seconds, expected)
                if not _overtaken(timeline, wave, self._recovery_seconds, expected):
                    yield verdict

    def _stuck(self, timeline: Timeline) -> str:
        found = outcomes_of(timeline, self._charge)
        if unread_outlet(timeline, self._charge) or not found.held:
            return ""
        drain = f"{self._charge.scenario.drain_seconds:g} s of drain"
        held = count(found.held, "acknowledged record is", "acknowledged records are")
        return f"{held} still held by the stack after {drain}."


def _judged(
    timeline: Timeline, wave: FreshWave, measure: Measure, limit_seconds: float, expected: int
) -> Verdict:
    """Judge one wave. Only a look that began after the limit and missed a record proves that it was late."""
    due_ns = _first_due_ns(timeline, wave) or wave.sent.at_ns
    limit_ns = due_ns + int(limit_seconds * SECOND_NS)
    allowed = f"at most {limit_seconds:g} s allowed"
    fresh = f"fresh records{_told_after(wave)}"
    complete = _complete(wave, expected)
    too_late = [look for look in wave.looks if look.began_ns >= limit_ns and look.found < expected]
    if complete is None:
        best = max((look.found for look in wave.looks), default=0)
        said = f"{best} of {expected} {fresh} arrived within {limit_seconds:g} s."
        if too_late:
            return measure.verdict(Status.FAIL, None, said)
        said = f"Nobody looked for the {expected} {fresh} when {limit_seconds:g} s were over."
        return measure.verdict(Status.INCONCLUSIVE, None, said)
    seconds = (complete.at_ns - due_ns) / SECOND_NS
    said = f"All {expected} {fresh} were readable after {seconds:.1f} s ({allowed})."
    if complete.at_ns <= limit_ns:
        return measure.verdict(Status.PASS, seconds, said)
    if too_late:
        return measure.verdict(Status.FAIL, seconds, said)
    took = f"The look that found all {expected} {fresh} ended after {seconds:.1f} s ({allowed})"
    reading_seconds = (complete.at_ns - complete.began_ns) / SECOND_NS
    said = f"{took} and itself took {reading_seconds:.1f} s: when they arrived is not known."
    return measure.verdict(Status.INCONCLUSIVE, None, said)


def _waited_since_ns(timeline: Timeline) -> int:
    return min(wave.sent.at_ns for wave in timeline.fresh)


def _complete(wave: FreshWave, expected: int) -> FreshLooked | None:
    return next((look for look in wave.looks if look.found >= expected), None)


def _sent(timeline: Timeline, wave: FreshWave) -> int:
    """Return how many records of a wave the stack can have got: not those of a worker that had ended."""
    sequences = range(wave.sent.first, wave.sent.last + 1)
    unsent = (
        timeline.never_sent_by(timeline.entries[sequence])
        for sequence in sequences
        if sequence in timeline.entries
    )
    return len(sequences) - sum(map(bool, unsent))


def _first_due_ns(timeline: Timeline, wave: FreshWave) -> int | None:
    sequences = range(wave.sent.first, wave.sent.last + 1)
    due = (timeline.entries[sequence].due_ns for sequence in sequences if sequence in timeline.entries)
    return min(due, default=None)


def _arrived_at_all(timeline: Timeline, wave: FreshWave) -> int:
    """Return how many of a wave's records were acknowledged and are in the archive at the end."""
    return sum(
        sequence in timeline.copies and timeline.entries[sequence].acknowledged_ns is not None
        for sequence in range(wave.sent.first, wave.sent.last + 1)
    )


def _overtaken(timeline: Timeline, wave: FreshWave, limit_seconds: float, expected: int) -> bool:
    """Return whether another fault began before a wave had arrived or its time was over."""
    complete = _complete(wave, expected)
    until_ns = wave.sent.at_ns + int(limit_seconds * SECOND_NS)
    if complete is not None:
        until_ns = min(until_ns, complete.at_ns)
    return any(wave.sent.at_ns <= window.from_ns < until_ns for _, window in timeline.fault_windows)


def _told_after(wave: FreshWave) -> str:
    return f", sent when {wave.sent.after} was healed," if wave.sent.after else ""

"""A fresh record, written after the last fault was healed, arrives in time."""

from __future__ import annotations

from typing import ClassVar

from harness.judging.checker import Charge
from harness.judging.measure import Measure, given_limit
from harness.judging.outcomes import outcomes_of, unread_outlet
from harness.judging.timeline import SECOND_NS, Timeline
from harness.judging.wording import count
from harness.model.facts import PROBES_FOUND
from harness.model.protocols import Status, Verdict
from harness.model.registry import module_word


class FreshRecordSeconds:
    """A fresh record, written after the last fault was healed, arrives in time, and no older one is stuck.

    What the stack says it still holds after the drain deadline has not arrived in time either.
    """

    objective: ClassVar[str] = module_word(__name__)
    dimension: ClassVar[str] = "recovery"

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
        self._measure = Measure(self.objective, self.dimension, "s", self._limit_seconds)

    def check(self, timeline: Timeline) -> Verdict:
        """Measure from the first probe's due time until all probes were seen in the archive."""
        probes = [entry for entry in timeline.entries.values() if entry.due_ns >= timeline.probing_ns]
        if not probes:
            return self._measure.verdict(Status.INCONCLUSIVE, None, "No fresh record was sent.")
        readings = timeline.samples.get(PROBES_FOUND, [])
        if not readings:
            return self._measure.verdict(
                Status.INCONCLUSIVE, None, "The archive could not be read after healing."
            )
        complete = [reading for reading in readings if reading.value >= len(probes)]
        if not complete:
            best = int(max(reading.value for reading in readings))
            looked_seconds = self._charge.scenario.liveness_seconds
            summary = f"{best} of {len(probes)} fresh records arrived within {looked_seconds:g} s."
            return self._measure.verdict(Status.FAIL, None, summary)
        if stuck := self._stuck(timeline):
            return self._measure.verdict(Status.FAIL, None, stuck)
        first_due_ns = min(entry.due_ns for entry in probes)
        seconds = (min(reading.at_ns for reading in complete) - first_due_ns) / SECOND_NS
        status = Status.PASS if seconds <= self._limit_seconds else Status.FAIL
        return self._measure.verdict(
            status,
            seconds,
            f"All {len(probes)} fresh records were readable after {seconds:.1f} s "
            f"(at most {self._limit_seconds:g} s allowed).",
        )

    def _stuck(self, timeline: Timeline) -> str:
        found = outcomes_of(timeline, self._charge)
        if unread_outlet(timeline, self._charge) or not found.held:
            return ""
        drain = f"{self._charge.scenario.drain_seconds:g} s of drain"
        held = count(found.held, "acknowledged record is", "acknowledged records are")
        return f"{held} still held by the stack after {drain}."

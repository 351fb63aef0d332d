"""The application and the stack's own processes end in time when they are told to."""

from __future__ import annotations

from typing import ClassVar

from harness.judging.checker import Charge
from harness.judging.measure import Measure, given_limit
from harness.judging.timeline import Timeline
from harness.model.facts import EXIT_SECONDS
from harness.model.protocols import Status, Verdict
from harness.model.registry import module_word


class ExitSeconds:
    """Whoever is told to end has ended within `exit_seconds`: a deployment must not hang on its logs.

    Measured at the end of the run, from the request to the end. One that had to be killed counts with the
    time it was waited for.
    """

    objective: ClassVar[str] = module_word(__name__)
    dimension: ClassVar[str] = "caller protection"
    unit: ClassVar[str] = "s"
    needs_quiet: ClassVar[bool] = True
    needs_end: ClassVar[bool] = True

    def __init__(self, charge: Charge, *, limit_seconds: float | None = None) -> None:
        """Take what is to be judged.

        Args:
            charge: the scenario and what the stack declares.
            limit_seconds: how long an exit may take; by default the stack's promise.
        """
        self._limit_seconds = given_limit("limit_seconds", limit_seconds) or charge.promises.exit_seconds
        self._measure = Measure(self.objective, self.dimension, self.unit, self._limit_seconds)

    def lacks(self) -> str:
        """Return what must be declared for this to be planned."""
        return "the stack promises no exit_seconds" if self._limit_seconds is None else ""

    def check(self, timeline: Timeline) -> Verdict:
        """Compare the longest exit with the promise."""
        exits = {
            process: samples[-1].value
            for process, samples in timeline.samples_by_process(EXIT_SECONDS).items()
        }
        if not exits or self._limit_seconds is None:
            return self._measure.verdict(Status.INCONCLUSIVE, None, "No exit was measured.")
        who = max(exits, key=exits.__getitem__)
        evidence = tuple(f"{name}: {seconds:.2f} s." for name, seconds in sorted(exits.items()))
        said = f"{who} ended after {exits[who]:.2f} s (at most {self._limit_seconds:g} s allowed)."
        if exits[who] <= self._limit_seconds:
            return self._measure.verdict(Status.PASS, exits[who], said, evidence)
        story = (f"{who} was told to end when all records had been sent.", said)
        return self._measure.verdict(Status.FAIL, exits[who], said, evidence, story)

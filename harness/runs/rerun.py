"""One plan, run again and again: each time on services of its own, with a result in a folder of its own."""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import replace

from harness.model.errors import InterruptedRunError, TimeIsUpError
from harness.model.protocols import Progress
from harness.model.result import Result
from harness.reporting.atomic_file import write_report
from harness.reporting.result_json import ResultJson
from harness.runs.plan import SuitePlan
from harness.runs.request import Request
from harness.runs.suite import SuiteRun


class Rerun:
    """Runs a plan once at each call.

    Args:
        plan: what to run.
        request: what a person asked for; each run makes its folder in `request.out`.
        signals: tells how often the runs were asked to end so far.
        watch: takes what a person watching wants to know.
        deadline: when no time is left, on the monotonic clock in seconds; None = never.
    """

    def __init__(
        self,
        plan: SuitePlan,
        request: Request,
        signals: Callable[[], int],
        watch: Callable[[Progress], None],
        deadline: float | None,
    ) -> None:
        self._plan = plan
        # An inconclusive scenario that is run until it passes would choose among its samples.
        self._request = replace(request, repeats_max=0, gate=replace(request.gate, regression=None))
        self._signals = signals
        self._watch = watch
        self._deadline = deadline

    def __call__(self) -> Result:
        """Run once.

        Raises:
            TimeIsUpError: no time is left.
            InterruptedRunError: a signal asked the run to end.
            HarnessError: whatever else ends a run early.
        """
        suite_run = SuiteRun(self._plan, self._in_time(), self._signals, self._watch)
        result, ended_by = suite_run.run()
        write_report(ResultJson(), result, suite_run.folder)
        if ended_by is not None:
            raise ended_by
        if self._signals():
            raise InterruptedRunError("interrupted by a signal between two runs; nothing was decided")
        return result

    def _in_time(self) -> Request:
        if self._deadline is None:
            return self._request
        left = self._deadline - time.monotonic()
        if left <= 0:
            raise TimeIsUpError("no time was left for another run; give it more with --max-minutes")
        return replace(self._request, max_minutes=left / 60)

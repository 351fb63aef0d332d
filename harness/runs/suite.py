"""A whole run: services once, every scenario on them, and the result of it all.

exclusive scenarios, one after the other → the others side by side → what was inconclusive again, alone
"""

from __future__ import annotations

import os
import threading
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import ExitStack, contextmanager
from dataclasses import replace
from datetime import UTC, datetime
from functools import partial
from pathlib import Path
from typing import Any

from harness.cleanup.healing import heal_run
from harness.cleanup.leftovers import left_of_run
from harness.cleanup.watchdog import Watchdog
from harness.deployments import BACKENDS
from harness.deployments.preflight import require
from harness.deployments.service_set import Services
from harness.deployments.versions import service_versions
from harness.evidence.lines import read_lines
from harness.judging.check_selection import Checks, checks_of
from harness.judging.gate import decide, gates_nothing
from harness.judging.score import score
from harness.judging.waivers import applicable, excuse
from harness.model.declarations import Scenario, Step
from harness.model.errors import (
    FailedFastError,
    HarnessError,
    NotReadyError,
    UnavailableError,
    described,
    what_ends_the_run,
)
from harness.model.protocols import OVER, PROBES, PageSpec, Progress, Status
from harness.model.result import Result, ScenarioResult
from harness.processes.clock import SystemClock
from harness.processes.scratch import make_scratch, remove_scratch
from harness.processes.workplace import current_folder
from harness.reporting.every_report import write_every_report
from harness.reporting.redaction import Redaction
from harness.runs.environment import surroundings
from harness.runs.fail_fast import blocked_by
from harness.runs.grouping import grouping
from harness.runs.live_desk import LiveDesk
from harness.runs.parallel import SideBySide
from harness.runs.plan import SuitePlan
from harness.runs.repeats import merged, runs_again
from harness.runs.request import Request, preflight
from harness.runs.scenario import Ground, Live, ScenarioRun, cut_short, unjudged

SERVICES_READY_SECONDS = 300.0


class SuiteRun:
    """One run of a suite on services of its own."""

    def __init__(
        self,
        plan: SuitePlan,
        request: Request,
        signals: Callable[[], int],
        watch: Callable[[Progress], None],
        desk: LiveDesk | None = None,
        steps: tuple[Step, ...] = (),
        page: PageSpec | None = None,
    ) -> None:
        """Take the plan; nothing has started yet.

        Args:
            plan: what to run.
            request: what a person asked for.
            signals: tells how often the run was asked to end so far.
            watch: takes what a person watching wants to know, from any thread.
            desk: of the live page, where a person takes the steps of the run's only scenario.
            steps: what that page offers first.
            page: where a load that brings a page of its own serves it.
        """
        self._live = None if desk is None else Live(desk, steps, self._publish, page)
        self._plan = plan
        self._request = request
        self._watch = watch
        self._clock = SystemClock(_deadline_ns(request.max_minutes), signals)
        self._started, self._started_at = time.monotonic(), datetime.now(UTC)
        self.run_id = f"{self._started_at:%Y%m%d-%H%M%S}-{os.urandom(2).hex()}"
        # Absolute: processes of the run work in folders of their own.
        self.folder = request.out.resolve() / request.suite / self.run_id
        self._results: dict[int, ScenarioResult] = {}
        """By the place in the plan, from 1; each is set by the one thread that runs the scenario."""
        self._lock = threading.Lock()
        self._unready: NotReadyError | None = None
        self._has_sent = False
        self._broke: list[str] = []
        self._versions: Mapping[str, str] = {}
        # Asked once: the folder may be deleted while the run is on.
        self._here = current_folder()
        self._redaction = _redaction(plan, request, self._here)

    def run(self) -> tuple[Result, HarnessError | None]:
        """Run everything and stop everything.

        Returns:
            The result, and what ended the run early (a signal, its time, a full disk), if anything did. What
            had not run by then is in the result as NOT_RUN, as it is after a failure with `fail_fast`.

        Raises:
            UnavailableError: this machine lacks a server or something else the run needs, or is too busy.
            StackError: a service ended before it was ready.
        """
        self.begin()
        ended_by: HarnessError | None = None
        try:
            with self.ready() as ground:
                self._run_scenarios(ground)
        except HarnessError as error:
            ended_by = what_ends_the_run(error) or error
            if ended_by is error and not self._results:
                for line in self._broke:
                    error.add_note(line)
                raise
        return self.result(ended_by), None if isinstance(ended_by, FailedFastError) else ended_by

    # --- one scenario at a time, for whoever decides which is next -----------------------------------------

    def begin(self) -> None:
        """Look whether this machine has what the run needs, and make its folder.

        Raises:
            UnavailableError: it lacks something.
        """
        nodes = len(self._request.stack.nodes)
        require(preflight(self._request.backend, self.folder, self._beside(), nodes))
        self._make_folder()

    @contextmanager
    def ready(self) -> Iterator[Ground]:
        """Have the services started, and at the end everything stopped and undone.

        Yields:
            What every scenario of the run stands on.

        Raises:
            UnavailableError: this machine lacks a server or something else the run needs, or is too busy.
            StackError: a service ended before it was ready.
        """
        with ExitStack() as stack:
            scratch = make_scratch(self.run_id)
            stack.callback(self._note_what_is_left, scratch)
            stack.callback(self._clean, "scratch folder", partial(remove_scratch, scratch))
            watchdog = Watchdog(scratch, self.run_id, self._clock)
            stack.callback(self._clean, "watchdog", watchdog.stop)
            watchdog.start()
            backend: type[Any] = BACKENDS.resolve(self._request.backend)
            services: Services = backend(scratch, self.run_id, self._clock, self._request.stack)
            stack.callback(self._clean, "services", services.stop)
            services.start()
            services.wait_ready(SERVICES_READY_SECONDS)
            self._versions = service_versions(services.urls())
            yield Ground(
                run_id=self.run_id,
                request=self._request,
                services=services,
                folder=self.folder,
                scratch=scratch,
                redaction=self._redaction,
                watch=self._note_progress,
                live=self._live,
            )

    def examine(self, ground: Ground, number: int) -> None:
        """Run the scenario of that place in the plan, from 1, alone, and again while it is inconclusive.

        Args:
            ground: of `ready`, whose block has not ended.
            number: its place.

        Raises:
            HarnessError: what ends the whole run. What the scenario came to by then is in the result.
        """
        self._end_by(self._run_one(ground, number, self._clock))
        self._repeat(ground, number)

    def result(self, ended_by: HarnessError | None) -> Result:
        """Return the result of all that has run so far.

        Args:
            ended_by: what ended the run early, if anything did.
        """
        failed_fast = isinstance(ended_by, FailedFastError)
        scenarios = self._published(str(ended_by) if failed_fast else cut_short(ended_by))
        if self._live is None:
            return self._result(scenarios, self._plan.planned, self._plan.unplanned)
        # What was done by hand decides what could be judged.
        checks = checks_of(scenarios[0].scenario, self._request.stack)
        return self._result(scenarios, *self._examined(checks))

    def _examined(self, checks: Checks) -> tuple[Mapping[str, str], tuple[str, ...]]:
        """Return which objectives are judged, with their dimensions, and what is not examined."""
        planned, _ = applicable(
            {checker.objective: checker.dimension for checker in checks.planned.values()},
            self._request.gate.not_applicable,
            self._request.today,
        )
        before = (each for each in self._plan.unplanned if each.partition(":")[0] not in checks.planned)
        late = (f"{word}: {why}" for word, why in checks.unplanned.items())
        return planned, tuple(dict.fromkeys((*before, *late)))

    def _result(
        self, scenarios: tuple[ScenarioResult, ...], planned: Mapping[str, str], unplanned: tuple[str, ...]
    ) -> Result:
        verdicts = [verdict for result in scenarios for verdict in result.verdicts]
        scored = score(planned, verdicts)
        broke = tuple(map(self._redaction.text, self._broke))
        request = self._request
        interactive = self._live is not None
        decision = decide(scored, verdicts, request.gate, request.today, broke)
        return Result(
            run_id=self.run_id,
            started_at=self._started_at.isoformat(timespec="seconds"),
            suite=request.suite,
            stack=request.stack.name,
            backend=request.backend,
            seed=request.seed,
            input=str(request.input_path or ""),
            suite_hash=self._plan.suite_hash(),
            plan_hash=self._plan.plan_hash(),
            command=request.command,
            surroundings={**surroundings(self._here), "jobs": str(request.jobs), **self._versions},
            scenarios=scenarios,
            score=scored,
            gate=gates_nothing(decision) if interactive else decision,
            seconds=round(time.monotonic() - self._started, 1),
            promises=request.stack.promises,
            unplanned=unplanned,
            broke=broke,
            interactive=interactive,
        )

    def _publish(self, number: int, snapshot: ScenarioResult, checks: Checks) -> tuple[str, str, Path]:
        """Write a snapshot's reports; return its status, what its gate would say, and its scorecard."""
        shown = self._redaction.result(
            excuse(snapshot, self._request.gate.not_applicable, self._request.today)
        )
        result = self._result((shown,), *self._examined(checks))
        result = replace(result, run_id=f"{self.run_id}-snapshot-{number}")
        folder = self.folder / "snapshots" / str(number)
        try:
            paths = write_every_report(result, folder)
        except OSError as error:
            raise UnavailableError(f"{folder}: cannot be written: {error.strerror}") from error
        return snapshot.status.value, _would_be(result.gate.reasons), paths["html"]

    def _beside(self) -> int:
        _, together = grouping(self._plan.scenarios, self._request.jobs)
        return max(0, min(self._request.jobs, len(together)) - 1)

    def _make_folder(self) -> None:
        try:
            self.folder.mkdir(mode=0o700, parents=True)
        except OSError as error:
            raise UnavailableError(
                f"{self.folder}: cannot be made: {error.strerror}; name another folder with --out"
            ) from error

    def _clean(self, what: str, step: Callable[[], None]) -> None:
        """Take one step of the cleaning up; what goes wrong in it is said, and the next step is taken."""
        try:
            step()
        except Exception as error:
            self._broke.append(f"{what}: {described(error)}")

    def _note_what_is_left(self, scratch: Path) -> None:
        self._broke.extend(f"a fault was not undone in time: {line}" for line in heal_run(self.run_id))
        self._broke.extend(
            f"the run left something behind: {left}. `logquake heal` removes it."
            for left in left_of_run(self.run_id, scratch)
        )

    # --- scenarios ---------------------------------------------------------------------------------------

    def _run_scenarios(self, ground: Ground) -> None:
        """Run those that want to be alone first, then the others; raises what ends the run."""
        alone, together = grouping(self._plan.scenarios, self._request.jobs)
        for number in alone:
            self.examine(ground, number)
            self._end_by(self._blocked_by(number))
        if together:
            side_by_side = SideBySide(self._request.jobs, self._clock)
            self._end_by(side_by_side.run([partial(self._run_beside, ground, number) for number in together]))
        for number in together:
            # Alone: a neighbour may be why its evidence did not suffice.
            self._repeat(ground, number)
            self._end_by(self._blocked_by(number))

    def _run_beside(self, ground: Ground, number: int, clock: SystemClock) -> HarnessError | None:
        ended_by = self._run_one(ground, number, clock)
        if ended_by is not None or self._runs_again(number, 2):
            return ended_by  # another attempt takes the place of this one
        return self._blocked_by(number)

    def _blocked_by(self, number: int) -> HarnessError | None:
        request = self._request
        if not request.fail_fast:
            return None
        return blocked_by(self._results[number], request.gate, request.today)

    def _run_one(self, ground: Ground, number: int, clock: SystemClock) -> HarnessError | None:
        return self._attempt(ground, number, 1, clock)

    def _repeat(self, ground: Ground, number: int) -> None:
        """Run a scenario again while its evidence does not suffice; what it said before is kept beside it."""
        for attempt in range(2, self._request.repeats_max + 2):
            before = self._results[number]
            if not self._runs_again(number, attempt):
                return
            ended_by = self._attempt(ground, number, attempt, self._clock)
            again = self._results[number]
            self._results[number] = merged(before, again, ended_early=ended_by is not None)
            self._end_by(ended_by)

    def _runs_again(self, number: int, attempt: int) -> bool:
        """Return whether a scenario has an attempt of that number."""
        undecidable = self._plan.scenarios[number - 1].undecidable()
        return attempt <= self._request.repeats_max + 1 and runs_again(self._results[number], undecidable)

    def _attempt(self, ground: Ground, number: int, attempt: int, clock: SystemClock) -> HarnessError | None:
        plan = self._plan.scenarios[number - 1]
        result, ended_by = ScenarioRun(ground, plan, number, attempt, clock).run()
        if isinstance(ended_by, NotReadyError):
            result, ended_by = self._not_ready(plan.scenario, result, ended_by)
        self._results[number] = result
        self._watch(Progress(plan.scenario.name, OVER, "", result.tally, result.found, 0.0))
        return ended_by

    def _not_ready(
        self, scenario: Scenario, result: ScenarioResult, error: NotReadyError
    ) -> tuple[ScenarioResult, HarnessError | None]:
        """Let a stack that never got ready end the run, and tell of it once.

        Where it did get ready in another scenario of the run, this one alone is an error.
        """
        with self._lock:
            if self._has_sent:
                return result, None
            first = self._unready = self._unready or error
        if first is not error:
            result = unjudged(scenario, self._request, Status.NOT_RUN, cut_short(first), result.history)
        return result, first

    def _note_progress(self, progress: Progress) -> None:
        """Note that the stack got ready, in a scenario that may still be running, and tell who watches."""
        self._has_sent = self._has_sent or progress.tally.sent > 0
        self._watch(progress)

    def _end_by(self, error: HarnessError | None) -> None:
        if error is not None:
            raise error

    def _published(self, why_not_run: str) -> tuple[ScenarioResult, ...]:
        """Return the results in the plan's order, as reports may show them."""
        return tuple(self.shown(number, why_not_run) for number in range(1, len(self._plan.scenarios) + 1))

    def shown(self, number: int, why_not_run: str) -> ScenarioResult:
        """Return what a report may show of the scenario of that place in the plan, from 1.

        Args:
            number: its place.
            why_not_run: what is said of a scenario that has no result.
        """
        request = self._request
        result = self._results.get(number) or unjudged(
            self._plan.scenarios[number - 1].scenario, request, Status.NOT_RUN, why_not_run
        )
        return self._redaction.result(excuse(result, request.gate.not_applicable, request.today))


def _would_be(reasons: tuple[str, ...]) -> str:
    """Return what the gate would say of an interactive result, and its gravest reason."""
    return " ".join(reasons[1:3])


def _redaction(plan: SuitePlan, request: Request, here: Path) -> Redaction:
    if request.input_path is None or request.show_lines:
        return Redaction((), here)
    records = max((len(planned.offsets_ns) for planned in plan.scenarios), default=0) + PROBES
    return Redaction(read_lines(request.input_path, records), here)


def _deadline_ns(max_minutes: float | None) -> int | None:
    return None if max_minutes is None else time.monotonic_ns() + int(max_minutes * 60e9)

"""A whole run: services once, scenario by scenario parts → runner → judgement, and the result of it all."""

from __future__ import annotations

import os
import time
from collections.abc import Callable, Mapping, Sequence
from contextlib import ExitStack, closing
from dataclasses import replace
from datetime import UTC, datetime
from functools import cache, partial
from pathlib import Path
from typing import Any

from harness.assembly import Request, preflight
from harness.clock import SystemClock
from harness.deployments import BACKENDS, procfs
from harness.deployments.guard import Guard
from harness.deployments.healing import heal_run
from harness.deployments.load import HostedLoad, LoadSpec
from harness.deployments.preflight import require
from harness.deployments.residue import left_of_run
from harness.deployments.scratch import make_scratch, remove_scratch, subfolder
from harness.deployments.services import GATE, PROXY, Services
from harness.deployments.stack import LinkServers, StackDeployment
from harness.deployments.versions import service_versions
from harness.elastic_gate_client import ElasticGateClient
from harness.errors import HarnessError, StackError, UnavailableError, described, what_ends_the_run
from harness.examination import charge_of, checks_of
from harness.exemptions import excuse
from harness.facts import Broke
from harness.faults import FAULTS
from harness.gate import decide
from harness.history import Recorder, read_history
from harness.lines import FileLines, GeneratedLines, read_lines, stamp
from harness.parts import counters, expanded, make_part, outlets
from harness.plan import PROBES, ScenarioPlan, SuitePlan
from harness.protocols import Part, Progress, Removable, Scenario, Status
from harness.proxy_client import ProxyClient
from harness.redaction import Redaction
from harness.result import Result, ScenarioResult, as_attempt
from harness.runner import Parts, Runner
from harness.score import score
from harness.series import bands, series
from harness.surroundings import surroundings
from harness.undo import UndoJournal, journal_folder
from harness.verdict import Judgement, judge, not_run

SERVICES_READY_SECONDS = 120.0
PROXY_TIMEOUT_SECONDS = 5.0


class SuiteRun:
    """One run of a suite: services once, scenarios one after the other."""

    def __init__(
        self,
        plan: SuitePlan,
        request: Request,
        interrupted: Callable[[], bool],
        watch: Callable[[Progress], None],
    ) -> None:
        """Take the plan; nothing has started yet."""
        self._plan = plan
        self._request = request
        self._watch = watch
        self._clock = SystemClock(_deadline_ns(request.max_minutes), interrupted)
        self.run_id = f"{datetime.now(UTC):%Y%m%d-%H%M%S}-{os.urandom(2).hex()}"
        # Absolute: processes of the run work in folders of their own.
        self.folder = request.out.resolve() / request.suite / self.run_id
        self._results: list[ScenarioResult] = []
        self._broke: list[str] = []
        self._versions: Mapping[str, str] = {}
        self._redaction = _redaction(plan, request)

    def run(self) -> tuple[Result, HarnessError | None]:
        """Run everything and stop everything.

        Returns:
            The result, and what ended the run early (a signal, its time, a full disk), if anything did. What
            had not run by then is in the result as NOT_RUN.

        Raises:
            UnavailableError: this machine lacks a server, or something else the run needs.
            StackError: the services did not start.
        """
        started = time.monotonic()
        started_at = datetime.now(UTC).isoformat(timespec="seconds")
        require(preflight(self._request.backend, self.folder))
        self._make_folder()
        ended_by: HarnessError | None = None
        try:
            self._run_all()
        except HarnessError as error:
            ended_by = what_ends_the_run(error) or error
            if ended_by is error and not self._results:
                for line in self._broke:
                    error.add_note(line)
                raise
        for plan in self._plan.scenarios[len(self._results) :]:
            self._results.append(self._unrun(plan, str(ended_by)))
        self._results = [self._published(result) for result in self._results]
        verdicts = [verdict for result in self._results for verdict in result.verdicts]
        scored = score(self._plan.planned, verdicts)
        broke = tuple(map(self._redaction.text, self._broke))
        request = self._request
        result = Result(
            run_id=self.run_id,
            started_at=started_at,
            suite=request.suite,
            stack=request.stack.name,
            backend=request.backend,
            seed=request.seed,
            input=str(request.input_path or ""),
            suite_hash=self._plan.suite_hash(),
            plan_hash=self._plan.plan_hash(),
            command=request.command,
            surroundings={**surroundings(Path.cwd()), **self._versions},
            scenarios=tuple(self._results),
            score=scored,
            gate=decide(scored, verdicts, request.gate, request.today, broke),
            seconds=round(time.monotonic() - started, 1),
            promises=request.stack.promises,
            unplanned=self._plan.unplanned,
            broke=broke,
        )
        return result, ended_by

    def _make_folder(self) -> None:
        try:
            self.folder.mkdir(mode=0o700, parents=True)
        except OSError as error:
            raise UnavailableError(
                f"{self.folder}: cannot be made: {error.strerror}; name another folder with --out"
            ) from error

    def _run_all(self) -> None:
        with ExitStack() as stack:
            scratch = make_scratch(self.run_id)
            stack.callback(self._note_what_is_left, scratch)
            stack.callback(self._clean, "scratch folder", partial(remove_scratch, scratch))
            guard = Guard(scratch, self.run_id, self._clock)
            stack.callback(self._clean, "guard", guard.stop)
            guard.start()
            backend: type[Any] = BACKENDS.resolve(self._request.backend)
            services: Services = backend(scratch, self.run_id, self._clock, self._request.stack)
            stack.callback(self._clean, "services", services.stop)
            services.start()
            services.wait_ready(SERVICES_READY_SECONDS)
            self._versions = service_versions(services.urls())
            proxy = ProxyClient(services.urls()[PROXY], PROXY_TIMEOUT_SECONDS)
            stack.callback(proxy.close)
            gate = ElasticGateClient(services.urls()[GATE], PROXY_TIMEOUT_SECONDS)
            stack.callback(gate.close)
            links = LinkServers(proxy, gate)
            for number, plan in enumerate(self._plan.scenarios):
                self._run_scenario(f"{number + 1:02d}", plan, services, links, scratch)
                for attempt in range(2, self._request.repeats_max + 2):
                    if self._results[-1].status is not Status.INCONCLUSIVE:
                        break
                    self._repeat(f"{number + 1:02d}-{attempt}", plan, services, links, scratch)

    def _clean(self, what: str, step: Callable[[], None]) -> None:
        """Take one step of the cleaning up; what goes wrong in it is said, and the next step is taken."""
        try:
            step()
        except Exception as error:
            self._broke.append(f"{what}: {described(error)}")

    def _note_what_is_left(self, scratch: Path) -> None:
        self._broke.extend(f"a fault was not taken back in time; {line}" for line in heal_run(self.run_id))
        self._broke.extend(
            f"the run left something, `logquake heal` removes it: {left}"
            for left in left_of_run(self.run_id, scratch)
        )

    def _repeat(
        self, number: str, plan: ScenarioPlan, services: Services, links: LinkServers, scratch: Path
    ) -> None:
        """Run a scenario again whose evidence did not suffice; what it said before is kept beside it."""
        before = self._results.pop()
        place = len(self._results)
        try:
            self._run_scenario(number, plan, services, links, scratch)
        except HarnessError:
            # It had run to its end once: that says more than a repeat that did not.
            self._results[place:] = [before]
            raise
        attempts = (*before.attempts, as_attempt(before))
        self._results[-1] = replace(self._results[-1], attempts=attempts)

    def _run_scenario(
        self, number: str, plan: ScenarioPlan, services: Services, links: LinkServers, scratch: Path
    ) -> None:
        started = time.monotonic()
        run_id = f"{self.run_id}-{number}"
        history = self.folder / "history" / f"{plan.scenario.name}{number[2:]}"
        try:
            history.mkdir(mode=0o700, parents=True)
            recorder = Recorder(history / "harness.jsonl", self._request.history_bytes_max)
            with closing(recorder):
                parts = self._parts(plan, run_id, services, links, scratch, recorder, history)
                Runner(plan.scenario, parts).run()
                if self._request.stack.delete_run_index:
                    _delete_run_index(parts)
            judged = self._judged(plan, history, round(time.monotonic() - started, 1))
        except Exception as error:
            if (ending := what_ends_the_run(error)) is not None:
                self._results.append(self._unrun(plan, str(ending), history))
                raise ending from error
            self._results.append(self._broken(plan, described(error), history))
            if isinstance(error, UnavailableError):
                raise  # what this machine lacks now, the next scenario would lack too
            return
        self._results.append(judged)

    def _parts(
        self,
        plan: ScenarioPlan,
        run_id: str,
        services: Services,
        links: LinkServers,
        scratch: Path,
        recorder: Recorder,
        history: Path,
    ) -> Parts:
        request, scenario = self._request, plan.scenario
        stack = StackDeployment(
            request.stack, services.urls(), links, scratch, run_id, self._clock, request.seed
        )
        values = stack.values()
        load = LoadSpec(
            run_id=run_id,
            seed=request.seed,
            offsets_ns=plan.offsets_ns,
            producers=scenario.producers,
            input_path="" if request.input_path is None else str(request.input_path.resolve()),
            acknowledged_by=request.stack.acknowledged_by,
            intake=Part(request.stack.intake.kind, expanded(request.stack.intake, values)),
            history_bytes_max=request.history_bytes_max,
        )
        return Parts(
            services=services,
            stack=stack,
            load=HostedLoad(load, subfolder(scratch, f"load-{run_id}"), history, self._clock),
            outlets=outlets(request.stack, values, run_id, _lines(load, plan)),
            faults=[make_part(FAULTS, Part(step.fault, step.arguments)) for step in scenario.steps],
            recorder=recorder,
            journal=UndoJournal(journal_folder(os.environ), run_id, procfs.mark(os.getpid())),
            clock=self._clock,
            seed=request.seed,
            watch=self._watch,
            left=partial(left_of_run, run_id),
            counters=counters(request.stack.counters, values),
        )

    def _judged(self, plan: ScenarioPlan, history: Path, seconds: float) -> ScenarioResult:
        events = self._redaction.events(read_history(history))
        charge = charge_of(plan.scenario, self._request.stack)
        judgement = judge(events, charge, self._checkers(plan.scenario))
        return ScenarioResult(
            scenario=plan.scenario,
            status=judgement.status,
            verdicts=judgement.verdicts,
            remarks=judgement.remarks,
            tally=judgement.tally,
            found=judgement.found,
            bands=bands(events, plan.scenario),
            series=series(events),
            seconds=seconds,
            history=str(history.relative_to(self.folder)),
        )

    def _published(self, result: ScenarioResult) -> ScenarioResult:
        """Return a result as reports may show it."""
        excused = excuse(result, self._request.gate.not_applicable, self._request.today)
        return self._redaction.result(excused)

    def _unrun(self, plan: ScenarioPlan, why: str, history: Path | None = None) -> ScenarioResult:
        return self._without_judgement(plan, Status.NOT_RUN, f"it did not run to its end: {why}", history)

    def _broken(self, plan: ScenarioPlan, why: str, history: Path) -> ScenarioResult:
        return self._without_judgement(plan, Status.ERROR, why, history)

    def _without_judgement(
        self, plan: ScenarioPlan, status: Status, remark: str, history: Path | None
    ) -> ScenarioResult:
        judgement: Judgement = not_run(self._checkers(plan.scenario), status, remark)
        return ScenarioResult(
            scenario=plan.scenario,
            status=status,
            verdicts=judgement.verdicts,
            remarks=judgement.remarks,
            tally=judgement.tally,
            found=judgement.found,
            bands=(),
            series=(),
            seconds=0.0,
            history="" if history is None else str(history.relative_to(self.folder)),
        )

    def _checkers(self, scenario: Scenario) -> Sequence[Any]:
        charge = charge_of(scenario, self._request.stack)
        return [checker(charge) for checker in checks_of(scenario, self._request.stack).planned.values()]


def _delete_run_index(parts: Parts) -> None:
    """Remove what the run stored, where the stack file asks for it; what stays behind is a fact."""
    archive = parts.outlets.archive()
    try:
        if not isinstance(archive, Removable):
            raise StackError("delete_run_index: this kind of archive deletes nothing; remove the key")
        archive.remove(parts.outlets.run_id)
    except HarnessError as error:
        parts.recorder.record(Broke(parts.clock.now_ns(), "delete the run's index", str(error)))
    finally:
        archive.close()


def _redaction(plan: SuitePlan, request: Request) -> Redaction:
    if request.input_path is None or request.show_lines:
        return Redaction((), Path.cwd())
    records = max((len(planned.offsets_ns) for planned in plan.scenarios), default=0) + PROBES
    return Redaction(read_lines(request.input_path, records), Path.cwd())


def _deadline_ns(max_minutes: float | None) -> int | None:
    return None if max_minutes is None else time.monotonic_ns() + int(max_minutes * 60e9)


def _lines(load: LoadSpec, plan: ScenarioPlan) -> Callable[[int], str]:
    """Return what a stored line should be, by sequence; made when first asked for."""
    records = len(plan.offsets_ns) + PROBES

    @cache
    def lines() -> FileLines | GeneratedLines:
        return FileLines(Path(load.input_path), records) if load.input_path else GeneratedLines(load.seed)

    def expected(sequence: int) -> str:
        return stamp(lines().text(sequence), load.run_id, sequence)

    return expected

"""Puts a run together: files → plan, then scenario by scenario parts → runner → judgement → result."""

from __future__ import annotations

import os
import time
from collections.abc import Callable, Mapping, Sequence
from contextlib import ExitStack, closing
from dataclasses import dataclass, replace
from datetime import UTC, date, datetime
from functools import cache, partial
from hashlib import sha256
from pathlib import Path
from typing import Any

from harness.archives import ARCHIVES
from harness.archives.decode import DecodedArchive
from harness.checkers import CHECKERS
from harness.clock import SystemClock
from harness.deployments import BACKENDS, procfs
from harness.deployments.guard import Guard
from harness.deployments.healing import heal_run
from harness.deployments.load import HostedLoad, LoadSpec
from harness.deployments.preflight import Check, Requirements, check_machine, require
from harness.deployments.residue import left_of_run
from harness.deployments.scratch import make_scratch, remove_scratch, subfolder
from harness.deployments.services import GATE, PROXY, Services
from harness.deployments.stack import LinkServers, StackDeployment
from harness.deployments.versions import service_versions
from harness.elastic_gate_client import ElasticGateClient
from harness.errors import (
    HarnessError,
    ScenarioError,
    StackError,
    UnavailableError,
    described,
    what_ends_the_run,
)
from harness.exemptions import applicable, excuse
from harness.facts import Broke
from harness.family import Family
from harness.faults import FAULTS
from harness.gate import GateRules, decide
from harness.history import HISTORY_BYTES_MAX, Recorder, read_history
from harness.lines import FileLines, GeneratedLines, digest, read_lines, stamp
from harness.may_hurt import refusals
from harness.placeholders import expand
from harness.plan import PROBES, ScenarioPlan, SuitePlan, plan_scenario
from harness.protocols import (
    Archive,
    Arguments,
    Charge,
    Part,
    Progress,
    RawArchive,
    Removable,
    Scenario,
    Stack,
    Status,
)
from harness.proxy_client import ProxyClient
from harness.redaction import Redaction
from harness.result import Result, ScenarioResult, as_attempt
from harness.runner import Parts, Runner
from harness.score import score
from harness.series import bands, series
from harness.surroundings import surroundings
from harness.undo import UndoJournal, journal_folder
from harness.verdict import Judgement, judge, not_run
from harness.workloads import WORKLOADS

INPUT_RATE_MAX = 2_000
REPEATS_MAX = 2
SERVICES_READY_SECONDS = 120.0
PROXY_TIMEOUT_SECONDS = 5.0


@dataclass(frozen=True, slots=True)
class Request:
    """What a person asked for, once files are read."""

    suite: str
    scenarios: tuple[Scenario, ...]
    stack: Stack
    backend: str
    seed: int
    input_path: Path | None
    out: Path
    command: str
    gate: GateRules
    max_minutes: float | None
    today: date
    repeats_max: int = REPEATS_MAX
    show_lines: bool = False
    origins: tuple[str, ...] = ()
    history_bytes_max: int = HISTORY_BYTES_MAX


def preflight(backend: str, out: Path) -> list[Check]:
    """Return what a run on a backend needs of this machine, each with what was seen."""
    return check_machine(getattr(BACKENDS.resolve(backend), "requirements", Requirements()), out)


def make_plan(request: Request) -> SuitePlan:
    """Fix what a run will do.

    Raises:
        ScenarioError: the input cannot be used, a part does not take its arguments, or the stack would reach
            beyond this machine where its file does not say that it may.
    """
    if problems := refusals(request.stack):
        raise ScenarioError("\n".join(problems))
    input_digest = "" if request.input_path is None else _digest_of(request.input_path)
    plans = tuple(_plan_one(scenario, request) for scenario in request.scenarios)
    checkers = [CHECKERS.resolve(word) for plan in plans for word in plan.scenario.checks]
    planned, unplanned = applicable(
        {checker.objective: checker.dimension for checker in checkers},
        request.gate.not_applicable,
        request.today,
    )
    return SuitePlan(
        request.suite,
        plans,
        request.stack,
        request.backend,
        request.seed,
        input_digest,
        planned,
        unplanned,
    )


def _plan_one(scenario: Scenario, request: Request) -> ScenarioPlan:
    workload = _make(WORKLOADS, scenario.workload)
    lines = None
    if request.input_path is not None:
        lines = len(read_lines(request.input_path, int(INPUT_RATE_MAX * scenario.sending_seconds)))
    return plan_scenario(scenario, workload, request.seed, lines)


def _digest_of(path: Path) -> str:
    try:
        return sha256(path.read_bytes()).hexdigest()[:16]
    except OSError as error:
        raise ScenarioError(f"{path}: cannot read the input: {error.strerror}") from error


def _make(family: Family, part: Part, arguments: Arguments | None = None) -> Any:
    try:
        return family.resolve(part.kind)(**(part.arguments if arguments is None else arguments))
    except TypeError as error:
        raise ScenarioError(f'{family.noun} "{part.kind}": {error}') from error


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
        load = LoadSpec(
            run_id=run_id,
            seed=request.seed,
            offsets_ns=plan.offsets_ns,
            producers=scenario.producers,
            input_path="" if request.input_path is None else str(request.input_path.resolve()),
            acknowledged_by=request.stack.acknowledged_by,
            intake=Part(request.stack.intake.kind, _expanded(request.stack.intake, stack.values())),
            history_bytes_max=request.history_bytes_max,
        )
        return Parts(
            services=services,
            stack=stack,
            load=HostedLoad(load, subfolder(scratch, f"load-{run_id}"), history, self._clock),
            archive=_opener(request.stack, stack.values(), run_id),
            faults=[_make(FAULTS, Part(step.fault, step.arguments)) for step in scenario.steps],
            expected_digest=_digests(load, plan),
            run_id=run_id,
            recorder=recorder,
            journal=UndoJournal(journal_folder(os.environ), run_id, procfs.mark(os.getpid())),
            clock=self._clock,
            seed=request.seed,
            watch=self._watch,
            left=partial(left_of_run, run_id),
        )

    def _judged(self, plan: ScenarioPlan, history: Path, seconds: float) -> ScenarioResult:
        events = self._redaction.events(read_history(history))
        charge = Charge(plan.scenario, self._request.stack.promises)
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
        charge = Charge(scenario, self._request.stack.promises)
        return [CHECKERS.resolve(word)(charge) for word in scenario.checks]


def _delete_run_index(parts: Parts) -> None:
    """Remove what the run stored, where the stack file asks for it; what stays behind is a fact."""
    archive = parts.archive()
    try:
        if not isinstance(archive, Removable):
            raise StackError("delete_run_index: this kind of archive deletes nothing; remove the key")
        archive.remove(parts.run_id)
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


def _expanded(part: Part, values: Mapping[str, str]) -> Arguments:
    return {
        name: expand(value, values) if isinstance(value, str) else value
        for name, value in part.arguments.items()
    }


def _opener(stack: Stack, values: Mapping[str, str], run_id: str) -> Callable[[], Archive]:
    """Return how to open the archive, through the stack's own decoder where it names one."""
    arguments = _expanded(stack.archive, values)
    command = [expand(argument, values) for argument in stack.decode]
    environment = {procfs.RUN_ID_VARIABLE: run_id, procfs.HARNESS_VARIABLE: procfs.mark(os.getpid())}

    def open_archive() -> Archive:
        archive: Archive = _make(ARCHIVES, stack.archive, arguments)
        if not command:
            return archive
        if not isinstance(archive, RawArchive):
            raise ScenarioError(f'archive "{stack.archive.kind}" shows no documents that could be decoded')
        return DecodedArchive(archive, command, values["run.folder"], environment)

    return open_archive


def _digests(load: LoadSpec, plan: ScenarioPlan) -> Callable[[int], str]:
    """Return what a stored line's digest should be, by sequence; made when first asked for."""
    records = len(plan.offsets_ns) + PROBES

    @cache
    def lines() -> FileLines | GeneratedLines:
        return FileLines(Path(load.input_path), records) if load.input_path else GeneratedLines(load.seed)

    def expected(sequence: int) -> str:
        return digest(stamp(lines().text(sequence), load.run_id, sequence))

    return expected

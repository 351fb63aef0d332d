"""One scenario on a suite's services: wiring → runner → judgement → what a report says of it."""

from __future__ import annotations

import os
import resource
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import closing, contextmanager
from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path

from harness.cleanup.leftovers import left_of_run
from harness.cleanup.undo_journal import UndoJournal, journal_folder
from harness.deployments.placeholders import expand
from harness.deployments.service_set import INTERCEPTOR, PROXY, Services
from harness.deployments.stack import LinkServers, SmallDisks, StackDeployment
from harness.evidence.actions import ActionsReader
from harness.evidence.alerts.inboxes import Clocks, WebhookInbox
from harness.evidence.answers import AnswersFollower
from harness.evidence.findings import FindingsFollower
from harness.evidence.history import Recorder, read_history
from harness.evidence.json_lines import Follower
from harness.evidence.secrets.watch import SecretWatch
from harness.evidence.spans import span_facts
from harness.faults import FAULTS
from harness.judging.check_selection import Checks, before_the_end, charge_of, checks_of
from harness.judging.checker import Checker, NeedsFirstSeen
from harness.judging.fault_causes import causes_of
from harness.judging.generator import generator
from harness.judging.incident import incident
from harness.judging.series import bands, read_back_seconds, series
from harness.judging.timeline import timeline
from harness.judging.verdict import Judgement, judge, not_run
from harness.live.channel import DeskServer
from harness.load import LOADS
from harness.model.declarations import Actions, Part, Scenario, Step
from harness.model.errors import (
    HarnessError,
    NotReadyError,
    StackError,
    UnavailableError,
    described,
    what_ends_the_run,
)
from harness.model.facts import Broke, Event
from harness.model.nanoseconds import SECOND_NS
from harness.model.protocols import Load, LoadSpec, NeedsSmallDisk, PageSpec, Progress, Removable, Status
from harness.model.result import HarnessCost, ScenarioResult
from harness.processes import procfs
from harness.processes.clock import SystemClock
from harness.processes.cores import Cores
from harness.processes.scratch import subfolder
from harness.reporting.redaction import Redaction
from harness.runs.alerts import alert_receivers
from harness.runs.interactive import ByHand, InteractiveRunner
from harness.runs.kept_files import keep_files
from harness.runs.last_lines import last_lines
from harness.runs.lines import Lines
from harness.runs.live_desk import FAULTS_MAX, SNAPSHOTS_MAX, LiveDesk
from harness.runs.nonces import nonce_command
from harness.runs.plan import ScenarioPlan
from harness.runs.request import Request
from harness.runs.runner import Runner, Wiring
from harness.runs.secrets import secret_paths, secret_watch
from harness.runs.wall_clock import wall_clock
from harness.runs.wiring import counters, expanded, make_part, outlets, tenants_reader, variables
from harness.targets.interceptor_client import InterceptorClient
from harness.targets.toxiproxy_client import ToxiproxyClient

PROXY_TIMEOUT_SECONDS = 5.0


@dataclass(frozen=True, slots=True)
class Live:
    """What makes a run interactive.

    Attributes:
        desk: of its page.
        steps: what the page offers first.
        publish: writes a snapshot's reports; told its number, its result and the checks that judged it,
            returns (status, a sentence, the scorecard's path).
        page: where a load that brings a page of its own serves it; the socket is the scenario's to say.
    """

    desk: LiveDesk
    steps: tuple[Step, ...]
    publish: Callable[[int, ScenarioResult, Checks], tuple[str, str, Path]]
    page: PageSpec | None = None


@dataclass(frozen=True, slots=True)
class Ground:
    """What all scenarios of a run share, and none of them changes.

    `folder` takes results and histories, `scratch` is removed with the run; `watch` may be called from any
    thread.
    """

    run_id: str
    request: Request
    services: Services
    folder: Path
    scratch: Path
    redaction: Redaction
    watch: Callable[[Progress], None]
    live: Live | None = None


class ScenarioRun:
    """One attempt at one scenario. Processes, links, index, journal and history are its own, by its id.

    Args:
        ground: what it shares with the other scenarios.
        plan: the scenario and its schedule.
        number: its place in the plan, from 1.
        attempt: 1 for the first.
        clock: of whoever runs it, in a thread of its own where others run beside it.
    """

    def __init__(
        self, ground: Ground, plan: ScenarioPlan, number: int, attempt: int, clock: SystemClock
    ) -> None:
        again = "" if attempt == 1 else f"-{attempt}"
        self._ground = ground
        self._request = ground.request
        self._plan = plan
        self._clock = clock
        self._run_id = f"{ground.run_id}-{number:02d}{again}"
        self._history = ground.folder / "history" / f"{plan.scenario.name}{again}"

    def run(self) -> tuple[ScenarioResult, HarnessError | None]:
        """Run it and stop all that it started.

        Returns:
            What a report says of it, and what ends the whole run, if anything does: a signal, its time, a
            stack that does not get ready, or something this machine lacks, as the next scenario would.
        """
        result, ended_by = self._run()
        return self._with_files(result), ended_by

    def _run(self) -> tuple[ScenarioResult, HarnessError | None]:
        try:
            return self._examined(), None
        except Exception as error:
            if (ending := what_ends_the_run(error)) is not None:
                return self._without_judgement(Status.NOT_RUN, cut_short(ending)), ending
            if isinstance(error, NotReadyError):
                return self._unready(error), error
            result = self._without_judgement(Status.ERROR, described(error))
            return result, error if isinstance(error, UnavailableError) else None

    def _unready(self, error: NotReadyError) -> ScenarioResult:
        """Return the result of a scenario that never began; it says who is to look into it."""
        stack = self._request.stack
        where = error.whose if error.is_own else stack.source or stack.name
        summary = f"{error.whose[0].upper()}{error.whose[1:]} did not get ready."
        return self._without_judgement(Status.ERROR, f"{where}: {error.reason}", summary)

    def _with_files(self, result: ScenarioResult) -> ScenarioResult:
        """Keep what the stack wrote where there is something to find out: its folder goes with the run."""
        if result.status is Status.PASS:
            return result
        ground, stack = self._ground, self._request.stack
        kept = keep_files(
            ground.scratch / f"stack-{self._run_id}",
            [process.name for process in stack.processes],
            ground.scratch / f"load-{self._run_id}",
            ground.folder / "kept" / self._history.name,
            ground.redaction,
        )
        # A stack that did not even get ready is quoted by what says so.
        has_nothing_arrived = bool(result.tally.acknowledged) and not result.found
        said = last_lines(ground.folder / kept.folder) if kept is not None and has_nothing_arrived else ""
        return replace(result, kept=kept, remarks=(*result.remarks, *([said] if said else ())))

    def _examined(self) -> ScenarioResult:
        started = time.monotonic()
        self._history.mkdir(mode=0o700, parents=True)
        recorder = Recorder(self._history / "harness.jsonl", self._request.history_bytes_max)
        with closing(recorder), self._desk_served():
            urls = self._ground.services.urls()
            proxy = ToxiproxyClient(urls[PROXY], PROXY_TIMEOUT_SECONDS)
            interceptor = InterceptorClient(urls[INTERCEPTOR], PROXY_TIMEOUT_SECONDS)
            wiring = self._wiring(LinkServers(proxy, interceptor), recorder)
            runner = self._runner(wiring, started)
            runner.run()
            if self._request.stack.delete_run_index:
                _delete_run_index(wiring)
        checks = checks_of(runner.scenario, self._request.stack)
        return self._judged(runner.scenario, checks, self._history, round(time.monotonic() - started, 1))

    def _runner(self, wiring: Wiring, started: float) -> Runner:
        live = self._ground.live
        if live is None:
            return Runner(self._plan.scenario, wiring)

        def judged(number: int, history: Path, scenario: Scenario) -> tuple[str, str, Path]:
            checks = before_the_end(checks_of(scenario, self._request.stack))
            seconds = round(time.monotonic() - started, 1)
            return live.publish(number, self._judged(scenario, checks, history, seconds), checks)

        snapshots = self._ground.folder / "snapshots"
        by_hand = ByHand(
            desk=live.desk,
            steps=live.steps,
            stack=self._request.stack.name,
            history=self._history,
            snapshots=snapshots,
            judge=judged,
            redaction=self._ground.redaction,
        )
        return InteractiveRunner(self._plan.scenario, wiring, by_hand)

    def _wiring(self, links: LinkServers, recorder: Recorder) -> Wiring:
        ground, request, plan = self._ground, self._request, self._plan
        faults = [make_part(FAULTS, Part(step.fault, step.arguments)) for step in plan.scenario.steps]
        journal = UndoJournal(journal_folder(os.environ), self._run_id, procfs.mark(os.getpid()))
        sizes_mib = {
            step.target: fault.disk_mib
            for step, fault in zip(plan.scenario.steps, faults, strict=True)
            if isinstance(fault, NeedsSmallDisk)
        }
        secrets = request.stack.promises.secrets
        moved = wall_clock(faults, self._folder("clock"), self._clock)
        stack = StackDeployment(
            request.stack,
            ground.services.urls(),
            links,
            ground.scratch,
            self._run_id,
            self._clock,
            request.seed,
            SmallDisks(sizes_mib, journal),
            self._folder("wire") if secrets else None,
            moved,
        )
        values = stack.values()
        intake = Part(request.stack.intake.kind, expanded(request.stack.intake, values))
        load = LoadSpec(
            run_id=self._run_id,
            seed=request.seed,
            offsets_ns=plan.offsets_ns,
            producers=plan.scenario.producers,
            input_path="" if request.input_path is None else str(request.input_path.resolve()),
            acknowledged_by=request.stack.acknowledged_by,
            intake=intake,
            history_bytes_max=request.history_bytes_max,
            code_folders=tuple(map(str, request.code_folders)),
            waves=1 + plan.scenario.healings + (FAULTS_MAX + SNAPSHOTS_MAX if ground.live else 0),
            fields=tuple(request.stack.fields.paths),
            page=self._page(),
            secrets=secrets,
            secret_paths=secret_paths(intake) if secrets else (),
            environment=moved.variables(variables(request.stack, values)),
            levels=plan.levels,
            shapes=plan.shapes,
            wall_clock_path=moved.path,
            tenants={} if request.stack.namespaces is None else request.stack.namespaces.tenants,
        )
        sending = self._load(load)
        lines = Lines(load, request.stack.masks)
        watch = self._watch(lines, intake)
        return Wiring(
            services=ground.services,
            stack=stack,
            load=sending,
            outlets=outlets(
                *(request.stack, values, load, lines.expected, sending.owed, lines.maskable),
                may_miss=any(step.permits.destroyed for step in plan.scenario.steps),
            ),
            faults=faults,
            recorder=recorder,
            journal=journal,
            clock=self._clock,
            seed=request.seed,
            watch=ground.watch,
            left=partial(left_of_run, self._run_id),
            counters=counters(request.stack.counters, values),
            cores=Cores(),
            first_seen=any(
                isinstance(checker, NeedsFirstSeen)
                for checker in checks_of(plan.scenario, request.stack).planned.values()
            ),
            secrets=watch,
            nonces=nonce_command(request.stack, values, self._run_id),
            alerts=alert_receivers(
                *(request.stack, plan, self._run_id, ground.services.urls(), ground.scratch),
                Clocks(time.time_ns, time.monotonic_ns),
                watch,
            ),
            followers=tuple(self._followers(values)),
            spans=self._spans(load, values),
        )

    def _watch(self, lines: Lines, intake: Part) -> SecretWatch | None:
        """Return what looks for the canaries, where there are any."""
        if lines.planted is None:
            return None
        folders = {name: self._folder(name) for name in ("stack", "load", "wire")}
        return secret_watch(self._request.stack, lines.planted, folders, self._ground.services.urls(), intake)

    def _followers(self, values: Mapping[str, str]) -> Iterator[Follower]:
        """Yield what follows what the stack writes about itself, as far as it promises any."""
        clocks = Clocks(time.time_ns, time.monotonic_ns)
        findings, answers = self._request.stack.findings, self._request.stack.answers
        if findings is not None:
            settled_ns = self._settled_ns(findings.deadline_seconds)
            yield FindingsFollower(findings, expand(findings.files, values), clocks, settled_ns)
        if answers is not None:
            yield AnswersFollower(answers, expand(answers.files, values), clocks)
        if (namespaces := self._request.stack.namespaces) is not None:
            yield tenants_reader(namespaces, values, self._run_id)
        if (actions := self._request.stack.actions) is not None:
            receiver = self._ground.services.urls()[actions.service]
            settled_ns = self._actions_settled_ns(actions)
            yield ActionsReader(actions, lambda: WebhookInbox(receiver, clocks), self._run_id, settled_ns)

    def _settled_ns(self, deadline_seconds: float) -> int:
        """Return how long after the start of sending that is over which the last fault is owed."""
        injected_seconds = max((step.at_seconds for step in self._plan.scenario.steps), default=0.0)
        return int((injected_seconds + deadline_seconds + 1) * SECOND_NS)

    def _actions_settled_ns(self, actions: Actions) -> int:
        """Return the same of what is done about faults, whose deadline may begin with a healing."""
        steps = self._plan.scenario.steps
        begins = (
            step.at_seconds
            + (step.for_seconds if actions.waits(causes) or step.target in actions.on_the_way else 0)
            for step, causes in zip(steps, causes_of(steps, self._request.stack), strict=True)
        )
        return int((max(begins, default=0.0) + actions.deadline_seconds + 1) * SECOND_NS)

    def _spans(self, load: LoadSpec, values: Mapping[str, str]) -> Callable[[int], Iterator[Event]] | None:
        """Return what reads the stack's own spans, where it says where they are."""
        if not self._request.stack.spans:
            return None
        return partial(span_facts, expand(self._request.stack.spans, values), load.run_id, load.records)

    def _folder(self, name: str) -> Path:
        """Return a folder of this scenario in the scratch."""
        return subfolder(self._ground.scratch, f"{name}-{self._run_id}")

    @contextmanager
    def _desk_served(self) -> Iterator[None]:
        """Let a load that serves the live page ask its desk, where there is such a page."""
        page = self._page()
        if page is None or self._ground.live is None:
            yield
            return
        server = DeskServer(self._ground.live.desk, Path(page.socket_path))
        try:
            yield
        finally:
            server.stop()

    def _page(self) -> PageSpec | None:
        live = self._ground.live
        if live is None or live.page is None:
            return None
        return replace(live.page, socket_path=str(self._folder("load") / "desk.sock"))

    def _load(self, spec: LoadSpec) -> Load:
        folder = self._folder("load")
        load: Load = make_part(
            LOADS, self._plan.scenario.load, None, spec, folder, self._history, self._clock
        )
        return load

    def _judged(self, scenario: Scenario, checks: Checks, history: Path, seconds: float) -> ScenarioResult:
        began = time.monotonic()
        arranged = timeline(self._ground.redaction.events(read_history(history)))
        charge = charge_of(scenario, self._request.stack)
        judgement = judge(arranged, charge, list(checks.planned.values()))
        drawn = bands(arranged, scenario), series(arranged)
        cost = HarnessCost(
            round(read_back_seconds(arranged), 1),
            round(time.monotonic() - began, 1),
            round(resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024, 1),
        )
        return ScenarioResult(
            scenario=scenario,
            status=judgement.status,
            verdicts=judgement.verdicts,
            remarks=judgement.remarks,
            tally=judgement.tally,
            found=judgement.found,
            bands=drawn[0],
            series=drawn[1],
            seconds=seconds,
            history=self._told(history),
            cost=cost,
            generator=generator(arranged),
            incident=incident(arranged, charge),
        )

    def _without_judgement(self, status: Status, remark: str, summary: str = "") -> ScenarioResult:
        return unjudged(
            self._plan.scenario, self._request, status, remark, self._told(self._history), summary
        )

    def _told(self, history: Path) -> str:
        return str(history.relative_to(self._ground.folder))


def cut_short(why: object) -> str:
    """Return the remark of a scenario that the end of its run kept from its own.

    Args:
        why: what ended the run; an exception or a word.
    """
    return f"the scenario was cut short: {why}"


def unjudged(
    scenario: Scenario, request: Request, status: Status, remark: str, history: str = "", summary: str = ""
) -> ScenarioResult:
    """Return what a report says of a scenario without facts that could be judged.

    Args:
        scenario: which.
        request: what the run was asked for; its checks are named, each without a decision.
        status: of the scenario and of every check.
        remark: why there is nothing to judge.
        history: its file; empty where none was written.
        summary: what each verdict says; by default the remark.
    """
    judgement: Judgement = not_run(_checkers(scenario, request), status, remark, summary)
    return ScenarioResult(
        scenario=scenario,
        status=status,
        verdicts=judgement.verdicts,
        remarks=judgement.remarks,
        tally=judgement.tally,
        found=judgement.found,
        bands=(),
        series=(),
        seconds=0.0,
        history=history,
    )


def _checkers(scenario: Scenario, request: Request) -> Sequence[Checker]:
    return list(checks_of(scenario, request.stack).planned.values())


def _delete_run_index(wiring: Wiring) -> None:
    """Remove what the run stored, where the stack file asks for it; what stays behind is a fact."""
    archive = wiring.outlets.archive()
    try:
        if not isinstance(archive, Removable):
            raise StackError("delete_run_index: this kind of archive cannot delete documents; remove the key")
        archive.remove(wiring.outlets.run_id)
    except HarnessError as error:
        wiring.recorder.record(Broke(wiring.clock.now_ns(), "delete the run's index", str(error)))
    finally:
        archive.close()

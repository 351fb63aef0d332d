"""The stack under test while it runs for a test of the user's own, and the faults that the test injects."""

from __future__ import annotations

import os
from collections.abc import Iterator, Mapping
from contextlib import AbstractContextManager, contextmanager
from pathlib import Path
from random import Random
from types import MappingProxyType, TracebackType

from harness.cleanup.undo_journal import UndoJournal, journal_folder
from harness.config.part_arguments import part_mistakes
from harness.deployments.service_set import INTERCEPTOR, PROXY
from harness.deployments.stack import LinkServers, StackDeployment
from harness.faults import FAULTS
from harness.model.declarations import Part, Scalar, Stack, Step
from harness.model.errors import HarnessError, ScenarioError
from harness.model.facts import Event, FaultChanged, FaultSeen
from harness.model.protocols import Fault
from harness.model.registry import unknown
from harness.processes import procfs
from harness.processes.clock import SystemClock
from harness.runs.held_fault import Proof, held
from harness.runs.runner import READY_SECONDS
from harness.runs.scenario import PROXY_TIMEOUT_SECONDS, Ground
from harness.runs.wiring import make_part
from harness.targets.capabilities import Untouchable, not_supported
from harness.targets.interceptor_client import InterceptorClient
from harness.targets.toxiproxy_client import ToxiproxyClient

_FAULT_KEY = "fault"


class RunningStack:
    """A stack whose links, processes and files are this test's own; services are shared by the session.

    Attributes:
        name: of the stack.
        run_id: what `{run.id}` stands for: what is stored under it is this test's.
        folder: what `{run.folder}` stands for.
        values: what every placeholder of the stack file stands for, e.g. `to_store.url`.
    """

    def __init__(self, ground: Ground, deployment: StackDeployment, run_id: str) -> None:
        self._ground = ground
        self._deployment = deployment
        self._journal = UndoJournal(journal_folder(os.environ), run_id, procfs.mark(os.getpid()))
        self.run_id = run_id
        self.values: Mapping[str, str] = MappingProxyType(dict(deployment.values()))
        self.clock = SystemClock()
        self.events: list[Event] = []
        self.steps: list[Step] = []

    @property
    def declared(self) -> Stack:
        """The stack as its file declares it."""
        return self._ground.request.stack

    @property
    def name(self) -> str:
        """The stack's name."""
        return self.declared.name

    @property
    def seed(self) -> int:
        """The session's seed."""
        return self._ground.request.seed

    @property
    def folder(self) -> Path:
        """The folder that the stack works in; it is removed when the session ends."""
        return Path(self.values["run.folder"])

    @property
    def urls(self) -> Mapping[str, str]:
        """Where links, services and processes answer, by their names in the stack file."""
        return {name.removesuffix(".url"): url for name, url in self.values.items() if name.endswith(".url")}

    @property
    def targets(self) -> Mapping[str, object]:
        """What a fault can take hold of, by name."""
        return {**self._ground.services.targets(), **self._deployment.targets()}

    def fault(self, fault: str, target: str, /, **arguments: Scalar) -> AbstractContextManager[Proof]:
        """Hurt a target for as long as the block lasts.

        How to take it back is on disk before it begins, and it is taken back however the block ends.

        Args:
            fault: a word that `logquake list faults` shows, or `package.module:Class`.
            target: a link, service, process or name of files of the stack file.
            arguments: the fault's own, e.g. `latency_ms=800`.

        Returns:
            What the block is entered with; inside, it tells what is seen of the fault: `landed` and `seen`.
            It raises FaultError where the fault cannot be injected or undone, or was not proved to have
            landed by the end.

        Raises:
            ScenarioError: there is no such fault, target or argument, or the target does not support it.
        """
        __tracebackhide__ = True
        made = _made(fault, arguments)
        taken = self._target(target, made)
        return _Block(self._held(made, taken, Step(fault, target, 0.0, 0.0, arguments)))

    @contextmanager
    def _held(self, made: Fault, taken: object, step: Step) -> Iterator[Proof]:
        number = len(self.steps)
        self.steps.append(step)
        mark = _Marks(self, number, step.fault, step.target, made.needs.__name__)
        rng = Random(f"{self._ground.request.seed}:{self.run_id}:{number}")  # noqa: S311 - reproducible, no secret
        mark("injecting")
        with held(made, taken, self._journal, f"{step.fault} on {step.target}", rng) as proof:
            mark("injected")
            try:
                yield proof
            finally:
                mark("healing")
        self.events.append(FaultSeen(self.clock.now_ns(), number, proof.landed, proof.seen))
        mark("healed")

    def _target(self, name: str, fault: Fault) -> object:
        __tracebackhide__ = True
        known = self.targets
        if name not in known:
            raise ScenarioError(f'stack "{self.name}" has {unknown("target", name, known)}')
        target = known[name]
        if isinstance(target, fault.needs):
            return target
        why = target.refusal if isinstance(target, Untouchable) else not_supported(fault.needs)
        raise ScenarioError(f'target "{name}": {why}')


class _Block:
    """A fault's block; what goes wrong with the fault shows the test's own line, and none of ours."""

    def __init__(self, held: AbstractContextManager[Proof]) -> None:
        self._held = held

    def __enter__(self) -> Proof:
        __tracebackhide__ = True
        try:
            return self._held.__enter__()
        except HarnessError as error:
            raise error.with_traceback(None)  # noqa: B904 - the very same error, its way here cut off

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> bool | None:
        __tracebackhide__ = True
        try:
            return self._held.__exit__(kind, error, trace)
        except HarnessError as own:
            raise own.with_traceback(None)  # noqa: B904 - as above


class _Marks:
    """Notes how far one fault has come."""

    def __init__(self, running: RunningStack, number: int, fault: str, target: str, needs: str) -> None:
        self._running = running
        self._of = (number, fault, target)
        self._needs = needs

    def __call__(self, state: str) -> None:
        number, fault, target = self._of
        at_ns = self._running.clock.now_ns()
        self._running.events.append(FaultChanged(at_ns, number, fault, target, state, self._needs))


def _made(word: str, arguments: Mapping[str, Scalar]) -> Fault:
    __tracebackhide__ = True
    mistakes = part_mistakes(FAULTS, {_FAULT_KEY: word, **arguments}, (), {_FAULT_KEY}, word_key=_FAULT_KEY)
    if mistakes:
        raise ScenarioError(
            "\n".join(f'fault("{word}") {".".join(map(str, each.where))}: {each.what}' for each in mistakes)
        )
    made: Fault = make_part(FAULTS, Part(word, arguments))
    return made


@contextmanager
def running_stack(ground: Ground, number: int) -> Iterator[RunningStack]:
    """Start the stack, yield it, and stop it on every path.

    Args:
        ground: the session's services.
        number: tells this use of the stack from the session's others.

    Raises:
        StackError: a process of the stack does not start or get ready.
        OwnPartError: a link cannot be made.
    """
    run_id = f"{ground.run_id}-t{number:02d}"
    urls = ground.services.urls()
    servers = LinkServers(
        ToxiproxyClient(urls[PROXY], PROXY_TIMEOUT_SECONDS),
        InterceptorClient(urls[INTERCEPTOR], PROXY_TIMEOUT_SECONDS),
    )
    request = ground.request
    deployment = StackDeployment(
        request.stack, urls, servers, ground.scratch, run_id, SystemClock(), request.seed
    )
    try:
        deployment.start()
        deployment.wait_ready(READY_SECONDS)
        yield RunningStack(ground, deployment, run_id)
    finally:
        deployment.stop()

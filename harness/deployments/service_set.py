"""The services that stacks need (a store, a fault proxy), started once a suite by some backend."""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping, Sequence
from functools import partial
from pathlib import Path
from typing import ClassVar, Protocol, TypeAlias

from harness.deployments.alert_server_specs import SMTP, api_url
from harness.deployments.preflight import Requirements
from harness.model.declarations import ELASTICSEARCH, ELECTED_MASTER, service_kind
from harness.model.errors import ScenarioError, SlowStartError, UnavailableError
from harness.model.protocols import Clock, Deployment
from harness.model.registry import unknown
from harness.processes import group
from harness.processes.managed import ManagedProcess, ProcessSpec
from harness.processes.ports import LOOPBACK, free_port, release_port
from harness.targets.capabilities import Killable, Pausable, Stoppable
from harness.targets.elected_master import ElectedMasterTarget
from harness.targets.mail_server import MailServerTarget
from harness.targets.process import ProcessTarget

PROXY = "proxy"
"""The fault proxy; every backend has it and every run needs it."""

INTERCEPTOR = "interceptor"
"""The HTTP interceptor; every backend has it, and links to services that speak HTTP go through it."""

INFRASTRUCTURE = frozenset({PROXY, INTERCEPTOR})
"""What the harness hurts with: no service of a stack, and no target."""

SPEAK_HTTP = frozenset({"aws_kms", "elasticsearch", "vault", "webhook_receiver"})
"""The services whose links go through the interceptor."""

Program: TypeAlias = Callable[[str, Path, int], ProcessSpec]
"""(name, scratch folder, port) → how a service starts."""

_STOP_SECONDS = 10.0
_LIGHTER = ", or use --backend embedded"


class ServiceTarget(Killable, Stoppable, Pausable, Protocol):
    """What faults can do to every service that a backend starts."""


class Services(Deployment, Protocol):
    """What every backend provides."""

    def urls(self) -> Mapping[str, str]:
        """Return where each service and the fault proxy answer, by name."""
        ...


class ServiceSet:
    """The services of one suite; implements Deployment.

    Args:
        programs: what this backend can start, by the names of services.
        scratch: the scratch folder of the run (`make_scratch`).
        run_id: what marks the processes as this run's.
        clock: the run's clock and patience.
        needs: names of the services that the stack needs; fault proxy and interceptor always come too.
        aliases: by which other words scenarios know which of them.
        others: the names of services that a subclass makes in another way than by a program.

    Raises:
        ScenarioError: this backend has no such service.
    """

    requirements: ClassVar[Requirements] = Requirements()
    is_lightest: ClassVar[bool] = False
    """Whether no other backend asks less of the machine."""

    def __init__(
        self,
        programs: Mapping[str, Program],
        scratch: Path,
        run_id: str,
        clock: Clock,
        needs: Sequence[str],
        aliases: Mapping[str, str] | None = None,
        others: Collection[str] = (),
    ) -> None:
        names = tuple(dict.fromkeys((PROXY, INTERCEPTOR, *needs)))
        for name in names:
            if name not in programs and name not in others:
                raise ScenarioError(_no_such(name, dict.fromkeys((*programs, *others))))
        self._programs = programs
        self._scratch = scratch
        self._run_id = run_id
        self._clock = clock
        self._aliases = aliases or {}
        self._ports = {name: free_port() for name in names}
        self._members: dict[str, group.Member] = {}
        self._targets: dict[str, ServiceTarget] = {}

    def urls(self) -> Mapping[str, str]:
        """Return where each service answers, e.g. `{"elasticsearch": "http://127.0.0.1:15001"}`."""
        return {name: f"http://{LOOPBACK}:{port}" for name, port in self._ports.items()}

    def start(self) -> None:
        """Start all services.

        Raises:
            UnavailableError: this machine lacks a server.
            StackError: one could not be started.
        """
        try:
            for name, port in self._ports.items():
                self._members[name], self._targets[name] = self._made(name, port)
                self._members[name].start()
        except BaseException as error:
            group.stop_after(error, self.stop)
            raise

    def wait_ready(self, timeout_seconds: float) -> None:
        """Return once all services serve.

        Raises:
            UnavailableError: one runs and does not serve in time, as on a machine too busy; no stack's fault.
            StackError: one ended; with the end of its log.
        """
        try:
            group.wait_all_ready(tuple(self._members.values()), timeout_seconds, self._clock)
        except SlowStartError as error:
            raise UnavailableError(
                f"this machine is too busy to start a service: {error}\n"
                f"Run again when less runs beside it{'' if self.is_lightest else _LIGHTER}."
            ) from error

    def targets(self) -> Mapping[str, ServiceTarget]:
        """Return the services that faults may kill; what the harness hurts with is none of them."""
        targets = {name: target for name, target in self._targets.items() if name not in INFRASTRUCTURE}
        aliased = {word: targets[name] for word, name in self._aliases.items() if name in targets}
        nodes = {
            name: target
            for name, target in targets.items()
            if service_kind(name) == ELASTICSEARCH and isinstance(target, ProcessTarget)
        }
        if len(nodes) < 2:
            return {**targets, **aliased}
        return {**targets, **aliased, ELECTED_MASTER: ElectedMasterTarget(nodes, self.urls())}

    def _made(self, name: str, port: int) -> tuple[group.Member, ServiceTarget]:
        """Make a service, not started yet, and what faults take hold of it by; raises UnavailableError."""
        spec = self._programs[name](name, self._scratch, port)
        process = ManagedProcess(spec, self._run_id, self._clock)
        of = (name, spec.command, process, spec.ready.timeout_seconds)
        if name != SMTP:
            return process, ProcessTarget(*of)
        return process, MailServerTarget(*of, address=(LOOPBACK, port), api_url=api_url(name, self._scratch))

    def exited(self) -> list[tuple[str, int]]:
        """Return (name, exit code) of services that ended by themselves."""
        return group.ended(self._members)

    def stop(self) -> None:
        """Stop all services; idempotent. Raises StackError where something survives."""
        group.do_all(partial(member.terminate, _STOP_SECONDS) for member in reversed(self._members.values()))
        for port in self._ports.values():
            release_port(port)


def _no_such(name: str, services: Mapping[str, object]) -> str:
    if service_kind(name) in services:
        return f'this backend runs one node of {service_kind(name)}, and no "{name}". Use --backend local.'
    return unknown("service", name, services)

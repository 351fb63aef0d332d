"""The user's own running services: they are never started, stopped or faulted."""

from __future__ import annotations

import socket
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import ClassVar
from urllib.parse import urlsplit

from harness.deployments import server_specs
from harness.deployments.reach import refusal
from harness.deployments.service_set import INTERCEPTOR, PROXY, ServiceSet
from harness.model.declarations import ELECTED_MASTER, Stack
from harness.model.errors import ScenarioError, UnavailableError
from harness.model.protocols import Clock

_PROGRAMS = {PROXY: server_specs.tcp_proxy, INTERCEPTOR: server_specs.http_interceptor}
_CONNECT_SECONDS = 5.0


@dataclass(frozen=True, slots=True)
class ForeignService:
    """A service that logquake did not start: it has no capability, so every fault on it is refused."""

    name: str
    refusal: str = (
        "logquake did not start this process, and injects faults only into processes that it started"
    )


class AttachedServices:
    """The services of a stack file's `services`, and proxies of our own before them; implements Deployment.

    Args:
        scratch: the scratch folder of the run (`make_scratch`).
        run_id: what marks the processes as this run's.
        clock: the run's clock and patience.
        stack: names the services it needs, where they are, and what may be hurt.

    Raises:
        ScenarioError: a service has no address, or one that `may_hurt` does not name. Nothing has been
            connected to by then.
    """

    takes_running_services: ClassVar[bool] = True

    def __init__(self, scratch: Path, run_id: str, clock: Clock, stack: Stack) -> None:
        problems = [problem for name in stack.needs if (problem := _problem(name, stack)) is not None]
        if problems:
            raise ScenarioError("\n".join(problems))
        self._services = {name: stack.services[name] for name in stack.needs}
        master = {ELECTED_MASTER: ELECTED_MASTER} if stack.is_clustered else {}
        self._aliases = {**stack.aliases, **master}
        self._own = ServiceSet(_PROGRAMS, scratch, run_id, clock, ())

    def urls(self) -> Mapping[str, str]:
        """Return where each service, the fault proxy and the interceptor answer."""
        return {**self._services, **self._own.urls()}

    def start(self) -> None:
        """Start the proxies, once every service takes connections.

        Raises:
            UnavailableError: a service takes none.
            StackError: a proxy could not be started.
        """
        for name, url in self._services.items():
            _require_listening(name, url)
        self._own.start()

    def wait_ready(self, timeout_seconds: float) -> None:
        """Return once the proxies serve.

        Raises:
            UnavailableError: one runs and does not serve in time.
            StackError: one ended; with the end of its log.
        """
        self._own.wait_ready(timeout_seconds)

    def targets(self) -> Mapping[str, ForeignService]:
        """Return the services by name, so that a fault on one is refused with the reason."""
        named = {**{name: name for name in self._services}, **self._aliases}
        return {word: ForeignService(name) for word, name in named.items()}

    def exited(self) -> list[tuple[str, int]]:
        """Return (name, exit code) of the proxies that ended by themselves."""
        return self._own.exited()

    def stop(self) -> None:
        """Stop the proxies and nothing else; idempotent."""
        self._own.stop()


def _problem(name: str, stack: Stack) -> str | None:
    where = f"{stack.source}: services.{name}.url"
    if name not in stack.services:
        return f"{where}: is missing. The backend attached starts no service; say where yours answers."
    problem = refusal(stack.services[name], stack.may_hurt)
    return None if problem is None else f"{where}: {problem}"


def _require_listening(name: str, url: str) -> None:
    parts = urlsplit(url)
    try:
        socket.create_connection((parts.hostname, parts.port), timeout=_CONNECT_SECONDS).close()
    except OSError as error:
        raise UnavailableError(
            f'service "{name}" takes no connection at {url}: {error}. The backend attached starts nothing: '
            "start it yourself, or use --backend embedded"
        ) from error

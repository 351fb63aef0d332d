"""One container of a run: started through testcontainers, killed, frozen and started again through Docker.

It keeps its ports and its data over restarts, since it is started again and not made anew. Its ports are
published to loopback alone, or it shares the machine's network and is told to bind loopback.
"""

from __future__ import annotations

import threading
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from harness.model.declarations import Ready
from harness.model.errors import SlowStartError, StackError
from harness.model.nanoseconds import SECOND_NS
from harness.model.protocols import Clock
from harness.processes import docker_daemon, readiness
from harness.processes.ports import LOOPBACK

_POLL_SECONDS = 0.1
_PROBE_SECONDS_MAX = 2.0
_KILL_SECONDS = 10.0
_LOG_LINES_SHOWN = 20
_PIDS_MAX = 2_048
# 128 + SIGKILL, which Docker tells of a container whose first process died of it.
_KILLED = 137


@dataclass(frozen=True, slots=True)
class ContainerSpec:
    """What to start and how.

    Attributes:
        name: how people and scenarios call the service.
        image: the image's name with its tag; it is there already.
        ready: how to tell that it serves.
        memory_mib: how much memory it may take; more ends it.
        ports: port within the container → port at 127.0.0.1 of this machine.
        environment: variables of its process.
        arguments: what follows the image's entry point.
        shares_network: the machine's own network instead of one behind published ports.
    """

    name: str
    image: str
    ready: Ready
    memory_mib: int
    ports: Mapping[int, int] = field(default_factory=dict)
    environment: Mapping[str, str] = field(default_factory=dict)
    arguments: tuple[str, ...] = ()
    shares_network: bool = False


class ManagedContainer:
    """A container that a run starts, hurts and removes.

    Args:
        spec: what to start.
        run_id: goes into its labels.
        clock: for every wait.
    """

    def __init__(self, spec: ContainerSpec, run_id: str, clock: Clock) -> None:
        self.spec = spec
        self._run_id = run_id
        self._clock = clock
        self._lock = threading.RLock()
        self._container: Any = None
        self._ended_by_us = False
        self._starts = 0

    @property
    def ready_seconds(self) -> float:
        """How long it may take to serve."""
        return self.spec.ready.timeout_seconds

    @property
    def short_id(self) -> str:
        """The first twelve digits of its id, as Docker shows them; empty before the first start."""
        return "" if self._container is None else str(self._container.id)[:12]

    @property
    def id(self) -> str:
        """Its id; empty before the first start."""
        return "" if self._container is None else str(self._container.id)

    def start(self) -> None:
        """Make and start it; after it ended, start the same one again, with its ports and data.

        Raises:
            StackError: it runs already, or the daemon does not start it.
            UnavailableError: the daemon or the package is not there.
        """
        with self._lock:
            if self._container is not None and self.alive():
                raise StackError(f'container "{self.spec.name}" runs already ({self.short_id})')
            with docker_daemon.doing(f'container "{self.spec.name}" of the image {self.spec.image}'):
                if self._container is None:
                    self._container = self._made()
                else:
                    self._container.start()
            # In this order: who looks meanwhile must not see one that ended and nobody asked to.
            self._starts += 1
            self._ended_by_us = False

    def _made(self) -> Any:
        """Make and start it; nothing of it is left where that fails."""
        spec = self.spec
        docker_daemon.package("testcontainers.core.config").testcontainers_config.ryuk_disabled = True
        new = docker_daemon.package("testcontainers.core.container").DockerContainer(
            spec.image,
            docker_client_kw={
                "environment": {"DOCKER_HOST": docker_daemon.address()},
                "timeout": docker_daemon.CALL_SECONDS,
            },
        )
        # Only a pair of address and port keeps Docker from publishing on every interface.
        new.ports = {f"{inside}/tcp": (LOOPBACK, outside) for inside, outside in spec.ports.items()}
        new.with_envs(**spec.environment)
        new.with_command(list(spec.arguments) or None)
        new.with_kwargs(
            labels=docker_daemon.labels(self._run_id, spec.name),
            network="host" if spec.shares_network else "bridge",
            mem_limit=f"{spec.memory_mib}m",
            memswap_limit=f"{spec.memory_mib}m",
            pids_limit=_PIDS_MAX,
            cap_drop=["ALL"],
            security_opt=["no-new-privileges:true"],
        )
        try:
            new.start()
        except BaseException:
            for made in docker_daemon.labelled():
                if (made.run_id, made.service) == (self._run_id, spec.name):
                    docker_daemon.remove(made.id)
            raise
        return new.get_wrapped_container()

    def wait_ready(self, timeout_seconds: float) -> None:
        """Return once it serves.

        Raises:
            SlowStartError: it does not after `timeout_seconds`; with the end of its log.
            StackError: it ended before; with the end of its log.
        """
        until_ns = self._clock.now_ns() + round(timeout_seconds * SECOND_NS)
        # Alive is asked last: where it is already dead, another program may be answering on its port.
        while not (self._serves() and self.alive()):
            if not self.alive():
                raise StackError(self._complaint(f"ended with exit code {self._state()['ExitCode']}"))
            if self._clock.now_ns() >= until_ns:
                asked = self.spec.ready.http or self.spec.ready.listens
                raise SlowStartError(
                    self._complaint(f"is not ready after {timeout_seconds:g} s: {asked} does not answer")
                )
            self._clock.sleep(_POLL_SECONDS)

    def _serves(self) -> bool:
        ready = self.spec.ready
        if ready.http:
            return readiness.answers(ready.http, _PROBE_SECONDS_MAX)
        return readiness.listens(ready.listens, _PROBE_SECONDS_MAX)

    # --- looking -----------------------------------------------------------------------------------------

    def alive(self) -> bool:
        """Tell whether it runs, frozen or not; raises StackError where the daemon does not tell."""
        return self._container is not None and bool(self._state()["Running"])

    def paused(self) -> bool:
        """Tell whether it is frozen."""
        return self._container is not None and bool(self._state()["Paused"])

    def stopped_orderly(self) -> bool:
        """Tell whether its process shut down rather than dying of SIGKILL."""
        state = self._state()
        return not state["Running"] and state["ExitCode"] != _KILLED

    def ended_by_itself(self) -> int | None:
        """Return the exit code where it ended and nobody here asked it to; else None."""
        if self._ended_by_us or self._container is None:
            return None
        starts = self._starts
        state = self._state()
        # It may have been ended by us, or started again, while the daemon was asked.
        if state["Running"] or self._ended_by_us or starts != self._starts:
            return None
        return int(state["ExitCode"])

    def describe(self) -> str:
        """Return what Docker says of its state, for a person."""
        state = self._state()
        said = str(state["Status"])
        if not state["Running"]:
            said += f" (exit code {state['ExitCode']}{', out of memory' if state['OOMKilled'] else ''})"
        return f"container {self.short_id} of {self.spec.image}: {said}"

    def _state(self) -> Mapping[str, Any]:
        # Without the lock: whoever ends or starts it may hold that for as long as it takes.
        with docker_daemon.doing(f'container "{self.spec.name}"'):
            inspected = self._container.client.api.inspect_container(self._container.id)
        state: Mapping[str, Any] = inspected["State"]
        return state

    # --- hurting and ending ------------------------------------------------------------------------------

    def pause(self) -> None:
        """Freeze all its processes; raises StackError."""
        with self._lock, docker_daemon.doing(f'container "{self.spec.name}": freezing it'):
            self._container.pause()

    def resume(self) -> None:
        """Let its processes go on; harmless where they do. Raises StackError."""
        with self._lock:
            if self.paused():
                with docker_daemon.doing(f'container "{self.spec.name}": letting it go on'):
                    self._container.unpause()

    def kill(self) -> None:
        """Kill it (SIGKILL) and return when it is gone; raises StackError."""
        with self._lock:
            self._note_our_ending()
            self.resume()  # Docker kills nothing that is frozen
            with docker_daemon.doing(f'container "{self.spec.name}": killing it'):
                if self.alive():
                    self._container.kill(signal="SIGKILL")
                self._container.wait(timeout=_KILL_SECONDS)

    def stop(self, timeout_seconds: float) -> None:
        """Ask it to end, kill it after the timeout, return when it is gone; raises StackError."""
        with self._lock:
            self._note_our_ending()
            self.resume()
            with docker_daemon.doing(f'container "{self.spec.name}": stopping it'):
                self._container.stop(timeout=round(timeout_seconds))

    def terminate(self, timeout_seconds: float) -> None:
        """Remove it with its data, killing it: nobody needs either any more. Idempotent.

        Raises:
            StackError: the daemon does not do it within `timeout_seconds` and its own patience.
        """
        with self._lock:
            if self._container is None:
                return
            self._note_our_ending()
            docker_daemon.remove(self._container.id)
            self._container.client.close()
            self._container = None

    def _note_our_ending(self) -> None:
        # What was dead already stays one that ended by itself.
        if self._container is not None and self.alive():
            self._ended_by_us = True

    def _complaint(self, what: str) -> str:
        with docker_daemon.doing(f'container "{self.spec.name}"'):
            lines = self._container.logs(tail=_LOG_LINES_SHOWN).decode(errors="replace").strip()
        said = f". The end of its log:\n{lines}" if lines else ". It wrote nothing."
        return f'container "{self.spec.name}" of the image {self.spec.image} {what}{said}'

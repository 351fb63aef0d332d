"""The stack under test in one scenario: its links and its own processes.

    application ── fault proxy (TCP) ── interceptor (HTTP) ── service

A link goes through the interceptor only where its service speaks HTTP.
"""

from __future__ import annotations

import sys
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path, PurePath
from typing import Protocol
from urllib.parse import urlsplit

from harness.deployments.alert_server_specs import RECEIVERS
from harness.deployments.installed import cache_folder
from harness.deployments.placeholders import RUN_FOLDER, expand
from harness.deployments.service_set import INFRASTRUCTURE, INTERCEPTOR, PROXY, SPEAK_HTTP
from harness.model.declarations import CLOCK, KEY_PROVIDER, KEYS, Keys, Stack, StackProcess, service_kind
from harness.model.errors import FaultError, HarnessError, OwnPartError, ScenarioError
from harness.model.facts import ANSWERS, CONNECTIONS, OWN_CONNECTIONS, Sample
from harness.model.protocols import Clock, Undo
from harness.model.registry import unknown
from harness.processes import group, procfs
from harness.processes.managed import ManagedProcess, ProcessSpec
from harness.processes.ports import LOOPBACK, free_port, release_port
from harness.processes.scratch import subfolder
from harness.processes.usage import folder_usage, processes_usage
from harness.processes.workplace import current_folder
from harness.targets.files import FilesTarget
from harness.targets.folders import folders_of
from harness.targets.http_link import HttpLinkTarget, RuleServer
from harness.targets.key_files import KeyFilesTarget
from harness.targets.key_link import KeyLinkTarget
from harness.targets.keys import KeyCommands, keys_target
from harness.targets.link import LinkTarget, ToxicServer
from harness.targets.process import ProcessTarget
from harness.targets.small_disk import (
    FilesWithoutDisk,
    FillableFiles,
    mount,
    undo_mount,
    unmount_keeping,
)
from harness.targets.wall_clock import WallClockStays, WallClockTarget

# More than a stack may promise for its exit, so that a slow one is measured rather than cut short.
_STOP_SECONDS = 15.0


class ProxyServer(ToxicServer, Protocol):
    """What a stack's links need of the fault proxy; `ToxiproxyClient` is one."""

    def create(self, name: str, listen: str, upstream: str, enabled: bool = True) -> object:
        """Make a proxy that listens on `host:port` and connects to the upstream `host:port`.

        Args:
            name: how the proxy is called from then on; not taken yet.
            listen: where it listens; port 0 = any that is free.
            upstream: where it connects to.
            enabled: whether it accepts connections at once.

        Returns:
            The proxy as the server now describes it; the stack itself does not look at it.
        """
        ...

    def delete(self, name: str) -> None:
        """Remove the proxy that was made as `name`."""
        ...


class InterceptorServer(RuleServer, Protocol):
    """What a stack's links need of the interceptor; `InterceptorClient` is one."""

    def create(self, name: str, listen: str, upstream: str, record: str = "") -> str:
        """Make an interceptor; returns the `host:port` it listens on.

        Args:
            name: how the interceptor is called from then on; not taken yet.
            listen: `host:port`; port 0 = any that is free.
            upstream: the `host:port` it connects to.
            record: names a file that takes all requests; empty = none.
        """
        ...

    def delete(self, name: str) -> None:
        """Remove the interceptor that was made as `name`."""
        ...


class UndoNotes(Protocol):
    """Where it is noted how to take something back, before it is done; the undo journal is one."""

    def before(self, step: str, undo: Undo) -> None:
        """Note it durably; raises FaultError, and then it must not be done.

        Args:
            step: by which `done` names it; one of its own among those that are open.
            undo: how a later process takes it back.
        """
        ...

    def done(self, step: str) -> None:
        """Note that what was noted as `step` was taken back."""
        ...


@dataclass(frozen=True, slots=True)
class SmallDisks:
    """Which `files` of the stack need a small disk of their own, in MiB, and where its undo is noted."""

    sizes_mib: Mapping[str, int]
    notes: UndoNotes


@dataclass(frozen=True, slots=True)
class LinkServers:
    """What links are made of: the fault proxy, and the interceptor for those that speak HTTP."""

    proxy: ProxyServer
    interceptor: InterceptorServer


class StackDeployment:
    """The links and processes of one stack in one scenario; implements Deployment.

    Args:
        stack: what its stack file declares.
        urls: where the services answer, fault proxy and interceptor among them (`ServiceSet.urls`).
        servers: what links are made of.
        scratch: the scratch folder of the run (`make_scratch`).
        run_id: what marks processes, links and records as this scenario's.
        clock: the run's clock and patience.
        seed: the run's seed, for stacks that want it.
        small_disks: which of its files are to lie on small disks of their own; None = none of them.
        recordings: a folder that takes all requests over links that can be looked into, a file each; None =
            nothing is recorded.
        wall_clock: the clock that all its processes follow, or what says why it stays; None = it stays.

    Raises:
        ScenarioError: a link leads to a service that is not there.
    """

    def __init__(
        self,
        stack: Stack,
        urls: Mapping[str, str],
        servers: LinkServers,
        scratch: Path,
        run_id: str,
        clock: Clock,
        seed: int = 0,
        small_disks: SmallDisks | None = None,
        recordings: Path | None = None,
        wall_clock: WallClockTarget | WallClockStays | None = None,
    ) -> None:
        services = {name: url for name, url in urls.items() if name not in INFRASTRUCTURE}
        for link, service in stack.links.items():
            if service not in services:
                raise ScenarioError(f"links.{link}: {unknown('service', service, services)}")
        self._stack = stack
        self._urls = urls
        self._proxy = servers.proxy
        self._interceptor = servers.interceptor
        self._folder = subfolder(scratch, f"stack-{run_id}")
        self._run_id = run_id
        self._clock = clock
        processes = [process.name for process in stack.processes]
        self._ports = {name: free_port() for name in (*stack.links, *processes)}
        self._values = self._known_values(services, seed)
        self._environment = {name: expand(text, self._values) for name, text in stack.environment.items()}
        self._files = {name: self._files_target(name, patterns) for name, patterns in stack.files.items()}
        self._small_disks = small_disks
        self._recordings = recordings
        self._wall_clock = wall_clock or WallClockStays()
        self._key_provider: KeyFilesTarget | KeyLinkTarget | None = None
        self._links: dict[str, LinkTarget] = {}
        self._connections: dict[str, int] = {}
        self._made: list[Callable[[], None]] = []
        self._processes: dict[str, ManagedProcess] = {}

    def values(self) -> Mapping[str, str]:
        """Return what placeholders stand for: `<link>.url`, `<service>.port`, `run.id`, `python`, …."""
        return self._values

    def start(self) -> None:
        """Make the links and start the processes.

        Raises:
            OwnPartError: fault proxy or interceptor refuses a link.
            StackError: a process cannot be started.
            ScenarioError: a command or variable has an unknown placeholder.
        """
        try:
            self._mount_disks()
            for link in self._stack.links:
                self._make_link(link)
            for declared in self._stack.processes:
                process = ManagedProcess(self._spec(declared), self._run_id, self._clock)
                self._processes[declared.name] = process
                process.start()
        except BaseException as error:
            group.stop_after(error, self.stop)
            raise

    def wait_ready(self, timeout_seconds: float) -> None:
        """Return once all processes serve; raises StackError with the end of the culprit's log."""
        group.wait_all_ready(tuple(self._processes.values()), timeout_seconds, self._clock)

    def targets(self) -> Mapping[str, object]:
        """Return the links, processes and files by the names of the stack file."""
        processes = {
            name: ProcessTarget(name, process.spec.command, process, process.spec.ready.timeout_seconds)
            for name, process in self._processes.items()
        }
        own = {**self._links, **processes, **self._files, **self._key_targets()}
        return {**own, CLOCK: self._wall_clock}

    def usage(self) -> dict[str, float]:
        """Return what the stack's own processes and its folder take up; implements Measurable."""
        return {**processes_usage(self._processes), **folder_usage("stack", self._folder)}

    def traffic(self) -> list[Sample]:
        """Return what its links have carried so far; implements Carrying.

        Nothing where one of them cannot be looked into: what came another way nobody knows.
        """
        # No record goes over the way to a receiver of alerts.
        carrying = [link for name, link in self._links.items() if self._stack.links[name] not in RECEIVERS]
        links = [link for link in carrying if isinstance(link, HttpLinkTarget)]
        if len(links) < len(carrying):
            return []
        try:
            carried = {link.name: link.traffic() for link in links}
        except FaultError:
            return []
        now_ns = self._clock.now_ns()
        samples = [Sample(now_ns, f"{ANSWERS}.{name}", each.answers) for name, each in carried.items()]
        for name, each in carried.items():
            if each.connections > self._connections.get(name, 0):
                self._connections[name] = each.connections
                samples.append(Sample(each.connected_ns, f"{CONNECTIONS}.{name}", each.connections))
        samples += [Sample(now_ns, f"{OWN_CONNECTIONS}.{link.name}", link.own_connections) for link in links]
        return samples

    def exited(self) -> list[tuple[str, int]]:
        """Return (name, exit code) of processes that ended by themselves."""
        return group.ended(self._processes)

    def stop(self) -> None:
        """End the processes and delete the links; idempotent.

        Raises:
            StackError: something survives, or the fault proxy does not answer.
        """
        ends = [partial(process.terminate, _STOP_SECONDS) for process in reversed(self._processes.values())]
        # What is undone is forgotten, so that a second stop does nothing.
        deletes, self._made = self._made[::-1], []
        self._links.clear()
        group.do_all([*ends, *deletes])
        for port in self._ports.values():
            release_port(port)

    # --- inside ------------------------------------------------------------------------------------------

    def _known_values(self, services: Mapping[str, str], seed: int) -> dict[str, str]:
        values = {
            "run.id": self._run_id,
            # For names that may hold no hyphen, such as a part of a data stream's.
            "run.name": self._run_id.replace("-", "_"),
            "run.folder": str(self._folder),
            "run.seed": str(seed),
            "python": sys.executable,
            "cache.folder": str(cache_folder()),
            "stack.folder": str(
                Path(self._stack.source).resolve().parent if self._stack.source else current_folder()
            ),
        }
        for service, url in services.items():
            parts = urlsplit(url)
            values |= _address(service, parts.scheme, parts.hostname or LOOPBACK, parts.port or 80)
        for link, service in self._stack.links.items():
            values |= _address(link, urlsplit(services[service]).scheme, LOOPBACK, self._ports[link])
        for process in self._stack.processes:
            # A free port that is the process's own, should it want to listen; the same after a restart.
            values |= _address(process.name, "http", LOOPBACK, self._ports[process.name])
        return values

    def _mount_disks(self) -> None:
        disks = self._small_disks
        for name, size_mib in {} if disks is None else disks.sizes_mib.items():
            if disks is not None and name in self._files:
                self._files[name] = self._on_small_disk(self._files[name], size_mib, disks.notes)

    def _on_small_disk(self, files: FilesTarget, size_mib: int, notes: UndoNotes) -> FilesTarget:
        """Return the files as a target with a disk of their own; where there can be none it says why."""
        folders = folders_of(files.patterns)
        if len(folders) != 1 or folders == [PurePath()]:
            return FilesWithoutDisk(
                files,
                f"the files of {files.name} need a folder of their own below {{run.folder}}, on which a "
                "small disk can be mounted",
            )
        folder = files.folder / folders[0]
        step = f"disk.{files.name}"
        notes.before(step, undo_mount(folder))
        try:
            mount(folder, size_mib)
        except FaultError as error:
            notes.done(step)
            return FilesWithoutDisk(files, str(error))
        target = FillableFiles(files, folder)

        def take_away() -> None:
            target.empty()
            unmount_keeping(folder)
            notes.done(step)

        self._made.append(take_away)
        return target

    def _make_link(self, link: str) -> None:
        # Links of scenarios that run side by side share one proxy and one interceptor, hence the run id.
        name, port, service = f"{self._run_id}-{link}", self._ports[link], self._stack.links[link]
        upstream = urlsplit(self._urls[service]).netloc
        # A store of the user's own may speak TLS, which the interceptor cannot look into.
        is_intercepted = is_looked_into(service, self._urls[service])
        try:
            if is_intercepted:
                record = "" if self._recordings is None else str(self._recordings / link)
                upstream = self._interceptor.create(name, f"{LOOPBACK}:0", upstream, record)
                self._made.append(partial(self._interceptor.delete, name))
            self._proxy.create(name, f"{LOOPBACK}:{port}", upstream)
            self._made.append(partial(self._proxy.delete, name))
        except HarnessError as error:
            raise OwnPartError(f'link "{link}" to {upstream} cannot be made: {error}', error) from error
        self._links[link] = self._link_target(link, name, (LOOPBACK, port), is_intercepted)

    def _link_target(self, link: str, name: str, listen: tuple[str, int], is_intercepted: bool) -> LinkTarget:
        if not is_intercepted:
            return LinkTarget(link, self._urls[PROXY], name, listen, self._proxy)
        interceptor_url = self._urls[INTERCEPTOR]
        sequence_path = self._stack.fields.paths.get("sequence", "")
        return HttpLinkTarget(
            *(link, self._urls[PROXY], name, listen, self._proxy),
            *(interceptor_url, self._interceptor, sequence_path),
        )

    def _files_target(self, name: str, patterns: tuple[str, ...]) -> FilesTarget:
        relative = [expand(pattern.removeprefix(RUN_FOLDER), self._values) for pattern in patterns]
        return FilesTarget(name, self._folder, relative)

    def _key_targets(self) -> dict[str, object]:
        keys = self._stack.keys
        if keys is None:
            return {}
        rotate, status, revoke = (
            [expand(argument, self._values) for argument in command]
            for command in (keys.rotate, keys.status, keys.revoke)
        )
        environment = {**self._variables({}), **procfs.marks(self._run_id)}
        commands = KeyCommands(
            rotate, status, keys.version, str(self._folder), revoke, environment, keys.timeout_seconds
        )
        targets: dict[str, object] = {KEYS: keys_target(KEYS, commands)}
        # It remembers what was done to it, so it is the same one each time.
        self._key_provider = self._key_provider or self._key_provider_of(keys)
        return targets if self._key_provider is None else {**targets, KEY_PROVIDER: self._key_provider}

    def _key_provider_of(self, keys: Keys) -> KeyFilesTarget | KeyLinkTarget | None:
        if keys.provider_link in self._links:
            url = self._values[f"{keys.provider_link}.url"]
            return KeyLinkTarget(KEY_PROVIDER, self._links[keys.provider_link], url)
        if not keys.provider:
            return None
        relative = [expand(each.removeprefix(RUN_FOLDER), self._values) for each in keys.provider]
        return KeyFilesTarget(KEY_PROVIDER, self._folder, relative)

    def _spec(self, declared: StackProcess) -> ProcessSpec:
        ready = declared.ready
        return ProcessSpec(
            name=declared.name,
            command=tuple(expand(argument, self._values) for argument in declared.command),
            folder=self._folder,
            log=self._folder / f"{declared.name}.log",
            lifeline=True,
            environment=self._variables(declared.environment),
            ready=replace(ready, http=expand(ready.http, self._values)),
        )

    def _variables(self, declared: Mapping[str, str]) -> Mapping[str, str]:
        """Return the environment of one process, on top of the harness's own."""
        own = {name: expand(text, self._values) for name, text in declared.items()}
        return self._wall_clock.variables({**self._environment, **own})


def is_looked_into(service: str, url: str) -> bool:
    """Return whether requests to a service can be read on their way: it speaks HTTP, and not within TLS.

    Args:
        service: its name in the stack, from which its kind follows.
        url: where it really is, behind the link.
    """
    return service_kind(service) in SPEAK_HTTP and urlsplit(url).scheme == "http"


def _address(name: str, scheme: str, host: str, port: int) -> dict[str, str]:
    netloc = f"[{host}]:{port}" if ":" in host else f"{host}:{port}"
    return {f"{name}.url": f"{scheme}://{netloc}", f"{name}.host": host, f"{name}.port": str(port)}

"""Services as Docker containers, through testcontainers; what has no image runs as on the backend `local`.

Nothing of it is reachable from other machines: ports are published to 127.0.0.1, and Toxiproxy, which shares
the machine's network, binds it. The daemon must be one of this machine that shares its network and its
processes, as Docker Engine on Linux does.
"""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import ClassVar, TypeAlias

from harness.deployments import (
    alert_server_specs,
    container_images,
    container_specs,
    key_server_specs,
    server_specs,
)
from harness.deployments.alert_server_specs import SMTP, api_url
from harness.deployments.preflight import Check, Requirements
from harness.deployments.service_set import INTERCEPTOR, PROXY, Program, ServiceSet, ServiceTarget
from harness.model.declarations import Stack
from harness.model.errors import UnavailableError
from harness.model.protocols import Clock
from harness.processes import docker_daemon, group
from harness.processes.container import ContainerSpec, ManagedContainer
from harness.processes.ports import LOOPBACK
from harness.targets.container import ContainerTarget
from harness.targets.mail_server import MailContainerTarget

Recipe: TypeAlias = Callable[[str, Path, int, str], ContainerSpec]
"""(name, scratch folder, port, image) → how a service starts as a container."""

_PROGRAMS: dict[str, Program] = {
    INTERCEPTOR: server_specs.http_interceptor,
    "vault": key_server_specs.transit,
    "aws_kms": key_server_specs.local_kms,
    alert_server_specs.WEBHOOK_RECEIVER: alert_server_specs.webhook_receiver,
}
_RECIPES: dict[str, tuple[container_images.ImageKind, Recipe]] = {
    PROXY: (container_images.TOXIPROXY, container_specs.toxiproxy),
    "elasticsearch": (container_images.ELASTICSEARCH, container_specs.elasticsearch),
    SMTP: (container_images.MAILPIT, container_specs.mailpit),
}


def _daemon() -> Check:
    try:
        docker_daemon.require_shared_network()
        return Check("docker", f"version {docker_daemon.version()} at {docker_daemon.address()}")
    except UnavailableError as error:
        problem, _, remedy = str(error).removeprefix("docker: ").partition("; ")
        return Check("docker", problem, remedy)


class ContainerServices(ServiceSet):
    """Elasticsearch, Toxiproxy and Mailpit as containers, and our own programs as processes.

    Args:
        scratch: the run's folder.
        run_id: labels every container and marks every process, so that they are found if the harness dies.
        clock: by which starts and ends are waited for.
        stack: says which services it needs, and what it calls them.
    """

    # As on the backend local: the memory is taken whoever starts the servers.
    requirements: ClassVar[Requirements] = Requirements(memory_mib=1_200, more=(_daemon,))

    def __init__(self, scratch: Path, run_id: str, clock: Clock, stack: Stack) -> None:
        super().__init__(_PROGRAMS, scratch, run_id, clock, stack.needs, stack.aliases, others=_RECIPES)

    def _made(self, name: str, port: int) -> tuple[group.Member, ServiceTarget]:
        if name not in _RECIPES:
            return super()._made(name, port)
        kind, recipe = _RECIPES[name]
        spec = recipe(name, self._scratch, port, container_images.image_for(kind, self._clock))
        container = ManagedContainer(spec, self._run_id, self._clock)
        of = (name, container, container.ready_seconds)
        if name != SMTP:
            return container, ContainerTarget(*of)
        return container, MailContainerTarget(
            *of, address=(LOOPBACK, port), api_url=api_url(name, self._scratch)
        )

"""Services from the real servers installed on this machine (`logquake servers install`)."""

from __future__ import annotations

from pathlib import Path
from typing import ClassVar

from harness.deployments import alert_server_specs, key_server_specs, server_specs
from harness.deployments.installed import require
from harness.deployments.preflight import Requirements
from harness.deployments.service_set import INTERCEPTOR, PROXY, ServiceSet
from harness.model.declarations import Stack
from harness.model.protocols import Clock
from harness.processes.managed import ProcessSpec
from harness.processes.ports import free_port


def _toxiproxy(name: str, scratch: Path, port: int) -> ProcessSpec:
    return server_specs.toxiproxy(name, scratch, port, require("toxiproxy"))


def _elasticsearch(name: str, scratch: Path, port: int) -> ProcessSpec:
    return server_specs.elasticsearch(name, scratch, port, free_port(), require("elasticsearch"))


def mailpit(name: str, scratch: Path, port: int) -> ProcessSpec:
    """Return how Mailpit starts; raises UnavailableError where it is not installed."""
    return alert_server_specs.mailpit(name, scratch, port, require("mailpit"))


_PROGRAMS = {
    PROXY: _toxiproxy,
    INTERCEPTOR: server_specs.http_interceptor,
    "elasticsearch": _elasticsearch,
    "vault": key_server_specs.transit,
    "aws_kms": key_server_specs.local_kms,
    alert_server_specs.SMTP: mailpit,
    alert_server_specs.WEBHOOK_RECEIVER: alert_server_specs.webhook_receiver,
}


class LocalServices(ServiceSet):
    """A real single-node Elasticsearch and a real Toxiproxy on loopback ports, and our HTTP interceptor."""

    # Elasticsearch's heap of 512 MiB, what its JVM takes beside it, its launcher's JVM, our own processes.
    requirements: ClassVar[Requirements] = Requirements(memory_mib=1_200, other_user=True)

    def __init__(self, scratch: Path, run_id: str, clock: Clock, stack: Stack) -> None:
        super().__init__(_PROGRAMS, scratch, run_id, clock, stack.needs, stack.aliases)

"""Services from the real servers installed on this machine (`logquake servers install`)."""

from __future__ import annotations

from collections.abc import Mapping
from functools import partial
from pathlib import Path
from typing import ClassVar

from harness.deployments import alert_server_specs, key_server_specs, server_specs
from harness.deployments.installed import require
from harness.deployments.preflight import Requirements
from harness.deployments.service_set import INTERCEPTOR, PROXY, Program, ServiceSet
from harness.model.declarations import ELASTICSEARCH, Stack
from harness.model.protocols import Clock
from harness.processes.managed import ProcessSpec
from harness.processes.ports import free_port


def _toxiproxy(name: str, scratch: Path, port: int) -> ProcessSpec:
    return server_specs.toxiproxy(name, scratch, port, require("toxiproxy"))


def _node(transport_ports: Mapping[str, int], name: str, scratch: Path, port: int) -> ProcessSpec:
    return server_specs.elasticsearch(name, scratch, port, transport_ports, require(ELASTICSEARCH))


def mailpit(name: str, scratch: Path, port: int) -> ProcessSpec:
    """Return how Mailpit starts; raises UnavailableError where it is not installed.

    Args:
        name: of the process in this run; also of its folder in `scratch`.
        scratch: the run's folder.
        port: free on loopback; that of SMTP.
    """
    return alert_server_specs.mailpit(name, scratch, port, require("mailpit"))


_PROGRAMS: Mapping[str, Program] = {
    PROXY: _toxiproxy,
    INTERCEPTOR: server_specs.http_interceptor,
    "vault": key_server_specs.transit,
    "aws_kms": key_server_specs.local_kms,
    alert_server_specs.SMTP: mailpit,
    alert_server_specs.WEBHOOK_RECEIVER: alert_server_specs.webhook_receiver,
}


class LocalServices(ServiceSet):
    """Real Elasticsearch nodes and a real Toxiproxy on loopback ports, and our HTTP interceptor.

    Args:
        scratch: the run's folder.
        run_id: marks every process, so that it is found if the harness dies.
        clock: by which starts and ends are waited for.
        stack: says which services it needs, what it calls them, and how many nodes Elasticsearch has.
    """

    # Elasticsearch's heap of 512 MiB, what its JVM takes beside it, its launcher's JVM, our own processes.
    # Of several nodes each has a heap of 384 MiB.
    requirements: ClassVar[Requirements] = Requirements(
        memory_mib=1_200, other_user=True, memory_mib_of_node=800
    )

    def __init__(self, scratch: Path, run_id: str, clock: Clock, stack: Stack) -> None:
        nodes = stack.nodes or (ELASTICSEARCH,)
        node: Program = partial(_node, {name: free_port() for name in nodes})
        programs = {**_PROGRAMS, **dict.fromkeys(nodes, node)}
        super().__init__(programs, scratch, run_id, clock, stack.needs, stack.aliases)

"""Services from this distribution itself: they need neither Docker nor Java nor Go."""

from __future__ import annotations

from pathlib import Path

from harness.deployments import server_specs
from harness.deployments.services import PROXY, ServiceSet
from harness.protocols import Clock, Stack

_PROGRAMS = {PROXY: server_specs.embedded_proxy, "elasticsearch": server_specs.elastic_lite}


class EmbeddedServices(ServiceSet):
    """The embedded Elasticsearch and the embedded fault proxy, each a process of its own."""

    def __init__(self, scratch: Path, run_id: str, clock: Clock, stack: Stack) -> None:
        super().__init__(_PROGRAMS, scratch, run_id, clock, stack.needs)

"""Services from this distribution itself: they need neither Docker nor Java nor Go.

AWS KMS alone has no embedded stand-in: a stack that needs it needs local-kms (`make kms`) here too.
"""

from __future__ import annotations

from pathlib import Path

from harness.deployments import alert_server_specs, key_server_specs, server_specs
from harness.deployments.service_set import INTERCEPTOR, PROXY, ServiceSet
from harness.model.declarations import Stack
from harness.model.protocols import Clock

_PROGRAMS = {
    PROXY: server_specs.tcp_proxy,
    INTERCEPTOR: server_specs.http_interceptor,
    "elasticsearch": server_specs.elastic_lite,
    "vault": key_server_specs.transit_lite,
    "aws_kms": key_server_specs.local_kms,
    alert_server_specs.SMTP: alert_server_specs.smtp_lite,
    alert_server_specs.WEBHOOK_RECEIVER: alert_server_specs.webhook_receiver,
}


class EmbeddedServices(ServiceSet):
    """The embedded store and key server, the TCP fault proxy and the HTTP interceptor, each a process.

    Args:
        scratch: the run's folder.
        run_id: marks every process, so that it is found if the harness dies.
        clock: by which starts and ends are waited for.
        stack: says which services it needs, and what it calls them.
    """

    is_lightest = True

    def __init__(self, scratch: Path, run_id: str, clock: Clock, stack: Stack) -> None:
        super().__init__(_PROGRAMS, scratch, run_id, clock, stack.needs, stack.aliases)

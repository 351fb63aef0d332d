"""How each server is started as a container: its image's settings, its ports, and how it shows readiness."""

from __future__ import annotations

from pathlib import Path

from harness.deployments.alert_server_specs import tell_api_url
from harness.deployments.server_specs import HEAP_MIB
from harness.model.declarations import Ready
from harness.processes.container import ContainerSpec
from harness.processes.ports import LOOPBACK, free_port
from harness.processes.scratch import subfolder

_ELASTICSEARCH_PORT = 9200
_MAILPIT_SMTP_PORT, _MAILPIT_API_PORT = 1025, 8025


def elasticsearch(name: str, scratch: Path, port: int, image: str) -> ContainerSpec:
    """Return how a single Elasticsearch node starts; its data stays in the container over restarts.

    The image turns variables with a dot into settings, as the published one does. The disk watermarks are
    off, because they would turn every write into a 403 on a machine with a full disk.

    Args:
        name: of the service in this run.
        scratch: not used: the container keeps its data itself.
        port: free on loopback; the node's HTTP is published there.
        image: with its tag or digest.
    """
    environment = {
        "cluster.name": f"logquake-{port}",
        "node.name": "node-0",
        "discovery.type": "single-node",
        "xpack.security.enabled": "false",
        "cluster.routing.allocation.disk.threshold_enabled": "false",
        "ingest.geoip.downloader.enabled": "false",
        "ES_JAVA_OPTS": f"-Xms{HEAP_MIB}m -Xmx{HEAP_MIB}m",
    }
    health = f"http://{LOOPBACK}:{port}/_cluster/health?wait_for_status=yellow&timeout=1s"
    return ContainerSpec(
        name=name,
        image=image,
        ready=Ready(http=health, timeout_seconds=110.0),
        # The heap, as much again beside it at most, and the JVM that launches.
        memory_mib=3 * HEAP_MIB,
        ports={_ELASTICSEARCH_PORT: port},
        environment=environment,
    )


def toxiproxy(name: str, scratch: Path, port: int, image: str) -> ContainerSpec:
    """Return how Toxiproxy starts; `port` is that of its HTTP API.

    It shares the machine's network: links are made while it runs, on ports that nobody can publish before,
    and lead to the interceptor and to processes of this machine at 127.0.0.1. It binds loopback alone.

    Args:
        name: of the service in this run.
        scratch: not used: Toxiproxy keeps nothing on disk.
        port: free on loopback.
        image: with its tag or digest.
    """
    return ContainerSpec(
        name=name,
        image=image,
        ready=Ready(http=f"http://{LOOPBACK}:{port}/version"),
        memory_mib=256,
        arguments=("-host", LOOPBACK, "-port", str(port)),
        environment={"LOG_LEVEL": "info"},
        shares_network=True,
    )


def mailpit(name: str, scratch: Path, port: int, image: str) -> ContainerSpec:
    """Return how Mailpit starts; what came stays in the container over restarts.

    Args:
        name: of the process in this run; also of its folder in `scratch`.
        scratch: the run's folder, where the address of Mailpit's API is written for `api_url`.
        port: free on loopback; SMTP is published there, the API at a free one beside it.
        image: with its tag or digest.
    """
    api_port = free_port()
    url = tell_api_url(subfolder(scratch, name), api_port)
    return ContainerSpec(
        name=name,
        image=image,
        ready=Ready(http=f"{url}/readyz"),
        memory_mib=256,
        ports={_MAILPIT_SMTP_PORT: port, _MAILPIT_API_PORT: api_port},
        environment={
            "MP_DATABASE": "/tmp/messages.db",  # noqa: S108 - in the container, where nobody else is
            "MP_MAX_MESSAGES": "0",
            "MP_ENABLE_CHAOS": "true",
            "MP_DISABLE_VERSION_CHECK": "true",
        },
    )

"""How each server program is started: its command, its folders, its settings, and how it shows readiness."""

from __future__ import annotations

import json
import os
import shutil
import sys
from collections.abc import Mapping
from pathlib import Path

import harness
from harness.deployments.installed import InstalledServer
from harness.model.declarations import Ready
from harness.processes.managed import ProcessSpec
from harness.processes.ports import LOOPBACK
from harness.processes.scratch import give, require_reachable, server_user, subfolder

NICENESS = 5
"""Services yield to the application under load, whose latency is what a run measures."""
HEAP_MIB = 512
"""The heap of a run's own Elasticsearch, in MiB."""
_HEAP_MIB_OF_SEVERAL = 384
_READY_SECONDS = 90.0
_READY_SECONDS_OF_SEVERAL = 280.0
# Options of the shipped jvm.options that write into the installed copy.
_WRITES_INTO_HOME = ("-XX:HeapDumpPath", "-XX:+HeapDumpOnOutOfMemoryError", "-XX:ErrorFile", "-Xlog:gc")


def elastic_lite(name: str, scratch: Path, port: int) -> ProcessSpec:
    """Return how the embedded Elasticsearch starts; its data stays in the scratch folder over restarts.

    Args:
        name: of the process in this run; also of its folder in `scratch`.
        scratch: the run's folder.
        port: free on loopback.
    """
    folder = subfolder(scratch, name)
    command = ("harness.programs.elastic_lite", "--port", str(port), "--data", str(folder / "data"))
    ready = Ready(http=f"http://{LOOPBACK}:{port}/_cluster/health")
    return own_program(name, folder, command, ready)


def tcp_proxy(name: str, scratch: Path, port: int) -> ProcessSpec:
    """Return how the TCP fault proxy starts; `port` is that of its HTTP API.

    Args:
        name: of the process in this run; also of its folder in `scratch`.
        scratch: the run's folder.
        port: free on loopback.
    """
    folder = subfolder(scratch, name)
    ready = Ready(http=f"http://{LOOPBACK}:{port}/version")
    return own_program(name, folder, ("harness.programs.tcp_proxy", "--port", str(port)), ready)


def http_interceptor(name: str, scratch: Path, port: int) -> ProcessSpec:
    """Return how the HTTP interceptor starts; `port` is that of its control API.

    Args:
        name: of the process in this run; also of its folder in `scratch`.
        scratch: the run's folder.
        port: free on loopback.
    """
    folder = subfolder(scratch, name)
    ready = Ready(http=f"http://{LOOPBACK}:{port}/version")
    return own_program(name, folder, ("harness.programs.http_interceptor", "--port", str(port)), ready)


def own_program(
    name: str,
    folder: Path,
    module: tuple[str, ...],
    ready: Ready,
    environment: Mapping[str, str] | None = None,
) -> ProcessSpec:
    """Return how one of `harness.programs` starts: its module and arguments, with these variables set.

    Args:
        name: of the service in this run.
        folder: its own, which exists; its output goes to `output.log` there.
        module: the module's dotted path, then its arguments; `--lifeline` is added, so that it ends with us.
        ready: how it shows that it serves.
        environment: variables beside those that the harness passes on; None = none.
    """
    root = str(Path(harness.__file__).parent.parent)
    path = os.pathsep.join(filter(None, (root, os.environ.get("PYTHONPATH", ""))))
    return ProcessSpec(
        name=name,
        command=(sys.executable, "-P", "-m", *module, "--lifeline"),
        folder=folder,
        log=folder / "output.log",
        environment={"PYTHONPATH": path, **(environment or {})},
        lifeline=True,
        ready=ready,
        niceness=NICENESS,
    )


def toxiproxy(name: str, scratch: Path, port: int, installed: InstalledServer) -> ProcessSpec:
    """Return how the real Toxiproxy starts; `port` is that of its HTTP API.

    Args:
        name: of the process in this run; also of its folder in `scratch`.
        scratch: the run's folder.
        port: free on loopback.
        installed: where Toxiproxy's program lies on this machine.
    """
    user = server_user()
    folder = subfolder(scratch, name, user)
    _require_program_reachable(installed, user)
    return ProcessSpec(
        name=name,
        command=(str(installed.path), "-host", LOOPBACK, "-port", str(port)),
        folder=folder,
        log=folder / "output.log",
        environment={"LOG_LEVEL": "info"},
        user=user,
        ready=Ready(http=f"http://{LOOPBACK}:{port}/version"),
        niceness=NICENESS,
    )


def elasticsearch(
    name: str, scratch: Path, port: int, transport_ports: Mapping[str, int], installed: InstalledServer
) -> ProcessSpec:
    """Return how a real Elasticsearch node starts, after writing its settings.

    `transport_ports` has the port of each node of its cluster, this one's among them, by name. A node that is
    ready has joined the others. All it writes goes to the scratch folder, so the installed copy can be shared
    and read-only. The disk watermarks are off, because they would turn every write into a 403 on a machine
    with a full disk.
    """
    user = server_user()
    folder = subfolder(scratch, name, user)
    _require_program_reachable(installed, user)
    config, pid_file = folder / "config", folder / "elasticsearch.pid"
    # Several that start at once would wait for their compilers, and they serve for a few minutes alone.
    compiling = "" if len(transport_ports) == 1 else " -XX:TieredStopAtLevel=1"
    heap_mib = HEAP_MIB if len(transport_ports) == 1 else _HEAP_MIB_OF_SEVERAL
    _write_settings(name, folder, installed, port, transport_ports)
    if user is not None:
        give(folder, user)
    # UsePerfData would leave a folder of each JVM in the temporary folder of the machine.
    environment = {
        "ES_PATH_CONF": str(config),
        "ES_JAVA_HOME": str(installed.java_home),
        "ES_JAVA_OPTS": f"-Xms{heap_mib}m -Xmx{heap_mib}m -XX:-UsePerfData{compiling}",
        "CLI_JAVA_OPTS": "-XX:-UsePerfData",
        "ES_TMPDIR": str(folder / "tmp"),
        "LIBFFI_TMPDIR": str(folder / "tmp"),
        "HOME": str(folder),
    }
    return ProcessSpec(
        name=name,
        command=(str(installed.path), "-p", str(pid_file)),
        folder=folder,
        log=folder / "output.log",
        environment=environment,
        user=user,
        ready=Ready(
            http=f"http://{LOOPBACK}:{port}/_cluster/health?wait_for_status=yellow&timeout=1s",
            timeout_seconds=_READY_SECONDS if len(transport_ports) == 1 else _READY_SECONDS_OF_SEVERAL,
        ),
        niceness=NICENESS,
        pid_file=pid_file,
        orderly_stop_text="] stopping ...",
    )


def _require_program_reachable(installed: InstalledServer, user: int | None) -> None:
    if user is not None:
        require_reachable(installed.path.parent)


def _discovery(transport_ports: Mapping[str, int]) -> dict[str, str]:
    """Return how a node finds the others of its cluster; where it is alone, it looks for none."""
    if len(transport_ports) == 1:
        return {"discovery.type": "single-node"}
    # https://www.elastic.co/guide/en/elasticsearch/reference/8.19/discovery-settings.html
    return {
        "discovery.seed_hosts": ",".join(f"{LOOPBACK}:{port}" for port in transport_ports.values()),
        "cluster.initial_master_nodes": ",".join(transport_ports),
    }


def _write_settings(
    name: str, folder: Path, installed: InstalledServer, port: int, transport_ports: Mapping[str, int]
) -> None:
    config = folder / "config"
    shutil.copytree(installed.folder / "config", config, dirs_exist_ok=True)
    for made in ("data", "logs", "tmp"):
        (folder / made).mkdir(mode=0o700, exist_ok=True)
    settings = {
        "cluster.name": f"logquake-{min(transport_ports.values())}",
        "node.name": name,
        "path.data": folder / "data",
        "path.logs": folder / "logs",
        "network.host": LOOPBACK,
        "http.port": port,
        "transport.port": transport_ports[name],
        **_discovery(transport_ports),
        "xpack.security.enabled": "false",
        "cluster.routing.allocation.disk.threshold_enabled": "false",
    }
    if (installed.folder / "modules" / "ingest-geoip").is_dir():
        settings["ingest.geoip.downloader.enabled"] = "false"
    # A JSON string is a YAML string, whatever characters the path of the temporary folder has.
    lines = [f"{name}: {json.dumps(str(value))}" for name, value in settings.items()]
    (config / "elasticsearch.yml").write_text("\n".join(lines) + "\n")
    shipped = (installed.folder / "config" / "jvm.options").read_text().splitlines()
    kept = [line for line in shipped if not any(option in line for option in _WRITES_INTO_HOME)]
    kept.append(f"-XX:ErrorFile={folder / 'logs' / 'hs_err_pid%p.log'}")
    (config / "jvm.options").write_text("\n".join(kept) + "\n")

"""What tests of containers need: images of a daemon that answers, and a Compose file as Compose reads it."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import pytest
import yaml

from harness.deployments.container_images import IMAGES
from harness.deployments.installed import cache_folder
from harness.model.errors import UnavailableError
from harness.processes import docker_daemon

_COMPOSE = "compose-2.40.3"


def image(server: str) -> str:
    """Return an image of a server that the daemon has; skips where there is none, or no daemon."""
    kind = IMAGES[server]
    try:
        for name in filter(None, (os.environ.get(kind.variable), kind.published, kind.made_here)):
            if docker_daemon.has_image(name):
                return name
    except UnavailableError as error:
        pytest.skip(f"no containers here: {error}")
    pytest.skip(f"Docker has no image of {server}; `logquake servers images {server}` makes one")


def compose() -> tuple[str, ...] | None:
    """Return the command of Docker Compose, the plugin or the one in the cache folder; None without it."""
    for command in (("docker", "compose"), (str(cache_folder() / _COMPOSE / "docker-compose"),)):
        if shutil.which(command[0]) is None and not Path(command[0]).is_file():
            continue
        found = subprocess.run([*command, "version"], capture_output=True, check=False, timeout=30)
        if found.returncode == 0:
            return command
    return None


def rendered(file: Path, *profiles: str) -> Mapping[str, Any]:
    """Return a Compose file as Compose renders it; without Compose, the YAML with its anchors resolved."""
    command = compose()
    if command is None:
        return dict(yaml.safe_load(file.read_text()))
    words = [word for profile in profiles for word in ("--profile", profile)]
    done = subprocess.run(
        [*command, "--file", str(file), "--env-file", os.devnull, *words, "config", "--format", "json"],
        capture_output=True,
        text=True,
        check=True,
        timeout=60,
    )
    return dict(json.loads(done.stdout))


def published(service: Mapping[str, Any]) -> Iterator[tuple[str, str]]:
    """Yield (address of this machine, its port) of each port of a service; "" where it is any address."""
    for port in service.get("ports", ()):
        if isinstance(port, str):
            address, _, rest = port.rpartition(":")[0].rpartition(":")
            yield address, rest
        else:
            yield str(port.get("host_ip", "")), str(port["published"])

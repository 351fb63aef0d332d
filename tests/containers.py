"""Whether tests can start containers here: a daemon that answers, and images that are there already."""

from __future__ import annotations

import os
import shutil
import subprocess
from pathlib import Path

import pytest

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

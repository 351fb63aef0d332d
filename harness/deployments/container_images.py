"""Which images the backend `containers` starts its services from, and how they are had.

The environment's word counts first. Otherwise an image that the daemon already has: the published one, or one
that `logquake servers images` made on this machine. Only then is the published one pulled.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Mapping
from dataclasses import dataclass

from harness.deployments.installed import MAIL_SERVERS, SERVERS
from harness.model.errors import UnavailableError
from harness.model.protocols import Clock
from harness.processes import docker_daemon

PULL_SECONDS_MAX = 600.0
HOW_TO_MAKE = "logquake servers images"


@dataclass(frozen=True, slots=True)
class ImageKind:
    """An image of a server.

    Attributes:
        server: its name in `installed`.
        variable: the environment variable that names another image.
        published: the maker's own image; empty where the maker publishes none under a plain name.
        made_here: the image that is made on this machine. It names no owner, so that no registry serves
            somebody else's under it.
    """

    server: str
    variable: str
    published: str
    made_here: str


def _kind(server: str, version: str, published: str = "") -> ImageKind:
    return ImageKind(server, f"LOGQUAKE_IMAGE_{server.upper()}", published, f"logquake-{server}:{version}")


ELASTICSEARCH = _kind(
    "elasticsearch",
    SERVERS["elasticsearch"].version,
    f"elasticsearch:{SERVERS['elasticsearch'].version}",
)
TOXIPROXY = _kind("toxiproxy", SERVERS["toxiproxy"].version)
MAILPIT = _kind(
    "mailpit", MAIL_SERVERS["mailpit"].version, f"axllent/mailpit:v{MAIL_SERVERS['mailpit'].version}"
)

IMAGES: Mapping[str, ImageKind] = {kind.server: kind for kind in (ELASTICSEARCH, TOXIPROXY, MAILPIT)}


def image_for(
    kind: ImageKind,
    clock: Clock,
    has_image: Callable[[str], bool] = docker_daemon.has_image,
    pull: Callable[[str, float, Clock], None] = docker_daemon.pull,
) -> str:
    """Return the image of a server, which the daemon has by then.

    Args:
        kind: which server.
        clock: for the wait until it is fetched, at most ten minutes.
        has_image: tells whether the daemon has one.
        pull: fetches one.

    Raises:
        UnavailableError: it cannot be had; with what to do.
    """
    chosen = os.environ.get(kind.variable, "")
    wanted = (chosen,) if chosen else tuple(filter(None, (kind.published, kind.made_here)))
    for name in wanted:
        if has_image(name):
            return name
    to_pull = chosen or kind.published
    if not to_pull:
        raise UnavailableError(f"{kind.server}: {_remedy(kind, f'Docker has no image {kind.made_here}')}")
    try:
        pull(to_pull, PULL_SECONDS_MAX, clock)
    except UnavailableError as error:
        raise UnavailableError(f"{kind.server}: {_remedy(kind, str(error))}") from error
    return to_pull


def _remedy(kind: ImageKind, problem: str) -> str:
    return (
        f"{problem}; make it on this machine with `{HOW_TO_MAKE}`, or name an image that is there in "
        f"{kind.variable}"
    )

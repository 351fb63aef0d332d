"""The Docker daemon of this machine: reached through its socket alone, asked in bounded calls.

Whatever a harness starts there carries its run and its harness as labels, so that what a dead one left can be
found and removed without a container that watches (as testcontainers' Ryuk would).
"""

from __future__ import annotations

import importlib
import importlib.util
import os
import socket
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import urllib3

from harness.model.errors import StackError, UnavailableError
from harness.model.nanoseconds import SECOND_NS
from harness.model.protocols import Clock
from harness.processes import procfs

RUN_LABEL = "logquake.run"
HARNESS_LABEL = "logquake.harness"
SERVICE_LABEL = "logquake.service"

CALL_SECONDS = 30.0
"""How long one answer of the daemon is waited for, in seconds."""

_DEFAULT_ADDRESS = "unix:///var/run/docker.sock"
_PACKAGES = ("docker", "testcontainers")
_NOT_FOUND = 404


@dataclass(frozen=True, slots=True)
class LabelledContainer:
    """A container that some harness started: whose it is, and since when it is there (seconds since 1970)."""

    id: str
    service: str
    image: str
    run_id: str
    harness: str
    created_seconds: float


def labels(run_id: str, service: str) -> dict[str, str]:
    """Return the labels of the container that is called `service` in the run `run_id`."""
    return {RUN_LABEL: run_id, HARNESS_LABEL: procfs.mark(os.getpid()), SERVICE_LABEL: service}


def address() -> str:
    """Return where the daemon of this machine answers, as `unix://PATH`.

    Raises:
        UnavailableError: `DOCKER_HOST` names another machine, where containers would be out of reach of the
            loopback addresses that load and faults are bound to.
    """
    named = os.environ.get("DOCKER_HOST") or _DEFAULT_ADDRESS
    if not named.startswith("unix://"):
        raise UnavailableError(
            f"docker: DOCKER_HOST={named} is no socket of this machine; logquake starts containers on this "
            "machine alone: unset it, or name a socket (unix:///var/run/docker.sock)"
        )
    return named


def looks_present() -> bool:
    """Tell, without asking anybody, whether containers could have been started from here."""
    if any(importlib.util.find_spec(name) is None for name in _PACKAGES):
        return False
    try:
        path = Path(address().removeprefix("unix://"))
        return path.is_socket() and os.access(path, os.W_OK)
    except (UnavailableError, OSError):
        return False


@contextmanager
def connected(timeout_seconds: float = CALL_SECONDS) -> Iterator[Any]:
    """Have a client of the daemon (`docker.APIClient`), each of whose answers is waited for so long.

    Args:
        timeout_seconds: bound of each call, not of all together.

    Yields:
        The client; it is closed in the end.

    Raises:
        UnavailableError: the package is not installed, or the daemon does not answer.
    """
    with answering():
        _require_listening(timeout_seconds)
        client = package("docker").APIClient(base_url=address(), version="auto", timeout=timeout_seconds)
        try:
            yield client
        finally:
            client.close()


def _require_listening(timeout_seconds: float) -> None:
    """Raise OSError where nobody takes connections; the client itself would leave its socket open there."""
    with socket.socket(socket.AF_UNIX) as probe:
        probe.settimeout(timeout_seconds)
        probe.connect(address().removeprefix("unix://"))


@contextmanager
def answering() -> Iterator[None]:
    """Turn what the client raises into an UnavailableError that says what to do."""
    errors = package("docker.errors")
    try:
        yield
    except errors.APIError as error:
        raise UnavailableError(f"docker: the daemon at {address()} refuses: {reason(error)}") from error
    except (errors.DockerException, urllib3.exceptions.HTTPError, OSError) as error:
        raise UnavailableError(
            f"docker: the daemon at {address()} does not answer: {reason(error)}; start it (`systemctl start "
            "docker`, or as root `dockerd`), let this user write to its socket, or use --backend local"
        ) from error


@contextmanager
def doing(what: str) -> Iterator[None]:
    """Turn what the client raises into a StackError that says what was to be done."""
    errors = package("docker.errors")
    try:
        yield
    except (errors.DockerException, urllib3.exceptions.HTTPError, OSError) as error:
        raise StackError(f"{what}: docker does not do it: {reason(error)}") from error


def reason(error: BaseException) -> str:
    """Return what the daemon said of an error, as one line of at most 300 characters."""
    return " ".join(str(getattr(error, "explanation", None) or error).split())[:300]


def package(name: str) -> Any:
    """Return a module of the extra `containers`; raises UnavailableError where it is not installed.

    Args:
        name: the module's dotted path.
    """
    try:
        return importlib.import_module(name)
    except ImportError as error:
        raise UnavailableError(
            f"docker: the Python package {(error.name or name).partition('.')[0]} is not installed; "
            "pip install 'logquake[containers]'"
        ) from error


def version() -> str:
    """Return the daemon's version; raises UnavailableError where it does not answer."""
    with connected() as client:
        return str(client.version()["Version"])


def another_network(info: Mapping[str, Any]) -> str:
    """Say why containers of a daemon do not share this machine's network; empty where they can.

    Args:
        info: what the daemon says of itself (`GET /info`).
    """
    if "Docker Desktop" in str(info.get("OperatingSystem", "")):
        return "it is Docker Desktop's, whose containers have the network of a virtual machine"
    if any("rootless" in option for option in info.get("SecurityOptions") or ()):
        return "it is rootless, and its containers have a network of their own"
    return ""


def require_shared_network() -> None:
    """Refuse a daemon whose containers cannot have this machine's network.

    Raises:
        UnavailableError: they cannot, or the daemon does not answer.
    """
    with connected() as client:
        problem = another_network(client.info())
    if problem:
        raise UnavailableError(
            f"docker: the daemon at {address()} does not suffice: {problem}; use Docker Engine on Linux, "
            "started by root, or --backend local"
        )


# --- images ----------------------------------------------------------------------------------------------


def has_image(name: str) -> bool:
    """Tell whether the daemon has an image already; raises UnavailableError.

    Args:
        name: with its tag or digest.
    """
    with connected() as client:
        try:
            client.inspect_image(name)
        except package("docker.errors").ImageNotFound:
            return False
    return True


def pull(name: str, timeout_seconds: float, clock: Clock) -> None:
    """Let the daemon fetch an image.

    Args:
        name: with its tag or digest.
        timeout_seconds: looked at as often as the daemon tells of its progress.
        clock: by which it is looked at.

    Raises:
        UnavailableError: it cannot, or not within `timeout_seconds`.
    """
    until_ns = clock.now_ns() + round(timeout_seconds * SECOND_NS)
    with connected() as client:
        for told in client.pull(name, stream=True, decode=True):
            if "error" in told:
                raise UnavailableError(f"docker: {name} cannot be had: {str(told['error'])[:300]}")
            if clock.now_ns() >= until_ns:
                raise UnavailableError(f"docker: {name} was not fetched within {timeout_seconds:g} s")


# --- what harnesses left -----------------------------------------------------------------------------------


def labelled() -> list[LabelledContainer]:
    """Return every container that some harness started, whether it runs or not; raises UnavailableError."""
    with connected() as client:
        found = client.containers(all=True, filters={"label": RUN_LABEL})
    return [
        LabelledContainer(
            id=one["Id"],
            service=one["Labels"].get(SERVICE_LABEL, ""),
            image=one["Image"],
            run_id=one["Labels"][RUN_LABEL],
            harness=one["Labels"].get(HARNESS_LABEL, ""),
            created_seconds=float(one["Created"]),
        )
        for one in found
    ]


def remove(container_id: str) -> None:
    """Remove a container with its data, killing it where it runs; harmless where it is gone.

    Args:
        container_id: as the daemon gave it.

    Raises:
        UnavailableError: the daemon does not do it.
    """
    errors = package("docker.errors")
    with connected() as client:
        try:
            client.remove_container(container_id, v=True, force=True)
        except errors.NotFound:
            return
        except errors.APIError as error:
            # Another healer is removing it.
            if "already in progress" not in reason(error):
                raise


def resume(container_id: str) -> bool:
    """Let a frozen container go on; tell whether it was frozen. Raises UnavailableError.

    Args:
        container_id: as the daemon gave it; of one that is gone the answer is no.
    """
    with connected() as client:
        try:
            if not client.inspect_container(container_id)["State"]["Paused"]:
                return False
        except package("docker.errors").NotFound:
            return False
        client.unpause(container_id)
    return True

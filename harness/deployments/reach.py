"""What a stack file lets a run reach beyond this machine: nothing but what `may_hurt` names exactly.

Judged after placeholders are filled in, from the files alone: no name is looked up and nothing is connected
to, so that a refusal comes before the first packet. A loopback address, a socket and an absolute path are on
this machine. A name that leads to it is refused, but for `localhost`: it may lead elsewhere tomorrow.
"""

from __future__ import annotations

import ipaddress
import re
from collections.abc import Iterator, Mapping, Sequence
from urllib.parse import unquote, urlsplit

from harness.deployments.placeholders import expand, placeholder_names
from harness.model.declarations import Stack

_URL = re.compile(r"[A-Za-z][A-Za-z0-9+.-]*://[^\s\"'<>,]+")
_OWN = "http://127.0.0.1:1"
"""Stands for what the run starts itself: its ports are not known yet, but they are on this machine."""
_SOCKET_SCHEMES = frozenset({"unix", "unixgram", "unixpacket", "file"})
# Arguments by which handlers name a host without a URL, as those of logging.handlers do.
_HOST_ARGUMENTS = frozenset({"host", "address", "hostname", "mailhost"})


def refusal(address: str, may_hurt: Sequence[str]) -> str | None:
    """Say why an address must not be sent load or hurt; None where it may.

    Args:
        address: a URL, or `host` or `host:port`.
        may_hurt: what the stack file names, as `host` or `host:port`.
    """
    host, port = _parts(address)
    if _is_path(address, host) or _is_loopback(host):
        return None
    named = {entry.strip().lower() for entry in may_hurt}
    whole = f"[{host}]" if ":" in host else host
    if {host, whole, f"{whole}:{port}"} & named:
        return None
    entry = whole if port is None else f"{whole}:{port}"
    return (
        f'"{address}" is beyond this machine. Load and faults go there only where the stack file says '
        f'so: may_hurt: ["{entry}"]'
    )


def refusals(stack: Stack, services: Mapping[str, str]) -> list[str]:
    """Return one sentence for each address beyond this machine that the intake or a process is given.

    Args:
        stack: what its stack file declares.
        services: URLs of services that run already; all others are started by the run, on this machine.
    """
    return [
        f"{stack.source}: {where}: {problem}"
        for where, address in _addresses(stack, services)
        if (problem := refusal(address, stack.may_hurt)) is not None
    ]


def _addresses(stack: Stack, services: Mapping[str, str]) -> Iterator[tuple[str, str]]:
    """Yield what the intake and the processes are given, each place with an address in it."""
    values = _values(stack, services)
    for name, value in stack.intake.arguments.items():
        if isinstance(value, str):
            text = expand(value, values)
            is_host = name.lower() in _HOST_ARGUMENTS and "://" not in text
            addresses = (text,) if is_host else _found(value, text, services)
            yield from ((f"intake.{name}", address) for address in addresses)
    for process in stack.processes:
        for value in (*process.command, *process.environment.values()):
            text = expand(value, values)
            yield from ((f"processes.{process.name}", address) for address in _found(value, text, services))


def _found(written: str, text: str, services: Mapping[str, str]) -> dict[str, None]:
    """Return the URLs in a text, and those of running services whose host stands in it by a placeholder."""
    named = {name.partition(".")[0] for name in placeholder_names(written)}
    hosts = {_parts(url)[0] for url in _URL.findall(text)}
    handed = (url for name, url in services.items() if name in named and _parts(url)[0] not in hosts)
    return dict.fromkeys((*_URL.findall(text), *handed))


def _values(stack: Stack, services: Mapping[str, str]) -> dict[str, str]:
    """Return what placeholders stand for, as far as it decides on which machine an address is."""
    own = dict.fromkeys((*stack.needs, *stack.links, *(each.name for each in stack.processes)), _OWN)
    values = dict.fromkeys(("run.id", "run.name", "run.seed"), "1")
    values |= dict.fromkeys(("run.folder", "python", "stack.folder", "cache.folder"), "/run")
    for name, url in {**own, **{each: services[each] for each in stack.needs if each in services}}.items():
        host, port = _parts(url)
        values |= {f"{name}.url": url, f"{name}.host": host, f"{name}.port": str(port or 80)}
    return values


def _is_path(address: str, host: str) -> bool:
    """Say whether an address is a socket or a file of this machine: an absolute path, or a URL of one."""
    if address.startswith(("/", "\0")) or unquote(host).startswith("/"):
        return True
    scheme, colon, rest = address.partition(":")
    if not colon or scheme.lower() not in _SOCKET_SCHEMES:
        return False
    # `file://store.example/x` names another machine's file.
    return not rest.startswith("//") or rest.startswith(("///", "//localhost/"))


def _parts(address: str) -> tuple[str, int | None]:
    """Return host (lower case, no brackets) and port of an address; an unreadable one stays as it is."""
    try:
        parts = urlsplit(address if "://" in address else f"//{address}")
        host = (parts.hostname or address).lower()
    except ValueError:
        return address.lower(), None
    try:
        return host, parts.port
    except ValueError:
        return host, None


def _is_loopback(host: str) -> bool:
    if host == "localhost":
        return True
    try:
        address = ipaddress.ip_address(host)
    except ValueError:
        return False
    mapped = getattr(address, "ipv4_mapped", None)
    return bool((mapped or address).is_loopback)

"""What a stack file lets a run reach beyond this machine: nothing but what `may_hurt` names exactly.

Judged from the files alone: no name is looked up and nothing is connected to, so that a refusal comes before
the first packet. A name that leads to this machine is refused too, but for `localhost`: it may lead elsewhere
tomorrow.
"""

from __future__ import annotations

import ipaddress
import re
from collections.abc import Iterator, Sequence
from urllib.parse import urlsplit

from harness.model.declarations import Stack

_URL = re.compile(r"[A-Za-z][A-Za-z0-9+.-]*://[^\s\"'<>,]+")
_OWN_HOST = re.compile(r"\{[^{}]+\.host\}\Z")
# Arguments by which handlers name a host without a URL, as those of logging.handlers do.
_HOST_ARGUMENTS = frozenset({"host", "address", "hostname", "mailhost"})


def refusal(address: str, may_hurt: Sequence[str]) -> str | None:
    """Say why an address must not be sent load or hurt; None where it may.

    Args:
        address: a URL, or `host` or `host:port`.
        may_hurt: what the stack file names, as `host` or `host:port`.
    """
    host, port = _parts(address)
    if _is_loopback(host) or _OWN_HOST.match(host):
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


def refusals(stack: Stack) -> list[str]:
    """Return one sentence for each address beyond this machine that the intake or a process is given."""
    return [
        f"{stack.source}: {where}: {problem}"
        for where, address in _addresses(stack)
        if (problem := refusal(address, stack.may_hurt)) is not None
    ]


def _addresses(stack: Stack) -> Iterator[tuple[str, str]]:
    for name, value in stack.intake.arguments.items():
        if isinstance(value, str):
            yield from ((f"intake.{name}", url) for url in _URL.findall(value))
            if name.lower() in _HOST_ARGUMENTS and "://" not in value:
                yield f"intake.{name}", value
    for process in stack.processes:
        for text in (*process.command, *process.environment.values()):
            yield from ((f"processes.{process.name}", url) for url in _URL.findall(text))


def _parts(address: str) -> tuple[str, int | None]:
    """Return host (lower case, no brackets) and port of an address; an unreadable one stays as it is."""
    try:
        parts = urlsplit(address if "://" in address else f"//{address}")
        return (parts.hostname or address).lower(), parts.port
    except ValueError:
        return address.lower(), None


def _is_loopback(host: str) -> bool:
    if host == "localhost":
        return True
    try:
        address = ipaddress.ip_address(host)
    except ValueError:
        return False
    mapped = getattr(address, "ipv4_mapped", None)
    return bool((mapped or address).is_loopback)

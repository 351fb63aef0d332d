"""Names and addresses that the API accepts."""

from __future__ import annotations

import ipaddress

from harness.programs.tcp_proxy.errors import ApiError, bad_request

NAME_LENGTH_MAX = 255


def checked_name(name: str) -> str:
    """A name that can later be addressed in a URL, unchanged.

    Toxiproxy accepts a name with a slash, which no later request can then reach or delete.

    Raises:
        ApiError: the name could never be addressed (400).
    """
    if "/" in name or name in {".", ".."} or len(name) > NAME_LENGTH_MAX:
        raise bad_request(
            f"name {name[:40]!r} could never be deleted: no slash, no dots alone, at most 255 characters"
        )
    return name


def split_address(address: str) -> tuple[str, int]:
    """Host and port of `host:port` or `[v6]:port`; an empty host is 127.0.0.1.

    Raises:
        ApiError: there is no port, or it is no number below 65536 (500, as Go's resolver has it).
    """
    host, colon, port = address.rpartition(":")
    if not colon or port.endswith("]"):
        raise ApiError(500, f"address {address}: missing port in address")
    if not (port.isascii() and port.isdigit() and int(port) < 65536):
        raise ApiError(500, f"address {address}: invalid port")
    return host.removeprefix("[").removesuffix("]") or "127.0.0.1", int(port)


def join_address(host: str, port: int) -> str:
    """The pair in Go's notation: IPv6 hosts in brackets."""
    return f"[{host}]:{port}" if ":" in host else f"{host}:{port}"


def loopback_address(address: str) -> tuple[str, int]:
    """Host and port to listen on, `localhost` resolved to 127.0.0.1; an empty address is any free port.

    Raises:
        ApiError: not an address (500), or not a loopback one (400): whoever reaches a listener
            reaches its upstream.
    """
    host, port = split_address(address or ":0")
    if host == "localhost":
        return "127.0.0.1", port
    try:
        is_loopback = ipaddress.ip_address(host).is_loopback
    except ValueError:
        is_loopback = False
    if not is_loopback:
        raise ApiError(
            400, f"listen {address}: this proxy listens on loopback addresses only, such as 127.0.0.1:0"
        )
    return host, port

"""A link of the stack as a target: toxics on it through the fault proxy, and a probe that needs no proxy."""

from __future__ import annotations

import socket
import time
from typing import Protocol

from harness.model.declarations import Arguments
from harness.model.errors import FaultError, HarnessError
from harness.model.protocols import Undo
from harness.targets.capabilities import Outcome, Probe
from harness.targets.toxiproxy_client import Toxic

_ANSWER_BYTES = 1024


class ToxicServer(Protocol):
    """What this target needs of the fault proxy; `ToxiproxyClient` is one."""

    def add_toxic(self, proxy_name: str, toxic: Toxic) -> object:
        """Put a toxic on a proxy.

        Args:
            proxy_name: the link's name there.
            toxic: its own name is not taken on this proxy.

        Returns:
            The toxic as the server now describes it; targets do not look at it.
        """
        ...

    def remove_toxic(self, proxy_name: str, toxic_name: str) -> None:
        """Take the toxic `toxic_name` off the link that the server calls `proxy_name`."""
        ...

    def set_enabled(self, name: str, enabled: bool) -> object:
        """Let a proxy listen, or refuse new connections and end the open ones.

        Args:
            name: the link's name there.
            enabled: True lets it listen, False cuts it.

        Returns:
            The proxy as the server now describes it; targets do not look at it.
        """
        ...


class LinkTarget:
    """One link through the fault proxy; implements Severable, Squeezable and Disconnectable.

    Args:
        name: how scenarios call it.
        proxy_url: where the fault proxy's API is, for whoever has to undo a fault later.
        proxy_name: how the fault proxy calls this link.
        listen: host and port that the stack connects to.
        server: the fault proxy.
    """

    def __init__(
        self, name: str, proxy_url: str, proxy_name: str, listen: tuple[str, int], server: ToxicServer
    ) -> None:
        self.name = name
        self._proxy_url = proxy_url
        self._proxy_name = proxy_name
        self._listen = listen
        self._server = server
        self._outcomes: list[Outcome] = []

    @property
    def own_connections(self) -> int:
        """Return how many connections `probe` and `push` have made; -1 once one of them was refused."""
        return -1 if "refused" in self._outcomes else len(self._outcomes)

    def add_toxic(self, name: str, kind: str, stream: str, attributes: Arguments, toxicity: float) -> None:
        """Put a toxic on one direction, for a share (0 to 1) of connections.

        Raises:
            FaultError: the proxy does not take it.
        """
        toxic = Toxic(name=name, type=kind, stream=stream, toxicity=toxicity, attributes=attributes)
        try:
            self._server.add_toxic(self._proxy_name, toxic)
        except HarnessError as error:
            raise FaultError(f'link "{self.name}": toxic {kind} was not taken: {error}') from error

    def remove_toxic(self, name: str) -> None:
        """Take a toxic off again.

        Raises:
            FaultError: the proxy does not do it.
        """
        try:
            self._server.remove_toxic(self._proxy_name, name)
        except HarnessError as error:
            raise FaultError(f'link "{self.name}": toxic {name} was not removed: {error}') from error

    def disconnect(self) -> None:
        """End the link's connections and refuse new ones.

        Raises:
            FaultError: the proxy does not do it.
        """
        self._set_enabled(False)

    def connect(self) -> None:
        """Let connections in again; harmless where it does already.

        Raises:
            FaultError: the proxy does not do it.
        """
        self._set_enabled(True)

    def undo_disconnect(self) -> Undo:
        """Name the link and where its proxy's API answers."""
        return Undo(
            "enable_proxy", {"link": self.name, "proxy_url": self._proxy_url, "proxy": self._proxy_name}
        )

    def probe(self, timeout_seconds: float = 1.0) -> Probe:
        """Ask for `/` over a new connection to the link and say what it met within the timeout.

        Any answer counts, whatever its status: the link is what is tried here, not the service behind it.
        """
        return self.push(0, timeout_seconds)

    def push(self, size_bytes: int, timeout_seconds: float) -> Probe:
        """Do as `probe` does, with a request of at least `size_bytes`; every server takes 8 KiB."""
        started = time.monotonic()
        outcome = _outcome(self._listen, timeout_seconds, size_bytes)
        self._outcomes.append(outcome)
        return Probe(outcome=outcome, elapsed_ms=(time.monotonic() - started) * 1e3)

    def undo_toxic(self, name: str) -> Undo:
        """Name the toxic, the proxy it is on and where that proxy's API answers."""
        return Undo(
            "remove_toxic",
            {"link": self.name, "proxy_url": self._proxy_url, "proxy": self._proxy_name, "toxic": name},
        )

    def _set_enabled(self, enabled: bool) -> None:
        try:
            self._server.set_enabled(self._proxy_name, enabled)
        except HarnessError as error:
            what = "let connections in" if enabled else "go down"
            raise FaultError(f'link "{self.name}" does not {what}: {error}') from error


def _outcome(address: tuple[str, int], timeout_seconds: float, size_bytes: int) -> Outcome:
    until = time.monotonic() + timeout_seconds
    host, port = address
    padding = f"X-Padding: {'x' * size_bytes}\r\n" if size_bytes else ""
    # The server is not asked to close: the fault proxy lets a close through where it lets no byte through.
    request = f"GET / HTTP/1.1\r\nHost: {host}:{port}\r\n{padding}\r\n".encode()
    try:
        with socket.create_connection(address, timeout=timeout_seconds) as connection:
            connection.sendall(request)
            # A timeout of exactly 0 would turn the socket non-blocking.
            connection.settimeout(max(0.001, until - time.monotonic()))
            return "answered" if connection.recv(_ANSWER_BYTES) else "closed"
    except ConnectionRefusedError:
        return "refused"
    except (ConnectionResetError, BrokenPipeError):
        return "reset"
    except TimeoutError:
        return "silent"

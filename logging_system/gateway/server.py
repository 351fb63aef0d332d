"""Runs a gateway: one event loop for its clients, one thread for its spool, until a signal ends it.

The end: readiness says no, no connection is taken any more, requests under way get their answers, the spool
is sealed.
"""

from __future__ import annotations

import asyncio
import os
import signal
import socket
import ssl
from collections.abc import Callable
from dataclasses import dataclass, field
from ipaddress import ip_address
from pathlib import Path
from types import FrameType

import uvicorn

from logging_system.connections.prompt_heads import PromptHeads
from logging_system.gateway.application import Gateway
from logging_system.gateway.intake import Intake
from logging_system.gateway.limits import DEFAULT_PORT, DEFAULT_SPOOL_BYTES_MAX, Limits
from logging_system.gateway.tokens import Tokens
from logging_system.monitoring.event_stream import EventStream
from logging_system.monitoring.tracing import NO_TRACING, Tracing
from logging_system.records.processors import NO_PROCESSORS, Chain
from logging_system.spool.codec import PLAIN_CODECS, Codecs
from logging_system.spool.retention import Retention
from logging_system.spool.segment import prepare_folder
from logging_system.spool.writer import SpoolWriter

_DRAIN_SECONDS_MAX = 3.0
_SEAL_SECONDS_MAX = 1.5
_KEEP_ALIVE_SECONDS = 60


class ExposureError(Exception):
    """What was asked for would be open to more than this machine without anybody having said so."""


@dataclass(frozen=True, slots=True)
class Service:
    """What to serve, and to whom.

    Attributes:
        spool: The spool folder, which a shipper takes to the store.
        host: The address to listen on.
        port: The port; 0 takes a free one.
        token_file: Who may send; None: everybody who can connect.
        namespaces: Those that tokens may be bound to.
        open_to_all: Whether an address beyond this machine may be served without tokens.
        certificate: The server's certificate chain, PEM; None: no TLS.
        key: Its key.
        spool_bytes_max: Bytes that the segments of all writers may take.
        retention: When records in the spool give way, acknowledged ones included; None, never.
        limits: How much a client may ask.
        chain: What is done to every record before it is kept.
        codecs: How the spool stores its blocks.
        tracing: Makes spans of what is put into the spool.
        events: Told what happens.
    """

    spool: Path
    host: str = "127.0.0.1"
    port: int = DEFAULT_PORT
    token_file: Path | None = None
    namespaces: frozenset[str] = frozenset()
    open_to_all: bool = False
    certificate: Path | None = None
    key: Path | None = None
    spool_bytes_max: int = DEFAULT_SPOOL_BYTES_MAX
    retention: Retention | None = None
    limits: Limits = field(default_factory=Limits)
    chain: Chain = NO_PROCESSORS
    codecs: Codecs = PLAIN_CODECS
    tracing: Tracing = NO_TRACING
    events: EventStream | None = None


def serve(service: Service, ready: Callable[[str], None]) -> int:
    """Serve until SIGTERM or SIGINT.

    Args:
        service: What to serve.
        ready: Called with the gateway's URL once it takes requests.

    Returns:
        0 when everything it took is sealed in the spool, 1 when the disk did not let that happen in time.

    Raises:
        ExposureError: An address beyond this machine, without tokens and without `open_to_all`.
        TokenFileError: The token file cannot be used.
        OSError: The spool folder, the certificate or the address cannot be used.
    """
    if service.token_file is None and not service.open_to_all and not is_loopback(service.host):
        raise ExposureError(
            f"{service.host} is reachable from other machines: require tokens, or allow everybody"
        )
    tokens = None if service.token_file is None else Tokens(service.token_file, service.namespaces)
    prepare_folder(service.spool)
    writer = SpoolWriter(
        service.spool,
        spool_bytes_max=service.spool_bytes_max,
        sync=True,
        codecs=service.codecs,
        retention=service.retention,
    )
    intake = Intake(
        writer,
        pending_bytes_max=service.limits.pending_bytes_max,
        status_folder=service.spool,
        tracing=service.tracing,
        events=service.events,
    )
    gateway = Gateway(intake, service.limits, tokens, service.chain)
    server = _Server(_configuration(service, gateway), gateway, ready)
    for number in (signal.SIGTERM, signal.SIGINT):
        # The server takes these over while it runs, and hands what it caught back to whoever had them before.
        signal.signal(number, lambda _number, _frame: server.stop())
    with listen(service.host, service.port) as listener:
        intake.start()
        asyncio.run(server.serve([listener]))
    return 0 if intake.close(_SEAL_SECONDS_MAX) else 1


def listen(host: str, port: int) -> socket.socket:
    """Return a listener whose connections send what they have at once.

    Header and body of an answer are written one after the other. On a kept connection the body would wait
    until the client acknowledges the header, which clients put off for some 40 ms.

    Args:
        host: The address.
        port: The port; 0 takes a free one.

    Raises:
        OSError: The address cannot be had.
    """
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    listener = socket.create_server((host, port), family=family)
    # Linux hands it on to what is accepted. An event loop sets it by itself only where it sees the protocol's
    # number, which create_server leaves 0.
    listener.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
    return listener


def is_loopback(host: str) -> bool:
    """Tell whether an address can be reached from this machine alone.

    Args:
        host: An IPv4 or IPv6 address, or a name; no name is looked up, and only `localhost` counts.
    """
    try:
        return ip_address(host).is_loopback
    except ValueError:
        return host == "localhost"


class _Server(uvicorn.Server):
    """Says when it serves, and tells readiness before it stops."""

    def __init__(self, config: uvicorn.Config, gateway: Gateway, ready: Callable[[str], None]) -> None:
        super().__init__(config)
        self._gateway = gateway
        self._tell_ready = ready

    def stop(self) -> None:
        """Ask it to end; callable from a signal handler."""
        self._gateway.draining = True
        self.should_exit = True

    async def startup(self, sockets: list[socket.socket] | None = None) -> None:
        """Begin to take requests, and say where."""
        await super().startup(sockets)
        if sockets and not self.should_exit:
            scheme = "https" if self.config.is_ssl else "http"
            host, port = sockets[0].getsockname()[:2]
            self._tell_ready(f"{scheme}://{f'[{host}]' if ':' in host else host}:{port}")

    def handle_exit(self, sig: int, frame: FrameType | None) -> None:
        """Stop at the first signal, at once at the second."""
        self._gateway.draining = True
        super().handle_exit(sig, frame)


def _configuration(service: Service, gateway: Gateway) -> uvicorn.Config:
    for path in (service.certificate, service.key):
        if path is not None and not os.access(path, os.R_OK):
            raise FileNotFoundError(2, "cannot be read", str(path))
    return uvicorn.Config(
        gateway.routes(),
        host=service.host,
        port=service.port,
        log_level="warning",
        access_log=False,
        lifespan="off",
        server_header=False,
        ws="none",
        http=PromptHeads,
        limit_concurrency=service.limits.connections_max,
        timeout_keep_alive=_KEEP_ALIVE_SECONDS,
        timeout_graceful_shutdown=int(_DRAIN_SECONDS_MAX),
        ssl_certfile=None if service.certificate is None else str(service.certificate),
        ssl_keyfile=None if service.key is None else str(service.key),
        ssl_version=ssl.PROTOCOL_TLS_SERVER,
    )

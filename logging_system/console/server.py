"""Runs the console until a signal ends it: the panels, the store that some of them ask, and the server."""

from __future__ import annotations

import asyncio
import os
import signal
import socket
import ssl
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING

import uvicorn

from logging_system.analytics.analytics import PREFERENCE
from logging_system.analytics.reach import Reach
from logging_system.analytics.store_queries import ElasticsearchQueries, StoreQueries
from logging_system.config.encryption import Protection
from logging_system.connections.prompt_heads import PromptHeads
from logging_system.console.application import Console
from logging_system.console.beside_spool import Alerts, DeadLetters, Findings, read_keys
from logging_system.console.board import Board, Panel
from logging_system.console.guard import Guard, hosts_of
from logging_system.console.pipeline import FINE_SECONDS, Pipeline
from logging_system.console.proposals import Proposals
from logging_system.console.sessions import Sessions
from logging_system.console.shown_text import ShownText
from logging_system.console.stored import SPANS, Stored
from logging_system.console.through_cache import ThroughCache
from logging_system.gateway.server import ExposureError, is_loopback, listen
from logging_system.gateway.tokens import Tokens
from logging_system.sinks.elasticsearch.index_setup import Ask

if TYPE_CHECKING:
    from logging_system.masking.declaration import MaskDeclaration

REQUEST_SECONDS_MAX = 10.0
"""How long the store may take for one answer: a page that waits longer is of no use to anybody."""
_CACHE_BYTES = 32 * 1024 * 1024
_DRAIN_SECONDS = 2
_CONNECTIONS_BESIDE_PAGES = 100


@dataclass(frozen=True, slots=True)
class WatchedService:
    """What to show, and to whom.

    Attributes:
        name: The service whose spool it is.
        spool: The spool folder.
        status_path: Where the shipper states its counters.
        ask: Carries requests to the store; None where there is none.
        protection: How the spool is stored.
        mask: What the setting `mask` says.
        namespaces: Those whose records are shown; none means all.
        host: The address to listen on.
        port: The port; 0 takes a free one.
        names: Further names that it may be asked under.
        token_file: Who may sign in; None: everybody who can connect.
        certificate: The server's certificate chain, PEM; None: no TLS.
        key: Its key.
        pages_max: How many pages are kept up to date at most.
    """

    name: str
    spool: Path
    status_path: Path
    ask: Ask | None
    protection: Protection
    mask: MaskDeclaration | None = None
    namespaces: tuple[str, ...] = ()
    host: str = "127.0.0.1"
    port: int = 0
    names: tuple[str, ...] = ()
    token_file: Path | None = None
    certificate: Path | None = None
    key: Path | None = None
    pages_max: int = 50


def serve_console(service: WatchedService, ready: Callable[[str], None]) -> None:
    """Serve until SIGTERM or SIGINT.

    Args:
        service: What to serve.
        ready: Called with the console's URL once it takes requests.

    Raises:
        ExposureError: An address beyond this machine, without tokens.
        TokenFileError: The token file cannot be used.
        OSError: The address or the certificate cannot be used.
        ValueError: Namespaces or masking cannot be used.
        FileNotFoundError: The certificate or its key cannot be read.
    """
    if service.token_file is None and not is_loopback(service.host):
        raise ExposureError(f"{service.host} is reachable from other machines: require tokens")
    tokens = None if service.token_file is None else Tokens(service.token_file)
    for path in (service.certificate, service.key):
        if path is not None and not os.access(path, os.R_OK):
            raise FileNotFoundError(2, "cannot be read", str(path))
    shown = ShownText(service.mask)
    pipeline = Pipeline(service.spool, service.status_path)
    with listen(service.host, service.port) as listener, _stored(service, shown, pipeline) as stored:
        port = listener.getsockname()[1]
        board = Board(
            _panels(service, shown, stored, pipeline),
            tuple(each.name for each in SPANS),
            pages_max=service.pages_max,
        )
        console = Console(
            board,
            stored,
            Proposals(service.spool, shown),
            Sessions(tokens, port),
            about=_about(service, shown),
            is_tls=service.certificate is not None,
        )
        guarded = Guard(console.routes(), hosts_of(service.host, port, service.names), console.sessions)
        server = _Server(_configuration(service, guarded), board, ready)
        for number in (signal.SIGTERM, signal.SIGINT):
            # The server takes these over while it runs, and hands what it caught back to whoever had them.
            signal.signal(number, lambda _number, _frame: server.stop())
        asyncio.run(server.serve([listener]))


def _about(service: WatchedService, shown: ShownText) -> dict[str, object]:
    return {
        "service": service.name,
        "spool": str(service.spool),
        "is_masked": shown.is_masked,
        "has_store": service.ask is not None,
        "namespaces": list(service.namespaces),
        "spans": [{"name": each.name, "seconds": each.seconds} for each in SPANS],
    }


@contextmanager
def _stored(service: WatchedService, shown: ShownText, pipeline: Pipeline) -> Iterator[Stored | None]:
    """Yield what asks the store; None where no store is named."""
    if service.ask is None:
        yield None
        return
    reach = Reach.of(service.namespaces) if service.namespaces else Reach.everything()
    queries = ElasticsearchQueries(service.ask, preference=PREFERENCE)
    with _cached(queries) as (cached, refusal):
        yield Stored(cached, queries, reach, shown, pipeline.held_up_since, refusal)


@contextmanager
def _cached(queries: ElasticsearchQueries) -> Iterator[tuple[StoreQueries, Callable[[], str]]]:
    """Yield a cache before the store, where what it needs is installed, and what tells why it is not used."""
    try:
        from logging_system.analytics.cache.answer_memory import AnswerMemory
        from logging_system.analytics.cache.cached_queries import CachedQueries
        from logging_system.analytics.cache.keys import Scope
        from logging_system.analytics.cache.snapshot_store import ElasticsearchSnapshots
    except ImportError:
        yield queries, str
        return
    snapshots = ElasticsearchSnapshots(queries, preference=PREFERENCE)
    cache = CachedQueries(snapshots, scope=Scope("", ""), memory=AnswerMemory(_CACHE_BYTES))
    asking = ThroughCache(cache, queries)
    try:
        yield asking, lambda: asking.refusal
    finally:
        cache.close()


def _panels(
    service: WatchedService, shown: ShownText, stored: Stored | None, pipeline: Pipeline
) -> Iterator[Panel]:
    spool = service.spool
    yield Panel("pipeline", pipeline.read, FINE_SECONDS / 2)
    yield Panel("alerts", Alerts(spool, shown).read, 3.0)
    yield Panel("findings", Findings(spool, shown).read, 3.0)
    yield Panel("workflows", Proposals(spool, shown).read, 2.0)
    yield Panel("dead_letters", DeadLetters(spool, service.protection, shown).read, 5.0)
    yield Panel("keys", lambda: read_keys(service.protection, shown, time.time()), 15.0)
    for span in SPANS:
        yield Panel("series", partial(pipeline.series, span.seconds), FINE_SECONDS, span.name)
        if stored is not None:
            # Longer stretches change less, and cost the store more.
            pause_seconds = max(2.0, span.interval.seconds_max / 15)
            yield Panel("rates", partial(stored.rates, span), pause_seconds, span.name, asks_store=True)
            for name, read in (("templates", stored.templates), ("loggers", stored.loggers)):
                slow_seconds = 3 * pause_seconds
                yield Panel(
                    name, partial(read, span), slow_seconds, span.name, asks_store=True, after="rates"
                )


class _Server(uvicorn.Server):
    """Says when it serves; lets pages end before it waits for them."""

    def __init__(self, config: uvicorn.Config, board: Board, ready: Callable[[str], None]) -> None:
        super().__init__(config)
        self._board = board
        self._tell_ready = ready

    def stop(self) -> None:
        """Ask it to end; callable from a signal handler."""
        self.should_exit = True

    async def startup(self, sockets: list[socket.socket] | None = None) -> None:
        """Begin to ask and to take requests, and say where."""
        self._board.start()
        await super().startup(sockets)
        if sockets and not self.should_exit:
            scheme = "https" if self.config.is_ssl else "http"
            host, port = sockets[0].getsockname()[:2]
            self._tell_ready(f"{scheme}://{f'[{host}]' if ':' in host else host}:{port}/")

    async def shutdown(self, sockets: list[socket.socket] | None = None) -> None:
        """Let pages end, then the server."""
        await self._board.close()
        await super().shutdown(sockets)


def _configuration(service: WatchedService, guarded: Guard) -> uvicorn.Config:
    return uvicorn.Config(
        guarded,
        log_level="warning",
        access_log=False,
        lifespan="off",
        server_header=False,
        ws="none",
        http=PromptHeads,
        interface="asgi3",
        limit_concurrency=service.pages_max + _CONNECTIONS_BESIDE_PAGES,
        timeout_graceful_shutdown=_DRAIN_SECONDS,
        ssl_certfile=None if service.certificate is None else str(service.certificate),
        ssl_keyfile=None if service.key is None else str(service.key),
        ssl_version=ssl.PROTOCOL_TLS_SERVER,
    )

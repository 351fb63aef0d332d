"""One interceptor: a listener in front of a store, the rules on it, and what it has seen."""

from __future__ import annotations

import asyncio
import ipaddress
import time
from collections import Counter
from collections.abc import Mapping, Sequence

from harness.programs.http_interceptor.errors import ApiError
from harness.programs.http_interceptor.passage import Passage, PassageRules
from harness.programs.http_interceptor.recording import Recording
from harness.programs.http_interceptor.rule import Rule, rule_of
from harness.programs.http_interceptor.wire import CHUNK_BYTES, Wire, towards_client

RULES_MAX = 64
CONNECTIONS_MAX = 1024


class Interceptor:
    """Forwards HTTP from `listen` to `upstream`, both `host:port`; `record` names a file for all requests."""

    def __init__(self, name: str, listen: str, upstream: str, record: str = "") -> None:
        """Check the addresses; it does not listen yet.

        Raises:
            ApiError: one is no address, `listen` is no loopback one, or the recording cannot be begun (400).
        """
        self.name = name
        self.upstream = upstream
        self._listen = split_address("listen", listen)
        if not _is_loopback(self._listen[0]):
            raise ApiError(400, f"listen {listen}: an interceptor listens on loopback addresses only")
        self._upstream = split_address("upstream", upstream)
        self._rules: dict[str, Rule] = {}
        self._removed: dict[str, Rule] = {}
        self._counters: Counter[str] = Counter()
        self._connected_ns = 0
        self._passages: set[asyncio.Task[None]] = set()
        self._server: asyncio.Server | None = None
        self._recording = Recording(record) if record else None

    async def start(self) -> None:
        """Listen.

        Raises:
            ApiError: the address cannot be listened on (409).
        """
        host, port = self._listen
        try:
            self._server = await asyncio.start_server(self._accept, host, port, limit=CHUNK_BYTES)
        except OSError as error:
            raise ApiError(409, f"listen {host}:{port}: {error.strerror or error}") from error
        self._listen = self._server.sockets[0].getsockname()[:2]

    async def stop(self) -> None:
        """Stop listening and end every connection."""
        if self._server is None:
            return
        self._server.close()
        self._server = None
        for passage in self._passages:
            passage.cancel()
        await asyncio.gather(*self._passages, return_exceptions=True)
        if self._recording is not None:
            self._recording.close()

    def put_rule(self, name: str, body: Mapping[str, object]) -> Rule:
        """Set a rule, or replace the one of that name; it applies to the next request of open connections.

        Raises:
            ApiError: the description is wrong (400), or the interceptor is full of rules (409).
        """
        rule = rule_of(name, body)
        if name not in self._rules and len(self._rules) >= RULES_MAX:
            raise ApiError(409, f"this interceptor has {RULES_MAX} rules already; remove one first")
        self._rules[name] = rule
        return rule

    def remove_rule(self, name: str) -> None:
        """Take a rule off; requests under way finish as they began, so its counters can still be read.

        Raises:
            ApiError: there is none of that name (404).
        """
        rule = self._rules.pop(name, None)
        if rule is None:
            raise ApiError(404, f"no rule {name!r} on interceptor {self.name!r}")
        if (earlier := self._removed.pop(name, None)) is not None:
            rule.counters.update(earlier.counters)
        while len(self._removed) >= RULES_MAX:
            del self._removed[next(iter(self._removed))]
        self._removed[name] = rule

    def document(self) -> dict[str, object]:
        """The interceptor as the API writes it."""
        host, port = self._listen
        return {
            "name": self.name,
            "listen": f"{host}:{port}",
            "upstream": self.upstream,
            "rules": {name: rule.document() for name, rule in self._rules.items()},
        }

    def counters(self) -> dict[str, object]:
        """What the interceptor and each rule on it have done, rules taken off included.

        `answers` are those that began to come from the store, `connected_ns` is when the last of the
        `connections` was accepted, by CLOCK_MONOTONIC; 0 before the first.
        """
        return {
            **{name: self._counters[name] for name in ("requests", "passed", "answers", "connections")},
            **self._counters,
            "connected_ns": self._connected_ns,
            "open_connections": len(self._passages),
            "rules": {name: dict(rule.counters) for name, rule in {**self._removed, **self._rules}.items()},
        }

    async def _accept(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        client = Wire(towards_client(), reader, writer)
        if len(self._passages) >= CONNECTIONS_MAX or self._server is None:
            client.abort()
            return
        task = asyncio.current_task()
        assert task is not None  # noqa: S101 - a connection is served in a task of its own
        self._passages.add(task)
        self._counters["connections"] += 1
        self._connected_ns = time.monotonic_ns()
        try:
            rules = PassageRules(self._upstream, self._rules_for, self._counters, self._record)
            await Passage(client, rules).run()
        except asyncio.CancelledError:
            # Stopping; the stream's own callback would report it as an error.
            client.abort()
        finally:
            self._passages.discard(task)

    def _record(self, data: bytes) -> None:
        if self._recording is not None and not self._recording.add(data):
            self._counters["unrecorded"] += 1

    def _rules_for(self, target: bytes) -> Sequence[Rule]:
        return [rule for rule in self._rules.values() if rule.concerns(target)]


def split_address(field: str, address: str) -> tuple[str, int]:
    """Return host and port of `host:port` or `[v6]:port`.

    Raises:
        ApiError: it is neither (400).
    """
    host, colon, port = address.rpartition(":")
    if not (colon and host and port.isascii() and port.isdigit() and int(port) < 65536):
        raise ApiError(400, f"{field} must be host:port, got {address!r}")
    return host.removeprefix("[").removesuffix("]"), int(port)


def _is_loopback(host: str) -> bool:
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return False

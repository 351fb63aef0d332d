"""One Elasticsearch node: sends a request to it and returns the answer, complete or not at all."""

from __future__ import annotations

import ssl
from collections.abc import Mapping
from dataclasses import dataclass, field

import urllib3
from elastic_transport.client_utils import url_to_node_config

from logging_system.connections.bounded_connection import (
    AnswerTooLargeError,
    BoundedPool,
    BoundedTlsPool,
    bounded,
    seconds_left,
)
from logging_system.sinks.elasticsearch.bulk_body import BulkBody
from logging_system.sinks.elasticsearch.http_answer import HttpAnswer

ANSWER_BYTES_MAX = 64 * 1024 * 1024
"""Some 60,000 items that all failed; a batch has a sixtieth of that."""

_READ_BYTES = 64 * 1024


@dataclass(frozen=True, slots=True)
class Place:
    """The address of a node.

    Attributes:
        scheme: `http` or `https`.
        host: Name or address.
        port: TCP port.
        prefix: Path before every target, for nodes behind a proxy.
        authorization: Header that follows from credentials in the URL; never shown.
    """

    scheme: str
    host: str
    port: int
    prefix: str
    authorization: str | None = field(repr=False)

    @classmethod
    def parse(cls, url: str) -> Place:
        """Read a node's URL.

        Args:
            url: Such as `https://user:password@example.org:9200/prefix`; without a port, that of its scheme.

        Returns:
            The node's address; credentials of the URL are in it as the header that a request needs.

        Raises:
            ValueError: It lacks its scheme or host, or has another scheme. The message has no credentials.
        """
        shown = url.rpartition("@")[2] if "@" in url else url
        try:
            config = url_to_node_config(url, use_default_ports_for_scheme=True)
        except ValueError:
            config = None
        if config is None or config.scheme not in ("http", "https"):
            # Not `from error`: its message has the whole URL, password included.
            raise ValueError(f"{shown!r} is not a node URL; write it like https://localhost:9200")
        return cls(
            config.scheme,
            config.host,
            config.port,
            "/" + config.path_prefix.strip("/") if config.path_prefix.strip("/") else "",
            (config.headers or {}).get("authorization"),
        )

    def __str__(self) -> str:
        """Return the URL without credentials."""
        host = f"[{self.host}]" if ":" in self.host else self.host
        return f"{self.scheme}://{host}:{self.port}{self.prefix}"


class Node:
    """Connections to one node; safe for threads.

    Args:
        place: Where it is.
        connections: How many connections are kept open.
        context: What TLS connections are made with; None for a plain node.
    """

    def __init__(self, place: Place, connections: int, context: ssl.SSLContext | None) -> None:
        self.place = place
        self._connections = connections
        self._context = context
        self._pool = self._make_pool()

    def renew(self, context: ssl.SSLContext) -> None:
        """Connect with another context from now on; idle connections of the old one are closed."""
        if self._context is context:
            return
        old, self._context = self._pool, context
        self._pool = self._make_pool()
        old.close()

    def request(
        self,
        method: str,
        target: str,
        body: bytes | BulkBody,
        headers: Mapping[str, str],
        seconds_max: float,
    ) -> HttpAnswer:
        """Send one request, without redirects or retries.

        Args:
            method: HTTP method.
            target: Path and query.
            body: The body as sent.
            headers: All headers but `Host` and `Content-Length`.
            seconds_max: The time from connecting to the answer's last byte.

        Returns:
            The answer, its body decoded.

        Raises:
            Exception: Whatever broke; the request may have arrived all the same.
        """
        with bounded(seconds_max, ANSWER_BYTES_MAX):
            try:
                response = self._start(method, target, body, headers, seconds_max)
            except urllib3.exceptions.ClosedPoolError:
                # The context changed between our look at the pool and the request, which was not sent.
                response = self._start(method, target, body, headers, seconds_max)
            complete = False
            try:
                content = _read(response)
                complete = True
            finally:
                # What is left unread would be taken for the next request's answer.
                response.release_conn() if complete else response.close()
        answer_headers = {name.lower(): value for name, value in response.headers.items()}
        return HttpAnswer(response.status, answer_headers, content)

    def close(self) -> None:
        """Close the idle connections; those in use close after their request."""
        self._pool.close()

    def _start(
        self,
        method: str,
        target: str,
        body: bytes | BulkBody,
        headers: Mapping[str, str],
        seconds_max: float,
    ) -> urllib3.BaseHTTPResponse:
        return self._pool.urlopen(
            method,
            self.place.prefix + target,
            body=body,
            # Told its length, what comes in pieces is not sent chunked.
            headers={**headers, "content-length": str(len(body))},
            retries=False,
            redirect=False,
            preload_content=False,
            timeout=seconds_max,
        )

    def _make_pool(self) -> urllib3.HTTPConnectionPool:
        place = self.place
        if place.scheme == "https":
            return BoundedTlsPool(
                place.host, place.port, maxsize=self._connections, ssl_context=self._context
            )
        return BoundedPool(place.host, place.port, maxsize=self._connections)


def _read(response: urllib3.BaseHTTPResponse) -> bytes:
    if "content-encoding" not in response.headers:
        return response.read()  # the bound on the wire is the body's, and part by part it takes twice as long
    content = bytearray()
    for part in response.stream(_READ_BYTES, decode_content=True):
        content += part
        if len(content) > ANSWER_BYTES_MAX:
            raise AnswerTooLargeError("the answer is too large once decompressed")
        seconds_left()
    return bytes(content)

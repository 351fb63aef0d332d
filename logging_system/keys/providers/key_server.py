"""Requests to a key server over HTTP: bounded in time and size, never redirected, no answer ever shown.

An answer may hold a data key in the clear, and so may what a broken answer leaves in an exception. So what
goes wrong is told in our own words, and raised apart from the exception that was caught.

A server that says nothing costs each request its whole timeout, and records wait behind whoever asks. So it
is left alone afterwards, four times as long as was waited for it: at most a fifth of the time goes into that.
"""

from __future__ import annotations

import os
import ssl
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from ipaddress import ip_address
from pathlib import Path
from urllib.parse import SplitResult, urlsplit

import urllib3
from urllib3.exceptions import HTTPError, NewConnectionError

from logging_system.connections.bounded_connection import (
    AnswerTooLargeError,
    BoundedPool,
    BoundedTlsPool,
    bounded,
)
from logging_system.connections.causes import causes_of, let_go_of_frames
from logging_system.connections.tls import Trust, of_verification
from logging_system.keys.provider import KeyProviderError, ProviderRefusedError, ProviderUnavailableError
from logging_system.spool.forks import FORKS, forget_in_children

TIMEOUT_SECONDS = 5.0
ANSWER_BYTES_MAX = 1024 * 1024
PAUSE_PER_SECOND_WAITED = 4.0
_PAUSED_AFTER_SECONDS = 0.5
_CONNECTIONS = 4


@dataclass(frozen=True, slots=True)
class ServerAnswer:
    """What a key server said.

    Attributes:
        status: HTTP status.
        body: The bytes; they may hold a data key.
    """

    status: int
    body: bytes = field(repr=False)


class KeyServer:
    """One key server; safe for threads, and in forked children.

    Args:
        url: Where it is: https, or http on this machine.
        timeout_seconds: From connecting to the answer's last byte.
        ca_certs: PEM file of the authorities that may sign its certificate; None takes the system's.
        client_certificate: PEM file of our certificate, where it asks for one.
        client_key: PEM file of its key; None where the certificate's file holds it.
        monotonic: The clock for pauses, in seconds.

    Raises:
        ValueError: What is wrong with one of these.
    """

    def __init__(
        self,
        url: str,
        *,
        timeout_seconds: float = TIMEOUT_SECONDS,
        ca_certs: Path | None = None,
        client_certificate: Path | None = None,
        client_key: Path | None = None,
        monotonic: Callable[[], float] = time.monotonic,
    ) -> None:
        parts = _checked_url(url)
        self._host, self._port = parts.hostname or "", parts.port
        self._is_tls = parts.scheme == "https"
        self._prefix = parts.path.rstrip("/")
        self._timeout_seconds = timeout_seconds
        self._monotonic = monotonic
        self._paused_until_seconds = float("-inf")
        self._trust = None
        if self._is_tls:
            self._trust = Trust(ca_certs, client_certificate=client_certificate, client_key=client_key)
        self.url = url.rstrip("/")
        self.authority = parts.netloc
        self._context: ssl.SSLContext | None = None
        self._pool: urllib3.HTTPConnectionPool | None = None
        forget_in_children(self)

    def forget(self) -> None:
        """Open new connections: a forked child must not speak on those of its parent."""
        self._context = self._pool = None

    def __repr__(self) -> str:
        return f"KeyServer({self.url!r})"

    def ask(self, method: str, path: str, headers: Mapping[str, str], body: bytes = b"") -> ServerAnswer:
        """Send one request, once.

        Args:
            method: HTTP method.
            path: Path and query, from the `/` after the server's own prefix.
            headers: All but `Host` and `Content-Length`.
            body: The body as sent.

        Returns:
            The answer, whatever its status: redirects are not followed.

        Raises:
            ProviderUnavailableError: There was no whole answer in time, or it is not asked so soon again.
            ProviderRefusedError: The server is not the one to believe, or its answer is no HTTP.
        """
        FORKS.notice()
        began_seconds = self._monotonic()
        if began_seconds < self._paused_until_seconds:
            raise ProviderUnavailableError(
                f"{self.url}: gave no answer a moment ago; it is asked again in "
                f"{self._paused_until_seconds - began_seconds:.1f} s"
            )
        try:
            with bounded(self._timeout_seconds, ANSWER_BYTES_MAX):
                response = self._connections().urlopen(
                    method,
                    self._prefix + path,
                    body=body,
                    headers=headers,
                    retries=False,
                    redirect=False,
                    decode_content=False,
                    timeout=self._timeout_seconds,
                )
            return ServerAnswer(response.status, response.data)
        except (OSError, HTTPError, ValueError) as error:
            kind, reason = self._trouble(error)
            let_go_of_frames(error)
        ended_seconds = self._monotonic()
        waited_seconds = ended_seconds - began_seconds
        # One that refuses at once costs nothing, and may be back at any moment.
        if waited_seconds >= _PAUSED_AFTER_SECONDS:
            self._paused_until_seconds = ended_seconds + PAUSE_PER_SECOND_WAITED * waited_seconds
        raise kind(reason)

    def close(self) -> None:
        """Close idle connections; the next request opens one again."""
        pool = self._pool
        if pool is not None:
            pool.close()
        self.forget()

    def _connections(self) -> urllib3.HTTPConnectionPool:
        pool = self._pool
        context = None if self._trust is None else self._trust.context()
        if pool is None or context is not self._context:
            if context is not None:
                pool = BoundedTlsPool(self._host, self._port, maxsize=_CONNECTIONS, ssl_context=context)
            else:
                pool = BoundedPool(self._host, self._port, maxsize=_CONNECTIONS)
            self._pool, self._context = pool, context
        return pool

    def _trouble(self, error: Exception) -> tuple[type[KeyProviderError], str]:
        causes = list(causes_of(error))
        for cause in causes:
            if isinstance(cause, ssl.SSLCertVerificationError):
                return ProviderRefusedError, f"{self.url}: {of_verification(cause)}"
            if isinstance(cause, AnswerTooLargeError):
                reason = f"{self.url}: answers more than {ANSWER_BYTES_MAX} bytes; is this the key server?"
                return ProviderRefusedError, reason
            # urllib3 calls a refused connection a kind of timeout.
            if isinstance(cause, TimeoutError | urllib3.exceptions.TimeoutError) and not isinstance(
                cause, NewConnectionError
            ):
                return ProviderUnavailableError, f"{self.url}: no answer within {self._timeout_seconds:g} s"
        for cause in causes:
            if isinstance(cause, OSError) and isinstance(cause.errno, int) and cause.errno > 0:
                return ProviderUnavailableError, f"{self.url}: {os.strerror(cause.errno)}"
        return ProviderUnavailableError, f"{self.url}: no connection, or it broke before the answer was whole"


def _checked_url(url: str) -> SplitResult:
    parts = urlsplit(url)
    try:
        is_usable = bool(parts.hostname) and (parts.port is None or parts.port > 0)
    except ValueError:
        is_usable = False
    if parts.scheme not in {"http", "https"} or not is_usable or parts.query or parts.fragment:
        raise ValueError("url: names no server; write it as https://vault.example:8200")
    if parts.username is not None or parts.password is not None:
        raise ValueError("url: holds a user or password; a key server is asked by a token or a signature")
    if parts.scheme == "http" and not _is_here(parts.hostname or ""):
        raise ValueError("url: http would send data keys in the clear; use https, or http on 127.0.0.1 alone")
    return parts


def _is_here(host: str) -> bool:
    try:
        return ip_address(host).is_loopback
    except ValueError:
        return host == "localhost"

"""One POST to a URL, bounded in time and size, never redirected; an error names no path of the URL."""

from __future__ import annotations

import socket
import ssl
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import urlsplit

import urllib3
from urllib3.exceptions import ConnectTimeoutError, HTTPError, NameResolutionError, NewConnectionError

from logging_system.connections.bounded_connection import BoundedPool, BoundedTlsPool, bounded
from logging_system.connections.causes import causes_of, let_go_of_frames
from logging_system.connections.tls import Trust, of_verification

_ANSWER_BYTES_MAX = 256 * 1024


class PostingError(Exception):
    """There was no whole answer.

    Args:
        what: The host and what happened, for people to read; it never has the URL's path, which may be
            secret.
        may_have_arrived: As the attribute.

    Attributes:
        may_have_arrived: Whether the request may have been taken.
    """

    def __init__(self, what: str, *, may_have_arrived: bool) -> None:
        super().__init__(what)
        self.may_have_arrived = may_have_arrived


@dataclass(frozen=True, slots=True)
class PostedAnswer:
    """What the receiver said.

    Attributes:
        status: HTTP status.
        retry_after: The header of that name; empty where there is none.
    """

    status: int
    retry_after: str


class HttpTarget:
    """Where to post.

    Args:
        url: http or https; its path may be secret, and is never shown.
        timeout_seconds: From connecting to the answer's last byte.
        ca_certs: PEM file of the authorities that may sign its certificate; None takes the system's.

    Raises:
        ValueError: The authorities cannot be read.
    """

    def __init__(self, url: str, timeout_seconds: float, ca_certs: Path | None = None) -> None:
        parts = urlsplit(url)
        self._shown = f"{parts.scheme}://{parts.hostname}"
        self._target = (parts.path or "/") + (f"?{parts.query}" if parts.query else "")
        self._timeout_seconds = timeout_seconds
        host = parts.hostname or ""
        self._pool: urllib3.HTTPConnectionPool
        if parts.scheme == "https":
            self._pool = BoundedTlsPool(host, parts.port, ssl_context=Trust(ca_certs).context())
        else:
            self._pool = BoundedPool(host, parts.port)

    def post(self, body: bytes, headers: Mapping[str, str]) -> PostedAnswer:
        """Post once, on a connection of its own.

        Args:
            body: What is sent, as it is.
            headers: What goes before it, beside `Host` and `Content-Length`.

        Returns:
            The answer, whatever its status: also one that redirects or refuses.

        Raises:
            PostingError: There was no whole answer, or one of more than 256 KiB with its headers.
        """
        try:
            with bounded(self._timeout_seconds, _ANSWER_BYTES_MAX):
                response = self._pool.urlopen(
                    "POST",
                    self._target,
                    body=body,
                    headers=dict(headers),
                    retries=False,
                    redirect=False,
                    decode_content=False,
                    timeout=self._timeout_seconds,
                )
            return PostedAnswer(response.status, response.headers.get("retry-after", "").strip())
        except (OSError, HTTPError) as error:
            what, may_have_arrived = self._trouble(error)
            let_go_of_frames(error)
        finally:
            self._pool.close()
        raise PostingError(what, may_have_arrived=may_have_arrived)

    def _trouble(self, error: Exception) -> tuple[str, bool]:
        """Return what happened, and whether the request may have arrived."""
        causes = list(causes_of(error))
        for cause in causes:
            if isinstance(cause, ssl.SSLCertVerificationError):
                return f"{self._shown}: {of_verification(cause)}", False
            if isinstance(cause, NameResolutionError | socket.gaierror):
                return f"{self._shown}: the host's name has no address", False
            if isinstance(cause, ConnectTimeoutError | NewConnectionError):
                return f"{self._shown}: cannot connect", False
        if any(isinstance(cause, TimeoutError) for cause in causes):
            what = f"no answer within {self._timeout_seconds:g} s"
        else:
            what = "the connection broke before the answer was whole"
        return f"{self._shown}: {what}", True

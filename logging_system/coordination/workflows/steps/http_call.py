"""One bounded HTTP request of a step; a failure says whether it may have arrived."""

from __future__ import annotations

from collections.abc import Mapping
from urllib.parse import urlsplit

import urllib3
from urllib3.exceptions import ConnectTimeoutError, HTTPError, NameResolutionError, NewConnectionError

from logging_system.connections.bounded_connection import BoundedPool, BoundedTlsPool, bounded
from logging_system.connections.causes import causes_of, let_go_of_frames
from logging_system.connections.tls import Trust
from logging_system.coordination.workflows.steps.declared import EffectError

_ANSWER_BYTES_MAX = 64 * 1024


def plain_url(url: str) -> str:
    """Return the URL where it may stand in a file.

    Args:
        url: What the file has: http or https, with a host, and without a user.

    Raises:
        ValueError: It is none, or holds a secret.
    """
    parts = urlsplit(url)
    if parts.scheme not in {"http", "https"} or not parts.hostname or not url.isprintable():
        raise ValueError("must be a URL such as https://ops.example/hook")
    if parts.username is not None or parts.password is not None:
        raise ValueError("holds a user or password; name a variable in `authorization_environment`")
    return url


def status_of(method: str, url: str, body: bytes, headers: Mapping[str, str], timeout_seconds: float) -> int:
    """Return the status of the answer to one request; it is never redirected.

    Args:
        method: `GET` or `POST`.
        url: One that `plain_url` took; a message names its scheme and host alone.
        body: What is sent; empty for nothing.
        headers: What goes before it, by name.
        timeout_seconds: From connecting to the answer's last byte.

    Raises:
        EffectError: There was no whole answer, or one of more than 64 KiB with its headers. It may have
            happened unless no connection was made.
    """
    parts = urlsplit(url)
    host = parts.hostname or ""
    pool: urllib3.HTTPConnectionPool
    if parts.scheme == "https":
        pool = BoundedTlsPool(host, parts.port, ssl_context=Trust(None).context())
    else:
        pool = BoundedPool(host, parts.port)
    target = (parts.path or "/") + (f"?{parts.query}" if parts.query else "")
    shown = f"{parts.scheme}://{host}"
    try:
        with bounded(timeout_seconds, _ANSWER_BYTES_MAX):
            answer = pool.urlopen(
                method,
                target,
                body=body or None,
                headers=dict(headers),
                retries=False,
                redirect=False,
                timeout=timeout_seconds,
            )
        return int(answer.status)
    except (OSError, HTTPError) as error:
        never_sent = (ConnectTimeoutError, NewConnectionError, NameResolutionError)
        was_sent = not any(isinstance(cause, never_sent) for cause in causes_of(error))
        let_go_of_frames(error)
    finally:
        pool.close()
    what = "no whole answer" if was_sent else "cannot connect"
    raise EffectError(f"{shown}: {what}", may_have_happened=was_sent)

"""Who may ask the console: its own page, for a person who signed in where tokens are asked for.

An ASGI middleware around all that is served, so that no route can be reached past it:

    Host                 is a name of the console: no foreign name leads here (DNS rebinding)
    Origin, Sec-Fetch-*  are the console's own, where a browser sends them
    a session            stands behind the cookie, or a token in `Authorization`, where tokens are asked for
    X-Console-Csrf       carries the session's word with everything that changes something
    headers              forbid every foreign source, script within a page and frame around it

https://cheatsheetseries.owasp.org/cheatsheets/Cross-Site_Request_Forgery_Prevention_Cheat_Sheet.html
"""

from __future__ import annotations

import hmac
from collections.abc import Awaitable, Callable, Collection, Mapping, MutableMapping
from dataclasses import dataclass
from http.cookies import CookieError, SimpleCookie
from typing import Any

from starlette.responses import JSONResponse, RedirectResponse, Response

from logging_system.console.sessions import Sessions

Scope = MutableMapping[str, Any]
Receive = Callable[[], Awaitable[MutableMapping[str, Any]]]
Send = Callable[[MutableMapping[str, Any]], Awaitable[None]]
Application = Callable[[Scope, Receive, Send], Awaitable[None]]

CSRF_HEADER = "x-console-csrf"
BODY_BYTES_MAX = 16 * 1024

_LOOPBACK = ("127.0.0.1", "localhost", "[::1]")
_EVERY_ADDRESS = frozenset({"0.0.0.0", "::"})  # noqa: S104 - not bound here, but told apart from names
_READING = frozenset({"GET", "HEAD"})
SIGN_IN = "/sign-in"
_WITHOUT_SESSION = frozenset({SIGN_IN, "/static/console.css", "/healthz"})
_PAGES = frozenset({"/", SIGN_IN})

POLICY = (
    "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self'; connect-src 'self'; "
    "form-action 'self'; base-uri 'none'; frame-ancestors 'none'; "
    "require-trusted-types-for 'script'; trusted-types 'none'"
)
HEADERS: Mapping[str, str] = {
    "content-security-policy": POLICY,
    "x-content-type-options": "nosniff",
    "x-frame-options": "DENY",
    "referrer-policy": "same-origin",  # with `no-referrer` a form would send `Origin: null`
    "cross-origin-opener-policy": "same-origin",
    "cross-origin-resource-policy": "same-origin",
    "permissions-policy": "camera=(), geolocation=(), microphone=()",
    "cache-control": "no-store",
}


def hosts_of(host: str, port: int, names: Collection[str] = ()) -> frozenset[str]:
    """Return the `Host` headers that are the console's own.

    Args:
        host: The address that it listens on; one that stands for all of them is no name.
        port: The port.
        names: Further names, `name` or `name:port`.
    """
    own = {*_LOOPBACK, *({host} - _EVERY_ADDRESS)}
    listed = {f"[{name}]" if name.count(":") > 1 and not name.startswith("[") else name for name in own}
    with_port = {f"{name}:{port}" for name in listed}
    # Behind a proxy the port is the proxy's, which a browser leaves out where it is the usual one.
    named = {each for name in names for each in (name, name if _has_port(name) else f"{name}:{port}")}
    return frozenset(each.lower() for each in with_port | named)


@dataclass(frozen=True, slots=True)
class Guard:
    """Lets through what the console's own page asks.

    Attributes:
        application: All that is served.
        hosts: The `Host` headers that are the console's.
        sessions: Who signed in.
    """

    application: Application
    hosts: frozenset[str]
    sessions: Sessions

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Serve one request, or refuse it with a sentence that says why."""
        if scope["type"] != "http":
            return
        headers = _Headers(scope)
        refusal = self._refusal(scope, headers)
        if refusal is not None:
            await refusal(scope, receive, _guarded(send))
            return
        await self.application(scope, receive, _guarded(send))

    def _refusal(self, scope: Scope, headers: _Headers) -> Response | None:
        host = headers.get("host").lower()
        if host not in self.hosts:
            known = " or ".join(sorted(self.hosts))
            return _said(
                421, f"The console answers under {known}. To let another name in: --console-names NAME."
            )
        if not _is_own(scope, headers, host):
            return _said(403, "Another page asked for this; only the console's own page may.")
        if scope["method"] not in {*_READING, "POST"}:
            return _said(405, "There is GET and POST.")
        if not _is_short(headers):
            return _said(413, f"A body has at most {BODY_BYTES_MAX:,} bytes and says how many.")
        return self._unknown_person(scope, headers)

    def _unknown_person(self, scope: Scope, headers: _Headers) -> Response | None:
        """Return what is said to a person who may not do this; None where they may."""
        path, is_reading = scope["path"], scope["method"] in _READING
        if path in _WITHOUT_SESSION:
            scope["csrf"] = ""
            return None
        word = self.sessions.csrf(_cookie(headers, self.sessions.cookie))
        if word is None:
            # A program that reads may send its token; what changes something is the page's alone.
            if is_reading and self.sessions.knows(headers.get("authorization")):
                scope["csrf"] = ""
                return None
            if path in _PAGES:
                return RedirectResponse(SIGN_IN, 303)
            return _said(401, f"Sign in first: {SIGN_IN}")
        scope["csrf"] = word
        return None if is_reading else _why_not_changed(headers, word)


class _Headers:
    def __init__(self, scope: Scope) -> None:
        self._values: dict[str, list[str]] = {}
        for name, value in scope["headers"]:
            self._values.setdefault(name.decode("latin-1").lower(), []).append(value.decode("latin-1"))

    def get(self, name: str) -> str:
        """Return a header; one that comes twice is joined, and so fits nothing that it is compared with."""
        return ", ".join(self._values.get(name, []))


def _why_not_changed(headers: _Headers, word: str) -> Response | None:
    given = headers.get(CSRF_HEADER)
    if headers.get("origin") and hmac.compare_digest(given.encode(), word.encode()):
        return None
    return _said(403, f"What changes something needs Origin and {CSRF_HEADER}; the page sends both.")


def _has_port(name: str) -> bool:
    return name.rpartition(":")[2].isdecimal()


def _is_own(scope: Scope, headers: _Headers, host: str) -> bool:
    origin = headers.get("origin").lower()
    # A proxy may speak TLS for it.
    if origin and origin not in {f"{scope['scheme']}://{host}", f"https://{host}"}:
        return False
    if headers.get("sec-fetch-site") in {"", "same-origin", "none"}:
        return True
    is_visit = headers.get("sec-fetch-mode") == "navigate" and headers.get("sec-fetch-dest") == "document"
    return scope["method"] == "GET" and scope["path"] in _PAGES and is_visit


def _is_short(headers: _Headers) -> bool:
    length = headers.get("content-length") or "0"
    is_number = length.isascii() and length.isdecimal() and len(length) < 10
    return is_number and int(length) <= BODY_BYTES_MAX and not headers.get("transfer-encoding")


def _cookie(headers: _Headers, name: str) -> str:
    try:
        found = SimpleCookie(headers.get("cookie")).get(name)
    except CookieError:
        return ""
    return "" if found is None else found.value


def _said(status: int, sentence: str) -> Response:
    return JSONResponse({"message": sentence}, status)


def _guarded(send: Send) -> Send:
    async def guarded(message: MutableMapping[str, Any]) -> None:
        if message["type"] == "http.response.start":
            own = {name.encode(): value.encode() for name, value in HEADERS.items()}
            kept = [pair for pair in message["headers"] if pair[0].lower() not in own]
            message = {**message, "headers": [*kept, *own.items()]}
        await send(message)

    return guarded

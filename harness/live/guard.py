"""Who may ask the page: this machine's browser on the page itself, and nobody through another page.

A WSGI middleware around all that is served, so that no route can escape it, known or not:

    Host                 is a name that the page was started under: no foreign name leads here (rebinding)
    Origin, Sec-Fetch-*  are the page's own, where a browser sends them
    a token              that only the page knows comes with all but the GET requests known to be harmless
    CORS headers         never leave
"""

from __future__ import annotations

import hmac
import secrets
from collections.abc import Callable, Collection, Iterable
from io import BytesIO
from typing import Any, TypeAlias
from urllib.parse import parse_qsl, urlencode

Environ: TypeAlias = dict[str, Any]
StartResponse: TypeAlias = Callable[..., Any]
Application: TypeAlias = Callable[[Environ, StartResponse], Iterable[bytes]]

TOKEN_HEADER = "X-Logquake-Token"  # noqa: S105 - the header's name, not the token
BODY_BYTES_MAX = 64 * 1024

_LOOPBACK = ("127.0.0.1", "localhost", "[::1]")
_UNSPECIFIED = frozenset({"0.0.0.0", "::", ""})  # noqa: S104 - not bound here: told apart from a name

# GET and HEAD requests that change nothing. What is not named here needs the token, whatever its method:
# a route that a later version adds is closed until somebody has looked at it.
READABLE = frozenset(
    {
        "/",
        "/chaos",
        "/chaos/state",
        "/chaos/page.css",
        "/chaos/page.js",
        "/chaos/tab.js",
        "/stats/requests",
        "/stats/requests/csv",
        "/stats/requests_full_history/csv",
        "/stats/failures/csv",
        "/stats/report",
        "/exceptions",
        "/exceptions/csv",
        "/tasks",
        "/logs",
    }
)
READABLE_BELOW = ("/assets/", "/chaos/snapshots/")

# The pages themselves: a link elsewhere may lead there.
_PAGES = frozenset({"/", "/chaos"})
# What of Locust's form a person may set. Its host would send the load elsewhere, and its other keys set
# options of Locust's.
_SWARM_KEYS = frozenset({"user_count", "spawn_rate", "run_time"})
_FORM = "application/x-www-form-urlencoded"
_CLOSED = {"/user": "The users are those of the plan; they cannot be changed here."}

_HEADERS = (
    ("X-Content-Type-Options", "nosniff"),
    ("X-Frame-Options", "DENY"),
    ("Referrer-Policy", "no-referrer"),
    ("Cross-Origin-Opener-Policy", "same-origin"),
    ("Cross-Origin-Resource-Policy", "same-origin"),
)
# For pages that bring no policy of their own: Locust's has a script within the page and styles by script.
_POLICY = (
    "default-src 'self'; script-src 'self' 'unsafe-inline'; style-src 'self' 'unsafe-inline'; "
    "img-src 'self' data:; object-src 'none'; base-uri 'none'; form-action 'self'; frame-ancestors 'none'"
)


def new_token() -> str:
    """Return a token for one page."""
    return secrets.token_urlsafe(32)


def allowed_hosts(bound_host: str, port: int, asked: Collection[str] = ()) -> frozenset[str]:
    """Return which `Host` headers belong to a page that listens there.

    Args:
        bound_host: the address it listens on; one that stands for all of them allows no name by itself.
        port: the port it listens on.
        asked: names that the person who started it gave beside.
    """
    names = {*_LOOPBACK, *asked, *({bound_host} - _UNSPECIFIED)}
    return frozenset(f"{_bracketed(name)}:{port}".lower() for name in names)


class Guard:
    """Lets through what the page itself asks.

    Args:
        application: all that is served.
        hosts: the `Host` headers that are the page's.
        token: what the page sends with everything that changes something.
    """

    def __init__(self, application: Application, hosts: frozenset[str], token: str) -> None:
        self._application = application
        self._hosts = hosts
        self._token = token

    def __call__(self, environ: Environ, start_response: StartResponse) -> Iterable[bytes]:
        """Serve one request, or refuse it with a sentence that says why."""
        refusal = self._refusal(environ)
        if refusal is not None:
            status, words = refusal
            return _refused(environ, start_response, status, words)
        if environ["PATH_INFO"] == "/swarm":
            _keep_harmless_keys(environ)
        return self._application(environ, _guarded(start_response))

    def _refusal(self, environ: Environ) -> tuple[str, str] | None:
        host = environ.get("HTTP_HOST", "").lower()
        if host not in self._hosts:
            known = " or ".join(sorted(self._hosts))
            return (
                "403 Forbidden",
                f"This page answers under {known}. To let another name in: --web-host NAME.",
            )
        if not self._is_own_origin(environ, host):
            return "403 Forbidden", "Another page asked for this; only the page itself may."
        if _length(environ) > BODY_BYTES_MAX or "HTTP_TRANSFER_ENCODING" in environ:
            return (
                "413 Content Too Large",
                f"A body has at most {BODY_BYTES_MAX:,} bytes and tells its length.",
            )
        if _is_harmless(environ):
            return None
        return self._why_not_changed(environ)

    def _is_own_origin(self, environ: Environ, host: str) -> bool:
        origin = environ.get("HTTP_ORIGIN")
        if origin is not None and origin.lower() != f"{environ.get('wsgi.url_scheme', 'http')}://{host}":
            return False
        site = environ.get("HTTP_SEC_FETCH_SITE", "same-origin")
        return site in {"same-origin", "none"} or _is_visit(environ)

    def _why_not_changed(self, environ: Environ) -> tuple[str, str] | None:
        """Say why a request may change nothing; None where it may."""
        is_own = "HTTP_ORIGIN" in environ or environ.get("HTTP_SEC_FETCH_SITE") == "same-origin"
        token = environ.get("HTTP_X_LOGQUAKE_TOKEN", "")
        if not is_own or not hmac.compare_digest(token.encode(), self._token.encode()):
            needed = f"its own Origin and its token in {TOKEN_HEADER}"
            return "403 Forbidden", f"Whatever may change something needs {needed}; the page sends both."
        path, method = environ["PATH_INFO"], environ["REQUEST_METHOD"]
        if method == "OPTIONS":
            return "405 Method Not Allowed", "No other page is let in, so there is nothing to ask beforehand."
        if path.rstrip("/") in _CLOSED:
            return "403 Forbidden", _CLOSED[path.rstrip("/")]
        if path.rstrip("/") == "/swarm" and _content_type(environ) != _FORM:
            return "415 Unsupported Media Type", f"This form is sent as {_FORM}."
        return None


def _is_harmless(environ: Environ) -> bool:
    path = environ["PATH_INFO"]
    if environ["REQUEST_METHOD"] not in {"GET", "HEAD"}:
        return False
    return path in READABLE or (path.startswith(READABLE_BELOW) and ".." not in path)


def _is_visit(environ: Environ) -> bool:
    """Return whether a person follows a link to one of the pages."""
    return (
        environ["REQUEST_METHOD"] == "GET"
        and environ["PATH_INFO"] in _PAGES
        and environ.get("HTTP_SEC_FETCH_MODE") == "navigate"
        and environ.get("HTTP_SEC_FETCH_DEST") == "document"
    )


def _keep_harmless_keys(environ: Environ) -> None:
    """Leave in Locust's form what a person may set: the host is the stack file's, whatever is sent."""
    body = environ["wsgi.input"].read(_length(environ))
    pairs = parse_qsl(body.decode("utf-8", "replace"), keep_blank_values=True)
    kept = urlencode([(key, value) for key, value in pairs if key in _SWARM_KEYS]).encode()
    environ["wsgi.input"] = BytesIO(kept)
    environ["CONTENT_LENGTH"] = str(len(kept))


def _guarded(start_response: StartResponse) -> StartResponse:
    """Return what sends an answer with our headers, and without any that lets another page in."""

    def start(status: str, headers: list[tuple[str, str]], *error: Any) -> Any:
        kept = [pair for pair in headers if not pair[0].lower().startswith("access-control-")]
        names = {name.lower() for name, _ in kept}
        added = [pair for pair in _HEADERS if pair[0].lower() not in names]
        if "content-security-policy" not in names:
            added.append(("Content-Security-Policy", _POLICY))
        return start_response(status, [*kept, *added], *error)

    return start


def _refused(environ: Environ, start_response: StartResponse, status: str, words: str) -> list[bytes]:
    body = f"{words}\n".encode()
    headers = [
        ("Content-Type", "text/plain; charset=utf-8"),
        ("Content-Length", str(len(body))),
        ("Content-Security-Policy", "default-src 'none'"),
        *_HEADERS,
    ]
    start_response(status, headers)
    return [] if environ["REQUEST_METHOD"] == "HEAD" else [body]


def _length(environ: Environ) -> int:
    """Return how long the body says it is; more than allowed where it does not say so in digits."""
    text = environ.get("CONTENT_LENGTH") or "0"
    return int(text) if text.isascii() and text.isdigit() and len(text) < 10 else BODY_BYTES_MAX + 1


def _content_type(environ: Environ) -> str:
    return str(environ.get("CONTENT_TYPE", "")).partition(";")[0].strip().lower()


def _bracketed(name: str) -> str:
    return f"[{name}]" if ":" in name and not name.startswith("[") else name

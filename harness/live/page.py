"""The page `/chaos` as a WSGI application: its files, its numbers, its wishes, its scorecards."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from importlib.resources import files
from typing import Any

import orjson

from harness.live.desk import Answer, Desk, read_wish
from harness.live.guard import Application, Environ, StartResponse

PATH = "/chaos"
_SNAPSHOTS = f"{PATH}/snapshots/"
_TOKEN = "LOGQUAKE-TOKEN"  # noqa: S105 - where the page's file has the token, not the token
_OVER = "LOGQUAKE-LOCUST"

# Nothing from elsewhere, no script and no style within the page: what a stack says can only be text.
_POLICY = (
    "default-src 'none'; script-src 'self'; style-src 'self'; connect-src 'self'; img-src 'self' data:; "
    "base-uri 'none'; form-action 'none'; frame-ancestors 'none'"
)
# A scorecard has its script and its style within it; its own policy names the script by its hash.
_SCORECARD_POLICY = (
    "default-src 'none'; script-src 'unsafe-inline'; style-src 'unsafe-inline'; base-uri 'none'; "
    "form-action 'none'; frame-ancestors 'none'"
)


class ChaosPage:
    """Serves `/chaos` and what lies below it.

    Args:
        desk: what is shown and asked.
        token: what the page sends with its wishes; the guard in front looks for it.
        beside_locust: whether Locust's own page lies at `/`.
    """

    def __init__(self, desk: Desk, token: str, *, beside_locust: bool) -> None:
        self._desk = desk
        html = _file("chaos.html").replace(_TOKEN, token)
        self._html = html.replace(_OVER, "" if beside_locust else "hidden")
        self._routes: Mapping[tuple[str, str], Callable[[Environ, StartResponse], list[bytes]]] = {
            ("GET", PATH): self._page,
            ("GET", f"{PATH}/state"): self._state,
            ("GET", f"{PATH}/page.css"): _own("chaos.css", "text/css"),
            ("GET", f"{PATH}/page.js"): _own("chaos.js", "text/javascript"),
            ("GET", f"{PATH}/tab.js"): _own("tab.js", "text/javascript"),
            ("POST", f"{PATH}/wish"): self._wish,
        }

    def __call__(self, environ: Environ, start_response: StartResponse) -> Iterable[bytes]:
        """Serve one request."""
        method, path = environ["REQUEST_METHOD"], environ["PATH_INFO"]
        method = "GET" if method == "HEAD" else method
        route = self._routes.get((method, path))
        if method == "GET" and path.startswith(_SNAPSHOTS):
            route = self._scorecard
        if route is None:
            return _answer(
                environ, start_response, "404 Not Found", b"There is nothing here.\n", "text/plain"
            )
        try:
            return route(environ, start_response)
        except OSError:
            return _gone(environ, start_response)

    def _page(self, environ: Environ, start_response: StartResponse) -> list[bytes]:
        return _answer(environ, start_response, "200 OK", self._html.encode(), "text/html")

    def _state(self, environ: Environ, start_response: StartResponse) -> list[bytes]:
        return _answer(environ, start_response, "200 OK", self._desk.shown(), "application/json")

    def _wish(self, environ: Environ, start_response: StartResponse) -> list[bytes]:
        try:
            wish = read_wish(environ["wsgi.input"].read(int(environ.get("CONTENT_LENGTH") or 0)))
        except ValueError as error:
            answer = Answer(False, str(error))
            return _answer(
                environ, start_response, "400 Bad Request", orjson.dumps(answer), "application/json"
            )
        answer = self._desk.ask(wish)
        status = "202 Accepted" if answer.taken else "409 Conflict"
        return _answer(environ, start_response, status, orjson.dumps(answer), "application/json")

    def _scorecard(self, environ: Environ, start_response: StartResponse) -> list[bytes]:
        word = environ["PATH_INFO"].removeprefix(_SNAPSHOTS)
        is_number = word.isascii() and word.isdigit() and len(word) < 6
        html = self._desk.scorecard(int(word)) if is_number else None
        if html is None:
            body = b"There is no snapshot of that number.\n"
            return _answer(environ, start_response, "404 Not Found", body, "text/plain")
        return _answer(environ, start_response, "200 OK", html.encode(), "text/html", _SCORECARD_POLICY)


def beside(application: Application, page: Application, token: str) -> Application:
    """Return one application of two: `/chaos` and what lies below it is the page's.

    Args:
        application: everything else: Locust's, whose page gets the way to `/chaos`.
        page: the page.
        token: what Locust's page sends with its requests, too.
    """
    script = f'<meta name="logquake-token" content="{token}"><script src="{PATH}/tab.js"></script>'.encode()

    def both(environ: Environ, start_response: StartResponse) -> Iterable[bytes]:
        path = environ["PATH_INFO"]
        if path == PATH or path.startswith(f"{PATH}/"):
            return page(environ, start_response)
        if path != "/" or environ["REQUEST_METHOD"] != "GET":
            return application(environ, start_response)
        return _with_script(application, environ, start_response, script)

    return both


def _with_script(
    application: Application, environ: Environ, start_response: StartResponse, script: bytes
) -> list[bytes]:
    began: list[Any] = []

    def start(status: str, headers: list[tuple[str, str]], *_error: Any) -> None:
        began[:] = [status, headers]

    body = b"".join(application(environ, start))
    status, headers = began
    if any(name.lower() == "content-type" and "text/html" in value for name, value in headers):
        body = body.replace(b"<head>", b"<head>" + script, 1)
        headers = [pair for pair in headers if pair[0].lower() not in {"content-length", "etag"}]
        headers.append(("Content-Length", str(len(body))))
    start_response(status, headers)
    return [body]


def _own(name: str, content_type: str) -> Callable[[Environ, StartResponse], list[bytes]]:
    body = _file(name).encode()
    return lambda environ, start_response: _answer(environ, start_response, "200 OK", body, content_type)


def _file(name: str) -> str:
    return files("harness.live").joinpath(name).read_text(encoding="utf-8")


def _gone(environ: Environ, start_response: StartResponse) -> list[bytes]:
    return _answer(environ, start_response, "503 Service Unavailable", b"The run is over.\n", "text/plain")


def _answer(
    environ: Environ,
    start_response: StartResponse,
    status: str,
    body: bytes,
    content_type: str,
    policy: str = _POLICY,
) -> list[bytes]:
    headers = [
        ("Content-Type", f"{content_type}; charset=utf-8"),
        ("Content-Length", str(len(body))),
        ("Content-Security-Policy", policy),
        ("Cache-Control", "no-store"),
    ]
    start_response(status, headers)
    return [] if environ["REQUEST_METHOD"] == "HEAD" else [body]

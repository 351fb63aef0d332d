"""The console's routes: the page and its files, what it shows as a stream, lines, and a person's answers.

| route | what it is |
| --- | --- |
| `GET /` | the page; the same for everybody, without data |
| `GET /stream?span=1h` | what it shows, by server-sent events: each panel at once, then whatever changes |
| `GET /panels?span=1h` | the same once, as JSON |
| `GET /lines?query=…&since=…&until=…` | lines that fit, times in milliseconds since 1970 |
| `POST /answer` | `{"run": …, "say": "approve" or "reject"}` |
| `GET`, `POST /sign-in`, `POST /sign-out` | where tokens are asked for |
| `GET /healthz` | it runs |

https://html.spec.whatwg.org/multipage/server-sent-events.html
"""

from __future__ import annotations

import asyncio
import getpass
import html
import time
from collections.abc import AsyncIterator, Mapping
from dataclasses import dataclass, field
from importlib.resources import files
from typing import Any, Protocol
from urllib.parse import parse_qs

import orjson
from starlette.applications import Starlette
from starlette.requests import ClientDisconnect, Request
from starlette.responses import RedirectResponse, Response, StreamingResponse
from starlette.routing import Route
from starlette.types import Receive, Scope, Send

from logging_system.console.board import Board, Page, PanelError, Shown
from logging_system.console.guard import BODY_BYTES_MAX, SIGN_IN
from logging_system.console.proposals import RefusedError
from logging_system.console.sessions import SESSION_SECONDS_MAX, Sessions

HEARTBEAT_SECONDS = 10.0
GATHER_SECONDS = 0.15
"""How long changes are gathered before a page is told: panels that are read together come together."""
QUERIES_AT_ONCE_MAX = 2
QUERIES_WAITING_MAX = 12
_FIRST_ANSWER_SECONDS_MAX = 5.0
_BODY_SECONDS_MAX = 10.0
_WRONG_TOKEN_SECONDS = 0.5
_TYPES = {"css": "text/css", "js": "text/javascript", "svg": "image/svg+xml"}
_FILES = frozenset(
    {"charts.js", "console.css", "console.js", "elements.js", "icon.svg", "lines.js", "panels.js"}
)


class FindsLines(Protocol):
    """Finds stored lines; see `Stored.lines`."""

    def lines(self, query: str, since_ms: int, until_ms: int, namespace: str = "") -> dict[str, Any]:
        """Return the newest lines that fit.

        Args:
            query: As a person types it.
            since_ms: The beginning, milliseconds since 1970.
            until_ms: The end.
            namespace: Only of this one; empty for all that the console may show.
        """
        ...


class TakesAnswers(Protocol):
    """Takes what a person says of a workflow; see `Proposals.answer`."""

    def answer(self, run_id: str, say: str, author: str) -> str:
        """Say something of a run.

        Args:
            run_id: Which.
            say: `approve` or `reject`.
            author: Who says it.

        Returns:
            What became of it, in a sentence.
        """
        ...


@dataclass(slots=True)
class Console:
    """What the routes share.

    Attributes:
        board: What is shown.
        lines: Finds lines; None where there is no store.
        proposals: Takes answers.
        sessions: Who signed in.
        about: What the page says of itself once: service, masking, stretches of time.
        is_tls: Whether cookies go over TLS only.
    """

    board: Board
    lines: FindsLines | None
    proposals: TakesAnswers
    sessions: Sessions
    about: Mapping[str, Any]
    is_tls: bool = False
    _asking: asyncio.Semaphore = field(default_factory=lambda: asyncio.Semaphore(QUERIES_AT_ONCE_MAX))
    _waiting: int = 0

    def routes(self) -> Starlette:
        """Return the application to serve behind the guard."""
        return Starlette(
            routes=[
                Route("/", self._page, methods=["GET"]),
                Route("/static/{name}", self._file, methods=["GET"]),
                Route("/stream", self._stream, methods=["GET"]),
                Route("/panels", self._panels, methods=["GET"]),
                Route("/lines", self._lines, methods=["GET"]),
                Route("/answer", self._answer, methods=["POST"]),
                Route(SIGN_IN, self._sign_in_page, methods=["GET"]),
                Route(SIGN_IN, self._sign_in, methods=["POST"]),
                Route("/sign-out", self._sign_out, methods=["POST"]),
                Route("/healthz", self._healthy, methods=["GET"]),
            ],
            exception_handlers={Exception: _broken},
        )

    async def _page(self, request: Request) -> Response:
        about = orjson.dumps({**self.about, "asks_for_tokens": self.sessions.asks_for_tokens}).decode()
        return _html(
            _text_of("console.html")
            .replace("{{csrf}}", html.escape(request.scope["csrf"]))
            .replace("{{about}}", html.escape(about))
        )

    async def _file(self, request: Request) -> Response:
        name = request.path_params["name"]
        if name not in _FILES:
            return _json(404, {"message": "There is no such file."})
        return Response(_text_of(name), media_type=_TYPES[name.rpartition(".")[2]])

    async def _healthy(self, _request: Request) -> Response:
        return _json(200, {"healthy": True})

    async def _panels(self, request: Request) -> Response:
        span = request.query_params.get("span", self.board.windows[0])
        if span not in self.board.windows:
            return _json(400, {"message": f"span is one of {', '.join(self.board.windows)}."})
        keys = self.board.keys_of(span)
        until_seconds = time.monotonic() + _FIRST_ANSWER_SECONDS_MAX
        with self.board.opened(span) as page:  # somebody looks: what is old is asked again
            # A stretch of time that nobody looked at is asked for while a page shows it.
            while page is not None and not page.is_over and time.monotonic() < until_seconds:
                if all(self.board.shown(key)[1] != Shown() for key in keys):
                    break
                await page.wait(0.2)
        return _json(200, {"panels": [_content(self.board, key) for key in keys]})

    async def _stream(self, request: Request) -> Response:
        span = request.query_params.get("span", self.board.windows[0])
        if span not in self.board.windows:
            return _json(400, {"message": f"span is one of {', '.join(self.board.windows)}."})
        return _Opening(self, span)

    async def events(self, page: Page, request: Request) -> AsyncIterator[bytes]:
        """Yield what a page is told, as server-sent events.

        Args:
            page: An open page.
            request: By whom it was opened.
        """
        cookie = request.cookies.get(self.sessions.cookie, "")
        authorization = request.headers.get("authorization", "")
        yield b"retry: 2000\n\n"
        # Until the page is closed, which ends this, or whoever opened it signed out, or lost their token.
        while not page.is_over and self.sessions.may_read(cookie, authorization):
            changed = await page.wait(HEARTBEAT_SECONDS)
            if not changed:
                yield b"event: still\ndata: {}\n\n"
                continue
            for key in changed:
                yield b"event: panel\ndata: %b\n\n" % orjson.dumps(_content(self.board, key))
            await asyncio.sleep(GATHER_SECONDS)

    async def _lines(self, request: Request) -> Response:
        finder = self.lines
        if finder is None:
            return _json(404, {"message": "No store is named: start the console with --elasticsearch URL."})
        asked = request.query_params
        try:
            since_ms, until_ms = (_whole(asked.get(name, ""), name) for name in ("since", "until"))
        except ValueError as error:
            return _json(400, {"message": str(error)})
        if self._waiting >= QUERIES_WAITING_MAX:
            return _json(503, {"message": "Too many questions wait for the store; ask again in a moment."})
        self._waiting += 1
        try:
            async with self._asking:
                query, namespace = asked.get("query", ""), asked.get("namespace", "")
                found = await self.board.run(
                    lambda: finder.lines(query, since_ms, until_ms, namespace), asks_store=True
                )
        except PanelError as error:
            return _json(503, {"message": str(error)})
        except ValueError as error:
            return _json(400, {"message": str(error)})
        finally:
            self._waiting -= 1
        return _json(200, found)

    async def _answer(self, request: Request) -> Response:
        try:
            wish = orjson.loads(await _body(request))
            run_id, say = wish["run"], wish["say"]
        except (orjson.JSONDecodeError, KeyError, TypeError):
            run_id = say = None
        except (TimeoutError, ClientDisconnect, ValueError) as error:
            return _json(400, {"message": str(error) or "The body did not arrive in time."})
        if not isinstance(run_id, str) or not isinstance(say, str):
            return _json(400, {"message": 'Send {"run": "…", "say": "approve"}, or "reject".'})
        author = f"{_user()} (console)"
        try:
            sentence = await self.board.run(lambda: self.proposals.answer(run_id, say, author))
        except RefusedError as error:
            return _json(409, {"message": str(error)})
        except PanelError as error:
            return _json(503, {"message": str(error)})
        finally:
            self.board.ask_soon("workflows")
        return _json(200, {"message": sentence})

    async def _sign_in_page(self, _request: Request) -> Response:
        if not self.sessions.asks_for_tokens:
            return RedirectResponse("/", 303)
        return _html(_text_of("sign-in.html").replace("{{trouble}}", ""))

    async def _sign_in(self, request: Request) -> Response:
        if not request.headers.get("origin"):
            return _json(403, {"message": "A sign-in comes from the console's own page."})
        try:
            form = parse_qs((await _body(request)).decode("utf-8", "replace"), max_num_fields=4)
        except (TimeoutError, ClientDisconnect, ValueError):
            form = {}
        session = self.sessions.begin(form.get("token", [""])[0].strip())
        if session is None:
            await asyncio.sleep(_WRONG_TOKEN_SECONDS)
            trouble = "This token is not known. It is a line of the file that console_token_file names."
            return _html(_text_of("sign-in.html").replace("{{trouble}}", html.escape(trouble)), 401)
        answer = RedirectResponse("/", 303)
        answer.set_cookie(
            self.sessions.cookie,
            session,
            max_age=int(SESSION_SECONDS_MAX),
            httponly=True,
            samesite="strict",
            secure=self.is_tls,
        )
        return answer

    async def _sign_out(self, request: Request) -> Response:
        self.sessions.end(request.cookies.get(self.sessions.cookie, ""))
        answer = _json(200, {"message": "Signed out."})
        answer.delete_cookie(self.sessions.cookie, httponly=True, samesite="strict", secure=self.is_tls)
        return answer


class _Opening(Response):
    """A stream that holds its page for just as long as it is sent, or says that there are too many.

    Between a look for room and the stream's first byte other pages may open: so one step does both.
    """

    def __init__(self, console: Console, span: str) -> None:
        super().__init__()
        self._console = console
        self._span = span

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        with self._console.board.opened(self._span) as page:
            if page is None:
                refusal = "Too many pages are open; close one, or raise console_pages_max."
                await _json(503, {"message": refusal})(scope, receive, send)
                return
            events = self._console.events(page, Request(scope))
            await StreamingResponse(events, media_type="text/event-stream")(scope, receive, send)


async def _broken(_request: Request, _error: Exception) -> Response:
    return _json(500, {"message": "This part of the console failed; its log says how."})


def _content(board: Board, key: str) -> dict[str, Any]:
    panel, shown = board.shown(key)
    return {
        "name": panel.name,
        "span": panel.window,
        "content": shown.content,
        "answered_ms": round(shown.answered_seconds * 1000),
        "now_ms": round(time.time() * 1000),
        "trouble": shown.trouble,
        "since_ms": round(shown.since_seconds * 1000),
        "is_waiting": shown == Shown(),
    }


async def _body(request: Request) -> bytes:
    """Return a body; the guard has refused one that says it is longer than allowed.

    Raises:
        ValueError: It is longer than it said.
        TimeoutError: It did not arrive in time.
    """
    body = bytearray()
    async with asyncio.timeout(_BODY_SECONDS_MAX):
        async for part in request.stream():
            body += part
            if len(body) > BODY_BYTES_MAX:
                raise ValueError(f"A body has at most {BODY_BYTES_MAX:,} bytes.")
    return bytes(body)


def _whole(text: str, name: str) -> int:
    if not text.isascii() or not text.isdecimal() or len(text) > 15:
        raise ValueError(f"{name} is a time in milliseconds since 1970.")
    return int(text)


def _user() -> str:
    try:
        return getpass.getuser()
    except (KeyError, OSError):
        return "somebody"


def _text_of(name: str) -> str:
    return (files("logging_system.console") / "static" / name).read_text("utf-8")


def _html(text: str, status: int = 200) -> Response:
    return Response(text, status, media_type="text/html")


def _json(status: int, content: object) -> Response:
    return Response(orjson.dumps(content), status, media_type="application/json")

from __future__ import annotations

import asyncio
import itertools
import threading
from pathlib import Path
from typing import Any

import orjson
import pytest

from logging_system.console.application import QUERIES_WAITING_MAX, Console
from logging_system.console.board import Board, Panel, PanelError
from logging_system.console.guard import BODY_BYTES_MAX, CSRF_HEADER, Guard, hosts_of
from logging_system.console.proposals import RefusedError
from logging_system.console.sessions import Sessions
from logging_system.gateway.tokens import Tokens
from tests.unit.logging_system.console.asked import Answer, asked

OWN = {"Host": "127.0.0.1:8710"}
ORIGIN = {**OWN, "Origin": "http://127.0.0.1:8710"}


class Lines:
    def __init__(self, trouble: Exception | None = None) -> None:
        self.trouble = trouble
        self.asked: list[tuple[Any, ...]] = []
        self.free = threading.Event()
        self.free.set()

    def lines(self, *given: Any) -> dict[str, Any]:
        self.asked.append(given)
        self.free.wait(10)
        if self.trouble is not None:
            raise self.trouble
        return {"lines": []}


class Answers:
    def __init__(self, trouble: Exception | None = None) -> None:
        self.trouble = trouble
        self.said: list[tuple[str, str]] = []

    def answer(self, run_id: str, say: str, author: str) -> str:
        assert author.endswith("(console)")
        self.said.append((run_id, say))
        if self.trouble is not None:
            raise self.trouble
        return "Approved."


def console_of(
    lines: Lines | None = None, answers: Answers | None = None, sessions: Sessions | None = None
) -> Console:
    board = Board([Panel("keys", lambda: {}, 60.0)], ("1h", "7d"), pages_max=1)
    return Console(
        board, lines, answers or Answers(), sessions or Sessions(None, 8710), {"service": "</meta>"}
    )


def ask(
    console: Console, method: str, path: str, headers: dict[str, str], body: bytes = b"", query: str = ""
) -> Answer:
    guard = Guard(console.routes(), hosts_of("127.0.0.1", 8710), console.sessions)
    return asyncio.run(asked(guard, method, path, headers, body, query))


def test_the_page_has_no_script_or_style_of_its_own_and_escapes_what_it_says_of_itself() -> None:
    console = console_of()
    page = ask(console, "GET", "/", OWN).body.decode()

    assert "</meta>" not in page
    assert "&lt;/meta&gt;" in page
    assert page.count("<script") == 1
    assert '<script type="module" src="/static/console.js">' in page
    assert "<style" not in page
    assert "style=" not in page
    assert f'content="{console.sessions.csrf("")}"' in page


@pytest.mark.parametrize("name", ["console.css", "console.js", "charts.js", "panels.js", "icon.svg"])
def test_the_page_files_name_no_other_place(name: str) -> None:
    answer = ask(console_of(), "GET", f"/static/{name}", OWN)
    places = (
        answer.body.decode().replace("http://www.w3.org/2000/svg", "").replace("https://www.unicode.org", "")
    )

    assert answer.status == 200
    assert "http:" not in places
    assert "https:" not in places
    assert "innerHTML" not in places


@pytest.mark.parametrize(
    "path", ["/static/console.html", "/static/..%2fguard.py", "/static/guard.py", "/nothing"]
)
def test_nothing_else_is_served(path: str) -> None:
    assert ask(console_of(), "GET", path, OWN).status == 404


@pytest.mark.parametrize(
    ("query", "status"),
    [
        ("since=1&until=2", 200),
        ("since=1", 400),
        ("since=-1&until=2", 400),
        ("since=1e3&until=2", 400),
        ("since=\u0661&until=2", 400),
        ("since=1&until=9999999999999999", 400),
    ],
)
def test_times_of_lines_are_milliseconds(query: str, status: int) -> None:
    assert ask(console_of(Lines()), "GET", "/lines", OWN, query=query).status == status


@pytest.mark.parametrize(
    ("trouble", "status"), [(PanelError("the store is down"), 503), (ValueError("no query"), 400)]
)
def test_what_the_store_or_a_query_lacks_is_said(trouble: Exception, status: int) -> None:
    answer = ask(console_of(Lines(trouble)), "GET", "/lines", OWN, query="since=1&until=2")

    assert (answer.status, answer.json) == (status, {"message": str(trouble)})


def test_without_a_store_there_are_no_lines() -> None:
    answer = ask(console_of(), "GET", "/lines", OWN, query="since=1&until=2")

    assert answer.status == 404
    assert "--elasticsearch" in answer.json["message"]


def test_no_more_questions_wait_than_the_bound_and_few_are_asked_at_once() -> None:
    lines = Lines()
    lines.free.clear()
    console = console_of(lines)
    guard = Guard(console.routes(), hosts_of("127.0.0.1", 8710), console.sessions)

    async def run() -> list[int]:
        one = [
            asyncio.create_task(asked(guard, "GET", "/lines", OWN, query="since=1&until=2"))
            for _ in range(QUERIES_WAITING_MAX + 3)
        ]
        await asyncio.sleep(0.2)
        at_once.append(len(lines.asked))
        lines.free.set()
        return [each.status for each in await asyncio.gather(*one)]

    at_once: list[int] = []
    statuses = asyncio.run(run())

    assert at_once == [2]
    assert sorted(statuses) == [200] * QUERIES_WAITING_MAX + [503] * 3


@pytest.mark.parametrize(
    ("body", "status"),
    [
        (b'{"run":"r1","say":"approve"}', 200),
        (b"", 400),
        (b"[]", 400),
        (b"[1,2]", 400),
        (b'"run"', 400),
        (b'{"run":"r1"}', 400),
        (b'{"run":1,"say":"approve"}', 400),
        (b"{" * 500, 400),
        (b" " * (BODY_BYTES_MAX + 1), 400),  # longer than it said, which the guard cannot know
    ],
)
def test_an_answer_names_a_run_and_what_is_said(body: bytes, status: int) -> None:
    answers = Answers()
    console = console_of(answers=answers)
    word = console.sessions.csrf("") or ""
    answer = ask(console, "POST", "/answer", {**ORIGIN, CSRF_HEADER: word}, body)

    assert answer.status == status, answer.body
    assert answers.said == ([("r1", "approve")] if status == 200 else [])


@pytest.mark.parametrize(
    ("trouble", "status"), [(RefusedError("it is done already"), 409), (PanelError("disk full"), 503)]
)
def test_an_answer_that_is_of_no_use_is_said(trouble: Exception, status: int) -> None:
    console = console_of(answers=Answers(trouble))
    headers = {**ORIGIN, CSRF_HEADER: console.sessions.csrf("") or ""}
    answer = ask(console, "POST", "/answer", headers, orjson.dumps({"run": "r1", "say": "reject"}))

    assert (answer.status, answer.json) == (status, {"message": str(trouble)})


def test_a_stream_begins_with_every_panel_and_too_many_pages_are_refused() -> None:
    console = console_of()
    guard = Guard(console.routes(), hosts_of("127.0.0.1", 8710), console.sessions)

    async def run() -> tuple[Answer, Answer, Answer]:
        console.board.start()
        async with asyncio.timeout(30):
            while console.board.shown("keys")[1].content is None:
                await asyncio.sleep(0.01)
        first = asyncio.create_task(asked(guard, "GET", "/stream", OWN, query="span=7d"))
        async with asyncio.timeout(30):
            while not console.board.is_full:
                await asyncio.sleep(0.01)
        for _ in range(20):  # turns of the loop: on a busy machine one may take longer than all of them
            await asyncio.sleep(0.003)
        second = await asked(guard, "GET", "/stream", OWN)
        third = await asked(guard, "GET", "/stream", OWN, query="span=2y")
        await console.board.close()
        return await first, second, third

    first, second, third = asyncio.run(run())

    assert (second.status, third.status) == (503, 400)
    assert first.headers["content-type"].startswith("text/event-stream")
    events = first.body.decode().split("\n\n")
    assert events[0] == "retry: 2000"
    told = orjson.loads(events[-2].removeprefix("event: panel\ndata: "))
    assert (told["name"], told["content"], told["trouble"]) == ("keys", {}, "")


def test_a_sign_in_needs_the_own_page_and_gives_a_cookie_that_no_script_reads(tmp_path: Path) -> None:
    file = tmp_path / "tokens"
    file.write_text("a-token-of-the-team-0123\n")
    file.chmod(0o600)
    console = console_of(sessions=Sessions(Tokens(file), 8710))
    console.is_tls = True
    form = b"token=a-token-of-the-team-0123"

    assert ask(console, "POST", "/sign-in", OWN, form).status == 403
    wrong = ask(console, "POST", "/sign-in", ORIGIN, b"token=%3Cscript%3E")
    assert (wrong.status, "set-cookie" in wrong.headers) == (401, False)
    assert b"<script>" not in wrong.body
    right = ask(console, "POST", "/sign-in", ORIGIN, form)
    assert (right.status, right.headers["location"]) == (303, "/")
    words = {each.strip().lower() for each in right.headers["set-cookie"].split(";")[1:]}
    assert {"httponly", "samesite=strict", "secure", "path=/"} <= words


def test_a_stream_ends_when_whoever_opened_it_loses_their_token_or_signs_out(tmp_path: Path) -> None:
    file = tmp_path / "tokens"
    file.write_text("a-token-of-the-team-0123\na-token-of-a-program-99\n")
    file.chmod(0o600)
    sessions = Sessions(Tokens(file), 8710)
    readings = itertools.count()
    board = Board([Panel("keys", lambda: {"n": next(readings)}, 0.01)], ("1h",), pages_max=3)
    console = Console(board, None, Answers(), sessions, {})
    guard = Guard(console.routes(), hosts_of("127.0.0.1", 8710), sessions)

    async def run() -> tuple[list[bool], list[int]]:
        first, second = (sessions.begin("a-token-of-the-team-0123") or "" for _ in range(2))
        whose = [{"Cookie": f"{sessions.cookie}={each}"} for each in (first, second)]
        whose.append({"Authorization": "Bearer a-token-of-a-program-99"})
        board.start()
        streams = [asyncio.create_task(asked(guard, "GET", "/stream", {**OWN, **each})) for each in whose]
        await asyncio.sleep(0.3)
        open_before = [not each.done() for each in streams]
        sessions.end(first)
        file.write_text("another-token-altogether\n")
        answers = await asyncio.wait_for(asyncio.gather(*streams), 30)
        await board.close()
        return open_before, [each.status for each in answers]

    assert asyncio.run(run()) == ([True] * 3, [200] * 3)


def test_a_stretch_of_time_that_nobody_looks_at_is_asked_for_once_a_program_wants_it() -> None:
    board = Board([Panel("rates", lambda: {"count": 3}, 60.0, "7d")], ("1h", "7d"), pages_max=1)
    console = Console(board, None, Answers(), Sessions(None, 8710), {})
    guard = Guard(console.routes(), hosts_of("127.0.0.1", 8710), console.sessions)

    async def run() -> Answer:
        board.start()
        await asyncio.sleep(0.01)
        answer = await asked(guard, "GET", "/panels", OWN, query="span=7d")
        await board.close()
        return answer

    assert [each["content"] for each in asyncio.run(run()).json["panels"]] == [{"count": 3}]


def test_what_breaks_is_told_in_a_sentence_and_not_how() -> None:
    console = console_of(Lines(KeyError("secret detail")))
    guard = Guard(console.routes(), hosts_of("127.0.0.1", 8710), console.sessions)
    told: list[dict[str, Any]] = []

    async def send(message: Any) -> None:
        told.append(message)

    async def run() -> None:
        scope = {
            **{"type": "http", "http_version": "1.1", "method": "GET", "scheme": "http", "path": "/lines"},
            **{"raw_path": b"/lines", "root_path": "", "query_string": b"since=1&until=2"},
            **{"headers": [(b"host", b"127.0.0.1:8710")], "server": ("127.0.0.1", 8710), "client": None},
        }
        with pytest.raises(KeyError):  # the server logs it
            await guard(scope, lambda: asyncio.sleep(60), send)  # type: ignore[arg-type,return-value]

    asyncio.run(run())

    assert told[0]["status"] == 500
    assert (b"x-content-type-options", b"nosniff") in told[0]["headers"]
    assert orjson.loads(told[1]["body"]) == {"message": "This part of the console failed; its log says how."}

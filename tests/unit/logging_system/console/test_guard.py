from __future__ import annotations

import asyncio
from pathlib import Path
from typing import Any

import pytest
from starlette.responses import PlainTextResponse

from logging_system.console.guard import BODY_BYTES_MAX, CSRF_HEADER, Guard, hosts_of
from logging_system.console.sessions import SESSION_SECONDS_MAX, SESSIONS_MAX, Sessions
from logging_system.gateway.tokens import Tokens
from tests.unit.logging_system.console.asked import Answer, asked

OWN = {"Host": "127.0.0.1:8710"}
ORIGIN = {**OWN, "Origin": "http://127.0.0.1:8710", "Sec-Fetch-Site": "same-origin"}
TOKEN = "a-token-of-the-team-0123"  # noqa: S105 - of this test


async def application(scope: Any, receive: Any, send: Any) -> None:
    await PlainTextResponse("served", headers={"Access-Control-X": "1"})(scope, receive, send)


@pytest.fixture
def tokens(tmp_path: Path) -> Tokens:
    file = tmp_path / "tokens"
    file.write_text(f"{TOKEN}\n")
    file.chmod(0o600)
    return Tokens(file)


def ask(sessions: Sessions, method: str, path: str, headers: dict[str, str], body: bytes = b"") -> Answer:
    guard = Guard(application, hosts_of("127.0.0.1", 8710, ["console.test", "proxied.test:443"]), sessions)
    return asyncio.run(asked(guard, method, path, headers, body))


@pytest.mark.parametrize(
    ("host", "status"),
    [
        ("127.0.0.1:8710", 200),
        ("LOCALHOST:8710", 200),
        ("[::1]:8710", 200),
        ("console.test", 200),
        ("console.test:8710", 200),
        ("proxied.test:443", 200),
        ("proxied.test", 421),
        ("127.0.0.1", 421),
        ("127.0.0.1:80", 421),
        ("evil.test:8710", 421),
        ("127.0.0.1:8710.evil.test", 421),
        ("", 421),
    ],
)
def test_only_the_names_of_the_console_lead_to_it(host: str, status: int) -> None:
    assert ask(Sessions(None, 8710), "GET", "/", {"Host": host}).status == status


def test_a_console_on_all_addresses_has_no_name_by_that() -> None:
    assert hosts_of("::", 1) == {"127.0.0.1:1", "localhost:1", "[::1]:1"}
    assert "[fd00::1]:1" in hosts_of("fd00::1", 1)


@pytest.mark.parametrize(
    ("headers", "status"),
    [
        ({"Origin": "http://evil.test"}, 403),
        ({"Origin": "null"}, 403),
        ({"Origin": "http://127.0.0.1:9999"}, 403),
        ({"Origin": "https://127.0.0.1:8710"}, 200),
        ({"Sec-Fetch-Site": "cross-site"}, 403),
        ({"Sec-Fetch-Site": "same-site"}, 403),
        ({"Sec-Fetch-Site": "cross-site", "Sec-Fetch-Mode": "navigate", "Sec-Fetch-Dest": "document"}, 403),
        ({"Sec-Fetch-Site": "cross-site", "Sec-Fetch-Mode": "no-cors", "Sec-Fetch-Dest": "script"}, 403),
        ({"Sec-Fetch-Site": "none"}, 200),
    ],
)
def test_another_page_gets_nothing_that_is_shown(headers: dict[str, str], status: int) -> None:
    assert ask(Sessions(None, 8710), "GET", "/panels", {**OWN, **headers}).status == status


def test_a_link_elsewhere_may_lead_to_the_page_and_not_into_a_frame() -> None:
    visit = {
        **OWN,
        "Sec-Fetch-Site": "cross-site",
        "Sec-Fetch-Mode": "navigate",
        "Sec-Fetch-Dest": "document",
    }
    sessions = Sessions(None, 8710)

    assert ask(sessions, "GET", "/", visit).status == 200
    assert ask(sessions, "GET", "/", {**visit, "Sec-Fetch-Dest": "iframe"}).status == 403
    assert ask(sessions, "POST", "/", visit).status == 403


def test_what_changes_something_needs_origin_and_the_word_of_the_session() -> None:
    sessions = Sessions(None, 8710)
    word = sessions.csrf("")
    assert word is not None

    assert ask(sessions, "POST", "/answer", {**ORIGIN, CSRF_HEADER: word}).status == 200
    assert ask(sessions, "POST", "/answer", {**OWN, CSRF_HEADER: word}).status == 403
    assert ask(sessions, "POST", "/answer", ORIGIN).status == 403
    assert ask(sessions, "POST", "/answer", {**ORIGIN, CSRF_HEADER: word[:-1]}).status == 403
    assert ask(sessions, "POST", "/answer", {**ORIGIN, CSRF_HEADER: "\xe9"}).status == 403


@pytest.mark.parametrize("method", ["PUT", "DELETE", "OPTIONS", "TRACE", "PATCH"])
def test_no_other_method_is_served(method: str) -> None:
    assert ask(Sessions(None, 8710), method, "/", OWN).status == 405


@pytest.mark.parametrize(
    ("headers", "status"),
    [
        ({"Content-Length": str(BODY_BYTES_MAX)}, 403),  # may come, and has no word
        ({"Content-Length": str(BODY_BYTES_MAX + 1)}, 413),
        ({"Content-Length": "9" * 30}, 413),
        ({"Content-Length": "-1"}, 413),
        ({"Transfer-Encoding": "chunked"}, 413),
    ],
)
def test_a_body_says_how_long_it_is_and_is_short(headers: dict[str, str], status: int) -> None:
    assert ask(Sessions(None, 8710), "POST", "/answer", {**ORIGIN, **headers}).status == status


def test_without_a_session_there_is_the_door_alone(tokens: Tokens) -> None:
    sessions = Sessions(tokens, 8710)
    session = sessions.begin(TOKEN)
    assert session is not None

    assert ask(sessions, "GET", "/panels", OWN).status == 401
    assert ask(sessions, "GET", "/", OWN).headers["location"] == "/sign-in"
    assert ask(sessions, "GET", "/sign-in", OWN).status == 200
    assert ask(sessions, "GET", "/static/console.js", OWN).status == 401
    with_cookie = {**OWN, "Cookie": f"{sessions.cookie}={session}"}
    assert ask(sessions, "GET", "/panels", with_cookie).status == 200
    assert (
        ask(sessions, "GET", "/panels", {**OWN, "Cookie": f"{sessions.cookie}={session[:-1]}"}).status == 401
    )
    assert ask(sessions, "GET", "/panels", {**OWN, "Cookie": "\x01=;;"}).status == 401
    assert ask(sessions, "POST", "/answer", {**ORIGIN, **with_cookie}).status == 403


def test_a_program_reads_by_its_token_and_changes_nothing(tokens: Tokens) -> None:
    sessions = Sessions(tokens, 8710)
    program = {**OWN, "Authorization": f"Bearer {TOKEN}"}

    assert ask(sessions, "GET", "/panels", program).status == 200
    assert ask(sessions, "POST", "/answer", {**ORIGIN, **program}).status == 401
    assert ask(sessions, "GET", "/panels", {**OWN, "Authorization": "Bearer x"}).status == 401


def test_every_answer_forbids_foreign_sources_frames_and_scripts_within_the_page(tokens: Tokens) -> None:
    for answer in (
        ask(Sessions(None, 8710), "GET", "/", OWN),
        ask(Sessions(None, 8710), "GET", "/", {"Host": "evil.test"}),
        ask(Sessions(tokens, 8710), "GET", "/panels", OWN),
    ):
        policy = answer.headers["content-security-policy"]
        assert "default-src 'none'" in policy
        assert "unsafe" not in policy
        assert "http" not in policy
        assert "frame-ancestors 'none'" in policy
        assert answer.headers["x-content-type-options"] == "nosniff"
        assert answer.headers["cache-control"] == "no-store"


def test_a_session_ends_by_itself_by_hand_and_for_newer_ones(tokens: Tokens) -> None:
    now = 1_000.0
    sessions = Sessions(tokens, 8710, clock=lambda: now)
    first, second = sessions.begin(TOKEN), sessions.begin(TOKEN)
    assert first is not None
    assert second is not None

    assert sessions.csrf(first) != sessions.csrf(second)
    assert sessions.begin("wrong") is None
    sessions.end(first)
    assert sessions.csrf(first) is None
    now += SESSION_SECONDS_MAX
    assert sessions.csrf(second) is None
    third = sessions.begin(TOKEN)
    assert third is not None
    for _ in range(SESSIONS_MAX):
        sessions.begin(TOKEN)
    assert sessions.csrf(third) is None

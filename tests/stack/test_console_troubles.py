"""The console as a process before a store that answers nonsense, and before browsers that want too much."""

from __future__ import annotations

import json
import re
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import ExitStack
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import pytest
import requests

from tests.stack.processes import WAIT_SECONDS, kill, ready_line, started
from tests.stack.troubled_store import PIECE, TroubledStore, troubled_store

PAGES_MAX = 20
STORE_SECONDS_MAX = 2
CANARY = "<script>alert(1)</script>"
NO_OBJECT = "without a JSON object; is it Elasticsearch"
ENDLESS = "larger than an answer can be|no complete answer within"
MISSHAPEN: dict[str, Any] = {
    "_shards": {"total": "x", "failed": []},
    "hits": {"total": [], "hits": [{"_index": "logs-shop-main", "_source": 5, "sort": ["x"]}, 7]},
    "aggregations": {
        name: {"buckets": [{"key": ["x"]}, {}]} for name in ("times", "levels", "loggers", "indices")
    },
}


@pytest.fixture(scope="module")
def store() -> Iterator[TroubledStore]:
    with troubled_store() as running:
        yield running


@pytest.fixture(scope="module")
def console(store: TroubledStore, tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    spool = tmp_path_factory.mktemp("console") / "spool"
    spool.mkdir()
    with ExitStack() as running:
        yield _console(running, spool, store.url)


def _console(running: ExitStack, spool: Path, store_url: str) -> str:
    command = [sys.executable, "-m", "logging_system", "console", "--spool", str(spool)]
    command += ["--console-port", "0", "--console-pages-max", str(PAGES_MAX), "--elasticsearch", store_url]
    command += ["--request-timeout-seconds", str(STORE_SECONDS_MAX)]
    process = started(command, stderr=subprocess.DEVNULL)
    running.callback(lambda: kill(process))
    return str(ready_line(process)["url"])


def test_panels_of_a_misshapen_answer_say_so_and_leave_the_others(console: str, store: TroubledStore) -> None:
    store.answer(json.dumps(MISSHAPEN).encode())
    panels = requests.get(f"{console}panels?span=7d", timeout=WAIT_SECONDS).json()["panels"]
    told = {each["name"]: each["trouble"] for each in panels}

    assert "as Elasticsearch tells them" in told["rates"]
    assert told["loggers"].startswith("The store gives no loggers")
    assert not any(each["is_waiting"] for each in panels)
    assert {told[name] for name in ("alerts", "pipeline", "series", "dead_letters")} == {""}


@pytest.mark.parametrize(
    ("answer", "told"),
    [
        ({"body": b"<html>hello", "headers": {"Content-Type": "text/html"}}, NO_OBJECT),
        ({"body": b""}, NO_OBJECT),
        ({"body": b"[" * 100_000}, NO_OBJECT),
        ({"body": b"{}", "status": 302, "headers": {"Location": "http://127.0.0.1:1/"}}, "HTTP 302"),
        ({"body": json.dumps({"error": {"reason": CANARY}}).encode(), "status": 500}, re.escape(CANARY)),
        ({"body": b"no gzip", "headers": {"Content-Encoding": "gzip"}}, "failed to decode"),
        ({"body": b" ", "repeats": 10**6, "pause_seconds": 0.1}, "no complete answer within"),
        ({"body": PIECE, "repeats": 10**6}, ENDLESS),
        ({"body": b'{"id":"p","hits":{"hits":[{"_index":"logs-a","_id":1}]}}'}, ""),
    ],
)
def test_whatever_the_store_answers_a_search_for_lines_ends_in_a_sentence(
    console: str, store: TroubledStore, answer: dict[str, Any], told: str
) -> None:
    store.answer(**answer)
    began_seconds = time.monotonic()
    found = requests.get(f"{console}lines", {"since": 0, "until": 10_000}, timeout=WAIT_SECONDS)

    assert time.monotonic() - began_seconds < WAIT_SECONDS
    assert found.headers["content-type"] == "application/json"
    if told:
        assert found.status_code == 503
        assert re.search(told, found.json()["message"])


def test_two_hundred_streams_are_as_many_as_are_allowed_and_a_closed_one_makes_room(
    console: str, store: TroubledStore
) -> None:
    store.answer(b"{}", status=503)
    address = (urlsplit(console).hostname or "", urlsplit(console).port or 0)
    with ExitStack() as open_streams:
        # One after the other: beyond a hundred more connections than pages the server refuses all alike.
        answers = [_status(open_streams.enter_context(_stream(address))) for _ in range(200)]

        assert answers.count(200) == PAGES_MAX
        assert set(answers) == {200, 503}
        assert requests.get(f"{console}stream", timeout=WAIT_SECONDS).status_code == 503
    end_seconds = time.monotonic() + WAIT_SECONDS
    while True:
        with _stream(address) as again:
            if _status(again) == 200:
                return
        assert time.monotonic() < end_seconds, "a page that was closed keeps its place"
        time.sleep(0.05)


def _stream(address: tuple[str, int]) -> socket.socket:
    opened = socket.create_connection(address, timeout=WAIT_SECONDS)
    opened.sendall(b"GET /stream HTTP/1.1\r\nHost: %s:%d\r\n\r\n" % (address[0].encode(), address[1]))
    return opened


def _status(opened: socket.socket) -> int:
    return int(opened.recv(12).split()[1])

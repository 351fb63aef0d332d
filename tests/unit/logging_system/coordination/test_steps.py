from __future__ import annotations

import http.server
import sys
import threading
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import orjson
import pytest
from pydantic import TypeAdapter

from logging_system.coordination.workflows.steps import Step
from logging_system.coordination.workflows.steps.declared import (
    DeclaredStep,
    EffectError,
    Effects,
    Occasion,
)
from logging_system.spool.control import NAME, QuarantineTemplate, decoded
from tests.unit.logging_system.coordination.engines import NOW, finding

SAYS_KEY = (
    "import os, sys; open(sys.argv[1], 'w').write(os.environ['LOGGING_SYSTEM_STEP_KEY'] + ' ' "
    "+ os.environ['LOGGING_SYSTEM_FENCING_TOKEN'] + ' ' + sys.stdin.read())"
)


def step(**content: Any) -> DeclaredStep:
    made: DeclaredStep = TypeAdapter(Step).validate_python(content)
    return made


@pytest.fixture
def occasion(tmp_path: Path) -> Occasion:
    return Occasion(
        run_id="run",
        key="key-0",
        token=7,
        finding=finding(),
        now_seconds=NOW,
        spool=tmp_path,
        folder=tmp_path / "coordination",
        effects=Effects(),
    )


class Receiver(http.server.ThreadingHTTPServer):
    """Answers every request with one status, and keeps what came."""

    def __init__(self) -> None:
        super().__init__(("127.0.0.1", 0), _Answering)
        self.status = 200
        self.got: list[tuple[str, str, dict[str, str], bytes]] = []

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.server_port}/hook"


class _Answering(http.server.BaseHTTPRequestHandler):
    server: Receiver

    def _answer(self) -> None:
        body = self.rfile.read(int(self.headers.get("content-length", "0")))
        headers = {name.lower(): value for name, value in self.headers.items()}
        self.server.got.append((self.command, self.path, headers, body))
        self.send_response(self.server.status)
        self.send_header("content-length", "0")
        self.end_headers()

    def do_POST(self) -> None:
        self._answer()

    def do_GET(self) -> None:
        self._answer()

    def log_message(self, format: str, *args: object) -> None:
        """Say nothing on standard error."""


@pytest.fixture
def receiver() -> Iterator[Receiver]:
    with Receiver() as server:
        thread = threading.Thread(target=server.serve_forever, args=(0.01,))
        thread.start()
        yield server
        server.shutdown()
        thread.join()


def test_a_webhook_carries_key_token_and_finding(receiver: Receiver, occasion: Occasion) -> None:
    step(kind="webhook", url=receiver.url).do(occasion)

    ((method, path, headers, body),) = receiver.got
    assert (method, path) == ("POST", "/hook")
    assert (headers["idempotency-key"], headers["fencing-token"]) == ("key-0", "7")
    assert orjson.loads(body)["finding"]["finding_id"] == "f1"


@pytest.mark.parametrize(
    ("status", "may_have_happened"), [(400, False), (409, False), (500, True), (302, True)]
)
def test_what_a_webhook_that_was_not_taken_says_of_its_effect(
    receiver: Receiver, occasion: Occasion, status: int, may_have_happened: bool
) -> None:
    receiver.status = status

    with pytest.raises(EffectError) as raised:
        step(kind="webhook", url=receiver.url).do(occasion)
    assert raised.value.may_have_happened is may_have_happened


def test_a_webhook_that_nobody_hears_was_not_done(occasion: Occasion) -> None:
    with pytest.raises(EffectError, match="cannot connect") as raised:
        step(kind="webhook", url="http://127.0.0.1:1/").do(occasion)
    assert not raised.value.may_have_happened


@pytest.mark.parametrize(("status", "expected"), [(200, True), (404, False), (500, None)])
def test_a_webhook_is_asked_whether_it_was_done(
    receiver: Receiver, occasion: Occasion, status: int, expected: bool | None
) -> None:
    receiver.status = status

    asked = step(kind="webhook", url=receiver.url, check_url=receiver.url)
    assert asked.was_done(occasion) is expected
    assert receiver.got[0][0] == "GET"
    assert step(kind="webhook", url=receiver.url).was_done(occasion) is None


@pytest.mark.parametrize("url", ["ftp://a/", "https://user:secret@a/", "a", "http://"])
def test_a_url_that_is_none_or_holds_a_secret_is_refused(url: str) -> None:
    with pytest.raises(ValueError, match=r"must be a URL|holds a user"):
        step(kind="webhook", url=url)


def test_a_command_gets_key_token_and_finding(tmp_path: Path, occasion: Occasion) -> None:
    step(kind="command", command=[sys.executable, "-c", SAYS_KEY, str(tmp_path / "out")]).do(occasion)

    key, token, line = (tmp_path / "out").read_text().split(" ", 2)
    assert (key, token) == ("key-0", "7")
    assert orjson.loads(line)["subject"] == "shop.payment"


def test_a_command_that_fails_was_not_done_and_one_that_takes_too_long_may_be(occasion: Occasion) -> None:
    with pytest.raises(EffectError, match="ended with 3") as raised:
        step(kind="command", command=[sys.executable, "-c", "raise SystemExit(3)"]).do(occasion)
    assert not raised.value.may_have_happened

    slow = step(
        kind="command", command=[sys.executable, "-c", "import time; time.sleep(60)"], timeout_seconds=0.2
    )
    with pytest.raises(EffectError, match=r"did not end within 0\.2 s") as raised:
        slow.do(occasion)
    assert raised.value.may_have_happened

    with pytest.raises(EffectError, match="No such file") as raised:
        step(kind="command", command=["/no/such/program"]).do(occasion)
    assert not raised.value.may_have_happened


@pytest.mark.parametrize(("code", "expected"), [(0, True), (1, False), (2, None)])
def test_a_command_is_asked_whether_it_was_done(occasion: Occasion, code: int, expected: bool | None) -> None:
    check = [sys.executable, "-c", f"raise SystemExit({code})"]

    assert step(kind="command", command=["x"], check_command=check).was_done(occasion) is expected


def test_a_rotation_is_known_by_its_version(occasion: Occasion) -> None:
    class Keys:
        number = 3

        def version(self) -> int:
            return self.number

        def rotate(self) -> None:
            self.number += 1

    rotates, keys = step(kind="rotate_keys"), Keys()
    occasion = replace(occasion, effects=Effects(keys=keys))
    occasion = replace(occasion, memo=rotates.before(occasion))
    assert rotates.was_done(occasion) is False

    rotates.do(occasion)
    assert rotates.was_done(occasion) is True


def test_what_is_not_there_fails_with_a_remedy(occasion: Occasion) -> None:
    with pytest.raises(EffectError, match="the setting `encryption` is missing"):
        step(kind="rotate_keys").before(occasion)
    with pytest.raises(EffectError, match="name a file with --alerts"):
        step(kind="alert").do(occasion)
    quarantines = step(kind="quarantine_template")
    assert quarantines.trouble(occasion.finding) == "the finding names no template"
    with pytest.raises(EffectError, match="give `message`"):
        quarantines.do(replace(occasion, finding=finding(templates=("t9",))))


def test_a_template_of_the_finding_is_quarantined_by_its_text(tmp_path: Path, occasion: Occasion) -> None:
    texts = {"t9": "user <*> left"}
    occasion = replace(occasion, finding=finding(templates=("t9",)), effects=Effects(template_text=texts.get))
    step(kind="quarantine_template", keep_one_in=50).do(occasion)

    (order,) = decoded((tmp_path / NAME).read_bytes())
    assert order == QuarantineTemplate("key-0", NOW + 3600, "user <*> left", 50)


def test_a_snapshot_has_the_finding_and_all_status_files_and_old_ones_go(
    tmp_path: Path, occasion: Occasion
) -> None:
    (tmp_path / "status-shipper.json").write_text('{"spooled": 3}')
    for number in range(105):
        step(kind="snapshot_diagnostics").do(replace(occasion, now_seconds=NOW + number))

    snapshots = sorted((tmp_path / "coordination" / "snapshots").iterdir())
    assert len(snapshots) == 100
    content = orjson.loads(snapshots[-1].read_bytes())
    assert content["finding"]["finding_id"] == "f1"
    assert content["status"]["status-shipper.json"] == {"spooled": 3}

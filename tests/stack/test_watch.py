"""`watch` as a process beside real applications: alerts arrive, once, whatever else is down or dies."""

from __future__ import annotations

import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import orjson
import pytest

from logging_system.keys.providers.file import FileProvider
from tests.stack.processes import PYTHON, WAIT_SECONDS, eventually, finish, kill, ready_line, started
from tests.unit.logging_system.alerting.receivers import (
    HttpReceiver,
    MailReceiver,
    http_receiver,
    mail_receiver,
)

APPLICATION = """
import json, logging, sys
from logging_system import install
installation = install(**json.loads(sys.argv[1]))
for number in range(int(sys.argv[2])):
    logging.getLogger("shop").error("card 4111 1111 1111 1111 was refused")
installation.close()
"""


@pytest.fixture
def hook() -> Iterator[HttpReceiver]:
    with http_receiver() as receiver:
        yield receiver


@pytest.fixture
def mail() -> Iterator[MailReceiver]:
    with mail_receiver() as receiver:
        yield receiver


_started: list[subprocess.Popen[bytes]] = []


@pytest.fixture(autouse=True)
def _nothing_is_left() -> Iterator[None]:
    """End what a test that failed leaves running."""
    yield
    while _started:
        kill(_started.pop())


class Stack:
    """A spool folder, its settings and its rules."""

    def __init__(self, folder: Path, hook: HttpReceiver, mail: MailReceiver | None = None) -> None:
        self.folder, self.spool = folder, folder / "spool"
        channels: list[dict[str, object]] = [{"name": "hook", "kind": "webhook", "url": hook.url}]
        if mail is not None:
            channels.append(
                {
                    "name": "ops",
                    "kind": "mail",
                    "host": mail.host,
                    "port": mail.port,
                    "security": "none",
                    "sender": "alerts@example.com",
                    "to": ["oncall@example.com"],
                }
            )
        rules: dict[str, object] = {
            "channels": channels,
            "group_wait_seconds": 0,
            "repeat_interval_seconds": 600,
        }
        rules["findings"] = {"enabled": False}  # what they find of a store that is down is told too
        (folder / "alerts.yaml").write_bytes(orjson.dumps(rules))
        self.settings: dict[str, object] = {"service": "checkout", "spool": str(self.spool)}

    def watch(self) -> subprocess.Popen[bytes]:
        (self.folder / "settings.yaml").write_bytes(
            orjson.dumps({**self.settings, "alerts": str(self.folder / "alerts.yaml")})
        )
        command = [sys.executable, "-m", "logging_system", "watch", "--settings"]
        _started.append(started([*command, str(self.folder / "settings.yaml")]))
        return _started[-1]

    def logs(self, count: int, **more: object) -> None:
        settings = {**self.settings, "shipper": "none", **more}
        command = [*PYTHON, "-c", APPLICATION, orjson.dumps(settings).decode(), str(count)]
        subprocess.run(command, check=True, timeout=WAIT_SECONDS)


def states(hook: HttpReceiver) -> list[str]:
    return [body["state"] for body in hook.bodies]


@pytest.mark.alone
def test_errors_arrive_by_webhook_and_mail_while_the_store_is_down(
    tmp_path: Path, hook: HttpReceiver, mail: MailReceiver
) -> None:
    """The application ships by itself, to a store that is not there."""
    stack = Stack(tmp_path, hook, mail)
    mail.answers = ["451 not now"]
    watch = stack.watch()
    ready_line(watch)
    stack.logs(12, shipper="in_process", elasticsearch=["http://127.0.0.1:9"])
    logged_seconds = time.monotonic()
    eventually(lambda: bool(hook.requests and mail.messages), "a message by each channel")
    took_seconds = time.monotonic() - logged_seconds
    watch.send_signal(signal.SIGTERM)

    assert finish(watch) == 0
    assert states(hook) == ["firing"]
    assert len(mail.messages) == 1
    assert b"4111" not in hook.requests[0][1] + mail.messages[0]
    assert took_seconds < 10


@pytest.mark.slow
def test_a_store_that_takes_nothing_is_told_by_a_rule_on_delivery(tmp_path: Path, hook: HttpReceiver) -> None:
    """The rule that ships with it has a limit of minutes; this one, of its name, replaces it."""
    stack = Stack(tmp_path, hook)
    declared = orjson.loads((tmp_path / "alerts.yaml").read_bytes())
    rule = {"kind": "performance", "name": "delivery_behind", "measure": "oldest_record_seconds"}
    declared["rules"] = [{**rule, "limit": 1, "hold_seconds": 0}]
    (tmp_path / "alerts.yaml").write_bytes(orjson.dumps(declared))
    watch = stack.watch()
    ready_line(watch)
    stack.logs(3, shipper="in_process", elasticsearch=["http://127.0.0.1:9"])
    eventually(lambda: bool(hook.requests), "a message")
    kill(watch)
    (alert,) = hook.bodies[0]["alerts"]

    assert alert["rule"] == "delivery_behind"
    assert "oldest_record_seconds; the limit is at most 1" in alert["summary"]


def test_errors_whose_records_are_shipped_and_removed_at_once_arrive_too(
    tmp_path: Path, hook: HttpReceiver
) -> None:
    stack = Stack(tmp_path, hook)
    watch = stack.watch()
    ready_line(watch)
    stack.logs(12, shipper="in_process", file=str(tmp_path / "shipped.ndjson"))
    eventually(lambda: bool(hook.requests) or missed(stack) > 0, "a message, or a count of what was missed")
    kill(watch)

    assert len((tmp_path / "shipped.ndjson").read_bytes().splitlines()) == 12
    assert states(hook) == ["firing"] or missed(stack) == 12


def missed(stack: Stack) -> int:
    try:
        return int(orjson.loads((stack.spool / "status-alerts.json").read_bytes())["records"]["missed"])
    except (OSError, ValueError):
        return 0


def test_killed_at_any_moment_it_tells_each_alert_once(tmp_path: Path, hook: HttpReceiver) -> None:
    stack = Stack(tmp_path, hook)
    stack.logs(6)
    for number in range(4):
        watch = stack.watch()
        ready_line(watch)
        if number == 1:
            stack.logs(6)
        time.sleep(0.2 * number)
        kill(watch)
    watch = stack.watch()
    ready_line(watch)
    eventually(lambda: bool(hook.requests), "a message")
    time.sleep(1)
    kill(watch)

    assert len(set(hook.keys)) == 1


def test_of_two_on_one_folder_one_watches_and_the_other_takes_over(
    tmp_path: Path, hook: HttpReceiver
) -> None:
    stack = Stack(tmp_path, hook)
    first = stack.watch()
    assert "standby" not in ready_line(first)
    second = stack.watch()
    assert ready_line(second)["standby"] is True
    stack.logs(12)
    eventually(lambda: bool(hook.requests), "a message")
    kill(first)
    assert "standby" not in ready_line(second)
    time.sleep(1)
    second.send_signal(signal.SIGTERM)

    assert finish(second) == 0
    assert len(hook.requests) == 1


def test_it_reads_a_sealed_spool_seals_its_state_and_waits_for_the_key(
    tmp_path: Path, hook: HttpReceiver
) -> None:
    stack = Stack(tmp_path, hook)
    FileProvider(tmp_path / "keys.json").create("logs")
    stack.settings["encryption"] = {"provider": "file", "path": str(tmp_path / "keys.json")}
    watch = stack.watch()
    ready_line(watch)
    stack.logs(12)
    eventually(lambda: bool(hook.requests), "a message")
    kill(watch)
    (tmp_path / "keys.json").rename(tmp_path / "keys.away")
    again = stack.watch()
    time.sleep(2)
    (tmp_path / "keys.away").rename(tmp_path / "keys.json")
    ready_line(again)
    stack.logs(3)
    time.sleep(1)
    kill(again)

    assert states(hook) == ["firing"]
    length, _newline, sealed = (stack.spool / "alerts" / "state.json").read_bytes().partition(b"\n")
    assert length.isdigit()
    assert sealed.startswith(b"sealed ")
    assert not any(b"4111" in path.read_bytes() for path in stack.spool.rglob("*") if path.is_file())


def test_a_mistake_in_the_rules_ends_it_with_where_what_and_remedy(tmp_path: Path) -> None:
    (tmp_path / "alerts.yaml").write_text(
        "rules:\n  - kind: error_count\n    name: errors\n    treshold: 3\n"
    )
    command = [sys.executable, "-m", "logging_system", "watch", "--spool", str(tmp_path / "spool")]
    done = subprocess.run(
        [*command, "--alerts", str(tmp_path / "alerts.yaml")],
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )

    assert done.returncode == 4
    assert 'alerts.yaml:4 rules[0].treshold: no such name; did you mean "threshold"?' in done.stderr


def test_without_a_file_the_threshold_comes_from_the_environment_and_standard_error_tells(
    tmp_path: Path,
) -> None:
    command = [sys.executable, "-m", "logging_system", "watch", "--spool", str(tmp_path / "spool")]
    environment = {"PATH": "/usr/bin:/bin", "ALERT_THRESHOLD_ERRORS": "3"}
    with (tmp_path / "stderr").open("wb") as stderr:
        watch = started(command, env=environment, stderr=stderr)
        _started.append(watch)
    ready_line(watch)
    settings = {"service": "checkout", "spool": str(tmp_path / "spool"), "shipper": "none"}
    subprocess.run([*PYTHON, "-c", APPLICATION, orjson.dumps(settings).decode(), "3"], check=True, timeout=60)
    eventually(lambda: b"[FIRING] errors" in (tmp_path / "stderr").read_bytes(), "an alert on standard error")
    kill(watch)

    assert b"3 records of level error or above; the limit is 3" in (tmp_path / "stderr").read_bytes()

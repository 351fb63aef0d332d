"""`watch` as a thread of applications: one message, however many processes; it ends with the application."""

from __future__ import annotations

import contextlib
import os
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import orjson
import pytest

from logging_system import start_watch
from logging_system.coordination.finding_content import content_of
from tests.stack.processes import PYTHON, eventually, finish, kill, ready_line, started
from tests.unit.logging_system.alerting.receivers import HttpReceiver, http_receiver
from tests.unit.logging_system.coordination.engines import finding

APPLICATION = """
import json, logging, os, sys, time
import logging_system
settings = json.loads(sys.argv[1])
installation = logging_system.install(**settings, shipper="none")
watching = logging_system.start_watch(**settings)
assert logging_system.start_watch(**settings) is watching
if "fork" in sys.argv and not os.fork():
    time.sleep(60)
print(json.dumps({"ready": True}), flush=True)
for line in sys.stdin:
    for _ in range(int(line)):
        logging.getLogger("shop").error("card 4111 1111 1111 1111 was refused")
"""


@pytest.fixture
def hook() -> Iterator[HttpReceiver]:
    with http_receiver() as receiver:
        yield receiver


@pytest.fixture
def applications() -> Iterator[list[subprocess.Popen[bytes]]]:
    running: list[subprocess.Popen[bytes]] = []
    yield running
    for process in running:
        if process.poll() is None:
            kill(process)


def settings(folder: Path, hook: HttpReceiver) -> dict[str, str]:
    channel = {"name": "hook", "kind": "webhook", "url": hook.url}
    rules: dict[str, object] = {"channels": [channel], "group_wait_seconds": 0}
    # Applications that are killed would be told as findings.
    rules |= {"repeat_interval_seconds": 600, "findings": {"enabled": False}}
    (folder / "alerts.yaml").write_bytes(orjson.dumps(rules))
    return {"service": "checkout", "spool": str(folder / "spool"), "alerts": str(folder / "alerts.yaml")}


def start(given: dict[str, str], *more: str) -> subprocess.Popen[bytes]:
    process = started([*PYTHON, "-c", APPLICATION, orjson.dumps(given).decode(), *more])
    ready_line(process)
    return process


def log(process: subprocess.Popen[bytes], count: int) -> None:
    assert process.stdin is not None
    process.stdin.write(b"%d\n" % count)
    process.stdin.flush()


@pytest.mark.slow
def test_three_processes_of_one_service_send_one_message_and_another_goes_on_when_one_dies(
    tmp_path: Path, hook: HttpReceiver, applications: list[subprocess.Popen[bytes]]
) -> None:
    given = settings(tmp_path, hook)
    applications += [start(given) for _ in range(3)]
    for process in applications:
        log(process, 5)
    eventually(lambda: bool(hook.requests), "a message")
    kill(applications[0])
    log(applications[1], 15)
    time.sleep(2.5)
    ends = []
    for process in applications[1:]:
        began_seconds = time.monotonic()
        finish(process)
        ends.append(time.monotonic() - began_seconds)

    # Killed before it could note the answer, it sends the same message under the same key again.
    assert len(set(hook.keys)) == 1
    assert b"4111" not in hook.requests[0][1]
    assert all(seconds < 10 for seconds in ends)


@pytest.mark.slow
def test_a_forked_child_holds_no_lock_when_its_parent_dies(
    tmp_path: Path, hook: HttpReceiver, applications: list[subprocess.Popen[bytes]]
) -> None:
    given = settings(tmp_path, hook)
    parent = started(
        [*PYTHON, "-c", APPLICATION, orjson.dumps(given).decode(), "fork"], start_new_session=True
    )
    ready_line(parent)
    try:
        parent.send_signal(signal.SIGKILL)
        parent.wait(10)
        applications.append(start(given))
        log(applications[0], 12)
        eventually(lambda: bool(hook.requests), "a message by another process")
    finally:
        with contextlib.suppress(ProcessLookupError):
            os.killpg(parent.pid, signal.SIGKILL)
        for pipe in (parent.stdin, parent.stdout):
            if pipe is not None:
                pipe.close()

    assert len(hook.requests) == 1


def test_a_mistake_in_the_rules_is_raised_where_the_application_asks(tmp_path: Path) -> None:
    (tmp_path / "alerts.yaml").write_text("rules:\n  - {kind: error_count, name: a, treshold: 3}\n")

    with pytest.raises(ValueError, match='no such name; did you mean "threshold"'):
        start_watch(service="checkout", spool=str(tmp_path / "spool"), alerts=str(tmp_path / "alerts.yaml"))


def test_a_mistake_in_the_workflows_is_raised_where_the_application_asks(tmp_path: Path) -> None:
    (tmp_path / "workflows.yaml").write_text("workflows:\n  - {nmae: louder, steps: []}\n")

    with pytest.raises(ValueError, match=r"workflows\.yaml.*nmae"):
        start_watch(
            service="checkout", spool=str(tmp_path / "spool"), workflows=str(tmp_path / "workflows.yaml")
        )


def test_workflows_run_beside_a_thread_that_watches(
    tmp_path: Path, hook: HttpReceiver, applications: list[subprocess.Popen[bytes]]
) -> None:
    effect, workflows = tmp_path / "effect", tmp_path / "workflows.yaml"
    program = [sys.executable, "-c", "import sys; open(sys.argv[1], 'w')", str(effect)]
    step = {"kind": "command", "command": program, "local_and_idempotent": True}
    act = {"name": "act", "steps": [step]}
    workflows.write_bytes(orjson.dumps({"workflows": [act], "automatic": [{"workflow": "act"}]}))
    given = settings(tmp_path, hook) | {"workflows": str(workflows)}
    applications.append(start(given))
    (tmp_path / "finding.json").write_bytes(orjson.dumps(content_of(finding())))
    words = ["run", "--finding", str(tmp_path / "finding.json"), "--spool", given["spool"]]
    subprocess.run([*PYTHON, "-m", "logging_system", "coordination", *words], timeout=60, check=True)

    eventually(effect.exists, "the effect of a step")
    finish(applications[0])

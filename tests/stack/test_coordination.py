"""The engine beside real processes: an application obeys, and what a kill interrupts is not repeated."""

from __future__ import annotations

import json
import signal
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from logging_system.coordination.finding_content import content_of
from logging_system.encryption.spool_reading import spooled_documents
from logging_system.spool.codec import PLAIN_CODECS
from tests.contract.elasticsearch_fixture import lite_server
from tests.stack.processes import PYTHON, WAIT_SECONDS, eventually, kill, ready_line, started
from tests.unit.logging_system.coordination.engines import finding

APPLICATION = """
import logging, sys, time
from logging_system import install
install(service="shop", spool=sys.argv[1], shipper="none")
until = time.monotonic() + 60
while time.monotonic() < until:
    logging.getLogger("shop.payment").debug("a detail")
    logging.getLogger("shop.search").debug("not asked for")
    time.sleep(0.02)
"""
LOUDER = """\
workflows:
  - name: louder
    until_over: true
    steps:
      - {kind: set_level, logger: "{subject}", level: DEBUG}
"""
PROGRAM = "import os, sys, time; open(sys.argv[1], 'a').write('done\\n'); time.sleep(5)"

_running: list[subprocess.Popen[bytes]] = []


@pytest.fixture(autouse=True)
def _nothing_is_left() -> Iterator[None]:
    """End what a test leaves running."""
    yield
    while _running:
        kill(_running.pop())


def start(words: list[str]) -> subprocess.Popen[bytes]:
    _running.append(started(words))
    return _running[-1]


def command(*words: str) -> str:
    done = subprocess.run(
        [*PYTHON, "-m", "logging_system", "coordination", *words],
        capture_output=True,
        text=True,
        timeout=WAIT_SECONDS,
        check=True,
    )
    return done.stdout


def messages(spool: Path) -> set[str]:
    lines = spooled_documents(spool, PLAIN_CODECS, lambda _key, _reason, _count: None)
    return {json.loads(line)["message"] for line in lines}


def run_of(spool: Path) -> dict[str, Any]:
    (run,) = json.loads(command("list", "--all", "--json", "--spool", str(spool)))
    found: dict[str, Any] = run
    return found


def test_an_application_logs_below_its_level_while_a_person_wants_it_and_only_that_logger(
    tmp_path: Path,
) -> None:
    spool, file = tmp_path / "spool", tmp_path / "workflows.yaml"
    file.write_text(LOUDER)
    (tmp_path / "finding.json").write_text(json.dumps(content_of(finding())))
    start([*PYTHON, "-c", APPLICATION, str(spool)])
    watch = start([*PYTHON, "-m", "logging_system", "watch", "--spool", str(spool), "--workflows", str(file)])
    ready_line(watch)
    command("run", "--finding", str(tmp_path / "finding.json"), "--spool", str(spool))
    run_id = run_of(spool)["id"]
    assert messages(spool) == set()

    command("approve", run_id, "--spool", str(spool))
    eventually(lambda: messages(spool) == {"a detail"}, "details in the spool")
    command("reject", run_id, "--spool", str(spool))
    eventually(lambda: run_of(spool)["state"] == "rejected", "the level put back")
    watch.send_signal(signal.SIGTERM)
    assert watch.wait(WAIT_SECONDS) == 0


def test_a_shared_step_that_a_kill_interrupts_is_not_repeated_but_put_before_a_person(
    tmp_path: Path,
) -> None:
    spool, file, effects = tmp_path / "spool", tmp_path / "workflows.yaml", tmp_path / "effects"
    step = {"kind": "command", "command": [sys.executable, "-c", PROGRAM, str(effects)]}
    file.write_text(
        json.dumps({"workflows": [{"name": "act", "steps": [step]}], "automatic": [{"workflow": "act"}]})
    )
    (tmp_path / "finding.json").write_text(json.dumps(content_of(finding())))
    with lite_server(tmp_path / "store") as url:
        settings = tmp_path / "settings.yaml"
        settings.write_text(json.dumps({"spool": str(spool), "workflows": str(file), "elasticsearch": url}))
        words = [*PYTHON, "-m", "logging_system", "watch", "--settings", str(settings)]
        watch = start(words)
        ready_line(watch)
        command("run", "--finding", str(tmp_path / "finding.json"), "--spool", str(spool))
        eventually(effects.exists, "the effect")
        watch.send_signal(signal.SIGKILL)
        watch.wait(WAIT_SECONDS)
        ready_line(start(words))
        eventually(lambda: run_of(spool)["steps"][0]["state"] == "in_doubt", "a question to a person")
        command("answer", run_of(spool)["id"], "done", "--spool", str(spool))
        eventually(lambda: run_of(spool)["state"] == "done", "the end of the run")

    assert effects.read_text() == "done\n"
    assert "in_doubt" in command("history", "--spool", str(spool))
    command("history", "--verify", "--spool", str(spool))

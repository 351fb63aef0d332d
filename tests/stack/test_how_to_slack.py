"""The how-to page on Slack does what it says, in an empty folder; a receiver of ours stands in for Slack."""

from __future__ import annotations

import shlex
import subprocess
import sys
from pathlib import Path

import pytest

from tests.pages import blocks
from tests.repository import REPOSITORY
from tests.stack.processes import eventually, kill, ready_line, started
from tests.unit.logging_system.alerting.receivers import HttpReceiver, http_receiver

PAGE = (REPOSITORY / "docs" / "how-to" / "alert-through-slack.md").read_text()
_BLOCKS = blocks(PAGE)


@pytest.mark.slow
def test_the_page_can_be_followed_from_its_top_to_its_end(tmp_path: Path) -> None:
    watches: list[subprocess.Popen[bytes]] = []
    with http_receiver() as slack:
        try:
            follow(tmp_path, watches, slack)
        finally:
            for watch in watches:
                kill(watch)


def follow(tmp_path: Path, watches: list[subprocess.Popen[bytes]], slack: HttpReceiver) -> None:
    slack.answers = [(200, {}), (429, {"Retry-After": "1"}), (404, {})]
    for language, block in _BLOCKS:
        if language == "text":
            assert block.startswith("https://hooks.slack.com/services/")
            (tmp_path / "slack-url").write_text(slack.url)
        elif language == "yaml":
            (tmp_path / "alerts.yaml").write_text(block)
        elif language == "sh":
            watches.append(started([sys.executable, *shlex.split(block)[1:-1]], cwd=tmp_path))
            ready_line(watches[0])
        elif language == "python":
            subprocess.run([sys.executable, "-c", block], check=True, timeout=60, cwd=tmp_path)
            eventually(lambda: len(slack.requests) >= 4, "the message, after it was turned away twice")
        else:
            run(block, tmp_path)
    test, *tries = slack.bodies

    assert "test" in test["text"]
    assert tries[0] == tries[1] == tries[2]
    assert tries[0]["text"] == "[FIRING] payment_errors (service.name=checkout)"
    shown = str(tries[0]["blocks"])
    assert "&lt;!channel&gt; card" in shown
    assert "<!" not in shown
    assert "4111" not in shown
    assert "runbook: https://wiki.example/payment-errors" in shown
    assert "python -m logging_system alerts silence --spool " in shown


def run(block: str, folder: Path) -> None:
    for line in block.splitlines():
        words = shlex.split(line)
        program = [sys.executable, *words[1:]] if words[0] == "python" else words
        subprocess.run(program, check=True, timeout=60, cwd=folder, capture_output=True)

"""The how-to page on monitoring does what it says, block by block, in an empty folder."""

from __future__ import annotations

import shlex
import subprocess
import sys
from pathlib import Path

import orjson

from tests.pages import blocks
from tests.repository import REPOSITORY
from tests.stack.processes import eventually, kill, ready_line, started

PAGE = (REPOSITORY / "docs" / "how-to" / "monitor-any-application.md").read_text()
_BLOCKS = blocks(PAGE)


def test_the_page_can_be_followed_from_its_top_to_its_end(tmp_path: Path) -> None:
    watches: list[subprocess.Popen[bytes]] = []
    try:
        follow(tmp_path, watches)
    finally:
        for watch in watches:
            kill(watch)


def follow(tmp_path: Path, watches: list[subprocess.Popen[bytes]]) -> None:
    printed, shown = [], []
    messages = tmp_path / "messages.ndjson"
    for language, block in _BLOCKS:
        if language == "yaml":
            (tmp_path / "alerts.yaml").write_text(block)
        elif language == "sh":
            watches.append(started([sys.executable, *shlex.split(block)[1:-1]], cwd=tmp_path))
            ready_line(watches[0])
        elif language == "python":
            done = subprocess.run(
                [sys.executable, "-c", block],
                capture_output=True,
                text=True,
                timeout=60,
                cwd=tmp_path,
                check=True,
            )
            printed.append(done.stdout)
        elif language == "text":
            shown.append(block)
    eventually(messages.exists, "the message of the alert")
    eventually(lambda: messages.read_bytes().endswith(b"\n"), "all of it")

    (alert,) = orjson.loads(messages.read_bytes().splitlines()[0])["alerts"]
    assert printed == [*shown, "", "shown to OpenTelemetry\n"]
    assert alert["rule"] == "unusual"
    assert alert["labels"] == {"labels.finding": "slow_call", "labels.finding_logger": "shop.payment"}
    assert "A log call of shop.payment took" in orjson.dumps(alert).decode()

"""The how-to page on a first alert does what it says, command by command, in an empty folder."""

from __future__ import annotations

import shlex
import subprocess
import sys
from pathlib import Path

import orjson

from tests.pages import blocks
from tests.repository import REPOSITORY
from tests.stack.processes import eventually, kill, ready_line, started

PAGE = (REPOSITORY / "docs" / "how-to" / "first-alert.md").read_text()
_BLOCKS = blocks(PAGE)


def test_the_page_can_be_followed_from_its_top_to_its_end(tmp_path: Path) -> None:
    watches: list[subprocess.Popen[bytes]] = []
    try:
        follow(tmp_path, watches)
    finally:
        for watch in watches:
            kill(watch)


def follow(tmp_path: Path, watches: list[subprocess.Popen[bytes]]) -> None:
    shown: dict[str, str] = {}
    messages = tmp_path / "messages.ndjson"
    for language, block in _BLOCKS:
        if language == "yaml":
            (tmp_path / "alerts.yaml").write_text(block)
        elif language == "sh":
            watches.append(started([sys.executable, *shlex.split(block)[1:-1]], cwd=tmp_path))
            ready_line(watches[0])
        elif language == "python":
            subprocess.run([sys.executable, "-c", block], check=True, timeout=60, cwd=tmp_path)
            eventually(lambda: len(messages.read_bytes().splitlines()) == 2, "the message")
        for line in block.splitlines() if language == "console" else ():
            words = shlex.split(line)[1:]
            done = subprocess.run(
                [sys.executable, *words], capture_output=True, text=True, timeout=60, cwd=tmp_path, check=True
            )
            shown[words[3]] = done.stdout

    test, alert = map(orjson.loads, messages.read_bytes().splitlines())
    assert test["alerts"][0]["rule"] == "test"
    assert alert["alerts"][0]["rule"] == "payment_errors"
    assert alert["alerts"][0]["severity"] == "critical"
    assert "4111" not in orjson.dumps(alert).decode()
    assert shown["test"] == "file: taken\n"
    assert "payment_errors (service.name=checkout)" in shown["list"]
    assert "at most 7 records of level error or above within 60 s" in shown["explain"]
    assert "began" in shown["history"]

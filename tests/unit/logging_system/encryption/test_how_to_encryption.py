"""The how-to page on encryption does what it says, command by command, in an empty folder."""

from __future__ import annotations

import re
import subprocess
import sys
from pathlib import Path

import pytest

from logging_system.cli import main
from tests.repository import REPOSITORY

PAGE = (REPOSITORY / "docs" / "how-to" / "encryption.md").read_text()


@pytest.mark.slow
def test_the_page_can_be_followed_from_its_top_to_its_end(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.chdir(tmp_path)
    shown: dict[str, str] = {}
    for language, block in re.findall(r"^```(\w+)\n(.*?)^```", PAGE, re.MULTILINE | re.DOTALL):
        if language == "yaml":
            (tmp_path / "settings.yaml").write_text(block)
        elif language == "python":
            subprocess.run([sys.executable, "-c", block], check=True, timeout=60, capture_output=True)
        for line in block.splitlines() if language == "console" else ():
            words = line.split()[3:]
            # The application has just ended: its lease has not run out yet.
            more = ["--pass-over-all"] if words[1] in ("rotate", "revoke") else []
            assert main([*words, *more]) == 0, line
            shown[" ".join(words[:2])] = capsys.readouterr().out

    assert '"card":"4111 1111 1111 1111"' in shown["decrypt --settings"]
    assert '"encrypted"' not in shown["decrypt --settings"]
    assert "version 2  active" in shown["keys status"]
    assert "destroyed" in shown["keys shred"]
    assert "events, whole" in shown["keys audit"]

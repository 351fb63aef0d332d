"""The how-to page on encryption does what it says, step by step, beside a shipper that runs all the time."""

from __future__ import annotations

import io
import re
import shlex
import shutil
import signal
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from logging_system.cli import main
from tests.repository import REPOSITORY
from tests.stack.processes import Store, eventually, finish, kill, ready_line, started

PAGE = (REPOSITORY / "docs" / "how-to" / "encryption.md").read_text().partition("## The simple mode")[0]
STREAM = "logs-checkout-default"
CARD = "4111 1111 1111 1111"


class Follower:
    """Follows the page in a folder of its own."""

    def __init__(
        self, folder: Path, store: Store, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
    ) -> None:
        self.folder = folder
        self.store = store
        self.shown: dict[str, str] = {}
        self._monkeypatch = monkeypatch
        self._capsys = capsys
        self._python = ""
        self._logged = 0
        self.shipper: subprocess.Popen[bytes] | None = None

    def yaml(self, block: str) -> None:
        with (self.folder / "settings.yaml").open("a") as file:
            file.write(block.replace("http://127.0.0.1:9200", self.store.url))

    def python(self, block: str) -> None:
        self._python = block
        if self.shipper is None:
            self.shipper = started(
                [sys.executable, "-m", "logging_system", "ship", "--settings", "settings.yaml", "--lifeline"],
                cwd=self.folder,
            )
            ready_line(self.shipper)
        self.log()

    def log(self) -> None:
        command = [sys.executable, "-c", self._python]
        subprocess.run(command, cwd=self.folder, check=True, timeout=60, capture_output=True)
        self._logged += 1
        eventually(lambda: len(self.documents()) == self._logged, "what was logged is in the store")

    def console(self, line: str) -> None:
        if line.startswith("kill -HUP"):
            assert self.shipper is not None
            self.shipper.send_signal(signal.SIGHUP)
            self.log()  # an application that was started again
            return
        given, pipe, command = line.rpartition(" | ")
        if pipe:
            self._monkeypatch.setattr("sys.stdin", io.StringIO(shlex.split(given)[1] + "\n"))
        words = shlex.split(command)[3:]
        self.before(words[1])
        # The application has just ended, and the shipper: their leases have not run out yet.
        more = ["--pass-over-all"] if words[1] in ("rotate", "revoke") else []
        assert main([*words, *more]) == 0, line
        self.shown[" ".join(words[:3])] = self._capsys.readouterr().out

    def before(self, command: str) -> None:
        if command == "rotate":
            assert self.shipper is not None
            eventually(
                lambda: len(self.found("log-keys", {})) == 2, "data key and token key are in the store"
            )
            self.shipper.terminate()
            assert finish(self.shipper) == 0
        if command == "restore":
            shutil.rmtree(self.folder / "spool" / "keys")

    def documents(self) -> list[dict[str, Any]]:
        return self.found(STREAM, {"sort": ["@timestamp"]})

    def found(self, name: str, body: dict[str, Any]) -> list[dict[str, Any]]:
        try:
            self.store.ask("POST", f"/{name}/_refresh")
            hits = self.store.ask("POST", f"/{name}/_search", body)["hits"]["hits"]
        except OSError:
            return []  # it is not there yet
        return [hit["_source"] for hit in hits]


@pytest.mark.timeout(300)
def test_the_page_can_be_followed_from_its_top_to_its_end(
    tmp_path: Path,
    store: Store,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    monkeypatch.chdir(tmp_path)
    follower = Follower(tmp_path, store, monkeypatch, capsys)
    try:
        for language, block in re.findall(r"^```(\w+)\n(.*?)^```", PAGE, re.MULTILINE | re.DOTALL):
            if language == "console":
                for line in block.splitlines():
                    follower.console(line)
            else:
                getattr(follower, language)(block)
    finally:
        if follower.shipper is not None and follower.shipper.poll() is None:
            kill(follower.shipper)
    plain, sealed = follower.documents()
    shown = follower.shown

    assert plain["labels"]["card"] == CARD
    assert CARD not in str(sealed)
    assert sealed["labels"]["card.token"] == shown["keys tokens --field"].strip()
    assert shown["decrypt --settings settings.yaml"].count(CARD) == 2
    assert "version 2  active" in shown["keys status --settings"]
    assert "2 data keys restored" in shown["keys restore --settings"]
    assert "would be removed: none" in shown["keys prune --dry-run"]
    assert "data keys were removed from index log-keys" in shown["keys shred --yes-destroy"]
    assert "events, whole" in shown["keys audit --verify"]
    assert main(["decrypt", "--settings", "settings.yaml", "--index", STREAM]) == 1
    again = capsys.readouterr()
    assert "(destroyed)" in again.err
    assert again.out.count(CARD) == 1

"""The how-to page on the console does what it says, command by command, in an empty folder."""

from __future__ import annotations

import os
import re
import subprocess
import sys
from pathlib import Path

import orjson
import pytest

from harness.processes.ports import free_port
from tests.pages import blocks_of
from tests.repository import REPOSITORY
from tests.stack.processes import finish, kill, ready_line, started

PAGE = (REPOSITORY / "docs" / "how-to" / "console.md").read_text()
STORE = "http://localhost:9200"


def commands() -> list[str]:
    """Every command of the page, in order."""
    return [
        line for block in blocks_of(PAGE, "console") for line in re.findall(r"^\$ (.*)$", block, re.MULTILINE)
    ]


@pytest.mark.slow
def test_the_page_can_be_followed_from_its_top_to_its_end(tmp_path: Path) -> None:
    environment = {**os.environ, "XDG_STATE_HOME": str(tmp_path / "state")}
    ports = {"8710": str(free_port()), "8711": str(free_port())}
    running = []
    answers = []
    try:
        for text in commands():
            command = text.replace("python -", f"{sys.executable} -", 1).replace(STORE, "http://127.0.0.1:1")
            for shown, port in ports.items():
                command = command.replace(shown, port)
            if " console " not in command:
                done = subprocess.run(
                    ["/bin/sh", "-c", command],
                    capture_output=True,
                    timeout=60,
                    cwd=tmp_path,
                    env=environment,
                    check=True,
                )
                answers.append(done.stdout)
                continue
            shown = "8711" if "--console-port" in command else "8710"
            words = command.split() + ([] if shown == "8711" else ["--console-port", ports[shown]])
            running.append(started(words, cwd=tmp_path, env=environment))
            assert ready_line(running[-1]) == {"ready": True, "url": f"http://127.0.0.1:{ports[shown]}/"}
        names = {each["name"] for each in orjson.loads(answers[-1])["panels"]}
        assert {"pipeline", "alerts", "findings", "workflows", "dead_letters", "keys", "series"} == names
        # It ends within a moment while nothing answers it: the store of the first one is not there.
        for process in running:
            process.terminate()
        assert [finish(process) for process in running] == [0, 0]
    finally:
        for process in running:
            kill(process)


@pytest.mark.parametrize(
    ("words", "code", "why"),
    [
        (["--spool", "s", "--console-host", "0.0.0.0"], 1, "require tokens"),  # noqa: S104 - refused
        (["--spool", "s", "--console-token-file", "missing"], 1, "missing"),
        (["--spool", "s", "--console-namespaces", "a*", "--elasticsearch", STORE], 4, "is a pattern"),
        (["--spool", "s", "--console-certificate", "missing.pem"], 1, "missing.pem"),
        ([], 4, "--spool is required"),
    ],
)
def test_a_mistake_is_told_with_its_remedy(tmp_path: Path, words: list[str], code: int, why: str) -> None:
    done = subprocess.run(
        [sys.executable, "-m", "logging_system", "console", "--console-port", "0", *words],
        capture_output=True,
        text=True,
        timeout=60,
        cwd=tmp_path,
        check=False,
    )

    assert (done.returncode, why in done.stderr) == (code, True), done.stderr

"""The pages about the logging system are true: what they show runs, against a store, as it stands."""

from __future__ import annotations

import os
import re
import shlex
import subprocess
from pathlib import Path

import pytest

from logging_system.cli import main
from tests.repository import DOCS
from tests.stack.processes import PYTHON, WAIT_SECONDS, Store

PAGES = [
    DOCS / "how-to" / name
    for name in (
        "install-logging.md",
        "prefork-servers.md",
        "disk-full.md",
        "dead-letters.md",
        "mask-fields.md",
    )
]
PROGRAMS = [
    pytest.param(program, id=f"{page.stem}-{number}")
    for page in PAGES
    for number, program in enumerate(re.findall(r"^```python\n(.*?)^```", page.read_text(), re.M | re.S), 1)
]
COMMANDS = [
    pytest.param(line.strip(), id=f"{page.stem}-{number}")
    for page in PAGES
    for number, line in enumerate(re.findall(r"^ *python -m logging_system .*$", page.read_text(), re.M), 1)
]


@pytest.mark.parametrize("program", PROGRAMS)
def test_every_program_shown_does_what_the_page_says(tmp_path: Path, store: Store, program: str) -> None:
    done = subprocess.run(
        [*PYTHON, "-c", program.replace("http://localhost:9200", store.url)],
        capture_output=True,
        text=True,
        timeout=WAIT_SECONDS,
        check=False,
        env={**os.environ, "XDG_STATE_HOME": str(tmp_path / "state")},
    )

    # What elastic_lite lacks may be mentioned.
    assert (done.returncode, "Traceback" in done.stderr) == (0, False), done.stderr


@pytest.mark.parametrize("command", COMMANDS)
def test_every_command_shown_is_understood(
    command: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    words = shlex.split(command.partition(">")[0])[3:]
    folder = tmp_path / "logging_system" / "checkout"
    folder.mkdir(parents=True)
    monkeypatch.setenv("XDG_STATE_HOME", str(tmp_path))
    (tmp_path / "mended.ndjson").touch()
    monkeypatch.chdir(tmp_path)
    with pytest.raises(SystemExit) as help_shown:
        main([*words, "--help"])

    assert help_shown.value.code == 0
    if words[1] in ("dead-letters", "replay"):
        # There is nothing in the folder, so a letter that is named is not found.
        assert main(words) == int(bool(re.search(r"[0-9a-f]{32}", command)))


def test_the_pages_show_programs_and_commands() -> None:
    assert len(PROGRAMS) >= 8
    assert len(COMMANDS) >= 6

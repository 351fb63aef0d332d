"""The tutorial for a project of one's own is true: red as its page shows, green once it is mended."""

from __future__ import annotations

import re
import subprocess
import sys
from pathlib import Path

import pytest

from docs.init_session import BEGIN, END, handlers, project, without_progress
from tests.pages import blocks_of
from tests.repository import DOCS
from tests.system.machine import temporary_folder

PAGE = (DOCS / "tutorial" / "your-own-project.md").read_text()
RUN_SECONDS_MAX = 280


def run(command: str, folder: Path) -> subprocess.CompletedProcess[str]:
    program, *arguments = command.split()
    return subprocess.run(
        [Path(sys.executable).with_name(program), *arguments],
        cwd=folder,
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        timeout=RUN_SECONDS_MAX,
        check=False,
    )


def steady_words(session: str) -> list[str]:
    """The lines of a session that are the same in every run: all but measures and what depends on them."""
    until_runs, _, after = session.partition("Trial without a fault")
    verdicts = re.findall(r"^  ([A-Z]+) +([a-z0-9_]+):", after, re.MULTILINE)
    return [*until_runs.splitlines(), *(" ".join(pair) for pair in verdicts if pair[0] == "FAIL")]


@pytest.mark.timeout(2 * RUN_SECONDS_MAX)
def test_the_shop_is_red_as_the_page_shows_and_green_once_it_is_mended():
    look, write, again = (block.strip() for block in blocks_of(PAGE, "console"))
    shown = PAGE.partition(BEGIN)[2].partition(END)[0].strip()
    shown = shown.removeprefix("```text\n$ logquake init\n").removesuffix("```").strip()
    with temporary_folder() as temporary:
        folder = temporary / "shop"
        project(PAGE, folder)
        looked = run(look, folder)
        written = run(write, folder)
        (folder / "logs.py").write_text(handlers(PAGE)[1])
        mended = run(again, folder)

    assert looked.returncode == 0, looked.stdout
    assert written.returncode == 1, written.stdout
    told, recorded = steady_words(without_progress(written.stdout).strip()), steady_words(shown)
    assert recorded[-1:] == ["  .github/workflows/logquake.yml  the check in GitHub Actions"]
    assert told[: len(recorded)] == recorded
    assert "FAIL acknowledged_lost" in told
    assert mended.returncode == 0, mended.stdout

"""The how-to for pytest is true: its files, saved as it says, pass by the commands that it shows."""

from __future__ import annotations

import re
import shlex
import sys
from pathlib import Path

import pytest

from harness.integrations import pytest_plugin
from tests.repository import REPOSITORY
from tests.system.machine import Machine

PAGE = (REPOSITORY / "docs" / "how-to" / "pytest.md").read_text()
SECONDS_MAX = 150

pytestmark = [pytest.mark.slow, pytest.mark.timeout(SECONDS_MAX + 20)]


def commands() -> list[list[str]]:
    return [shlex.split(line) for line in re.findall(r"^```console\n(.*?)\n```", PAGE, re.M | re.S)]


def save(folder: Path) -> list[str]:
    """Save what the page says to save; return the names."""
    saved = re.findall(r"[Ss]ave .*?as `([a-z_./]+)`:\n\n```(?:python|yaml)\n(.*?)^```", PAGE, re.M | re.S)
    for name, text in saved:
        (folder / name).parent.mkdir(exist_ok=True)
        (folder / name).write_text(text)
    return [name for name, _ in saved]


def test_the_files_of_the_page_pass_by_its_commands(machine: Machine, tmp_path):
    assert save(tmp_path) == ["shop.yaml", "shop_logs.py", "scenarios/slow_store.yaml", "test_shop.py"]
    scenarios, own = commands()
    assert (scenarios[0], own[0]) == ("pytest", "pytest")

    # Both in one session: the services need be started only once.
    arguments = [*scenarios[1:], *(word for word in own[1:] if word not in scenarios)]
    process = machine.start_program(sys.executable, "-m", "pytest", *arguments, folder=tmp_path)
    out, err = process.communicate(timeout=SECONDS_MAX)

    assert process.returncode == 0, f"{out}\n{err}"
    (shown,) = re.findall(r"^```text\n(.*?)^```", PAGE, re.M | re.S)
    for line in shown.splitlines():
        assert line in out
    assert "2 passed" in out
    assert list(tmp_path.glob("reports/pytest/*/scorecard.html"))


def test_every_option_is_in_the_pages_table():
    documented = set(re.findall(r"^\| `--logquake-([a-z]+)`", PAGE, re.M))

    assert documented == {name for name, _, _ in pytest_plugin.OPTIONS}

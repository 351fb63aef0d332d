"""The page on installing is true: its extras are those that there are, its commands do what it says."""

from __future__ import annotations

import re
import shlex
import subprocess
import sys
import tomllib
from pathlib import Path

import requests

from harness.processes.ports import free_port
from tests.pages import blocks_of
from tests.repository import DOCS, REPOSITORY
from tests.system.machine import wait_for

PAGE = (DOCS / "how-to" / "install.md").read_text()


def test_every_extra_of_a_user_has_its_row():
    project = tomllib.loads((REPOSITORY / "pyproject.toml").read_text())["project"]
    rows = re.findall(r"^\| (`[a-z0-9-]+`(?:, `[a-z0-9-]+`)*) \|", PAGE, re.MULTILINE)
    told = {name for row in rows for name in re.findall(r"`([a-z0-9-]+)`", row)}

    assert told == set(project["optional-dependencies"]) - {"dev", "docs", "uwsgi"}


def test_the_extras_that_the_page_installs_exist():
    (named,) = [line for line in blocks_of(PAGE, "sh") if "[" in line]
    project = tomllib.loads((REPOSITORY / "pyproject.toml").read_text())["project"]

    assert set(named.partition("[")[2].partition("]")[0].split(",")) <= set(project["optional-dependencies"])


def test_the_embedded_store_starts_alone(tmp_path):
    (command,) = [line.strip() for line in blocks_of(PAGE, "sh") if "logquake store" in line]
    port = free_port()
    program, *arguments = shlex.split(command.replace("9200", str(port)))
    # As where logquake is installed: the folder that the command is called in is not the checkout.
    store = subprocess.Popen(
        [Path(sys.executable).with_name(program), *arguments], cwd=tmp_path, stdout=subprocess.DEVNULL
    )

    def answers() -> bool:
        try:
            return requests.get(f"http://127.0.0.1:{port}/_cluster/health", timeout=5).ok
        except requests.ConnectionError:
            return False

    try:
        wait_for(answers)
        assert Path(tmp_path, "store").is_dir()
    finally:
        store.terminate()
        store.wait(20)

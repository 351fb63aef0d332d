"""The backend attached through the installed command: a user's own store, used and left as it was."""

from __future__ import annotations

import json
import re
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest
import requests

from tests.repository import REPOSITORY

PAGE = (REPOSITORY / "docs" / "how-to" / "own-stack.md").read_text()
LOGQUAKE = str(Path(sys.executable).parent / "logquake")
RUN_SECONDS_MAX = 100
KILLED = """\
version: 1
name: killed_store
title: The store is killed
hypothesis: It never is.
schedule: {kind: steady, rate_per_second: 50}
sending_seconds: 5
drain_seconds: 15
steps: [{fault: killed, target: elasticsearch, at_seconds: 2, for_seconds: 1}]
"""


@dataclass(frozen=True)
class UsersStore:
    """An elastic_lite that the test started, as a user would have started a store."""

    url: str
    process: subprocess.Popen[bytes]

    def indices(self) -> set[str]:
        answer = requests.get(f"{self.url}/_cat/indices?format=json&expand_wildcards=all", timeout=10)
        return {index["index"] for index in answer.json()}


@pytest.fixture
def users_store(tmp_path: Path) -> Iterator[UsersStore]:
    command = [
        sys.executable,
        "-m",
        "harness.programs.elastic_lite",
        "--port",
        "0",
        "--data",
        str(tmp_path / "data"),
    ]
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE) as process:
        try:
            assert process.stdout is not None
            store = UsersStore(json.loads(process.stdout.readline())["url"], process)
            requests.put(f"{store.url}/logs-precious/_doc/1", json={"message": "mine"}, timeout=10)
            yield store
        finally:
            process.kill()


def write_page(folder: Path, url: str) -> Path:
    """The page's shipper and its attached.yaml, with the store of this test."""
    (folder / "shipper.py").write_text(
        re.findall(r"^```python\n(.*?)^```", PAGE, re.MULTILINE | re.DOTALL)[0]
    )
    (text,) = [
        block
        for block in re.findall(r"^```yaml\n(.*?)^```", PAGE, re.MULTILINE | re.DOTALL)
        if "name: attached" in block
    ]
    path = folder / "attached.yaml"
    path.write_text(text.replace("http://127.0.0.1:9200", url))
    return path


def run(folder: Path, *arguments: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [LOGQUAKE, "run", *arguments, "--stack", "attached.yaml", "--backend", "attached"],
        cwd=folder,
        capture_output=True,
        text=True,
        timeout=RUN_SECONDS_MAX,
        check=False,
    )


@pytest.mark.timeout(RUN_SECONDS_MAX + 10)
def test_a_fault_on_the_users_store_is_refused_and_only_the_runs_own_index_is_deleted(tmp_path, users_store):
    write_page(tmp_path, users_store.url)
    (tmp_path / "killed_store.yaml").write_text(KILLED)
    finished = run(tmp_path, "killed_store.yaml")

    (path,) = tmp_path.glob("reports/*/*/result.json")
    (scenario,) = json.loads(path.read_text())["scenarios"]
    assert finished.returncode == 6, finished.stderr
    assert "PASS" not in {verdict["status"] for verdict in scenario["verdicts"]}
    assert any("did not start this process" in remark for remark in scenario["remarks"])
    assert scenario["tally"]["acknowledged"] == scenario["found"] > 0
    # Without these nothing could excuse a stack that was late beside a neighbour.
    assert '"cores.others"' in next(path.parent.glob("history/*/harness.jsonl")).read_text()
    assert users_store.process.poll() is None
    assert users_store.indices() == {"logs-precious"}


def test_a_store_beyond_this_machine_is_refused_as_a_mistake_of_the_file(tmp_path):
    # 192.0.2.0/24 is reserved for documentation: nobody is there even if the refusal were broken.
    write_page(tmp_path, "http://192.0.2.7:9200")
    finished = run(tmp_path, "no_fault")

    assert finished.returncode == 4
    assert 'may_hurt: ["192.0.2.7:9200"]' in finished.stderr
    assert "attached.yaml: services.elasticsearch.url" in finished.stderr


def test_a_store_that_does_not_run_exits_with_7(tmp_path):
    write_page(tmp_path, "http://127.0.0.1:1")
    finished = run(tmp_path, "no_fault")

    assert finished.returncode == 7
    assert "takes no connection" in finished.stderr

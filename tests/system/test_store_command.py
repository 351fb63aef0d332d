"""`logquake store`, the embedded Elasticsearch alone: it keeps what it is given and ends as servers do."""

from __future__ import annotations

import json
import signal
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
import requests

LOGQUAKE = Path(sys.executable).parent / "logquake"
SECONDS_MAX = 60


@contextmanager
def serving(data: Path, port: int = 0) -> Iterator[tuple[subprocess.Popen[bytes], str]]:
    """Start the store; yield the process and its URL; end it whatever happens."""
    command = [str(LOGQUAKE), "store", "--port", str(port), "--data", str(data)]
    process = subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE)
    try:
        assert process.stdout is not None
        yield process, json.loads(process.stdout.readline())["url"]
    finally:
        process.kill()
        process.communicate(timeout=SECONDS_MAX)


@pytest.mark.parametrize("told", [signal.SIGINT, signal.SIGTERM])
def test_what_was_stored_is_there_after_the_store_ended_and_started_again(
    tmp_path: Path, told: signal.Signals
) -> None:
    with serving(tmp_path / "store") as (process, url):
        stored = requests.post(f"{url}/logs/_doc?refresh=true", json={"message": "paid"}, timeout=SECONDS_MAX)
        process.send_signal(told)
        ended = process.wait(SECONDS_MAX)

    with serving(tmp_path / "store") as (_, url):
        counted = requests.get(f"{url}/logs/_count", timeout=SECONDS_MAX).json()["count"]

    assert stored.status_code == 201
    assert ended == 0
    assert url.startswith("http://127.0.0.1:")
    assert counted == 1


def test_a_port_that_is_taken_is_said_with_the_remedy_and_exit_code_7(tmp_path: Path) -> None:
    with serving(tmp_path / "first") as (_, url):
        port = url.rpartition(":")[2]
        ran = subprocess.run(
            [str(LOGQUAKE), "store", "--port", port, "--data", str(tmp_path / "second")],
            capture_output=True,
            text=True,
            timeout=SECONDS_MAX,
            check=False,
        )

    assert ran.returncode == 7
    assert f"127.0.0.1:{port}: cannot listen" in ran.stderr
    assert "another --port" in ran.stderr

"""`watch` finds what is wrong with the pipeline: real processes, a real spool, a store that is not there."""

from __future__ import annotations

import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from datetime import datetime
from pathlib import Path
from typing import Any

import orjson
import pytest

from logging_system.coordination.detection.finding_file import FindingFile
from tests.stack.processes import PYTHON, Store, eventually, finish, kill, ready_line, started

APPLICATION = """
import json, logging, sys, time
from logging_system import install
installation = install(**json.loads(sys.argv[1]))
print(json.dumps({"began": time.time()}), flush=True)
until = time.monotonic() + float(sys.argv[2])
number = 0
while time.monotonic() < until:
    number += 1
    logging.getLogger("shop").info("order %d was paid", number)
    time.sleep(0.02)
installation.close()
"""

_started: list[subprocess.Popen[bytes]] = []


@pytest.fixture(autouse=True)
def _nothing_is_left() -> Iterator[None]:
    yield
    while _started:
        kill(_started.pop())


def watch(folder: Path) -> subprocess.Popen[bytes]:
    command = [sys.executable, "-m", "logging_system", "watch", "--spool", str(folder / "spool")]
    process = started(command, stderr=subprocess.DEVNULL)
    _started.append(process)
    ready_line(process)
    return process


def application(folder: Path, url: str, seconds: float) -> subprocess.Popen[bytes]:
    settings = {
        "service": "checkout",
        "spool": str(folder / "spool"),
        "shipper": "in_process",
        "elasticsearch": [url],
    }
    process = started([*PYTHON, "-c", APPLICATION, orjson.dumps(settings).decode(), str(seconds)])
    _started.append(process)
    return process


def found(folder: Path) -> list[dict[str, Any]]:
    return list(FindingFile(folder / "spool" / "alerts").latest().values())


def shown(folder: Path, *arguments: str) -> str:
    command = [
        sys.executable,
        "-m",
        "logging_system",
        "findings",
        *arguments,
        "--spool",
        str(folder / "spool"),
    ]
    return subprocess.run(command, check=True, capture_output=True, text=True, timeout=60).stdout


@pytest.mark.alone
def test_a_store_that_is_not_there_is_found_within_ten_seconds_and_listed(tmp_path: Path) -> None:
    watching = watch(tmp_path)
    began_seconds = ready_line(application(tmp_path, "http://127.0.0.1:9", 60))["began"]
    eventually(lambda: bool(found(tmp_path)), "a finding")
    (finding,) = found(tmp_path)
    listed, explained = shown(tmp_path, "list"), shown(tmp_path, "show", finding["finding_id"])
    incidents = shown(tmp_path, "incidents")
    watching.send_signal(signal.SIGTERM)

    assert finish(watching) == 0
    assert (finding["kind"], finding["cause"]) == ("store_unreachable", "store_down")
    assert finding["until"] is None
    assert datetime.fromisoformat(finding["found"]).timestamp() - began_seconds < 10
    assert finding["finding_id"] in listed
    assert "for: connections are refused" in explained
    assert "Connection refused" in explained
    assert "1 incidents, 1 open" in incidents


@pytest.mark.slow
def test_a_store_that_dies_and_comes_back_makes_one_finding_that_ends_across_a_restart(
    tmp_path: Path,
) -> None:
    store = Store(tmp_path / "store")
    first = watch(tmp_path)
    ready_line(application(tmp_path, store.url, 60))
    time.sleep(4)
    kill(store.process)
    eventually(lambda: bool(found(tmp_path)), "a finding")
    kill(first)
    watch(tmp_path)
    time.sleep(2)
    store.start()
    _started.append(store.process)
    eventually(lambda: all(each["until"] for each in found(tmp_path)), "its end")
    kinds = [(each["kind"], each["cause"]) for each in found(tmp_path)]

    assert kinds == [("store_unreachable", "store_down")]

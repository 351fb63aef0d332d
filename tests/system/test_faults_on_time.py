"""Faults within a fault last as long as their file says, although the store stands still meanwhile."""

from __future__ import annotations

import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from harness.evidence.history import read_history
from harness.model.facts import FaultChanged
from harness.model.nanoseconds import SECOND_NS
from tests.repository import REPOSITORY
from tests.system.machine import Machine

pytestmark = [pytest.mark.alone, pytest.mark.slow]

LATE_SECONDS_MAX = 0.3
RUN_SECONDS_MAX = 180
WAIT_SECONDS = 0.05
# When each step of the scenario begins and how long it lasts, in seconds.
STEPS = ((2.0, 4.0), (3.0, 2.0), (6.5, 1.0))
SCENARIO = """\
version: 1
name: nested
title: A frozen store within another fault
hypothesis: Each fault lasts as long as its file says.
schedule: {kind: steady, rate_per_second: 20}
sending_seconds: 8
checks: [acknowledged_lost, "tests.system.seen_in_time:SeenInTime"]
steps:
  - {fault: "tests.system.plug_ins:SlowlySeen", target: to_store, at_seconds: 2, for_seconds: 4}
  - {fault: frozen, target: elasticsearch, at_seconds: 3, for_seconds: 2}
  - {fault: latency, target: to_store, at_seconds: 6.5, for_seconds: 1}
"""


@contextmanager
def late_waits() -> Iterator[list[float]]:
    """Yield by how many seconds short waits end late meanwhile: 0 on a machine with nothing else to do."""
    late_seconds, ended = [0.0], threading.Event()

    def wait() -> None:
        began = time.monotonic()
        while not ended.wait(WAIT_SECONDS):
            late_seconds.append(time.monotonic() - began - WAIT_SECONDS)
            began = time.monotonic()

    waiting = threading.Thread(target=wait, daemon=True)
    waiting.start()
    try:
        yield late_seconds
    finally:
        ended.set()
        waiting.join()


def test_each_fault_lasts_as_long_as_its_file_says(machine: Machine, tmp_path: Path) -> None:
    """The archive is read again and again while the run is on: on a frozen store for up to ten seconds."""
    path = tmp_path / "nested.yaml"
    path.write_text(SCENARIO)
    arguments = (path, "--repeats", "0", "--out", machine.reports)
    with late_waits() as late_seconds:
        process = machine.start("run", *arguments, PYTHONPATH=str(REPOSITORY))
        out, err = process.communicate(timeout=RUN_SECONDS_MAX)
    histories = list(machine.reports.glob("*/*/history/nested"))

    assert len(histories) == 1, f"{out}\n{err}"
    at_ns = {
        (fact.step, fact.state): fact.at_ns
        for fact in read_history(histories[0])
        if isinstance(fact, FaultChanged)
    }
    lasted = [(at_ns[step, "healing"] - at_ns[step, "injected"]) / SECOND_NS for step in range(3)]
    began = [(at_ns[step, "injecting"] - at_ns[0, "injecting"]) / SECOND_NS for step in range(3)]
    # What a fault does at its end is one wait and one thread after the other.
    late_seconds_max = LATE_SECONDS_MAX + 2 * max(late_seconds)
    assert lasted == pytest.approx([seconds for _, seconds in STEPS], abs=late_seconds_max)
    assert began == pytest.approx([at - STEPS[0][0] for at, _ in STEPS], abs=late_seconds_max)

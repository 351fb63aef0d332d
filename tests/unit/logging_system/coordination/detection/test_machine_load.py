"""What waited for a processor is read as Linux counts it, and nothing is made up where it does not count."""

from __future__ import annotations

import os
import subprocess
import sys
import time
from pathlib import Path

import pytest

from logging_system.coordination.detection.machine_load import MachineLoad, Waits

BUSY = "import os, sys; os.sched_setaffinity(0, {int(sys.argv[1])}); print(flush=True)\nwhile True: pass"
SCHEDULED = Path("/proc/thread-self/schedstat")


def write(proc: Path, own: str | None, pressure: str | None) -> None:
    for path, content in ((proc / "thread-self" / "schedstat", own), (proc / "pressure" / "cpu", pressure)):
        path.parent.mkdir(parents=True, exist_ok=True)
        if content is not None:
            path.write_text(content)


def pressure(total_microseconds: int) -> str:
    full = "full avg10=0.00 avg60=0.00 avg300=0.00 total=99999999"
    return f"some avg10=1.00 avg60=2.00 avg300=3.00 total={total_microseconds}\n{full}\n"


def test_waits_are_what_was_counted_since_the_reading_before(tmp_path: Path) -> None:
    load = MachineLoad(tmp_path)
    write(tmp_path, "5000000000 1000000000 70\n", pressure(4_000_000))
    assert load.read() == Waits()

    write(tmp_path, "5100000000 1250000000 80\n", pressure(4_600_000))
    waits = load.read()

    assert waits.own_seconds == pytest.approx(0.25)
    assert waits.any_seconds == pytest.approx(0.6)


@pytest.mark.parametrize("content", [None, "", "some words", "0 x 0"])
def test_a_system_that_counts_nothing_says_nothing(tmp_path: Path, content: str | None) -> None:
    load = MachineLoad(tmp_path)
    write(tmp_path, content, content)

    assert [load.read(), load.read()] == [Waits(), Waits()]


@pytest.mark.skipif(not SCHEDULED.exists(), reason="this kernel does not count waits")
def test_a_thread_that_shares_a_processor_waits_for_it() -> None:
    before = os.sched_getaffinity(0)
    processor = min(before)
    load = MachineLoad()
    rival = subprocess.Popen([sys.executable, "-c", BUSY, str(processor)], stdout=subprocess.PIPE)
    assert rival.stdout is not None
    try:
        os.sched_setaffinity(0, {processor})
        rival.stdout.readline()  # it runs
        load.read()
        until = time.monotonic() + 0.5
        while time.monotonic() < until:
            pass
        waits = load.read()
    finally:
        os.sched_setaffinity(0, before)
        rival.kill()
        rival.communicate()

    assert waits.own_seconds > 0.02
    assert waits.any_seconds is None or waits.any_seconds > 0.02

"""Stored times are compared with what the application's clock showed, also while it is moved."""

import time
from dataclasses import replace
from pathlib import Path

import pytest

from harness.load.oracle import Oracle
from harness.load.slots import Slots
from harness.model.facts import Sent
from harness.processes.clock import SystemClock
from harness.targets.wall_clock import WallClockTarget
from tests.unit.harness.load.test_sender import make_assignment

SECOND_NS = 10**9
HOUR = 3_600.0


@pytest.mark.parametrize(
    ("after_seconds", "moved_seconds"), [(-1.5, 0.0), (-0.5, None), (0.5, None), (1.5, HOUR)]
)
def test_the_time_sent_is_what_the_moved_clock_showed_and_untold_around_the_move(
    tmp_path, after_seconds, moved_seconds
):
    class At(SystemClock):
        def now_ns(self) -> int:
            return moved_ns

    moved_ns = time.monotonic_ns() - 10 * SECOND_NS
    clock = WallClockTarget("clock", str(tmp_path / "clock"), Path("/library.so"), At())
    assignment = make_assignment(tmp_path, records=1, producers=1, workers=1)
    oracle = Oracle(replace(assignment, fields=("time",), wall_clock_path=clock.path))
    clock.move_clock(HOUR)
    sent_ns = moved_ns + int(after_seconds * SECOND_NS)
    oracle.begin(sent_ns)
    oracle.sweep(time.monotonic_ns())
    Slots(assignment.slots_of(1)).enter(0, sent_ns)

    (told,) = [fact for fact in oracle.sweep(time.monotonic_ns()) if isinstance(fact, Sent)]

    if moved_seconds is None:
        assert told.unix_ns == 0
    else:
        shown = time.time() - (time.monotonic_ns() - sent_ns) / SECOND_NS + moved_seconds
        assert told.unix_ns / SECOND_NS == pytest.approx(shown, abs=5)

"""The wall clock jumps while the fault is on, and is right again after it, whatever happened meanwhile."""

import contextlib
import math
from pathlib import Path
from random import Random

import pytest

from harness.cleanup.undo_actions import carry_out
from harness.faults.clock_jump import ClockJump
from harness.model.errors import ScenarioError
from harness.processes.clock import SystemClock
from harness.targets.wall_clock import WallClockHistory, WallClockTarget

HOUR_NS = 3_600 * 10**9
LATER_NS = 10**18


@pytest.fixture
def target(tmp_path):
    return WallClockTarget("clock", str(tmp_path / "wall-clock"), Path("/library.so"), SystemClock())


def offset_ns(target: WallClockTarget) -> int | None:
    return WallClockHistory(Path(target.path)).offset_ns(LATER_NS)


@pytest.mark.parametrize("keep", [False, True])
def test_the_clock_is_moved_while_the_fault_is_on_and_stays_so_only_where_it_is_kept(target, keep):
    seen = []

    with contextlib.suppress(RuntimeError), ClockJump(seconds=3_600, keep=keep).inject(target, Random(1)):
        seen.append(offset_ns(target))
        raise RuntimeError

    assert seen == [HOUR_NS]
    assert offset_ns(target) == (HOUR_NS if keep else 0)


def test_a_jump_within_a_jump_is_added_to_it(target):
    with ClockJump(seconds=3_600).inject(target, Random(1)):
        with ClockJump(seconds=-60).inject(target, Random(1)):
            assert offset_ns(target) == HOUR_NS - 60 * 10**9
        assert offset_ns(target) == HOUR_NS


@pytest.mark.parametrize("seconds", [0.0, math.nan, math.inf, -4e8])
def test_what_is_no_jump_is_refused(seconds):
    with pytest.raises(ScenarioError, match="is no jump"):
        ClockJump(seconds=seconds)


def test_a_later_process_sets_the_clock_right_and_says_what_it_found(target):
    target.move_clock(3_600)
    undo = ClockJump().undo(target)

    assert "is 3,600 s ahead" in target.describe_clock()
    assert carry_out(undo) == f"the clock of {target.path} was set right"
    assert "told it as it is" in target.describe_clock()
    assert carry_out(undo) == f"the clock of {target.path} is right"
    Path(target.path).unlink()
    assert carry_out(undo) == f"{target.path} is gone, and with it the clock that it moved"

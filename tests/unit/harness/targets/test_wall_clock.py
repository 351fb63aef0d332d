"""The moved wall clock: real processes ask for the time, and are told another than the machine's."""

import os
import subprocess
import sys
import time
from pathlib import Path

import pytest

from harness.deployments.clock_library import clock_library
from harness.model.errors import FaultError, UnavailableError
from harness.processes.clock import SystemClock
from harness.targets.capabilities import ClockMovable, Untouchable
from harness.targets.wall_clock import PATH_VARIABLE, WallClockHistory, WallClockStays, WallClockTarget

HOUR = 3_600.0
# Asks by each way that CPython and C programs have, and waits by each that takes a moment of the wall clock.
ASKS = """
import ctypes, threading, time
libc = ctypes.CDLL(None)
libc.time.restype = ctypes.c_long
class Timespec(ctypes.Structure):
    _fields_ = [("seconds", ctypes.c_long), ("ns", ctypes.c_long)]
def by(call, *arguments):
    found = Timespec()
    assert call(*arguments[:1], ctypes.byref(found), *arguments[1:]) in (0, 1)
    return found.seconds
got = Timespec()
libc.timespec_get(ctypes.byref(got), 1)
wall = [time.time(), libc.time(None), by(libc.clock_gettime, 5), got.seconds]
value = Timespec()
libc.gettimeofday(ctypes.byref(value), None)
wall.append(value.seconds)
began = time.monotonic()
time.sleep(0.05)
threading.Event().wait(0.05)
semaphore = ctypes.create_string_buffer(64)
libc.sem_init(semaphore, 0, 0)
until = Timespec(int(time.time()) + 1, 0)
libc.sem_timedwait(semaphore, ctypes.byref(until))
took = time.monotonic() - began
print(*wall, time.clock_gettime(time.CLOCK_BOOTTIME), took)
"""


@pytest.fixture(scope="module")
def library() -> Path:
    try:
        return clock_library()
    except UnavailableError as error:
        pytest.skip(str(error))


@pytest.fixture
def target(tmp_path, library):
    return WallClockTarget("clock", str(tmp_path / "wall-clock"), library, SystemClock())


def test_it_can_be_moved(target):
    assert isinstance(target, ClockMovable)


def asked(target: WallClockTarget) -> tuple[list[float], float, float]:
    """Return by how much each answer differs from this machine's, the same of boot time, and the waits."""
    environment = {**os.environ, **target.variables({})}
    before, boot = time.time(), time.clock_gettime(time.CLOCK_BOOTTIME)
    run = subprocess.run(
        [sys.executable, "-I", "-c", ASKS],
        env=environment,
        capture_output=True,
        text=True,
        check=True,
        timeout=60,
    )
    *wall, its_boot, took = map(float, run.stdout.split())
    return [each - before for each in wall], its_boot - boot, took


@pytest.mark.parametrize("seconds", [HOUR, -HOUR, 0.999_999_999, 86_400 * 3_650.5, -1.5])
def test_every_way_to_ask_for_the_time_of_day_is_moved_and_no_other_clock_and_no_wait(target, seconds):
    target.move_clock(seconds)

    wall, boot, took = asked(target)

    assert len(wall) == 5
    # Whole seconds are cut off; starting an interpreter takes a while on a loaded machine.
    assert all(seconds - 1 <= each <= seconds + 30 for each in wall)
    assert 0 <= boot <= 30
    assert took < 30


def test_a_process_that_runs_already_feels_each_move(target):
    script = "import time\nwhile input(): print(time.time(), flush=True)"
    environment = {**os.environ, **target.variables({})}
    with subprocess.Popen(
        [sys.executable, "-I", "-c", script],
        env=environment,
        text=True,
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
    ) as process:
        stdin, stdout = process.stdin, process.stdout
        assert stdin is not None
        assert stdout is not None
        seen = []
        for seconds in (0.0, HOUR, -2 * HOUR, HOUR):
            target.move_clock(seconds)
            stdin.write("?\n")
            stdin.flush()
            seen.append(float(stdout.readline()) - time.time())
        process.kill()

    assert seen == pytest.approx([0, HOUR, -HOUR, 0], abs=30)


def test_a_move_is_felt_only_once_a_process_has_asked(target):
    target.move_clock(HOUR)

    assert not target.clock_is_felt(0.0)
    assert "is 3,600 s ahead, and a process that asked was last told it as it is" in target.describe_clock()

    asked(target)

    assert target.clock_is_felt(0.0)
    assert target.describe_clock() == "a process asked for the time and was told it 3,600 s ahead"


def test_what_a_stack_preloads_itself_stays_preloaded(target, monkeypatch, library):
    monkeypatch.setenv("LD_PRELOAD", "/of/the/machine.so")

    assert target.variables({})["LD_PRELOAD"] == f"{library}:/of/the/machine.so"
    own = target.variables({"LD_PRELOAD": "/libjemalloc.so", "A": "b"})
    assert own == {"LD_PRELOAD": f"{library}:/libjemalloc.so", "A": "b", PATH_VARIABLE: target.path}


def test_its_history_tells_what_it_showed_and_nothing_of_the_second_around_a_move(target):
    class Given:
        now = 10**9

        def now_ns(self) -> int:
            return self.now

        def sleep(self, seconds: float) -> None:
            self.now += round(seconds * 10**9)

    clock = Given()
    moved = WallClockTarget("clock", target.path, Path("/library.so"), clock)
    for second, seconds in ((10, HOUR), (20, -HOUR), (30, -5.0)):
        clock.now = second * 10**9
        moved.move_clock(seconds)
    history = WallClockHistory(Path(target.path))

    found = {second: history.offset_ns(int(second * 10**9)) for second in (1, 8.9, 9.1, 10.9, 11.1, 25, 40)}

    hour_ns = int(HOUR) * 10**9
    assert found == {1: 0, 8.9: 0, 9.1: None, 10.9: None, 11.1: hour_ns, 25: 0, 40: -5 * 10**9}


def test_moves_have_a_bound(target):
    for _ in range(255):
        target.move_clock(1.0)

    with pytest.raises(FaultError, match="moved too often"):
        target.move_clock(1.0)


def test_a_clock_whose_file_is_gone_cannot_be_moved(target):
    Path(target.path).unlink()

    with pytest.raises(FaultError, match="the file of a moved clock cannot be used"):
        target.move_clock(1.0)


def test_a_clock_that_stays_says_why_and_preloads_nothing():
    stays = WallClockStays("no C compiler")

    assert isinstance(stays, Untouchable)
    assert not isinstance(stays, ClockMovable)
    assert stays.refusal == "no C compiler"
    assert stays.variables({"A": "b"}) == {"A": "b"}
    assert not stays.path

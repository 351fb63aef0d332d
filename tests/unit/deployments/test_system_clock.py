import time

import pytest

from harness.clock import SystemClock
from harness.errors import InterruptedRunError, TimeIsUpError
from harness.testing import FakeClock


def test_time_is_the_monotonic_clock() -> None:
    before_ns = time.monotonic_ns()

    now_ns = SystemClock().now_ns()

    assert before_ns <= now_ns <= time.monotonic_ns()


def test_wait_lasts_as_long_as_asked() -> None:
    clock = SystemClock()
    before_ns = clock.now_ns()

    clock.sleep(0.002)

    assert clock.now_ns() - before_ns >= 2_000_000


def test_wait_of_an_interrupted_run_ends_at_once() -> None:
    clock = SystemClock(interrupted=lambda: True)

    with pytest.raises(InterruptedRunError):
        clock.sleep(3600)


def test_wait_ends_within_a_slice_of_an_interruption() -> None:
    asked = iter([False, True])
    clock = SystemClock(interrupted=lambda: next(asked))

    with pytest.raises(InterruptedRunError):
        clock.sleep(3600)


def test_wait_past_the_deadline_says_that_time_is_up() -> None:
    clock = SystemClock(deadline_ns=time.monotonic_ns())

    with pytest.raises(TimeIsUpError, match="--max-minutes"):
        clock.sleep(3600)


def test_fake_clock_moves_on_without_waiting() -> None:
    clock = FakeClock(now_ns=5)

    clock.sleep(3600)

    assert clock.now_ns() == 5 + 3600 * 10**9


def test_fake_clock_stops_at_its_deadline() -> None:
    clock = FakeClock(deadline_ns=10)

    with pytest.raises(TimeIsUpError):
        clock.sleep(1)

    assert clock.now_ns() == 10


def test_fake_clock_can_be_interrupted() -> None:
    clock = FakeClock()
    clock.interrupt()

    with pytest.raises(InterruptedRunError):
        clock.sleep(1)

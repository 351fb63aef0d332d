import time

import pytest

from harness.model.errors import InterruptedRunError, TimeIsUpError
from harness.processes.clock import SystemClock
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
    clock = SystemClock(signals=lambda: 1)

    with pytest.raises(InterruptedRunError):
        clock.sleep(3600)


def test_wait_ends_within_a_slice_of_an_interruption() -> None:
    asked = iter([0, 1, 1])
    clock = SystemClock(signals=lambda: next(asked))

    with pytest.raises(InterruptedRunError):
        clock.sleep(3600)


def test_wait_past_the_deadline_says_that_time_is_up() -> None:
    clock = SystemClock(deadline_ns=time.monotonic_ns())

    with pytest.raises(TimeIsUpError, match="--max-minutes"):
        clock.sleep(3600)


def test_a_signal_ends_one_wait_and_a_second_signal_another():
    signals = ["SIGTERM"]
    clock = SystemClock(signals=lambda: len(signals))

    with pytest.raises(InterruptedRunError):
        clock.sleep(0)
    clock.sleep(0)
    signals.append("SIGTERM")

    with pytest.raises(InterruptedRunError):
        clock.sleep(0)


def test_a_signal_ends_a_wait_of_every_clock_of_the_run():
    signals: list[str] = []
    clock = SystemClock(signals=lambda: len(signals))
    other = clock.another(lambda: "")
    signals.append("SIGTERM")

    for each in (clock, other):
        with pytest.raises(InterruptedRunError):
            each.sleep(0)


def test_what_a_clock_has_answered_ends_no_wait_of_one_made_from_it():
    clock = SystemClock(signals=lambda: 1)
    with pytest.raises(InterruptedRunError):
        clock.sleep(0)

    clock.another(lambda: "").sleep(0)


def test_being_called_off_ends_one_wait_and_says_why():
    clock = SystemClock().another(lambda: "the disk is full")

    with pytest.raises(InterruptedRunError, match="the disk is full"):
        clock.sleep(3600)
    clock.sleep(0)


def test_whoever_answered_a_signal_is_not_called_off_for_it_again():
    signals = ["SIGTERM"]
    clock = SystemClock(signals=lambda: len(signals)).another(lambda: "a neighbour answered the signal")

    with pytest.raises(InterruptedRunError, match="signal"):
        clock.sleep(0)
    clock.sleep(0)


def test_settling_answers_all_causes_so_far():
    clock = SystemClock(deadline_ns=time.monotonic_ns(), signals=lambda: 2)

    clock.settle()

    clock.sleep(0)


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

from __future__ import annotations

from logging_system.monitoring.call_times import CallTimes


class Clock:
    def __init__(self) -> None:
        self.now_ns = 0

    def __call__(self) -> int:
        return self.now_ns


def test_the_99th_percentile_is_that_of_the_last_minute() -> None:
    clock = Clock()
    times = CallTimes(clock)
    for _ in range(50):
        times.add(9_000_000)
    clock.now_ns = 61_000_000_000
    for number in range(1, 101):
        times.add(number * 1_000_000)

    assert times.p99_ms() == 99.0


def test_of_too_few_calls_nothing_is_said() -> None:
    times = CallTimes(Clock())
    for _ in range(19):
        times.add(1_000_000)
    assert times.p99_ms() is None

    times.add(1_000_000)
    assert times.p99_ms() == 1.0


def test_memory_is_bounded_however_many_calls_there_are() -> None:
    times = CallTimes(Clock())
    for number in range(100_000):
        times.add(number)

    assert times.p99_ms() == (100_000 - 11) / 1e6

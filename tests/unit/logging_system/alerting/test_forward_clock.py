from __future__ import annotations

from logging_system.alerting.forward_clock import ForwardClock, ForwardState


class Time:
    boot = 100.0
    wall = 1_000.0


def clock(time: Time, saved: ForwardState | None = None, this_boot: str = "b1") -> ForwardClock:
    return ForwardClock(saved, boot=lambda: time.boot, wall=lambda: time.wall, this_boot=this_boot)


def test_it_follows_boot_time_whatever_the_time_of_day_does() -> None:
    time = Time()
    forward = clock(time)
    time.boot, time.wall = 110.0, 5.0

    assert forward() == 10


def test_a_restart_within_a_boot_counts_the_time_away_by_boot_time() -> None:
    time = Time()
    saved = clock(time).state()
    time.boot, time.wall = 130.0, 999_999.0

    assert clock(time, saved)() == 30


def test_after_another_boot_the_time_of_day_says_how_long_it_was() -> None:
    time = Time()
    saved = clock(time).state()
    time.boot, time.wall = 3.0, 1_060.0

    assert clock(time, saved, "b2")() == 60


def test_it_never_goes_back() -> None:
    time = Time()
    time.boot = 200.0
    saved = ForwardState(77.0, 200.0, 1_000.0, "b1")
    time.boot, time.wall = 3.0, 10.0

    assert clock(time, saved, "b2")() == 77

from __future__ import annotations

import logging
import os
import threading
from pathlib import Path

import pytest

from logging_system.monitoring.event_stream import KEYS_MAX, EventStream
from logging_system.monitoring.event_words import AGAIN_SECONDS, WordsInLog, in_words
from logging_system.monitoring.events import (
    BreakerClosed,
    BreakerOpened,
    Event,
    InstalledTwice,
    RecordsDropped,
    SettingsProblem,
    StoreAvailable,
    StoreUnavailable,
)


class Clock:
    def __init__(self) -> None:
        self.seconds = 0.0

    def __call__(self) -> float:
        return self.seconds


class Quiet(EventStream):
    """A stream without its thread: the test hands on itself."""

    def _run(self) -> None:
        return


def dropped(count: int, reason: str = "queue_full") -> RecordsDropped:
    return RecordsDropped(reason=reason, count=count)


def test_events_of_a_kind_and_reason_are_summed_up_within_a_second() -> None:
    clock, told = Clock(), list[Event]()
    stream = Quiet(told.append, clock=clock)
    stream.emit(dropped(1))
    stream.hand_on()
    for _ in range(4):
        stream.emit(dropped(300))
    stream.emit(dropped(2, "spool_full"))
    due_seconds = stream.hand_on()
    within = list(told)
    clock.seconds = 1.0
    stream.hand_on()

    assert within == [dropped(1), dropped(2, "spool_full")]
    assert due_seconds == 1.0
    assert told[2:] == [dropped(1_200)]
    assert stream.counts() == {"records_dropped": 1_203}


def test_of_a_subject_that_flaps_the_latest_state_is_told_last() -> None:
    clock, told = Clock(), list[Event]()
    stream = Quiet(told.append, clock=clock)
    opened, closed = BreakerOpened(trouble="503"), BreakerClosed()
    for event in (opened, closed, opened, closed, opened):
        stream.emit(event)
        stream.hand_on()
        clock.seconds += 0.1
    for _ in range(30):
        clock.seconds += 0.1
        stream.hand_on()

    assert told[-1] == BreakerOpened(trouble="503", count=2)
    assert stream.latest("breaker") == opened
    assert sum(event.count for event in told) == 5


def test_what_waits_is_bounded_and_the_rest_is_counted() -> None:
    told: list[Event] = []
    stream = Quiet(told.append)
    for number in range(2 * KEYS_MAX):
        stream.emit(SettingsProblem(where=str(number), what="w", consequence="ignored"))
    stream.hand_on()

    assert len(told) == KEYS_MAX
    assert stream.counts() == {"settings_problem": 2 * KEYS_MAX}


def test_a_subscriber_that_raises_or_hangs_holds_up_nobody_who_emits() -> None:
    release, told = threading.Event(), list[Event]()

    def hang(_event: Event) -> None:
        release.wait(20)
        raise ValueError("a subscriber's own trouble")

    stream = EventStream(hang, told.append)
    for number in range(1_000):
        stream.emit(dropped(1, str(number % 5)))
    counted = stream.counts()
    stream.close(0.01)
    release.set()

    assert counted == {"records_dropped": 1_000}


def test_closing_hands_on_what_waits() -> None:
    told: list[Event] = []
    stream = EventStream(told.append)
    for _ in range(10):
        stream.emit(StoreAvailable())
    stream.close(20)

    assert sum(event.count for event in told) == 10


def test_threads_that_emit_at_once_lose_no_count() -> None:
    told: list[Event] = []
    stream = EventStream(told.append)

    def emit_many() -> None:
        for _ in range(2_000):
            stream.emit(dropped(1))

    threads = [threading.Thread(target=emit_many) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(20)
    stream.close(20)

    assert stream.counts() == {"records_dropped": 8_000}
    assert sum(event.count for event in told) == 8_000


def test_a_forked_child_begins_with_no_events_and_can_emit(tmp_path: Path) -> None:
    stream = EventStream()
    stream.emit(dropped(3))
    child = os.fork()
    if child == 0:
        stream.emit(dropped(1))
        os._exit(0 if stream.counts() == {"records_dropped": 1} else 1)
    _, status = os.waitpid(child, 0)
    stream.close(1)

    assert status == 0
    assert stream.counts() == {"records_dropped": 3}


def test_a_trouble_that_lasts_is_logged_once_a_minute_and_again_after_a_change(
    caplog: pytest.LogCaptureFixture,
) -> None:
    clock = Clock()
    words = WordsInLog(clock)
    unavailable = StoreUnavailable(trouble="refused")
    for event in (unavailable, unavailable, StoreAvailable(), unavailable, unavailable):
        words(event)
    clock.seconds = AGAIN_SECONDS
    words(unavailable)

    assert [record.message.split(";")[0] for record in caplog.records] == [
        "The store is not available",
        "The store is available again.",
        "The store is not available",
        "The store is not available",
    ]
    assert {record.levelno for record in caplog.records} == {logging.WARNING}


def test_the_number_of_dropped_records_is_logged_each_time(caplog: pytest.LogCaptureFixture) -> None:
    words = WordsInLog(Clock())
    words(dropped(1_204))
    words(dropped(1))

    assert [record.message for record in caplog.records] == [
        "1,204 records dropped in the last second: queue full.",
        "1 record dropped in the last second: queue full.",
    ]


def test_what_happened_several_times_in_a_second_says_so() -> None:
    event = InstalledTwice(differing=("service", "level"), count=3)

    assert in_words(event).startswith("install() was called again with another service, level,")
    assert in_words(event).endswith("(3 times in the last second)")

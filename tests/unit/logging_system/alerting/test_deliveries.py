from __future__ import annotations

from logging_system.alerting.deliveries import MARKS_MAX, Deliveries, delivered_by


def read(deliveries: Deliveries, last: int, *, now: float, records: int = 10, age: float = 0.0) -> None:
    deliveries.note("a", last, records, age_seconds=age, now_seconds=now)


NOTHING = delivered_by({}, frozenset({"a"}))
ALL = delivered_by({}, frozenset())


def test_what_the_checkpoint_passed_took_the_time_since_it_was_logged() -> None:
    deliveries = Deliveries([30])
    read(deliveries, 10, now=100, age=1)
    read(deliveries, 20, now=102)
    found = deliveries.look(delivered_by({"a": 11}, frozenset({"a"})), 104)

    assert found.latencies == [(5.0, 10)]
    assert found.oldest_seconds == 2
    assert (found.good, found.bad) == ({30: 10}, {30: 0})


def test_a_writer_whose_files_are_gone_is_delivered() -> None:
    deliveries = Deliveries([30])
    read(deliveries, 10, now=100)

    assert deliveries.look(ALL, 101).good == {30: 10}
    assert deliveries.look(ALL, 102).good == {30: 0}


def test_each_record_is_bad_once_as_soon_as_its_time_is_over() -> None:
    deliveries = Deliveries([30, 60])
    read(deliveries, 10, now=100)

    assert deliveries.look(NOTHING, 131).bad == {30: 10, 60: 0}
    assert deliveries.look(NOTHING, 135).bad == {30: 0, 60: 0}
    last = deliveries.look(ALL, 150)
    assert (last.good, last.bad) == ({30: 0, 60: 10}, {30: 0, 60: 0})


def test_what_was_delivered_before_it_was_read_says_nothing() -> None:
    deliveries = Deliveries([30])
    read(deliveries, 10, now=100, age=3_600)
    found = deliveries.look(ALL, 101)

    assert (found.latencies, found.bad, found.oldest_seconds) == ([], {30: 0}, 0)


def test_a_backlog_that_was_read_late_and_is_not_delivered_is_bad() -> None:
    deliveries = Deliveries([30])
    read(deliveries, 10, now=100, age=3_600)
    found = deliveries.look(NOTHING, 101)

    assert (found.bad, found.oldest_seconds) == ({30: 10}, 3_601)


def test_of_very_many_blocks_no_record_is_lost_and_memory_is_bounded() -> None:
    deliveries = Deliveries([30])
    for number in range(1, 5_001):
        read(deliveries, number * 10, now=float(number) / 1_000)

    assert len(deliveries.content()) <= MARKS_MAX
    assert deliveries.look(ALL, 10).good == {30: 50_000}


def test_a_restart_goes_on_with_what_waits() -> None:
    before, after = Deliveries([30]), Deliveries([30])
    read(before, 10, now=100)
    before.look(NOTHING, 140)
    after.restore(before.content())
    found = after.look(ALL, 150)

    assert (found.latencies, found.good, found.bad) == ([(50.0, 10)], {30: 0}, {30: 0})

from __future__ import annotations

import logging
import threading
import time

from logging_system.handler.queue import GROUP_RECORDS_MAX, BlockBudget, RecordQueue
from logging_system.monitoring.counters import LiveCounters
from logging_system.records.record import Captured, capture


def captured(message: str = "m") -> Captured:
    return capture(logging.makeLogRecord({"msg": message}))


def queue(records_max: int = 1_000) -> tuple[RecordQueue, LiveCounters]:
    live_counters = LiveCounters()
    made = RecordQueue(live_counters, records_max=records_max, bytes_max=1 << 30, allowance_seconds=0.0)
    return made, live_counters


def test_a_budget_is_spent_within_a_second_and_new_in_the_next() -> None:
    budget = BlockBudget(0.05)

    assert budget.remaining_seconds(100.0) == 0.05

    budget.spend(0.04)

    assert 0.009 < budget.remaining_seconds(100.9) < 0.011

    budget.spend(0.04)

    assert budget.remaining_seconds(100.99) == 0.0
    assert budget.remaining_seconds(101.0) == 0.05


def test_each_thread_has_a_budget_of_its_own() -> None:
    budget = BlockBudget(0.05)
    budget.remaining_seconds(1.0)
    budget.spend(1.0)
    seen: list[float] = []
    thread = threading.Thread(target=lambda: seen.append(budget.remaining_seconds(1.0)))
    thread.start()
    thread.join()

    assert budget.remaining_seconds(1.0) == 0.0
    assert seen == [0.05]


def test_a_group_is_bounded_and_keeps_the_order() -> None:
    made, _live_counters = queue()
    offered = [captured(str(number)) for number in range(GROUP_RECORDS_MAX + 10)]
    for one in offered:
        made.offer(one, may_wait=False)

    assert made.take(0.0, 0.0) == offered[:GROUP_RECORDS_MAX]
    assert made.take(0.0, 0.0) == offered[GROUP_RECORDS_MAX:]


def test_records_in_the_workers_hands_still_count_as_queued() -> None:
    made, live_counters = queue()
    made.offer(captured(), may_wait=False)
    made.take(0.0, 0.0)

    assert live_counters.snapshot().queued == 1
    assert not made.wait_until_settled(0.0)

    live_counters.admit(1)

    assert made.wait_until_settled(0.0)


def test_a_flush_does_not_have_a_worker_without_records_spin() -> None:
    made, live_counters = queue()
    made.offer(captured(), may_wait=False)
    in_hand = made.take(0.0, 0.0)
    flush = threading.Thread(target=made.wait_until_settled, args=(20.0,))
    flush.start()
    looks = 0
    ends_seconds = time.monotonic() + 0.2
    while time.monotonic() < ends_seconds:
        made.take(0.0, 0.05)
        looks += 1
    live_counters.admit(len(in_hand))
    made.settled()
    flush.join(20.0)

    assert looks <= 5


def test_a_flush_does_not_wait_for_company() -> None:
    made, live_counters = queue()
    made.offer(captured(), may_wait=False)
    flush = threading.Thread(target=made.wait_until_settled, args=(20.0,))
    flush.start()
    group = made.take(1_000.0, 1_000.0)
    live_counters.admit(len(group))
    made.settled()
    flush.join(20.0)

    assert len(group) == 1
    assert not flush.is_alive()


def test_later_drops_do_not_count_as_settling_earlier_records() -> None:
    made, live_counters = queue(records_max=2)
    for _ in range(9):
        made.offer(captured(), may_wait=False)

    assert live_counters.snapshot().dropped == {"queue_full": 7}
    assert not made.wait_until_settled(0.0)


def test_a_closed_queue_refuses_and_still_gives_out_what_it_has() -> None:
    made, live_counters = queue()
    made.offer(captured(), may_wait=False)
    made.close()

    assert not made.offer(captured(), may_wait=True)
    assert len(made.take(60.0, 60.0)) == 1
    assert made.take(60.0, 60.0) == []
    # Whoever offered it may open the queue again: only then it is known whether the record is lost.
    assert live_counters.snapshot().dropped == {}


def test_a_single_record_larger_than_the_byte_bound_is_taken_alone() -> None:
    live_counters = LiveCounters()
    made = RecordQueue(live_counters, records_max=10, bytes_max=100, allowance_seconds=0.0)

    assert made.offer(captured("x" * 5_000), may_wait=False)
    assert not made.offer(captured("x"), may_wait=False)


def test_flush_waits_for_the_worker_s_hands_though_later_records_were_given_up() -> None:
    live_counters = LiveCounters()
    queue = RecordQueue(
        live_counters, records_max=2, bytes_max=1 << 20, allowance_seconds=0.0, when_full="drop_oldest"
    )
    queue.offer(captured(), may_wait=False)
    group = queue.take(0.0, 0.0)
    for _ in range(5):
        queue.offer(captured(), may_wait=False)

    assert not queue.wait_until_settled(0.0)
    live_counters.admit(len(group))
    assert not queue.wait_until_settled(0.0)
    live_counters.admit(len(queue.take(0.0, 0.0)))
    assert queue.wait_until_settled(0.0)
    assert live_counters.snapshot().balanced
    assert live_counters.snapshot().dropped == {"queue_full": 3}

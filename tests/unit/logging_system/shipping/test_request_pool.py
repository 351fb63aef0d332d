from __future__ import annotations

import threading
import time
from collections.abc import Sequence

from logging_system.delivery.machine import Item, LookUp, Send
from logging_system.delivery.outcomes import Delivered, Found, SameForAll, Unknown
from logging_system.shipping.request_pool import STUCK_FACTOR, RequestPool

ITEM = Item(b"e" * 16, 1, b"{}")
STORED = SameForAll(Delivered())
WAIT_SECONDS_MAX = 10.0


class Scripted:
    """A sink that answers when told to, and says what it was asked."""

    def __init__(self) -> None:
        self.release = threading.Event()
        self.asked: list[str] = []

    def prepare(self) -> str | None:
        return None

    def send(self, items: Sequence[Item]) -> SameForAll:
        self.asked.append(f"send {len(items)}")
        self.release.wait(WAIT_SECONDS_MAX)
        return STORED

    def look_up(self, ids: Sequence[str], indices: Sequence[str]) -> Found:
        self.asked.append(f"look up {len(ids)} in {len(indices)}")
        raise RuntimeError("a bug in the sink")

    def close(self) -> None:
        self.release.set()


def test_an_idle_thread_is_used_again_and_a_busy_one_is_not_waited_for() -> None:
    sink = Scripted()
    pool = RequestPool(sink, 2, lambda number: True)
    pool.carry(Send(1, (ITEM,)))
    pool.carry(Send(2, (ITEM,)))
    sink.release.set()
    numbers = {pool.reports.get(timeout=WAIT_SECONDS_MAX)[0] for _ in range(2)}
    both = pool.threads

    assert numbers == {1, 2}
    assert both == 2


def test_there_are_never_more_threads_than_requests_and_stuck_ones_need() -> None:
    sink = Scripted()
    pool = RequestPool(sink, 1, lambda number: True)
    for number in range(10):
        pool.carry(Send(number, (ITEM,)))
    started = pool.threads
    sink.close()

    assert started == STUCK_FACTOR


def test_a_request_given_up_while_it_stood_in_the_queue_is_not_sent() -> None:
    sink = Scripted()
    sink.release.set()
    pool = RequestPool(sink, 1, lambda number: number == 2)
    pool.carry(Send(1, (ITEM,)))
    pool.carry(Send(2, (ITEM,)))

    assert pool.reports.get(timeout=WAIT_SECONDS_MAX) == (2, STORED)
    assert sink.asked == ["send 1"]


def test_a_sink_that_raises_costs_one_outcome_and_no_thread() -> None:
    sink = Scripted()
    sink.release.set()
    pool = RequestPool(sink, 1, lambda number: True)
    pool.carry(LookUp(1, (ITEM,), ("a", "b")))
    number, outcome = pool.reports.get(timeout=WAIT_SECONDS_MAX)
    pool.carry(Send(2, (ITEM,)))

    assert (number, isinstance(outcome, Unknown)) == (1, True)
    assert pool.reports.get(timeout=WAIT_SECONDS_MAX)[0] == 2
    assert sink.asked == ["look up 1 in 2", "send 1"]


def test_threads_end_when_the_senders_are_closed_and_what_waited_is_not_sent() -> None:
    sink = Scripted()
    pool = RequestPool(sink, 1, lambda number: True)
    before = set(threading.enumerate())
    for number in range(4):
        pool.carry(Send(number, (ITEM,)))
    started = set(threading.enumerate()) - before
    deadline_seconds = time.monotonic() + WAIT_SECONDS_MAX
    while len(sink.asked) < STUCK_FACTOR and time.monotonic() < deadline_seconds:
        sink.release.wait(0.001)
    pool.close()
    sink.release.set()
    for thread in started:
        thread.join(WAIT_SECONDS_MAX)

    assert not any(thread.is_alive() for thread in started)
    assert sink.asked == ["send 1"] * STUCK_FACTOR

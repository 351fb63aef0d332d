from __future__ import annotations

import tracemalloc

from logging_system.analytics.cache.answer_memory import ENTRY_BYTES, AnswerMemory, KeptAnswer
from logging_system.analytics.cache.time_ranges import TimeRange
from logging_system.analytics.cache.validity import Provenance


def kept(encoded_bytes: int) -> KeptAnswer:
    return KeptAnswer(b"x" * encoded_bytes, Provenance(1, 1, (), TimeRange(0, 1)), 0.0)


def key(number: int) -> bytes:
    return number.to_bytes(32, "big")


def test_what_was_used_longest_ago_is_given_up_and_counted_in_bytes() -> None:
    memory = AnswerMemory(3 * (ENTRY_BYTES + 100))
    for number in range(3):
        memory.put(key(number), kept(100))
    memory.get(key(0))
    memory.put(key(3), kept(100))

    assert [memory.get(key(number)) is not None for number in range(4)] == [True, False, True, True]
    assert memory.evicted_bytes == ENTRY_BYTES + 100
    assert memory.used_bytes == 3 * (ENTRY_BYTES + 100)


def test_an_answer_larger_than_all_that_may_be_kept_is_not_kept_and_displaces_nothing() -> None:
    memory = AnswerMemory(10_000)
    memory.put(key(1), kept(100))
    memory.put(key(2), kept(100_000))

    assert memory.get(key(1)) is not None
    assert memory.get(key(2)) is None


def test_a_larger_answer_takes_the_place_of_the_one_before() -> None:
    memory = AnswerMemory(10_000)
    memory.put(key(1), kept(100))
    memory.put(key(1), kept(500))

    assert memory.used_bytes == ENTRY_BYTES + 500


def test_entries_take_no_more_memory_than_is_said_of_them() -> None:
    memory = AnswerMemory(10**9)
    tracemalloc.start()
    before, _ = tracemalloc.get_traced_memory()
    for number in range(2_000):
        memory.put(key(number) + key(number)[:16], kept(200))
    after, _ = tracemalloc.get_traced_memory()
    tracemalloc.stop()

    assert after - before <= memory.used_bytes

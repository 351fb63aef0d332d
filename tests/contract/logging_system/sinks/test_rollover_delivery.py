"""A rollover while an answer is lost: the delivery machine and its sink against both stores."""

from __future__ import annotations

import random
from collections.abc import Iterator
from contextlib import contextmanager

import pytest

from logging_system.delivery.machine import BuryDeadLetter, DeliveryMachine, Item, Limits, LookUp, Send
from logging_system.delivery.outcomes import Found, LookUpOutcome, SendOutcome, Unknown
from logging_system.delivery.progress import Outcome
from logging_system.sinks.elasticsearch.sink import ElasticsearchSink
from tests.contract.elasticsearch_fixture import Store

EPOCH = b"r" * 16
DOCUMENT = b'{"@timestamp":"2026-01-01T00:00:00Z","message":"paid"}'
STEPS_MAX = 50


def items(first: int, last: int) -> list[Item]:
    return [Item(EPOCH, sequence, DOCUMENT) for sequence in range(first, last + 1)]


@contextmanager
def sink_of(store: Store, stream: str) -> Iterator[ElasticsearchSink]:
    sink = ElasticsearchSink([store.url], stream)
    yield sink
    sink.close()


def machine() -> DeliveryMachine:
    return DeliveryMachine(random.Random(1), Limits(linger_seconds=0.0))


def deliver(deliverer: DeliveryMachine, sink: ElasticsearchSink) -> list[str]:
    """Obey until all is done, the clock leaping over pauses; returns what was asked of the store."""
    asked: list[str] = []
    now = 100.0
    for _ in range(STEPS_MAX):
        for command in deliverer.commands(now):
            assert not isinstance(command, BuryDeadLetter), command.reason
            asked.append(type(command).__name__)
            outcome: SendOutcome | LookUpOutcome
            if isinstance(command, LookUp):
                outcome = sink.look_up([item.id for item in command.items], command.indices)
            else:
                outcome = sink.send(command.items)
            deliverer.answered(command.number, outcome, now)
        if not deliverer.progress.unfinished:
            return asked
        now += 10.0
    raise AssertionError(f"not done: {deliverer.tally}")


def lose_the_answer(deliverer: DeliveryMachine, sink: ElasticsearchSink) -> None:
    (send,) = deliverer.commands(0.0)
    assert isinstance(send, Send)
    sink.send(send.items)  # stored, and nobody hears of it
    deliverer.answered(send.number, Unknown("cut"), 0.0)


def count(store: Store, stream: str) -> int:
    store.ok("POST", f"/{stream}/_refresh")
    return store.count(stream)


def test_a_batch_whose_answer_was_lost_before_a_rollover_is_stored_once(store: Store) -> None:
    stream = store.stream()
    with sink_of(store, stream) as sink:
        deliverer = machine()
        deliverer.take(items(1, 3), 0.0)
        lose_the_answer(deliverer, sink)
        store.ok("POST", f"/{stream}/_rollover")
        asked = deliver(deliverer, sink)

        assert asked == ["LookUp"]
        assert count(store, stream) == 3
        assert deliverer.progress.counts[Outcome.CONFLICT] == 3


def test_without_a_look_up_the_same_batch_would_be_stored_twice(store: Store) -> None:
    stream = store.stream()
    with sink_of(store, stream) as sink:
        sink.send(items(1, 3))
        store.ok("POST", f"/{stream}/_rollover")
        sink.send(items(1, 3))

        assert count(store, stream) == 6


def test_what_a_killed_process_sent_before_a_rollover_is_not_sent_again(store: Store) -> None:
    stream = store.stream()
    with sink_of(store, stream) as sink:
        sink.send(items(1, 4))
        store.ok("POST", f"/{stream}/_rollover")
        store.ok("POST", f"/{stream}/_rollover")
        deliverer = machine()
        deliverer.doubt([EPOCH])
        deliverer.take(items(1, 9), 0.0)
        asked = deliver(deliverer, sink)

        assert asked == ["LookUp", "Send"]
        assert count(store, stream) == 9
        assert deliverer.tally.found_by_look_up == 4


def test_a_request_that_never_arrived_is_sent_after_a_look_up_found_nothing(store: Store) -> None:
    stream = store.stream()
    with sink_of(store, stream) as sink:
        sink.send(items(90, 90))
        deliverer = machine()
        deliverer.take(items(1, 3), 0.0)
        (send,) = deliverer.commands(0.0)
        assert isinstance(send, Send)
        deliverer.answered(send.number, Unknown("lost"), 0.0)
        asked = deliver(deliverer, sink)

        assert asked == ["LookUp", "Send"]
        assert count(store, stream) == 4


def test_the_first_documents_ever_can_be_looked_up_before_there_is_a_stream(store: Store) -> None:
    stream = store.stream()
    with sink_of(store, stream) as sink:
        deliverer = machine()
        deliverer.doubt([EPOCH])
        deliverer.take(items(1, 2), 0.0)
        asked = deliver(deliverer, sink)

        assert asked == ["LookUp", "Send"]
        assert deliverer.tally.skipped_look_ups == 0
        assert count(store, stream) == 2


@pytest.mark.parametrize("known", [0, 1])
def test_a_look_up_finds_what_is_not_refreshed_in_every_backing_index(store: Store, known: int) -> None:
    stream = store.stream()
    with sink_of(store, stream) as sink:
        sink.send(items(1, 1))
        first = store.ok("GET", f"/_resolve/index/{stream}")["data_streams"][0]["backing_indices"]
        names = [first] if isinstance(first, str) else first
        store.ok("POST", f"/{stream}/_rollover")
        sink.send(items(2, 2))
        ids = [item.id for item in items(1, 3)]

        assert sink.look_up(ids, names[:known]) == Found(frozenset(ids[:2]))

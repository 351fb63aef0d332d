from __future__ import annotations

import random
from collections import Counter

import orjson
from hypothesis import given, settings
from hypothesis import strategies as st

from logging_system.delivery.answers import Answer, NoAnswer
from logging_system.delivery.backoff import Backoff
from logging_system.delivery.machine import BuryDeadLetter, DeliveryMachine, Item, Limits, Send
from logging_system.delivery.progress import Outcome

EPOCH = b"e" * 16
OTHER = b"o" * 16


def seeded(seed: int) -> random.Random:
    return random.Random(seed)


def machine(**limits: object) -> DeliveryMachine:
    return DeliveryMachine(seeded(1), Limits(**{"linger_seconds": 0.0, **limits}))  # type: ignore[arg-type]


def items(*sequences: int, epoch: bytes = EPOCH, document: bytes = b"{}") -> list[Item]:
    return [Item(epoch, sequence, document) for sequence in sequences]


def statuses(*codes: int, headers: dict[str, str] | None = None) -> Answer:
    content = {"errors": max(codes) > 299, "items": [{"create": {"status": code}} for code in codes]}
    return Answer(200, headers or {}, orjson.dumps(content))


def sends(deliverer: DeliveryMachine, now: float) -> list[Send]:
    return [command for command in deliverer.commands(now) if isinstance(command, Send)]


def sequences(send: Send) -> list[int]:
    return [item.sequence for item in send.items]


def test_an_id_is_the_same_for_every_attempt_and_differs_between_writers() -> None:
    assert Item(EPOCH, 7, b"a").id == Item(EPOCH, 7, b"b").id == EPOCH.hex() + "-7"
    assert Item(OTHER, 7, b"a").id != Item(EPOCH, 7, b"a").id


def test_a_batch_is_cut_at_its_record_bound() -> None:
    deliverer = machine(batch_records_max=2)
    deliverer.take(items(1, 2, 3), 0.0)

    assert [sequences(send) for send in sends(deliverer, 0.0)] == [[1, 2], [3]]


def test_a_batch_is_cut_at_its_byte_bound_and_takes_one_document_of_any_size() -> None:
    deliverer = machine(batch_bytes_max=10, concurrency=4)
    deliverer.take(items(1, 2, 3, document=b"x" * 5) + items(4, document=b"x" * 50), 0.0)

    assert [sequences(send) for send in sends(deliverer, 0.0)] == [[1, 2], [3], [4]]


def test_a_document_waits_for_company_until_the_linger_has_passed() -> None:
    deliverer = machine(linger_seconds=0.05)
    deliverer.take(items(1), 0.0)

    assert sends(deliverer, 0.04) == []
    assert deliverer.wait_seconds(0.0) == 0.05
    assert [sequences(send) for send in sends(deliverer, 0.05)] == [[1]]


def test_a_full_batch_does_not_wait() -> None:
    deliverer = machine(linger_seconds=9.0, batch_records_max=2)
    deliverer.take(items(1, 2), 0.0)

    assert deliverer.wait_seconds(0.0) == 0.0
    assert [sequences(send) for send in sends(deliverer, 0.0)] == [[1, 2]]


def test_no_more_requests_are_under_way_than_allowed() -> None:
    deliverer = machine(batch_records_max=1, concurrency=2)
    deliverer.take(items(1, 2, 3), 0.0)

    assert len(sends(deliverer, 0.0)) == 2
    assert sends(deliverer, 99.0) == []
    assert deliverer.wait_seconds(99.0) is None


def test_only_a_contiguous_prefix_of_each_writer_counts_as_progress() -> None:
    deliverer = machine(batch_records_max=1, concurrency=3)
    deliverer.take(items(1, 2) + items(5, epoch=OTHER), 0.0)
    first, second, other = sends(deliverer, 0.0)
    deliverer.answered(second.number, statuses(201), 0.0)

    assert deliverer.progress.moved() == {}
    assert deliverer.progress.counts[Outcome.DELIVERED] == 0

    deliverer.answered(other.number, statuses(201), 0.0)
    deliverer.answered(first.number, statuses(201), 0.0)

    assert deliverer.progress.moved() == {EPOCH: 3, OTHER: 6}
    assert deliverer.progress.counts[Outcome.DELIVERED] == 3


def test_only_the_items_that_failed_are_sent_again() -> None:
    deliverer = machine()
    deliverer.take(items(1, 2, 3, 4), 0.0)
    (send,) = sends(deliverer, 0.0)
    deliverer.answered(send.number, statuses(201, 429, 503, 409), 0.0)

    assert [sequences(again) for again in sends(deliverer, 9.0)] == [[2, 3]]
    assert deliverer.progress.counts[Outcome.DELIVERED] == 1


def test_a_conflict_is_done_and_counted_apart() -> None:
    deliverer = machine()
    deliverer.take(items(1), 0.0)
    (send,) = sends(deliverer, 0.0)
    deliverer.answered(send.number, statuses(409), 0.0)

    assert deliverer.progress.counts[Outcome.CONFLICT] == 1
    assert deliverer.progress.moved() == {EPOCH: 2}


def test_a_redirected_document_is_done_and_counted_apart() -> None:
    deliverer = machine()
    deliverer.take(items(1), 0.0)
    (send,) = sends(deliverer, 0.0)
    body = b'{"errors":false,"items":[{"create":{"status":201,"failure_store":"used"}}]}'
    deliverer.answered(send.number, Answer(200, {}, body), 0.0)

    assert deliverer.progress.counts[Outcome.REDIRECTED] == 1


def test_a_lost_answer_leads_to_the_same_ids_again() -> None:
    deliverer = machine()
    deliverer.take(items(1, 2), 0.0)
    (send,) = sends(deliverer, 0.0)
    deliverer.answered(send.number, NoAnswer("reset"), 0.0)
    (again,) = sends(deliverer, 9.0)

    assert again.items == send.items
    assert deliverer.tally.unproved_answers == 1


def test_an_outage_is_met_by_no_more_batches_than_may_be_under_way() -> None:
    deliverer = machine(batch_records_max=1, concurrency=2)
    deliverer.take(items(*range(1, 50)), 0.0)
    seen: set[int] = set()
    for attempt in range(20):
        for send in sends(deliverer, attempt * 10.0):
            seen.update(sequences(send))
            deliverer.answered(send.number, NoAnswer("refused"), attempt * 10.0)

    assert seen == {1, 2}


def test_a_retry_waits_no_longer_than_the_cap_and_at_least_what_the_server_asks() -> None:
    deliverer = machine()
    deliverer.take(items(1), 0.0)
    now = 0.0
    for _ in range(40):
        (send,) = sends(deliverer, now)
        deliverer.answered(send.number, Answer(503, {}, b""), now)
        wait = deliverer.wait_seconds(now)
        assert wait is not None
        assert wait <= 2.0
        now += wait + 0.001
    (send,) = sends(deliverer, now)
    deliverer.answered(send.number, Answer(429, {"retry-after": "7"}, b""), now)
    wait = deliverer.wait_seconds(now)

    assert wait is not None
    assert 7.0 <= wait <= 9.0


def test_retry_delays_are_spread_over_the_whole_range_below_the_ceiling() -> None:
    rng = seeded(3)
    delays = [Backoff(0.1, 2.0).delay_seconds(20, None, rng) for _ in range(500)]

    assert min(delays) < 0.1
    assert 1.9 < max(delays) <= 2.0


def test_a_rejected_document_is_buried_before_it_is_done() -> None:
    deliverer = machine()
    deliverer.take(items(1, 2), 0.0)
    (send,) = sends(deliverer, 0.0)
    deliverer.answered(send.number, statuses(400, 201), 0.0)
    (burial,) = deliverer.commands(0.0)

    assert isinstance(burial, BuryDeadLetter)
    assert (burial.item.sequence, burial.status) == (1, 400)
    assert deliverer.progress.moved() == {}

    deliverer.buried(burial.item)

    assert deliverer.progress.moved() == {EPOCH: 3}
    assert deliverer.progress.counts[Outcome.DEAD_LETTERED] == 1


def test_halving_finds_the_one_document_that_is_too_large() -> None:
    deliverer = machine(concurrency=1)
    deliverer.take(items(*range(1, 17)), 0.0)
    buried: list[int] = []
    for _ in range(40):
        for command in deliverer.commands(0.0):
            if isinstance(command, BuryDeadLetter):
                buried.append(command.item.sequence)
                deliverer.buried(command.item)
                continue
            poisoned = 11 in sequences(command)
            answer = Answer(413, {}, b"") if poisoned else statuses(*[201] * len(command.items))
            deliverer.answered(command.number, answer, 0.0)

    assert buried == [11]
    assert deliverer.progress.moved() == {EPOCH: 17}
    assert deliverer.progress.counts[Outcome.DELIVERED] == 15


def test_records_are_taken_on_only_while_there_is_room() -> None:
    deliverer = machine(held_records_max=3, held_bytes_max=1_000)
    deliverer.take(items(1, 2, document=b"x" * 300), 0.0)

    assert deliverer.room_bytes == 400

    deliverer.take(items(3), 0.0)

    assert deliverer.room_bytes == 0


def test_room_returns_with_the_answers() -> None:
    deliverer = machine(held_bytes_max=1_000)
    deliverer.take(items(1, 2, document=b"x" * 500), 0.0)
    (send,) = sends(deliverer, 0.0)
    deliverer.answered(send.number, statuses(201, 201), 0.0)

    assert deliverer.room_bytes == 1_000


def test_a_machine_with_nothing_to_do_waits_for_reports_only() -> None:
    assert machine().wait_seconds(0.0) is None


STORE_MOODS = st.sampled_from(
    ["ok", "ok", "lost answer", "lost request", "html", "short", "429", "mixed", "413 above 2", "503"]
)


@settings(max_examples=200, deadline=None)
@given(st.integers(1, 40), st.integers(1, 7), st.lists(STORE_MOODS, max_size=60), st.integers(0, 2**32))
def test_every_record_ends_exactly_once_whatever_the_store_does(
    records: int, batch_records_max: int, moods: list[str], seed: int
) -> None:
    """After any faults and then health each record is stored or buried, never both; the prefix is whole."""
    rng = seeded(seed)
    deliverer = DeliveryMachine(rng, Limits(batch_records_max=batch_records_max))
    deliverer.take(items(*range(1, records + 1)), 0.0)
    stored: set[str] = set()
    buried: Counter[str] = Counter()
    now = 0.0
    for step in range(10_000):
        for command in deliverer.commands(now):
            if isinstance(command, BuryDeadLetter):
                buried[command.item.id] += 1
                deliverer.buried(command.item)
            else:
                mood = moods[step] if step < len(moods) else "ok"
                deliverer.answered(command.number, store(command, mood, stored, rng), now)
        counts = deliverer.progress.counts
        assert deliverer.progress.taken == deliverer.progress.unfinished + sum(counts.values())
        if not deliverer.progress.unfinished:
            break
        wait = deliverer.wait_seconds(now)
        assert wait is not None
        now += wait

    assert deliverer.progress.unfinished == 0
    assert deliverer.progress.moved() == {EPOCH: records + 1}
    assert stored | set(buried) == {item.id for item in items(*range(1, records + 1))}
    assert not stored & set(buried)
    assert all(count == 1 for count in buried.values())


def store(send: Send, mood: str, stored: set[str], rng: random.Random) -> Answer | NoAnswer:
    if mood == "lost request":
        return NoAnswer("refused")
    if mood in ("503", "429"):
        return Answer(int(mood), {}, b"")
    if mood == "413 above 2" and len(send.items) > 2:
        return Answer(413, {}, b"")
    codes = []
    for item in send.items:
        if mood == "mixed" and item.id not in stored and rng.random() < 0.5:
            codes.append(rng.choice([400, 429, 503]))
            continue
        codes.append(409 if item.id in stored else 201)
        stored.add(item.id)
    if mood == "lost answer":
        return NoAnswer("timed out")
    if mood == "html":
        return Answer(200, {}, b"<html>")
    return statuses(*(codes[:-1] or [201, 201]) if mood == "short" else codes)

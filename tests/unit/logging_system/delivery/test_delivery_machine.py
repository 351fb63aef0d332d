from __future__ import annotations

import random

import pytest

from logging_system.delivery.backoff import Backoff
from logging_system.delivery.breaker import BreakerState
from logging_system.delivery.limiter import Limiter
from logging_system.delivery.machine import BuryDeadLetter, DeliveryMachine, Item, Limits, LookUp, Send
from logging_system.delivery.outcomes import (
    CannotLookUp,
    Conflict,
    Delivered,
    DocumentOutcome,
    Found,
    OneForEach,
    Redirected,
    Refused,
    RequestRefused,
    Retry,
    SameForAll,
    Unknown,
)
from logging_system.delivery.progress import Outcome
from logging_system.delivery.trials import QUIET_SECONDS

EPOCH = b"e" * 16
OTHER = b"o" * 16
REFUSED = RequestRefused("no JSON", 400)
STORED = Delivered("logs-1")
PUSHED_BACK = Retry("queue is full", 429, is_pushed_back=True, may_have_stored=False)
FAILED_INSIDE = Retry("not JSON", 500, is_suspect=True)
UNAVAILABLE = Retry("shard is gone", 503, is_pushed_back=True)
TURNED_AWAY = Unknown("HTTP 429", may_have_stored=False)


def seeded(seed: int) -> random.Random:
    return random.Random(seed)


def machine(**limits: object) -> DeliveryMachine:
    """A machine whose limiter stands at its cap already."""
    bounds = Limits(**{"linger_seconds": 0.0, **limits})  # type: ignore[arg-type]
    cap = bounds.concurrency
    return DeliveryMachine(seeded(1), bounds, limiter=Limiter(cap, limit=cap, slow_start=False))


def none_found(look_up: LookUp) -> Found:
    return found(look_up)


def found(look_up: LookUp, *sequences: int) -> Found:
    """The outcome of a look-up in a store that holds some of the documents."""
    return Found(frozenset(item.id for item in look_up.items if item.sequence in sequences))


def sends_after_look_up(deliverer: DeliveryMachine, now: float) -> list[Send]:
    """Obey look-ups with "none of it is there", and return what is sent then."""
    found_sends: list[Send] = []
    for _ in range(10):
        commands = deliverer.commands(now)
        found_sends += [command for command in commands if isinstance(command, Send)]
        look_ups = [command for command in commands if isinstance(command, LookUp)]
        for look_up in look_ups:
            deliverer.answered(look_up.number, none_found(look_up), now)
        if not look_ups:
            break
    return found_sends


def items(*sequences: int, epoch: bytes = EPOCH, document: bytes = b"{}") -> list[Item]:
    return [Item(epoch, sequence, document) for sequence in sequences]


def each(*outcomes: DocumentOutcome) -> OneForEach:
    return OneForEach(outcomes)


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
    assert sends(deliverer, 9.0) == []
    assert deliverer.wait_seconds(9.0) == deliverer.limits.request_seconds_max - 9.0


def test_only_a_contiguous_prefix_of_each_writer_counts_as_progress() -> None:
    deliverer = machine(batch_records_max=1, concurrency=3)
    deliverer.take(items(1, 2) + items(5, epoch=OTHER), 0.0)
    first, second, other = sends(deliverer, 0.0)
    deliverer.answered(second.number, each(STORED), 0.0)

    assert deliverer.progress.moved() == {}
    assert deliverer.progress.counts[Outcome.DELIVERED] == 0

    deliverer.answered(other.number, each(STORED), 0.0)
    deliverer.answered(first.number, each(STORED), 0.0)

    assert deliverer.progress.moved() == {EPOCH: 3, OTHER: 6}
    assert deliverer.progress.counts[Outcome.DELIVERED] == 3


def test_only_the_items_that_failed_are_sent_again() -> None:
    deliverer = machine()
    deliverer.take(items(1, 2, 3, 4), 0.0)
    (send,) = sends(deliverer, 0.0)
    deliverer.answered(send.number, each(STORED, PUSHED_BACK, PUSHED_BACK, Conflict("logs-1")), 0.0)

    assert [sequences(again) for again in sends(deliverer, 9.0)] == [[2, 3]]
    assert deliverer.progress.counts[Outcome.DELIVERED] == 1


def test_a_conflict_is_done_and_counted_apart() -> None:
    deliverer = machine()
    deliverer.take(items(1), 0.0)
    (send,) = sends(deliverer, 0.0)
    deliverer.answered(send.number, each(Conflict("logs-1")), 0.0)

    assert deliverer.progress.counts[Outcome.CONFLICT] == 1
    assert deliverer.progress.moved() == {EPOCH: 2}


def test_a_redirected_document_is_done_and_counted_apart() -> None:
    deliverer = machine()
    deliverer.take(items(1), 0.0)
    (send,) = sends(deliverer, 0.0)
    deliverer.answered(send.number, each(Redirected()), 0.0)

    assert deliverer.progress.counts[Outcome.REDIRECTED] == 1


def test_a_lost_answer_leads_to_the_same_ids_again() -> None:
    deliverer = machine()
    deliverer.take(items(1, 2), 0.0)
    (send,) = sends(deliverer, 0.0)
    deliverer.answered(send.number, Unknown("reset"), 0.0)
    (again,) = sends_after_look_up(deliverer, 9.0)

    assert again.items == send.items
    assert deliverer.tally.unproved_answers == 1


def test_an_outage_is_met_by_no_more_batches_than_may_be_under_way() -> None:
    deliverer = machine(batch_records_max=1, concurrency=2)
    deliverer.take(items(*range(1, 50)), 0.0)
    seen: set[int] = set()
    for attempt in range(20):
        for command in deliverer.commands(attempt * 10.0):
            assert not isinstance(command, BuryDeadLetter)
            seen.update(item.sequence for item in command.items)
            deliverer.answered(command.number, Unknown("refused"), attempt * 10.0)

    assert seen == {1, 2}


def test_a_retry_waits_no_longer_than_the_cap_and_at_least_what_the_server_asks() -> None:
    deliverer = machine()
    deliverer.take(items(1), 0.0)
    now = 0.0
    for _ in range(40):
        (send,) = sends(deliverer, now)
        deliverer.answered(send.number, TURNED_AWAY, now)
        wait = deliverer.wait_seconds(now)
        assert wait is not None
        assert wait <= 2.0
        now += wait + 0.001
    (send,) = sends(deliverer, now)
    deliverer.answered(send.number, Unknown("HTTP 429", 7.0, may_have_stored=False), now)
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
    deliverer.answered(send.number, each(Refused("no number", 400), STORED), 0.0)
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
    for step in range(60):
        deliverer.take(items(100 + step), float(step))  # only a store that takes others can be believed
        for command in deliverer.commands(float(step)):
            if isinstance(command, BuryDeadLetter):
                buried.append(command.item.sequence)
                deliverer.buried(command.item)
                continue
            poisoned = any(item.sequence == 11 for item in command.items)
            answer = (
                RequestRefused("too large", 413, is_too_large=True)
                if poisoned
                else each(*[STORED] * len(command.items))
            )
            deliverer.answered(command.number, answer, float(step))

    assert buried == [11]
    assert deliverer.progress.counts[Outcome.DELIVERED] == 75


@pytest.mark.parametrize("is_too_large", [False, True])
def test_a_store_that_refuses_everything_blames_no_document(is_too_large: bool) -> None:
    deliverer = machine(waiting_batches_max=8)
    deliverer.take(items(*range(1, 2_001)), 0.0)
    for step in range(400):
        for command in deliverer.commands(step * 3.0):
            assert isinstance(command, Send)
            refused = RequestRefused("broken proxy", is_too_large=is_too_large)
            deliverer.answered(command.number, refused, step * 3.0)

    assert deliverer.waiting_batches < 100
    assert deliverer.progress.counts[Outcome.DEAD_LETTERED] == 0


def test_records_are_taken_on_only_while_there_is_room() -> None:
    deliverer = machine(held_records_max=3, held_bytes_max=1_000)
    deliverer.take(items(1, 2, document=b"x" * 300), 0.0)

    assert deliverer.room_bytes == 400

    deliverer.take(items(3), 0.0)

    assert deliverer.room_bytes == 0


@pytest.mark.parametrize("bounds", [{"batch_records_max": 2}, {"batch_bytes_max": 100}])
def test_what_no_request_can_carry_yet_is_left_in_the_spool(bounds: dict[str, int]) -> None:
    deliverer = machine(concurrency=1, **bounds)
    deliverer.take(items(1, 2, document=b"x" * 50), 0.0)
    (send,) = sends(deliverer, 0.0)

    assert deliverer.room_bytes > 0, "the next batch is made ready while one is under way"

    deliverer.take(items(3, 4, document=b"x" * 50), 0.0)

    assert deliverer.room_bytes == 0

    deliverer.answered(send.number, each(STORED, STORED), 0.0)
    sends(deliverer, 0.0)

    assert deliverer.room_bytes > 0


def test_room_returns_with_the_answers() -> None:
    deliverer = machine(held_bytes_max=1_000)
    deliverer.take(items(1, 2, document=b"x" * 500), 0.0)
    (send,) = sends(deliverer, 0.0)
    deliverer.answered(send.number, each(STORED, STORED), 0.0)

    assert deliverer.room_bytes == 1_000


def test_a_machine_with_nothing_to_do_waits_for_reports_only() -> None:
    assert machine().wait_seconds(0.0) is None


def test_a_request_without_a_whole_answer_counts_as_lost_when_its_time_is_up() -> None:
    deliverer = machine(request_seconds_max=5.0)
    deliverer.take(items(1), 0.0)
    (send,) = sends(deliverer, 0.0)
    (look_up,) = deliverer.commands(5.0 + 2.0) or deliverer.commands(20.0)
    deliverer.answered(send.number, each(STORED), 21.0)

    assert isinstance(look_up, LookUp)
    assert not deliverer.expects(send.number)
    assert (deliverer.tally.expired_requests, deliverer.tally.late_answers) == (1, 1)
    assert deliverer.progress.unfinished == 1


def test_a_doubtful_batch_is_looked_up_in_every_index_since_and_only_the_rest_is_sent() -> None:
    deliverer = machine()
    deliverer.take(items(1, 2, 3), 0.0)
    (send,) = sends(deliverer, 0.0)
    deliverer.answered(send.number, Unknown("cut"), 0.0)
    (look_up,) = deliverer.commands(9.0)
    assert isinstance(look_up, LookUp)
    deliverer.answered(look_up.number, found(look_up, 1, 3), 9.0)
    (again,) = sends(deliverer, 9.0)

    assert sequences(again) == [2]
    assert deliverer.progress.counts[Outcome.CONFLICT] == 1
    assert deliverer.progress.unfinished == 2


def test_what_certainly_did_not_arrive_is_not_looked_up() -> None:
    deliverer = machine()
    deliverer.take(items(1), 0.0)
    (send,) = sends(deliverer, 0.0)
    deliverer.answered(send.number, Unknown("refused", may_have_stored=False), 0.0)

    assert len(sends(deliverer, 9.0)) == 1


def test_a_store_without_look_ups_gets_the_batch_again() -> None:
    deliverer = machine()
    deliverer.take(items(1), 0.0)
    (send,) = sends(deliverer, 0.0)
    deliverer.answered(send.number, Unknown("cut"), 0.0)
    (look_up,) = deliverer.commands(9.0)
    assert isinstance(look_up, LookUp)
    deliverer.answered(look_up.number, CannotLookUp("HTTP 405"), 9.0)

    assert len(sends(deliverer, 9.0)) == 1
    assert deliverer.tally.skipped_look_ups == 1


def test_a_look_up_that_never_works_does_not_hold_a_batch_while_the_store_takes_others() -> None:
    deliverer = machine(batch_records_max=1)
    deliverer.take(items(1), 0.0)
    (send,) = sends(deliverer, 0.0)
    deliverer.answered(send.number, Unknown("cut"), 0.0)
    for step in range(600):
        if step < 400:
            deliverer.take(items(2 + step), step * 3.0)
        for command in deliverer.commands(step * 3.0):
            assert not isinstance(command, BuryDeadLetter)
            answer = each(STORED) if isinstance(command, Send) else Unknown("HTTP 502")
            deliverer.answered(command.number, answer, step * 3.0)

    assert deliverer.progress.unfinished == 0
    assert deliverer.tally.skipped_look_ups == 1


def test_records_of_an_earlier_process_are_looked_up_until_nothing_more_of_them_is_found() -> None:
    deliverer = machine(held_records_max=3, batch_records_max=3, concurrency=1)
    deliverer.doubt([EPOCH])
    kinds: list[str] = []
    for first in range(1, 16, 3):
        deliverer.take(items(first, first + 1, first + 2), 0.0)
        for _ in range(2):
            for command in deliverer.commands(0.0):
                kinds.append(type(command).__name__)
                look_up = isinstance(command, LookUp)
                answer = found(command, 1, 2) if isinstance(command, LookUp) else None
                assert look_up == (answer is not None)
                sent = each(*[STORED] * len(command.items))  # type: ignore[union-attr]
                deliverer.answered(command.number, answer or sent, 0.0)  # type: ignore[union-attr]

    assert kinds == ["LookUp", "Send", "LookUp", "Send", "LookUp", "Send", "Send", "Send"]
    assert deliverer.tally.found_by_look_up == 2


def test_a_document_that_makes_the_store_stumble_is_given_up_while_others_are_accepted() -> None:
    deliverer, buried = machine(batch_records_max=20), list[int]()
    now = 0.0
    for step in range(60):
        now = step * 3.0
        deliverer.take(items(*range(1 + step * 10, 11 + step * 10)), now)
        for _ in range(4):
            for command in deliverer.commands(now):
                if isinstance(command, BuryDeadLetter):
                    buried.append(command.item.sequence)
                    deliverer.buried(command.item)
                elif isinstance(command, LookUp):
                    deliverer.answered(command.number, none_found(command), now)
                else:
                    outcomes = [FAILED_INSIDE if item.sequence == 7 else STORED for item in command.items]
                    deliverer.answered(command.number, each(*outcomes), now)

    assert buried == [7]
    assert deliverer.progress.unfinished == 0


@pytest.mark.parametrize("failure", [FAILED_INSIDE, UNAVAILABLE])
def test_a_lost_shard_blames_none_of_its_documents(failure: Retry) -> None:
    deliverer = machine(batch_records_max=50, concurrency=1)
    for step in range(80):
        now = step * 3.0
        if deliverer.room_bytes:
            deliverer.take(items(*range(1 + step * 50, 51 + step * 50)), now)
        for _ in range(6):
            for command in deliverer.commands(now):
                assert not isinstance(command, BuryDeadLetter)
                if isinstance(command, LookUp):
                    deliverer.answered(command.number, none_found(command), now)
                    continue
                outcomes = [failure if item.sequence % 5 == 0 else STORED for item in command.items]
                deliverer.answered(command.number, each(*outcomes), now)

    assert deliverer.held_records > 0


def test_an_open_breaker_lets_one_small_request_through_and_closes_on_proof() -> None:
    deliverer = machine(batch_records_max=50, concurrency=4, probe_records_max=5)
    deliverer.take(items(*range(1, 301)), 0.0)
    for now in range(0, 10, 5):
        for send in sends(deliverer, now):
            deliverer.answered(send.number, TURNED_AWAY, now)
    state = deliverer.breaker.state
    probes = deliverer.commands(now + 100.0)

    assert state is BreakerState.OPEN
    assert len(probes) == 1
    assert deliverer.commands(now + 101.0) == []
    assert deliverer.breaker.state is BreakerState.HALF_OPEN

    (probe,) = probes
    assert isinstance(probe, Send | LookUp)
    assert len(probe.items) <= 5
    answer = each(*[STORED] * len(probe.items)) if isinstance(probe, Send) else found(probe, *range(301))
    deliverer.answered(probe.number, answer, now + 102.0)

    assert deliverer.breaker.is_closed
    assert len(deliverer.commands(now + 200.0)) == 2  # from one request the limit doubles


def test_a_batch_that_took_too_long_comes_again_in_smaller_parts() -> None:
    deliverer = DeliveryMachine(seeded(1), Limits(batch_records_max=8, concurrency=1))
    deliverer.take(items(*range(1, 9)), 0.0)
    (send,) = sends(deliverer, 0.0)
    deliverer.answered(send.number, Unknown("no whole answer", may_have_stored=False), 10.0)
    (part,) = sends(deliverer, 100.0)
    deliverer.answered(part.number, each(STORED, STORED, STORED, STORED), 100.1)
    (rest,) = sends(deliverer, 100.1)

    assert [sequences(send), sequences(part), sequences(rest)] == [
        [*range(1, 9)],
        [*range(1, 5)],
        [*range(5, 9)],
    ]


def test_batches_of_an_outage_go_as_soon_as_the_store_is_back() -> None:
    bounds = Limits(batch_records_max=1, linger_seconds=0.0)
    patient = Backoff(base_seconds=1e6, cap_seconds=1e6)
    limiter = Limiter(4, limit=4.0, slow_start=False)
    deliverer = DeliveryMachine(seeded(1), bounds, patient, limiter)
    deliverer.take(items(*range(1, 9)), 0.0)
    refused = Unknown("refused", may_have_stored=False)
    for send in sends(deliverer, 0.0):
        deliverer.answered(send.number, refused, 0.0)
    for send in sends(deliverer, 1e6):
        deliverer.answered(send.number, refused, 1e6)
    (probe,) = sends(deliverer, 1e6 + 5.0)
    deliverer.answered(probe.number, each(STORED), 1e6 + 5.0)

    assert len(sends(deliverer, 1e6 + 5.0)) == limiter.allowed == 2


def test_pushed_back_documents_travel_together_again() -> None:
    deliverer = machine(batch_records_max=10, concurrency=1)
    for first in range(1, 41, 10):
        deliverer.take(items(*range(first, first + 10)), 0.0)
        (send,) = sends(deliverer, 0.0)
        deliverer.answered(send.number, each(*[STORED] * 8, PUSHED_BACK, PUSHED_BACK), 0.0)
    again = sends(deliverer, 9.0)

    assert [sequences(send) for send in again] == [[9, 10, 19, 20, 29, 30, 39, 40]] or len(
        again[0].items
    ) == 8


def test_no_fresh_batch_is_begun_while_too_many_wait() -> None:
    deliverer = machine(batch_records_max=2, waiting_batches_max=3)
    deliverer.take(items(*range(1, 41)), 0.0)
    for _ in range(20):
        for send in sends(deliverer, 0.0):
            deliverer.answered(send.number, each(STORED, PUSHED_BACK), 0.0)
            deliverer.breaker.succeeded()

    assert deliverer.waiting_batches <= 3 + deliverer.limits.concurrency


def test_when_the_store_is_back_what_was_looked_up_is_sent_next_and_all_else_goes_at_once() -> None:
    deliverer = machine(batch_records_max=2, concurrency=4)
    deliverer.take(items(*range(1, 9)), 0.0)
    now = 0.0
    for attempt in range(40):
        # Cut off for half a minute, so that pauses are long and differ.
        for command in deliverer.commands(now):
            assert isinstance(command, Send | LookUp)
            deliverer.answered(command.number, Unknown("cut"), now)
        now += (deliverer.wait_seconds(now) or 0.0) + 0.001
        if now > 30.0 and attempt > 8:
            break
    (look_up,) = deliverer.commands(now)
    assert isinstance(look_up, LookUp)
    deliverer.answered(look_up.number, none_found(look_up), now)
    now += (deliverer.wait_seconds(now) or 0.0) + 0.001
    (probe,) = deliverer.commands(now)
    assert isinstance(probe, Send)
    deliverer.answered(probe.number, each(STORED, STORED), now)
    others = deliverer.commands(now)

    assert probe.items == look_up.items
    assert others != []
    assert deliverer.breaker.state is BreakerState.CLOSED


def judged_by(
    deliverer: DeliveryMachine, broken: int, last: int, until_seconds: float, step_seconds: float
) -> tuple[list[BuryDeadLetter], float]:
    """Feed a store that takes all but one document at once; returns what is given up, and when it ended."""
    letters: list[BuryDeadLetter] = []
    place, now = 1, 0.0
    while now < until_seconds and not letters:
        if deliverer.room_bytes and place <= last:
            deliverer.take(items(*range(place, place + 50)), now)
            place += 50
        for command in deliverer.commands(now):
            if isinstance(command, BuryDeadLetter):
                letters.append(command)
            elif isinstance(command, Send):
                is_refused = broken in sequences(command)
                answer = REFUSED if is_refused else each(*[STORED] * len(command.items))
                deliverer.answered(command.number, answer, now)
        now += step_seconds
    return letters, now


def test_a_store_faster_than_a_judgement_leaves_enough_to_judge_by() -> None:
    deliverer = machine(batch_records_max=50, held_records_max=400, unfinished_records_max=2_000)

    (letter,), seconds = judged_by(deliverer, broken=70, last=10**9, until_seconds=120.0, step_seconds=0.005)

    assert letter.item.sequence == 70
    assert deliverer.progress.unfinished > 1_000
    assert seconds < 60.0


def test_a_document_that_nothing_is_left_to_judge_by_is_given_up_after_minutes_and_not_before() -> None:
    deliverer = machine(batch_records_max=50)

    early, _ = judged_by(deliverer, broken=70, last=100, until_seconds=QUIET_SECONDS - 1.0, step_seconds=0.1)
    later, _ = judged_by(deliverer, broken=70, last=0, until_seconds=2 * QUIET_SECONDS, step_seconds=0.1)

    assert early == []
    assert [letter.item.sequence for letter in later] == [70]


def test_a_store_that_was_never_seen_to_take_anything_blames_nobody_however_quiet_it_is() -> None:
    deliverer = machine(batch_records_max=50)
    deliverer.take(items(70), 0.0)

    letters, _ = judged_by(deliverer, broken=70, last=0, until_seconds=3 * QUIET_SECONDS, step_seconds=0.5)

    assert letters == []
    assert deliverer.progress.unfinished == 1


@pytest.mark.parametrize(
    "outcome",
    [STORED, Conflict("logs-1"), Redirected(), Refused("no number", 400), PUSHED_BACK, FAILED_INSIDE],
    ids=lambda outcome: f"{type(outcome).__name__} {getattr(outcome, 'status', '')}",
)
def test_one_outcome_for_all_is_what_the_same_outcome_for_each_is(outcome: DocumentOutcome) -> None:
    ends: list[object] = []
    for told in (SameForAll(outcome), each(outcome, outcome, outcome)):
        deliverer = machine()
        deliverer.take(items(1, 2, 3), 0.0)
        (send,) = sends(deliverer, 0.0)
        deliverer.answered(send.number, told, 0.0)
        counts = dict(deliverer.progress.counts)
        after = [repr(command) for command in deliverer.commands(9.0)]
        ends.append((counts, after, deliverer.tally, deliverer.breaker.failures, deliverer.limiter.allowed))

    assert ends[0] == ends[1]


def test_a_sink_that_asks_to_wait_for_all_is_waited_for() -> None:
    deliverer = machine()
    deliverer.take(items(1, 2), 0.0)
    (send,) = sends(deliverer, 0.0)
    deliverer.answered(send.number, SameForAll(PUSHED_BACK, retry_after_seconds=7.0), 0.0)

    wait_seconds = deliverer.wait_seconds(0.0)
    assert wait_seconds is not None
    assert 7.0 <= wait_seconds <= 9.0


@pytest.mark.parametrize(
    "outcome",
    [each(STORED), each(STORED, STORED, STORED), Found(frozenset()), CannotLookUp("no such request")],
    ids=["too few", "too many", "of a look-up", "of a look-up that cannot be"],
)
def test_an_outcome_that_does_not_fit_the_request_proves_nothing(
    outcome: OneForEach | Found | CannotLookUp,
) -> None:
    deliverer = machine()
    deliverer.take(items(1, 2), 0.0)
    (send,) = sends(deliverer, 0.0)
    deliverer.answered(send.number, outcome, 0.0)
    (look_up,) = deliverer.commands(9.0)

    assert isinstance(look_up, LookUp)
    assert deliverer.progress.unfinished == 2
    assert "the sink gave" in deliverer.tally.last_trouble


def test_a_look_up_that_is_told_of_as_stored_proves_nothing() -> None:
    deliverer = machine()
    deliverer.take(items(1), 0.0)
    (send,) = sends(deliverer, 0.0)
    deliverer.answered(send.number, Unknown("cut"), 0.0)
    (look_up,) = deliverer.commands(9.0)
    assert isinstance(look_up, LookUp)
    deliverer.answered(look_up.number, SameForAll(STORED), 9.0)

    assert deliverer.progress.unfinished == 1
    assert isinstance(deliverer.commands(99.0)[0], LookUp)

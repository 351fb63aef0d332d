from __future__ import annotations

import itertools
import math
import random
from datetime import UTC, datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st

from logging_system.delivery.progress import Outcome
from logging_system.delivery.runs import Run
from logging_system.gateway.otlp import iso8601
from logging_system.monitoring.delays import Delays, bucket_of
from logging_system.shipping.delivery_delays import ENTRIES_MAX, DeliveryDelays, logged_at
from logging_system.spool.cursor import SpooledBlock

NOW = datetime(2026, 11, 30, 12, 0, tzinfo=UTC).timestamp()
EPOCH, OTHER = b"e" * 16, b"o" * 16
TRACE = "0af7651916cd43dd8448eb211c80319c"


def document(age_seconds: float, rest: bytes = b'"message":"m"') -> bytes:
    moment = datetime.fromtimestamp(NOW - age_seconds, UTC)
    return b'{"@timestamp":"%s",%s}' % (moment.isoformat().replace("+00:00", "Z").encode(), rest)


def block(first: int, count: int, age_seconds: float, epoch: bytes = EPOCH) -> SpooledBlock:
    return SpooledBlock(epoch, first, (document(age_seconds),) * count)


def delays(after_seconds: float = 0.0) -> DeliveryDelays:
    return DeliveryDelays(lambda: NOW, after_seconds)


def counted(found: Delays) -> dict[int, int]:
    return {bucket: count for bucket, count in enumerate(found.counts) if count}


def test_records_count_in_the_bucket_of_their_block_whatever_run_finishes_them() -> None:
    followed = delays()
    followed.read(block(1, 10, 40.0))
    followed.read(block(11, 10, 3.0))
    followed.finished(Run(EPOCH, 6, 16), Outcome.DELIVERED)
    followed.finished(Run(EPOCH, 1, 6), Outcome.CONFLICT)
    followed.finished(Run(EPOCH, 16, 21), Outcome.DELIVERED)

    assert counted(followed.moment()) == {bucket_of(40.0): 10, bucket_of(3.0): 10}
    assert followed.moment().sum_seconds == pytest.approx(430.0)


def test_a_store_that_finds_records_later_is_given_that_time() -> None:
    followed = delays(after_seconds=1.0)
    followed.read(block(1, 2, 0.1))
    followed.finished(Run(EPOCH, 1, 3), Outcome.DELIVERED)

    assert counted(followed.moment()) == {bucket_of(1.1): 2}


@pytest.mark.parametrize("outcome", [Outcome.DEAD_LETTERED, Outcome.REDIRECTED])
def test_what_the_store_does_not_find_is_not_counted_as_found(outcome: Outcome) -> None:
    followed = delays()
    followed.read(block(1, 2, 1.0))
    followed.finished(Run(EPOCH, 1, 3), outcome)

    assert followed.moment().count == 0


def test_the_oldest_undelivered_record_is_that_of_the_writer_that_is_furthest_behind() -> None:
    followed = delays()
    followed.read(block(1, 10, 40.0))
    followed.read(block(11, 10, 3.0))
    followed.read(block(1, 10, 20.0, OTHER))
    ages: list[float | None] = []
    for epoch, next_sequence in ((EPOCH, 5), (EPOCH, 11), (OTHER, 11), (EPOCH, 21)):
        ages.append(followed.oldest_seconds())
        followed.passed(epoch, next_sequence)

    assert [None if age is None else round(NOW - age) for age in ages] == [40, 40, 20, 3]
    assert followed.oldest_seconds() is None
    assert not followed.has_read(EPOCH)


def test_blocks_within_the_resolution_are_one_entry_and_memory_is_bounded() -> None:
    followed = delays()
    for number in range(1, 1_001):
        followed.read(block(number, 1, 9.999 - number * 0.000_001))
    assert len(followed._logged[EPOCH].firsts) == 1

    for number in range(1_001, 1_001 + 2 * ENTRIES_MAX):
        followed.read(block(number, 1, 9.0 - number * 0.01))
    followed.finished(Run(EPOCH, 1, 1_001 + 2 * ENTRIES_MAX), Outcome.DELIVERED)

    assert len(followed._logged[EPOCH].firsts) == ENTRIES_MAX
    assert followed.moment().count == 1_000 + 2 * ENTRIES_MAX
    followed.passed(EPOCH, 1_001 + 2 * ENTRIES_MAX)
    assert (followed._entries, followed._logged) == (0, {})


@given(st.lists(st.floats(0.0, 100.0), min_size=1, max_size=40))
def test_of_a_backlog_a_record_is_told_too_old_by_a_tenth_at_most(ages: list[float]) -> None:
    """Records of one second are one entry where they are old; nothing is told younger than it is."""
    ages = sorted(ages, reverse=True)
    followed = delays()
    for number, age in enumerate(ages):
        followed.read(block(number, 1, age))
        before = followed.moment().sum_seconds
        followed.finished(Run(EPOCH, number, number + 1), Outcome.DELIVERED)
        told = followed.moment().sum_seconds - before

        assert age - 1e-3 <= told <= age + max(0.011, 0.11 * age)


def test_a_backlog_is_looked_at_once_a_second_of_it() -> None:
    followed = delays()
    for number in range(1_000):
        followed.read(block(number, 1, 60.0 - number / 100))

    assert 10 <= len(followed._logged[EPOCH].firsts) <= 11


def test_a_trace_within_a_block_is_the_exemplar_of_its_bucket() -> None:
    followed = delays()
    with_trace = document(2.2, b'"trace":{"id":"%s"}' % TRACE.encode())
    followed.read(SpooledBlock(EPOCH, 1, (with_trace, document(2.2))))
    followed.finished(Run(EPOCH, 1, 3), Outcome.DELIVERED)
    (exemplar,) = followed.moment().exemplars

    assert (exemplar.trace_id, exemplar.at_seconds) == (TRACE, NOW)
    assert exemplar.seconds == pytest.approx(2.2)


def test_a_record_without_a_time_has_that_of_its_neighbour_and_alone_none() -> None:
    followed = delays()
    undated = SpooledBlock(EPOCH, 1, (b'{"message":"m"}',))
    followed.read(undated)
    followed.finished(Run(EPOCH, 1, 2), Outcome.DELIVERED)
    assert (followed.moment().count, followed.oldest_seconds()) == (0, None)

    followed.read(block(2, 1, 7.0))
    followed.read(SpooledBlock(EPOCH, 3, (b'{"message":"m"}',)))
    followed.finished(Run(EPOCH, 2, 4), Outcome.DELIVERED)
    assert counted(followed.moment()) == {bucket_of(7.0): 2}


def test_a_clock_that_is_ahead_makes_no_negative_delay() -> None:
    followed = delays()
    followed.read(block(1, 1, -60.0))
    followed.finished(Run(EPOCH, 1, 2), Outcome.DELIVERED)

    assert (counted(followed.moment()), followed.moment().sum_seconds) == ({0: 1}, 0.0)


@pytest.mark.parametrize(
    ("encoded", "seconds"),
    [
        (document(5.25), NOW - 5.25),
        (
            b'{"@timestamp":"%s","message":""}' % iso8601(1_700_000_000_123_456_789).encode(),
            1_700_000_000.123456,
        ),
        (b'{"message":"m","@timestamp":"2026-11-30T11:59:00Z"}', NOW - 60),
        (b'{"message":"m","@timestamp":"2026-11-30T12:59:00+01:00"}', NOW - 60),
        (b'{"@timestamp":"2026-11-30T11:59:00"}', NOW - 60),
        (b'{"@timestamp":1700000000}', math.nan),
        (b'{"@timestamp":"yesterday"}', math.nan),
        (b'{"@timestamp":"', math.nan),
        (b'{"message":"m"}', math.nan),
        (b"no JSON", math.nan),
        (b"[1]", math.nan),
        (b"", math.nan),
    ],
)
def test_a_record_s_time_is_read_from_its_first_bytes_or_else_from_its_field(
    encoded: bytes, seconds: float
) -> None:
    assert logged_at(encoded) == pytest.approx(seconds, nan_ok=True)


@given(
    st.binary(max_size=80), st.sampled_from([b"", b'{"@timestamp":"', b'{"@timestamp":"0001-01-01T00:00:00'])
)
def test_whatever_bytes_a_block_holds_they_are_read_or_have_no_time(rest: bytes, before: bytes) -> None:
    followed = delays()
    followed.read(SpooledBlock(EPOCH, 1, (before + rest,)))
    followed.finished(Run(EPOCH, 1, 2), Outcome.DELIVERED)

    assert math.isfinite(followed.moment().sum_seconds)


@given(st.datetimes(min_value=datetime(1970, 1, 2), max_value=datetime(2100, 1, 1)))
def test_a_handler_s_time_is_read_to_the_microsecond(moment: datetime) -> None:
    text = moment.isoformat(timespec="microseconds") + "Z"
    seconds = moment.replace(tzinfo=UTC).timestamp()

    assert logged_at(b'{"@timestamp":"%s","message":"m"}' % text.encode()) == pytest.approx(seconds, abs=1e-6)


@given(st.integers(0, 2**32))
def test_every_delivered_record_is_counted_once_whatever_the_order(seed: int) -> None:
    """Blocks read, runs finished out of order and prefixes passed: no record is missed or counted twice."""
    rng = random.Random(seed)
    followed = delays()
    expected = [0] * len(followed.moment().counts)
    ages: list[float] = []
    while len(ages) < 60:
        age_seconds, count = rng.choice((0.001, 0.3, 4.0, 90.0)), rng.randint(1, 9)
        followed.read(block(len(ages) + 1, count, age_seconds))
        ages += [age_seconds] * count
    cuts = sorted({1, len(ages) + 1, *(rng.randint(1, len(ages)) for _ in range(12))})
    runs = [Run(EPOCH, first, end) for first, end in itertools.pairwise(cuts)]
    rng.shuffle(runs)
    done: set[int] = set()
    for run in runs:
        followed.finished(run, Outcome.DELIVERED)
        done |= set(range(run.first, run.end))
        followed.passed(EPOCH, next(each for each in range(1, len(ages) + 2) if each not in done))
    for age_seconds in ages:
        expected[bucket_of(age_seconds)] += 1

    assert list(followed.moment().counts) == expected
    assert followed.oldest_seconds() is None

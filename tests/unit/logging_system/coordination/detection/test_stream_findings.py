from __future__ import annotations

import math
import random
from typing import Any

import pytest

from logging_system.coordination.detection.judged import Judged
from logging_system.coordination.detection.new_errors import CANDIDATES_MAX, KNOWN_MAX, NewErrors
from logging_system.coordination.detection.rates import ERRORS, RECORDS, RateLimits, RateSeries, surprise
from logging_system.coordination.detection.seen_record import SeenRecord
from logging_system.coordination.detection.service_stream import Surroundings
from logging_system.coordination.detection.stream_judgement import OTHER, SERVICES_MAX, StreamJudgement
from logging_system.coordination.detection.templates import MaskedTemplates
from logging_system.coordination.findings import CauseClass, FindingKind

START = 1_700_000_000
WELL = Surroundings(is_well=True, open_writers=1)


def series(counts: list[int], limits: RateLimits = RECORDS) -> RateSeries:
    made = RateSeries(limits)
    for count in counts:
        made.push(count)
    return made


def test_surprise_is_poissons_bound_without_overdispersion_and_less_with_it() -> None:
    """Of 30 where 10 are expected, Chernoff's bound for Poisson is exp(-(30 ln 3 - 20))."""
    exact = 30 * math.log(3) - 20

    assert surprise(30, 10, 10) == pytest.approx(exact, abs=0.01)
    assert surprise(30, 10, 100) < exact / 3
    assert surprise(10, 10, 10) == pytest.approx(0.0)
    assert surprise(0, 10, 10) == pytest.approx(10.0)


def test_thirty_times_the_rate_is_a_spike_within_two_seconds_once_the_rate_is_known_for_three() -> None:
    assert series([100, 100, 100, 3_000, 3_000]).spike() is not None
    assert series([100, 100, 100, 3_000]).spike() is None


@pytest.mark.parametrize("onset", [100, 400, 1_000, 2_000, 2_900])
def test_a_spike_that_begins_within_a_second_is_one_all_the_same(onset: int) -> None:
    counts = [100, 100, 100, 100, onset, 3_000, 3_000]

    assert any(series(counts[:end]).spike() for end in range(5, 8))


def test_twenty_times_the_rate_for_three_seconds_is_an_honest_burst() -> None:
    counts = [*[50] * 12, 1_020, 1_000, 1_003]

    assert [series(counts[:end]).spike() for end in range(1, 16)] == [None] * 15


def test_the_beginning_of_load_is_no_spike() -> None:
    assert series([1, 1, 1, 1, 2_000, 2_000, 2_000]).spike() is None


def test_a_rate_above_every_burst_before_for_fifteen_seconds_is_a_spike() -> None:
    usual = [20, 20, 20, 20, 80] * 36
    assert series([*usual, *[120] * 15]).spike() is None
    assert series([*usual, *[700] * 15]).spike() is not None
    assert series([*usual, *[700] * 9]).spike() is None


def test_six_times_the_highest_rate_is_a_spike_though_the_load_is_on_and_off() -> None:
    """The steps vary so much that one of them alone would be little surprise; three in a row are."""
    assert series([*([40] * 20 + [0] * 20) * 6, *[240] * 15]).spike() is not None


def test_a_tenth_of_the_lowest_half_minute_before_is_a_drop_and_nothing_is_silence() -> None:
    assert series([20] * 300 + [2] * 30).drop() is not None
    assert series([20] * 300 + [12] * 30).drop() is None
    assert series([20] * 300 + [0] * 30).silence() is not None


def test_a_load_that_is_off_half_of_the_time_never_drops_and_is_silent_only_for_longer() -> None:
    on_and_off = ([40] * 20 + [0] * 20) * 10

    assert series([*on_and_off, *[0] * 30]).drop() is None
    assert series([*on_and_off, *[0] * 30]).silence() is None
    assert series([*on_and_off, *[0] * 45]).silence() is not None


class Stream:
    """A service whose records a test logs second by second."""

    def __init__(self) -> None:
        self.judgement = StreamJudgement(MaskedTemplates())
        self.second = START
        self.rng = random.Random(1)

    def logs(self, count: int, message: str = "order 17 was paid", level: int = 20, **more: Any) -> None:
        for place in range(count):
            seconds = self.second + place / (count + 1)
            fields = {"timestamp": f"{seconds:.6f}", **more}
            record = SeenRecord(seconds, level, "", "shop", "shop.cart", message)
            self.judgement.tell(record._replace(**fields))

    def passes(self, seconds: int, count: int = 20, errors: int = 0, **more: Any) -> list[Judged]:
        found: list[Judged] = []
        for _ in range(seconds):
            self.logs(count, **more)
            self.logs(errors, "payment 3 was refused", 40)
            self.second += 1
            found += list(self.judgement.judged(self.second + 1.0, WELL))
        return found


def test_an_error_of_a_new_kind_is_judged_at_its_third_record_with_examples() -> None:
    stream = Stream()
    assert stream.passes(120, errors=1) == []
    for number in range(3):
        stream.logs(1, f"ledger {number} is locked", 40)
    (judged,) = stream.passes(1)

    assert judged.kind is FindingKind.NEW_ERROR
    assert judged.cause is CauseClass.APPLICATION
    assert len(judged.examples) == 3
    assert "ledger" not in judged.summary


def test_an_error_that_was_logged_while_all_was_learnt_is_no_news() -> None:
    stream = Stream()
    stream.passes(60, count=50, errors=1)

    assert stream.passes(60, count=50, errors=1) == []


def test_errors_that_are_all_of_a_new_kind_are_none_of_them_news() -> None:
    stream = Stream()
    stream.passes(120)
    found = []
    for number in range(60):
        for _ in range(3):
            stream.logs(1, f"{chr(97 + number % 26) * (number // 26 + 3)} is broken", 40)
        found += stream.passes(1)
    kinds = {judged.subject for judged in found}

    assert len(kinds) <= 12


def one_of_a_kind(number: int) -> str:
    return "".join(chr(97 + int(digit)) for digit in str(number)) + " went wrong"


def test_a_flood_of_errors_that_come_once_each_is_no_news() -> None:
    stream = Stream()
    stream.passes(120, errors=5)
    found = []
    for second in range(20):
        for place in range(50):
            stream.logs(1, one_of_a_kind(1_000 + 50 * second + place), 40)
        found += stream.passes(1, count=450)

    assert found == []


def test_a_new_error_that_comes_again_and_again_in_a_flood_of_others_is_found() -> None:
    """There are more new kinds than candidates, and far more new ones than known ones."""
    stream = Stream()
    stream.passes(120, errors=5)
    found = []
    for second in range(12):
        for place in range(50):
            stream.logs(1, one_of_a_kind(1_000 + 50 * second + place), 40)
        if second >= 6:
            for number in range(5):
                stream.logs(1, f"cannot open ledger {number}", 40)
        found += stream.passes(1, count=450)
    kinds = {judged.subject for judged in found}

    assert len(kinds) == 1
    assert {judged.kind for judged in found} == {FindingKind.NEW_ERROR}
    assert all("cannot open ledger" in line for line in found[0].examples)
    assert found[0].since_seconds < START + 128


def test_new_kinds_are_bounded() -> None:
    errors = NewErrors(MaskedTemplates())
    for number in range(KNOWN_MAX + 2_000):
        word = "".join(chr(97 + int(digit)) for digit in str(number))
        seconds = START + number
        errors.begin(seconds)
        errors.tell(SeenRecord(seconds, 40, "", "shop", "shop", word))
    content = errors.content()

    assert errors.known <= KNOWN_MAX
    assert len(content["known"]) <= KNOWN_MAX
    assert len(errors._candidates) <= CANDIDATES_MAX


def test_services_beyond_the_bound_share_one_stream() -> None:
    judgement = StreamJudgement(MaskedTemplates())
    for number in range(SERVICES_MAX + 50):
        judgement.tell(SeenRecord(START, 20, "", f"s{number}", "x", "m"))

    assert judgement.services == SERVICES_MAX + 1
    assert judgement.content()["streams"][-1]["service"] == OTHER


def test_many_errors_are_a_spike_and_as_large_a_share_of_more_records_is_none() -> None:
    stream = Stream()
    stream.passes(200, count=100, errors=2)
    busier = Stream()
    busier.passes(200, count=100, errors=2)
    found = stream.passes(20, count=100, errors=60)

    assert {judged.subject for judged in found} == {"shop errors"}
    assert busier.passes(10, count=1_000, errors=20) == []


def test_records_that_come_twice_are_duplicates_and_equal_messages_at_other_times_are_not() -> None:
    stream = Stream()
    assert stream.passes(30, count=20) == []
    found = stream.passes(12, count=20, timestamp="2026-01-01T00:00:00.123456Z")

    assert {judged.kind for judged in found} == {FindingKind.DUPLICATES}


def test_durations_three_times_the_longest_before_are_a_latency_shift_of_the_application() -> None:
    stream = Stream()
    assert stream.passes(90, duration_ms=20.0) == []
    found = stream.passes(15, duration_ms=90.0)

    assert {judged.subject for judged in found} == {"shop duration"}


def test_a_clock_that_jumps_by_an_hour_is_no_silence() -> None:
    stream = Stream()
    stream.passes(300)
    stream.second += 3_600

    assert stream.passes(60) == []


@pytest.mark.parametrize("rates", [(50, 1_000), (3, 90), (10, 2_000)])
def test_mostly_errors_are_no_spike_of_errors_when_the_load_rises_though_little_is_known(
    rates: tuple[int, int],
) -> None:
    """A service that logs two errors in five records, known for 12 s, then twenty times its load for 3 s."""
    usual, high = rates
    stream = Stream()
    found = stream.passes(12, count=usual * 3 // 5, errors=usual * 2 // 5)
    found += stream.passes(3, count=high * 3 // 5, errors=high * 2 // 5)
    found += stream.passes(10, count=usual * 3 // 5, errors=usual * 2 // 5)

    assert [each.subject for each in found if each.subject == "shop errors"] == []


def test_errors_are_a_spike_though_little_is_known_where_their_share_rises() -> None:
    stream = Stream()
    stream.passes(12, count=50, errors=1)

    assert {each.subject for each in stream.passes(4, count=50, errors=60)} == {"shop errors"}


def test_errors_with_no_usual_rate_are_a_spike_of_at_least_twenty() -> None:
    assert series([0] * 60 + [19, 19], ERRORS).spike() is None
    assert series([0] * 60 + [21, 21], ERRORS).spike() is not None

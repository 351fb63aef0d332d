from __future__ import annotations

import random

from logging_system.delivery.breaker import Breaker, BreakerState
from logging_system.delivery.limiter import Limiter


def round_trips(limiter: Limiter, count: int, seconds: float, now: float) -> float:
    """Fill the limit, answer everything, `count` times; returns the time after."""
    for _ in range(count):
        for in_flight in range(1, limiter.allowed + 1):
            limiter.sent(in_flight)
        sent, now = now, now + seconds
        for _ in range(limiter.allowed):
            limiter.succeeded(sent, now)
    return now


def test_the_limit_doubles_each_round_trip_until_the_first_push_back() -> None:
    limiter, seen = Limiter(100), []
    now = 0.0
    for _ in range(4):
        now = round_trips(limiter, 1, 0.1, now)
        seen.append(limiter.allowed)
    limiter.pushed_back(now, now)
    round_trips(limiter, 1, 0.1, now)

    assert seen == [2, 4, 8, 16]
    assert limiter.limit == 16 * 0.9 + 1


def test_the_limit_never_leaves_its_cap_or_one() -> None:
    limiter = Limiter(3)
    now = round_trips(limiter, 10, 0.1, 0.0)
    top = limiter.limit
    for _ in range(50):
        now += 1.0
        limiter.pushed_back(now, now)

    assert top == 3.0
    assert limiter.limit == 1.0


def test_requests_that_take_seconds_become_smaller_and_quick_ones_larger_again() -> None:
    limiter, seen = Limiter(4, records_cap=64), list[int]()
    for seconds in (0.6, 2.0, 1.0, 2.5, 2.5, 2.5, 2.5, 0.5, 0.1):
        limiter.succeeded(0.0, seconds)
        seen.append(limiter.records)

    assert seen == [64, 32, 32, 16, 8, 4, 4, 8, 16]


def test_a_request_that_was_never_answered_makes_the_next_smaller_and_a_quick_refusal_does_not() -> None:
    limiter = Limiter(4, records_cap=64)
    limiter.pushed_back(0.0, 0.1)
    refused = limiter.records
    limiter.pushed_back(0.0, 10.0)

    assert (refused, limiter.records) == (64, 32)


def test_a_request_carries_at_least_one_document() -> None:
    limiter = Limiter(4, records_cap=3)
    for _ in range(5):
        limiter.pushed_back(0.0, 10.0)

    assert limiter.records == 1


def test_a_limit_that_was_not_reached_does_not_rise() -> None:
    limiter = Limiter(10, limit=4.0)
    for now in range(10):
        limiter.sent(1)
        limiter.succeeded(now, now + 0.1)

    assert limiter.limit == 4.0


def test_one_round_trip_of_push_back_lowers_the_limit_once() -> None:
    limiter = Limiter(10, limit=10.0)
    for _ in range(10):
        limiter.pushed_back(0.0, 1.0)

    assert limiter.limit == 9.0


def test_an_outlier_among_round_trips_is_push_back() -> None:
    limiter = Limiter(10, limit=8.0, slow_start=False)
    for now in range(10):
        limiter.succeeded(now, now + 0.1)
    limiter.succeeded(20.0, 21.0)

    assert limiter.limit == 8.0 * 0.9


def test_the_breaker_opens_after_failures_in_a_row_and_sets_the_limit_back() -> None:
    limiter = Limiter(10, limit=8.0)
    breaker = Breaker(limiter, random.Random(1), failures_max=3)
    breaker.failed(None, 0.0)
    breaker.failed(None, 0.0)
    breaker.succeeded()
    for _ in range(2):
        breaker.failed(None, 1.0)
    before = breaker.state
    breaker.failed(None, 1.0)

    assert before is BreakerState.CLOSED
    assert (breaker.state, breaker.opened, limiter.limit) == (BreakerState.OPEN, 1, 1.0)


def test_no_probe_undercuts_what_the_server_asked_for() -> None:
    breaker = Breaker(Limiter(4), random.Random(1), failures_max=2)
    breaker.failed(30.0, 0.0)
    breaker.failed(None, 1.0)

    assert not breaker.admits_probe(29.0)
    assert breaker.admits_probe(33.0)


def test_a_probe_without_proof_opens_the_breaker_again_and_one_with_sense_lets_the_next_follow() -> None:
    breaker = Breaker(Limiter(4), random.Random(1), failures_max=1)
    breaker.failed(None, 0.0)
    breaker.probed()
    during = breaker.admits_probe(99.0)
    breaker.reached(99.0)
    after = breaker.admits_probe(99.0)
    breaker.failed(None, 100.0)

    assert (during, after) == (False, True)
    assert breaker.open_until_seconds > 100.0

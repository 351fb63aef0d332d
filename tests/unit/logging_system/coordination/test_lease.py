from __future__ import annotations

from logging_system.coordination.claims import Claim, Claims
from logging_system.coordination.lease import Lease
from tests.unit.logging_system.coordination.engines import Documents

UNTIL = 1e9


class Clock:
    def __init__(self) -> None:
        self.now = 100.0

    def __call__(self) -> float:
        return self.now


def leases(documents: Documents, clock: Clock) -> tuple[Lease, Lease]:
    return (
        Lease(documents, "a", lease_seconds=60, monotonic=clock),
        Lease(documents, "b", lease_seconds=60, monotonic=clock),
    )


def test_one_of_two_leads() -> None:
    first, second = leases(Documents(), Clock())

    assert first.look()
    assert not second.look()
    assert (first.token(), second.token()) == (1, 0)


def test_a_lead_that_is_not_renewed_ends_before_another_takes_it() -> None:
    clock = Clock()
    first, second = leases(Documents(), clock)
    first.look()
    second.look()
    for _ in range(4):
        clock.now += 20
        assert not (second.look() and first.token())

    assert first.token() == 0
    clock.now += 20
    assert second.look()
    assert second.token() == 2


def test_a_lead_that_is_renewed_stays_under_one_token() -> None:
    clock = Clock()
    first, second = leases(Documents(), clock)
    for _ in range(20):
        first.look()
        second.look()
        clock.now += 20

    assert first.token() == 1
    assert second.token() == 0


def test_a_lead_that_is_given_up_is_taken_at_once_under_another_token() -> None:
    clock = Clock()
    first, second = leases(Documents(), clock)
    first.look()
    first.give_up()

    assert second.look()
    assert second.token() == 2


def test_the_lead_is_not_had_for_longer_than_it_lasts() -> None:
    clock = Clock()
    first, _ = leases(Documents(), clock)
    first.look()
    clock.now += 50

    assert first.token(5) == 1
    assert first.token(15) == 0


def test_a_step_is_claimed_by_one_and_known_by_all_once_it_is_done() -> None:
    documents = Documents()
    first, second = Claims(documents, "a"), Claims(documents, "b")

    assert first.take("key", 1, UNTIL) is Claim.MINE
    assert second.take("key", 2, UNTIL) is Claim.OTHERS
    first.settle("key", was_done=True)
    assert second.take("key", 2, UNTIL) is Claim.DONE


def test_a_step_that_was_not_done_may_be_claimed_again() -> None:
    documents = Documents()
    first, second = Claims(documents, "a"), Claims(documents, "b")
    first.take("key", 1, UNTIL)
    first.settle("key", was_done=False)

    assert second.take("key", 2, UNTIL) is Claim.MINE


def test_who_was_overtaken_claims_nothing() -> None:
    documents = Documents()
    first, second = Claims(documents, "a"), Claims(documents, "b")
    second.take("key", 2, UNTIL)
    second.settle("key", was_done=False)

    assert first.take("key", 1, UNTIL) is Claim.OTHERS

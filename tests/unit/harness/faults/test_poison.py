"""Faults by which the store refuses records for good say which, as far as anybody can tell."""

import pytest

from harness.faults.body_limited import BodyLimited
from harness.faults.items_refused import ItemsRefused
from harness.faults.poison_document import PoisonDocument
from harness.faults.requests_refused import RequestsRefused
from harness.model.protocols import Poisons


class Link:
    """A link whose interceptor has counted these things."""

    sequence_path = ""

    def __init__(self, **counters):
        self._counters = counters

    def add_rule(self, name, kind, arguments, share, seed):
        raise NotImplementedError

    def remove_rule(self, name):
        raise NotImplementedError

    def undo_rule(self, name):
        raise NotImplementedError

    def altered(self, name, counters, timeout_seconds=5.0):
        return self._counters


def test_poison_documents_are_named_by_their_numbers():
    fault = PoisonDocument(every=20)

    assert isinstance(fault, Poisons)
    assert fault.poisoned(Link(items_400=5, record_40=3, record_20=2, seen=9)) == [20, 40]


def test_more_poison_than_the_interceptor_counts_leaves_some_unknown():
    counters = {f"record_{n}": 1 for n in range(2_000)}

    assert PoisonDocument(every=1).poisoned(Link(**counters))[-1] is None


def test_records_too_large_by_themselves_are_refused_for_good():
    fault = BodyLimited()

    assert isinstance(fault, Poisons)
    assert fault.poisoned(Link(too_large=9, record_7=2, record_5=1, seen=12)) == [5, 7]
    assert fault.poisoned(Link(too_large=9, seen=12)) == []
    assert fault.poisoned(Link(too_large=9, record_7=2, unnamed=1)) == [7, None]


def test_items_that_got_a_400_are_refused_for_good_and_not_named():
    assert ItemsRefused(share_400=0.1).poisoned(Link(items_400=3)) == [None]
    assert ItemsRefused(share_429=0.1).poisoned(Link(items_429=3)) == []


@pytest.mark.parametrize(
    ("status", "expected"), [(400, [None]), (413, [None]), (429, []), (503, []), (401, [])]
)
def test_a_status_that_asks_for_no_second_try_refuses_for_good(status, expected):
    assert RequestsRefused(status=status).poisoned(Link()) == expected

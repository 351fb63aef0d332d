import random
from dataclasses import replace

import pytest

from harness.evidence.lines import digest
from harness.judging.checkers.out_of_order import OutOfOrder
from harness.judging.timeline import timeline
from harness.model.declarations import Promises
from harness.model.facts import ArchiveRead, Found
from harness.model.protocols import Status
from tests.unit.harness.literal_history import STEP, charge, good_run

CHECKER = OutOfOrder(charge(STEP, promises=Promises(order_by=("process", "number"))))
RECORDS = 20


def ordered_run(**changed):
    """Return a run whose records are stored with their own number; `changed` maps `r<n>` to other values."""
    places = {f"r{n}": f'["ab",{n}]' for n in range(RECORDS + 2)} | changed
    return [
        replace(event, order=places[f"r{event.sequence}"]) if isinstance(event, Found) else event
        for event in good_run(RECORDS)
    ]


def test_records_stored_in_the_order_they_were_sent_pass():
    assert CHECKER.check(timeline(ordered_run())).status is Status.PASS


def test_the_order_in_which_the_archive_is_read_does_not_matter():
    events = ordered_run()
    random.Random(3).shuffle(events)

    assert CHECKER.check(timeline(events)).status is Status.PASS


def test_numbers_are_sorted_by_value_and_not_by_their_digits():
    assert CHECKER.check(timeline(ordered_run(r8='["ab",8]', r10='["ab",10]'))).status is Status.PASS


def test_two_records_of_one_producer_that_changed_places_fail():
    verdict = CHECKER.check(timeline(ordered_run(r4='["ab",6]', r6='["ab",4]')))

    assert (verdict.status, verdict.value) == (Status.FAIL, 1)
    assert "Producer 0 sent record 6" in verdict.counterexample[0]


def test_records_of_different_producers_may_come_in_any_order():
    assert CHECKER.check(timeline(ordered_run(r4='["ab",5]', r5='["ab",4]'))).status is Status.PASS


def test_records_with_the_same_place_fail_because_nobody_can_tell_which_came_first():
    verdict = CHECKER.check(timeline(ordered_run(r6='["ab",4]')))

    assert verdict.status is Status.FAIL
    assert verdict.counterexample[-1] == "Both have the same place."


def test_only_the_first_copy_of_a_record_counts():
    again = Found(2, digest("line 2"), "index/again", "", '["ab",15]')

    assert CHECKER.check(timeline([*ordered_run(), again])).status is Status.PASS


def test_one_record_without_a_place_fails():
    verdict = CHECKER.check(timeline(ordered_run(r6='["ab",null]')))

    assert (verdict.status, verdict.value) == (Status.FAIL, 1)
    assert verdict.counterexample == ("Record 6 has no value for process, number.",)


def test_fields_that_no_record_has_prove_nothing():
    assert CHECKER.check(timeline(good_run(RECORDS))).status is Status.INCONCLUSIVE


@pytest.mark.parametrize("events", [[], [e for e in ordered_run() if not isinstance(e, ArchiveRead)]])
def test_without_evidence_there_is_no_verdict(events):
    assert CHECKER.check(timeline(events)).status is Status.INCONCLUSIVE


def test_it_is_planned_only_where_an_order_is_promised():
    assert OutOfOrder(charge(STEP, promises=Promises(order_by=("n",)))).lacks() == ""
    assert OutOfOrder(charge(STEP)).lacks() == "the stack promises no order_by"

from harness.evidence.lines import digest
from harness.judging.checkers.duplicated import Duplicated
from harness.judging.timeline import timeline
from harness.model.declarations import Promises
from harness.model.facts import Acknowledged, ArchiveRead, Found
from harness.model.protocols import Status
from tests.unit.harness.literal_history import STEP, charge, good_run, without

CHECKER = Duplicated(charge(STEP))
SECOND_COPY = Found(450, digest("line 450"), "index-000002/450")


def test_one_copy_of_each_record_passes():
    assert CHECKER.check(timeline(good_run())).status is Status.PASS


def test_a_second_copy_fails_and_both_places_are_named():
    verdict = CHECKER.check(timeline([*good_run(), SECOND_COPY]))

    assert verdict.status is Status.FAIL
    assert verdict.value == 1
    assert verdict.counterexample[1:] == (
        "While it may have been on its way, killed on elasticsearch was on, from 4.000 s: pid 7 is gone.",
        "Copy 1: index/450",
        "Copy 2: index-000002/450",
    )


def test_a_record_of_very_many_copies_is_named_with_their_number():
    many = [Found(450, digest("line 450"), f"index-000002/{number}") for number in range(411)]

    verdict = CHECKER.check(timeline([*good_run(), Found(451, digest("line 451"), "index/again"), *many]))

    assert verdict.value == 2
    assert "412 copies are too many; record 450 has 412." in verdict.evidence


def test_a_second_copy_of_a_record_nobody_acknowledged_fails_too():
    verdict = CHECKER.check(timeline([*without(good_run(), Acknowledged, 450), SECOND_COPY]))

    assert verdict.status is Status.FAIL


def test_a_stack_that_promises_two_copies_may_have_two_but_not_three():
    checker = Duplicated(charge(STEP, promises=Promises(copies_max=2)))

    assert checker.check(timeline([*good_run(), SECOND_COPY])).status is Status.PASS
    assert checker.check(timeline([*good_run(), SECOND_COPY, SECOND_COPY])).status is Status.FAIL


def test_an_archive_that_was_not_read_whole_may_hide_a_second_copy():
    events = [event for event in good_run() if not isinstance(event, ArchiveRead)]

    assert CHECKER.check(timeline(events)).status is Status.INCONCLUSIVE


def test_nothing_found_is_inconclusive():
    events = [event for event in good_run() if not isinstance(event, Found)]

    assert CHECKER.check(timeline(events)).status is Status.INCONCLUSIVE

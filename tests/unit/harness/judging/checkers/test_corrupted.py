from harness.evidence.lines import digest
from harness.judging.checkers.corrupted import VETO, Corrupted
from harness.judging.timeline import timeline
from harness.model.facts import ArchiveRead, Found
from harness.model.protocols import Status
from tests.unit.harness.literal_history import STEP, charge, good_run, replaced

CHECKER = Corrupted(charge(STEP))


def test_unchanged_lines_pass():
    assert CHECKER.check(timeline(good_run())).status is Status.PASS


def test_one_changed_byte_fails_and_is_shown():
    changed = Found(450, digest("lime 450"), "index/450", "lime 450")

    verdict = CHECKER.check(timeline(replaced(good_run(), Found, 450, changed)))

    assert verdict.status is Status.FAIL
    assert verdict.vetoes == (VETO,)
    assert verdict.counterexample == ("A copy of record 450 is at index/450", "It reads: 'lime 450'")


def test_the_first_difference_is_shown_with_what_was_sent_there():
    changed = Found(450, digest("x"), "index/450", "…payload=aX7", expected="…payload=a57", differs_at=12_340)

    verdict = CHECKER.check(timeline(replaced(good_run(), Found, 450, changed)))

    assert verdict.counterexample == (
        "A copy of record 450 is at index/450; it differs from character 12,340 on.",
        "Sent:   '…payload=a57'",
        "Stored: '…payload=aX7'",
    )


def test_a_second_copy_that_differs_fails_although_the_first_is_right():
    changed = Found(450, digest("lime 450"), "index/x", "lime 450")

    assert CHECKER.check(timeline([*good_run(), changed])).value == 1


def test_a_copy_without_identity_of_this_run_fails():
    stray = Found(None, digest("hello"), "index/x", "hello")

    verdict = CHECKER.check(timeline([*good_run(), stray]))

    assert verdict.status is Status.FAIL
    assert verdict.counterexample[0] == "A copy without identity is at index/x"


def test_a_copy_of_a_record_that_was_never_due_is_invented():
    invented = Found(99_999, digest("line 99999"), "index/x", "line 99999")

    assert CHECKER.check(timeline([*good_run(), invented])).status is Status.FAIL


def test_an_archive_that_was_not_read_whole_proves_nothing():
    events = [event for event in good_run() if not isinstance(event, ArchiveRead)]

    assert CHECKER.check(timeline(events)).status is Status.INCONCLUSIVE


def test_nothing_found_is_inconclusive():
    assert CHECKER.check(timeline([])).status is Status.INCONCLUSIVE

from harness.judging.checkers.acknowledged_lost import VETO, AcknowledgedLost
from harness.judging.timeline import timeline
from harness.model.facts import Acknowledged, ArchiveRead, Event, FaultChanged, Found
from harness.model.protocols import Status
from tests.unit.harness.literal_history import STEP, charge, good_run, life, without

CHECKER = AcknowledgedLost(charge(STEP))


def test_a_run_in_which_every_acknowledged_record_is_found_passes():
    verdict = CHECKER.check(timeline(good_run()))

    assert verdict.status is Status.PASS
    assert verdict.value == 0
    assert verdict.vetoes == ()


def test_one_missing_acknowledged_record_fails_and_vetoes():
    verdict = CHECKER.check(timeline(without(good_run(), Found, 450)))

    assert verdict.status is Status.FAIL
    assert verdict.value == 1
    assert verdict.vetoes == (VETO,)


def test_the_counterexample_tells_the_first_lost_records_life():
    verdict = CHECKER.check(timeline(without(good_run(), Found, 450, 700)))

    assert "Record 450 was due at 4.500 s" in verdict.counterexample[0]
    assert "while killed on elasticsearch was on" in verdict.counterexample[2]


def test_a_missing_record_nobody_acknowledged_is_no_loss():
    events = without(without(good_run(), Found, 450), Acknowledged, 450)

    assert CHECKER.check(timeline(events)).status is Status.PASS


def test_a_stored_record_nobody_acknowledged_is_legal():
    assert CHECKER.check(timeline(without(good_run(), Acknowledged, 450))).status is Status.PASS


def test_loss_is_inconclusive_when_nothing_was_acknowledged():
    events = [event for event in good_run() if not isinstance(event, Acknowledged)]

    assert CHECKER.check(timeline(events)).status is Status.INCONCLUSIVE


def test_absence_proves_nothing_when_the_archive_was_not_read_whole():
    events = [event for event in without(good_run(), Found, 450) if not isinstance(event, ArchiveRead)]

    assert CHECKER.check(timeline(events)).status is Status.INCONCLUSIVE


def test_an_archive_that_does_not_exist_is_named_before_its_records_are_called_lost():
    events: list[Event] = [e for e in good_run() if not isinstance(e, (Found, ArchiveRead))]
    events.append(ArchiveRead(20 * 10**9, 0, 'no index "logs-1" exists: check `archive.index`'))

    verdict = CHECKER.check(timeline(events))

    assert verdict.status is Status.FAIL
    assert verdict.summary.endswith("cannot be read back; the archive does not exist.")
    assert verdict.evidence[0] == 'no index "logs-1" exists: check `archive.index`'
    assert verdict.vetoes == (VETO,)


def test_where_nothing_arrived_before_the_fault_either_it_is_not_called_the_faults_doing():
    said = "Not one record arrived, not even of those before the first fault"
    nothing = [event for event in good_run() if not isinstance(event, Found)]
    after = [*nothing, *(event for event in life(399, 3.99) if isinstance(event, Found))]
    no_fault = [event for event in nothing if not isinstance(event, FaultChanged)]

    assert CHECKER.check(timeline(nothing)).evidence[0].startswith(said)
    for events in (after, no_fault):
        assert not any(line.startswith(said) for line in CHECKER.check(timeline(events)).evidence)


def test_an_archive_that_exists_and_is_empty_is_not_called_absent():
    events = [event for event in good_run() if not isinstance(event, Found)]

    assert CHECKER.check(timeline(events)).summary.endswith("acknowledged records cannot be read back.")


def test_an_empty_history_is_inconclusive():
    assert CHECKER.check(timeline([])).status is Status.INCONCLUSIVE

import pytest

from harness.judging.checkers.unacknowledged_percent import UnacknowledgedPercent
from harness.judging.timeline import timeline
from harness.model.declarations import APPLICATION
from harness.model.facts import (
    Acknowledged,
    Answered,
    CounterRead,
    FaultChanged,
    FaultSeen,
    Found,
    PhaseChanged,
    ProcessExited,
    ProducersHosted,
    Refused,
    Sent,
)
from harness.model.protocols import Status
from tests.unit.harness.literal_history import STEP, at, charge, good_run, without

CHECKER = UnacknowledgedPercent(charge(STEP))
READ_BACK = PhaseChanged(at(13), "read back")
SILENT = range(500, 600)


def run(*more):
    return [*good_run(), READ_BACK, *more]


def silent_run(*more):
    """A hundred of a thousand records are taken in and never spoken of again."""
    return [*without(without(run(), Acknowledged, *SILENT), Found, *SILENT), *more]


def test_a_stack_that_acknowledges_everything_passes():
    verdict = CHECKER.check(timeline(run()))

    assert (verdict.status, verdict.value) == (Status.PASS, 0)
    assert verdict.summary == "All 1,000 records were acknowledged or refused."
    assert verdict.evidence == ()


def test_a_stack_that_falls_silent_fails_although_it_owes_nothing():
    verdict = CHECKER.check(timeline(silent_run()))

    assert (verdict.status, verdict.value) == (Status.FAIL, 10)
    assert "Record 500 was due at 5.000 s" in verdict.counterexample[0]


def test_what_is_refused_is_no_silence():
    events = [*without(silent_run(), Answered, *SILENT), *(Refused(n, at(n / 100)) for n in SILENT)]

    assert CHECKER.check(timeline(events)).status is Status.PASS


def test_what_is_counted_as_dropped_is_no_silence():
    assert CHECKER.check(timeline(silent_run(CounterRead(at(14), "dropped", 100)))).status is Status.PASS


def test_a_count_from_before_the_end_excuses_nothing():
    assert CHECKER.check(timeline(silent_run(CounterRead(at(12), "dropped", 100)))).status is Status.FAIL


def test_a_counted_drop_cannot_excuse_what_was_stored_without_a_word():
    events = [*without(run(), Acknowledged, *SILENT), CounterRead(at(14), "dropped", 100)]

    assert CHECKER.check(timeline(events)).status is Status.FAIL


def killed(landed=True):
    return [
        FaultChanged(at(6), 1, "killed", APPLICATION, "injected", "Killable"),
        FaultSeen(at(6), 1, landed, "pid 9 is gone"),
    ]


def test_records_under_way_when_the_application_was_killed_are_excused():
    assert CHECKER.check(timeline(silent_run(*killed()))).status is Status.PASS


def test_a_kill_that_was_not_proved_excuses_nothing():
    assert CHECKER.check(timeline(silent_run(*killed(landed=False)))).status is Status.FAIL


def test_records_sent_long_before_the_kill_are_not_excused():
    early = range(10, 60)
    events = [*without(run(*killed()), Acknowledged, *early)]

    assert CHECKER.check(timeline(events)).status is Status.FAIL


def test_records_the_harness_never_handed_over_leave_it_open():
    events = without(without(without(run(), Sent, *SILENT), Answered, *SILENT), Acknowledged, *SILENT)

    assert CHECKER.check(timeline(events)).status is Status.INCONCLUSIVE


def test_records_kept_waiting_by_a_call_that_never_came_back_are_the_stacks():
    events = without(without(without(run(), Sent, *SILENT), Answered, *SILENT), Acknowledged, *SILENT)
    stuck = without(without(events, Answered, 498, 499), Acknowledged, 498, 499)

    assert CHECKER.check(timeline(stuck)).status is Status.FAIL


def test_records_due_after_the_application_died_by_itself_leave_it_open():
    late = range(800, 1000)
    events = without(without(without(run(), Sent, *late), Answered, *late), Acknowledged, *late)
    under_way = without(without(events, Answered, 798, 799), Acknowledged, 798, 799)

    died = [*without(under_way, Sent, 1000, 1001), ProcessExited(at(8.1), APPLICATION, -11)]

    assert CHECKER.check(timeline(under_way)).status is Status.FAIL
    assert CHECKER.check(timeline(died)).status is Status.INCONCLUSIVE


@pytest.mark.parametrize("events", [[], good_run()])
def test_without_evidence_there_is_no_verdict(events):
    assert CHECKER.check(timeline(events)).status is Status.INCONCLUSIVE


def test_what_was_under_way_when_a_worker_of_the_load_died_is_excused_to_its_own_producers():
    late = range(500, 1000, 2)
    events = run()
    for kind in (Sent, Answered, Acknowledged):
        events = without(events, kind, *late)
    events = without(without(events, Answered, *range(480, 500)), Acknowledged, *range(480, 500))
    died = ProcessExited(at(5.1), "load.worker-1", -9)
    shares = [ProducersHosted("load.worker-1", 0, 0, 2), ProducersHosted("load.worker-2", 1, 1, 2)]

    alive = CHECKER.check(timeline([*events, *shares]))
    verdict = CHECKER.check(timeline([*events, *shares, died]))

    assert alive.status is Status.FAIL
    assert verdict.status is Status.INCONCLUSIVE
    assert verdict.summary == "250 of 1,000 records were never handed to the stack."
    # Ten other calls were of the other worker, for which this end is no excuse; 1 % is allowed.
    assert any("10 records were under way" in line for line in verdict.evidence)

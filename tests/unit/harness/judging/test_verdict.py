from dataclasses import replace
from typing import Any, ClassVar, cast

import pytest

from harness.judging.checkers.acknowledged_lost import AcknowledgedLost
from harness.judging.timeline import timeline
from harness.judging.verdict import judge, worst
from harness.model.facts import (
    Acknowledged,
    Answered,
    Broke,
    CounterRead,
    Due,
    FaultChanged,
    FaultSeen,
    Found,
    Misnamed,
    PhaseChanged,
    ProcessExited,
    Sent,
    StepSkipped,
)
from harness.model.protocols import Status, Verdict
from tests.unit.harness.literal_history import STEP, at, charge, fault, good_run, life, replaced, without

CHARGE = charge(STEP)
CHECKERS = [AcknowledgedLost(CHARGE)]


def _status(events):
    return judge(timeline(events), CHARGE, CHECKERS).status


def test_a_proper_examination_passes():
    judgement = judge(timeline(good_run()), CHARGE, CHECKERS)

    assert judgement.status is Status.PASS
    assert judgement.remarks == ()
    assert judgement.tally.acknowledged == 1002
    assert judgement.found == 1002


def test_a_pass_without_proof_that_the_fault_landed_is_inconclusive():
    events = [e for e in good_run() if not isinstance(e, FaultSeen)] + [
        FaultSeen(at(4), 0, False, "pid 7 runs")
    ]

    judgement = judge(timeline(events), CHARGE, CHECKERS)

    assert judgement.status is Status.INCONCLUSIVE
    assert "not proved to have landed: pid 7 runs" in judgement.remarks[0]


def test_a_fault_never_observed_is_inconclusive():
    assert _status([e for e in good_run() if not isinstance(e, FaultSeen)]) is Status.INCONCLUSIVE


def test_a_loss_stays_a_fail_although_the_fault_was_not_proved():
    events = [e for e in without(good_run(), Found, 450) if not isinstance(e, FaultSeen)]

    assert _status(events) is Status.FAIL


def test_a_pass_without_steady_state_is_inconclusive():
    judgement = judge(timeline(without(good_run(), Acknowledged, *range(5))), CHARGE, CHECKERS)

    assert judgement.status is Status.INCONCLUSIVE
    assert "295 of 300 records due more than 1 s before" in judgement.remarks[0]


def test_steady_state_holds_with_one_record_in_a_hundred_missing():
    assert _status(without(good_run(), Acknowledged, *range(3))) is Status.PASS
    assert _status(without(good_run(), Acknowledged, *range(4))) is Status.INCONCLUSIVE


def test_a_stack_that_goes_silent_while_the_fault_is_on_cannot_pass():
    judgement = judge(timeline(without(good_run(), Acknowledged, *range(400, 601))), CHARGE, CHECKERS)

    assert judgement.status is Status.INCONCLUSIVE
    assert "silent stack proves nothing" in judgement.remarks[0]


def _acknowledged_late(events, first, last, seconds):
    """Return the events with the calls of these records, acknowledged only at that moment."""
    late = [Acknowledged(sequence, at(seconds)) for sequence in range(first, last)]
    return [*without(events, Acknowledged, *range(first, last)), *late]


def test_a_stack_that_acknowledges_what_is_stored_once_the_fault_is_healed_is_not_silent():
    assert _status(_acknowledged_late(good_run(), 400, 601, 6.5)) is Status.PASS


def test_what_is_acknowledged_only_by_the_probes_comes_too_late():
    assert _status(_acknowledged_late(good_run(), 400, 600, 13.0)) is Status.INCONCLUSIVE


def test_calls_that_a_held_up_producer_makes_after_the_fault_count_for_it():
    """Each producer waits in one call for the whole outage, and makes those due meanwhile after it."""
    others = [event for event in good_run() if not 400 <= getattr(event, "sequence", 0) < 600]
    held = [event for n in (400, 401) for event in life(n, n / 100, call_ms=2000)]
    later = [
        event
        for n in range(402, 600)
        for event in life(n, n / 100, late_ms=(600 - n) * 10 + 20 + (n - 400) * 0.2)
    ]
    busy = charge(replace(STEP, acknowledged_min=150))

    judgement = judge(timeline([*others, *held, *later]), busy, [AcknowledgedLost(busy)])

    assert judgement.remarks == ()


def test_records_counted_as_dropped_are_a_word_said_of_them():
    silent = without(without(good_run(), Acknowledged, *range(400, 601)), Found, *range(400, 601))
    read_back = PhaseChanged(at(13.5), "read back")

    counted = [*silent, read_back, CounterRead(at(13.6), "dropped", 201)]

    assert _status(counted) is Status.PASS
    assert _status([*silent, read_back, CounterRead(at(13.6), "dropped", 0)]) is Status.INCONCLUSIVE


def test_a_skipped_step_is_not_run_never_a_pass():
    events = [e for e in good_run() if e not in fault()] + [StepSkipped(at(4), 0, "it cannot be killed here")]

    assert _status(events) is Status.NOT_RUN


def test_when_the_harness_broke_even_a_fail_says_nothing():
    judgement = judge(
        timeline([*without(good_run(), Found, 450), Broke(at(5), "drain", "disk full")]), CHARGE, CHECKERS
    )

    assert judgement.status is Status.ERROR
    assert judgement.verdicts[0].vetoes == ()
    assert judgement.remarks == ("drain: disk full.",)


def test_a_process_that_ended_by_itself_is_remarked():
    judgement = judge(timeline([*good_run(), ProcessExited(at(5), "shipper", -9)]), CHARGE, CHECKERS)

    assert judgement.remarks == ('Process "shipper" ended by itself with -9.',)


@pytest.mark.parametrize(
    ("healed_at", "target", "remarked"),
    [
        (6.5, STEP.target, False),
        (9.0, STEP.target, True),
        # Nothing of another target holds it up: if its healing took so long, that was its own.
        (9.0, "application", False),
    ],
)
def test_a_fault_that_lasted_longer_than_planned_for_one_on_its_target_is_remarked(
    healed_at, target, remarked
):
    inner = replace(STEP, fault="frozen", target=target, at_seconds=4.5, for_seconds=1.0)
    kept = [each for each in good_run() if not isinstance(each, FaultChanged | FaultSeen)]
    events = [*kept, *fault(0, 4.0, healed_at), *fault(1, 4.5, healed_at - 0.1)]

    remarks = judge(timeline(events), charge(STEP, inner), []).remarks

    assert any("was on for 5.0 s, 2 s planned" in each for each in remarks) is remarked


def test_a_checker_that_breaks_is_an_error_not_a_missing_verdict():
    class Broken:
        objective: ClassVar[str] = "x.y"
        dimension: ClassVar[str] = "delivery"

        def check(self, events) -> Verdict:
            raise ZeroDivisionError

    judgement = judge(timeline(good_run()), CHARGE, [Broken()])

    assert judgement.status is Status.ERROR
    assert "ZeroDivisionError" in judgement.verdicts[0].summary


def test_an_empty_history_is_not_a_pass():
    assert _status([]) is Status.INCONCLUSIVE


@pytest.mark.parametrize(
    ("statuses", "expected"),
    [
        ([], Status.NOT_RUN),
        ([Status.PASS, Status.WARN], Status.WARN),
        ([Status.PASS, Status.NOT_RUN], Status.NOT_RUN),
        ([Status.INCONCLUSIVE, Status.FAIL, Status.ERROR], Status.FAIL),
        ([Status.INCONCLUSIVE, Status.ERROR], Status.ERROR),
    ],
)
def test_the_worst_status_wins(statuses, expected):
    assert worst(statuses) is expected


def test_a_workload_that_stalled_by_itself_cannot_pass():
    stalled = replaced(good_run(), Sent, 300, Sent(300, at(3.0 + 2.5)))

    judgement = judge(timeline(stalled), CHARGE, CHECKERS)

    assert judgement.status is Status.INCONCLUSIVE
    assert "the call of record 300, due at 3.000 s, came 2.5 s late" in judgement.remarks[0]


def test_calls_that_were_never_made_are_a_stalled_workload():
    unsent = [
        event
        for event in good_run()
        if isinstance(event, Due) or not 700 <= getattr(event, "sequence", 0) < 1000
    ]

    judgement = judge(timeline(unsent), CHARGE, CHECKERS)

    assert judgement.status is Status.INCONCLUSIVE
    assert "was never made" in judgement.remarks[0]


def test_a_call_that_waits_for_the_call_before_it_is_no_stalled_workload():
    events = replaced(good_run(), Answered, 298, Answered(298, at(5.5)))
    events = replaced(events, Sent, 300, Sent(300, at(5.5)))

    assert _status(events) is Status.PASS


def test_calls_due_while_a_fault_holds_the_application_are_no_stalled_workload():
    step = replace(STEP, target="application")
    late = replaced(good_run(), Sent, 450, Sent(450, at(4.5 + 2.5)))

    judgement = judge(timeline(late), charge(step), [AcknowledgedLost(charge(step))])

    assert judgement.status is Status.PASS


def test_every_checker_is_handed_the_one_timeline_of_the_scenario():
    handed = []

    class Watching(AcknowledgedLost):
        def check(self, timeline):
            handed.append(timeline)
            return super().check(timeline)

    made = timeline(good_run())
    judge(made, CHARGE, [Watching(CHARGE), Watching(CHARGE)])

    assert [each is made for each in handed] == [True, True]


@pytest.mark.parametrize(
    ("returned", "said"),
    [
        (None, "check() must return a Verdict, not NoneType"),
        (
            Verdict("own", "freshness", cast("Any", "FAIL"), ""),
            "the verdict's status must be a Status, not 'FAIL'",
        ),
    ],
)
def test_a_plug_in_check_that_returns_no_verdict_is_an_error(returned, said):
    class Own:
        objective: ClassVar[str] = "own"
        dimension: ClassVar[str] = "freshness"

        def check(self, timeline):
            return returned

    judgement = judge(timeline(good_run()), CHARGE, [Own()])

    assert judgement.status is Status.ERROR
    assert said in judgement.verdicts[0].summary


def test_a_stack_file_that_names_what_is_not_there_leaves_nothing_to_judge():
    """Every record is lost by what was read; where to read is what the file says wrongly."""
    slips = [
        Misnamed(at(14), "mine.yaml archive.field: write `field: message`"),
        Misnamed(at(14), "and another"),
    ]
    events = [event for event in good_run() if not isinstance(event, Found)]

    judgement = judge(timeline([*events, *slips]), charge(STEP), [AcknowledgedLost(charge(STEP))])

    (verdict,) = judgement.verdicts
    assert (verdict.status, verdict.value, verdict.vetoes) == (Status.ERROR, None, ())
    assert verdict.summary == "mine.yaml archive.field: write `field: message`."
    assert judgement.remarks == ("mine.yaml archive.field: write `field: message`.", "and another.")
    assert judgement.tally.acknowledged == 1_002

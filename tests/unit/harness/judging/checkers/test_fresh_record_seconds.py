import pytest

from harness.judging.checkers.fresh_record_seconds import FreshRecordSeconds
from harness.judging.timeline import timeline
from harness.model.facts import (
    CORES_OTHERS,
    Acknowledged,
    Answered,
    ControlCall,
    Due,
    Event,
    Found,
    FreshLooked,
    FreshSent,
    ProcessExited,
    ProducersHosted,
    Sample,
    Sent,
)
from harness.model.nanoseconds import MS_NS
from harness.model.protocols import Status
from tests.unit.harness.literal_history import STEP, at, charge, fault, good_run, life, looked, without

CHECKER = FreshRecordSeconds(charge(STEP))
LAST = 1000
HEALED = 1002
"""The first sequences of the waves after the drain and after the healing at 6 s."""


def _with_looks(*looks: FreshLooked):
    return [event for event in good_run() if not isinstance(event, FreshLooked)] + list(looks)


def _healed(*looks: FreshLooked):
    """Return a good run in which two more records were fresh when the fault was healed."""
    wave = FreshSent(at(6), HEALED, HEALED + 1, "killed on elasticsearch")
    return [*good_run(), *life(HEALED, 6.0), *life(HEALED + 1, 6.02), wave, *looks]


def test_fresh_records_found_in_time_pass_with_the_time_it_took():
    verdict = CHECKER.check(timeline(good_run()))

    assert verdict.status is Status.PASS
    assert verdict.value == 0.5


def test_the_first_complete_look_counts():
    events = _with_looks(looked(LAST, 12.9, 13, 1), looked(LAST, 14.9, 15, 2))

    assert CHECKER.check(timeline(events)).value == 3.0


def test_fresh_records_that_never_all_arrive_fail():
    verdict = CHECKER.check(timeline(_with_looks(looked(LAST, 13, 13.1, 0), looked(LAST, 42, 42.1, 1))))

    assert verdict.status is Status.FAIL
    assert verdict.summary == "1 of 2 fresh records arrived within 30 s."


def test_fresh_records_that_were_missing_after_the_limit_fail_though_they_came_later():
    events = _with_looks(looked(LAST, 42, 42.1, 1), looked(LAST, 43, 43.1, 2))

    verdict = CHECKER.check(timeline(events))

    assert (verdict.status, verdict.value) == (Status.FAIL, 31.1)


def test_a_look_that_takes_longer_than_the_limit_fails_nobody():
    missed = CHECKER.check(timeline(_with_looks(looked(LAST, 12, 50, 0))))
    found = CHECKER.check(timeline(_with_looks(looked(LAST, 12, 50, 0), looked(LAST, 50, 88, 2))))

    assert (missed.status, found.status) == (Status.INCONCLUSIVE, Status.INCONCLUSIVE)
    assert found.summary == (
        "The look that found all 2 fresh records ended after 76.0 s (at most 30 s allowed) and itself took "
        "38.0 s: when they arrived is not known."
    )


def test_without_a_look_there_is_no_verdict():
    assert CHECKER.check(timeline(_with_looks())).status is Status.INCONCLUSIVE


def test_without_a_fresh_record_there_is_no_verdict():
    events = [event for event in good_run() if not (isinstance(event, Due) and event.at_ns >= at(12))]

    assert CHECKER.check(timeline(events)).status is Status.INCONCLUSIVE


def test_a_hold_after_the_healing_fails_though_records_are_fresh_again_after_the_drain():
    held = CHECKER.check(timeline(_healed(looked(HEALED, 36.5, 36.6, 0), looked(HEALED, 46, 46.1, 2))))
    soon = CHECKER.check(timeline(_healed(looked(HEALED, 7, 7.1, 2))))

    assert (held.status, held.value, held.limit) == (Status.FAIL, 40.1, 30.0)
    assert held.summary == (
        "All 2 fresh records, sent when killed on elasticsearch was healed, were readable after 40.1 s "
        "(at most 30 s allowed)."
    )
    assert (soon.status, soon.value) == (Status.PASS, 0.5)
    assert soon.evidence == (
        "All 2 fresh records, sent when killed on elasticsearch was healed, were readable after 1.1 s "
        "(at most 30 s allowed).",
    )


def test_a_record_that_is_lost_or_was_never_acknowledged_is_not_called_late():
    late = _healed(looked(HEALED, 7, 7.1, 1), looked(HEALED, 36.5, 36.6, 1))

    for kind in (Found, Acknowledged):
        assert CHECKER.check(timeline(without(late, kind, HEALED + 1))).status is Status.PASS
    assert CHECKER.check(timeline(late)).status is Status.FAIL


def test_records_of_a_healing_say_nothing_once_the_next_fault_has_begun():
    late = [looked(HEALED, 36.5, 36.6, 0), looked(HEALED, 46, 46.1, 2)]
    checker = FreshRecordSeconds(charge(STEP, STEP))

    assert checker.check(timeline([*_healed(*late), *fault(1, 7, 9)])).status is Status.PASS
    assert checker.check(timeline([*_healed(*late), *fault(1, 47, 48)])).status is Status.FAIL


def test_nobody_having_looked_after_a_healing_is_no_verdict():
    assert CHECKER.check(timeline(_healed())).status is Status.INCONCLUSIVE


def _without_worker(*unsent: int):
    """Return a good run whose first worker had ended by itself before it sent these of the last wave."""
    gone: list[Event] = [
        ProducersHosted("load.worker-1", 0, 0, 2),
        ProducersHosted("load.worker-2", 1, 1, 2),
        ProcessExited(at(11), "load.worker-1", -9),
    ]
    events = _with_looks(looked(LAST, 13, 13.1, 2 - len(unsent)), looked(LAST, 43, 43.1, 2 - len(unsent)))
    for kind in (Sent, Answered, Acknowledged, Found):
        events = without(events, kind, *unsent)
    return timeline([*events, *gone])


def test_what_a_dead_worker_of_the_load_never_sent_is_not_missed():
    one = CHECKER.check(_without_worker(LAST))

    assert (one.status, one.summary) == (
        Status.PASS,
        "All 1 fresh records were readable after 1.1 s (at most 30 s allowed).",
    )


def test_fresh_records_that_a_living_worker_never_sent_are_missed():
    assert CHECKER.check(_without_worker(LAST + 1)).status is Status.FAIL


def test_where_no_worker_was_left_to_send_fresh_records_nothing_is_known():
    run = _without_worker(LAST)
    run.hosted.clear()
    run.entries[LAST + 1].sent_ns = None

    verdict = CHECKER.check(run)

    assert verdict.status is Status.INCONCLUSIVE
    assert verdict.summary == "No fresh record was sent: what sends them had ended."


def _beside(control_ms: float, others: float) -> list[Event]:
    """Return a control whose calls take so long, and how many cores others took."""
    control = [
        ControlCall(at(n / 20), at(n / 20), at(n / 20) + round(control_ms * MS_NS)) for n in range(200)
    ]
    cores = [Sample(at(second), CORES_OTHERS, others) for second in range(50)]
    return [*control, *cores]


@pytest.mark.parametrize(
    ("control_ms", "others", "status"),
    [
        (800, 1.9, Status.INCONCLUSIVE),
        (800, 0.1, Status.FAIL),
        (100, 1.9, Status.FAIL),
    ],
    ids=["starved", "late by the run itself", "busy and not starved"],
)
def test_only_a_starved_machine_excuses_records_that_do_not_arrive(control_ms, others, status):
    late = _with_looks(looked(LAST, 13, 13.1, 0), looked(LAST, 42, 42.1, 1))

    verdict = CHECKER.check(timeline([*late, *_beside(control_ms, others)]))

    assert verdict.status is status
    assert ("starved" in verdict.summary) == (status is Status.INCONCLUSIVE)

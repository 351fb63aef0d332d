from dataclasses import replace

import pytest

from harness.judging.checker import Charge
from harness.judging.checkers.backlog_seconds import BacklogSeconds
from harness.judging.checkers.throughput_recovery_seconds import ThroughputRecoverySeconds
from harness.judging.timeline import timeline
from harness.model.facts import CORES_OTHERS, STORED, ArchiveRead, ControlCall, FaultChanged, Found, Sample
from harness.model.nanoseconds import MS_NS
from harness.model.protocols import Status
from tests.unit.harness.literal_history import STEP, at, charge, good_run, scenario, without

LIMIT = 4.0
CHARGE = Charge(replace(scenario(STEP), recovery_seconds=LIMIT), charge(STEP).promises)
THROUGHPUT = ThroughputRecoverySeconds(CHARGE)
BACKLOG = BacklogSeconds(CHARGE)


def run(stored_at, *, until=14.0):
    """A run of 100 records a second whose archive counts `stored_at(seconds)`, asked four times a second."""
    moments = [n / 4 for n in range(int(until * 4))]
    return [*good_run(), *(Sample(at(t), STORED, float(int(stored_at(t)))) for t in moments)]


def sent(t):
    return 100 * min(t, 10.0) if t < 12 else 1002


def hurt(back_at, per_second):
    """The store takes nothing from 4 s (the fault) on; from `back_at` on it takes so many a second."""

    def stored(t):
        if t < 4:
            return max(0.0, sent(t) - 20)
        return min(sent(t), 380 + max(0.0, t - back_at) * per_second)

    return stored


def test_a_store_that_is_back_at_once_passes():
    events = run(hurt(6.0, 400))

    verdicts = [checker.check(timeline(events)) for checker in (THROUGHPUT, BACKLOG)]

    assert [verdict.status for verdict in verdicts] == [Status.PASS, Status.PASS]
    assert verdicts[0].value == pytest.approx(0.5, abs=0.5)
    assert verdicts[1].value == pytest.approx(0.8, abs=0.5)


def test_a_stack_that_never_recovers_fails_both():
    events = run(hurt(1000.0, 0))

    verdicts = [checker.check(timeline(events)) for checker in (THROUGHPUT, BACKLOG)]

    assert [verdict.status for verdict in verdicts] == [Status.FAIL, Status.FAIL]
    assert [verdict.value for verdict in verdicts] == [None, None]
    assert "was not reached after the last fault was healed (at most 4 s allowed)." in verdicts[1].summary


def test_on_a_starved_machine_nobody_knows_whose_a_late_recovery_was():
    events = run(hurt(1000.0, 0))
    control = [ControlCall(at(n / 20), at(n / 20), at(n / 20) + 800 * MS_NS) for n in range(200)]
    cores = [Sample(at(second), CORES_OTHERS, 1.9) for second in range(14)]

    for checker in (THROUGHPUT, BACKLOG):
        assert checker.check(timeline([*events, *control])).status is Status.FAIL
        assert checker.check(timeline([*events, *control, *cores])).status is Status.INCONCLUSIVE


def test_a_stack_that_waits_too_long_before_it_tries_again_fails():
    verdict = THROUGHPUT.check(timeline(run(hurt(11.0, 1000))))

    assert verdict.status is Status.FAIL
    assert verdict.value == pytest.approx(5.5, abs=0.5)


def test_a_backlog_that_shrinks_too_slowly_fails_although_throughput_is_back():
    events = run(hurt(6.0, 95))

    assert THROUGHPUT.check(timeline(events)).status is Status.PASS
    assert BACKLOG.check(timeline(events)).status is Status.FAIL


def test_a_fault_that_hurt_nothing_needs_no_recovery():
    events = run(sent)

    assert THROUGHPUT.check(timeline(events)).value == 0
    assert BACKLOG.check(timeline(events)).value == 0


def test_what_was_lost_is_not_waited_for():
    events = without(run(lambda t: sent(t) - (60 if t >= 4 else 0)), Found, *range(440, 500))

    assert BACKLOG.check(timeline(events)).status is Status.PASS


@pytest.mark.parametrize("missing", [Sample, ArchiveRead])
def test_without_counts_or_a_reading_there_is_no_verdict(missing):
    events = [event for event in run(sent) if not isinstance(event, missing)]

    assert THROUGHPUT.check(timeline(events)).status is Status.INCONCLUSIVE
    assert BACKLOG.check(timeline(events)).status is Status.INCONCLUSIVE


def test_a_fault_that_was_never_healed_leaves_it_open():
    events = [e for e in run(sent) if not (isinstance(e, FaultChanged) and e.state == "healed")]

    assert BACKLOG.check(timeline(events)).status is Status.INCONCLUSIVE


def test_a_store_that_took_nothing_before_the_fault_leaves_it_open():
    assert THROUGHPUT.check(timeline(run(lambda t: 0))).status is Status.INCONCLUSIVE
    assert THROUGHPUT.check(timeline([])).status is Status.INCONCLUSIVE


def test_a_scenario_without_a_fault_does_not_plan_it():
    assert BacklogSeconds(charge()).lacks() == "no scenario has a fault to recover from"
    assert BacklogSeconds(charge(STEP)).lacks() == ""

"""Which records show the steady state before a fault, and which say nothing of it."""

from dataclasses import replace

from harness.judging.checkers.acknowledged_lost import AcknowledgedLost
from harness.judging.steady import Steadiness, steadiness
from harness.judging.timeline import timeline
from harness.judging.verdict import judge
from harness.model.declarations import APPLICATION, Level, Promises
from harness.model.facts import Acknowledged, FaultChanged, FaultSeen, Found
from harness.model.protocols import Status
from tests.unit.harness.literal_history import STEP, at, charge, fault, good_run, phases, without

KILL = replace(STEP, target=APPLICATION, acknowledged_min=0)


def _killed(events):
    """Return the run with its fault a kill of the application, from 4 to 6 s."""
    others = [event for event in events if event not in fault()]
    changes = [
        FaultChanged(at(moment), 0, "killed", APPLICATION, state, "Killable")
        for moment, state in ((4, "injecting"), (4, "injected"), (6, "healing"), (6, "healed"))
    ]
    return [*others, *changes, FaultSeen(at(4), 0, True, "pid 9 is gone")]


def _judged(events, step=STEP, **promises):
    judged = charge(step, promises=Promises(**promises))
    return judge(timeline(events), judged, [AcknowledgedLost(judged)])


def test_what_stood_in_the_buffer_when_the_fault_began_is_a_loss_and_no_lack_of_a_steady_state():
    judgement = _judged(without(good_run(), Found, *range(350, 400)))

    assert judgement.status is Status.FAIL
    assert judgement.remarks == ()


def test_records_that_had_their_time_to_arrive_and_did_not_are_a_lack_of_a_steady_state():
    judgement = _judged(without(good_run(), Found, *range(350, 400)), visible_seconds=0.2)

    assert judgement.remarks == (
        "350 of 380 records due more than 0.2 s before the first fault were acknowledged and found "
        "(at least 99% required): there was no steady state.",
    )


def test_records_that_a_kill_excuses_say_nothing_of_the_steady_state():
    """A stack that promises memory and writes every two seconds: what it had not written died lawfully."""
    lost = _killed(without(good_run(), Found, *range(200, 400)))

    excused = _judged(lost, KILL, durability=Level.MEMORY)
    owed = _judged(lost, KILL, durability=Level.WRITE)

    assert (excused.status, excused.remarks) == (Status.PASS, ())
    assert owed.status is Status.FAIL
    assert owed.remarks[0].startswith("200 of 300 records due")


def test_where_a_kill_excuses_nearly_all_nothing_shows_a_steady_state():
    judgement = _judged(_killed(without(good_run(), Found, *range(10, 400))), KILL, durability=Level.MEMORY)

    assert judgement.status is Status.INCONCLUSIVE
    assert judgement.remarks[0].startswith(
        "Only 10 records due more than 1 s before the first fault can show"
    )


def test_a_record_nobody_acknowledged_is_not_excused_by_the_kill():
    silent = without(without(good_run(), Found, *range(100, 400)), Acknowledged, *range(100, 400))

    judgement = _judged(_killed(silent), KILL, durability=Level.MEMORY)

    assert judgement.remarks[0].startswith("100 of 300 records due")


def test_without_a_fault_every_record_tells():
    events = [event for event in good_run() if event not in fault()]

    assert steadiness(timeline(events), charge()) == Steadiness("records due", 1000, 1000, 0)
    assert steadiness(timeline(phases()), charge()).problem() == (
        "No record was due before the first fault: nothing was sent."
    )

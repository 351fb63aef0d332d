"""What the load's own tool counts stands beside the judgement; its limit is not taken for the stack's."""

from harness.judging.checkers.acknowledged_lost import AcknowledgedLost
from harness.judging.generator import generator
from harness.judging.timeline import timeline
from harness.judging.verdict import judge
from harness.model.facts import (
    Acknowledged,
    Answered,
    FaultChanged,
    FaultSeen,
    Found,
    ProcessExited,
    RequestsCounted,
    Sample,
    Sent,
)
from harness.model.protocols import Status
from harness.model.result import RequestCount
from tests.unit.harness.literal_history import at, charge, good_run, life, phases, without

CHARGE = charge()
COUNTED = RequestsCounted(at(13), "Locust", "POST", "send()", 1002, 3, 4.0, 9.0)


def without_fault():
    return [event for event in good_run() if not isinstance(event, FaultChanged | FaultSeen)]


def cores(*values, worker="load.worker-1"):
    return [Sample(at(1 + n), f"cores.load.{worker}", value) for n, value in enumerate(values)]


def judged(events):
    return judge(timeline(events), CHARGE, [AcknowledgedLost(CHARGE)])


def test_what_the_tool_counts_is_told_as_its_own_and_judged_by_nobody():
    events = [*without_fault(), COUNTED, *cores(*[0.5] * 9), *cores(*[0.25] * 9, worker="load.worker-2")]
    found = generator(timeline(events))

    assert found is not None
    assert found.tool == "Locust"
    assert found.requests == (RequestCount("POST", "send()", 1002, 3, 4.0, 9.0),)
    assert (found.processes, found.cores_peak, found.late) == (2, 0.5, 0)
    # 1,000 records in 9 * 0.75 core-seconds.
    assert found.records_per_core_second == 148.1
    assert judged(events).status is Status.PASS
    assert judged(events).remarks == ()


def test_a_load_without_figures_of_its_own_has_none():
    assert generator(timeline(without_fault())) is None


def test_lateness_without_a_call_under_way_is_told_as_the_generators():
    lives = [event for n in range(1000) for event in life(n, n / 100, late_ms=300.0 if n >= 900 else 0.0)]
    events = [*phases(), *lives, COUNTED, *cores(*[0.97] * 9)]
    found, (remark,) = generator(timeline(events)), judged(events).remarks

    assert found is not None
    assert found.late == 100
    assert remark.startswith(
        "The load generator did not keep up: 100 of 1,000 records were sent up to 300 ms late "
    )
    assert "0.97 of a core" in remark
    assert "That is not the stack's. Send slower, or with more workers" in remark


def test_a_generator_that_the_machine_did_not_let_run_is_not_told_to_have_more_workers():
    lives = [event for n in range(1000) for event in life(n, n / 100, late_ms=300.0)]
    (remark,) = judged([*phases(), *lives, COUNTED, *cores(*[0.1] * 9)]).remarks

    assert "It had time left and was not let run" in remark
    assert "more workers" not in remark


def test_a_slow_stack_is_not_the_generators_limit():
    lives = [event for n in range(1000) for event in life(n, n / 100, call_ms=400.0)]
    events = [*phases(), *lives, COUNTED, *cores(*[0.1] * 9)]

    found = generator(timeline(events))

    assert found is not None
    assert found.late == 0
    assert judged(events).remarks == ()


def test_what_a_dead_worker_had_not_begun_is_told_as_not_sent_and_what_it_had_acknowledged_is_judged():
    never = range(700, 1000, 2)
    events = without_fault()
    for kind in (Sent, Answered, Acknowledged, Found):
        events = without(events, kind, *never)
    events.append(ProcessExited(at(7), "load.worker-1", -9))
    judgement = judged([*events, COUNTED])
    found = generator(timeline([*events, COUNTED]))
    lost = judged(without(events, Found, 100))

    assert judgement.status is Status.INCONCLUSIVE
    assert "150 records were due and never sent: load.worker-1 had ended." in judgement.remarks
    assert judgement.verdicts[0].value == 0
    assert not any("never acknowledged" in line for line in judgement.verdicts[0].evidence)
    assert found is not None
    assert found.late == 0
    assert (lost.status, lost.verdicts[0].value) == (Status.FAIL, 1)

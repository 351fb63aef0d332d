"""When lateness is a neighbour's doing: the control is late, and others than the run took the processors."""

from __future__ import annotations

from dataclasses import replace

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from harness.judging.checkers.response_p99_ms import VETO, ResponseP99Ms
from harness.judging.disturbance import LATENESS_FACTOR
from harness.judging.timeline import timeline
from harness.model.facts import CORES_OTHERS, CORES_RUN, ControlCall, Due, Event, Sample, Sent
from harness.model.protocols import Status
from tests.unit.harness.literal_history import MS, STEP, at, charge, fault, life, phases

CHECKER = ResponseP99Ms(charge(STEP))


def _run(*, call_ms=130.0, control_ms=5.4, others=1.2, run=0.5):
    """Return a run whose calls are too slow from the fault on, beside a control and what the cores did."""
    early = [event for n in range(400) for event in life(n, n / 100)]
    late = [event for n in range(400, 1000) for event in life(n, n / 100, call_ms if n % 40 == 0 else 0.1)]
    control = [
        ControlCall(at(n / 100), at(n / 100), at(n / 100) + round((control_ms if n % 20 == 0 else 0.1) * MS))
        for n in range(1000)
    ]
    cores = [
        Sample(at(second), name, value)
        for second in range(10)
        for name, value in ((CORES_OTHERS, others), (CORES_RUN, run))
        if value is not None
    ]
    return [*phases(), *fault(), *early, *late, *control, *cores]


def _verdict(**seen):
    return CHECKER.check(timeline(_run(**seen)))


def test_lateness_beside_a_late_control_and_a_busy_neighbour_is_inconclusive():
    verdict = _verdict()

    assert verdict.status is Status.INCONCLUSIVE
    assert verdict.summary.endswith(
        "(at most 100 ms allowed), but other processes on this machine took 1.2 cores meanwhile, the run "
        "itself 0.5, and the control's own p99 was 5.4 ms (below 2 ms undisturbed)."
    )


def test_cores_that_were_measured_only_after_a_starved_window_tell_of_it():
    events = [event for event in _run() if not isinstance(event, Sample)]
    late = [Sample(at(11), CORES_OTHERS, 1.9), Sample(at(11), CORES_RUN, 0.1)]

    verdict = CHECKER.check(timeline([*events, *late]))

    assert verdict.status is Status.INCONCLUSIVE
    assert "took 1.9 cores meanwhile, the run itself 0.1" in verdict.summary


def test_cores_that_were_taken_before_the_window_excuse_nothing_in_it():
    early = [event for event in _run(others=0.1) if not (isinstance(event, Sample) and event.at_ns < at(1))]
    before = [Sample(at(0.5), CORES_OTHERS, 1.9), Sample(at(0.5), CORES_RUN, 0.1)]

    assert CHECKER.check(timeline([*early, *before])).status is Status.FAIL


def test_a_neighbour_of_half_a_core_beside_a_run_that_needs_the_rest_may_be_why():
    assert _verdict(others=0.5, run=1.5).status is Status.INCONCLUSIVE


@pytest.mark.parametrize(
    "seen",
    [
        {"control_ms": 1.5},
        {"others": 0.3, "run": 0.2},
        {"others": 0.2, "run": 1.8},
        {"call_ms": 400.0},
        {"others": None},
        {"run": None},
    ],
    ids=[
        "the control is in time",
        "the neighbour takes next to nothing",
        "the run burns the processors itself",
        "the control explains no lateness of that size",
        "nobody measured the others",
        "nobody measured the run",
    ],
)
def test_lateness_that_no_neighbour_explains_fails(seen):
    assert _verdict(**seen).status is Status.FAIL


def test_no_neighbour_excuses_a_call_that_never_returns():
    stuck: list[Event] = [Due(5000, at(3), 0, "x"), Sent(5000, at(3))]

    verdict = CHECKER.check(timeline([*_run(), *stuck]))

    assert (verdict.status, verdict.vetoes) == (Status.FAIL, (VETO,))


def test_a_quick_stack_passes_beside_a_neighbour():
    assert _verdict(call_ms=1.0).status is Status.PASS


def _queue(*, call_ms, stalls_ms, control_ms, others):
    """Return a run whose calls follow one another: each begins once the one before it has returned.

    From the fault on, two records a hundredth of a second fall due; `stalls_ms` says how long the first calls
    take, `call_ms` how long each of the others.
    """
    early = [event for n in range(400) for event in life(n, n / 100)]
    late: list[Event] = []
    free_seconds = 0.0
    for n in range(400, 1000):
        due_seconds = n / 100
        took_ms = stalls_ms[n - 400] if n - 400 < len(stalls_ms) else call_ms
        begins_seconds = max(due_seconds, free_seconds)
        free_seconds = begins_seconds + took_ms / 1000
        late += life(n, due_seconds, took_ms, late_ms=(begins_seconds - due_seconds) * 1000)
    control = [
        ControlCall(at(n / 100), at(n / 100), at(n / 100) + round((control_ms if n % 20 == 0 else 0.1) * MS))
        for n in range(1000)
    ]
    cores = [
        Sample(at(second), name, value)
        for second in range(10)
        for name, value in ((CORES_OTHERS, others), (CORES_RUN, 0.3))
    ]
    # All are of one producer, so that none is late by the harness's doing.
    return [
        replace(event, producer=0) if isinstance(event, Due) else event
        for event in (*phases(), *fault(), *early, *late, *control, *cores)
    ]


@settings(max_examples=40)
@given(
    call_ms=st.floats(40.0, 110.0),
    control_ms=st.floats(150.0, 1_500.0),
    others=st.floats(0.5, 2.0),
)
def test_a_queue_of_calls_that_are_a_little_slow_each_is_no_failure_on_a_starved_machine(
    call_ms, control_ms, others
):
    """The control itself is later than the stack may be; no call of the stack stalls."""
    seen = timeline(_queue(call_ms=call_ms, stalls_ms=(), control_ms=control_ms, others=others))

    assert CHECKER.check(seen).status is Status.INCONCLUSIVE


@settings(max_examples=40)
@given(
    stalls=st.integers(1, 5),
    beyond=st.floats(1.05, 20.0),
    call_ms=st.floats(0.1, 5.0),
    control_ms=st.floats(150.0, 1_500.0),
)
def test_a_stack_that_stalls_for_longer_than_the_control_explains_fails_on_a_starved_machine_too(
    stalls, beyond, call_ms, control_ms
):
    """Whatever waits behind the calls that stall is late by their doing."""
    stall_ms = beyond * (100.0 + LATENESS_FACTOR * control_ms)
    stalls_ms = (stall_ms,) * stalls
    seen = timeline(_queue(call_ms=call_ms, stalls_ms=stalls_ms, control_ms=control_ms, others=1.5))

    assert CHECKER.check(seen).status is Status.FAIL


def test_a_queue_fails_where_the_control_was_in_time_for_a_stack():
    seen = timeline(_queue(call_ms=60.0, stalls_ms=(), control_ms=5.4, others=1.2))

    assert CHECKER.check(seen).status is Status.FAIL

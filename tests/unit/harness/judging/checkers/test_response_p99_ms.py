from harness.evidence.lines import digest
from harness.judging.checkers.response_p99_ms import VETO, ResponseP99Ms
from harness.judging.timeline import timeline
from harness.model.facts import (
    Acknowledged,
    Answered,
    ControlCall,
    Due,
    Event,
    FaultChanged,
    ProcessExited,
    ProducersHosted,
    Sent,
)
from harness.model.protocols import Status
from tests.unit.harness.literal_history import MS, STEP, at, charge, fault, good_run, life, phases

CHECKER = ResponseP99Ms(charge(STEP))


def _down(begin: float, end: float):
    """Return the facts of a fault on the application."""
    return [
        FaultChanged(at(moment), 0, "killed", "application", state)
        for moment, state in (
            (begin, "injecting"),
            (begin, "injected"),
            (end, "healing"),
            (end, "healed"),
        )
    ]


def _killed(*lives, begin: float = 4.0, end: float = 6.0):
    return [*phases(), *_down(begin, end), *(event for one in lives for event in one)]


def _late(count: int, first: int = 400):
    """Return records due while the application was down, sent as soon as it was back."""
    return [
        life(first + n, 4.0 + n * 2.0 / count, late_ms=2000 - n * 2000.0 / count + 0.1 * n)
        for n in range(count)
    ]


def _run(*lives):
    return [*phases(), *fault(), *(event for one in lives for event in one)]


def _even(count: int, from_s: float, to_s: float, first: int = 0, call_ms: float = 0.1):
    step = (to_s - from_s) / count
    return [life(first + n, from_s + n * step, call_ms) for n in range(count)]


def test_quick_calls_pass_in_every_window():
    verdict = CHECKER.check(timeline(good_run()))

    assert verdict.status is Status.PASS
    assert verdict.evidence[0].startswith("steady: response p99 0.1 ms over 400 records")
    assert verdict.evidence[1].startswith("killed on elasticsearch and after: response p99 0.1 ms over 600")


def test_the_value_rests_on_the_samples_of_its_smallest_window():
    assert CHECKER.check(timeline(good_run())).samples == 400
    assert CHECKER.check(timeline(phases())).samples == 0


def test_calls_that_block_only_while_the_fault_is_on_fail():
    verdict = CHECKER.check(
        timeline(
            _run(*_even(400, 0, 4), *_even(20, 4, 6, first=400, call_ms=150), *_even(400, 6, 10, first=420))
        )
    )

    assert verdict.status is Status.FAIL
    assert "killed on elasticsearch" in verdict.summary


def test_a_blocked_call_makes_the_next_ones_of_its_producer_late():
    blocked = life(400, 4.0, call_ms=1500)
    queued = [
        life(402 + 2 * n, 4.01 + n * 0.01, call_ms=0.1, late_ms=1500 - 10 * (n + 1) + 0.1 * n)
        for n in range(100)
    ]

    verdict = CHECKER.check(
        timeline(_run(*_even(400, 0, 4), blocked, *queued, *_even(300, 6, 10, first=1001)))
    )

    assert verdict.status is Status.FAIL
    assert "response p99" in verdict.summary


def _together(first: int, count: int, from_s: float, sent_s: float, call_ms: float):
    """Return records due 1 ms after each other, sent in one call."""
    return [
        life(first + n, from_s + n / 1000, call_ms, late_ms=(sent_s - from_s) * 1000 - n)
        for n in range(count)
    ]


def test_records_that_share_a_call_take_its_time_once():
    calls = [_together(20 * n, 20, n * 0.2, n * 0.2 + 0.019, call_ms=40) for n in range(50)]
    verdict = CHECKER.check(timeline(_run(*(one for call in calls for one in call))))

    assert verdict.status is Status.PASS
    assert verdict.value is not None
    assert verdict.value < 100


def test_records_that_share_a_call_too_slow_fail():
    calls = [_together(20 * n, 20, n * 0.2, n * 0.2 + 0.019, call_ms=140) for n in range(50)]
    verdict = CHECKER.check(timeline(_run(*(one for call in calls for one in call))))

    assert verdict.status is Status.FAIL
    assert verdict.value is not None
    assert verdict.value < 200


def test_lateness_of_the_harness_alone_is_inconclusive_not_the_stacks_failure():
    late = [life(400 + n, 4 + n * 0.02, late_ms=150) for n in range(300)]

    verdict = CHECKER.check(timeline(_run(*_even(400, 0, 4), *late)))

    assert verdict.status is Status.INCONCLUSIVE
    assert "of it are the stack's" in verdict.summary


def test_too_few_samples_are_inconclusive():
    verdict = CHECKER.check(timeline(_run(*_even(400, 0, 4), *_even(100, 4, 10, first=400))))

    assert verdict.status is Status.INCONCLUSIVE
    assert "299 are needed" in verdict.summary


def test_few_samples_with_many_excesses_still_fail():
    verdict = CHECKER.check(timeline(_run(*_even(400, 0, 4), *_even(50, 4, 10, first=400, call_ms=110))))

    assert verdict.status is Status.FAIL


def test_a_call_that_never_returns_vetoes():
    stuck: list[Event] = [Due(5000, at(3), 0, digest("x")), Sent(5000, at(3))]

    verdict = CHECKER.check(timeline([*good_run(), *stuck]))

    assert verdict.status is Status.FAIL
    assert verdict.vetoes == (VETO,)


def test_records_queued_behind_a_stuck_call_count_with_the_time_until_the_end():
    stuck = [Due(400, at(4), 0, digest("x")), Sent(400, at(4))]
    behind = [[Due(402 + 2 * n, at(4 + n * 0.01), 0, digest("x"))] for n in range(300)]

    verdict = CHECKER.check(timeline(_run(*_even(400, 0, 4), stuck, *behind)))

    assert verdict.status is Status.FAIL
    assert verdict.value is not None
    assert verdict.value > 5_000


def test_records_never_sent_although_no_call_was_outstanding_are_the_harnesss_fault():
    unsent = [[Due(400 + n, at(4 + n * 0.01), n % 2, digest("x"))] for n in range(400)]

    assert CHECKER.check(timeline(_run(*_even(400, 0, 4), *unsent))).status is Status.INCONCLUSIVE


def test_the_control_stands_beside_the_figures():
    control = [ControlCall(at(n / 100), at(n / 100), at(n / 100) + MS) for n in range(300)]

    evidence = CHECKER.check(timeline([*good_run(), *control])).evidence

    assert any(
        line.startswith("response of the NullHandler control beside it: p50 1.000") for line in evidence
    )


def test_nothing_due_is_inconclusive():
    events = [e for e in good_run() if not isinstance(e, Due | Sent | Answered | Acknowledged)]

    assert CHECKER.check(timeline(events)).status is Status.INCONCLUSIVE


def test_without_a_fault_all_of_the_sending_is_steady_state():
    verdict = CHECKER.check(timeline([*phases(), *(event for one in _even(400, 0, 10) for event in one)]))

    assert verdict.status is Status.PASS
    assert verdict.evidence[0].startswith("steady: response p99 0.1 ms over 400 records")


def test_records_due_while_the_application_was_down_are_not_the_stacks_lateness():
    verdict = CHECKER.check(timeline(_killed(*_even(400, 0, 4), *_late(200), *_even(400, 6, 10, first=600))))

    assert verdict.status is Status.PASS
    assert verdict.evidence[1].startswith("killed on application, once healed: response p99 0.1 ms over 400")
    assert any(
        line.startswith("200 records were due while killed on app") and "not judged" in line
        for line in verdict.evidence
    )
    assert any(line.startswith("response: p50 0.100") and "800 calls" in line for line in verdict.evidence)


def test_a_call_that_died_with_the_application_is_no_deadlock():
    died = [Due(399, at(3.9999), 1, digest("x")), Sent(399, at(3.9999))]

    verdict = CHECKER.check(
        timeline(_killed(*_even(399, 0, 3.99), died, *_late(200), *_even(400, 6, 10, first=600)))
    )

    assert verdict.status is Status.PASS
    assert any(line.startswith("1 record was under way when the app") for line in verdict.evidence)


def test_a_call_that_began_in_the_moment_of_the_kill_and_died_delays_no_later_call():
    """It is sent after the fault began and before the process was gone: a kill takes some milliseconds."""
    died = [Due(400, at(4.01), 0, digest("x")), Sent(400, at(4.012))]
    verdict = CHECKER.check(
        timeline(_killed(*_even(400, 0, 4), died, *_late(199, first=401), *_even(400, 6, 10, first=600)))
    )

    assert verdict.status is Status.PASS
    assert verdict.evidence[1].startswith("killed on application, once healed: response p99 0.1 ms over 400")


def test_a_call_that_died_with_the_application_after_blocking_too_long_counts():
    blocked = [
        event
        for n in range(396, 400)
        for event in (Due(n, at(3.0 + n / 1e3), n % 2, digest("x")), Sent(n, at(3.0 + n / 1e3)))
    ]

    verdict = CHECKER.check(
        timeline(_killed(*_even(340, 0, 3.3), blocked, *_late(200), *_even(400, 6, 10, first=600)))
    )

    assert verdict.status is Status.FAIL
    assert verdict.summary.startswith("steady: response p99")
    assert verdict.vetoes == ()


def test_records_queued_behind_a_call_that_blocked_until_the_kill_count_with_their_wait_until_then():
    blocked = [Due(100, at(1.0), 0, digest("x")), Sent(100, at(1.0))]
    behind = [life(102 + 2 * n, 1.02 + n * 0.02, late_ms=5000 - n * 20) for n in range(149)]
    others = [life(101 + 2 * n, 1.01 + n * 0.02) for n in range(149)]

    verdict = CHECKER.check(
        timeline(
            _killed(*_even(100, 0, 1), blocked, *behind, *others, *_late(200), *_even(400, 6, 10, first=600))
        )
    )

    assert verdict.status is Status.FAIL
    assert verdict.summary.startswith("steady: response p99 2,9")


def test_a_call_that_outlives_a_fault_on_the_application_is_a_deadlock_all_the_same():
    stuck = [Due(399, at(3.99), 1, digest("x")), Sent(399, at(3.99))]
    other_producer = _even(400, 6, 10, first=600)[::2]

    verdict = CHECKER.check(timeline(_killed(*_even(399, 0, 3.9), stuck, *other_producer)))

    assert verdict.vetoes == (VETO,)


def test_a_call_that_began_after_the_healing_and_never_returned_is_a_deadlock():
    stuck: list[Event] = [Due(600, at(6.0), 0, digest("x")), Sent(600, at(6.01))]
    lives = [event for one in (*_even(400, 0, 4), *_even(400, 6.1, 10, first=601)) for event in one]

    verdict = CHECKER.check(timeline([*phases(ended_at=18.0), *_down(4, 6), *lives, *stuck]))

    assert verdict.vetoes == (VETO,)


def test_a_call_held_up_by_a_frozen_application_is_cut_off_where_the_freeze_began():
    held = life(399, 3.999, call_ms=2001.0)

    verdict = CHECKER.check(
        timeline(_killed(*_even(399, 0, 3.99), held, *_late(200), *_even(400, 6, 10, first=600)))
    )

    assert verdict.status is Status.PASS


def test_slow_calls_after_the_application_came_back_fail():
    slow = _even(300, 6, 10, first=600, call_ms=130)

    verdict = CHECKER.check(timeline(_killed(*_even(400, 0, 4), *_late(200), *slow)))

    assert verdict.status is Status.FAIL
    assert verdict.summary.startswith("killed on application, once healed")


def test_too_few_records_after_the_application_came_back_are_inconclusive():
    verdict = CHECKER.check(timeline(_killed(*_even(400, 0, 4), *_late(200), *_even(200, 6, 10, first=600))))

    assert verdict.status is Status.INCONCLUSIVE
    assert "299 are needed" in verdict.summary


def _catching_up(call_ms: float, from_s: float = 4.0, count: int = 600):
    """Return records due every 10 ms from the kill on, worked off in turn once it is healed at 6 s."""
    lives = []
    free_s = {0: 6.0, 1: 6.0}
    for n in range(count):
        sequence, due = 400 + n, from_s + n * 0.01
        entered = max(due, free_s[sequence % 2])
        free_s[sequence % 2] = entered + call_ms / 1e3
        lives.append(life(sequence, due, call_ms, late_ms=(entered - due) * 1e3))
    return lives


def test_records_that_wait_while_the_backlog_of_the_fault_is_worked_off_count_with_their_own_time():
    verdict = CHECKER.check(timeline(_killed(*_even(400, 0, 4), *_catching_up(call_ms=5.0))))

    assert verdict.status is Status.PASS
    assert verdict.value == 5.0
    assert any("waited behind those; only their own time counts" in line for line in verdict.evidence)


def test_a_stack_too_slow_to_ever_work_the_backlog_off_fails():
    verdict = CHECKER.check(timeline(_killed(*_even(400, 0, 4), *_catching_up(call_ms=25.0))))

    assert verdict.status is Status.FAIL
    assert verdict.summary.startswith("killed on application, once healed")


def test_lateness_of_the_harness_after_the_backlog_is_worked_off_is_still_told():
    late = [life(800 + n, 8 + n * 0.02, late_ms=150) for n in range(100)]

    verdict = CHECKER.check(
        timeline(_killed(*_even(400, 0, 4), *_catching_up(call_ms=0.1, count=400), *late))
    )

    assert verdict.status is Status.INCONCLUSIVE
    assert "of it are the stack's" in verdict.summary


def test_lateness_of_the_harness_while_the_backlog_is_worked_off_is_told():
    late = [life(600 + n, 6 + n * 0.01, late_ms=2000 + 130 * n) for n in range(300)]

    verdict = CHECKER.check(
        timeline(_killed(*_even(400, 0, 4), *_catching_up(call_ms=0.1, count=199), *late))
    )

    assert verdict.status is Status.INCONCLUSIVE
    assert "of it are the stack's" in verdict.summary


def test_a_fault_within_one_on_the_application_is_judged_from_the_healing_on():
    within = [
        FaultChanged(at(moment), 1, "bit_flip", "spool", state)
        for moment, state in ((5.0, "injecting"), (5.0, "injected"), (5.5, "healing"), (5.5, "healed"))
    ]
    lives = (*_even(400, 0, 4), *_late(200), *_even(400, 6, 10, first=600))

    verdict = CHECKER.check(timeline([*_killed(*lives), *within]))

    assert verdict.status is Status.PASS
    assert verdict.evidence[1].startswith("bit_flip on spool and after: response p99 0.1 ms over 400")


def _under_way(sequence: int, sent_at: float):
    return [Due(sequence, at(sent_at), sequence % 2, digest("x")), Sent(sequence, at(sent_at))]


def _never_sent(first: int, from_s: float, to_s: float = 10.0):
    count = round((to_s - from_s) * 100)
    return [[Due(first + n, at(from_s + n * 0.01), n % 2, digest("x"))] for n in range(count)]


def _crashed(*lives, noticed: float):
    return [*_run(*lives), ProcessExited(at(noticed), "application", -11)]


def test_every_caller_deadlocked_in_a_living_application_fails_with_a_veto():
    stuck = [_under_way(800, 8.0), _under_way(801, 8.01)]
    lives = [event for one in (*_even(800, 0, 8), *stuck, *_never_sent(802, 8.02)) for event in one]

    verdict = CHECKER.check(timeline([*phases(probe_at=20, ended_at=22), *fault(), *lives]))

    assert (verdict.status, verdict.vetoes) == (Status.FAIL, (VETO,))


def test_an_application_that_died_by_itself_is_neither_a_deadlock_nor_a_pass():
    under_way = [_under_way(800, 8.0), _under_way(801, 8.001)]
    lives = (*_even(800, 0, 8), *under_way, *_never_sent(802, 8.02))

    verdict = CHECKER.check(
        timeline([*_crashed(*lives, noticed=8.2), *phases(probe_at=30, ended_at=32)[-2:]])
    )

    assert (verdict.status, verdict.vetoes) == (Status.INCONCLUSIVE, ())
    assert verdict.summary.startswith(
        "200 of 1,000 records were not answered or never sent: the application ended by itself with -11 at "
        "about 8.001 s."
    )
    assert any("198 records were due while the application was gone" in line for line in verdict.evidence)


def test_an_application_that_died_by_itself_before_anything_was_due_is_inconclusive():
    verdict = CHECKER.check(timeline(_crashed(*_never_sent(0, 0.01), noticed=0.0)))

    assert verdict.status is Status.INCONCLUSIVE
    assert "ended by itself with -11" in verdict.summary


def test_calls_that_blocked_too_long_before_the_application_died_by_itself_fail():
    lives = (*_even(400, 0, 4), *_even(300, 4, 8, first=400, call_ms=150), *_never_sent(700, 8.2))

    verdict = CHECKER.check(timeline(_crashed(*lives, noticed=8.2)))

    assert (verdict.status, verdict.vetoes) == (Status.FAIL, ())
    assert verdict.summary.startswith("killed on elasticsearch and after: response p99 150.0 ms")


def test_callers_deadlocked_long_before_the_application_died_by_itself_were_deadlocked_all_the_same():
    stuck = [_under_way(400, 4.0), _under_way(401, 4.01)]
    lives = [event for one in (*_even(400, 0, 4), *stuck, *_never_sent(402, 4.02)) for event in one]
    died = ProcessExited(at(15), "application", 1)

    verdict = CHECKER.check(timeline([*phases(probe_at=20, ended_at=22), *fault(), *lives, died]))

    assert (verdict.status, verdict.vetoes) == (Status.FAIL, (VETO,))


def test_an_application_that_died_by_itself_after_its_last_answer_has_taken_no_caller_along():
    verdict = CHECKER.check(timeline([*good_run(), ProcessExited(at(13), "application", 1)]))

    assert verdict.status is Status.PASS


def test_a_process_of_the_stack_that_died_excuses_no_call():
    stuck = [_under_way(400, 0.5), _under_way(401, 0.51)]
    lives = [event for one in (*_even(50, 0, 0.5), *stuck) for event in one]

    verdict = CHECKER.check(timeline([*phases(), *fault(), *lives, ProcessExited(at(0.6), "shipper", 1)]))

    assert verdict.vetoes == (VETO,)


def _worker_killed(*lives, hosted=True):
    """Return a run in which the worker with the first of two producers was down from 4 s to 6 s."""
    worker = "load.worker-1"
    changed = [
        FaultChanged(at(moment), 0, "killed", worker, state)
        for moment, state in ((4.0, "injecting"), (4.0, "injected"), (6.0, "healing"), (6.0, "healed"))
    ]
    shares = [ProducersHosted(worker, 0, 0, 2), ProducersHosted("load.worker-2", 1, 1, 2)] if hosted else []
    return timeline([*phases(), *shares, *changed, *lives])


def _lives(while_down_ms: float):
    """Return 1,000 records in turn of both producers; those of the first wait while its worker is down."""
    for n in range(1000):
        due = n / 100
        down = 4.0 <= due < 6.0
        if down and n % 2 == 0:
            yield from life(n, due, late_ms=(6.0 - due) * 1e3)
        else:
            yield from life(n, due, call_ms=while_down_ms if down else 0.1)


def test_what_the_other_worker_waited_for_while_one_was_down_is_judged():
    quick, slow = (CHECKER.check(_worker_killed(*_lives(ms))) for ms in (0.1, 150.0))

    assert quick.status is Status.PASS
    assert any("100 records were due while killed on load.worker-1 was on" in line for line in quick.evidence)
    assert slow.status is Status.FAIL
    assert slow.summary.startswith("killed on load.worker-1 and after")


def test_a_worker_that_is_all_of_the_load_is_judged_from_its_healing_on():
    verdict = CHECKER.check(_worker_killed(*_lives(0.1), hosted=False))

    assert verdict.status is Status.PASS
    assert verdict.evidence[1].startswith("killed on load.worker-1, once healed")


def _worker_died(*lives):
    """Return a run whose worker with the first of two producers ended by itself; noticed at 6.5 s."""
    shares = [ProducersHosted("load.worker-1", 0, 0, 2), ProducersHosted("load.worker-2", 1, 1, 2)]
    return timeline([*phases(), *shares, ProcessExited(at(6.5), "load.worker-1", -9), *lives])


def test_a_call_that_died_with_a_worker_of_the_load_is_no_deadlock():
    lives = [event for n in range(1000) if n % 2 or n < 600 for event in life(n, n / 100)]
    lives += _under_way(600, 6.0)
    lives += [event for n in range(602, 1000, 2) for event in [Due(n, at(n / 100), 0, "")]]

    verdict = CHECKER.check(_worker_died(*lives))

    assert verdict.vetoes == ()
    assert verdict.status is Status.PASS


def test_a_deadlocked_call_of_another_worker_is_one_all_the_same():
    lives = [event for n in range(1000) if n % 2 == 0 or n < 301 for event in life(n, n / 100)]
    lives += _under_way(301, 3.01)
    lives += [event for n in range(303, 1000, 2) for event in [Due(n, at(n / 100), 1, "")]]

    assert CHECKER.check(_worker_died(*lives)).vetoes == (VETO,)

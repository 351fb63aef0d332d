from harness.checkers.caller_latency import VETO, CallerLatency
from harness.facts import Acknowledged, Answered, ControlCall, Due, Sent
from harness.lines import digest
from harness.protocols import Status
from tests.unit.literal_history import MS, STEP, at, charge, fault, good_run, life, phases

CHECKER = CallerLatency(charge(STEP))


def _run(*lives):
    return [*phases(), *fault(), *(event for one in lives for event in one)]


def _even(count: int, from_s: float, to_s: float, first: int = 0, call_ms: float = 0.1):
    step = (to_s - from_s) / count
    return [life(first + n, from_s + n * step, call_ms) for n in range(count)]


def test_quick_calls_pass_in_every_window():
    verdict = CHECKER.check(good_run())

    assert verdict.status is Status.PASS
    assert verdict.evidence[0].startswith("steady: response p99 0.1 ms over 400 records")
    assert verdict.evidence[1].startswith("killed on elasticsearch and after: response p99 0.1 ms over 600")


def test_the_value_rests_on_the_samples_of_its_smallest_window():
    assert CHECKER.check(good_run()).samples == 400
    assert CHECKER.check(phases()).samples == 0


def test_calls_that_block_only_while_the_fault_is_on_fail():
    verdict = CHECKER.check(
        _run(*_even(400, 0, 4), *_even(20, 4, 6, first=400, call_ms=150), *_even(400, 6, 10, first=420))
    )

    assert verdict.status is Status.FAIL
    assert "killed on elasticsearch" in verdict.summary


def test_a_blocked_call_makes_the_next_ones_of_its_producer_late():
    blocked = life(400, 4.0, call_ms=1500)
    queued = [
        life(402 + 2 * n, 4.01 + n * 0.01, call_ms=0.1, late_ms=1500 - 10 * (n + 1) + 0.1 * n)
        for n in range(100)
    ]

    verdict = CHECKER.check(_run(*_even(400, 0, 4), blocked, *queued, *_even(300, 6, 10, first=1001)))

    assert verdict.status is Status.FAIL
    assert "response p99" in verdict.summary


def test_lateness_of_the_harness_alone_is_inconclusive_not_the_stacks_failure():
    late = [life(400 + n, 4 + n * 0.02, late_ms=150) for n in range(300)]

    verdict = CHECKER.check(_run(*_even(400, 0, 4), *late))

    assert verdict.status is Status.INCONCLUSIVE
    assert "of it are the stack's" in verdict.summary


def test_too_few_samples_are_inconclusive():
    verdict = CHECKER.check(_run(*_even(400, 0, 4), *_even(100, 4, 10, first=400)))

    assert verdict.status is Status.INCONCLUSIVE
    assert "299 are needed" in verdict.summary


def test_few_samples_with_many_excesses_still_fail():
    verdict = CHECKER.check(_run(*_even(400, 0, 4), *_even(50, 4, 10, first=400, call_ms=110)))

    assert verdict.status is Status.FAIL


def test_a_call_that_never_returns_vetoes():
    stuck = [Due(5000, at(3), 0, digest("x")), Sent(5000, at(3))]

    verdict = CHECKER.check([*good_run(), *stuck])

    assert verdict.status is Status.FAIL
    assert verdict.vetoes == (VETO,)


def test_records_queued_behind_a_stuck_call_count_with_the_time_until_the_end():
    stuck = [Due(400, at(4), 0, digest("x")), Sent(400, at(4))]
    behind = [[Due(402 + 2 * n, at(4 + n * 0.01), 0, digest("x"))] for n in range(300)]

    verdict = CHECKER.check(_run(*_even(400, 0, 4), stuck, *behind))

    assert verdict.status is Status.FAIL
    assert verdict.value is not None
    assert verdict.value > 5_000


def test_records_never_sent_although_no_call_was_outstanding_are_the_harnesss_fault():
    unsent = [[Due(400 + n, at(4 + n * 0.01), n % 2, digest("x"))] for n in range(400)]

    assert CHECKER.check(_run(*_even(400, 0, 4), *unsent)).status is Status.INCONCLUSIVE


def test_the_control_stands_beside_the_figures():
    control = [ControlCall(at(n / 100), at(n / 100), at(n / 100) + MS) for n in range(300)]

    evidence = CHECKER.check([*good_run(), *control]).evidence

    assert any(
        line.startswith("response of the NullHandler control beside it: p50 1.000") for line in evidence
    )


def test_nothing_due_is_inconclusive():
    events = [e for e in good_run() if not isinstance(e, Due | Sent | Answered | Acknowledged)]

    assert CHECKER.check(events).status is Status.INCONCLUSIVE


def test_without_a_fault_all_of_the_sending_is_steady_state():
    verdict = CHECKER.check([*phases(), *(event for one in _even(400, 0, 10) for event in one)])

    assert verdict.status is Status.PASS
    assert verdict.evidence[0].startswith("steady: response p99 0.1 ms over 400 records")

"""Comparisons on literal runs: in which order they are made, when they end, what is recorded and when."""

from dataclasses import replace
from itertools import count

import pytest

from harness.judging.regression import RegressionRules, Rise
from harness.load.schedules.steady import Steady
from harness.model.declarations import Part, Promises, Stack
from harness.model.errors import TimeIsUpError
from harness.model.protocols import Status, Verdict
from harness.model.result import GateDecision
from harness.runs.against_baseline import against_baseline, compare_runs_with, record
from harness.runs.baseline_key import baseline_key
from harness.runs.baselines import Baseline, Baselines
from harness.runs.comparing import ALONE, Asked, Sides, compare_in_turn
from harness.runs.plan import SuitePlan, plan_scenario
from tests.unit.harness.literal_history import STEP, scenario
from tests.unit.harness.reporting.example_result import passing_result

RULES = RegressionRules({"response_p99_ms": Rise(0.10, is_share=True)})
STACK = Stack("s", (), {}, (), Part("python_logging"), "return", Part("elasticsearch"), Promises())
NOISE = (0.0, 0.2, -0.1, 0.1, -0.2, 0.05)
numbers = count()


def run_of(value, status=Status.PASS, gate=Status.PASS):
    """Return a whole run that measured this p99 in its one scenario."""
    result = passing_result()
    verdict = Verdict("response_p99_ms", "caller protection", status, "seen", value, "ms", 100.0)
    one = replace(result.scenarios[0], verdicts=(verdict,), series=())
    return replace(
        result, run_id=f"run-{next(numbers)}", scenarios=(one,), gate=GateDecision(gate, ("as it was",))
    )


class Version:
    """Runs of a version that takes this long, give or take a little; notes that it ran."""

    def __init__(self, name, takes_ms, log, *, gate=Status.PASS, runs_max=100):
        self._name, self._takes_ms, self._log = name, takes_ms, log
        self._gate, self._left, self._noise = gate, runs_max, count()

    def __call__(self):
        if self._left == 0:
            raise TimeIsUpError("no time was left")
        self._left -= 1
        self._log.append(self._name)
        return run_of(self._takes_ms + NOISE[next(self._noise) % len(NOISE)], gate=self._gate)


def asked(told=None, rules=RULES):
    return Asked(rules, 1, (told if told is not None else []).append)


def in_turn(before_ms, after_ms, log=None, told=None, **more):
    log = [] if log is None else log
    sides = Sides(Version("A", before_ms, log), Version("B", after_ms, log, **more))
    return compare_in_turn(sides, "the old version", asked(told))


def plan(rate=100.0, stack=STACK):
    planned = plan_scenario(scenario(STEP), Steady(rate), 1, None)
    return SuitePlan(
        "default", (planned,), stack, "embedded", 1, "", {"response_p99_ms": "caller protection"}
    )


def test_the_baseline_runs_alone_first_and_then_both_in_turn():
    log: list[str] = []
    told: list[str] = []
    found = in_turn(10.0, 10.0, log, told)

    assert "".join(log) == "A" * ALONE + "ABBABAAB"
    assert found.status is Status.PASS
    assert told[0] == "the baseline against itself: response_p99_ms in spine 10, 10.2 ms"


@pytest.mark.parametrize(
    ("after_ms", "status"), [(13.0, Status.FAIL), (10.3, Status.PASS), (7.0, Status.PASS)]
)
def test_an_answer_ends_the_comparison(after_ms, status):
    log: list[str] = []

    assert in_turn(10.0, after_ms, log).status is status
    assert len(log) == ALONE + 8


def test_what_straddles_the_limit_is_run_again_up_to_the_most_repeats():
    log: list[str] = []
    found = in_turn(10.0, 11.0, log)

    assert found.status is Status.INCONCLUSIVE
    assert (log.count("A"), log.count("B")) == (ALONE + 7, 7)


def test_a_candidate_that_fails_by_itself_is_no_matter_of_speed():
    found = in_turn(10.0, 5.0, gate=Status.FAIL)

    assert found.status is Status.FAIL
    assert "fails by itself: as it was" in found.remark


def test_a_comparison_without_time_is_inconclusive():
    found = in_turn(10.0, 10.0, runs_max=2)

    assert found.status is Status.INCONCLUSIVE
    assert "cut short: no time was left" in found.remark


def test_runs_without_a_value_are_never_a_pass():
    def nothing():
        return run_of(None, Status.INCONCLUSIVE)

    found = compare_in_turn(Sides(nothing, nothing), "the old version", asked())

    assert found.status is Status.INCONCLUSIVE


# --- beside a recorded one -------------------------------------------------------------------------------


def beside(folder, takes_ms, plan_of_run=None, told=None, **more):
    log: list[str] = []
    again = Version("B", takes_ms, log, **more)
    found = against_baseline(again(), plan_of_run or plan(), again, Baselines(folder), asked(told))
    return found, log


def test_the_first_run_is_recorded_and_does_not_fail(tmp_path):
    found, log = beside(tmp_path, 10.0)

    assert (found.status, found.comparisons) == (Status.PASS, ())
    assert "The first run of its kind: recorded as the baseline" in found.remark
    assert len(log) == RULES.max_repeats


@pytest.mark.parametrize(
    ("takes_ms", "status"), [(10.0, Status.PASS), (13.0, Status.FAIL), (11.0, Status.INCONCLUSIVE)]
)
def test_later_runs_are_compared_with_the_recorded_one(tmp_path, takes_ms, status):
    beside(tmp_path, 10.0)
    found, log = beside(tmp_path, takes_ms)

    assert found.status is status
    assert len(log) == (7 if status is Status.INCONCLUSIVE else 4)
    assert not found.interleaved


def test_a_baseline_of_another_plan_is_not_compared_and_what_differs_is_said(tmp_path):
    beside(tmp_path, 10.0)
    other = plan(stack=replace(STACK, acknowledged_by="callback"))
    found, _ = beside(tmp_path, 99.0, other)

    assert (found.status, found.comparisons) == (Status.WARN, ())
    assert f"the suite hash is {other.suite_hash()}, the baseline's {plan().suite_hash()}" in found.remark


def test_a_run_that_did_not_pass_is_neither_recorded_nor_compared(tmp_path):
    found, log = beside(tmp_path, 10.0, gate=Status.FAIL)

    assert "did not pass by absolute rules" in found.remark
    assert len(log) == 1
    assert not list(tmp_path.iterdir())


def test_a_repeat_that_does_not_pass_is_told_and_no_baseline_is_kept():
    runs = iter([run_of(10.0), run_of(10.0), run_of(10.0, gate=Status.FAIL)])
    recorded = record([], plan(), lambda: next(runs), 7, lambda _: None)

    assert not isinstance(recorded, Baseline)
    assert recorded.gate.status is Status.FAIL


def test_without_a_recorded_baseline_nothing_is_run(tmp_path):
    log: list[str] = []
    found = compare_runs_with(None, plan(), "s", Version("B", 1.0, log), Baselines(tmp_path), asked())

    assert (found.status, log) == (Status.INCONCLUSIVE, [])
    assert "`logquake baseline record` records one" in found.remark


def test_a_named_baseline_of_another_key_is_not_compared(tmp_path):
    recorded = record([], plan(), Version("A", 10.0, []), 4, lambda _: None)
    assert isinstance(recorded, Baseline)
    elsewhere = replace(recorded.key.machine, cpu="another CPU")
    foreign = replace(recorded, key=replace(recorded.key, machine=elsewhere, logquake="9"))
    log: list[str] = []

    found = compare_runs_with(foreign, plan(), "s", Version("B", 10.0, log), Baselines(tmp_path), asked())

    assert (found.status, log) == (Status.INCONCLUSIVE, [])
    assert "recorded by 9" in found.remark
    assert "the machine's cpu is" in found.remark


def test_a_baseline_survives_its_file(tmp_path):
    recorded = record([], plan(), Version("A", 10.0, []), 4, lambda _: None)
    assert isinstance(recorded, Baseline)
    kept = Baselines(tmp_path)
    kept.keep(recorded)

    assert kept.find(recorded.suite, recorded.stack, baseline_key(plan())) == recorded

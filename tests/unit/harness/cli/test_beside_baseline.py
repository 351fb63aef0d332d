from dataclasses import replace
from datetime import date
from pathlib import Path

import pytest
from click.testing import CliRunner

from harness.cli.beside_baseline import beside_baseline, by_absolute_rules, require_judged
from harness.cli.plan import plan
from harness.judging.gate_rules import GateRules
from harness.judging.regression import RegressionRules, Rise
from harness.load.schedules.steady import Steady
from harness.model.declarations import Part, Promises, Stack
from harness.model.errors import InterruptedRunError, ScenarioError, UnavailableError
from harness.model.protocols import Status
from harness.runs.baselines import Baselines
from harness.runs.plan import SuitePlan, plan_scenario
from harness.runs.request import Request
from tests.unit.harness.literal_history import STEP, scenario
from tests.unit.harness.reporting.example_result import passing_result

RULES = RegressionRules({"response_p99_ms": Rise(0.10, is_share=True)})
STACK = Stack("s", (), {}, (), Part("python_logging"), "return", Part("elasticsearch"), Promises())
PLAN = SuitePlan(
    "default",
    (plan_scenario(scenario(STEP), Steady(100.0), 1, None),),
    STACK,
    "embedded",
    1,
    "",
    {"response_p99_ms": "caller protection"},
)


def request(rules: RegressionRules | None = RULES) -> Request:
    return Request(
        "default", (), STACK, "embedded", 1, None, Path("reports"), "logquake run",
        GateRules(regression=rules), None, date(2027, 1, 31),
    )  # fmt: skip


def nobody_runs():
    raise AssertionError("nothing was to be run")


def test_a_rule_for_what_is_not_judged_is_refused_before_anything_runs():
    misspelt = RegressionRules({"response_p9_ms": Rise(0.1, is_share=True)})

    require_judged(RULES, "gate.yaml", PLAN)
    with pytest.raises(ScenarioError, match=r"gate\.yaml: regression\.response_p9_ms: .*Did you mean"):
        require_judged(misspelt, "gate.yaml", PLAN)


def test_a_plan_refuses_the_rule_that_a_run_would_refuse(tmp_path):
    gate = tmp_path / "gate.yaml"
    gate.write_text('version: 1\nregression: {response_p9_ms: "+10%"}\n')

    with pytest.raises(ScenarioError, match=r"regression\.response_p9_ms: .*Did you mean"):
        CliRunner().invoke(plan, ["no_fault", "--gate", str(gate)], catch_exceptions=False)


def test_without_a_rule_nothing_is_compared(tmp_path):
    result = passing_result()

    assert beside_baseline(result, None, PLAN, request(None), nobody_runs, Baselines(tmp_path)) == (
        result,
        None,
    )


def test_a_run_that_was_cut_short_is_compared_with_nothing_and_passes_no_gate(tmp_path):
    error = InterruptedRunError("interrupted by a signal")
    result, ended_by = beside_baseline(
        passing_result(), error, PLAN, request(), nobody_runs, Baselines(tmp_path)
    )

    assert ended_by is error
    assert result.gate.status is Status.INCONCLUSIVE
    assert "Nothing was compared with a baseline: interrupted by a signal." in result.gate.reasons
    assert not list(tmp_path.iterdir())


def test_what_breaks_between_the_repeats_ends_the_command_and_keeps_the_result(tmp_path):
    def breaks():
        raise UnavailableError("no room")

    result, ended_by = beside_baseline(passing_result(), None, PLAN, request(), breaks, Baselines(tmp_path))

    assert isinstance(ended_by, UnavailableError)
    assert result.gate.status is Status.INCONCLUSIVE


def test_the_first_run_is_recorded_with_its_repeats_and_passes(tmp_path):
    result, ended_by = beside_baseline(
        passing_result(), None, PLAN, request(), passing_result, Baselines(tmp_path)
    )

    assert ended_by is None
    assert result.gate.status is Status.PASS
    assert len(list(tmp_path.iterdir())) == 1


def test_absolute_rules_compare_nothing():
    assert by_absolute_rules(request()) == replace(request(), gate=GateRules())

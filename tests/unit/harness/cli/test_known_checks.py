"""A misspelt check of a gate file is told before the runs; a check of another suite is no mistake."""

import pytest
from click.testing import CliRunner

from harness.cli.plan import plan
from harness.model.errors import ScenarioError

ENDS = "until: 2099-01-01, reason: x"


def _plan(tmp_path, rules):
    gate = tmp_path / "gate.yaml"
    gate.write_text(f"version: 1\n{rules}\n")
    return CliRunner().invoke(plan, ["no_fault", "--gate", str(gate)], catch_exceptions=False)


@pytest.mark.parametrize(
    ("rules", "key"),
    [
        ("veto: [acknowledged_lst]", "veto"),
        ('objectives: {acknowledged_lst: {fail: ">0"}}', "objectives.acknowledged_lst"),
        (f"waivers: [{{id: acknowledged_lst, {ENDS}}}]", "waivers"),
        (f"not_applicable: [{{id: acknowledged_lst, {ENDS}}}]", "not_applicable"),
    ],
)
def test_a_misspelt_check_is_refused_with_its_key_and_the_nearest_word(tmp_path, rules, key):
    with pytest.raises(ScenarioError, match=rf"gate.yaml: {key}: .*Did you mean \"acknowledged_lost\""):
        _plan(tmp_path, rules)


@pytest.mark.parametrize("word", ["out_of_order", "letters_in_the_right_case"])
def test_a_check_of_another_suite_is_no_mistake(tmp_path, word):
    assert _plan(tmp_path, f"veto: [{word}]").exit_code == 0

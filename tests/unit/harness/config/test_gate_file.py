from datetime import date
from pathlib import Path

import pytest

from harness.config.gate import load_gate
from harness.judging.gate_rules import GateRules, Limit, ObjectiveRule, OnInconclusive
from harness.judging.regression import RegressionRules, Rise
from harness.judging.waivers import Exemption
from harness.model.errors import ScenarioError


def load(folder: Path, text: str) -> GateRules:
    path = folder / "gate.yaml"
    path.write_text(text, encoding="utf-8")
    return load_gate(path)


def mistakes(folder: Path, text: str) -> list[str]:
    with pytest.raises(ScenarioError) as caught:
        load(folder, text)
    return [line.removeprefix(f"{folder}/gate.yaml:") for line in str(caught.value).splitlines()]


def test_a_whole_file_becomes_rules(tmp_path):
    rules = load(
        tmp_path,
        "version: 1\nscore: {min: 90}\nveto: [alerts_missed]\non_inconclusive: fail\n"
        'objectives:\n  response_p99_ms: {fail: ">100", warn: "> 80.5", min_samples: 299}\n'
        "waivers: [{id: backlog_seconds, until: 2027-01-31, reason: slow disks}]\n"
        "not_applicable: [{id: out_of_order, until: 2027-06-30, reason: no order promised}]\n"
        'regression: {response_p99_ms: "+10%", duplicated: "+5", confidence: 0.9, max_repeats: 6}\n',
    )

    assert rules == GateRules(
        90,
        ("alerts_missed",),
        {"response_p99_ms": ObjectiveRule(Limit(">", 100), Limit(">", 80.5), 299)},
        OnInconclusive.FAIL,
        (Exemption("backlog_seconds", date(2027, 1, 31), "slow disks"),),
        (Exemption("out_of_order", date(2027, 6, 30), "no order promised"),),
        RegressionRules({"response_p99_ms": Rise(0.1, True), "duplicated": Rise(5, False)}, 0.9, 6),
        f"{tmp_path}/gate.yaml",
    )


def test_a_file_whose_limits_vetoes_and_waivers_name_checks_by_their_words_loads(tmp_path):
    rules = load(
        tmp_path,
        "# gate.yaml\nversion: 1\nscore: {min: 98}\nveto: [alerts_missed]  # added to the built-in four\n"
        'objectives:\n  response_p99_ms: {fail: ">100", warn: ">80", min_samples: 299}\n'
        "on_inconclusive: inconclusive  # inconclusive (exit 6) | fail | warn\n"
        'waivers: [{id: backlog_seconds, until: 2027-01-31, reason: "…"}]\n',
    )

    assert list(rules.objectives) == ["response_p99_ms"]
    assert [waiver.objective for waiver in rules.waivers] == ["backlog_seconds"]
    assert rules.veto == ("alerts_missed",)


def test_what_is_left_out_has_the_defaults(tmp_path):
    assert load(tmp_path, "version: 1\n") == GateRules(source=f"{tmp_path}/gate.yaml")


@pytest.mark.parametrize(
    ("line", "expected"),
    [
        (
            'regression: {response_p99_ms: "10%"}',
            '2 regression.response_p99_ms: must be how much it may rise, e.g. "+10%" or "+5", not "10%".',
        ),
        ("regression: {response_p99_ms: 10}", "2 regression.response_p99_ms: must be text, not 10."),
        ("regression: {confidence: 0.9}", "2 regression: names no check. Add one, e.g. response_p99_ms:"),
        ("regression: {a: '+1', confidence: 1.0}", "2 regression.confidence: must be at most 0.999, not 1."),
        (
            'regression: {a: "+10%", max_repeats: 2}',
            "2 regression.max_repeats: 2 runs a side can never decide at a confidence of 0.95; at least 3",
        ),
        ("waivers: [{id: a.b, until: 2027-01-31}]", "2 waivers[0].reason: is missing. Say why"),
        (
            "not_applicable: [{id: a.b, until: soon, reason: r}]",
            '2 not_applicable[0].until: must be a day, e.g. 2027-01-31, not "soon".',
        ),
        (
            "waivers: [{id: a.b, until: 2027-02-29, reason: r}]",
            '2 waivers[0].until: must be a day, e.g. 2027-01-31, not "2027-02-29".',
        ),
        ("objectives: {a: {min_samples: 0}}", "2 objectives.a.min_samples: must be at least 1, not 0."),
        ("score: {min: 101}", "2 score.min: must be at most 100, not 101."),
        ("score: {min: high}", '2 score.min: must be a number, not "high".'),
        ("on_inconclusive: pass", '2 on_inconclusive: no value "pass". Known: fail, inconclusive, warn.'),
        (
            "objectives: {a: {fail: '=100'}}",
            '2 objectives.a.fail: must be a comparison and a number, e.g. ">100"',
        ),
        ("objectives: {a: {fail: 100}}", "2 objectives.a.fail: must be text, not 100."),
        ("objectives: {a: {}}", '2 objectives.a: says neither "fail" nor "warn".'),
        (
            "objectives: {a: {fail: '>100', warn: '>120'}}",
            '2 objectives.a.warn: "> 120" can never warn before',
        ),
        ("objectives: {a: {fail: '>100', warn: '<80'}}", '2 objectives.a.warn: "< 80" can never warn before'),
        ("objectives: {a: {fail: '<10', warn: '<5'}}", '2 objectives.a.warn: "< 5" can never warn before'),
        (
            "objectives: {a: {fail: '>100', warn: '>100'}}",
            '2 objectives.a.warn: "> 100" can never warn before',
        ),
    ],
)
def test_a_mistake_names_its_line_key_and_remedy(tmp_path, line, expected):
    found = mistakes(tmp_path, f"version: 1\n{line}\n")

    assert len(found) == 1
    assert found[0].startswith(expected)


@pytest.mark.parametrize(("fail", "warn"), [("<10", "<20"), (">10", ">=10"), (">=10", ">5")])
def test_a_warning_before_the_failure_is_accepted(tmp_path, fail, warn):
    assert load(tmp_path, f"version: 1\nobjectives: {{a: {{fail: '{fail}', warn: '{warn}'}}}}\n").objectives


@pytest.mark.parametrize("key", ["waivers", "not_applicable"])
@pytest.mark.parametrize("check", ["acknowledged_lost", "corrupted", "leaked_secrets"])
def test_what_no_rule_may_excuse_is_refused_when_the_file_is_read(tmp_path, key, check):
    text = f"version: 1\n{key}: [{{id: {check}, until: 2999-01-31, reason: x}}]\n"

    assert mistakes(tmp_path, text) == [
        f"2 {key}[0].id: {check} is a veto that no rule can excuse. Remove the entry."
    ]

"""What counts as a right outcome of the self-test, and how outcomes are kept."""

import pytest

from harness.judging.checkers import CHECKERS
from harness.model.errors import ScenarioError
from harness.model.protocols import Status
from harness.selftest.cases import CASES, LOST
from harness.selftest.examination import Outcome, OutcomeFile, problem_of, select, table
from harness.selftest.stacks import HONEST, Case

BAD = Case("bad", "loses", "x:Y", "outage", LOST, frozenset({"a.b"}))
GOOD = Case("good", "none", HONEST, "outage")


@pytest.mark.parametrize(
    ("case", "gate", "failed", "problem"),
    [
        (BAD, Status.FAIL, [LOST], ""),
        (BAD, Status.FAIL, [LOST, "a.b"], ""),
        (BAD, Status.FAIL, [LOST, "c.d"], "failed besides: c.d"),
        (BAD, Status.FAIL, ["a.b"], f"{LOST} did not fail"),
        (BAD, Status.PASS, [LOST], "it passed the gate"),
        (BAD, Status.INCONCLUSIVE, [], f"{LOST} did not fail"),
        (GOOD, Status.PASS, [], ""),
        (GOOD, Status.FAIL, [LOST], f"the honest twin got FAIL: {LOST}"),
        (GOOD, Status.INCONCLUSIVE, [], "the honest twin got INCONCLUSIVE: nothing failed"),
    ],
)
def test_an_outcome_is_right_only_if_the_primary_catch_and_nothing_unnamed_failed(
    case, gate, failed, problem
):
    assert problem_of(case, gate, failed) == problem


def test_every_catch_and_consequence_is_an_objective_of_some_checker():
    objectives = {CHECKERS.resolve(word).objective for word in CHECKERS.kinds}

    named = {case.catch for case in CASES if case.catch} | {
        name for case in CASES for name in case.consequences
    }
    assert named <= objectives


def test_each_scenario_has_bad_stacks_and_a_correct_twin():
    bad = [case for case in CASES if case.catch]
    twins = {(case.build, case.scenario) for case in CASES if not case.catch}

    assert len(bad) == 62
    assert {(case.build, case.scenario) for case in bad} == twins


def test_outcomes_are_kept_and_read_again(tmp_path):
    kept = OutcomeFile(tmp_path / "outcomes.jsonl")
    outcomes = [Outcome("bad", "FAIL", (LOST,), "", 12.5), Outcome("good", "PASS", (), "", 11.0)]
    for outcome in outcomes:
        kept.append(outcome)

    assert kept.read() == outcomes


def test_a_damaged_line_is_named(tmp_path):
    (tmp_path / "outcomes.jsonl").write_text("{}\n")

    with pytest.raises(ScenarioError, match=r"outcomes\.jsonl:1"):
        OutcomeFile(tmp_path / "outcomes.jsonl").read()


def test_the_table_counts_right_outcomes_and_names_what_else_failed():
    outcomes = [
        Outcome("bad", "FAIL", (LOST, "a.b"), "", 12.0),
        Outcome("bad", "PASS", (), "it passed the gate", 14.0),
    ]

    row = table([BAD], outcomes)[2]

    assert row == f"| bad | loses | {LOST} | 1 of 2 | a.b | 14 |"


def test_an_unknown_stack_is_named_with_those_there_are():
    with pytest.raises(ScenarioError, match='no known-bad stack "wors"'):
        select([BAD], ["wors"])

from dataclasses import replace
from datetime import date

from harness.judging.score import score
from harness.judging.waivers import Exemption, applicable, excuse, expired, standing
from harness.model.protocols import Status
from tests.unit.harness.reporting.example_result import scenario_result

TODAY = date(2027, 1, 31)
OBJECTIVE = "duplicated"
HELD = Exemption(OBJECTIVE, TODAY, "the store keeps copies")
ENDED = replace(HELD, until=date(2027, 1, 30))
PLANNED = {OBJECTIVE: "integrity", "acknowledged_lost": "delivery"}


def test_an_exemption_holds_through_its_last_day_and_not_beyond():
    assert standing((HELD,), TODAY) == {OBJECTIVE: HELD}
    assert standing((ENDED,), TODAY) == {}


def test_a_renewed_exemption_is_not_named_as_expired():
    assert expired((ENDED,), TODAY) == [ENDED]
    assert expired((ENDED, HELD), TODAY) == []


def test_what_does_not_apply_leaves_the_plan_and_is_named():
    planned, left_out = applicable(PLANNED, (HELD,), TODAY)

    assert planned == {"acknowledged_lost": "delivery"}
    assert left_out == (f"{OBJECTIVE}: declared not applicable until 2027-01-31 (the store keeps copies)",)


def test_an_expired_declaration_leaves_the_plan_whole():
    assert applicable(PLANNED, (ENDED,), TODAY) == (PLANNED, ())


def test_a_verdict_that_does_not_apply_says_what_it_was():
    result = scenario_result()
    failed = replace(result.verdicts[1], status=Status.FAIL, summary="3 copies")
    excused = excuse(
        replace(result, verdicts=(result.verdicts[0], failed), status=Status.FAIL), (HELD,), TODAY
    )

    assert excused.status is Status.PASS
    assert excused.verdicts[1].status is Status.NOT_APPLICABLE
    assert excused.verdicts[1].summary.endswith("(the store keeps copies); it was FAIL: 3 copies")


def test_a_veto_stays_a_failure_and_withholds_the_score_though_its_objective_does_not_apply():
    result = scenario_result()
    vetoed = replace(result.verdicts[1], status=Status.FAIL, vetoes=("undetected corruption",))
    excused = excuse(replace(result, verdicts=(vetoed,), status=Status.FAIL), (HELD,), TODAY)
    planned, _ = applicable(PLANNED, (HELD,), TODAY)

    assert excused.verdicts == (vetoed,)
    assert score(planned, excused.verdicts).vetoes == ("undetected corruption",)

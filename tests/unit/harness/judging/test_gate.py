from dataclasses import replace
from datetime import date

import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from harness.cli.exit_codes import gate_exit_code
from harness.judging.gate import INTERACTIVE, decide, gates_nothing
from harness.judging.gate_rules import GateRules, Limit, ObjectiveRule, OnInconclusive
from harness.judging.regression import RegressionRules, Rise
from harness.judging.score import score as score_of
from harness.judging.waivers import Exemption
from harness.model.protocols import Status, Verdict
from harness.model.result import (
    Comparison,
    DimensionScore,
    GateDecision,
    ObjectiveScore,
    Regression,
    Sampled,
    Score,
)

LATENCY = "response_p99_ms"
SEVERITY = (Status.PASS, Status.WARN, Status.INCONCLUSIVE, Status.FAIL)


TODAY = date(2027, 1, 31)
YESTERDAY = date(2027, 1, 30)


def judged_by(score, verdicts, rules):
    return decide(score, verdicts, rules, TODAY)


def score(low: float, high: float, vetoes: tuple[str, ...] = ()) -> Score:
    return Score(low, high, 1 - (high - low) / 100, (), (), vetoes)


def verdict(status: Status, value: float | None = None, **more) -> Verdict:
    return Verdict(LATENCY, "caller protection", status, "the log call took its time", value, "ms", **more)


GOOD = (verdict(Status.PASS, 40.0),)
RULES = GateRules(objectives={LATENCY: ObjectiveRule(Limit(">", 100), Limit(">", 80))})


@pytest.mark.parametrize(
    ("low", "high", "status", "reason"),
    [
        (98, 98, Status.PASS, "Score 98.00; 98 required."),
        (97.9, 97.9, Status.FAIL, "Score 97.90; 98 required."),
        (
            90,
            98,
            Status.INCONCLUSIVE,
            "Score 90.00 \N{EN DASH} 98.00; 98 required. 8 points are unresolved (coverage 92%).",
        ),
        (0, 100, Status.INCONCLUSIVE, "100 points are unresolved (coverage 0%)."),
        (99.9999999999, 100, Status.PASS, "Score 100.00; 98 required."),
    ],
)
def test_the_score_decides_by_its_interval(low, high, status, reason):
    decision = judged_by(score(low, high), GOOD, GateRules())

    assert decision.status is status
    assert reason in decision.reasons[0]


def test_a_sum_of_fractions_does_not_miss_a_full_score():
    assert (
        judged_by(score(99.99999999999999, 99.99999999999999), GOOD, GateRules(score_min=100)).status
        is Status.PASS
    )


def test_a_score_that_is_no_number_never_passes():
    assert judged_by(score(float("nan"), float("nan")), GOOD, GateRules()).status is not Status.PASS


def test_nothing_judged_is_inconclusive_even_with_full_marks():
    assert judged_by(score(100, 100), (), GateRules(score_min=0)).status is Status.INCONCLUSIVE


@pytest.mark.parametrize("rules", [GateRules(), GateRules(score_min=0, on_inconclusive=OnInconclusive.WARN)])
def test_a_veto_fails_whatever_the_rules_and_the_score_say(rules):
    lost = replace(verdict(Status.FAIL), vetoes=("acknowledged loss",))
    decision = judged_by(score(100, 100), (*GOOD, lost), rules)

    assert decision.status is Status.FAIL
    assert decision.reasons == (
        f'Veto "acknowledged loss": {LATENCY}: the log call took its time',
        "A veto stands, so the score is withheld.",
    )


def test_a_veto_that_only_the_score_knows_fails_as_well():
    decision = judged_by(score(100, 100, ("secret leak",)), GOOD, GateRules())

    assert decision.status is Status.FAIL
    assert decision.reasons[0] == 'Veto "secret leak" stands in the score.'


@pytest.mark.parametrize(
    ("status", "expected"),
    [
        (Status.FAIL, Status.FAIL),
        (Status.PASS, Status.PASS),
        (Status.WARN, Status.PASS),
        (Status.NOT_RUN, Status.INCONCLUSIVE),
        (Status.ERROR, Status.INCONCLUSIVE),
    ],
)
def test_a_veto_of_the_gate_file_judges_that_objective(status, expected):
    assert judged_by(score(100, 100), (verdict(status, 1.0),), GateRules(veto=(LATENCY,))).status is expected


@pytest.mark.parametrize(
    "rules",
    [
        GateRules(veto=("caller.response_p9_ms",)),
        GateRules(objectives={"caller.response_p9_ms": ObjectiveRule(Limit(">", 1))}),
    ],
)
def test_what_nobody_judged_is_inconclusive_and_suggests_the_nearest(rules):
    decision = judged_by(score(100, 100), GOOD, rules)

    assert decision.status is Status.INCONCLUSIVE
    assert 'no check "caller.response_p9_ms". Did you mean "response_p99_ms"?' in decision.reasons[0]


@pytest.mark.parametrize(
    ("judged", "status", "reason"),
    [
        (verdict(Status.PASS, 80.0), Status.PASS, f"{LATENCY}: 80 ms; within the gate's limits."),
        (verdict(Status.PASS, 81.0), Status.WARN, f"{LATENCY}: 81 ms; at most 80 expected."),
        (verdict(Status.PASS, 100.5), Status.FAIL, f"{LATENCY}: 100.5 ms; at most 100 required."),
        (verdict(Status.WARN, 10.0), Status.WARN, "within the gate's limits, with a warning"),
        (verdict(Status.FAIL, 10.0), Status.FAIL, f"{LATENCY} failed: the log call took its time"),
        (verdict(Status.PASS), Status.INCONCLUSIVE, f"{LATENCY} is PASS without a value: the log call"),
        (verdict(Status.INCONCLUSIVE, 10.0), Status.INCONCLUSIVE, f"{LATENCY} is INCONCLUSIVE"),
        (verdict(Status.NOT_APPLICABLE, 10.0), Status.INCONCLUSIVE, f"{LATENCY} was declared not applicable"),
    ],
)
def test_an_objectives_limits_decide(judged, status, reason):
    decision = judged_by(score(100, 100), (judged,), RULES)

    assert decision.status is status
    assert any(reason in each for each in decision.reasons)


def test_the_worst_scenario_decides_an_objective():
    verdicts = (verdict(Status.PASS, 20.0), verdict(Status.PASS, 120.0), verdict(Status.PASS, 30.0))

    assert judged_by(score(100, 100), verdicts, RULES).status is Status.FAIL


@pytest.mark.parametrize(
    ("choice", "status"),
    [
        (OnInconclusive.INCONCLUSIVE, Status.INCONCLUSIVE),
        (OnInconclusive.FAIL, Status.FAIL),
        (OnInconclusive.WARN, Status.WARN),
    ],
)
def test_an_undecided_run_counts_as_the_rules_say(choice, status):
    decision = judged_by(score(0, 100), GOOD, GateRules(on_inconclusive=choice))

    assert decision.status is status
    assert decision.reasons[0].startswith("Score 0.00 \N{EN DASH} 100.00; 98 required.")


@pytest.mark.parametrize(
    ("comparison", "values"),
    [(">", (9, 10, 11)), (">=", (9, 10, 11)), ("<", (11, 10, 9)), ("<=", (11, 10, 9))],
)
def test_a_limit_is_exceeded_beyond_its_bound(comparison, values):
    within, at, beyond = values
    limit = Limit(comparison, 10)

    assert not limit.exceeded_by(within)
    assert limit.exceeded_by(at) is ("=" in comparison)
    assert limit.exceeded_by(beyond)


def lost(status: Status, **more) -> Verdict:
    return Verdict("acknowledged_lost", "delivery", status, "records are missing", 3, **more)


def two_objectives(delivery: Status, low: float, high: float) -> Score:
    """Return a score of two objectives worth 50 points each; the latency is full."""
    rows = (
        ObjectiveScore("acknowledged_lost", delivery, 50, low, high),
        ObjectiveScore(LATENCY, Status.PASS, 50, 50, 50),
    )
    return Score(50 + low, 50 + high, 1, (DimensionScore("both", 100, 50 + low, 50 + high, rows),), (), ())


WAIVER = Exemption("acknowledged_lost", TODAY, "the broker is being replaced")
WAIVED = GateRules(waivers=(WAIVER,))


@pytest.mark.parametrize(("status", "high"), [(Status.FAIL, 0), (Status.INCONCLUSIVE, 50)])
def test_what_is_waived_does_not_count_and_is_said(status, high):
    decision = judged_by(two_objectives(status, 0, high), (*GOOD, lost(status)), WAIVED)

    assert decision.status is Status.WARN
    assert decision.reasons == (
        "Waived until 2027-01-31 (the broker is being replaced): "
        f"acknowledged_lost is {status.value}: records are missing",
        "Score 100.00 without what is waived; 98 required.",
    )


def test_a_waiver_that_has_expired_counts_for_nothing_and_is_said():
    rules = GateRules(waivers=(replace(WAIVER, until=YESTERDAY),))
    decision = judged_by(two_objectives(Status.FAIL, 0, 0), (*GOOD, lost(Status.FAIL)), rules)

    assert decision.status is Status.FAIL
    assert decision.reasons[-1] == (
        "The exemption of acknowledged_lost expired on 2027-01-30 (the broker is being replaced); "
        "it counts again."
    )


def test_a_veto_cannot_be_waived():
    vetoed = lost(Status.FAIL, vetoes=("acknowledged loss",))
    decision = judged_by(two_objectives(Status.FAIL, 0, 0), (*GOOD, vetoed), WAIVED)

    assert decision.status is Status.FAIL
    assert decision.reasons[0].startswith('Veto "acknowledged loss"')
    assert decision.reasons[-1] == ("The waiver of acknowledged_lost does not cover its veto; no rule can.")


@pytest.mark.parametrize("status", [Status.ERROR, Status.NOT_RUN])
def test_what_broke_in_the_harness_cannot_be_waived(status):
    decision = judged_by(two_objectives(status, 0, 50), (*GOOD, lost(status)), WAIVED)

    assert decision.status is Status.INCONCLUSIVE


def test_a_waived_failure_does_not_hide_an_error_of_another_scenario():
    verdicts = (*GOOD, lost(Status.FAIL), lost(Status.ERROR))
    decision = judged_by(two_objectives(Status.FAIL, 0, 0), verdicts, WAIVED)

    assert decision.status is Status.INCONCLUSIVE


def test_a_waiver_covers_the_gates_own_limit_and_veto():
    waivers = (replace(WAIVER, objective=LATENCY),)
    slow = verdict(Status.PASS, 120.0)
    failed = verdict(Status.FAIL, 120.0)

    assert judged_by(score(100, 100), (slow,), replace(RULES, waivers=waivers)).status is Status.WARN
    assert (
        judged_by(score(100, 100), (failed,), GateRules(veto=(LATENCY,), waivers=waivers)).status
        is Status.WARN
    )


def test_a_waiver_of_what_nobody_judged_says_what_it_may_have_meant():
    decision = judged_by(
        score(100, 100),
        (*GOOD, lost(Status.PASS)),
        GateRules(waivers=(replace(WAIVER, objective="delivery.acknowledged_loss"),)),
    )

    assert decision.status is Status.PASS
    assert 'Did you mean "acknowledged_lost"?' in decision.reasons[-1]


@pytest.mark.parametrize(
    ("samples", "status", "reason"),
    [
        (299, Status.PASS, "within the gate's limits"),
        (298, Status.INCONCLUSIVE, f"{LATENCY} rests on 298 samples (at least 299 required)."),
        (None, Status.INCONCLUSIVE, f"{LATENCY} rests on an unknown number of samples (at least 299"),
    ],
)
def test_a_value_that_rests_on_too_few_samples_decides_nothing(samples, status, reason):
    rules = GateRules(objectives={LATENCY: ObjectiveRule(Limit(">", 100), samples_min=299)})
    decision = judged_by(score(100, 100), (verdict(Status.PASS, 40.0, samples=samples),), rules)

    assert decision.status is status
    assert any(reason in each for each in decision.reasons)


def test_too_few_samples_do_not_soften_a_failure():
    rules = GateRules(objectives={LATENCY: ObjectiveRule(samples_min=299)})

    assert judged_by(score(100, 100), (verdict(Status.FAIL, 400.0, samples=3),), rules).status is Status.FAIL


def test_what_the_policy_declares_not_applicable_is_said():
    rules = GateRules(not_applicable=(replace(WAIVER, objective=LATENCY, reason="no caller"),))
    decision = judged_by(score(100, 100), (lost(Status.PASS), verdict(Status.NOT_APPLICABLE)), rules)

    assert decision.status is Status.PASS
    assert f"{LATENCY} is declared not applicable until 2027-01-31 (no caller)." in decision.reasons


points = st.floats(0, 100)
verdict_lists = st.lists(
    st.builds(
        Verdict,
        objective=st.sampled_from((LATENCY, "acknowledged_lost")),
        dimension=st.just("delivery"),
        status=st.sampled_from(Status),
        summary=st.just("seen"),
        value=st.none() | st.floats(0, 200),
        vetoes=st.sampled_from(((), (), ("acknowledged loss",))),
    ),
    min_size=1,
    max_size=5,
)
rules = st.builds(
    GateRules,
    score_min=points,
    veto=st.sampled_from(((), ("acknowledged_lost",))),
    objectives=st.sampled_from(({}, RULES.objectives)),
    on_inconclusive=st.sampled_from(OnInconclusive),
)


@given(points, points, verdict_lists, rules, st.data())
def test_one_more_fail_never_improves_the_decision(first, second, verdicts, rules, data):
    """Turning any judgement into FAIL, which can only lower the score, never gives a better decision.

    ERROR and NOT_APPLICABLE are no judgements: what broke, or was taken out of the plan and is not any more,
    keeps a gate open that a score could decide.
    """
    low, high = sorted((first, second))
    lower_high = data.draw(st.floats(0, high))
    lower_low = data.draw(st.floats(0, min(low, lower_high)))
    index = data.draw(st.integers(0, len(verdicts) - 1))
    assume(verdicts[index].status not in {Status.ERROR, Status.NOT_APPLICABLE})
    worse = [*verdicts[:index], replace(verdicts[index], status=Status.FAIL), *verdicts[index + 1 :]]
    before = judged_by(score(low, high), verdicts, rules).status
    after = judged_by(score(lower_low, lower_high), worse, rules).status

    assert SEVERITY.index(after) >= SEVERITY.index(before)


@given(points, verdict_lists, rules)
def test_no_rule_removes_a_veto(points, verdicts, rules):
    """For all rules and scores, a verdict with a veto gives FAIL."""
    vetoed = replace(verdicts[0], status=Status.FAIL, vetoes=("acknowledged loss",))

    assert judged_by(score(points, 100), [*verdicts, vetoed], rules).status is Status.FAIL


any_verdicts = st.lists(
    st.builds(
        Verdict,
        objective=st.sampled_from((LATENCY, "acknowledged_lost", "freshness.visible")),
        dimension=st.sampled_from(("delivery", "self-observability", "freshness", "")),
        status=st.sampled_from(Status),
        summary=st.just("seen"),
        value=st.none() | st.floats(0, 200),
        vetoes=st.sampled_from(((), (), ("acknowledged loss",))),
    ),
    min_size=1,
    max_size=5,
)
exemptions = st.lists(
    st.builds(
        Exemption,
        st.sampled_from((LATENCY, "acknowledged_lost", "freshness.visible")),
        st.sampled_from((YESTERDAY, TODAY)),
        st.just("known"),
    ),
    max_size=2,
).map(tuple)


@given(any_verdicts, rules, exemptions, exemptions)
def test_a_fail_that_is_not_waived_fails_the_gate(verdicts, rules, waivers, not_applicable):
    """For all verdicts, rules and exemptions: a FAIL that no waiver of today covers gives FAIL.

    The score is the one that these verdicts have, whatever dimensions they name.
    """
    rules = replace(rules, waivers=waivers, not_applicable=not_applicable)
    standing = {one.objective for one in waivers if one.until >= TODAY}
    failed = [each for each in verdicts if each.status is Status.FAIL]
    blocking = [each for each in failed if each.vetoes or each.objective not in standing]
    scored = score_of({each.objective: each.dimension for each in verdicts}, verdicts)
    decision = judged_by(scored, verdicts, rules)

    if blocking:
        assert decision.status is Status.FAIL
    if failed and not blocking:
        assert decision.status is not Status.PASS


@pytest.mark.parametrize(
    "own_rules", [GateRules(score_min=0), GateRules(score_min=0, on_inconclusive=OnInconclusive.WARN)]
)
def test_a_fail_outside_the_score_fails_the_gate_and_is_named(own_rules):
    failed = Verdict("freshness.visible", "freshness", Status.FAIL, "it never passes")
    decision = judged_by(score(100, 100), (*GOOD, failed), own_rules)

    assert decision.status is Status.FAIL
    assert decision.reasons[0] == "freshness.visible failed: it never passes"


def test_an_objective_that_failed_in_several_scenarios_is_told_once():
    failed = lost(Status.FAIL)
    decision = judged_by(score(100, 100), (*GOOD, failed, failed), GateRules())

    assert decision.reasons[0] == "acknowledged_lost failed (in 2 scenarios, first): records are missing"
    assert len(decision.reasons) == 2


@given(points, points, verdict_lists, rules)
def test_every_decision_gives_its_reasons(first, second, verdicts, rules):
    """Whatever the decision, there is at least one reason, and each is a sentence."""
    decision = judged_by(score(*sorted((first, second))), verdicts, rules)

    assert decision.reasons
    assert all(reason[0].isalnum() for reason in decision.reasons)


def test_an_error_never_passes_however_small_its_share_and_whatever_the_rules():
    error = verdict(Status.ERROR)
    rules = GateRules(score_min=0, on_inconclusive=OnInconclusive.WARN)

    assert judged_by(score(99, 100), (*GOOD, error), rules).status is Status.INCONCLUSIVE


def test_what_broke_around_the_scenarios_never_passes():
    decision = decide(score(100, 100), GOOD, GateRules(), TODAY, ("services: pids [7] survive SIGKILL",))

    assert decision.status is Status.INCONCLUSIVE
    assert decision.reasons[0] == "The run itself broke: services: pids [7] survive SIGKILL"


def test_a_fail_stays_a_fail_although_something_broke():
    assert decide(score(0, 0), (verdict(Status.FAIL, 1.0),), GateRules(), TODAY, ("x",)).status is Status.FAIL


# --- beside a baseline -----------------------------------------------------------------------------------

RISE = GateRules(regression=RegressionRules({LATENCY: Rise(0.1, is_share=True)}))


def beside(status: Status, remark: str = "", objective: str = LATENCY) -> Regression:
    compared = Comparison("s", objective, "ms", status, "+10%", 10.0, 13.0, "", 0.3, 0.2, 0.4, 0.05)
    sampled = Sampled("s", objective, "ms", (10.0,), (13.0,))
    return Regression(status, "old", True, remark, 0.95, (sampled,), (compared,))


def decided(rules: GateRules, regression: Regression | None):
    return decide(score(100, 100), GOOD, rules, TODAY, regression=regression)


@pytest.mark.parametrize("status", [Status.PASS, Status.FAIL, Status.INCONCLUSIVE])
def test_a_regression_joins_the_decision(status):
    assert decided(RISE, beside(status)).status is status
    assert decided(GateRules(), beside(status)).status is Status.PASS


def test_a_regression_is_told_with_its_numbers():
    (reason, *_) = decided(RISE, beside(Status.FAIL)).reasons

    assert reason == (
        f"{LATENCY} in s: median 10 → 13 ms, +30 % (95 % interval +20 % … +40 %); +10% allowed."
    )


@pytest.mark.parametrize(
    ("on_inconclusive", "status"), [(OnInconclusive.FAIL, Status.FAIL), (OnInconclusive.WARN, Status.WARN)]
)
def test_an_undecided_comparison_counts_as_the_file_says(on_inconclusive, status):
    rules = replace(RISE, on_inconclusive=on_inconclusive)

    assert decided(rules, beside(Status.INCONCLUSIVE)).status is status


def test_a_comparison_that_was_not_made_is_no_pass():
    assert decided(RISE, None).status is Status.INCONCLUSIVE


def test_a_check_whose_rise_is_limited_and_that_was_not_judged_is_no_pass():
    decision = decided(RISE, beside(Status.PASS, objective="backlog_seconds"))

    assert decision.status is Status.INCONCLUSIVE
    assert any("was not judged" in reason for reason in decision.reasons)


def test_the_first_run_passes_and_says_that_nothing_was_compared():
    first = Regression(Status.PASS, "", False, "The first run of its kind.")

    assert decided(RISE, first).status is Status.PASS
    assert "The first run of its kind." in decided(RISE, first).reasons


def test_a_waiver_of_an_objective_covers_its_rise():
    waived = replace(RISE, waivers=(Exemption(LATENCY, TODAY, "known"),))

    assert decided(waived, beside(Status.FAIL)).status is Status.WARN


def test_a_run_by_hand_gates_nothing_and_says_what_its_rules_would_have_said():
    decision = gates_nothing(GateDecision(Status.PASS, ("Score 100.00; 98 required.",)))

    assert decision.status is Status.NOT_APPLICABLE
    assert decision.reasons == (
        INTERACTIVE,
        "By the gate's rules it would be PASS.",
        "Score 100.00; 98 required.",
    )
    assert gate_exit_code(decision.status) != 0

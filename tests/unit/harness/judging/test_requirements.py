from __future__ import annotations

from dataclasses import replace
from datetime import date

import pytest

from harness.judging.gate import decide
from harness.judging.gate_rules import GateRules, with_required
from harness.judging.requirements import Requirement, judged, parse_requirement, require_known
from harness.judging.waivers import Exemption
from harness.model.errors import UsageError
from harness.model.protocols import Status, Verdict
from harness.model.result import Score

TODAY = date(2027, 1, 31)
LATENCY = "response_p99_ms"


def score(low: float, high: float, vetoes: tuple[str, ...] = ()) -> Score:
    return Score(low, high, 1 - (high - low) / 100, (), (), vetoes)


def verdict(value: float | None, status: Status = Status.PASS, unit: str = "ms") -> Verdict:
    return Verdict(LATENCY, "caller protection", status, "the log call took its time", value, unit)


def status_of(text: str, *verdicts: Verdict, of: Score | None = None) -> Status:
    return judged(parse_requirement(text), of or score(99, 99), verdicts or (verdict(10.0),))[0]


@pytest.mark.parametrize(
    ("text", "read"),
    [
        ("score>=98", Requirement("score", ">=", 98)),
        (" score >= 98.5 points ", Requirement("score", ">=", 98.5, "points")),
        ("coverage>=90%", Requirement("coverage", ">=", 90, "%")),
        ("response_p99_ms<50ms", Requirement(LATENCY, "<", 50, "ms")),
        ("response_p99_ms < 0.05 s", Requirement(LATENCY, "<", 0.05, "s")),
        ("acknowledged_lost==0", Requirement("acknowledged_lost", "==", 0)),
        ("own.check_1<=3", Requirement("own.check_1", "<=", 3)),
    ],
)
def test_a_requirement_is_read(text, read):
    assert parse_requirement(text) == read
    assert parse_requirement(str(read)) == read


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("", "cannot be read"),
        ("score", "cannot be read"),
        ("98<=score", "cannot be read"),
        ("score=98", "cannot be read"),
        ("score>=98 and x<1", "cannot be read"),
        ("score>=98; rm -rf /", "cannot be read"),
        ("score>=-1", "cannot be read"),
        ("score>=nan", "cannot be read"),
        ("score>=101", "at most 100 points"),
        ("score>=98%", "a score is in points, not %"),
        ("coverage>=0.9", "say the unit"),
        ("coverage>=101%", "at most 100%"),
        ("response_p99_ms<50MiB", "is in ms, which MiB cannot be compared with"),
        ("memory_mib_above_idle<5s", "is in MiB, which s cannot be compared with"),
    ],
)
def test_what_cannot_be_read_or_decided_is_refused_with_a_remedy(text, said):
    with pytest.raises(UsageError, match="--require") as refused:
        parse_requirement(text)

    assert said in str(refused.value)


def test_an_unknown_word_is_refused_with_the_nearest_one():
    with pytest.raises(UsageError, match=r'Did you mean "response_p99_ms"\?'):
        require_known([parse_requirement("response_p90_ms<5")], {LATENCY: "ms", "corrupted": ""})
    require_known([parse_requirement("score>=5"), parse_requirement("response_p99_ms<5")], {LATENCY: "ms"})


@pytest.mark.parametrize("text", ["acknowledged_lost==0%", "acknowledged_lost<=5ms", "exit_seconds<2MiB"])
def test_a_unit_that_the_measure_does_not_have_is_refused_with_the_remedy(text):
    units = {"acknowledged_lost": "records", "exit_seconds": "s"}
    with pytest.raises(UsageError, match=r"is (measured )?in .*, which .* cannot be compared with"):
        require_known([parse_requirement(text)], units)


@pytest.mark.parametrize("text", ["acknowledged_lost==0", "acknowledged_lost==0records", "own_check<=5%"])
def test_a_unit_that_fits_or_of_which_nothing_is_known_is_taken(text):
    require_known([parse_requirement(text)], {"acknowledged_lost": "records", "own_check": ""})


@pytest.mark.parametrize(
    ("low", "high", "text", "status"),
    [
        (98, 98, "score>=98", Status.PASS),
        (98 - 1e-10, 98, "score>=98", Status.PASS),
        (98, 98, "score>98", Status.FAIL),
        (97, 97.9, "score>=98", Status.FAIL),
        (97, 99, "score>=98", Status.INCONCLUSIVE),
        (97, 99, "score==98", Status.INCONCLUSIVE),
        (90, 100, "coverage>=90%", Status.PASS),
        (80, 100, "coverage>=90%", Status.FAIL),
    ],
)
def test_score_and_coverage_are_judged_by_the_whole_interval(low, high, text, status):
    assert status_of(text, of=score(low, high)) is status


def test_a_veto_fails_what_is_asked_of_the_score():
    assert status_of("score>=0", of=score(100, 100, ("acknowledged loss",))) is Status.FAIL


@pytest.mark.parametrize(
    ("text", "status"),
    [
        ("response_p99_ms<50", Status.PASS),
        ("response_p99_ms<=40ms", Status.PASS),
        ("response_p99_ms<0.04s", Status.FAIL),
        ("response_p99_ms<=0.04s", Status.PASS),
        ("response_p99_ms<40", Status.FAIL),
        ("response_p99_ms>=20", Status.FAIL),
        ("response_p99_ms>=10000us", Status.PASS),
    ],
)
def test_every_scenario_must_hold_a_value_in_whatever_unit(text, status):
    assert status_of(text, verdict(10.0), verdict(40.0)) is status


def test_a_value_that_is_missing_or_not_trusted_is_not_a_pass():
    assert status_of("response_p99_ms<50", verdict(None)) is Status.INCONCLUSIVE
    assert status_of("response_p99_ms<50", verdict(1.0, Status.INCONCLUSIVE)) is Status.INCONCLUSIVE
    assert status_of("corrupted<50", verdict(1.0)) is Status.INCONCLUSIVE


def test_a_unit_that_cannot_be_compared_is_told_when_nothing_said_so_before():
    own = Verdict("jitter", "delivery", Status.PASS, "", 3.0, "ms")
    status, said = judged(parse_requirement("jitter<5MiB"), score(99, 99), [own])

    assert status is Status.INCONCLUSIVE
    assert said == 'Required "jitter<5MiB": it is measured in ms, which MiB cannot be compared with.'


def decision(rules: GateRules, of: Score, *verdicts: Verdict):
    return decide(of, verdicts, rules, TODAY)


def asked(*texts: str, rules: GateRules | None = None) -> GateRules:
    return with_required(rules or GateRules(), [parse_requirement(text) for text in texts])


def test_the_decision_says_which_requirement_failed():
    made = decision(asked("score>=98", "response_p99_ms<30ms"), score(99, 99), verdict(10.0), verdict(40.0))

    assert made.status is Status.FAIL
    assert made.reasons[0] == 'Required "response_p99_ms<30ms": 40 ms at worst, in 1 of 2 scenarios.'
    assert 'Required "score>=98": score 99.00.' in made.reasons


def test_a_least_score_takes_the_place_of_the_built_in_one():
    assert decision(asked("score>=90"), score(95, 95), verdict(1.0)).status is Status.PASS
    assert decision(asked("score>=99"), score(98.5, 98.5), verdict(1.0)).status is Status.FAIL
    assert decision(asked("score>=90", "score>=96"), score(95, 95), verdict(1.0)).status is Status.FAIL
    assert decision(asked("score<=99"), score(95, 95), verdict(1.0)).status is Status.FAIL


def test_beside_a_gate_file_both_must_hold():
    rules = GateRules(score_min=97, source="gate.yaml")

    assert decision(asked("score>=90", rules=rules), score(95, 95), verdict(1.0)).status is Status.FAIL


def test_no_requirement_excuses_a_failure():
    failed = verdict(200.0, Status.FAIL)

    assert decision(asked("response_p99_ms<500"), score(99, 99), failed).status is Status.FAIL


def test_a_waiver_covers_a_requirement_of_its_objective():
    waived = GateRules(waivers=(Exemption(LATENCY, TODAY, "the disks are being replaced"),), source="g")
    made = decision(asked("response_p99_ms<30ms", rules=waived), score(99, 99), verdict(40.0))

    assert made.status is Status.WARN
    assert any("Waived" in reason and "response_p99_ms<30ms" in reason for reason in made.reasons)


def test_a_failure_that_is_told_by_its_objective_does_not_hide_the_requirement():
    failed = replace(verdict(200.0), status=Status.FAIL)
    reasons = decision(asked("response_p99_ms<50"), score(99, 99), failed).reasons

    assert 'Required "response_p99_ms<50": 200 ms.' in reasons
    assert any(reason.startswith("response_p99_ms failed") for reason in reasons)

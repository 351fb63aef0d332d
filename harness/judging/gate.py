"""May this go on? The decision from the score, the verdicts and the team's rules, with every reason.

Pure: the same score, verdicts, rules and day always give the same decision.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace
from datetime import date
from math import isfinite
from types import MappingProxyType

from harness.judging.gate_findings import (
    Finding,
    as_waived,
    extra_veto_findings,
    failure_findings,
    objective_findings,
    required_findings,
)
from harness.judging.gate_rules import GateRules, OnInconclusive
from harness.judging.points import hundredths, interval
from harness.judging.regression import RegressionRules, said
from harness.judging.score import earned
from harness.judging.waivers import Exemption, expired, is_waived, standing
from harness.model.protocols import Status, Verdict
from harness.model.registry import unknown
from harness.model.result import GateDecision, ObjectiveScore, Regression, Score

# Points are sums of weights in binary fractions; two scores closer than this are the same score.
POINTS_TOLERANCE = 1e-6

_SEVERITY = MappingProxyType({Status.PASS: 0, Status.WARN: 1, Status.INCONCLUSIVE: 2, Status.FAIL: 3})

INTERACTIVE = "The faults of this run were started by hand, so it gates nothing and is no baseline."


def gates_nothing(decision: GateDecision) -> GateDecision:
    """Return a decision as an interactive run has it: none, with what it would have been told after that."""
    would_be = f"By the gate's rules it would be {decision.status.value}."
    return GateDecision(Status.NOT_APPLICABLE, (INTERACTIVE, would_be, *decision.reasons))


def decide(
    score: Score,
    verdicts: Sequence[Verdict],
    rules: GateRules,
    today: date,
    broke: Sequence[str] = (),
    regression: Regression | None = None,
) -> GateDecision:
    """Decide whether a run passes the gate.

    The worst finding decides, in the order PASS, WARN, INCONCLUSIVE, FAIL. A gate may ask for more than the
    stack promises, never for less: an objective that FAILED fails the gate, whatever it weighs in the score,
    unless a waiver covers it. What is waived is still said, and makes a PASS a WARN, which lets pass too.

    Args:
        score: the run's score, an interval in points of 100.
        verdicts: every verdict of every scenario.
        rules: what the team asks for.
        today: the day that decides which exemptions still stand.
        broke: what broke around the scenarios (`Result.broke`). It keeps a run from passing, as an ERROR
            does: no rule and no share of the score can make up for an examination that was none.
        regression: what a comparison with a baseline said; it counts where the rules ask for one.

    Returns:
        The decision; its reasons are sentences, the gravest first.
    """
    waivers = standing(rules.waivers, today)
    counted = [verdict for verdict in verdicts if not is_waived(verdict, waivers)]
    waived = len(counted) < len(verdicts)
    broken = _broken_findings(counted, broke)
    findings = [
        *broken,
        *_veto_findings(score, verdicts),
        *extra_veto_findings(rules.veto, verdicts, waivers),
        _score_finding(_without_waived(score, verdicts, waivers), verdicts, rules.score_min, waived),
        *objective_findings(counted, verdicts, rules, waivers),
        *required_findings(_without_waived(score, verdicts, waivers), counted, rules, waivers),
        *failure_findings(counted, rules),
        *_regression_findings(rules.regression, regression, waivers),
        *_waived_findings(verdicts, waivers),
        *_policy_findings(verdicts, standing(rules.not_applicable, today)),
    ]
    findings.sort(key=lambda finding: -_SEVERITY[finding.status])
    status = findings[0].status
    reasons = (*(finding.reason for finding in findings), *_notes(rules, verdicts, waivers, today))
    if status is not Status.INCONCLUSIVE or rules.on_inconclusive is OnInconclusive.INCONCLUSIVE:
        return GateDecision(status, reasons)
    if broken and rules.on_inconclusive is OnInconclusive.WARN:
        return GateDecision(
            status, (*reasons, "on_inconclusive: warn does not cover what broke in logquake.")
        )
    counted_as = rules.counted(status)
    said = f"on_inconclusive: {rules.on_inconclusive.value} counts this as {counted_as.value}."
    return GateDecision(counted_as, (*reasons, said))


def _broken_findings(verdicts: Sequence[Verdict], broke: Sequence[str]) -> list[Finding]:
    errors = dict.fromkeys(verdict.summary for verdict in verdicts if verdict.status is Status.ERROR)
    return [
        *(Finding(Status.INCONCLUSIVE, f"The run itself broke: {what}") for what in broke),
        *(
            Finding(Status.INCONCLUSIVE, f"A scenario broke, so nothing is known of it: {what}")
            for what in errors
        ),
    ]


def _without_waived(score: Score, verdicts: Sequence[Verdict], waivers: Mapping[str, Exemption]) -> Score:
    """Return the score as if what is waived had been left out of its objectives."""
    low, high = score.low, score.high
    for row in (row for dimension in score.dimensions for row in dimension.objectives):
        spared_low, spared_high = _spared(row, verdicts, waivers)
        low, high = low + spared_low, high + spared_high
    return replace(score, low=low, high=high)


def _spared(
    row: ObjectiveScore, verdicts: Sequence[Verdict], waivers: Mapping[str, Exemption]
) -> tuple[float, float]:
    judged = [verdict for verdict in verdicts if verdict.objective == row.objective]
    rest = [verdict for verdict in judged if not is_waived(verdict, waivers)]
    if len(rest) == len(judged):
        return 0.0, 0.0
    low, high = earned(rest, row.weight) if rest else (row.weight, row.weight)
    return low - row.low, high - row.high


def _veto_findings(score: Score, verdicts: Sequence[Verdict]) -> Iterator[Finding]:
    told = set()
    for verdict in verdicts:
        for veto in verdict.vetoes:
            told.add(veto)
            yield Finding(Status.FAIL, f'Veto "{veto}": {verdict.objective}: {verdict.summary}')
    for veto in score.vetoes:
        if veto not in told:
            yield Finding(Status.FAIL, f'Veto "{veto}" stands in the score.')


def _score_finding(score: Score, verdicts: Sequence[Verdict], score_min: float, waived: bool) -> Finding:
    if score.vetoes or any(verdict.vetoes for verdict in verdicts):
        return Finding(Status.FAIL, "A veto stands, so the score is withheld.")
    if not verdicts:
        return Finding(Status.INCONCLUSIVE, "Nothing was judged, so there is no score.")
    if not (isfinite(score.low) and isfinite(score.high)):
        return Finding(Status.INCONCLUSIVE, "The score is not a number.")
    low, high, least = (hundredths(points) for points in (score.low, score.high, score_min))
    found = f"Score {interval(low, high)}{' without what is waived' if waived else ''}"
    said = f"{found}; {least / 100:g} required."
    if score.low >= score_min - POINTS_TOLERANCE:
        return Finding(Status.PASS, said)
    if score.high < score_min - POINTS_TOLERANCE:
        return Finding(Status.FAIL, said)
    unresolved = f"{(high - low) / 100:.4g} points are unresolved (coverage {score.coverage:.0%})."
    return Finding(Status.INCONCLUSIVE, f"{said} {unresolved}")


def _regression_findings(
    asked: RegressionRules | None, regression: Regression | None, waivers: Mapping[str, Exemption]
) -> Iterator[Finding]:
    """Find what the comparison with a baseline said: rises, beside the limits that are absolute."""
    if asked is None:
        return
    if regression is None:
        yield Finding(
            Status.INCONCLUSIVE,
            "The gate file asks for a comparison with a baseline, and none was made. "
            "Run again with this gate file.",
        )
        return
    if regression.remark:
        yield Finding(regression.status, regression.remark)
    if not regression.samples:
        return
    compared = dict.fromkeys(comparison.objective for comparison in regression.comparisons)
    for objective in asked.rises:
        if objective not in compared:
            known = dict.fromkeys(sampled.objective for sampled in regression.samples)
            yield Finding(
                Status.INCONCLUSIVE,
                f"The gate file limits the rise of a check that was not judged: "
                f"{unknown('check', objective, known)}",
            )
    for comparison in regression.comparisons:
        finding = Finding(comparison.status, said(comparison, regression.confidence))
        waiver = waivers.get(comparison.objective)
        yield finding if waiver is None else as_waived(finding, waiver)


def _waived_findings(verdicts: Sequence[Verdict], waivers: Mapping[str, Exemption]) -> Iterator[Finding]:
    for verdict in verdicts:
        if is_waived(verdict, waivers):
            said = f"{verdict.objective} is {verdict.status.value}: {verdict.summary}"
            yield Finding(Status.WARN, f"Waived {waivers[verdict.objective]}: {said}")


def _policy_findings(
    verdicts: Sequence[Verdict], not_applicable: Mapping[str, Exemption]
) -> Iterator[Finding]:
    left_out = dict.fromkeys(v.objective for v in verdicts if v.status is Status.NOT_APPLICABLE)
    for objective in left_out:
        if objective in not_applicable:
            said = f"{objective} is declared not applicable {not_applicable[objective]}."
            yield Finding(Status.PASS, said)
        else:
            yield Finding(
                Status.INCONCLUSIVE,
                f"{objective} was declared not applicable when the run was made, and no rule of today says "
                "so. Renew the declaration in the gate file, or run again without it.",
            )


def _notes(
    rules: GateRules, verdicts: Sequence[Verdict], waivers: Mapping[str, Exemption], today: date
) -> Iterator[str]:
    """Say what became of exemptions that excused nothing."""
    for exemption in (*expired(rules.waivers, today), *expired(rules.not_applicable, today)):
        yield (
            f"The exemption of {exemption.objective} expired on {exemption.until.isoformat()} "
            f"({exemption.reason}); it counts again."
        )
    known = dict.fromkeys(verdict.objective for verdict in verdicts)
    for objective in waivers:
        if objective not in known:
            yield f"The waiver of {objective} covers nothing here: {unknown('check', objective, known)}"
    for verdict in verdicts:
        if verdict.objective in waivers and verdict.vetoes:
            yield f"The waiver of {verdict.objective} does not cover its veto; no rule can."

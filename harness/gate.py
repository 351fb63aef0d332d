"""May this go on? The decision from the score, the verdicts and the team's rules, with every reason.

Pure: the same score, verdicts and rules always give the same decision.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from enum import Enum
from math import isfinite
from operator import ge, gt, le, lt
from types import MappingProxyType

from harness.amounts import hundredths
from harness.family import unknown
from harness.protocols import Status, Verdict
from harness.result import GateDecision, Score

# Points are sums of weights in binary fractions; two scores closer than this are the same score.
POINTS_TOLERANCE = 1e-6

_COMPARISONS = MappingProxyType({">": gt, ">=": ge, "<": lt, "<=": le})
_SEVERITY = MappingProxyType({Status.PASS: 0, Status.WARN: 1, Status.INCONCLUSIVE: 2, Status.FAIL: 3})


class OnInconclusive(Enum):
    """What a run that could not be decided counts as."""

    INCONCLUSIVE = "inconclusive"
    FAIL = "fail"
    WARN = "warn"


@dataclass(frozen=True, slots=True)
class Limit:
    """A comparison that an objective's value must not satisfy: `> 100`."""

    comparison: str
    bound: float

    def exceeded_by(self, value: float) -> bool:
        """Say whether a value is beyond the limit."""
        return bool(_COMPARISONS[self.comparison](value, self.bound))

    def __str__(self) -> str:
        return f"{self.comparison} {self.bound:g}"


@dataclass(frozen=True, slots=True)
class ObjectiveRule:
    """Limits on one objective's value, in the objective's own unit."""

    fail: Limit | None = None
    warn: Limit | None = None


@dataclass(frozen=True, slots=True)
class GateRules:
    """What a team asks for beyond the built-in vetoes, which no rule can remove.

    `veto` names objectives whose FAIL fails the gate whatever the score is.
    """

    score_min: float = 98.0
    veto: tuple[str, ...] = ()
    objectives: Mapping[str, ObjectiveRule] = field(default_factory=dict)
    on_inconclusive: OnInconclusive = OnInconclusive.INCONCLUSIVE
    source: str = ""


@dataclass(frozen=True, slots=True)
class _Finding:
    status: Status
    reason: str


def decide(
    score: Score, verdicts: Sequence[Verdict], rules: GateRules, broke: Sequence[str] = ()
) -> GateDecision:
    """Decide whether a run passes the gate.

    The worst finding decides, in the order PASS, WARN, INCONCLUSIVE, FAIL. A gate may ask for more than the
    stack promises, never for less: an objective that it names and that FAILED fails the gate.

    Args:
        score: the run's score, an interval in points of 100.
        verdicts: every verdict of every scenario.
        rules: what the team asks for.
        broke: what broke around the scenarios (`Result.broke`). It keeps a run from passing, as an ERROR
            does: no rule and no share of the score can make up for an examination that was none.

    Returns:
        The decision; its reasons are sentences, the gravest first.
    """
    broken = _broken_findings(verdicts, broke)
    findings = [
        *broken,
        *_veto_findings(score, verdicts, rules.veto),
        _score_finding(score, verdicts, rules.score_min),
        *_objective_findings(verdicts, rules.objectives),
    ]
    findings.sort(key=lambda finding: -_SEVERITY[finding.status])
    status = findings[0].status
    reasons = tuple(finding.reason for finding in findings)
    if status is not Status.INCONCLUSIVE or rules.on_inconclusive is OnInconclusive.INCONCLUSIVE:
        return GateDecision(status, reasons)
    if broken and rules.on_inconclusive is OnInconclusive.WARN:
        return GateDecision(
            status, (*reasons, "on_inconclusive: warn does not cover what broke in logquake.")
        )
    counted = Status[rules.on_inconclusive.name]
    return GateDecision(
        counted, (*reasons, f"on_inconclusive: {rules.on_inconclusive.value} counts this as {counted.value}.")
    )


def _broken_findings(verdicts: Sequence[Verdict], broke: Sequence[str]) -> list[_Finding]:
    errors = dict.fromkeys(verdict.summary for verdict in verdicts if verdict.status is Status.ERROR)
    return [
        *(_Finding(Status.INCONCLUSIVE, f"The run itself broke: {what}") for what in broke),
        *(
            _Finding(Status.INCONCLUSIVE, f"Nothing is known where the examination broke: {what}")
            for what in errors
        ),
    ]


def _veto_findings(score: Score, verdicts: Sequence[Verdict], extra: Sequence[str]) -> Iterator[_Finding]:
    told = set()
    for verdict in verdicts:
        for veto in verdict.vetoes:
            told.add(veto)
            yield _Finding(Status.FAIL, f'Veto "{veto}": {verdict.objective}: {verdict.summary}')
    for veto in score.vetoes:
        if veto not in told:
            yield _Finding(Status.FAIL, f'Veto "{veto}" stands in the score.')
    for objective in extra:
        yield from _extra_veto_findings(objective, verdicts)


def _extra_veto_findings(objective: str, verdicts: Sequence[Verdict]) -> Iterator[_Finding]:
    judged = [verdict for verdict in verdicts if verdict.objective == objective]
    if not judged:
        yield _not_judged(objective, verdicts)
    for verdict in judged:
        if verdict.status is Status.FAIL:
            yield _Finding(Status.FAIL, f'Veto "{objective}" of the gate file: {verdict.summary}')
        elif verdict.status not in {Status.PASS, Status.WARN}:
            yield _unresolved(verdict)


def _score_finding(score: Score, verdicts: Sequence[Verdict], score_min: float) -> _Finding:
    if score.vetoes or any(verdict.vetoes for verdict in verdicts):
        return _Finding(Status.FAIL, "A veto stands, so the score is withheld.")
    if not verdicts:
        return _Finding(Status.INCONCLUSIVE, "Nothing was judged, so there is no score to go by.")
    if not (isfinite(score.low) and isfinite(score.high)):
        return _Finding(Status.INCONCLUSIVE, "The score is no number, so there is nothing to go by.")
    low, high, least = (hundredths(points) / 100 for points in (score.low, score.high, score_min))
    if score.low >= score_min - POINTS_TOLERANCE:
        return _Finding(Status.PASS, f"The score is at least {low:g}, and {least:g} is asked for.")
    if score.high < score_min - POINTS_TOLERANCE:
        return _Finding(Status.FAIL, f"The score is at most {high:g}, below the {least:g} asked for.")
    return _Finding(
        Status.INCONCLUSIVE,
        f"The score lies between {low:g} and {high:g}, and {least:g} is asked for: "
        f"{high - low:.4g} points are unresolved (coverage {score.coverage:.0%}).",
    )


def _objective_findings(
    verdicts: Sequence[Verdict], objectives: Mapping[str, ObjectiveRule]
) -> Iterator[_Finding]:
    for objective, rule in objectives.items():
        judged = [verdict for verdict in verdicts if verdict.objective == objective]
        if not judged:
            yield _not_judged(objective, verdicts)
        for verdict in judged:
            yield _rule_finding(verdict, rule)


def _rule_finding(verdict: Verdict, rule: ObjectiveRule) -> _Finding:
    if verdict.status is Status.FAIL:
        return _Finding(Status.FAIL, f"{verdict.objective} failed: {verdict.summary}")
    if verdict.status not in {Status.PASS, Status.WARN} or verdict.value is None:
        return _unresolved(verdict)
    said = f"{verdict.objective} is {verdict.value:.9g}{f' {verdict.unit}' if verdict.unit else ''}"
    if rule.fail is not None and rule.fail.exceeded_by(verdict.value):
        return _Finding(Status.FAIL, f"{said}, and {rule.fail} fails.")
    if rule.warn is not None and rule.warn.exceeded_by(verdict.value):
        return _Finding(Status.WARN, f"{said}, and {rule.warn} warns.")
    if verdict.status is Status.WARN:
        return _Finding(Status.WARN, f"{said}, within the gate's limits, with a warning: {verdict.summary}")
    return _Finding(Status.PASS, f"{said}, within the gate's limits.")


def _unresolved(verdict: Verdict) -> _Finding:
    return _Finding(
        Status.INCONCLUSIVE,
        f"{verdict.objective} is {verdict.status.value} and has no value to go by: {verdict.summary}",
    )


def _not_judged(objective: str, verdicts: Sequence[Verdict]) -> _Finding:
    known = dict.fromkeys(verdict.objective for verdict in verdicts)
    return _Finding(
        Status.INCONCLUSIVE,
        f"The gate file asks for something nobody judged: {unknown('objective', objective, known)}",
    )

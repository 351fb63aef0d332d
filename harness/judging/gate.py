"""May this go on? The decision from the score, the verdicts and the team's rules, with every reason.

Pure: the same score, verdicts, rules and day always give the same decision.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import date
from enum import Enum
from math import isfinite
from operator import ge, gt, le, lt
from types import MappingProxyType

from harness.judging.points import hundredths, interval
from harness.judging.regression import RegressionRules, said
from harness.judging.requirements import Requirement, judged
from harness.judging.score import earned
from harness.judging.waivers import Exemption, expired, is_waived, standing
from harness.model.protocols import Status, Verdict
from harness.model.registry import unknown
from harness.model.result import GateDecision, ObjectiveScore, Regression, Score

# Points are sums of weights in binary fractions; two scores closer than this are the same score.
POINTS_TOLERANCE = 1e-6

_COMPARISONS = MappingProxyType({">": gt, ">=": ge, "<": lt, "<=": le})
_REQUIRED = MappingProxyType({">": "at most", ">=": "less than", "<": "at least", "<=": "more than"})
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

    def required(self) -> str:
        """Say what a value must be, e.g. `at most 100` for `> 100`."""
        return f"{_REQUIRED[self.comparison]} {self.bound:g}"

    def __str__(self) -> str:
        return f"{self.comparison} {self.bound:g}"


@dataclass(frozen=True, slots=True)
class ObjectiveRule:
    """Limits on one objective's value, in the objective's own unit.

    `samples_min` is how many observations a value must rest on to count at all.
    """

    fail: Limit | None = None
    warn: Limit | None = None
    samples_min: int | None = None


@dataclass(frozen=True, slots=True)
class GateRules:
    """What a team asks for beyond the built-in vetoes, which no rule can remove.

    `veto` names objectives whose FAIL fails the gate whatever the score is. `waivers` excuse failures that
    the team lives with for now, `not_applicable` takes objectives out of the plan; both end by themselves.
    """

    score_min: float = 98.0
    veto: tuple[str, ...] = ()
    objectives: Mapping[str, ObjectiveRule] = field(default_factory=dict)
    on_inconclusive: OnInconclusive = OnInconclusive.INCONCLUSIVE
    waivers: tuple[Exemption, ...] = ()
    not_applicable: tuple[Exemption, ...] = ()
    regression: RegressionRules | None = None
    source: str = ""
    required: tuple[Requirement, ...] = ()
    """What the command line asks for, beside the rules of the file."""

    def counted(self, status: Status) -> Status:
        """Return what a status counts as: one that is inconclusive may count as another."""
        return Status[self.on_inconclusive.name] if status is Status.INCONCLUSIVE else status


def with_required(rules: GateRules, required: Sequence[Requirement]) -> GateRules:
    """Return the rules with what a command line asks for.

    A least score asked for takes the place of the built-in one; beside a gate file, both must hold.
    """
    least = [each.least_score for each in required if each.least_score is not None]
    score_min = max(least) if least and not rules.source else rules.score_min
    return replace(rules, required=tuple(required), score_min=score_min)


@dataclass(frozen=True, slots=True)
class _Finding:
    status: Status
    reason: str


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
        *_extra_veto_findings(rules.veto, verdicts, waivers),
        _score_finding(_without_waived(score, verdicts, waivers), verdicts, rules.score_min, waived),
        *_objective_findings(counted, verdicts, rules, waivers),
        *_required_findings(_without_waived(score, verdicts, waivers), counted, rules, waivers),
        *_failure_findings(counted, rules),
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


def _broken_findings(verdicts: Sequence[Verdict], broke: Sequence[str]) -> list[_Finding]:
    errors = dict.fromkeys(verdict.summary for verdict in verdicts if verdict.status is Status.ERROR)
    return [
        *(_Finding(Status.INCONCLUSIVE, f"The run itself broke: {what}") for what in broke),
        *(
            _Finding(Status.INCONCLUSIVE, f"A scenario broke, so nothing is known of it: {what}")
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


def _veto_findings(score: Score, verdicts: Sequence[Verdict]) -> Iterator[_Finding]:
    told = set()
    for verdict in verdicts:
        for veto in verdict.vetoes:
            told.add(veto)
            yield _Finding(Status.FAIL, f'Veto "{veto}": {verdict.objective}: {verdict.summary}')
    for veto in score.vetoes:
        if veto not in told:
            yield _Finding(Status.FAIL, f'Veto "{veto}" stands in the score.')


def _extra_veto_findings(
    extra: Sequence[str], verdicts: Sequence[Verdict], waivers: Mapping[str, Exemption]
) -> Iterator[_Finding]:
    for objective in extra:
        judged = _judged(objective, verdicts)
        if not judged:
            yield _not_judged(objective, verdicts)
        for verdict in judged:
            if is_waived(verdict, waivers):
                continue
            if verdict.status is Status.FAIL:
                yield _Finding(Status.FAIL, f'Veto "{objective}" of the gate file: {verdict.summary}')
            elif verdict.status not in {Status.PASS, Status.WARN}:
                yield _unresolved(verdict)


def _judged(objective: str, verdicts: Sequence[Verdict]) -> list[Verdict]:
    """Return an objective's verdicts, but for those that a policy took out of the plan."""
    return [
        verdict
        for verdict in verdicts
        if verdict.objective == objective and verdict.status is not Status.NOT_APPLICABLE
    ]


def _score_finding(score: Score, verdicts: Sequence[Verdict], score_min: float, waived: bool) -> _Finding:
    if score.vetoes or any(verdict.vetoes for verdict in verdicts):
        return _Finding(Status.FAIL, "A veto stands, so the score is withheld.")
    if not verdicts:
        return _Finding(Status.INCONCLUSIVE, "Nothing was judged, so there is no score.")
    if not (isfinite(score.low) and isfinite(score.high)):
        return _Finding(Status.INCONCLUSIVE, "The score is not a number.")
    low, high, least = (hundredths(points) for points in (score.low, score.high, score_min))
    found = f"Score {interval(low, high)}{' without what is waived' if waived else ''}"
    said = f"{found}; {least / 100:g} required."
    if score.low >= score_min - POINTS_TOLERANCE:
        return _Finding(Status.PASS, said)
    if score.high < score_min - POINTS_TOLERANCE:
        return _Finding(Status.FAIL, said)
    unresolved = f"{(high - low) / 100:.4g} points are unresolved (coverage {score.coverage:.0%})."
    return _Finding(Status.INCONCLUSIVE, f"{said} {unresolved}")


def _objective_findings(
    counted: Sequence[Verdict],
    verdicts: Sequence[Verdict],
    rules: GateRules,
    waivers: Mapping[str, Exemption],
) -> Iterator[_Finding]:
    for objective, rule in rules.objectives.items():
        if not any(verdict.objective == objective for verdict in verdicts):
            yield _not_judged(objective, verdicts)
        for verdict in _judged(objective, counted):
            finding = _rule_finding(verdict, rule)
            if objective in waivers and verdict.status in {Status.PASS, Status.WARN}:
                finding = _waived(finding, waivers[objective])
            yield finding


def _required_findings(
    score: Score, counted: Sequence[Verdict], rules: GateRules, waivers: Mapping[str, Exemption]
) -> Iterator[_Finding]:
    for requirement in rules.required:
        finding = _Finding(*judged(requirement, score, counted))
        waiver = waivers.get(requirement.subject)
        yield finding if waiver is None else _waived(finding, waiver)


def _failure_findings(counted: Sequence[Verdict], rules: GateRules) -> Iterator[_Finding]:
    """Find each objective that failed; those that a veto or a rule of the gate file names are told there."""
    told = {*rules.veto, *rules.objectives}
    failed = [verdict for verdict in counted if verdict.status is Status.FAIL]
    for objective in dict.fromkeys(verdict.objective for verdict in failed):
        own = [verdict for verdict in failed if verdict.objective == objective]
        if objective in told or any(verdict.vetoes for verdict in own):
            continue
        where = f" (in {len(own):,} scenarios, first)" if len(own) > 1 else ""
        yield _Finding(Status.FAIL, f"{objective} failed{where}: {own[0].summary}")


def _regression_findings(
    asked: RegressionRules | None, regression: Regression | None, waivers: Mapping[str, Exemption]
) -> Iterator[_Finding]:
    """Find what the comparison with a baseline said: rises, beside the limits that are absolute."""
    if asked is None:
        return
    if regression is None:
        yield _Finding(
            Status.INCONCLUSIVE,
            "The gate file asks for a comparison with a baseline, and none was made. "
            "Run again with this gate file.",
        )
        return
    if regression.remark:
        yield _Finding(regression.status, regression.remark)
    if not regression.samples:
        return
    compared = dict.fromkeys(comparison.objective for comparison in regression.comparisons)
    for objective in asked.rises:
        if objective not in compared:
            known = dict.fromkeys(sampled.objective for sampled in regression.samples)
            yield _Finding(
                Status.INCONCLUSIVE,
                f"The gate file limits the rise of a check that was not judged: "
                f"{unknown('check', objective, known)}",
            )
    for comparison in regression.comparisons:
        finding = _Finding(comparison.status, said(comparison, regression.confidence))
        waiver = waivers.get(comparison.objective)
        yield finding if waiver is None else _waived(finding, waiver)


def _waived(finding: _Finding, waiver: Exemption) -> _Finding:
    """Return what a gate's own limit found, as a warning where the waiver covers it."""
    if finding.status in {Status.PASS, Status.WARN}:
        return finding
    return _Finding(Status.WARN, f"Waived {waiver}: {finding.reason}")


def _waived_findings(verdicts: Sequence[Verdict], waivers: Mapping[str, Exemption]) -> Iterator[_Finding]:
    for verdict in verdicts:
        if is_waived(verdict, waivers):
            said = f"{verdict.objective} is {verdict.status.value}: {verdict.summary}"
            yield _Finding(Status.WARN, f"Waived {waivers[verdict.objective]}: {said}")


def _policy_findings(
    verdicts: Sequence[Verdict], not_applicable: Mapping[str, Exemption]
) -> Iterator[_Finding]:
    left_out = dict.fromkeys(v.objective for v in verdicts if v.status is Status.NOT_APPLICABLE)
    for objective in left_out:
        if objective in not_applicable:
            said = f"{objective} is declared not applicable {not_applicable[objective]}."
            yield _Finding(Status.PASS, said)
        else:
            yield _Finding(
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


def _rule_finding(verdict: Verdict, rule: ObjectiveRule) -> _Finding:
    if verdict.status is Status.FAIL:
        return _Finding(Status.FAIL, f"{verdict.objective} failed: {verdict.summary}")
    if verdict.status not in {Status.PASS, Status.WARN} or verdict.value is None:
        return _unresolved(verdict)
    return _limit_finding(verdict, verdict.value, rule)


def _limit_finding(verdict: Verdict, value: float, rule: ObjectiveRule) -> _Finding:
    if rule.samples_min is not None and (verdict.samples or 0) < rule.samples_min:
        rests = "an unknown number of" if verdict.samples is None else f"{verdict.samples:,}"
        required = f"at least {rule.samples_min:,} required"
        return _Finding(Status.INCONCLUSIVE, f"{verdict.objective} rests on {rests} samples ({required}).")
    said = f"{verdict.objective}: {value:.9g}{f' {verdict.unit}' if verdict.unit else ''}"
    if rule.fail is not None and rule.fail.exceeded_by(value):
        return _Finding(Status.FAIL, f"{said}; {rule.fail.required()} required.")
    if rule.warn is not None and rule.warn.exceeded_by(value):
        return _Finding(Status.WARN, f"{said}; {rule.warn.required()} expected.")
    if verdict.status is Status.WARN:
        return _Finding(Status.WARN, f"{said}; within the gate's limits, with a warning: {verdict.summary}")
    return _Finding(Status.PASS, f"{said}; within the gate's limits.")


def _unresolved(verdict: Verdict) -> _Finding:
    lacking = " without a value" if verdict.status in {Status.PASS, Status.WARN} else ""
    said = f"{verdict.objective} is {verdict.status.value}{lacking}: {verdict.summary}"
    return _Finding(Status.INCONCLUSIVE, said)


def _not_judged(objective: str, verdicts: Sequence[Verdict]) -> _Finding:
    known = dict.fromkeys(verdict.objective for verdict in verdicts)
    return _Finding(
        Status.INCONCLUSIVE,
        f"The gate file names a check that was not judged: {unknown('check', objective, known)}",
    )

"""What a team's rules find in verdicts, objective by objective, whatever the score is."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace

from harness.judging.gate_rules import GateRules, ObjectiveRule
from harness.judging.requirements import Requirement, judged, judged_values
from harness.judging.waivers import Exemption, is_waived
from harness.model.protocols import Status, Verdict
from harness.model.registry import unknown
from harness.model.result import Score


@dataclass(frozen=True, slots=True)
class Finding:
    """One thing that a rule found, in a sentence; the worst of them decides."""

    status: Status
    reason: str


def unforgivable(verdicts: Sequence[Verdict], rules: GateRules, waivers: Mapping[str, Exemption]) -> str:
    """Return why one scenario's verdicts fail the gate, whatever those of other scenarios say; else nothing.

    What rests on all scenarios (the score, its coverage, a comparison with a baseline, a check that no
    scenario has) is not looked at.

    Args:
        verdicts: of one scenario, without what is waived; none of a FAIL, which every gate tells by itself.
        rules: what the team asks for.
        waivers: the waivers that stand, by objective.
    """
    own = {verdict.objective for verdict in verdicts if verdict.status is not Status.NOT_APPLICABLE}
    asked = replace(
        rules,
        veto=tuple(objective for objective in rules.veto if objective in own),
        objectives={objective: rule for objective, rule in rules.objectives.items() if objective in own},
        required=tuple(each for each in rules.required if each.subject in own),
    )
    findings = (
        *extra_veto_findings(asked.veto, verdicts, waivers),
        *objective_findings(verdicts, verdicts, asked, waivers),
        *_unless_waived({each: judged_values(each, verdicts) for each in asked.required}, waivers),
    )
    return next((each.reason for each in findings if rules.counted(each.status) is Status.FAIL), "")


def extra_veto_findings(
    extra: Sequence[str], verdicts: Sequence[Verdict], waivers: Mapping[str, Exemption]
) -> Iterator[Finding]:
    """Find what became of the objectives whose FAIL the gate file makes a veto.

    Args:
        extra: objectives under `veto` in the gate file.
        verdicts: of all scenarios, with what is waived.
        waivers: those that stand today, by objective.

    Returns:
        Of each objective its failures and what is unresolved, or that it was not judged; nothing where it
        passed or is waived.
    """
    for objective in extra:
        judged = _judged(objective, verdicts)
        if not judged:
            yield _not_judged(objective, verdicts)
        for verdict in judged:
            if is_waived(verdict, waivers):
                continue
            if verdict.status is Status.FAIL:
                yield Finding(Status.FAIL, f'Veto "{objective}" of the gate file: {verdict.summary}')
            elif verdict.status not in {Status.PASS, Status.WARN}:
                yield _unresolved(verdict)


def objective_findings(
    counted: Sequence[Verdict],
    verdicts: Sequence[Verdict],
    rules: GateRules,
    waivers: Mapping[str, Exemption],
) -> Iterator[Finding]:
    """Find what became of the objectives that the gate file limits.

    Args:
        counted: the verdicts without what is waived.
        verdicts: all of them; they tell an objective that was waived from one that was not judged.
        rules: of the gate file.
        waivers: those that stand today, by objective.

    Returns:
        A finding a verdict that is limited, and one for each objective that was not judged.
    """
    for objective, rule in rules.objectives.items():
        if not any(verdict.objective == objective for verdict in verdicts):
            yield _not_judged(objective, verdicts)
        for verdict in _judged(objective, counted):
            finding = _rule_finding(verdict, rule)
            if objective in waivers and verdict.status in {Status.PASS, Status.WARN}:
                finding = as_waived(finding, waivers[objective])
            yield finding


def required_findings(
    score: Score, counted: Sequence[Verdict], rules: GateRules, waivers: Mapping[str, Exemption]
) -> Iterator[Finding]:
    """Find what the command line asks for, and what came of it.

    Args:
        score: the run's, without what is waived.
        counted: the verdicts without what is waived.
        rules: whose `required` holds what is asked for.
        waivers: those that stand today, by objective; one of them may excuse what is asked for.

    Returns:
        A finding for each requirement.
    """
    return _unless_waived({each: judged(each, score, counted) for each in rules.required}, waivers)


def _unless_waived(
    found: Mapping[Requirement, tuple[Status, str]], waivers: Mapping[str, Exemption]
) -> Iterator[Finding]:
    for requirement, (status, said) in found.items():
        finding, waiver = Finding(status, said), waivers.get(requirement.subject)
        yield finding if waiver is None else as_waived(finding, waiver)


def failure_findings(counted: Sequence[Verdict], rules: GateRules) -> Iterator[Finding]:
    """Find each objective that failed; those that a veto or a rule of the gate file names are told there.

    Args:
        counted: the verdicts without what is waived.
        rules: of the gate file.

    Returns:
        One FAIL an objective, however many scenarios it failed in; the first of them is quoted.
    """
    told = {*rules.veto, *rules.objectives}
    failed = [verdict for verdict in counted if verdict.status is Status.FAIL]
    for objective in dict.fromkeys(verdict.objective for verdict in failed):
        own = [verdict for verdict in failed if verdict.objective == objective]
        if objective in told or any(verdict.vetoes for verdict in own):
            continue
        where = f" (in {len(own):,} scenarios, first)" if len(own) > 1 else ""
        yield Finding(Status.FAIL, f"{objective} failed{where}: {own[0].summary}")


def as_waived(finding: Finding, waiver: Exemption) -> Finding:
    """Return what a gate's own limit found, as a warning where the waiver covers it."""
    if finding.status in {Status.PASS, Status.WARN}:
        return finding
    return Finding(Status.WARN, f"Waived {waiver}: {finding.reason}")


def _judged(objective: str, verdicts: Sequence[Verdict]) -> list[Verdict]:
    """Return an objective's verdicts, but for those that a policy took out of the plan."""
    return [
        verdict
        for verdict in verdicts
        if verdict.objective == objective and verdict.status is not Status.NOT_APPLICABLE
    ]


def _rule_finding(verdict: Verdict, rule: ObjectiveRule) -> Finding:
    if verdict.status is Status.FAIL:
        return Finding(Status.FAIL, f"{verdict.objective} failed: {verdict.summary}")
    if verdict.status not in {Status.PASS, Status.WARN} or verdict.value is None:
        return _unresolved(verdict)
    return _limit_finding(verdict, verdict.value, rule)


def _limit_finding(verdict: Verdict, value: float, rule: ObjectiveRule) -> Finding:
    if rule.samples_min is not None and (verdict.samples or 0) < rule.samples_min:
        rests = "an unknown number of" if verdict.samples is None else f"{verdict.samples:,}"
        required = f"at least {rule.samples_min:,} required"
        return Finding(Status.INCONCLUSIVE, f"{verdict.objective} rests on {rests} samples ({required}).")
    said = f"{verdict.objective}: {value:.9g}{f' {verdict.unit}' if verdict.unit else ''}"
    if rule.fail is not None and rule.fail.exceeded_by(value):
        return Finding(Status.FAIL, f"{said}; {rule.fail.required()} required.")
    if rule.warn is not None and rule.warn.exceeded_by(value):
        return Finding(Status.WARN, f"{said}; {rule.warn.required()} expected.")
    if verdict.status is Status.WARN:
        return Finding(Status.WARN, f"{said}; within the gate's limits, with a warning: {verdict.summary}")
    return Finding(Status.PASS, f"{said}; within the gate's limits.")


def _unresolved(verdict: Verdict) -> Finding:
    lacking = " without a value" if verdict.status in {Status.PASS, Status.WARN} else ""
    said = f"{verdict.objective} is {verdict.status.value}{lacking}: {verdict.summary}"
    return Finding(Status.INCONCLUSIVE, said)


def _not_judged(objective: str, verdicts: Sequence[Verdict]) -> Finding:
    known = dict.fromkeys(verdict.objective for verdict in verdicts)
    return Finding(
        Status.INCONCLUSIVE,
        f"The gate file names a check that was not judged: {unknown('check', objective, known)}",
    )

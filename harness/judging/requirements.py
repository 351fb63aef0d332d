"""What a command line asks of a run in one word, e.g. `score>=98` or `response_p99_ms<50ms`.

A requirement is a subject (`score`, `coverage`, or an objective), a comparison, a number and perhaps a unit.
Each is judged by itself: on the score's whole interval, or on the value of every scenario.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from operator import eq, ge, gt, le, lt
from types import MappingProxyType

from harness.judging.points import hundredths, interval
from harness.model.errors import UsageError
from harness.model.protocols import Status, Verdict
from harness.model.registry import unknown
from harness.model.result import Score

SCORE = "score"
COVERAGE = "coverage"
_FORM = re.compile(
    r"\s*(?P<subject>[A-Za-z][\w.:-]{0,199}?)\s*(?P<comparison>>=|<=|==|>|<)"
    r"\s*(?P<bound>[0-9]{1,15}(?:\.[0-9]{1,15})?)\s*(?P<unit>[A-Za-zµ%][A-Za-zµ%/]{0,31})?\s*"
)
_COMPARISONS = MappingProxyType({">=": ge, "<=": le, "==": eq, ">": gt, "<": lt})
_EXAMPLE = (
    "Write a word, a comparison (>=, >, <=, <, ==) and a number, e.g. score>=98 or response_p99_ms<50ms."
)
# Float arithmetic must not miss a bound that is reached.
_TOLERANCE = 1e-9

# Each unit of a family in the family's own.
_FAMILIES: tuple[Mapping[str, float], ...] = (
    {"ns": 1e-9, "us": 1e-6, "µs": 1e-6, "ms": 1e-3, "s": 1.0, "seconds": 1.0, "min": 60.0},
    {"B": 1.0, "bytes": 1.0, "KiB": 2.0**10, "MiB": 2.0**20, "GiB": 2.0**30},
    {"%": 0.01, "ratio": 1.0},
)
# The unit is last in an objective's word, or before what it is compared with.
_UNITS_IN_WORDS = MappingProxyType({"ms": "ms", "seconds": "s", "mib": "MiB", "percent": "%"})


@dataclass(frozen=True, slots=True)
class Requirement:
    """One comparison that must hold; `unit` is empty for the subject's own."""

    subject: str
    comparison: str
    bound: float
    unit: str = ""

    def __str__(self) -> str:
        return f"{self.subject}{self.comparison}{self.bound:.15g}{self.unit}"

    def holds(self, value: float, bound: float) -> bool:
        """Say whether a value is as required; `bound` is this requirement's in the value's own unit."""
        if abs(value - bound) <= _TOLERANCE * max(1.0, abs(bound)):
            value = bound
        return bool(_COMPARISONS[self.comparison](value, bound))

    @property
    def least_score(self) -> float | None:
        """The least score that it asks for; None where it asks for something else."""
        return self.bound if self.subject == SCORE and self.comparison.startswith(">") else None


def parse_requirement(text: str) -> Requirement:
    """Read one requirement.

    Args:
        text: what is judged, a comparison, a number, and perhaps its unit; as in `coverage>=0.9`.

    Returns:
        The requirement, whose subject need not be one that is judged; see `require_known`.

    Raises:
        UsageError: it is not of the form, or can never be decided as it is written.
    """
    match = _FORM.fullmatch(text)
    if match is None:
        raise UsageError(f'--require "{text}": cannot be read. {_EXAMPLE}')
    requirement = Requirement(
        match["subject"], match["comparison"], float(match["bound"]), match["unit"] or ""
    )
    if problem := _problem(requirement):
        raise UsageError(f'--require "{text}": {problem}')
    return requirement


def require_known(requirements: Sequence[Requirement], units: Mapping[str, str]) -> None:
    """Check that each requirement is about something that is judged, in a unit that it is measured in.

    Args:
        requirements: of the command line or a gate file.
        units: of each objective that is judged; empty where it is not known.

    Raises:
        UsageError: one names no objective of these, with the nearest word; or it can never be decided.
    """
    known = dict.fromkeys((SCORE, COVERAGE, *units))
    for requirement in requirements:
        if requirement.subject not in known:
            problem = unknown("score, coverage or objective", requirement.subject, known)
            raise UsageError(f'--require "{requirement}": {problem}')
        own, unit = units.get(requirement.subject, ""), requirement.unit
        if own and _in_unit(requirement.bound, unit, own) is None:
            raise UsageError(
                f'--require "{requirement}": {requirement.subject} is measured in {own}, which {unit} cannot '
                f"be compared with. Write {replace(requirement, unit='')}, which is in {own}."
            )


def judged(requirement: Requirement, score: Score, verdicts: Sequence[Verdict]) -> tuple[Status, str]:
    """Judge one requirement.

    Args:
        requirement: what must hold.
        score: the run's, without what is waived.
        verdicts: of all scenarios, without what is waived.

    Returns:
        PASS, FAIL or INCONCLUSIVE, and a sentence that begins with the requirement.
    """
    if requirement.subject not in {SCORE, COVERAGE}:
        return judged_values(requirement, verdicts)
    status, said = _judged_share(requirement, score, bool(verdicts))
    return status, f'Required "{requirement}": {said}'


def judged_values(requirement: Requirement, verdicts: Sequence[Verdict]) -> tuple[Status, str]:
    """Judge a requirement of an objective's value; as `judged` does.

    Args:
        requirement: of an objective, not of the score or the coverage.
        verdicts: of all scenarios, without what is waived.

    Returns:
        PASS, FAIL or INCONCLUSIVE, and a sentence that begins with the requirement.
    """
    own = [verdict for verdict in verdicts if verdict.objective == requirement.subject]
    applying = [verdict for verdict in own if verdict.status is not Status.NOT_APPLICABLE]
    status, said = _judged_values(requirement, applying)
    return status, f'Required "{requirement}": {said}'


def _problem(requirement: Requirement) -> str:
    subject, unit, bound = requirement.subject, requirement.unit, requirement.bound
    if subject == SCORE:
        if unit not in {"", "points"}:
            return f"a score is in points, not {unit}. Leave the unit out."
        return "" if bound <= 100 else "a score has at most 100 points."
    if subject == COVERAGE:
        if unit not in _FAMILIES[2]:
            return "say the unit of a coverage, e.g. coverage>=90%."
        return "" if bound * _FAMILIES[2][unit] <= 1 else "a coverage is at most 100%."
    own = next((_UNITS_IN_WORDS[part] for part in _parts(subject) if part in _UNITS_IN_WORDS), "")
    if own and _in_unit(bound, unit, own) is None:
        return f"{subject} is in {own}, which {unit} cannot be compared with."
    return ""


def _parts(word: str) -> Iterator[str]:
    yield from reversed(word.split("_"))


def _judged_share(requirement: Requirement, score: Score, any_verdict: bool) -> tuple[Status, str]:
    if not any_verdict:
        return Status.INCONCLUSIVE, "nothing was judged."
    if requirement.subject == COVERAGE:
        bound = requirement.bound * _FAMILIES[2][requirement.unit]
        holds = requirement.holds(score.coverage, bound)
        share = hundredths(score.coverage * 100) / 100
        return (Status.PASS if holds else Status.FAIL), f"{share:g} % of the planned weight was decided."
    if score.vetoes:
        return Status.FAIL, "a veto stands, so the score is withheld."
    said = f"score {interval(hundredths(score.low), hundredths(score.high))}."
    ends = [requirement.holds(end, requirement.bound) for end in (score.low, score.high)]
    if ends[0] is not ends[1] or (requirement.comparison == "==" and score.low != score.high):
        return Status.INCONCLUSIVE, f"{said[:-1]}, which is not decided."
    return (Status.PASS if ends[0] else Status.FAIL), said


def _judged_values(requirement: Requirement, verdicts: Sequence[Verdict]) -> tuple[Status, str]:
    values: list[float] = []
    missed: list[float] = []
    unit = next((verdict.unit for verdict in verdicts if verdict.value is not None), "")
    bound = _in_unit(requirement.bound, requirement.unit, unit)
    if bound is None:
        said = f"it is measured in {unit or 'no unit'}, which {requirement.unit} cannot be compared with."
        return Status.INCONCLUSIVE, said
    for verdict in verdicts:
        if verdict.value is not None and verdict.status in {Status.PASS, Status.WARN, Status.FAIL}:
            values.append(verdict.value)
            if not requirement.holds(verdict.value, bound):
                missed.append(verdict.value)
    if missed:
        where = f" at worst, in {len(missed):,} of {len(verdicts):,} scenarios" if len(verdicts) > 1 else ""
        return Status.FAIL, f"{_worst(missed, requirement)} {unit}".rstrip() + f"{where}."
    open_ones = [verdict for verdict in verdicts if _is_open(verdict)]
    if open_ones:
        first = open_ones[0]
        return Status.INCONCLUSIVE, f"{first.objective} is {first.status.value}: {first.summary}"
    if not values:
        return Status.INCONCLUSIVE, "it was not judged."
    return Status.PASS, f"{_worst(values, requirement)} {unit}".rstrip() + " at worst."


def _is_open(verdict: Verdict) -> bool:
    return verdict.value is None or verdict.status not in {Status.PASS, Status.WARN, Status.FAIL}


def _worst(values: Sequence[float], requirement: Requirement) -> str:
    worst = min(values) if requirement.comparison.startswith(">") else max(values)
    return f"{worst:.9g}"


def _in_unit(bound: float, unit: str, own: str) -> float | None:
    """Return a bound in the value's own unit; None where the two cannot be compared."""
    if not unit or unit.rstrip("s") == own.rstrip("s"):
        return bound
    for family in _FAMILIES:
        if unit in family and own in family:
            return bound * family[unit] / family[own]
    return None

"""What a team asks of a run: a least score, limits on objectives, what it excuses."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from enum import Enum
from operator import ge, gt, le, lt
from types import MappingProxyType

from harness.judging.regression import RegressionRules
from harness.judging.requirements import Requirement
from harness.judging.waivers import Exemption
from harness.model.protocols import Status

_COMPARISONS = MappingProxyType({">": gt, ">=": ge, "<": lt, "<=": le})
_REQUIRED = MappingProxyType({">": "at most", ">=": "less than", "<": "at least", "<=": "more than"})


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

    Args:
        rules: the gate file's, or the built-in ones, whose `source` is empty.
        required: what the command line asks for; it takes the place of what `rules` require so far.
    """
    least = [each.least_score for each in required if each.least_score is not None]
    score_min = max(least) if least and not rules.source else rules.score_min
    return replace(rules, required=tuple(required), score_min=score_min)

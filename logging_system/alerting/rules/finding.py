"""Something changed: `watch` found it in the stream or in the pipeline, with a class of cause."""

from __future__ import annotations

from dataclasses import asdict, dataclass
from typing import Any, ClassVar, Literal

from pydantic import Field

from logging_system.alerting.facts import Began, Change, Ended, Labels
from logging_system.alerting.matching import Document, label_text
from logging_system.alerting.rules.declared import Clock, DeclaredRule
from logging_system.coordination.findings import CauseClass, FindingKind

_BY = ("finding.kind", "finding.subject")
_GONE_SECONDS = 60.0
"""A finding that is not told any more for so long has ended: what lasts is told again and again."""


class FindingRule(DeclaredRule):
    """Findings of some kinds and causes; an alert lasts as long as its finding."""

    kind: Literal["finding"] = Field("finding", description="The kind.")
    by: tuple[str, ...] = Field(
        _BY, max_length=8, description="Fields of the finding that tell the rule's alerts apart."
    )
    kinds: tuple[FindingKind, ...] = Field((), description="Kinds of findings. Default: all.")
    causes: tuple[CauseClass, ...] = Field((), description="Classes of cause. Default: all.")
    confidence_min: float = Field(0.0, ge=0, le=1, description="Less sure findings make no alert.")
    is_of_pipeline: ClassVar[bool] = True

    def machine(self, lateness_seconds: float) -> FindingMachine:
        """Return the rule at work, whatever `lateness_seconds` is: findings are told as of now."""
        return FindingMachine(self)

    def takes(self, finding: Document) -> bool:
        """Whether a finding makes an alert."""
        return (
            (not self.kinds or finding["kind"] in self.kinds)
            and (not self.causes or finding["cause"] in self.causes)
            and finding["confidence"] >= self.confidence_min
        )


@dataclass(slots=True)
class _Lasting:
    """A finding, or several that are told as one alert.

    Attributes:
        since_seconds: When it began.
        told_seconds: When it was told the last time.
        summary: Its sentence.
        is_over: Whether it was told that it ended.
        is_open: Whether an alert was begun.
    """

    since_seconds: float
    told_seconds: float
    summary: str
    is_over: bool = False
    is_open: bool = False


class FindingMachine:
    """The findings that last, by labels.

    Args:
        rule: What is declared.
    """

    def __init__(self, rule: FindingRule) -> None:
        self._rule = rule
        self._lasting: dict[Labels, _Lasting] = {}

    @property
    def series(self) -> int:
        """How many alerts it tells apart."""
        return len(self._lasting)

    def series_of(self, document: Document) -> Labels | None:
        """Return which alert a finding makes; None for one the rule does not look at."""
        finding = document.get("finding")
        if not isinstance(finding, dict) or not self._rule.takes(finding):
            return None
        return tuple((name, label_text(finding.get(name.removeprefix("finding.")))) for name in self._rule.by)

    def knows(self, labels: Labels) -> bool:
        """Whether such a finding lasts."""
        return labels in self._lasting

    def tell(self, labels: Labels, document: Document, event_seconds: float) -> None:
        """Take note of a finding that began, lasts or ended."""
        finding = document["finding"]
        lasting = self._lasting.get(labels)
        is_over = finding["until_seconds"] is not None
        if lasting is None:
            if not is_over:
                summary = f"{finding['summary']} Cause: {finding['cause']} ({finding['confidence']:.0%})."
                self._lasting[labels] = _Lasting(finding["since_seconds"], event_seconds, summary)
            return
        lasting.told_seconds, lasting.is_over = event_seconds, is_over

    def changes(self, clock: Clock) -> list[Change]:
        """Return which alerts begin and end."""
        changes: list[Change] = []
        for labels, lasting in list(self._lasting.items()):
            if not lasting.is_open:
                lasting.is_open = True
                changes.append(Began(self._rule.name, labels, lasting.since_seconds, lasting.summary))
            elif lasting.is_over or abs(clock.now_seconds - lasting.told_seconds) > _GONE_SECONDS:
                del self._lasting[labels]
                changes.append(
                    Ended(self._rule.name, labels, max(lasting.since_seconds, lasting.told_seconds))
                )
        return changes

    def explanation(self) -> list[tuple[Labels, str]]:
        """Return what each says."""
        return [(labels, lasting.summary) for labels, lasting in sorted(self._lasting.items())]

    def content(self) -> Any:
        """Return the findings that last."""
        lasting = [[labels, asdict(each)] for labels, each in self._lasting.items()]
        return {"kind": type(self._rule).__name__, "lasting": lasting}

    def restore(self, content: Any) -> None:
        """Go on with them."""
        if content["kind"] != type(self._rule).__name__:
            raise ValueError(f"{self._rule.name}: its kind was another")
        for given, each in content["lasting"]:
            labels: Labels = tuple((name, value) for name, value in given)
            if tuple(name for name, _ in labels) != self._rule.by:
                raise ValueError(f"{self._rule.name}: it was told apart by other fields")
            self._lasting[labels] = _Lasting(**each)

"""What a judgement says: something holds now, and what speaks for and against its cause."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

from logging_system.coordination.findings import CauseClass, FindingKind


@dataclass(frozen=True, slots=True)
class Judged:
    """Something that holds now. It becomes a finding once it has held for as long as it must.

    Attributes:
        kind: What changed.
        cause: The class of cause that the evidence points to.
        subject: What it is about.
        since_seconds: Event time at which it began, seconds since 1970.
        confidence: How sure, above 0 and at most 1.
        summary: One sentence with the numbers; it quotes no record.
        hold_seconds: How long it must hold to be a finding.
        namespace: The namespace whose records show it; empty where it concerns the pipeline.
        evidence_for: What speaks for the cause.
        evidence_against: What speaks against it.
        templates: Ids of the templates concerned.
        examples: At most three lines of records, or words of the store, not masked yet.
        measures: The numbers behind the sentences.
    """

    kind: FindingKind
    cause: CauseClass
    subject: str
    since_seconds: float
    confidence: float
    summary: str
    hold_seconds: float = 0.0
    namespace: str = ""
    evidence_for: tuple[str, ...] = ()
    evidence_against: tuple[str, ...] = ()
    templates: tuple[str, ...] = ()
    examples: tuple[str, ...] = ()
    measures: Mapping[str, float] = field(default_factory=dict)

    @property
    def key(self) -> tuple[str, str, str]:
        """Return what tells it from others that hold at the same time."""
        return self.kind.value, self.namespace, self.subject

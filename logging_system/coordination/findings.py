"""A finding: what changed, since when, how that is known, and what class of cause it points to."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum


class FindingKind(StrEnum):
    """What changed."""

    NEW_ERROR = "new_error"
    SPIKE = "spike"
    DROP = "drop"
    SILENCE = "silence"
    LATENCY_SHIFT = "latency_shift"
    PUSH_BACK = "push_back"
    STORE_UNREACHABLE = "store_unreachable"
    DISK_FILLING = "disk_filling"
    DUPLICATES = "duplicates"
    KEY_TROUBLE = "key_trouble"


class CauseClass(StrEnum):
    """Where the cause of a finding lies; each has its own runbooks."""

    STORE_DOWN = "store_down"
    STORE_SLOW = "store_slow"
    STORE_REFUSES = "store_refuses"
    NETWORK = "network"
    DISK = "disk"
    KEYS = "keys"
    LOAD = "load"
    APPLICATION = "application"
    UNKNOWN = "unknown"


@dataclass(frozen=True, slots=True)
class Finding:
    """Something that changed, and the evidence.

    Attributes:
        finding_id: Its identity: the same change is the same finding after a restart.
        kind: What changed.
        cause: The class of cause that the evidence points to.
        namespace: The namespace whose records show it; empty where it concerns the pipeline itself.
        subject: What it is about: a template's id, a logger, a store's name.
        since_seconds: Event time at which the change began, seconds since 1970.
        found_seconds: When it was found, seconds since 1970.
        until_seconds: Event time at which it last held; None while it lasts.
        confidence: How sure, above 0 and at most 1.
        summary: One sentence with the numbers.
        evidence_for: What speaks for the cause, one sentence each.
        evidence_against: What speaks against it, one sentence each.
        templates: Ids of the templates concerned.
        examples: At most three lines, masked.
        measures: The numbers behind the sentences, by name with the unit last.
    """

    finding_id: str
    kind: FindingKind
    cause: CauseClass
    namespace: str
    subject: str
    since_seconds: float
    found_seconds: float
    confidence: float
    summary: str
    until_seconds: float | None = None
    evidence_for: tuple[str, ...] = ()
    evidence_against: tuple[str, ...] = ()
    templates: tuple[str, ...] = ()
    examples: tuple[str, ...] = ()
    measures: Mapping[str, float] = field(default_factory=dict)

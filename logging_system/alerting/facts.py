"""What rules find and what becomes of it: alerts by fingerprint, and the notices that people get."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass

import orjson

Labels = tuple[tuple[str, str], ...]
"""Names and values that tell the alerts of one rule apart, in the order in which the rule names them."""


def fingerprint(rule: str, labels: Labels) -> str:
    """Return the identity of an alert: 16 hexadecimal digits of its rule and labels."""
    return hashlib.sha256(orjson.dumps([rule, labels])).hexdigest()[:16]


@dataclass(frozen=True, slots=True)
class Began:
    """A rule's condition holds.

    Attributes:
        rule: The rule's name.
        labels: What tells this alert from others of the rule.
        since_seconds: Event time at which it began, seconds since 1970.
        summary: One sentence with the numbers.
    """

    rule: str
    labels: Labels
    since_seconds: float
    summary: str


@dataclass(frozen=True, slots=True)
class Ended:
    """A rule's condition held before and does not hold any more.

    Attributes:
        rule: The rule's name.
        labels: What tells this alert from others of the rule.
        until_seconds: Event time at which it last held.
    """

    rule: str
    labels: Labels
    until_seconds: float


@dataclass(frozen=True, slots=True)
class Restated:
    """An alert goes on, with other numbers.

    Attributes:
        rule: The rule's name.
        labels: What tells this alert from others of the rule.
        summary: One sentence with the numbers.
    """

    rule: str
    labels: Labels
    summary: str


Change = Began | Ended | Restated


@dataclass(frozen=True, slots=True)
class AlertNotice:
    """One alert in a notification.

    Attributes:
        fingerprint: Its identity.
        rule: The rule's name.
        labels: What tells it from others of the rule.
        severity: As the rule declares it.
        is_firing: Whether it fires; otherwise it is resolved.
        since_seconds: Event time at which it began.
        until_seconds: Event time at which it last held; None while it fires.
        times: How often it began since the notification before this one; 0 where this one only repeats.
        summary: One sentence with the numbers.
        examples: At most three lines that it was found in, masked.
        runbook: A link for whoever is on call; empty where none is declared.
        query: What to search the store for, in KQL.
    """

    fingerprint: str
    rule: str
    labels: Labels
    severity: str
    is_firing: bool
    since_seconds: float
    until_seconds: float | None
    times: int
    summary: str
    examples: tuple[str, ...] = ()
    runbook: str = ""
    query: str = ""


@dataclass(frozen=True, slots=True)
class Notification:
    """What is told at once about one group of alerts.

    Attributes:
        key: The deduplication key: whoever gets it a second time has got the same message twice.
        group: The labels that the alerts share, `rule` among them where they are grouped by it.
        notices: The alerts.
        made_seconds: When it was made, seconds since 1970.
        left_off: How many more alerts it stands for; they are in the history.
        left_off_resolved: How many of those are over.
    """

    key: str
    group: Labels
    notices: tuple[AlertNotice, ...]
    made_seconds: float
    left_off: int = 0
    left_off_resolved: int = 0

    @property
    def is_firing(self) -> bool:
        """Whether one of the alerts fires."""
        return self.left_off > self.left_off_resolved or any(notice.is_firing for notice in self.notices)

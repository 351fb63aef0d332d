"""Makes findings that begin and end of what holds at each look: minimum duration, hysteresis, bounds."""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

import orjson

from logging_system.coordination.detection.judged import Judged
from logging_system.coordination.finding_content import content_of, finding_of
from logging_system.coordination.findings import CauseClass, Finding, FindingKind

OPEN_MAX = 200
"""Findings that are open or may become one; what is beyond is counted."""
_QUIET_SECONDS: Mapping[FindingKind, float] = {
    FindingKind.NEW_ERROR: 60.0,
    FindingKind.SPIKE: 15.0,
    FindingKind.DROP: 15.0,
    FindingKind.SILENCE: 5.0,
    FindingKind.DUPLICATES: 15.0,
}
_QUIET_SECONDS_DEFAULT = 8.0
"""So long a finding must not hold to end: trouble that comes and goes is one finding."""
_FORGOTTEN_SECONDS = 2.5
"""What did not hold for so long before it was a finding begins anew."""

_Key = tuple[str, str, str]
Shown = Callable[[Sequence[str]], tuple[str, ...]]


@dataclass(slots=True)
class _Entry:
    """One thing that holds, held lately, or is a finding.

    Attributes:
        first_seconds: When it was first judged.
        last_seconds: When it was judged the last time.
        judged: The latest judgement.
        finding: The finding; None while it has not held for long enough.
    """

    first_seconds: float
    last_seconds: float
    judged: Judged
    finding: Finding | None = None


class FindingBook:
    """All that holds, by kind, namespace and subject.

    Args:
        shown: Makes of example lines what may be kept and shown.
    """

    def __init__(self, shown: Shown = tuple) -> None:
        self._shown = shown
        self._entries: dict[_Key, _Entry] = {}
        self.overflowed = 0
        """Judgements that found no room."""

    @property
    def open_findings(self) -> list[Finding]:
        """The findings that last."""
        return [entry.finding for entry in self._entries.values() if entry.finding is not None]

    def look(self, judged: Iterable[Judged], now_seconds: float) -> list[Finding]:
        """Take note of all that holds now.

        Args:
            judged: All of it.
            now_seconds: Seconds since 1970.

        Returns:
            Findings that began, changed their cause, or ended, which have `until_seconds`.
        """
        changed = [found for each in judged if (found := self._note(each, now_seconds)) is not None]
        return [*changed, *self._ended(now_seconds)]

    def _note(self, judged: Judged, now_seconds: float) -> Finding | None:
        entry = self._entries.get(judged.key)
        if entry is None:
            if len(self._entries) >= OPEN_MAX:
                self.overflowed += 1
                return None
            entry = self._entries[judged.key] = _Entry(now_seconds, now_seconds, judged)
        entry.last_seconds, entry.judged = now_seconds, judged
        if entry.finding is None:
            if now_seconds - entry.first_seconds < judged.hold_seconds:
                return None
            entry.finding = _new_finding(judged, now_seconds, self._shown)
            return entry.finding
        if judged.cause is entry.finding.cause or not _is_better(judged, entry.finding):
            return None
        entry.finding = _retold(entry.finding, judged, self._shown)
        return entry.finding

    def _ended(self, now_seconds: float) -> list[Finding]:
        ended = []
        for key, entry in list(self._entries.items()):
            # A clock that went back by much must not keep a finding open.
            silent_seconds = abs(now_seconds - entry.last_seconds)
            if entry.finding is None:
                if silent_seconds > _FORGOTTEN_SECONDS:
                    del self._entries[key]
            elif silent_seconds > _QUIET_SECONDS.get(entry.judged.kind, _QUIET_SECONDS_DEFAULT):
                del self._entries[key]
                until_seconds = max(entry.finding.since_seconds, entry.last_seconds)
                ended.append(replace(entry.finding, until_seconds=until_seconds))
        return ended

    def content(self) -> list[Any]:
        """Return the findings that last, as JSON has them; what is not a finding yet begins anew."""
        return [
            {"finding": content_of(entry.finding), "last_seconds": entry.last_seconds}
            for entry in self._entries.values()
            if entry.finding is not None
        ]

    def restore(self, content: Iterable[Mapping[str, Any]]) -> None:
        """Go on with what `content` returned."""
        for each in content:
            finding = finding_of(each["finding"], "state")
            judged = Judged(
                finding.kind,
                finding.cause,
                finding.subject,
                finding.since_seconds,
                finding.confidence,
                finding.summary,
                namespace=finding.namespace,
            )
            last_seconds = float(each["last_seconds"])
            self._entries[judged.key] = _Entry(last_seconds, last_seconds, judged, finding)


def finding_id(judged: Judged) -> str:
    """Return a finding's identity: 16 hexadecimal digits of what it is about and its first second."""
    identity = [*judged.key, int(judged.since_seconds)]
    return hashlib.sha256(orjson.dumps(identity)).hexdigest()[:16]


def _new_finding(judged: Judged, now_seconds: float, shown: Shown) -> Finding:
    return Finding(
        finding_id=finding_id(judged),
        kind=judged.kind,
        cause=judged.cause,
        namespace=judged.namespace,
        subject=judged.subject,
        since_seconds=min(judged.since_seconds, now_seconds),
        found_seconds=now_seconds,
        confidence=judged.confidence,
        summary=judged.summary,
        evidence_for=judged.evidence_for,
        evidence_against=judged.evidence_against,
        templates=judged.templates,
        examples=shown(judged.examples),
        measures=judged.measures,
    )


def _retold(finding: Finding, judged: Judged, shown: Shown) -> Finding:
    """Return the same finding with the cause that is known better now."""
    return replace(
        finding,
        cause=judged.cause,
        confidence=judged.confidence,
        summary=judged.summary,
        evidence_for=judged.evidence_for,
        evidence_against=judged.evidence_against,
        examples=shown(judged.examples),
        measures=judged.measures,
    )


def _is_better(judged: Judged, finding: Finding) -> bool:
    return finding.cause is CauseClass.UNKNOWN or judged.confidence > finding.confidence + 0.04

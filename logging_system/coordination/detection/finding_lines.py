"""How findings are written as lines of `findings.jsonl`."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any

from logging_system.coordination.findings import CauseClass, Finding, FindingKind

FORMAT_VERSION = 1
_TUPLES = ("evidence_for", "evidence_against", "templates", "examples")


def rfc3339(seconds: float) -> str:
    """Return a moment in UTC with milliseconds, such as `2026-01-01T00:00:00.000Z`.

    Args:
        seconds: Seconds since 1970; what is less than a millisecond is cut off.
    """
    return datetime.fromtimestamp(seconds, UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")


def seconds_of(text: str) -> float:
    """Return the moment that `rfc3339` wrote, in seconds since 1970.

    Args:
        text: What it wrote.

    Raises:
        ValueError: It is none.
    """
    return datetime.fromisoformat(text).timestamp()


def line_of(finding: Finding, incident_id: str) -> dict[str, Any]:
    """Return a finding as a line of `findings.jsonl` has it; see docs/reference/findings.md.

    Args:
        finding: The finding; its times are cut to milliseconds.
        incident_id: The incident that it belongs to; empty where it found no room in one.
    """
    return {
        "format": FORMAT_VERSION,
        "finding_id": finding.finding_id,
        "kind": finding.kind.value,
        "cause": finding.cause.value,
        "namespace": finding.namespace,
        "subject": finding.subject,
        "since": rfc3339(finding.since_seconds),
        "found": rfc3339(finding.found_seconds),
        "until": None if finding.until_seconds is None else rfc3339(finding.until_seconds),
        "confidence": finding.confidence,
        "summary": finding.summary,
        "evidence_for": finding.evidence_for,
        "evidence_against": finding.evidence_against,
        "templates": finding.templates,
        "examples": finding.examples,
        "measures": dict(finding.measures),
        "incident_id": incident_id,
    }


def finding_of_line(line: Mapping[str, Any]) -> Finding:
    """Return the finding that `line_of` made a line of; its times have milliseconds.

    Raises:
        KeyError: It is none.
        TypeError: As above.
        ValueError: As above.
    """
    until = line["until"]
    return Finding(
        finding_id=line["finding_id"],
        kind=FindingKind(line["kind"]),
        cause=CauseClass(line["cause"]),
        namespace=line["namespace"],
        subject=line["subject"],
        since_seconds=seconds_of(line["since"]),
        found_seconds=seconds_of(line["found"]),
        until_seconds=None if until is None else seconds_of(until),
        confidence=line["confidence"],
        summary=line["summary"],
        measures=dict(line["measures"]),
        **{name: tuple(line[name]) for name in _TUPLES},
    )

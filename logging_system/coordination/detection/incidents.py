"""Related findings become one incident with a timeline: those that last at the same time, or nearly."""

from __future__ import annotations

import hashlib
from collections import deque
from collections.abc import Iterable, Mapping
from dataclasses import asdict, dataclass, field
from typing import Any

from logging_system.coordination.findings import Finding

CLOSED_MAX = 50
TIMELINE_MAX = 100
FINDINGS_MAX = 100
QUIET_SECONDS = 30.0
"""So long after its last finding ended, a new one still belongs to the incident."""


@dataclass(frozen=True, slots=True)
class TimelineEntry:
    """Something that happened in an incident.

    Attributes:
        seconds: When, seconds since 1970.
        what: `began`, `found`, `cause`, `ended` or `closed`.
        finding_id: The finding it is about; empty for the incident as a whole.
        sentence: What, for people.
    """

    seconds: float
    what: str
    finding_id: str
    sentence: str


@dataclass(slots=True)
class Incident:
    """Findings that belong together.

    Attributes:
        incident_id: Its identity, made of its first finding's.
        namespace: The namespace of its records; empty while it concerns the pipeline alone.
        began_seconds: When the first of its findings began, seconds since 1970.
        ended_seconds: When the last of them ended; None while one lasts.
        cause: The cause of the finding that it is surest of.
        confidence: How sure it is of that.
        findings: The ids of its findings, in the order in which they were found.
        open_findings: Those that last.
        kinds: Their kinds, as many.
        timeline: What happened, in order.
        left_off: Entries of the timeline, and findings, that found no room.
    """

    incident_id: str
    namespace: str
    began_seconds: float
    cause: str
    confidence: float
    ended_seconds: float | None = None
    findings: list[str] = field(default_factory=list)
    open_findings: list[str] = field(default_factory=list)
    kinds: list[str] = field(default_factory=list)
    timeline: list[TimelineEntry] = field(default_factory=list)
    left_off: int = 0

    def note(self, entry: TimelineEntry) -> None:
        """Add to the timeline."""
        if len(self.timeline) < TIMELINE_MAX:
            self.timeline.append(entry)
        else:
            self.left_off += 1


class Incidents:
    """The incidents that last, and the latest that ended."""

    def __init__(self) -> None:
        self._open: list[Incident] = []
        self._closed: deque[Incident] = deque(maxlen=CLOSED_MAX)

    @property
    def open_count(self) -> int:
        """How many last."""
        return len(self._open)

    def all(self) -> list[Incident]:
        """Return them, the latest last."""
        return [*self._closed, *self._open]

    def id_of(self, finding: Finding) -> str:
        """Return the id of the incident that a finding belongs to; nothing where it found no room."""
        incident = self._of(finding)
        return "" if incident is None else incident.incident_id

    def note(self, finding: Finding) -> Incident:
        """Take note of a finding that began, was told anew, or ended.

        Returns:
            The incident that it belongs to.
        """
        incident = self._of(finding) or self._joined(finding) or self._new(finding)
        if finding.finding_id not in incident.findings:
            self._add(incident, finding)
        elif finding.until_seconds is None:
            entry = TimelineEntry(finding.found_seconds, "cause", finding.finding_id, finding.summary)
            incident.note(entry)
        else:
            self._end(incident, finding, finding.until_seconds)
        if finding.confidence > incident.confidence:
            incident.cause, incident.confidence = finding.cause.value, finding.confidence
        return incident

    def close_quiet(self, now_seconds: float) -> list[Incident]:
        """Close incidents whose findings all ended a while ago, and return them.

        Args:
            now_seconds: Seconds since 1970. A while is over `QUIET_SECONDS`; the difference counts also where
                the clock was set back.
        """
        quiet = [
            each
            for each in self._open
            if each.ended_seconds is not None and abs(now_seconds - each.ended_seconds) > QUIET_SECONDS
        ]
        for incident in quiet:
            ended_seconds = incident.ended_seconds or now_seconds
            lasted_seconds = ended_seconds - incident.began_seconds
            sentence = f"All {len(incident.findings)} findings ended after {lasted_seconds:.0f} s."
            incident.note(TimelineEntry(ended_seconds, "closed", "", sentence))
            self._open.remove(incident)
            self._closed.append(incident)
        return quiet

    def _of(self, finding: Finding) -> Incident | None:
        for incident in reversed(self.all()):
            if finding.finding_id in incident.findings:
                return incident
        return None

    def _joined(self, finding: Finding) -> Incident | None:
        """Return the incident that lasts and may concern the same: of the pipeline, or the same namespace."""
        for incident in reversed(self._open):
            if not finding.namespace or not incident.namespace or incident.namespace == finding.namespace:
                incident.namespace = incident.namespace or finding.namespace
                return incident
        return None

    def _new(self, finding: Finding) -> Incident:
        identity = hashlib.sha256(f"incident {finding.finding_id}".encode()).hexdigest()[:16]
        incident = Incident(
            identity, finding.namespace, finding.since_seconds, finding.cause.value, finding.confidence
        )
        incident.note(TimelineEntry(finding.since_seconds, "began", finding.finding_id, finding.summary))
        self._open.append(incident)
        return incident

    def _add(self, incident: Incident, finding: Finding) -> None:
        if len(incident.findings) >= FINDINGS_MAX:
            incident.left_off += 1
            return
        incident.findings.append(finding.finding_id)
        if finding.kind.value not in incident.kinds:
            incident.kinds.append(finding.kind.value)
        if finding.until_seconds is None:
            incident.open_findings.append(finding.finding_id)
            incident.ended_seconds = None
        incident.began_seconds = min(incident.began_seconds, finding.since_seconds)
        entry = TimelineEntry(finding.found_seconds, "found", finding.finding_id, finding.summary)
        incident.note(entry)

    def _end(self, incident: Incident, finding: Finding, until_seconds: float) -> None:
        if finding.finding_id in incident.open_findings:
            incident.open_findings.remove(finding.finding_id)
        if not incident.open_findings:
            incident.ended_seconds = max(until_seconds, incident.began_seconds)
        sentence = f"{finding.kind.value} of {finding.subject} ended."
        incident.note(TimelineEntry(until_seconds, "ended", finding.finding_id, sentence))

    def content(self) -> dict[str, Any]:
        """Return all that must survive a restart, as JSON has it."""
        return {
            "open": [asdict(each) for each in self._open],
            "closed": [asdict(each) for each in self._closed],
        }

    def restore(self, content: Mapping[str, Iterable[Mapping[str, Any]]]) -> None:
        """Go on with what `content` returned."""
        self._open = [_incident_of(each) for each in content["open"]]
        self._closed = deque((_incident_of(each) for each in content["closed"]), maxlen=CLOSED_MAX)


def _incident_of(content: Mapping[str, Any]) -> Incident:
    """Return the incident that JSON has."""
    timeline = [TimelineEntry(**each) for each in content["timeline"]]
    return Incident(**{**content, "timeline": timeline})

"""What `watch` does with findings: shows records and the pipeline to the detector, keeps what it finds.

```
records, status files ─ detector ─ state saved ─ findings.jsonl, incidents.json ─ rules of kind `finding`
```

A line is written once the state that knows the finding is saved, and again after a crash in between. Lines
that the disk refuses wait, as many as fit. What acts on findings is told of what is written, and after a
start of what lasts and what ended meanwhile.
"""

from __future__ import annotations

import contextlib
import math
from collections import deque
from collections.abc import Callable, Mapping
from dataclasses import asdict, replace
from functools import lru_cache
from pathlib import Path
from typing import Any, Protocol

from logging_system.alerting.examples import Masked, cut_line
from logging_system.alerting.matching import LABEL_CHARACTERS_MAX, Document, field_of
from logging_system.alerting.rules.declared import Clock
from logging_system.coordination.detection.detector import Detector
from logging_system.coordination.detection.finding_book import Shown
from logging_system.coordination.detection.finding_file import FindingFile
from logging_system.coordination.detection.finding_lines import finding_of_line, line_of, seconds_of
from logging_system.coordination.detection.machine_load import MachineLoad
from logging_system.coordination.detection.pipeline_reading import PipelineReader
from logging_system.coordination.detection.seen_record import (
    ERROR_LEVEL,
    MESSAGE_CHARACTERS_MAX,
    SeenRecord,
)
from logging_system.coordination.detection.template_texts import TemplateTexts
from logging_system.coordination.findings import Finding
from logging_system.monitoring.counters import write_status
from logging_system.records.levels import level_rank

INCIDENTS_NAME = "incidents.json"
LINES_MAX = 1_000
"""Lines that wait for the disk; of more, the oldest are given up and counted."""


class DetectsFindings(Protocol):
    """What `watch` shows all it sees, and asks what changed."""

    def tell(self, document: Document, event_seconds: float) -> None:
        """Take note of a record.

        Args:
            document: The record, as it is stored.
            event_seconds: When it was logged, seconds since 1970; now where it does not say, or is from the
                future.
        """

    def sample(self, one_in: int) -> None:
        """Look from now on at a part of the records below error only: `watch` has too much to read.

        Args:
            one_in: How many records there are for each that is looked at, and counts for all of them; 1 looks
                at all.
        """

    def look(self, clock: Clock) -> list[dict[str, Any]]:
        """Judge; return what rules are told: the findings that last, and those that ended just now.

        Raises:
            OSError: The spool folder cannot be listed.
        """

    @property
    def has_news(self) -> bool:
        """Whether something was found that is not written yet: the state must be saved."""

    def write(self) -> bool:
        """Write what is saved to its files; return whether something was written."""

    def content(self) -> dict[str, Any]:
        """Return all that must survive a restart, as JSON has it."""

    def restore(self, content: Mapping[str, Any]) -> None:
        """Go on with what `content` returned."""

    def status(self) -> dict[str, Any]:
        """Return what the status file shows."""


class ActsOnFindings(Protocol):
    """What is told of each finding, such as `AICoordinationEngine`."""

    def tell(self, finding: Finding) -> None:
        """Take in a finding: that it began, what it is now, or with `until_seconds` that it is over."""

    def findings(self) -> list[Finding]:
        """Return the findings that are not over, as far as it was told."""


class FindingDetection:
    """The detector on one spool folder, and the files of what it finds.

    Args:
        spool: The spool folder.
        folder: The folder of alerting in it.
        masked: Takes the secrets out of a text; None shows no line at all.
        is_sealed: Whether what is logged must lie nowhere in plain: then lines have no examples.
        steady: A clock in seconds that only goes forward.
        late: By how much waits lasted longer than asked for, at most, since it was asked last.
        remark: Told what a person should know.
        acting: Told of each finding once its line is durable; None where nothing acts on findings.
        texts: Keeps the texts of templates for what acts; where lines are sealed, it is given none: an order
            to a handler lies in plain.
    """

    def __init__(
        self,
        spool: Path,
        folder: Path,
        *,
        masked: Masked | None,
        is_sealed: bool,
        steady: Callable[[], float],
        late: Callable[[], float] = lambda: 0.0,
        remark: Callable[[str], None],
        acting: ActsOnFindings | None = None,
        texts: TemplateTexts | None = None,
    ) -> None:
        self._texts, self._is_sealed = texts or TemplateTexts(), is_sealed
        self._reader = PipelineReader(spool, steady=steady)
        self._file = FindingFile(folder)
        self._incidents_path = folder / INCIDENTS_NAME
        self._detector = Detector(_shown_by(None if is_sealed else masked))
        self._remark, self._late = remark, late
        self._load = MachineLoad()
        self._acting = acting
        self._waiting: deque[dict[str, Any]] = deque(maxlen=LINES_MAX)
        self._found = self._given_up = 0
        self._one_in, self._turn, self._unexamined = 1, 0, 0
        self._has_new_incidents = False
        self._trouble = ""

    def tell(self, document: Document, event_seconds: float) -> None:
        """Take note of a record."""
        weight = 1
        if self._one_in > 1 and _level_of(document) < ERROR_LEVEL:
            self._turn = (self._turn + 1) % self._one_in
            if self._turn:
                self._unexamined += 1
                return
            weight = self._one_in
        self._detector.tell(seen_record(document, event_seconds, weight))

    def sample(self, one_in: int) -> None:
        """Look from now on at one in so many records below error only; 1 looks at all.

        Each stands for as many, so that rates are what they are; errors are all looked at.
        """
        self._one_in = one_in

    def look(self, clock: Clock) -> list[dict[str, Any]]:
        """Judge; return what rules are told: the findings that last, and those that ended just now.

        Raises:
            OSError: The spool folder cannot be listed.
        """
        open_before = self._detector.incidents.open_count
        moment = self._reader.read(clock.now_seconds, self._late(), self._load.read())
        changed = self._detector.look(moment, clock.read_seconds)
        self._has_new_incidents |= bool(changed) or open_before != self._detector.incidents.open_count
        for finding in changed:
            if not self._is_sealed:
                self._texts.note(finding.templates, self._detector.template_text)
            self._found += finding.found_seconds >= clock.now_seconds
            self._given_up += len(self._waiting) == LINES_MAX
            self._waiting.append(line_of(finding, self._detector.incidents.id_of(finding)))
        ended = [each for each in changed if each.until_seconds is not None]
        return [told_of(each) for each in (*ended, *self._detector.book.open_findings)]

    @property
    def has_news(self) -> bool:
        """Whether something was found that is not written yet."""
        return bool(self._waiting)

    def write(self) -> bool:
        """Write what is saved to its files; return whether something was written."""
        if self._has_new_incidents:
            self._write_incidents()
        if not self._waiting:
            return False
        try:
            self._file.add(self._waiting)
        except OSError as error:
            trouble = f"findings: {error.strerror or error}; they are written when the disk takes them"
            if trouble != self._trouble:
                self._remark(trouble)
            self._trouble = trouble
            return False
        self._trouble = ""
        if self._acting is not None:
            for line in self._waiting:
                self._acting.tell(finding_of_line(line))
        self._waiting.clear()
        return True

    def take_up(self, now_seconds: float) -> None:
        """Tell what acts on findings how things are: the process before may have ended before it could.

        Args:
            now_seconds: Seconds since 1970.

        Raises:
            OSError: The files of findings cannot be read.
        """
        if self._acting is None:
            return
        lasting = {each.finding_id: each for each in self._detector.book.open_findings}
        gone = {each.finding_id: each for each in self._acting.findings() if each.finding_id not in lasting}
        # A finding that a person told of by hand has no line, and is not for this process to end.
        lines = self._file.latest() if gone else {}
        for finding_id in gone.keys() & lines.keys():
            until = lines[finding_id]["until"]
            until_seconds = now_seconds if until is None else seconds_of(until)
            self._acting.tell(replace(gone[finding_id], until_seconds=until_seconds))
        for finding in lasting.values():
            self._acting.tell(finding)

    def _write_incidents(self) -> None:
        incidents = [asdict(each) for each in self._detector.incidents.all()]
        with contextlib.suppress(OSError):  # tried again at the next look
            write_status(self._incidents_path, {"incidents": incidents})
            self._has_new_incidents = False

    def content(self) -> dict[str, Any]:
        """Return all that must survive a restart, as JSON has it."""
        return {
            "detector": self._detector.content(),
            "waiting": list(self._waiting),
            "template_texts": self._texts.content(),
        }

    def restore(self, content: Mapping[str, Any]) -> None:
        """Go on with what `content` returned."""
        self._detector.restore(content["detector"])
        self._waiting.extend(content["waiting"])
        self._texts.restore(content.get("template_texts", {}))

    def status(self) -> dict[str, Any]:
        """Return what the status file shows."""
        return {
            "open": [_summary_of(each) for each in self._detector.book.open_findings[:LINES_MAX]],
            "open_incidents": self._detector.incidents.open_count,
            "found": self._found,
            "waiting_lines": len(self._waiting),
            "given_up_lines": self._given_up,
            "overflowed": self._detector.book.overflowed,
            "unexamined_records": self._unexamined,
            "services": self._detector.stream.services,
            "known_errors": self._detector.stream.new_errors.known,
        }


def _level_of(document: Document) -> int:
    log = document.get("log")
    level = log.get("level") if isinstance(log, dict) else field_of(document, "log.level")
    return _rank(level) if isinstance(level, str) else level_rank(level)


def seen_record(document: Document, event_seconds: float, weight: int = 1) -> SeenRecord:
    """Return what the detector looks at of a record.

    Args:
        document: The record.
        event_seconds: Its time, seconds since 1970.
        weight: For how many records it stands.
    """
    log, service = document.get("log"), document.get("service")
    if isinstance(log, dict) and isinstance(service, dict):
        level, logger, name = log.get("level"), log.get("logger"), service.get("name")
    else:
        level, logger = field_of(document, "log.level"), field_of(document, "log.logger")
        name = field_of(document, "service.name")
    message, timestamp = document.get("message"), document.get("@timestamp")
    return SeenRecord(
        event_seconds,
        _rank(level) if isinstance(level, str) else level_rank(level),
        _namespace_of(document),
        str(name or "")[:LABEL_CHARACTERS_MAX],
        str(logger or "")[:LABEL_CHARACTERS_MAX],
        (message if isinstance(message, str) else str(message or ""))[:MESSAGE_CHARACTERS_MAX],
        timestamp[:LABEL_CHARACTERS_MAX] if isinstance(timestamp, str) else "",
        _duration_ms(document),
        weight,
    )


_rank = lru_cache(maxsize=256)(level_rank)


def _namespace_of(document: Document) -> str:
    stream = document.get("data_stream")
    namespace = stream.get("namespace") if isinstance(stream, dict) else None
    return str(namespace)[:LABEL_CHARACTERS_MAX] if namespace else ""


def _duration_ms(document: Document) -> float | None:
    labels = document.get("labels")
    if not isinstance(labels, dict):
        return None
    duration = labels.get("duration_ms", labels.get("duration"))
    if isinstance(duration, bool) or not isinstance(duration, int | float):
        return None
    return float(duration) if math.isfinite(duration) else None


def told_of(finding: Finding) -> dict[str, Any]:
    """Return what rules are told of a finding."""
    return {
        "finding": {
            "finding_id": finding.finding_id,
            "kind": finding.kind.value,
            "cause": finding.cause.value,
            "subject": finding.subject,
            "namespace": finding.namespace,
            "confidence": finding.confidence,
            "since_seconds": finding.since_seconds,
            "until_seconds": finding.until_seconds,
            "summary": finding.summary,
        },
        "message": finding.summary,
    }


def _shown_by(masked: Masked | None) -> Shown:
    """Return what makes lines fit to be shown: masked and bounded, or none where nothing masks them."""
    return lambda lines: () if masked is None else tuple(cut_line(masked(line)) for line in lines)


def _summary_of(finding: Finding) -> dict[str, Any]:
    return {
        "finding_id": finding.finding_id,
        "kind": finding.kind.value,
        "cause": finding.cause.value,
        "subject": finding.subject,
        "since_seconds": finding.since_seconds,
        "summary": finding.summary,
    }

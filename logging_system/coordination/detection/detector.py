"""All judgements at work: shown moments of the pipeline, records and the time, it says which findings change.

Pure: no thread, file or clock. What it knows is bounded, survives a restart as JSON, and is versioned.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from logging_system.coordination.detection.delay_judgement import PATHS, DelayJudgement
from logging_system.coordination.detection.finding_book import FindingBook, Shown
from logging_system.coordination.detection.incidents import Incidents
from logging_system.coordination.detection.judged import Judged
from logging_system.coordination.detection.own_judgement import judged_disk, judged_keys, judged_writers
from logging_system.coordination.detection.pipeline_moment import PipelineMoment
from logging_system.coordination.detection.pipeline_window import PipelineWindow
from logging_system.coordination.detection.seen_record import SeenRecord
from logging_system.coordination.detection.service_stream import Surroundings
from logging_system.coordination.detection.store_judgement import judged_copies, judged_store
from logging_system.coordination.detection.stream_judgement import StreamJudgement
from logging_system.coordination.detection.templates import new_learner
from logging_system.coordination.findings import Finding

VERSION = 2
_AFTERMATH_SECONDS = 10.0
"""So long after trouble its backlog is on its way: late records and second copies are its effects."""


class Detector:
    """Judges one spool folder: its pipeline and the records in it.

    Args:
        shown: Makes of example lines what may be kept and shown.
    """

    def __init__(self, shown: Shown = tuple) -> None:
        self._window = PipelineWindow()
        self._trouble_seconds = float("-inf")
        self._delays = [DelayJudgement(path) for path in PATHS]
        self._learner = new_learner()
        self.stream = StreamJudgement(self._learner)
        self.book = FindingBook(shown)
        self.incidents = Incidents()

    def tell(self, record: SeenRecord) -> None:
        """Take note of a record."""
        self.stream.tell(record)

    def look(self, moment: PipelineMoment, read_seconds: float) -> list[Finding]:
        """Judge all that is known now.

        Args:
            moment: The pipeline now.
            read_seconds: Up to when all records were read, in event time.

        Returns:
            Findings that began, changed their cause or ended.
        """
        self._window.add(moment)
        changed = self.book.look(self._judged(read_seconds), moment.seconds)
        for finding in changed:
            self.incidents.note(finding)
        self.incidents.close_quiet(moment.seconds)
        return changed

    def _judged(self, read_seconds: float) -> Iterator[Judged]:
        now_seconds = self._window.now.seconds
        of_store = list(judged_store(self._window))
        yield from of_store
        store_cause = of_store[0].cause if of_store else None
        own = [*judged_disk(self._window, store_cause), *judged_keys(self._window)]
        yield from own
        yield from judged_writers(self._window)
        if of_store or own:
            self._trouble_seconds = now_seconds
        is_well = abs(now_seconds - self._trouble_seconds) > _AFTERMATH_SECONDS
        if is_well:
            yield from judged_copies(self._window)
        for delay in self._delays:
            yield from delay.judged(self._window, is_well=is_well)
        surroundings = Surroundings(is_well, self._window.now.writers.open_writers)
        yield from self.stream.judged(read_seconds, surroundings)

    def template_text(self, template_id: str) -> str | None:
        """Return the text of a template, with `<*>` for what differs; None where it is not known any more.

        Args:
            template_id: As the `templates` of a finding name it.
        """
        return self._learner.text(template_id)

    def content(self) -> dict[str, Any]:
        """Return all that must survive a restart, as JSON has it."""
        return {
            "version": VERSION,
            "findings": self.book.content(),
            "incidents": self.incidents.content(),
            "delays": [delay.content() for delay in self._delays],
            "learner": self._learner.content(),
            "stream": self.stream.content(),
        }

    def restore(self, content: Mapping[str, Any]) -> None:
        """Go on with what `content` returned; what another version wrote begins anew."""
        if content.get("version") != VERSION:
            return
        self.book.restore(content["findings"])
        self.incidents.restore(content["incidents"])
        for delay, usual in zip(self._delays, content["delays"], strict=True):
            delay.restore(usual)
        self._learner = new_learner(content["learner"])
        self.stream = StreamJudgement(self._learner)
        self.stream.restore(content["stream"])

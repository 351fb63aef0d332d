"""Judges the records of all services, each by itself, and errors of new kinds; bounded in services."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from logging_system.coordination.detection.judged import Judged
from logging_system.coordination.detection.new_errors import NewErrors
from logging_system.coordination.detection.repeats import Repeats
from logging_system.coordination.detection.seen_record import ERROR_LEVEL, SeenRecord
from logging_system.coordination.detection.service_stream import ServiceStream, Surroundings
from logging_system.coordination.detection.templates import LearnsTemplates

SERVICES_MAX = 64
OTHER = "(other)"
_LATE_SECONDS = 1.0
"""Records that come this much later than others still count for their second."""


class StreamJudgement:
    """What is usual of each service, and what holds now.

    Args:
        learner: Tells kinds of messages apart.
    """

    def __init__(self, learner: LearnsTemplates) -> None:
        self._learner = learner
        self._streams: dict[tuple[str, str], ServiceStream] = {}
        self._repeats = Repeats()
        self.new_errors = NewErrors(learner)

    @property
    def services(self) -> int:
        """How many services are told apart."""
        return len(self._streams)

    def tell(self, record: SeenRecord) -> None:
        """Take note of a record."""
        self.new_errors.begin(record.seconds)
        stream = self._streams.get((record.namespace, record.service))
        is_repeat = self._repeats.has_seen(record)
        (stream if stream is not None else self._new_stream(record)).tell(record, is_repeat=is_repeat)
        if record.level >= ERROR_LEVEL:
            self.new_errors.tell(record)

    def _new_stream(self, record: SeenRecord) -> ServiceStream:
        key = (record.namespace, record.service)
        if len(self._streams) >= SERVICES_MAX:
            key = ("", OTHER)
        return self._streams.setdefault(key, ServiceStream(*key))

    def judged(self, read_seconds: float, surroundings: Surroundings) -> Iterator[Judged]:
        """Yield what holds now.

        Args:
            read_seconds: Up to when all records were read, in event time.
            surroundings: What else is known.
        """
        for stream in self._streams.values():
            stream.close_until(int(read_seconds - _LATE_SECONDS))
            yield from stream.judged(surroundings, self._learner)
        yield from self.new_errors.judged(read_seconds, is_well=surroundings.is_well)

    def content(self) -> dict[str, Any]:
        """Return all that must survive a restart, as JSON has it."""
        return {
            "streams": [stream.content() for stream in self._streams.values()],
            "new_errors": self.new_errors.content(),
        }

    def restore(self, content: Mapping[str, Any]) -> None:
        """Go on with what `content` returned."""
        for each in content["streams"][: SERVICES_MAX + 1]:
            stream = ServiceStream.restored(each)
            self._streams[stream.namespace, stream.service] = stream
        self.new_errors.restore(content["new_errors"])

"""Judges errors of a kind that was not logged before."""

from __future__ import annotations

from collections import OrderedDict, deque
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any

from logging_system.coordination.detection.judged import Judged
from logging_system.coordination.detection.seen_record import CRITICAL_LEVEL, SeenRecord
from logging_system.coordination.detection.templates import LearnsTemplates
from logging_system.coordination.findings import CauseClass, FindingKind

KNOWN_MAX = 4_000
CANDIDATES_MAX = 200
EXAMPLES_MAX = 3
_WARM_UP_SECONDS = 60.0
_WARM_UP_SECONDS_MAX = 300.0
_WARM_UP_RECORDS = 2_000
"""After so many records, or so long, what was not logged yet is not usual."""
_RECORDS_MIN = 3
_PATIENCE_SECONDS = 300.0
"""A kind that came less often than that within it is known from then on."""
_FRESH_SECONDS = 30.0
_NOVELTY_WINDOW = 200
_NOVELTY_MAX = 0.3
"""Where more of the latest errors than this share are of a new kind, a new kind is no news."""
_FLOOD_SECONDS = 30.0
_FLOOD_RECORDS_MIN = 10
"""It is news all the same if so many come within 30 s: in a flood of kinds most come once."""
_TOLD_AT_ONCE_MAX = 10

_Key = tuple[str, str]


@dataclass(slots=True)
class _Candidate:
    """A kind of error that was not known.

    Attributes:
        first_seconds: Event time of its first record.
        last_seconds: That of its latest.
        count: How many came.
        level: The highest level of them.
        logger: Who logged the first.
        examples: Its first lines, not masked.
        stretch_seconds: Event time at which the latest stretch of 30 s began.
        stretch_count: How many came in it.
        stands_out: Whether so many came within 30 s that it stands out among very many new kinds.
    """

    first_seconds: float
    last_seconds: float
    count: int
    level: int
    logger: str
    examples: list[str] = field(default_factory=list)
    stretch_seconds: float = float("-inf")
    stretch_count: int = 0
    stands_out: bool = False

    def tell(self, record: SeenRecord) -> None:
        """Take note of one more."""
        self.count += 1
        self.last_seconds = max(self.last_seconds, record.seconds)
        self.level = max(self.level, record.level)
        if len(self.examples) < EXAMPLES_MAX:
            self.examples.append(record.line)
        if record.seconds - self.stretch_seconds > _FLOOD_SECONDS:
            self.stretch_seconds, self.stretch_count = record.seconds, 0
        self.stretch_count += 1
        self.stands_out |= self.stretch_count >= _FLOOD_RECORDS_MIN

    @property
    def is_enough(self) -> bool:
        """Whether it came often enough, or is grave enough."""
        return self.count >= _RECORDS_MIN or self.level >= CRITICAL_LEVEL


class NewErrors:
    """Which kinds of errors are known, by namespace and template.

    Args:
        learner: Tells kinds of messages apart.
    """

    def __init__(self, learner: LearnsTemplates) -> None:
        self._learner = learner
        self._known: OrderedDict[_Key, None] = OrderedDict()
        self._candidates: dict[_Key, _Candidate] = {}
        self._begun_seconds: float | None = None
        self._records = 0
        self._novelty: deque[bool] = deque(maxlen=_NOVELTY_WINDOW)

    @property
    def known(self) -> int:
        """How many kinds are known."""
        return len(self._known)

    def begin(self, seconds: float) -> None:
        """Note the event time of a record: the first one begins the time in which everything is learnt.

        Args:
            seconds: When it was logged, seconds since 1970. Every record counts here, not errors alone.
        """
        self._records += 1
        if self._begun_seconds is None:
            self._begun_seconds = seconds

    def tell(self, record: SeenRecord) -> None:
        """Take note of an error."""
        key = (record.namespace, self._learner.learn(record.message).template_id)
        if key in self._known:
            self._known.move_to_end(key)
            self._novelty.append(False)
            return
        candidate = self._candidates.get(key)
        self._novelty.append(candidate is None)
        if self._is_warming_up(record.seconds) or (candidate is None and not self._has_room()):
            self._learn(key)
            return
        if candidate is None:
            candidate = _Candidate(record.seconds, record.seconds, 0, 0, record.logger)
            self._candidates[key] = candidate
        candidate.tell(record)

    def _has_room(self) -> bool:
        """Return whether there is room for a candidate: in a flood the oldest that came too seldom goes."""
        if len(self._candidates) < CANDIDATES_MAX:
            return True
        seldom = next((key for key, each in self._candidates.items() if not each.is_enough), None)
        if seldom is None:
            return False
        del self._candidates[seldom]  # it is not known: should it come again, it is new again
        return True

    def _is_warming_up(self, seconds: float) -> bool:
        if self._begun_seconds is None:
            return True
        is_enough = self._records >= _WARM_UP_RECORDS
        return seconds < self._begun_seconds + (_WARM_UP_SECONDS if is_enough else _WARM_UP_SECONDS_MAX)

    def _learn(self, key: _Key) -> None:
        self._known[key] = None
        if len(self._known) > KNOWN_MAX:
            self._known.popitem(last=False)

    def judged(self, now_seconds: float, *, is_well: bool) -> Iterator[Judged]:
        """Yield the kinds that are new now.

        Args:
            now_seconds: Up to when all records were read, in event time.
            is_well: Whether the pipeline is well.
        """
        for key, candidate in list(self._candidates.items()):
            age_seconds = now_seconds - candidate.last_seconds
            is_over = age_seconds > _FRESH_SECONDS if candidate.is_enough else age_seconds > _PATIENCE_SECONDS
            if is_over:
                del self._candidates[key]
                self._learn(key)
        is_flood = sum(self._novelty) > _NOVELTY_MAX * max(20, len(self._novelty))
        enough = [
            (key, each)
            for key, each in self._candidates.items()
            if (each.stands_out if is_flood else each.is_enough)
        ]
        for (namespace, template), candidate in enough[:_TOLD_AT_ONCE_MAX]:
            yield _judged(namespace, template, candidate, is_well=is_well)

    def content(self) -> dict[str, Any]:
        """Return all that must survive a restart, as JSON has it; candidates begin anew."""
        return {
            "known": list(self._known),
            "begun_seconds": self._begun_seconds,
            "records": self._records,
        }

    def restore(self, content: Mapping[str, Any]) -> None:
        """Go on with what `content` returned."""
        self._begun_seconds, self._records = content["begun_seconds"], content["records"]
        for namespace, template in content["known"]:
            self._learn((str(namespace), str(template)))


def _judged(namespace: str, template: str, candidate: _Candidate, *, is_well: bool) -> Judged:
    pipeline = "the pipeline is well" if is_well else "the pipeline is in trouble at the same time"
    many = "record" if candidate.count == 1 else "records"
    return Judged(
        FindingKind.NEW_ERROR,
        CauseClass.APPLICATION,
        template,
        candidate.first_seconds,
        0.9 if is_well else 0.6,
        f"{candidate.logger or 'A logger'} logs errors of a kind not seen before: {candidate.count} {many}.",
        namespace=namespace,
        evidence_for=("no record before had this template", *((pipeline,) if is_well else ())),
        evidence_against=() if is_well else (pipeline,),
        templates=(template,),
        examples=tuple(candidate.examples),
        measures={"records": candidate.count, "level": candidate.level},
    )

"""Judges the records of one service: how many, how many errors, how many twice, and how long things took."""

from __future__ import annotations

import math
from collections import deque
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from logging_system.coordination.detection.judged import Judged
from logging_system.coordination.detection.rates import (
    ERRORS,
    FINE_SECONDS,
    RECORDS,
    STEP_SECONDS,
    RateChange,
    RateSeries,
)
from logging_system.coordination.detection.seen_record import ERROR_LEVEL, SeenRecord
from logging_system.coordination.detection.templates import LearnsTemplates
from logging_system.coordination.findings import CauseClass, FindingKind

OPEN_SECONDS_MAX = 600
SAMPLES_MAX = 32
_SAMPLE_EVERY = 16
_SHARE_FACTOR = 3.0
_SHARE_MIN = 0.02
_DEVIATIONS = 3.0
"""By so many standard deviations a share may be higher than that of a sample."""
_DUPLICATE_SHARE = 0.2
_DUPLICATES_MIN = 30
_DUPLICATE_WINDOW = 10
_DURATIONS_MIN = 10
_DURATION_STEPS_MIN = 12
_DURATION_STEPS_MAX = 240
_DURATION_FACTOR = 3.0
_END_SHARE = 0.4
"""A spike ends below this share of what made it one, a drop above its inverse: neither flickers."""


@dataclass(slots=True)
class _Second:
    """What was counted of one second of event time."""

    records: int = 0
    errors: int = 0
    duplicates: int = 0
    durations: int = 0
    duration_log_sum: float = 0.0


@dataclass(frozen=True, slots=True)
class Surroundings:
    """What else is known when records are judged.

    Attributes:
        is_well: Whether the pipeline is.
        open_writers: How many writers have not said that they ended.
    """

    is_well: bool
    open_writers: int


class ServiceStream:
    """The records of one service in one namespace.

    Args:
        namespace: The namespace.
        service: The service.
    """

    def __init__(self, namespace: str, service: str) -> None:
        self.namespace, self.service = namespace, service
        self._seconds: dict[int, _Second] = {}
        self._closed: int | None = None
        self._records, self._errors = RateSeries(RECORDS), RateSeries(ERRORS)
        self._highest_share = 0.0
        self._shares: deque[float] = deque()
        self._twice: deque[int] = deque(maxlen=_DUPLICATE_WINDOW)
        self._usually_twice = 0.0
        self._duration_steps: deque[float] = deque(maxlen=_DURATION_STEPS_MAX)
        self._duration_step: list[_Second] = []
        self._latest_durations: deque[float] = deque(maxlen=2)
        self._held: dict[FindingKind, tuple[float, RateChange]] = {}
        self._held_errors: tuple[float, RateChange] | None = None
        self._samples: deque[SeenRecord] = deque(maxlen=SAMPLES_MAX)
        self._told = 0

    @property
    def latest_second(self) -> int:
        """The second up to which all is counted."""
        return self._closed or 0

    def tell(self, record: SeenRecord, *, is_repeat: bool) -> None:
        """Take note of a record.

        Args:
            record: The record.
            is_repeat: Whether it came before.
        """
        second = int(record.seconds)
        if self._closed is None:
            self._closed = second - 1
        if second <= self._closed or second > self._closed + OPEN_SECONDS_MAX:
            return
        counted = self._seconds.get(second)
        if counted is None:
            counted = self._seconds[second] = _Second()
        counted.records += record.weight
        if record.level >= ERROR_LEVEL:
            counted.errors += record.weight
        if record.duration_ms is not None and record.duration_ms > 0:
            counted.durations += 1
            counted.duration_log_sum += math.log(record.duration_ms)
        if is_repeat:
            counted.duplicates += record.weight
        self._told += 1
        if self._told % _SAMPLE_EVERY == 0 or record.level >= ERROR_LEVEL:
            self._samples.append(record)

    def close_until(self, second: int) -> None:
        """Count the seconds before one as over.

        Args:
            second: The first that is not.
        """
        if self._closed is None:
            return
        if second - self._closed > OPEN_SECONDS_MAX:  # asleep, or a clock that jumped: nothing is known of it
            self._closed = second - 1
            self._seconds = {each: counted for each, counted in self._seconds.items() if each >= second}
            return
        for each in range(self._closed + 1, second):
            self._close(self._seconds.pop(each, _Second()))
        self._closed = max(self._closed, second - 1)

    def _close(self, counted: _Second) -> None:
        is_held = bool(self._held)
        self._records.push(counted.records, is_held=is_held)
        self._errors.push(counted.errors, is_held=self._held_errors is not None)
        if self._held_errors is None and len(self._records.latest(10)) == 10:
            records = self._records.recent(10)
            if records >= 50:
                self._shares.append(self._errors.recent(10) / records)
        if len(self._shares) > FINE_SECONDS:  # what is judged now says nothing yet about what is usual
            self._highest_share = max(0.9995 * self._highest_share, self._shares.popleft())
        self._twice.append(counted.duplicates)
        self._close_durations(counted)

    def _close_durations(self, counted: _Second) -> None:
        self._duration_step.append(counted)
        if len(self._duration_step) < STEP_SECONDS:
            return
        durations = sum(each.durations for each in self._duration_step)
        log_sum = sum(each.duration_log_sum for each in self._duration_step)
        self._duration_step.clear()
        if durations < _DURATIONS_MIN:
            self._latest_durations.clear()
            return
        mean_ms = math.exp(log_sum / durations)
        self._latest_durations.append(mean_ms)
        if mean_ms <= self._duration_limit_ms() or len(self._duration_steps) < _DURATION_STEPS_MIN:
            self._duration_steps.append(mean_ms)

    def _duration_limit_ms(self) -> float:
        return _DURATION_FACTOR * max(self._duration_steps, default=math.inf)

    def judged(self, surroundings: Surroundings, learner: LearnsTemplates) -> Iterator[Judged]:
        """Yield what holds now.

        Args:
            surroundings: What else is known.
            learner: Tells kinds of messages apart, for evidence.
        """
        yield from self._judged_records(surroundings, learner)
        yield from self._judged_errors(surroundings, learner)
        yield from self._judged_twice()
        yield from self._judged_durations()

    def _judged_records(self, surroundings: Surroundings, learner: LearnsTemplates) -> Iterator[Judged]:
        for kind in (FindingKind.SPIKE, FindingKind.SILENCE, FindingKind.DROP):
            change = self._change(kind, surroundings)
            if change is None:
                self._held.pop(kind, None)
                continue
            if kind not in self._held:
                self._records.hold(_window_of(kind, change))
                since_seconds = float(self.latest_second + 1 - _window_of(kind, change))
                self._held[kind] = (since_seconds, change)
            yield self._of_records(kind, *self._held[kind], surroundings, learner)
            return

    def _change(self, kind: FindingKind, surroundings: Surroundings) -> RateChange | None:
        held = self._held.get(kind)
        if kind is FindingKind.SPIKE:
            return _lasting(self._records, held) if held else self._records.spike()
        if not surroundings.open_writers:
            return None  # whoever logged has ended in order
        if kind is FindingKind.SILENCE:
            if held:
                return held[1] if self._records.zero_run else None
            return self._records.silence()
        if held:
            return held[1] if self._records.recent(FINE_SECONDS) < held[1].usual * _END_SHARE else None
        return self._records.drop()

    def _of_records(
        self,
        kind: FindingKind,
        since_seconds: float,
        change: RateChange,
        surroundings: Surroundings,
        learner: LearnsTemplates,
    ) -> Judged:
        is_spike = kind is FindingKind.SPIKE
        templates = self._top_templates(learner) if is_spike else {}
        extreme = "most" if is_spike else "least"
        words = {
            FindingKind.SPIKE: "more records than ever before",
            FindingKind.SILENCE: "nothing any more",
            FindingKind.DROP: "fewer records than ever before",
        }[kind]
        well = (
            "the pipeline is well" if surroundings.is_well else "the pipeline is in trouble at the same time"
        )
        for_cause = {
            FindingKind.SPIKE: "the share of errors is as usual",
            FindingKind.SILENCE: "its writer has not said that it ended",
            FindingKind.DROP: "records still come, but few",
        }[kind]
        return Judged(
            kind,
            CauseClass.APPLICATION if kind is FindingKind.SILENCE else CauseClass.LOAD,
            self.service,
            since_seconds,
            0.8 if surroundings.is_well else 0.6,
            f"{self.service} logs {words}: {change.count} within {change.within_seconds} s; "
            f"{change.usual} was the {extreme} before.",
            namespace=self.namespace,
            evidence_for=(
                for_cause,
                *((well,) if surroundings.is_well else ()),
                *map(_share_words, templates.items()),
            ),
            evidence_against=() if surroundings.is_well else (well,),
            templates=tuple(templates),
            examples=self._examples(0) if is_spike else (),
            measures={
                "records": change.count,
                "usual_records": change.usual,
                "surprise": round(min(change.surprise, 1e6), 1),
            },
        )

    def _judged_errors(self, surroundings: Surroundings, learner: LearnsTemplates) -> Iterator[Judged]:
        change = _lasting(self._errors, self._held_errors) if self._held_errors else self._error_spike()
        if change is None:
            self._held_errors = None
            return
        if self._held_errors is None:
            self._shares.clear()
            window = _window_of(FindingKind.SPIKE, change)
            self._errors.hold(window)
            self._held_errors = (float(self.latest_second + 1 - window), change)
        since_seconds, change = self._held_errors
        well = (
            "the pipeline is well" if surroundings.is_well else "the pipeline is in trouble at the same time"
        )
        templates = self._top_templates(learner, ERROR_LEVEL)
        yield Judged(
            FindingKind.SPIKE,
            CauseClass.APPLICATION,
            f"{self.service} errors",
            since_seconds,
            0.85 if surroundings.is_well else 0.6,
            f"{self.service} logs {change.count} errors within {change.within_seconds} s; "
            f"{change.usual} was the most before.",
            namespace=self.namespace,
            evidence_for=(
                "the share of errors among its records rose too",
                *((well,) if surroundings.is_well else ()),
                *map(_share_words, templates.items()),
            ),
            evidence_against=() if surroundings.is_well else (well,),
            templates=tuple(templates),
            examples=self._examples(ERROR_LEVEL),
            measures={"errors": change.count, "usual_errors": change.usual},
        )

    def _error_spike(self) -> RateChange | None:
        change = self._errors.spike()
        if change is None:
            return None
        window = _window_of(FindingKind.SPIKE, change)
        records = max(1, self._records.recent(window))
        share = self._errors.recent(window) / records
        return change if share >= max(_SHARE_MIN, _SHARE_FACTOR * self._usual_share(window)) else None

    def _usual_share(self, window: int) -> float:
        """Return the highest share of errors that is usual, as far as is known before the latest seconds.

        A service of which little is known may log mostly errors: twenty times the load is twenty times the
        errors there. So what was seen counts from the first second on, and with the doubt of a small sample.
        """
        settled = self._highest_share
        unsure = window + 1  # the second in which it began may belong to both
        before = list(self._shares)[: max(0, len(self._shares) - unsure)] if window < STEP_SECONDS else []
        doubtful = highest_share(self._errors.before(unsure), self._records.before(unsure))
        return max(settled, doubtful, *before)

    def _judged_twice(self) -> Iterator[Judged]:
        twice, records = sum(self._twice), self._records.recent(_DUPLICATE_WINDOW)
        share = twice / records if records else 0.0
        if twice < _DUPLICATES_MIN or share < max(_DUPLICATE_SHARE, 4 * self._usually_twice):
            if records >= 50:
                self._usually_twice = max(0.9995 * self._usually_twice, min(share, _DUPLICATE_SHARE))
            return
        yield Judged(
            FindingKind.DUPLICATES,
            CauseClass.APPLICATION,
            self.service,
            float(self.latest_second + 1 - _DUPLICATE_WINDOW),
            0.75,
            f"{twice} of {records} records of {self.service} within {_DUPLICATE_WINDOW} s came before, "
            "with the same time, logger and message.",
            hold_seconds=1.0,
            namespace=self.namespace,
            evidence_for=("they were different records in the spool: whoever sends them sends them twice",),
            evidence_against=("a handler that is attached twice does the same",),
            measures={"duplicates": twice, "records": records},
        )

    def _judged_durations(self) -> Iterator[Judged]:
        limit_ms = self._duration_limit_ms()
        latest = list(self._latest_durations)
        known = len(self._duration_steps) >= _DURATION_STEPS_MIN
        if not known or len(latest) < 2 or min(latest) <= limit_ms:
            return
        usual_ms = max(self._duration_steps)
        yield Judged(
            FindingKind.LATENCY_SHIFT,
            CauseClass.APPLICATION,
            f"{self.service} duration",
            float(self.latest_second + 1 - 2 * STEP_SECONDS),
            0.75,
            f"What {self.service} does takes {min(latest):.3g} ms by its own records; "
            f"{usual_ms:.3g} ms was the most before.",
            namespace=self.namespace,
            evidence_for=("its records say longer durations than ever before",),
            measures={"duration_ms": round(min(latest), 3), "usual_duration_ms": round(usual_ms, 3)},
        )

    def _top_templates(self, learner: LearnsTemplates, level: int = 0) -> Mapping[str, float]:
        """Return the share of the most frequent templates among the latest samples."""
        learnt = [learner.learn(each.message).template_id for each in self._samples if each.level >= level]
        top = sorted(set(learnt), key=lambda each: (-learnt.count(each), each))[:3]
        return {each: learnt.count(each) / len(learnt) for each in top if learnt.count(each) > 1}

    def _examples(self, level: int) -> tuple[str, ...]:
        return tuple(each.line for each in list(self._samples) if each.level >= level)[-3:]

    def content(self) -> dict[str, Any]:
        """Return all that must survive a restart, as JSON has it; what changed just now is found again."""
        return {
            "namespace": self.namespace,
            "service": self.service,
            "closed": self._closed,
            "records": self._records.content(),
            "errors": self._errors.content(),
            "highest_share": self._highest_share,
            "usually_twice": self._usually_twice,
            "duration_steps": list(self._duration_steps),
            "held": {kind.value: [since, *_numbers(change)] for kind, (since, change) in self._held.items()},
            "held_errors": self._held_errors and [self._held_errors[0], *_numbers(self._held_errors[1])],
        }

    @classmethod
    def restored(cls, content: Mapping[str, Any]) -> ServiceStream:
        """Return what `content` made content of."""
        stream = cls(content["namespace"], content["service"])
        stream._closed = content["closed"]
        stream._records.restore(content["records"])
        stream._errors.restore(content["errors"])
        stream._highest_share = content["highest_share"]
        stream._usually_twice = content["usually_twice"]
        stream._duration_steps.extend(content["duration_steps"])
        for kind, (since_seconds, *numbers) in content["held"].items():
            stream._held[FindingKind(kind)] = (since_seconds, RateChange(*numbers))
        if content["held_errors"]:
            since_seconds, *numbers = content["held_errors"]
            stream._held_errors = (since_seconds, RateChange(*numbers))
        return stream


def _lasting(series: RateSeries, held: tuple[float, RateChange]) -> RateChange | None:
    """Return a spike that was found before, while more comes than a share of what made it one."""
    change = held[1]
    return change if series.recent(change.within_seconds + 1) >= _END_SHARE * change.count else None


def highest_share(count: int, of: int) -> float:
    """Return the highest share of which a sample may be: the upper bound of Wilson's interval.

    Args:
        count: Of the sample, how many are counted.
        of: How large the sample is; of an empty one, all is possible.
    """
    if not of:
        return 1.0
    share, square = count / of, _DEVIATIONS**2
    doubt = math.sqrt(share * (1 - share) / of + square / (4 * of * of))
    return (share + square / (2 * of) + _DEVIATIONS * doubt) / (1 + square / of)


def _window_of(kind: FindingKind, change: RateChange) -> int:
    """Return how many of the latest seconds belong to a change that is found now."""
    if kind is FindingKind.SPIKE:
        return 2 if change.within_seconds == 1 else 3 * change.within_seconds
    return change.within_seconds


def _numbers(change: RateChange) -> list[float]:
    return [change.count, change.within_seconds, change.usual, min(change.surprise, 1e9)]


def _share_words(item: tuple[str, float]) -> str:
    return f"template {item[0]} makes {item[1]:.0%} of a sample"

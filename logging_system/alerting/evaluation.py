"""All rules at work: told records and the time, it says which alerts begin and end. No thread, file or clock.

Event time counts. A record that says no time, or one further ahead than the lateness, counts as of now; one
that is later than the lateness is counted as such and by no rule. Memory is bounded by the number of series:
beyond it, records count for one series a rule, and an alert says so, and how many more there are.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import orjson

from logging_system.alerting.distinct_count import DistinctCount
from logging_system.alerting.facts import Began, Change, Ended, Labels, Restated
from logging_system.alerting.matching import OTHER, Document, event_seconds
from logging_system.alerting.rules.declared import Clock, DeclaredRule, RuleMachine

OVERFLOW_RULE = "series_overflow"
_OVERFLOW_SECONDS = 600.0


@dataclass(slots=True)
class EvaluationCounts:
    """What became of the records.

    Attributes:
        evaluated: Records that the rules were told.
        too_late: Records later than the lateness, which no rule was told.
        dated_now: Records without a time, or with one too far ahead, taken as of now.
        overflowed: Records that found no room for a series of their own.
    """

    evaluated: int = 0
    too_late: int = 0
    dated_now: int = 0
    overflowed: int = 0


@dataclass(frozen=True, slots=True)
class Hit:
    """A record that a rule counts."""

    rule: str
    labels: Labels


class Evaluation:
    """The rules, each with its machine.

    Args:
        rules: What is declared.
        lateness_seconds: How much later than others a record may come and still count.
        series_max: How many series all rules may hold together.
        shown: Takes the secrets out of the value of a label: it is kept, and told.
    """

    def __init__(
        self,
        rules: Sequence[DeclaredRule],
        *,
        lateness_seconds: float,
        series_max: int,
        shown: Callable[[str], str] = str,
    ) -> None:
        self.counts = EvaluationCounts()
        self._shown = shown
        self._machines: Mapping[str, RuleMachine] = {
            rule.name: rule.machine(lateness_seconds) for rule in rules
        }
        self._of_pipeline = frozenset(rule.name for rule in rules if rule.is_of_pipeline)
        self._lateness_seconds = lateness_seconds
        self._series_max = series_max
        self._overflow_until_seconds: float | None = None
        self._has_overflowed = False
        self._beyond = DistinctCount()
        self._beyond_told = 0

    @property
    def series(self) -> int:
        """How many series all rules hold."""
        return sum(machine.series for machine in self._machines.values())

    def tell(self, document: Document, clock: Clock) -> list[Hit]:
        """Take note of a record.

        Args:
            document: The record.
            clock: The time before the record was read.

        Returns:
            Which rules count it, for what alert.
        """
        seconds = event_seconds(document)
        if seconds is None or seconds > clock.now_seconds + self._lateness_seconds:
            seconds = clock.now_seconds
            self.counts.dated_now += 1
        if seconds < clock.read_seconds - self._lateness_seconds:
            self.counts.too_late += 1
            return []
        self.counts.evaluated += 1
        return self._told(document, seconds, is_of_pipeline=False)

    def tell_event(self, document: Document, clock: Clock) -> list[Hit]:
        """Take note of an event of the logging system itself, of now; returns as `tell`.

        Only rules that are of the pipeline look at it.

        Args:
            document: The event, the measure or the finding, with fields as a record has them, such as
                `event.action` or `measure.name`. It needs no `@timestamp`.
            clock: What time it is.
        """
        return self._told(document, clock.now_seconds, is_of_pipeline=True)

    def _told(self, document: Document, seconds: float, *, is_of_pipeline: bool) -> list[Hit]:
        hits = []
        for name, machine in self._machines.items():
            if (name in self._of_pipeline) is not is_of_pipeline:
                continue
            labels = machine.series_of(document)
            if labels is not None:
                labels = self._with_room(name, machine, labels)
                machine.tell(labels, document, seconds)
                hits.append(Hit(name, labels))
        return hits

    def _with_room(self, rule: str, machine: RuleMachine, found: Labels) -> Labels:
        labels = tuple((name, self._shown(value)) for name, value in found)
        if machine.knows(labels) or self.series < self._series_max:
            return labels
        self.counts.overflowed += 1
        self._has_overflowed = True
        self._beyond.add(orjson.dumps([rule, labels]))
        return tuple((name, OTHER) for name, _ in labels)

    def changes(self, clock: Clock) -> list[Change]:
        """Return what begins and ends, by the records told so far and the time."""
        changes = [change for machine in self._machines.values() for change in machine.changes(clock)]
        return [*changes, *self._overflow(clock)]

    def _overflow(self, clock: Clock) -> Iterable[Change]:
        was_open = self._overflow_until_seconds is not None
        if self._has_overflowed:
            self._has_overflowed = False
            self._overflow_until_seconds = clock.now_seconds + _OVERFLOW_SECONDS
            beyond = self._beyond.total()
            if not was_open:
                yield Began(OVERFLOW_RULE, (), clock.now_seconds, self._overflow_summary(beyond))
            elif beyond != self._beyond_told:
                yield Restated(OVERFLOW_RULE, (), self._overflow_summary(beyond))
            self._beyond_told = beyond
        elif self._overflow_until_seconds is not None and clock.now_seconds > self._overflow_until_seconds:
            yield Ended(OVERFLOW_RULE, (), self._overflow_until_seconds - _OVERFLOW_SECONDS)
            self._overflow_until_seconds = None
            self._beyond.clear()

    def _overflow_summary(self, beyond: int) -> str:
        return (
            f"rules tell more than {self._series_max} alerts apart; about {beyond} more are counted "
            f"together as {OTHER}; name fewer fields in `by`, or fields with fewer values"
        )

    def content(self) -> dict[str, Any]:
        """Return all that must survive a restart, as JSON has it."""
        return {
            "rules": {name: machine.content() for name, machine in self._machines.items()},
            "overflow_until_seconds": self._overflow_until_seconds,
            "beyond": self._beyond.content(),
        }

    def restore(self, content: Mapping[str, Any]) -> list[str]:
        """Go on with what `content` returned.

        Returns:
            The names of rules that begin anew: they were declared otherwise, or not at all.
        """
        self._overflow_until_seconds = content["overflow_until_seconds"]
        self._beyond.restore(content["beyond"])
        begin_anew = []
        for name, machine in self._machines.items():
            try:
                machine.restore(content["rules"][name])
            except (KeyError, ValueError):
                begin_anew.append(name)
        return begin_anew

"""No record for a while where there should be some: a dead man's switch.

Only time in which somebody looked counts: neither a restart nor a jump of the time of day makes a silence.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any, Literal

from pydantic import Field

from logging_system.alerting.facts import Began, Change, Ended, Labels
from logging_system.alerting.matching import Document, labels_of
from logging_system.alerting.messages import shown_time
from logging_system.alerting.rules.declared import Clock, DeclaredRule

_LOOK_SECONDS_MAX = 10.0
"""More time than this between two looks was not looked at."""
_FORGOTTEN_SECONDS = 7 * 86_400.0


class Absence(DeclaredRule):
    """No record within a time. With `by`, each service that was seen once is missed by itself."""

    kind: Literal["absence"] = Field("absence", description="The kind.")
    by: tuple[str, ...] = Field(
        (),
        max_length=8,
        description="Fields that tell the rule's alerts apart. Default: one for all records.",
    )
    window_seconds: float = Field(300.0, ge=1, le=86_400, description="How long there may be none.")

    def machine(self, lateness_seconds: float) -> AbsenceMachine:
        """Return the rule at work, whatever `lateness_seconds` is: what is read now is a sign of life."""
        return AbsenceMachine(self)


class AbsenceMachine:
    """Remembers when each series was seen last, in seconds that were looked at.

    Args:
        rule: What is declared.
    """

    def __init__(self, rule: Absence) -> None:
        self._rule = rule
        self._looked_seconds = 0.0
        self._read_seconds: float | None = None
        self._seen: dict[Labels, tuple[float, float]] = {}
        """By labels, when they were seen last: in looked seconds, and in event time."""
        self._told: set[Labels] = set()
        self._open: set[Labels] = set()

    @property
    def series(self) -> int:
        """How many label combinations were seen."""
        return len(self._seen)

    def series_of(self, document: Document) -> Labels | None:
        """Return the labels of a record that is a sign of life."""
        return labels_of(document, self._rule.by) if self._rule.match.matches(document) else None

    def knows(self, labels: Labels) -> bool:
        """Whether these labels were seen."""
        return labels in self._seen

    def tell(self, labels: Labels, _document: Document, event_seconds: float) -> None:
        """Take note of a sign of life; silence begins with the look after it."""
        self._seen[labels] = (self._looked_seconds, event_seconds)
        self._told.add(labels)

    def changes(self, clock: Clock) -> list[Change]:
        """Return which series fell silent, and which speak again."""
        if self._read_seconds is not None:
            passed_seconds = clock.read_seconds - self._read_seconds
            self._looked_seconds += min(max(passed_seconds, 0.0), _LOOK_SECONDS_MAX)
        self._read_seconds = clock.read_seconds
        for labels in self._told:
            self._seen[labels] = (self._looked_seconds, self._seen[labels][1])
        self._told.clear()
        if not self._rule.by and not self._seen:
            self._seen[()] = (self._looked_seconds, clock.read_seconds)
        return list(self._found(clock))

    def _found(self, clock: Clock) -> Iterator[Change]:
        rule = self._rule
        for labels, (looked_seconds, event_seconds) in list(self._seen.items()):
            silent_seconds = self._looked_seconds - looked_seconds
            if labels in self._open:
                if silent_seconds < rule.window_seconds or self._is_forgotten(silent_seconds):
                    self._open.discard(labels)
                    yield Ended(rule.name, labels, clock.read_seconds)
            elif silent_seconds >= rule.window_seconds:
                self._open.add(labels)
                summary = (
                    f"no record for {rule.window_seconds:g} s; the last is of {shown_time(event_seconds)}"
                )
                yield Began(rule.name, labels, event_seconds, summary)
            if self._is_forgotten(silent_seconds):
                del self._seen[labels]

    def _is_forgotten(self, silent_seconds: float) -> bool:
        """Whether a series is taken for gone for good; the one of all records never is."""
        return bool(self._rule.by) and silent_seconds > _FORGOTTEN_SECONDS

    def explanation(self) -> list[tuple[Labels, str]]:
        """Return when each series was seen last."""
        return [
            (labels, f"the last record is of {shown_time(event_seconds)}")
            for labels, (_, event_seconds) in sorted(self._seen.items())
        ]

    def content(self) -> Any:
        """Return what was seen when."""
        seen = [[labels, *moments, labels in self._open] for labels, moments in self._seen.items()]
        return {"kind": type(self._rule).__name__, "looked_seconds": self._looked_seconds, "seen": seen}

    def restore(self, content: Any) -> None:
        """Go on with what was seen."""
        if content["kind"] != type(self._rule).__name__:
            raise ValueError(f"{self._rule.name}: its kind was another")
        for given, looked_seconds, event_seconds, is_open in content["seen"]:
            labels: Labels = tuple((name, value) for name, value in given)
            if tuple(name for name, _ in labels) != self._rule.by:
                raise ValueError(f"{self._rule.name}: it was told apart by other fields")
            self._seen[labels] = (looked_seconds, event_seconds)
            if is_open:
                self._open.add(labels)
        self._looked_seconds = content["looked_seconds"]

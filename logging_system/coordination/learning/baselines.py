"""What is usual for each template, of a bounded number of templates."""

from __future__ import annotations

import copy
import math
from array import array
from collections import OrderedDict
from collections.abc import Mapping, Sequence
from typing import Any

from logging_system.coordination.learning.baseline import DAY_SECONDS, NUMBERS_MAX, Baseline, faded
from logging_system.coordination.learning.value_sketch import ValueSketch

FORM = 1
_WATCHED_GAP_SECONDS_MAX = 600.0
"""A longer time without any record was not watched; no hour of the day is the quieter for it."""
_HOURS_PRIOR_SECONDS = 7_200.0
"""So long an hour of the day must have been watched to count as much as the whole day does."""


class Baselines:
    """What is usual for each template.

    Args:
        templates_max: Baselines that are kept; for a new one, the one that came least recently is given up.
        sketches_max: Numbers of templates whose sizes are kept; of more, none is.
    """

    def __init__(self, templates_max: int = 5_000, sketches_max: int = 2_000) -> None:
        self.templates_max = templates_max
        self.sketches_max = sketches_max
        self.given_up = 0
        self._by_id: OrderedDict[str, Baseline] = OrderedDict()
        """The one that came least recently is the first."""
        self._sketches = 0
        self._watched = array("d", bytes(24 * 8))
        """Seconds of each hour of the day in which records came."""
        self._last_seconds = -math.inf

    def __len__(self) -> int:
        return len(self._by_id)

    def observe(
        self, template_id: str, event_seconds: float, level: str, numbers: Sequence[float] = ()
    ) -> None:
        """Count a record.

        Args:
            template_id: Its template.
            event_seconds: When it was logged, seconds since 1970.
            level: Its level.
            numbers: The numbers of its parameters, nan for what is none, as `numbers` gives them.
        """
        baseline = self._by_id.get(template_id)
        if baseline is None:
            baseline = self._by_id[template_id] = self._new(event_seconds)
        else:
            self._by_id.move_to_end(template_id)
        baseline.fade_until(event_seconds)
        baseline.observe(event_seconds, level)
        if numbers:
            self._observe_numbers(baseline, numbers)
        if event_seconds > self._last_seconds:
            self._watch(event_seconds)

    def of(self, template_id: str) -> Baseline | None:
        """Return the baseline of a template, which goes on learning; None when it has none.

        Args:
            template_id: The template, by the identity that it has now.
        """
        return self._by_id.get(template_id)

    def hour_factor(self, template_id: str, at_seconds: float) -> float:
        """Return how much more than in the mean of a day a template comes in an hour of the day.

        Near 1 as long as little of that hour, or of the day, was watched.

        Args:
            template_id: The template.
            at_seconds: A moment in the hour, seconds since 1970.
        """
        baseline = self._by_id.get(template_id)
        watched = sum(self._watched)
        if baseline is None or not watched or not (total := sum(baseline.hours)):
            return 1.0
        hour = int(at_seconds % DAY_SECONDS // 3_600)
        usual = total / watched
        seen = baseline.hours[hour] + usual * _HOURS_PRIOR_SECONDS
        return seen / (self._watched[hour] + _HOURS_PRIOR_SECONDS) / usual

    def rename(self, renamed: Mapping[str, str]) -> None:
        """Move what is kept by identities that have become others; what is kept of both adds up.

        Args:
            renamed: The new identity by each old one, as `TemplateMiner.take_renamed` returns them.
        """
        for old, new in renamed.items():
            baseline = self._by_id.pop(old, None)
            if baseline is not None:
                self._sketches -= _sketches(baseline)
                self._put(new, baseline)

    def content(self) -> dict[str, Any]:
        """Return what is known, as JSON can hold it."""
        return {
            "form": FORM,
            "templates_max": self.templates_max,
            "sketches_max": self.sketches_max,
            "given_up": self.given_up,
            "watched_seconds": list(self._watched),
            "last_seconds": None if self._last_seconds == -math.inf else self._last_seconds,
            "templates": {identity: baseline.content() for identity, baseline in self._by_id.items()},
        }

    @classmethod
    def restored(cls, content: Mapping[str, Any]) -> Baselines:
        """Return baselines that know what others knew.

        Args:
            content: What `content` returned.

        Raises:
            ValueError: It is not the content of baselines.
        """
        if content.get("form") != FORM:
            raise ValueError(
                f"baselines: form {content.get('form')!r} is not known, {FORM} is; start without it"
            )
        try:
            kept = cls(content["templates_max"], content["sketches_max"])
            kept.given_up = int(content["given_up"])
            kept._watched = array("d", content["watched_seconds"])
            last = content["last_seconds"]
            kept._last_seconds = -math.inf if last is None else float(last)
            for identity, baseline in content["templates"].items():
                kept._put(identity, Baseline.restored(baseline))
        except (KeyError, TypeError, AttributeError, ValueError) as error:
            raise ValueError(f"baselines: no content of baselines ({error!r}); start without it") from error
        return kept

    def merged(self, other: Baselines) -> Baselines:
        """Return what is usual where both watched a part of the records at the same time; neither changes.

        Args:
            other: The other baselines.
        """
        both = Baselines(
            max(self.templates_max, other.templates_max), max(self.sketches_max, other.sketches_max)
        )
        both.given_up = self.given_up + other.given_up
        both._last_seconds = last = max(self._last_seconds, other._last_seconds)
        both._watched = array("d", map(max, self._watched_until(last), other._watched_until(last)))
        parts = [*self._by_id.items(), *other._by_id.items()]
        for identity, baseline in sorted(parts, key=lambda it: (it[1].last_seconds, it[0])):
            both._put(identity, copy.deepcopy(baseline))
        return both

    def _new(self, event_seconds: float) -> Baseline:
        while len(self._by_id) >= self.templates_max:
            self._give_up(next(iter(self._by_id)))
        return Baseline(event_seconds)

    def _put(self, identity: str, baseline: Baseline) -> None:
        """Take in a baseline; one that is known of the same template becomes one with it."""
        known = self._by_id.pop(identity, None)
        if known is None:
            while len(self._by_id) >= self.templates_max:
                self._give_up(next(iter(self._by_id)))
        else:
            self._sketches -= _sketches(known)
            known.take_in(baseline)
            known.sketches = _together(known.sketches, baseline.sketches)
            baseline = known
        self._by_id[identity] = baseline
        self._sketches += _sketches(baseline)
        if self._sketches > self.sketches_max:
            self._sketches -= _sketches(baseline)
            baseline.sketches = []

    def _give_up(self, identity: str) -> None:
        self._sketches -= _sketches(self._by_id.pop(identity))
        self.given_up += 1

    def _observe_numbers(self, baseline: Baseline, numbers: Sequence[float]) -> None:
        sketches = baseline.sketches
        for place, value in enumerate(numbers[:NUMBERS_MAX]):
            if place == len(sketches):
                sketches.append(None)
            if math.isfinite(value):
                sketch = sketches[place]
                if sketch is None:
                    if self._sketches >= self.sketches_max:
                        continue
                    self._sketches += 1
                    sketch = sketches[place] = ValueSketch()
                sketch.add(value)

    def _watch(self, event_seconds: float) -> None:
        passed = event_seconds - self._last_seconds
        self._watched = self._watched_until(event_seconds)
        if passed <= _WATCHED_GAP_SECONDS_MAX:
            self._watched[int(event_seconds % DAY_SECONDS // 3_600)] += passed
        self._last_seconds = event_seconds

    def _watched_until(self, event_seconds: float) -> array[float]:
        """Return what was watched of each hour, faded until a moment as the counts are."""
        if self._last_seconds == -math.inf:
            return self._watched
        days = int(event_seconds // DAY_SECONDS) - int(self._last_seconds // DAY_SECONDS)
        if not days:
            return self._watched
        return array("d", (seconds * faded(days) for seconds in self._watched))


def _sketches(baseline: Baseline) -> int:
    return sum(sketch is not None for sketch in baseline.sketches)


def _together(
    mine: Sequence[ValueSketch | None], theirs: Sequence[ValueSketch | None]
) -> list[ValueSketch | None]:
    both: list[ValueSketch | None] = list(mine) + [None] * (len(theirs) - len(mine))
    for place, sketch in enumerate(theirs):
        known = both[place]
        if known is None or sketch is None:
            both[place] = known or sketch
        else:
            known.add_all(sketch)
    return both

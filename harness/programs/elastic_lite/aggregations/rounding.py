"""The intervals of a date_histogram: where the bucket of a moment begins, and where the next one does.

Source of the rules: org.elasticsearch.common.Rounding of 8.19, whose differences in hours around a change of
clocks the differential tests compare.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime, timedelta, tzinfo

from harness.programs.elastic_lite.language.dates import rounded_down, shifted, to_ms
from harness.programs.elastic_lite.language.time_zones import (
    at,
    change_before,
    change_over,
    local_of,
    moments_of,
    offset_ms,
)

MIDNIGHT = frozenset("dwMqy")
"""Units that begin at the beginning of a day."""
UNIT_MS = {"s": 1_000, "m": 60_000, "h": 3_600_000}
STEPS_MAX = 1_000


@dataclass(frozen=True, slots=True)
class Interval:
    """How long a bucket is: a unit of the calendar in a zone, or so many milliseconds of its clocks."""

    unit: str = ""
    fixed_ms: int = 0
    zone: tzinfo = UTC

    def start(self, value_ms: int) -> int:
        """The start of the bucket that a moment lies in."""
        if self.fixed_ms:
            return self.fixed_start(value_ms)
        if self.zone is UTC:
            return to_ms(truncated(at(value_ms), self.unit))
        if self.unit in MIDNIGHT:
            return self.first_of(truncated(local_of(value_ms, self.zone), self.unit))
        return self.hour_start(value_ms)

    def after(self, start_ms: int) -> int:
        """The start of the bucket behind one."""
        if self.fixed_ms:
            return self.after_fixed(start_ms)
        if self.zone is UTC:
            return to_ms(unit_later(at(start_ms), self.unit))
        if self.unit in MIDNIGHT:
            midnight = truncated(local_of(start_ms, self.zone), self.unit)
            return self.first_of(unit_later(midnight, self.unit))
        step = UNIT_MS[self.unit]
        for count in range(1, STEPS_MAX):
            if (found := self.start(start_ms + count * step)) > start_ms:
                return found
        raise OverflowError(start_ms)

    def fixed_start(self, value_ms: int) -> int:
        """The start where the length is fixed; a bucket ends where clocks change, and another begins."""
        if self.zone is UTC:
            return value_ms // self.fixed_ms * self.fixed_ms
        for _ in range(STEPS_MAX):
            shown_ms = value_ms + offset_ms(value_ms, self.zone)
            local = at(shown_ms // self.fixed_ms * self.fixed_ms).replace(tzinfo=None)
            moments = [each for each in moments_of(local, self.zone) if each <= value_ms]
            if not moments_of(local, self.zone):
                return change_over(local, self.zone)
            change = change_before(value_ms + 1, self.zone)
            if moments and (change is None or moments[-1] >= change):
                return moments[-1]
            if change is None:
                break
            value_ms = change - 1
        raise OverflowError(value_ms)

    def after_fixed(self, start_ms: int) -> int:
        """The start behind one where the length is fixed."""
        if self.zone is UTC:
            return start_ms + self.fixed_ms
        if (found := self.fixed_start(start_ms + self.fixed_ms)) > start_ms:
            return found
        shown_ms = start_ms + self.fixed_ms + offset_ms(start_ms, self.zone)
        local = at(shown_ms).replace(tzinfo=None)
        moments = moments_of(local, self.zone)
        if moments:
            return moments[0]
        # Clocks were put forward over it: as far behind the change as it would have been.
        return shown_ms - offset_ms(change_over(local, self.zone) - 1, self.zone)

    def hour_start(self, value_ms: int) -> int:
        """The start of an hour or less in a zone; one in which clocks change begins anew there."""
        for _ in range(STEPS_MAX):
            local = truncated(local_of(value_ms, self.zone), self.unit)
            earlier = [each for each in moments_of(local, self.zone) if each <= value_ms]
            change = change_before(value_ms, self.zone)
            if earlier and (change is None or change <= earlier[-1]):
                return earlier[-1]
            if change is None:
                break
            value_ms = change - 1
        raise OverflowError(value_ms)

    def first_of(self, midnight: datetime) -> int:
        """The first moment of a day."""
        moments = moments_of(midnight, self.zone)
        return moments[0] if moments else change_over(midnight, self.zone)


def truncated(moment: datetime, unit: str) -> datetime:
    """The start of the unit that a moment lies in."""
    if unit != "q":
        return rounded_down(moment, unit)
    month = rounded_down(moment, "M")
    return month.replace(month=(month.month - 1) // 3 * 3 + 1)


def unit_later(moment: datetime, unit: str) -> datetime:
    """A moment one unit later; the length of the unit is the calendar's."""
    if moment.tzinfo is None and unit in ("d", "w"):
        return moment + timedelta(days=7 if unit == "w" else 1)
    return shifted(moment, 3, "M") if unit == "q" else shifted(moment, 1, unit)

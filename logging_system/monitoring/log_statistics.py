"""What the monitoring handler counts: told batches of entries, it keeps windows, totals and findings.

No thread, lock or clock inside: entries bring their time, and one at a time may call.

```
entries ─▶ the slot that is not over ──every 100 ms──▶ windows of 1, 10 and 60 s, totals
                                     └──▶ bursts, slow calls ─▶ cooldown ─▶ findings
```
"""

from __future__ import annotations

import logging
import math
from bisect import bisect_left
from collections import Counter, deque
from collections.abc import Iterable
from dataclasses import dataclass
from functools import partial
from operator import itemgetter
from typing import TypeGuard

from logging_system.monitoring.error_templates import (
    TEXT_CHARACTERS_MAX,
    ErrorKey,
    ErrorText,
    HeavyHitters,
    Templates,
    printable,
)
from logging_system.monitoring.findings import KINDS, OTHER, Burst, Cooldown, Finding, FindingKind
from logging_system.monitoring.histogram import DURATION_MS_MAX, Histogram
from logging_system.monitoring.windows import SlidingWindow

SECOND_NS = 1_000_000_000
WINDOWS_SECONDS = (1, 10, 60)
SLOT_NS = SECOND_NS // 10
"""The slots of the shortest window; those of the others are multiples."""
LEVELS_MAX = 16
OTHER_LEVEL = -1
LATEST_FINDINGS_MAX = 32
_BURST_HISTORY_NS = 10 * SECOND_NS
"""An application that begins logs more than it did before it began."""
_TEMPLATES_A_SLOT_MAX = 256
_STANDARD_LEVELS = (logging.DEBUG, logging.INFO, logging.WARNING, logging.ERROR, logging.CRITICAL)

Series = tuple[str, int]
"""Name of a logger, and number of a level."""


NO_CALL = math.inf
Entry = tuple[int, float, float, Series, object, ErrorText | None]
"""What is kept of a record until it is counted, in order; no class, because making one takes too long:

* when it came, on the monotonic clock;
* the same by the time of day, in seconds;
* how long ago it was made, by the time of day; `NO_CALL` where that says nothing of a log call;
* its logger and level;
* how long it says that something took, in milliseconds, whatever was given;
* what it says, where it is an error.
"""

_moment = itemgetter(0)
_series = itemgetter(3)
_error = itemgetter(5)


@dataclass(frozen=True, slots=True)
class Limits:
    """What is noticed and how much is kept, see `AdvancedMonitoringHandler`."""

    slow_call_ms: float
    slow_operation_ms: float
    burst_factor: float
    burst_records_min: int
    burst_errors_min: int
    finding_interval_seconds: float
    series_max: int
    error_templates_max: int

    def __post_init__(self) -> None:
        """Refuse what makes no sense.

        Raises:
            ValueError: A number is out of its range.
        """
        for name in ("slow_call_ms", "slow_operation_ms"):
            _check(name, getattr(self, name), above=0)
        _check("finding_interval_seconds", self.finding_interval_seconds, at_least=0)
        _check("burst_factor", self.burst_factor, at_least=1)
        for name in ("burst_records_min", "burst_errors_min", "series_max", "error_templates_max"):
            _check(name, getattr(self, name), at_least=1)


def _is_duration(value: object) -> TypeGuard[float]:
    if not isinstance(value, (float, int)) or value is True or value is False:
        return False
    return 0 <= value <= DURATION_MS_MAX  # not what is not a number


def _check(name: str, value: float, *, above: float | None = None, at_least: float | None = None) -> None:
    if above is not None and not value > above:
        raise ValueError(f"{name} is {value}; it must be above {above:g}")
    if at_least is not None and not value >= at_least:
        raise ValueError(f"{name} is {value}; it must be {at_least:g} or more")


class Tally:
    """What came in a slot: records by series, errors, and durations."""

    __slots__ = ("calls", "errors", "operations", "records", "series")

    def __init__(self) -> None:
        self.records = 0
        self.errors = 0
        self.series: dict[Series, int] = {}
        self.calls = Histogram()
        self.operations = Histogram()

    def add(self, other: Tally) -> None:
        """Add all that another one holds.

        Args:
            other: Stays as it is.
        """
        self.records += other.records
        self.errors += other.errors
        for series, count in other.series.items():
            self.series[series] = self.series.get(series, 0) + count
        self.calls.add(other.calls)
        self.operations.add(other.operations)


class SeriesTable:
    """Which loggers and levels are counted apart: the first so many, until one is silent for a window.

    Args:
        series_max: How many pairs of them.
    """

    def __init__(self, series_max: int) -> None:
        self._series_max = series_max
        self._known: dict[Series, Series] = {}
        self._levels = set(_STANDARD_LEVELS)

    @property
    def is_full(self) -> bool:
        """Whether there is no room for another."""
        return len(self._known) >= self._series_max

    def counted_as(self, series: Series) -> Series:
        """Return what a logger and level are counted as.

        Args:
            series: The logger's name and the level's number. What has no room in the table, a name too long,
                or a level beyond the first so many, is counted among others.
        """
        return self._known.get(series) or self._new(series)

    def keep(self, alive: set[Series]) -> None:
        """Forget all but these, so that others find room.

        Args:
            alive: As `counted_as` returned them.
        """
        self._known = {raw: series for raw, series in self._known.items() if series in alive}

    def _new(self, series: Series) -> Series:
        name, level = series
        if level not in self._levels and len(self._levels) < LEVELS_MAX:
            self._levels.add(level)
        known_level = level if level in self._levels else OTHER_LEVEL
        # A long name is no key to be kept, nor is a level that has no name of its own.
        if self.is_full or len(name) > TEXT_CHARACTERS_MAX or known_level != level:
            return OTHER, known_level
        found = self._known[series] = printable(name), level
        return found


class LogStatistics:
    """Counts entries.

    Args:
        limits: What is noticed and how much is kept.
        start_ns: When counting begins, on the monotonic clock.
    """

    def __init__(self, limits: Limits, start_ns: int) -> None:
        self.start_ns = self._now_ns = start_ns
        self.windows = [SlidingWindow(seconds * SECOND_NS, Tally) for seconds in WINDOWS_SECONDS]
        self.error_window = SlidingWindow(
            WINDOWS_SECONDS[-1] * SECOND_NS, partial(HeavyHitters, limits.error_templates_max)
        )
        self.errors = HeavyHitters(limits.error_templates_max)
        self.totals: dict[Series, int] = {}
        self.records = 0
        self.calls = Histogram()
        self.operations = Histogram()
        self.latest_findings: deque[Finding] = deque(maxlen=LATEST_FINDINGS_MAX)
        self.findings_by_kind: dict[str, int] = dict.fromkeys(KINDS, 0)
        self.invalid_durations = 0
        self.clock_jumps = 0
        self._limits = limits
        self._slot = Tally()
        self._said: dict[ErrorKey, int] = {}
        """The errors of the slot, by what they said."""
        self._slot_end_ns = (start_ns // SLOT_NS + 1) * SLOT_NS
        self._table = SeriesTable(limits.series_max)
        self._room_looked_for_ns = start_ns
        self._templates = Templates()
        self._offset_seconds: float | None = None
        self._cooldown = Cooldown(int(limits.finding_interval_seconds * SECOND_NS))
        self._record_burst = Burst(limits.burst_factor, limits.burst_records_min, _BURST_HISTORY_NS)
        self._error_burst = Burst(limits.burst_factor, limits.burst_errors_min, 0)
        self._new_findings: list[Finding] = []

    def tell(self, entries: list[Entry]) -> list[Finding]:
        """Count entries; one that is older than the slot that is not over counts for that slot.

        Args:
            entries: In any order; they are sorted.

        Returns:
            What people should hear of now.
        """
        entries.sort(key=_moment)
        begin = 0
        while begin < len(entries):
            self.turn(entries[begin][0])
            end = bisect_left(entries, self._slot_end_ns, begin, key=_moment)
            self._count(entries[begin:end])
            begin = end
        self._look_for_bursts()
        found, self._new_findings = self._new_findings, []
        return found

    def turn(self, now_ns: int) -> None:
        """Go on to a moment; what was counted in the slot before it comes into windows and totals.

        Args:
            now_ns: The moment on the monotonic clock; an earlier one than the last changes nothing.
        """
        self._now_ns = max(self._now_ns, now_ns)
        if now_ns >= self._slot_end_ns:
            self.close_slot()
            self._slot_end_ns = (now_ns // SLOT_NS + 1) * SLOT_NS
            if self._table.is_full and now_ns - self._room_looked_for_ns >= SECOND_NS:
                self._room_looked_for_ns = now_ns
                self._make_room()

    def close_slot(self) -> None:
        """Bring what was counted so far into windows and totals; the slot may go on."""
        self._tell_errors()
        slot, self._slot = self._slot, Tally()
        if not slot.records:
            return
        for window in self.windows:
            window.slot(self._slot_end_ns - SLOT_NS).add(slot)
        for series, count in slot.series.items():
            self._count_total(series, count)
        self.records += slot.records
        self.calls.add(slot.calls)
        self.operations.add(slot.operations)

    # --- counting ----------------------------------------------------------------------------------------

    def _count(self, entries: list[Entry]) -> None:
        # By the batch, in functions written in C: it is the caller's time.
        slot = self._slot
        slot.records += len(entries)
        for raw, count in Counter(map(_series, entries)).items():
            series = self._table.counted_as(raw)
            slot.series[series] = slot.series.get(series, 0) + count
        self._count_calls(entries)
        self._count_operations(entries)
        if any(map(_error, entries)):
            self._count_errors(entries)

    def _count_calls(self, entries: list[Entry]) -> None:
        calls = [seconds * 1e3 for entry in entries if (seconds := entry[2]) is not NO_CALL]
        slow_ms = self._limits.slow_call_ms
        # Where one is not a number, their sum is none either.
        if calls and not (min(calls) >= 0.0 and max(calls) <= slow_ms and sum(calls) < math.inf):
            calls = list(self._credible(entries))
        self._slot.calls.count(calls)
        moment_ns, wall_seconds = entries[-1][:2]
        self._offset_seconds = wall_seconds - moment_ns / SECOND_NS

    def _credible(self, entries: list[Entry]) -> Iterable[float]:
        """Yield how long log calls took in milliseconds, without those during which the time of day was set.

        The time of day less the monotonic time stays what it was. Where it changed since the record before,
        by more than half of what a call is said to have taken, the change is what was measured.
        """
        for moment_ns, wall_seconds, call_seconds, series, _, _ in entries:
            before, offset_seconds = self._offset_seconds, wall_seconds - moment_ns / SECOND_NS
            self._offset_seconds = offset_seconds
            if call_seconds is NO_CALL:
                continue
            call_ms = call_seconds * 1e3
            changed_ms = 0.0 if before is None else abs(offset_seconds - before) * 1e3
            is_slow = call_ms > self._limits.slow_call_ms
            if not 0.0 <= call_ms <= DURATION_MS_MAX or (is_slow and changed_ms > call_ms / 2):
                self.clock_jumps += 1
                continue
            if is_slow:
                self._find("slow_call", series, call_ms, self._limits.slow_call_ms, moment_ns)
            yield call_ms

    def _count_operations(self, entries: list[Entry]) -> None:
        slow_ms = self._limits.slow_operation_ms
        durations_ms = []
        for entry in entries:
            duration_ms = entry[4]
            if duration_ms is None:
                continue
            if not _is_duration(duration_ms):
                self.invalid_durations += 1
                continue
            durations_ms.append(duration_ms)
            if duration_ms > slow_ms:
                self._find("slow_operation", entry[3], float(duration_ms), slow_ms, entry[0])
        self._slot.operations.count(durations_ms)

    def _count_errors(self, entries: list[Entry]) -> None:
        said = Counter(map(_error, entries))
        del said[None]
        self._slot.errors += said.total()
        for error, count in said.items():
            logger, text, has_arguments, exception = error
            template = text if has_arguments else self._templates.template(text)
            key = logger[:TEXT_CHARACTERS_MAX], template, exception
            self._said[key] = self._said.get(key, 0) + count
        if len(self._said) > _TEMPLATES_A_SLOT_MAX:
            self._tell_errors()

    def _tell_errors(self) -> None:
        window = self.error_window.slot(self._slot_end_ns - SLOT_NS)
        for key, count in self._said.items():
            self.errors.tell(key, count)
            window.tell(key, count)
        self._said.clear()

    def _count_total(self, series: Series, count: int) -> None:
        if series not in self.totals and len(self.totals) >= self._limits.series_max:
            series = (OTHER, series[1])
        self.totals[series] = self.totals.get(series, 0) + count

    def _make_room(self) -> None:
        alive = {series for tally in self.windows[-1].amounts(self._now_ns) for series in tally.series}
        self._table.keep(alive)

    # --- findings ----------------------------------------------------------------------------------------

    def _look_for_bursts(self) -> None:
        second, minute = self.windows[0], self.windows[-1]
        tallies = [self._slot, *second.amounts(self._now_ns)]
        records = sum(tally.records for tally in tallies)
        errors = sum(tally.errors for tally in tallies)
        if records < self._record_burst.count_min:
            self._record_burst.end()
        if errors < self._error_burst.count_min:
            self._error_burst.end()
        if records < self._record_burst.count_min and errors < self._error_burst.count_min:
            return
        earlier = [self._slot, *minute.amounts(self._now_ns)]
        before_ns = minute.covered_ns(self._now_ns, self.start_ns)
        before_ns -= second.covered_ns(self._now_ns, self.start_ns)
        records_before = sum(tally.records for tally in earlier) - records
        errors_before = sum(tally.errors for tally in earlier) - errors
        self._burst("record_burst", self._record_burst, records, records_before, before_ns)
        self._burst("error_burst", self._error_burst, errors, errors_before, before_ns)

    def _burst(self, kind: FindingKind, burst: Burst, last: int, before: int, before_ns: int) -> None:
        if last < burst.count_min:
            return
        limit = burst.limit(last, before, before_ns)
        if limit is not None:
            self._find(kind, None, last, limit, self._now_ns)

    def _find(
        self, kind: FindingKind, series: Series | None, value: float, limit: float, moment_ns: int
    ) -> None:
        self.findings_by_kind[kind] += 1
        logger = "" if series is None else self._table.counted_as(series)[0]
        finding = self._cooldown.passed(Finding(kind, logger, value, limit, 1, moment_ns))
        if finding is not None:
            self.latest_findings.append(finding)
            self._new_findings.append(finding)

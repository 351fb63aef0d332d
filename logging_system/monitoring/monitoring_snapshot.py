"""What the monitoring handler knows at one moment, as frozen dataclasses.

Every field is in docs/reference/monitoring-handler.md; a test compares.
"""

from __future__ import annotations

import logging
from collections.abc import Iterable
from dataclasses import dataclass

from logging_system.monitoring.error_templates import Hitter, merged, printable
from logging_system.monitoring.findings import OTHER, Finding
from logging_system.monitoring.histogram import BOUNDS_MS, Histogram
from logging_system.monitoring.log_statistics import (
    OTHER_LEVEL,
    SECOND_NS,
    LogStatistics,
    Series,
    Tally,
)
from logging_system.monitoring.windows import SlidingWindow

TOP_ERRORS_MAX = 20
_BOUND_EVERY = 8
"""Every eighth bucket's bound is shown: three to a power of ten."""
_LEVEL_CHARACTERS_MAX = 40


@dataclass(frozen=True, slots=True)
class Durations:
    """How long something took, in milliseconds.

    Attributes:
        count: How many durations there are.
        p50_ms: Half of them are not longer.
        p95_ms: 95 % of them are not longer.
        p99_ms: 99 % of them are not longer. All three are at most 5 % off.
        max_ms: The longest, exactly.
    """

    count: int
    p50_ms: float
    p95_ms: float
    p99_ms: float
    max_ms: float


@dataclass(frozen=True, slots=True)
class LevelRate:
    """The records of one level in a window.

    Attributes:
        level: The level's name, `(other)` for those beyond the first sixteen.
        records: How many.
        per_second: How many a second.
    """

    level: str
    records: int
    per_second: float


@dataclass(frozen=True, slots=True)
class LoggerRate:
    """The records of one logger in a window.

    Attributes:
        logger: The logger's name, `(other)` for all that found no room.
        records: How many.
        errors: How many of them are of level ERROR or above; of `(other)`, those of known levels.
        per_second: Records a second.
    """

    logger: str
    records: int
    errors: int
    per_second: float


@dataclass(frozen=True, slots=True)
class ErrorTemplate:
    """What errors said, without their numbers.

    Attributes:
        logger: Who logged them.
        template: The message before its arguments were put in; where it has none, with placeholders in the
            place of numbers.
        exception: Name of the exception's class; empty where there is none.
        count: How many errors, at most; never less than there were.
        overcount_max: By how much `count` may be too high.
    """

    logger: str
    template: str
    exception: str
    count: int
    overcount_max: int


@dataclass(frozen=True, slots=True)
class Window:
    """What happened within the last second, ten seconds or minute.

    Attributes:
        length_seconds: 1, 10 or 60.
        covered_seconds: What the numbers are of: the length, less up to a tenth of it, and less where the
            handler is younger.
        records: How many records came.
        per_second: Records a second.
        errors: How many of them are of level ERROR or above.
        error_ratio: Errors by records; 0 where there is none.
        levels: By level, the highest first.
        loggers: By logger, those with the most records first.
        calls: How long log calls took until they reached the handler.
        operations: The durations that records told of.
    """

    length_seconds: int
    covered_seconds: float
    records: int
    per_second: float
    errors: int
    error_ratio: float
    levels: tuple[LevelRate, ...]
    loggers: tuple[LoggerRate, ...]
    calls: Durations
    operations: Durations


@dataclass(frozen=True, slots=True)
class SeriesTotal:
    """The records of one logger and level since the beginning.

    Attributes:
        logger: The logger's name, `(other)` for all that found no room.
        level: The level's name, `(other)` for those beyond the first sixteen.
        records: How many.
    """

    logger: str
    level: str
    records: int


@dataclass(frozen=True, slots=True)
class DurationTotals:
    """Durations since the beginning, as a cumulative histogram.

    Attributes:
        bounds: Upper bounds in milliseconds with the number of durations that do not exceed each.
        count: How many durations there are.
        sum_ms: All together.
    """

    bounds: tuple[tuple[float, int], ...]
    count: int
    sum_ms: float


@dataclass(frozen=True, slots=True)
class MonitoringSnapshot:
    """What the handler knows of this process, all of one moment.

    Attributes:
        age_seconds: Since when it counts: the handler's making, or the fork.
        records: Records counted since.
        series: The same by logger and level; they add up to it.
        calls: How long log calls took, since.
        operations: The durations that records told of, since.
        windows: The last second, ten seconds and minute.
        top_errors: The most frequent errors of the last minute.
        top_errors_since_start: The most frequent ones since the beginning.
        findings: The latest findings, the latest last.
        findings_by_kind: How many there were of each kind, those held back included.
        missed_records: Records that came faster than they could be counted.
        broken_records: Records that could not be read, such as one whose level is no number.
        invalid_durations: Durations that are none: no number, negative, or not finite.
        clock_jumps: Log calls whose time is not known, because the time of day was set.
        untold_findings: Findings that the callback did not get, or raised on.
    """

    age_seconds: float
    records: int
    series: tuple[SeriesTotal, ...]
    calls: DurationTotals
    operations: DurationTotals
    windows: tuple[Window, ...]
    top_errors: tuple[ErrorTemplate, ...]
    top_errors_since_start: tuple[ErrorTemplate, ...]
    findings: tuple[Finding, ...]
    findings_by_kind: dict[str, int]
    missed_records: int
    broken_records: int
    invalid_durations: int
    clock_jumps: int
    untold_findings: int

    def window(self, length_seconds: int) -> Window:
        """Return the window of this length.

        Args:
            length_seconds: 1, 10 or 60.

        Raises:
            KeyError: There is none.
        """
        for window in self.windows:
            if window.length_seconds == length_seconds:
                return window
        lengths = ", ".join(str(window.length_seconds) for window in self.windows)
        raise KeyError(f"no window of {length_seconds} s; there are {lengths}")


def snapshot_of(
    statistics: LogStatistics, now_ns: int, *, missed_records: int, broken_records: int, untold_findings: int
) -> MonitoringSnapshot:
    """Return what is counted.

    Args:
        statistics: What counts; it goes on to this moment.
        now_ns: The moment, on the monotonic clock.
        missed_records: Records that came too fast to be counted.
        broken_records: Records that could not be read.
        untold_findings: Findings that did not reach the callback.
    """
    statistics.turn(now_ns)
    statistics.close_slot()
    totals: dict[tuple[str, str], int] = {}
    for (logger, level), count in statistics.totals.items():
        key = logger, _level_name(level)  # several levels may have one name
        totals[key] = totals.get(key, 0) + count
    return MonitoringSnapshot(
        age_seconds=(now_ns - statistics.start_ns) / SECOND_NS,
        records=statistics.records,
        series=tuple(SeriesTotal(logger, level, count) for (logger, level), count in sorted(totals.items())),
        calls=_totals(statistics.calls),
        operations=_totals(statistics.operations),
        windows=tuple(_window(window, now_ns, statistics.start_ns) for window in statistics.windows),
        top_errors=_templates(merged(statistics.error_window.amounts(now_ns))),
        top_errors_since_start=_templates(merged([statistics.errors])),
        findings=tuple(statistics.latest_findings),
        findings_by_kind=dict(statistics.findings_by_kind),
        missed_records=missed_records,
        broken_records=broken_records,
        invalid_durations=statistics.invalid_durations,
        clock_jumps=statistics.clock_jumps,
        untold_findings=untold_findings,
    )


def _window(window: SlidingWindow[Tally], now_ns: int, since_ns: int) -> Window:
    total = Tally()
    for tally in window.amounts(now_ns):
        total.add(tally)
    covered_seconds = window.covered_ns(now_ns, since_ns) / SECOND_NS
    return Window(
        length_seconds=window.window_ns // SECOND_NS,
        covered_seconds=covered_seconds,
        records=total.records,
        per_second=total.records / covered_seconds,
        errors=total.errors,
        error_ratio=total.errors / total.records if total.records else 0.0,
        levels=_levels(total.series, covered_seconds),
        loggers=_loggers(total.series, covered_seconds),
        calls=_durations(total.calls),
        operations=_durations(total.operations),
    )


def _levels(series: dict[Series, int], covered_seconds: float) -> tuple[LevelRate, ...]:
    records: dict[int, int] = {}
    for (_, level), count in series.items():
        records[level] = records.get(level, 0) + count
    return tuple(
        LevelRate(_level_name(level), count, count / covered_seconds)
        for level, count in sorted(records.items(), reverse=True)
    )


def _loggers(series: dict[Series, int], covered_seconds: float) -> tuple[LoggerRate, ...]:
    records: dict[str, int] = {}
    errors: dict[str, int] = {}
    for (logger, level), count in series.items():
        records[logger] = records.get(logger, 0) + count
        if level >= logging.ERROR:
            errors[logger] = errors.get(logger, 0) + count
    return tuple(
        LoggerRate(logger, count, errors.get(logger, 0), count / covered_seconds)
        for logger, count in sorted(records.items(), key=lambda item: (-item[1], item[0]))
    )


def _level_name(level: int) -> str:
    return (
        OTHER if level == OTHER_LEVEL else printable(str(logging.getLevelName(level)))[:_LEVEL_CHARACTERS_MAX]
    )


def _durations(histogram: Histogram) -> Durations:
    return Durations(
        count=histogram.total,
        p50_ms=histogram.quantile_ms(0.5),
        p95_ms=histogram.quantile_ms(0.95),
        p99_ms=histogram.quantile_ms(0.99),
        max_ms=histogram.max_ms,
    )


def _totals(histogram: Histogram) -> DurationTotals:
    bounds, below, index = [], 0, 0
    for shown in range(0, len(BOUNDS_MS), _BOUND_EVERY):
        while index <= shown:
            below += histogram.buckets.get(index, 0)
            index += 1
        bounds.append((BOUNDS_MS[shown], below))
    return DurationTotals(tuple(bounds), histogram.total, histogram.sum_ms)


def _templates(hitters: Iterable[Hitter]) -> tuple[ErrorTemplate, ...]:
    return tuple(
        ErrorTemplate(
            logger=printable(hitter.key[0]),
            template=printable(hitter.key[1]),
            exception=printable(hitter.key[2]),
            count=hitter.count,
            overcount_max=hitter.overcount_max,
        )
        for hitter in list(hitters)[:TOP_ERRORS_MAX]
    )

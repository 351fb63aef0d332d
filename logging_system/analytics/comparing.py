"""Before and after a moment, such as a deploy: two rates, and whether noise explains their difference.

The ratio of two rates has an interval (99 %) from the counts on both sides, on the scale of the logarithm:
sqrt(d (1/n + 1/m)), where d is how much more the counts of single intervals scatter than independent events
would (Pearson's statistic over its degrees of freedom, 1 at least; McCullagh and Nelder, Generalized Linear
Models, 2nd edition, 4.5 and 6.2.4). Logs come in bursts, so without d every burst would be called a change.
Where one side has none, half an event is added to both (Haldane, Anscombe).
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from logging_system.analytics.answers import Partial, buckets_of, joined, partial_of
from logging_system.analytics.rates import by_level_of, levels_terms
from logging_system.analytics.reach import Reach
from logging_system.analytics.sampling import ERRORS
from logging_system.analytics.store_queries import StoreQueries
from logging_system.analytics.windows import Window, text_of
from logging_system.records.levels import is_error

PARTS = 20
"""Intervals of each side, whose counts say how much they scatter."""
LOGGERS_MAX = 1_000
Z_99 = 2.5758293035489004
_SHARD_TERMS = 5_000


@dataclass(frozen=True, slots=True)
class Side:
    """The records of one side.

    Attributes:
        count: How many.
        seconds: In how long.
    """

    count: int
    seconds: float

    @property
    def per_minute(self) -> float:
        """The rate."""
        return self.count / self.seconds * 60


@dataclass(frozen=True, slots=True)
class Change:
    """One thing that is counted, before and after.

    Attributes:
        name: What is counted.
        before: The side before.
        after: The side after.
        ratio: The later rate through the earlier; None where there was nothing before.
        low: The lower end of its interval.
        high: The upper end; None where nothing bounds it.
        dispersion: How much more the counts scatter than independent events would, 1 at least.
    """

    name: str
    before: Side
    after: Side
    ratio: float | None
    low: float
    high: float | None
    dispersion: float

    @property
    def is_change(self) -> bool:
        """Whether noise does not explain it: the interval leaves 1 out."""
        return self.low > 1.0 or (self.high is not None and self.high < 1.0)


@dataclass(frozen=True, slots=True)
class Comparison:
    """Before and after a moment.

    Attributes:
        moment: It.
        before: The window before.
        after: The window after.
        records: All records.
        errors: Those of level error and above.
        error_share: The share of errors among all records; its sides count errors, in records for seconds.
        loggers: The errors of each logger, those with the most after it first.
        loggers_left_out: Errors of loggers that are not listed.
        partial: Why that is only a part; None where it is all.
    """

    moment: datetime
    before: Window
    after: Window
    records: Change
    errors: Change
    error_share: Change
    loggers: tuple[Change, ...]
    loggers_left_out: int
    partial: Partial | None


def sides(moment: datetime, now: datetime, length_seconds: float, zone: str = "UTC") -> tuple[Window, Window]:
    """Return the windows before and after a moment.

    Args:
        moment: It.
        now: The present moment, behind which nothing is.
        length_seconds: How long each is at most; the later one ends now at the latest, and the earlier one is
            never shorter than it.
        zone: The zone in which they are told.

    Raises:
        ValueError: The moment is not past.
    """
    if moment >= now:
        raise ValueError(f"{moment.isoformat()} is not past; nothing can be compared yet")
    until = min(now, moment + timedelta(seconds=length_seconds))
    return Window(moment - timedelta(seconds=length_seconds), moment, zone), Window(moment, until, zone)


def compare(queries: StoreQueries, reach: Reach, before: Window, after: Window) -> Comparison:
    """Compare two windows.

    Args:
        queries: Asks the store.
        reach: The data streams.
        before: The earlier window.
        after: The later one.

    Returns:
        How records, errors, their share and each logger's errors changed, and what the answer lacks.

    Raises:
        StoreQueryError: There is no answer.
    """
    answers = queries.multi_search([(reach.target, _search(window)) for window in (before, after)])
    parts = [_parts(answer) for answer in answers]
    every = [[sum(part.values()) for part in side] for side in parts]
    errors = [
        [sum(count for level, count in part.items() if is_error(level)) for part in side] for side in parts
    ]
    seconds = before.seconds, after.seconds
    records = change_of("records", every[0], every[1], *seconds)
    of_errors = change_of("errors", errors[0], errors[1], *seconds)
    loggers, left_out = _loggers(answers, seconds, of_errors.dispersion)
    return Comparison(
        after.since,
        before,
        after,
        records,
        of_errors,
        share_change(every, errors),
        loggers,
        left_out,
        joined(map(partial_of, answers)),
    )


def change_of(
    name: str,
    before: Sequence[int],
    after: Sequence[int],
    seconds_before: float,
    seconds_after: float,
    *,
    dispersion_min: float = 1.0,
) -> Change:
    """Return a change from the counts of single intervals.

    Args:
        name: What is counted.
        before: The counts of the intervals before.
        after: Of those after.
        seconds_before: How long all before are together.
        seconds_after: How long all after are together.
        dispersion_min: What the scatter is at least known to be.
    """
    dispersion = max(dispersion_min, dispersion_of(before, after))
    first, last = Side(sum(before), seconds_before), Side(sum(after), seconds_after)
    return _change(name, first, last, dispersion, seconds_before / seconds_after)


def dispersion_of(*sides_counts: Sequence[int]) -> float:
    """Return how much counts scatter about the mean of their side, as a multiple of independent events'.

    Args:
        sides_counts: The counts of each side, of stretches that are equally long.

    Returns:
        At least 1, which is what independent events (Poisson) have: what scatters less is not believed.
    """
    statistic, freedom = 0.0, 0
    for counts in sides_counts:
        mean = sum(counts) / len(counts) if counts else 0.0
        if len(counts) < 2 or mean == 0:
            continue
        statistic += sum((count - mean) ** 2 for count in counts) / mean
        freedom += len(counts) - 1
    return max(1.0, statistic / freedom) if freedom else 1.0


def _change(name: str, before: Side, after: Side, dispersion: float, scale: float) -> Change:
    ratio = after.count / before.count * scale if before.count else None
    if scale <= 0 or not (before.count or after.count):
        return Change(name, before, after, ratio, 0.0, None, dispersion)
    added = 0.0 if before.count and after.count else 0.5
    first, last = before.count + added, after.count + added
    middle = math.log(last / first * scale)
    around = Z_99 * math.sqrt(dispersion * (1 / first + 1 / last))
    return Change(
        name, before, after, ratio, math.exp(middle - around), math.exp(middle + around), dispersion
    )


def share_change(every: Sequence[Sequence[int]], errors: Sequence[Sequence[int]]) -> Change:
    """Return how the share of errors changed; a burst of records whose share is the same is no change.

    Its interval is that of the ratio of two proportions (Katz, Baptista, Azen, Pike: Biometrics 34, 1978),
    widened by how much more the shares of single intervals scatter than independent records' would.

    Args:
        every: The counts of all records in single intervals, of each side.
        errors: The counts of errors in them.
    """
    records = [sum(counts) for counts in every]
    found = [sum(counts) for counts in errors]
    before, after = (Side(each, max(1.0, number)) for each, number in zip(found, records, strict=True))
    dispersion = _scatter_of_shares(every, errors)
    if 0 in records or not any(found):
        return Change("error share", before, after, None, 0.0, None, dispersion)
    added = 0.0 if all(found) else 0.5
    first, last = ((count + added) / (number + added) for count, number in zip(found, records, strict=True))
    variance = sum(
        max(1 / (count + added) - 1 / (number + added), 0.0)
        for count, number in zip(found, records, strict=True)
    )
    middle, around = math.log(last / first), Z_99 * math.sqrt(dispersion * variance)
    ratio = None if not found[0] else found[1] / records[1] / (found[0] / records[0])
    return Change(
        "error share", before, after, ratio, math.exp(middle - around), math.exp(middle + around), dispersion
    )


def _scatter_of_shares(every: Sequence[Sequence[int]], errors: Sequence[Sequence[int]]) -> float:
    statistic, freedom = 0.0, 0
    for counts, wrong in zip(every, errors, strict=True):
        share = sum(wrong) / sum(counts) if sum(counts) else 0.0
        pairs = [(number, each) for number, each in zip(counts, wrong, strict=True) if number]
        if not 0 < share < 1 or len(pairs) < 2:
            continue
        statistic += sum(
            (each - number * share) ** 2 / (number * share * (1 - share)) for number, each in pairs
        )
        freedom += len(pairs) - 1
    return max(1.0, statistic / freedom) if freedom else 1.0


def _loggers(
    answers: Sequence[Mapping[str, Any]], seconds: tuple[float, float], dispersion: float
) -> tuple[tuple[Change, ...], int]:
    counts = [_errors_by_logger(answer) for answer in answers]
    names = dict.fromkeys([*counts[1], *counts[0]])
    changes = [
        _change(
            name,
            Side(counts[0].get(name, 0), seconds[0]),
            Side(counts[1].get(name, 0), seconds[1]),
            dispersion,
            seconds[0] / seconds[1],
        )
        for name in names
    ]
    left_out = sum(_left_out(answer) for answer in answers)
    return tuple(sorted(changes, key=lambda each: (-each.after.count, each.name))), left_out


def _search(window: Window) -> dict[str, Any]:
    part_seconds = window.seconds / PARTS
    return {
        "size": 0,
        "track_total_hits": True,
        "query": {"bool": {"filter": [window.query]}},
        "aggs": {
            "parts": {
                "filters": {
                    "filters": {
                        f"{number:02}": _part(window, number, part_seconds) for number in range(PARTS)
                    }
                },
                "aggs": {"levels": levels_terms()},
            },
            "errors": {
                "filter": ERRORS,
                "aggs": {
                    "loggers": {
                        "terms": {"field": "log.logger", "size": LOGGERS_MAX, "shard_size": _SHARD_TERMS}
                    }
                },
            },
        },
    }


def _part(window: Window, number: int, part_seconds: float) -> dict[str, Any]:
    first = window.since + timedelta(seconds=number * part_seconds)
    last = (
        window.until if number + 1 == PARTS else window.since + timedelta(seconds=(number + 1) * part_seconds)
    )
    return {"range": {"@timestamp": {"gte": text_of(first), "lt": text_of(last)}}}


def _parts(answer: Mapping[str, Any]) -> list[dict[str, int]]:
    aggregations = answer.get("aggregations")
    found = aggregations.get("parts") if isinstance(aggregations, dict) else None
    named = found.get("buckets") if isinstance(found, dict) else None
    listed = [named[key] for key in sorted(named)] if isinstance(named, dict) else []
    return [by_level_of(part) for part in listed]


def _errors_by_logger(answer: Mapping[str, Any]) -> dict[str, int]:
    aggregations = answer.get("aggregations")
    errors = aggregations.get("errors") if isinstance(aggregations, dict) else None
    return {str(each["key"]): int(each["doc_count"]) for each in buckets_of(errors, "loggers")}


def _left_out(answer: Mapping[str, Any]) -> int:
    aggregations = answer.get("aggregations")
    errors = aggregations.get("errors") if isinstance(aggregations, dict) else None
    loggers = errors.get("loggers") if isinstance(errors, dict) else None
    return int(loggers.get("sum_other_doc_count", 0)) if isinstance(loggers, dict) else 0

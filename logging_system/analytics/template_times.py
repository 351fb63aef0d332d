"""How often each of the most frequent templates came, slice by slice of a window."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from logging_system.analytics.answers import Partial
from logging_system.analytics.reach import Reach
from logging_system.analytics.sampling import SLICES, Sample, Sampled, sample, value_of
from logging_system.analytics.store_queries import StoreQueries
from logging_system.analytics.templates import Template, grouped
from logging_system.analytics.windows import Window


@dataclass(frozen=True, slots=True)
class TimedTemplate:
    """A template over time.

    Attributes:
        template: It.
        estimates: How many there are in each slice of the window, as far as the sample tells.
    """

    template: Template
    estimates: tuple[float, ...]


@dataclass(frozen=True, slots=True)
class TemplateTimes:
    """The most frequent templates of a window over time.

    Attributes:
        templates: Them, the most frequent first.
        others: How many further ones the sample has.
        count: How many records there are.
        share: Which share of them was looked at; below 1 a rare template may be missed.
        partial: Why the records are only a part; None where they are all.
    """

    templates: tuple[TimedTemplate, ...]
    others: int
    count: int
    share: float
    partial: Partial | None


def template_times(
    queries: StoreQueries,
    reach: Reach,
    window: Window,
    *,
    query: Mapping[str, Any] | None = None,
    templates_max: int = 10,
) -> TemplateTimes:
    """Tell the most frequent templates of a window over time, as far as a sample shows them.

    Args:
        queries: Asks the store.
        reach: The data streams.
        window: The time.
        query: A condition beside the time, such as `sampling.ERRORS`.
        templates_max: How many are told at most.

    Raises:
        StoreQueryError: There is no answer.
        ForeignAnswerError: The store gave a document that was not asked for.
    """
    taken = sample(queries, reach, window, query=query)
    by_slice: list[list[Sampled]] = [[] for _ in range(SLICES)]
    for record in taken.records:
        by_slice[_slice_of(record, window)].append(record)
    slices = [grouped(Sample(tuple(records), len(records), None)) for records in by_slice]
    found = grouped(taken)
    most = [
        TimedTemplate(each, tuple(part[key].estimate if key in part else 0.0 for part in slices))
        for key, each in list(found.items())[:templates_max]
    ]
    return TemplateTimes(tuple(most), len(found) - len(most), taken.count, taken.share, taken.partial)


def _slice_of(record: Sampled, window: Window) -> int:
    """Return the slice that a record lies in; the first for one whose time cannot be read."""
    text = value_of(record.source, "@timestamp")
    try:
        moment = datetime.fromisoformat(text) if isinstance(text, str) else window.since
        share = (moment - window.since).total_seconds() / window.seconds
    except (ValueError, TypeError):
        return 0
    return min(SLICES - 1, max(0, int(share * SLICES)))

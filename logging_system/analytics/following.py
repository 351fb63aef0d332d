"""Follows what is stored: each line once, and none missed that is searchable within the lateness declared.

Records come to the store out of order. So each look reads again what is younger than the last look less the
lateness, and shows of it what it has not shown. What comes later than that is not shown, but counted.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from datetime import datetime, timedelta
from typing import Any

from logging_system.analytics.answers import Partial, hits_of, partial_of, total_of
from logging_system.analytics.lines import Line, PagingQueries, line_of, pages, point_in_time
from logging_system.analytics.reach import Reach
from logging_system.analytics.windows import text_of

SHOWN_MAX = 500_000
"""Lines remembered; beyond it the oldest half is forgotten, and the lateness is shorter for a while."""


class Follower:
    """Looks for new lines; used by one thread.

    Args:
        queries: Asks the store.
        reach: The data streams.
        since: The time from which lines are shown.
        lateness_seconds: How late a line becomes searchable at most.
        query: A condition beside the time; None for none.
        shown_max: Lines remembered at most.

    Attributes:
        missed: Lines that became searchable later than that and were not shown, as far as is known.
        partial: What the last look could not see; None where it saw all.
    """

    def __init__(
        self,
        queries: PagingQueries,
        reach: Reach,
        since: datetime,
        *,
        lateness_seconds: float,
        query: Mapping[str, Any] | None = None,
        shown_max: int = SHOWN_MAX,
    ) -> None:
        self._queries = queries
        self._reach = reach
        self._start = since
        self._from = since
        self._lateness = timedelta(seconds=lateness_seconds)
        self._query = query
        self._shown_max = shown_max
        self._shown: dict[tuple[str, str], datetime] = {}
        self._settled = 0
        self.missed = 0
        self.partial: Partial | None = None

    def mark_shown(self, lines: Iterable[Line]) -> None:
        """Take note of lines that were shown already."""
        self._shown |= {line.key: line.moment for line in lines}

    def look(self, now: datetime) -> Iterator[Line]:
        """Yield the lines that were not shown yet, by their time.

        Args:
            now: The present moment, never before that of an earlier look.

        Raises:
            StoreQueryError: There is no answer; the next look shows what this one could not.
            ForeignAnswerError: The store gave a document that was not asked for.
        """
        self.partial = None
        with point_in_time(self._queries, self._reach) as point_id:
            for answer in pages(self._queries, point_id, self._condition({"gte": text_of(self._from)})):
                self.partial = self.partial or partial_of(answer)
                for hit in hits_of(answer):
                    line = line_of(hit, self._reach)
                    if line.key not in self._shown:
                        self._shown[line.key] = line.moment
                        yield line
        if self.partial is None:
            # What a failed shard holds is read again by the next look.
            self._settle(max(self._from, now - self._lateness))

    def count_missed(self) -> int:
        """Ask how many lines became searchable too late to be shown.

        Returns:
            How many, since the beginning; also in `missed`.

        Raises:
            StoreQueryError: There is no answer.
        """
        if self._from > self._start:
            bounds = {"gte": text_of(self._start), "lt": text_of(self._from)}
            body = {"size": 0, "track_total_hits": True, "query": self._condition(bounds)}
            answer = self._queries.search(self._reach.target, body)
            if partial_of(answer) is None:
                self.missed = max(0, total_of(answer) - self._settled)
        return self.missed

    def _settle(self, moment: datetime) -> None:
        if len(self._shown) > self._shown_max:
            moments = sorted(self._shown.values())
            moment = max(moment, moments[len(moments) // 2])
        # To the millisecond, as the store compares.
        self._from = moment.replace(microsecond=moment.microsecond // 1000 * 1000)
        kept = {key: shown for key, shown in self._shown.items() if shown >= self._from}
        self._settled += len(self._shown) - len(kept)
        self._shown = kept

    def _condition(self, bounds: Mapping[str, str]) -> dict[str, Any]:
        time = {"range": {"@timestamp": dict(bounds)}}
        return {"bool": {"filter": [time, *([self._query] if self._query else [])]}}

"""The same question again and again, through the cache: how many records by level there are since a moment.

While nothing changes, the store only says so; while it cannot be asked, the last answer is told with its age.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any

from logging_system.analytics.answers import buckets_of, total_of
from logging_system.analytics.cache.cached_answer import CachedAnswer
from logging_system.analytics.cache.cached_queries import CachedQueries
from logging_system.analytics.rates import levels_terms
from logging_system.analytics.reach import Reach
from logging_system.analytics.windows import text_of


@dataclass(frozen=True, slots=True)
class Refreshed:
    """One answer.

    Attributes:
        namespace: Whose records it counts.
        asked: When it was asked.
        answered: When it came.
        since: The time of the first record that counts.
        records: How many there are.
        by_level: The same by level, those that have some.
        age_seconds: How long before `asked` this was exact; 0 where it was asked for just now.
        fresh: Whether it equals what the store said then; False where the store cannot be asked now.
        partial: Whether the store itself says that something is missing.
    """

    namespace: str
    asked: datetime
    answered: datetime
    since: datetime
    records: int
    by_level: Mapping[str, int]
    age_seconds: float
    fresh: bool
    partial: bool

    def as_json(self) -> dict[str, Any]:
        """Return it as a line of JSON has it."""
        return {
            "namespace": self.namespace,
            "asked": self.asked.isoformat(),
            "answered": self.answered.isoformat(),
            "since": self.since.isoformat(),
            # Not when it was asked: what is logged meanwhile counts, as far as the store finds it by then.
            "until": self.answered.isoformat(),
            "records": self.records,
            "by_level": dict(self.by_level),
            "age_seconds": round(self.age_seconds, 3),
            "fresh": self.fresh,
            "partial": self.partial,
        }


class Refreshing:
    """Counts a namespace's records again and again.

    Args:
        queries: The cache before the store.
        reach: Which data streams; of one namespace.
        since: The time of the first record that counts.
        clock: The time of day.
    """

    def __init__(
        self,
        queries: CachedQueries,
        reach: Reach,
        since: datetime,
        clock: Callable[[], datetime] = lambda: datetime.now(UTC),
    ) -> None:
        (self._namespace,) = reach.namespaces
        self._queries = queries
        self._target = reach.target
        self._since = since
        self._clock = clock
        # No end of the time: the question stays the same, so that its last answer can be told in an outage.
        self._body = {
            "size": 0,
            "track_total_hits": True,
            "query": {"range": {"@timestamp": {"gte": text_of(since)}}},
            "aggs": {"levels": levels_terms()},
        }

    def ask(self) -> Refreshed:
        """Return the answer of now, or in an outage the last one.

        Raises:
            StoreUnavailableError: The store cannot be asked, and no answer is kept that is young enough.
            QueryRefusedError: The store refuses the question.
        """
        asked = self._clock()
        answer = self._queries.answer(self._target, self._body)
        answered = self._clock()
        body = answer.body
        return Refreshed(
            namespace=self._namespace,
            asked=asked,
            answered=answered,
            since=self._since,
            records=total_of(body),
            by_level={
                each["key"]: each["doc_count"] for each in buckets_of(body.get("aggregations"), "levels")
            },
            age_seconds=_age_seconds(answer, answered - asked),
            fresh=answer.fresh,
            partial=answer.partial,
        )


def _age_seconds(answer: CachedAnswer, took: timedelta) -> float:
    """Return how long before it was asked an answer was exact."""
    return max(answer.validated_age_seconds - took.total_seconds(), 0.0)

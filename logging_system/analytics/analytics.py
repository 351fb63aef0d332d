"""The questions of this room, asked of one store about some namespaces."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from datetime import UTC, datetime
from typing import Any, Protocol

from logging_system.analytics.comparing import Comparison, compare, sides
from logging_system.analytics.following import Follower
from logging_system.analytics.latency import Latency, latency_of_documents
from logging_system.analytics.lines import Found, PagingQueries, search_lines
from logging_system.analytics.noisiest import NewLoggers, Noisiest, new_loggers, noisiest
from logging_system.analytics.query_language import read_query
from logging_system.analytics.rates import LATENESS_SECONDS, Outage, Rates, rates
from logging_system.analytics.reach import ANY_DATASET, Reach
from logging_system.analytics.sampling import ERRORS
from logging_system.analytics.storage import Storage, StoreFacts, storage
from logging_system.analytics.store_queries import ElasticsearchQueries
from logging_system.analytics.templates import NewTemplates, TopTemplates, new_templates, top_templates
from logging_system.analytics.windows import Interval, Window, fitting_interval, read_moment, zone_of

PREFERENCE = "logging-system-analytics"


class ReadableStore(PagingQueries, StoreFacts, Protocol):
    """Everything that a store is asked; `ElasticsearchQueries` fits it."""


def _now() -> datetime:
    return datetime.now(UTC)


class Analytics:
    """Answers about the records of some namespaces; safe for threads.

    Every answer says in `partial` why it tells of a part only, and is None there where it is whole.

    Args:
        store: Asks the store.
        reach: The namespaces.
        lateness_seconds: How late records are searchable at most; what is younger may still grow.
        outages: When the pipeline is known to have been down.
        zone: The IANA name of the time zone in which times are told.
        clock: The present moment.

    Raises:
        ValueError: There is no such zone.
    """

    def __init__(
        self,
        store: ReadableStore,
        reach: Reach,
        *,
        lateness_seconds: float = LATENESS_SECONDS,
        outages: Sequence[Outage] = (),
        zone: str = "UTC",
        clock: Callable[[], datetime] = _now,
    ) -> None:
        zone_of(zone)
        self._store = store
        self.reach = reach
        self._lateness_seconds = lateness_seconds
        self._outages = tuple(outages)
        self._zone = zone
        self._clock = clock

    @classmethod
    @contextmanager
    def connect(
        cls,
        urls: Sequence[str],
        *,
        namespaces: Sequence[str],
        allowed: Sequence[str] = (),
        dataset: str = ANY_DATASET,
        request_timeout_seconds: float = 10.0,
        connections: Mapping[str, Any] | None = None,
        **options: Any,
    ) -> Iterator[Analytics]:
        """Yield answers of a store, over connections of its own that are closed at the end.

        Args:
            urls: Its nodes.
            namespaces: Whose records are asked about; no patterns.
            allowed: What this reader may ask at most, such as the tenants of whoever is logged in; empty sets
                no bound.
            dataset: A dataset, such as a service; `*` for each.
            request_timeout_seconds: How long one question may take in all.
            connections: Credentials and certificates, as `ElasticsearchSink` takes them.
            options: As of `Analytics`.

        Raises:
            ValueError: What is said about the store cannot be used, or a namespace is none or not allowed.
        """
        from logging_system.sinks.elasticsearch.sink import ElasticsearchSink

        reach = Reach.of(namespaces, dataset=dataset, allowed=allowed)
        given = {"request_timeout_seconds": request_timeout_seconds, **(connections or {})}
        sink = ElasticsearchSink(urls, "logs-unused-default", **given)
        try:
            yield cls(ElasticsearchQueries(sink.request, preference=PREFERENCE), reach, **options)
        finally:
            sink.close()

    def window(self, since: str | datetime, until: str | datetime = "now") -> Window:
        """Return a stretch of time.

        Args:
            since: Its beginning: a moment, or how long ago as text (`15m`, `2h`, `7d`).
            until: Its end; the same.

        Raises:
            ValueError: A text is no time, or the time is empty.
        """
        now = self._clock()
        first, last = (
            read_moment(each, now, self._zone) if isinstance(each, str) else each for each in (since, until)
        )
        return Window(first, last, self._zone)

    def rates(self, window: Window, interval: Interval | None = None, *, query: str = "") -> Rates:
        """Return records by level over time; see `rates.rates`.

        Args:
            window: The time.
            interval: How long a bucket is; a fitting one by default.
            query: A condition, as `search` takes it.

        Raises:
            StoreQueryError: There is no answer.
            ValueError: The query is none, or there would be too many buckets.
        """
        return rates(
            self._store,
            self.reach,
            window,
            interval or fitting_interval(window),
            now=self._clock(),
            lateness_seconds=self._lateness_seconds,
            outages=self._outages,
            query=read_query(query),
        )

    def latency(self, window: Window) -> Latency | None:
        """Return logged → searchable, by what documents say; see `latency.latency_of_documents`.

        Args:
            window: The time.

        Returns:
            Quantiles in seconds; None where no document tells both times.

        Raises:
            StoreQueryError: There is no answer.
        """
        return latency_of_documents(self._store, self.reach, window)

    def error_templates(self, window: Window) -> TopTemplates:
        """Return the templates of errors, the most frequent first; see `templates.top_templates`.

        Args:
            window: The time.

        Raises:
            StoreQueryError: There is no answer.
        """
        return top_templates(self._store, self.reach, window, query=ERRORS)

    def templates(self, window: Window, *, query: str = "") -> TopTemplates:
        """Return the templates of records that fit; see `templates.top_templates`.

        Args:
            window: The time.
            query: A condition, as `search` takes it.

        Raises:
            StoreQueryError: There is no answer.
            QuerySyntaxError: The query is none.
        """
        return top_templates(self._store, self.reach, window, query=read_query(query))

    def new_error_templates(self, before: Window, after: Window) -> NewTemplates:
        """Return the templates of errors that came after and not before; see `templates.new_templates`."""
        return new_templates(self._store, self.reach, before, after, query=ERRORS)

    def noisiest(self, window: Window) -> Noisiest:
        """Return which namespaces and loggers log the most; see `noisiest.noisiest`.

        Args:
            window: The time.

        Raises:
            StoreQueryError: There is no answer.
        """
        return noisiest(self._store, self.reach, window)

    def new_loggers(self, before: Window, after: Window) -> NewLoggers:
        """Return which loggers were heard after and not before; see `noisiest.new_loggers`."""
        return new_loggers(self._store, self.reach, before, after)

    def compare(self, moment: datetime, length_seconds: float = 3600.0) -> Comparison:
        """Return how rates and errors differ before and after a moment; see `comparing.compare`.

        Args:
            moment: Such as that of a deploy.
            length_seconds: How long each side is at most; the later one ends now.

        Raises:
            StoreQueryError: There is no answer.
            ValueError: The moment is not past.
        """
        return compare(self._store, self.reach, *self.sides(moment, length_seconds))

    def sides(self, moment: datetime, length_seconds: float = 3600.0) -> tuple[Window, Window]:
        """Return the windows before and after a moment; see `comparing.sides`.

        Args:
            moment: Such as that of a deploy.
            length_seconds: How long each side is at most; the later one ends now.

        Raises:
            ValueError: The moment is not past.
        """
        return sides(moment, self._clock(), length_seconds, self._zone)

    def storage(self) -> Storage:
        """Return what the namespaces cost; see `storage.storage`."""
        return storage(self._store, self.reach)

    def search(self, window: Window, query: str = "", lines_max: int = 100) -> Found:
        """Return the newest lines that fit; see `lines.search_lines`.

        Args:
            window: The time.
            query: A condition in words: `level:ERROR "timed out"`; empty for every line. How-to:
                `analyze-errors-since-a-deploy`.
            lines_max: How many lines are returned at most.

        Raises:
            StoreQueryError: There is no answer.
            QuerySyntaxError: The query is none.
        """
        return search_lines(self._store, self.reach, window, query=read_query(query), lines_max=lines_max)

    def follow(self, since: datetime, query: str = "") -> Follower:
        """Return what looks for new lines; see `following.Follower`.

        Args:
            since: Where it begins.
            query: A condition, as `search` takes it.

        Raises:
            QuerySyntaxError: The query is none.
        """
        lateness_seconds = self._lateness_seconds
        return Follower(
            self._store, self.reach, since, lateness_seconds=lateness_seconds, query=read_query(query)
        )

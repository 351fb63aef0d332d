"""What the console asks the store: rates, templates and loggers of a stretch of time, and lines."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any, TypeVar

from logging_system.analytics.answers import Partial
from logging_system.analytics.lines import Line, PagingQueries, search_lines
from logging_system.analytics.noisiest import Noise, noisiest
from logging_system.analytics.query_language import read_query
from logging_system.analytics.rates import BucketState, Outage, RateBucket, Rates, rates
from logging_system.analytics.reach import ForeignAnswerError, Reach
from logging_system.analytics.sampling import ERRORS
from logging_system.analytics.store_queries import StoreQueries, StoreQueryError
from logging_system.analytics.template_times import TemplateTimes, TimedTemplate, template_times
from logging_system.analytics.templates import words_of
from logging_system.analytics.windows import Interval, Window
from logging_system.console.board import PanelError
from logging_system.console.shown_text import ShownText
from logging_system.records.levels import RANKS, level_rank

_Answer = TypeVar("_Answer")
_MISSHAPEN = (LookupError, TypeError, ValueError, ArithmeticError, AttributeError)
"""What reading an answer raises that holds something else than was asked for."""

LINES_MAX = 200
_LOGGERS_MAX = 12
_NAMESPACES_MAX = 12
_TEMPLATES_MAX = 10
_SHOWN = (("error", "error"), ("warning", "warning"), ("info", "info"), ("debug", "trace"))
"""The levels that a chart tells apart, and the lowest that each stands for."""
_NOW_SECONDS = 60.0
"""Over how long the rate of now is measured."""


@dataclass(frozen=True, slots=True)
class Span:
    """A stretch of time that a page can show, up to now.

    Attributes:
        name: Its name in addresses, and on the page.
        seconds: How long it is.
        interval: How long a bar is.
    """

    name: str
    seconds: int
    interval: Interval


SPANS = (
    Span("1h", 3600, Interval("1m", is_calendar=False)),
    Span("15m", 900, Interval("15s", is_calendar=False)),
    Span("6h", 6 * 3600, Interval("5m", is_calendar=False)),
    Span("24h", 86_400, Interval("20m", is_calendar=False)),
    Span("7d", 7 * 86_400, Interval("2h", is_calendar=False)),
)
"""The first is the one that a page begins with."""


class Stored:
    """Asks one store; safe for threads.

    Args:
        queries: What counts and samples, through a cache.
        pages: What finds lines.
        reach: The data streams.
        shown: Takes secrets out of what is shown.
        held_up_since: Returns since when, in seconds since 1970, records wait on their way to the store; None
            where they do not. What is empty since then is a gap and no zero.
        cache_refusal: Returns why the cache cannot be used, in the store's words; empty where it is.
        clock: The present moment.
    """

    def __init__(
        self,
        queries: StoreQueries,
        pages: PagingQueries,
        reach: Reach,
        shown: ShownText,
        held_up_since: Callable[[], float | None] = lambda: None,
        cache_refusal: Callable[[], str] = str,
        clock: Callable[[], datetime] = lambda: datetime.now(UTC),
    ) -> None:
        self._queries = queries
        self._pages = pages
        self._reach = reach
        self._shown = shown
        self._held_up_since = held_up_since
        self._cache_refusal = cache_refusal
        self._clock = clock

    def rates(self, span: Span) -> dict[str, Any]:
        """Return records by level over time, and how many come now. Raises PanelError."""
        now = self._clock()
        window = self._window(span, now)
        answer = _answered(
            lambda: rates(
                self._queries, self._reach, window, span.interval, now=now, outages=self._outages(now)
            ),
            "counts",
        )
        return {
            **_times(window),
            "interval_seconds": span.interval.seconds_max,
            "count": answer.count,
            "errors": answer.errors,
            "per_second": _rate_now(answer, now),
            "buckets": [_bucket(each) for each in answer.buckets],
            "partial": _partial(answer.partial),
            "has_streams": answer.streams_found,
            "cache_refusal": self._shown.text(self._cache_refusal(), 500),
        }

    def templates(self, span: Span) -> dict[str, Any]:
        """Return the most frequent templates, and those of errors, over time. Raises PanelError."""
        window = self._window(span, self._clock())

        def asked(query: Mapping[str, Any] | None) -> TemplateTimes:
            return template_times(
                self._queries, self._reach, window, query=query, templates_max=_TEMPLATES_MAX
            )

        return {
            **_times(window),
            "errors": self._templates(_answered(lambda: asked(ERRORS), "templates"), with_errors=True),
            "all": self._templates(_answered(lambda: asked(None), "templates"), with_errors=False),
        }

    def loggers(self, span: Span) -> dict[str, Any]:
        """Return which namespaces and loggers log the most. Raises PanelError."""
        window = self._window(span, self._clock())
        found = _answered(lambda: noisiest(self._queries, self._reach, window), "loggers")
        return {
            **_times(window),
            "loggers": [self._noise(each, "logger") for each in found.loggers[:_LOGGERS_MAX]],
            "namespaces": [self._noise(each, "") for each in found.namespaces[:_NAMESPACES_MAX]],
            "partial": _partial(found.partial),
        }

    def lines(self, query: str, since_ms: int, until_ms: int, namespace: str = "") -> dict[str, Any]:
        """Return the newest lines that fit, the newest first.

        Args:
            query: As a person types it.
            since_ms: The beginning, milliseconds since 1970.
            until_ms: The end.
            namespace: Only of this one; empty for all that the console may show.

        Raises:
            PanelError: The store has no answer.
            ValueError: The query or the time is none, or the namespace is not one of those.
        """
        window = Window(_moment(since_ms), _moment(until_ms))
        reach = self._reach
        if namespace:
            reach = Reach.of([namespace], allowed=reach.namespaces)
        read = read_query(query)
        found = _answered(
            lambda: search_lines(self._pages, reach, window, query=read, lines_max=LINES_MAX), "lines"
        )
        return {
            "count": found.count,
            "lines": [self._line(each) for each in reversed(found.lines)],
            "partial": _partial(found.partial),
        }

    def _outages(self, now: datetime) -> tuple[Outage, ...]:
        since_seconds = self._held_up_since()
        if since_seconds is None or since_seconds >= now.timestamp():
            return ()
        return ((datetime.fromtimestamp(since_seconds, UTC), now),)

    def _window(self, span: Span, now: datetime) -> Window:
        """Return a window of whole bars, so that the question stays the same until the next one begins."""
        step = span.interval.seconds_max
        until_seconds = (math.floor(now.timestamp() / step) + 1) * step
        until = datetime.fromtimestamp(until_seconds, UTC)
        return Window(until - timedelta(seconds=span.seconds), until)

    def _templates(self, found: TemplateTimes, *, with_errors: bool) -> dict[str, Any]:
        return {
            "rows": [self._template(each, with_errors=with_errors) for each in found.templates],
            "others": found.others,
            "count": found.count,
            "share": found.share,
            "partial": _partial(found.partial),
        }

    def _template(self, timed: TimedTemplate, *, with_errors: bool) -> dict[str, Any]:
        each = timed.template
        return {
            "text": self._shown.text(each.text),
            "logger": self._shown.text(each.logger),
            "error": self._shown.text(each.error),
            "example": self._shown.text(each.example),
            "estimate": round(each.estimate),
            "times": [round(one) for one in timed.estimates],
            "query": query_for(
                words_of(each.text), logger=each.logger, error=each.error, is_error=with_errors
            ),
        }

    def _noise(self, each: Noise, kind: str) -> dict[str, Any]:
        query = query_for("", logger=each.name) if kind and each.name else ""
        return {
            "name": self._shown.text(each.name),
            "count": each.count,
            "errors": each.errors,
            "query": query,
        }

    def _line(self, line: Line) -> dict[str, Any]:
        return {
            "time_ms": round(line.moment.timestamp() * 1000),
            "namespace": line.namespace,
            "level": self._shown.text(line.level, 40),
            "logger": self._shown.text(line.logger, 200),
            "message": self._shown.text(line.message),
            "is_sealed": line.sealed,
            "document": self._shown.document(line.source),
        }


def query_for(words: str, *, logger: str = "", error: str = "", is_error: bool = False) -> str:
    """Return the query, as a person would type it, that leads from something shown to its lines.

    Args:
        words: What the message says.
        logger: Who logged it.
        error: The class of the exception.
        is_error: Whether only errors are meant.
    """
    named = {"logger": logger, "error.type": error, "message": words}
    parts = [f"{name}:{_quoted(value)}" for name, value in named.items() if value]
    if is_error:
        parts.insert(0, "level>=error")
    return " and ".join(parts)


def _quoted(text: str) -> str:
    escaped = text.replace("\\", "\\\\").replace('"', '\\"')
    return f'"{escaped}"'


def _answered(ask: Callable[[], _Answer], what: str) -> _Answer:
    try:
        return ask()
    except (StoreQueryError, ForeignAnswerError) as error:
        raise PanelError(f"The store gives no {what}: {error}") from error
    except OSError as error:
        raise PanelError(f"The store cannot be asked: {error.strerror or error}") from error
    except _MISSHAPEN as error:
        trouble = f"The store's answer holds no {what} as Elasticsearch tells them; is it Elasticsearch 8?"
        raise PanelError(f"{trouble} ({type(error).__name__}: {str(error)[:200]})") from error


def _times(window: Window) -> dict[str, int]:
    return {"since_ms": _ms(window.since), "until_ms": _ms(window.until)}


def _ms(moment: datetime) -> int:
    return round(moment.timestamp() * 1000)


def _moment(milliseconds: int) -> datetime:
    try:
        return datetime.fromtimestamp(milliseconds / 1000, UTC)
    except (OverflowError, OSError) as error:
        raise ValueError(f"{milliseconds} is no time in milliseconds since 1970") from error


def _partial(partial: Partial | None) -> str:
    return "" if partial is None else str(partial)


def _bucket(bucket: RateBucket) -> dict[str, Any]:
    return {
        "start_ms": _ms(bucket.start),
        "levels": None if bucket.by_level is None else _levels(bucket.by_level),
        "state": bucket.state.value,
    }


def _levels(by_level: Mapping[str, int]) -> dict[str, int]:
    """Return counts by the levels that a chart tells apart."""
    counts = dict.fromkeys(("error", "warning", "info", "debug", "other"), 0)
    for level, count in by_level.items():
        counts[_level(level)] += count
    return counts


def _level(level: str) -> str:
    rank = level_rank(level)
    return next((shown for shown, lowest in _SHOWN if rank >= RANKS[lowest]), "other")


def _rate_now(answer: Rates, now: datetime) -> float | None:
    """Return records a second of the latest whole bars whose records have come; None where there is none."""
    seconds, count = 0.0, 0
    step = answer.interval.seconds_max
    for bucket in reversed(answer.buckets):
        if bucket.state is not BucketState.SETTLED or bucket.start + timedelta(seconds=step) > now:
            continue
        seconds, count = seconds + step, count + (bucket.count or 0)
        if seconds >= _NOW_SECONDS:
            break
    return count / seconds if seconds else None

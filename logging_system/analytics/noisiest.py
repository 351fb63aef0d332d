"""Which namespaces and which loggers log the most, and which loggers were not heard before."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from logging_system.analytics.answers import Partial, buckets_of, joined, partial_of, total_of
from logging_system.analytics.reach import Reach
from logging_system.analytics.sampling import ERRORS
from logging_system.analytics.store_queries import StoreQueries
from logging_system.analytics.windows import Window
from logging_system.records.route_namespace import UNDECLARED_LABEL

INDICES_MAX = 5_000
LOGGERS_MAX = 1_000
_SHARD_TERMS = 5_000


@dataclass(frozen=True, slots=True)
class Noise:
    """How much one namespace or logger logs.

    Attributes:
        name: Its name; empty for records without a logger.
        count: Its records.
        errors: Those of them of level error and above.
    """

    name: str
    count: int
    errors: int


@dataclass(frozen=True, slots=True)
class Noisiest:
    """Namespaces and loggers, the noisiest first.

    Attributes:
        count: All records.
        namespaces: By namespace.
        loggers: By logger.
        loggers_left_out: Records of loggers that are not listed.
        undeclared: Records that asked for a namespace that is not declared, and are in another one.
        partial: Why that is only a part; None where it is all.
    """

    count: int
    namespaces: tuple[Noise, ...]
    loggers: tuple[Noise, ...]
    loggers_left_out: int
    undeclared: int
    partial: Partial | None


@dataclass(frozen=True, slots=True)
class NewLoggers:
    """Loggers heard in one window and not in the one before.

    Attributes:
        loggers: Them, the noisiest first.
        is_exact: False where there are so many loggers that not all were told apart.
        partial: Why that is only a part; None where it is all.
    """

    loggers: tuple[Noise, ...]
    is_exact: bool
    partial: Partial | None


def noisiest(queries: StoreQueries, reach: Reach, window: Window) -> Noisiest:
    """Tell which namespaces and loggers log the most.

    Args:
        queries: Asks the store.
        reach: The data streams.
        window: The time.

    Raises:
        StoreQueryError: There is no answer.
        ForeignAnswerError: The store counted records that were not asked for.
    """
    answer = queries.search(reach.target, _search(window, with_indices=True))
    aggregations = answer.get("aggregations")
    spaces: dict[str, Noise] = {}
    for bucket in buckets_of(aggregations, "indices"):
        name = reach.check(bucket["key"])
        more = _noise(name, bucket)
        known = spaces.get(name, Noise(name, 0, 0))
        spaces[name] = Noise(name, known.count + more.count, known.errors + more.errors)
    return Noisiest(
        total_of(answer),
        _ordered(spaces.values()),
        _loggers(answer),
        _left_out(aggregations, "loggers"),
        _count(aggregations, "undeclared"),
        partial_of(answer),
    )


def new_loggers(queries: StoreQueries, reach: Reach, before: Window, after: Window) -> NewLoggers:
    """Tell which loggers were heard in one window and not in another.

    Args:
        queries: Asks the store.
        reach: The data streams.
        before: The earlier window.
        after: The later one.

    Raises:
        StoreQueryError: There is no answer.
    """
    answers = queries.multi_search(
        [(reach.target, _search(window, with_indices=False)) for window in (before, after)]
    )
    known = {each.name for each in _loggers(answers[0])}
    new = tuple(each for each in _loggers(answers[1]) if each.name not in known)
    left_out = sum(_left_out(answer.get("aggregations"), "loggers") for answer in answers)
    return NewLoggers(new, not left_out, joined(map(partial_of, answers)))


def _search(window: Window, *, with_indices: bool) -> dict[str, Any]:
    errors = {"errors": {"filter": ERRORS}}
    by_logger = {"field": "log.logger", "size": LOGGERS_MAX, "shard_size": _SHARD_TERMS}
    by_index = {"field": "_index", "size": INDICES_MAX}
    undeclared = {"filter": {"exists": {"field": f"labels.{UNDECLARED_LABEL}"}}}
    indices = (
        {"indices": {"terms": by_index, "aggs": errors}, "undeclared": undeclared} if with_indices else {}
    )
    return {
        "size": 0,
        "track_total_hits": True,
        "query": {"bool": {"filter": [window.query]}},
        "aggs": {**indices, "loggers": {"terms": by_logger, "aggs": errors}},
    }


def _loggers(answer: Mapping[str, Any]) -> tuple[Noise, ...]:
    found = buckets_of(answer.get("aggregations"), "loggers")
    return _ordered([_noise(str(each["key"]), each) for each in found])


def _noise(name: str, bucket: Mapping[str, Any]) -> Noise:
    errors = bucket.get("errors")
    return Noise(name, int(bucket["doc_count"]), int(errors["doc_count"]) if isinstance(errors, dict) else 0)


def _ordered(found: Any) -> tuple[Noise, ...]:
    return tuple(sorted(found, key=lambda each: (-each.count, each.name)))


def _count(aggregations: object, name: str) -> int:
    found = aggregations.get(name) if isinstance(aggregations, dict) else None
    return int(found.get("doc_count", 0)) if isinstance(found, dict) else 0


def _left_out(aggregations: object, name: str) -> int:
    found = aggregations.get(name) if isinstance(aggregations, dict) else None
    return int(found.get("sum_other_doc_count", 0)) if isinstance(found, dict) else 0

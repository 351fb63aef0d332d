"""What every answer of the store is asked first: whether it is whole."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

from logging_system.sinks.elasticsearch.http_answer import error_reason

REASONS_MAX = 5


@dataclass(frozen=True, slots=True)
class Partial:
    """Why an answer tells of a part of the records only: its numbers are what was found, not what there is.

    Attributes:
        timed_out: The store stopped searching before it was done.
        shards_failed: Shards that did not answer.
        shards_total: Shards that were asked.
        reasons: Why they did not, at most five.
    """

    timed_out: bool
    shards_failed: int
    shards_total: int
    reasons: tuple[str, ...] = ()

    def __str__(self) -> str:
        """Say what is lacking."""
        parts = []
        if self.timed_out:
            parts.append("the store stopped before it had searched everything (timed_out)")
        if self.shards_failed:
            parts.append(f"{self.shards_failed} of {self.shards_total} shards failed")
        return "; ".join([*parts, *self.reasons])


def partial_of(answer: Mapping[str, Any]) -> Partial | None:
    """Return what an answer to `_search` lacks; None where it is whole."""
    shards = answer.get("_shards")
    told: Mapping[str, Any] = shards if isinstance(shards, dict) else {}
    failed, total = _number(told.get("failed")), _number(told.get("total"))
    timed_out = answer.get("timed_out") is True
    if not timed_out and not failed:
        return None
    failures = told.get("failures")
    listed = failures if isinstance(failures, list) else []
    reasons = [error_reason(each.get("reason")) for each in listed if isinstance(each, dict)]
    return Partial(timed_out, failed, total, tuple(dict.fromkeys(reasons))[:REASONS_MAX])


def joined(parts: Iterable[Partial | None]) -> Partial | None:
    """Return what several answers lack together; None where all of them are whole.

    Args:
        parts: What `partial_of` said of each answer.
    """
    lacking = [each for each in parts if each is not None]
    if not lacking:
        return None
    reasons = dict.fromkeys(reason for each in lacking for reason in each.reasons)
    return Partial(
        any(each.timed_out for each in lacking),
        max(each.shards_failed for each in lacking),
        max(each.shards_total for each in lacking),
        tuple(reasons)[:REASONS_MAX],
    )


def buckets_of(aggregations: object, name: str) -> list[dict[str, Any]]:
    """Return the buckets of an aggregation; none where no index was asked, which then has no aggregations.

    Args:
        aggregations: Of an answer, or a bucket that holds others.
        name: The aggregation's, as the search gave it.
    """
    found = aggregations.get(name) if isinstance(aggregations, dict) else None
    buckets = found.get("buckets") if isinstance(found, dict) else None
    return [each for each in buckets if isinstance(each, dict)] if isinstance(buckets, list) else []


def total_of(answer: Mapping[str, Any]) -> int:
    """Return how many documents a search found, which must have been told to count them all.

    Args:
        answer: Of a search.
    """
    hits = answer.get("hits")
    total = hits.get("total") if isinstance(hits, dict) else None
    return _number(total.get("value")) if isinstance(total, dict) else 0


def hits_of(answer: Mapping[str, Any]) -> list[dict[str, Any]]:
    """Return the hits of a search.

    Args:
        answer: Of a search.
    """
    hits = answer.get("hits")
    listed = hits.get("hits") if isinstance(hits, dict) else None
    return [each for each in listed if isinstance(each, dict)] if isinstance(listed, list) else []


def _number(value: object) -> int:
    return value if isinstance(value, int) and not isinstance(value, bool) else 0

"""An answer with what is known of its freshness, and what a cache has done so far."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import orjson


@dataclass(frozen=True, slots=True)
class CachedAnswer:
    """The answer to a search.

    Attributes:
        raw: The store's own answer; None where `encoded` is given.
        encoded: The answer as JSON; None where `raw` is given.
        fresh: Whether it equals what the store said, or would have said, `validated_age_seconds` ago.
        from_cache: Whether no part of it was asked for by this call.
        validated_age_seconds: How long ago the check that found it exact began.
        stale_age_seconds: How long ago it was last known to be exact, if it is not fresh; else None.
        partial: Whether the store itself says that something is missing from it.
    """

    raw: Mapping[str, Any] | None
    encoded: bytes | None
    fresh: bool
    from_cache: bool
    validated_age_seconds: float
    stale_age_seconds: float | None = None
    partial: bool = False

    @property
    def body(self) -> Mapping[str, Any]:
        """The answer of `_search`; the caller's own copy."""
        if self.raw is not None:
            return self.raw
        decoded: Mapping[str, Any] = orjson.loads(self.encoded or b"{}")
        return decoded


@dataclass(frozen=True, slots=True)
class CacheStatistics:
    """What a cache has done.

    Attributes:
        hits: Answers of which no part was asked for: all lay in memory, and were valid.
        misses: Answers of which a part was asked for.
        shared: Answers that another thread was asking for.
        stale: Answers given in an outage, marked as stale.
        passed: Questions that are never kept, or came while the store's state was not clear.
        pieces_held: Pieces of time whose answer lay in memory and was valid.
        pieces_asked: Pieces of time that were asked for; a question that stays whole is one piece.
        checks: How often the store was asked whether it moved.
        views: How often it had, so that a new view was opened.
        voided: How often all that was kept of a target became void at once.
        invalidated: Pieces that were found in memory and were valid no more.
        unmerged: Questions whose pieces did not add up to the exact answer, so that they were asked whole.
        points_left: Points in time that could not be given back, and run out by themselves.
        evicted_bytes: What was given up for other answers.
        used_bytes: What all that is kept takes.
    """

    hits: int = 0
    misses: int = 0
    shared: int = 0
    stale: int = 0
    passed: int = 0
    pieces_held: int = 0
    pieces_asked: int = 0
    checks: int = 0
    views: int = 0
    voided: int = 0
    invalidated: int = 0
    unmerged: int = 0
    points_left: int = 0
    evicted_bytes: int = 0
    used_bytes: int = 0


def is_partial(answer: Mapping[str, Any]) -> bool:
    """Whether a store's answer says that something is missing from it."""
    shards = answer.get("_shards", {})
    return bool(answer.get("timed_out") or answer.get("terminated_early") or shards.get("failed"))


def comparable_part(answer: Mapping[str, Any]) -> dict[str, Any]:
    """Return an answer without what differs between two answers to the same question at the same moment.

    That is `took`, how many shards were skipped, and the new name of a point in time.
    """
    out = {name: value for name, value in answer.items() if name not in ("took", "pit_id")}
    if "_shards" in out:
        out["_shards"] = {**out["_shards"], "skipped": 0}
    return out

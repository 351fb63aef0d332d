"""Answers in the view of a track: put together from what is kept and valid, the rest asked of that view."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import orjson

from logging_system.analytics.cache.answer_memory import AnswerMemory, KeptAnswer
from logging_system.analytics.cache.cached_answer import is_partial
from logging_system.analytics.cache.merging import NotMergeableError, asked_in_pieces, merged
from logging_system.analytics.cache.plans import EVIDENCE, Exactness, Plan, aggregations_of
from logging_system.analytics.cache.snapshot_store import SnapshotStore
from logging_system.analytics.cache.time_ranges import TIME_FIELD, TimeRange, pieces_of, runs_of, with_range
from logging_system.analytics.cache.validity import (
    Provenance,
    Track,
    evidence_aggregation,
    is_valid,
    provenance,
)

Json = Mapping[str, Any]
_RUNS_MAX = 4


class PartialAnswerError(Exception):
    """The store answered with a part, which is not kept."""


@dataclass(frozen=True, slots=True)
class Question:
    """A question that may be kept.

    Attributes:
        key: What makes it the same as another.
        pieces_key: What makes its pieces the same as another's: all of it but the time asked about.
        target: Data streams.
        body: The body of `_search`.
        plan: How it may be kept.
    """

    key: bytes
    pieces_key: bytes
    target: str
    body: Json
    plan: Plan


@dataclass(frozen=True, slots=True)
class ViewAnswers:
    """Answers questions in views.

    Attributes:
        store: The store.
        memory: Where answers are kept.
        point_seconds: How long the store keeps a point in time that nobody asks.
        count: Is told what happens, by a name of `CacheStatistics`, and how often.
    """

    store: SnapshotStore
    memory: AnswerMemory
    point_seconds: int
    count: Callable[[str, int], None]

    def held(self, question: Question, track: Track) -> KeptAnswer | None:
        """Return the whole answer to a question if it is kept, and valid under a track."""
        kept = self.memory.get(question.key)
        return kept if kept is not None and is_valid(kept.made, track) else None

    def asked(self, question: Question, track: Track) -> tuple[bytes, bool]:
        """Return the answer in the view of a track, as JSON, and whether a part of it was asked for.

        Raises:
            PartialAnswerError: The store answered with a part.
            StoreQueryError: The store cannot be asked, or the point in time is gone.
        """
        if question.plan.width_ms is not None and question.plan.asked is not None:
            try:
                return self._in_pieces(question, question.plan.asked, question.plan.width_ms, track)
            except NotMergeableError:
                self.count("unmerged", 1)
        return self._whole(question, track), True

    def _whole(self, question: Question, track: Track) -> bytes:
        self.count("pieces_asked", 1)
        body = dict(question.body)
        time = question.plan.asked if question.plan.exactness >= Exactness.OF_RECORDS else None
        aggregations = aggregations_of(body)
        if time is not None:
            body.pop("aggregations", None)
            body["aggs"] = {**aggregations, EVIDENCE: evidence_aggregation()}
        answer = self._search(body, track)
        answer.pop("pit_id", None)
        evidence = answer["aggregations"].pop(EVIDENCE) if time is not None else None
        if not aggregations:
            answer.pop("aggregations", None)
        return self._keep(question.key, answer, provenance(track, evidence, time), track)

    def _in_pieces(
        self, question: Question, asked: TimeRange, width_ms: int, track: Track
    ) -> tuple[bytes, bool]:
        aggregations = aggregations_of(question.body)
        pieces = pieces_of(asked, width_ms)
        parts = {piece: self._held_part(question, piece, track) for piece in pieces}
        missing = [piece for piece, part in parts.items() if part is None]
        self.count("pieces_held", len(pieces) - len(missing))
        self.count("pieces_asked", len(missing))
        for run in _few(runs_of(missing)):
            parts |= self._run(question, run, width_ms, track)
        found = [part for part in parts.values() if part is not None]
        hits: dict[str, Any] = {"max_score": None, "hits": []}
        if question.body["track_total_hits"]:
            total = sum(part["doc_count"] for part in found)
            hits = {"total": {"value": total, "relation": "eq"}, **hits}
        answer: dict[str, Any] = {"took": 0, "timed_out": False, "_shards": track.shards, "hits": hits}
        if aggregations:
            answer["aggregations"] = merged(aggregations, found)
        # Kept for this view alone: what outlives it are the pieces.
        made = Provenance(track.epoch, track.serial)
        return self._keep(question.key, answer, made, track), bool(missing)

    def _held_part(self, question: Question, piece: TimeRange, track: Track) -> Json | None:
        key = _piece_key(question, piece)
        kept = self.memory.get(key)
        if kept is None:
            return None
        if not is_valid(kept.made, track):
            self.count("invalidated", 1)
            return None
        part: Json = orjson.loads(kept.encoded)
        return part

    def _run(
        self, question: Question, run: TimeRange, width_ms: int, track: Track
    ) -> dict[TimeRange, Json | None]:
        """Ask for pieces that follow each other in one search, each the bucket of a histogram."""
        inner = {
            **asked_in_pieces(aggregations_of(question.body)),
            EVIDENCE: evidence_aggregation(),
        }
        histogram = {"field": TIME_FIELD, "fixed_interval": f"{width_ms}ms", "min_doc_count": 1}
        body = {
            "size": 0,
            "track_total_hits": False,
            "query": with_range(question.body["query"], run),
            "aggs": {"pieces": {"date_histogram": histogram, "aggs": inner}},
        }
        answer = self._search(body, track)
        buckets = {bucket["key"]: bucket for bucket in answer["aggregations"]["pieces"]["buckets"]}
        found: dict[TimeRange, Json | None] = {}
        for piece in pieces_of(run, width_ms):
            bucket = buckets.get(piece.from_ms // width_ms * width_ms, {"doc_count": 0})
            evidence = bucket.get(EVIDENCE, {"buckets": []})
            part = {
                name: each for name, each in bucket.items() if name not in ("key", "key_as_string", EVIDENCE)
            }
            self._keep(_piece_key(question, piece), part, provenance(track, evidence, piece), track)
            found[piece] = part
        return found

    def _search(self, body: Json, track: Track) -> dict[str, Any]:
        point = {"id": track.point_id, "keep_alive": f"{self.point_seconds}s"}
        answer = self.store.search("", {**body, "pit": point})
        if is_partial(answer):
            raise PartialAnswerError
        return dict(answer)

    def _keep(self, key: bytes, answer: Json, made: Provenance, track: Track) -> bytes:
        encoded = orjson.dumps(answer)
        self.memory.put(key, KeptAnswer(encoded, made, track.checked_seconds))
        return encoded


def _piece_key(question: Question, piece: TimeRange) -> bytes:
    return question.pieces_key + piece.from_ms.to_bytes(8, "big") + piece.to_ms.to_bytes(8, "big")


def without_time(body: Json) -> dict[str, Any]:
    """Return what is the same of two questions that differ in the time asked about alone.

    Args:
        body: The body of a question that is kept in pieces.
    """
    query = with_range(body["query"], TimeRange(0, 0))
    return {"query": query, "aggs": asked_in_pieces(aggregations_of(body))}


def _few(runs: Sequence[TimeRange]) -> Sequence[TimeRange]:
    if len(runs) <= _RUNS_MAX:
        return runs
    return [TimeRange(runs[0].from_ms, runs[-1].to_ms)]

"""A store in memory that answers what analytics asks of time and order; contract tests hold the real ones."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from logging_system.analytics.store_queries import StoreUnavailableError

INDEX = ".ds-logs-shop-main-2026.11.30-000001"


@dataclass
class KeptStore:
    """Documents that are found from a moment on.

    Attributes:
        documents: When each is found, its own time, and its id.
        now: The moment of the next question.
        failing: How many questions are left unanswered from here on.
        lacking: What every answer says beside its hits.
        index: Where the documents lie.
    """

    documents: list[tuple[datetime, datetime, str]] = field(default_factory=list)
    now: datetime = datetime.min
    failing: int = 0
    lacking: dict[str, Any] = field(default_factory=dict)
    index: str = INDEX
    open_points: set[str] = field(default_factory=set)
    points: dict[str, datetime] = field(default_factory=dict)

    def open_point(self, target: str, keep_alive: str) -> str:
        assert target == "logs-*-main"
        self._answer()
        point_id = f"point {len(self.points)}"
        self.points[point_id] = self.now
        self.open_points.add(point_id)
        return point_id

    def close_point(self, point_id: str) -> None:
        self.open_points.remove(point_id)

    def search(self, target: str, body: Mapping[str, Any]) -> Mapping[str, Any]:
        self._answer()
        seen_at = self.points[body["pit"]["id"]] if "pit" in body else self.now
        bounds = body["query"]["bool"]["filter"][0]["range"]["@timestamp"]
        first = datetime.fromisoformat(bounds["gte"])
        last = datetime.fromisoformat(bounds["lt"]) if "lt" in bounds else None
        found = [
            (moment, place, name)
            for place, (visible, moment, name) in enumerate(self.documents)
            if visible <= seen_at and moment >= first and (last is None or moment < last)
        ]
        found.sort()
        total = len(found)
        if "search_after" in body:
            found = [each for each in found if [_ms(each[0]), each[1]] > body["search_after"]]
        hits = [
            {
                "_index": self.index,
                "_id": name,
                "_source": {"message": name},
                "sort": [_ms(moment), place],
            }
            for moment, place, name in found[: body["size"]]
        ]
        whole = {"timed_out": False, "_shards": {"total": 1, "failed": 0}}
        hits_told = {"total": {"value": total, "relation": "eq"}, "hits": hits}
        return {**whole, "hits": hits_told, **self.lacking}

    def multi_search(self, searches: Sequence[tuple[str, Mapping[str, Any]]]) -> list[Mapping[str, Any]]:
        return [self.search(target, body) for target, body in searches]

    def _answer(self) -> None:
        if self.failing:
            self.failing -= 1
            raise StoreUnavailableError("no answer")


def _ms(moment: datetime) -> int:
    return round(moment.timestamp() * 1000)

"""A store in memory as a cache sees one: writes that searches see later, gaps, points in time, outages."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from itertools import count
from typing import Any

from logging_system.analytics.cache.store_states import CopyState, IndexState, TargetState
from logging_system.analytics.store_queries import QueryRefusedError, StoreUnavailableError
from tests.simulation.cache.searching import Record, answer_of

Seen = tuple[tuple[Record, ...], ...]
"""What searches see of each shard."""


@dataclass
class Shard:
    """One shard: what was written, what of it is in the copy, and what of that searches see."""

    given: int = 0
    live: dict[str, Record] = field(default_factory=dict)
    in_flight: list[tuple[int, str, Record]] = field(default_factory=list)
    visible: tuple[Record, ...] = ()
    opening: tuple[Record, ...] | None = None
    is_dirty: bool = False
    is_idle: bool = False
    refreshes: int = 1

    def write(self, key: str, record: Record) -> None:
        """Write a record; one of the same key is replaced."""
        self.live.pop(key, None)
        self.live[key] = {**record, "_seq_no": self.given}
        self.given, self.is_dirty = self.given + 1, True

    def begin_write(self, key: str, record: Record) -> None:
        """Give a write its number; it is in the copy only once `end_write` is called."""
        self.in_flight.append((self.given, key, {**record, "_seq_no": self.given}))
        self.given += 1

    def end_write(self, at: int) -> None:
        """Let one of the writes that are under way be done."""
        _, key, record = self.in_flight.pop(at)
        self.live[key] = record
        self.is_dirty = True

    def delete(self, key: str) -> None:
        """Delete a record."""
        self.live.pop(key)
        self.given, self.is_dirty = self.given + 1, True

    def begin_refresh(self) -> None:
        """Open a reader; searches see it only at `end_refresh`."""
        if self.opening is None and self.is_dirty:
            self.opening, self.is_dirty = tuple(self.live.values()), False

    def end_refresh(self) -> None:
        """Let searches see the reader that was opened."""
        if self.opening is not None:
            self.visible, self.opening = self.opening, None
            self.refreshes += 1

    def refresh(self) -> None:
        """Let searches see all that is in the copy."""
        self.end_refresh()
        self.begin_refresh()
        self.refreshes += self.opening is None  # one that was asked for counts even where nothing is new
        self.end_refresh()

    def restart(self) -> None:
        """Start again: what was under way is lost, all else is seen, and the counter begins anew."""
        self.in_flight.clear()
        self.opening, self.is_dirty, self.refreshes = None, False, 1
        self.visible = tuple(self.live.values())

    @property
    def seen(self) -> tuple[Record, ...]:
        """What a search would see now; of an idle shard, one refreshes it first."""
        if self.is_idle and (self.is_dirty or self.opening is not None):
            return tuple(self.live.values())
        return self.visible

    def wake(self) -> None:
        """Be searched."""
        if self.is_idle:
            self.refresh()
            self.is_idle = False


@dataclass
class Index:
    """One index."""

    uuid: int
    shards: list[Shard]
    version: int = 1


class SimulatedStore:
    """Fits `SnapshotStore`; every target means all of its indices.

    Args:
        between: Called at the start and the end of each request, when anything may happen.
    """

    def __init__(self, between: Callable[[], None] = lambda: None) -> None:
        self.between = between
        self.indices: dict[str, Index] = {}
        self.points: dict[str, dict[str, tuple[int, Seen]]] = {}
        self.is_down = False
        self.answers_in_part = False
        self.process = 1
        self.requests = 0
        self.numbers = count(1)

    def create(self, name: str, shards: int = 1) -> Index:
        """Make an index."""
        self.indices[name] = Index(next(self.numbers), [Shard() for _ in range(shards)])
        return self.indices[name]

    @property
    def seen(self) -> dict[str, Seen]:
        """What searches see of each index now."""
        return {name: tuple(shard.seen for shard in it.shards) for name, it in self.indices.items()}

    def search(self, target: str, body: Mapping[str, Any]) -> Mapping[str, Any]:
        """As `StoreQueries.search`."""
        self._asked()
        seen = self._held(body["pit"]["id"]) if "pit" in body else self._woken()
        answer = answer_to(body, seen)
        if self.answers_in_part:
            answer = {**answer, "timed_out": True}
            answer["hits"] = {**answer["hits"], "total": {"value": 0, "relation": "eq"}}
        if "pit" in body:
            answer["pit_id"] = body["pit"]["id"]
        self.between()
        return answer

    def multi_search(self, searches: Sequence[tuple[str, Mapping[str, Any]]]) -> list[Mapping[str, Any]]:
        """As `StoreQueries.multi_search`."""
        return [self.search(target, body) for target, body in searches]

    def states(self, target: str) -> TargetState | None:
        """As `SnapshotStore.states`."""
        self._asked()
        found = TargetState(self._definition(), {name: _state(it) for name, it in self.indices.items()})
        self.between()
        return found

    def open_point(self, target: str, keep_alive_seconds: int) -> str:
        """As `SnapshotStore.open_point`."""
        self._asked()
        point_id = f"point {next(self.numbers)}"
        seen = self._woken()
        self.points[point_id] = {name: (it.uuid, seen[name]) for name, it in self.indices.items()}
        self.between()
        return point_id

    def close_point(self, point_id: str) -> None:
        """As `SnapshotStore.close_point`."""
        self._asked()
        if self.points.pop(point_id, None) is None:
            raise QueryRefusedError("no such point in time", status=404)

    def _asked(self) -> None:
        self.requests += 1
        self.between()
        if self.is_down:
            raise StoreUnavailableError("down")

    def _woken(self) -> dict[str, Seen]:
        for index in self.indices.values():
            for shard in index.shards:
                shard.wake()
        return self.seen

    def _held(self, point_id: str) -> dict[str, Seen]:
        if point_id not in self.points:
            raise QueryRefusedError("no such point in time", status=404)
        held = self.points[point_id]
        if any(name not in self.indices or self.indices[name].uuid != it[0] for name, it in held.items()):
            raise StoreUnavailableError("an index of the point in time is gone")
        return {name: seen for name, (_, seen) in held.items()}

    def _definition(self) -> bytes:
        named = {name: [it.uuid, it.version] for name, it in self.indices.items()}
        return json.dumps([self.process, named], sort_keys=True).encode()


def answer_to(body: Mapping[str, Any], seen: Mapping[str, Seen]) -> dict[str, Any]:
    """The answer to a search of what is seen."""
    records = [
        {**record, "_index": name} for name, shards in seen.items() for shard in shards for record in shard
    ]
    if not seen:
        body = {name: each for name, each in body.items() if name != "aggs"}
    return answer_of(body, records, sum(len(shards) for shards in seen.values()))


def _state(index: Index) -> IndexState:
    copies = [
        CopyState(
            number,
            "node",
            shard.given - 1,
            min([seq for seq, _, _ in shard.in_flight], default=shard.given) - 1,
            shard.refreshes,
        )
        for number, shard in enumerate(index.shards)
    ]
    return IndexState(tuple(copies), len(copies))

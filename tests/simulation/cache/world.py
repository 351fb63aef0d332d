"""What happens to a store, by seed, and what a cache may say of it at every moment."""

from __future__ import annotations

import json
import random
import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from typing import Any

from logging_system.analytics.cache.answer_memory import AnswerMemory
from logging_system.analytics.cache.cached_answer import CachedAnswer, comparable_part
from logging_system.analytics.cache.cached_queries import CachedQueries, CacheTimes
from logging_system.analytics.cache.keys import Scope
from logging_system.analytics.cache.snapshot_store import SnapshotStore
from logging_system.analytics.store_queries import StoreQueryError
from tests.simulation.cache.store import Index, Seen, Shard, SimulatedStore, answer_to

START_MS = 1_700_000_000_000
SPAN_MS = 15 * 60_000
TARGET = "logs-app-default"
LEVELS = ("debug", "error", "info", "warn")
STALE_SECONDS_MAX = 60.0
STEPS = 30

Around = Callable[[SimulatedStore], SnapshotStore]


class WrongAnswerError(AssertionError):
    """A cache called an answer fresh that the store did not give at any moment that counts."""


@dataclass(frozen=True, slots=True)
class Moment:
    """What searches saw from a moment on."""

    from_seconds: float
    seen: Mapping[str, Seen]


class World:
    """A store, a cache before it and all that happens.

    Args:
        seed: What happens.
        around: What stands between the cache and the store; a deliberate bug, or nothing.
    """

    def __init__(self, seed: int, around: Around = lambda store: store) -> None:
        self.rng = random.Random(seed)
        self.now_seconds = 0.0
        self.is_busy = False
        """Whether things happen between the requests of one answer."""
        self.store = SimulatedStore(self._between)
        self.shards = self.rng.choice((1, 1, 1, 2))
        self.generation = 0
        self.keys = 0
        self.restless = self.rng.choice((0.0, 0.05, 0.3))
        self.moments: list[Moment] = []
        self.answers = self.fresh = self.events = self.kept = 0
        self._rollover()
        for _ in range(self.rng.randrange(30)):
            self._write()
        self._refresh()
        times = CacheTimes(
            check_seconds=self.rng.choice((0.0, 0.0, 1.0)), stale_seconds_max=STALE_SECONDS_MAX
        )
        self.cache = CachedQueries(
            around(self.store),
            scope=Scope("default", "reader"),
            memory=AnswerMemory(self.rng.choice((5_000, 200_000))),
            times=times,
            whole_number_fields=("took",),
            clock=self.clock,
        )
        self.questions = [self._question() for _ in range(self.rng.randint(1, 3))]

    def clock(self) -> float:
        """Monotonic seconds; no two readings are the same."""
        self.now_seconds += 1e-6
        return self.now_seconds

    def run(self) -> None:
        """Let everything happen."""
        self._note()
        for _ in range(STEPS):
            if self.rng.random() < 0.45:
                self._ask(self._moved(self.rng.choice(self.questions)))
            else:
                self._happen()

    def _ask(self, question: Mapping[str, Any]) -> None:
        asked_seconds = self.now_seconds
        self.is_busy = True
        try:
            answer = self.cache.answer(TARGET, question)
        except StoreQueryError:
            return
        finally:
            self.is_busy = False
        self.answers += 1
        self.kept += answer.from_cache
        self.judge(question, answer, asked_seconds)

    def judge(self, question: Mapping[str, Any], answer: CachedAnswer, asked_seconds: float) -> None:
        """Compare an answer with what the store would have said at each moment that counts.

        Raises:
            WrongAnswerError: It said so at none of them.
        """
        if answer.partial:
            if answer.fresh or answer.from_cache:
                raise WrongAnswerError("an answer in part was kept, or called fresh")
            return
        age_seconds = answer.validated_age_seconds
        if answer.fresh and self.now_seconds - age_seconds < asked_seconds - self.cache._times.check_seconds:
            raise WrongAnswerError(f"called fresh, and checked {age_seconds} s ago")
        if not answer.fresh and not (answer.stale_age_seconds or 0.0) <= STALE_SECONDS_MAX:
            raise WrongAnswerError("stale beyond the bound")
        self.fresh += answer.fresh
        exact_seconds = self.now_seconds - age_seconds
        said = comparable_part(answer.body)
        nearest = None
        for moment in reversed(self.moments):
            nearest = comparable_part(answer_to(question, moment.seen))
            if nearest == said:
                return
            if moment.from_seconds <= exact_seconds:
                break
        raise WrongAnswerError(f"{question}\nsaid {said}\ntrue {nearest}")

    def _between(self) -> None:
        if self.is_busy and self.rng.random() < self.restless:
            self._happen()

    def _happen(self) -> None:
        event = self.rng.choices(_EVENTS, _WEIGHTS)[0]
        self.events += 1
        event(self)
        self._note()

    def _note(self) -> None:
        seen = self.store.seen
        if not self.moments or self.moments[-1].seen != seen:
            self.moments.append(Moment(self.clock(), seen))

    # What happens.

    def _record(self) -> dict[str, Any]:
        now_ms = START_MS + SPAN_MS // 2 + int(self.now_seconds * 1000)
        late_ms = self.rng.choice((0, 0, 0, self.rng.randrange(SPAN_MS // 2)))
        record: dict[str, Any] = {"@timestamp": now_ms - late_ms, "level": self.rng.choice(LEVELS)}
        if self.rng.random() < 0.8:
            record |= {
                "took": self.rng.randrange(100),
                "ratio": self.rng.choice((0.1, 0.2, 1e16, -1e16, 0.7)),
            }
        return record

    def _index(self) -> Index:
        # Mostly the one that is written to, as in a data stream; a foreign writer takes any.
        names = list(self.store.indices)
        return self.store.indices[names[-1] if self.rng.random() < 0.8 else self.rng.choice(names)]

    def _shard(self) -> Shard:
        return self.rng.choice(self._index().shards)

    def _write(self) -> None:
        if self.store.indices:
            self.keys += 1
            self._shard().write(f"key {self.keys}", self._record())

    def _burst(self) -> None:
        for _ in range(self.rng.randint(2, 6)):
            self._write()

    def _begin_write(self) -> None:
        if self.store.indices:
            self.keys += 1
            self._shard().begin_write(f"key {self.keys}", self._record())

    def _end_write(self) -> None:
        waiting = [shard for shard in self._shards() if shard.in_flight]
        if waiting:
            shard = self.rng.choice(waiting)
            shard.end_write(self.rng.randrange(len(shard.in_flight)))

    def _shards(self) -> list[Shard]:
        return [shard for index in self.store.indices.values() for shard in index.shards]

    def _change(self) -> None:
        full = [shard for shard in self._shards() if shard.live]
        if full:
            shard = self.rng.choice(full)
            shard.write(self.rng.choice(list(shard.live)), self._record())

    def _delete(self) -> None:
        full = [shard for shard in self._shards() if shard.live]
        if full:
            shard = self.rng.choice(full)
            shard.delete(self.rng.choice(list(shard.live)))

    def _refresh(self) -> None:
        for shard in self._shards():
            shard.refresh()

    def _refresh_one(self) -> None:
        if shards := self._shards():
            self.rng.choice(shards).refresh()

    def _begin_refresh(self) -> None:
        for shard in self._shards():
            shard.begin_refresh()

    def _end_refresh(self) -> None:
        for shard in self._shards():
            shard.end_refresh()

    def _merge(self) -> None:
        """Records lie in another order after segments are merged."""
        for shard in self._shards():
            items = list(shard.live.items())
            self.rng.shuffle(items)
            shard.live, shard.is_dirty = dict(items), True

    def _go_idle(self) -> None:
        for shard in self._shards():
            shard.refresh()  # an index goes idle 30 s after the last search, and refreshes until then
            shard.is_idle = True

    def _rollover(self) -> None:
        self.generation += 1
        self.store.create(f".ds-{TARGET}-{self.generation:06}", self.shards)

    def _remove(self) -> None:
        if len(self.store.indices) > 1 or (self.store.indices and self.rng.random() < 0.2):
            del self.store.indices[next(iter(self.store.indices))]

    def _make_again(self) -> None:
        """An index is deleted and one of its name comes back with as many records, as from a snapshot."""
        if not self.store.indices:
            return self._rollover()
        name = self.rng.choice(list(self.store.indices))
        lost = self.store.indices[name]
        index = self.store.create(name, len(lost.shards))
        for shard, old in zip(index.shards, lost.shards, strict=True):
            for key in old.live:
                shard.write(key, self._record())
            shard.refresh()
            shard.refreshes = old.refreshes
        return None

    def _restart(self) -> None:
        self.store.process += 1
        self.store.points.clear()
        for shard in self._shards():
            shard.restart()

    def _redeclare(self) -> None:
        for index in self.store.indices.values():
            index.version += 1

    def _fall(self) -> None:
        self.store.is_down = True

    def _rise(self) -> None:
        self.store.is_down = self.store.answers_in_part = False

    def _answer_in_part(self) -> None:
        self.store.answers_in_part = True

    def _lose_points(self) -> None:
        self.store.points.clear()

    def _wait(self) -> None:
        self.now_seconds += self.rng.choice((0.3, 1.5, 20.0))

    # What is asked.

    def _moved(self, question: dict[str, Any]) -> dict[str, Any]:
        """The question as it is, or some cells later, as a dashboard's window moves."""
        if self.rng.random() < 0.6:
            return question
        text = json.dumps(question["query"])
        later_ms = self.rng.choice((10_000, 20_000, 60_000, 1))
        for bound in set(re.findall(r"\d{13}", text)):
            text = text.replace(bound, f"{int(bound) + later_ms}x")
        return {**question, "query": json.loads(text.replace("x", ""))}

    def _question(self) -> dict[str, Any]:
        begin_ms = START_MS + self.rng.choice((0, 60_000, self.rng.randrange(SPAN_MS // 2)))
        length_ms = self.rng.choice((30_000, 300_000, SPAN_MS))
        time = {"range": {"@timestamp": {"gte": begin_ms, "lt": begin_ms + length_ms}}}
        level = {"term": {"level": self.rng.choice(LEVELS)}}
        query = self.rng.choice((time, {"bool": {"filter": [time]}}, {"bool": {"filter": [time, level]}}))
        asked = self.rng.sample(_ASKED, self.rng.randint(0, 3))
        body: dict[str, Any] = {
            "size": 0,
            "query": query,
            "track_total_hits": self.rng.choice((True, True, False)),
        }
        if asked:
            body["aggs"] = {f"a{number}": each for number, each in enumerate(asked)}
        return body


_LEVELS = {"terms": {"field": "level"}}
_ASKED: tuple[dict[str, Any], ...] = (
    {"value_count": {"field": "took"}},
    {"sum": {"field": "took"}},
    {"sum": {"field": "ratio"}},
    {"avg": {"field": "took"}},
    {"cardinality": {"field": "level"}},
    {"min": {"field": "took"}},
    {"max": {"field": "@timestamp"}},
    _LEVELS,
    {"terms": {"field": "level", "size": 2}, "aggs": {"most": {"max": {"field": "took"}}}},
    {"terms": {"field": "level", "size": 4, "order": {"_key": "asc"}}},
    {"missing": {"field": "took"}, "aggs": {"levels": _LEVELS}},
    {"filters": {"filters": {"bad": {"term": {"level": "error"}}, "all": {"match_all": {}}}}},
    {
        "date_histogram": {"field": "@timestamp", "fixed_interval": "10s"},
        "aggs": {
            "levels": {"terms": {"field": "level", "size": 1}},
            "last": {"max": {"field": "@timestamp"}},
        },
    },
    {
        "date_histogram": {
            "field": "@timestamp",
            "fixed_interval": "1m",
            "extended_bounds": {"min": START_MS, "max": START_MS + SPAN_MS},
        },
        "aggs": {"distinct": {"cardinality": {"field": "level"}}},
    },
    {"date_histogram": {"field": "@timestamp", "fixed_interval": "7s", "min_doc_count": 1}},
)
_LIKELY: tuple[tuple[Callable[[World], None], int], ...] = (
    (World._write, 20), (World._burst, 6), (World._begin_write, 5), (World._end_write, 6),
    (World._change, 5), (World._delete, 6), (World._refresh, 20), (World._refresh_one, 4),
    (World._begin_refresh, 6), (World._end_refresh, 6), (World._merge, 3), (World._go_idle, 2),
    (World._rollover, 2), (World._remove, 1), (World._make_again, 2), (World._restart, 1),
    (World._redeclare, 1), (World._fall, 2), (World._rise, 8), (World._answer_in_part, 1),
    (World._lose_points, 2), (World._wait, 8),
)  # fmt: skip
_EVENTS = [event for event, _ in _LIKELY]
_WEIGHTS = [weight for _, weight in _LIKELY]


def _lying(store: SimulatedStore, **methods: Any) -> SnapshotStore:
    """The store with some of its methods replaced by wrong ones."""
    liar = type("Liar", (), {})()
    for name in ("search", "multi_search", "states", "open_point", "close_point"):
        setattr(liar, name, methods.get(name, getattr(store, name)))
    result: SnapshotStore = liar
    return result


def time_to_live_only(store: SimulatedStore) -> SnapshotStore:
    """A cache that does not look whether anything was written; answers live for some questions."""
    last: list[Any] = [None, 0]

    def states(target: str) -> Any:
        last[1] -= 1
        if last[1] < 0:
            last[:] = [store.states(target), 8]
        return last[0]

    return _lying(store, states=states)


def _changed_copies(store: SimulatedStore, change: Callable[..., Any]) -> SnapshotStore:
    def states(target: str) -> Any:
        state = store.states(target)
        if state is None:
            return None
        indices = {
            name: replace(each, copies=tuple(change(copy) for copy in each.copies))
            for name, each in state.indices.items()
        }
        return replace(state, indices=indices)

    return _lying(store, states=states)


def written_without_visible(store: SimulatedStore) -> SnapshotStore:
    """A cache that compares sequence numbers alone: what is written before it looks is seen after."""
    return _changed_copies(store, lambda copy: replace(copy, refreshes=0))


def visible_without_gaps(store: SimulatedStore) -> SnapshotStore:
    """A cache that takes the highest sequence number for a sign that all below it are there."""
    return _changed_copies(store, lambda copy: replace(copy, processed=copy.written))


def names_without_identity(store: SimulatedStore) -> SnapshotStore:
    """A cache that knows indices by their names, and processes not at all."""

    def states(target: str) -> Any:
        state = store.states(target)
        return state and replace(state, definition=",".join(state.indices).encode())

    return _lying(store, states=states)


def deletes_unseen(store: SimulatedStore) -> SnapshotStore:
    """A cache that looks for new records only: it is told that none went away."""
    told: dict[str, int] = {}

    def search(target: str, body: Mapping[str, Any]) -> Mapping[str, Any]:
        answer = store.search(target, body)
        counts = answer.get("aggregations", {}).get("counts", {}).get("buckets", {})
        for name, bucket in counts.items():
            word, _, index = name.partition(" ")
            if word == "kept" and index in told:
                bucket["doc_count"] = told[index]
        for name, bucket in counts.items():
            word, _, index = name.partition(" ")
            if word != "newer":
                told[index] = bucket["doc_count"]
        return answer

    return _lying(store, search=search)


KNOWN_WRONG: Mapping[str, Around] = {
    it.__name__: it
    for it in (
        time_to_live_only,
        written_without_visible,
        names_without_identity,
        deletes_unseen,
    )
}

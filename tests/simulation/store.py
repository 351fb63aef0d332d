"""A simulated store: a data stream with backing indices, and all the ways in which it answers."""

from __future__ import annotations

import gzip
import random
from collections.abc import Sequence
from dataclasses import dataclass, field

import orjson

from logging_system.delivery.machine import Item
from logging_system.sinks.elasticsearch.http_answer import HttpAnswer

SMALL_BODY_RECORDS = 7
SHARDS = 5
LARGE_BYTES = 2_000
"""A document of more never fits through the proxy."""


class BrokenPromiseError(AssertionError):
    """What must never happen, happened."""


@dataclass(slots=True)
class Store:
    """The truth: what is stored where; `poison` says of a sequence how it is broken."""

    rng: random.Random
    poison: dict[str, str]
    indices: list[set[str]] = field(default_factory=lambda: [set()])
    failure_store: set[str] = field(default_factory=set)
    buried: dict[str, str] = field(default_factory=dict)
    looked_up_seconds: dict[str, float] = field(default_factory=dict)
    earlier_answers: dict[int, HttpAnswer] = field(default_factory=dict)

    @property
    def write_index(self) -> str:
        return f".ds-{len(self.indices):06}"

    def has(self, document_id: str) -> bool:
        return any(document_id in index for index in self.indices)

    def rollover(self) -> None:
        self.indices.append(set())

    def bulk(self, items: Sequence[Item], active: frozenset[str]) -> HttpAnswer:
        """Execute a bulk; `active` are the faults that hit this request."""
        refused = self._refuse(items, active)
        if refused is not None:
            return refused
        foreign = self.earlier_answers.get(len(items))
        if "foreign answer" in active and foreign is not None:
            return foreign  # out of some cache on the way; the store never saw the request
        outcomes = [_in_order({"_id": item.id, **self._create(item, active)}) for item in items]
        content = {"errors": any(one["status"] != 201 for one in outcomes), "took": 1}
        answer = HttpAnswer(
            200, {}, orjson.dumps({**content, "items": [{"create": one} for one in outcomes]})
        )
        return self._garble(answer, outcomes, active)

    def indices_since(self, known: Sequence[str]) -> tuple[str, ...]:
        """The backing indices from the first of `known` on, all if there is none."""
        names = [f".ds-{place + 1:06}" for place in range(len(self.indices))]
        return tuple(names[names.index(known[0]) if known else 0 :])

    def look_up(self, items: Sequence[Item], indices: Sequence[str], active: frozenset[str]) -> HttpAnswer:
        """Execute a multi-get."""
        if "503" in active or "look-up 503" in active:
            return HttpAnswer(503, {}, b"busy")
        if "429" in active:
            return HttpAnswer(429, {}, b"busy")
        docs: list[dict[str, object]] = [
            {"_index": name, "_id": item.id, "found": item.id in self.indices[int(name[4:]) - 1]}
            for name in indices
            for item in items
        ]
        return self._garble(HttpAnswer(200, {}, orjson.dumps({"docs": docs})), docs, active)

    def _refuse(self, items: Sequence[Item], active: frozenset[str]) -> HttpAnswer | None:
        for kind, answer in REFUSALS.items():
            if kind in active:
                return answer
        if "429 with retry-after" in active:
            return HttpAnswer(429, {"retry-after": str(self.rng.randint(1, 3))}, b'{"error":"busy"}')
        large = any(len(item.document) > LARGE_BYTES for item in items)
        if large or ("413 above a few" in active and len(items) > SMALL_BODY_RECORDS):
            return HttpAnswer(413, {}, b"<html>too large")
        if any(self.poison.get(item.id) == "request" for item in items):
            return _refused(400, "x_content_parse_exception", "no JSON")
        return None

    def _create(self, item: Item, active: frozenset[str]) -> dict[str, object]:
        pushed_back = self._push_back(item, active)
        if pushed_back is not None:
            return pushed_back
        if item.id in self.indices[-1]:
            return {"_index": self.write_index, **_failed(409, "version_conflict_engine_exception", "there")}
        broken = self.poison.get(item.id)
        if broken == "mapping" and "failure store" in active:
            self.failure_store.add(item.id)
            return {"status": 201, "_index": ".fs-1", "failure_store": "used"}
        if broken == "mapping":
            return _failed(400, "document_parsing_exception", "no number")
        if broken == "stumble":
            return _failed(500, "not_x_content_exception", "no JSON")
        self._store(item.id)
        return {"status": 201, "_index": self.write_index}

    def _push_back(self, item: Item, active: frozenset[str]) -> dict[str, object] | None:
        roll = self.rng.random()
        if "block" in active:
            return _failed(403, "cluster_block_exception", "read-only")
        if "a shard answers 500" in active and item.sequence % SHARDS == 0:
            return _failed(500, "illegal_state_exception", "shard")
        if "item 429" in active and roll < 0.5:
            return _failed(429, "es_rejected_execution_exception", "full")
        if "item 503" in active and roll > 0.5:
            return _failed(503, "unavailable_shards_exception", "gone")
        return None

    def _store(self, document_id: str) -> None:
        if self.has(document_id):
            raise BrokenPromiseError(f"{document_id} is stored twice, in two backing indices")
        if document_id in self.buried:
            raise BrokenPromiseError(f"{document_id} is stored and was given up before")
        self.indices[-1].add(document_id)

    def _garble(
        self, answer: HttpAnswer, parts: list[dict[str, object]], active: frozenset[str]
    ) -> HttpAnswer:
        self.earlier_answers[len(parts)] = answer
        for kind, garbled in GARBLED.items():
            if kind in active:
                return garbled
        if "truncated" in active:
            return HttpAnswer(200, {}, answer.body[: self.rng.randrange(len(answer.body))])
        if "gzipped" in active:
            return HttpAnswer(200, {"content-encoding": "gzip"}, gzip.compress(answer.body, 1))
        if "wrong length" in active:
            wrong = [{"create": one} for one in parts[:-1]]
            return HttpAnswer(200, {}, orjson.dumps({"errors": False, "items": wrong, "docs": parts[:-1]}))
        return answer


def _in_order(outcome: dict[str, object]) -> dict[str, object]:
    # The real server's order of keys: an answer in which all is well is known by its bytes.
    return {name: outcome[name] for name in ("_index", "_id", "status") if name in outcome} | outcome


def _failed(status: int, kind: str, reason: str) -> dict[str, object]:
    return {"status": status, "error": {"type": kind, "reason": reason}}


def _refused(status: int, kind: str, reason: str) -> HttpAnswer:
    return HttpAnswer(status, {}, orjson.dumps({"error": {"type": kind, "reason": reason}, "status": status}))


REFUSALS = {
    "503": HttpAnswer(503, {}, b'{"error":"unavailable"}'),
    "429": HttpAnswer(429, {}, b'{"error":"busy"}'),
    "400 for everything": _refused(400, "illegal_argument_exception", "broken proxy"),
}
GARBLED = {
    "html": HttpAnswer(200, {}, b"<html><body>Welcome</body></html>"),
    "empty": HttpAnswer(200, {}, b""),
    "502 after commit": HttpAnswer(502, {}, b"<html>Bad Gateway"),
}

"""Hits of the cache of analytics beside round trips to the real store, and a dashboard over live writes.

`python -m tests.benchmarks.cache`, or `make bench-cache`. All figures are of one run on one store.
"""

from __future__ import annotations

import argparse
import random
import statistics
import sys
import time
from collections.abc import Callable, Mapping
from typing import Any

import orjson

from logging_system.analytics.cache.answer_memory import AnswerMemory
from logging_system.analytics.cache.cached_answer import comparable_part
from logging_system.analytics.cache.cached_queries import CachedQueries, CacheTimes
from logging_system.analytics.cache.keys import Scope, identity_of
from logging_system.analytics.cache.time_ranges import rounded
from tests.contract.elasticsearch_fixture import Store, real_server
from tests.contract.logging_system.analytics.stores import PROPERTIES, snapshots_at
from tests.simulation.campaign import commit

HOUR_MS = 3_600_000
STEP_MS = 10_000
LEVELS = ("debug", "info", "info", "info", "warn", "error")
RATIO_MIN = 500.0
HIT_SHARE_MIN = 0.95
_BULK = 5_000

Json = dict[str, Any]


def panels(now_ms: int) -> list[Json]:
    """Twenty panels of a dashboard over the last hour: eighteen in pieces, two that stay whole."""
    asked = rounded(now_ms, HOUR_MS, STEP_MS)
    window = {"range": {"@timestamp": {"gte": asked.from_ms, "lt": asked.to_ms}}}
    over_time = {"date_histogram": {"field": "@timestamp", "fixed_interval": "1m"}}
    levels = {"terms": {"field": "level"}}
    kinds: list[Json] = [
        {"times": {**over_time, "aggs": {"levels": levels}}},
        {"levels": levels},
        {"times": {**over_time, "aggs": {"slowest": {"max": {"field": "took"}}}}},
        {"count": {"value_count": {"field": "took"}}, "sum": {"sum": {"field": "took"}}},
        {"split": {"filters": {"filters": {"bad": {"term": {"level": "error"}}, "all": {"match_all": {}}}}}},
        {"first": {"min": {"field": "@timestamp"}}, "last": {"max": {"field": "@timestamp"}}},
    ]
    out = []
    for number in range(18):
        level = {"term": {"level": LEVELS[number // len(kinds) * 2]}}
        filters = [window] if number < len(kinds) else [window, level]
        out.append(_panel({"bool": {"filter": filters}}, kinds[number % len(kinds)]))
    out.append(_panel(window, {"p": {"percentiles": {"field": "took"}}}))
    out.append(_panel(window, {"mean": {"avg": {"field": "ratio"}}}))
    return out


def _panel(query: Json, aggregations: Json) -> Json:
    return {"size": 0, "track_total_hits": True, "query": query, "aggs": aggregations}


def write(store: Store, index: str, rng: random.Random, records: int, span_ms: int) -> None:
    """Write records of the last `span_ms`."""
    now_ms = time.time_ns() // 1_000_000
    while records > 0:
        lines = bytearray()
        for _ in range(min(records, _BULK)):
            took = rng.randrange(1_000)
            record = {
                "@timestamp": now_ms - rng.randrange(span_ms),
                "level": rng.choice(LEVELS),
                "took": took,
                "ratio": took / 7,
            }
            lines += b'{"create":{}}\n' + orjson.dumps(record) + b"\n"
        answer = store.call("POST", f"/{index}/_bulk", bytes(lines), "application/x-ndjson").json()
        assert answer["errors"] is False, answer
        records -= _BULK


def median_seconds(call: Callable[[], Any], times: int) -> float:
    """How long a call takes."""
    taken = []
    for _ in range(times):
        began = time.perf_counter()
        call()
        taken.append(time.perf_counter() - began)
    return statistics.median(taken)


def measure_hits(cache: CachedQueries, search: Callable[..., Any], index: str) -> float:
    """Print round trips and hits panel by panel; returns the ratio of their medians' sums."""
    asked = panels(time.time_ns() // 1_000_000)
    trips, hits, decoded = 0.0, 0.0, 0.0
    for panel in asked:
        cache.answer(index, panel)
        trips += median_seconds(lambda panel=panel: search(index, panel), 5)  # type: ignore[misc]
        cache.answer(index, panel)
        hits += median_seconds(lambda panel=panel: cache.answer(index, panel), 200)  # type: ignore[misc]
        decoded += median_seconds(lambda panel=panel: cache.answer(index, panel).body, 200)  # type: ignore[misc]
    many = len(asked)
    print(f"round trip to the store       {1e6 * trips / many:10.1f} µs (mean of {many} panels' medians)")
    print(f"hit, as JSON                  {1e6 * hits / many:10.1f} µs: {trips / hits:.0f} times faster")
    print(
        f"hit, decoded                  {1e6 * decoded / many:10.1f} µs: {trips / decoded:.0f} times faster"
    )
    return trips / hits


def measure_refreshes(
    cache: CachedQueries, store: Store, index: str, rng: random.Random, rounds: int, per_round: int
) -> float:
    """Print what a dashboard's refreshes find in the cache while records are written; returns the share."""
    for panel in panels(time.time_ns() // 1_000_000):
        cache.answer(index, panel)
    before = cache.statistics
    taken = []
    for _ in range(rounds):
        write(store, index, rng, per_round, 15_000)
        time.sleep(1.0)
        began = time.perf_counter()
        for panel in panels(time.time_ns() // 1_000_000):
            answer = cache.answer(index, panel)
            assert answer.fresh
        taken.append(time.perf_counter() - began)
    after = cache.statistics
    held, asked = (
        after.pieces_held - before.pieces_held,
        after.pieces_asked - before.pieces_asked,
    )
    share = held / (held + asked)
    views, checks, voided = (
        getattr(after, name) - getattr(before, name) for name in ("views", "checks", "voided")
    )
    print(
        f"{rounds} refreshes of 20 panels, {per_round} records before each: {held} of {held + asked} pieces "
        f"held ({100 * share:.2f} %), {views} views, {checks} checks, {voided} times all void, "
        f"{1e3 * statistics.median(taken):.0f} ms a refresh"
    )
    return share


def check_exact(cache: CachedQueries, search: Callable[..., Any], store: Store, index: str) -> None:
    """Compare all panels with the store's own answers once nothing is written any more."""
    store.ok("POST", f"/{index}/_refresh")
    time.sleep(1.1)
    asked = panels(time.time_ns() // 1_000_000)
    wrong = [
        panel
        for panel in asked
        if comparable_part(cache.answer(index, panel).body) != comparable_part(search(index, panel))
    ]
    print(f"answers equal to the store's own once it is quiet: {len(asked) - len(wrong)} of {len(asked)}")
    assert not wrong, wrong


def show_request_cache(search: Callable[..., Any], store: Store, index: str) -> None:
    """Print what the store's own cache does with two dashboards that round alike, and two that do not."""
    for word, step_ms in (("rounded to 10 s", STEP_MS), ("to the millisecond", 1)):
        before = _request_cache(store, index)
        for _ in range(5):
            asked = rounded(time.time_ns() // 1_000_000, HOUR_MS, step_ms)
            window = {"range": {"@timestamp": {"gte": asked.from_ms, "lt": asked.to_ms}}}
            search(index, _panel(window, {"levels": {"terms": {"field": "level"}}}))
            time.sleep(0.01)
        after = _request_cache(store, index)
        hits, misses = (after[name] - before[name] for name in ("hit_count", "miss_count"))
        print(f"the store's request cache, five dashboards {word}: {hits} hits, {misses} misses")


def _request_cache(store: Store, index: str) -> Mapping[str, int]:
    found: Mapping[str, int] = store.ok("GET", f"/{index}/_stats/request_cache")["_all"]["total"][
        "request_cache"
    ]
    return found


def main() -> int:
    """Measure."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--records", type=int, default=300_000, help="of the last hour, before the start")
    parser.add_argument("--rounds", type=int, default=30)
    parser.add_argument("--per-round", type=int, default=500)
    chosen = parser.parse_args()
    rng = random.Random(1)
    with real_server() as url:
        store = Store(url)
        index = store.name("logs")
        settings = {"number_of_replicas": 0, "refresh_interval": "1s"}
        store.ok("PUT", f"/{index}", {"settings": settings, "mappings": {"properties": PROPERTIES}})
        write(store, index, rng, chosen.records, HOUR_MS)
        store.ok("POST", f"/{index}/_refresh")
        snapshots = snapshots_at(url)
        cache = CachedQueries(
            snapshots,
            scope=Scope("default", identity_of("bench")),
            memory=AnswerMemory(64 * 1024 * 1024),
            times=CacheTimes(check_seconds=1.0),
            whole_number_fields=("took",),
        )
        print(f"{chosen.records} records in the store, commit {commit()}")
        share = measure_refreshes(cache, store, index, rng, chosen.rounds, chosen.per_round)
        check_exact(cache, snapshots.search, store, index)
        # Long checks, so that none falls among the calls that are timed; what a check costs is told above.
        timed = CachedQueries(
            snapshots,
            scope=Scope("default", identity_of("bench")),
            memory=AnswerMemory(64 * 1024 * 1024),
            times=CacheTimes(check_seconds=600.0),
            whole_number_fields=("took",),
        )
        ratio = measure_hits(timed, snapshots.search, index)
        show_request_cache(snapshots.search, store, index)
        print(f"memory: {cache.statistics.used_bytes} bytes; {cache.statistics}")
        for each in (cache, timed):
            each.close()
        store.close()
    print(f"goals: {RATIO_MIN:.0f} times, {100 * HIT_SHARE_MIN:.0f} % of the pieces")
    return 0 if ratio >= RATIO_MIN and share >= HIT_SHARE_MIN else 1


if __name__ == "__main__":
    sys.exit(main())

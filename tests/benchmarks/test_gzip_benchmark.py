"""What packing bulk bodies costs and saves, by their size: why the sink does not by default."""

from __future__ import annotations

import gzip
import random
import time

import orjson
import pytest

from logging_system.delivery.machine import Item
from logging_system.delivery.runs import runs_of
from logging_system.sinks.elasticsearch.bulk_body import BulkBody

LEVEL = 1
ROUNDS = 7
BYTES_PER_ROUND = 4_000_000


def bulk(records: int) -> bytes:
    """A bulk body of documents as the handler makes them, with words and numbers that differ."""
    rng = random.Random(1)
    words = [f"word{number}" for number in range(2_000)]
    documents = [
        {
            "@timestamp": f"2026-01-01T00:{number // 60 % 60:02}:{number % 60:02}.123456Z",
            "message": f"order {number} of {' '.join(rng.choices(words, k=6))} in {rng.randrange(5_000)} ms",
            "log": {"level": "info", "logger": "shop.checkout"},
            "service": {"name": "checkout"},
            "process": {"pid": 12_345, "entity_id": f"{rng.getrandbits(128):032x}"},
            "event": {"sequence": number},
            "labels": {"order": number, "user": rng.randrange(10_000)},
        }
        for number in range(records)
    ]
    items = [Item(bytes(16), n, orjson.dumps(each)) for n, each in enumerate(documents)]
    return b"".join(BulkBody(items, runs_of(items)))


@pytest.mark.parametrize("size_bytes", [512, 1_024, 4_096, 65_536, 262_144])
def test_packing(size_bytes: int) -> None:
    body = bulk(1_000)[:size_bytes]
    times = []
    for _ in range(ROUNDS):
        started = time.process_time()
        for _ in range(BYTES_PER_ROUND // size_bytes):
            packed = gzip.compress(body, LEVEL, mtime=0)
        times.append((time.process_time() - started) / (BYTES_PER_ROUND // size_bytes * size_bytes))
    print(
        f"\n{size_bytes} bytes: {len(body) / len(packed):.1f} times smaller, "
        f"{min(times) * 1e9:.1f} ms of CPU per MB"
    )

    assert len(packed) < len(body)

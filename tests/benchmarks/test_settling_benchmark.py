"""What an answer costs from its bytes to records that are done; wants a quiet machine.

`LOGQUAKE_BENCH=1 pytest -q -s -n 0 tests/benchmarks/test_settling_benchmark.py`
"""

from __future__ import annotations

import gc
import random
import statistics
import time

import orjson
import pytest

from logging_system.delivery.machine import DeliveryMachine, Item, Limits, Send
from logging_system.delivery.outcomes import OneForEach, SameForAll
from logging_system.delivery.runs import runs_of
from logging_system.sinks.elasticsearch.bulk_answer import read_bulk_answer
from logging_system.sinks.elasticsearch.bulk_body import BulkBody
from logging_system.sinks.elasticsearch.http_answer import HttpAnswer

RECORDS = 4_000
ROUNDS = 40
EPOCH = b"e" * 16


def milliseconds(step: int, pushed_back_every: int) -> tuple[float, float]:
    """CPU of reading one answer, and of settling its records in the machine."""
    machine = DeliveryMachine(random.Random(1), Limits(linger_seconds=0.0, batch_records_max=RECORDS))
    machine.take([Item(EPOCH, step * RECORDS + place, b"{}") for place in range(RECORDS)], 0.0)
    (send,) = machine.commands(0.0)
    assert isinstance(send, Send)
    items = [
        {"create": {"_index": ".ds-logs-1", "_id": item.id, "status": 429 if is_late else 201}}
        for place, item in enumerate(send.items)
        for is_late in [pushed_back_every > 0 and place % pushed_back_every == 0]
    ]
    answer = HttpAnswer(200, {}, orjson.dumps({"errors": pushed_back_every > 0, "took": 1, "items": items}))
    runs = runs_of(send.items)
    gc.collect()
    gc.disable()
    try:
        b"".join(BulkBody(send.items, runs))  # what the request's thread does first
        began_seconds = time.process_time()
        outcome = read_bulk_answer(answer, send.items, runs)
        read_seconds = time.process_time()
        machine.answered(send.number, outcome, 0.1)
        settled_seconds = time.process_time()
    finally:
        gc.enable()
    assert isinstance(outcome, OneForEach if pushed_back_every else SameForAll)
    return (read_seconds - began_seconds) * 1e3, (settled_seconds - read_seconds) * 1e3


@pytest.mark.parametrize("pushed_back_every", [0, 2], ids=["all created", "every other pushed back"])
def test_settling(pushed_back_every: int) -> None:
    rounds = [milliseconds(step, pushed_back_every) for step in range(1, ROUNDS + 1)]
    read_ms, settled_ms = (statistics.median(column) for column in zip(*rounds, strict=True))

    print(f"\n{RECORDS} documents: read {read_ms:.2f} ms, settled {settled_ms:.2f} ms of CPU")

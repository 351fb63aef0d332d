"""Into a real Elasticsearch: `ship` draining a spool, beside a bare loop that posts bodies made before.

The bare loop has the shipper's batch size and connections, ids of the same form, `create`, and no gzip; the
store answers it with a single word, and the shipper with each document's fate.
"""

from __future__ import annotations

import http.client
import queue
import tempfile
import threading
import time
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import urlsplit

from logging_system.delivery.commands import Limits
from tests.benchmarks.paths.drain import (
    STREAM,
    document,
    drained,
    fill,
    processor_seconds,
    refresh_and_count,
    server_pid,
    shipping,
)
from tests.benchmarks.paths.row import Row
from tests.contract.elasticsearch_fixture import real_server

_RECORDS = 240_000
_LOOKED_UP = 60_000
"""A shipper that begins looks up what an earlier one may have sent, some 40,000 records; that is left out."""

_WARM_UPS = 2
_LIMITS = Limits()


@dataclass(frozen=True, slots=True)
class _Cost:
    records: int
    seconds: float
    ours_seconds: float
    server_seconds: float

    def __add__(self, other: _Cost) -> _Cost:
        return _Cost(
            self.records + other.records,
            self.seconds + other.seconds,
            self.ours_seconds + other.ours_seconds,
            self.server_seconds + other.server_seconds,
        )

    def microseconds(self, seconds: float) -> float:
        return seconds / self.records * 1e6


def measure() -> list[Row]:
    """Return the shipper's rate as a share of the bare loop's, on the same server, and where time went."""
    with real_server() as url, tempfile.TemporaryDirectory(prefix="paths-") as name:
        pid, stored = server_pid(url), 0
        for number in range(_WARM_UPS):  # a young server is three times slower; the first makes the templates
            _ours(url, pid, Path(name) / f"warm-{number}")
            _bare(url, pid, f"{number:032x}")
            stored += 2 * _RECORDS
        bare = _bare(url, pid, "a" * 32)
        ours = _ours(url, pid, Path(name) / "first") + _ours(url, pid, Path(name) / "second")
        bare += _bare(url, pid, "b" * 32)
        assert refresh_and_count(url) == stored + 4 * _RECORDS
    rate, bare_rate = ours.records / ours.seconds, bare.records / bare.seconds
    spent = ours.microseconds(ours.ours_seconds)
    bare_spent, server_spent = bare.microseconds(bare.ours_seconds), bare.microseconds(bare.server_seconds)
    of_processor = (bare_spent + server_spent) / (spent + server_spent)
    return [
        Row("ship into Elasticsearch: of a bare loop's rate", rate / bare_rate, "x", "≥ 0.95"),
        Row("ship into Elasticsearch: of a bare loop's rate, by processor time", of_processor, "x", "-"),
        Row("ship into Elasticsearch: documents a second", rate, "", "-"),
        Row("ship: processor time a document", spent, "µs", "-"),
        Row("the bare loop: processor time a document", bare_spent, "µs", "-"),
        Row("Elasticsearch under the bare loop: processor time a document", server_spent, "µs", "-"),
        Row(
            "Elasticsearch under ship: processor time a document",
            ours.microseconds(ours.server_seconds),
            "µs",
            "-",
        ),
    ]


def _ours(url: str, server: int, spool: Path) -> _Cost:
    fill(spool, _RECORDS)
    with shipping(spool, url) as process:
        before = processor_seconds(server)
        first, last = drained(spool, process.pid, _RECORDS, after=_LOOKED_UP)
        server_spent = processor_seconds(server) - before
    records = last.delivered - first.delivered
    return _Cost(
        records,
        last.seconds - first.seconds,
        last.processor_seconds - first.processor_seconds,
        server_spent * records / _RECORDS,
    )


def _bare(url: str, server: int, epoch: str) -> _Cost:
    step = _LIMITS.batch_records_max
    bodies: queue.SimpleQueue[bytes] = queue.SimpleQueue()
    for first in range(0, _RECORDS, step):
        bodies.put(_body(epoch, first, min(_RECORDS, first + step)))
    posts = [threading.Thread(target=_post, args=(url, bodies)) for _ in range(_LIMITS.concurrency)]
    server_before, ours_before, began = processor_seconds(server), time.process_time(), time.monotonic()
    for post in posts:
        post.start()
    for post in posts:
        post.join()
    return _Cost(
        _RECORDS,
        time.monotonic() - began,
        time.process_time() - ours_before,
        processor_seconds(server) - server_before,
    )


def _body(epoch: str, first: int, end: int) -> bytes:
    lines = (
        b'{"create":{"_id":"%b-%d"}}\n%b\n' % (epoch.encode(), n, document(n)) for n in range(first, end)
    )
    return b"".join(lines)


def _post(url: str, bodies: queue.SimpleQueue[bytes]) -> None:
    connection = http.client.HTTPConnection(urlsplit(url).netloc, timeout=60)
    target = f"/{STREAM}/_bulk?filter_path=errors"
    while True:
        try:
            body = bodies.get_nowait()
        except queue.Empty:
            break
        connection.request("POST", target, body, {"Content-Type": "application/x-ndjson"})
        assert connection.getresponse().read() == b'{"errors":false}'
    connection.close()

"""Into a real Elasticsearch: `ship` draining a spool, beside a bare loop that posts bodies made before."""

from __future__ import annotations

import tempfile
import threading
import time
from collections.abc import Sequence
from pathlib import Path

import requests

from tests.benchmarks.paths.drain import (
    STREAM,
    document,
    fill,
    refresh_and_count,
    seconds_until_delivered,
    shipping,
)
from tests.benchmarks.paths.row import Row
from tests.contract.elasticsearch_fixture import real_server

_RECORDS = 120_000
_BULK = 1_000
_CONNECTIONS = 2


def measure() -> list[Row]:
    """Return the shipper's rate as a share of the bare loop's, on the same server."""
    with real_server() as url, tempfile.TemporaryDirectory(prefix="paths-") as name:
        spool = Path(name) / "spool"
        fill(spool, _RECORDS // 4)
        with shipping(spool, url):  # warms the server up, with the templates that both loops then meet
            seconds_until_delivered(spool, _RECORDS // 4)
        bare_first = _bare(url, _RECORDS // 2, "a")
        ours_spool = Path(name) / "ours"
        fill(ours_spool, _RECORDS)
        with shipping(ours_spool, url):
            ours_seconds = seconds_until_delivered(ours_spool, _RECORDS)
        bare_second = _bare(url, _RECORDS // 2, "b")
        assert refresh_and_count(url) == _RECORDS // 4 + 2 * _RECORDS
    rate = _RECORDS / ours_seconds
    bare_rate = _RECORDS / (bare_first + bare_second)
    return [
        Row("ship into Elasticsearch: of a bare loop's rate", rate / bare_rate, "x", "≥ 0.95"),
        Row("ship into Elasticsearch: documents a second", rate, "", "-"),
    ]


def _bare(url: str, records: int, prefix: str) -> float:
    bodies = [_body(first, prefix) for first in range(0, records, _BULK)]
    began = time.monotonic()
    posts = [threading.Thread(target=_post, args=(url, bodies[n::_CONNECTIONS])) for n in range(_CONNECTIONS)]
    for post in posts:
        post.start()
    for post in posts:
        post.join()
    return time.monotonic() - began


def _body(first: int, prefix: str) -> bytes:
    parts = []
    for number in range(first, first + _BULK):
        parts.append(f'{{"create":{{"_id":"{prefix}-{number}"}}}}\n'.encode())
        parts.append(document(number) + b"\n")
    return b"".join(parts)


def _post(url: str, bodies: Sequence[bytes]) -> None:
    with requests.Session() as session:
        for body in bodies:
            answer = session.post(
                f"{url}/{STREAM}/_bulk?filter_path=errors",
                body,
                headers={"Content-Type": "application/x-ndjson"},
                timeout=60,
            )
            assert answer.json()["errors"] is False

"""An outage in the middle of a backlog: how soon `ship` is back, and how fast the rest drains.

A real Elasticsearch behind the TCP proxy, whose connections are cut and refused for a while.
"""

from __future__ import annotations

import tempfile
import time
from pathlib import Path
from urllib.parse import urlsplit

import requests

from harness.targets.toxiproxy_client import ToxiproxyClient
from tests.benchmarks.paths.drain import STREAM, fill, shipping
from tests.benchmarks.paths.row import Row
from tests.contract.elasticsearch_fixture import real_server
from tests.contract.harness.programs.tcp_proxy.proxy_fixtures import tcp_proxy

_RECORDS = 320_000
_WARM_UP = 100_000
_LOOKED_UP = 60_000
_BEFORE = 140_000
_OUTAGE_SECONDS = 10.0
_POLL_SECONDS = 0.1
_WINDOW_SECONDS = 1.0
_SECONDS_MAX = 300.0
_BACK_SHARE = 0.9

Seen = list[tuple[float, int]]
"""Documents in the store, and when."""


def measure() -> list[Row]:
    """Return the time to nine tenths of the rate before, and the backlog's rate beside the rate before."""
    with (
        real_server() as url,
        tcp_proxy() as api,
        tempfile.TemporaryDirectory(prefix="paths-") as name,
    ):
        client = ToxiproxyClient(api)
        behind = client.create("store", "127.0.0.1:0", urlsplit(url).netloc)
        through = f"http://{behind.listen}"
        warm, spool = Path(name) / "warm", Path(name) / "spool"
        fill(warm, _WARM_UP)
        with shipping(warm, through):
            _watch(url, _WARM_UP)
        fill(spool, _RECORDS)
        with shipping(spool, through):
            _watch(url, _WARM_UP + _LOOKED_UP)
            before = _watch(url, _WARM_UP + _BEFORE)
            client.set_enabled("store", False)
            time.sleep(_OUTAGE_SECONDS)
            client.set_enabled("store", True)
            healed = time.monotonic()
            after = _watch(url, _WARM_UP + _RECORDS)
    rate = _rate(before)
    back = _back(after, rate * _BACK_SHARE)
    drained = _rate([each for each in after if each[0] >= back])
    return [
        Row("ship after an outage of 10 s: back at nine tenths of the rate", back - healed, "s", "≤ 5"),
        Row("ship after an outage of 10 s: backlog's rate, of that before", drained / rate, "x", "≥ 0.90"),
    ]


def _watch(url: str, until: int) -> Seen:
    seen: Seen = []
    deadline = time.monotonic() + _SECONDS_MAX
    with requests.Session() as session:
        while not seen or seen[-1][1] < until:
            if time.monotonic() > deadline:
                raise TimeoutError("the store has too few documents")
            time.sleep(_POLL_SECONDS)
            path = f"{STREAM}/_stats/indexing?filter_path=_all.primaries.indexing.index_total"
            answer = session.get(f"{url}/{path}", timeout=60).json()
            # Before the first document there is no stream to tell of.
            held = answer["_all"]["primaries"]["indexing"]["index_total"] if "_all" in answer else 0
            seen.append((time.monotonic(), int(held)))
    return seen


def _rate(seen: Seen) -> float:
    (began, first), (ended, last) = seen[0], seen[-1]
    return (last - first) / (ended - began)


def _back(seen: Seen, rate: float) -> float:
    """Return the end of the first window that has this rate."""
    for place, (began, _) in enumerate(seen):
        window = [each for each in seen[place:] if each[0] <= began + _WINDOW_SECONDS]
        if len(window) > 1 and _rate(window) >= rate:
            return window[-1][0]
    raise AssertionError("the rate before never came back")

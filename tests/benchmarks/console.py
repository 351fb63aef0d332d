"""How soon a browser shows a console on a million documents in the real Elasticsearch.

`python -m tests.benchmarks.console`, or `make prove-console`. Three moments, each from the click to the bars
drawn: a visit while the console has run for a while, a visit right after its start, and another stretch of
time. Beside them stands the same page on an empty store, since a slow machine is slow at both.
"""

from __future__ import annotations

import argparse
import random
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import orjson
import requests

from logging_system.sinks.elasticsearch.sink import ElasticsearchSink
from tests.contract.elasticsearch_fixture import real_server
from tests.stack.processes import kill, ready_line, started
from tests.system.chromium import Watched, chromium

RECORDS = 1_000_000
SPAN_SECONDS = 7 * 86_400
VISITS = 5
USABLE_SECONDS = 1.0
_BULK = 10_000
_NDJSON = {"Content-Type": "application/x-ndjson"}
_DRAWN = "#records .drawing rect"
_LOGGERS = tuple(f"shop.part{number}" for number in range(20))
_LEVELS = ("debug", "info", "info", "info", "info", "info", "warning", "error")


def main() -> int:
    """Load, open, measure; returns 1 where a visit takes longer than a person waits."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--records", type=int, default=RECORDS)
    options = parser.parse_args()
    with real_server() as url, chromium() as browser, tempfile.TemporaryDirectory() as folder:
        with console(Path(folder) / "empty", url) as (page_url, _):
            empty = [visit(browser, page_url, "#records .drawing .axis") for _ in range(VISITS)]
        began = time.monotonic()
        load(url, options.records)
        print(f"{options.records:,} documents loaded in {time.monotonic() - began:.0f} s", flush=True)
        with console(Path(folder) / "full", url) as (page_url, started_seconds):
            first = visit(browser, page_url, _DRAWN)
            cold = time.monotonic() - started_seconds
            later = [visit(browser, page_url, _DRAWN) for _ in range(VISITS)]
            week = other_stretch(browser, page_url)
    usual, nothing = statistics.median(later), statistics.median(empty)
    print(f"a visit shows records after {usual:.2f} s (median of {VISITS}, {max(later):.2f} s at most)")
    print(f"  {usual / nothing:.2f} times what the same page takes on an empty store ({nothing:.2f} s)")
    print(f"the first visit, right after the console's start: {first:.2f} s; {cold:.2f} s after it was ready")
    print(f"another stretch of time, a week of {options.records:,} documents: {week:.2f} s")
    is_usable = usual <= USABLE_SECONDS
    print(f"usable within {USABLE_SECONDS:g} s: {'yes' if is_usable else 'NO'}")
    return 0 if is_usable else 1


@contextmanager
def console(spool: Path, store: str) -> Iterator[tuple[str, float]]:
    """The URL of a console on a store, and when it was ready."""
    words = ["console", "--spool", str(spool), "--elasticsearch", store, "--console-port", "0"]
    process = started([sys.executable, "-m", "logging_system", *words], stderr=subprocess.DEVNULL)
    try:
        yield str(ready_line(process)["url"]), time.monotonic()
    finally:
        kill(process)


def visit(browser: Any, url: str, drawn: str) -> float:
    """Return how long a new page takes to draw, in seconds."""
    began = time.monotonic()
    watched = Watched(browser, url, seconds_max=120.0)
    watched.page.wait_for_selector(drawn, state="attached")
    took = time.monotonic() - began
    watched.page.close()
    return took


def other_stretch(browser: Any, url: str) -> float:
    """Return how long it takes from choosing a week to its bars, in seconds."""
    page = Watched(browser, url, seconds_max=120.0).page
    page.wait_for_selector(_DRAWN, state="attached")
    began = time.monotonic()
    page.click("#spans button[data-span='7d']")
    page.wait_for_selector("#records figcaption:has-text('2 h a bar')")
    return time.monotonic() - began


def load(url: str, records: int) -> None:
    """Store small documents of the last week, an eighth of them of the last hour."""
    sink = ElasticsearchSink([url], "logs-shop-main", request_timeout_seconds=60.0)
    sink.prepare()
    sink.close()
    rng, now = random.Random(1), time.time()
    while records > 0:
        lines = []
        for _ in range(min(_BULK, records)):
            span = 3_600 if rng.random() < 0.125 else SPAN_SECONDS
            moment = datetime.fromtimestamp(now - rng.uniform(30, span), UTC)
            number = rng.randrange(1_000_000)
            document = {
                "@timestamp": moment.isoformat(),
                "message": f"request {number} took {number % 997} ms for customer {number % 89}",
                "log": {"level": rng.choice(_LEVELS), "logger": rng.choice(_LOGGERS)},
            }
            lines += [b'{"create":{}}', orjson.dumps(document)]
        body = b"\n".join(lines) + b"\n"
        answer = requests.post(f"{url}/logs-shop-main/_bulk", body, headers=_NDJSON, timeout=120)
        assert answer.json()["errors"] is False, answer.text[:500]
        records -= _BULK
    requests.post(f"{url}/logs-shop-main/_refresh", timeout=120).raise_for_status()


if __name__ == "__main__":
    raise SystemExit(main())

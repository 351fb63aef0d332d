"""Shows what every metric says as Prometheus reads it.

The counts are what the meters counted, not the counters (see cross_check.py), as the files state it in which
every handler and the shipper write both, each of one moment; so the equations hold in every scrape, and
`surfaces_agree` is 1 while counters and meter say the same.

Exposition formats, of which the client names one in `Accept`; exemplars are only in the second:
https://prometheus.io/docs/instrumenting/exposition_formats/ and
https://github.com/prometheus/OpenMetrics/blob/main/specification/OpenMetrics.md
"""

from __future__ import annotations

import contextlib
import threading
import time
from collections.abc import Callable, Iterable, Iterator
from functools import partial
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import orjson
from prometheus_client import CollectorRegistry
from prometheus_client.core import CounterMetricFamily, GaugeMetricFamily, HistogramMetricFamily, Metric
from prometheus_client.exposition import choose_encoder
from prometheus_client.registry import Collector
from prometheus_client.samples import Exemplar

from logging_system.monitoring.counters import HandlerCounters
from logging_system.monitoring.cross_check import HandlerFlow
from logging_system.monitoring.delays import BOUNDS_SECONDS, Delays, bucket_of
from logging_system.monitoring.handler_totals import read_content
from logging_system.monitoring.metrics import PREFIX
from logging_system.monitoring.readings import Reading, read_gateway, read_spool

HANDLER_PREFIX = f"{PREFIX}_handlers_"
SHIPPER_PREFIX = f"{PREFIX}_shipper_"
_BOUNDS = (*map(str, BOUNDS_SECONDS), "+Inf")
_REQUEST_SECONDS_MAX = 5.0


class SpoolCollector(Collector):
    """The metrics of one spool folder; an application may register it in its own registry.

    Args:
        folder: The spool folder.
        status_path: Where the shipper states its counters.
        clock: Seconds since 1970.
    """

    def __init__(self, folder: Path, status_path: Path, clock: Callable[[], float] = time.time) -> None:
        self._folder = folder
        self._status_path = status_path
        self._clock = clock

    def collect(self) -> Iterable[Metric]:
        """Read the files, and return the metric families that they tell of."""
        return map(_family, read_spool(self._folder, self._status_path, self._clock()))


class GatewayCollector(Collector):
    """The metrics of one gateway.

    Args:
        moment: Returns what its counters and its meter say, of one moment.
        events: Returns how often each kind of event happened.
    """

    def __init__(
        self,
        moment: Callable[[], tuple[HandlerCounters, HandlerFlow]],
        events: Callable[[], dict[str, int]],
    ) -> None:
        self._moment = moment
        self._events = events

    def collect(self) -> Iterable[Metric]:
        """Take both, and return the metric families that they tell of."""
        return map(_family, read_gateway(self._moment(), self._events()))


def exposition(collector: Collector, accept: str = "") -> tuple[bytes, str]:
    """Return one collector's metrics in the format that a client accepts, and its content type.

    Args:
        collector: The collector.
        accept: The request's header of that name.
    """
    registry = CollectorRegistry()
    registry.register(collector)
    encode, content_type = choose_encoder(accept)
    return encode(registry), content_type


@contextlib.contextmanager
def serve_metrics(port: int, folder: Path, status_path: Path) -> Iterator[int]:
    """Serve `/metrics`, and `/status` as JSON, on the loopback address while the block runs.

    Args:
        port: The port; 0 takes a free one.
        folder: The spool folder.
        status_path: Where the shipper states its counters.

    Yields:
        The port.

    Raises:
        OSError: The port cannot be had.
    """
    collector = SpoolCollector(folder, status_path)
    server = ThreadingHTTPServer(("127.0.0.1", port), partial(_Page, collector, status_path))
    server.daemon_threads = True
    thread = threading.Thread(target=server.serve_forever, name="logging_system.metrics", daemon=True)
    thread.start()
    try:
        yield server.server_port
    finally:
        server.shutdown()
        server.server_close()


class _Page(BaseHTTPRequestHandler):
    timeout = _REQUEST_SECONDS_MAX
    disable_nagle_algorithm = True  # else a body waits until the client has acknowledged the header

    def __init__(self, collector: Collector, status_path: Path, *arguments: Any) -> None:
        self._collector = collector
        self._status_path = status_path
        super().__init__(*arguments)

    def do_GET(self) -> None:
        """Answer `/metrics` and `/status`."""
        if self.path == "/metrics":
            page, content_type = exposition(self._collector, self.headers.get("Accept", ""))
            self._answer(200, content_type, page)
        elif self.path == "/status":
            self._answer(200, "application/json", orjson.dumps(read_content(self._status_path)))
        else:
            self._answer(404, "text/plain", b"there is /metrics and /status\n")

    def log_message(self, format: str, *args: object) -> None:
        """Say nothing: a scrape is no event."""

    def _answer(self, status: int, content_type: str, body: bytes) -> None:
        self.send_response(status)
        self.send_header("Content-Type", content_type)
        self.send_header("Content-Length", str(len(body)))
        with contextlib.suppress(ConnectionError):  # a scrape that waits no longer
            self.end_headers()
            self.wfile.write(body)


def _family(reading: Reading) -> Metric:
    metric, value = reading.metric, reading.value
    name = metric.prometheus_name(reading.subject)
    if isinstance(value, Delays):
        return HistogramMetricFamily(
            name, metric.meaning, buckets=_buckets(value), sum_value=value.sum_seconds
        )
    family = GaugeMetricFamily if metric.kind == "gauge" else CounterMetricFamily
    if isinstance(value, int | float):
        return family(name, metric.meaning, value=value)
    labelled = family(name, metric.meaning, labels=[metric.label])
    for label, count in value.items():
        labelled.add_metric([label], count)
    return labelled


def _buckets(delays: Delays) -> list[tuple[str, float] | tuple[str, float, Exemplar]]:
    exemplars = {
        bucket_of(each.seconds): Exemplar({"trace_id": each.trace_id}, each.seconds, each.at_seconds)
        for each in delays.exemplars
    }
    return [
        (bound, count, exemplars[bucket]) if bucket in exemplars else (bound, count)
        for bucket, (bound, count) in enumerate(zip(_BOUNDS, delays.cumulative, strict=True))
    ]

"""Shows the counters of a spool folder as Prometheus metrics.

They are what the meters counted, not the counters (see cross_check.py), as the files state it in which every
handler and the shipper write both, each of one moment; so the equations hold in every scrape, and
`surfaces_agree` is 1 while counters and meter say the same.

Exposition format: https://prometheus.io/docs/instrumenting/exposition_formats/
"""

from __future__ import annotations

import contextlib
import threading
from collections.abc import Callable, Iterable, Iterator, Mapping
from functools import partial
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import orjson
from prometheus_client import CollectorRegistry, generate_latest
from prometheus_client.core import CounterMetricFamily, GaugeMetricFamily, Metric
from prometheus_client.exposition import CONTENT_TYPE_LATEST
from prometheus_client.registry import Collector

from logging_system.monitoring.counters import HandlerCounters, both_content
from logging_system.monitoring.cross_check import HandlerFlow
from logging_system.monitoring.status_files import ENDED_NAME, status_files

HANDLER_PREFIX = "logging_system_handlers_"
GATEWAY_PREFIX = "logging_system_gateway_"
SHIPPER_PREFIX = "logging_system_shipper_"
GAUGES = frozenset(
    {
        "queued",
        "files",
        "spooled",
        "balanced",
        "surfaces_agree",
        "store_ready",
        "newer_epochs",
        "unavailable_epochs",
        "in_flight_requests",
        "waiting_batches",
        "concurrency_limit",
    }
)
_BY = {"dropped": "reason", "spool_errors": "error", "events": "kind"}
_NO_METRICS = frozenset({"pid", "closed", "metrics", "performance", "unavailable"})
_OF_ALL = ("balanced", "surfaces_agree")
_REQUEST_SECONDS_MAX = 5.0

Counts = dict[str, int | float | dict[str, int]]


class SpoolCollector(Collector):
    """The metrics of one spool folder.

    Args:
        folder: The spool folder.
        status_path: Where the shipper states its counters.
    """

    def __init__(self, folder: Path, status_path: Path) -> None:
        self._folder = folder
        self._status_path = status_path

    def collect(self) -> Iterable[Metric]:
        """Read the files."""
        yield from _families(HANDLER_PREFIX, self._handlers())
        yield from _families(SHIPPER_PREFIX, _numbers(_metered(_read(self._status_path))))

    def _handlers(self) -> Counts:
        paths = [*status_files(self._folder), self._folder / ENDED_NAME]
        contents = [_numbers(_metered(content)) for path in paths if (content := _read(path))]
        total: Counts = {"files": len(contents)}
        for content in contents:
            for name, value in content.items():
                total[name] = _plus(total.get(name), value)
        for name in _OF_ALL if contents else ():
            total[name] = min(int(content.get(name) == 1) for content in contents)
        return total


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
        """Take both."""
        content = {**_metered(both_content(*self._moment())), "events": self._events()}
        return _families(GATEWAY_PREFIX, _numbers(content))


def exposition(collector: Collector) -> tuple[bytes, str]:
    """Return one collector's metrics as Prometheus reads them, and their content type."""
    registry = CollectorRegistry()
    registry.register(collector)
    return generate_latest(registry), CONTENT_TYPE_LATEST


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
            page, content_type = exposition(self._collector)
            self._answer(200, content_type, page)
        elif self.path == "/status":
            self._answer(200, "application/json", orjson.dumps(_read(self._status_path)))
        else:
            self._answer(404, "text/plain", b"there is /metrics and /status\n")

    def log_message(self, format: str, *args: object) -> None:
        """Say nothing: a scrape is no event."""

    def _answer(self, status: int, content_type: str, body: bytes) -> None:
        self.send_response(status)
        self.send_header("Content-Type", content_type)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)


def _families(prefix: str, counts: Counts) -> Iterator[Metric]:
    for name, value in counts.items():
        family = GaugeMetricFamily if name in GAUGES else CounterMetricFamily
        if isinstance(value, dict):
            labelled = family(
                prefix + name,
                f"{name}, see docs/reference/logging-metrics.md",
                labels=[_BY.get(name, "name")],
            )
            for label, count in value.items():
                labelled.add_metric([label], count)
            yield labelled
        else:
            yield family(prefix + name, f"{name}, see docs/reference/logging-metrics.md", value=value)


def _metered(content: Mapping[str, Any]) -> dict[str, Any]:
    """Put what the meter says in the place of what the counters say, and whether that is the same."""
    metrics = content.get("metrics")
    if not isinstance(metrics, dict):
        return dict(content)
    agree = all(content.get(name) == value for name, value in metrics.items())
    return {**content, **metrics, "surfaces_agree": agree}


def _numbers(content: Mapping[str, Any]) -> Counts:
    numbers: Counts = {}
    for name, value in content.items():
        if name in _NO_METRICS:
            continue
        if isinstance(value, int | float):
            numbers[name] = int(value) if isinstance(value, bool) else value
        elif isinstance(value, dict):
            numbers[name] = {key: count for key, count in value.items() if isinstance(count, int)}
    return numbers


def _plus(total: int | float | dict[str, int] | None, value: int | float | dict[str, int]) -> Any:
    if total is None:
        return value
    if isinstance(total, dict) and isinstance(value, dict):
        return {key: total.get(key, 0) + value.get(key, 0) for key in total.keys() | value.keys()}
    if isinstance(total, dict) or isinstance(value, dict):
        return total
    return total + value


def _read(path: Path) -> dict[str, Any]:
    try:
        content = orjson.loads(path.read_bytes())
    except (OSError, ValueError):
        return {}
    return content if isinstance(content, dict) else {}

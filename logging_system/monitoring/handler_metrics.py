"""The monitoring handler's numbers as metrics: one list of them, shown to Prometheus and to OpenTelemetry.

OpenTelemetry has no histogram that is asked for its values; it gets the count and the sum of durations, and
the quantiles of the windows.
"""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Literal

from prometheus_client.core import (
    CounterMetricFamily,
    GaugeMetricFamily,
    HistogramMetricFamily,
    Metric,
)
from prometheus_client.registry import Collector

from logging_system.monitoring.monitoring_snapshot import Durations, DurationTotals, MonitoringSnapshot

if TYPE_CHECKING:
    from opentelemetry.metrics import CallbackOptions, Meter, Observation

PREFIX = "logging_monitor_"
_SNAPSHOT_AGE_SECONDS_MAX = 0.1
"""The instruments of one collection are asked one by one, and answer from one snapshot."""

Labels = tuple[tuple[str, str], ...]
TakeSnapshot = Callable[[], MonitoringSnapshot]


@dataclass(frozen=True, slots=True)
class Measure:
    """One metric with its values.

    Attributes:
        name: Without the prefix, and without `_total`.
        kind: `counter` goes up only; `gauge` goes both ways.
        meaning: One line.
        values: Label names and values, with the number.
    """

    name: str
    kind: Literal["counter", "gauge"]
    meaning: str
    values: tuple[tuple[Labels, float], ...]


def measures(snapshot: MonitoringSnapshot) -> tuple[Measure, ...]:
    """Return all that is neither a histogram nor part of one."""
    return (
        Measure(
            "records",
            "counter",
            "records by logger and level",
            tuple(((("logger", s.logger), ("level", s.level)), s.records) for s in snapshot.series),
        ),
        Measure(
            "findings",
            "counter",
            "findings by kind, those that were held back included",
            tuple(((("kind", kind),), count) for kind, count in snapshot.findings_by_kind.items()),
        ),
        _counter("missed_records", "records that came too fast to be counted", snapshot.missed_records),
        _counter("broken_records", "records that could not be read", snapshot.broken_records),
        _counter("invalid_durations", "durations that are none", snapshot.invalid_durations),
        _counter("clock_jumps", "log calls whose time is not known", snapshot.clock_jumps),
        _counter("untold_findings", "findings that the callback did not take", snapshot.untold_findings),
        _of_windows("records_per_second", "records a second", snapshot, lambda window: window.per_second),
        _of_windows("error_ratio", "errors by records", snapshot, lambda window: window.error_ratio),
        _quantiles("call_quantile_seconds", "how long log calls took", snapshot, lambda window: window.calls),
        _quantiles(
            "operation_quantile_seconds",
            "durations that records told of",
            snapshot,
            lambda window: window.operations,
        ),
    )


class MonitoringCollector(Collector):
    """The metrics of one handler, for a registry of Prometheus.

    Args:
        take_snapshot: Returns what the handler knows.
    """

    def __init__(self, take_snapshot: TakeSnapshot) -> None:
        self._take_snapshot = take_snapshot

    def describe(self) -> Iterable[Metric]:
        """Say nothing: what there is, is known when it is asked for."""
        return ()

    def collect(self) -> Iterator[Metric]:
        """Take a snapshot.

        Yields:
            Its metric families, all of the same moment.
        """
        snapshot = self._take_snapshot()
        for measure in measures(snapshot):
            family = CounterMetricFamily if measure.kind == "counter" else GaugeMetricFamily
            names = [name for name, _ in measure.values[0][0]] if measure.values else []
            metric = family(PREFIX + measure.name, measure.meaning, labels=names)
            for labels, value in measure.values:
                metric.add_metric([value for _, value in labels], value)
            yield metric
        yield _histogram("call_seconds", "how long log calls took until they came here", snapshot.calls)
        yield _histogram("operation_seconds", "durations that records told of", snapshot.operations)


def observe(take_snapshot: TakeSnapshot, meter: Meter) -> None:
    """Make an instrument of OpenTelemetry for each measure; asked when a reader collects.

    Args:
        take_snapshot: Returns what the handler knows.
        meter: Makes the instruments.
    """
    latest = _Latest(take_snapshot)
    for measure in _observed(take_snapshot()):
        make: Callable[..., Any] = (
            meter.create_observable_counter if measure.kind == "counter" else meter.create_observable_gauge
        )
        make(PREFIX + measure.name, [_callback(latest, measure.name)], description=measure.meaning)


class _Latest:
    """Takes a snapshot, or gives the one that has just been taken."""

    def __init__(self, take_snapshot: TakeSnapshot) -> None:
        self._take_snapshot = take_snapshot
        self._lock = threading.Lock()
        self._taken: tuple[float, MonitoringSnapshot] | None = None

    def measure(self, name: str) -> Measure:
        with self._lock:
            now_seconds = time.monotonic()
            if self._taken is None or now_seconds - self._taken[0] > _SNAPSHOT_AGE_SECONDS_MAX:
                self._taken = now_seconds, self._take_snapshot()
            return next(each for each in _observed(self._taken[1]) if each.name == name)


def _callback(latest: _Latest, name: str) -> Callable[[CallbackOptions], Iterable[Observation]]:
    from opentelemetry.metrics import Observation

    def observations(_: CallbackOptions) -> Iterable[Observation]:
        return [Observation(value, dict(labels)) for labels, value in latest.measure(name).values]

    return observations


def _observed(snapshot: MonitoringSnapshot) -> tuple[Measure, ...]:
    return (
        *measures(snapshot),
        _counter("call_seconds_count", "log calls whose time is known", snapshot.calls.count),
        _counter("call_seconds_sum", "how long they took together", snapshot.calls.sum_ms / 1e3),
        _counter("operation_seconds_count", "records that told of a duration", snapshot.operations.count),
        _counter("operation_seconds_sum", "these durations together", snapshot.operations.sum_ms / 1e3),
    )


def _counter(name: str, meaning: str, value: float) -> Measure:
    return Measure(name, "counter", meaning, (((), value),))


def _of_windows(
    name: str, meaning: str, snapshot: MonitoringSnapshot, value: Callable[[Any], float]
) -> Measure:
    values = tuple(
        ((("window_seconds", str(window.length_seconds)),), value(window)) for window in snapshot.windows
    )
    return Measure(name, "gauge", f"{meaning}, by window", values)


def _quantiles(
    name: str, meaning: str, snapshot: MonitoringSnapshot, durations: Callable[[Any], Durations]
) -> Measure:
    values = tuple(
        ((("window_seconds", str(window.length_seconds)), ("quantile", quantile)), duration_ms / 1e3)
        for window in snapshot.windows
        for quantile, duration_ms in (
            ("0.5", durations(window).p50_ms),
            ("0.95", durations(window).p95_ms),
            ("0.99", durations(window).p99_ms),
            ("1", durations(window).max_ms),
        )
    )
    return Measure(name, "gauge", f"{meaning}, by window and quantile", values)


def _histogram(name: str, meaning: str, totals: DurationTotals) -> Metric:
    metric = HistogramMetricFamily(PREFIX + name, meaning)
    buckets = [(repr(bound_ms / 1e3), below) for bound_ms, below in totals.bounds]
    metric.add_metric([], [*buckets, ("+Inf", totals.count)], totals.sum_ms / 1e3)
    return metric

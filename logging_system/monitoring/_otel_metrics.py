"""The only module that gives metrics to OpenTelemetry; imported only where the setting asks for it.

Nothing is counted here. Observable instruments read what Prometheus reads, all of one moment. A histogram has
no observable instrument, so it is three counters as Prometheus has them: `.bucket` by `le`, `.count`, `.sum`.

The packages may be absent, half installed or broken, the receiver dead: that is told, and all else works.
"""

from __future__ import annotations

import contextlib
import os
import threading
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from logging_system.monitoring.delays import BOUNDS_SECONDS, Delays
from logging_system.monitoring.metrics import ERROR_TYPE, ERROR_TYPES, METRICS, Metric, Subject
from logging_system.monitoring.readings import Reading

if TYPE_CHECKING:
    from opentelemetry.metrics import CallbackOptions, Meter, Observation

Read = Callable[[], list[Reading]]
Attributes = Mapping[str, str]

SCOPE = "logging_system"
SUBJECTS: tuple[Subject, ...] = ("handlers", "shipper", "spool", "watch")
_COMPONENT_TYPES: Mapping[Subject, str] = {
    "handlers": "logging_system.handler.SpoolHandler",
    "shipper": "logging_system.shipping.Shipper",
}
_BOUNDS = (*map(str, BOUNDS_SECONDS), "+Inf")
_CLOSING_SECONDS = 1.0


@dataclass(frozen=True, slots=True)
class Point:
    """One number of an instrument.

    Attributes:
        instrument: The instrument's name.
        attributes: What tells it from the instrument's others.
        value: The number.
    """

    instrument: str
    attributes: Attributes
    value: int | float


@contextlib.contextmanager
def exporting(
    read: Read, trouble: Callable[[str], None], *, service: str | None = None, own_provider: bool
) -> Iterator[None]:
    """Give OpenTelemetry the metrics while the block runs; never raises for what OpenTelemetry does.

    Args:
        read: Reads all metrics, of one moment.
        trouble: Told once why OpenTelemetry has none of it.
        service: `service.name` of an own provider where the environment does not say.
        own_provider: Whether to send OTLP as the environment says; otherwise the application's provider is
            used, also one that it sets later.
    """
    close: Callable[[], object] = _nothing
    try:
        close = _own(read, service) if own_provider else _application_s(read)
    except Exception as error:
        # An import or a set-up of another's may fail in any way, and must not stop the shipping.
        remedy = "; pip install 'logquake[opentelemetry]'" if isinstance(error, ImportError) else ""
        trouble(f"OpenTelemetry gets no metrics: {type(error).__name__}: {error}{remedy}")
    try:
        yield
    finally:
        _close_in_time(close)


def points(reading: Reading) -> Iterator[Point]:
    """Yield what a reading is to OpenTelemetry."""
    metric, value = reading.metric, reading.value
    name = metric.opentelemetry_name(reading.subject)
    fixed = _attributes(reading.subject, metric)
    if isinstance(value, Delays):
        for bound, count in zip(_BOUNDS, value.cumulative, strict=True):
            yield Point(f"{name}.bucket", {**fixed, "le": bound}, count)
        yield Point(f"{name}.count", fixed, value.count)
        yield Point(f"{name}.sum", fixed, value.sum_seconds)
    elif isinstance(value, int | float):
        yield Point(name, fixed, value)
    else:
        label = metric.label if metric.convention is None else ERROR_TYPE
        for key, count in value.items():
            word = key if metric.convention is None else ERROR_TYPES.get(key, key)
            yield Point(name, {**fixed, label: word}, count)


def _attributes(subject: Subject, metric: Metric) -> dict[str, str]:
    if metric.convention is None:
        return {}
    attributes: dict[str, str] = {}
    if ".processor." in metric.convention.name or ".exporter." in metric.convention.name:
        component = _COMPONENT_TYPES[subject]
        attributes = {"otel.component.type": component, "otel.component.name": f"{component}/0"}
    if metric.convention.error_type:
        attributes[ERROR_TYPE] = metric.convention.error_type
    return attributes


class _Instruments:
    """The instruments of one meter; there is no way to take one back, so they outlive what they read.

    Args:
        meter: Where they are made.
    """

    def __init__(self, meter: Meter) -> None:
        self._read: Read | None = None
        self._process_id = 0
        self._points: dict[str, list[Point]] = {}
        for place, (name, (kind, metric)) in enumerate(_instruments().items()):
            unit = "{log_record}" if name.endswith((".bucket", ".count")) else metric.ucum_unit
            create = getattr(meter, f"create_observable_{kind}")
            # They are asked in this order, so that the first of them is where a collection begins.
            create(name, [self._callback(name, is_first=place == 0)], unit, metric.meaning)

    def begin(self, read: Read) -> None:
        """Show what this reads, from now on."""
        self._read, self._process_id = read, os.getpid()

    def end(self) -> None:
        """Show nothing."""
        self._read = None

    def _callback(self, name: str, *, is_first: bool) -> Callable[[CallbackOptions], Iterable[Observation]]:
        def observe(_options: CallbackOptions) -> Sequence[Observation]:
            from opentelemetry.metrics import Observation

            if is_first or not self._points:
                self._points = self._look()
            return [Observation(each.value, each.attributes) for each in self._points.get(name, ())]

        return observe

    def _look(self) -> dict[str, list[Point]]:
        read = self._read
        # A forked child inherits the instruments, not the folder.
        if read is None or os.getpid() != self._process_id:
            return {}
        found: dict[str, list[Point]] = {}
        for reading in read():
            for point in points(reading):
                found.setdefault(point.instrument, []).append(point)
        return found


_instruments_of: dict[int, tuple[Any, _Instruments]] = {}
"""By the provider's identity, kept with it: an application may ship, let go of the folder and ship again."""


def _instruments() -> dict[str, tuple[str, Metric]]:
    """Return what each instrument is and one metric that it shows, by its name."""
    found: dict[str, tuple[str, Metric]] = {}
    for subject in SUBJECTS:
        for metric in METRICS[subject]:
            name = metric.opentelemetry_name(subject)
            if metric.kind == "histogram":
                found |= {f"{name}.{part}": ("counter", metric) for part in ("bucket", "count", "sum")}
            else:
                kind = "counter" if metric.kind == "counter" else "up_down_counter"
                found[name] = (kind if metric.unit == "records" else _plain(metric), metric)
    return found


def _plain(metric: Metric) -> str:
    return "counter" if metric.kind == "counter" else "gauge"


def _application_s(read: Read) -> Callable[[], object]:
    from opentelemetry import metrics

    provider = metrics.get_meter_provider()
    if id(provider) not in _instruments_of:
        _instruments_of[id(provider)] = provider, _Instruments(provider.get_meter(SCOPE))
    instruments = _instruments_of[id(provider)][1]
    instruments.begin(read)
    return instruments.end


def _own(read: Read, service: str | None) -> Callable[[], object]:
    from opentelemetry.exporter.otlp.proto.http.metric_exporter import OTLPMetricExporter
    from opentelemetry.sdk.metrics import MeterProvider
    from opentelemetry.sdk.metrics.export import PeriodicExportingMetricReader
    from opentelemetry.sdk.resources import Resource

    named = {"service.name": service} if service and not os.environ.get("OTEL_SERVICE_NAME") else {}
    reader = PeriodicExportingMetricReader(OTLPMetricExporter())
    provider = MeterProvider([reader], resource=Resource.create(named))
    _Instruments(provider.get_meter(SCOPE)).begin(read)
    return provider.shutdown


def _close_in_time(close: Callable[[], object]) -> None:
    """Send what is left, unless nobody takes it: the end of the process must not wait for that."""

    def run() -> None:
        with contextlib.suppress(Exception):
            close()

    thread = threading.Thread(target=run, name="logging_system.opentelemetry", daemon=True)
    try:
        thread.start()
    except RuntimeError:
        return  # no more threads
    thread.join(_CLOSING_SECONDS)


def _nothing() -> None:
    """Close nothing."""

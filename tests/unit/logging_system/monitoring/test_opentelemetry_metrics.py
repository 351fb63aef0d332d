"""OpenTelemetry is given exactly what Prometheus reads, by OpenTelemetry's own names where it has them."""

from __future__ import annotations

import logging
import os
import re
import subprocess
import sys
import threading
from collections.abc import Iterator
from dataclasses import asdict
from pathlib import Path

import orjson
import pytest
from opentelemetry import metrics as api
from opentelemetry.sdk.metrics import MeterProvider
from opentelemetry.sdk.metrics.export import InMemoryMetricReader, NumberDataPoint
from opentelemetry.semconv._incubating.metrics import otel_metrics
from prometheus_client.parser import text_string_to_metric_families

from logging_system.handler.handler import SpoolHandler
from logging_system.monitoring._otel_metrics import SUBJECTS, exporting, points
from logging_system.monitoring.counters import HandlerCounters, ShipperCounters, both_content, write_status
from logging_system.monitoring.cross_check import HandlerFlow
from logging_system.monitoring.delays import Delays, Exemplar
from logging_system.monitoring.metrics import METRICS, Metric
from logging_system.monitoring.prometheus import SpoolCollector, exposition
from logging_system.monitoring.readings import OLDEST_NAME, Reading, read_spool
from logging_system.monitoring.status_files import HandlerStatusFile
from logging_system.shipping.shipper import STATUS_NAME, Shipper
from logging_system.sinks.file import FileSink
from tests.repository import REPOSITORY
from tests.unit.logging_system.spooling import append, writer

NOW = 2_000_000_000.0
TRACE = "0af7651916cd43dd8448eb211c80319c"
CONVENTIONS = {
    value
    for name, value in vars(otel_metrics).items()
    if name.startswith("OTEL_SDK") and isinstance(value, str)
}

Points = dict[tuple[str, tuple[tuple[str, str], ...]], float]


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """A spool folder where everything happened that a status file can tell."""
    spool_writer = writer(tmp_path)
    append(spool_writer, 1, 3)
    delays = Delays.of_each([0.02, 0.3, 9.0], Exemplar(TRACE, 9.0, NOW - 1))
    dropped = {"queue_full": 2, "closed": 1, "processor:sampled": 3}
    counters = HandlerCounters(13, 4, dropped, 3, 1, 2, {"ENOSPC": 3}, delays)
    flow = HandlerFlow(13, 4, dropped, 3)
    limits = {"queue_records_max": 100, "spool_bytes_max": 1 << 20}
    file = HandlerStatusFile(tmp_path, f"{1:032x}", "shop", lambda: 0.0, limits=limits)
    file.write(counters, flow, closing=False)
    shipped = ShipperCounters(10, 2, 4, 1, 1, 1, 1, 3)
    content = {
        **both_content(shipped, shipped),
        "breaker_open": True,
        "requests": 7,
        "events": {"breaker_opened": 1},
        "logged_to_searchable_seconds": asdict(delays),
        OLDEST_NAME: NOW - 33.5,
    }
    write_status(tmp_path / "s.json", content)
    for path in (*tmp_path.glob("status-*"), tmp_path / "s.json"):
        os.utime(path, (NOW - 2, NOW - 2))
    return tmp_path


@pytest.fixture
def reader() -> Iterator[InMemoryMetricReader]:
    """What an application set up; the global provider can be set once, so it is put back by hand."""
    reader = InMemoryMetricReader()
    provider = MeterProvider([reader])
    before = api._internal._METER_PROVIDER
    api._internal._METER_PROVIDER = provider
    yield reader
    api._internal._METER_PROVIDER = before
    provider.shutdown()


def read(folder: Path) -> list[Reading]:
    return read_spool(folder, folder / "s.json", NOW)


def collected(reader: InMemoryMetricReader) -> Points:
    data = reader.get_metrics_data()
    return {
        (
            metric.name,
            tuple(sorted((name, str(value)) for name, value in (point.attributes or {}).items())),
        ): (point.value)
        for resource in (data.resource_metrics if data else ())
        for scope in resource.scope_metrics
        if scope.scope.name == "logging_system"
        for metric in scope.metrics
        for point in metric.data.data_points
        if isinstance(point, NumberDataPoint)
    }


def on_the_page(folder: Path) -> dict[tuple[str, str], float]:
    page, _ = exposition(SpoolCollector(folder, folder / "s.json", lambda: NOW))
    return {
        (sample.name, next(iter(sample.labels.values()), "")): sample.value
        for family in text_string_to_metric_families(page.decode())
        for sample in family.samples
    }


def by_prometheus_name(readings: list[Reading], found: Points) -> dict[tuple[str, str], float]:
    """Return what OpenTelemetry was given under the names of Prometheus, by the declarations."""
    named: dict[tuple[str, str], float] = {}
    for reading in readings:
        name = reading.metric.prometheus_name(reading.subject)
        labels = list(reading.value) if isinstance(reading.value, dict) else [""]
        for place, point in enumerate(points(reading)):
            value = found[point.instrument, tuple(sorted(point.attributes.items()))]
            if isinstance(reading.value, Delays):
                suffix = point.instrument.rpartition(".")[2]
                named[f"{name}_{suffix}", point.attributes.get("le", "")] = value
            else:
                suffix = "_total" if reading.metric.kind == "counter" else ""
                named[name + suffix, labels[place]] = value
    return named


def test_both_surfaces_show_exactly_the_same_numbers(folder: Path, reader: InMemoryMetricReader) -> None:
    with exporting(lambda: read(folder), pytest.fail, own_provider=False):
        found = collected(reader)
    page = on_the_page(folder)

    assert by_prometheus_name(read(folder), found) == page
    assert len(found) == len(page) > 90
    assert page["logging_system_shipper_oldest_undelivered_age_seconds", ""] == 33.5
    assert page["logging_system_shipper_status_age_seconds", ""] == 2.0


def test_what_opentelemetry_names_itself_has_its_name_and_error_types(
    folder: Path, reader: InMemoryMetricReader
) -> None:
    with exporting(lambda: read(folder), pytest.fail, own_provider=False):
        found = collected(reader)
    simple = {
        (name, dict(attributes).get("error.type", "")): value
        for (name, attributes), value in found.items()
        if name.startswith("otel.sdk.") and value
    }

    assert simple == {
        ("otel.sdk.log.created", ""): 13,
        ("otel.sdk.processor.log.queue.size", ""): 4,
        ("otel.sdk.processor.log.queue.capacity", ""): 100,
        ("otel.sdk.processor.log.processed", ""): 3,
        ("otel.sdk.processor.log.processed", "queue_full"): 2,
        ("otel.sdk.processor.log.processed", "already_shutdown"): 1,
        ("otel.sdk.processor.log.processed", "processor:sampled"): 3,
        ("otel.sdk.exporter.log.inflight", ""): 2,
        ("otel.sdk.exporter.log.exported", ""): 4,
        ("otel.sdk.exporter.log.exported", "rejected"): 1,
        ("otel.sdk.exporter.log.exported", "redirected"): 1,
        ("otel.sdk.exporter.log.exported", "corrupted"): 1,
        ("otel.sdk.exporter.log.exported", "evicted"): 1,
    }


def declared() -> list[Metric]:
    return [metric for subject in SUBJECTS for metric in METRICS[subject]]


def test_every_name_of_opentelemetry_s_own_is_one_of_its_published_conventions() -> None:
    named = {metric.convention.name: metric for metric in declared() if metric.convention is not None}

    assert named.keys() <= CONVENTIONS
    assert {metric.ucum_unit for metric in named.values()} == {"{log_record}"}


@pytest.mark.parametrize("metric", declared(), ids=lambda metric: metric.name)
def test_names_follow_what_both_ask_of_names(metric: Metric) -> None:
    assert re.fullmatch(r"[a-z][a-z_]*", metric.name)
    assert not metric.name.endswith(("_total", "_count", "_sum", "_bucket"))
    assert metric.meaning.endswith(".")
    assert metric.opentelemetry_name("shipper").replace(".", "").replace("_", "").isalnum()


def test_no_two_metrics_have_one_place(folder: Path) -> None:
    found = [
        (each.instrument, tuple(sorted(each.attributes.items()))) for r in read(folder) for each in points(r)
    ]

    assert len(found) == len(set(found))


def test_after_the_folder_is_let_go_nothing_is_shown_and_another_may_begin(
    folder: Path, reader: InMemoryMetricReader
) -> None:
    for _ in range(2):
        with exporting(lambda: read(folder), pytest.fail, own_provider=False):
            assert len(collected(reader)) > 90
        assert collected(reader) == {}


def test_an_application_that_sets_its_provider_later_is_served_too(folder: Path) -> None:
    script = f"""
from pathlib import Path
from opentelemetry import metrics
from opentelemetry.sdk.metrics import MeterProvider
from opentelemetry.sdk.metrics.export import InMemoryMetricReader
from logging_system.monitoring._otel_metrics import exporting
from logging_system.monitoring.readings import read_spool
folder = Path({str(folder)!r})
with exporting(lambda: read_spool(folder, folder / "s.json", {NOW}), print, own_provider=False):
    reader = InMemoryMetricReader()
    metrics.set_meter_provider(MeterProvider([reader]))
    data = reader.get_metrics_data()
    print(*sorted(each.name for each in data.resource_metrics[0].scope_metrics[0].metrics))
"""
    done = subprocess.run(
        [sys.executable, "-c", script], capture_output=True, text=True, check=True, timeout=60, cwd=REPOSITORY
    )

    assert done.stdout.split() == sorted(
        {point.instrument for each in read(folder) for point in points(each)}
    )


def test_a_forked_child_shows_nothing_of_what_its_parent_ships(folder: Path) -> None:
    script = f"""
import os
from pathlib import Path
from opentelemetry import metrics
from opentelemetry.sdk.metrics import MeterProvider
from opentelemetry.sdk.metrics.export import InMemoryMetricReader
from logging_system.monitoring._otel_metrics import exporting
from logging_system.monitoring.readings import read_spool
folder = Path({str(folder)!r})
reader = InMemoryMetricReader()
metrics.set_meter_provider(MeterProvider([reader]))
with exporting(lambda: read_spool(folder, folder / "s.json", {NOW}), print, own_provider=False):
    if os.fork() == 0:
        print("child", reader.get_metrics_data(), flush=True)
        os._exit(0)
    os.wait()
    print("parent", reader.get_metrics_data() is not None)
"""
    done = subprocess.run(
        [sys.executable, "-c", script], capture_output=True, text=True, check=True, timeout=60, cwd=REPOSITORY
    )

    assert done.stdout.splitlines() == ["child None", "parent True"]


BROKEN = {
    "missing": "raise ImportError('No module named opentelemetry')",
    "broken": "raise RuntimeError('half installed')",
    "empty": "",
}


@pytest.mark.parametrize("own_provider", [True, False])
@pytest.mark.parametrize("how", BROKEN)
def test_without_working_packages_everything_else_works_and_it_is_told_once(
    tmp_path: Path, how: str, own_provider: bool
) -> None:
    (tmp_path / "opentelemetry").mkdir()
    (tmp_path / "opentelemetry" / "__init__.py").write_text(BROKEN[how])
    script = f"""
from logging_system.monitoring._otel_metrics import exporting
told = []
with exporting(lambda: [], told.append, own_provider={own_provider}):
    print("shipped")
print(len(told), told[0].partition(":")[0])
"""
    done = subprocess.run(
        [sys.executable, "-c", script],
        capture_output=True,
        text=True,
        check=True,
        timeout=60,
        env={**os.environ, "PYTHONPATH": f"{tmp_path}:{REPOSITORY}"},
        cwd=tmp_path,
    )

    assert done.stdout.splitlines() == ["shipped", "1 OpenTelemetry gets no metrics"]


def test_nothing_of_opentelemetry_is_loaded_where_nobody_asked() -> None:
    script = (
        "import sys, logging_system.cli.ship, logging_system.installation, logging_system.shipping.shipper\n"
    )
    script += "print([name for name in sys.modules if name.startswith('opentelemetry')])"
    done = subprocess.run(
        [sys.executable, "-c", script], capture_output=True, text=True, check=True, timeout=60, cwd=REPOSITORY
    )

    assert done.stdout.strip() == "[]"


def test_every_number_that_a_real_process_writes_is_declared(tmp_path: Path) -> None:
    """What a process writes and nobody declares would be seen by no surface."""
    handler = SpoolHandler(spool=tmp_path / "spool", service="s")
    handler.handle(logging.makeLogRecord({"name": "shop", "msg": "m"}))
    handler.close()
    shipper = Shipper(tmp_path / "spool", FileSink(tmp_path / "out.ndjson"))
    threading.Timer(0.5, shipper.stop).start()
    shipper.run()
    stated = {
        name
        for path in (tmp_path / "spool").glob("status-*.json")
        for name, value in orjson.loads(path.read_bytes()).items()
        if isinstance(value, int | float | dict)
    }
    found = {
        each.metric.name for each in read_spool(tmp_path / "spool", tmp_path / "spool" / STATUS_NAME, NOW)
    }

    assert stated - found == {
        "pid",
        "closed",
        "metrics",
        "spool_bytes_max",
        "queue_records_max",
        "unavailable",
    }
    watch = {metric.name for metric in METRICS["watch"]}
    assert {metric.name for metric in declared()} - found == {
        "queue_records_max",
        "bytes_max",
        *(watch - {"events"}),
    }  # nobody lives, and nobody watches: see `test_watching.py`

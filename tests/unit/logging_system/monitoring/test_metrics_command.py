from __future__ import annotations

import json
from pathlib import Path

import pytest
import yaml
from prometheus_client.openmetrics.parser import text_string_to_metric_families

from logging_system.cli import main
from logging_system.config.reference import metrics_page
from logging_system.gateway.intake import Intake
from logging_system.monitoring.counters import HandlerCounters
from logging_system.monitoring.cross_check import HandlerFlow
from logging_system.monitoring.metrics import METRICS
from logging_system.monitoring.prometheus import GatewayCollector, exposition
from logging_system.monitoring.status_files import HandlerStatusFile
from logging_system.spool.writer import SpoolWriter
from tests.repository import DOCS

OPENMETRICS = "application/openmetrics-text;version=1.0.0,text/plain;version=0.0.4;q=0.5"
TRACE = "0af7651916cd43dd8448eb211c80319c"


def test_it_prints_what_the_page_of_ship_shows(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    counters, flow = (
        HandlerCounters(7, 1, {"queue_full": 2}, 4, 0, 0, {}),
        HandlerFlow(7, 1, {"queue_full": 2}, 4),
    )
    HandlerStatusFile(tmp_path, f"{1:032x}", "shop", lambda: 0.0).write(counters, flow, closing=False)

    assert main(["metrics", "show", "--spool", str(tmp_path)]) == 0
    page = capsys.readouterr().out
    assert "logging_system_handlers_offered_total 7.0\n" in page
    assert 'logging_system_handlers_dropped_total{reason="queue_full"} 2.0\n' in page
    assert 'logging_system_handlers_dropped_total{reason="spool_full"} 0.0\n' in page
    assert "# HELP logging_system_handlers_offered_total Log calls that passed level and filters" in page


def test_a_folder_that_is_not_there_is_told(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["metrics", "show", "--spool", str(tmp_path / "spol")]) == 1
    assert "spol: no such folder" in capsys.readouterr().err


def test_rules_and_dashboard_are_printed_for_the_programs_that_read_them(
    capsys: pytest.CaptureFixture[str],
) -> None:
    assert main(["metrics", "rules"]) == 0
    assert yaml.safe_load(capsys.readouterr().out)["groups"]
    assert main(["metrics", "dashboard"]) == 0
    assert json.loads(capsys.readouterr().out)["panels"]


def test_the_reference_page_is_that_of_the_declarations() -> None:
    before = (DOCS / "reference" / "logging-metrics.md").read_text()

    assert metrics_page(before) == before, "docs/reference/logging-metrics.md is stale; run `make schemas`"
    assert all(f"| `{metric.name}` |" in before for metrics in METRICS.values() for metric in metrics)


def test_a_client_that_asks_for_openmetrics_gets_exemplars(tmp_path: Path) -> None:
    intake = Intake(
        SpoolWriter(tmp_path, spool_bytes_max=1 << 20, sync=False),
        pending_bytes_max=9_000,
        status_folder=tmp_path,
    )
    intake.start()
    intake.offer([b'{"@timestamp":"2026-11-30T12:00:00Z","trace":{"id":"%s"}}' % TRACE.encode()]).result(20)
    intake.offer([b'{"message":"no trace"}'] * 2).result(20)
    intake.close(20)
    collector = GatewayCollector(intake.moment, intake.events.counts)
    page, content_type = exposition(collector, OPENMETRICS)
    plain, plain_type = exposition(collector, "text/plain;version=0.0.4")
    samples = [
        sample for family in text_string_to_metric_families(page.decode()) for sample in family.samples
    ]
    exemplars = [sample.exemplar for sample in samples if sample.exemplar is not None]

    assert content_type.startswith("application/openmetrics-text")
    assert [each.labels for each in exemplars] == [{"trace_id": TRACE}]
    assert {
        s.value for s in samples if s.name == "logging_system_gateway_logged_to_durable_seconds_count"
    } == {3}
    assert plain_type.startswith("text/plain")
    assert TRACE not in plain.decode()

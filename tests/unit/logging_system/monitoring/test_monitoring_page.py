"""The reference page of the monitoring handler names every argument, field, kind and metric, and no other."""

from __future__ import annotations

import inspect
import re
from dataclasses import fields

from logging_system.monitoring import monitoring_snapshot
from logging_system.monitoring.advanced_handler import AdvancedMonitoringHandler
from logging_system.monitoring.findings import KINDS
from logging_system.monitoring.handler_metrics import measures
from logging_system.monitoring.monitoring_snapshot import MonitoringSnapshot, Window
from tests.repository import DOCS

PAGE = (DOCS / "reference" / "monitoring-handler.md").read_text()
OTHERS = ("LevelRate", "LoggerRate", "Durations", "SeriesTotal", "DurationTotals", "ErrorTemplate")


def section(title: str) -> str:
    return re.split(r"^##+ ", PAGE.split(f"# {title}\n")[1], flags=re.MULTILINE)[0]


def words(cells: list[str]) -> list[str]:
    return [word for cell in cells for word in re.findall(r"`(\w+)`", cell)]


def test_every_argument_is_documented_with_its_default() -> None:
    rows = dict(re.findall(r"^\| (`.*?) \| (.*?) \|", section("Arguments"), re.MULTILINE))
    signature = inspect.signature(AdvancedMonitoringHandler).parameters

    assert words(list(rows)) == list(signature)
    for name, parameter in signature.items():
        if isinstance(parameter.default, str | float) or name.startswith(("burst", "series", "error")):
            assert (
                rows[f"`{name}`"].strip("`")
                == f"{parameter.default:{'g' if parameter.default != 'duration_ms' else ''}}"
            )


def test_every_field_is_documented() -> None:
    for kind in (MonitoringSnapshot, Window):
        rows = re.findall(r"^\| (`.*?) \|", section(kind.__name__), re.MULTILINE)
        assert words(rows) == [field.name for field in fields(kind)]
    for name in OTHERS:
        (row,) = re.findall(rf"^\| `{name}` \| (.*?) \|$", section("The others"), re.MULTILINE)
        assert words([row]) == [field.name for field in fields(getattr(monitoring_snapshot, name))]


def test_every_kind_of_finding_and_every_metric_is_documented() -> None:
    rows = re.findall(r"^\| (`.*?) \|", section("Metrics"), re.MULTILINE)
    names = [measure.name for measure in measures(AdvancedMonitoringHandler().snapshot())]

    assert words(rows) == [*names, "call_seconds", "operation_seconds"]
    assert set(KINDS) <= set(words([section("Findings")]))

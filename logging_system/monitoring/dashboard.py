"""Makes the Grafana dashboard that is shipped: what to look at, in the order in which one looks.

python -m logging_system.monitoring.dashboard logging_system/monitoring/shipped/grafana_dashboard.json

JSON model: https://grafana.com/docs/grafana/latest/dashboards/build-dashboards/view-dashboard-json-model/
"""

from __future__ import annotations

import json
import sys
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal

_SOURCE = {"type": "prometheus", "uid": "${datasource}"}
_THIS = '{instance=~"$instance"}'


@dataclass(frozen=True, slots=True)
class Query:
    """One query of a panel.

    Attributes:
        expression: PromQL; `%` stands for the labels that choose the spool folders shown.
        legend: What its lines are called.
    """

    expression: str
    legend: str


@dataclass(frozen=True, slots=True)
class Panel:
    """One panel.

    Attributes:
        title: What it shows.
        meaning: What a reader should know, and do.
        unit: As Grafana names it.
        queries: What it asks.
        kind: How it is drawn.
        width: Of 24 columns.
    """

    title: str
    meaning: str
    unit: str
    queries: tuple[Query, ...]
    kind: Literal["stat", "timeseries", "heatmap"] = "timeseries"
    width: int = 8


def _rate(name: str, legend: str, by: str = "") -> Query:
    summed = f"sum by ({by}) " if by else "sum"
    return Query(f"{summed}(rate(logging_system_{name}%[$__rate_interval]))", legend)


def _quantiles(name: str) -> tuple[Query, ...]:
    buckets = f"sum by (le) (rate(logging_system_{name}_bucket%[$__rate_interval]))"
    return tuple(
        Query(f"histogram_quantile({share}, {buckets})", f"{share:.0%}") for share in (0.5, 0.9, 0.99)
    )


def _within_objective() -> Query:
    bucket = 'logging_system_shipper_logged_to_searchable_seconds_bucket{le="30.0",instance=~"$instance"}'
    offered = "logging_system_handlers_offered_total%"
    return Query(f"clamp_max(sum(rate({bucket}[1h])) / sum(rate({offered}[1h])), 1)", "")


ROWS: tuple[tuple[str, tuple[Panel, ...]], ...] = (
    (
        "Is all well?",
        (
            Panel(
                "Searchable within 30 s, last hour",
                "Of all records logged; dropped ones and those that wait are not. The objective is 99.9 %.",
                "percentunit",
                (_within_objective(),),
                "stat",
                6,
            ),
            Panel(
                "Oldest record not delivered",
                "How far the store is behind. Alert: 5 minutes.",
                "s",
                (Query("max(logging_system_shipper_oldest_undelivered_age_seconds%)", ""),),
                "stat",
                6,
            ),
            Panel(
                "Spool used",
                "A full spool refuses records.",
                "percentunit",
                (Query("max(logging_system_spool_bytes% / logging_system_spool_bytes_max%)", ""),),
                "stat",
                6,
            ),
            Panel(
                "Records counted right",
                "1 while every record is accounted for, twice. 0 is a mistake in the logging system.",
                "short",
                (
                    Query(
                        "min(logging_system_handlers_balanced% * logging_system_handlers_surfaces_agree%"
                        " * logging_system_shipper_balanced% * logging_system_shipper_surfaces_agree%)",
                        "",
                    ),
                ),
                "stat",
                6,
            ),
        ),
    ),
    (
        "Records",
        (
            Panel(
                "Records per second",
                "Logged, written to the spool, delivered. Lines that part are records that wait or are lost.",
                "cps",
                (
                    _rate("handlers_offered_total", "logged"),
                    _rate("handlers_admitted_total", "spooled"),
                    _rate("shipper_delivered_total", "delivered"),
                ),
            ),
            Panel(
                "Dropped per second, by reason",
                "Before they were written to the spool; processor:… was dropped on purpose.",
                "cps",
                (_rate("handlers_dropped_total", "{{reason}}", by="reason"),),
            ),
            Panel(
                "Lost or put aside per second, behind the spool",
                "Refused by the store for good, taken by its failure store, destroyed on disk, deleted by "
                "retention.",
                "cps",
                (
                    _rate("shipper_dead_lettered_total", "dead letters"),
                    _rate("shipper_redirected_total", "redirected"),
                    _rate("shipper_corrupted_total", "destroyed"),
                    _rate("shipper_evicted_total", "evicted"),
                ),
            ),
        ),
    ),
    (
        "Times",
        (
            Panel(
                "From log call to disk",
                "Until as durable as promised. Points are records with a trace.",
                "s",
                _quantiles("handlers_logged_to_durable_seconds"),
            ),
            Panel(
                "From log call to searchable",
                "At the latest: the store's answer, and the time until it finds what it stored.",
                "s",
                _quantiles("shipper_logged_to_searchable_seconds"),
            ),
            Panel(
                "From log call to searchable, all records",
                "How many records took how long.",
                "s",
                (
                    Query(
                        "sum by (le) (increase(logging_system_shipper_logged_to_searchable_seconds_bucket%"
                        "[$__rate_interval]))",
                        "{{le}}",
                    ),
                ),
                "heatmap",
            ),
        ),
    ),
    (
        "What waits",
        (
            Panel(
                "Queue in memory",
                "A full queue drops records, or lets errors wait.",
                "short",
                (
                    Query("sum(logging_system_handlers_queued%)", "queued"),
                    Query("sum(logging_system_handlers_queue_records_max%)", "at most"),
                ),
            ),
            Panel(
                "Spool on disk",
                "Grows while the store is down.",
                "bytes",
                (
                    Query("sum(logging_system_spool_bytes%)", "used"),
                    Query("sum(logging_system_spool_bytes_max%)", "at most"),
                ),
            ),
            Panel(
                "Age of the oldest record not delivered",
                "Grows by a second a second while nothing is delivered.",
                "s",
                (Query("logging_system_shipper_oldest_undelivered_age_seconds%", "{{instance}}"),),
            ),
        ),
    ),
    (
        "Store",
        (
            Panel(
                "Requests per second",
                "Bulk requests, and what became of those that did not simply succeed.",
                "reqps",
                (
                    _rate("shipper_requests_total", "sent"),
                    _rate("shipper_unproved_answers_total", "outcome unknown"),
                    _rate("shipper_refused_requests_total", "refused as a whole"),
                    _rate("shipper_look_ups_total", "look-ups"),
                ),
            ),
            Panel(
                "Documents rejected temporarily, per second",
                "The store has more to do than it can.",
                "cps",
                (
                    _rate("shipper_retried_items_total", "rejected"),
                    _rate("shipper_conflicts_total", "had it already"),
                ),
            ),
            Panel(
                "Requests in flight",
                "The limit follows the store's answers; an open breaker sends one small request at a time.",
                "short",
                (
                    Query("sum(logging_system_shipper_in_flight_requests%)", "in flight"),
                    Query("sum(logging_system_shipper_concurrency_limit%)", "limit"),
                    Query("max(logging_system_shipper_breaker_open%)", "breaker open"),
                ),
            ),
        ),
    ),
    (
        "Processes",
        (
            Panel(
                "Events per minute",
                "What happened inside, see docs/reference/logging-events.md.",
                "short",
                (
                    Query(
                        "60 * sum by (kind) (rate(logging_system_handlers_events_total%[$__rate_interval]))",
                        "{{kind}}",
                    ),
                    Query(
                        "60 * sum by (kind) (rate(logging_system_shipper_events_total%[$__rate_interval]))",
                        "shipper: {{kind}}",
                    ),
                ),
            ),
            Panel(
                "Failed writes per second, by errno",
                "Each is tried again.",
                "cps",
                (_rate("handlers_spool_errors_total", "{{error}}", by="error"),),
            ),
            Panel(
                "Processes",
                "That ended, were killed, and what their queues held.",
                "short",
                (
                    Query("sum(logging_system_handlers_handlers_total%)", "ended"),
                    Query("sum(logging_system_handlers_unclean_exits_total%)", "killed"),
                    Query("sum(logging_system_handlers_unsettled%)", "records queued when killed"),
                ),
            ),
        ),
    ),
)


def dashboard() -> dict[str, Any]:
    """Return the dashboard as Grafana imports it."""
    panels: list[dict[str, Any]] = []
    top = 0
    for title, row in ROWS:
        panels.append(
            _placed({"type": "row", "title": title, "collapsed": False, "panels": []}, 0, top, 24, 1)
        )
        height = 4 if row[0].kind == "stat" else 8
        left = 0
        for panel in row:
            panels.append(_placed(_panel(panel), left, top + 1, panel.width, height))
            left += panel.width
        top += 1 + height
    for number, each in enumerate(panels, 1):
        each["id"] = number
    return {
        "uid": "logging-system",
        "title": "Logging system",
        "description": "The reference logging system: is every record on its way, and how long does it take?",
        "tags": ["logging"],
        "schemaVersion": 39,
        "version": 1,
        "editable": True,
        "refresh": "30s",
        "time": {"from": "now-6h", "to": "now"},
        "timezone": "browser",
        "templating": {"list": _variables()},
        "panels": panels,
    }


def dashboard_text() -> str:
    """Return its file."""
    return json.dumps(dashboard(), indent=2) + "\n"


def _variables() -> list[dict[str, Any]]:
    instances = "label_values(logging_system_handlers_files, instance)"
    return [
        {"name": "datasource", "label": "Prometheus", "type": "datasource", "query": "prometheus"},
        {
            "name": "instance",
            "label": "Spool folder",
            "type": "query",
            "datasource": _SOURCE,
            "definition": instances,
            "query": {"query": instances, "refId": "instances"},
            "refresh": 2,
            "includeAll": True,
            "multi": True,
            "allValue": ".*",
            "current": {"text": "All", "value": "$__all"},
        },
    ]


def _placed(content: dict[str, Any], left: int, top: int, width: int, height: int) -> dict[str, Any]:
    return {**content, "gridPos": {"x": left, "y": top, "w": width, "h": height}}


def _panel(panel: Panel) -> dict[str, Any]:
    defaults: dict[str, Any] = {"unit": panel.unit, "min": 0}
    content: dict[str, Any] = {
        "type": panel.kind,
        "title": panel.title,
        "description": panel.meaning,
        "datasource": _SOURCE,
        "fieldConfig": {"defaults": defaults, "overrides": []},
        "targets": [_target(panel, place, query) for place, query in enumerate(panel.queries)],
    }
    if panel.kind == "stat":
        content["options"] = {"reduceOptions": {"calcs": ["lastNotNull"]}, "graphMode": "area"}
    if panel.kind == "heatmap":
        content["options"] = {"calculate": False, "yAxis": {"unit": panel.unit}}
    return content


def _target(panel: Panel, place: int, query: Query) -> dict[str, Any]:
    return {
        "refId": chr(ord("A") + place),
        "datasource": _SOURCE,
        "expr": query.expression.replace("%", _THIS),
        "legendFormat": query.legend,
        "format": "heatmap" if panel.kind == "heatmap" else "time_series",
        "exemplar": "_bucket" in query.expression and panel.kind == "timeseries",
    }


if __name__ == "__main__":
    for path in map(Path, sys.argv[1:]):
        path.write_text(dashboard_text())
        print(path)

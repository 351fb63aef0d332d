"""The shipped Prometheus rules and the Grafana dashboard, judged by Prometheus's own `promtool`."""

from __future__ import annotations

import json
import re
import subprocess
from pathlib import Path
from typing import Any

import pytest
import yaml

from logging_system.monitoring import dashboard
from logging_system.monitoring.metrics import METRICS
from tests.prometheus_server.installed import need
from tests.repository import REPOSITORY

SHIPPED = REPOSITORY / "logging_system" / "monitoring" / "shipped"
RULES = SHIPPED / "prometheus_rules.yaml"
CONTENT = yaml.safe_load(RULES.read_text())
ALERTS = {rule["alert"]: rule for group in CONTENT["groups"] for rule in group["rules"] if "alert" in rule}
RECORDED = {rule["record"] for group in CONTENT["groups"] for rule in group["rules"] if "record" in rule}
MINUTES = 110

# What each series is while all is well: a constant, or `0+n` for n more a minute.
HEALTHY = {
    'up{job="logging_system"}': "1",
    "logging_system_handlers_offered_total": "0+6000",
    'logging_system_shipper_logged_to_searchable_seconds_bucket{le="2.0"}': "0+5900",
    'logging_system_shipper_logged_to_searchable_seconds_bucket{le="30.0"}': "0+5999",
    'logging_system_shipper_logged_to_searchable_seconds_bucket{le="+Inf"}': "0+6000",
    'logging_system_handlers_logged_to_durable_seconds_bucket{le="0.05"}': "0+6000",
    'logging_system_handlers_logged_to_durable_seconds_bucket{le="+Inf"}': "0+6000",
    'logging_system_handlers_dropped_total{reason="queue_full"}': "0",
    'logging_system_handlers_dropped_total{reason="processor:sampled"}': "0+50",
    "logging_system_handlers_acknowledged_lost_total": "0",
    'logging_system_handlers_spool_errors_total{error="ENOSPC"}': "4",
    "logging_system_handlers_unclean_exits_total": "1",
    "logging_system_handlers_queued": "100",
    "logging_system_handlers_queue_records_max": "10000",
    "logging_system_handlers_balanced": "1",
    "logging_system_handlers_surfaces_agree": "1",
    "logging_system_shipper_balanced": "1",
    "logging_system_shipper_surfaces_agree": "1",
    "logging_system_shipper_breaker_open": "0",
    "logging_system_shipper_store_ready": "1",
    "logging_system_shipper_status_age_seconds": "1",
    "logging_system_shipper_oldest_undelivered_age_seconds": "2",
    "logging_system_shipper_retried_items_total": "0+10",
    "logging_system_shipper_delivered_total": "0+6000",
    "logging_system_shipper_dead_lettered_total": "3",
    "logging_system_shipper_corrupted_total": "0",
    "logging_system_shipper_evicted_total": "0",
    "logging_system_shipper_unavailable_epochs": "0",
    "logging_system_shipper_newer_epochs": "0",
    "logging_system_spool_bytes": "300000000+100",
    "logging_system_spool_bytes_max": "1000000000",
}
SEARCHABLE = "logging_system_shipper_logged_to_searchable_seconds_bucket"
DURABLE = "logging_system_handlers_logged_to_durable_seconds_bucket"
NOTHING_DELIVERED = {f'{SEARCHABLE}{{le="{bound}"}}': "7" for bound in ("2.0", "30.0", "+Inf")}
ONCE = "0x99 3x10"
"""A counter that rises once, at minute 100."""

# For each alert what fires it, and what comes near to that and must not.
FIRING: dict[str, tuple[dict[str, str], dict[str, str]]] = {
    "LoggingObjectiveBurnsFast": (
        {f'{SEARCHABLE}{{le="30.0"}}': "0+5800"},
        {f'{SEARCHABLE}{{le="30.0"}}': "0+5990"},
    ),
    "LoggingRecordsDropped": (
        {'logging_system_handlers_dropped_total{reason="queue_full"}': ONCE},
        {'logging_system_handlers_dropped_total{reason="processor:sampled"}': "0+5000"},
    ),
    "LoggingAcknowledgedRecordsLost": ({"logging_system_handlers_acknowledged_lost_total": ONCE}, {}),
    "LoggingRecordsDestroyed": ({"logging_system_shipper_corrupted_total": ONCE}, {}),
    "LoggingRecordsEvicted": ({"logging_system_shipper_evicted_total": ONCE}, {}),
    "LoggingRecordsRefused": ({"logging_system_shipper_dead_lettered_total": ONCE}, {}),
    "LoggingMiscounted": ({"logging_system_shipper_surfaces_agree": "0"}, {}),
    "LoggingShipperDown": ({'up{job="logging_system"}': "0"}, {}),
    "LoggingShipperStuck": (
        {"logging_system_shipper_status_age_seconds": "90"},
        {"logging_system_shipper_status_age_seconds": "20"},
    ),
    "LoggingStoreUnavailable": (
        {"logging_system_shipper_breaker_open": "1"},
        {"logging_system_shipper_breaker_open": "0x99 1x1 0x9"},
    ),
    "LoggingStorePushesBack": (
        {"logging_system_shipper_retried_items_total": "0+3000"},
        {"logging_system_shipper_retried_items_total": "0+1000"},
    ),
    "LoggingDeliveryBehind": (
        {"logging_system_shipper_oldest_undelivered_age_seconds": "400"},
        {"logging_system_shipper_oldest_undelivered_age_seconds": "200"},
    ),
    "LoggingRecordsUnreadable": ({"logging_system_shipper_unavailable_epochs": "1"}, {}),
    "LoggingQueueNearlyFull": (
        {"logging_system_handlers_queued": "9000"},
        {"logging_system_handlers_queued": "7000"},
    ),
    "LoggingDiskSlow": (
        {f'{DURABLE}{{le="0.05"}}': "0+100", f'{DURABLE}{{le="2.5"}}': "0+6000"},
        {f'{DURABLE}{{le="0.05"}}': "0+100", f'{DURABLE}{{le="0.5"}}': "0+6000"},
    ),
    "LoggingDiskErrors": ({'logging_system_handlers_spool_errors_total{error="ENOSPC"}': "0+1"}, {}),
    "LoggingSpoolNearlyFull": (
        {"logging_system_spool_bytes": "850000000"},
        {"logging_system_spool_bytes": "7e8"},
    ),
    "LoggingSpoolFullSoon": (
        {"logging_system_spool_bytes": "200000000+2500000"},
        {"logging_system_spool_bytes": "200000000+500000"},
    ),
    "LoggingProcessesKilled": ({"logging_system_handlers_unclean_exits_total": ONCE}, {}),
}


def series(instance: str, changed: dict[str, str]) -> list[dict[str, str]]:
    """The series of one folder, healthy but for some; a value without a length stands for all minutes."""
    found: list[dict[str, str]] = []
    for name, value in {**HEALTHY, **changed}.items():
        metric, _, labels = name.rstrip("}").partition("{")
        all_labels = ", ".join(filter(None, (labels, f'instance="{instance}"')))
        values = value if " " in value else f"{value}x{MINUTES}"
        found.append({"series": f"{metric}{{{all_labels}}}", "values": values})
    return found


def rule_test(
    folders: dict[str, dict[str, str]], expected: dict[str, set[str]], *minutes: int
) -> dict[str, Any]:
    """A test of all alerts: at these minutes those expected fire, by folder, and no others."""
    fired = [(alert, folder) for folder, alerts in expected.items() for alert in alerts]
    samples = [
        {"labels": f'{{alertname="{alert}", instance="{folder}"}}', "value": 1} for alert, folder in fired
    ]
    expression = 'count by (alertname, instance) (ALERTS{alertstate="firing"})'
    test = {
        "interval": "1m",
        "input_series": [each for folder, changed in folders.items() for each in series(folder, changed)],
        "promql_expr_test": [
            {"expr": expression, "eval_time": f"{minute}m", "exp_samples": samples} for minute in minutes
        ],
    }
    return {"rule_files": [str(RULES)], "evaluation_interval": "1m", "tests": [test]}


def judged(folder: Path, tests: dict[str, Any]) -> tuple[bool, str]:
    """Whether promtool agrees, and what it says."""
    (folder / "rules_test.yaml").write_text(yaml.safe_dump(tests))
    return promtool("test", "rules", folder / "rules_test.yaml")


def promtool(*arguments: str | Path) -> tuple[bool, str]:
    done = subprocess.run(
        [need("promtool"), *map(str, arguments)], capture_output=True, text=True, timeout=100, check=False
    )
    return done.returncode == 0, done.stdout + done.stderr


def test_promtool_takes_the_rules() -> None:
    is_taken, said = promtool("check", "rules", RULES)

    assert is_taken
    assert f"SUCCESS: {len(ALERTS) + len(RECORDED)} rules found" in said


@pytest.mark.slow
def test_each_alert_fires_on_what_it_is_for_alone_and_not_on_what_comes_near(tmp_path: Path) -> None:
    folders: dict[str, dict[str, str]] = {"healthy": {}}
    for alert, (firing, near) in FIRING.items():
        folders |= {f"{alert}, fires": firing, f"{alert}, near": near or {}}
    # A store that is down delivers no late record either: what is missing counts.
    folders["down"] = {**NOTHING_DELIVERED, "logging_system_shipper_breaker_open": "1"}
    expected = {f"{alert}, fires": {alert} for alert in FIRING}
    expected["down"] = {"LoggingObjectiveBurnsFast", "LoggingStoreUnavailable"}
    agrees, said = judged(tmp_path, rule_test(folders, expected, 103))

    assert FIRING.keys() == ALERTS.keys()
    assert agrees, said


def test_a_healthy_folder_fires_nothing_from_its_first_minute_on(tmp_path: Path) -> None:
    agrees, said = judged(tmp_path, rule_test({"healthy": {}}, {}, 0, 1, 2, 5, 30))

    assert agrees, said


def test_promtool_disagrees_where_the_wrong_alert_is_expected(tmp_path: Path) -> None:
    """What is above can fail: promtool judges, not we."""
    folders = {"down": FIRING["LoggingShipperDown"][0]}
    agrees, said = judged(tmp_path, rule_test(folders, {"down": {"LoggingMiscounted"}}, 10))

    assert not agrees
    assert "LoggingShipperDown" in said


def names(expression: str) -> set[str]:
    """The metrics that an expression names, recorded ones and labels left out."""
    without_labels = re.sub(r"\{[^}]*\}", "", expression)
    return set(re.findall(r"\blogging_system_[a-z_0-9]+\b", without_labels))


def declared() -> set[str]:
    samples: set[str] = set()
    for subject, metrics in METRICS.items():
        for metric in metrics:
            name = metric.prometheus_name(subject)
            if metric.kind == "histogram":
                samples |= {f"{name}_{part}" for part in ("bucket", "count", "sum")}
            else:
                samples.add(f"{name}_total" if metric.kind == "counter" else name)
    return samples


def test_rules_and_dashboard_name_declared_metrics_and_recorded_rules_only() -> None:
    rules = [rule["expr"] for group in CONTENT["groups"] for rule in group["rules"]]
    expressions = [*rules, *queries()]
    recorded = {each for text in expressions for each in re.findall(r"\blogging_system:[a-z_0-9:]+", text)}

    assert set().union(*map(names, expressions)) - declared() == set()
    assert recorded <= RECORDED
    assert all(ALERTS[alert]["annotations"].keys() == {"summary", "description"} for alert in ALERTS)


def queries() -> list[str]:
    content = json.loads((SHIPPED / "grafana_dashboard.json").read_text())
    return [target["expr"] for panel in content["panels"] for target in panel.get("targets", ())]


def test_the_dashboard_is_what_its_declaration_makes() -> None:
    written = (SHIPPED / "grafana_dashboard.json").read_text()

    assert written == dashboard.dashboard_text(), "stale; run `make schemas`"


def test_panels_lie_side_by_side_and_each_says_what_it_means() -> None:
    content = json.loads((SHIPPED / "grafana_dashboard.json").read_text())
    taken: set[tuple[int, int]] = set()
    for panel in content["panels"]:
        place = panel["gridPos"]
        cells = {
            (x, y)
            for x in range(place["x"], place["x"] + place["w"])
            for y in range(place["y"], place["y"] + place["h"])
        }
        assert not cells & taken
        assert place["x"] + place["w"] <= 24
        taken |= cells
        assert panel["type"] == "row" or panel["description"].endswith(".")
    assert len({panel["id"] for panel in content["panels"]}) == len(content["panels"])


@pytest.mark.parametrize("expression", queries())
def test_a_query_says_which_folders_it_is_about(expression: str) -> None:
    assert expression.count("logging_system_") == expression.count('instance=~"$instance"')

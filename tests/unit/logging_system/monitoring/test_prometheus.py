from __future__ import annotations

import re
import socket
import urllib.error
import urllib.request
from dataclasses import fields
from pathlib import Path

import orjson
import pytest
from prometheus_client.parser import text_string_to_metric_families

from logging_system.delivery.machine import Tally
from logging_system.monitoring.counters import (
    HandlerCounters,
    ShipperCounters,
    both_content,
    counters_content,
    write_status,
)
from logging_system.monitoring.cross_check import HandlerFlow
from logging_system.monitoring.prometheus import HANDLER_PREFIX, SHIPPER_PREFIX, serve_metrics
from logging_system.monitoring.status_files import EndedHandlers, HandlerStatusFile
from logging_system.spool.cursor import Damage
from tests.accepted_connections import sends_at_once
from tests.repository import DOCS

REFERENCE = DOCS / "reference" / "logging-metrics.md"


def fetch(port: int, path: str) -> str:
    with urllib.request.urlopen(f"http://127.0.0.1:{port}{path}", timeout=10) as answer:
        return str(answer.read().decode())


def write_handler(
    folder: Path, number: int, counters: HandlerCounters, flow: HandlerFlow | None = None
) -> None:
    same = HandlerFlow(counters.offered, counters.queued, counters.dropped, counters.admitted)
    file = HandlerStatusFile(folder, f"{number:032x}", "shop", lambda: 0.0)
    file.write(counters, flow or same, closing=False)


def write_shipper(path: Path, counters: ShipperCounters, metered: ShipperCounters | None = None) -> None:
    write_status(path, {"pid": 7, **both_content(counters, metered or counters)})


def samples(page: str) -> dict[str, float]:
    return {
        sample.name + "".join(f".{value}" for value in sample.labels.values()): sample.value
        for family in text_string_to_metric_families(page)
        for sample in family.samples
    }


def test_a_scrape_sums_all_handlers_and_shows_the_shipper(tmp_path: Path) -> None:
    write_handler(tmp_path, 1, HandlerCounters(7, 1, {"queue_full": 2}, 4, 0, 0, {"ENOSPC": 3}))
    write_handler(tmp_path, 2, HandlerCounters(9, 2, {"queue_full": 1, "closed": 1}, 5, 0, 0, {}))
    write_shipper(tmp_path / "s.json", ShipperCounters(10, 2, 4, 1, 1, 1, 1, 0))
    with serve_metrics(0, tmp_path, tmp_path / "s.json") as port:
        found = samples(fetch(port, "/metrics"))

    assert found["logging_system_handlers_offered_total"] == 16
    assert found["logging_system_handlers_queued"] == 3
    assert found["logging_system_handlers_dropped_total.queue_full"] == 3
    assert found["logging_system_handlers_spool_errors_total.ENOSPC"] == 3
    assert found["logging_system_handlers_balanced"] == 1
    assert found["logging_system_handlers_surfaces_agree"] == 1
    assert found["logging_system_shipper_surfaces_agree"] == 1
    assert found["logging_system_shipper_delivered_total"] == 4
    assert found["logging_system_shipper_spooled"] == 2
    assert "logging_system_shipper_pid" not in found


def test_both_equations_hold_on_the_page(tmp_path: Path) -> None:
    write_handler(tmp_path, 1, HandlerCounters(7, 1, {"queue_full": 2}, 4, 0, 0, {}))
    write_shipper(tmp_path / "s.json", ShipperCounters(10, 2, 4, 1, 1, 1, 1, 0))
    with serve_metrics(0, tmp_path, tmp_path / "s.json") as port:
        found = samples(fetch(port, "/metrics"))
    handlers = {name.removeprefix(HANDLER_PREFIX): value for name, value in found.items()}
    shipper = {name.removeprefix(SHIPPER_PREFIX): value for name, value in found.items()}
    dropped = sum(value for name, value in handlers.items() if name.startswith("dropped_total."))
    gone = ("delivered", "dead_lettered", "redirected", "corrupted", "evicted")

    assert handlers["offered_total"] == handlers["queued"] + dropped + handlers["admitted_total"]
    assert shipper["admitted_total"] == shipper["spooled"] + sum(shipper[f"{name}_total"] for name in gone)


def test_the_page_shows_what_the_meters_say_and_that_a_live_counters_says_otherwise(tmp_path: Path) -> None:
    write_handler(tmp_path, 1, HandlerCounters(7, 1, {"queue_full": 2}, 4, 0, 0, {}))
    write_handler(tmp_path, 2, HandlerCounters(3, 0, {}, 3, 0, 0, {}), HandlerFlow(4, 0, {}, 3))
    write_shipper(
        tmp_path / "s.json",
        ShipperCounters(10, 2, 4, 1, 1, 1, 1, 0),
        ShipperCounters(11, 3, 4, 1, 1, 1, 1, 0),
    )
    with serve_metrics(0, tmp_path, tmp_path / "s.json") as port:
        found = samples(fetch(port, "/metrics"))

    assert found["logging_system_handlers_offered_total"] == 11
    assert found["logging_system_handlers_balanced"] == 0
    assert found["logging_system_handlers_surfaces_agree"] == 0
    assert found["logging_system_shipper_admitted_total"] == 11
    assert found["logging_system_shipper_balanced"] == 1
    assert found["logging_system_shipper_surfaces_agree"] == 0


def test_files_of_a_version_without_meters_are_shown_as_they_are(tmp_path: Path) -> None:
    old = counters_content(HandlerCounters(7, 1, {"queue_full": 2}, 4, 0, 0, {}))
    write_status(tmp_path / f"status-handler-{1:032x}.json", old)
    with serve_metrics(0, tmp_path, tmp_path / "s.json") as port:
        assert samples(fetch(port, "/metrics"))["logging_system_handlers_offered_total"] == 7


def test_the_status_page_is_the_shipper_s_file(tmp_path: Path) -> None:
    write_status(tmp_path / "s.json", {"delivered": 4})
    with serve_metrics(0, tmp_path, tmp_path / "s.json") as port:
        assert orjson.loads(fetch(port, "/status")) == {"delivered": 4}
        with pytest.raises(urllib.error.HTTPError, match="404") as caught:
            fetch(port, "/other")
        caught.value.close()


def test_an_empty_folder_has_a_page_too(tmp_path: Path) -> None:
    with serve_metrics(0, tmp_path, tmp_path / "s.json") as port:
        assert "logging_system_handlers_files 0.0" in fetch(port, "/metrics")


def test_the_reference_lists_every_counter() -> None:
    listed = set(re.findall(r"^\| `([a-z_]+)`", REFERENCE.read_text(), re.MULTILINE))
    counted = {
        each.name
        for kind in (HandlerCounters, EndedHandlers, ShipperCounters, Tally, Damage)
        for each in fields(kind)
    }

    assert counted - listed - {"last_added", "last_trouble", "recently_added"} == {
        "metered_admitted",
        "metered_dropped",
        "metered_unsettled",
    }


def test_a_page_is_sent_at_once(tmp_path: Path) -> None:
    with (
        serve_metrics(0, tmp_path, tmp_path / "s.json") as port,
        socket.create_connection(("127.0.0.1", port)) as client,
    ):
        assert sends_at_once(client)

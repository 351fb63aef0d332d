"""Workers and shippers die by SIGKILL between scrapes: no counter falls, and all are right in the end."""

from __future__ import annotations

import itertools
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import pytest
from prometheus_client.parser import text_string_to_metric_families

from logging_system.monitoring.prometheus import SpoolCollector, exposition
from logging_system.shipping.shipper import STATUS_NAME
from tests.stack.processes import PYTHON, eventually, kill, ready_line, started

WORKER = """
import logging, sys, time
from logging_system import install
install(service="shop", spool=sys.argv[1], shipper="none", queue_records_max=50)
while True:
    for _ in range(60):
        logging.getLogger("shop").info("paid")
    time.sleep(0.01)
"""
CONTINUING = ("admitted", "delivered", "dead_lettered", "redirected", "corrupted", "evicted", "conflicts")
Page = dict[str, float]


@pytest.fixture
def processes() -> Iterator[list[subprocess.Popen[bytes]]]:
    running: list[subprocess.Popen[bytes]] = []
    yield running
    for process in running:
        kill(process)


def shipper(folder: Path) -> subprocess.Popen[bytes]:
    command = [sys.executable, "-m", "logging_system", "ship", "--lifeline", "--spool", str(folder / "spool")]
    process = started([*command, "--file", str(folder / "out.ndjson")])
    ready_line(process)
    return process


def worker(folder: Path) -> subprocess.Popen[bytes]:
    return started([*PYTHON, "-c", WORKER, str(folder / "spool")])


def scrape(folder: Path) -> Page:
    """The page as `ship` serves it; taken here, since it is to be had while no shipper lives."""
    page, _ = exposition(SpoolCollector(folder / "spool", folder / "spool" / STATUS_NAME))
    return {
        sample.name.removeprefix("logging_system_")
        + "".join(f".{each}" for each in sample.labels.values()): (sample.value)
        for family in text_string_to_metric_families(page.decode())
        for sample in family.samples
    }


def must_not_fall(name: str) -> bool:
    of_shipper = {f"shipper_{each}_total" for each in CONTINUING}
    is_counter = "_total" in name or "_bucket" in name or name.endswith("_count")
    return is_counter and (name.startswith("handlers_") or name in of_shipper or "searchable" in name)


@pytest.mark.slow
def test_counters_never_fall_and_are_right_when_workers_and_shippers_are_killed(
    tmp_path: Path, processes: list[subprocess.Popen[bytes]]
) -> None:
    pages: list[Page] = []
    processes += [shipper(tmp_path), worker(tmp_path), worker(tmp_path)]
    eventually(lambda: scrape(tmp_path).get("shipper_delivered_total", 0) > 500, "records on their way")
    for kind in (worker, shipper, worker, shipper):
        for _ in range(10):
            pages.append(scrape(tmp_path))
            time.sleep(0.1)
        victim = processes.pop(0 if kind is shipper else -1)
        victim.send_signal(signal.SIGKILL)
        pages.append(scrape(tmp_path))
        kill(victim)
        processes.insert(0 if kind is shipper else len(processes), kind(tmp_path))
    for process in processes[1:]:
        process.send_signal(signal.SIGKILL)
        pages.append(scrape(tmp_path))
    eventually(lambda: all_delivered(tmp_path, pages), "all delivered")

    fallen = [
        (name, before[name], after[name])
        for before, after in itertools.pairwise(pages)
        for name in before
        if must_not_fall(name) and after.get(name, 0.0) < before[name]
    ]
    last = pages[-1]
    stored = sum(path.read_bytes().count(b"\n") for path in tmp_path.glob("out.ndjson*"))
    assert fallen == []
    assert all(page["handlers_balanced"] == page["handlers_surfaces_agree"] == 1 for page in pages)
    assert last["shipper_delivered_total"] == last["shipper_admitted_total"]
    assert stored >= last["shipper_delivered_total"]
    # A killed worker could not tell of its last second.
    assert 0 < last["handlers_admitted_total"] <= last["shipper_delivered_total"]
    assert last["handlers_logged_to_durable_seconds_count"] == last["handlers_admitted_total"]
    assert last["handlers_dropped_total.queue_full"] > 0


def all_delivered(folder: Path, pages: list[Page]) -> bool:
    """Whether nothing waits and nothing came since the scrape before, a second ago."""
    time.sleep(1.1)
    pages.append(scrape(folder))
    last, before = pages[-1], pages[-2]
    return last["shipper_spooled"] == 0 and last["shipper_admitted_total"] == before["shipper_admitted_total"]

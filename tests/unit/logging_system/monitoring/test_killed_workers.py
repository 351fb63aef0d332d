"""Counters of the sum stay right and never fall, whoever is killed between two scrapes and whatever moves."""

from __future__ import annotations

import itertools
import os
import random
import threading
from collections.abc import Callable
from pathlib import Path

import pytest
from prometheus_client.parser import text_string_to_metric_families

from logging_system.monitoring.counters import HandlerCounters
from logging_system.monitoring.cross_check import HandlerFlow
from logging_system.monitoring.delays import Delays
from logging_system.monitoring.handler_totals import STALE_SECONDS
from logging_system.monitoring.prometheus import HANDLER_PREFIX, SpoolCollector, exposition
from logging_system.monitoring.status_files import (
    ENDED_AGE_SECONDS,
    ENDED_NAME,
    HandlerStatusFile,
    add_ended,
    status_files,
)

NOW = 2_000_000_000.0
LIMITS = {"queue_records_max": 100, "spool_bytes_max": 4096}


class Process:
    """A handler's process as its status file shows it; `now` is the clock of all."""

    def __init__(self, folder: Path, number: int, now: Callable[[], float]) -> None:
        self._folder, self._now = folder, now
        self._file = HandlerStatusFile(folder, f"{number:032x}", "shop", now, limits=LIMITS)
        self.queued, self.dropped, self.admitted = 0, 0, 0

    @property
    def offered(self) -> int:
        return self.queued + self.dropped + self.admitted

    def write(self, *, closing: bool = False) -> None:
        dropped = {"queue_full": self.dropped}
        delays = Delays.of_each([0.02] * self.admitted) if self.admitted else Delays()
        counters = HandlerCounters(self.offered, self.queued, dropped, self.admitted, 0, 0, {}, delays)
        flow = HandlerFlow(self.offered, self.queued, dropped, self.admitted)
        self._file.write(counters, flow, closing=closing)
        for path in status_files(self._folder):
            if path.name == self._file._path.name:
                os.utime(path, (self._now(), self._now()))


def scrape(folder: Path, now_seconds: float) -> dict[str, float]:
    page, _ = exposition(SpoolCollector(folder, folder / "s.json", lambda: now_seconds))
    return {
        sample.name.removeprefix(HANDLER_PREFIX)
        + "".join(f".{each}" for each in sample.labels.values()): sample.value
        for family in text_string_to_metric_families(page.decode())
        for sample in family.samples
    }


def test_records_queued_in_a_killed_process_become_unsettled_and_offered_never_falls(tmp_path: Path) -> None:
    killed = Process(tmp_path, 1, lambda: NOW)
    killed.queued, killed.admitted = 4, 5
    killed.write()
    living = scrape(tmp_path, NOW + 1)
    stale = scrape(tmp_path, NOW + STALE_SECONDS + 1)
    add_ended(tmp_path, NOW + ENDED_AGE_SECONDS)
    ended = scrape(tmp_path, NOW + ENDED_AGE_SECONDS)

    assert [
        (page["offered_total"], page["queued"], page["unsettled"]) for page in (living, stale, ended)
    ] == [
        (9, 4, 0),
        (9, 0, 4),
        (9, 0, 4),
    ]
    assert all(page["balanced"] == page["surfaces_agree"] == 1 for page in (living, stale, ended))
    assert (ended["unclean_exits_total"], ended["logged_to_durable_seconds_count"]) == (1, 5)


def test_a_process_taken_for_killed_that_lives_on_is_counted_once(tmp_path: Path) -> None:
    process = Process(tmp_path, 1, lambda: NOW + ENDED_AGE_SECONDS + 60)
    process.queued, process.admitted = 4, 5
    process.write()
    for path in status_files(tmp_path):
        os.utime(path, (NOW, NOW))
    add_ended(tmp_path, NOW + ENDED_AGE_SECONDS)
    process.queued, process.admitted = 1, 12
    process.write()
    page = scrape(tmp_path, NOW + ENDED_AGE_SECONDS + 61)

    assert (page["offered_total"], page["queued"], page["unsettled"], page["admitted_total"]) == (
        13,
        1,
        0,
        12,
    )
    assert page["logged_to_durable_seconds_count"] == 12
    assert page["balanced"] == 1


def test_the_queues_of_ended_processes_make_none_larger(tmp_path: Path) -> None:
    for number, closing in enumerate((False, True, False)):
        process = Process(tmp_path, number, lambda: NOW)
        process.queued = 0 if closing else 3
        process.write(closing=closing)
    killed = next(iter(sorted(status_files(tmp_path))))
    os.utime(killed, (NOW - STALE_SECONDS - 1, NOW - STALE_SECONDS - 1))
    page = scrape(tmp_path, NOW)

    assert (page["queued"], page["queue_records_max"], page["unsettled"]) == (3, 100, 3)


def test_a_file_on_its_way_into_the_total_is_counted_once(tmp_path: Path) -> None:
    process = Process(tmp_path, 1, lambda: NOW)
    process.admitted = 5
    process.write(closing=True)
    (path,) = status_files(tmp_path)
    content = path.read_bytes()
    path.rename(path.with_suffix(".ending"))
    on_its_way = scrape(tmp_path, NOW)["admitted_total"]
    add_ended(tmp_path, NOW)
    path.with_suffix(".ending").write_bytes(content)  # the crash came before it was removed

    assert (on_its_way, scrape(tmp_path, NOW)["admitted_total"]) == (5, 5)


def test_no_counter_falls_while_files_are_summed_up_beside_the_scrapes(tmp_path: Path) -> None:
    for number in range(40):
        process = Process(tmp_path, number, lambda: NOW - ENDED_AGE_SECONDS)
        process.queued, process.admitted = 2, 10
        process.write()
    stopping = threading.Event()

    def add_one_after_the_other() -> None:
        young = sorted(status_files(tmp_path))
        for path in young:
            os.utime(path, (NOW, NOW))
        for path in young:
            os.utime(path, (NOW - ENDED_AGE_SECONDS, NOW - ENDED_AGE_SECONDS))
            add_ended(tmp_path, NOW)
        stopping.set()

    adding = threading.Thread(target=add_one_after_the_other)
    adding.start()
    pages = [scrape(tmp_path, NOW)]
    while not stopping.is_set():
        pages.append(scrape(tmp_path, NOW))
    adding.join()

    assert {(page["offered_total"], page["admitted_total"]) for page in pages} == {(480, 400)}
    assert (tmp_path / ENDED_NAME).exists()
    assert list(status_files(tmp_path)) == []


@pytest.mark.parametrize("seed", range(25))
def test_whatever_processes_do_counters_never_fall_and_are_right_in_the_end(
    tmp_path: Path, seed: int
) -> None:
    """Processes log, are killed, close and come again; each scrape is held to the one before."""
    rng = random.Random(seed)
    clock = [NOW]
    processes = [Process(tmp_path, number, lambda: clock[0]) for number in range(4)]
    number, told, pages = len(processes), 0, list[dict[str, float]]()
    for _ in range(60):
        clock[0] += rng.choice((1.0, 20.0, 90.0, 400.0))
        for process in list(processes):
            moved = rng.randint(0, process.queued)
            process.queued += rng.randint(0, 5) - moved
            process.admitted += moved
            process.dropped += rng.randint(0, 1)
            closing = rng.random() < 0.05
            if closing:
                process.admitted, process.queued = process.admitted + process.queued, 0
            process.write(closing=closing)
            if closing or rng.random() < 0.05:  # the latter is killed just after it wrote
                processes.remove(process)
                told += process.offered
                processes.append(Process(tmp_path, number := number + 1, lambda: clock[0]))
        if rng.random() < 0.3:
            add_ended(tmp_path, clock[0])
        pages.append(scrape(tmp_path, clock[0]))
    clock[0] += STALE_SECONDS + 1
    for process in processes:
        process.write()
    pages.append(scrape(tmp_path, clock[0]))

    counters = [
        name for name in pages[-1] if "_total" in name or "_bucket" in name or name.endswith("_count")
    ]
    fallen = [
        (name, before[name], after[name])
        for before, after in itertools.pairwise(pages)
        for name in counters
        if name in before and after[name] < before[name]
    ]
    living = sum(process.offered for process in processes)
    assert fallen == []
    assert all(page["balanced"] == page["surfaces_agree"] == 1 for page in pages)
    assert pages[-1]["offered_total"] == told + living
    assert pages[-1]["queued"] == sum(process.queued for process in processes)

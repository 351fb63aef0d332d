from __future__ import annotations

import logging
import threading
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path

import orjson
import pytest

from harness.evidence.counters.json_file import JsonFileCounters
from harness.evidence.counters.prometheus import PrometheusCounters
from logging_system.delivery.machine import Limits
from logging_system.gateway.intake import Intake, NoRoomError
from logging_system.handler.queue import FullPolicy, RecordQueue
from logging_system.handler.worker import Worker
from logging_system.monitoring.counters import HandlerCounters, LiveCounters, ShipperCounters
from logging_system.monitoring.cross_check import HandlerFlow
from logging_system.monitoring.prometheus import SHIPPER_PREFIX, serve_metrics
from logging_system.records.document import Record
from logging_system.records.processors import Chain, Drop
from logging_system.records.record import capture
from logging_system.shipping.shipper import STATUS_NAME, Shipper
from logging_system.sinks.file import FileSink
from logging_system.spool.writer import SpoolWriter

Moment = tuple[HandlerCounters, HandlerFlow]

SECONDS = 30.0
CALLERS = 4
RECORDS = 1_500


class FailingOnSome:
    """Raises for one message of a hundred, and drops another."""

    def process(self, record: Record) -> Record | Drop:
        if record.document["message"] == "13":
            raise ValueError("cannot be processed")
        return Drop("unwanted") if record.document["message"] == "14" else record


def work(thread_body: Callable[[], None]) -> None:
    threads = [threading.Thread(target=thread_body) for _ in range(CALLERS)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(SECONDS)


def equal(moment: Moment) -> bool:
    counters, flow = moment
    words = ("offered", "queued", "dropped", "admitted")
    same = all(getattr(counters, word) == getattr(flow, word) for word in words)
    timed = counters.logged_to_durable_seconds.count == counters.admitted
    return same and timed and counters.balanced and flow.balanced


@pytest.mark.parametrize("when_full", ["drop_newest", "drop_oldest", "block_errors"])
def test_both_surfaces_of_a_handler_balance_and_agree_at_every_moment_under_load(
    tmp_path: Path, when_full: FullPolicy
) -> None:
    live_counters = LiveCounters()
    queue = RecordQueue(
        live_counters, records_max=40, bytes_max=1 << 20, allowance_seconds=0.01, when_full=when_full
    )
    moments: list[Moment] = []
    worker = Worker(
        queue=queue,
        writer=SpoolWriter(tmp_path, spool_bytes_max=200_000, sync=False),  # full before the end
        live_counters=live_counters,
        service="s",
        durability="write",
        chain=Chain([FailingOnSome()]),
        durable=lambda _records: moments.append(live_counters.moment()),
        status_folder=tmp_path,
    )

    def call() -> None:
        for number in range(RECORDS):
            record = logging.makeLogRecord({"msg": str(number % 100)})
            queue.offer(capture(record), may_wait=number % 3 == 0)
            if number % 20 == 0:
                moments.append(live_counters.moment())
                queue.wait_until_settled(SECONDS)  # else the worker sees the first few records alone

    working = threading.Thread(target=worker.run)
    working.start()
    work(call)
    queue.close()
    worker.stop(SECONDS)
    working.join(SECONDS)
    counters, _ = last = live_counters.moment()

    assert [moment for moment in (*moments, last) if not equal(moment)] == []
    assert len({counters.offered for counters, _ in moments}) > 20
    assert (counters.offered, counters.queued) == (CALLERS * RECORDS, 0)
    assert {"processor_error", "processor:unwanted", "spool_full"} <= counters.dropped.keys()
    assert counters.admitted > 0


def test_both_surfaces_of_a_gateway_balance_and_agree_at_every_moment_under_load(tmp_path: Path) -> None:
    writer = SpoolWriter(tmp_path, spool_bytes_max=100_000, sync=False)
    intake = Intake(writer, pending_bytes_max=3_000, status_folder=tmp_path)
    moments: list[Moment] = []
    intake.start()

    def post() -> None:
        for number in range(400):
            with suppress(NoRoomError):
                delivery = intake.offer([b'{"message":"%d"}' % number] * (number % 7 + 1))
                moments.append(intake.moment())
                delivery.result(SECONDS)

    work(post)
    intake.close(SECONDS)
    counters, _ = last = intake.moment()

    assert [moment for moment in (*moments, last) if not equal(moment)] == []
    assert len({counters.offered for counters, _ in moments}) > 20
    assert counters.dropped["spool_refused"] > 0
    assert counters.admitted > 0


def test_a_record_counted_as_admitted_that_is_not_in_the_spool_shows() -> None:
    live_counters = LiveCounters()
    queue = RecordQueue(live_counters, records_max=9, bytes_max=1 << 20, allowance_seconds=0.0)
    queue.offer(capture(logging.makeLogRecord({"msg": "m"})), may_wait=False)
    queue.take(0.0, 0.0)
    live_counters.admit(1)
    counters, flow = live_counters.moment()

    assert counters.balanced
    assert flow.balanced
    assert (counters.admitted, flow.admitted) == (1, 0)


class Watched(Shipper):
    """A real shipper that notes both surfaces at every turn of its loop, and stops when there is enough."""

    moments: list[tuple[ShipperCounters, ShipperCounters]]
    enough: Callable[[ShipperCounters], bool]

    def _report(self, *, closing: bool = False) -> None:
        counters = self.counters()
        self.moments.append((counters, self.metered()))
        if self.enough(counters):
            self.stop()
        super()._report(closing=closing)


def ship(folder: Path, enough: Callable[[ShipperCounters], bool]) -> Watched:
    """Ship a little at each turn until there is enough; a shipper of its own, as after a restart."""
    sink = FileSink(folder / "out.ndjson", rotate_bytes=64 * 1024, rotate_files=100)
    limits = Limits(batch_records_max=100, held_records_max=300)
    shipper = Watched(folder / "spool", sink, limits=limits)
    shipper.moments, shipper.enough = [], enough
    shipper.run()
    sink.close()
    return shipper


def spool_documents(folder: Path, count: int) -> None:
    """Spool documents of which every hundredth is too large for the store."""
    writer = SpoolWriter(folder, spool_bytes_max=1 << 30, sync=False)
    for first in range(0, count, 50):
        writer.append(
            [
                orjson.dumps({"n": first + place, "text": "x" * (70_000 if place == 49 else 9)})
                for place in range(50)
            ]
        )
    writer.seal()


def test_both_surfaces_of_a_shipper_balance_and_agree_at_every_turn_also_after_a_restart(
    tmp_path: Path,
) -> None:
    spool_documents(tmp_path / "spool", 3_000)
    first = ship(tmp_path, lambda counters: counters.delivered > 500)
    second = ship(tmp_path, lambda counters: counters.delivered + counters.dead_lettered == 3_000)
    moments = [*first.moments, *second.moments]
    counters, metered = second.moments[-1]

    assert [moment for moment in moments if moment[0] != moment[1]] == []
    assert all(each.balanced for moment in moments for each in moment)
    assert 500 < first.moments[-1][1].delivered < 2_940
    assert (metered.admitted, metered.dead_lettered, counters.spooled) == (3_000, 60, 0)


def test_the_harness_reads_the_same_from_both(tmp_path: Path) -> None:
    spool = tmp_path / "spool"
    spool_documents(spool, 100)
    ship(tmp_path, lambda counters: counters.admitted == 100 and not counters.spooled)
    from_files = JsonFileCounters(str(spool / "status-*.json")).read(
        ["delivered", "dead_lettered", "spooled", "metrics.delivered", "metrics.spooled"]
    )
    with serve_metrics(0, spool, spool / STATUS_NAME) as port:
        page = PrometheusCounters(f"http://127.0.0.1:{port}/metrics")
        from_page = page.read(
            [f"{SHIPPER_PREFIX}{name}" for name in ("delivered_total", "dead_lettered_total", "spooled")]
        )

    assert from_files["delivered"] == from_files["metrics.delivered"] == 98
    assert from_page[f"{SHIPPER_PREFIX}delivered_total"] == 98
    assert from_page[f"{SHIPPER_PREFIX}dead_lettered_total"] == from_files["dead_lettered"] == 2
    assert from_page[f"{SHIPPER_PREFIX}spooled"] == from_files["metrics.spooled"] == 0

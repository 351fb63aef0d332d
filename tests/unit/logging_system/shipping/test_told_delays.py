"""What a shipper tells of times: how long records took, and how old the oldest undelivered one is."""

from __future__ import annotations

import os
import time
from collections.abc import Sequence
from datetime import UTC, datetime
from functools import partial
from pathlib import Path
from typing import Any

import google_crc32c
import orjson
import pytest

from logging_system.config.settings import Settings
from logging_system.delivery.machine import Item
from logging_system.delivery.outcomes import SendOutcome, Unknown
from logging_system.monitoring.readings import OLDEST_NAME, read_spool
from logging_system.shipping.shipper import STATUS_NAME, Shipper
from logging_system.shipping.sink_factory import searchable_after_seconds
from logging_system.sinks.file import FileSink
from logging_system.spool.waiting import count_waiting
from tests.unit.logging_system.shipping.test_shipper import run_until
from tests.unit.logging_system.spooling import writer


class Down(FileSink):
    """A store that never answers."""

    def send(self, items: Sequence[Item]) -> SendOutcome:
        return Unknown("down")


def spool_document(folder: Path, age_seconds: float) -> None:
    moment = datetime.fromtimestamp(time.time() - age_seconds, UTC).isoformat().replace("+00:00", "Z")
    spool_writer = writer(folder)
    spool_writer.append([orjson.dumps({"@timestamp": moment, "message": "m"})] * 2)
    spool_writer.seal()


def has_delivered(shipper: Shipper, count: int) -> bool:
    return shipper.counters().delivered == count


def status(folder: Path) -> dict[str, Any]:
    content: dict[str, Any] = orjson.loads((folder / STATUS_NAME).read_bytes())
    return content


def told(folder: Path, name: str) -> Any:
    readings = read_spool(folder, folder / STATUS_NAME, time.time())
    return next(each.value for each in readings if each.metric.name == name and each.subject == "shipper")


def test_delays_of_delivered_records_are_told_and_continue_after_a_restart(tmp_path: Path) -> None:
    folder = tmp_path / "spool"
    for age_seconds, count in ((40.0, 2), (3.0, 4)):
        spool_document(folder, age_seconds)
        sink = FileSink(tmp_path / "out.ndjson")
        shipper = Shipper(folder, sink, searchable_after_seconds=1.0)
        run_until(shipper, partial(has_delivered, shipper, count))
        sink.close()
    delays = told(folder, "logged_to_searchable_seconds")

    assert delays.count == status(folder)["delivered"] == 4
    assert 2 * 41.0 + 2 * 4.0 <= delays.sum_seconds < 2 * 41.0 + 2 * 4.0 + 40.0
    assert (status(folder)[OLDEST_NAME], told(folder, "oldest_undelivered_age_seconds")) == (None, 0.0)


def test_the_age_of_the_oldest_record_grows_while_the_store_is_down(tmp_path: Path) -> None:
    folder = tmp_path / "spool"
    spool_document(folder, 20.0)
    spool_document(folder, 100.0)
    shipper = Shipper(folder, Down(tmp_path / "out.ndjson"))
    run_until(shipper, lambda: shipper.counters().spooled == 4)

    assert 100.0 <= told(folder, "oldest_undelivered_age_seconds") < 140.0
    assert told(folder, "logged_to_searchable_seconds").count == 0


def test_a_writer_of_whom_nothing_can_be_read_is_as_old_as_its_file(tmp_path: Path) -> None:
    folder = tmp_path / "spool"
    spool_document(folder, 20.0)
    (segment,) = folder.glob("*.segment")
    content = bytearray(segment.read_bytes())
    content[8:10] = (99).to_bytes(2, "little")  # a newer version's, which stays where it is
    header = bytes(content[:40])
    content[40:44] = google_crc32c.value(header).to_bytes(4, "little")
    segment.write_bytes(content)
    os.utime(segment, (time.time() - 500.0, time.time() - 500.0))
    shipper = Shipper(folder, FileSink(tmp_path / "out.ndjson"))
    run_until(shipper, lambda: told_newer(folder))

    assert 500.0 <= told(folder, "oldest_undelivered_age_seconds") < 540.0


def told_newer(folder: Path) -> bool:
    path = folder / STATUS_NAME
    return path.exists() and status(folder)["newer_epochs"] == 1


@pytest.mark.parametrize(
    ("given", "seconds"), [({"file": "out"}, 0.0), ({"elasticsearch": ["http://127.0.0.1:1"]}, 1.0)]
)
def test_elasticsearch_finds_what_it_stored_within_its_refresh_interval(
    given: dict[str, Any], seconds: float
) -> None:
    assert searchable_after_seconds(Settings(**given)) == seconds


def test_what_is_told_is_remembered_at_the_same_moment(tmp_path: Path) -> None:
    """A crash right after a status file was written must not make its counters fall."""

    class Checked(Shipper):
        told_beyond: list[int]

        def _report(self, *, closing: bool = False) -> None:
            super()._report(closing=closing)
            saved = self._reader.restored_counters.get("delivered", 0)
            self.told_beyond.append(status(folder)["delivered"] - saved)

    folder = tmp_path / "spool"
    for _ in range(5):
        spool_document(folder, 1.0)
    shipper = Checked(folder, FileSink(tmp_path / "out.ndjson"))
    shipper.told_beyond = []
    run_until(shipper, lambda: shipper.counters().delivered == 10)

    assert max(shipper.told_beyond) == 0


def test_the_file_of_a_shipper_that_runs_differs_from_that_of_one_that_ended_in_order(tmp_path: Path) -> None:
    folder = tmp_path / "spool"
    spool_document(folder, 1.0)
    shipper = Shipper(folder, FileSink(tmp_path / "out.ndjson"))
    while_running: list[bool] = []

    def is_done() -> bool:
        if (folder / STATUS_NAME).exists():
            while_running.append(status(folder)["closed"])
        return bool(while_running) and shipper.counters().delivered == 2

    run_until(shipper, is_done)

    assert set(while_running) == {False}
    assert status(folder)["closed"] is True
    assert count_waiting(folder, time.monotonic() + 60).records == 0

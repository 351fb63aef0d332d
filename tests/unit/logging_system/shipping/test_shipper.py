from __future__ import annotations

import os
import shutil
import threading
import time
from collections.abc import Callable, Sequence
from pathlib import Path

import orjson

from logging_system.coordination.control_orders import give, take_back
from logging_system.delivery.machine import Item
from logging_system.delivery.outcomes import SendOutcome
from logging_system.shipping.shipper import STATUS_NAME, Shipper
from logging_system.sinks.file import FileSink
from logging_system.spool.control import ShrinkBatches, UseFallbackFile
from logging_system.spool.reader import SpoolBusyError, SpoolReader
from tests.unit.logging_system.spooling import append, writer

SECONDS = 20.0


def spooled(folder: Path, *groups: tuple[int, int]) -> list[Path]:
    """Write each group of numbers as a segment; return the segments."""
    spool_writer = writer(folder)
    for first, last in groups:
        append(spool_writer, first, last)
        spool_writer.seal()
    return sorted(folder.glob("*.segment"))


def eventually(condition: Callable[[], bool]) -> bool:
    deadline_seconds = time.monotonic() + SECONDS
    while not condition() and time.monotonic() < deadline_seconds:
        time.sleep(0.01)
    return condition()


def run_until(shipper: Shipper, condition: Callable[[], bool]) -> None:
    thread = threading.Thread(target=shipper.run)
    thread.start()
    eventually(condition)
    shipper.stop()
    thread.join(SECONDS)


def test_records_that_gave_way_are_in_the_equation_also_after_a_restart(tmp_path: Path) -> None:
    folder = tmp_path / "spool"
    old, *_ = spooled(folder, (1, 3), (4, 5))
    os.utime(old, (1.0, 1.0))
    shipper = Shipper(folder, FileSink(tmp_path / "out.ndjson"), retention_seconds=3600.0)
    run_until(shipper, lambda: shipper.counters().delivered == 2)
    counters = shipper.counters()
    status = orjson.loads((folder / STATUS_NAME).read_bytes())
    again = Shipper(folder, FileSink(tmp_path / "out.ndjson"))
    run_until(again, lambda: True)

    assert (counters.admitted, counters.delivered, counters.evicted) == (5, 2, 3)
    assert counters.balanced
    assert (status["evicted"], status["newer_epochs"]) == (3, 0)
    assert again.counters() == counters


def test_without_retention_however_old_a_record_is_it_is_delivered(tmp_path: Path) -> None:
    folder = tmp_path / "spool"
    (old,) = spooled(folder, (1, 3))
    os.utime(old, (1.0, 1.0))
    shipper = Shipper(folder, FileSink(tmp_path / "out.ndjson"))
    run_until(shipper, lambda: shipper.counters().delivered == 3)

    assert (shipper.counters().delivered, shipper.counters().evicted) == (3, 0)


def test_a_shipper_whose_folder_was_removed_and_taken_ends_and_leaves_the_new_one_alone(
    tmp_path: Path,
) -> None:
    folder, removed, taken = tmp_path / "spool", tmp_path / "removed", tmp_path / "taken"
    spooled(folder, (1, 3))
    shipper = Shipper(folder, FileSink(tmp_path / "out.ndjson"))
    ended: list[BaseException] = []
    other = SpoolReader(taken)

    def run() -> None:
        try:
            shipper.run()
        except SpoolBusyError as error:
            ended.append(error)

    thread = threading.Thread(target=run)
    thread.start()
    assert eventually(lambda: shipper.counters().delivered == 3)
    folder.rename(removed)
    taken.rename(folder)
    before = {path.name for path in folder.iterdir()} | {STATUS_NAME}
    shutil.rmtree(removed)
    thread.join(SECONDS)

    assert not thread.is_alive()
    assert "is already shipped by process" in str(ended[0])
    assert {path.name for path in folder.iterdir()} <= before
    other.close()


class WatchedSink(FileSink):
    """Keeps how many records each request had, and whether the files were to stand in."""

    def __init__(self, path: Path) -> None:
        super().__init__(path)
        self.sizes: list[int] = []
        self.wanted: list[bool] = []

    def send(self, items: Sequence[Item]) -> SendOutcome:
        self.sizes.append(len(items))
        return super().send(items)

    def use_files(self, wanted: bool) -> None:
        self.wanted.append(wanted)


def test_orders_of_the_control_file_are_obeyed_from_the_first_request_on_until_they_end(
    tmp_path: Path,
) -> None:
    folder, now_seconds = tmp_path / "spool", time.time()
    spooled(folder, (1, 10))
    give(folder, ShrinkBatches("1", now_seconds + 60, 2), now_seconds)
    give(folder, UseFallbackFile("2", now_seconds + 60), now_seconds)
    sink = WatchedSink(tmp_path / "out.ndjson")
    shipper = Shipper(folder, sink)

    def is_told_otherwise() -> bool:
        if shipper.counters().delivered == 10:
            take_back(folder, "2", now_seconds)
        return False in sink.wanted

    run_until(shipper, is_told_otherwise)

    assert (max(sink.sizes), sum(sink.sizes)) == (2, 10)
    assert (sink.wanted[0], sink.wanted[-1]) == (True, False)

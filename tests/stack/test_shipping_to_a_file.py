from __future__ import annotations

import threading
from pathlib import Path

import orjson

from logging_system.shipping.shipper import Shipper
from logging_system.sinks.file import FileSink
from logging_system.spool.writer import SpoolWriter
from tests.stack.processes import WAIT_SECONDS, eventually

RECORDS = 3_000


def messages(folder: Path) -> list[str]:
    """What stands in all files, in no order."""
    files = [each for each in folder.glob("app.ndjson*") if each.suffix != ".lock"]
    hits = [orjson.loads(line) for file in files for line in file.read_bytes().splitlines()]
    return sorted(hit["_source"]["message"] for hit in hits)


def ship(spool: Path, folder: Path, count: int) -> Shipper:
    """Ship until `count` records are delivered; a shipper of its own, as after a restart."""
    sink = FileSink(folder / "app.ndjson", rotate_bytes=64 * 1024, rotate_files=100)
    shipper = Shipper(spool, sink)
    thread = threading.Thread(target=shipper.run)
    thread.start()
    eventually(lambda: shipper.counters().delivered >= count, f"{count} deliveries")
    shipper.stop()
    thread.join(WAIT_SECONDS)
    sink.close()
    return shipper


def test_a_spool_is_shipped_to_files_once_also_over_a_restart(tmp_path: Path) -> None:
    writer = SpoolWriter(tmp_path / "spool", spool_bytes_max=1 << 30, sync=False)
    documents = [orjson.dumps({"message": f"line {number:04}"}) for number in range(RECORDS)]
    writer.append(documents[:2000])
    ship(tmp_path / "spool", tmp_path, 2000)
    writer.append(documents[2000:])
    writer.seal()
    shipper = ship(tmp_path / "spool", tmp_path, RECORDS)

    assert messages(tmp_path) == [f"line {number:04}" for number in range(RECORDS)]
    assert shipper.counters().delivered == RECORDS
    assert shipper.counters().dead_lettered == 0

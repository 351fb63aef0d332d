"""A key is rotated by itself while records are shipped, and nothing is lost or unreadable by it."""

from __future__ import annotations

import threading
import time
from pathlib import Path

import orjson
import pytest

from logging_system.encryption.encryption import Encryption
from logging_system.encryption.rotation_schedule import RotationSchedule
from logging_system.keys.audit_log import AuditLog
from logging_system.monitoring.event_stream import EventStream
from logging_system.monitoring.events import Event, KeyRotated
from logging_system.shipping.shipper import Shipper
from logging_system.sinks.file import FileSink
from logging_system.spool.writer import SpoolWriter
from tests.unit.logging_system.encryption.sealed import key_file

SECONDS = 30.0
ROTATIONS = 3


@pytest.mark.slow
def test_several_rotations_while_records_are_written_and_shipped_lose_none(tmp_path: Path) -> None:
    provider = key_file(tmp_path)
    shipping = Encryption(provider, tmp_path / "keyring", "logs", rotation_seconds=0.01)
    writing = Encryption(key_file(tmp_path), tmp_path / "keyring", "logs")
    rotated: list[Event] = []
    schedule = RotationSchedule(shipping, look_seconds=0.05)
    out = tmp_path / "out.ndjson"
    (tmp_path / "spool").mkdir()
    events = EventStream()
    events.subscribe(rotated.append)
    shipper = Shipper(
        tmp_path / "spool",
        FileSink(out),
        codecs=shipping.codecs(),
        lines=shipping.lines(),
        rotation=schedule,
        events=events,
    )
    thread = threading.Thread(target=shipper.run)
    thread.start()
    writer = SpoolWriter(tmp_path / "spool", spool_bytes_max=1 << 24, sync=False, codecs=writing.codecs())
    give_up_seconds = time.monotonic() + SECONDS
    count = 0
    while len(done := [each for each in rotated if isinstance(each, KeyRotated)]) < ROTATIONS:
        assert time.monotonic() < give_up_seconds
        writer.append([orjson.dumps({"n": count})])
        count += 1
        time.sleep(0.01)
    writer.seal()
    while not out.exists() or out.read_bytes().count(b"\n") < count:
        assert time.monotonic() < give_up_seconds
        time.sleep(0.02)
    shipper.stop()
    thread.join(SECONDS)
    arrived = [orjson.loads(line)["_source"]["n"] for line in out.read_bytes().splitlines()]

    assert arrived == list(range(count))
    assert len({each.version for each in done}) == ROTATIONS
    finished = [each for each in AuditLog(tmp_path / "keyring").events() if each.event == "rotated"]
    assert len(finished) >= ROTATIONS

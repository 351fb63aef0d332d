"""What is measured of a spool folder: real handlers' status files, segments and checkpoints."""

from __future__ import annotations

import logging
import time
from pathlib import Path
from typing import Any

import orjson

from logging_system.alerting.measuring import Measuring
from logging_system.handler.handler import SpoolHandler
from logging_system.monitoring.call_times import TIMED_EVERY
from logging_system.monitoring.status_files import ENDING, status_files
from logging_system.spool.checkpoint import Checkpoint, CheckpointFile, Position
from logging_system.spool.writer import SpoolWriter


class Folder:
    def __init__(self, path: Path) -> None:
        self.path = path
        self.measuring = Measuring(path, [30.0], wall=time.time)

    def handler(self, *, dropped: int = 0, offered: int = 0, queued: int = 0, **performance: object) -> None:
        content = {
            "closed": False,
            "offered": offered,
            "queued": queued,
            "dropped": {"queue_full": dropped},
            "queue_records_max": 100,
            "spool_bytes_max": 1_000_000,
            **performance,
        }
        (self.path / f"status-handler-{'a' * 32}.json").write_bytes(orjson.dumps(content))

    def shipper(self, **counts: int) -> None:
        (self.path / "status-shipper.json").write_bytes(orjson.dumps(counts))

    def measures(self, now_seconds: float) -> dict[str, Any]:
        found = [document["measure"] for document in self.measuring.look(now_seconds)]
        return {each["name"]: each.get("value", each) for each in found}


def test_a_real_handler_says_its_bounds_and_what_its_calls_cost(tmp_path: Path) -> None:
    handler = SpoolHandler(spool=tmp_path, service="checkout", durability="write", queue_records_max=5_000)
    logger = logging.Logger("shop")
    logger.addHandler(handler)
    for number in range(TIMED_EVERY * 20):
        logger.info("order %d", number)
    handler.flush()
    give_up = time.monotonic() + 20
    found: dict[str, Any] = {}
    while "log_call_p99_ms" not in found and time.monotonic() < give_up:
        logger.info("once more")
        time.sleep(0.1)
        found = Folder(tmp_path).measures(0)
    handler.end()

    assert 0 < found["log_call_p99_ms"] < 1_000
    assert 0 <= found["queue_fill"] < 0.5
    assert 0 < found["spool_fill"] < 0.01


def test_a_closed_handler_and_one_that_hangs_are_not_measured(tmp_path: Path) -> None:
    folder = Folder(tmp_path)
    folder.handler(queued=90, log_call_p99_ms=8.5)
    assert folder.measures(0)["queue_fill"] == 0.9
    assert folder.measures(5)["log_call_p99_ms"] == 8.5

    folder.measuring = Measuring(tmp_path, [], wall=lambda: time.time() + 100)
    assert "queue_fill" not in folder.measures(10)


def test_drops_are_a_share_of_the_calls_of_the_last_minute(tmp_path: Path) -> None:
    folder = Folder(tmp_path)
    folder.handler(offered=1_000, dropped=500)
    assert "drop_share" not in folder.measures(0)
    folder.handler(offered=2_000, dropped=510)
    assert folder.measures(5)["drop_share"] == 0.01
    folder.handler(offered=3_000, dropped=510)
    folder.measures(64)

    assert folder.measures(66)["drop_share"] == 0.0


def test_what_a_workflow_wants_dropped_is_no_share_of_drops(tmp_path: Path) -> None:
    folder = Folder(tmp_path)
    folder.handler(offered=1_000)
    folder.measures(0)
    path = tmp_path / f"status-handler-{'a' * 32}.json"
    folder.handler(offered=2_000, dropped=10)
    content = orjson.loads(path.read_bytes())
    content["dropped"] |= {"sampled": 400, "quarantined": 300}
    path.write_bytes(orjson.dumps(content))

    assert folder.measures(5)["drop_share"] == 0.01


def test_a_process_whose_file_is_summed_up_does_not_drop_its_records_again(tmp_path: Path) -> None:
    folder = Folder(tmp_path)
    folder.handler(offered=1_000, dropped=500)
    folder.measures(0)
    (path,) = status_files(tmp_path)
    path.rename(path.with_suffix(ENDING))
    folder.measures(5)
    path.with_suffix(ENDING).rename(path)

    assert folder.measures(66).get("drop_share", 0) == 0


def test_a_file_that_is_none_of_ours_is_passed_over(tmp_path: Path) -> None:
    (tmp_path / f"status-handler-{'b' * 32}.json").write_bytes(
        b'{"closed": true, "offered": 9, "dropped": 9}'
    )
    folder = Folder(tmp_path)
    folder.handler(offered=1_000, dropped=0)
    folder.measures(0)
    folder.handler(offered=2_000, dropped=10)

    assert folder.measures(5)["drop_share"] == 0.01


def test_what_the_store_turns_away_is_a_share_of_requests_or_of_documents(tmp_path: Path) -> None:
    folder = Folder(tmp_path)
    folder.shipper(requests=10, refused_requests=0, retried_items=0, delivered=100)
    folder.measures(0)
    folder.shipper(requests=20, refused_requests=5, retried_items=30, delivered=170)
    assert folder.measures(5)["push_back_share"] == 0.5
    folder.shipper(requests=1, refused_requests=0, retried_items=0, delivered=180)

    assert folder.measures(10).get("push_back_share", 0) == 0


def test_hours_until_full_come_from_the_growth_of_five_minutes(tmp_path: Path) -> None:
    folder, writer = Folder(tmp_path), SpoolWriter(tmp_path, spool_bytes_max=1 << 30, sync=False)
    folder.handler(spool_bytes_max=100_000)
    folder.measures(0)
    writer.append([b"x" * 10_000])
    assert "spool_hours_left" not in folder.measures(299)

    assert 0.5 < folder.measures(360)["spool_hours_left"] < 1.0


def test_without_a_shipper_nothing_is_said_of_delivery(tmp_path: Path) -> None:
    folder, writer = Folder(tmp_path), SpoolWriter(tmp_path, spool_bytes_max=1 << 30, sync=False)
    writer.append([b"{}"] * 10)
    folder.measuring.deliveries.note(writer.epoch.hex(), 10, 10, age_seconds=0, now_seconds=0)

    assert folder.measures(50) == {}
    folder.shipper(requests=0)
    assert folder.measures(55)["oldest_record_seconds"] == 55


def test_records_from_before_anybody_shipped_are_not_late_deliveries(tmp_path: Path) -> None:
    folder, writer = Folder(tmp_path), SpoolWriter(tmp_path, spool_bytes_max=1 << 30, sync=False)
    writer.append([b"{}"] * 10)
    folder.measuring.deliveries.note(writer.epoch.hex(), 10, 10, age_seconds=0, now_seconds=0)
    folder.measures(1_000)
    folder.shipper(requests=0)

    assert folder.measures(1_005) == {"oldest_record_seconds": 0}


def test_the_checkpoint_says_what_is_delivered(tmp_path: Path) -> None:
    folder, writer = Folder(tmp_path), SpoolWriter(tmp_path, spool_bytes_max=1 << 30, sync=False)
    folder.shipper(requests=1)
    writer.append([b"{}"] * 10)
    folder.measuring.deliveries.note(writer.epoch.hex(), 10, 10, age_seconds=0, now_seconds=100)
    assert folder.measures(140)["oldest_record_seconds"] == 40
    checkpoint = CheckpointFile(tmp_path)
    checkpoint.load()
    checkpoint.save(Checkpoint({writer.epoch: Position(0, 0, 11)}))
    checkpoint.close()
    found = folder.measures(150)

    assert (found["oldest_record_seconds"], found["delivery_p99_seconds"]) == (0, 50)

from __future__ import annotations

from pathlib import Path

import orjson
import pytest

from logging_system.alerting.held_segments import HeldSegments
from logging_system.alerting.spool_following import SpoolFollower
from logging_system.spool.codec import PLAIN_CODECS
from logging_system.spool.reader import SpoolReader
from logging_system.spool.retention import Retention, evict
from logging_system.spool.segment import list_segments
from logging_system.spool.writer import SpoolWriter

FAR = 9_999_999_999.0


@pytest.fixture
def writer(tmp_path: Path) -> SpoolWriter:
    return SpoolWriter(tmp_path, spool_bytes_max=1 << 30, sync=False)


def document(number: int) -> bytes:
    return orjson.dumps({"number": number, "padding": "x" * 100})


def write(writer: SpoolWriter, numbers: range) -> None:
    writer.append([document(number) for number in numbers])


def numbers_of(follower: SpoolFollower) -> list[int]:
    return [orjson.loads(line)["number"] for block in follower.read(1 << 30) for line in block.documents]


def ship(folder: Path) -> int:
    """Deliver all there is, as a shipper does, and remove it; returns how many records."""
    reader = SpoolReader(folder)
    count = 0
    try:
        while blocks := reader.read(1 << 20):
            for block in blocks:
                count += len(block.documents)
                reader.acknowledge(block.epoch, block.first_sequence + len(block.documents))
        reader.save({})
    finally:
        reader.close()
    return count


def test_each_record_is_read_once(tmp_path: Path, writer: SpoolWriter) -> None:
    follower = SpoolFollower(tmp_path, PLAIN_CODECS)
    write(writer, range(3))
    assert numbers_of(follower) == [0, 1, 2]
    assert numbers_of(follower) == []
    write(writer, range(3, 5))
    assert numbers_of(follower) == [3, 4]
    assert follower.missed == 0


def test_what_a_shipper_removes_after_it_was_seen_is_read_all_the_same(
    tmp_path: Path, writer: SpoolWriter
) -> None:
    follower = SpoolFollower(tmp_path, PLAIN_CODECS)
    write(writer, range(3))
    list_segments(tmp_path, follower.disk)
    writer.seal()

    assert ship(tmp_path) == 3
    assert list_segments(tmp_path) == {}
    assert numbers_of(follower) == [0, 1, 2]
    assert follower.missed == 0


def test_what_was_removed_before_it_was_seen_is_counted(tmp_path: Path, writer: SpoolWriter) -> None:
    follower = SpoolFollower(tmp_path, PLAIN_CODECS)
    write(writer, range(3))
    writer.seal()
    ship(tmp_path)
    write(writer, range(3, 5))

    assert numbers_of(follower) == [3, 4]
    assert follower.missed == 3


def test_a_writer_that_came_and_went_in_between_is_counted_by_what_it_said(tmp_path: Path) -> None:
    follower = SpoolFollower(tmp_path, PLAIN_CODECS)
    status = {"closed": True, "admitted": 7}
    (tmp_path / f"status-handler-{'ab' * 16}.json").write_bytes(orjson.dumps(status))
    follower.settle()
    follower.settle()

    assert follower.missed == 7


def test_a_writer_that_ended_before_anybody_watched_was_not_missed(tmp_path: Path) -> None:
    status = {"closed": True, "admitted": 7}
    (tmp_path / f"status-handler-{'ab' * 16}.json").write_bytes(orjson.dumps(status))
    follower = SpoolFollower(tmp_path, PLAIN_CODECS)
    follower.settle()

    assert follower.missed == 0


def test_a_writer_of_which_all_was_read_missed_nothing(tmp_path: Path, writer: SpoolWriter) -> None:
    follower = SpoolFollower(tmp_path, PLAIN_CODECS)
    write(writer, range(5))
    numbers_of(follower)
    writer.seal()
    numbers_of(follower)
    ship(tmp_path)
    status = {"closed": True, "admitted": 5}
    (tmp_path / f"status-handler-{writer.epoch.hex()}.json").write_bytes(orjson.dumps(status))
    numbers_of(follower)
    follower.settle()

    assert follower.missed == 0


def test_what_was_shipped_before_anybody_watched_is_not_missed(tmp_path: Path) -> None:
    writer = SpoolWriter(tmp_path, spool_bytes_max=1 << 30, sync=False)
    write(writer, range(3))
    writer.seal()
    ship(tmp_path)
    write(writer, range(3, 5))
    follower = SpoolFollower(tmp_path, PLAIN_CODECS)

    assert numbers_of(follower) == [3, 4]
    assert follower.missed == 0


def test_a_restart_goes_on_behind_what_was_read(tmp_path: Path, writer: SpoolWriter) -> None:
    follower = SpoolFollower(tmp_path, PLAIN_CODECS)
    write(writer, range(3))
    numbers_of(follower)
    content = orjson.loads(orjson.dumps(follower.content()))
    follower.close()
    write(writer, range(3, 6))
    again = SpoolFollower(tmp_path, PLAIN_CODECS, content)

    assert numbers_of(again) == [3, 4, 5]
    assert again.missed == 0


def test_what_went_while_nobody_watched_is_counted(tmp_path: Path, writer: SpoolWriter) -> None:
    follower = SpoolFollower(tmp_path, PLAIN_CODECS)
    write(writer, range(3))
    numbers_of(follower)
    content = orjson.loads(orjson.dumps(follower.content()))
    follower.close()
    write(writer, range(3, 6))
    writer.seal()
    ship(tmp_path)
    write(writer, range(6, 8))
    again = SpoolFollower(tmp_path, PLAIN_CODECS, content)

    assert numbers_of(again) == [6, 7]
    assert again.missed == 3


def test_what_retention_evicts_before_it_was_seen_is_counted(tmp_path: Path, writer: SpoolWriter) -> None:
    follower = SpoolFollower(tmp_path, PLAIN_CODECS)
    write(writer, range(3))
    writer.seal()
    evict(tmp_path, Retention(age_seconds=1), now_seconds=FAR)
    write(writer, range(3, 5))

    assert numbers_of(follower) == [3, 4]
    assert follower.missed == 3


def test_what_retention_evicts_after_it_was_seen_is_read(tmp_path: Path, writer: SpoolWriter) -> None:
    follower = SpoolFollower(tmp_path, PLAIN_CODECS)
    write(writer, range(3))
    writer.seal()
    list_segments(tmp_path, follower.disk)

    assert evict(tmp_path, Retention(age_seconds=1), now_seconds=FAR).records == 3
    assert numbers_of(follower) == [0, 1, 2]
    assert follower.missed == 0


def test_a_shipper_beside_it_removes_all_that_it_has_delivered(tmp_path: Path, writer: SpoolWriter) -> None:
    follower = SpoolFollower(tmp_path, PLAIN_CODECS)
    for start in range(0, 300, 100):
        write(writer, range(start, start + 100))
        numbers_of(follower)
        writer.seal()
        numbers_of(follower)
        assert ship(tmp_path) == 100

    assert list_segments(tmp_path) == {}


def test_it_ships_nothing_and_changes_nothing(tmp_path: Path, writer: SpoolWriter) -> None:
    write(writer, range(3))
    writer.seal()
    before = {path.name: path.read_bytes() for path in tmp_path.iterdir()}
    numbers_of(SpoolFollower(tmp_path, PLAIN_CODECS))

    assert {path.name: path.read_bytes() for path in tmp_path.iterdir()} == before
    assert ship(tmp_path) == 3


def test_what_removed_files_may_take_on_the_disk_is_bounded(tmp_path: Path, writer: SpoolWriter) -> None:
    disk = HeldSegments(tmp_path, bytes_max=20_000)
    follower = SpoolFollower(tmp_path, PLAIN_CODECS, disk=disk)
    for start in range(0, 300, 100):
        write(writer, range(start, start + 100))
        list_segments(tmp_path, disk)
        writer.seal()
        ship(tmp_path)

    assert numbers_of(follower) == list(range(200, 300))
    assert follower.missed == 200


def test_while_more_waits_to_be_read_time_stands_where_the_slowest_writer_is(
    tmp_path: Path, writer: SpoolWriter
) -> None:
    follower = SpoolFollower(tmp_path, PLAIN_CODECS)
    for start in range(0, 300, 100):
        write(writer, range(start, start + 100))
    (block,) = follower.read(1)
    follower.note_read(block, 500.0)

    assert follower.read_until(1_000.0) == 500.0
    numbers_of(follower)
    assert follower.read_until(1_000.0) == 1_000.0

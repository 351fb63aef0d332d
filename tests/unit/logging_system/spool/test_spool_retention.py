from __future__ import annotations

from pathlib import Path

import pytest

from logging_system.spool.disk import Disk
from logging_system.spool.inspection import Severity, inspect, verify
from logging_system.spool.reader import SpoolReader
from logging_system.spool.retention import Evicted, Retention, evict
from logging_system.spool.writer import SpoolFullError, SpoolWriter
from tests.unit.logging_system.spooling import acknowledge, append, die, numbered, read_all, reading, writer


def sealed(folder: Path, *groups: tuple[int, int]) -> SpoolWriter:
    spool_writer = writer(folder)
    for first, last in groups:
        append(spool_writer, first, last)
        spool_writer.seal()
    return spool_writer


def evict_all(folder: Path, disk: Disk | None = None) -> Evicted:
    return evict(folder, Retention(bytes_max=0), now_seconds=0.0, disk=disk or Disk())


class HookedDisk(Disk):
    """The real disk; what is handed in happens just before the first removal."""

    def __init__(self, reader: SpoolReader) -> None:
        self.reader = reader

    def rename(self, source: Path, target: Path) -> None:
        self.reader.save({})
        super().rename(source, target)


def test_without_retention_a_full_spool_refuses(tmp_path: Path) -> None:
    spool_writer = writer(tmp_path, spool_bytes_max=2_000)
    for _ in range(20):
        spool_writer.append([b"x" * 10])
    with pytest.raises(SpoolFullError):
        spool_writer.append([b"x" * 2_000])

    assert spool_writer.evicted == Evicted()
    spool_writer.seal()


def test_with_retention_by_bytes_the_oldest_records_give_way_and_each_is_counted(tmp_path: Path) -> None:
    spool_writer = SpoolWriter(
        tmp_path,
        spool_bytes_max=8_000,
        sync=False,
        retention=Retention(bytes_max=4_000),
        clock=iter(range(1000)).__next__,
    )
    for number in range(1, 101):
        append(spool_writer, number, number)
        spool_writer.append([b"x" * 60])
    spool_writer.seal()
    with reading(tmp_path) as reader:
        found = read_all(reader)

        assert 0 < len(found) < 200
        assert len(found) + reader.damage.evicted_records == 200
        assert spool_writer.evicted.records == reader.damage.evicted_records
        assert found[-1] == (200, b"x" * 60)
        assert reader.damage.corrupted_records == 0


def test_segments_older_than_allowed_give_way(tmp_path: Path) -> None:
    sealed(tmp_path, (1, 3), (4, 5))
    last_written = max(path.stat().st_mtime for path in tmp_path.glob("*.segment"))

    assert evict(tmp_path, Retention(age_seconds=60), now_seconds=last_written + 59) == Evicted()
    assert evict(tmp_path, Retention(age_seconds=60), now_seconds=last_written + 61).records == 5


def test_many_marks_of_one_writer_become_one(tmp_path: Path) -> None:
    sealed(tmp_path, (1, 3), (4, 5), (6, 9))

    assert evict_all(tmp_path).records == 9
    assert [path.suffix for path in tmp_path.glob("*-*")] == [".evicted"]
    with reading(tmp_path) as reader:
        assert read_all(reader) == []
        assert reader.damage.evicted_records == 9
        reader.save({})
        assert not list(tmp_path.glob("*.evicted"))
    with reading(tmp_path) as reader:
        assert reader.damage.evicted_records == 9


def test_what_was_delivered_before_is_not_counted_as_evicted(tmp_path: Path) -> None:
    spool_writer = sealed(tmp_path, (1, 4))
    with reading(tmp_path) as reader:
        assert read_all(reader) == numbered(1, 4)
        acknowledge(reader, spool_writer.epoch, 4)
    evict_all(tmp_path)
    with reading(tmp_path) as reader:
        assert read_all(reader) == []
        assert reader.damage.evicted_records == 1


def test_a_segment_in_use_stays(tmp_path: Path) -> None:
    spool_writer = writer(tmp_path)
    append(spool_writer, 1, 4)

    assert evict_all(tmp_path) == Evicted()
    die(spool_writer)
    assert evict_all(tmp_path).records == 4


def test_a_segment_that_cannot_be_counted_stays(tmp_path: Path) -> None:
    sealed(tmp_path, (1, 4))
    (path,) = tmp_path.glob("*.segment")
    path.write_bytes(b"\0" * 100)

    assert evict_all(tmp_path) == Evicted()
    assert path.exists()


def test_a_mark_that_is_being_replaced_is_not_removed_by_the_reader(tmp_path: Path) -> None:
    spool_writer = sealed(tmp_path, (1, 3))
    evict_all(tmp_path)
    with reading(tmp_path) as reader:
        read_all(reader)
        append(spool_writer, 4, 6)
        spool_writer.seal()
        evict_all(tmp_path, HookedDisk(reader))
        read_all(reader)

        assert reader.damage.evicted_records == 6


def test_what_gave_way_is_shown_to_a_person(tmp_path: Path) -> None:
    sealed(tmp_path, (1, 3))
    evict_all(tmp_path)

    assert [(found.severity, found.records) for found in verify(tmp_path)] == [(Severity.LOSS, 3)]
    assert inspect(tmp_path).epochs[0].segments[0].evicted_records == 3

"""Files that come and go between a listing of the spool's folder and the look at them."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

from logging_system.spool.disk import Disk
from logging_system.spool.reader import SpoolReader
from logging_system.spool.retention import Evicted, Retention, evict
from logging_system.spool.segment import segment_path
from tests.unit.logging_system.spooling import acknowledge, append, numbered, read_all, writer


class RacingDisk(Disk):
    """The real disk; another process acts once, just before a named call."""

    def __init__(self, call: str, act: Callable[[], object]) -> None:
        self.call = call
        self.act: Callable[[], object] | None = act

    def _race(self, call: str) -> None:
        if call == self.call and self.act is not None:
            act, self.act = self.act, None
            act()

    def open(self, path: Path, flags: int, mode: int = 0o600) -> int:
        if path.suffix:
            self._race(f"open {path.suffix}")
        return super().open(path, flags, mode)


def test_a_segment_that_is_renamed_before_it_is_opened_is_read_at_the_next_look(tmp_path: Path) -> None:
    spool_writer = writer(tmp_path)
    append(spool_writer, 1, 2)
    reader = SpoolReader(tmp_path, disk=RacingDisk("open .open", spool_writer.seal))

    assert reader.read(1 << 20) == []
    assert read_all(reader) == numbered(1, 2)
    reader.close()


class ForgetfulDisk(Disk):
    """The real disk, whose listings leave out what they are told to."""

    def __init__(self) -> None:
        self.hidden = ""

    def list_names(self, folder: Path) -> list[str]:
        return [name for name in super().list_names(folder) if not self.hidden or self.hidden not in name]


def test_a_segment_that_a_listing_misses_is_not_passed_over(tmp_path: Path) -> None:
    spool_writer = writer(tmp_path)
    for number in (1, 2, 3):
        append(spool_writer, number, number)
        spool_writer.seal()
    disk = ForgetfulDisk()
    disk.hidden = "-00000001."
    reader = SpoolReader(tmp_path, disk=disk)
    found = read_all(reader)
    acknowledge(reader, spool_writer.epoch, 4)

    assert found == numbered(1, 3)
    reader.close()


def test_a_position_is_kept_while_a_listing_misses_its_file(tmp_path: Path) -> None:
    spool_writer = writer(tmp_path)
    append(spool_writer, 1, 2)
    disk = ForgetfulDisk()
    reader = SpoolReader(tmp_path, disk=disk)
    read_all(reader)
    acknowledge(reader, spool_writer.epoch, 3)
    disk.hidden = spool_writer.epoch.hex()
    reader.save({"delivered": 2})
    disk.hidden = ""

    assert read_all(reader) == []
    reader.acknowledge(b"an unknown epoch", 7)
    reader.close()
    spool_writer.seal()


def test_an_unfinished_segment_that_is_finished_or_stuck_meanwhile_is_no_obstacle(tmp_path: Path) -> None:
    creating = segment_path(tmp_path, b"0" * 16, 0, "new")
    creating.touch()
    SpoolReader(tmp_path, disk=RacingDisk("open .new", creating.unlink)).close()
    creating.mkdir()
    reader = SpoolReader(tmp_path)

    assert reader.unreadable == 1
    reader.close()


def test_a_segment_that_goes_just_before_it_would_be_evicted_costs_nothing(tmp_path: Path) -> None:
    spool_writer = writer(tmp_path)
    append(spool_writer, 1, 2)
    spool_writer.seal()
    (path,) = tmp_path.glob("*.segment")
    disk = RacingDisk("open .segment", path.unlink)

    assert evict(tmp_path, Retention(bytes_max=0), now_seconds=0.0, disk=disk) == Evicted()


def test_a_mark_that_goes_just_before_it_would_be_replaced_costs_nothing(tmp_path: Path) -> None:
    spool_writer = writer(tmp_path)
    append(spool_writer, 1, 2)
    spool_writer.seal()
    evict(tmp_path, Retention(bytes_max=0), now_seconds=0.0)
    append(spool_writer, 3, 4)
    spool_writer.seal()
    (path,) = tmp_path.glob("*.evicted")
    disk = RacingDisk("open .evicted", path.unlink)

    assert evict(tmp_path, Retention(bytes_max=0), now_seconds=0.0, disk=disk).records == 2

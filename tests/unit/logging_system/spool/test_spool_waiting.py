"""How many records wait is counted from the headers of blocks, as reading and inspection count them."""

from __future__ import annotations

from pathlib import Path

from hypothesis import given, settings
from hypothesis import strategies as st

from logging_system.spool.inspection import inspect
from logging_system.spool.retention import Retention, evict
from logging_system.spool.waiting import Waiting, count_waiting
from logging_system.spool.writer import SpoolWriter
from tests.unit.logging_system.spooling import acknowledge, die, read_all, reading, three_blocks, writer

NEVER = float("inf")


def waiting(folder: Path) -> Waiting:
    return count_waiting(folder, NEVER)


def test_nothing_waits_in_an_empty_folder(tmp_path: Path) -> None:
    assert waiting(tmp_path) == Waiting(0, is_exact=True)


def test_a_folder_that_cannot_be_listed_is_not_counted(tmp_path: Path) -> None:
    assert waiting(tmp_path / "none") == Waiting(0, is_exact=False)


@settings(max_examples=20, deadline=None)  # each writes and syncs files
@given(
    st.lists(st.lists(st.integers(1, 5), max_size=4), max_size=3), st.lists(st.integers(0, 30), max_size=3)
)
def test_what_no_checkpoint_calls_delivered_waits(
    tmp_path_factory: object, blocks: list[list[int]], delivered: list[int]
) -> None:
    """For any blocks of any writers, living or dead, and any progress: as many as inspection finds."""
    folder: Path = tmp_path_factory.mktemp("spool")  # type: ignore[attr-defined]  # pytest's own fixture
    writers = []
    for sizes in blocks:
        writers.append(SpoolWriter(folder, spool_bytes_max=32_768, sync=False))
        for size in sizes:
            writers[-1].append([b"x" * 300] * size)
    with reading(folder) as reader:
        read_all(reader)
        for each, done in zip(writers, delivered, strict=False):
            if each.next_sequence > 1:
                acknowledge(reader, each.epoch, 1 + min(done, each.next_sequence - 1))
    written = sum(sum(sizes) for sizes in blocks)
    done = sum(min(done, sum(sizes)) for sizes, done in zip(blocks, delivered, strict=False))

    assert waiting(folder) == Waiting(written - done, is_exact=True)
    assert inspect(folder).undelivered == written - done
    for each in writers:
        die(each)


def test_records_before_and_behind_damage_wait(tmp_path: Path) -> None:
    three_blocks(tmp_path, damaged_at=0, by=b"\0\0\0\0")

    assert waiting(tmp_path) == Waiting(4, is_exact=True)


def test_what_was_evicted_does_not_wait(tmp_path: Path) -> None:
    old = writer(tmp_path)
    old.append([b"x"] * 5)
    old.seal()
    evict(tmp_path, Retention(age_seconds=1), now_seconds=1e12)
    new = writer(tmp_path)
    new.append([b"x"] * 2)
    new.seal()

    assert waiting(tmp_path) == Waiting(2, is_exact=True)


def test_counting_stops_when_its_time_is_over(tmp_path: Path) -> None:
    for _ in range(3):
        each = writer(tmp_path)
        each.append([b"x"])
        each.seal()
    moments = iter([0.0, 1.0, 2.0])

    assert count_waiting(tmp_path, 2.0, clock=lambda: next(moments)) == Waiting(2, is_exact=False)
